"""Update maps against an independent route: the recursion itself, in the parameters, from every unit start.

The maps act on N coefficients a block. Here the same algorithms are written down in the P parameters, with random
features, as a textbook has them; the rate is that of their 2^24-th step, by repeated squaring, no eigenvalue taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from seem_lab import (
    FrozenKernels,
    UpdateMap,
    clipped_double_q,
    double_q,
    spectral_radius,
    stability,
)

CASES = 200
Array = np.ndarray
Case = tuple[Array, Array, Array, Array, float]  # Phi, Phi*, discount, K, eps


def draw(seed: int, features: int | None = None, most: int = 7) -> Case:
    """Random features, as many parameters as transitions unless said, aligned more or less, near the boundary."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, most + 1))
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
        assert found.residual < 1e-10 * max(1, found.spectral_radius)
        agree += (found.verdict != "stable") == (measured > 0)
        complex_modes += abs(found.multipliers[0].imag.item()) > 1e-6
        unstable += measured > 0
    assert agree >= 0.98 * CASES
    assert complex_modes > 20
    assert 20 < unstable < CASES - 20


@pytest.mark.parametrize("features", [2, 12])
def test_with_fewer_or_more_parameters_than_transitions_only_neutral_modes_are_added(features: int) -> None:
    for seed in range(60):
        case = draw(seed, features)
        for settings in ({}, {"tau": 0.1, "momentum": 0.5}):
            measured = recursion(case, **settings)
            assert max(stability(map_of(case, **settings)).growth, 0) == pytest.approx(max(measured, 0), abs=1e-4)


def two_networks(first: Case, second: Case, lower: Array | None, tau: float) -> float:
    """The rate of double Q-learning in the parameters of both; clipped where `lower` says who is the lower one."""
    phi1, next1, discount, _, eps = first
    phi2, next2 = second[:2]

    def step(w1: Array, w2: Array, v1: Array, v2: Array) -> list[Array]:
        value1, value2 = next1 @ v1, next2 @ v2
        low = value1 if lower is None else np.where(lower[:, None], value1, value2)
        target1, target2 = (value2, value1) if lower is None else (low, low)
        w1 = w1 - eps * phi1.T @ (phi1 @ w1 - discount[:, None] * target1)
        w2 = w2 - eps * phi2.T @ (phi2 @ w2 - discount[:, None] * target2)
        return [w1, w2, (1 - tau) * v1 + tau * w1, (1 - tau) * v2 + tau * w2]

    p = phi1.shape[1]
    return rate((lambda w1, w2: step(w1, w2, w1, w2)[:2]), [p, p]) if tau == 1 else rate(step, [p] * 4)


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("tau", [1.0, 0.1])
def test_double_q_learning_is_the_recursion_of_two_networks(clipped: bool, tau: float) -> None:
    agree = 0
    for seed in range(CASES):
        one, rng = draw(seed), np.random.default_rng(seed + 9999)
        noise = 0.3 * rng.standard_normal((2, *one[0].shape))
        other = (one[0] + noise[0], one[1] + noise[1], *one[2:])
        lower = rng.random(len(one[0])) < 0.5
        pair = kernels_of(one), kernels_of(other)
        both = clipped_double_q(*pair, torch.from_numpy(lower)) if clipped else double_q(*pair)
        measured = two_networks(one, other, lower if clipped else None, tau)
        found = stability(UpdateMap(both, eps=one[-1], tau=tau))
        assert found.growth == pytest.approx(measured, abs=1e-4)
        agree += (found.verdict != "stable") == (measured > 0)
    assert agree >= 0.98 * CASES


