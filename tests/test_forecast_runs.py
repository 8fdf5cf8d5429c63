"""The stored runs of lessons 04 and 05 are what data/README.md says, show what it says, and can be made again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import make_forecast_runs
import numpy as np
import pandas as pd
import pytest
import torch

import seem_lab as sl

DATA = Path(__file__).resolve().parent.parent / "data"
README = (DATA / "README.md").read_text()
NAMES = ["early_warning", "forecasts", "exponents", "predictors"]


def stored(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv")


@pytest.mark.parametrize("name", NAMES)
def test_file_is_the_one_described(name: str) -> None:
    line = re.search(rf"^\| `{name}\.csv` \|.*$", README, re.MULTILINE)
    assert line, f"data/README.md has no row for {name}.csv"
    content = (DATA / f"{name}.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() in line[0]
    assert len(content) < 300_000
    assert name in make_forecast_runs.TABLES


@pytest.mark.parametrize("name", NAMES)
def test_every_column_is_explained(name: str) -> None:
    bare = {re.sub(r"_at_\d+$", "_at_T", column) for column in stored(name).columns}
    assert [column for column in bare if f"`{column}`" not in README] == []


def test_first_runs_can_be_made_again() -> None:
    again = sl.sweep(range(2), gamma=0.965, steps=101, record_at=(0, 50, 100))
    shared = [name for name in again if re.search(r"_at_(0|50|100)$", name)]
    np.testing.assert_allclose(again[shared], stored("early_warning").loc[:1, shared], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(("seed", "part"), [(3, "design"), (559, "judge")])
def test_forecasts_can_be_made_again(seed: int, part: str) -> None:
    table = stored("forecasts")
    row = table[(table.seed == seed) & (table.depth == 2) & (table.lr == 2e-2) & (table.multiple == 10)].iloc[0]
    assert row.part == part
    run = make_forecast_runs.crashing_runs([seed], 2, 2e-2, 1, 300)[seed]
    made = {forecast.step: forecast for forecast in sl.forecast_run(run, depth=2)}
    again = make_forecast_runs.forecast_row(run, made[int(row.step)], 2)
    for name, value in again.items():
        assert row[name] == pytest.approx(value, rel=1e-4), name


def test_seem_tells_early_at_fixed_gamma() -> None:
    table = stored("early_warning")
    fixed = table[table.sweep == "fixed"]
    assert len(fixed) >= 100
    for step, least in ((100, 0.70), (200, 0.82), (500, 0.88)):
        going = fixed[fixed[f"seem_at_{step}"].notna()]
        assert sl.auroc(going[f"seem_at_{step}"], going.diverged).value >= least
    start = fixed[fixed.seem_at_0.notna()]
    assert (start.seem_at_0 > 0).mean() > 0.9  # so the sign tells little


@pytest.mark.parametrize(("depth", "lr", "most"), [(2, 2e-2, 0.1), (2, 2e-3, 0.05), (3, 2e-2, 0.1), (4, 2e-2, 0.1)])
def test_the_map_forecasts_the_steps_left(depth: int, lr: float, most: float) -> None:
    """On seeds that set nothing, at 10 times the error's minimum."""
    table = stored("forecasts")
    judged = table[(table.part == "judge") & (table.depth == depth) & (table.lr == lr) & (table.multiple == 10)]
    error = (judged.forecast_step - judged.crash_step).abs() / judged.steps_left
    assert len(judged) >= 20
    assert error.median() <= most


@pytest.mark.parametrize("multiple", [3, 10])
def test_the_interval_holds_what_it_says(multiple: int) -> None:
    table = stored("forecasts")
    judged = table[(table.part == "judge") & (table.multiple == multiple) & table.low.notna()]
    held = (judged.low <= judged.crash_step) & (judged.crash_step <= judged.high)
    assert len(judged) >= 100
    assert 0.85 <= held.mean() <= 0.95


@pytest.mark.parametrize(("depth", "most", "runs"), [(2, 0.05, 48), (3, 0.08, 40), (4, 0.08, 32)])
def test_exponents_are_those_of_theory(depth: int, most: float, runs: int) -> None:
    """Four layers are slow at this learning rate: 16 of their 48 runs are not over after 16,000 steps."""
    table = stored("exponents")
    fitted = table[table.depth == depth]
    assert len(fitted) >= runs
    assert fitted.kernel_exponent.median() == pytest.approx(sl.growth_exponent(depth), rel=most)


def test_first_exponents_can_be_made_again() -> None:
    again = make_forecast_runs.exponent_row(
        make_forecast_runs.crashing_runs(range(4, 5), 2, 2e-3, 5, 1000, multiple=10.0)[4], 2
    )
    row = stored("exponents").query("seed == 4 and depth == 2 and bias").iloc[0]
    for name, value in again.items():
        assert row[name] == pytest.approx(value, rel=1e-3), name


def test_the_frozen_kernel_tells_earlier_than_seem_on_seeds_that_did_not_choose_it() -> None:
    judged = stored("predictors").query("part == 'judge'")
    for _, at_step in judged.groupby("step"):
        assert sl.auroc_gain(at_step.frozen_kernel_growth, at_step.seem, at_step.diverged).low > 0.05


def test_the_numbers_of_the_interval_come_from_other_seeds() -> None:
    assert not set(make_forecast_runs.DESIGN) & set(make_forecast_runs.JUDGE)


def test_one_score_by_its_definition() -> None:
    """The overlap uses the left eigenvector: for A = r l^T it is |l . u| over the lengths."""
    row = stored("predictors").iloc[0]
    seed = int(row.seed)
    walk, network = sl.toy_walk(seed, gamma=0.965), sl.mlp(4, seed=1000 + seed)
    assert row.step == 0
    assert row.seem == pytest.approx(sl.seem(network, *walk.bootstrap(network)).value, rel=1e-4)
    x, x_next, discount = walk.bootstrap(network)
    with torch.no_grad():
        u = sl.q_values(network, x) - discount * sl.q_values(network, x_next)
    values, vectors = np.linalg.eig(sl.seem_matrix(network, x, x_next, discount).numpy().T)
    left = vectors[:, values.real.argmax()]
    overlap = abs(left.conj() @ u.numpy()) / np.linalg.norm(left) / u.norm().item()
    assert row.overlap == pytest.approx(overlap, rel=1e-3)
