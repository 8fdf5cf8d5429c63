"""Every remedy on the same seeds: what each one changes, a run of it, and the table over all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import nn

from seem_lab.bootstraps import behaviour_penalty, in_sample_actions, n_step_returns, scale_rewards
from seem_lab.networks import mlp
from seem_lab.optimizers import GradientDescent, OptimizerFactory, clipped
from seem_lab.problems import Problem, toy_walk
from seem_lab.progress import LateBar
from seem_lab.regularisers import batch_norm, dropout, spectral_norm, weight_norm
from seem_lab.targets import BatchTarget, DoubleQ, EmaTarget, LiveTarget, QuietTarget
from seem_lab.training import History, watch_training

LR, RECORD_EVERY, SEEM_EVERY, TIMED_STEPS = 2e-2, 10, 50, 100
TOLERANCE = 0.1  # a run has settled once mean Q stays this close to the true value


ACTIVATIONS = (nn.Tanh, nn.ELU, nn.SiLU)
INITIALISATIONS = {
    "He": nn.init.kaiming_normal_,
    "orthogonal": nn.init.orthogonal_,
    "orthogonal, half size": partial(nn.init.orthogonal_, gain=0.5),
}


def _net(change: Callable[[nn.Sequential], nn.Module] | None = None, **settings: object) -> Callable[[int], nn.Module]:
    """The network of a seed: an `mlp` with these settings, changed."""

    def make(seed: int) -> nn.Module:
        """The network of this seed."""
        network = mlp(4, (64,), seed=seed, **settings)  # type: ignore[arg-type]
        return network if change is None else change(network)

    return make


def _fifth_of_the_horizon(problem: Problem) -> Problem:
    """1 - gamma times five: .99 becomes .95, .8 becomes 0."""
    return replace(problem, gamma=1 - 5 * (1 - problem.gamma))


def _fixed(make: Callable[[], LiveTarget]) -> Callable[[int], LiveTarget]:
    """A target rule that does not depend on the seed."""

    def same(seed: int) -> LiveTarget:
        """The rule, whatever the seed."""
        return make()

    return same


@dataclass(frozen=True)
class Population:
    """Toy walks of one kind; the true value is `reward / (1 - gamma)` everywhere, whatever the policy.

    Args:
        gamma: discount factor.
        reward: given on every step.
        steps: number of updates of a run.
    """

    gamma: float
    reward: float
    steps: int

    @property
    def true_value(self) -> float:
        """Of every state and action."""
        return self.reward / (1 - self.gamma)


POPULATIONS = {  # the plain run crashes on the first and comes near the true value, 1, on the second
    "diverging": Population(gamma=0.99, reward=0.0, steps=1500),
    "converging": Population(gamma=0.8, reward=0.2, steps=750),
}


SEEM_STEPS = range(0, POPULATIONS["diverging"].steps + 1, SEEM_EVERY)


@dataclass(frozen=True)
class Remedy:
    """One remedy at one strength: what it changes in the plain run.

    Args:
        family: its name.
        strength: its setting, as a label; empty where there is none.
        side: what it changes: `"network"`, `"problem"`, `"optimizer"`, `"target"`, or `"none"`.
        network: makes the network of a seed.
        problem: changes the problem.
        optimizer: makes the optimizer.
        target: makes the target rule of a seed.
        scale: factor of the true values; 1 but where rewards are scaled.
    """

    family: str
    strength: str
    side: str
    network: Callable[[int], nn.Module] = _net()  # noqa: RUF009
    problem: Callable[[Problem], Problem] = replace
    optimizer: OptimizerFactory = GradientDescent
    target: Callable[[int], LiveTarget] = _fixed(LiveTarget)  # noqa: RUF009
    scale: float = 1.0

    @property
    def name(self) -> str:
        """Family and strength."""
        return f"{self.family} {self.strength}".strip()


def remedies() -> list[Remedy]:
    """All of them, the plain run first.

    Returns:
        Remedies at their strengths, those of one family together.

    Example:
        >>> [remedy.name for remedy in remedies()][:3]
        ['plain', 'LayerNorm with affine', 'LayerNorm without affine']
    """
    found = [Remedy("plain", "", "none")]
    found += [Remedy("LayerNorm", "with affine", "network", _net(layer_norm=True))]
    found += [Remedy("LayerNorm", "without affine", "network", _net(layer_norm=True, affine=False))]
    found += [Remedy("activation", kind.__name__, "network", _net(activation=kind)) for kind in ACTIVATIONS]
    found += [Remedy("initialisation", name, "network", _net(init=init)) for name, init in INITIALISATIONS.items()]
    found += [Remedy("weight norm", "learned gain", "network", _net(weight_norm))]
    found += [Remedy("weight norm", "fixed gain", "network", _net(partial(weight_norm, learn_gain=False)))]
    found += [Remedy("spectral norm", "", "network", _net(spectral_norm))]
    found += [Remedy("dropout", f"{p:g}", "network", _net(partial(dropout, p=p))) for p in (0.1, 0.5)]
    found += [
        Remedy("dropout", f"{p:g}, quiet target", "network", _net(partial(dropout, p=p)), target=_fixed(QuietTarget))
        for p in (0.1, 0.5)
    ]
    found += [
        Remedy("batch norm", name, "network", _net(batch_norm), target=_fixed(partial(BatchTarget, joint=joint)))
        for name, joint in (("separate batches", False), ("joint batch", True))
    ]
    found += [
        Remedy("weight decay", f"{decay:g}", "optimizer", optimizer=partial(GradientDescent, weight_decay=decay))
        for decay in (1e-3, 1e-2, 1e-1)
    ]
    found += [
        Remedy("clipping", f"{norm:g}", "optimizer", optimizer=clipped(GradientDescent, norm)) for norm in (0.1, 1.0)
    ]
    found += [
        Remedy("EMA target", f"{rate:g}", "target", target=_fixed(partial(EmaTarget, rate)))
        for rate in (0.95, 0.8, 0.5, 0.1, 0.01)
    ]
    found += [Remedy("double Q", "", "target", target=lambda seed: DoubleQ(mlp(4, (64,), seed=1_000_000 + seed)))]
    found += [
        Remedy("behaviour penalty", f"{strength:g}", "problem", problem=partial(behaviour_penalty, strength=strength))
        for strength in (0.03, 0.1, 1.0)
    ]
    found += [Remedy("in-sample action", "", "problem", problem=in_sample_actions)]
    found += [Remedy("n-step returns", f"{n}", "problem", problem=partial(n_step_returns, steps=n)) for n in (3, 10)]
    found += [Remedy("lower discount", "fifth of the horizon", "problem", problem=_fifth_of_the_horizon)]
    found += [Remedy("reward scale", "0.1", "problem", problem=partial(scale_rewards, factor=0.1), scale=0.1)]
    return found


def run_remedy(
    remedy: Remedy,
    seed: int,
    population: str = "diverging",
    *,
    steps: int | None = None,
    lr: float = LR,
    seem_every: int | None = None,
) -> History:
    """One run of the toy walk with a remedy: walk seed s, network seed 1000 + s, chance (dropout) seed s.

    Args:
        remedy: one of `remedies()`.
        seed: s.
        population: a key of `POPULATIONS`.
        steps: number of updates; the population's if not given.
        lr: learning rate.
        seem_every: compute SEEM every so many steps; never if not given.

    Returns:
        The run, recorded every 10 steps.

    Example:
        >>> run_remedy(remedies()[0], 0).diverged, run_remedy(remedies()[1], 0, steps=500).diverged
        (True, False)
    """
    *_, run = watch_remedy(remedy, seed, population, steps=steps, lr=lr, seem_every=seem_every)
    return run


def watch_remedy(
    remedy: Remedy,
    seed: int,
    population: str = "diverging",
    *,
    every: int | None = None,
    steps: int | None = None,
    lr: float = LR,
    seem_every: int | None = None,
) -> Iterator[History]:
    """`run_remedy`, seen while it goes on: the history so far every so many steps, and at the end.

    Example:
        >>> [int(run.step[-1]) for run in watch_remedy(remedies()[0], 0, steps=60, every=20)]
        [0, 20, 40, 60]
    """
    kind = POPULATIONS[population]

    def begin() -> Iterator[History]:
        return watch_training(
            remedy.network(1000 + seed),
            remedy.problem(toy_walk(seed, reward=kind.reward, gamma=kind.gamma)),
            every=every,
            optimizer=remedy.optimizer,
            target=remedy.target(seed),
            lr=lr,
            steps=kind.steps if steps is None else steps,
            record_every=RECORD_EVERY,
            seem_every=seem_every,
        )

    chance = torch.Generator().manual_seed(seed).get_state()
    runs: Iterator[History] | None = None
    while True:  # what others draw from the global generator in between is left as it is
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(chance)
            runs = runs or begin()
            run = next(runs, None)
            chance = torch.get_rng_state()
        if run is None:
            return
        yield run


def remedy_row(remedy: Remedy, seed: int, population: str) -> dict[str, object]:
    """A run's line of the table; `remedies_table` says what its columns mean."""
    diverging = population == "diverging"
    run = run_remedy(remedy, seed, population, seem_every=SEEM_EVERY if diverging else None)
    truth = POPULATIONS[population].true_value
    q_mean, q_max = run.q_mean / remedy.scale, run.q_max / remedy.scale
    near = np.abs(q_mean - truth) <= TOLERANCE
    away = np.flatnonzero(~near)
    settled = None if run.diverged or not near[-1] else int(run.step[away[-1] + 1] if len(away) else 0)
    row: dict[str, object] = {"family": remedy.family, "strength": remedy.strength, "side": remedy.side}
    row |= {"population": population, "seed": seed, "diverged": run.diverged, "last_step": int(run.step[-1])}
    row |= {"largest_q": float(q_max.max()), "final_q_max": float(q_max[-1])}
    row |= {"bias": np.nan if run.diverged else float(q_mean[-1] - truth), "settled_step": settled}
    row["cost"] = remedy_cost(remedy, seed) if diverging else np.nan
    at = dict(zip(run.step.tolist(), run.seem.tolist(), strict=True))
    return row | {f"seem_at_{step}": at.get(step, np.nan) for step in SEEM_STEPS}


