"""Checks of lesson 06."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from seem_lab.checks.check import Check, compare


def check_adam_moves(answer: Any) -> Check:
    """Exercise 1: `answer(gradients, lr, beta1, beta2)` returns the moves of one parameter, one a gradient."""

    def moves(
        gradients: Sequence[float],
        lr: float,
        beta1: float,
        beta2: float,
        *,
        correct: bool = True,
        root: bool = True,
        momentum: bool = True,
    ) -> list[float]:
        m, v, found = 0.0, 0.0, []
        for t, g in enumerate(gradients, start=1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            m_hat, v_hat = (m / (1 - beta1**t), v / (1 - beta2**t)) if correct else (m, v)
            found.append(-lr * (m_hat if momentum else g) / (math.sqrt(v_hat) if root else v_hat))
        return found

    return compare(
        answer,
        moves,
        [
            ([1.0, 1.0, 1.0], 0.1, 0.9, 0.999),
            ([1000.0, 1000.0], 0.1, 0.9, 0.999),
            ([1.0, 8.0, 27.0, -4.0], 0.01, 0.8, 0.95),
        ],
        praise="The first move is the learning rate, whatever the gradient; only a change of the gradient changes it.",
        tolerance=1e-6,
        mistakes={
            "m and v start at 0, so they are too small at first; divide them by 1 - beta1^t and 1 - beta2^t.": (
                lambda *case: moves(*case, correct=False)
            ),
            "the sign: the step goes down the loss, against the gradient.": lambda *case: [-x for x in moves(*case)],
            "the square root of v is missing: v averages squares, so it has the unit of a squared gradient.": (
                lambda *case: moves(*case, root=False)
            ),
            "that divides g itself by the root of v; Adam moves along its average m.": (
                lambda *case: moves(*case, momentum=False)
            ),
            "beta1 and beta2 are swapped: beta1 belongs to m, the average of g.": (
                lambda gradients, lr, beta1, beta2: moves(gradients, lr, beta2, beta1)
            ),
            "the learning rate is missing.": lambda gradients, lr, *betas: moves(gradients, 1.0, *betas),
        },
    )


def check_growth_orders(answer: Any) -> Check:
    """Exercise 2: `answer(order, depth)` returns the orders of Q, of the gradient and of SEEM."""
    return compare(
        answer,
        lambda order, depth: (order * depth, order * (2 * depth - 1), order * (2 * depth - 2)),
        [(1.0, 2), (1.0, 3), (0.85, 2), (0.5, 4)],
        praise="Q has L factors of the parameters' size, a derivative one less, and the rest is counting.",
        mistakes={
            "the gradient in the middle is that of Q alone; the gradient of the loss carries the factor u, which grows "
            "like Q.": lambda order, depth: (order * depth, order * (depth - 1), order * (2 * depth - 2)),
            "SEEM is an eigenvalue of products phi(x) . phi(x'): two derivatives of Q, not one.": (
                lambda order, depth: (order * depth, order * (2 * depth - 1), order * (depth - 1))
            ),
            "this is right for an order of 1 only; if ||theta|| grows like t^a, its power k grows like t^(a k).": (
                lambda order, depth: (depth, 2 * depth - 1, 2 * depth - 2)
            ),
            "these are the orders in ||theta||, plus that of ||theta||; orders multiply: (t^a)^k = t^(a k).": (
                lambda order, depth: (order + depth, order + 2 * depth - 1, order + 2 * depth - 2)
            ),
        },
    )


def check_start_ratio(answer: Any) -> Check:
    """Exercise 3: `answer(q)` returns m / sqrt(v) for a gradient that grows like t^q, long before 1 / (1 - beta2)."""
    return compare(
        answer,
        lambda q: math.sqrt(2 * q + 1),
        [(0.0,), (1.0,), (3.0,), (5.0,), (0.5,)],
        praise="A constant gradient gives 1, and q = 2L - 1 gives the sqrt(4L - 1) of the lesson.",
        mistakes={
            "that averages g; v averages g squared, which grows like t^(2q).": lambda q: math.sqrt(q + 1),
            "that is the square of the ratio; take the root of v.": lambda q: 2 * q + 1,
            "that is sqrt(v) / m, upside down.": lambda q: 1 / math.sqrt(2 * q + 1),
            "q is the power of the gradient, not the depth: put q = 2L - 1 into sqrt(4L - 1).": (
                lambda q: math.sqrt(abs(4 * q - 1))
            ),
        },
        tolerance=1e-6,
    )
