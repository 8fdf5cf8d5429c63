"""The stored runs of lesson 09 are what sl.train does, and what the lesson says of them is true."""

from __future__ import annotations

import hashlib
from functools import partial

import make_stability_runs as script
import numpy as np
import pandas as pd
import pytest
import torch

import seem_lab as sl

RATES = pd.read_csv(script.FOLDER / "growth_rates.csv.gz")
PHASE = pd.read_csv(script.FOLDER / "phase_diagram.csv.gz")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("tau", [1.0, 0.1])
def test_stacked_runs_are_those_of_train(optimizer: str, tau: float) -> None:
    lr, momentum = script.OPTIMIZERS[optimizer]
    made = {
        "sgd": torch.optim.SGD,
        "momentum": partial(torch.optim.SGD, momentum=momentum),
        "adam": torch.optim.Adam,
    }[optimizer]
    stacked = np.stack([moment.log_error for moment in script.moments(range(2), 0.99, optimizer, tau, 60, ())])
    for seed in range(2):
        network, walk = sl.mlp(4, seed=1000 + seed), sl.toy_walk(seed)
        run = sl.train(network, walk, optimizer=made, lr=lr, steps=60, target=sl.EmaTarget(tau), progress=False)
        np.testing.assert_allclose(stacked[:, seed], np.log(run.td_error_norm), atol=1e-8)


def test_stored_growth_is_made_again() -> None:
    """The first two windows of a setting, from the start of its runs."""
    run = list(script.moments(range(2), script.RATE_GAMMA, "momentum", 0.5, 100, (0, 50), 50))
    for seed in range(2):
        rows = RATES[(RATES.optimizer == "momentum") & (RATES.tau == 0.5) & (RATES.seed == seed)].set_index("step")
        for start in (0, 50):
            here, row = run[start].linearised[seed], rows.loc[start]
            assert here is not None
            assert row.predicted == pytest.approx(here.stability.growth, rel=1e-3, abs=1e-8)
            assert row.seem_rate == pytest.approx(here.seem_rate, rel=1e-3, abs=1e-8)
            steps = int(row.steps)
            measured = (run[start + steps].log_error[seed] - run[start].log_error[seed]) / steps
            assert row.measured == pytest.approx(measured, rel=1e-3)


def test_the_frozen_model_from_the_actual_state_is_exact_for_one_small_step() -> None:
    """Its first step is first order in the learning rate; the kernels do not change in one step."""
    for optimizer in ("sgd", "momentum"):
        run = list(script.moments(range(4), 0.99, optimizer, 0.1, 121, (120,), 1))
        for i in range(4):
            if torch.equal(run[120].choice[i], run[121].choice[i]):
                ahead = run[120].linearised[i]
                assert ahead is not None
                assert ahead.log_error[1] == pytest.approx(run[121].log_error[i], abs=2e-4)


def test_tables_are_whole_and_described() -> None:
    assert len(PHASE) == len(script.GAMMAS) * len(script.TAUS) * len(script.PHASE_SEEDS)
    assert PHASE.groupby(["gamma", "tau"]).size().eq(len(script.PHASE_SEEDS)).all()
    assert set(RATES.optimizer) == set(script.OPTIMIZERS) and set(RATES.tau) == set(script.RATE_STEPS)
    readme = (script.FOLDER / "README.md").read_text()
    for name in script.TABLES:
        content = (script.FOLDER / f"{name}.csv.gz").read_bytes()
        (line,) = [line for line in readme.splitlines() if f"`{name}.csv.gz`" in line]
        assert hashlib.sha256(content).hexdigest() in line and f"{len(content):,} bytes" in line


def agreement(column: str, read: int = 500) -> float:
    """Share of the runs going at step `read` whose fate the rule tells."""
    going = PHASE[PHASE[f"growth_at_{read}"].notna()]
    last = script.PHASE_STEPS
    diverged = going.crash_step.notna() | (going[f"log_error_at_{last}"] - going[f"log_error_at_{read}"] > 1)
    return float(((going[f"{column}_at_{read}"] * (last - read) > 1) == diverged).mean())


def test_the_map_tells_the_fate_of_more_runs_than_seem_does() -> None:
    assert agreement("growth") == pytest.approx(0.88, abs=0.005)
    assert agreement("seem_rate") == pytest.approx(0.81, abs=0.005)


