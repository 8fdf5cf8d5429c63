"""Sweeps: the table, the grid, and that it does not matter who did the work, nor who died over it."""

from __future__ import annotations

import math
import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest
import torch
from distributed import Client, LocalCluster
from pandas.testing import assert_frame_equal

import seem_lab.sweeps
from seem_lab import mlp, toy_walk, train
from seem_lab.sweeps import sweep

train_chunk = seem_lab.sweeps._train_chunk  # as it is before a test replaces it

QUICK = dict(gamma=(0.9, 0.99), steps=120, record_at=(0, 60, 100), stack=3)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return sweep(range(8), **QUICK)


def test_a_row_says_what_a_single_run_says(table: pd.DataFrame) -> None:
    for _, row in table.iterrows():
        network = mlp(4, seed=1000 + row.seed)
        run = train(network, toy_walk(row.seed, gamma=row.gamma), lr=row.lr, steps=120, seem_every=20)
        assert row.stop_reason == run.stop_reason
        assert row.diverged == run.diverged
        assert row.last_step == run.step[-1]
        assert pd.isna(row.crash_step) if not run.diverged else row.crash_step == run.step[-1]
        for step in (0, 60, 100):
            if step > row.last_step:
                assert math.isnan(row[f"seem_at_{step}"])
                continue
            for name in ("seem", "q_max", "td_error_norm", "parameter_norm"):
                assert row[f"{name}_at_{step}"] == pytest.approx(getattr(run, name)[step], rel=1e-6)
        if row.last_step >= 60:
            assert row.q_growth_at_60 == pytest.approx(math.log(run.q_max[60] / run.q_max[35]) / 25, rel=1e-6)
    assert table.diverged.any() and not table.diverged.all()


def test_the_grid_is_every_combination_in_order() -> None:
    table = sweep(
        [3, 1],
        gamma=0.9,
        lr=[0.01, 0.02],
        hidden=[(8,), (8, 4)],
        layer_norm=[False, True],
        bias=False,
        steps=2,
        record_at=(),
    )
    assert len(table) == 16
    assert table.seed.tolist() == [3, 1] * 8
    assert table.hidden.tolist() == ["(8,)"] * 8 + ["(8, 4)"] * 8
    assert table.depth.tolist() == [2] * 8 + [3] * 8
    assert table.groupby(["lr", "layer_norm", "hidden"]).size().tolist() == [2] * 8
    assert not table.bias.any()


def test_csv_keeps_the_table(table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "runs.csv", index=False)
    again = pd.read_csv(tmp_path / "runs.csv", dtype={"crash_step": "Int64"})
    assert_frame_equal(again, table, check_exact=False, rtol=1e-12)


@pytest.mark.parametrize(
    ("seeds", "change", "message"),
    [
        ([], {}, "at least one seed"),
        ([1, 1], {}, "each once"),
        ([1], dict(record_at=(500,), steps=100), "step 500"),
        ([1], dict(stack=0), "stack"),
        ([1], dict(lr=-1.0), "positive"),
        ([1], dict(gamma=1.5), "gamma"),
    ],
)
def test_bad_settings_are_refused(seeds: list, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sweep(seeds, **change)


def test_threads_and_processes_make_the_same_table(table: pd.DataFrame) -> None:
    torch.set_num_threads(2)
    try:
        assert_frame_equal(sweep(range(8), **QUICK), table, check_exact=True)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    with ThreadPoolExecutor(2) as executor:
        assert_frame_equal(sweep(range(8), executor=executor, **QUICK), table, check_exact=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert_frame_equal(sweep(range(8), executor=executor, **QUICK), table, check_exact=True)


class Breaking(Executor):
    """Does two tasks, then its pool is broken."""

    def __init__(self) -> None:
        self.done = 0

    def submit(self, fn, /, *args, **kwargs) -> Future:
        future: Future = Future()
        self.done += 1
        if self.done > 2:
            future.set_exception(BrokenProcessPool("a worker died"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_a_broken_pool_loses_nothing(table: pd.DataFrame) -> None:
    with pytest.warns(RuntimeWarning, match="this process does what is left"):
        again = sweep(range(8), executor=Breaking(), **QUICK)
    assert_frame_equal(again, table, check_exact=True)


def test_an_error_in_a_task_cancels_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault in the task")

    monkeypatch.setattr(seem_lab.sweeps, "_train_chunk", fail)
    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match="a fault in the task"):
        sweep(range(64), executor=executor, steps=1, record_at=())


def deadly(chunk: list, *arguments: object, flag: str) -> dict:
    """The worker that meets seed 3 first dies of it."""
    if any(setting.seed == 3 for setting in chunk) and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return train_chunk(chunk, *arguments)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_dask_makes_the_same_table_even_when_a_worker_is_killed(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "killed"
    monkeypatch.setattr(seem_lab.sweeps, "_train_chunk", partial(deadly, flag=str(flag)))
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        again = sweep(range(8), executor=executor, **QUICK)
    assert flag.exists()  # somebody did die
    assert_frame_equal(again, table, check_exact=True)
