"""Checks of lesson 11."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from seem_lab.checks.check import Check, compare


def check_outcome(answer: Any) -> Check:
    """Exercise 1: `answer(low, high, least, most)` returns "yes", "no" or "open"."""

    def truth(low: float, high: float, least: float, most: float) -> str:
        if least <= low and high <= most:
            return "yes"
        return "no" if high < least or most < low else "open"

    return compare(
        answer,
        truth,
        [
            (0.0, 0.04, 0.0, 0.1),
            (0.8, 0.99, 0.0, 0.1),
            (0.05, 0.2, 0.0, 0.1),
            (0.41, 0.55, 0.5, 1.0),
            (0.0, 1.0, 0.4, 0.6),
        ],
        praise="Open is not no: the third and the fourth case need more runs, and the fifth has hardly seen any.",
        mistakes={
            "an interval that lies partly inside is open: a no needs the whole of it outside.": (
                lambda low, high, least, most: "yes" if least <= low and high <= most else "no"
            ),
            "the middle of the interval does not decide; both of its ends do.": (
                lambda low, high, least, most: "yes" if least <= (low + high) / 2 <= most else "no"
            ),
            "yes needs the whole interval inside; partly inside is open.": (
                lambda low, high, least, most: "no" if high < least or most < low else "yes"
            ),
        },
    )


def check_verdict(answer: Any) -> Check:
    """Exercise 2: `answer(outcomes, core)` returns the verdict of a claim."""

    def truth(outcomes: list[str], core: list[bool]) -> str:
        if not outcomes:
            return "not tested here"
        if any(outcome != "yes" for outcome, own in zip(outcomes, core, strict=True) if own):
            return "not seen here"
        return "holds" if set(outcomes) == {"yes"} else "holds with limits"

    return compare(
        answer,
        truth,
        [
            (["yes", "yes"], [True, True]),
            (["yes", "no"], [True, False]),
            (["yes", "open"], [True, False]),
            (["open", "yes"], [True, False]),
            (["no", "yes"], [True, False]),
            ([], []),
        ],
        praise="Nobody was asked what they think of the claim.",
        mistakes={
            "without findings nothing was tested: that is the fourth verdict.": (
                lambda outcomes, core: truth(outcomes, core) if outcomes else "holds"
            ),
            "an open finding in the core is no yes: it was not seen here.": (
                lambda outcomes, core: truth(
                    [
                        "yes" if own and outcome == "open" else outcome
                        for outcome, own in zip(outcomes, core, strict=True)
                    ],
                    core,
                )
            ),
            "what lies beyond the core can only limit a claim.": lambda outcomes, core: truth(
                outcomes, [True] * len(core)
            ),
        },
    )


def check_median_interval(answer: Any) -> Check:
    """Exercise 3: `answer(values)` returns the 95 % interval of the median from two of the sorted values."""

    def ends(values: list[float], tail: float = 0.025, shift: int = 0) -> tuple[float, float]:
        ordered, n = sorted(values), len(values)
        j = max(j for j in range(1, n) if scipy.stats.binom.cdf(j - 1, n, 0.5) <= tail) + shift
        return ordered[j - 1], ordered[n - j]

    return compare(
        answer,
        ends,
        [
            ([float(k) for k in range(1, 11)],),
            ([5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 12.0, 6.0, 11.0, 10.0],),
            ([float(k**2) for k in range(24)],),
        ],
        praise="Nothing was assumed of how the runs are distributed: each lies above the median or below, like a coin.",
        mistakes={
            "that is where the runs lie, not where their median lies: it would not narrow with more runs.": (
                lambda values: tuple(float(end) for end in np.quantile(values, [0.025, 0.975]))
            ),
            "2.5 % at each end, not 5 %.": lambda values: ends(values, tail=0.05),
            "off by one: P(Bin < j) is the chance of at most j - 1, so it is binom.cdf(j - 1, n, 0.5).": (
                lambda values: ends(values, shift=-1)
            ),
            "sort the values first.": lambda values: (
                values[sorted(values).index(ends(values)[0])],
                values[sorted(values).index(ends(values)[1])],
            ),
        },
        tolerance=1e-6,
    )
