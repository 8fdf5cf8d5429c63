"""Checks of lesson 08."""

from __future__ import annotations

import math
from collections.abc import Callable
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


def check_misjudged(answer: Any) -> Check:
    """Exercise 3: `answer(seem, crashes, runs, limit)` counts the remedies that a limit on SEEM gets wrong."""

    def count(wrong: Callable[[bool, bool], bool], *, missing: bool = False) -> Callable[..., int]:
        def counted(seem: list[float], crashes: list[int], runs: list[int], limit: float) -> int:
            lines = zip(seem, crashes, runs, strict=True)
            return sum(wrong(s > limit, 2 * c > n) for s, c, n in lines if missing or not math.isnan(s))

        return counted

    return compare(
        answer,
        count(lambda high, lost: high != lost),
        [
            ([20.0, 1.0], [12, 0], [12, 12], 5.0),
            ([20.0, 17.0, 1.0, 2.0, 3.0], [12, 0, 12, 0, 12], [12] * 5, 5.0),
            ([math.nan, 20.0, -1.0], [12, 6, 3], [12, 12, 4], 5.0),
        ],
        praise="A rule can be wrong in two ways, and what was never measured is no evidence for it.",
        mistakes={
            "a missing SEEM is not a small one: leave these remedies out.": count(
                lambda high, lost: high != lost, missing=True
            ),
            "the crashes that the rule does not expect are missing.": count(lambda high, lost: high and not lost),
            "the crashes that are expected and do not come are missing.": count(lambda high, lost: lost and not high),
            "these are the remedies that the rule gets right.": count(lambda high, lost: high == lost),
        },
    )
