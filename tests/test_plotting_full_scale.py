"""The pictures of lesson 10 draw what they are given and say it."""

import math

import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from seem_lab import plotting
from seem_lab.evidence import Estimate
from seem_lab.plotting.figure import BLUE, ORANGE


@pytest.fixture
def runs() -> pd.DataFrame:
    columns = {"layer_norm": [True, False], "crossed_at": [math.nan, 20.0], "q_limit": [10.0, 10.0]}
    return pd.DataFrame(columns | {"q_max": [2.0, 50.0], "score": [1.0, 0.25], "name": ["TD3", "TD3"]})


@pytest.fixture
def readings() -> pd.DataFrame:
    one = {"step": [0, 10, 20], "q_max": [math.nan, 1.0, 2.0], "seem_per_parameter": [0.1, -1.0, math.nan]}
    two = {"step": [0, 10, 20], "q_max": [math.nan, 5.0, 50.0], "seem_per_parameter": [0.1, 1.0, 10.0]}
    return pd.concat([pd.DataFrame({"run": 0, **one}), pd.DataFrame({"run": 1, **two})])


def test_q_and_seem_stand_side_by_side(readings):
    labels = {"calm": readings[readings.run == 0], "wild": readings[readings.run == 1]}
    figure = plotting.q_and_seem(labels, q_limit=10.0)
    left, right = figure.axes
    assert list(left.lines[1].get_ydata())[1:] == [5.0, 50.0]
    assert list(left.lines[2].get_ydata()) == [10.0, 10.0]  # the limit
    assert list(right.lines[0].get_ydata()) == [0.1, 1e-4]  # negative at the edge, missing left out
    assert (
        "calm: largest |Q| 2, SEEM over P at the end -1; wild: largest |Q| 50, SEEM over P at the end 10" in figure.alt
    )


def test_recorded_traces_are_relative_to_the_limit(runs, readings):
    figure = plotting.recorded_traces({"Hopper": runs, "again": runs}, readings)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["Hopper", "again"]
    normed, plain, limit = shown[1].lines
    assert list(plain.get_ydata())[1:] == [0.5, 5.0] and list(limit.get_ydata()) == [1, 1]
    assert to_rgba(normed.get_color()) == to_rgba(BLUE) and to_rgba(plain.get_color()) == to_rgba(ORANGE)
    assert normed.get_linestyle() == "-" and plain.get_linestyle() == "--"
    assert "Hopper, plain: 1 of 1 pass the limit; Hopper, LayerNorm: 0 of 1 pass the limit" in figure.alt


def test_scores_have_a_bar_and_a_mark_a_method():
    rows = {
        "easy": {"LayerNorm": Estimate(0.9, 0.7, 1.0), "plain": Estimate(0.0, 0.0, 0.1)},
        "hard": {"LayerNorm": Estimate(0.5, 0.2, 0.8)},
    }
    figure = plotting.scores_by_setting(rows)
    (axes,) = figure.axes
    bars = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert bars == [[0.7, 1.0], [0.0, 0.1], [0.2, 0.8]]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["easy", "hard"]
    assert (
        "easy: LayerNorm 0.90 [0.70, 1.00], plain 0.00 [0.00, 0.10]; hard: LayerNorm 0.50 [0.20, 0.80]." in figure.alt
    )


def test_with_and_without_has_a_mark_a_seed(runs):
    figure = plotting.with_and_without(runs, score="success")
    left, right = figure.axes
    assert [list(line.get_xdata()) for line in left.lines[:2]] == [[0.2], [5.0]]
    assert [list(line.get_xdata()) for line in right.lines[:2]] == [[1.0], [0.25]]
    assert "TD3 with: 0 of 1 pass, mean score 1; TD3 without: 1 of 1 pass, mean score 0.25" in figure.alt


def test_alarm_rates_show_both_shares_of_both_groups():
    caught, false = Estimate(0.95, 0.8, 1.0), Estimate(0.2, 0.1, 0.4)
    figure = plotting.alarm_rates({"a rule": {"set": (caught, false), "judged": (false, caught)}})
    left, right = figure.axes
    marks = [list(line.get_xdata()) for line in left.lines if len(line.get_xdata()) == 1]
    assert marks == [[0.95], [0.2]]
    assert [list(line.get_xdata()) for line in right.lines if len(line.get_xdata()) == 1] == [[0.2], [0.95]]
    assert "a rule, set: caught 0.95 [0.80, 1.00], false alarms 0.20 [0.10, 0.40]" in figure.alt
