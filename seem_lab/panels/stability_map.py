"""Explorer of lesson 09: when does a target network, with or without momentum, keep Baird's star from growing?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import Figure

from seem_lab.frozen_dynamics import FrozenKernels
from seem_lab.panels.controls import log_slider, slider
from seem_lab.panels.followed import kept
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.problems import baird_star, baird_weights
from seem_lab.stability import Stability, stability, stability_map
from seem_lab.stability import StabilityMap as Diagram
from seem_lab.training import step_size
from seem_lab.update_maps import UpdateMap

TAUS = tuple(np.minimum(np.logspace(-3, 0, 13), 1.0))
GAMMAS = tuple(np.linspace(0.5, 0.99, 10))
STEPS = 600
LARGEST = 300.0  # of log ||u||


@dataclass(frozen=True)
class Cell:
    """One setting, its run, and the diagram around it.

    Args:
        stability: what the update map says.
        log_error: `(STEPS + 1,)` log ||u|| of the run.
        diagram: of the same momentum and learning rate, over discounts and tau; so far.
        gamma: discount.
        tau: rate of the target.
    """

    stability: Stability
    log_error: np.ndarray
    diagram: Diagram
    gamma: float
    tau: float


class StabilityMap(Panel):
    """Baird's star with a target network: rate, momentum, learning rate and discount.

    Example:
        >>> StabilityMap(tau=1.0).text.split(",")[0]
        'Self-excitation'
    """

    title = "When does a target network keep the star from growing?"
    lesson = "09"
    hint = (
        "Slow the target down from 1: at which rate does the star stop growing? Is that another rate at ten times the "
        "learning rate, or with momentum? Open ring: where you are; dots: stable."
    )
    size = (960, 400)
    presets = {
        "no target network": {"tau": 1.0},
        "slow target": {"tau": 0.01},
        "ten times the learning rate": {"lr": 0.5},
        "too large": {"lr": 1.5, "tau": 0.01},
        "heavy ball": {"momentum": 0.9},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "tau": log_slider("rate τ of the target", 0.5, 1e-3, 1.0),
            "momentum": slider("momentum β", 0.0, 0.0, 0.95, 0.05),
            "lr": log_slider("learning rate", 0.05, 1e-2, 10.0),
            "gamma": slider("discount γ", 0.99, 0.5, 0.99, 0.01),
        }

    def compute(self, tau: float, momentum: float, lr: float, gamma: float) -> Iterator[Cell]:
        tau, momentum, lr = min(round(tau, 6), 1.0), round(momentum, 2), round(lr, 6)
        update = _update(gamma, tau, momentum, lr)
        phi, phi_next = _features()
        first = (phi - gamma * phi_next) @ baird_weights()
        start = torch.zeros(update.size, dtype=torch.float64)
        matrix, push = update.matrix(), update.follow(update.descend(start, first))
        states = [start]
        for _ in range(STEPS):
            states.append(matrix @ states[-1] + push)
        sizes = (first[:, None] + update.error(torch.stack(states, dim=1))).norm(dim=0)
        log_error = torch.nan_to_num(sizes, nan=torch.inf).log().clamp(max=LARGEST).numpy()
        found = stability(update)
        for diagram in diagrams(momentum, lr):
            yield Cell(found, log_error, diagram, gamma, tau)

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2)
        left.set(xscale="log", xlim=(TAUS[0] * 0.9, TAUS[-1] * 1.1), ylim=(GAMMAS[0] - 0.03, GAMMAS[-1] + 0.03))
        tidy(left, title="triangle: self-excitation;  cross: step too large", x="rate of the target, τ", y="discount γ")
        styles = {
            "stable": (".", GREY, 5),
            "self-excitation": ("^", ORANGE, 7),
            "step-size instability": ("x", BLUE, 7),
        }
        marks = {
            verdict: animate(left.plot([], [], marker, color=color, markersize=size)[0])
            for verdict, (marker, color, size) in styles.items()
        }
        here = animate(left.plot([], [], "o", color="black", markersize=15, fillstyle="none", markeredgewidth=2)[0])
        tidy(right, title="run (line) and rate of the map (dashed)", x="update", y=r"log of $\|u\|$")
        right.set(xlim=(0, STEPS), ylim=(-6, 14))
        run = animate(right.plot([], [], color=BLUE, linewidth=2)[0])
        rate = animate(right.plot([], [], color="black", linewidth=1.4, linestyle="--")[0])
        return SimpleNamespace(marks=marks, here=here, run=run, rate=rate)

    def draw(self, artists: SimpleNamespace, result: Cell) -> None:
        tau, gamma = np.meshgrid(TAUS, result.diagram.rows)
        for verdict, mark in artists.marks.items():
            there = result.diagram.verdict == verdict
            mark.set_data(tau[there], gamma[there])
        artists.here.set_data([result.tau], [result.gamma])
        steps = np.arange(STEPS + 1)
        artists.run.set_data(steps, result.log_error)
        artists.rate.set_data(steps, result.log_error[0] + result.stability.growth * steps)

    def sentence(self, result: Cell) -> str:
        found, over = result.stability, bool(result.log_error[-1] == LARGEST)
        run = f"after {STEPS} updates the error is {'above ' * over}{np.exp(result.log_error[-1]):.2g}"
        return (
            f"{found.verdict.capitalize()}, {found.growth:+.4f} per update, turning by {found.frequency:.3f} radians; "
            f"{run}. Of this diagram {np.mean(result.diagram.verdict != 'stable'):.0%} grows."
        )

    def table(self, result: Cell) -> Mapping[str, Any]:
        return {"update": np.arange(STEPS + 1), "log_td_error_norm": result.log_error}


@cache
def _features() -> tuple[torch.Tensor, torch.Tensor]:
    """Features of the star's states and of those that follow."""
    star = baird_star()
    return star.x, star.candidates[:, 0]


def _update(gamma: float, tau: float, momentum: float, lr: float) -> UpdateMap:
    phi, phi_next = _features()
    kernels = FrozenKernels(phi @ phi.T, gamma * phi_next @ phi.T)
    return UpdateMap(kernels, eps=step_size(lr, len(phi)), momentum=momentum, tau=tau)


@kept
def diagrams(momentum: float, lr: float) -> Iterator[Diagram]:
    """Growth and verdict over discounts and tau, row by row from the smallest discount."""
    rows: list[Diagram] = []
    for discount in GAMMAS:
        row = stability_map(lambda gamma, tau: _update(gamma, tau, momentum, lr), [discount], TAUS, progress=False)
        rows.append(row)
        growth, verdict = (np.concatenate([getattr(row, what) for row in rows]) for what in ("growth", "verdict"))
        yield Diagram(tuple(GAMMAS[: len(rows)]), TAUS, growth, verdict)
