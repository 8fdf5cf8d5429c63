"""Explorer of lesson 00: does Q blow up, and when?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from seem_lab.panels.controls import log_slider, slider, whole_slider
from seem_lab.panels.followed import follow
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.training import History


class BlowUp(Panel):
    """Train the toy walk for 400 steps: discount, learning rate and seed on sliders, largest |Q| on the picture.

    Example:
        >>> BlowUp(gamma=0.9, seed=3).text
        'Not blown up within 400 steps: the largest |Q| is 0.38. The true value is 0.'
        >>> BlowUp(lr=0.01).text
        'Not blown up within 400 steps: the largest |Q| is 18 and rising. The true value is 0.'
    """

    title = "Does Q blow up?"
    lesson = "00"
    hint = (
        "Lower the discount step by step: where does the blow-up go away? Does half the learning rate prevent it, "
        "or only delay it?"
    )
    steps = 400
    presets = {
        "blows up": {"gamma": 0.99, "seed": 20},
        "half the learning rate": {"gamma": 0.99, "seed": 20, "lr": 0.01},
        "smaller discount": {"gamma": 0.9, "seed": 20},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "gamma": slider("discount γ", 0.99, 0.8, 1.0, 0.005),
            "lr": log_slider("learning rate", 0.02, 0.005, 0.2),
            "seed": whole_slider("seed", 0, 0, 99),
        }

    def compute(self, gamma: float, lr: float, seed: int) -> Iterator[History]:
        for run in follow(seed, gamma, lr, self.steps, 10):
            yield run.history

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        axes = tidy(figure.subplots(), title=self.title, x="training step", y="largest $|Q|$ (log scale)")
        axes.set_yscale("log")
        axes.set_xlim(0, self.steps)
        axes.set_ylim(1e-4, 1e9)
        axes.axhline(1e6, color=GREY, linewidth=0.8)
        axes.text(4, 1.4e6, "a run stops here", color=GREY, fontsize=9)
        line, cross = animate(
            axes.plot([], [], color=BLUE, linewidth=2)[0],
            axes.plot([], [], "x", color=ORANGE, markersize=12, markeredgewidth=3)[0],
        )
        return SimpleNamespace(line=line, cross=cross)

    def draw(self, artists: SimpleNamespace, result: History) -> None:
        artists.line.set_data(result.step, np.clip(result.q_max, 1e-4, 1e8))
        end = ([result.step[-1]], [min(result.q_max[-1], 1e8)]) if result.diverged else ([], [])
        artists.cross.set_data(*end)

    def sentence(self, result: History) -> str:
        last = result.step[-1]
        if result.diverged:
            return f"Blows up: |Q| leaves a million behind at step {last}. The true value is 0."
        ends = f"{result.q_max[-1]:.2g}" + " and rising" * bool(result.q_max[-1] > result.q_max[-2:][0])
        return f"Not blown up within {last} steps: the largest |Q| is {ends}. The true value is 0."

    def table(self, result: History) -> Mapping[str, Any]:
        return {"step": result.step, "largest_q": result.q_max, "td_error_norm": result.td_error_norm}
