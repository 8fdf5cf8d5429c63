"""Checks of lesson 02."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seem_lab.checks.check import Check, compare
from seem_lab.problems import baird_star, random_features

FIVE_DIGITS = 1e-5


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
            "the step moves the weights along phi, so phi.T stands on the right of both parts, not phi_next.T.": (
                lambda phi, phi_next, discount: (discount[:, None] * phi_next - phi) @ phi_next.T
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

    def swapped(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[int, float]:
        rate, step = truth(eigenvalue, eps, q_now, q_limit)
        return step, rate

    def log10_rate(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        rate, step = truth(eigenvalue, eps, q_now, q_limit)
        return rate / math.log(10), step

    def mixed_logs(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        rate = math.log(abs(1 + eps * eigenvalue))
        return rate, math.ceil(math.log10(q_limit / q_now) / rate)

    def rounded_down(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
        rate, step = truth(eigenvalue, eps, q_now, q_limit)
        return rate, step - 1

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
            "round up, not down: one step earlier |Q| has not passed the limit yet.": rounded_down,
            "the two numbers are swapped: first the rate, then the step.": swapped,
            "log means the natural logarithm: math.log, not math.log10, for the rate.": log10_rate,
            "use one logarithm for both numbers, math.log; the steps mix it with math.log10.": mixed_logs,
        },
    )


def check_threshold_gamma(answer: Any) -> Check:
    """Exercise 3: `answer(phi, phi_next)` returns the discount at which SEEM passes zero, to five digits."""
    phi, phi_next = _star()
    drawn = random_features(12, 20, alignment=0.5, seed=1)
    cases = [
        (phi, phi_next),
        (torch.nn.functional.layer_norm(phi, (8,)), torch.nn.functional.layer_norm(phi_next, (8,))),
        (drawn.x, drawn.transitions.next_state),
    ]
    verdict = compare(
        answer,
        _threshold,
        cases,
        praise="Baird's star turns at 15/17. Above it no learning rate helps.",
        mistakes={
            "the search took the wrong half: where SEEM > 0 the threshold lies below, in the lower half.": (
                lambda phi, phi_next: _threshold(phi, phi_next, wrong_half=True)
            ),
            "the search ended at 0 in every case, so SEEM never came out negative: take the real part, not abs().": (
                lambda *_: 0.0
            ),
            "the search ended at 1 in every case, so SEEM never came out positive: take the largest real part.": (
                lambda *_: 1.0
            ),
            "that is the first guess; halve the interval again and again, about 20 times.": lambda *_: 0.5,
            "eigvalsh is for symmetric matrices, and A is not: eigvals.": (
                lambda phi, phi_next: _threshold(phi, phi_next, torch.linalg.eigvalsh)
            ),
        },
        tolerance=FIVE_DIGITS,
    )
    if verdict.passed:
        return verdict

    def right(cases: list[tuple[Tensor, Tensor]], tolerance: float) -> bool:
        return compare(answer, _threshold, cases, praise="", tolerance=tolerance).passed

    if right(cases, 0.02):
        return Check(False, "near, but not to five digits: halve the interval more often, about 20 times.")
    if right([_without_spare_features(*case) for case in cases], FIVE_DIGITS):
        return Check(
            False,
            "it would be right for N = P, but here P > N. Did you take K? It has P - N eigenvalues more, all zero, and "
            "rounding puts them a little above zero. Take A.",
        )
    return verdict


def _star() -> tuple[Tensor, Tensor]:
    star = baird_star()
    return star.x, star.transitions.next_state


def _without_spare_features(phi: Tensor, phi_next: Tensor) -> tuple[Tensor, Tensor]:
    """N features with the same matrix A: the coordinates in the space that the N rows of phi span."""
    basis = torch.linalg.qr(phi.T).Q  # (P, N)
    return phi @ basis, phi_next @ basis


def _threshold(
    phi: Tensor,
    phi_next: Tensor,
    spectrum: Callable[[Tensor], Tensor] = torch.linalg.eigvals,
    wrong_half: bool = False,
) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        gamma = (low + high) / 2
        positive = bool(spectrum((gamma * phi_next - phi) @ phi.T).real.max() > 0)
        if positive != wrong_half:
            high = gamma
        else:
            low = gamma
    return (low + high) / 2
