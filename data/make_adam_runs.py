"""Make data/adam_runs.npz, the stored runs of lesson 06: `python data/make_adam_runs.py`; about an hour on one core.

The toy walk trained with Adam for 4000 steps, walk seed s and network seed 1000 + s: at gamma .99 for every
combination of depth, beta2 and learning rate below, at smaller gamma for the usual ones. `data/README.md` describes
the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

import seem_lab as sl
from seem_lab.seem import leading_eigenvalue

FILE = Path(__file__).resolve().parent / "adam_runs.npz"
HIDDEN = {2: (64,), 3: (64, 64)}
BETA1, TINY = 0.9, 1e-8
BETA2 = (0.9, 0.99, 0.999, 0.9999)
LR = (3e-4, 1e-3, 3e-3)
USUAL_LR, USUAL_BETA2 = 1e-3, 0.999  # with these, more is recorded
STEPS, EVERY = 4000, 50
SEEDS = {USUAL_LR: range(24)}  # of the other learning rates:
FEW_SEEDS = range(8)
GAMMA, SMALLER_GAMMA = 0.99, (0.965, 0.95)
ALWAYS = ("q_max", "td_error_norm", "parameter_norm", "ratio")
CLOSELY = (
    "active_share",
    "flipped_share",
    "step_norm",
    "cosine",
    "sgd_rate",
    "adam_rate",
)  # with the usual settings only


def adam_runs(
    depth: int,
    beta2: float,
    lr: float,
    gamma: float,
    seeds: Sequence[int],
    *,
    steps: int = STEPS,
    closely: bool = False,
) -> dict[str, np.ndarray]:
    """Train one network a seed, all in one stack: Adam treats every parameter by itself, so they do not meet.

    Args:
        depth: linear layers, a key of `HIDDEN`.
        beta2: Adam's.
        lr: learning rate.
        gamma: discount.
        seeds: S of them.
        steps: number of updates.
        closely: record the series in `CLOSELY`, too; they are nan otherwise.

    Returns:
        Every name in `ALWAYS` and `CLOSELY`, each `(S, steps // EVERY + 1)`, and `last_switch`, `(S,)`.
    """
    walks = [sl.toy_walk(seed, gamma=gamma) for seed in seeds]
    networks = [sl.mlp(4, HIDDEN[depth], seed=1000 + seed) for seed in seeds]
    x = torch.stack([walk.x for walk in walks])
    candidates = torch.stack([walk.candidates.flatten(0, 1) for walk in walks])
    n = x.shape[1]
    layers = [
        torch.stack(same).detach().requires_grad_() for same in zip(*(q.parameters() for q in networks), strict=True)
    ]
    optimizer = torch.optim.Adam(layers, lr=lr, betas=(BETA1, beta2), eps=TINY)
    found: dict[str, list[Tensor]] = {name: [] for name in ALWAYS + CLOSELY}
    last_switch, choice = torch.zeros(len(walks), dtype=torch.int64), None
    gradient = torch.zeros(len(walks), 1)

    for step in range(steps + 1):
        with torch.no_grad():
            q_next, greedy = _forward(layers, candidates).unflatten(1, (n, -1)).max(dim=2)
        if choice is not None:
            last_switch[(greedy != choice).any(1)] = step
        choice = greedy
        q = _forward(layers, x)
        u = q - gamma * q_next  # no rewards, no terminals
        optimizer.zero_grad()
        u.square().mean(1).sum().backward()
        before, last_gradient, gradient = _flat(layers), gradient, _flat([layer.grad for layer in layers])
        optimizer.step()
        if step % EVERY:
            continue

        change = _flat(layers) - before
        m, v = (_flat([optimizer.state[p][name] for p in layers]) for name in ("exp_avg", "exp_avg_sq"))
        m_hat, v_hat = m / (1 - BETA1 ** (step + 1)), v / (1 - beta2 ** (step + 1))
        active = gradient != 0
        ratio = m_hat.abs() / (v_hat.sqrt() + TINY)
        rows = {
            "q_max": q.detach().abs().amax(1),
            "td_error_norm": u.detach().norm(dim=1),
            "parameter_norm": before.norm(dim=1),
            "ratio": torch.stack([row[on].median() for row, on in zip(ratio, active, strict=True)]),
        }
        if closely:
            rates = []
            for network, walk, theta, sizes in zip(networks, walks, before, v_hat.sqrt() + TINY, strict=True):
                torch.nn.utils.vector_to_parameters(theta, network.parameters())
                rates.append(growth_rates(network, walk, sizes, lr))
            rows |= {
                "active_share": active.double().mean(1),
                "flipped_share": (gradient * last_gradient < 0).sum(1) / active.sum(1),
                "step_norm": change.norm(dim=1),
                "cosine": torch.cosine_similarity(before, change, dim=1),
                "sgd_rate": torch.tensor([sgd for sgd, _ in rates]),
                "adam_rate": torch.tensor([adam for _, adam in rates]),
            }
        for name, row in rows.items():
            found[name].append(row)
    records = steps // EVERY + 1
    missing = torch.full((records * len(walks),), torch.nan)
    series = {name: torch.stack(rows or list(missing)).view(records, -1).T.numpy() for name, rows in found.items()}
    return series | {"last_switch": last_switch.numpy()}


def growth_rates(network: torch.nn.Module, walk: sl.Problem, sizes: Tensor, lr: float) -> tuple[float, float]:
    """eps * SEEM, and the same of A_Adam = (discount Phi* - Phi) S Phi^T, S = 1 / sizes, `(P,)`: sqrt(v_hat) + TINY."""
    x, x_next, discount = walk.bootstrap(network)
    phi, phi_next = sl.jacobian(network, x), sl.jacobian(network, x_next)
    moves, eps = discount[:, None] * phi_next - phi, sl.step_size(lr, walk.n)
    return eps * leading_eigenvalue(moves @ phi.T).real, eps * leading_eigenvalue(moves @ (phi / sizes).T).real


def _forward(layers: Sequence[Tensor], rows: Tensor) -> Tensor:
    """Q of every network for its own rows, `(S, rows)`; `layers` is weight, bias, weight, bias, ..."""
    h = rows.mT
    for i in range(0, len(layers), 2):
        h = torch.baddbmm(layers[i + 1][..., None], layers[i], h.relu() if i else h)
    return h[:, 0]


def _flat(blocks: Sequence[Tensor]) -> Tensor:
    """`(S, P)`, a copy."""
    return torch.cat([block.detach().flatten(1) for block in blocks], dim=1)


def main() -> None:
    """Every combination, one row a run."""
    combinations = [*product(HIDDEN, BETA2, LR, [GAMMA]), *product([2], [USUAL_BETA2], [USUAL_LR], SMALLER_GAMMA)]
    runs: dict[str, list[np.ndarray]] = {}
    for depth, beta2, lr, gamma in tqdm(combinations, unit="stack"):
        seeds = SEEDS.get(lr, FEW_SEEDS)
        usual = (beta2, lr, gamma) == (USUAL_BETA2, USUAL_LR, GAMMA)
        some = adam_runs(depth, beta2, lr, gamma, seeds, closely=usual) | {"seed": np.array(seeds)}
        settings = {"depth": depth, "beta2": beta2, "lr": lr, "gamma": gamma}
        some |= {name: np.full(len(seeds), value) for name, value in settings.items()}
        for name, rows in some.items():
            runs.setdefault(name, []).append(rows.astype(np.float32) if name in ALWAYS + CLOSELY else rows)
    table = {name: np.concatenate(rows) for name, rows in runs.items()}
    np.savez_compressed(FILE, step=np.arange(0, STEPS + 1, EVERY), **table)
    print(f"{FILE.name}: {len(table['seed'])} runs, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
