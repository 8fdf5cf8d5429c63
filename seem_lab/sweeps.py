"""Many runs of the toy walk: a grid of settings, stacked seeds, any executor, one table."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import groupby, islice, product
from typing import Any

import numpy as np
import pandas as pd
import torch

from seem_lab.networks import mlp
from seem_lab.problems import toy_walk
from seem_lab.progress import LateBar
from seem_lab.stacked_training import train_stacked
from seem_lab.training import History

GROWTH_WINDOW = 25  # steps over which the growth of |Q| is measured


@dataclass(frozen=True)
class Setting:
    """What tells one run of a sweep from another: walk `seed`, network seed `1000 + seed`."""

    seed: int
    gamma: float
    lr: float
    hidden: tuple[int, ...]
    layer_norm: bool
    bias: bool


def sweep(
    seeds: Iterable[int],
    *,
    gamma: float | Sequence[float] = 0.99,
    lr: float | Sequence[float] = 2e-2,
    hidden: Sequence[int] | Sequence[Sequence[int]] = (64,),
    layer_norm: bool | Sequence[bool] = False,
    bias: bool | Sequence[bool] = True,
    steps: int = 1500,
    record_at: Collection[int] = (0, 50, 100, 200, 500),
    q_limit: float = 1e6,
    stack: int = 16,
    executor: Executor | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Train the toy walk with SGD for every seed and every combination of settings; one row a run.

    Runs of one architecture are stacked `stack` at a time (`train_stacked`), one stack a thread, on as many threads as
    torch may use (`torch.set_num_threads`). An executor takes the stacks as its tasks instead:
    `concurrent.futures.ProcessPoolExecutor(2)`, or `dask.distributed.Client(...).get_executor()` for many machines.
    The table does not depend on who did the work. If an executor breaks, this process does the rest.

    Args:
        seeds: of the walk; the network of a run has seed `1000 + seed`.
        gamma: discount factor, or several.
        lr: learning rate, or several.
        hidden: widths of the hidden layers, or several such lists.
        layer_norm: a `LayerNorm` before each ReLU, or both cases.
        bias: linear layers with a bias, or both cases.
        steps: number of updates.
        record_at: steps at which SEEM and what it is compared with go into the table.
        q_limit: a run has diverged once any |Q(X)| passes this, or is not finite.
        stack: runs in one batch; 16 toy walks fit a processor's cache.
        executor: does the stacks, and is left open.
        progress: show a progress bar once the sweep has taken three seconds.

    Returns:
        Table in the order of the grid, the seed running fastest. Columns: the settings (`seed`, `gamma`, `lr`,
        `hidden` as in `"(64, 64)"`, `depth` = number of linear layers, `layer_norm`, `bias`), the end (`diverged`,
        `stop_reason`, `last_step`, and `crash_step`, missing where there was none), and for each step T of `record_at`
        `seem_at_T`, `frequency_at_T`, `q_max_at_T`, `q_growth_at_T` (mean growth of log max|Q| a step over the 25
        steps before T), `td_error_norm_at_T` (the loss is its square over N), `parameter_norm_at_T`; missing once the
        run is over. `.to_csv(path, index=False)` writes it.

    Raises:
        ValueError: no seed, a seed twice, a step to record that is not in the run, and as `train_stacked`, `mlp` and
            `toy_walk`.

    Example:
        >>> table = sweep(range(4), gamma=(0.9, 0.99), steps=400, record_at=(100,))
        >>> table.groupby("gamma").diverged.mean().to_dict()
        {0.9: 0.0, 0.99: 1.0}
    """
    grid = _grid(seeds, gamma, lr, hidden, layer_norm, bias)
    outside = sorted(step for step in record_at if not 0 <= step <= steps)
    if outside:
        raise ValueError(f"record_at asks for step {outside[0]}, but the runs have steps 0 to {steps}")
    if stack < 1:
        raise ValueError(f"stack must be at least 1, got {stack}")
    chunks = list(_chunks(grid, stack))
    order = sorted(set(record_at))
    rows: dict[Setting, dict[str, Any]] = {}
    threads = torch.get_num_threads()
    try:
        with (
            ThreadPoolExecutor(threads) if executor is None else nullcontext(executor) as workers,
            LateBar(len(grid), desc="sweep", unit="run", show=progress) as bar,
        ):
            for done in _work(chunks, (steps, order, q_limit), workers):
                rows |= done
                for _ in done:
                    bar.update()
    finally:
        torch.set_num_threads(threads)
    table = pd.DataFrame([rows[setting] for setting in grid])
    return table.astype({"crash_step": "Int64"})


