"""Intervals and alarm rules against cases worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from seem_lab import evidence
from seem_lab.evidence import AlarmRule

NAN = math.nan


def run_table(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    base = {"task": ["t"] * n, "fraction": [1.0] * n, "method": ["td3"] * n, "behaviour_weight": [0.0] * n}
    base |= {"tau": [1.0] * n, "layer_norm": [False] * n, "seed": list(range(n)), "q_limit": [100.0] * n}
    return pd.DataFrame(base | {"q_max": [1.0] * n, "score": [NAN] * n, "crossed_at": [NAN] * n} | columns)


def reading_table(seem: dict[int, list[float]], q: float = 50.0) -> pd.DataFrame:
    rows = [
        {"run": run, "step": 10 * k, "q_max": q, "seem_per_parameter": value, "seem_normalised": 0.5}
        for run, values in seem.items()
        for k, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_wilson_by_its_formula():
    z, n, p = 1.959963984540054, 20, 0.9
    middle = (p + z * z / 2 / n) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    found = evidence.share(18, 20)
    assert (found.value, found.low, found.high) == pytest.approx((0.9, middle - half, middle + half))


def test_bootstrap_of_a_difference_is_near_the_normal_interval():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 1, 400), rng.normal(0, 2, 400)
    found = evidence.mean(ours, minus=theirs)
    half = 1.96 * math.sqrt(ours.var() / 400 + theirs.var() / 400)
    assert found.value == pytest.approx(ours.mean() - theirs.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.03)


def test_seeds_that_agree_give_an_interval_of_no_width_and_one_seed_none():
    assert str(evidence.mean([1.0, 1.0], minus=[0.0, 0.0])) == "1.00 [1.00, 1.00]"
    with pytest.raises(ValueError, match="two seeds or more are needed in each group, got \\[2, 1\\]"):
        evidence.mean([1.0, 2.0], minus=[0.0])


def test_summary_has_a_line_a_setting():
    runs = run_table(
        layer_norm=[True, True, False, False],
        crossed_at=[NAN, NAN, 200.0, 300.0],
        q_max=[5.0, 7.0, 150.0, 400.0],
        score=[0.5, 1.0, 0.0, NAN],
    )
    normed, plain = evidence.summary(runs).to_dict("records")
    assert (normed["crossed"], normed["q_max"], normed["score"]) == (0, 7.0, 0.75)
    assert (plain["crossed"], plain["first"], plain["last"], plain["over_limit"]) == (2, 200.0, 300.0, 4.0)
    assert math.isnan(plain["score"])  # one seed was not tried


@pytest.mark.parametrize(
    ("rule", "step"),
    [
        (AlarmRule(seem=0.1), 10),
        (AlarmRule(seem=0.1, patience=2), 40),
        (AlarmRule(seem=0.1, patience=3), NAN),
        (AlarmRule(seem=0.1, q=0.4), 10),
        (AlarmRule(seem=0.1, q=0.6), NAN),
        (AlarmRule(normalised=0.6), NAN),
        (AlarmRule(seem=0.9), 30),
    ],
)
def test_first_step_at_which_a_rule_is_passed(rule, step):
    readings = reading_table({0: [0.0, 0.2, 0.0, 1.0, 0.3]})
    assert rule.step(readings, q_limit=100.0) == pytest.approx(step, nan_ok=True)


def test_outcomes_and_their_shares():
    runs = run_table(crossed_at=[20.0, 10.0, 30.0, NAN, NAN])
    readings = reading_table({0: [0, 1, 0], 1: [0, 1], 2: [0, 0, 0], 3: [0, 0, 1], 4: [0, 0, NAN]})
    judged = evidence.alarms(AlarmRule(seem=0.1), runs, readings)
    assert list(judged.outcome) == ["caught", "missed", "missed", "false alarm", "quiet"]
    caught, false = evidence.caught_and_false(judged)
    assert (caught.value, false.value) == (1 / 3, 1 / 2)


def test_best_rule_catches_enough_with_the_fewest_false_alarms():
    runs = run_table(crossed_at=[30.0, 30.0, NAN, NAN])
    readings = reading_table({0: [0, 2, 2], 1: [0, 0, 2], 2: [0.5, 0.5], 3: [1.5, 1.5]})
    rules = [AlarmRule(seem=a) for a in (0.1, 1.0, 1.8, 3.0)]
    assert evidence.best_rule(rules, runs, readings) == AlarmRule(seem=1.8)
    assert evidence.best_rule(rules[:2], runs, readings) == AlarmRule(seem=1.0)
    assert evidence.best_rule(rules[3:], runs, readings) == AlarmRule(seem=3.0)  # none catches; the best there is