def average_moments(case: Case, batch: int, momentum: float, tau: float, period: int) -> float:
    """Growth per update of the mean square, from the average of M x M over every batch there is."""
    phi, phi_next, discount, _, eps = case
    n, p = phi.shape
    plain = tau == 1 and period == 1
    w, b, v = np.split(np.eye(3 * p), 3)
    kept = np.r_[0:p, p : 2 * p] if momentum else np.r_[0:p]
    kept = kept if plain else np.r_[kept, 2 * p : 3 * p]
    inside = np.ix_(kept, kept)
    average = 0
    for rows in itertools.combinations(range(n), batch):
        chosen = np.isin(np.arange(n), rows)[:, None] * n / batch
        u = phi @ w - discount[:, None] * (phi_next @ (w if plain else v))
        pushed = momentum * b + phi.T @ (chosen * u)
        step = np.concatenate([w - eps * pushed, pushed, v])[inside]
        average = average + np.kron(step, step) / math.comb(n, batch)
    follow = np.concatenate([w, b, (1 - tau) * v + tau * w])[inside]
    cycle = np.kron(follow, follow) @ np.linalg.matrix_power(average, period)
    return rate(lambda z: [cycle @ z], [len(cycle)], period) / 2


def test_the_mean_square_under_minibatches_is_the_average_over_all_of_them() -> None:
    agree, noise_decides = 0, 0
    for seed in range(CASES):
        case = draw(seed, most=4)
        batch = 1 + seed % (len(case[0]) - 1)
        settings: dict = ({}, {"tau": 0.3}, {"momentum": 0.5}, {"tau": 0.5, "period": 2})[seed // 3 % 4]
        measured = average_moments(case, batch, **({"momentum": 0.0, "tau": 1.0, "period": 1} | settings))
        found = stability(UpdateMap(kernels_of(case), eps=case[-1], **settings), batch=batch)
        assert found.mean_square_growth == pytest.approx(measured, abs=1e-4)
        agree += (found.verdict != "stable") == (measured > 0)
        noise_decides += found.verdict == "minibatch noise"
    assert agree >= 0.98 * CASES
    assert noise_decides > 10


# Limits


@pytest.mark.parametrize("seed", range(20))
def test_limits_of_the_maps(seed: int) -> None:
    case = draw(seed)
    kernels, eps, n = kernels_of(case), case[-1], len(case[0])
    a = kernels.there - kernels.here
    eye = torch.eye(n, dtype=torch.float64)
    torch.testing.assert_close(UpdateMap(kernels, eps=eps, tau=1.0).matrix(), eye + eps * a)
    torch.testing.assert_close(
        UpdateMap(kernels, eps=eps, momentum=0.0).matrix(), UpdateMap(kernels, eps=eps).matrix(), rtol=0, atol=0
    )
    small = UpdateMap(kernels, eps=eps, momentum=1e-12)
    assert spectral_radius(small) == pytest.approx(spectral_radius(UpdateMap(kernels, eps=eps)), abs=1e-9)
    for tau in (1e-3, 0.3, 0.999):
        m = UpdateMap(kernels, eps=eps, tau=tau).matrix()
        determinant = torch.linalg.det(torch.eye(2 * n, dtype=torch.float64) - m)
        assert determinant.item() == pytest.approx(
            ((tau * eps) ** n * torch.linalg.det(-a)).item(), rel=1e-6, abs=1e-30
        )
    almost = UpdateMap(kernels, eps=eps, tau=1 - 1e-12)
    assert spectral_radius(almost) == pytest.approx(spectral_radius(UpdateMap(kernels, eps=eps)), abs=1e-6)


def calm(seed: int) -> tuple[FrozenKernels, float, np.ndarray]:
    """Kernels, a step below the edge of stability of G, and the eigenvalues of fitted Q iteration G^-1 D G*."""
    kernels = kernels_of(draw(seed))
    here = kernels.here + 0.3 * torch.eye(kernels.n, dtype=torch.float64)  # well conditioned
    kernels = FrozenKernels(here, kernels.there)
    iteration = np.linalg.eigvals(torch.linalg.solve(here, kernels.there).numpy())
    return kernels, 1 / torch.linalg.eigvalsh(here).max().item(), iteration


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_target_gives_fitted_q_iteration_in_small_steps(seed: int) -> None:
    kernels, eps, iteration = calm(seed)
    tau = 1e-5
    growth = stability(UpdateMap(kernels, eps=eps, tau=tau)).growth
    assert growth / tau == pytest.approx(iteration.real.max() - 1, abs=0.01 * (1 + np.abs(iteration).max() ** 2))


@pytest.mark.parametrize("seed", range(20))
def test_rare_copies_give_fitted_q_iteration_in_whole_steps(seed: int) -> None:
    kernels, eps, iteration = calm(seed)
    assert spectral_radius(UpdateMap(kernels, eps=eps, period=2000)) == pytest.approx(np.abs(iteration).max(), rel=1e-4)


def test_an_odd_number_of_positive_eigenvalues_means_instability_for_every_tau() -> None:
    seen = 0
    for seed in range(CASES):
        case = draw(seed)
        kernels = kernels_of(case)
        values = np.linalg.eigvals((kernels.there - kernels.here).numpy())
        if np.sum((np.abs(values.imag) < 1e-9) & (values.real > 1e-6)) % 2 == 1:
            seen += 1
            for tau in (1.0, 0.3, 0.03):
                assert spectral_radius(UpdateMap(kernels, eps=case[-1], tau=tau)) > 1
    assert seen > 20


# The reason for an instability


def test_without_a_target_the_reason_is_the_sign_of_the_eigenvalue_and_a_smaller_step_cures_only_one() -> None:
    reasons = {"self-excitation": 0, "step-size instability": 0}
    for seed in range(CASES):
        case = draw(seed)
        for settings in ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}):
            found = stability(map_of(case, **settings))
            if found.verdict == "stable":
                continue
            reasons[found.verdict] += 1
            mode = found.modes[: len(case[0]), 0]
            a = kernels_of(case).there - kernels_of(case).here
            image = a.to(mode.dtype) @ mode
            value = (torch.linalg.vecdot(mode, image) / torch.linalg.vecdot(mode, mode)).item()
            assert torch.allclose(image, value * mode, atol=1e-5)  # the mode is one of A, whatever the optimiser
            assert (found.verdict == "self-excitation") == (value.real > 0)
            smaller = stability(UpdateMap(kernels_of(case), eps=1e-4 * case[-1], **settings))
            if found.verdict == "self-excitation":
                assert smaller.growth > 0
    assert min(reasons.values()) > 20


