"""The theory on real runs: the one-step identity, spectra and rates of the linear case, and divergence."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seem_lab import (
    History,
    Problem,
    baird_star,
    baird_weights,
    linear_q,
    mlp,
    q_values,
    random_features,
    seem,
    seem_matrix,
    step_size,
    toy_walk,
    train,
    train_stacked,
)


def td_error(network: torch.nn.Module, problem: Problem) -> Tensor:
    """u = Q(X) - r - discount Q(X*)."""
    x, x_next, discount = problem.bootstrap(network)
    with torch.no_grad():
        return q_values(network, x) - problem.reward - discount * q_values(network, x_next)


@pytest.fixture
def residuals() -> dict[int, list[float]]:
    """|u_measured - u_predicted| / |u_measured - u| by seed, every fifth step where X* stays and the step is small."""
    lr, result = 2e-2, {}
    for seed in range(24):
        problem, network = toy_walk(seed), mlp(4, seed=1000 + seed)
        result[seed] = []
        for _ in range(40):
            x, x_next, discount = problem.bootstrap(network)
            u = td_error(network, problem)
            move = step_size(lr, problem.n) * seem_matrix(network, x, x_next, discount) @ u
            if train(network, problem, lr=lr, steps=1).diverged:
                break
            if torch.equal(problem.bootstrap(network)[1], x_next) and move.norm() < 0.1 * u.norm():
                measured = td_error(network, problem)
                result[seed].append(((measured - u - move).norm() / (measured - u).norm()).item())
            train(network, problem, lr=lr, steps=4)
    return result


def test_the_one_step_identity_holds_on_the_toy_walk(residuals: dict[int, list[float]]) -> None:
    assert sum(len(values) > 0 for values in residuals.values()) >= 20
    pooled = np.concatenate(list(residuals.values()))
    assert len(pooled) > 300
    assert np.median(pooled) <= 0.02
    assert np.quantile(pooled, 0.9) <= 0.06


def diverged_of(seeds: range, gamma: float) -> list[History]:
    """Runs of at most 1500 steps, one a seed."""
    runs = []
    for first in seeds[::20]:
        some = seeds[first : first + 20]
        walks = [toy_walk(seed, gamma=gamma) for seed in some]
        runs += train_stacked([mlp(4, seed=1000 + seed) for seed in some], walks, lr=2e-2, steps=1500)
    return runs


def test_the_toy_walk_diverges_with_almost_every_seed_at_gamma_99() -> None:
    runs = diverged_of(range(100), gamma=0.99)
    crashes = [run.step[-1] for run in runs if run.diverged]
    assert len(crashes) >= 98
    assert np.median(crashes) == pytest.approx(190, rel=0.1)


def test_the_toy_walk_diverges_with_no_seed_at_gamma_95() -> None:
    assert not any(run.diverged for run in diverged_of(range(40), gamma=0.95))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "features"), [(6, 10), (10, 6), (8, 8)])
def test_matrix_and_key_matrix_share_their_spectrum_in_the_linear_case(seed: int, n: int, features: int) -> None:
    problem, network = random_features(n, features, alignment=0.3, seed=seed), linear_q(features, seed=seed)
    x, x_next, discount = problem.bootstrap(network)
    of_rows = np.linalg.eigvals(seem_matrix(network, x, x_next, discount).numpy())
    difference = problem.gamma * x_next.numpy() - x.numpy()
    of_parameters = np.linalg.eigvals(x.numpy().T @ difference)
    few, many = sorted((of_rows, of_parameters), key=len)
    distance = np.abs(many[:, None] - few)
    assert distance.min(axis=0).max() < 1e-10  # each of the smaller is in the larger,
    rest = np.delete(many, distance.argmin(axis=0))
    assert len(rest) == len(many) - len(few)
    assert np.abs(rest).max(initial=0) < 1e-10  # which adds only zeros


def growth(problem: Problem, lr: float, steps: int) -> np.ndarray:
    """log ||u|| step by step, from a run."""
    run = train(linear_q(8, weight=baird_weights()), problem, lr=lr, steps=steps, q_limit=1e100)
    assert run.stop_reason == "finished"
    return np.log(run.td_error_norm)


def rate(problem: Problem, lr: float) -> float:
    """log|1 + eps lambda| of the leading eigenvalue."""
    leading = seem(linear_q(8), *problem.bootstrap(linear_q(8)))
    return math.log(abs(1 + step_size(lr, problem.n) * complex(leading.value, leading.frequency)))


def test_bairds_star_grows_at_the_rate_of_its_leading_eigenvalue() -> None:
    star, lr = baird_star(), 0.05
    u = growth(star, lr, 1500)
    assert np.diff(u)[-100:] == pytest.approx(rate(star, lr), abs=1e-4)
    assert rate(star, lr) > 0.02  # a rate of nothing would pass too
    assert (u[-1] - u[-101]) / 100 == pytest.approx(rate(star, lr), rel=1e-6)


@pytest.mark.parametrize("gamma", [0.9, 0.87])
def test_bairds_star_grows_or_shrinks_at_the_rate_of_a_complex_pair(gamma: float) -> None:
    """||u|| itself goes up and down with the pair; its component along the pair's left eigenvector does not."""
    star, lr, network = baird_star(gamma=gamma), 0.05, linear_q(8, weight=baird_weights())
    phi, phi_next, discount = (part.numpy() for part in star.bootstrap(network))
    values, left = np.linalg.eig(((discount[:, None] * phi_next - phi) @ phi.T).T)
    along = left[:, values.real.argmax()]
    sizes = []
    for _ in range(60):
        sizes.append(math.log(abs(along @ td_error(network, star).numpy())))
        train(network, star, lr=lr, steps=1)
    assert abs(values[values.real.argmax()].imag) > 1
    assert np.diff(sizes) == pytest.approx(rate(star, lr), abs=1e-10)
    assert np.sign(rate(star, lr)) == np.sign(gamma - 0.88)
