"""Make the stored results of lessons 04 and 05: `python data/make_forecast_runs.py [name ...]`; all without names.

Every file is a table of runs of the toy walk, walk seed s and network seed 1000 + s. `data/README.md` describes them.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Collection, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

import seem_lab as sl

HERE = Path(__file__).resolve().parent
HIDDEN = {2: (64,), 3: (64, 64), 4: (64, 64, 64)}
DESIGN = (*range(48), *range(200, 264))  # seeds on which the width of the interval was set
JUDGE = range(500, 596)  # seeds on which it is judged
MULTIPLES = (3, 10, 30)  # of the error's minimum so far, at which a forecast is made


def stacks(seeds: Sequence[int], size: int = 16) -> list[Sequence[int]]:
    """The seeds, so many at a time."""
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]


def crashing_runs(
    seeds: Sequence[int], depth: int, lr: float, every: int, steps: int, *, bias: bool = True, multiple: float = 2.0
) -> dict[int, sl.History]:
    """Runs at gamma .99 that crash, with SEEM at every so many steps once the error is a multiple of its minimum."""
    starts: dict[int, int] = {}
    for some in tqdm(stacks(seeds), desc=f"depth {depth}, lr {lr}, without SEEM", leave=False):
        for seed, run in zip(some, stacked(some, depth, lr, steps, bias, seem_at=()), strict=True):
            if run.diverged:
                starts[seed] = sl.terminal_start(run.td_error_norm, multiple) or 0
    runs: dict[int, sl.History] = {}
    for some in tqdm(stacks(sorted(starts, key=starts.__getitem__), 8), desc="with SEEM", leave=False):
        first = starts[some[0]] // every * every  # they begin at about the same step
        found = stacked(some, depth, lr, steps, bias, seem_at=range(first, steps + 1, every))
        runs |= dict(zip(some, found, strict=True))
    return {seed: runs[seed] for seed in sorted(runs)}


def stacked(
    seeds: Sequence[int], depth: int, lr: float, steps: int, bias: bool, seem_at: Collection[int]
) -> list[sl.History]:
    """Runs of the toy walk at gamma .99 with these seeds."""
    networks = [sl.mlp(4, HIDDEN[depth], bias=bias, seed=1000 + seed) for seed in seeds]
    return sl.train_stacked(networks, [sl.toy_walk(seed) for seed in seeds], lr=lr, steps=steps, seem_at=seem_at)


def early_warning() -> pd.DataFrame:
    """200 runs at gamma .965, and 260 with gamma between .93 and .99."""
    fixed = sl.sweep(range(200), gamma=0.965)
    mixed = sl.sweep(range(300, 320), gamma=[round(0.93 + 0.005 * i, 3) for i in range(13)])
    return pd.concat([fixed.assign(sweep="fixed"), mixed.assign(sweep="mixed")], ignore_index=True)


def forecasts() -> pd.DataFrame:
    """A row for each run and multiple of the error's minimum."""
    rows = []
    for depth, lr, every, steps in ((2, 2e-2, 1, 1500), (2, 2e-3, 5, 8000), (3, 2e-2, 1, 1500), (4, 2e-2, 1, 1500)):
        for part, seeds in (("design", DESIGN), ("judge", JUDGE)):
            for seed, run in crashing_runs(seeds, depth, lr, every, steps).items():
                made = {forecast.step: forecast for forecast in sl.forecast_run(run, depth=depth)}
                for multiple in MULTIPLES:
                    start = sl.terminal_start(run.td_error_norm, multiple)
                    step = None if start is None else math.ceil(start / every) * every
                    if step not in made:
                        continue
                    rows.append(
                        dict(part=part, depth=depth, lr=lr, seed=seed, multiple=multiple, step=step)
                        | forecast_row(run, made[step], depth)
                    )
    return pd.DataFrame(rows).astype(dict.fromkeys(("forecast_step", "low", "high"), "Int64"))


def forecast_row(run: sl.History, made: sl.Forecast, depth: int) -> dict[str, float | int | None]:
    """What was forecast at a step, and what came; the line runs from where the error was half its size."""
    step, crash = made.step, int(run.step[-1])
    error = run.td_error_norm[: step + 1]
    half = int(np.flatnonzero(error <= error[-1] / 2)[-1])
    line = math.nan  # two points make any line
    if step >= half + 2:
        line = sl.fit_inverse_power(run.step[half : step + 1], error[half:], sl.growth_exponent(depth)).zero
    return dict(
        crash_step=crash,
        steps_left=crash - step,
        forecast_step=made.crash_step,
        forecast_steps_left=made.steps_left,
        closed_form_steps_left=made.closed_form,
        line_steps_left=line - step,
        low=made.low,
        high=made.high,
        seem=run.seem[step],
        q_max=run.q_max[step],
    )