def test_without_momentum_the_reason_is_the_sign_of_the_multiplier_minus_one() -> None:
    seen = 0
    for seed in range(CASES):
        found = stability(map_of(draw(seed), tau=0.2))
        if found.verdict != "stable":
            outwards = found.multipliers[0].real.item() > 1
            assert (found.verdict == "self-excitation") == outwards
            seen += not outwards
    assert seen > 10


def test_too_large_a_step_between_hard_copies_is_told_from_self_excitation() -> None:
    """An even number of overshooting steps gives a positive multiplier; the work of the force still tells."""
    one = torch.eye(1, dtype=torch.float64)
    for period in (2, 3, 8):
        overshoot = stability(UpdateMap(FrozenKernels(one, 0.1 * one), eps=2.5, period=period))
        excited = stability(UpdateMap(FrozenKernels(one, 1.5 * one), eps=0.5, period=period))
        assert (overshoot.verdict, excited.verdict) == ("step-size instability", "self-excitation")


def test_momentum_and_complex_modes_break_the_sign_rule() -> None:
    """Heavy ball, 0.9: Re lambda > 0 against rho > 1, for the recursion's own outcome, on complex leading modes."""
    sign_right, radius_right, cases, seed = 0, 0, 0, 0
    while cases < CASES:
        case, seed = draw(seed), seed + 1
        found = stability(map_of(case, momentum=0.9))
        if abs(found.multipliers[0].imag.item()) < 1e-6:
            continue
        cases += 1
        diverges = recursion(case, momentum=0.9) > 0
        kernels = kernels_of(case)
        sign = np.linalg.eigvals((kernels.there - kernels.here).numpy()).real.max() > 0
        sign_right += sign == diverges
        radius_right += (found.spectral_radius > 1) == diverges
    assert radius_right >= 0.98 * CASES
    assert sign_right < 0.85 * CASES
