"""Checks of lesson 09."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from seem_lab.checks.check import Check, compare


def check_target_map(answer: Any) -> Check:
    """Exercise 1: `answer(g, b, eps, tau)` returns the map of (c, d), `(2N, 2N)`, for kernels G and B = D G*."""

    def truth(g: Tensor, b: Tensor, eps: float, tau: float, *, new: bool = True, swapped: bool = False) -> Tensor:
        one = torch.eye(len(g), dtype=g.dtype)
        tau = 1 - tau if swapped else tau
        upper = torch.cat([one - eps * g, eps * b], dim=1)
        follows = tau * upper if new else torch.cat([tau * one, 0 * one], dim=1)
        lower = follows + torch.cat([0 * one, (1 - tau) * one], dim=1)
        return torch.cat([upper, lower])

    one = torch.eye(1, dtype=torch.float64)
    g = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    b = torch.tensor([[1.0, 0.2], [-0.3, 0.7]], dtype=torch.float64)
    return compare(
        answer,
        truth,
        [(one, 1.5 * one, 0.5, 0.1), (g, b, 0.2, 0.05), (g, b, 0.4, 1.0)],
        praise="The target follows the network after its move, so the lower row holds tau times the upper one.",
        mistakes={
            "the target moves towards the network as it is after the step: put tau times the whole upper row below.": (
                lambda *case: truth(*case, new=False)
            ),
            "tau and 1 - tau are swapped: tau is the share of the network.": lambda *case: truth(*case, swapped=True),
            "the sign of the upper row: c moves by -eps (G c - B d).": (lambda g, b, eps, tau: truth(g, b, -eps, tau)),
        },
    )


def check_slow_target(answer: Any) -> Check:
    """Exercise 2: `answer(g, b, tau)` returns the growth per update of one mode under a slow target."""
    return compare(
        answer,
        lambda g, b, tau: tau * (b / g - 1),
        [(1.0, 1.5, 0.01), (2.0, 1.0, 0.01), (4.0, 4.4, 0.001)],
        praise="The step size is gone: the rate of the target is the clock. For this one mode b > g is the condition, "
        "as without a target; for many modes it is an eigenvalue of the inverse of G times B above 1.",
        mistakes={
            "that is the growth without a target, up to eps; here the network settles first, at c = b d / g.": (
                lambda g, b, tau: b - g
            ),
            "that is tau times SEEM; divide by g, because the network settles at c = b d / g.": (
                lambda g, b, tau: tau * (b - g)
            ),
            "d moves by tau (c - d): take 1 away from b / g.": lambda g, b, tau: tau * b / g,
        },
        tolerance=1e-6,
    )


def check_momentum_growth(answer: Any) -> Check:
    """Exercise 3: `answer(eigenvalue, eps, beta)` returns the growth per update of one mode under the heavy ball."""

    def growth(eigenvalue: complex, eps: float, beta: float) -> float:
        return float(np.log(np.abs(np.roots([1, -(1 + beta + eps * eigenvalue), beta])).max()))

    return compare(
        answer,
        growth,
        [(1.0 + 0.0j, 0.1, 0.0), (-0.5 + 2.0j, 0.1, 0.0), (-0.5 + 2.0j, 0.1, 0.9), (0.2 - 1.0j, 0.05, 0.5)],
        praise="The second and third case: the same mode shrinks without momentum and grows with it.",
        mistakes={
            "this is the growth without momentum, log|1 + eps lambda|.": (
                lambda eigenvalue, eps, beta: float(np.log(abs(1 + eps * eigenvalue)))
            ),
            "take the root of larger modulus, and its logarithm.": (
                lambda eigenvalue, eps, beta: float(np.abs(np.roots([1, -(1 + beta + eps * eigenvalue), beta])).max())
            ),
            "a complex root grows by its modulus, not by its real part.": (
                lambda eigenvalue, eps, beta: float(
                    np.log(np.abs(np.roots([1, -(1 + beta + eps * eigenvalue), beta]).real).max())
                )
            ),
        },
        tolerance=1e-6,
    )


def check_growing_momentum(answer: Any) -> Check:
    """Exercise 3, second part: `answer(eigenvalue, eps)` returns the first beta of 0, 0.01, ..., 0.99 that grows."""

    def growing(eigenvalue: complex, eps: float) -> list[float]:
        roots = {beta: np.roots([1, -(1 + beta + eps * eigenvalue), beta]) for beta in np.arange(100) / 100}
        return [float(beta) for beta, found in roots.items() if np.abs(found).max() > 1]

    return compare(
        answer,
        lambda eigenvalue, eps: growing(eigenvalue, eps)[0],
        [(-0.5 + 2.0j, 0.1), (-0.5 + 2.0j, 0.05), (-1.0 + 1.5j, 0.1)],
        praise="The faster a mode turns and the weaker it is pulled back, the less momentum it bears.",
        mistakes={
            "that is the last beta that shrinks: take the next one.": (
                lambda eigenvalue, eps: growing(eigenvalue, eps)[0] - 0.01
            ),
            "that is the last beta of the list: stop at the first one that grows.": (
                lambda eigenvalue, eps: growing(eigenvalue, eps)[-1]
            ),
        },
        tolerance=1e-6,
    )
