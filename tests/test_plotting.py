"""Figures that describe themselves, and the pictures of lessons 00 and 01."""

import pytest
import torch
from matplotlib.figure import Figure

import seem_lab as sl
from seem_lab import plotting


@pytest.fixture(scope="module")
def walk():
    return sl.toy_walk(seed=4)


@pytest.fixture(scope="module")
def runs():
    def run(gamma):
        return sl.train(sl.mlp(4, seed=1004), sl.toy_walk(seed=4, gamma=gamma), steps=100)

    return {"wild": run(0.99), "tame": run(0.9)}


def test_a_figure_shows_its_picture_and_its_words(monkeypatch):
    figure = plotting.LessonFigure(2.0, 1.0)
    figure.alt = "A small & empty picture."
    shown = []
    monkeypatch.setattr("seem_lab.plotting.figure.display", lambda *what, **how: shown.append((what[0], how)))
    figure._ipython_display_()
    (picture, how), (words, _) = shown
    assert picture["image/png"].startswith(b"\x89PNG")
    assert how["metadata"]["image/png"] == {"alt": "A small & empty picture.", "width": 200}
    assert "A small &amp; empty picture." in words.data


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match=r"set figure\.alt"):
        plotting.LessonFigure()._ipython_display_()


def test_the_same_figure_gives_the_same_bytes(walk):
    assert plotting.walk_picture(walk).png() == plotting.walk_picture(walk).png()


def test_walk_picture(walk):
    figure = plotting.walk_picture(walk)
    assert isinstance(figure, Figure) and "63 steps" in figure.alt and "8 dashed arrows" in figure.alt


def test_q_through_training(runs):
    figure = plotting.q_through_training(runs)
    assert "wild: diverged" in figure.alt and "tame: finished 100 steps" in figure.alt
    curve = figure.axes[0].lines[0]
    assert curve.get_ydata().tolist() == runs["wild"].q_max.tolist()


def test_crash_steps(runs):
    figure = plotting.crash_steps({"both": list(runs.values())})
    step = runs["wild"].step[-1]
    assert f"both: 1 of 2 blow up, between step {step} and {step}" in figure.alt


def test_value_chases_target():
    figure = plotting.value_chases_target({"away": ((1.0, 2.0), (1.5, 3.0)), "close": ((1.0, 0.5), (0.75, 0.375))})
    assert "the gap widens from 1.00 to 1.50" in figure.alt and "the gap narrows from 0.50 to 0.38" in figure.alt


def test_moves():
    figure = plotting.moves({"here": (torch.tensor([1.0, 2.0]), torch.tensor([1.5, 1.0]))})
    assert "rises more in 50% of the transitions, from -50 to +50 per cent" in figure.alt


def test_error_through_training(runs):
    figure = plotting.error_through_training(runs)
    assert "wild: from 1.8 to" in figure.alt
    factors = figure.axes[1].lines[0].get_ydata()
    u = runs["wild"].td_error_norm[runs["wild"].td_error_norm < 1e4]
    assert factors.tolist() == (u[1:] / u[:-1]).tolist()


def test_signed_errors():
    figure = plotting.signed_errors({"jumps": torch.tensor([1.0, -2.0, 4.0]), "runs": torch.tensor([1.0, 2.0, 4.0])})
    assert "changing its sign 2 times; runs: from 1.00 to 4.00 in 2 steps, changing its sign 0 times" in figure.alt
