"""Explorer of lesson 01: the smallest loop that feeds itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from seem_lab.panels.panel import Panel, slider
from seem_lab.plotting.figure import BLUE, ORANGE, tidy
from seem_lab.training import step_size


@dataclass(frozen=True)
class Loop:
    """What the panel shows: A, the factor of one step, and value and target over the steps."""

    a: float
    factor: float
    value: np.ndarray
    target: np.ndarray


class TwoStates(Panel):
    """One parameter w, value w, target gamma * c * w: watch the value chase its target.

    Example:
        >>> TwoStates(c=1.0).text
        'A = -0.01: each step multiplies the error by 0.998. It dies out.'
    """

    title = "Does the value catch its target?"
    steps = 30
    floor = 1e-4  # smaller errors are drawn here
    presets = {
        "runs away": {"c": 2.0, "gamma": 0.99},
        "catches up": {"c": 0.8, "gamma": 0.9},
        "on the edge": {"c": 1.25, "gamma": 0.8},
        "step too long": {"c": 0.5, "gamma": 0.9, "lr": 1.9},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "c": slider("feature of the neighbour c", 2.0, -1.0, 3.0, 0.05),
            "gamma": slider("discount γ", 0.99, 0.0, 1.0, 0.01),
            "lr": slider("learning rate", 0.1, 0.05, 2.0, 0.05),
        }

    def compute(self, c: float, gamma: float, lr: float) -> Loop:
        a = gamma * c - 1
        factor = 1 + step_size(lr, n=1) * a
        w = factor ** np.arange(self.steps + 1)
        return Loop(a, factor, w, gamma * c * w)

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2)
        tidy(left, title="value and target", x="training step", y="Q")
        tidy(right, title="size of the TD error", x="training step", y="$|u|$ (log scale)")
        left.set_xlim(0, self.steps)
        left.set_ylim(-4, 8)
        left.axhline(0, color="black", linewidth=0.8)
        right.set_xlim(0, self.steps)
        right.set_ylim(0.7 * self.floor, 1e4)
        right.set_yscale("log")
        value, target, error = animate(
            left.plot([], [], "o-", color=BLUE, markersize=4, label="value $w$")[0],
            left.plot([], [], "D--", color=ORANGE, markersize=4, label=r"target $\gamma c w$")[0],
            right.plot([], [], "o-", color=BLUE, markersize=4)[0],
        )
        left.legend(frameon=False, loc="lower left")
        return SimpleNamespace(value=value, target=target, error=error)

    def draw(self, artists: SimpleNamespace, result: Loop) -> None:
        steps = np.arange(self.steps + 1)
        artists.value.set_data(steps, np.clip(result.value, -100, 100))
        artists.target.set_data(steps, np.clip(result.target, -100, 100))
        artists.error.set_data(steps, np.clip(np.abs(result.value - result.target), self.floor, 1e9))

    def sentence(self, result: Loop) -> str:
        says = f"A = {result.a:.2f}: each step multiplies the error by {result.factor:.3f}. "
        if abs(result.value[0] - result.target[0]) < 1e-9:
            return says + "But the error is 0 from the start: Q stays at 1, although the true value is 0."
        if abs(abs(result.factor) - 1) < 1e-9:
            return says + "It stays as large as it is."
        if abs(result.factor) < 1:
            return says + "It dies out."
        if result.a > 0:
            return says + "It grows: the target runs away from the value (self-excitation)."
        return says + "It grows, but not by self-excitation: the step jumps over the target, farther each time."
