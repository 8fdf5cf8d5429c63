"""Explorer of lesson 06: how steady is the climb under Adam, and how long are its steps?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from seem_lab.adam_runs import stored_adam_runs
from seem_lab.growth import Fit, fit_line, fit_power, terminal_start
from seem_lab.panels.controls import number_choice, whole_slider
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy

BETA2, LR, DEPTH = (0.9, 0.99, 0.999, 0.9999), (3e-4, 1e-3, 3e-3), (2, 3)
HEIGHTS = (30, 60, 120, 240, 480)  # of the left axis


@dataclass(frozen=True)
class Climb:
    """One stored run under Adam.

    Args:
        depth: linear layers L.
        beta2: Adam's.
        lr: learning rate.
        step: `(T,)` steps.
        norm: `(T,)` ||theta||.
        root: `(T,)` |Q|^(1/L), |Q| the largest.
        ratio: `(T,)` |m| / sqrt(v), the median over the active parameters.
        window: the records from which ||u|| has grown to 10 times its minimum; None if it never does.
    """

    depth: int
    beta2: float
    lr: float
    step: np.ndarray
    norm: np.ndarray
    root: np.ndarray
    ratio: np.ndarray
    window: slice | None

    @cached_property
    def norm_line(self) -> Fit | None:
        """The straight line through the climb of ||theta||, if it climbs."""
        return self._line(self.norm)

    @cached_property
    def root_line(self) -> Fit | None:
        """The straight line through the climb of |Q|^(1/L), if it climbs."""
        return self._line(self.root)

    @property
    def exponent(self) -> float:
        """The k for which |Q|^(1/k) is straightest."""
        return fit_power(self.step[self.window], self.root[self.window] ** self.depth).exponent

    def _line(self, values: np.ndarray) -> Fit | None:
        return None if self.window is None else fit_line(self.step[self.window], values[self.window])


class Adam(Panel):
    """Stored runs of the toy walk under Adam: beta2, learning rate, depth and seed.

    Example:
        >>> Adam(depth=3, seed=5).text.split(":")[0]
        'Depth 3, beta2 0.999, learning rate 0.001'
    """

    title = "How steady is the climb, and how long are the steps?"
    lesson = "06"
    hint = (
        "Which memory bends the climb most? What does three times the learning rate change, and what does it leave "
        "as it is?"
    )
    size = (960, 400)
    presets = {
        "usual": {},
        "short memory": {"beta2": 0.9},
        "long memory": {"beta2": 0.9999},
        "three layers": {"depth": 3},
        "three times the learning rate": {"lr": 3e-3},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "beta2": number_choice("memory β2", 0.999, BETA2),
            "lr": number_choice("learning rate", 1e-3, LR),
            "depth": number_choice("depth L (layers)", 2, DEPTH),
            "seed": whole_slider("seed", 0, 0, 7),
        }

    def compute(self, beta2: float, lr: float, depth: int, seed: int) -> Climb:
        runs = stored_adam_runs(depth, beta2, lr)
        (row,) = np.flatnonzero(runs.seed == seed)
        start = terminal_start(runs.td_error_norm[row])
        return Climb(
            depth=depth,
            beta2=beta2,
            lr=lr,
            step=runs.step,
            norm=runs.parameter_norm[row],
            root=runs.q_max[row] ** (1 / depth),
            ratio=runs.ratio[row],
            window=None if start is None else slice(start, None),
        )

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2)
        last = stored_adam_runs().step[-1]
        tidy(left, title="Parameters and values", x="training step")
        left.set(xlim=(0, last), ylim=(0, HEIGHTS[-1]))
        animate(left.yaxis)
        norm, root, norm_line, root_line = animate(
            left.plot([], [], color=BLUE, linewidth=2.2, label=r"$\|\theta\|$")[0],
            left.plot([], [], color=ORANGE, linewidth=2.2, linestyle="--", label=r"$|Q|^{1/L}$")[0],
            left.plot([], [], color="black", linewidth=1.4, linestyle=":", label=r"line of $\|\theta\|$")[0],
            left.plot([], [], color="black", linewidth=1.4, linestyle="-.", label=r"line of $|Q|^{1/L}$")[0],
        )
        left.legend(loc="upper left", frameon=False)
        tidy(right, title="Step of the median parameter, over learning rate", x="training step")
        right.set(xlim=(0, last), ylim=(0, 3.7), ylabel=r"$\zeta = |\hat m| / \sqrt{\hat v}$")
        right.axhline(1, color=GREY, linewidth=0.8)
        ratio, early, name = animate(
            right.plot([], [], color=BLUE, linewidth=2.2)[0],
            right.plot([0, last], [0, 0], color=GREY, linewidth=1.2, linestyle="--")[0],
            right.text(last, 0, "", ha="right", va="bottom", fontsize=9),
        )
        return SimpleNamespace(
            left=left, norm=norm, root=root, norm_line=norm_line, root_line=root_line,
            ratio=ratio, early=early, name=name,
        )  # fmt: skip

    def draw(self, artists: SimpleNamespace, result: Climb) -> None:
        for values, line, curve, straight in (
            (result.norm, result.norm_line, artists.norm, artists.norm_line),
            (result.root, result.root_line, artists.root, artists.root_line),
        ):
            curve.set_data(result.step, values)
            there = result.step[result.window or slice(0, 0)]
            straight.set_data(there, line.intercept + line.slope * there if line else there)
        top = max(result.norm[-1], result.root[-1])
        height = next((height for height in HEIGHTS if top <= height), HEIGHTS[-1])
        if artists.left.get_ylim() != (0, height):
            artists.left.set_ylim(0, height)
        artists.ratio.set_data(result.step, result.ratio)
        early = math.sqrt(4 * result.depth - 1)
        artists.early.set_ydata([early, early])
        artists.name.set_y(early)
        artists.name.set_text(f"√(4L-1) = {early:.2f}")

    def sentence(self, result: Climb) -> str:
        where = f"Depth {result.depth}, beta2 {result.beta2:g}, learning rate {result.lr:g}"
        norm, root = result.norm_line, result.root_line
        if norm is None or root is None:
            return f"{where}: it does not climb within {result.step[-1]} steps."
        top = int(result.ratio.argmax())
        return (
            f"{where}: from step {norm.first} on, the norm climbs {norm.slope:.3g} a step (R² {norm.r_squared:.4f}); "
            f"R² of |Q|^(1/{result.depth}) is {root.r_squared:.4f}, the best exponent {result.exponent:.2f} (simple "
            f"law: {result.depth}). The ratio ζ is {result.ratio[top]:.2f} at most, at step {result.step[top]}, and "
            f"{result.ratio[-1]:.2f} at step {result.step[-1]}."
        )

    def table(self, result: Climb) -> Mapping[str, Any]:
        return {
            "step": result.step, "parameter_norm": result.norm, "root_of_largest_q": result.root, "ratio": result.ratio,
        }  # fmt: skip
