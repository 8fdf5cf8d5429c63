"""Rows on how fast it grows, and when it ends."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seem_lab.adam_runs import stored_adam_runs
from seem_lab.claims.bounds import CLOSE, NEARLY_ALL, STRAIGHT, TENTH
from seem_lab.claims.claim import Claim, Rerun
from seem_lab.claims.finding import Finding, median, share
from seem_lab.claims.stored import script, table
from seem_lab.growth import fit_line, fit_power, growth_exponent


def _near(what: str, values: pd.Series | np.ndarray, order: float, *, core: bool) -> Finding:
    """The median is within 5 % of an order of growth."""
    return median(
        f"{what} (theory {order:.3g})", values, least=order * (1 - CLOSE), most=order * (1 + CLOSE), core=core
    )


def _order_sgd() -> tuple[Finding, ...]:
    runs = table("exponents.csv")
    by_depth = dict(list(runs.groupby("depth")))
    off = (runs.kernel_exponent / runs.theory - 1).abs()
    return (
        median("R^2 of a straight line through 1/error, two layers", by_depth[2].error_line_r_squared, least=STRAIGHT),
        *(
            _near(
                f"order of SEEM in the error, {depth} layers",
                rows.kernel_exponent,
                growth_exponent(depth),
                core=depth == 2,
            )
            for depth, rows in by_depth.items()
        ),
        share("single runs within 5 % of theory, all depths", off <= CLOSE, least=NEARLY_ALL, core=False),
    )


def _norm_sgd() -> tuple[Finding, ...]:
    fits, runs = table("exponents.csv"), table("settling.csv")
    two, three = (runs[runs.depth == depth] for depth in (2, 3))
    straight = fits[fits.depth == 2].norm_line_r_squared
    return (
        median("R^2 of a straight line through 1/norm^2, two layers", straight, least=STRAIGHT),
        _near("order of the error in the norm, two layers", two.order_whole, 2.0, core=True),
        _near("order of the error in the part that moved, two layers", two.order_moved, 2.0, core=False),
        _near("order of the error in the norm, three layers", three.order_whole, 3.0, core=False),
        _near("order of the error in the part that moved, three layers", three.order_moved, 3.0, core=False),
    )


def _order_adam() -> tuple[Finding, ...]:
    found = []
    for depth in (2, 3):
        climbs = list(stored_adam_runs(depth).climbs(2500))
        lines = {
            "the norm": [fit_line(t, norm).r_squared for t, norm, _ in climbs],
            f"|Q|^(1/{depth})": [fit_line(t, q ** (1 / depth)).r_squared for t, _, q in climbs],
        }
        found += [
            median(f"R^2 of a straight line through {what}, {depth} layers, to step 2500", values, least=STRAIGHT)
            for what, values in lines.items()
        ]
    for depth in (2, 3):
        free = [fit_power(t, q).exponent for t, _, q in stored_adam_runs(depth).climbs()]
        found.append(_near(f"best power of t for |Q|, {depth} layers", np.array(free), float(depth), core=False))
    return tuple(found)


def _crash_step() -> tuple[Finding, ...]:
    runs = table("forecasts.csv")
    runs = runs[(runs.part == "judge") & (runs.multiple == 10)]

    def missed(method: str, depth: int, lr: float) -> pd.Series:
        rows = runs[(runs.depth == depth) & (runs.lr == lr)]
        return (np.ceil(rows[f"{method}_steps_left"]) / rows.steps_left - 1).abs()

    kinds = {(2, 0.02): "two layers", (3, 0.02): "three layers", (4, 0.02): "four layers"}
    return (
        median(
            "closed form, two layers, learning rate .002: missed by, of the steps left",
            missed("closed_form", 2, 0.002),
            most=TENTH,
        ),
        *(
            median(f"closed form, {kind}, learning rate .02", missed("closed_form", *key), most=TENTH, core=False)
            for key, kind in kinds.items()
        ),
        *(
            median(f"discrete map (ours), {kind}, learning rate .02", missed("forecast", *key), most=TENTH, core=False)
            for key, kind in kinds.items()
        ),
    )


def _forecasts_again() -> pd.DataFrame:
    made = script("make_forecast_runs")
    rows = []
    for seed, run in made.crashing_runs(range(500, 504), 2, 2e-2, 1, 1500).items():
        forecasts = {forecast.step: forecast for forecast in made.sl.forecast_run(run, depth=2)}
        step = made.sl.terminal_start(run.td_error_norm, 10)
        if step in forecasts:
            row = made.forecast_row(run, forecasts[step], 2)
            rows.append({"depth": 2, "lr": 2e-2, "multiple": 10, "seed": seed} | row)
    return pd.DataFrame(rows)


def _exponents_again() -> pd.DataFrame:
    made = script("make_forecast_runs")
    runs = made.crashing_runs([4], 2, 2e-3, 5, 1000, multiple=10.0)
    return pd.DataFrame([{"depth": 2, "bias": True, "seed": s} | made.exponent_row(run, 2) for s, run in runs.items()])


def _adam_stored() -> pd.DataFrame:
    runs = stored_adam_runs()
    series = {name: getattr(runs, name)[:, :7].ravel() for name in ("q_max", "td_error_norm", "parameter_norm")}
    keys = {"seed": np.repeat(runs.seed, 7), "step": np.tile(runs.step[:7], len(runs.seed))}
    return pd.DataFrame(keys | series)


def _adam_again() -> pd.DataFrame:
    seeds = range(4)
    made = script("make_adam_runs").adam_runs(2, 0.999, 1e-3, 0.99, seeds, steps=300)
    series = {name: made[name].ravel() for name in ("q_max", "td_error_norm", "parameter_norm")}
    return pd.DataFrame({"seed": np.repeat(seeds, 7), "step": np.tile(np.arange(0, 301, 50), len(seeds))} | series)


CLAIMS = (
    Claim(
        name="order-sgd",
        says="Under SGD values explode with a power that theory gives: 1/Q falls on a straight line for two layers.",
        setting="toy walk, discount .99, SGD at learning rate .002, with and without biases: 48, 45 and 32 runs of "
        "two, three and four layers that blew up in time, from ten times the error's minimum",
        lesson="05",
        files=("exponents.csv",),
        weigh=_order_sgd,
        rerun=Rerun(
            "two layers, seed 4",
            seconds=1,
            again=_exponents_again,
            stored=lambda: table("exponents.csv"),
            keys=("depth", "bias", "seed"),
        ),
    ),
    Claim(
        name="norm-sgd",
        says="Under SGD the norm of the parameters explodes with a power that theory gives: 1/norm^2 falls on a "
        "straight line for two layers.",
        setting="toy walk, discount .99, SGD: the runs of order-sgd, and 48 each of two and three layers at learning "
        "rate .02, from ten times the error's minimum",
        lesson="05",
        files=("exponents.csv", "settling.csv"),
        weigh=_norm_sgd,
        rerun=Rerun(
            "two layers, seeds 3 and 4",
            seconds=1,
            again=lambda: script("make_claim_runs").settling([2], [3, 4]),
            stored=lambda: table("settling.csv"),
            keys=("depth", "seed"),
        ),
    ),
    Claim(
        name="order-adam",
        says="Under Adam the norm grows linearly, and values like the power t^L of time, L the number of layers.",
        setting="toy walk, discount .99, Adam at its usual settings: 24 runs each of two and three layers, 4000 steps, "
        "from ten times the error's minimum",
        lesson="06",
        files=("adam_runs.npz",),
        weigh=_order_adam,
        rerun=Rerun(
            "two layers, seeds 0 to 3, the first 300 steps",
            seconds=1,
            again=_adam_again,
            stored=_adam_stored,
            keys=("seed", "step"),
        ),
    ),
    Claim(
        name="crash-step",
        says="The step at which training crashes can be computed beforehand from SEEM.",
        setting="toy walk, discount .99, SGD: 96 runs each of two and three layers and 64 of four that crash within "
        "1500 steps (8000 at the small rate), forecast at ten times the error's minimum",
        lesson="05",
        files=("forecasts.csv",),
        weigh=_crash_step,
        rerun=Rerun(
            "two layers, learning rate .02, seeds 500 to 503",
            seconds=1,
            again=_forecasts_again,
            stored=lambda: table("forecasts.csv"),
            keys=("depth", "lr", "multiple", "seed"),
        ),
    ),
)
