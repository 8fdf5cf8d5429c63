"""Checks of lesson 05."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seem_lab.checks.check import Check, compare


def check_closed_form(answer: Any) -> Check:
    """Exercise 1: `answer(seem, lr, n, depth)` returns the steps left by the closed form, 1 / (p eps SEEM)."""

    def closed_form(seem: float, lr: float, n: int, depth: int) -> float:
        return depth / (2 * depth - 2) / (2 * lr / n * seem)

    return compare(
        answer,
        closed_form,
        [(50.0, 0.02, 100, 2), (30.0, 0.02, 63, 3), (134.6, 0.002, 63, 4)],
        praise="One eigenvalue gives the steps left. The real run takes a few steps more.",
        mistakes={
            "2L - 2 is the power of the scale of the parameters. p is the power of U, and U grows like s^L.": (
                lambda seem, lr, n, depth: 1 / ((2 * depth - 2) * 2 * lr / n * seem)
            ),
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
    """Exercise 2: `answer(kappa, q_now, q_limit, depth)` returns both after a step, and the steps to the limit."""
    return compare(
        answer,
        _by(_on_the_ray),
        [
            (0.5, 1.0, 2.0, 2),
            (0.1, 20.0, 1e6, 2),
            (0.1, 20.0, 1e6, 3),
            (0.03, 3.0, 1e6, 4),
            (0.2, 5.0, 4.0, 2),
            (2.0, 1.0, 4.0, 2),  # exactly at the limit after one step
        ],
        praise="That is the forecast of the lesson: it needs SEEM and |Q| of one moment, and no fit.",
        mistakes={
            "that is the step of the tangent, 1 + kappa, in U. On the ray Q is a curve: one step multiplies the "
            "*parameters* by 1 + kappa/L, and Q by the L-th power of that.": _by(
                lambda q, kappa, depth: (q * (1 + kappa), kappa * (1 + kappa) ** ((2 * depth - 2) / depth))
            ),
            "one step multiplies the *parameters* by 1 + kappa/L; Q is a product of L of them.": _by(
                lambda q, kappa, depth: (q * (1 + kappa), kappa * (1 + kappa / depth) ** (2 * depth - 2))
            ),
            "kappa grows with the power 2L - 2 of the parameters' factor; p is its power of U.": _by(
                lambda q, kappa, depth: (
                    _on_the_ray(q, kappa, depth)[0],
                    kappa * (1 + kappa / depth) ** (2 - 2 / depth),
                )
            ),
            "Q takes its step with the kappa of before; yours is already the new one.": _by(_new_kappa_first),
            "kappa grows, too: the kernel is not the same after the step.": _by(
                lambda q, kappa, depth: (_on_the_ray(q, kappa, depth)[0], kappa)
            ),
            "one and the same kappa is used for every depth: divide it by L.": _by(
                lambda q, kappa, depth: (q * (1 + kappa) ** depth, kappa * (1 + kappa) ** (2 * depth - 2))
            ),
            "the values are right; the count is one too many: stop as soon as |Q| is past the limit.": _by(
                _on_the_ray, extra=1
            ),
            "the values are right; the count is one too few: the step that passes the limit counts.": _by(
                _on_the_ray, extra=-1
            ),
            "only an edge is off: a |Q| that is exactly at the limit is not past it.": _by(_on_the_ray, at_limit=True),
        },
    )


def check_flow_lag(answer: Any) -> Check:
    """Exercise 3: `answer(depth)` returns c in: one step of the map changes the closed form by -1 + c kappa + ..."""
    return compare(
        answer,
        lambda depth: (2 * depth - 1) / (2 * depth),
        [(2,), (3,), (4,), (10,)],
        praise="It hardly depends on the depth: from 3/4 at two layers to 1 for very many.",
        mistakes={
            "right for two layers; the power of the bracket is -(2L - 2), and p depends on L, too.": lambda depth: 0.75,
            "the second-order term of (1 + x)^(-m) is m (m + 1) / 2 times x^2; the half is missing.": (
                lambda depth: (2 * depth - 1) / depth
            ),
            "that is the change of 1/kappa; the closed form is 1/(p kappa): divide by p.": (
                lambda depth: (depth - 1) * (2 * depth - 1) / depth**2
            ),
            "the second-order term of (1 + x)^(-m) is m (m + 1) / 2, with a plus: the power is negative.": (
                lambda depth: (2 * depth - 3) / (2 * depth)
            ),
            "the sign: a real step loses *less* than one.": lambda depth: -(2 * depth - 1) / (2 * depth),
        },
    )


def _on_the_ray(q: float, kappa: float, depth: int) -> tuple[float, float]:
    return q * (1 + kappa / depth) ** depth, kappa * (1 + kappa / depth) ** (2 * depth - 2)


def _new_kappa_first(q: float, kappa: float, depth: int) -> tuple[float, float]:
    _, kappa = _on_the_ray(q, kappa, depth)
    return q * (1 + kappa / depth) ** depth, kappa


def _by(
    step: Callable[[float, float, int], tuple[float, float]], extra: int = 0, at_limit: bool = False
) -> Callable[..., Any]:
    """The answer of exercise 2 with this step."""

    def answer(kappa: float, q_now: float, q_limit: float, depth: int) -> tuple[float, float, int]:
        first = step(q_now, kappa, depth)
        count, q = 0, q_now
        while q < q_limit or (q == q_limit and not at_limit):
            q, kappa = step(q, kappa, depth)
            count += 1
        return *first, count + extra

    return answer