def test_saying_never_agrees_as_often_as_the_map_and_the_map_ranks_no_better_than_seem() -> None:
    going = PHASE[PHASE.growth_at_500.notna()]
    diverged = going.crash_step.notna() | (going.log_error_at_3000 - going.log_error_at_500 > 1)
    assert 1 - diverged.mean() == pytest.approx(agreement("growth"), abs=0.01)
    areas = [sl.auroc(going[f"{name}_at_500"], diverged).value for name in ("growth", "seem_rate")]
    assert areas == pytest.approx([0.92, 0.92], abs=0.006)


def test_self_excitation_is_slower_than_the_target() -> None:
    excited = PHASE[PHASE.verdict_at_500 == "self-excitation"].groupby("tau").growth_at_500.max()
    assert (excited < excited.index).all()


def test_no_run_with_a_target_network_passes_the_limit_and_no_slow_one_diverges() -> None:
    assert PHASE[PHASE.tau < 1].crash_step.isna().all()
    assert PHASE[(PHASE.tau == 1) & (PHASE.gamma >= 0.97)].crash_step.notna().all()
    slow = PHASE[PHASE.tau == 0.005]
    assert (slow.log_error_at_3000 - slow.log_error_at_500).max() < 1


def rise(run: pd.DataFrame) -> pd.DataFrame:
    """The windows of one run in which its error rises, as the lesson cuts them."""
    near_top = run.step[run.log_error >= run.log_error.max() - np.log(2)].min()
    edge = run.step[run.verdict == "step-size instability"].min()
    end = np.nanmin([near_top, edge])
    return run[(run.log_error > run.lowest + np.log(1.5)) & (run.step < end) & (run.steps >= 5)]


def test_log_rho_is_a_good_rate_for_fast_targets_and_a_poor_one_for_slow_targets() -> None:
    rising = pd.concat([rise(run) for _, run in RATES.groupby(["optimizer", "tau", "seed"])])
    medians = (rising.measured / rising.predicted).groupby([rising.optimizer, rising.tau]).median()
    fast = medians[medians.index.get_level_values("tau") >= 0.5]
    assert len(fast) == 6 and fast.between(0.85, 1.155).all()
    assert medians["sgd", 0.1] == pytest.approx(1.23, abs=0.01)
    assert medians["momentum", 0.1] == pytest.approx(2.58, abs=0.01)
    assert medians["adam", 0.1] == pytest.approx(1.68, abs=0.01)


@pytest.mark.parametrize(
    ("optimizer", "tau", "frozen", "predicted", "zero"),
    [
        ("sgd", 0.02, 0.98, 0.05, 0.30),
        ("momentum", 0.02, 0.98, 0.05, 0.31),
        ("sgd", 0.1, 0.45, 0.10, 0.06),
        ("momentum", 0.1, 0.72, 0.13, 0.07),
    ],
)
def test_the_frozen_model_is_right_for_very_slow_targets_and_less_so_at_a_tenth(
    optimizer: str, tau: float, frozen: float, predicted: float, zero: float
) -> None:
    rows = RATES[(RATES.optimizer == optimizer) & (RATES.tau == tau) & (RATES.verdict != "step-size instability")]
    rows = rows.assign(zero=0.0)
    room = np.maximum(0.25 * rows.measured.abs(), 1e-4)
    close = [((rows[name] - rows.measured).abs() <= room).mean() for name in ("frozen", "predicted", "zero")]
    assert close == pytest.approx([frozen, predicted, zero], abs=0.0055)


def test_without_a_target_network_the_actual_state_does_not_help() -> None:
    rising = pd.concat([rise(run) for _, run in RATES.groupby(["optimizer", "tau", "seed"])])
    for optimizer in ("sgd", "momentum"):
        rows = rising[(rising.optimizer == optimizer) & (rising.tau == 1)]
        assert (rows.measured / rows.frozen).median() > (rows.measured / rows.predicted).median() > 1


def test_over_all_slow_windows_the_frozen_model_is_ahead() -> None:
    slow = RATES[(RATES.optimizer != "adam") & RATES.tau.isin([0.1, 0.02]) & (RATES.verdict != "step-size instability")]
    close = {
        name: ((slow[name] - slow.measured).abs() <= np.maximum(0.25 * slow.measured.abs(), 1e-4)).mean()
        for name in ("predicted", "frozen")
    }
    assert close["frozen"] == pytest.approx(0.80, abs=0.005)
    assert close["predicted"] == pytest.approx(0.08, abs=0.005)
