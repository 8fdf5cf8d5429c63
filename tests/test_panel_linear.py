"""Explorer of lesson 02: what it shows agrees with the library. (What every explorer must do: test_panels.py.)"""

import numpy as np
import pytest
import torch

import seem_lab as sl
from seem_lab.panels.linear import RANDOM, STAR, Linear


@pytest.fixture(scope="module")
def panel():
    return Linear()


def at(panel, **parameters):
    panel.reset()
    panel.set(**parameters)
    return panel.compute(**panel.parameters)


def test_star_agrees_with_the_library(panel):
    result = at(panel)
    network = sl.linear_q(8, weight=sl.baird_weights())
    assert result.seem == pytest.approx(sl.seem(network, *sl.baird_star().bootstrap(network)).value, abs=1e-12)
    run = sl.train(network, sl.baird_star(), lr=0.01, steps=3000, progress=False)
    assert result.crash == run.step[-1]  # the nudge sits in modes that shrink
    assert result.crash_predicted == pytest.approx(result.crash, abs=1)
    assert result.u_norm[1000:] == pytest.approx(run.td_error_norm[1000:], rel=1e-6)


def test_random_features_agree_with_the_library(panel):
    result = at(panel, problem=RANDOM, alignment=0.5, draw=3, gamma=0.95)
    problem = sl.random_features(alignment=0.5, gamma=0.95, seed=3)
    network = sl.linear_q(problem.input_dim)
    eigenvalues = torch.linalg.eigvals(sl.seem_matrix(network, *problem.bootstrap(network))).numpy()
    assert np.sort_complex(result.eigenvalues.round(9)) == pytest.approx(
        np.sort_complex(eigenvalues.round(9)), abs=1e-8
    )


@pytest.mark.parametrize("alignment", [0.0, 0.9])
def test_end_of_the_run_follows_the_fastest_mode(panel, alignment):
    result = at(panel, problem=RANDOM, alignment=alignment, lr=1.0)
    height, rate = result.asymptote
    steps = len(result.u_norm) - 1
    if result.crash is None:
        steps = min(steps, result.horizon)  # before rounding takes over
    turn = 2 * np.pi / result.angle if result.angle else 1
    window = np.arange(int(steps - max(turn, 20)), steps)
    measured = np.sqrt(np.mean((result.u_norm[window] / np.exp(rate * window)) ** 2))
    assert measured == pytest.approx(height, rel=0.1)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"gamma": 0.99}, "positive, so it blows up at every learning rate"),
        ({"gamma": 0.88}, "negative, and every mode that moves shrinks"),
        ({"gamma": 0.88, "lr": 0.5}, "the step is too large; below learning rate 0.045 it shrinks"),
        ({"gamma": 0.9, "lr": 0.1}, "turning once in 138 steps"),
        ({"gamma": 0.99}, "|Q| passes 1e6 at step 2,009 (dotted), where ||u|| is 3.5e+05; by the fastest mode alone"),
        (
            {"gamma": 0.9},
            "|Q| will pass 1e6 only after the 5000 steps computed here: near step 23,140 by the fastest mode alone, "
            "averaged over a turn.",
        ),
        ({"gamma": 0.88}, "|Q| stays below 1e6 in the 5000 steps computed here."),
        ({"problem": RANDOM, "gamma": 1.0, "alignment": 1.0}, "nothing grows and nothing shrinks"),
    ],
)
def test_sentence(panel, parameters, words):
    before = panel.png
    at(panel, **parameters)
    assert words in panel.text
    assert panel.png != before


def test_the_largest_stable_learning_rate_is_the_edge(panel):
    edge = at(panel, gamma=0.88).largest_lr
    star = sl.baird_star(gamma=0.88)
    network = sl.linear_q(8)
    eigenvalues = torch.linalg.eigvals(sl.seem_matrix(network, *star.bootstrap(network)))
    for lr, grows in ((0.99 * edge, False), (1.01 * edge, True)):
        assert bool((1 + sl.step_size(lr, 7) * eigenvalues).abs().max() > 1) is grows
    beyond = at(panel, gamma=0.88, lr=0.5)
    factors = (1 + sl.step_size(0.5, 7) * eigenvalues).abs()
    assert f"{int((factors > 1 + 1e-9).sum())} of 7 modes grow (squares)" in panel.text
    assert beyond.grows.any() and not beyond.grows.all()
    assert at(panel, gamma=0.99).largest_lr == 0


def test_every_eigenvalue_is_in_view(panel):
    for problem in (STAR, RANDOM):
        for parameters in (
            {},
            {"centre": 3.0, "gamma": 1.0},
            {"alignment": -1.0},
            {"alignment": 0.95},
            {"centre": 0.0},
        ):
            values = at(panel, problem=problem, **parameters).eigenvalues
            low, high = panel._artists.left.get_xlim()
            bottom, top = panel._artists.left.get_ylim()
            assert low < values.real.min() and values.real.max() < high
            assert bottom < values.imag.min() and values.imag.max() < top


def test_what_does_not_belong_to_the_problem_cannot_be_moved(panel):
    def greyed(panel):
        return {name for name, control in panel._controls.items() if control.disabled}

    assert greyed(Linear()) == {"alignment", "draw"}
    panel.set(problem=RANDOM)
    assert greyed(panel) == {"leaf", "centre"}
    panel.set(problem=STAR)
    assert greyed(panel) == {"alignment", "draw"}
