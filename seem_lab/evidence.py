"""What the full-scale runs show: figures with 95 % intervals, the alarm judged on seeds that did not set it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from seem_lab.problems import DATA

ARM = ["task", "fraction", "method", "behaviour_weight", "tau", "layer_norm"]  # columns that tell one setting


def stored_runs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables that `seem-lab report` wrote, as they stand in `data/`.

    Returns:
        One row a run, and one row a reading along the runs, with `run` the row of the first table.

    Example:
        >>> runs, readings = stored_runs()
        >>> set(readings.run) <= set(runs.index)
        True
    """
    return pd.read_csv(DATA / "full_scale_runs.csv"), pd.read_csv(DATA / "full_scale_traces.csv.gz")


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval.

    Args:
        value: the figure.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def share(hits: int, of: int) -> Estimate:
    """A share of runs, with Wilson's interval.

    Example:
        >>> print(share(10, 10))
        1.00 [0.72, 1.00]
    """
    found = scipy.stats.binomtest(hits, of).proportion_ci(method="wilson")
    return Estimate(hits / of, float(found.low), float(found.high))


def mean(values: ArrayLike, minus: ArrayLike | None = None) -> Estimate:
    """The mean over seeds, or the difference of two means, with a percentile bootstrap interval over seeds.

    Where all seeds agree the interval has no width; then look at `share` as well.

    Args:
        values: one a seed, two or more.
        minus: those of the other group.

    Raises:
        ValueError: fewer than two values in a group.

    Example:
        >>> print(mean([1.0, 1.0, 0.9], minus=[0.0, 0.1, 0.0]))
        0.93 [0.87, 1.00]
    """
    groups = [np.asarray(group, dtype=float) for group in (values, minus) if group is not None]
    if min(len(group) for group in groups) < 2:
        raise ValueError(f"two seeds or more are needed in each group, got {[len(group) for group in groups]}")

    def statistic(*groups: np.ndarray, axis: int = -1) -> np.ndarray:
        means = [group.mean(axis) for group in groups]
        return np.asarray(means[0] if len(means) == 1 else means[0] - means[1])

    if all(np.ptp(group) == 0 for group in groups):
        return Estimate(*3 * [float(statistic(*groups))])
    found = scipy.stats.bootstrap(groups, statistic, n_resamples=5000, method="percentile", vectorized=True, rng=0)
    interval = found.confidence_interval
    return Estimate(float(statistic(*groups)), float(interval.low), float(interval.high))


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """One line a setting, in the order of the runs.

    Args:
        runs: as `stored_runs` gives them.

    Returns:
        The settings (`ARM`); `seeds`; `crossed`, how many pass Qlim; `first` and `last`, when the first and the last of
        these do; `q_max`, the largest |Q| of all; `over_limit`, that over Qlim; `score` with `low` and `high`, the mean
        over seeds of what the last policy reaches, missing where it was not tried.
    """
    lines = []
    for settings, group in runs.groupby(ARM, dropna=False, sort=False):
        score = mean(group.score) if group.score.notna().all() and len(group) > 1 else Estimate(*3 * [math.nan])
        lines.append(
            {
                **dict(zip(ARM, settings, strict=True)),
                "seeds": len(group),
                "crossed": int(group.crossed_at.notna().sum()),
                "first": group.crossed_at.min(),
                "last": group.crossed_at.max(),
                "q_max": group.q_max.max(),
                "over_limit": (group.q_max / group.q_limit).max(),
                "score": score.value,
                "low": score.low,
                "high": score.high,
            }
        )
    return pd.DataFrame(lines)


