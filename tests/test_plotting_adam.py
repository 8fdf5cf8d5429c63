"""The pictures of lesson 06 say what they draw."""

import numpy as np
import pytest

import seem_lab as sl
from seem_lab import plotting

STEP = np.array([0, 100, 200, 300])


def test_adam_step_sizes_gives_both_ends_of_every_line():
    figure = plotting.adam_step_sizes({"still": np.ones(5), "growing": np.linspace(1, 2, 5)})
    assert (
        "still: 1.00 at the first step, 1.00 at step 5; growing: 1.00 at the first step, 2.00 at step 5" in figure.alt
    )


def test_explosion_and_climb_counts_the_explosions():
    runs = [sl.train(sl.mlp(4, seed=1020), sl.toy_walk(20, gamma=g), steps=400, progress=False) for g in (0.99, 0.9)]
    figure = plotting.explosion_and_climb(runs, STEP, np.array([[1.0, 2, 3, 4], [1.0, 3, 5, 7]]))
    crash = runs[0].step[-1]
    assert f"1 of 2 seeds pass the limit, between step {crash} and {crash}," in figure.alt
    assert "to between 4 and 7 at step 300" in figure.alt
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]
    assert figure.png().startswith(b"\x89PNG")


def test_steady_climb_takes_the_root_that_belongs_to_the_depth():
    norm = np.array([10.0, 20.0, 30.0, 40.0])[None]
    figure = plotting.steady_climb(STEP, {2: (norm, norm**2), 3: (norm, norm**3)}, line_from=100)
    for depth in (2, 3):
        assert f"depth {depth}, root {depth} of the largest |Q|: from 10 to 40 (medians)" in figure.alt
    for axes in figure.axes:
        assert np.allclose(axes.lines[1].get_ydata(), norm[0]), "the straight line"


def test_ratio_through_training_names_the_top_of_the_median():
    measured = np.array([[1.0, 2.0, 1.5, 1.2]] * 3)
    figure = plotting.ratio_through_training(STEP, {"a": (measured, measured[0] + 0.1), "b": (measured, None)}, 2.65)
    assert "a: at most 2.00, at step 100, and 1.20 at step 300 (one number: 1.30)" in figure.alt
    assert figure.alt.endswith("b: at most 2.00, at step 100, and 1.20 at step 300.")
    assert {text.get_text() for text in figure.axes[0].texts} >= {r"$\sqrt{4L-1} = 2.65$"}


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
    assert "SEEM 1 at step 0 and 1 at step 300; SEEM of A_D 0.011 at step 0 and 0.011 at step 300;" in figure.alt
    assert "measured 0.01 at step 0 and 0.01 at step 300" in figure.alt
