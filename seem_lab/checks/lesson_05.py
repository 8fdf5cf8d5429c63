"""Checks of lesson 05."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seem_lab.checks.check import Check, compare


def check_growth_power(answer: Any) -> Check:
    """Exercise 1: `answer(depth)` returns p, the power of the TD error with which SEEM grows."""
    return compare(
        answer,
        lambda depth: (2 * depth - 2) / depth,
        [(2,), (3,), (4,), (1,)],
        praise="Deeper networks come nearer to p = 2, and a linear Q has p = 0: its kernel stays as it is.",
        mistakes={
            "that is the power of the scale s. SEEM is asked as a power of u, and u grows like s^L: divide by L.": (
                lambda depth: 2 * depth - 2
            ),
            "that is the power of s with which Q grows; the kernel is a product of two derivatives of Q.": (
                lambda depth: depth
            ),
            "upside down: how u grows with SEEM. (At depth 1 there is nothing to invert.)": (
                lambda depth: depth / (2 * depth - 2) if depth > 1 else 0.0
            ),
            "one derivative of Q grows like s^(L-1), but the kernel is a product of two.": (
                lambda depth: (depth - 1) / depth
            ),
        },
    )


def check_closed_form(answer: Any) -> Check:
    """Exercise 2: `answer(seem, lr, n, depth)` returns the steps left by the closed form, 1 / (p eps SEEM)."""

    def closed_form(seem: float, lr: float, n: int, depth: int) -> float:
        return depth / (2 * depth - 2) / (2 * lr / n * seem)

    return compare(
        answer,
        closed_form,
        [(50.0, 0.02, 100, 2), (30.0, 0.02, 63, 3), (134.6, 0.002, 63, 4)],
        praise="One eigenvalue gives the steps left. The real run takes a few steps more.",
        mistakes={
            "p is missing; only for two layers it is 1.": lambda seem, lr, n, depth: 1 / (2 * lr / n * seem),
            "p stands in the denominator: the steeper the kernel grows, the sooner it ends.": (
                lambda seem, lr, n, depth: (2 * depth - 2) / depth / (2 * lr / n * seem)
            ),
            "eps is 2 lr / N, since the loss is the *mean* of u^2; that is lr alone.": lambda seem, lr, n, depth: (
                closed_form(seem, lr, n, depth) * 2 / n
            ),
            "eps is 2 lr / N; the 2 of the square is missing.": lambda *case: 2 * closed_form(*case),
            "eps is 2 lr / N, with N the number of transitions; N is missing.": lambda seem, lr, n, depth: (
                closed_form(seem, lr, n, depth) / n
            ),
        },
    )


def check_discrete_map(answer: Any) -> Check:
    """Exercise 3: `answer(s, q_now, q_limit, depth)` returns |Q| and s after one step, and the steps to the limit."""
    return compare(
        answer,
        _by(lambda q, s, depth: (q * (1 + s / depth) ** depth, s * (1 + s / depth) ** (2 * depth - 2))),
        [(0.5, 1.0, 2.0, 2), (0.1, 20.0, 1e6, 2), (0.1, 20.0, 1e6, 3), (0.03, 3.0, 1e6, 4), (0.2, 5.0, 4.0, 2)],
        praise="That is the forecast of the lesson: it needs SEEM and |Q| of one moment, and no fit.",
        mistakes={
            "one step multiplies the *parameters* by 1 + s/L; Q is a product of L of them.": _by(
                lambda q, s, depth: (q * (1 + s), s * (1 + s / depth) ** (2 * depth - 2))
            ),
            "s grows with the power 2L - 2 of the parameters' factor; p is its power of u.": _by(
                lambda q, s, depth: (q * (1 + s / depth) ** depth, s * (1 + s / depth) ** ((2 * depth - 2) / depth))
            ),
            "Q takes its step with the s of before; yours is already the new one.": _by(_new_s_first),
            "s grows, too: the kernel is not the same after the step.": _by(
                lambda q, s, depth: (q * (1 + s / depth) ** depth, s)
            ),
            "one and the same s is used for every depth: divide it by L.": _by(
                lambda q, s, depth: (q * (1 + s) ** depth, s * (1 + s) ** (2 * depth - 2))
            ),
            "the values are right; the count is one too many: stop as soon as |Q| is past the limit.": _by(
                lambda q, s, depth: (q * (1 + s / depth) ** depth, s * (1 + s / depth) ** (2 * depth - 2)), extra=1
            ),
            "the values are right; the count is one too few: the step that passes the limit counts.": _by(
                lambda q, s, depth: (q * (1 + s / depth) ** depth, s * (1 + s / depth) ** (2 * depth - 2)), extra=-1
            ),
        },
    )


def _new_s_first(q: float, s: float, depth: int) -> tuple[float, float]:
    s = s * (1 + s / depth) ** (2 * depth - 2)
    return q * (1 + s / depth) ** depth, s


def _by(step: Callable[[float, float, int], tuple[float, float]], extra: int = 0) -> Callable[..., Any]:
    """The answer of exercise 3 with this step."""

    def answer(s: float, q_now: float, q_limit: float, depth: int) -> tuple[float, float, int]:
        first = step(q_now, s, depth)
        count, q = 0, q_now
        while q <= q_limit:
            q, s = step(q, s, depth)
            count += 1
        return *first, count + extra

    return answer
