"""Checks of lesson 08."""

from __future__ import annotations

import math
from typing import Any

from seem_lab.checks.check import Check, compare


def check_following_target(answer: Any) -> Check:
    """Exercise 1: `answer(theta, slow, rate, lr, gradient)` returns theta and slow after one step."""

    def step(theta: float, slow: float, rate: float, lr: float, gradient: float) -> tuple[float, float]:
        new = theta - lr * gradient
        return new, (1 - rate) * slow + rate * new

    return compare(
        answer,
        step,
        [(1.0, 1.0, 0.1, 0.5, 1.0), (2.0, -1.0, 0.25, 0.1, 4.0), (0.0, 3.0, 1.0, 1.0, -2.0)],
        praise="First the network steps, then the target moves towards where the network is now.",
        mistakes={
            "the target moves towards the theta of before the step; the rule takes the new one.": (
                lambda theta, slow, rate, lr, g: (theta - lr * g, (1 - rate) * slow + rate * theta)
            ),
            "rate and 1 - rate are swapped: a rate of 1 must give the new theta, a small one hardly move the target.": (
                lambda theta, slow, rate, lr, g: (theta - lr * g, rate * slow + (1 - rate) * (theta - lr * g))
            ),
            "the step goes up: theta moves against the gradient.": (
                lambda theta, slow, rate, lr, g: (theta + lr * g, (1 - rate) * slow + rate * (theta + lr * g))
            ),
        },
    )


def check_safe_horizon(answer: Any) -> Check:
    """Exercise 2: `answer(next_feature, gamma)` returns the smallest n for which the loop does not feed itself."""

    def smallest(next_feature: float, gamma: float) -> int:
        n = 1
        while gamma**n * next_feature >= 1:
            n += 1
        return n

    return compare(
        answer,
        smallest,
        [(2.0, 0.99), (0.5, 0.99), (1.2, 0.9), (10.0, 0.95), (4.0, 0.5)],
        praise="Every reward that is summed from the data shrinks the bootstrap by one more factor gamma.",
        mistakes={
            "that rounds down: with this n the eigenvalue is not yet below zero.": (
                lambda c, gamma: max(1, math.floor(math.log(c) / -math.log(gamma)))
            ),
            "at exactly zero the eigenvalue is not yet below zero: one step more.": (
                lambda c, gamma: max(1, math.ceil(math.log(c) / -math.log(gamma)))
            ),
            "n is at least 1: with n = 0 there would be no target at all.": (
                lambda c, gamma: math.floor(math.log(c) / -math.log(gamma)) + 1
            ),
        },
    )


def check_needed_decay(answer: Any) -> Check:
    """Exercise 3: `answer(seem, n)` returns the weight decay from which a linear Q does not grow."""
    return compare(
        answer,
        lambda seem, n: 2 * max(seem, 0.0) / n,
        [(1.0, 2), (24.0, 63), (-0.5, 10), (3.0, 1000)],
        praise="The learning rate has dropped out: it speeds up growth and decay alike.",
        mistakes={
            "a negative SEEM needs no decay: the smallest one is 0.": lambda seem, n: 2 * seem / n,
            "eps is 2 lr / N; the 2 is missing.": lambda seem, n: max(seem, 0.0) / n,
            "the N is missing: the loss is a mean over N transitions.": lambda seem, n: 2 * max(seem, 0.0),
            "the learning rate cancels: decay shrinks theta by lr times the decay a step.": (
                lambda seem, n: 2 * 0.02 * max(seem, 0.0) / n
            ),
        },
    )
