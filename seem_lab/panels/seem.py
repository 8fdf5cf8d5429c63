"""Explorer of lesson 04: read SEEM at one step of a run, and see what it promises and what comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from seem_lab.early_warning import time_constants
from seem_lab.panels.controls import log_slider, number_choice, slider, whole_slider
from seem_lab.panels.followed import Followed, follow
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, ORANGE, tidy
from seem_lab.plotting.seem import draw_mode, mode_legend, mode_marks
from seem_lab.problems import toy_walk
from seem_lab.seem import Seem as SeemResult
from seem_lab.seem import seem
from seem_lab.training import step_size

STEPS, GRID = 1500, 25  # training ends here; SEEM can be read at every so many steps


@dataclass(frozen=True)
class Reading:
    """SEEM at one step of a run.

    Args:
        run: the run, so far.
        step: where SEEM is read.
        lr: learning rate.
        name: the run's seed, discount and network.
    """

    run: Followed
    step: int
    lr: float
    name: str

    @cached_property
    def seem(self) -> SeemResult:
        """What is read."""
        network = self.run.networks[self.step // GRID]
        return seem(network, *self.run.walk.bootstrap(network))


class Seem(Panel):
    """Train, and read SEEM at one step: the growth it promises, the growth that came, and the shape of its mode.

    While it trains, SEEM is read at the step the run has come to.

    Example:
        >>> Seem(seed=14).text.split(":")[0]
        'Seed 14, discount 0.965, 2 layers, width 64'
    """

    title = "What does SEEM promise?"
    lesson = "04"
    hint = (
        "Press Play and follow the eigenvalue and its mode. Then move the reading along the run: where does the run "
        "follow the dashed promise, and where does it leave it?"
    )
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
            "width": number_choice("width of a layer", 64, (16, 32, 64, 128)),
            "depth": number_choice("linear layers L", 2, (2, 3, 4)),
            "lr": log_slider("learning rate η", 0.02, 0.005, 0.1),
        }

    def compute(self, step: float, seed: int, gamma: float, width: int, depth: int, lr: float) -> Iterator[Reading]:
        name = f"Seed {seed}, discount {gamma:.3g}, {depth} layers, width {width}"
        for run in follow(seed, gamma, lr, STEPS, GRID, width, depth):
            now = min(int(step), run.last) if run.over else run.last
            yield Reading(run, min(now // GRID, len(run.networks) - 1) * GRID, lr, name)

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        figure.set_layout_engine("none")  # the axes are placed by hand
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
        animate(right.xaxis, right.yaxis, path, plus, minus)
        right.legend(handles=mode_legend(), fontsize=9, frameon=False, loc="upper left", handletextpad=0.2)
        return SimpleNamespace(
            line=line, promise=promise, here=here, cross=cross, right=right, path=path, plus=plus, minus=minus
        )

    def draw(self, artists: SimpleNamespace, result: Reading) -> None:
        error = np.clip(result.run.history.td_error_norm, 1e-3, 1e8)
        now = error[result.step]
        artists.line.set_data(np.arange(len(error)), error)
        rate = math.log1p(max(step_size(result.lr, result.seem.n) * result.seem.value, -0.99))
        ahead = np.array([result.step, STEPS])
        # The axis ends at e^21: a straight line on it may stop there.
        if now * math.exp(min(rate * (STEPS - result.step), 50)) > 1e8:
            ahead[1] = result.step + max(1, math.ceil(math.log(1e8 / now) / rate))
        artists.promise.set_data(ahead, now * np.exp(rate * (ahead - result.step)))
        artists.here.set_data([result.step], [now])
        artists.cross.set_data(*(([result.run.last], [error[-1]]) if result.run.history.diverged else ([], [])))
        state = result.run.walk.transitions.state.numpy()
        artists.path.set_data(*np.vstack([state, result.run.walk.transitions.next_state.numpy()[-1:]]).T)
        for marks, area in zip((artists.plus, artists.minus), mode_marks(result.seem.mode.real.numpy()), strict=True):
            marks.set_offsets(state)
            marks.set_sizes(area)
        low, high = state.min(0), state.max(0)
        width = 1.35 * (high - low).max()
        corner = (low + high) / 2 - [width / 2, 0.43 * width]  # room for the legend above
        if artists.right.get_xlim()[0] != corner[0]:
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
        if result.run.history.diverged:
            says.append(f"The run blows up at step {result.run.last}.")
        elif result.run.over:
            says.append(f"The run survives all {STEPS} steps.")
        return " ".join(says)

    def table(self, result: Reading) -> Mapping[str, Any]:
        history = result.run.history
        mode = result.seem.mode.real.numpy()
        return {
            "step": history.step, "td_error_norm": history.td_error_norm, "largest_q": history.q_max, "mode": mode,
        }  # fmt: skip
