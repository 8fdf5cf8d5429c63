"""The training run itself: steps on batches, SEEM beside them, evaluations, checkpoints, a table of what was seen."""

from __future__ import annotations

import math
import warnings
from copy import deepcopy
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seem_lab.critics.agent import Agent, Metrics
from seem_lab.critics.arithmetic import arithmetic
from seem_lab.critics.checkpoints import CheckpointError, read_checkpoint, sha256_of, write_checkpoint
from seem_lab.critics.evaluation import Environment, Evaluation, check_fit, evaluate, make
from seem_lab.critics.methods import agent_for, method_of
from seem_lab.critics.options import PolicyOptions
from seem_lab.critics.replay import Replay
from seem_lab.critics.run import Run, RunOptions
from seem_lab.critics.run_log import RunLog
from seem_lab.monitor import Reading, SeemMonitor, SelfExcitationWarning
from seem_lab.progress import LateBar
from seem_lab.transitions import Transitions
from seem_lab.validation import validate

FREE = ("steps", "device", "tensorboard")  # options of a run that may differ when it is resumed


def train_agent(
    options: PolicyOptions,
    data: Transitions,
    run: RunOptions | None = None,
    *,
    environment: Environment | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    show: bool = True,
) -> Run:
    """Train one method on recorded transitions.

    Args:
        options: of the method; their class says which, see `METHODS`.
        data: raw transitions; states and rewards are scaled as the options say.
        run: steps, seed, intervals, device.
        environment: a Gymnasium id, or a function that makes one; None for no evaluation.
        folder: where the table, checkpoints and TensorBoard's files go; None writes nothing.
        resume: go on from the checkpoint in `folder`, if there is one; the options must be the ones it was made with,
            but `steps` may be more. The outcome is that of an uninterrupted run, bit by bit, on the same machine with
            the same number of threads.
        show: a progress bar with Q, SEEM and verdict, once the run takes longer than three seconds.

    Returns:
        The run.

    Raises:
        ValueError: options out of range, data that cannot be trained on, an environment that does not fit it, a folder
            that holds a run already.
        CheckpointError: a checkpoint that cannot be written or read, or belongs to another run; the last good one
            stays.

    Example:
        >>> from seem_lab.critics.td3 import TD3Options
        >>> data = Transitions([[0.0], [1.0]], [[1.0], [1.0]], [0.0, 1.0], [[1.0], [2.0]], [False, True])
        >>> run = train_agent(TD3Options(hidden=(8,)), data, RunOptions(steps=20, seem_every=10))
        >>> run.verdict, [reading.step for reading in run.monitor.readings]
        ('calm', [0, 10, 20])
    """
    trainer = Trainer(options, data, run or RunOptions(), environment, None if folder is None else Path(folder))
    try:
        trainer.begin(resume)
        trainer.go(show)
    finally:
        if trainer.board is not None:
            trainer.board.close()
    return trainer.result


