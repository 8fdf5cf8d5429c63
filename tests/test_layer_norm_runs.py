"""The stored runs of lesson 07 are what training gives, and show what README and lesson say."""

import hashlib

import make_layer_norm_runs as made
import numpy as np
import pandas as pd
import pytest

import seem_lab as sl

RUNS = pd.read_csv(made.FILE)
README = (made.FILE.parent / "README.md").read_text()


def lost(part, **wanted):
    """How many of 24 blow up."""
    runs = RUNS[RUNS.part == part]
    for column, value in wanted.items():
        runs = runs[runs[column] == value]
    assert sorted(runs.seed) == list(range(24)), (part, wanted)
    return int(runs.diverged.sum())


def test_every_setting_is_there_and_readme_describes_the_file():
    assert len(RUNS) == 24 * len(list(made.settings()))
    content = made.FILE.read_bytes()
    (line,) = [line for line in README.splitlines() if line.startswith("| `layer_norm.csv`")]
    assert hashlib.sha256(content).hexdigest() in line
    assert f"{len(content):,} bytes" in line and f"| {len(RUNS)} |" in line
    assert len(content) < 500_000


@pytest.mark.parametrize("depth", [2, 3])
def test_layer_norm_saves_every_run_that_crashes_without_it(depth):
    assert lost("rescue", depth=depth, norm="none") == 24
    for affine in (True, False):
        assert lost("rescue", depth=depth, norm="all", affine=affine) == 0
    kept = RUNS[(RUNS.part == "rescue") & (RUNS.norm == "all")]
    assert (kept.steps == 5000).all() and (kept.lr == 0.02).all()
    assert kept.q_peak.max() < 150


def test_seem_is_above_zero_in_nearly_all_runs_and_rises_before_it_falls():
    runs = RUNS[(RUNS.part == "rescue") & (RUNS.depth == 2) & (RUNS.norm == "all") & RUNS.affine]
    above = [(runs[f"seem_at_{step}"] > 0).sum() for step in made.SEEM_AT]
    assert above == [24, 24, 24, 24, 22, 23]
    assert 12.5 < runs.seem_at_50.median() / runs.seem_at_0.median() < 13.5
    assert all(runs[f"seem_at_{step}"].median() < 0.015 for step in (200, 500, 1000))
    plain = RUNS[(RUNS.part == "rescue") & (RUNS.depth == 2) & (RUNS.norm == "none")]
    assert 6.5 < plain.seem_at_50.median() / plain.seem_at_0.median() < 7.5


def test_what_readme_and_lesson_say_of_its_limits():
    assert [lost("layers", norm=norm) for norm in ("first", "last")] == [10, 0]
    assert [lost("rate", lr=lr) for lr in (0.05, 0.1, 0.2, 0.5)] == [2, 8, 23, 24]
    assert [lost("reward", lr=lr, norm="all") for lr in (0.02, 0.002)] == [23, 0]
    assert [lost("reward", lr=lr, norm="none") for lr in (0.02, 0.002)] == [24, 24]
    assert [lost("init", lr=lr, norm="all") for lr in (0.02, 0.002)] == [15, 1]
    assert [lost("init", lr=lr, norm="none") for lr in (0.02, 0.002)] == [24, 24]
    for gamma in (0.98, 0.99):
        for lr in (0.02, 0.005):
            assert lost("grid", gamma=gamma, lr=lr, norm="all") >= lost("grid", gamma=gamma, lr=lr, norm="none")
    slow = RUNS[(RUNS.part == "grid") & (RUNS.gamma == 0.99) & (RUNS.norm == "all")]
    steps = [slow[slow.lr == lr].crash_step.median() for lr in (0.02, 0.005)]
    assert 3.5 < steps[1] / steps[0] < 4.5, "the same run in slow motion"


@pytest.mark.parametrize("gamma", [0.9, 0.95])
def test_values_stay_right(gamma):
    runs = RUNS[(RUNS.part == "value") & (RUNS.gamma == gamma)]
    plain, norm = (runs[runs.norm == which] for which in ("none", "all"))
    assert len(plain) == len(norm) == 24 and not runs.diverged.any()
    for mark in made.GRID_MARKS:
        assert norm[f"error_at_{mark}"].median() < plain[f"error_at_{mark}"].median()
    assert norm.error_at_10000.max() < 0.25


def test_a_stored_walk_is_that_of_train():
    """Depth 3 with one LayerNorm, by the other training loop, to step 100."""
    setting = made.Setting("layers", 3, "first")
    seed = 3
    run = sl.train(setting.network(seed), sl.toy_walk(seed), steps=100, seem_every=50, progress=False)
    row = RUNS[(RUNS.part == "layers") & (RUNS.norm == "first") & (RUNS.seed == seed)].iloc[0]
    for step in (0, 50, 100):
        assert np.isclose(row[f"q_max_at_{step}"], run.q_max[step], rtol=1e-5)
        assert np.isclose(row[f"seem_at_{step}"], run.seem[step], rtol=1e-4, atol=1e-8)


def test_a_stored_grid_is_that_of_train():
    world = sl.grid_world(gamma=0.9)
    network = made.Setting("value", norm="all").network(2)
    sl.train(network, world, lr=0.1, steps=1000, progress=False)
    error = made.relative_error(sl.q_values(network, world.x).detach(), sl.true_values(world))
    row = RUNS.query("part == 'value' and gamma == .9 and norm == 'all' and seed == 2").iloc[0]
    assert np.isclose(row.error_at_1000, error, rtol=1e-3)


def test_segments_of_a_grid_add_up_to_one_run():
    setting = made.Setting("grid", norm="all", gamma=0.99)
    whole, pieces = (made.grid_runs(setting, [0, 1], marks=marks) for marks in ((400,), (150, 250, 400)))
    for one, other in zip(whole, pieces, strict=True):
        assert (one["diverged"], one["crash_step"]) == (other["diverged"], other["crash_step"])
        assert np.isclose(one["q_peak"], other["q_peak"], rtol=1e-6)
    assert {row["diverged"] for row in whole} == {True, False}, "both kinds are looked at"