def remedy_cost(remedy: Remedy, seed: int) -> float:
    """Processor time of a step with the remedy over that of the plain run, one after the other on the same walk."""
    spent = []
    for each in (remedy, remedies()[0]):
        start = time.process_time()
        run_remedy(each, seed, steps=TIMED_STEPS, lr=1e-6)
        spent.append(time.process_time() - start)
    return spent[0] / spent[1]


def remedies_table(chosen: Iterable[Remedy], seeds: Iterable[int], *, progress: bool = True) -> pd.DataFrame:
    """Train the toy walk with every remedy on both populations of walks; one row a run.

    The plain run is SGD at learning rate 2e-2, one hidden layer of 64 ReLU units. `POPULATIONS` holds walks on which it
    crashes (discount .99, true value 0) and walks on which it comes near the true value (discount .8, true value 1).

    Args:
        chosen: some of `remedies()`.
        seeds: s of each run: walk seed s, network seed 1000 + s.
        progress: show a progress bar on more than three seconds of work.

    Returns:
        Columns `family`, `strength`, `side`, `population`, `seed`; `diverged` (|Q| > 1e6, or not finite), `last_step`;
        `largest_q` and `final_q_max` (largest |Q(X)| on the way and at the end); `bias` (mean Q(X) less the true value
        at the end, missing after a crash); `settled_step` (from here to the end mean Q stays within 0.1 of the
        true value; missing if never); `cost` (processor time of a step over that of the plain run)
        and `seem_at_T` for every 50th step, on the diverging population. Q is divided by the reward scale.

    Raises:
        ValueError: as `train`.

    Example:
        >>> remedies_table(remedies()[:1], [0]).diverged.tolist()
        [True, False]
    """
    runs = [(remedy, seed, population) for remedy in chosen for population in POPULATIONS for seed in seeds]
    rows = []
    with LateBar(len(runs), desc="remedies", unit="run", show=progress) as bar:
        for run in runs:
            rows.append(remedy_row(*run))
            bar.update()
    return pd.DataFrame(rows).astype({"settled_step": "Int64"})


