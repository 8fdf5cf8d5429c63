"""Make the small tables that only the ledger of claims needs: `python data/make_claim_runs.py NAME`.

NAME is `one_step`, `settling`, `last_switches` or `kernel_growth`; minutes each. Walk seed s, network seed 1000 + s, 64
units a hidden layer, discount .99. `data/README.md` describes the files.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

import seem_lab as sl
from seem_lab.progress import LateBar

FOLDER = Path(__file__).resolve().parent
SEEDS = range(24)
SETTLING_SEEDS = range(48)
SWITCH_SEEDS = range(200, 400)  # run once: seeds 0 to 47 had left open whether most runs settle
STACK = 20  # runs at once
LR, STEPS = 0.02, 1500
HIDDEN = {2: (64,), 3: (64, 64)}  # depth L, the number of linear layers
LOOK_EVERY = 5  # steps
LAST = 20  # steps before the end
DISTANCES = torch.logspace(2, 5, 31, dtype=torch.float64)  # from x0, along a ray
FACTORS = (100.0, 1000.0)  # of the weights


def watched(items: Sequence[Any], desc: str) -> Iterator[Any]:
    """The items, with a bar if they take long."""
    with LateBar(len(items), desc=desc, unit="run") as bar:
        for item in items:
            yield item
            bar.update()


def state(network: nn.Module, walk: sl.Problem) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """TD error `(N,)`, index of each greedy next action `(N,)`, parameters `(P,)`."""
    choice, q_next = walk.greedy(network)
    u = sl.q_values(network, walk.x).detach() - walk.reward - walk.discount * q_next
    return u, choice, parameters_to_vector(network.parameters()).detach().clone()


def one_step(seeds: Sequence[int] = SEEDS) -> pd.DataFrame:
    """Every fifth step of runs that blow up: the change of the TD error against what the kernel predicts."""
    rows = []
    for seed in watched(seeds, "one step"):
        network, walk = sl.mlp(4, HIDDEN[2], seed=1000 + seed), sl.toy_walk(seed)
        eps = sl.step_size(LR, walk.n)
        for step in range(0, STEPS, LOOK_EVERY):
            u, choice, _ = state(network, walk)
            kernels = sl.frozen_kernels(network, *walk.bootstrap(network))
            pull, push = -eps * kernels.here @ u, eps * kernels.there @ u  # of the values, of their targets
            sl.train(network, walk, lr=LR, steps=1, progress=False)
            u_new, choice_new, _ = state(network, walk)
            change = u_new - u
            rows.append(
                {
                    "seed": seed,
                    "step": step,
                    "size": ((pull + push).norm() / u.norm()).item(),
                    "residual": ((change - pull - push).norm() / change.norm()).item(),
                    "residual_without_targets": ((change - pull).norm() / change.norm()).item(),
                    "switches": int((choice != choice_new).sum()),
                }
            )
            if sl.train(network, walk, lr=LR, steps=LOOK_EVERY - 1, progress=False).diverged:
                break
    return pd.DataFrame(rows)


def settling(depths: Iterable[int] = HIDDEN, seeds: Iterable[int] = SETTLING_SEEDS) -> pd.DataFrame:
    """One row a run that blows up: what still changes between ten times the error's minimum and the last step."""
    rows = []
    for depth, seed in watched(list(product(depths, seeds)), "settling"):
        walk = sl.toy_walk(seed)
        run = sl.train(sl.mlp(4, HIDDEN[depth], seed=1000 + seed), walk, lr=LR, steps=STEPS, progress=False)
        if run.diverged:
            rows.append({"depth": depth, "seed": seed} | last_part(run, depth, seed, walk))
    return pd.DataFrame(rows)


def last_part(run: sl.History, depth: int, seed: int, walk: sl.Problem) -> dict[str, float | int]:
    """The same run once more, looked at in every step of its last part; the step that passes the limit is left out."""
    crash = int(run.step[-1])
    ten = int(sl.terminal_start(run.td_error_norm) or 0)
    first = max(0, min(ten, crash - 1 - LAST))  # not every run has so many steps
    network = sl.mlp(4, HIDDEN[depth], seed=1000 + seed)
    start = parameters_to_vector(network.parameters()).detach().clone()
    fresh = kernels_of(network, walk)
    sl.train(network, walk, lr=LR, steps=first, record_every=first or 1, progress=False)
    errors, thetas, kernels = [], [], {}
    for step in range(first, crash):
        u, _, theta = state(network, walk)
        errors.append(u)
        thetas.append(theta)
        if step in (ten, crash - 1 - LAST, crash - 1):
            kernels[step] = kernels_of(network, walk)
        sl.train(network, walk, lr=LR, steps=1, progress=False)

    def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
        return torch.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()

    def turned(earlier: tuple[torch.Tensor, torch.Tensor], when: str) -> dict[str, float]:
        """Cosines of G(X*, X) and of A with those of the last step."""
        pairs = zip(("kernel", "matrix"), earlier, kernels[crash - 1], strict=True)
        return {f"{name}_cosine_{when}": cosine(a, b) for name, a, b in pairs}

    later = slice(ten - first, None)
    log_error = torch.stack(errors).norm(dim=1).log().numpy()[later]
    theta = torch.stack(thetas)
    return {
        "crash_step": crash,
        "steps_left": crash - ten,
        "error_cosine_10x": abs(cosine(errors[ten - first], errors[-1])),
        "order_whole": order(theta.norm(dim=1).log().numpy()[later], log_error),
        "order_moved": order((theta - start).norm(dim=1).log().numpy()[later], log_error),
    } | {
        name: value
        for when, earlier in {"fresh": fresh, "20": kernels[max(crash - 1 - LAST, first)], "10x": kernels[ten]}.items()
        for name, value in turned(earlier, when).items()
    }


