"""Every full-scale experiment as one table of settings: which task, which method, how long, which seeds.

`seem-lab report` runs this table, see `seem_lab.run_store`; `seem_lab.evidence` reads what came of it. All seeds are
100 and up: no setting was chosen on them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from seem_lab.critics import (
    METHODS,
    BehaviourCloningOptions,
    CQLOptions,
    CriticOptions,
    DiffusionQLOptions,
    PolicyOptions,
    Run,
    RunOptions,
    TD3Options,
    train_agent,
    train_together,
)
from seem_lab.maze import MAZE, MAZE_8D
from seem_lab.provenance import load_recorded
from seem_lab.transitions import Transitions

TEN, FIVE = range(100, 110), range(100, 105)
STOP = 3.0  # a run that is only asked whether it diverges is over at this many times Qlim
MAZE_LARGEST = 10.0  # the largest value that any policy can reach in the maze: reward 1 times 10, once


# Task: a file of recorded data, the environment it comes from, and the episodes of a trial there.
TASKS = {
    "hopper early": ("hopper_early", "Hopper-v5", 10),
    "halfcheetah early": ("halfcheetah_early", "HalfCheetah-v5", 10),
    "hopper weak": ("hopper_weak", "Hopper-v5", 10),
    "halfcheetah weak": ("halfcheetah_weak", "HalfCheetah-v5", 10),
    "hopper replay": ("hopper_replay", "Hopper-v5", 10),
    "pendulum": ("pendulum", "Pendulum-v1", 10),
    "maze 0": ("maze_2d_0", MAZE, 20),
    "maze 1": ("maze_2d_1", MAZE, 20),
    "maze8 0": ("maze_8d_0", MAZE_8D, 20),
    "maze8 1": ("maze_8d_1", MAZE_8D, 20),
}


@dataclass(frozen=True)
class Arm:
    """One line of the table: the same setting for several seeds.

    Args:
        task: a key of `TASKS`.
        options: of the method.
        steps: of training.
        seeds: of networks, batches and noise.
        fraction: share of the transitions, drawn with seed 0.
        every: steps between readings of SEEM.
        judged: try the last policy in the environment; if not, a run that passes 3 Qlim is over.
    """

    task: str
    options: PolicyOptions
    steps: int
    seeds: range
    fraction: float = 1.0
    every: int = 50
    judged: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What tells this line from the others, as columns of the table of results."""
        method = next(name for name, (kind, _) in METHODS.items() if kind is type(self.options))
        critic = isinstance(self.options, CriticOptions)
        return {
            "task": self.task,
            "fraction": self.fraction,
            "method": method,
            "layer_norm": bool(getattr(self.options, "layer_norm", False)),
            "tau": self.options.tau if isinstance(self.options, CriticOptions) else None,
            "behaviour_weight": getattr(self.options, "behaviour_weight", None) if critic else None,
            "steps": self.steps,
        }

    def batches(self) -> list[tuple[int, ...]]:
        """Seeds that are trained at a time: all of TD3, as that is faster; else one by one."""
        together = type(self.options) is TD3Options
        return [tuple(self.seeds)] if together else [(seed,) for seed in self.seeds]


def control(layer_norm: bool, tau: float = 1.0) -> TD3Options:
    """TD3 without a behaviour term, as published but for the target rate."""
    return TD3Options(layer_norm=layer_norm, tau=tau)


def in_maze(layer_norm: bool, tau: float = 1.0, behaviour_weight: float = 0.5) -> TD3Options:
    """The maze's setting A: half of TD3+BC's behaviour term, no target network, a large learning rate."""
    return TD3Options(**SMALL, reward_scale=10.0, layer_norm=layer_norm, tau=tau, behaviour_weight=behaviour_weight)


SMALL: dict[str, Any] = {"hidden": (128, 128), "batch_size": 128, "lr": 1e-3}
CLONING = BehaviourCloningOptions(**SMALL)
WEAK = ("hopper early", "halfcheetah early", "hopper weak", "halfcheetah weak")
BOTH = (False, True)


def crossing() -> Iterator[Arm]:
    """Does plain TD3 without a target network pass Qlim, and is LayerNorm enough to stop it?"""
    for task in WEAK:
        yield Arm(task, control(False), 1000, TEN, every=25)
        yield Arm(task, control(True), 1500, FIVE, every=150)
    for fraction in (0.1, 0.01):
        yield Arm("halfcheetah weak", control(False), 1000, FIVE, fraction, every=25)
    for fraction in (1.0, 0.1, 0.01):
        yield Arm("hopper replay", control(False), 1500, FIVE, fraction, every=25)
        yield Arm("hopper replay", control(True), 1500, FIVE, fraction, every=150)
    yield Arm("pendulum", control(False), 3000, FIVE, every=100)
    yield Arm("pendulum", control(True), 3000, FIVE, every=300)


def maze() -> Iterator[Arm]:
    """Does LayerNorm give better policies where values must be stitched?"""
    line = partial(Arm, steps=4000, every=500, judged=True)
    for task, fraction, tau in (
        ("maze 0", 1.0, 1.0),
        ("maze 1", 1.0, 1.0),
        ("maze 0", 0.1, 1.0),
        ("maze8 0", 1.0, 0.1),
        ("maze8 1", 1.0, 0.1),
    ):
        for options in (in_maze(True, tau), in_maze(False, tau), CLONING):
            yield line(task, options, seeds=TEN, fraction=fraction)
    for layer_norm in BOTH:
        yield line("maze 1", in_maze(layer_norm), seeds=TEN, fraction=0.1)
        yield line("maze 0", in_maze(layer_norm, tau=0.1, behaviour_weight=1.0), seeds=TEN)
        yield line("maze 0", in_maze(layer_norm, behaviour_weight=0.0), seeds=TEN)
        yield line("maze 0", in_maze(layer_norm, tau=0.005), seeds=TEN)


