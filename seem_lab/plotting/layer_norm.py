"""Pictures of what LayerNorm does to the kernel, to runs, and to the values they end at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm

from seem_lab.plotting.figure import BLUE, ORANGE, LessonFigure, series, tidy
from seem_lab.plotting.kernels import RESPONSE_MAP
from seem_lab.training import History

MAP_LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 4.0, 8.0, 16.0)  # of G(y, x0) / G(x0, x0)
MAP_NORM = BoundaryNorm(MAP_LEVELS, RESPONSE_MAP.N)
LIMIT = 1e6


def kernel_maps(maps: Mapping[str, np.ndarray], axis: np.ndarray, updated: Sequence[float]) -> LessonFigure:
    """G(y, x0) / G(x0, x0) over the plane of two inputs, one map a network.

    Args:
        maps: title to `(K, K)` values, one row for each value of the second input.
        axis: `(K,)` values of either input.
        updated: the two coordinates of x0.
    """
    figure = LessonFigure(8.8, 3.9)
    panels = figure.subplots(1, len(maps), squeeze=False, sharey=True)[0]
    words = []
    for axes, (title, values) in zip(panels, maps.items(), strict=True):
        bands = axes.contourf(axis, axis, values, levels=MAP_LEVELS, cmap=RESPONSE_MAP, norm=MAP_NORM, extend="both")
        widths = [2.2 if level == 1 else 0.8 for level in MAP_LEVELS]
        lines = axes.contour(axis, axis, values, levels=MAP_LEVELS, colors="black", linewidths=widths)
        axes.clabel(lines, fontsize=9, fmt="%g")
        axes.plot(*updated, marker="*", markersize=16, color=ORANGE, markeredgecolor="black", zorder=5)
        ticks = np.linspace(axis[0], axis[-1], 5)
        axes.set(aspect="equal", xticks=ticks, yticks=ticks)
        tidy(axes, title=title, x="first input")
        axes.grid(False)
        words.append(f"{title}: from {values.min():.2f} to {values.max():.2f}, median {np.median(values):.2f}")
    panels[0].set_ylabel("second input")
    figure.colorbar(bands, ax=panels, shrink=0.9, label="$G(y, x_0)\\,/\\,G(x_0, x_0)$:  read $y$, updated $x_0$")
    figure.alt = (
        f"Maps of the plane of two inputs, from {axis[0]:g} to {axis[-1]:g}; the star is the updated point "
        f"({updated[0]:g}, {updated[1]:g}). Dark means that Q moves far; the heavy contour, 1, is where it moves as "
        "far as at the star. " + "; ".join(words) + "."
    )
    return figure


def parts_along_ray(
    distance: np.ndarray, parts: Mapping[str, Mapping[str, np.ndarray]], limits: Mapping[str, float]
) -> LessonFigure:
    """What each layer adds to G(y, y), as y moves away from x0; logarithmic axes.

    Args:
        distance: `(D,)` distance of y from x0.
        parts: title of a network to its curves, name of a layer to `(D,)`.
        limits: title of a network to the number its sum stays below, where there is one.
    """
    figure = LessonFigure(8.8, 3.7)
    panels = figure.subplots(1, len(parts), squeeze=False, sharey=True)[0]
    words = []
    for axes, (title, curves) in zip(panels, parts.items(), strict=True):
        for (label, values), style in zip(curves.items(), series(), strict=False):
            axes.plot(distance, values, label=label, **style)
            words.append(f"{title}, {label}: {values[0]:.2g} at the start, {values[-1]:.2g} at the end")
        if title in limits:
            axes.axhline(limits[title], color="black", linewidth=1)
            axes.annotate(
                "limit of the sum", (distance[0], limits[title]), (2, 4), fontsize=9, textcoords="offset points"
            )
            words.append(f"{title}: limit {limits[title]:.3g}")
        axes.set(xscale="log", yscale="log")
        tidy(axes, title=title, x="distance of $y$ from $x_0$")
        axes.legend(fontsize=9, frameon=False, loc="upper left" if title not in limits else "center right")
    panels[0].set_ylabel(r"part of $G(y, y) = |\phi(y)|^2$")
    figure.alt = (
        f"What each layer adds to G(y, y) on a ray, distance {distance[0]:g} to {distance[-1]:g}, logarithmic axes. "
        + "; ".join(words)
        + "."
    )
    return figure


def width_convergence(widths: np.ndarray, errors: Mapping[str, np.ndarray]) -> LessonFigure:
    """Relative distance of measured kernels from the formula, against the width: the median over seeds.

    Args:
        widths: `(W,)` numbers of hidden units.
        errors: kind of network to `(W, S)`.
    """
    figure = LessonFigure(7.6, 3.6)
    axes = figure.subplots()
    words = []
    for (label, values), style, marker in zip(errors.items(), series(), "osD^v", strict=False):
        middle = np.median(values, axis=1)
        axes.plot(widths, middle, marker=marker, label=label, **style)
        slope = np.polyfit(np.log(widths), np.log(middle), 1)[0]
        words.append(
            f"{label}: median {middle[0]:.2g} at width {widths[0]}, {middle[-1]:.2g} at {widths[-1]}, slope {slope:.2f}"
        )
    guide = 2.0 * widths**-0.5
    axes.plot(widths, guide, color="black", linewidth=0.8, label="slope $-1/2$")
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["2 %", "5 %", "10 %", "20 %", "50 %"])
    axes.minorticks_off()
    tidy(axes, title="median of the seeds", x="hidden units", y="relative error of the formula")
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = "Relative error of the infinite-width formula against the width. " + "; ".join(words) + "."
    return figure


def side_by_side(runs: Mapping[str, Sequence[History]]) -> LessonFigure:
    """The same seeds with different networks: largest |Q| over the steps, a cross where a run blew up.

    Args:
        runs: title to its runs.
    """
    figure = LessonFigure(8.8, 3.4)
    panels = figure.subplots(1, len(runs), squeeze=False, sharex=True, sharey=True)[0]
    words = []
    for axes, (title, group) in zip(panels, runs.items(), strict=True):
        for run in group:
            q = np.clip(run.q_max, 1e-3, run.q_limit)
            axes.plot(run.step, q, color=ORANGE if run.diverged else BLUE, linewidth=0.9)
            if run.diverged:
                axes.plot(run.step[-1], q[-1], "x", color=ORANGE, markersize=7, markeredgewidth=1.8)
        axes.set_yscale("log")
        axes.set_ylim(1e-2, 3 * LIMIT)
        tidy(axes, title=title, x="training step")
        lost = sum(run.diverged for run in group)
        top = max((run.q_max.max() for run in group if not run.diverged), default=np.nan)
        words.append(
            f"{title}: {lost} of {len(group)} blow up"
            + ("" if lost == len(group) else f", the others stay below {top:.3g}")
        )
    panels[0].set_ylabel("largest $|Q|$")
    figure.alt = "Largest absolute value over training steps, a logarithmic axis. " + "; ".join(words) + "."
    return figure


def seem_through_training(step: np.ndarray, seem: Mapping[str, np.ndarray]) -> LessonFigure:
    """SEEM of the same seeds at a few steps, with and without LayerNorm: median and all seeds.

    Args:
        step: `(T,)`.
        seem: label to `(S, T)`, nan once a run is over.
    """
    figure = LessonFigure(7.6, 3.6)
    axes = figure.subplots()
    place = np.arange(len(step))
    words = []
    for number, ((label, values), marker) in enumerate(zip(seem.items(), "o^", strict=False)):
        color = (ORANGE, BLUE)[number]
        shift = place + 0.16 * (number - 0.5) * 2
        axes.plot(np.broadcast_to(shift, values.shape), values, marker, color=color, alpha=0.35, markersize=4)
        there = [column[np.isfinite(column)] for column in values.T]
        middle = np.array([np.median(column) if len(column) else np.nan for column in there])
        axes.plot(shift, middle, marker, color=color, markersize=10, markeredgecolor="black", label=label)
        said = ", ".join(
            f"{m:.2g} at {s} ({len(c)} runs)" for m, s, c in zip(middle, step, there, strict=True) if len(c)
        )
        words.append(f"{label}: median {said}")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_yscale("symlog", linthresh=1e-3)
    everything = np.concatenate([values[np.isfinite(values)] for values in seem.values()])
    axes.set_ylim(min(3 * everything.min(), -1e-3), 3 * everything.max())
    axes.set_xticks(place, [str(s) for s in step])
    tidy(axes, title="small: one run;  large: median", y="SEEM")
    axes.set_xlabel("training step")
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = "SEEM at a few steps, logarithmic away from zero. " + "; ".join(words) + "."
    return figure


def ends_of_runs(groups: Mapping[str, np.ndarray], steps: int, blocks: Sequence[int] = ()) -> LessonFigure:
    """Where each run ended: a dot for each run that blew up, their median as a bar, and the number that lasted.

    Args:
        groups: label to `(S,)` step of the crash, nan for a run that lasted.
        steps: length of a run that lasted; the axis ends there.
        blocks: how many groups stand together, from the top; a line is drawn between one block and the next.
    """
    figure = LessonFigure(8.2, 1.2 + 0.45 * len(groups))
    axes = figure.subplots()
    words = []
    for row, (label, crash) in enumerate(groups.items()):
        lost = np.sort(crash[np.isfinite(crash)])
        apart = row + 0.13 * (np.arange(len(lost)) % 5 - 2)  # neighbours in time stand at five heights
        axes.plot(lost, apart, "o", color=ORANGE, markersize=5, markeredgecolor="black", markeredgewidth=0.4)
        if len(lost):
            axes.plot([np.median(lost)], [row], "|", color="black", markersize=22, markeredgewidth=2)
        kept = len(crash) - len(lost)
        axes.annotate(
            f"{kept} of {len(crash)} last",
            (1, row),
            (9, -3),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            fontsize=9,
            color=BLUE if kept else "black",
        )
        when = f", between step {lost.min():.0f} and {lost.max():.0f}" if len(lost) else ""
        words.append(f"{label}: {len(lost)} of {len(crash)} blow up{when}")
    for row in np.cumsum(blocks)[:-1]:
        axes.axhline(row - 0.5, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(right=steps)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.5, -0.5)
    tidy(axes, title="dot: one run blows up here;  bar: their median", x="training step (logarithmic)")
    figure.alt = "Step at which each run blew up. " + "; ".join(words) + "."
    return figure


def value_errors(marks: Sequence[int], errors: Mapping[str, Mapping[str, np.ndarray]]) -> LessonFigure:
    """Error against the true values at a few steps of training: all seeds, and their median.

    Args:
        marks: `(T,)` steps.
        errors: title to label to `(S, T)` relative errors.
    """
    figure = LessonFigure(8.6, 3.4)
    panels = figure.subplots(1, len(errors), squeeze=False, sharey=True)[0]
    place, words = np.arange(len(marks)), []
    for axes, (title, curves) in zip(panels, errors.items(), strict=True):
        for number, ((label, values), marker) in enumerate(zip(curves.items(), "o^", strict=False)):
            _strip(axes, place + 0.2 * (number - 0.5), values, label, (ORANGE, BLUE)[number], marker)
            said = ", ".join(
                f"{np.median(v):.2f} [{v.min():.2f}, {v.max():.2f}] at {m}"
                for v, m in zip(values.T, marks, strict=True)
            )
            words.append(f"{title}, {label}: median [range] {said}")
        axes.set_xticks(place, [f"{mark:,}" for mark in marks])
        axes.set_xlim(-0.5, len(marks) - 0.5)
        tidy(axes, title=title)
        axes.grid(visible=False, axis="x")  # the steps are categories, two columns each
        axes.set_xlabel("training step")
    panels[0].set_ylim(0, 1.05 * max(values.max() for curves in errors.values() for values in curves.values()))
    panels[0].set_ylabel("error / spread of true values")
    panels[-1].legend(fontsize=9, frameon=False)
    figure.alt = "Root mean square error over the spread of the true values. " + "; ".join(words) + "."
    return figure


def _strip(axes: Axes, place: np.ndarray, values: np.ndarray, label: str, color: str, marker: Any) -> None:
    """All values of each column, small, and their median, large."""
    axes.plot(np.broadcast_to(place, values.shape), values, marker, color=color, alpha=0.35, markersize=4)
    axes.plot(
        place, np.median(values, axis=0), marker, color=color, markersize=10, markeredgecolor="black", label=label
    )
