"""What a training run is told, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from seem_lab.critics.agent import Agent
from seem_lab.critics.evaluation import Evaluation
from seem_lab.critics.options import need
from seem_lab.critics.run_log import RunLog
from seem_lab.monitor import SeemMonitor


@dataclass(frozen=True)
class RunOptions:
    """How long and on what to train, and what to look at meanwhile.

    Raises:
        ValueError: an option outside its range; the message names it.
    """

    steps: int = 10_000
    """Steps on one batch each."""
    seed: int = 0
    """Of the networks, the batches and all noise."""
    log_every: int = 100
    """Steps between rows of the table; every |Q| between them is seen."""
    seem_every: int = 1000
    """Steps between readings of SEEM; 0 for none."""
    seem_transitions: int = 256
    """SEEM is read on so many transitions, the same ones through the run."""
    evaluate_every: int = 0
    """Steps between evaluations, if there is an environment; 0 for one at the end."""
    episodes: int = 10
    """Of an evaluation."""
    checkpoint_every: int = 1000
    """Steps between checkpoints; a run that overflows goes back to the last one."""
    stop_above: float = 0.0
    """A run whose |Q| has passed this many times Qlim is over at its next row of the table; 0 for never."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto takes CUDA if there is one."""
    tf32: bool = False
    """CUDA only: matrix products of training in TF32, faster, with 10 bits of mantissa in place of 23."""
    bf16: bool = False
    """Matrix products of training in bfloat16, 8 bits of mantissa; parameters and SEEM stay float32."""
    tensorboard: bool = True
    """Write the table for TensorBoard, too, where that is installed."""

    def __post_init__(self) -> None:
        for name in ("steps", "log_every", "seem_transitions", "episodes", "checkpoint_every"):
            need(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in ("seem_every", "evaluate_every"):
            need(getattr(self, name) >= 0, name, "0 or more", getattr(self, name))
        need(self.device in ("auto", "cpu", "cuda"), "device", "auto, cpu or cuda", self.device)

    def torch_device(self) -> torch.device:
        """The device meant.

        Raises:
            ValueError: cuda is asked for where there is none.
        """
        there = torch.cuda.is_available()
        need(there or self.device != "cuda", "device", "auto or cpu, as PyTorch finds no CUDA device here", self.device)
        return torch.device("cpu" if self.device == "cpu" or not there else "cuda")


@dataclass
class Run:
    """A run, while it goes on and afterwards.

    Args:
        agent: as it is now; after an overflow, its last finite state.
        q_limit: the largest |Q| that any policy can have, `max|r| / (1 - gamma)` with scaled rewards; nan without
            critics.
        log: the table, see `RunLog`.
        monitor: the readings of SEEM; None if there are none.
        evaluations: what each evaluation brought, by the step of the policy.
        crossed_at: the first step whose batch holds a |Q| above `q_limit`; None as long as there was none.
        overflowed_at: the step at which the run stopped itself because its values were no longer finite.
        q_max: the largest |Q| on any batch so far.
    """

    agent: Agent[Any]
    q_limit: float
    log: RunLog = field(default_factory=RunLog)
    monitor: SeemMonitor | None = None
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    crossed_at: int | None = None
    overflowed_at: int | None = None
    q_max: float = 0.0

    @property
    def verdict(self) -> str:
        """In two words: calm, self-exciting (the monitor's alarm), past Qlim, or overflowed."""
        if self.overflowed_at is not None:
            return "overflowed"
        if self.crossed_at is not None:
            return "past Qlim"
        if self.monitor is not None and self.monitor.alarm:
            return "self-exciting"
        return "calm"

    def summary(self) -> str:
        """The last row in one line: |Q| of its limit, SEEM per parameter, verdict."""
        row = self.log.rows[-1]
        parts = [f"|Q| {row['q_max']:.3g} of {self.q_limit:.3g}"] if "q_max" in row else []
        if self.monitor is not None:
            parts.append(f"SEEM/P {self.monitor.readings[-1].per_parameter:.2g}")
        return ", ".join([*parts, self.verdict])
