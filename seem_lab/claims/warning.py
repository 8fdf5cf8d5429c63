"""Rows on what SEEM tells: its sign, and how early."""

from __future__ import annotations

import pandas as pd

from seem_lab.claims.bounds import COIN, MOST, NEARLY_ALL
from seem_lab.claims.claim import Claim, Rerun
from seem_lab.claims.finding import Finding, area, share
from seem_lab.claims.stored import table
from seem_lab.early_warning import auroc, auroc_gain
from seem_lab.sweeps import sweep


def running(step: int) -> pd.DataFrame:
    """The 200 runs at discount .965 that are not over at a step."""
    runs = table("early_warning.csv")
    return runs[(runs.sweep == "fixed") & (runs.last_step > step)]


def _sign() -> tuple[Finding, ...]:
    now = running(500)
    positive = now.seem_at_500 > 0
    return (
        share("SEEM > 0 at step 500 in runs that diverge", positive[now.diverged], least=MOST),
        share("SEEM <= 0 at step 500 in runs that survive", ~positive[~now.diverged], least=MOST),
    )


def _early() -> tuple[Finding, ...]:
    at = {step: running(step) for step in (100, 200, 500)}
    areas = {step: auroc(now[f"seem_at_{step}"], now.diverged) for step, now in at.items()}
    gains = {step: auroc_gain(at[step][f"seem_at_{step}"], at[step][f"q_max_at_{step}"], at[step].diverged) for step in
             (100, 200)}  # fmt: skip
    return (
        area("AUROC of SEEM at step 100", areas[100], least=COIN),
        area("AUROC of SEEM at step 200", areas[200], least=COIN),
        area("AUROC of SEEM at step 100, reliably", areas[100], least=NEARLY_ALL, core=False),
        area("AUROC of SEEM at step 500, reliably", areas[500], least=NEARLY_ALL, core=False),
        area("lead of its AUROC over the largest |Q| at step 100", gains[100], least=0.0, core=False),
        area("lead of its AUROC over the largest |Q| at step 200", gains[200], least=0.0, core=False),
    )


def _rerun(seeds: range, seconds: int) -> Rerun:
    names = ("seem", "q_max", "parameter_norm")

    def again() -> pd.DataFrame:
        runs = sweep(seeds, gamma=0.965, progress=False)
        # SEEM late in a run is sensitive to the last digit; its early readings and the outcome are compared
        return runs[["seed", "diverged", *(f"{name}_at_{step}" for name in names for step in (0, 50, 100))]]

    return Rerun(
        f"discount .965, seeds {seeds[0]} to {seeds[-1]}, whole runs",
        seconds=seconds,
        again=again,
        stored=lambda: table("early_warning.csv").query("sweep == 'fixed'"),
        keys=("seed",),
    )


SETTING = "toy walk at discount .965, SGD, two layers: 200 runs, of which nearly half diverge within 1500 steps"
CLAIMS = (
    Claim(
        name="sign",
        says="SEEM above zero means that training diverges, below zero that it does not.",
        setting=SETTING + "; for linear Q and small steps it is exact (lesson 02)",
        lesson="04",
        files=("early_warning.csv",),
        weigh=_sign,
        rerun=_rerun(range(4), seconds=2),
    ),
    Claim(
        name="early",
        says="SEEM tells reliably, at an early stage, which run will diverge.",
        setting=SETTING,
        lesson="04",
        files=("early_warning.csv",),
        weigh=_early,
        rerun=_rerun(range(100, 104), seconds=2),
    ),
)
