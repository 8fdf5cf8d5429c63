"""The panel of lesson 04, beyond what tests/test_panels.py asks of every panel."""

import math
import time

import numpy as np
import pytest

import seem_lab as sl
from seem_lab.panels import Seem
from seem_lab.panels.seem import GRID, STEPS


@pytest.fixture(scope="module")
def panel():
    return Seem()


def test_the_run_is_the_one_that_train_gives_and_seem_is_read_where_it_says(panel, at):
    run = sl.train(sl.mlp(4, seed=1029), sl.toy_walk(29, gamma=0.965), steps=STEPS, seem_every=GRID, progress=False)
    for step in (0, 100, 475):
        result = at(panel, step=float(step), seed=29)
        assert result.step == step
        assert math.isclose(result.seem.value, run.seem[step], rel_tol=1e-6, abs_tol=1e-9)
    assert result.run.history.diverged and result.run.last == run.step[-1]
    assert np.allclose(result.run.history.td_error_norm, run.td_error_norm, rtol=1e-6)


def test_a_run_that_is_over_is_read_before_its_end(panel):
    panel.set(seed=29, step=800.0)
    assert "read at step 475" in panel.text and "blows up at step 479" in panel.text
    panel.reset()


def test_a_run_that_survives_is_followed_to_the_last_step(panel, at):
    result = at(panel, step=float(STEPS), seed=17)
    assert result.step == result.run.last == STEPS
    assert not result.run.history.diverged
    assert "0 are left" in panel.sentence(result)


def test_the_sentence_agrees_with_the_rule(panel, at):
    for preset in panel.presets.values():
        result = at(panel, **preset)
        warns = sl.early_warning(result.seem.value, lr=result.lr, n=63, steps_left=STEPS - result.step)
        says = panel.sentence(result)
        assert ("the rule warns" in says) == warns
        assert f"{1 / (sl.step_size(result.lr, 63) * result.seem.value):.3g} steps" in says


def test_presets_are_what_they_are_called(panel, at):
    outcome = {}
    for name, preset in panel.presets.items():
        result = at(panel, **preset)
        outcome[name] = ("the rule warns" in panel.sentence(result), result.run.history.diverged)
    assert outcome == {
        "a warning that comes true": (True, True),
        "no warning, and it survives": (False, False),
        "a false alarm": (True, False),
        "a miss": (False, True),
    }


def test_the_promise_has_the_slope_of_seem(panel, at):
    result = at(panel)
    x, y = panel._artists.promise.get_data()
    slope = np.diff(np.log(y))[0] / np.diff(x)[0]
    assert math.isclose(slope, math.log1p(sl.step_size(0.02, 63) * result.seem.value), rel_tol=1e-9)
    assert y[0] == result.run.history.td_error_norm[result.step]


def test_the_mode_is_drawn_with_size_and_sign(panel, at):
    mode = at(panel).seem.mode.real.numpy()
    plus, minus = (marks.get_sizes() for marks in (panel._artists.plus, panel._artists.minus))
    assert np.array_equal(plus > 0, mode > 0) and np.array_equal(minus > 0, mode < 0)
    assert np.argmax(np.maximum(plus, minus)) == np.argmax(np.abs(mode))


def test_a_complex_mode_says_how_fast_it_turns(panel, at):
    result = at(panel, seed=21)
    assert result.seem.frequency > 0
    turn = 2 * math.pi / (sl.step_size(0.02, 63) * result.seem.frequency)
    assert f"turns, once in {turn:.3g} steps" in panel.sentence(result)


def test_moving_the_step_trains_nothing_anew(panel):
    """A ratio in one run: reading at another step is far quicker than following another seed."""
    start = time.perf_counter()
    panel.set(seed=53, step=0.0)  # a seed that no other test follows
    training = time.perf_counter() - start
    start = time.perf_counter()
    for step in (100.0, 200.0, 300.0):
        panel.set(step=step)
    assert (time.perf_counter() - start) / 3 < training / 2
    panel.reset()
