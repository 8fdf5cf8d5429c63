"""The pictures of lesson 06 say what they draw."""

from dataclasses import replace

import numpy as np
import pytest

import seem_lab as sl
from seem_lab import plotting

STEP = np.array([0, 100, 200, 300])


def test_adam_step_sizes_gives_both_ends_of_every_line():
    figure = plotting.adam_step_sizes({"still": np.ones(5), "growing": np.linspace(1, 2, 5)})
    assert (
        "still: 1.00 at the first step, at most 1.00, at step 1, and 1.00 at step 5; "
        "growing: 1.00 at the first step, at most 2.00, at step 5, and 2.00 at step 5" in figure.alt
    )


def test_explosion_and_climb_counts_the_explosions():
    runs = [sl.train(sl.mlp(4, seed=1020), sl.toy_walk(20, gamma=g), steps=400, progress=False) for g in (0.99, 0.9)]
    figure = plotting.explosion_and_climb(runs, STEP, np.array([[1.0, 2, 3, 4], [1.0, 3, 5, 7]]))
    crash = runs[0].step[-1]
    assert f"1 of 2 seeds pass the limit, between step {crash} and {crash}," in figure.alt
    assert "to between 4 and 7 at step 300" in figure.alt
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]
    assert figure.png().startswith(b"\x89PNG")


def test_steady_climb_takes_the_root_that_belongs_to_the_depth_and_shows_what_the_line_leaves():
    stored = sl.stored_adam_runs(2)
    climbing = np.broadcast_to(10.0 + np.arange(len(stored.step)), stored.q_max.shape)
    groups = {
        depth: replace(stored, td_error_norm=climbing**2, parameter_norm=climbing, q_max=climbing**depth, depth=depth)
        for depth in (2, 3)
    }
    figure = plotting.steady_climb(groups)
    for depth in (2, 3):
        assert f"depth {depth}, root {depth} of the largest |Q|: from 10 to 90 (medians)" in figure.alt
    start = sl.terminal_start(climbing[0] ** 2)
    for axes in figure.axes[:4]:
        assert np.allclose(axes.lines[-1].get_ydata(), climbing[0, start:]), "the straight line"
    for axes in figure.axes[4:]:
        for line in axes.lines:
            assert np.allclose(line.get_ydata(), 0, atol=1e-9), "what the line leaves"


def test_ratio_through_training_names_the_top_of_the_median():
    measured = np.array([[1.0, 2.0, 1.5, 1.2]] * 3)
    figure = plotting.ratio_through_training(
        STEP, {2: ({"a": measured, "b": measured / 2}, {"one": measured[0] + 0.1}), 3: ({"a": measured}, {})}
    )
    assert "depth 2, a: 1.00 at step 0, at most 2.00, at step 100, and 1.20 at step 300;" in figure.alt
    assert "depth 2, b: 0.50 at step 0, at most 1.00, at step 100, and 0.60 at step 300;" in figure.alt
    assert "one: at most 2.10, at the end 1.30" in figure.alt
    assert [axes.texts[0].get_text() for axes in figure.axes] == [
        r"$\sqrt{4L-1} = 2.65$",
        r"$\sqrt{4L-1} = 3.32$",
    ]


def test_climb_exponents_gives_range_and_model():
    figure = plotting.climb_exponents(
        {2: {"usual": (np.array([1.5, 1.6, 1.7]), 1.62)}, 3: {"usual": (np.ones(2), 2.0)}}
    )
    assert "depth 2, usual: median 1.60, from 1.50 to 1.70 over 3 seeds, one number 1.62" in figure.alt
    assert figure.axes[0].lines[0].get_xdata() == [2, 2]


@pytest.mark.filterwarnings("error")
def test_predicted_rates_compares_three():
    rates = np.full((5, 4), 0.01)
    figure = plotting.predicted_rates(STEP, rates, 100 * rates, 1.1 * rates)
    assert "SEEM 1 at step 0 and 1 at step 300; A_Adam 0.011 at step 0 and 0.011 at step 300;" in figure.alt
    assert "measured 0.01 at step 0 and 0.01 at step 300" in figure.alt
    assert figure.alt.endswith("Right: the second over the third, 1.10 at step 0, 1.10 at step 300.")
