"""The toy loop: full-batch semi-gradient Q-learning, recorded step by step."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from seem_lab.networks import in_mode, q_values
from seem_lab.optimizers import OPTIMIZERS, OptimizerFactory
from seem_lab.problems import Problem
from seem_lab.progress import LateBar
from seem_lab.seem import leading_eigenvalue
from seem_lab.targets import LiveTarget

StopReason = Literal["finished", "q_limit", "non-finite"]
COLUMNS = ("step", "q_mean", "q_max", "td_error_norm", "parameter_norm", "seem", "frequency", "switches")


def step_size(lr: float, n: int) -> float:
    """`eps = 2 lr / N`: one SGD step on the *mean* squared TD error of N transitions is `u <- (I + eps A) u`.

    Args:
        lr: learning rate.
        n: number of transitions N.

    Returns:
        eps, per step.

    Example:
        >>> step_size(0.02, 40)
        0.001
    """
    return 2 * lr / n


@dataclass(frozen=True, eq=False)
class History:
    """A training run: arrays with one entry for each recorded step, all taken *before* that step's update.

    Args:
        step: updates done so far.
        q_mean: mean of Q(X).
        q_max: largest |Q(X)|.
        td_error_norm: ||u|| of the TD error u = Q(X) - r - discount Q(X*).
        parameter_norm: ||theta||.
        seem: SEEM, nan where it was not asked for.
        frequency: imaginary part of the leading eigenvalue, nan likewise.
        switches: transitions whose greedy next action changed since the record before.
        lr: learning rate.
        n: number of transitions N.
        q_limit: largest |Q| the run was allowed.
        stop_reason: `"finished"`, `"q_limit"` (|Q| passed the limit) or `"non-finite"` (the update after the last
            record gave nan or infinity and was taken back).
    """

    step: np.ndarray
    q_mean: np.ndarray
    q_max: np.ndarray
    td_error_norm: np.ndarray
    parameter_norm: np.ndarray
    seem: np.ndarray
    frequency: np.ndarray
    switches: np.ndarray
    lr: float
    n: int
    q_limit: float
    stop_reason: StopReason

    @property
    def diverged(self) -> bool:
        """Whether |Q| passed the limit or left the finite numbers."""
        return self.stop_reason != "finished"

    @property
    def verdict(self) -> str:
        """Why the run stopped, in one sentence."""
        last = self.step[-1]
        return {
            "finished": f"finished {last} steps, largest |Q| at the end {self.q_max[-1]:.3g}",
            "q_limit": f"diverged: |Q| passed {self.q_limit:.3g} at step {last}",
            "non-finite": f"diverged: the update after step {last} was not finite and was taken back",
        }[self.stop_reason]

    def __repr__(self) -> str:
        return f"History({self.verdict}; {len(self.step)} records)"

    def to_csv(self, path: str | Path) -> Path:
        """Write one row a record, columns named as the arrays."""
        path = Path(path)
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(zip(*(getattr(self, name).tolist() for name in COLUMNS), strict=True))
        return path


def train(
    network: nn.Module,
    problem: Problem,
    *,
    optimizer: Literal["sgd", "adam"] | OptimizerFactory = "sgd",
    target: LiveTarget | None = None,
    lr: float = 2e-2,
    steps: int = 400,
    record_every: int = 1,
    seem_every: int | None = None,
    q_limit: float = 1e6,
    progress: bool = True,
) -> History:
    """Full-batch semi-gradient Q-learning: descend `mean(u^2)`, the bootstrap target held fixed in the gradient.

        u = Q(X) - (r + discount * Q(X*)),       theta <- theta - lr * (2 / N) * Phi(X)^T u      (SGD)

    If not told otherwise there is no target network: the target uses the parameters of the moment, and the next action
    is the greedy one of the moment. Remedies come from four sides: the network (`mlp`, `regularisers`), the problem
    (`bootstraps`), the optimizer and the target.

    Args:
        network: trained in place; maps `(N, d)` to `(N,)` or `(N, 1)`.
        problem: transitions, discount, candidate next actions.
        optimizer: `"sgd"` (`GradientDescent`), `"adam"` (PyTorch's, its default settings), or what makes one from
            `(parameters, lr=lr)`, as in `functools.partial(torch.optim.SGD, weight_decay=0.01)` or
            `clipped(torch.optim.SGD, 1.0)`.
        target: the rule of the target, such as `EmaTarget(0.005)`; `LiveTarget()` if not given.
        lr: learning rate.
        steps: number of updates.
        record_every: record every so many steps; the first and the last state are always recorded.
        seem_every: compute SEEM every so many steps (at recorded ones); never if not given.
        q_limit: stop once any |Q(X)| passes this; a number that is not finite always stops the run.
        progress: show a progress bar on runs of more than three seconds.

    Returns:
        The run's `History`; Q and u are those of both networks where `DoubleQ` trains two. After a non-finite update
        the network holds the last finite state.

    Raises:
        TypeError, ValueError: unknown optimizer, a count or rate that is not positive, inputs that do not fit the
            network, nothing to train, values that are not finite before the first step.

    Example:
        >>> from seem_lab import mlp, toy_walk
        >>> walk = toy_walk(seed=1458)
        >>> run = train(mlp(walk.input_dim, seed=111), walk, lr=2e-2, steps=400)
        >>> run.diverged
        True
    """
    *_, run = watch_training(
        network, problem, optimizer=optimizer, target=target, lr=lr, steps=steps, record_every=record_every,
        seem_every=seem_every, q_limit=q_limit, progress=progress,
    )  # fmt: skip
    return run


def watch_training(
    network: nn.Module,
    problem: Problem,
    *,
    every: int | None = None,
    optimizer: Literal["sgd", "adam"] | OptimizerFactory = "sgd",
    target: LiveTarget | None = None,
    lr: float = 2e-2,
    steps: int = 400,
    record_every: int = 1,
    seem_every: int | None = None,
    q_limit: float = 1e6,
    progress: bool = False,
) -> Iterator[History]:
    """`train`, seen while it goes on: what it returns after fewer steps, again and again.

    Args:
        network: trained in place; at each history it is the network of the last step recorded.
        problem: as for `train`, with all that follows.
        every: a history every so many steps, a multiple of `record_every`; only the whole run if not given.
        optimizer, target, lr, steps, record_every, seem_every, q_limit, progress: as for `train`.

    Yields:
        The `History` so far; the last one is the whole run.

    Raises:
        TypeError, ValueError: as `train`.

    Example:
        >>> from seem_lab import mlp, toy_walk
        >>> [len(run.step) for run in watch_training(mlp(4, seed=0), toy_walk(0), steps=25, every=10)]
        [1, 11, 21, 26]
    """
    make = OPTIMIZERS.get(optimizer, optimizer) if isinstance(optimizer, str) else optimizer
    if not callable(make):
        names = ", ".join(map(repr, OPTIMIZERS))
        raise ValueError(
            f"optimizer must be one of {names}, got {optimizer!r}; or give a callable like torch.optim.Adam"
        )
    positive = {"lr": lr, "record_every": record_every, "seem_every": seem_every, "q_limit": q_limit}
    for name, value in positive.items():
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")
    if steps < 0:
        raise ValueError(f"steps must not be negative, got {steps}")
    with in_mode(network, training=False):  # no dropout is drawn, no running statistics move
        q_values(network, problem.x)  # the checks, with their messages
    if not any(p.requires_grad for p in network.parameters()):
        raise ValueError("no parameter of the network requires a gradient, so there is nothing to train; unfreeze some")
    target = target or LiveTarget()
    everything = target.start(network)
    updates = make([p for p in everything.parameters() if p.requires_grad], lr=lr)
    records = _Records(network, problem, target, seem_every)
    stop_reason: StopReason = "finished"
    before: tuple[dict[str, Tensor], Tensor, list[float]] | None = None  # one step ago: networks, choice, sizes

    for step in _count(steps, progress):
        q, q_next, choice = target.values(network, problem)
        u = q - (problem.reward + problem.discount * q_next)
        _, q_max, u_norm = sizes = torch.stack([q.mean(), q.abs().max(), u.norm()]).tolist()
        if not u_norm < float("inf"):  # nan included
            if before is None:
                raise ValueError("the TD error is not finite before the first step; start from a finite network")
            stop_reason = "non-finite"
            finite, choice, sizes = before
            everything.load_state_dict(finite)
            if records.rows[-1][0] != step - 1:
                records.add(step - 1, choice, sizes)
            break
        if q_max > q_limit:
            stop_reason = "q_limit"
        if step % record_every == 0 or step == steps or stop_reason == "q_limit":
            records.add(step, choice, sizes)
        if stop_reason == "q_limit" or step == steps:
            break
        if every and step % every == 0:
            yield records.history(lr, q_limit, stop_reason)

        before = {name: tensor.clone() for name, tensor in everything.state_dict().items()}, choice, sizes
        updates.zero_grad()
        u.square().mean(-1).sum().backward()  # the mean over transitions, for each network that learns
        updates.step()
        target.after_update(network)

    updates.zero_grad()
    yield records.history(lr, q_limit, stop_reason)


class _Records:
    """The rows of a run's history, as they are added."""

    def __init__(self, network: nn.Module, problem: Problem, target: LiveTarget, seem_every: int | None) -> None:
        self._network, self._problem, self._target, self._seem_every = network, problem, target, seem_every
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._last_choice: Tensor | None = None
        self.rows: list[tuple[float, ...]] = []

    def add(self, step: int, choice: Tensor, sizes: list[float]) -> None:
        """A row for the state the network is in now."""
        switches = 0 if self._last_choice is None else int((choice != self._last_choice).sum())
        self._last_choice = choice
        norm = parameters_to_vector(self._parameters).norm().item()
        leading = complex("nan+nanj")
        if self._seem_every is not None and step % self._seem_every == 0:
            leading = leading_eigenvalue(self._target.seem_matrix(self._network, self._problem, choice))
        self.rows.append((step, *sizes, norm, leading.real, leading.imag, switches))

    def history(self, lr: float, q_limit: float, stop_reason: StopReason) -> History:
        """The run so far."""
        columns = {name: np.array(column) for name, column in zip(COLUMNS, zip(*self.rows, strict=True), strict=True)}
        return History(**columns, lr=lr, n=self._problem.n, q_limit=q_limit, stop_reason=stop_reason)


def _count(steps: int, progress: bool) -> Iterator[int]:
    """0, 1, ..., steps, with a progress bar if it takes long."""
    with LateBar(steps, desc="training", unit="step", show=progress) as bar:
        for step in range(steps + 1):
            yield step
            bar.update()
