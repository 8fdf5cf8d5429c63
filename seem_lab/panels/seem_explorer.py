"""Explorer of lesson 04: read SEEM at one step of a run, and see what it promises and what comes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from torch import nn

from seem_lab.early_warning import time_constants
from seem_lab.networks import mlp
from seem_lab.panels.panel import Panel, log_slider, slider, whole_slider
from seem_lab.plotting.figure import BLUE, ORANGE, tidy
from seem_lab.plotting.seem import draw_mode, mode_legend, mode_marks
from seem_lab.problems import Problem, toy_walk
from seem_lab.seem import Seem, seem
from seem_lab.stacked_training import train_stacked
from seem_lab.training import step_size

STEPS, GRID = 1500, 25  # training ends here; SEEM can be read at every so many steps
LIMIT = 1e6


@dataclass(frozen=True)
class Followed:
    """A run, and the network at every `GRID` steps until it was over.

    Args:
        walk: what was trained on.
        error: `(T,)` ||u||, one entry a step.
        diverged: whether |Q| passed the limit.
        networks: the network at steps 0, GRID, 2 GRID, ...
    """

    walk: Problem
    error: np.ndarray
    diverged: bool
    networks: list[nn.Module]


@dataclass(frozen=True)
class Reading:
    """SEEM at one step of a run.

    Args:
        run: the run.
        step: where SEEM was read.
        seem: what was read.
        lr: learning rate.
        name: the run's seed and discount.
    """

    run: Followed
    step: int
    seem: Seem
    lr: float
    name: str

    @property
    def end(self) -> int:
        """The last step of the run."""
        return len(self.run.error) - 1


class SeemExplorer(Panel):
    """Read SEEM at a step of a run: the growth it promises beside the growth that came, and the shape of its mode.

    Example:
        >>> SeemExplorer(seed=14).text.split(":")[0]
        'Seed 14, discount 0.965'
    """

    title = "What does SEEM promise?"
    size = (940, 430)
    presets = {
        "a warning that comes true": {"step": 200.0},
        "no warning, and it survives": {"seed": 17},
        "a false alarm": {"seed": 32, "step": 200.0},
        "a miss": {"seed": 14, "step": 50.0},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "step": slider("read SEEM at step", 100.0, 0.0, float(STEPS), float(GRID)),
            "seed": whole_slider("seed", 29, 0, 199),
            "gamma": slider("discount γ", 0.965, 0.9, 1.0, 0.005),
            "lr": log_slider("learning rate η", 0.02, 0.005, 0.1),
        }

    def compute(self, step: float, seed: int, gamma: float, lr: float) -> Reading:
        run = follow(seed, round(gamma, 6), round(lr, 9))
        place = min(int(step) // GRID, len(run.networks) - 1)
        found = seem(run.networks[place], *run.walk.bootstrap(run.networks[place]))
        return Reading(run, place * GRID, found, lr, f"Seed {seed}, discount {gamma:.3g}")

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        figure.set_layout_engine("none")  # an automatic layout moves a little on every full draw
        height = 0.79
        square = (0.61, 0.13, height * self.size[1] / self.size[0], height)
        left, right = figure.add_axes((0.08, 0.13, 0.44, height)), figure.add_axes(square)
        left.set_yscale("log")
        left.set(xlim=(0, STEPS), ylim=(3e-5, 1e9))
        tidy(left, title="The run, and the promise", x="training step", y=r"length of the TD error $\|u\|$")
        line, promise, here, cross = animate(
            left.plot([], [], color=BLUE, linewidth=2, label="the run")[0],
            left.plot([], [], color="black", linewidth=1.8, linestyle="--", label="what SEEM promises")[0],
            left.plot([], [], "o", color="black", markersize=9, fillstyle="none", label="SEEM is read here")[0],
            left.plot([], [], "x", color=ORANGE, markersize=12, markeredgewidth=3, label="blows up")[0],
        )
        left.legend(fontsize=9, frameon=False, loc="lower left", ncols=2, columnspacing=1.2)
        tidy(right, title="The mode over the walk", x="position $x$", y="position $y$")
        walk = toy_walk()
        draw_mode(right, walk, np.ones(walk.n))
        path, (plus, minus) = right.lines[0], right.collections
        animate(path, plus, minus)
        right.legend(handles=mode_legend(), fontsize=9, frameon=False, loc="upper left", handletextpad=0.2)
        return SimpleNamespace(
            line=line, promise=promise, here=here, cross=cross, right=right, path=path, plus=plus, minus=minus
        )

    def draw(self, artists: SimpleNamespace, result: Reading) -> None:
        error = np.clip(result.run.error, 1e-3, 1e8)
        now = error[result.step]
        artists.line.set_data(np.arange(len(error)), error)
        rate = math.log1p(max(step_size(result.lr, result.seem.n) * result.seem.value, -0.99))
        ahead = np.array([result.step, STEPS])
        # The axis ends at e^21: a straight line on it may stop there.
        if now * math.exp(min(rate * (STEPS - result.step), 50)) > 1e8:
            ahead[1] = result.step + max(1, math.ceil(math.log(1e8 / now) / rate))
        artists.promise.set_data(ahead, now * np.exp(rate * (ahead - result.step)))
        artists.here.set_data([result.step], [now])
        artists.cross.set_data(*(([result.end], [error[-1]]) if result.run.diverged else ([], [])))
        state = result.run.walk.transitions.state.numpy()
        artists.path.set_data(*np.vstack([state, result.run.walk.transitions.next_state.numpy()[-1:]]).T)
        for marks, area in zip((artists.plus, artists.minus), mode_marks(result.seem.mode.real.numpy()), strict=True):
            marks.set_offsets(state)
            marks.set_sizes(area)
        low, high = state.min(0), state.max(0)
        width = 1.35 * (high - low).max()
        corner = (low + high) / 2 - [width / 2, 0.43 * width]  # room for the legend above
        if artists.right.get_xlim()[0] != corner[0]:  # limits that are set anew force a full draw
            artists.right.set(xlim=(corner[0], corner[0] + width), ylim=(corner[1], corner[1] + width))

    def sentence(self, result: Reading) -> str:
        reading, left = result.seem, STEPS - result.step
        eps = step_size(result.lr, reading.n)
        says = [f"{result.name}: read at step {result.step}, SEEM is {reading.value:.2g}."]
        if reading.value > 0:
            constants = float(time_constants(reading.value, lr=result.lr, n=reading.n, steps_left=left))
            rule = "more than 1: the rule warns" if constants > 1 else "not more than 1: the rule does not warn"
            says.append(
                f"It promises a factor e in {1 / (eps * reading.value):.3g} steps. {left} are left: "
                f"eps * SEEM * steps left is {constants:.2g}, {rule}."
            )
        else:
            says.append("It is not positive: it promises no growth, and the rule does not warn.")
        if reading.frequency > 0:
            says.append(
                f"The mode is one of a pair and turns, once in {2 * math.pi / (eps * reading.frequency):.3g} steps."
            )
        says.append(
            f"The run blows up at step {result.end}." if result.run.diverged else f"The run survives all {STEPS} steps."
        )
        return " ".join(says)


@lru_cache(maxsize=32)
def follow(seed: int, gamma: float, lr: float) -> Followed:
    """Train the toy walk, keeping the network every `GRID` steps."""
    walk, network = toy_walk(seed, gamma=gamma), mlp(4, seed=1000 + seed)
    error: list[np.ndarray] = []
    networks: list[nn.Module] = []
    diverged = False
    for _ in range(STEPS // GRID):
        networks.append(copy.deepcopy(network))
        (run,) = train_stacked([network], [walk], lr=lr, steps=GRID, q_limit=LIMIT)
        error.append(run.td_error_norm[:-1])
        diverged = run.diverged
        if diverged:
            break
    else:
        networks.append(network)
    error.append(run.td_error_norm[-1:])
    return Followed(walk, np.concatenate(error), diverged, networks)
