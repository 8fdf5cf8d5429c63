"""Make the stored runs of lesson 09: `python data/make_stability_runs.py NAME`, NAME `growth_rates` or `phase_diagram`.

Toy walks, walk seed s and network seed 1000 + s, trained with SGD (with and without momentum) or Adam, and a target
network that follows with rate tau (`seem_lab.targets.EmaTarget` does the same). Along each run the update map is
linearised (`seem_lab.stability`), and its growth per update is written down beside the growth that follows.
`data/README.md` describes the files.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils import vector_to_parameters
from tqdm.auto import tqdm

import seem_lab as sl
from seem_lab.seem import leading_eigenvalue

FOLDER = Path(__file__).resolve().parent
Q_LIMIT = 1e6
BETA1, BETA2 = 0.9, 0.999
OPTIMIZERS = {"sgd": (2e-2, 0.0), "momentum": (2e-3, 0.9), "adam": (1e-3, BETA1)}  # learning rate, momentum

RATE_SEEDS, RATE_GAMMA = range(12), 0.99
RATE_STEPS = {1.0: (1500, 20), 0.5: (3000, 50), 0.1: (3000, 50), 0.02: (3000, 50)}  # tau: steps, window
LARGEST_CHANGE = 3.0  # of ||u|| within a window

GAMMAS, TAUS = (0.9, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99), (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.005)
PHASE_SEEDS, PHASE_STEPS, PHASE_AT = range(10), 3000, (100, 500, 1000, 2000)


@dataclass
class Moment:
    """A state of the runs, before its update.

    Args:
        step: updates done so far.
        log_error: `(S,)` log ||u||.
        q_max: `(S,)`.
        choice: `(S, N)` greedy next actions.
        linearised: for each run what `_linearise` says; None where not asked for, or where the run is over.
    """

    step: int
    log_error: np.ndarray
    q_max: np.ndarray
    choice: Tensor
    linearised: list[Linearised | None]


@dataclass
class Linearised:
    """What the frozen kernels of a state say.

    Args:
        stability: of the update map.
        seem_rate: log(1 + eps SEEM), what plain SEEM would say.
        log_error: `(ahead + 1,)` log ||u|| from here on, if the features and the next actions stayed as they are, from
            the run's *actual* error, momentum and lag of the target.
    """

    stability: sl.Stability
    seem_rate: float
    log_error: np.ndarray


def moments(
    seeds: Sequence[int], gamma: float, optimizer: str, tau: float, steps: int, at: Collection[int], ahead: int = 0
) -> Iterator[Moment]:
    """Train one network a seed, all in one stack; every optimiser treats each parameter by itself.

    Args:
        seeds: S of them.
        gamma: discount.
        optimizer: a key of `OPTIMIZERS`.
        tau: rate of the target network; 1 is none.
        steps: number of updates; it ends earlier if all runs have passed `Q_LIMIT`.
        at: steps at which the update map is linearised.
        ahead: how far the frozen model is followed from there.
    """
    lr, momentum = OPTIMIZERS[optimizer]
    walks = [sl.toy_walk(seed, gamma=gamma) for seed in seeds]
    networks = [sl.mlp(4, seed=1000 + seed) for seed in seeds]
    x = torch.stack([walk.x for walk in walks])
    candidates = torch.stack([walk.candidates.flatten(0, 1) for walk in walks])
    n = x.shape[1]
    layers = [
        torch.stack(same).detach().requires_grad_() for same in zip(*(q.parameters() for q in networks), strict=True)
    ]
    slow = [layer.detach().clone() for layer in layers]
    updates: torch.optim.Optimizer = (
        torch.optim.Adam(layers, lr=lr, betas=(BETA1, BETA2))
        if optimizer == "adam"
        else torch.optim.SGD(layers, lr=lr, momentum=momentum)
    )
    alive = torch.ones(len(walks), dtype=torch.bool)
    for step in range(steps + 1):
        with torch.no_grad():
            q_next, choice = _forward(slow, candidates).unflatten(1, (n, -1)).max(dim=2)
        q = _forward(layers, x)
        u = q - gamma * q_next  # no rewards, no terminals
        q_max, size = q.detach().abs().amax(1), u.detach().norm(dim=1)
        alive &= (q_max <= Q_LIMIT) & (size < torch.inf)
        found: list[Linearised | None] = [None] * len(walks)
        if step in at:
            for i in alive.nonzero()[:, 0].tolist():
                if step > 0 or optimizer != "adam":  # Adam has no second moments before its first step
                    found[i] = _linearise(
                        walks[i], layers, slow, updates, i, choice[i], u[i].detach(), optimizer, tau, ahead
                    )
        gone = ~alive.numpy()
        log_error = np.where(gone, np.inf, np.log(size.numpy()))
        yield Moment(step, log_error, np.where(gone, np.inf, q_max.numpy()), choice, found)
        if not alive.any():
            return
        updates.zero_grad()
        u[alive].square().mean(1).sum().backward()
        updates.step()
        with torch.no_grad():
            for target, layer in zip(slow, layers, strict=True):
                target.lerp_(layer, tau)


def _linearise(
    walk: sl.Problem,
    layers: list[Tensor],
    slow: list[Tensor],
    updates: torch.optim.Optimizer,
    i: int,
    choice: Tensor,
    u: Tensor,
    optimizer: str,
    tau: float,
    ahead: int,
) -> Linearised:
    """The frozen model of run i as it is now."""
    lr, momentum = OPTIMIZERS[optimizer]
    network, target = sl.mlp(4), sl.mlp(4)
    vector_to_parameters(_flat(layers, i), network.parameters())
    vector_to_parameters(_flat(slow, i), target.parameters())
    x_next = walk.candidates[torch.arange(walk.n), choice]
    eps, adam = sl.step_size(lr, walk.n), optimizer == "adam"
    scale = _preconditioner(updates, layers, i) if adam else None
    kernels = sl.frozen_kernels(network, walk.x, x_next, walk.discount, preconditioner=scale, target=target)
    dampening = momentum if adam else 0.0
    update = sl.UpdateMap(kernels, eps=eps, momentum=momentum, dampening=dampening, tau=tau)
    plain = leading_eigenvalue(sl.seem_matrix(network, walk.x, x_next, walk.discount)).real

    phi, phi_next = sl.jacobian(network, walk.x), walk.discount[:, None] * sl.jacobian(target, x_next)
    name = "exp_avg" if adam else "momentum_buffer"
    buffers = [updates.state[layer].get(name) for layer in layers]
    buffer = torch.zeros(phi.shape[1]) if buffers[0] is None else _flat(buffers, i)
    buffer = buffer.to(phi)
    k = torch.ones_like(buffer) if scale is None else torch.cat([part.flatten() for part in scale.values()])
    moved, lag = torch.zeros_like(buffer), _flat(layers, i) - _flat(slow, i)  # theta - theta_0, theta_0 - slow_0
    followed = torch.zeros_like(buffer)  # slow - slow_0
    now, sizes = u, [u.norm()]
    for _ in range(ahead):
        buffer = momentum * buffer + (1 - dampening) * 2 / walk.n * phi.T @ now
        moved = moved - lr * k * buffer
        followed = followed + tau * (lag + moved - followed)
        now = u + phi @ moved - phi_next @ followed
        sizes.append(now.norm())
    return Linearised(sl.stability(update), float(np.log1p(max(eps * plain, -0.99))), torch.stack(sizes).log().numpy())


def _preconditioner(updates: torch.optim.Optimizer, layers: list[Tensor], i: int) -> dict[str, Tensor]:
    """1 / (sqrt(v_hat) + 1e-8) of run i."""
    names = [name for name, _ in sl.mlp(4).named_parameters()]
    correction = 1 - BETA2 ** float(updates.state[layers[0]]["step"])
    sizes = [(updates.state[layer]["exp_avg_sq"][i] / correction).sqrt() + 1e-8 for layer in layers]
    return {name: 1 / size for name, size in zip(names, sizes, strict=True)}


def _forward(layers: Sequence[Tensor], rows: Tensor) -> Tensor:
    """Q of every network for its own rows, `(S, rows)`; `layers` is weight, bias, weight, bias, ..."""
    h = rows.mT
    for i in range(0, len(layers), 2):
        h = torch.baddbmm(layers[i + 1][..., None], layers[i], h.relu() if i else h)
    return h[:, 0]


def _flat(layers: Sequence[Tensor], i: int) -> Tensor:
    return torch.cat([layer.detach()[i].flatten() for layer in layers])


def growth_rates() -> pd.DataFrame:
    """One row a window: predicted growth at its start and at its end, and the measured one."""
    rows = []
    for optimizer, tau in tqdm(list(product(OPTIMIZERS, RATE_STEPS)), unit="setting"):
        total, window = RATE_STEPS[tau]
        run = list(moments(RATE_SEEDS, RATE_GAMMA, optimizer, tau, total, range(0, total + 1, window), window))
        errors = np.stack([moment.log_error for moment in run])
        for i, seed in enumerate(RATE_SEEDS):
            for start in range(0, len(run) - 1, window):
                here = run[start].linearised[i]
                if here is None:
                    continue
                inside = errors[start : start + window + 1, i]
                over = np.flatnonzero(np.abs(inside - inside[0]) > np.log(LARGEST_CHANGE))
                steps = int(over[0]) - 1 if len(over) else len(inside) - 1
                if steps < 1:
                    continue
                end = start + steps
                after = run[end].linearised[i] if end % window == 0 else None
                switched = any(bool((run[t].choice[i] != run[start].choice[i]).any()) for t in range(start, end + 1))
                rows.append(
                    {
                        "optimizer": optimizer,
                        "tau": tau,
                        "seed": seed,
                        "step": start,
                        "steps": steps,
                        "log_error": errors[start, i],
                        "lowest": errors[: start + 1, i].min(),
                        "measured": (inside[steps] - inside[0]) / steps,
                        "predicted": here.stability.growth,
                        "predicted_after": np.nan if after is None else after.stability.growth,
                        "frozen": (here.log_error[steps] - here.log_error[0]) / steps,
                        "seem_rate": here.seem_rate,
                        "frequency": here.stability.frequency,
                        "verdict": here.stability.verdict,
                        "switched": switched,
                    }
                )
    return pd.DataFrame(rows)


def phase_diagram() -> pd.DataFrame:
    """One row a run: errors at some steps, the crash, and the growth predicted at the steps `PHASE_AT`."""
    cells = tqdm(list(product(GAMMAS, TAUS)), unit="cell")
    return pd.concat([phase_cell(gamma, tau) for gamma, tau in cells], ignore_index=True)


def phase_cell(gamma: float, tau: float, seeds: Sequence[int] = PHASE_SEEDS) -> pd.DataFrame:
    """The runs of one discount and one rate of the target network."""
    runs: list[dict] = [{"gamma": gamma, "tau": tau, "seed": seed, "crash_step": np.nan} for seed in seeds]
    for moment in moments(seeds, gamma, "sgd", tau, PHASE_STEPS, PHASE_AT):
        for i, row in enumerate(runs):
            if np.isinf(moment.log_error[i]) and np.isnan(row["crash_step"]):
                row["crash_step"] = moment.step
            if moment.step in (*PHASE_AT, PHASE_STEPS):
                row[f"log_error_at_{moment.step}"] = moment.log_error[i]
                row[f"q_max_at_{moment.step}"] = moment.q_max[i]
            there = moment.linearised[i]
            if there is not None:
                row[f"growth_at_{moment.step}"] = there.stability.growth
                row[f"verdict_at_{moment.step}"] = there.stability.verdict
                row[f"seem_rate_at_{moment.step}"] = there.seem_rate
    return pd.DataFrame(runs)


TABLES = {"growth_rates": growth_rates, "phase_diagram": phase_diagram}


def main(name: str) -> None:
    """Make one of the tables."""
    path = FOLDER / f"{name}.csv.gz"
    table = TABLES[name]()
    table.to_csv(path, index=False, float_format="%.5g", compression={"method": "gzip", "mtime": 0})
    print(f"{path.name}: {len(table)} rows, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) != 2 or sys.argv[1] not in TABLES:
        sys.exit(f"usage: python {Path(__file__).name} {'|'.join(TABLES)}")
    main(sys.argv[1])
