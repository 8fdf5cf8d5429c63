"""Pictures of one step: what the first order predicts, what really happens, and what spoils the prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, tidy

# Steps and transitions whose greedy next action stayed, and those where it changed.
UNCHANGED: dict[str, Any] = {"label": "next action unchanged", "marker": "o", "s": 12, "color": BLUE, "alpha": 0.6}
CHANGED: dict[str, Any] = {
    "label": "a next action changed",
    "marker": "^",
    "s": 22,
    "facecolor": "none",
    "edgecolor": ORANGE,
}


def first_order_error(step_size: np.ndarray, move: np.ndarray, error: np.ndarray) -> LessonFigure:
    """How far the first order is off, against the step size, both axes logarithmic.

    Args:
        step_size: `(K,)` step sizes.
        move: `(K,)` size of the real change of Q.
        error: `(K,)` size of the difference between the real and the predicted change.
    """
    figure = LessonFigure(7.0, 3.4)
    axes = figure.subplots()
    axes.loglog(step_size, move, marker="o", label="real move of $Q$", color=BLUE)
    axes.loglog(step_size, error, marker="s", label="real minus predicted", color=ORANGE, linestyle="--")
    last = np.argmin(step_size)
    axes.loglog(
        step_size,
        error[last] * (step_size / step_size[last]) ** 2,
        color="black",
        linewidth=0.9,
        linestyle=":",
        label=r"slope 2, $\propto \eta^2$",
    )
    tidy(axes, title="One update, smaller and smaller", x=r"learning rate $\eta$ of the update", y="size")
    axes.legend(fontsize=9, frameon=False)
    slope = np.polyfit(np.log(step_size), np.log(error), 1)[0]
    figure.alt = (
        f"Logarithmic axes. As the step size falls from {step_size.max():.0e} to {step_size.min():.0e}, the real move "
        f"of Q falls in proportion, from {move.max():.2g} to {move.min():.2g}; its difference from the first-order "
        f"prediction falls with slope {slope:.2f}, from {error.max():.1g} to {error.min():.1g}."
    )
    return figure


def predicted_and_measured(predicted: np.ndarray, measured: np.ndarray, changed: np.ndarray) -> LessonFigure:
    """Change of the TD error in one step, predicted against measured, one mark a transition.

    Args:
        predicted: `(N,)` entries of eps A u.
        measured: `(N,)` entries of u_new - u.
        changed: `(N,)` True where the greedy next action changed in the step.
    """
    figure = LessonFigure(5.6, 3.8)
    axes = figure.subplots()
    ends = [min(predicted.min(), measured.min()), max(predicted.max(), measured.max())]
    axes.plot(ends, ends, color="black", linewidth=0.9, label="equal")
    for rows, look in ((~changed, UNCHANGED), (changed, CHANGED)):
        axes.scatter(predicted[rows], measured[rows], **{**look, "s": 36})
    tidy(
        axes,
        title="One step, one mark a transition",
        x=r"predicted  $(\varepsilon A u)_i$",
        y=r"measured  $u_{\mathrm{new},i} - u_i$",
    )
    axes.ticklabel_format(style="sci", scilimits=(0, 0))
    axes.legend(fontsize=9, frameon=False)
    gap = np.abs(measured - predicted)
    words = [
        f"{rows.sum()} transitions whose {name} lie up to {gap[rows].max():.1g} off the diagonal"
        for rows, name in ((~changed, "next action stayed"), (changed, "next action changed"))
        if rows.any()
    ]
    figure.alt = (
        f"Measured against predicted change of the TD error for {len(predicted)} transitions, from {ends[0]:.2g} to "
        f"{ends[1]:.2g}: {'; '.join(words)}."
    )
    return figure


def residual_distribution(residual: np.ndarray) -> LessonFigure:
    """Share of steps whose relative residual is below a value, logarithmic axis, median and 90th percentile marked.

    Args:
        residual: `(S,)` relative residuals.
    """
    figure = LessonFigure(7.0, 3.2)
    axes = figure.subplots()
    axes.plot(100 * np.sort(residual), np.arange(1, len(residual) + 1) / len(residual), color=BLUE, linewidth=1.8)
    middle, high = 100 * np.quantile(residual, [0.5, 0.9])
    for value, share, name in ((middle, 0.5, "median"), (high, 0.9, "90th percentile")):
        axes.plot(value, share, "o", color=BLUE)
        axes.annotate(f"{name} {value:.1f} %", (value, share), (8, -10), textcoords="offset points", fontsize=9)
    axes.set_xscale("log")
    tidy(axes, title=f"{len(residual)} steps", x="relative residual of the prediction (%)", y="share of steps below")
    figure.alt = (
        f"Cumulative distribution of the relative residual over {len(residual)} steps, logarithmic axis: median "
        f"{middle:.1f} %, 90th percentile {high:.1f} %, largest {100 * residual.max():.0f} %."
    )
    return figure


def residual_by_size(size: np.ndarray, residual: np.ndarray, changed: np.ndarray) -> LessonFigure:
    """Relative residual of every looked-at step against its size, by whether a greedy next action changed.

    Each line joins the medians of six groups of equally many steps, from the smallest steps to the largest.

    Args:
        size: `(S,)` |eps A u| / |u|.
        residual: `(S,)` relative residual.
        changed: `(S,)` True where some greedy next action changed in the step.
    """
    figure = LessonFigure(7.6, 3.8)
    axes = figure.subplots()
    words = []
    for rows, look, dash in ((~changed, UNCHANGED, "-"), (changed, CHANGED, "--")):
        axes.scatter(100 * size[rows], 100 * residual[rows], **look)
        sixth = np.array_split(np.argsort(size[rows]), 6)
        middle = 100 * np.array([[np.median(v[rows][part]) for v in (size, residual)] for part in sixth])
        axes.plot(*middle.T, color="black", linewidth=2, linestyle=dash, label=f"{look['label']}: median by sixths")
        words.append(
            f"{look['label']}: {rows.sum()} steps, median residual {middle[0, 1]:.1f} % among the smallest sixth of "
            f"steps and {middle[-1, 1]:.1f} % among the largest"
        )
    axes.axvline(10, color=GREY, linewidth=0.9, linestyle=":")
    top = ("data", "axes fraction")
    axes.annotate("10 % ", (10, 1), ha="right", va="top", fontsize=9, color=GREY, xycoords=top)
    axes.set_xscale("log")
    axes.set_yscale("log")
    tidy(
        axes,
        title="What spoils the prediction",
        y="relative residual (%)",
        x=r"how far the TD error moves at once:  $\|\varepsilon A u\|\,/\,\|u\|$  (%)",
    )
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    figure.alt = "Relative residual against the size of the step, logarithmic axes. " + "; ".join(words) + "."
    return figure
