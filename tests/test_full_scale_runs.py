"""The stored runs of lesson 10 are what training does, and what the lesson says of them is true."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from seem_lab import evidence, experiments
from seem_lab.critics import RunOptions, train_agent
from seem_lab.problems import DATA
from seem_lab.provenance import load_recorded

RUNS, READINGS = evidence.stored_runs()
MAZE = RUNS[RUNS.part == "maze"]
CROSSING = RUNS[RUNS.part == "crossing"]


def chosen(runs: pd.DataFrame, **settings: object) -> pd.DataFrame:
    """The runs with these settings."""
    for name, value in settings.items():
        runs = runs[runs[name] == value]
    assert len(runs)
    return runs


def test_files_are_the_ones_described():
    readme = (DATA / "README.md").read_text()
    for name, rows in (("full_scale_runs.csv", len(RUNS)), ("full_scale_traces.csv.gz", len(READINGS))):
        content = (DATA / name).read_bytes()
        assert len(content) < 1.5e6
        (line,) = [line for line in readme.splitlines() if f"`{name}`" in line]
        assert hashlib.sha256(content).hexdigest() in line
        assert f"{len(content):,} bytes" in line and f" {rows:,} " in line
    for column in [*RUNS.columns, *READINGS.columns]:
        assert f"`{column}`" in readme[readme.index("## Critics at full scale") :], column


def test_every_run_of_the_table_of_settings_is_there_once():
    columns = [*experiments.jobs()[0].arm.settings, "seed"]
    wanted = [{**job.arm.settings, "seed": seed} for job in experiments.jobs() for seed in job.seeds]
    wanted_table = pd.DataFrame(wanted)[columns]
    assert wanted_table.fillna(-1).to_dict("records") == RUNS[columns].fillna(-1).to_dict("records")


@pytest.mark.parametrize("task", experiments.TASKS)
def test_runs_belong_to_the_recorded_data_at_hand(task):
    data, _ = load_recorded(experiments.TASKS[task][0])
    for fraction, runs in RUNS[RUNS.task == task].groupby("fraction"):
        assert set(runs.data) == {experiments.fingerprint(data.subset(float(fraction), seed=0))}


@pytest.mark.parametrize("layer_norm", [False, True])
def test_the_start_of_a_run_is_made_again(layer_norm):
    """Hopper, to the second reading: SEEM before the first step, values after (stored runs were trained together)."""
    stored = chosen(CROSSING, task="hopper weak", layer_norm=layer_norm, seed=100)
    trace = READINGS[READINGS.run == stored.index[0]].set_index("step")
    steps = int(trace.index[1])
    run = train_agent(
        experiments.control(layer_norm),
        load_recorded("hopper_weak")[0],
        RunOptions(steps=steps, seed=100, log_every=steps, seem_every=steps, device="cpu"),
        show=False,
    )
    assert run.q_limit == pytest.approx(stored.q_limit.iloc[0], rel=1e-3)
    assert run.monitor.readings[0].per_parameter == pytest.approx(trace.seem_per_parameter[0], rel=1e-2)
    ours = run.log.table().iloc[-1]
    assert ours.q_max == pytest.approx(trace.q_max[steps], rel=2e-2)
    assert ours.q_mean == pytest.approx(trace.q_mean[steps], rel=2e-2)


def test_readings_and_runs_agree():
    largest = READINGS.groupby("run").q_max.max()
    assert (RUNS.q_max[largest.index] / largest).between(0.999, 1.001).all()
    crossed = RUNS.crossed_at.notna()
    assert ((RUNS.q_max > RUNS.q_limit) == crossed)[RUNS.q_limit.notna()].all()
    assert (RUNS.crossed_at <= RUNS.last_step)[crossed].all()
    assert RUNS.overflowed_at.isna().all()


def test_plain_critics_pass_the_limit_on_hopper_and_layer_norm_never():
    for task, last, of in (("hopper weak", 255, 10), ("hopper early", 599, 10), ("hopper replay", 569, 15)):
        plain = chosen(CROSSING, task=task, layer_norm=False)
        assert (plain.crossed_at <= last).all() and len(plain) == of
    normed = RUNS[RUNS.layer_norm]
    assert normed.crossed_at.isna().all() and normed.steps.min() == 1000 and normed.steps.max() == 4000
    hopper = normed[normed.task.str.startswith("hopper") & (normed.part == "crossing")]
    assert hopper.q_max.max() < 121 and (hopper.steps == 1500).all()


def test_half_cheetah_depends_on_the_data():
    cheetah = chosen(CROSSING, layer_norm=False)
    cheetah = cheetah[cheetah.task.str.startswith("halfcheetah")]
    passed = cheetah.crossed_at.notna().groupby([cheetah.task, cheetah.fraction]).agg(["sum", "size"])
    assert [tuple(row) for row in passed.to_numpy()] == [(6, 10), (4, 5), (0, 5), (0, 10)]
    assert chosen(cheetah, task="halfcheetah early").crossed_at.min() > 400
    assert (cheetah.steps == 1000).all()


def test_pendulum_is_wrong_long_before_it_passes():
    plain = chosen(CROSSING, task="pendulum", layer_norm=False)
    assert plain.crossed_at.notna().sum() == 3 and len(plain) == 5 and plain.crossed_at.min() > 2600
    assert load_recorded("pendulum")[0].reward.max() < 0  # no true value is above 0
    highest = READINGS[READINGS.run.isin(plain.index)].groupby("run").q_mean.max()
    assert (highest > 300).all()


def test_slow_targets_delay():
    slow = chosen(RUNS, part="rates")
    assert slow.crossed_at.isna().all() and slow.q_max[slow.tau == 0.005].max() < 20
    assert slow.groupby("tau").steps.first().to_dict() == {0.005: 2000, 0.1: 1500}
    assert ((slow.q_max / slow.q_limit)[slow.tau == 0.1] > 0.5).sum() >= 1


def scores(layer_norm: bool, **settings: object) -> pd.Series:
    """What the policies of TD3 in the maze reach, half of the behaviour term if not told otherwise."""
    settings = {"fraction": 1.0, "tau": 1.0, "behaviour_weight": 0.5} | settings
    return chosen(MAZE, method="td3", layer_norm=layer_norm, **settings).score


def cloning(task: str, fraction: float = 1.0) -> pd.Series:
    return chosen(MAZE, method="behaviour-cloning", task=task, fraction=fraction).score


def test_layer_norm_wins_in_the_harsh_maze_on_both_data_sets():
    for task in ("maze 0", "maze 1"):
        normed, plain = (scores(layer_norm, task=task) for layer_norm in (True, False))
        assert len(normed) == len(plain) == len(cloning(task)) == 10
        assert evidence.mean(normed, minus=plain).low > 0.9 and plain.max() == 0
        assert normed.min() > cloning(task).mean()
        assert (RUNS.q_max[plain.index] > 10 * experiments.MAZE_LARGEST).all()
        assert (RUNS.q_max[normed.index] < 1.3 * experiments.MAZE_LARGEST).all()


def test_layer_norm_does_not_win_with_a_tenth_of_data_0_nor_with_eight_thrusters():
    tenth = scores(True, task="maze 0", fraction=0.1)
    assert (tenth > 0).sum() == 1 and RUNS.q_max[tenth.index].max() < 13
    for settings in ({"task": "maze 0", "fraction": 0.1}, *({"task": f"maze8 {i}", "tau": 0.1} for i in (0, 1))):
        difference = evidence.mean(scores(True, **settings), minus=scores(False, **settings))
        assert difference.low <= 0 < difference.value
    assert cloning("maze8 0").mean() == pytest.approx(scores(True, task="maze8 0", tau=0.1).mean(), abs=0.15)
    other = [scores(layer_norm, task="maze 1", fraction=0.1) for layer_norm in (True, False)]
    assert evidence.mean(other[0], minus=other[1]).low > 0 and other[0].mean() == pytest.approx(0.78, abs=0.01)
    data, _ = load_recorded("maze_2d_0")
    assert int(data.subset(0.1, seed=0).terminal.sum()) == 3


def test_in_a_mild_setting_plain_is_better_and_without_a_behaviour_term_both_fail():
    mild = {"task": "maze 0", "tau": 0.1, "behaviour_weight": 1.0}
    normed, plain = scores(True, **mild), scores(False, **mild)
    assert (plain == 1).all() and (normed == 1).sum() == 5 and evidence.mean(normed, minus=plain).high < 0
    assert (RUNS.q_max[plain.index] < 20).all()
    free = scores(True, task="maze 0", behaviour_weight=0.0)
    assert (free == 0).all() and (RUNS.q_max[free.index] < 13).all()
    slow = {"task": "maze 0", "tau": 0.005}
    normed, plain = scores(True, **slow), scores(False, **slow)
    assert plain.max() == 0 and normed.mean() > 0.8 and 10 < RUNS.q_max[plain.index].max() < 14


def test_layer_norm_in_other_methods():
    methods = RUNS[RUNS.part.isin(["plug-in maze", "plug-in control"])]
    maze, hopper = (methods[methods.part == f"plug-in {place}"] for place in ("maze", "control"))
    for method, plain, normed in (("td3", 0, 1), ("cql", 0.9, 0.65), ("diffusion-ql", 0, 0.255)):
        mean = chosen(maze, method=method).groupby("layer_norm").score.mean()
        assert [mean[False], mean[True]] == pytest.approx([plain, normed], abs=0.01)
    assert (maze.groupby(["method", "layer_norm"]).size() == 10).all()
    assert chosen(methods, method="cql").crossed_at.isna().all()
    plain, normed = (chosen(hopper, behaviour_weight=1.0, layer_norm=which).score for which in (False, True))
    assert evidence.mean(normed, minus=plain).high < 0  # TD3+BC is better without
    plain, normed = (
        chosen(hopper, method="td3", behaviour_weight=0.0, layer_norm=which).score for which in (False, True)
    )
    assert evidence.mean(normed, minus=plain).low > 0
    for method in ("cql", "diffusion-ql"):
        plain, normed = (chosen(hopper, method=method, layer_norm=which).score for which in (False, True))
        difference = evidence.mean(normed, minus=plain)
        assert len(plain) == len(normed) == 5 and difference.low < 0 < difference.value
    plain, normed = (chosen(maze, method="cql", layer_norm=which).score for which in (False, True))
    difference = evidence.mean(normed, minus=plain)
    assert difference.value < 0 < difference.high


WATCHED = RUNS[RUNS.part.isin(["crossing", "rates"])]


def test_what_the_present_alarm_catches_misses_and_cries_about():
    judged = evidence.alarms(evidence.PRESENT_RULE, WATCHED, READINGS)
    outcomes = judged.groupby("outcome").task.value_counts()
    assert outcomes["missed"].to_dict() == {"halfcheetah early": 5}
    assert not judged[judged.task.str.startswith("hopper")].outcome.eq("missed").any()
    false = judged[(judged.outcome == "false alarm") & ~judged.layer_norm]
    assert (false.tau == 0.1).sum() == 5 and (false.task == "pendulum").sum() == 2
    assert false.task.str.startswith("halfcheetah").sum() == 4 == len(false) - 7
    caught = judged[judged.outcome == "caught"]
    assert (caught.crossed_at - caught.alarm_at).median() < 100


def test_no_family_of_rules_keeps_nine_of_ten_on_seeds_that_did_not_set_it():
    design = WATCHED[evidence.design_seeds(WATCHED)]
    judge, leads = WATCHED.drop(design.index), {}
    for name, family in evidence.FAMILIES.items():
        rule = evidence.best_rule(family, design, READINGS)
        assert evidence.caught_and_false(evidence.alarms(rule, design, READINGS))[0].value >= 0.9
        judged = evidence.alarms(rule, judge, READINGS)
        caught, false = evidence.caught_and_false(judged)
        assert 0.7 < caught.value < 0.9 and false.value < 0.1
        leads[name] = (judged.crossed_at - judged.alarm_at)[judged.outcome == "caught"].median()
    assert leads["SEEM / P"] == pytest.approx(1.5 * leads["|Q|"], rel=0.1)
