"""Runs are kept as soon as they are done, survive a crash in the middle of a line, and are never done twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from seem_lab import experiments, problems, run_store
from seem_lab.critics import BehaviourCloningOptions, TD3Options
from seem_lab.experiments import Arm, Job
from seem_lab.run_store import RunStore, carry_out_all

TINY = TD3Options(hidden=(8,), batch_size=16, tau=1.0)


def tiny(*seeds: int, options=TINY) -> Job:
    return Job("crossing", Arm("pendulum", options, 4, range(0), every=4), seeds)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "new folder" / "runs.jsonl")


@pytest.fixture
def counted(monkeypatch):
    """The jobs that are carried out, without any training."""
    calls = []

    def pretend(job):
        calls.append(job)
        return [{"part": "x", "seed": seed, "trace": {"step": [0], "q_max": [1.0]}} for seed in job.seeds]

    monkeypatch.setattr(run_store, "carry_out", pretend)
    return calls


def test_what_is_done_is_not_done_again(store, counted):
    jobs = [tiny(1), tiny(2, 3)]
    carry_out_all(jobs[:1], store, show=False)
    carry_out_all(jobs, store, show=False)
    carry_out_all(jobs, store, show=False)
    assert counted == jobs
    runs, readings = store.tables(jobs)
    assert list(runs.seed) == [1, 2, 3] and list(runs.part) == ["crossing"] * 3
    assert list(readings.run) == [0, 1, 2]


def test_other_settings_are_another_run(store, counted):
    job = tiny(1)
    carry_out_all([job], store, show=False)
    other = [
        replace(job, arm=replace(job.arm, options=replace(TINY, tau=0.5))),
        replace(job, arm=replace(job.arm, steps=5)),
        replace(job, seeds=(2,)),
        replace(job, arm=replace(job.arm, options=BehaviourCloningOptions(hidden=(8,), batch_size=16))),
    ]
    assert store.missing([job, *other]) == other
    assert store.missing([replace(job, part="maze"), replace(job, arm=replace(job.arm, seeds=range(9)))]) == []


def test_a_line_cut_short_counts_as_not_done(store, counted):
    jobs = [tiny(1), tiny(2), tiny(3)]
    carry_out_all(jobs[:2], store, show=False)
    store.path.write_bytes(store.path.read_bytes()[:-7])
    assert store.missing(jobs) == jobs[1:]
    carry_out_all(jobs, store, show=False)
    assert store.missing(jobs) == []


def test_an_executor_does_the_same(store, counted):
    jobs = [tiny(seed) for seed in range(5)]
    with ThreadPoolExecutor(2) as executor:
        carry_out_all(jobs, store, executor, show=False)
    assert list(store.tables(jobs)[0].seed) == [0, 1, 2, 3, 4]


def test_a_job_is_trained_and_told(store):
    """One real job of two seeds: its rows say the settings, the end and the readings."""
    rows = experiments.carry_out(tiny(5, 6))
    assert [row["seed"] for row in rows] == [5, 6]
    for row in rows:
        assert (row["task"], row["method"], row["layer_norm"], row["tau"]) == ("pendulum", "td3", False, 1.0)
        assert row["last_step"] == 4 and row["crossed_at"] is None and row["score"] is None
        assert row["trace"]["step"] == [0, 4] and row["trace"]["q_max"][0] is None
        assert row["trace"]["q_max"][1] == pytest.approx(row["q_max"], rel=1e-3)


def test_the_table_of_experiments_is_what_it_promises():
    assert {job.part for job in experiments.jobs()} == set(experiments.PARTS)
    with pytest.raises(ValueError, match="no part nowhere; there are crossing"):
        experiments.jobs(("nowhere",))
    seeds = [seed for job in experiments.jobs() for seed in job.seeds]
    assert min(seeds) == 100
    for task, (name, _, _) in experiments.TASKS.items():
        assert (problems.DATA / f"{name}.npz").exists(), task