def _grid(seeds: Iterable[int], gamma: Any, lr: Any, hidden: Any, layer_norm: Any, bias: Any) -> list[Setting]:
    """Every combination; a setting given alone is a list of one."""
    seeds = [int(seed) for seed in seeds]
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"give at least one seed, and each once; got {seeds}")
    hidden = [hidden] if all(isinstance(width, int) for width in hidden) else hidden
    axes = [axis if isinstance(axis, Sequence) else [axis] for axis in (layer_norm, bias, lr, gamma)]
    return [
        Setting(seed, float(gamma), float(lr), tuple(widths), bool(norm), bool(bias))
        for widths, norm, bias, lr, gamma, seed in product(hidden, *axes, seeds)
    ]


def _chunks(grid: list[Setting], stack: int) -> Iterator[list[Setting]]:
    """Runs that can be stacked, at most so many at a time."""
    for _, same in groupby(grid, key=lambda setting: (setting.hidden, setting.layer_norm, setting.bias)):
        while chunk := list(islice(same, stack)):
            yield chunk


def _work(
    chunks: list[list[Setting]], arguments: tuple[int, list[int], float], executor: Executor
) -> Iterator[dict[Setting, dict[str, Any]]]:
    """The rows of one chunk after another, as they are done."""
    futures = {executor.submit(_train_chunk, chunk, *arguments): chunk for chunk in chunks}
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenExecutor:
                warnings.warn("the executor broke; this process does what is left", RuntimeWarning, stacklevel=3)
                yield _train_chunk(futures[future], *arguments)
    finally:
        for future in futures:
            future.cancel()


def _train_chunk(
    chunk: list[Setting], steps: int, record_at: list[int], q_limit: float
) -> dict[Setting, dict[str, Any]]:
    """One stack of runs, from their settings to their rows; on one thread, as others work beside it."""
    torch.set_num_threads(1)
    problems = [toy_walk(setting.seed, gamma=setting.gamma) for setting in chunk]
    first = chunk[0]
    networks = [
        mlp(problem.input_dim, first.hidden, layer_norm=first.layer_norm, bias=first.bias, seed=1000 + setting.seed)
        for setting, problem in zip(chunk, problems, strict=True)
    ]
    rates = [setting.lr for setting in chunk]
    histories = train_stacked(networks, problems, lr=rates, steps=steps, seem_at=record_at, q_limit=q_limit)
    return {setting: _row(setting, run, record_at) for setting, run in zip(chunk, histories, strict=True)}


def _row(setting: Setting, run: History, record_at: list[int]) -> dict[str, Any]:
    """A run's line of the table."""
    last = int(run.step[-1])
    row = asdict(setting) | {
        "hidden": str(setting.hidden),
        "depth": len(setting.hidden) + 1,
        "diverged": run.diverged,
        "stop_reason": run.stop_reason,
        "last_step": last,
        "crash_step": last if run.diverged else None,
    }
    for step in record_at:
        there = step <= last
        for name in ("seem", "frequency", "q_max", "td_error_norm", "parameter_norm"):
            row[f"{name}_at_{step}"] = getattr(run, name)[step] if there else np.nan
        row[f"q_growth_at_{step}"] = _growth(run.q_max, step) if there else np.nan
    return row


def _growth(q_max: np.ndarray, step: int) -> float:
    """Mean growth of log max|Q| a step; 0 at the start."""
    start = max(0, step - GROWTH_WINDOW)
    return float(np.log(q_max[step] / q_max[start]) / max(1, step - start))
