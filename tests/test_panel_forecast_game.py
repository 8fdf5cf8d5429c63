"""The panel of lesson 05, beyond what tests/test_panels.py asks of every panel, and its stored runs."""

import hashlib
import math
import re
from pathlib import Path

import numpy as np
import pytest

import seem_lab as sl
from seem_lab.panels import ForecastGame
from seem_lab.panels.forecast_game import FILE

README = (Path(__file__).resolve().parent.parent / "data" / "README.md").read_text()


@pytest.fixture(scope="module")
def panel():
    return ForecastGame()


@pytest.fixture(scope="module")
def run():
    """The stored run of seed 3, trained again."""
    return sl.train(sl.mlp(4, seed=1003), sl.toy_walk(3), steps=300, seem_every=1, progress=False)


def test_file_is_the_one_described():
    line = re.search(r"^\| `forecast_game\.csv` \|.*$", README, re.MULTILINE)
    assert line and hashlib.sha256(FILE.read_bytes()).hexdigest() in line[0]
    assert FILE.stat().st_size < 300_000


def test_a_stored_run_can_be_made_again(panel, run):
    result = panel.compute(seed=3, depth=2, multiple=10.0, guess=1, reveal=False)
    start = sl.terminal_start(run.td_error_norm, 10.0)
    assert result.step == start and result.steps_left == run.step[-1] - start
    assert result.q_max == pytest.approx(run.q_max[-len(result.q_max) :], rel=1e-3)


def test_forecasts_are_those_of_the_library(panel, run):
    result = panel.compute(seed=3, depth=2, multiple=10.0, guess=1, reveal=False)
    made = sl.forecast_run(run, depth=2)[result.step]
    start = result.step
    half = np.flatnonzero(run.td_error_norm[: start + 1] <= run.td_error_norm[start] / 2)[-1]
    line = sl.fit_inverse_power(run.step[half : start + 1], run.td_error_norm[half : start + 1], 1.0).zero - start
    said = dict(result.forecasts())
    assert said["closed form"] == math.ceil(made.closed_form)
    assert said["discrete map"] == math.ceil(made.steps_left)
    assert result.line == pytest.approx(line, rel=1e-2)
    assert (result.forecast.low, result.forecast.high) == (made.low, made.high)


def test_nothing_of_what_came_is_shown_before_reveal(panel):
    panel.reset()
    hidden = panel._artists
    assert "Tick reveal" in panel.text and "crashed" not in panel.text
    for curve in hidden.future:
        assert len(curve.get_xdata()) == 0
    for curve in hidden.past:
        assert max(curve.get_xdata()) == 0
    assert [name for name, mark in hidden.marks.items() if len(mark.get_xdata())] == ["your guess"]
    before = panel.compute(**panel.parameters).reach
    for seed in (1, 2):  # nor does the width of the view tell: it follows the guess and the past
        result = panel.compute(**panel.parameters | {"seed": seed, "guess": 150})
        assert result.reach == 160 >= before


def test_revealed_marks_stand_at_their_steps(panel):
    panel.reset()
    panel.set(reveal=True, guess=12)
    result = panel.compute(**panel.parameters)
    at = {name: float(mark.get_xdata()[0]) for name, mark in panel._artists.marks.items()}
    assert at == {"your guess": 12, "crash": result.steps_left} | dict(result.forecasts())
    assert f"It crashed {result.steps_left} steps later" in panel.text
    panel.reset()


def test_the_score_counts_the_methods_beaten(panel):
    truth = panel.compute(**panel.parameters).steps_left
    panel.set(reveal=True, guess=truth)
    assert "you +0 steps, 0%" in panel.text and "You beat 2 of 3" in panel.text  # the map is right to the step, too
    panel.set(guess=truth + 100)
    assert "You beat 0 of 3" in panel.text
    panel.reset()


def test_no_forecast_before_twice_the_minimum(panel):
    panel.set(reveal=True, multiple=1.5)
    assert "No method forecasts anything here" in panel.text
    panel.reset()