def exponents() -> pd.DataFrame:
    """Growth orders under SGD at lr 2e-3, from 10 times the error's minimum to the last record."""
    rows = []
    for depth, bias in product(HIDDEN, (True, False)):
        steps = 16_000 if depth == 4 else 8000  # four layers are slow at this rate
        for seed, run in crashing_runs(range(24), depth, 2e-3, 5, steps, bias=bias, multiple=10.0).items():
            row = exponent_row(run, depth)
            rows += [dict(seed=seed, depth=depth, bias=bias) | row] if row else []
    return pd.DataFrame(rows)


def exponent_row(run: sl.History, depth: int) -> dict[str, float | int] | None:
    """The fits of one run; None where there are too few points for one."""
    start = sl.terminal_start(run.td_error_norm)
    step, error, norm, seem = (
        getattr(run, name)[start:] for name in ("step", "td_error_norm", "parameter_norm", "seem")
    )
    there = np.isfinite(seem)
    if there.sum() < 3:
        return None
    kernel = sl.fit_kernel_exponent(step[there], error[there], seem[there])
    early = error <= 100 * error[0]  # later one step is no longer small
    power = sl.growth_exponent(depth)
    return dict(
        crash_step=int(run.step[-1]),
        first_step=kernel.first,
        last_step=kernel.last,
        points=kernel.points,
        kernel_exponent=kernel.exponent,
        kernel_r_squared=kernel.r_squared,
        theory=power,
        free_exponent=sl.fit_free_exponent(step[early], error[early]).exponent,
        free_points=int(early.sum()),
        error_line_r_squared=sl.fit_inverse_power(step[early], error[early], power).r_squared,
        norm_line_r_squared=sl.fit_inverse_power(step[early], norm[early], 2.0 * depth - 2.0).r_squared,
    )


def predictors() -> pd.DataFrame:
    """Scores for "will diverge" at gamma .965; the one to add was chosen on seeds 0-199, judged on 1000-1199."""
    rows, lr, end = [], 2e-2, 1500
    for part, seeds in (("design", range(200)), ("judge", range(1000, 1200))):
        for some in tqdm(stacks(seeds), desc=f"predictors, {part}", leave=False):
            walks = [sl.toy_walk(seed, gamma=0.965) for seed in some]
            networks = [sl.mlp(4, seed=1000 + seed) for seed in some]
            fresh = [sl.mlp(4, seed=1000 + seed) for seed in some]
            runs = sl.train_stacked(networks, walks, lr=lr, steps=end, seem_at=range(0, 101, 25))
            for step in range(0, 101, 25):
                if step:
                    sl.train_stacked(fresh, walks, lr=lr, steps=25)
                for seed, network, walk, run in zip(some, fresh, walks, runs, strict=True):
                    if step < len(run.step):
                        row = dict(part=part, seed=seed, step=step, diverged=run.diverged, last_step=int(run.step[-1]))
                        rows.append(row | scores(network, walk, run, step, lr, end))
    return pd.DataFrame(rows)


def scores(
    network: torch.nn.Module, walk: sl.Problem, run: sl.History, step: int, lr: float, end: int
) -> dict[str, float]:
    """What might tell, at one step."""
    x, x_next, discount = walk.bootstrap(network)
    with torch.no_grad():
        u = sl.q_values(network, x) - walk.reward - discount * sl.q_values(network, x_next)
    matrix = sl.seem_matrix(network, x, x_next, discount)
    leading = sl.leading_mode(matrix)
    left = sl.leading_mode(matrix.T.contiguous()).mode  # the left eigenvector: how much of u is in the leading mode
    made = sl.forecast_crash(leading.value, depth=2, lr=lr, n=walk.n, q_now=run.q_max[step])
    earlier = max(0, step - 25)
    ahead = sl.frozen_kernel_growth(network, walk, lr=lr, steps=end - step)
    return dict(
        seem=leading.value,
        time_constants=float(sl.time_constants(leading.value, lr=lr, n=walk.n, steps_left=end - step)),
        seem_change=run.seem[step] - run.seem[earlier],
        rayleigh=(u @ matrix @ u / (u @ u)).item(),
        overlap=(left.conj() @ u.to(left.dtype)).abs().item() / u.norm().item(),
        forecast_steps_left=math.inf if made.steps_left is None else made.steps_left,
        frozen_kernel_growth=float(ahead[-1] - ahead[0]),
        q_max=run.q_max[step],
        q_growth=float(np.log(run.q_max[step] / run.q_max[earlier])),
        td_error_norm=run.td_error_norm[step],
        parameter_norm=run.parameter_norm[step],
    )


TABLES = {table.__name__: table for table in (early_warning, forecasts, exponents, predictors)}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or TABLES:
        begin = time.monotonic()
        table = TABLES[name]()
        table.to_csv(HERE / f"{name}.csv", index=False, float_format="%.6g")
        print(f"{name}.csv: {len(table)} rows, {(time.monotonic() - begin) / 60:.1f} minutes")
