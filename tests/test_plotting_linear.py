"""The pictures of lesson 02: their words follow their numbers."""

import numpy as np
import pytest
import torch

import seem_lab as sl
from seem_lab import plotting


@pytest.fixture(scope="module")
def run():
    return sl.train(sl.linear_q(8, weight=sl.baird_weights()), sl.baird_star(), lr=0.05, steps=300)


def test_star_picture():
    figure = plotting.star_picture(sl.baird_star(), sl.baird_weights())
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in texts if text.isdigit()] == list("1234567")
    assert "$2w_{3} + w_{8}$\nstart: 3" in texts and "$w_{7} + 2w_{8}$\nstart: 12" in texts
    arrows = [text.arrow_patch for text in figure.axes[0].texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 7, "one from each state"
    assert "values 2w_1 + w_8 to 2w_6 + w_8, each 3 at the start" in figure.alt
    assert "a square, the centre, with the value w_7 + 2w_8, 12 at the start" in figure.alt


def test_error_growth(run):
    figure = plotting.error_growth(run, "star")
    assert (
        "over 300 steps" in figure.alt and "star: it goes from 21.8" in figure.alt and "0% of the steps" in figure.alt
    )
    assert len(figure.axes[0].lines) == 1
    figure = plotting.error_growth(run, "star", (2 * run.td_error_norm[0], 0.0))
    assert "rises by 0 a step; the error stays between 0.50 and" in figure.alt
    assert np.ptp(figure.axes[0].lines[1].get_ydata()) == 0


def test_growth_per_step(run):
    figure = plotting.growth_per_step(run, 0.02364)
    measured, predicted = figure.axes[0].lines
    assert measured.get_ydata()[10] == pytest.approx(np.log(run.td_error_norm[11] / run.td_error_norm[10]))
    assert list(predicted.get_ydata()) == [0.02364, 0.02364]
    assert "starts at 0.02595" in figure.alt and "from step 103 on" in figure.alt


def test_shared_spectrum_counts_the_zeros():
    figure = plotting.shared_spectrum({"here": (torch.tensor([1.0, 0.0, 1e-15]), torch.tensor([1.0])), "b": ([1], [1])})
    assert (
        "here: 3 rings at 2 places, 1 crosses" in figure.alt and "2 eigenvalues of A and 0 of K are zero" in figure.alt
    )
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [["2x"], []]


def test_stability_circle_marks_what_lies_outside():
    figure = plotting.stability_circle([-3 + 1j, -3 - 1j, -1, 0.1], [0.1, 1.0])
    assert "eps 0.1, radius 10: 1 of 4 lie outside" in figure.alt
    assert "eps 1, radius 1: 3 of 4 lie outside" in figure.alt
    (circle,) = figure.axes[1].patches
    assert circle.center == (-1, 0) and circle.radius == 1
    shrinking, growing = figure.axes[1].lines[:2]
    assert list(shrinking.get_xdata()) == [-1] and list(growing.get_xdata()) == [-3, -3, 0.1]


def test_pair_path_finds_the_crossing_and_the_meeting():
    gamma = np.linspace(0.0, 1.0, 101)
    pairs = np.stack([gamma - 0.51 + 1j * (0.8 - gamma).clip(0), gamma - 0.51 - 1j * (0.8 - gamma).clip(0)], axis=1)
    figure = plotting.pair_path(gamma, pairs, {0.5: pairs[50]})
    assert "near gamma 0.510, 0.29 above and below" in figure.alt
    assert "Near gamma 0.800 the two meet" in figure.alt
    assert [text.get_text() for text in figure.axes[0].texts] == [r"$\gamma$ = 0.5"]


def test_error_plane_counts_turns():
    angle = np.linspace(0, 3 * np.pi, 100)
    figure = plotting.error_plane({"round": np.stack([np.cos(angle), np.sin(angle)], axis=1), "out": [(1, 1), (3, 3)]})
    assert "round: in 99 steps and 1.5 turns the length goes from 1 to 1" in figure.alt
    assert "out: in 1 steps and 0.0 turns the length goes from 1.41 to 4.24" in figure.alt
    assert all(axes.get_aspect() == 1 for axes in figure.axes), "a spiral is seen only on equal scales"


def test_sign_and_growth():
    figure = plotting.sign_and_growth([0.1, 1.0, 10.0], {"grow": [0.0, 0.25, 1.0], "flat": [0.5] * 3})
    assert "flat: 50.0 % at learning rate 0.1, the same everywhere, 50.0 % at 10" in figure.alt
    assert "grow: 0.0 % at learning rate 0.1, the same up to 0.1, 100.0 % at 10, at most 100.0 %" in figure.alt
    assert list(figure.axes[0].lines[0].get_ydata()) == [0, 25, 100]


def test_transient_growth():
    figure = plotting.transient_growth([1, 2, 3], {"one": [1.0, 1.5, 0.5]}, {"worst": torch.tensor([3.0, 1.0, 2.0])})
    assert "over 3 steps" in figure.alt and "one: at most 1.50, 0.5 at the end" in figure.alt
    assert "worst: median 2.00, largest 3.00 of 3 problems" in figure.alt
    line = figure.axes[1].lines[0]
    assert list(line.get_xdata()) == [1, 2, 3] and line.get_ydata()[0] == 100


def test_seem_by_discount():
    figure = plotting.seem_by_discount([0.0, 0.5, 1.0], {"up": [-1.0, 0.5, 2.0], "down": [-1.0, -2.0, -3.0]})
    assert "up: positive from gamma 0.500, 2 at gamma 1.00" in figure.alt
    assert "down: never positive, -3 at gamma 1.00" in figure.alt