class Trainer:
    """One run: its agent, its data on the device, and what is due when."""

    def __init__(
        self,
        options: PolicyOptions,
        data: Transitions,
        run: RunOptions,
        environment: Environment | None,
        folder: Path | None,
    ) -> None:
        self.options, self.run, self.environment, self.folder = options, run, environment, folder
        self.data, self.device = data, run.torch_device()
        validate(data)
        agent: Agent[Any] = agent_for(options, data, seed=run.seed, device=self.device)
        if environment is not None:
            check_fit(make(environment), agent.state_dim, agent.action_dim)
        self.replay = Replay.of(data, agent.scaling)
        limit = math.nan
        if agent.critics:
            limit = (self.replay.all().reward.abs().max() / (1 - options.gamma)).item()  # type: ignore[attr-defined]
        self.result = Run(agent, limit)
        if agent.critics and run.seem_every:
            order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
            self.watched = data[order[: run.seem_transitions].to(data.state.device)]
            x, _, discount = agent.bootstrap(self.watched)
            self.result.monitor = SeemMonitor(agent.critics, x, discount, every=run.seem_every)
        self.board: Any = None  # TensorBoard's writer
        self.recent: list[Metrics] = []  # what `update` returned since the last row
        self.last_finite = deepcopy(agent.state_dict())

    def begin(self, resume: bool) -> None:
        """At step 0, or where the checkpoint is."""
        if self.folder is None:
            self.look()
            return
        checkpoint = self.folder / "checkpoint.pt"
        if resume and checkpoint.exists():
            self.go_on_from(read_checkpoint(checkpoint))
            self.board = self.open_board()
        elif checkpoint.exists():
            raise ValueError(f"{self.folder} holds a run already; resume it, or give another folder")
        else:
            self.result.log = RunLog(self.folder / "run.csv")
            self.board = self.open_board()
            self.look()

    def open_board(self) -> Any:
        """TensorBoard's writer, where it is wanted and installed; what was written after the checkpoint is purged."""
        if not self.run.tensorboard or find_spec("tensorboard") is None:
            return None
        from torch.utils.tensorboard import SummaryWriter  # slow to import, and needed by few

        return SummaryWriter(str(self.folder), purge_step=self.result.agent.updates + 1)

    def go(self, show: bool) -> None:
        """All steps, and what is due between them."""
        agent, run, result = self.result.agent, self.run, self.result
        with LateBar(run.steps, desc="training", unit="step", done=agent.updates, show=show) as bar:
            while self.going:
                batch = self.replay.sample(self.options.batch_size, agent.generator)
                with arithmetic(self.device, tf32=run.tf32, bf16=run.bf16):
                    self.recent.append(agent.update(batch))
                bar.update()
                if self.due():
                    self.look()
                    bar.note(result.summary())

    @property
    def going(self) -> bool:
        """Whether steps are left, nothing has overflowed and |Q| has not passed `stop_above` times Qlim."""
        run, result = self.run, self.result
        passed = run.stop_above > 0 and result.q_max > run.stop_above * result.q_limit
        return result.agent.updates < run.steps and result.overflowed_at is None and not passed

    def due(self) -> bool:
        """Whether there is anything to do after this step."""
        step, run = self.result.agent.updates, self.run
        intervals = (run.log_every, run.seem_every, run.evaluate_every, run.checkpoint_every, run.steps)
        return any(every and step % every == 0 for every in intervals)

    def look(self) -> None:
        """A row of the table and a checkpoint, with whatever is due at this step."""
        agent, run, result = self.result.agent, self.run, self.result
        step = agent.updates
        last, row = step >= run.steps, {"step": step, **self.collect()}
        keep = last or step % run.checkpoint_every == 0
        if result.overflowed_at is None and keep and not agent.finite:
            result.overflowed_at = step
        if result.overflowed_at is None:
            row |= self.read_seem()
        else:
            agent.load_state_dict(self.last_finite)
        if last or result.overflowed_at is not None or (run.evaluate_every and step % run.evaluate_every == 0):
            row |= self.evaluate()
        result.log.append(row | {"verdict": result.verdict})
        if self.board is not None:
            for name, value in row.items():
                self.board.add_scalar(f"run/{name}", value, step)
        if keep and result.overflowed_at is None:
            self.last_finite = deepcopy(agent.state_dict())
            if self.folder is not None:
                result.log.settle()
                write_checkpoint(self.folder / "checkpoint.pt", self.content())

    def collect(self) -> dict[str, float]:
        """The columns of what `update` returned since the last row."""
        result, first = self.result, self.result.agent.updates - len(self.recent) + 1
        columns: dict[str, float] = {}
        for name in ("critic_loss", "q_mean", "q_max", "policy_loss"):
            values = [metrics[name] for metrics in self.recent if name in metrics]
            if not values:
                continue
            seen = torch.stack(values).double().tolist()  # the one place that waits for the device
            columns[name] = seen[-1]
            if not all(map(math.isfinite, seen)):
                result.overflowed_at = result.agent.updates
            if name == "q_max":
                columns[name] = max(seen)
                columns["q_over_limit"] = max(seen) / result.q_limit if result.q_limit > 0 else math.nan
                result.q_max = max([result.q_max, *filter(math.isfinite, seen)])
                past = [i for i, q in enumerate(seen) if not q <= result.q_limit]
                if past and result.crossed_at is None:
                    result.crossed_at = first + past[0]
        self.recent.clear()
        return columns

    def read_seem(self) -> dict[str, float]:
        """The columns of a reading, if one is due."""
        agent, monitor = self.result.agent, self.result.monitor
        if monitor is None:
            return {}
        with warnings.catch_warnings():  # the verdict says it
            warnings.simplefilter("ignore", SelfExcitationWarning)
            reading = monitor(agent.updates, lambda: agent.bootstrap(self.watched)[1])
        if reading is None:
            return {}
        return {
            "seem": reading.seem,
            "seem_per_parameter": reading.per_parameter,
            "seem_normalised": reading.normalised,
            "seem_frequency": reading.frequency,
        }

    def evaluate(self) -> dict[str, float]:
        """The columns of an evaluation, if there is an environment."""
        if self.environment is None:
            return {}
        outcome = evaluate(self.result.agent, self.environment, self.run.episodes, self.run.seed)
        self.result.evaluations[self.result.agent.updates] = outcome
        low, high = outcome.returns.min().item(), outcome.returns.max().item()
        return {"return_mean": outcome.mean, "return_low": low, "return_high": high}

    def content(self) -> dict[str, Any]:
        """Everything that going on needs."""
        result = self.result
        return {
            "method": method_of(self.options),
            "options": asdict(self.options),
            "run": asdict(self.run),
            "data_sha256": sha256_of(self.data),
            "action_dim": result.agent.action_dim,
            "agent": result.agent.state_dict(),
            "readings": [] if result.monitor is None else [asdict(reading) for reading in result.monitor.readings],
            "alarm": None if result.monitor is None else result.monitor.alarm,
            "evaluations": {
                step: {"returns": outcome.returns.tolist(), "lengths": outcome.lengths.tolist()}
                for step, outcome in result.evaluations.items()
            },
            "crossed_at": result.crossed_at,
            "q_max": result.q_max,
            "table_bytes": result.log.size,
            "versions": {name: version(name) for name in ("seem_lab", "torch")},
        }

    def go_on_from(self, stored: dict[str, Any]) -> None:
        """Become the run of the checkpoint, once it is sure to be this one."""
        assert self.folder is not None
        now, result = self.content(), self.result
        if stored["method"] != now["method"]:
            raise CheckpointError(f"the run is one of {stored['method']}, not {now['method']}; resume that method")
        for what in ("options", "run"):
            then = stored[what]
            changed = [name for name in now[what] if name not in FREE and then.get(name) != now[what][name]]
            if changed:
                told = ", ".join(f"{name} {then.get(name)} (now {now[what][name]})" for name in changed)
                raise CheckpointError(f"the run was begun with {told}; resume with the same options, or begin another")
        if stored["data_sha256"] != now["data_sha256"]:
            raise CheckpointError("the run was begun on other data (sha256 differs); resume with that data set")
        result.log = RunLog(self.folder / "run.csv", stored["table_bytes"])
        result.agent.load_state_dict(stored["agent"])
        self.last_finite = deepcopy(result.agent.state_dict())
        if result.monitor is not None:
            result.monitor.readings = [Reading(**reading) for reading in stored["readings"]]
            result.monitor.alarm = stored["alarm"]
        result.evaluations = {
            step: Evaluation(np.array(e["returns"]), np.array(e["lengths"]))
            for step, e in stored["evaluations"].items()
        }
        result.crossed_at, result.q_max = stored["crossed_at"], stored["q_max"]
