"""Stacked runs against single ones, what leaves the batch, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from seem_lab import Problem, mlp, random_features, seem_matrix, toy_walk, train
from seem_lab.stacked_training import train_stacked
from seem_lab.training import COLUMNS

SHAPES = [
    dict(hidden=(64,)),
    dict(hidden=(64,), bias=False),
    dict(hidden=(32, 16)),
    dict(hidden=(16,), layer_norm=True),
    dict(hidden=(16, 8, 8), layer_norm=True, bias=False),
    dict(hidden=(16,), layer_norm=True, affine=False),
    dict(hidden=(16, 8), layer_norm=(False, True)),
    dict(hidden=()),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_stacked_runs_are_the_single_ones(shape: dict) -> None:
    """To 1e-9 over 50 steps, parameters included; SEEM to 1e-9 of the size of its matrix."""
    seeds, rates = range(4), [0.02, 0.01, 0.03, 0.02]
    problems = [toy_walk(seed, gamma=0.9 + 0.03 * seed) for seed in seeds]
    networks = [mlp(4, seed=1000 + seed, **shape) for seed in seeds]
    stacked = train_stacked(networks, problems, lr=rates, steps=50, seem_at=range(0, 51, 10))
    for seed in seeds:
        alone = mlp(4, seed=1000 + seed, **shape)
        start = seem_matrix(alone, *problems[seed].bootstrap(alone))
        run = train(alone, problems[seed], lr=rates[seed], steps=50, seem_every=10)
        for name in COLUMNS:
            size = start.norm().item() if name in ("seem", "frequency") else 0
            np.testing.assert_allclose(
                getattr(stacked[seed], name), getattr(run, name), rtol=1e-9, atol=1e-9 * size, err_msg=name
            )
        for ours, theirs in zip(networks[seed].parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
        assert (stacked[seed].lr, stacked[seed].n, stacked[seed].stop_reason) == (run.lr, run.n, run.stop_reason)


def test_a_run_that_blows_up_leaves_and_the_others_go_on() -> None:
    """One passes the limit, one overflows before it is seen to, one goes on."""
    rates = [0.02, 1e200, 0.02]
    problems = [toy_walk(4), toy_walk(1, gamma=0.9), toy_walk(2, gamma=0.9)]
    networks = [mlp(4, seed=1000 + seed) for seed in (4, 1, 2)]
    runs = train_stacked(networks, problems, lr=rates, steps=100, seem_at=(0, 80, 100))
    assert [run.stop_reason for run in runs] == ["q_limit", "non-finite", "finished"]
    for run, network, problem, seed, rate in zip(runs, networks, problems, (4, 1, 2), rates, strict=True):
        alone = mlp(4, seed=1000 + seed)
        single = train(alone, problem, lr=rate, steps=100)
        assert run.stop_reason == single.stop_reason
        assert run.step.tolist() == single.step.tolist()
        np.testing.assert_allclose(run.q_max, single.q_max, rtol=1e-6)
        torch.testing.assert_close(
            nn.utils.parameters_to_vector(network.parameters()),
            nn.utils.parameters_to_vector(alone.parameters()),
            rtol=1e-6,
            atol=1e-9,
        )
    assert np.isfinite(runs[2].seem[[0, 80, 100]]).all() and np.isnan(runs[2].seem[1])


def test_a_kernel_that_overflows_gives_nan_and_stops_nobody() -> None:
    """Inputs of 1e160 under weights of 1e-160: Q is as ever, but x . x is infinite."""
    calm = random_features(6, 5, gamma=0.8)
    wild = Problem(
        "wild", replace(calm.transitions, state=1e160 * calm.x, next_state=1e160 * calm.x), calm.next_actions, 0.8
    )
    networks = [mlp(5, (8,), seed=1), mlp(5, (8,), seed=1)]
    with torch.no_grad():
        networks[1][0].weight.mul_(1e-160)
    runs = train_stacked(networks, [calm, wild], steps=0, seem_at=(0,))
    assert runs[1].q_max[0] < 10
    assert np.isfinite(runs[0].seem[0])
    assert np.isnan(runs[1].seem[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(networks=[]), "at least one"),
        (dict(problems=[toy_walk(0)]), "2 networks, 1 problems"),
        (dict(lr=[0.1, 0.1, 0.1]), "one positive rate or 2"),
        (dict(lr=0.0), "positive"),
        (dict(steps=-1), "negative"),
        (dict(networks=[mlp(4), mlp(4, (32,))]), "differ in shape"),
        (dict(problems=[toy_walk(0), toy_walk(0, points=10)]), "differ in shape"),
        (dict(networks=[nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)) for _ in range(2)]), "use train"),
        (dict(networks=[nn.Tanh(), nn.Tanh()]), "use train"),
    ],
)
def test_what_cannot_be_stacked_is_refused(change: dict, message: str) -> None:
    given = dict(networks=[mlp(4, seed=0), mlp(4, seed=1)], problems=[toy_walk(0), toy_walk(1)]) | change
    with pytest.raises(ValueError, match=message):
        train_stacked(given.pop("networks"), given.pop("problems"), **given)


def test_a_start_that_is_not_finite_is_refused() -> None:
    broken = mlp(4, seed=0)
    with torch.no_grad():
        next(broken.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="before the first step"):
        train_stacked([broken, mlp(4, seed=1)], [toy_walk(0), toy_walk(1)])


def test_other_problems_stack_as_well() -> None:
    problems = [random_features(6, 5, gamma=0.8, seed=seed) for seed in range(2)]
    runs = train_stacked([mlp(5, (8,), seed=seed) for seed in range(2)], problems, steps=20)
    single = train(mlp(5, (8,), seed=1), problems[1], steps=20)
    np.testing.assert_allclose(runs[1].td_error_norm, single.td_error_norm, rtol=1e-10)
