"""The pictures of lesson 05's forecasts: their words follow their numbers."""

import numpy as np
import pytest

import seem_lab as sl
from seem_lab import plotting
from seem_lab.forecast import Forecast
from seem_lab.training import COLUMNS


def test_forecast_errors():
    figure = plotting.forecast_errors(
        {"two": {"line": [-0.5, 0.1, 0.2], "map": [0.0, 0.0, 3.0]}, "one": {"line": [0.3], "map": [0.1]}}
    )
    assert "two: line median 20%" in figure.alt and "one: line median 30%" in figure.alt
    x, y = figure.axes[0].lines[0].get_data()
    assert list(x[:4]) == pytest.approx([0, 10, 20, 50]) and y[2] == pytest.approx(200 / 3)
    assert len(figure.axes) == 2


def test_forecast_intervals_count_the_misses():
    figure = plotting.forecast_intervals({"runs": ([-1, 1, -3], [1, 2, 0]), "more": ([0], [0]), "far": ([90], [99])})
    assert "runs: 2 of 3 intervals hold it, median width 2" in figure.alt
    assert "more: 1 of 1" in figure.alt and "far: 0 of 1" in figure.alt
    crosses = figure.axes[0].lines[0]
    assert list(crosses.get_ydata()) == [1]
    single = figure.axes[1].lines[1]
    assert single.get_marker() == "_" and list(single.get_ydata()) == [0]
    low, high = figure.axes[2].get_ylim()
    (far,) = figure.axes[2].lines[0].get_ydata()
    assert low < far < high


def test_errors_by_start():
    figure = plotting.errors_by_start({"runs": {"map": {3: [0.1, -0.2, 0.3], 10: [0.0, 0.0, 0.1]}}})
    assert "runs: medians at 3 times, 10 times: map 20 %, 0 %" in figure.alt


def test_errors_and_switches():
    figure = plotting.errors_and_switches([0, 0, 63], [0.0, -0.1, -0.4])
    assert "2 runs without a change: at most 10 %" in figure.alt
    assert "1 runs with changes: median 40 %, at most 40 %" in figure.alt


def test_false_alarm_leaves_out_what_came_after_the_peak():
    step = np.arange(6)
    size, empty = np.array([1.0, 2.0, 4.0, 8.0, 4.0, 2.0]), np.full(6, np.nan)
    eigenvalue = {
        "seem": np.array([1.0, 2.0, 9.0, 0.5, 0.4, 0.3]),
        "frequency": np.array([0.0, 1.0, 4.0, 1.0, 0.0, 0.0]),
    }
    columns = dict.fromkeys(COLUMNS, empty) | {"step": step, "td_error_norm": size, "q_max": size} | eigenvalue
    run = sl.History(**columns, lr=0.02, n=63, q_limit=1e6, stop_reason="finished")
    made = [Forecast(i, 10.0 - i, 9.0, 8, 14 - i) for i in range(6)]
    figure = plotting.false_alarm(run, [Forecast(0, None, None), *made])
    assert "8.0 times its minimum at step 3" in figure.alt and "4 forecasts made on the way up" in figure.alt
    assert "SEEM is highest, 9, at step 2, with imaginary part 4; at step 3 it is 0.5" in figure.alt
    assert "At step 3 the interval of the crash was 8 to 11" in figure.alt and "alive at step 5" in figure.alt
