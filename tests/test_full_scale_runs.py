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
    weak = chosen(CROSSING, task="hopper weak")
    assert (weak.crossed_at[~weak.layer_norm] <= 255).all() and (~weak.layer_norm).sum() == 10
    replay = chosen(CROSSING, task="hopper replay")
    assert (replay.crossed_at[~replay.layer_norm] <= 569).all()
    assert replay.groupby(["fraction", "layer_norm"]).size().eq(5).all()
    normed = pd.concat([weak[weak.layer_norm], replay[replay.layer_norm]])
    assert normed.crossed_at.isna().all() and normed.q_max.max() < 121


def test_half_cheetah_and_pendulum_do_not_pass_but_for_a_hundredth_of_the_data():
    cheetah = chosen(CROSSING, task="halfcheetah weak", layer_norm=False)
    passed = cheetah.crossed_at.notna().groupby(cheetah.fraction).agg(["sum", "size"])
    assert passed.to_dict("index") == {
        0.01: {"sum": 4, "size": 5},
        0.1: {"sum": 0, "size": 5},
        1.0: {"sum": 0, "size": 10},
    }
    assert chosen(CROSSING, task="pendulum").crossed_at.isna().all()


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
    data, _ = load_recorded("maze_2d_0")
    assert int(data.subset(0.1, seed=0).terminal.sum()) == 3


def test_in_a_mild_setting_plain_is_better_and_without_a_behaviour_term_both_fail():
    mild = {"task": "maze 0", "tau": 0.1, "behaviour_weight": 1.0}
    normed, plain = scores(True, **mild), scores(False, **mild)
    assert (plain == 1).all() and (normed == 1).sum() == 2 and evidence.mean(normed, minus=plain).high < 0
    assert (RUNS.q_max[plain.index] < 20).all()
    free = scores(True, task="maze 0", behaviour_weight=0.0)
    assert (free == 0).all() and (RUNS.q_max[free.index] < 13).all()
