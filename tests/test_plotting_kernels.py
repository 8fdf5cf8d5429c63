"""The pictures of lesson 03 say what they draw."""

import numpy as np
import pytest

from seem_lab import plotting


def test_first_order_error_states_the_slope():
    lr = np.array([1e-1, 1e-2, 1e-3])
    figure = plotting.first_order_error(lr, 3 * lr, 0.5 * lr**2)
    assert "slope 2.00" in figure.alt
    assert "from 0.3 to 0.003" in figure.alt
    figure = plotting.first_order_error(lr, 3 * lr, lr)
    assert "slope 1.00" in figure.alt


def test_kernel_with_shapes_shows_rows_and_columns_the_right_way_round():
    kernel = np.arange(6.0).reshape(2, 3)
    figure = plotting.kernel_with_shapes(kernel, rows=[7, 8], columns=[4, 5, 6])
    texts = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert texts["2.0"][0] > texts["1.0"][0]
    assert texts["3.0"][1] > texts["0.0"][1]
    assert {"$x^*_{7}$", "$x_{6}$"} <= texts.keys()
    assert "2 rows and 3 columns" in figure.alt
    assert "stands 1.0: the effect of an update at the data of transition 5 on the target of transition 7" in figure.alt


def test_generalisation_maps_name_the_largest_place():
    axis = np.linspace(-1, 1, 20)
    rising = np.broadcast_to(1 + axis[:, None] / 2, (20, 20)).copy()  # grows with y, the row
    rising[-1, 3] = 1.9
    figure = plotting.generalisation_maps({"a": rising, "b": rising.T}, axis, (0.0, 0.0), np.zeros((3, 2)))
    assert f"a: from 0.50 to 1.90, largest at ({axis[3]:.1f}, 1.0), above 1 on 50 %" in figure.alt
    assert f"b: from 0.50 to 1.90, largest at (1.0, {axis[3]:.1f}), above 1 on 50 %" in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_response_along_ray_gives_median_and_band_of_the_seeds_and_where_the_median_turns():
    distance = np.array([1.0, 5.0, 20.0])
    curves = np.array([[1.0, 0.1 * k, k] for k in range(1, 12)])
    figure = plotting.response_along_ray(distance, {"outwards": {"plain": curves}, "back": {"plain": 2 * curves}})
    assert (
        "outwards, plain: the median is smallest at distance 5 with 0.60, and 6.00 at distance 20, where 80 % of 11 "
        "seeds lie between 2.00 and 10.00" in figure.alt
    )
    assert "back, plain: the median is smallest at distance 5 with 1.20" in figure.alt
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["outwards", "back"]
    assert "10 to 90 % of seeds" in figure.axes[0].get_legend().get_title().get_text()


def test_predicted_and_measured_tells_changed_from_unchanged():
    predicted = np.array([1.0, 2.0, -1.0])
    changed = np.array([False, True, False])
    figure = plotting.predicted_and_measured(predicted, predicted - changed, changed)
    assert "2 transitions whose next action stayed lie up to 0 off the diagonal" in figure.alt
    assert "1 transitions whose next action changed lie up to 1 off" in figure.alt
    unchanged, other = figure.axes[0].collections
    assert unchanged.get_offsets().tolist() == [[1, 1], [-1, -1]]
    assert other.get_offsets().tolist() == [[2, 1]]


def test_residual_distribution():
    figure = plotting.residual_distribution(np.arange(1, 102) / 100)
    assert "over 101 steps, logarithmic axis: median 51.0 %, 90th percentile 91.0 %, largest 101 %" in figure.alt


def test_residual_by_size_separates_the_two_populations():
    size = np.geomspace(1e-3, 1e-1, 60)
    changed = np.arange(60) % 2 == 0
    figure = plotting.residual_by_size(size, np.where(changed, 0.1, size), changed)
    assert "a next action changed: 30 steps, median residual 10.0 % among the smallest" in figure.alt
    assert "10.0 % among the largest" in figure.alt
    assert "next action unchanged: 30 steps" in figure.alt
    markers = [collection.get_paths()[0].vertices.shape for collection in figure.axes[0].collections]
    assert markers[0] != markers[1], "told apart by shape, not only by colour"


def test_kernel_matrix_is_scaled_to_cosines_and_sorted():
    phi = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]])
    figure = plotting.kernel_matrix(phi @ phi.T, np.array([1, 0, 2]), "torque")
    image = figure.axes[0].images[0].get_array()
    assert np.allclose(np.diag(image), 1)
    assert image.max() == 1
    assert np.isclose(image[0, 1], np.sqrt(0.5)) and np.isclose(image[0, 2], np.sqrt(0.5))
    assert image[1, 2] == 0
    assert "sorted by torque" in figure.alt
    assert "at least 0.00, median 0.71" in figure.alt
    assert "Neighbours in this order have median 0.35, the first and the last input 0.71" in figure.alt


def test_seem_at_start_counts_what_is_nearly_zero():
    figure = plotting.seem_at_start({"one": np.array([0.1, 1.0, 10.0]), "two": np.array([2.0])}, nearly_zero=0.5)
    assert "one: 3 networks from 0.1 to 1e+01, median 1, 1 of them below 0.5" in figure.alt
    assert "two: 1 networks from 2 to 2, median 2, 0 of them below 0.5" in figure.alt
    assert figure.axes[0].get_xlim()[0] < 0.1


@pytest.mark.filterwarnings("error")
def test_kernel_drift_draws_finite_values_only_and_marks_where_runs_blew_up():
    drift = np.array([[0.1, 1.0], [0.2, 2.0], [0.3, np.inf], [0.4, np.inf], [np.inf, np.inf]])
    figure = plotting.kernel_drift(np.array([10, 20]), {"wild": drift, "calm": drift[:2]})
    assert "wild: median blown up after 20 steps" in figure.alt
    assert "3 of 5 runs blown up by then" in figure.alt
    assert "calm: median 1 after 20 steps, 10 to 90 % of seeds from 1 to 2, 0 of 2 runs" in figure.alt
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert np.array_equal(lines["wild"].get_ydata(), [0.3, np.nan], equal_nan=True)
    assert lines["last value of a run that blew up"].get_xydata().tolist() == [[10, 0.3], [10, 0.4]]
    wild, calm = figure.axes[0].collections
    assert not wild.get_paths(), "the upper end of its band is infinite at both steps"
    assert calm.get_paths()[0].vertices[:, 1].max() == 2