def summarise_remedies(table: pd.DataFrame) -> pd.DataFrame:
    """What the table says of each remedy, over its seeds: fewest crashes first, then the smallest largest |Q|.

    Args:
        table: as `remedies_table` makes it.

    Returns:
        One row a remedy. On the diverging walks: `runs`, `crashes`, medians of `largest_q`, `final_q_max`, `cost` and
        of SEEM at step 100 (`seem_100`, over the runs that are still there), `positive`, the share of all SEEM readings
        above 0. On the converging ones: `crashes_converging`, the median `bias`, the share `settled`, and the median
        `settled_step` of those.

    Example:
        >>> summarise_remedies(remedies_table(remedies()[:1], [0, 1])).crashes.tolist()
        [2]
    """
    rows = []
    key = ["family", "strength", "side"]
    for names, runs in table.fillna({"strength": ""}).groupby(key, sort=False):
        hard, easy = (runs[runs.population == population] for population in POPULATIONS)
        seem = hard[[f"seem_at_{step}" for step in SEEM_STEPS]].stack().dropna()
        rows.append(
            dict(zip(key, names, strict=True))
            | {"runs": len(hard), "crashes": int(hard.diverged.sum())}
            | {"largest_q": hard.largest_q.median(), "final_q_max": hard.final_q_max.median()}
            | {"seem_100": hard.seem_at_100.median(), "positive": float((seem > 0).mean()), "cost": hard.cost.median()}
            | {"crashes_converging": int(easy.diverged.sum()), "bias": easy.bias.median()}
            | {"settled": float(easy.settled_step.notna().mean()), "settled_step": easy.settled_step.median()}
        )
    return pd.DataFrame(rows).sort_values(["crashes", "largest_q"], kind="stable", ignore_index=True)
