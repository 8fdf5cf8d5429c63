"""Pictures of self-excitation: a value and its target, before and after a step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from torch import Tensor

from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.training import History


def value_chases_target(steps: Mapping[str, tuple[tuple[float, float], tuple[float, float]]]) -> LessonFigure:
    """A value and its target before and after one training step, one picture for each case.

    Args:
        steps: case label to `((value, target) before, (value, target) after)`.
    """
    figure = LessonFigure(8.0, 3.2)
    words = []
    for axes, (label, (before, after)) in zip(
        figure.subplots(1, len(steps), sharey=True, squeeze=False)[0], steps.items(), strict=True
    ):
        for column, (name, marker, color) in enumerate((("value", "o", BLUE), ("target", "D", ORANGE))):
            low, high = before[column], after[column]
            axes.plot(
                [0, 1], [low, high], color=color, marker=marker, linestyle="-" if column == 0 else "--", label=name
            )
            axes.annotate(f"{high:.2f}", (1, high), (8, -4), textcoords="offset points", color=color)
            axes.annotate(f"{low:.2f}", (0, low), (-8, -4), textcoords="offset points", color=color, ha="right")
        gaps = [abs(value - target) for value, target in (before, after)]
        for position, gap, (value, target) in zip((0, 1), gaps, (before, after), strict=True):
            axes.plot([position] * 2, [value, target], color=GREY, linewidth=5, alpha=0.3, solid_capstyle="butt")
            axes.text(
                position,
                (value + target) / 2,
                f" gap {gap:.2f} ",
                ha="left" if position == 0 else "right",
                va="center",
                fontsize=9,
            )
        axes.set_xlim(-0.35, 1.35)
        axes.set_xticks([0, 1], ["before", "after one step"])
        tidy(axes, title=label)
        grows = "widens" if gaps[1] > gaps[0] else "narrows"
        words.append(
            f"{label}: the value moves from {before[0]:.2f} to {after[0]:.2f}, its target from {before[1]:.2f} to "
            f"{after[1]:.2f}, the gap {grows} from {gaps[0]:.2f} to {gaps[1]:.2f}"
        )
    figure.axes[0].legend(frameon=False, fontsize=9, loc="upper left")
    figure.alt = "A value and its target before and after one step. " + "; ".join(words) + "."
    return figure


def moves(groups: Mapping[str, tuple[Float[Tensor, " n"], Float[Tensor, " n"]]]) -> LessonFigure:
    """By how many per cent each target rose more than its value, against how far the value rose.

    Args:
        groups: label to `(rise of each value, rise of each target)`, `(N,)` each, the values' rises positive.
    """
    figure = LessonFigure(8.0, 3.6)
    words = []
    for axes, (label, (value, target)), marker, color in zip(
        figure.subplots(1, len(groups), squeeze=False)[0], groups.items(), "os", (BLUE, ORANGE), strict=False
    ):
        extra = 100 * (target - value) / value
        reach = 1.2 * extra.abs().max().item()
        axes.axhspan(0, reach, color=GREY, alpha=0.15, linewidth=0)
        axes.axhline(0, color="black", linewidth=1)
        axes.scatter(value, extra, s=22, marker=marker, facecolor="none", edgecolor=color)
        axes.text(0.03, 0.93, "target rises more", transform=axes.transAxes, fontsize=9)
        axes.text(0.03, 0.04, "value rises more", transform=axes.transAxes, fontsize=9)
        axes.set_xlim(left=0)
        axes.set_ylim(-reach, reach)
        tidy(axes, title=label, x="the value rises by", y="its target rises more by (%)")
        share = (target > value).double().mean().item()
        words.append(
            f"{label}: values rise by {value.min():.2g} to {value.max():.2g}; the target rises more in {share:.0%} "
            f"of the transitions, from {extra.min():.0f} to {extra.max():+.0f} per cent"
        )
    figure.alt = "By how much more each target rises than its value, one mark a transition. " + "; ".join(words) + "."
    return figure


def error_through_training(runs: Mapping[str, History]) -> LessonFigure:
    """||u|| over training, and by what factor each step multiplies it.

    Args:
        runs: label to a run with every step recorded.
    """
    figure = LessonFigure(8.0, 3.6)
    left, right = figure.subplots(1, 2)
    words = []
    for (label, run), style in zip(runs.items(), series(), strict=False):
        keep = run.td_error_norm < 1e4
        error = run.td_error_norm[keep]
        left.plot(run.step[keep], error, label=label, **style)
        factor = error[1:] / error[:-1]
        right.plot(run.step[keep][1:], factor, label=label, **style)
        above = 100 * np.mean(factor > 1)
        words.append(
            f"{label}: from {error[0]:.2g} to {error[-1]:.2g}, lowest {error.min():.2g} at step {error.argmin()}; "
            f"it grows in {above:.0f} per cent of the steps, and the last factor is {factor[-1]:.2f}"
        )
    left.set_yscale("log")
    right.axhline(1, color="black", linewidth=0.8)
    right.set_ylim(0.9, 1.5)
    right.text(0.98, 0.95, "then off the scale", transform=right.transAxes, fontsize=9, ha="right", va="top")
    tidy(left, title="size of the error", x="training step", y=r"$\|u\|$")
    tidy(right, title="factor of one step (above 1: it grows)", x="training step", y=r"$\|u_{t+1}\| / \|u_t\|$")
    left.legend(frameon=False, fontsize=9)
    figure.alt = (
        "Left: size of the TD error over training. Right: its growth factor per step. " + "; ".join(words) + "."
    )
    return figure


def signed_errors(errors: Mapping[str, Float[Tensor, " t"]]) -> LessonFigure:
    """The TD error itself, with its sign, over the steps of a loop.

    Args:
        errors: label to the error at steps 0, 1, 2, ...
    """
    figure = LessonFigure(8.0, 3.0)
    words = []
    for axes, (label, error), marker, color in zip(
        figure.subplots(1, len(errors), squeeze=False)[0], errors.items(), "os", (BLUE, ORANGE), strict=False
    ):
        axes.axhline(0, color="black", linewidth=0.8)
        axes.plot(error, color=color, marker=marker, markersize=4, linewidth=1)
        tidy(axes, title=label, x="step", y="TD error $u$")
        flips = int((error[1:] * error[:-1] < 0).sum())
        words.append(
            f"{label}: from {error[0]:.2f} to {error[-1]:.2f} in {len(error) - 1} steps, "
            f"changing its sign {flips} times"
        )
    figure.alt = "TD error of the loop over steps. " + "; ".join(words) + "."
    return figure
