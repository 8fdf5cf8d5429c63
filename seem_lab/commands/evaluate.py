"""`seem-lab evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from seem_lab.critics.checkpoints import load_agent
from seem_lab.critics.evaluation import evaluate as evaluate_agent
from seem_lab.critics.run import RunOptions


def evaluate(
    checkpoint: Annotated[Path, tyro.conf.Positional],
    env: str,
    episodes: int = 10,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> None:
    """Let the policy of a checkpoint act in its environment and print the returns.

    Args:
        checkpoint: a checkpoint.pt, or the folder of a run.
        env: Gymnasium id, such as Hopper-v5 or seem_lab/Maze-v0.
        episodes: how many.
        seed: episode i starts from seed + i.
        device: where the policy runs; auto takes CUDA if there is one.
    """
    agent = load_agent(checkpoint, RunOptions(device=device).torch_device())
    outcome = evaluate_agent(agent, env, episodes, seed)
    print(f"{checkpoint}: {type(agent).__name__} of step {agent.updates}, {episodes} episodes in {env}")
    print(f"return {outcome.mean:.6g}, from {outcome.returns.min():.6g} to {outcome.returns.max():.6g}")
    print(f"steps an episode {outcome.lengths.mean():.1f}")
