"""Checks of lesson 06."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

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

    cases = [
        ([1.0, 1.0, 1.0], 0.1, 0.9, 0.999),
        ([1000.0, 1000.0], 0.1, 0.9, 0.999),
        ([1.0, 8.0, 27.0, -4.0], 0.01, 0.8, 0.95),
    ]
    with contextlib.suppress(Exception):  # any other is told below
        try:
            answer(*cases[0])
        except ZeroDivisionError:
            return Check(False, "it divides by zero: the first step is t = 1, and 1 - beta^t is 0 for t = 0.")
    return compare(
        answer,
        moves,
        cases,
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
            "these are the places of the parameter; a move is how far it goes in one step.": (
                lambda *case: np.cumsum(moves(*case))
            ),
            "the learning rate is missing.": lambda gradients, lr, *betas: moves(gradients, 1.0, *betas),
        },
    )


def check_growth_orders(answer: Any) -> Check:
    """Exercise 2: `answer(order, depth)` returns the orders of Q, the gradient, SEEM and A_Adam's eigenvalue."""

    def orders(order: float, depth: int) -> tuple[float, ...]:
        return order * depth, order * (2 * depth - 1), order * (2 * depth - 2), -order

    return compare(
        answer,
        orders,
        [(1.0, 2), (1.0, 3), (0.85, 2), (0.5, 4)],
        praise="Q has L factors of the parameters' size, a derivative one less, and the rest is counting.",
        mistakes={
            "the gradient in the second place is that of Q alone; the gradient of the loss carries the factor u, which "
            "grows like Q.": lambda order, depth: (order * depth, order * (depth - 1), order * (2 * depth - 2), -order),
            "SEEM is an eigenvalue of products phi(x) . phi(y): two derivatives of Q, not one.": (
                lambda order, depth: (order * depth, order * (2 * depth - 1), order * (depth - 1), -order)
            ),
            "the gradient and SEEM have changed places: the gradient comes second, SEEM third.": (
                lambda order, depth: (order * depth, order * (2 * depth - 2), order * (2 * depth - 1), -order)
            ),
            "the last one: S divides by the size of the gradient, so subtract the gradient's order from SEEM's.": (
                lambda order, depth: (*orders(order, depth)[:3], order)
            ),
            "the last one is that of SEEM again; in A_Adam each entry is divided by the size of the gradient.": (
                lambda order, depth: (*orders(order, depth)[:3], orders(order, depth)[2])
            ),
            "this is right for an order of 1 only; if ||theta|| grows like t^a, its power k grows like t^(a k).": (
                lambda order, depth: orders(1.0, depth)
            ),
            "these are the orders in ||theta||, plus that of ||theta||; orders multiply: (t^a)^k = t^(a k).": (
                lambda order, depth: tuple(order + k for k in orders(1.0, depth))
            ),
        },
    )


def check_start_ratio(answer: Any) -> Check:
    """Exercise 3: `answer(q)` returns m / sqrt(v) for a gradient that grows like t^q, long before 1 / (1 - beta2)."""
    return compare(
        answer,
        lambda q: math.sqrt(2 * q + 1),
        [(1.0,), (3.0,), (5.0,), (0.5,)],
        praise="A constant gradient gives 1, and q = 2L - 1 gives the sqrt(4L - 1) of the lesson.",
        mistakes={
            "that averages g; v averages g squared, which grows like t^(2q).": lambda q: math.sqrt(q + 1),
            "that is the square of the ratio; take the root of v.": lambda q: 2 * q + 1,
            "that is sqrt(v) / m, upside down.": lambda q: 1 / math.sqrt(2 * q + 1),
            "q is the power of the gradient, not the depth: put q = 2L - 1 into sqrt(4L - 1).": (
                lambda q: math.sqrt(4 * q - 1)
            ),
        },
        tolerance=1e-6,
    )


def check_straighter_root(answer: Any) -> Check:
    """Exercise 4: `answer(step, q, roots)` returns the k among the roots for which q^(1/k) is straightest."""

    def straightness(step: np.ndarray, values: np.ndarray) -> float:
        return float(np.corrcoef(step, values)[0, 1] ** 2)

    def best(step: np.ndarray, q: np.ndarray, roots: Sequence[int]) -> int:
        return max(roots, key=lambda k: straightness(step, q ** (1 / k)))

    step = np.arange(100.0, 1100.0, 50.0)
    bent = (step + 300) ** 2.4
    return compare(
        answer,
        best,
        [(step, step**2, (2, 3)), (step, 1e-3 * step**3, (2, 3)), (step, bent, (2, 3)), (step, bent, (1, 2, 3, 4))],
        praise="It says which of the powers fits better. It does not say that either is the law.",
        mistakes={
            "that picks the smallest R^2; the straightest root has the largest.": lambda step, q, roots: min(
                roots, key=lambda k: straightness(step, q ** (1 / k))
            ),
            "that fits the powers q^k; take the roots q^(1/k).": lambda step, q, roots: max(
                roots, key=lambda k: straightness(step, q**k)
            ),
            "that is the largest R^2 itself; return the k it belongs to.": lambda step, q, roots: max(
                straightness(step, q ** (1 / k)) for k in roots
            ),
            "that is the place of the best root in the list; return the root.": lambda step, q, roots: list(
                roots
            ).index(best(step, q, roots)),
        },
    )
