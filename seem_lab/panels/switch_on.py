"""Explorer of lesson 07: LayerNorm switched on in a run that is about to blow up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from seem_lab.layer_norm import insert_layer_norm
from seem_lab.networks import mlp
from seem_lab.panels.panel import Panel, log_slider, whole_slider
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.problems import toy_walk
from seem_lab.stacked_training import train_stacked
from seem_lab.training import History

LONGEST, AFTER = 1500, 400  # steps: of the run without LayerNorm, and with it
LIMIT = 1e6


@dataclass(frozen=True)
class Switched:
    """A run, and what became of it.

    Args:
        plain: the run without LayerNorm, to its end.
        step: where LayerNorm was switched on.
        norm: the run from there on; None if it was not switched on.
    """

    plain: History
    step: int
    norm: History | None


class SwitchOn(Panel):
    """Switch LayerNorm on in the middle of a run that blows up without it: is it too late?

    Example:
        >>> SwitchOn(on=False).text
        'Without LayerNorm the run blows up at step 220.'
    """

    title = "Is it too late for LayerNorm?"
    size = (900, 400)
    presets = {
        "not switched on": {"on": False},
        "in good time": {"before": 100},
        "at the last step": {"before": 1},
        "learning rate 0.2": {"before": 10, "lr": 0.2},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "on": ipywidgets.Checkbox(value=True, description="LayerNorm on"),
            "before": whole_slider("steps before the end", 20, 1, 100),
            "seed": whole_slider("seed", 0, 0, 23),
            "lr": log_slider("learning rate η", 0.02, 0.005, 0.2),
        }

    def compute(self, on: bool, before: int, seed: int, lr: float) -> Switched:
        lr = round(lr, 9)
        plain = plain_run(seed, lr)
        step = max(int(plain.step[-1]) - before, 0)
        return Switched(plain, step, switched_run(seed, lr, step) if on else None)

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        axes = tidy(figure.subplots(), title=self.title, x="training step", y="largest $|Q|$ (log scale)")
        axes.set(yscale="log", ylim=(1e-2, 1e8))
        axes.axhline(LIMIT, color=GREY, linewidth=0.8)
        axes.annotate("a run stops here", (1, LIMIT), (-4, 4), xycoords=("axes fraction", "data"), ha="right",
                      textcoords="offset points", color=GREY, fontsize=9)  # fmt: skip
        plain, norm, here, crosses = animate(
            axes.plot([], [], color=ORANGE, linewidth=2, linestyle="--", label="without LayerNorm")[0],
            axes.plot([], [], color=BLUE, linewidth=2, label="with LayerNorm")[0],
            axes.axvline(0, color="black", linewidth=1, linestyle=":", label="switched on"),
            axes.plot([], [], "x", color="black", markersize=11, markeredgewidth=2.5, label="blows up")[0],
        )
        axes.legend(fontsize=9, frameon=False, loc="lower right", ncols=2)
        return SimpleNamespace(axes=axes, plain=plain, norm=norm, here=here, crosses=crosses)

    def draw(self, artists: SimpleNamespace, result: Switched) -> None:
        plain, norm = result.plain, result.norm
        right = max(int(plain.step[-1]), result.step + AFTER)
        if artists.axes.get_xlim()[1] != right:  # limits that are set anew force a full draw
            artists.axes.set_xlim(0, right)
        artists.plain.set_data(plain.step, np.clip(plain.q_max, 1e-2, 3e7))
        artists.norm.set_data(
            *(([], []) if norm is None else (result.step + norm.step, np.clip(norm.q_max, 1e-2, 3e7)))
        )
        artists.here.set_xdata([result.step] * 2)
        artists.here.set_visible(norm is not None)
        runs = [(plain, 0), *([] if norm is None else [(norm, result.step)])]
        ends = [(start + run.step[-1], min(run.q_max[-1], 3e7)) for run, start in runs if run.diverged]
        artists.crosses.set_data(*(zip(*ends, strict=True) if ends else ([], [])))

    def sentence(self, result: Switched) -> str:
        plain, norm = result.plain, result.norm
        says = [
            f"Without LayerNorm the run blows up at step {plain.step[-1]}."
            if plain.diverged
            else f"Without LayerNorm the run lasts all {LONGEST} steps."
        ]
        if norm is not None:
            says.append(
                f"Switched on at step {result.step}, where the largest |Q| was {plain.q_max[result.step]:.2g}, "
                + (
                    f"LayerNorm does not save it: it blows up {norm.step[-1]} steps later."
                    if norm.diverged
                    else f"LayerNorm saves it: {AFTER} steps later the largest |Q| is {norm.q_max[-1]:.2g}."
                )
            )
        return " ".join(says)


@lru_cache(maxsize=64)
def plain_run(seed: int, lr: float) -> History:
    """The run without LayerNorm."""
    return train_stacked([mlp(4, seed=1000 + seed)], [toy_walk(seed)], lr=lr, steps=LONGEST)[0]


@lru_cache(maxsize=64)
def switched_run(seed: int, lr: float, step: int) -> History:
    """The same to `step`, then with a LayerNorm put in."""
    walk, network = toy_walk(seed), mlp(4, seed=1000 + seed)
    train_stacked([network], [walk], lr=lr, steps=step)
    return train_stacked([insert_layer_norm(network)], [walk], lr=lr, steps=AFTER)[0]
