"""Explorer of lesson 01: where does an update go, and does the value catch its target?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import Figure

from seem_lab.kernels import ntk
from seem_lab.networks import mlp, q_values
from seem_lab.panels.controls import choice, slider, whole_slider
from seem_lab.panels.followed import follow, kept
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.problems import toy_walk
from seem_lab.training import step_size

LOOP, WALK = "two states", "the toy walk"
LOOP_STEPS, WALK_STEPS, EVERY = 30, 100, 2
FLOOR = 1e-4  # smaller errors are drawn here


@dataclass(frozen=True)
class Loop:
    """What an update moves, and what becomes of value and target.

    Args:
        value_rise: `(N,)` by how much each value rises when one value is raised by 1.
        target_rise: `(N,)` the same of the targets.
        raised: which one; the curves are those of this transition.
        step: of the curves.
        value: at each.
        target: at each.
        error_step: of the error, every one.
        error: length of the TD error at each.
        verdict: what is to be seen.
    """

    value_rise: np.ndarray
    target_rise: np.ndarray
    raised: int
    step: np.ndarray
    value: np.ndarray
    target: np.ndarray
    error_step: np.ndarray
    error: np.ndarray
    verdict: str


class SelfExcitation(Panel):
    """Raise one value: how far does its target move? Two states with one parameter, or the 63 transitions of the walk.

    In the two states the value is w and its target gamma c w. `c` belongs to them, `transition` to the walk.

    Example:
        >>> SelfExcitation(c=1.0).text
        'A = -0.01: each step multiplies the error by 0.998. It dies out.'
    """

    title = "Does the value catch its target?"
    lesson = "01"
    hint = (
        "Lower c until the star leaves the grey: there the value catches its target. Then choose the walk, and raise "
        "one transition after the other: which of them decide? (No single one: all of them together do.)"
    )
    size = (1000, 380)
    presets = {
        "runs away": {"c": 2.0, "gamma": 0.99},
        "catches up": {"c": 0.8, "gamma": 0.9},
        "on the edge": {"c": 1.25, "gamma": 0.8},
        "step too long": {"c": 0.5, "gamma": 0.9, "lr": 1.9},
        "the walk": {"where": WALK},
        "the walk, smaller discount": {"where": WALK, "gamma": 0.9},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "where": choice("where", (LOOP, WALK)),
            "c": slider("feature of the neighbour c (two states)", 2.0, -1.0, 3.0, 0.05),
            "transition": whole_slider("transition raised (walk)", 20, 0, 62),
            "gamma": slider("discount γ", 0.99, 0.0, 1.0, 0.01),
            "lr": slider("learning rate η", 0.1, 0.05, 2.0, 0.05),
        }

    def compute(self, where: str, c: float, transition: int, gamma: float, lr: float) -> Iterator[Loop]:
        if where == LOOP:
            yield two_states(c, gamma, lr)
            return
        value_rise, target_rise = (rises[:, transition] for rises in first_rises(round(gamma, 6)))
        more = int((target_rise > value_rise).sum())
        says = (
            f"Raise the value of transition {transition} by 1, and its target rises by {target_rise[transition]:.2f}; "
            f"at {more} of {len(value_rise)} transitions the target rises more than the value."
        )
        for step, error, values, targets in walk_run(gamma, lr):
            ends = f"After {step[-1]} steps of training the error is {error[-1]:.2g}."
            if not error[-1] < 1e5:
                ends = f"Training blows up at step {step[-1]}."
            yield Loop(
                value_rise, target_rise, transition, EVERY * np.arange(len(values)), values[:, transition],
                targets[:, transition], step, error, f"{says} {ends}",
            )  # fmt: skip

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        rises, curves, errors = figure.subplots(1, 3, width_ratios=(1, 1, 1))
        tidy(rises, title="where the update goes", x="rise of the value", y="target rises more by")
        rises.set(xlim=(-1, 3), ylim=(-2.2, 2.2))
        rises.axhspan(0, 2.2, color="#E4E4E4", zorder=0)
        rises.text(2.9, 2.1, "the target runs away", ha="right", va="top", fontsize=9)
        others, raised = animate(
            rises.plot([], [], "o", color=BLUE, markersize=5, fillstyle="none")[0],
            rises.plot([], [], "*", color=ORANGE, markersize=15, markeredgecolor="black")[0],
        )
        tidy(curves, title="value and target (star)", x="training step", y="Q")
        tidy(errors, title="length of the TD error", x="training step", y="$|u|$ (log scale)")
        for axes in (curves, errors):
            axes.set_xlim(0, LOOP_STEPS)
            animate(axes.xaxis)
        curves.set_ylim(-4, 8)
        curves.axhline(0, color=GREY, linewidth=0.8)
        errors.set_yscale("log")
        errors.set_ylim(0.7 * FLOOR, 1e7)
        value, target, error = animate(
            curves.plot([], [], "o-", color=BLUE, markersize=4, label="value")[0],
            curves.plot([], [], "D--", color=ORANGE, markersize=3, label="target")[0],
            errors.plot([], [], "-", color=BLUE, linewidth=2)[0],
        )
        curves.legend(frameon=False, loc="lower left")
        return SimpleNamespace(
            others=others, raised=raised, value=value, target=target, error=error, over_time=(curves, errors)
        )

    def draw(self, artists: SimpleNamespace, result: Loop) -> None:
        more = np.clip(result.target_rise - result.value_rise, -2.15, 2.15)
        rise = np.clip(result.value_rise, -0.95, 2.95)
        artists.others.set_data(rise, more)
        artists.raised.set_data(rise[[result.raised]], more[[result.raised]])
        end = LOOP_STEPS if len(rise) == 1 else WALK_STEPS
        for axes in artists.over_time:
            if axes.get_xlim()[1] != end:
                axes.set_xlim(0, end)
        artists.value.set_data(result.step, np.clip(result.value, -100, 100))
        artists.target.set_data(result.step, np.clip(result.target, -100, 100))
        artists.error.set_data(result.error_step, np.clip(result.error, FLOOR, 1e9))

    def sentence(self, result: Loop) -> str:
        return result.verdict

    def table(self, result: Loop) -> Mapping[str, Any]:
        return {
            "value_rise": result.value_rise, "target_rise": result.target_rise, "step": result.step,
            "value": result.value, "target": result.target, "error_step": result.error_step, "error": result.error,
        }  # fmt: skip


def two_states(c: float, gamma: float, lr: float) -> Loop:
    """One parameter w, value w, target gamma c w."""
    a = gamma * c - 1
    factor = 1 + step_size(lr, n=1) * a
    step = np.arange(LOOP_STEPS + 1)
    value = factor**step
    says = f"A = {a:.2f}: each step multiplies the error by {factor:.3f}. "
    if abs(a) < 1e-9:
        says += "But the error is 0 from the start: Q stays at 1, although the true value is 0."
    elif abs(abs(factor) - 1) < 1e-9:
        says += "It stays as large as it is."
    elif abs(factor) < 1:
        says += "It dies out."
    elif a > 0:
        says += "It grows: the target runs away from the value (self-excitation)."
    else:
        says += "It grows, but not by self-excitation: the step jumps over the target, farther each time."
    return Loop(
        np.ones(1), np.array([gamma * c]), 0, step, value, gamma * c * value, step, np.abs(a * value), says
    )  # fmt: skip


def first_rises(gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """`(N, N)` rise of value i and of target i per rise of value j, before training: G / G(x_j, x_j)."""
    walk, network = toy_walk(gamma=gamma), mlp(4, seed=1000)
    x, x_next, discount = walk.bootstrap(network)
    own = ntk(network, x)
    here = own.diagonal()
    return (own / here).numpy(), (discount[:, None] * ntk(network, x_next, x) / here).numpy()


@kept
def walk_run(gamma: float, lr: float) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Steps and error so far, and `(T, N)` values and targets at every second of them."""
    values: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    for run in follow(0, gamma, lr, WALK_STEPS, EVERY):
        with torch.no_grad():
            for network in run.networks[len(values) :]:
                x, x_next, discount = run.walk.bootstrap(network)
                values.append(q_values(network, x).numpy())
                targets.append((run.walk.reward + discount * q_values(network, x_next)).numpy())
        yield run.history.step, run.history.td_error_norm, np.array(values), np.array(targets)
