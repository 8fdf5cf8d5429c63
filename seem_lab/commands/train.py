"""`seem-lab train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from seem_lab.critics.behaviour_cloning import BehaviourCloningOptions
from seem_lab.critics.cost import cost_of
from seem_lab.critics.cql import CQLOptions
from seem_lab.critics.diffusion_ql import DiffusionQLOptions
from seem_lab.critics.methods import method_of
from seem_lab.critics.run import RunOptions
from seem_lab.critics.td3 import TD3Options
from seem_lab.critics.trainer import train_agent
from seem_lab.provenance import read_transitions

TD3_BC = TD3Options(behaviour_weight=1.0)
Method = (
    Annotated[TD3Options, tyro.conf.subcommand("td3", prefix_name=False)]
    | Annotated[
        TD3Options,
        tyro.conf.subcommand("td3-bc", default=TD3_BC, prefix_name=False, description="TD3 with behaviour weight 1."),
    ]
    | Annotated[BehaviourCloningOptions, tyro.conf.subcommand("behaviour-cloning", prefix_name=False)]
    | Annotated[CQLOptions, tyro.conf.subcommand("cql", prefix_name=False)]
    | Annotated[DiffusionQLOptions, tyro.conf.subcommand("diffusion-ql", prefix_name=False)]
)


def train(
    method: Annotated[Method, tyro.conf.arg(name="")],
    data: str,
    out: Path | None = None,
    env: str | None = None,
    run: Annotated[RunOptions, tyro.conf.arg(name="")] = RunOptions(),  # noqa: B008 (frozen)
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Train a critic and a policy on recorded transitions, with SEEM read beside.

    The folder of the run holds run.csv, checkpoint.pt and, where TensorBoard is installed, its files. Stop at any time;
    the same command with --resume goes on.

    Args:
        method: what to train.
        data: an .npz of transitions, or the name of a recording in data/, such as hopper_weak.
        out: folder of the run; build/runs/METHOD_DATA if not given.
        env: Gymnasium id to evaluate in, such as Hopper-v5; no evaluation if not given.
        run: how long and on what.
        resume: go on from the checkpoint in that folder, if there is one.
        dry_run: train nothing; print memory and FLOPs of a step.
    """
    transitions = read_transitions(data)
    if dry_run:
        print(cost_of(method, transitions, run))
        return
    folder = out or Path("build/runs") / f"{method_of(method)}_{Path(data).stem}"
    try:
        result = train_agent(method, transitions, run, environment=env, folder=folder, resume=resume)
    except KeyboardInterrupt:
        raise SystemExit(
            f"Stopped. The same command with --resume goes on from the last checkpoint in {folder}."
        ) from None
    print(f"{folder}: {result.summary()}")
    if result.crossed_at is not None:
        print(f"|Q| passed {result.q_limit:.4g}, the largest value any policy can have, at step {result.crossed_at}")
    if result.overflowed_at is not None:
        print(
            f"values were no longer finite at step {result.overflowed_at}, so the run stopped itself; the last finite "
            f"checkpoint, of step {result.agent.updates}, is kept"
        )
    for step, outcome in result.evaluations.items():
        told = f"return {outcome.mean:.4g}, from {outcome.returns.min():.4g} to {outcome.returns.max():.4g}"
        print(f"policy of step {step}: {told}, {len(outcome.returns)} episodes")
