"""Rows on what else is done to a critic: other regularisers, and a target network that follows slowly."""

from __future__ import annotations

import pandas as pd

from seem_lab.claims.bounds import HARDLY_ANY, NEARLY_ALL
from seem_lab.claims.claim import Claim, Rerun
from seem_lab.claims.finding import Finding, share
from seem_lab.claims.layer_norm import REMEDY_KEYS
from seem_lab.claims.stored import script, table
from seem_lab.remedies import remedies, remedies_table

READ, END = 500, 3000  # step at which a run with a target network is judged, and its last


def crashed(family: str, *strengths: str) -> pd.Series:
    """Whether each run of a remedy crashed, on the walks where the plain network does."""
    runs = table("remedies.csv").fillna({"strength": ""})
    return runs[(runs.population == "diverging") & (runs.family == family) & runs.strength.isin(strengths)].diverged


def _regularisers() -> tuple[Finding, ...]:
    return (
        share(
            "crash with weight decay .001 or .01, or dropout .1 or .5",
            pd.concat([crashed("weight decay", "0.001", "0.01"), crashed("dropout", "0.1", "0.5")]),
            least=NEARLY_ALL,
        ),
        share(
            "crash with batch norm, data and next inputs in one batch",
            crashed("batch norm", "joint batch"),
            least=NEARLY_ALL,
            core=False,
        ),
        share(
            "crash with batch norm, two batches",
            crashed("batch norm", "separate batches"),
            least=NEARLY_ALL,
            core=False,
        ),
        share("crash with weight norm, gain fixed", crashed("weight norm", "fixed gain"), least=NEARLY_ALL, core=False),
        share("crash with spectral norm", crashed("spectral norm", ""), least=NEARLY_ALL, core=False),
    )


def _slow_target() -> tuple[Finding, ...]:
    runs = table("phase_diagram.csv.gz")
    slow = runs[runs.tau < 1]
    last = slow[slow.gamma == 0.99]
    excited = slow[slow[f"verdict_at_{READ}"] == "self-excitation"]
    grown = slow[f"log_error_at_{END}"] - slow[f"log_error_at_{READ}"] > 1
    warned = slow[f"seem_rate_at_{READ}"] * (END - READ) > 1
    return (
        share("pass a million at discount .99 with a target network", last.crash_step.notna(), most=HARDLY_ANY),
        share(
            "self-exciting readings slower than the target",
            excited[f"growth_at_{READ}"] < excited.tau,
            least=NEARLY_ALL,
        ),
        share("fates that plain SEEM tells at step 500", warned == grown, least=NEARLY_ALL, core=False),
    )


def _regularisers_again() -> pd.DataFrame:
    chosen = [remedy for remedy in remedies() if remedy.name in ("weight decay 0.01", "dropout 0.1")]
    return remedies_table(chosen, [0, 1], progress=False)[[*REMEDY_KEYS, "diverged", "last_step"]]


def _phase_again() -> pd.DataFrame:
    made = script("make_stability_runs")
    columns = ["gamma", "tau", "seed", "crash_step", "log_error_at_100", "growth_at_100", "seem_rate_at_100"]
    return made.phase_cell(0.99, 1.0)[columns]


CLAIMS = (
    Claim(
        name="regularisers",
        says="Other regularisers do not do what LayerNorm does.",
        setting="toy walk, discount .99, SGD at learning rate .02, one hidden layer, 1500 steps, 12 seeds each",
        lesson="08",
        files=("remedies.csv",),
        weigh=_regularisers,
        rerun=Rerun(
            "weight decay .01 and dropout .1, seeds 0 and 1",
            seconds=7,
            again=_regularisers_again,
            stored=lambda: table("remedies.csv").fillna({"strength": ""}),
            keys=REMEDY_KEYS,
        ),
    ),
    Claim(
        name="slow-target",
        says="Left open by the paper, so this claim is ours: a target network that follows slowly (EMA) slows "
        "self-excitation down, and SEEM still tells who diverges.",
        setting="toy walk, SGD, seven discounts from .9 to .99 and six rates of the target network from .5 to .005, "
        "ten seeds each, 3000 steps",
        lesson="09",
        files=("phase_diagram.csv.gz",),
        weigh=_slow_target,
        rerun=Rerun(
            "discount .99, no target network (the runs it is measured against)",
            seconds=1,
            again=_phase_again,
            stored=lambda: table("phase_diagram.csv.gz"),
            keys=("gamma", "tau", "seed"),
        ),
    ),
)
