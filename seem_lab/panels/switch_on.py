"""Explorer of lesson 07: LayerNorm switched on in a run that is about to blow up."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from seem_lab.layer_norm import insert_layer_norm
from seem_lab.panels.controls import log_slider, switch, whole_slider
from seem_lab.panels.followed import follow, kept
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.training import History, train, watch_training

LONGEST, AFTER, EVERY = 1500, 400, 20  # steps: without LayerNorm, with it, between two looks
GAMMA = 0.99
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
    lesson = "07"
    hint = (
        "Put LayerNorm in later and later: does it ever come too late? Then choose learning rate 0.2 and do the same: "
        "is late worse than early?"
    )
    size = (900, 400)
    presets = {
        "not switched on": {"on": False},
        "in good time": {"before": 100},
        "at the last step": {"before": 1},
        "learning rate 0.2": {"before": 10, "lr": 0.2},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "on": switch("LayerNorm on", True),
            "before": whole_slider("steps before the end", 20, 1, 100),
            "seed": whole_slider("seed", 0, 0, 23),
            "lr": log_slider("learning rate η", 0.02, 0.005, 0.2),
        }

    def compute(self, on: bool, before: int, seed: int, lr: float) -> Iterator[Switched]:
        lr = round(lr, 9)
        for run in follow(seed, GAMMA, lr, LONGEST, EVERY):
            plain = Switched(run.history, max(run.last - before, 0), None)
            yield plain
        if on:
            for norm in switched(seed, lr, plain.step):
                yield replace(plain, norm=norm)

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        axes = tidy(figure.subplots(), title=self.title, x="training step", y="largest $|Q|$ (log scale)")
        axes.set(yscale="log", ylim=(1e-2, 1e8))
        axes.locator_params(axis="x", nbins=5)  # each number takes time to draw
        animate(axes.xaxis)
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
        right = 100 * math.ceil(max(plain.step[-1], result.step + AFTER) / 100)
        if artists.axes.get_xlim()[1] != right:
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
            else f"Without LayerNorm the run lasts {plain.step[-1]} steps."
        ]
        if norm is not None:
            says.append(
                f"Switched on at step {result.step}, LayerNorm turns the largest |Q| from "
                f"{plain.q_max[result.step]:.2g} into {norm.q_max[0]:.2g} at once, and "
                + (
                    f"does not save the run: it blows up {norm.step[-1]} steps later."
                    if norm.diverged
                    else f"saves the run: {norm.step[-1]} steps later the largest |Q| is {norm.q_max[-1]:.2g}."
                )
            )
        return " ".join(says)

    def table(self, result: Switched) -> Mapping[str, Any]:
        columns = {"step": result.plain.step, "largest_q": result.plain.q_max}
        if result.norm is not None:
            columns |= {"step_with": result.step + result.norm.step, "largest_q_with": result.norm.q_max}
        return columns


@kept
def switched(seed: int, lr: float, step: int) -> Iterator[History]:
    """The run with a LayerNorm put in at that step, from there on."""
    *_, plain = follow(seed, GAMMA, lr, LONGEST, EVERY)
    network = copy.deepcopy(plain.networks[step // EVERY])
    train(network, plain.walk, lr=lr, steps=step % EVERY, progress=False)
    yield from watch_training(insert_layer_norm(network), plain.walk, every=EVERY, lr=lr, steps=AFTER)
