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
    """How far each target moved against how far its value moved, with the line where both move alike.

    Args:
        groups: label to `(move of each value, move of each target)`, `(N,)` each.
    """
    figure = LessonFigure(8.0, 3.8)
    words = []
    for axes, (label, (value, target)), marker, color in zip(
        figure.subplots(1, len(groups), squeeze=False)[0], groups.items(), "os", (BLUE, ORANGE), strict=False
    ):
        low = min(0.0, value.min().item(), target.min().item())
        high = 1.08 * max(value.max().item(), target.max().item())
        axes.fill_between([low, high], [low, high], high, color=GREY, alpha=0.15, linewidth=0)
        axes.plot([low, high], [low, high], color="black", linewidth=1)
        axes.scatter(value, target, s=22, marker=marker, facecolor="none", edgecolor=color)
        axes.text(0.04, 0.93, "target moves more", transform=axes.transAxes, fontsize=9)
        axes.text(0.96, 0.04, "value moves more", transform=axes.transAxes, fontsize=9, ha="right")
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        tidy(axes, title=label, x="the value rises by", y="its target rises by")
        share = (target > value).double().mean().item()
        words.append(f"{label}: the target rises more than the value in {share:.0%} of the transitions")
    figure.alt = "Rise of each target against the rise of its value, with the diagonal. " + "; ".join(words) + "."
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
            f"{label}: the error grows in {above:.0f} percent of the steps, and the last factor is {factor[-1]:.2f}"
        )
    left.set_yscale("log")
    right.axhline(1, color="black", linewidth=0.8)
    right.set_ylim(0.9, 1.5)
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
