"""Checks of lesson 02."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from seem_lab.checks.check import Check, compare
from seem_lab.problems import baird_star, random_features


def check_kernel_view(answer: Any) -> Check:
    """Exercise 1: `answer(phi, phi_next, discount)` returns the `(N, N)` matrix A of linear Q-learning."""
    drawn = random_features(5, 3)
    star = baird_star()
    discount = torch.tensor([0.9, 0.9, 0.0, 0.5, 0.9], dtype=torch.float64)
    phi = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    return compare(
        answer,
        lambda phi, phi_next, discount: (discount[:, None] * phi_next - phi) @ phi.T,
        [
            (phi, phi.flip(0), torch.tensor([0.5, 0.0], dtype=torch.float64)),
            (drawn.x, drawn.transitions.next_state, discount),
            (star.x, star.transitions.next_state, star.discount),
        ],
        praise="Every eigenvalue of this matrix is one mode of the error.",
        mistakes={
            "the bootstrap is discounted: put the discount before the next features.": lambda phi, phi_next, discount: (
                (phi_next - phi) @ phi.T
            ),
            "each discount belongs to one row (one target), not to one column: discount[:, None].": (
                lambda phi, phi_next, discount: (phi_next @ phi.T) * discount - phi @ phi.T
            ),
            "the matrix is transposed; its eigenvalues are right, the step u + eps A u is not.": (
                lambda phi, phi_next, discount: phi @ (discount[:, None] * phi_next - phi).T
            ),
            "that is the parameter matrix K, (P, P); here the (N, N) one is asked.": lambda phi, phi_next, discount: (
                phi.T @ (discount[:, None] * phi_next - phi)
            ),
            "the sign is turned round: the move of the target counts positive.": lambda phi, phi_next, discount: (
                (phi - discount[:, None] * phi_next) @ phi.T
            ),
        },
    )


def check_rate_and_crash(answer: Any) -> Check:
    """Exercise 2: `answer(eigenvalue, eps, q_now, q_limit)` returns the growth a step and the step of the crash."""

    def steps(rate: float, q_now: float, q_limit: float) -> int:
        return math.ceil(math.log(q_limit / q_now) / rate)

    def truth(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        rate = math.log(abs(1 + eps * eigenvalue))
        return rate, steps(rate, q_now, q_limit)

    def first_order(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        return eps * eigenvalue.real, steps(eps * eigenvalue.real, q_now, q_limit)

    def real_part(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        return truth(complex(eigenvalue.real), eps, q_now, q_limit)

    def factor(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        return abs(1 + eps * eigenvalue), truth(eigenvalue, eps, q_now, q_limit)[1]

    def not_whole(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, float]:
        rate = math.log(abs(1 + eps * eigenvalue))
        return rate, math.log(q_limit / q_now) / rate

    return compare(
        answer,
        truth,
        [(complex(1.0, 0.0), 0.1, 1.0, 1e6), (complex(0.15, 1.6), 0.1, 12.0, 1e6), (complex(2.0, 3.0), 0.3, 5.0, 1e3)],
        praise="One eigenvalue and today's Q give the date.",
        mistakes={
            "eps Re(lambda) is the rate for very small eps only; the exact one is log|1 + eps lambda|.": first_order,
            "keep the imaginary part: the absolute value is that of the complex number 1 + eps lambda.": real_part,
            "the first number is a factor; its logarithm is the rate.": factor,
            "steps are whole: round the second number up.": not_whole,
        },
    )


def check_threshold_gamma(answer: Any) -> Check:
    """Exercise 3: `answer(phi, phi_next)` returns the discount at which SEEM passes zero, to five digits."""
    cases = [_star(), tuple(torch.nn.functional.layer_norm(features, (8,)) for features in _star())]
    drawn = random_features(12, 20, alignment=0.5, seed=1)
    cases.append((drawn.x, drawn.transitions.next_state))
    return compare(
        answer,
        _threshold,
        cases,
        praise="Baird's star turns at 15/17. Above it no learning rate helps.",
        mistakes={
            "the search went to the wrong side: SEEM > 0 means that the threshold lies below.": lambda *_: 1.0,
            "the search went to the lower end: SEEM < 0 means that the threshold lies above.": lambda *_: 0.0,
            "that is the first guess; halve the interval again and again, 40 times or so.": lambda *_: 0.5,
        },
        tolerance=1e-5,
    )


def _star() -> tuple[Tensor, Tensor]:
    star = baird_star()
    return star.x, star.transitions.next_state


def _threshold(phi: Tensor, phi_next: Tensor) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        gamma = (low + high) / 2
        if torch.linalg.eigvals((gamma * phi_next - phi) @ phi.T).real.max() > 0:
            high = gamma
        else:
            low = gamma
    return (low + high) / 2