def kernels_of(network: nn.Module, walk: sl.Problem) -> tuple[torch.Tensor, torch.Tensor]:
    """G(X*, X) with the discounts in it, and A."""
    kernels = sl.frozen_kernels(network, *walk.bootstrap(network))
    return kernels.there, kernels.there - kernels.here


def order(log_size: np.ndarray, log_error: np.ndarray) -> float:
    """Power with which the error grows with a size: slope of their logarithms; nan with fewer than three points."""
    return float(np.polyfit(log_size, log_error, 1)[0]) if len(log_size) >= 3 else float("nan")


def last_switches(depths: Iterable[int] = HIDDEN, seeds: Sequence[int] = SWITCH_SEEDS) -> pd.DataFrame:
    """One row a run that blows up: when a greedy next action changed for the last time."""
    rows = []
    stacks = [seeds[first : first + STACK] for first in range(0, len(seeds), STACK)]
    for depth, some in watched(list(product(depths, stacks)), "last switches"):
        networks = [sl.mlp(4, HIDDEN[depth], seed=1000 + seed) for seed in some]
        runs = sl.train_stacked(networks, [sl.toy_walk(seed) for seed in some], lr=LR, steps=STEPS)
        for seed, run in zip(some, runs, strict=True):
            if run.diverged:
                switched = np.flatnonzero(run.switches[:-1])  # the step that passes the limit is left out
                last = int(run.step[switched[-1]]) if len(switched) else 0
                rows.append({"depth": depth, "seed": seed, "crash_step": int(run.step[-1]), "last_switch": last})
    return pd.DataFrame(rows)


def kernel_growth(seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """How the kernel of fresh networks grows with the distance of an input, and with the weights."""
    rows = []
    draw = torch.Generator().manual_seed(0)
    directions = torch.randn(len(SEEDS), 4, generator=draw, dtype=torch.float64)  # one a seed
    for depth, norm, seed in product(HIDDEN, (False, True), seeds):
        network, x = sl.mlp(4, HIDDEN[depth], layer_norm=norm, seed=1000 + seed), sl.toy_walk(seed).x
        x0 = x[20]
        direction = directions[seed] / directions[seed].norm()
        response = sl.ntk_ray(network, x0, direction, DISTANCES) / sl.ntk(network, x0[None]).squeeze()
        before, after = (sl.ntk(scaled(network, factor), x).diag() for factor in FACTORS)
        power = (after / before).median().log10() / np.log10(FACTORS[1] / FACTORS[0])
        rows.append(
            {
                "depth": depth,
                "layer_norm": norm,
                "seed": seed,
                "ray_exponent": sl.ray_exponent(DISTANCES, response).item(),
                "farthest_response": response[-1].abs().item(),
                "weight_power": power.item(),
            }
        )
    return pd.DataFrame(rows)


def scaled(network: nn.Module, factor: float) -> nn.Module:
    """A copy whose linear layers are multiplied by a factor; gain and bias of LayerNorm stay."""
    larger = copy.deepcopy(network)
    with torch.no_grad():
        for layer in larger.modules():
            if isinstance(layer, nn.Linear):
                for parameter in layer.parameters():
                    parameter.mul_(factor)
    return larger


TABLES = {table.__name__: table for table in (one_step, settling, last_switches, kernel_growth)}

if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) != 2 or sys.argv[1] not in TABLES:
        sys.exit(f"usage: python {Path(__file__).name} {'|'.join(TABLES)}")
    name = sys.argv[1]
    made = TABLES[name]()
    made.to_csv(FOLDER / f"{name}.csv", index=False, float_format="%.6g")
    print(f"{name}.csv: {len(made)} rows, {(FOLDER / f'{name}.csv').stat().st_size:,} bytes")
