"""SEEM alongside a training loop that someone already has: call it every step, read it when it warns."""

from __future__ import annotations

import csv
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from seem_lab.seem import Seem, seem
from seem_lab.stacks import Networks, listed

TREND = 4  # readings that a trend is fitted to


class SelfExcitationWarning(UserWarning):
    """The critic excites itself: see `SeemMonitor` for the rule."""


@dataclass(frozen=True)
class Reading:
    """What the monitor saw at one step. nan where the network was no longer finite.

    Args:
        step: as the caller counts.
        seem: SEEM, per unit of `eps = 2 lr / N`; of several networks the largest.
        per_parameter: SEEM / P, P the number of trained parameters of one network.
        frequency: imaginary part of that eigenvalue.
        normalised: SEEM / ||A||_F.
        q_max: largest |Q(X)|.
        seconds: what the reading cost.
    """

    step: int
    seem: float
    per_parameter: float
    frequency: float
    normalised: float
    q_max: float
    seconds: float


class SeemMonitor:
    """Reads SEEM every so many steps and warns once when the critic excites itself. Training is not touched:
    gradients, buffers, random state and train/eval mode are afterwards bit by bit what they were.

    The alarm: `SEEM / P > threshold` and `SEEM / ||A||_F > threshold` in `patience` readings in a row, or a value that
    is not finite. It detects a self-exciting phase, which is no verdict that |Q| will pass every limit: on fresh runs
    it also fired in some that stayed bounded, LayerNorm among them, and it missed slow explosions of small networks.
    Lesson 10 judges it on stored runs of critics, `tests/benchmarks/alarm_rates.py` on the toy walk.

    Networks are read in eval mode (dropout off, running statistics of batch norm), with the current parameters.

    Args:
        network: the critic, any module that maps `(N, d)` to one value a row; a list for twin critics of one shape.
        x: `(N, d)` inputs (s, a) of fixed transitions from the data; 256 of them do.
        discount: `(N,)` gamma, 0 at a terminal.
        every: steps between readings.
        threshold: of the alarm.
        patience: readings in a row that must pass it.
        q_limit: the largest |Q| that is possible, `max|r| / (1 - gamma)`; with it, the warning forecasts the step at
            which the present growth passes it.
        csv_path: every reading is appended to this file at once, so that a crash loses nothing.
        writer: a TensorBoard `SummaryWriter`; scalars go under `seem/`.
        on_reading: called with the monitor after every reading, for instance `seem_lab.plotting.live_readings`.

    Attributes:
        readings: list of `Reading`, oldest first.
        alarm: the warning's text, None as long as there was none.

    Raises:
        ValueError: a count or threshold that is not positive.

    Example:
        >>> import seem_lab as sl
        >>> walk = sl.toy_walk(seed=1458)
        >>> critic = sl.mlp(walk.input_dim, seed=111)
        >>> monitor = SeemMonitor(critic, walk.x, walk.discount, every=100)
        >>> for step in range(201):
        ...     reading = monitor(step, lambda: walk.bootstrap(critic)[1])   # called only when a reading is due
        >>> [reading.step for reading in monitor.readings]
        [0, 100, 200]
    """

    def __init__(
        self,
        network: Networks,
        x: Float[Tensor, "n d"],
        discount: Float[Tensor, " n"],
        *,
        every: int = 1000,
        threshold: float = 0.1,
        patience: int = 1,
        q_limit: float | None = None,
        csv_path: str | Path | None = None,
        writer: Any = None,
        on_reading: Callable[[SeemMonitor], None] | None = None,
    ) -> None:
        for name, value in dict(every=every, threshold=threshold, patience=patience, q_limit=q_limit or 1).items():
            if not value > 0:
                raise ValueError(f"{name} must be positive, got {value}")
        self.networks = listed(network)
        self.x, self.discount = x.detach().clone(), discount.detach().clone()
        self.every, self.threshold, self.patience, self.q_limit = every, threshold, patience, q_limit
        self.writer, self.on_reading = writer, on_reading
        self.readings: list[Reading] = []
        self.alarm: str | None = None
        self._parameters = sum(p.numel() for p in self.networks[0].parameters() if p.requires_grad)
        self._csv = None if csv_path is None else Path(csv_path)
        if self._csv is not None:
            self._append([field.name for field in fields(Reading)], "w")

    def __call__(self, step: int, x_next: Float[Tensor, "n d"] | Callable[[], Float[Tensor, "n d"]]) -> Reading | None:
        """A reading if one is due at this step, else nothing.

        Args:
            step: the loop's own count. A reading is due at the first call, then `every` steps after the last one.
            x_next: `(N, d)` inputs (s', a') with the actions of the policy of the moment, or a function that gives them
                (called only when due, without gradients).

        Returns:
            The reading, or None.

        Raises:
            TypeError, ValueError: as `seem`, but a network that is not finite gives a reading of nan and the alarm.
        """
        if self.readings and step < self.readings[-1].step + self.every:
            return None
        begin = time.perf_counter()
        with _left_as_it_was(self.networks, self.x.device):
            if callable(x_next):
                x_next = x_next()
            result, q_max = self._read(x_next.detach())
        nan = float("nan")
        value = nan if result is None else result.value
        reading = Reading(
            step,
            value,
            value / self._parameters,
            nan if result is None else result.frequency,
            nan if result is None else result.normalised,
            q_max,
            time.perf_counter() - begin,
        )
        self.readings.append(reading)
        if self._csv is not None:
            self._append(astuple(reading), "a")
        if self.writer is not None:
            for field in fields(Reading)[1:-1]:
                self.writer.add_scalar(f"seem/{field.name}", getattr(reading, field.name), step)
        if self.alarm is None and self._excited():
            self.alarm = self._evidence()
            warnings.warn(self.alarm, SelfExcitationWarning, stacklevel=2)
        if self.on_reading is not None:
            self.on_reading(self)
        return reading

    def columns(self) -> dict[str, np.ndarray]:
        """The readings as arrays, one entry a reading: `columns()["seem"]`."""
        return {f.name: np.array([getattr(reading, f.name) for reading in self.readings]) for f in fields(Reading)}

    def _read(self, x_next: Tensor) -> tuple[Seem | None, float]:
        """SEEM (None where Q is not finite) and the largest |Q(X)|."""
        with torch.no_grad():
            values = torch.stack([network(self.x).reshape(-1) for network in self.networks]).abs()
            ahead = torch.stack([network(x_next).reshape(-1) for network in self.networks])
        if not torch.isfinite(values).all() or not torch.isfinite(ahead).all():
            return None, values.max().item()
        results = seem(self.networks, self.x, x_next, self.discount, progress=False)
        return max(results, key=lambda result: result.value), values.max().item()

    def _excited(self) -> bool:
        """The alarm rule."""
        last = self.readings[-self.patience :]
        if not np.isfinite(self.readings[-1].seem):
            return True
        return len(last) == self.patience and all(
            r.per_parameter > self.threshold and r.normalised > self.threshold for r in last
        )

    def _evidence(self) -> str:
        """The warning, with what it rests on."""
        last = self.readings[-1]
        if not np.isfinite(last.seem):
            return f"step {last.step}: Q is no longer finite; go back to an earlier checkpoint"
        text = (
            f"step {last.step}: the critic excites itself. SEEM {last.seem:.3g}, "
            f"per parameter {last.per_parameter:.2g} and over ||A||_F {last.normalised:.2f} "
            f"(alarm above {self.threshold:g} for both); largest |Q| {last.q_max:.3g}"
        )
        recent = [r for r in self.readings[-TREND:] if r.seem > 0 and r.q_max > 0]
        if len(recent) < 2:
            return text + ". No trend yet: this is the first reading that counts."
        steps = np.array([r.step for r in recent], dtype=float)
        seem_rate, q_rate = (
            np.polyfit(steps - last.step, np.log([getattr(r, name) for r in recent]), 1)[0]
            for name in ("seem", "q_max")
        )
        trend = f"doubles every {np.log(2) / seem_rate:.0f} steps" if seem_rate > 0 else "is not growing"
        text += f". Over the last {len(recent)} readings SEEM {trend}"
        if self.q_limit is not None and 0 < last.q_max < self.q_limit and q_rate > 0:
            step = last.step + np.log(self.q_limit / last.q_max) / q_rate
            text += f"; |Q| growing at its present rate passes {self.q_limit:.3g} near step {step:.0f}, or sooner"
        return (
            text + ". What helps: LayerNorm before each activation, a slower target network, or fewer unseen actions."
        )

    def _append(self, row: Sequence[Any], mode: str) -> None:
        assert self._csv is not None
        with self._csv.open(mode, newline="") as file:
            csv.writer(file).writerow(row)


@contextmanager
def _left_as_it_was(networks: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Networks in eval mode, no gradients, and afterwards every flag, buffer and random state as before."""
    modules = [module for network in networks for module in network.modules()]
    modes = [module.training for module in modules]
    buffers = [(buffer, buffer.clone()) for network in networks for buffer in network.buffers()]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.no_grad():
        try:
            for module in modules:
                module.training = False
            yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode
            for buffer, before in buffers:
                buffer.copy_(before)
