"""The pictures of lesson 07 say what they draw."""

import numpy as np

import seem_lab as sl
from seem_lab import plotting


def test_kernel_maps_give_range_and_median():
    axis = np.linspace(-2, 2, 5)
    values = np.arange(25.0).reshape(5, 5) / 10
    figure = plotting.kernel_maps({"a": values, "b": 0 * values + 0.6}, axis, (1.0, 0.5))
    assert "a: from 0.00 to 2.40, median 1.20; b: from 0.60 to 0.60, median 0.60" in figure.alt
    assert "from -2 to 2; the star is the updated point (1, 0.5)" in figure.alt
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["a", "b"]
    assert figure.png().startswith(b"\x89PNG")


def test_parts_along_ray_gives_both_ends_and_the_limit_where_there_is_one():
    distance = np.array([1.0, 10.0, 100.0])
    parts = {"plain": {"first": distance**2}, "norm": {"first": np.ones(3), "last": 2 * np.ones(3)}}
    figure = plotting.parts_along_ray(distance, parts, {"norm": 7.5})
    assert "plain, first: 1 at the start, 1e+04 at the end; norm, first: 1 at the start" in figure.alt
    assert "norm: limit 7.5" in figure.alt and "plain: limit" not in figure.alt
    assert [len(axes.texts) for axes in figure.axes] == [0, 1]


def test_width_convergence_measures_the_slope():
    widths = np.array([64, 256, 1024])
    errors = np.outer(widths**-0.5, [0.9, 1.0, 1.3])
    figure = plotting.width_convergence(widths, {"ReLU": errors})
    assert "ReLU: median 0.12 at width 64, 0.031 at 1024, slope -0.50" in figure.alt


def test_side_by_side_counts():
    def runs(gamma):
        return sl.train_stacked([sl.mlp(4, seed=1020)], [sl.toy_walk(20, gamma=gamma)], steps=400)

    figure = plotting.side_by_side({"wild": runs(0.99), "mixed": runs(0.99) + runs(0.9)})
    assert "wild: 1 of 1 blow up; mixed: 1 of 2 blow up, the others stay below" in figure.alt
    left, right = figure.axes
    assert [len(axes.lines) for axes in (left, right)] == [2, 3]  # a cross for each run that blew up


def test_seem_through_training_leaves_out_what_is_over():
    seem = np.array([[1.0, np.nan], [3.0, 5.0], [2.0, np.nan]])
    figure = plotting.seem_through_training(np.array([0, 50]), {"plain": seem, "norm": -seem})
    assert "plain: median 2 at 0 (3 runs), 5 at 50 (1 runs); norm: median -2 at 0 (3 runs), -5 at 50" in figure.alt


def test_ends_of_runs_tells_lost_from_kept():
    groups = {"some": np.array([10.0, 30.0, np.nan]), "all": np.array([5.0]), "none": np.array([np.nan] * 2)}
    figure = plotting.ends_of_runs(groups, steps=100)
    assert (
        "some: 2 of 3 blow up, between step 10 and 30; all: 1 of 1 blow up, between step 5 and 5; none: 0 of 2 blow up."
        in figure.alt
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["1 of 3 last", "0 of 1 last", "2 of 2 last"]


def test_value_errors_gives_median_and_range():
    errors = np.array([[0.5, 0.1], [0.7, 0.2], [0.9, 0.6]])
    figure = plotting.value_errors((10, 1000), {"discount 0.9": {"ReLU": errors, "LayerNorm": errors / 2}})
    assert "discount 0.9, ReLU: median [range] 0.70 [0.50, 0.90] at 10, 0.20 [0.10, 0.60] at 1000" in figure.alt
    assert "discount 0.9, LayerNorm: median [range] 0.35 [0.25, 0.45] at 10" in figure.alt
    markers = {line.get_marker() for line in figure.axes[0].lines}
    assert markers == {"o", "^"}, "told apart by shape, not only by colour"
