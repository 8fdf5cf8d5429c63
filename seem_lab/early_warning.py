"""The early warning: is there time left for SEEM to blow the error up? And how well does any such score tell?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from seem_lab.training import step_size


def time_constants(seem: ArrayLike | float, *, lr: float, n: int, steps_left: ArrayLike | int) -> np.ndarray:
    """`eps * SEEM * steps_left`: how many times the error can multiply by e in the steps left, eps = 2 lr / N.

    Args:
        seem: SEEM, one value or an array.
        lr: learning rate of SGD.
        n: number of transitions N.
        steps_left: steps until training ends, of the same shape, or one number.

    Returns:
        The product, an array of that shape.

    Raises:
        ValueError: a rate or count that is not positive, or fewer than no steps left.

    Example:
        >>> time_constants(10.0, lr=2e-2, n=40, steps_left=400).item()
        4.0
    """
    if not lr > 0 or not n > 0 or np.any(np.asarray(steps_left) < 0):
        raise ValueError(f"lr and n must be positive and steps_left not negative, got {lr}, {n} and {steps_left!r}")
    return np.asarray(step_size(lr, n) * np.asarray(seem, dtype=float) * np.asarray(steps_left))


def early_warning(seem: ArrayLike | float, *, lr: float, n: int, steps_left: ArrayLike | int) -> np.ndarray:
    """The rule `eps * SEEM * steps_left > 1`: this run will diverge before training ends.

    On the ray of a depth-2 network the error blows up within `1 / (eps SEEM)` steps. A SEEM that is not a number
    gives no warning. Errors as `time_constants`.

    Args:
        seem: SEEM, one value or an array.
        lr: learning rate of SGD.
        n: number of transitions N.
        steps_left: steps until training ends, of the same shape, or one number.

    Returns:
        True where the rule warns.

    Example:
        >>> early_warning([0.5, 10.0], lr=2e-2, n=63, steps_left=400).tolist()
        [False, True]
    """
    return np.asarray(time_constants(seem, lr=lr, n=n, steps_left=steps_left) > 1)


@dataclass(frozen=True)
class Auroc:
    """How well a score tells two groups apart; made by `auroc` and `auroc_gain`.

    Args:
        value: the probability that a run which diverged has the higher score than one which did not (ties count
            half), .5 for a coin; for `auroc_gain`, the difference of two such.
        low: lower end of the bootstrap interval.
        high: its upper end.
        diverged: runs that diverged.
        others: runs that did not.
    """

    value: float
    low: float
    high: float
    diverged: int
    others: int

    def __repr__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}] ({self.diverged} diverged, {self.others} did not)"


def auroc(score: ArrayLike, diverged: ArrayLike, *, confidence: float = 0.95, seed: int = 0) -> Auroc:
    """Area under the ROC curve of a score for "will diverge", with a bootstrap interval over runs.

    Args:
        score: `(R,)` one score a run; higher should mean "diverges". Leave runs out that are over already.
        diverged: `(R,)` what became of them.
        confidence: of the percentile interval, from 2000 resamples within each group.
        seed: of the resampling.

    Returns:
        The area and its interval.

    Raises:
        ValueError: lengths that differ, a score that is not a number, fewer than two runs in a group.

    Example:
        >>> auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True]).value
        0.75
    """
    with_score, without = _groups(diverged, score)
    return _interval((with_score[0],), (without[0],), confidence, seed)


def auroc_gain(
    score: ArrayLike,
    baseline: ArrayLike,
    diverged: ArrayLike,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Auroc:
    """AUROC of a score minus that of a baseline on the same runs; the interval resamples runs, so pairs stay pairs.

    Args:
        score: `(R,)` one score a run.
        baseline: `(R,)` the score it should beat.
        diverged: `(R,)` what became of the runs.
        confidence: as `auroc`.
        seed: as `auroc`.

    Returns:
        The difference and its interval: above 0 throughout, the score is better.

    Raises:
        ValueError: as `auroc`.

    Example:
        >>> auroc_gain([1, 2, 3, 4], [4, 3, 2, 1], [False, False, True, True]).value
        1.0
    """
    with_scores, without = _groups(diverged, score, baseline)
    return _interval(tuple(with_scores), tuple(without), confidence, seed)


def _area(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """AUROC = U / (n m) along the last axis."""
    u = scipy.stats.mannwhitneyu(positive, negative, axis=-1, method="asymptotic").statistic
    return np.asarray(u / (positive.shape[-1] * negative.shape[-1]))


def _interval(positive: tuple, negative: tuple, confidence: float, seed: int) -> Auroc:
    """The area of the first score, minus that of the second if there are two, with its interval."""
    rows = [np.arange(len(positive[0])), np.arange(len(negative[0]))]

    def statistic(ours: np.ndarray, theirs: np.ndarray, axis: int = -1) -> np.ndarray:
        areas = [_area(p[ours], n[theirs]) for p, n in zip(positive, negative, strict=True)]
        return np.asarray(areas[0] - areas[1]) if len(areas) == 2 else areas[0]

    found = scipy.stats.bootstrap(
        rows, statistic, n_resamples=2000, confidence_level=confidence, method="percentile", vectorized=True, rng=seed
    ).confidence_interval
    return Auroc(float(statistic(rows[0], rows[1])), float(found.low), float(found.high), len(rows[0]), len(rows[1]))


def _groups(diverged: ArrayLike, *scores: ArrayLike) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Each score of the runs that diverged, and of the others."""
    label = np.asarray(diverged)
    if label.ndim != 1 or not np.isin(label, (0, 1)).all():
        raise ValueError("diverged must be one True or False a run")
    label = label.astype(bool)
    arrays = [np.asarray(score, dtype=float) for score in scores]
    for array in arrays:
        if array.shape != label.shape:
            raise ValueError(f"{len(label)} runs need as many scores, got {array.shape}")
        if np.isnan(array).any():
            raise ValueError(f"the score of run {int(np.argmax(np.isnan(array)))} is not a number; leave that run out")
    if min(label.sum(), (~label).sum()) < 2:
        raise ValueError(f"two runs of each kind are needed; {int(label.sum())} of {len(label)} diverged")
    return [array[label] for array in arrays], [array[~label] for array in arrays]