@dataclass(frozen=True)
class AlarmRule:
    """An alarm at the first reading at which all of these were passed, and at the readings just before it, too.

    Args:
        seem: SEEM / P is larger.
        normalised: SEEM / ||A||_F is larger.
        q: |Q| / Qlim is larger.
        patience: so many readings in a row.
    """

    seem: float = -math.inf
    normalised: float = -math.inf
    q: float = -math.inf
    patience: int = 1

    def step(self, readings: pd.DataFrame, q_limit: float) -> float:
        """The step of the alarm, nan if there is none.

        Args:
            readings: of one run.
            q_limit: its Qlim.
        """
        passed = (
            (readings.seem_per_parameter.to_numpy() > self.seem)
            & (readings.seem_normalised.to_numpy() > self.normalised)
            & (np.nan_to_num(readings.q_max.to_numpy()) / q_limit > self.q)
        )
        in_a_row = np.convolve(passed, np.ones(self.patience), mode="full")[: len(passed)] >= self.patience - 0.5
        return float(readings.step.to_numpy()[np.argmax(in_a_row)]) if in_a_row.any() else math.nan


PRESENT_RULE = AlarmRule(seem=0.1, normalised=0.1)  # of `SeemMonitor`


def alarms(rule: AlarmRule, runs: pd.DataFrame, readings: pd.DataFrame) -> pd.DataFrame:
    """What a rule says of each run that has readings.

    Returns:
        The rows of these runs with `alarm_at`, and `outcome`: caught, missed (an alarm at the crossing is too late),
        false alarm, or quiet.
    """
    return _judge(rule, runs, dict(tuple(readings[readings.run.isin(runs.index)].groupby("run"))))


def _judge(rule: AlarmRule, runs: pd.DataFrame, by_run: dict[int, pd.DataFrame]) -> pd.DataFrame:
    kept = runs[runs.index.isin(by_run)].copy()
    kept["alarm_at"] = [rule.step(by_run[i], limit) for i, limit in kept.q_limit.items()]
    before = kept.alarm_at < kept.crossed_at
    crossed = kept.crossed_at.notna()
    kept["outcome"] = np.select(
        [crossed & before, crossed, kept.alarm_at.notna()], ["caught", "missed", "false alarm"], "quiet"
    )
    return kept


def caught_and_false(judged: pd.DataFrame) -> tuple[Estimate, Estimate]:
    """Share of the runs past Qlim that were caught before, and share of the others with a false alarm.

    Args:
        judged: as `alarms` makes it, with runs of both kinds.
    """
    caught, missed, false, quiet = (
        int((judged.outcome == word).sum()) for word in ("caught", "missed", "false alarm", "quiet")
    )
    return share(caught, caught + missed), share(false, false + quiet)


SEEM_GRID = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
Q_GRID = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
NORMALISED_GRID = (0.1, 0.2, 0.3, 0.4, 0.5)
FAMILIES: dict[str, list[AlarmRule]] = {
    "SEEM / P": [AlarmRule(seem=a, patience=k) for a, k in product(SEEM_GRID, (1, 2, 3))],
    "SEEM / P and SEEM / ||A||": [
        AlarmRule(seem=a, normalised=b, patience=k) for a, b, k in product(SEEM_GRID, NORMALISED_GRID, (1, 2, 3))
    ],
    "|Q|": [AlarmRule(q=c) for c in Q_GRID],
    "|Q| and SEEM / P": [AlarmRule(seem=a, q=c) for a, c in product(SEEM_GRID, Q_GRID)],
}


def best_rule(
    rules: Iterable[AlarmRule], runs: pd.DataFrame, readings: pd.DataFrame, *, caught: float = 0.9
) -> AlarmRule:
    """Of the rules that catch at least this share, one with the fewest false alarms; of several, that of most lead.

    Args:
        rules: to choose from.
        runs: that may set the rule; judge it on others.
        readings: along them.
        caught: share of the runs past Qlim; if no rule reaches it, the one that catches most is taken.
    """
    by_run = dict(tuple(readings[readings.run.isin(runs.index)].groupby("run")))

    def cost(rule: AlarmRule) -> tuple[float, float, float]:
        judged = _judge(rule, runs, by_run)
        hit, false = caught_and_false(judged)
        leads = (judged.crossed_at - judged.alarm_at)[judged.outcome == "caught"]
        return max(0.0, caught - hit.value), false.value, -float(leads.median()) if len(leads) else 0.0

    return min(rules, key=cost)


def design_seeds(runs: pd.DataFrame) -> pd.Series:
    """Which runs may set a rule: those of even seed; the others judge it."""
    return runs.seed % 2 == 0
