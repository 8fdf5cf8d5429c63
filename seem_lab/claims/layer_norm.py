"""Rows on LayerNorm, on the toy walk and a small grid."""

from __future__ import annotations

import pandas as pd

from seem_lab.claims.bounds import CLOSE, HARDLY_ANY, NEARLY_ALL
from seem_lab.claims.claim import Claim, Rerun
from seem_lab.claims.finding import Finding, median, share
from seem_lab.claims.stored import script, table
from seem_lab.remedies import remedies, remedies_table


def part(name: str, **wanted: object) -> pd.DataFrame:
    """The stored runs of one part, with these settings."""
    runs = table("layer_norm.csv")
    runs = runs[runs.part == name]
    for column, value in wanted.items():
        runs = runs[runs[column] == value]
    return runs


def _bounded_kernel() -> tuple[Finding, ...]:
    fresh = table("kernel_growth.csv")
    plain, norm = fresh[~fresh.layer_norm], fresh[fresh.layer_norm]
    return (
        median("order of G(y, x0) in the distance of y, without", plain.ray_exponent, least=1 - CLOSE, most=1 + CLOSE),
        median("order of G(y, x0) in the distance of y, with LayerNorm", norm.ray_exponent, least=-CLOSE, most=CLOSE),
        median("order of G(x, x) in the weights, with LayerNorm", norm.weight_power, most=CLOSE, core=False),
    )


def _stops() -> tuple[Finding, ...]:
    grid = part("grid", gamma=0.99, lr=0.02, norm="all")
    return (
        share("blow up without", part("rescue", norm="none").diverged, least=NEARLY_ALL),
        share("blow up with LayerNorm", part("rescue", norm="all").diverged, most=HARDLY_ANY),
        share(
            "blow up with LayerNorm, at ten times the learning rate",
            part("rate", lr=0.2).diverged,
            most=HARDLY_ANY,
            core=False,
        ),
        share(
            "blow up with LayerNorm, reward 1",
            part("reward", norm="all", lr=0.02).diverged,
            most=HARDLY_ANY,
            core=False,
        ),
        share(
            "blow up with LayerNorm, He's initial weights",
            part("init", norm="all", lr=0.02).diverged,
            most=HARDLY_ANY,
            core=False,
        ),
        share("blow up with LayerNorm, on a grid with complete data", grid.diverged, most=HARDLY_ANY, core=False),
    )


def _unbiased() -> tuple[Finding, ...]:
    runs = table("remedies.csv")
    runs = runs[runs.population == "converging"].set_index("seed")
    plain = runs[runs.family == "plain"].bias.abs()
    norm = runs[(runs.family == "LayerNorm") & (runs.strength == "with affine")].bias.abs()
    grid = [part("value", gamma=0.95, norm=which).set_index("seed").error_at_10000 for which in ("none", "all")]
    kept = part("rescue", norm="all").q_mean_at_end
    return (
        median("walks that converge: bias beyond that of the plain network (true value 1)", norm - plain, most=CLOSE),
        median("grid: error less that of the plain network", grid[1] - grid[0], most=CLOSE),
        median("walks it saves: mean value at the end (true value 0)", kept, least=-CLOSE, most=CLOSE, core=False),
    )


def _rescue_again() -> pd.DataFrame:
    made = script("make_layer_norm_runs")
    settings = (made.Setting("rescue", 2), made.Setting("rescue", 2, "all"))
    rows = [vars(setting) | row for setting in settings for row in made.walk_runs(setting, [0, 1])]
    return pd.DataFrame(rows)[[*KEYS, "diverged", "crash_step", "q_peak"]]


def _bias_again() -> pd.DataFrame:
    chosen = [remedy for remedy in remedies() if remedy.name in ("plain", "LayerNorm with affine")]
    return remedies_table(chosen, [0], progress=False)[[*REMEDY_KEYS, "diverged", "largest_q", "bias"]]


KEYS = ("part", "depth", "norm", "affine", "lr", "gamma", "reward", "init", "seed")
REMEDY_KEYS = ("family", "strength", "population", "seed")
CLAIMS = (
    Claim(
        name="bounded-kernel",
        says="With LayerNorm the kernel between the data and far-away inputs stays bounded; without it grows linearly.",
        setting="24 fresh networks each with one and two hidden layers, with and without: the kernel on a ray from 100 "
        "to 100,000, and with weights 100 to 1000 times as large",
        lesson="07",
        files=("kernel_growth.csv",),
        weigh=_bounded_kernel,
        rerun=Rerun(
            "seeds 0 to 5",
            seconds=1,
            again=lambda: script("make_claim_runs").kernel_growth(range(6)),
            stored=lambda: table("kernel_growth.csv"),
            keys=("depth", "layer_norm", "seed"),
        ),
    ),
    Claim(
        name="layer-norm-stops",
        says="LayerNorm stops the divergence.",
        setting="toy walk, discount .99, SGD at learning rate .02, 5000 steps: 48 runs without, 96 with (one and two "
        "hidden layers, with and without gain); then other learning rates, rewards, initial weights, and a grid",
        lesson="07",
        files=("layer_norm.csv",),
        weigh=_stops,
        rerun=Rerun(
            "one hidden layer, with and without, seeds 0 and 1, whole runs",
            seconds=15,
            again=_rescue_again,
            stored=lambda: table("layer_norm.csv"),
            keys=KEYS,
        ),
    ),
    Claim(
        name="layer-norm-unbiased",
        says="LayerNorm does so without a detrimental bias of the values.",
        setting="12 walks at discount .8 whose true value is 1; 24 runs on a grid at discount .95 (error in standard "
        "deviations of the true values); the 96 walks that it saves",
        lesson="08",
        files=("remedies.csv", "layer_norm.csv"),
        weigh=_unbiased,
        rerun=Rerun(
            "plain and LayerNorm, seed 0",
            seconds=6,
            again=_bias_again,
            stored=lambda: table("remedies.csv").fillna({"strength": ""}),
            keys=REMEDY_KEYS,
        ),
    ),
)
