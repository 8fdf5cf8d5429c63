"""The monitor's picture, and that a live one is renewed in place."""

from __future__ import annotations

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from seem_lab import SeemMonitor, mlp, toy_walk
from seem_lab.plotting.readings import live_readings, seem_readings


def monitor(**settings: object) -> tuple[SeemMonitor, torch.Tensor]:
    walk = toy_walk(0)
    network = mlp(walk.input_dim)
    return SeemMonitor(network, walk.x, walk.discount, every=1, threshold=1e9, **settings), walk.bootstrap(network)[1]


def test_the_picture_shows_the_readings_and_says_so() -> None:
    watch, x_next = monitor()
    for step in range(4):
        watch(step, x_next)
    figure = seem_readings(watch)
    left, right = figure.axes
    assert left.lines[0].get_xdata().tolist() == [0, 1, 2, 3]
    assert left.lines[0].get_ydata().tolist() == watch.columns()["normalised"].tolist()
    assert right.lines[0].get_ydata().tolist() == watch.columns()["q_max"].tolist()
    assert "4 readings up to step 3" in figure.alt
    assert "No alarm so far" in figure.alt


def test_without_readings_there_is_no_picture() -> None:
    with pytest.raises(ValueError, match="no readings yet; call it once a training step"):
        seem_readings(monitor()[0])


def test_a_live_picture_is_shown_once_and_then_renewed() -> None:
    watch, x_next = monitor(on_reading=live_readings)
    InteractiveShell.instance()  # as in a notebook
    try:
        with capture_output() as caught:
            for step in range(3):
                watch(step, x_next)
    finally:
        InteractiveShell.clear_instance()
    assert [output.update for output in caught.outputs] == [False, True, True]
    assert len({output.transient["display_id"] for output in caught.outputs}) == 1
    assert all(output.data["image/png"] for output in caught.outputs)