def rates() -> Iterator[Arm]:
    """Slower target networks on Hopper, for the alarm: runs that diverge late, or not within their steps."""
    yield Arm("hopper weak", control(False, tau=0.1), 1500, FIVE)
    yield Arm("hopper weak", control(False, tau=0.005), 2000, FIVE, every=100)


def plug_in_maze() -> Iterator[Arm]:
    """LayerNorm in other methods, in the maze's setting; TD3 itself stands in `maze`."""
    line = partial(Arm, "maze 0", every=500, judged=True)
    for layer_norm in BOTH:
        shared = {**SMALL, "reward_scale": 10.0, "tau": 1.0, "layer_norm": layer_norm}
        yield line(in_maze(layer_norm, behaviour_weight=1.0), 4000, TEN)
        yield line(CQLOptions(**shared, sampled_actions=4), 1000, TEN)
        yield line(DiffusionQLOptions(**shared), 1000, TEN)


def plug_in_control() -> Iterator[Arm]:
    """LayerNorm in every method on a tenth of Hopper's replay, networks and batches as in the maze."""
    line = partial(Arm, "hopper replay", steps=1000, fraction=0.1, every=500, judged=True)
    for layer_norm in BOTH:
        shared = {**SMALL, "tau": 1.0, "layer_norm": layer_norm}
        yield line(TD3Options(**shared), seeds=FIVE)
        yield line(TD3Options(**shared, behaviour_weight=1.0), seeds=FIVE)
        yield line(CQLOptions(**shared, sampled_actions=4), seeds=FIVE)
        yield line(DiffusionQLOptions(**shared), seeds=FIVE)


PARTS: dict[str, Callable[[], Iterator[Arm]]] = {
    "crossing": crossing,
    "maze": maze,
    "plug-in maze": plug_in_maze,
    "rates": rates,
    "plug-in control": plug_in_control,
}


@dataclass(frozen=True)
class Job:
    """What is done at a time: some seeds of one line of the table.

    Args:
        part: of the table.
        arm: the line.
        seeds: several where they can be trained together.
    """

    part: str
    arm: Arm
    seeds: tuple[int, ...]


def jobs(parts: Sequence[str] = tuple(PARTS)) -> list[Job]:
    """The work of these parts of the table, part by part; within a part, the first seeds of all lines come first.

    Raises:
        ValueError: no such part.
    """
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ValueError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found = []
    for part in parts:
        lines = [Job(part, arm, seeds) for arm in PARTS[part]() for seeds in arm.batches()]
        found += sorted(lines, key=lambda job: job.seeds[0])
    return found


def carry_out(job: Job) -> list[dict[str, Any]]:
    """Train, and try the policies if the line says so.

    Returns:
        The rows of the table of results, one a seed, see `data/README.md`; under `trace` the readings along the run, a
        list for each column.
    """
    torch.set_num_threads(1)
    arm, begin = job.arm, time.process_time()
    name, place, episodes = TASKS[arm.task]
    data = load_recorded(name)[0].subset(arm.fraction, seed=0)
    told = RunOptions(
        steps=arm.steps,
        seed=job.seeds[0],
        log_every=arm.every,
        seem_every=arm.every,
        checkpoint_every=arm.steps,
        episodes=episodes,
        stop_above=0.0 if arm.judged else STOP,
        device="cpu",
    )
    environment = place if arm.judged else None
    if len(job.seeds) == 1:
        runs = [train_agent(arm.options, data, told, environment=environment, show=False)]
    else:
        assert isinstance(arm.options, TD3Options)
        runs = train_together(arm.options, data, job.seeds, told, environment=environment, show=False)
    seconds = (time.process_time() - begin) / len(runs)
    shared = {"part": job.part, **arm.settings, "data": fingerprint(data), "seconds": seconds}
    return [{**shared, "seed": seed, **_result(run)} for seed, run in zip(job.seeds, runs, strict=True)]


def fingerprint(data: Transitions) -> str:
    """The first 12 digits of the sha256 of the transitions, to tell whether a result belongs to the data at hand."""
    digest = hashlib.sha256()
    for values in (data.state, data.action, data.reward, data.next_state, data.terminal):
        digest.update(values.to(torch.float32).numpy().tobytes())
    return digest.hexdigest()[:12]


def _result(run: Run) -> dict[str, Any]:
    """What a run was like and how it ended."""
    last, table = run.agent.updates, run.log.table()
    columns = ["step", "q_mean", "q_max", "seem_per_parameter", "seem_normalised"]
    trace = {name: [None if x != x else float(f"{x:.4g}") for x in table[name].astype(float)] for name in columns}
    return {
        "last_step": last,
        "q_limit": run.q_limit,
        "q_max": run.q_max,
        "crossed_at": run.crossed_at,
        "overflowed_at": run.overflowed_at,
        "score": run.evaluations[last].mean if last in run.evaluations else None,
        "trace": trace if run.agent.critics else None,
    }
