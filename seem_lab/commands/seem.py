"""`seem-lab seem`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import tyro

from seem_lab.critics.checkpoints import load_agent
from seem_lab.provenance import read_transitions
from seem_lab.seem import seem as seem_of


def seem(checkpoint: Annotated[Path, tyro.conf.Positional], data: str, transitions: int = 256, seed: int = 0) -> None:
    """Read SEEM of both critics of a checkpoint on transitions of a data set.

    Args:
        checkpoint: a checkpoint.pt, or the folder of a run.
        data: an .npz of transitions, or the name of a recording in data/, such as hopper_weak.
        transitions: read it on so many, or on all if there are fewer.
        seed: draws them.
    """
    agent, recorded = load_agent(checkpoint), read_transitions(data)
    rows = torch.randperm(len(recorded), generator=torch.Generator().manual_seed(seed))[:transitions]
    x, x_next, discount = agent.bootstrap(recorded[rows])
    parameters = sum(p.numel() for p in agent.critics[0].parameters())
    print(f"{checkpoint}: {type(agent).__name__} of step {agent.updates}, {len(rows)} transitions of {data}")
    for i, critic in enumerate(agent.critics, start=1):
        reading = seem_of(critic, x, x_next, discount)
        q = critic(x).abs().max().item()
        print(
            f"critic {i}: SEEM {reading.value:.5g}, per parameter {reading.value / parameters:.3g}, "
            f"over ||A||_F {reading.normalised:.3g}, frequency {reading.frequency:.3g}; largest |Q| {q:.5g}"
        )
