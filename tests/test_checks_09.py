"""Checks of lesson 09: the right answer passes, each known mistake meets its sentence."""

from __future__ import annotations

import numpy as np
import torch

from seem_lab import FrozenKernels, UpdateMap
from seem_lab.checks import check_growing_momentum, check_momentum_growth, check_slow_target, check_target_map


def test_the_target_map_of_the_library_passes() -> None:
    def answer(g: torch.Tensor, b: torch.Tensor, eps: float, tau: float) -> torch.Tensor:
        if tau == 1:  # the library drops the target that is the network itself; the exercise keeps it
            row = torch.cat([torch.eye(len(g)) - eps * g, eps * b], dim=1)
            return torch.cat([row, row])
        return UpdateMap(FrozenKernels(g, b), eps=eps, tau=tau).matrix()

    assert check_target_map(answer).passed


def test_mistakes_in_the_target_map_are_named() -> None:
    def old(g: torch.Tensor, b: torch.Tensor, eps: float, tau: float) -> torch.Tensor:
        one = torch.eye(len(g), dtype=g.dtype)
        return torch.cat([torch.cat([one - eps * g, eps * b], 1), torch.cat([tau * one, (1 - tau) * one], 1)])

    assert "after the step" in check_target_map(old).message
    assert not check_target_map(lambda g, b, eps, tau: g).passed


def test_slow_target_and_its_mistakes() -> None:
    assert check_slow_target(lambda g, b, tau: tau * b / g - tau).passed
    assert "settles" in check_slow_target(lambda g, b, tau: b - g).message
    assert "divide by g" in check_slow_target(lambda g, b, tau: tau * (b - g)).message
    assert "take 1 away" in check_slow_target(lambda g, b, tau: tau * b / g).message


def test_momentum_growth_by_the_companion_matrix_and_its_mistakes() -> None:
    def companion(eigenvalue: complex, eps: float, beta: float) -> float:
        return np.log(np.abs(np.linalg.eigvals(np.array([[1 + beta + eps * eigenvalue, -beta], [1, 0]]))).max())

    assert check_momentum_growth(companion).passed
    assert "without momentum" in check_momentum_growth(lambda lam, eps, beta: np.log(abs(1 + eps * lam))).message
    assert "logarithm" in check_momentum_growth(lambda *case: np.exp(companion(*case))).message


def test_first_growing_momentum_by_the_circle_criterion_and_its_mistakes() -> None:
    def schur_cohn(eigenvalue: complex, eps: float) -> float:
        """m^2 + p m + beta has its roots in the unit disk iff |p - beta conj(p)| < 1 - beta^2."""
        for beta in np.arange(100) / 100:
            p = -(1 + beta + eps * eigenvalue)
            if abs(p - beta * np.conj(p)) > 1 - beta**2:
                return float(beta)
        raise AssertionError("never grows")

    assert check_growing_momentum(schur_cohn).passed
    assert "take the next one" in check_growing_momentum(lambda *case: schur_cohn(*case) - 0.01).message
    assert "stop at the first" in check_growing_momentum(lambda *case: 0.99).message
