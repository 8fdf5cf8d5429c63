"""Update maps against an independent route: the recursion itself, in the parameters, from every unit start.

The maps act on N coefficients a block. Here the same algorithms are written down in the P parameters, with random
features, as a textbook has them; the rate is that of their 2^24-th step, by repeated squaring, no eigenvalue taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch

from seem_lab import (
    FrozenKernels,
    KernelProducts,
    UpdateMap,
    adam_preconditioner,
    baird_star,
    clipped_double_q,
    double_q,
    frozen_kernels,
    linear_q,
    mean_square_growth,
    mlp,
    n_step,
    random_features,
    seem_matrix,
    spectral_radius,
    stability,
    stability_map,
    step_size,
    toy_walk,
    train,
)

CASES = 200
Array = np.ndarray
Case = tuple[Array, Array, Array, Array, float]  # Phi, Phi*, discount, K, eps


def draw(seed: int, features: int | None = None) -> Case:
    """Random features, as many parameters as transitions unless said, aligned more or less, near the boundary."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 8))
    phi = rng.standard_normal((n, features or n)) / math.sqrt(n)
    shift = rng.uniform(-0.6, 1.2)
    phi_next = shift * phi + rng.uniform(0.1, 1.0) * rng.standard_normal(phi.shape) / math.sqrt(n)
    discount = rng.uniform(0.5, 1.0) * (rng.random(n) > 0.1)
    preconditioner = np.exp(rng.uniform(-1, 1, phi.shape[1]))
    top = np.abs(np.linalg.eigvals((discount[:, None] * phi_next - phi) @ phi.T)).max()
    eps = np.exp(rng.uniform(math.log(0.02), math.log(2.5))) / top
    return phi, phi_next, discount, preconditioner, float(eps)


def kernels_of(case: Case, preconditioned: bool = False) -> FrozenKernels:
    phi, phi_next, discount, preconditioner, _ = case
    k = preconditioner if preconditioned else np.ones_like(preconditioner)
    here, there = (phi * k) @ phi.T, discount[:, None] * ((phi_next * k) @ phi.T)
    return FrozenKernels(torch.from_numpy(here), torch.from_numpy(there))


def rate(step: Callable[..., list[Array]], sizes: list[int], period: int = 1) -> float:
    """Growth per update of a linear recursion over a list of arrays: log ||M^(2^24)|| / 2^24, M from unit starts."""
    starts = np.split(np.eye(sum(sizes)), np.cumsum(sizes)[:-1])
    power, log_scale = np.concatenate(step(*starts)), 0.0
    for _ in range(24):
        size = np.linalg.norm(power)
        if size == 0:
            return -math.inf
        power, log_scale = power / size, log_scale + math.log(size)
        power, log_scale = power @ power, 2 * log_scale
    return (log_scale + math.log(np.linalg.norm(power) + 1e-300)) / 2**24 / period


def recursion(
    case: Case,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    adam: bool = False,
    decay: float = 0.0,
    decoupled: bool = False,
    tau: float = 1.0,
    period: int = 1,
) -> float:
    """The rate of the algorithm in its parameters w, momentum b, target v, as PyTorch does it."""
    phi, phi_next, discount, preconditioner, eps = case
    k = (preconditioner if adam else np.ones_like(preconditioner))[:, None]

    def step(w: Array, b: Array, v: Array) -> list[Array]:
        for _ in range(period):
            target = w if tau == 1 and period == 1 else v
            u = phi @ w - discount[:, None] * (phi_next @ target)
            gradient = phi.T @ u  # times eps, which is 2 lr / N
            if not decoupled:
                gradient = gradient + decay / eps * w
            b = momentum * b + ((1 - momentum) if adam else 1) * gradient
            move = gradient + momentum * b if nesterov else b
            w = (w * (1 - decay) if decoupled else w) - eps * k * move
        return [w, b, (1 - tau) * v + tau * w]

    return rate(step, [phi.shape[1]] * 3, period)


ALGORITHMS: dict[str, dict] = {
    "plain": {},
    "weight decay": {"decay": 0.02},
    "heavy ball": {"momentum": 0.9},
    "Nesterov": {"momentum": 0.9, "nesterov": True},
    "momentum and decay": {"momentum": 0.8, "decay": 0.01},
    "decoupled decay": {"momentum": 0.8, "decay": 0.01, "decoupled": True},
    "target tau .5": {"tau": 0.5},
    "target tau .05": {"tau": 0.05},
    "target every 3": {"tau": 0.3, "period": 3},
    "hard copy every 10": {"tau": 1.0, "period": 10},
    "heavy ball, target": {"momentum": 0.9, "tau": 0.1},
    "Nesterov, decay, hard copy": {"momentum": 0.7, "nesterov": True, "decay": 0.01, "period": 4},
    "Adam": {"adam": True, "momentum": 0.9},
    "Adam, target": {"adam": True, "momentum": 0.9, "tau": 0.1},
    "AdamW, target": {"adam": True, "momentum": 0.9, "tau": 0.1, "decay": 0.01, "decoupled": True},
}


