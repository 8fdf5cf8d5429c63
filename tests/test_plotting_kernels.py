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
    arrows = np.broadcast_to([1.0, 0.0], (20, 20, 2))
    figure = plotting.generalisation_maps(
        {"a": rising, "b": rising.T}, axis, (0.0, 0.0), np.zeros((3, 2)), {"b": arrows}
    )
    assert f"a: from 0.50 to 1.90, largest at ({axis[3]:.1f}, 1.0), above 1 on 50 %" in figure.alt
    assert f"b: from 0.50 to 1.90, largest at (1.0, {axis[3]:.1f}), above 1 on 50 %" in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_response_along_ray_gives_median_and_band_of_the_seeds():
    distance = np.array([0.0, 5.0])
    curves = np.array([[1.0, k] for k in range(1, 12)])
    figure = plotting.response_along_ray(distance, {"plain": curves})
    assert "plain: median 6.00 at distance 5, between 2.00 and 10.00 for 80 % of 11 seeds" in figure.alt


def test_predicted_and_measured_tells_changed_from_unchanged():
    predicted = np.array([1.0, 2.0, -1.0])
    changed = np.array([False, True, False])
    figure = plotting.predicted_and_measured(predicted, predicted - changed, changed)
    assert "but for 1 whose next action changed" in figure.alt
    assert "residual is 57.7 %" in figure.alt
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
    figure = plotting.kernel_matrix(phi @ phi.T, {"as is": np.arange(3), "turned": np.array([2, 1, 0])})
    first, second = (axes.images[0].get_array() for axes in figure.axes[:2])
    assert np.allclose(np.diag(first), 1)
    assert np.isclose(first[0, 1], np.sqrt(0.5))
    assert first[0, 2] == 0
    assert np.array_equal(second, first[::-1, ::-1])
    assert "at least 0.00" in figure.alt


def test_seem_at_start():
    figure = plotting.seem_at_start({"one": np.array([0.1, 1.0, 10.0]), "two": np.array([2.0])})
    assert "one: 3 networks from 0.1 to 1e+01, median 1; two: 1 networks" in figure.alt


@pytest.mark.filterwarnings("error")
def test_kernel_drift_counts_diverged_runs_as_infinite():
    drift = np.array([[0.1, 1.0], [0.2, 2.0], [0.3, np.inf], [0.4, np.inf], [0.5, np.inf]])
    figure = plotting.kernel_drift(np.array([10, 20]), {"wild": drift, "calm": drift[:2]})
    assert "wild: median blown up after 20 steps" in figure.alt
    assert "calm: median 1 after 20 steps, 10 to 90 % of seeds from 1 to 2" in figure.alt
