"""The warning rule, and AUROC against counting pairs."""

from __future__ import annotations

import numpy as np
import pytest

from seem_lab import auroc, auroc_gain, early_warning, step_size, time_constants


def test_the_rule_warns_where_the_product_passes_one() -> None:
    lr, n, left = 2e-2, 63, 1400
    border = 1 / (step_size(lr, n) * left)
    seem = np.array([-1.0, 0.99 * border, 1.01 * border, np.nan])
    assert early_warning(seem, lr=lr, n=n, steps_left=left).tolist() == [False, False, True, False]
    assert time_constants(2 * border, lr=lr, n=n, steps_left=left) == pytest.approx(2)
    assert early_warning(seem[2], lr=lr, n=n, steps_left=np.array([left, left / 2])).tolist() == [True, False]


@pytest.mark.parametrize("change", [dict(lr=0.0), dict(n=0), dict(steps_left=-1)])
def test_bad_numbers_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="must be positive and steps_left not negative"):
        early_warning(1.0, **(dict(lr=2e-2, n=63, steps_left=100) | change))


def pairs(score: np.ndarray, diverged: np.ndarray) -> float:
    """The definition: how often one that diverged scores higher, ties one half."""
    difference = score[diverged][:, None] - score[~diverged]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    diverged = generator.random(150) < 0.4
    return np.round(generator.normal(size=150) + diverged, 1), diverged  # rounded: there are ties


def test_auroc_counts_pairs(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    score, diverged = drawn
    found = auroc(score, diverged)
    assert found.value == pytest.approx(pairs(score, diverged))
    assert auroc(-score, diverged).value == pytest.approx(1 - found.value)
    assert (found.diverged, found.others) == (diverged.sum(), (~diverged).sum())
    assert found == auroc(score, diverged)
    infinite = np.where(score > 2, np.inf, score)
    assert auroc(infinite, diverged).value == pytest.approx(pairs(np.minimum(score, 2.05), diverged))


def test_the_interval_has_the_width_of_theory(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    """Against the standard error of Hanley and McNeil 1982."""
    score, diverged = drawn
    found = auroc(score, diverged, confidence=0.95)
    a, m, n = found.value, found.diverged, found.others
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + (m - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (m * n))
    assert found.low < a < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    narrow = auroc(score, diverged, confidence=0.5)
    assert narrow.high - narrow.low < 0.5 * (found.high - found.low)


def test_a_gain_is_a_difference_and_pairs_stay_pairs(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    score, diverged = drawn
    noise = np.random.default_rng(1).normal(size=150)
    found = auroc_gain(score, noise, diverged)
    assert found.value == pytest.approx(pairs(score, diverged) - pairs(noise, diverged))
    assert found.low > 0
    same = auroc_gain(score, 2 * score + 1, diverged)
    assert (same.value, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("score", "diverged", "message"),
    [
        ([1.0, 2.0, 3.0], [True, False, True], "two runs of each kind"),
        ([1.0, 2.0, 3.0], [True, False], "2 runs need as many scores"),
        ([1.0, np.nan, 3.0, 4.0], [True, False, True, False], "run 1 is not a number"),
        ([1.0, 2.0], [0.5, 1.0], "one True or False a run"),
    ],
)
def test_what_cannot_be_scored_is_refused(score: list, diverged: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        auroc(score, diverged)
