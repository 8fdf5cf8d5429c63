"""One measured number, its interval, and the range in which a claim says it lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from seem_lab.early_warning import Auroc
from seem_lab.evidence import mean


@dataclass(frozen=True)
class Finding:
    """A number with its 95 % interval, and what was claimed of it. Make one by `share`, `median`, `gain` or `area`.

    Args:
        what: what was counted or measured, where.
        value: the number.
        low: lower end of its 95 % interval.
        high: upper end.
        runs: how many runs it rests on.
        least: the claim says it is at least this.
        most: the claim says it is at most this.
        core: True: the claim as it is made, in its own setting. False: how far it carries beyond.
        percent: whether it is shown in per cent.
        middle: where the middle 90 % of the runs lie, if there is one number a run.
    """

    what: str
    value: float
    low: float
    high: float
    runs: int
    least: float = -math.inf
    most: float = math.inf
    core: bool = True
    percent: bool = False
    middle: tuple[float, float] | None = field(default=None)

    def __post_init__(self) -> None:
        if not math.isfinite(self.least) and not math.isfinite(self.most):
            raise ValueError(f"'{self.what}' claims nothing: give least, most, or both")

    @property
    def outcome(self) -> Literal["yes", "no", "open"]:
        """Whether the interval lies in the claimed range (yes), outside it (no), or in both (open: too few runs)."""
        if self.least <= self.low and self.high <= self.most:
            return "yes"
        return "no" if self.high < self.least or self.most < self.low else "open"

    @property
    def claimed(self) -> str:
        """The claimed range in words."""
        bounds = {"at least": self.least, "at most": self.most}
        return " and ".join(f"{word} {self._show(bound)}" for word, bound in bounds.items() if math.isfinite(bound))

    @property
    def figure(self) -> str:
        """The number with its interval and its spread."""
        text = f"{self._show(self.value)} [{self._show(self.low)}, {self._show(self.high)}], {self.runs} runs"
        if self.middle:
            text += f", nine in ten from {self._show(self.middle[0])} to {self._show(self.middle[1])}"
        return text

    def _show(self, number: float) -> str:
        if self.percent:
            return f"{100 * number:.0f} %"
        return f"{number:.3g}"


def share(what: str, hits: ArrayLike, **claimed: Any) -> Finding:
    """The share of runs for which something is true, with Wilson's interval.

    Args:
        what: of the `Finding`.
        hits: `(R,)` True or False a run.
        claimed: `least`, `most` and `core` of the `Finding`.

    Example:
        >>> share("heads", [True] * 9 + [False], least=0.5).outcome
        'yes'
    """
    true, runs = int(np.sum(hits)), len(np.asarray(hits))
    interval = scipy.stats.binomtest(true, runs).proportion_ci(method="wilson")
    return Finding(what, true / runs, float(interval.low), float(interval.high), runs, percent=True, **claimed)


def median(what: str, values: ArrayLike, **claimed: Any) -> Finding:
    """The median over runs, with the interval that assumes nothing of how they are distributed.

    Args:
        what: of the `Finding`.
        values: `(R,)` one number a run; those that are not a number are left out.
        claimed: `least`, `most`, `core` and `percent` of the `Finding`.

    Example:
        >>> median("ten numbers", range(1, 11), most=9.0).figure
        '5.5 [2, 9], 10 runs, nine in ten from 1.45 to 9.55'
    """
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[~np.isnan(numbers)]
    middle = float(np.median(numbers))
    interval = scipy.stats.quantile_test(numbers, q=middle).confidence_interval(0.95)
    low, high = (float(end) for end in np.quantile(numbers, [0.05, 0.95]))
    ends = float(interval.low), float(interval.high)
    return Finding(what, middle, *ends, len(numbers), middle=(low, high), **claimed)


def gain(what: str, values: ArrayLike, others: ArrayLike, **claimed: Any) -> Finding:
    """The difference of two means over runs, with the bootstrap interval of `seem_lab.evidence.mean`.

    Args:
        what: of the `Finding`.
        values: `(R,)` one number a run.
        others: `(S,)` those of the runs they are held against.
        claimed: `least`, `most` and `core` of the `Finding`.

    Example:
        >>> gain("more", [1.0, 1.0, 0.9], [0.0, 0.1, 0.0], least=0.0).outcome
        'yes'
    """
    found = mean(values, minus=others)
    return Finding(
        what, found.value, found.low, found.high, len(np.asarray(values)) + len(np.asarray(others)), **claimed
    )


def area(what: str, auroc: Auroc, **claimed: Any) -> Finding:
    """An area under the ROC curve, or a difference of two, with the bootstrap interval that it comes with.

    Args:
        what: of the `Finding`.
        auroc: as `auroc` or `auroc_gain` made it.
        claimed: `least`, `most` and `core` of the `Finding`.

    Example:
        >>> area("a score", Auroc(0.8, 0.7, 0.9, 20, 20), least=0.5).outcome
        'yes'
    """
    return Finding(what, auroc.value, auroc.low, auroc.high, auroc.diverged + auroc.others, **claimed)
