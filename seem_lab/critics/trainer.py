"""The training run itself: steps on batches, SEEM beside them, evaluations, checkpoints, a table of what was seen."""

from __future__ import annotations

import math
import warnings
from contextlib import AbstractContextManager
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from seem_lab.critics.agent import Agent, Metrics
from seem_lab.critics.evaluation import Environment, check_fit, evaluate, make_environment
from seem_lab.critics.methods import agent_for
from seem_lab.critics.options import PolicyOptions
from seem_lab.critics.replay import Replay
from seem_lab.critics.run import Run, RunOptions
from seem_lab.critics.run_log import RunLog
from seem_lab.monitor import SeemMonitor, SelfExcitationWarning
from seem_lab.progress import LateBar
from seem_lab.transitions import Transitions


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
        resume: go on from the checkpoint in `folder`, if there is one.
        show: a progress bar with Q, SEEM and verdict, once the run takes longer than three seconds.

    Returns:
        The run.

    Raises:
        ValueError: options out of range, or an environment that does not fit the data.

    Example:
        >>> from seem_lab.critics.td3 import TD3Options
        >>> data = Transitions([[0.0], [1.0]], [[1.0], [1.0]], [0.0, 1.0], [[1.0], [2.0]], [False, True])
        >>> run = train_agent(TD3Options(hidden=(8,)), data, RunOptions(steps=20, seem_every=10))
        >>> run.verdict, [reading.step for reading in run.monitor.readings]
        ('calm', [0, 10, 20])
    """
    trainer = Trainer(options, data, run or RunOptions(), environment, folder)
    trainer.go(show)
    return trainer.result


class Trainer:
    """One run: its agent, its data on the device, and what is due when."""

    def __init__(
        self,
        options: PolicyOptions,
        data: Transitions,
        run: RunOptions,
        environment: Environment | None,
        folder: str | Path | None,
    ) -> None:
        self.options, self.run, self.environment = options, run, environment
        device = run.torch_device()
        agent: Agent[Any] = agent_for(options, data, seed=run.seed, device=device)
        if environment is not None:
            check_fit(make_environment(environment), agent.state_dim, agent.action_dim)
        self.replay = Replay.of(data, agent.scaling)
        limit = math.nan
        if agent.critics:
            limit = (self.replay.rows[:, -2].abs().max() / (1 - options.gamma)).item()  # type: ignore[attr-defined]
        self.result = Run(agent, limit, RunLog(None if folder is None else Path(folder) / "run.csv"))
        self.precision: AbstractContextManager = torch.autocast(device.type, torch.bfloat16, enabled=run.bf16)
        if agent.critics and run.seem_every:
            order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
            self.watched = data[order[: run.seem_transitions].to(data.state.device)]
            x, _, discount = agent.bootstrap(self.watched)
            self.result.monitor = SeemMonitor(agent.critics, x, discount, every=run.seem_every, q_limit=limit or None)
        self.recent: list[Metrics] = []
        self.last_finite = deepcopy(agent.state_dict())

    def go(self, show: bool) -> None:
        """All steps, and what is due between them."""
        agent, run = self.result.agent, self.run
        self.look()
        with LateBar(run.steps, desc="training", unit="step", done=agent.updates, show=show) as bar:
            while self.going:
                batch = self.replay.sample(self.options.batch_size, agent.generator)
                with self.precision:
                    self.recent.append(agent.update(batch))
                bar.update()
                if self.due():
                    self.look()
                    bar.note(self.summary())

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
        """A row of the table, with whatever is due at this step."""
        agent, run, result = self.result.agent, self.run, self.result
        step, last = agent.updates, agent.updates >= run.steps
        row: dict[str, Any] = {"step": step, **self.collect()}
        kept = last or step % run.checkpoint_every == 0
        if result.overflowed_at is None and kept and not agent.finite:
            result.overflowed_at = step
        if result.overflowed_at is not None:
            agent.load_state_dict(self.last_finite)
        elif result.monitor is not None:
            with warnings.catch_warnings():  # the verdict says it
                warnings.simplefilter("ignore", SelfExcitationWarning)
                reading = result.monitor(step, lambda: agent.bootstrap(self.watched)[1])
            if reading is not None:
                row |= {"seem": reading.seem, "seem_per_parameter": reading.per_parameter}
                row |= {"seem_normalised": reading.normalised, "seem_frequency": reading.frequency}
        ended = last or result.overflowed_at is not None
        if self.environment is not None and (ended or (run.evaluate_every and step % run.evaluate_every == 0)):
            evaluation = evaluate(agent, self.environment, run.episodes, run.seed)
            result.evaluations[agent.updates] = evaluation
            row |= {"return_mean": evaluation.mean}
            row |= {"return_low": evaluation.returns.min(), "return_high": evaluation.returns.max()}
        result.log.append(row | {"verdict": result.verdict})
        if kept and result.overflowed_at is None:
            self.last_finite = deepcopy(agent.state_dict())

    def collect(self) -> dict[str, float]:
        """The columns of what `update` returned since the last row: the largest |Q|, else the last value."""
        result, first = self.result, self.result.agent.updates - len(self.recent) + 1
        columns: dict[str, float] = {}
        for name in ("critic_loss", "q_mean", "q_max", "policy_loss"):
            values = [metrics[name] for metrics in self.recent if name in metrics]
            if not values:
                continue
            seen = torch.stack(values).double().tolist()  # the one place that waits for the device
            columns[name] = seen[-1]
            if name == "q_max":
                columns[name] = max(seen, key=lambda q: math.inf if math.isnan(q) else q)
                result.q_max = max(result.q_max, *(q for q in seen if math.isfinite(q)), 0.0)
                past = [i for i, q in enumerate(seen) if not q <= result.q_limit]
                if past and result.crossed_at is None:
                    result.crossed_at = first + past[0]
            bad = [i for i, value in enumerate(seen) if not math.isfinite(value)]
            if bad and result.overflowed_at is None:
                result.overflowed_at = result.agent.updates
        self.recent.clear()
        return columns

    def summary(self) -> str:
        """For the progress bar."""
        row = self.result.log.rows[-1]
        parts = [f"|Q| {row['q_max']:.3g} of {self.result.q_limit:.3g}"] if "q_max" in row else []
        if self.result.monitor is not None:
            parts.append(f"SEEM/P {self.result.monitor.readings[-1].per_parameter:.2g}")
        return ", ".join([*parts, self.result.verdict])