def map_of(case: Case, adam: bool = False, **settings: float) -> UpdateMap:
    dampening = settings.get("momentum", 0.0) if adam else 0.0
    return UpdateMap(kernels_of(case, adam), eps=case[-1], dampening=dampening, **settings)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_rate_and_verdict_are_those_of_the_recursion(name: str) -> None:
    settings, complex_modes, unstable, agree = ALGORITHMS[name], 0, 0, 0
    for seed in range(CASES):
        case = draw(seed)
        found = stability(map_of(case, **settings))
        measured = recursion(case, **settings)
        assert found.growth == pytest.approx(measured, abs=1e-4)
        assert found.residual < 1e-10
        agree += (found.verdict != "stable") == (measured > 0)
        complex_modes += abs(found.multipliers[0].imag.item()) > 1e-6
        unstable += measured > 0
    assert agree >= 0.98 * CASES
    assert complex_modes > 20
    assert 0.15 * CASES < unstable < 0.95 * CASES


@pytest.mark.parametrize("features", [2, 12])
def test_with_fewer_or_more_parameters_than_transitions_only_neutral_modes_are_added(features: int) -> None:
    for seed in range(60):
        case = draw(seed, features)
        for settings in ({}, {"tau": 0.1, "momentum": 0.5}):
            measured = recursion(case, **settings)
            assert max(stability(map_of(case, **settings)).growth, 0) == pytest.approx(max(measured, 0), abs=1e-4)


def test_double_q_learning_is_the_recursion_of_two_networks() -> None:
    agree = 0
    for seed in range(CASES):
        phi1, next1, discount, _, eps = one = draw(seed)
        rng = np.random.default_rng(seed + 9999)
        phi2, next2 = phi1 + 0.3 * rng.standard_normal(phi1.shape), next1 + 0.3 * rng.standard_normal(phi1.shape)
        lower = rng.random(len(phi1)) < 0.5
        for clipped, tau in itertools.product((False, True), (1.0, 0.1)):

            def step(w1: Array, w2: Array, v1: Array, v2: Array, clipped: bool = clipped, tau: float = tau) -> list:
                value1, value2 = next1 @ v1, next2 @ v2
                low = np.where(lower[:, None], value1, value2)
                targets = (low, low) if clipped else (value2, value1)
                u1 = phi1 @ w1 - discount[:, None] * targets[0]
                u2 = phi2 @ w2 - discount[:, None] * targets[1]
                w1, w2 = w1 - eps * phi1.T @ u1, w2 - eps * phi2.T @ u2
                return [w1, w2, (1 - tau) * v1 + tau * w1, (1 - tau) * v2 + tau * w2]

            def plain(w1: Array, w2: Array, step: Callable = step) -> list:
                return step(w1, w2, w1, w2)[:2]

            pair = kernels_of(one), kernels_of((phi2, next2, discount, one[3], eps))
            both = clipped_double_q(*pair, torch.from_numpy(lower)) if clipped else double_q(*pair)
            measured = rate(plain, [phi1.shape[1]] * 2) if tau == 1 else rate(step, [phi1.shape[1]] * 4)
            found = stability(UpdateMap(both, eps=eps, tau=tau))
            assert found.growth == pytest.approx(measured, abs=1e-4)
            agree += (found.verdict != "stable") == (measured > 0)
    assert agree >= 0.98 * 4 * CASES


def test_the_mean_square_under_minibatches_is_the_average_over_all_of_them() -> None:
    agree = 0
    for seed in range(CASES):
        phi, phi_next, discount, _, eps = case = draw(seed)
        n, p = phi.shape
        batch = 1 + seed % (n - 1)
        settings = ({}, {"tau": 0.3}, {"momentum": 0.5}, {"tau": 0.5, "period": 2})[seed % 4]
        momentum, tau, period = (
            settings.get(name, value) for name, value in (("momentum", 0), ("tau", 1), ("period", 1))
        )
        steps = []
        for rows in itertools.combinations(range(n), batch):
            chosen = np.isin(np.arange(n), rows)[:, None] * n / batch
            w, b, v = np.split(np.eye(3 * p), 3)
            target = w if tau == 1 and period == 1 else v
            b = momentum * b + phi.T @ (chosen * (phi @ w - discount[:, None] * (phi_next @ target)))
            steps.append(np.concatenate([w - eps * b, b, v]))
        w, b, v = np.split(np.eye(3 * p), 3)
        follow = np.concatenate([w, b, (1 - tau) * v + tau * w])
        moments, log_size = np.eye(3 * p), []
        for _ in range(4000 // period):
            for _ in range(period):
                moments = sum(m @ moments @ m.T for m in steps) / len(steps)
            moments = follow @ moments @ follow.T
            size = np.trace(moments)
            moments, log_size = moments / size, [*log_size, math.log(size)]
            if len(log_size) > 200 and np.ptp(log_size[-50:]) < 1e-8:
                break
        measured = np.mean(log_size[-50:]) / 2 / period
        found = mean_square_growth(UpdateMap(kernels_of(case), eps=eps, **settings), batch)
        agree += (found > 0) == (measured > 0)
        assert found == pytest.approx(measured, abs=1e-4)
    assert agree >= 0.98 * CASES
