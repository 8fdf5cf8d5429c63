"""Make data/layer_norm.csv, the stored runs of lesson 07: `python data/make_layer_norm_runs.py`, half an hour.

Walk seed s, network seed 1000 + s, 64 units a hidden layer, SGD, seeds 0 to 23. `data/README.md` describes the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

import seem_lab as sl

FILE = Path(__file__).resolve().parent / "layer_norm.csv"
SEEDS = range(24)
STEPS, STACK = 5000, 12
SEEM_AT = (0, 50, 100, 200, 500, 1000)
GRID_MARKS = (1000, 3000, 10_000)  # steps at which a grid's error is measured
NORMS: dict[str, Any] = {"none": False, "all": True, "first": (True, False), "last": (False, True)}

INITS = {"default": None, "he": nn.init.kaiming_normal_}


@dataclass(frozen=True)
class Setting:
    """Everything a stack of runs has in common.

    Args:
        part: which question of the lesson the runs belong to.
        depth: linear layers.
        norm: which hidden layers have a LayerNorm, a key of `NORMS`.
        affine: whether it has a gain and a bias.
        lr: learning rate.
        gamma: discount.
        reward: of every step of the walk; a grid has its own.
        init: of the weights, a key of `INITS`.
    """

    part: str
    depth: int = 2
    norm: str = "none"
    affine: bool = True
    lr: float = 0.02
    gamma: float = 0.99
    reward: float = 0.0
    init: str = "default"

    def network(self, seed: int) -> nn.Sequential:
        """The network of a seed."""
        hidden = (64,) * (self.depth - 1)
        return sl.mlp(
            4, hidden, layer_norm=NORMS[self.norm], affine=self.affine, init=INITS[self.init], seed=1000 + seed
        )


def settings() -> Iterator[Setting]:
    """All of them, walks first."""
    for depth in (2, 3):
        yield Setting("rescue", depth)
        yield Setting("rescue", depth, "all")
        yield Setting("rescue", depth, "all", affine=False)
    yield from (Setting("reward", norm=norm, lr=lr, reward=1.0) for lr in (0.02, 0.002) for norm in ("none", "all"))
    yield from (Setting("init", norm=norm, lr=lr, init="he") for lr in (0.02, 0.002) for norm in ("none", "all"))
    yield from (Setting("layers", 3, norm) for norm in ("first", "last"))
    yield from (Setting("rate", norm="all", lr=lr) for lr in (0.05, 0.1, 0.2, 0.5))
    yield from (Setting("value", norm=norm, lr=0.1, gamma=gamma) for gamma in (0.9, 0.95) for norm in ("none", "all"))
    yield from (
        Setting("grid", norm=norm, lr=lr, gamma=gamma)
        for gamma in (0.98, 0.99)
        for lr in (0.02, 0.005)
        for norm in ("none", "all")
    )


def walk_runs(setting: Setting, seeds: Sequence[int], *, steps: int = STEPS) -> list[dict[str, Any]]:
    """Toy walks, one row a run: how it ended, the largest |Q| on the way, SEEM and |Q| at some steps."""
    networks = [setting.network(seed) for seed in seeds]
    walks = [sl.toy_walk(seed, reward=setting.reward, gamma=setting.gamma) for seed in seeds]
    runs = sl.train_stacked(networks, walks, lr=setting.lr, steps=steps, seem_at=SEEM_AT)
    rows = []
    for seed, run in zip(seeds, runs, strict=True):
        row = {"seed": seed, **_end(run, steps), "q_mean_at_end": run.q_mean[-1], "q_peak": run.q_max.max()}
        for step in (step for step in SEEM_AT if step < len(run.step)):
            row |= {f"seem_at_{step}": run.seem[step], f"q_max_at_{step}": run.q_max[step]}
        rows.append(row)
    return rows


def grid_runs(setting: Setting, seeds: Sequence[int], *, marks: Sequence[int] = GRID_MARKS) -> list[dict[str, Any]]:
    """Grids, one row a run: how it ended, and the error against the true values at some steps."""
    world = sl.grid_world(gamma=setting.gamma)
    truth = sl.true_values(world)
    networks = {seed: setting.network(seed) for seed in seeds}
    rows: dict[int, dict[str, Any]] = {seed: {"seed": seed, "q_peak": 0.0} for seed in seeds}
    done = 0
    for mark in marks:
        live = [seed for seed in seeds if not rows[seed].get("diverged")]
        runs = (
            sl.train_stacked([networks[seed] for seed in live], [world] * len(live), lr=setting.lr, steps=mark - done)
            if live
            else []
        )
        for seed, run in zip(live, runs, strict=True):
            row = rows[seed]
            row |= _end(run, marks[-1], done)
            row |= {"q_mean_at_end": run.q_mean[-1], "q_peak": max(row["q_peak"], run.q_max.max())}
            if not run.diverged:
                row[f"error_at_{mark}"] = relative_error(sl.q_values(networks[seed], world.x).detach(), truth)
        done = mark
    return list(rows.values())


def relative_error(q: torch.Tensor, truth: torch.Tensor) -> float:
    """Root mean square of Q - truth, over the standard deviation of the truth: 1 for the best constant."""
    return ((q - truth).square().mean().sqrt() / truth.std(correction=0)).item()


def _end(run: sl.History, steps: int, done: int = 0) -> dict[str, Any]:
    """How a run ended; `done` steps came before it."""
    last = done + int(run.step[-1])
    return {"steps": steps, "diverged": run.diverged, "crash_step": last if run.diverged else None}


def main() -> None:
    """Every setting, a dozen seeds at a time."""
    rows = []
    for setting in tqdm(list(settings()), unit="setting"):
        runs: Callable[..., list[dict[str, Any]]] = grid_runs if setting.part in ("value", "grid") else walk_runs
        for first in range(0, len(SEEDS), STACK):
            rows += [vars(setting) | row for row in runs(setting, SEEDS[first : first + STACK])]
    table = pd.DataFrame(rows).astype({"crash_step": "Int64"})
    table.to_csv(FILE, index=False, float_format="%.6g")
    print(f"{FILE.name}: {len(table)} runs, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
