"""Checks of lesson 11: right answers pass, stubs and known mistakes are told apart."""

from __future__ import annotations

import numpy as np
from scipy.stats import quantile_test

from seem_lab import checks, claims
from seem_lab.claims import Finding


def outcome(low, high, least, most):
    return Finding("a number", low, low, high, 10, least=least, most=most).outcome


def test_outcome(judge_exercise):
    judge_exercise(
        checks.check_outcome,
        outcome,
        {
            "a no needs the whole of it outside": lambda low, high, least, most: (
                "yes" if least <= low and high <= most else "no"
            ),
            "both of its ends do": lambda low, high, least, most: "yes" if least <= (low + high) / 2 <= most else "no",
            "partly inside is open": lambda low, high, least, most: "no" if high < least or most < low else "yes",
            "it should give 'yes'": lambda *_: "maybe",
        },
    )


def verdict(outcomes, core):
    ends = {"yes": (1.0, 1.0), "no": (3.0, 3.0), "open": (0.0, 3.0)}
    found = tuple(
        Finding("a number", 1.0, *ends[one], 10, most=2.0, least=1.0, core=own)
        for one, own in zip(outcomes, core, strict=True)
    )
    return str(claims.Claim("x", "says", "setting", "04", weigh=lambda: found).verdict)


def test_verdict(judge_exercise):
    judge_exercise(
        checks.check_verdict,
        verdict,
        {
            "the fourth verdict": lambda outcomes, core: verdict(outcomes, core) if outcomes else "holds",
            "can only limit a claim": lambda outcomes, core: verdict(outcomes, [True] * len(core)),
            "no yes: it was not seen": lambda outcomes, core: verdict(
                ["yes" if own and one == "open" else one for one, own in zip(outcomes, core, strict=True)], core
            ),
        },
    )


def interval(values):
    found = quantile_test(values, q=0).confidence_interval(0.95)
    return found.low, found.high


def test_median_interval(judge_exercise):
    """The truth by SciPy's own test."""
    judge_exercise(
        checks.check_median_interval,
        interval,
        {
            "where the runs lie": lambda values: tuple(np.quantile(values, [0.025, 0.975])),
            "2.5 % at each end": lambda values: tuple(quantile_test(values, q=0).confidence_interval(0.90)),
            "off by one": lambda values: (
                sorted(values)[sorted(values).index(interval(values)[0]) - 1],
                sorted(values)[sorted(values).index(interval(values)[1]) + 1],
            ),
            "sort the values first": lambda values: (
                values[sorted(values).index(interval(values)[0])],
                values[sorted(values).index(interval(values)[1])],
            ),
        },
    )
