"""The pictures of lesson 05, second half: how good the forecasts of a crash are, and what spoils them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from seem_lab.forecast import Forecast
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.training import History

Errors = Mapping[str, Mapping[str, ArrayLike]]  # group -> method -> signed relative errors of the steps left


def forecast_errors(groups: Errors) -> LessonFigure:
    """Share of runs whose forecast is off by at most so much of the steps left; one axes a group, one line a method.

    Args:
        groups: group -> method -> `(runs,)` relative errors.
    """
    figure = LessonFigure(8.0, 2.7 * -(-len(groups) // 2) + 0.4)
    told = []
    for axes, (group, methods) in zip(_grid(figure, len(groups)), groups.items(), strict=True):
        tidy(axes, title=f"{group}: {len(np.asarray(next(iter(methods.values()))))} runs")
        words = []
        for (method, errors), style in zip(methods.items(), series(), strict=False):
            size = np.sort(np.abs(np.asarray(errors, float)))
            share = 100 * np.arange(len(size) + 1) / len(size)
            edge = np.minimum(100 * np.append(size, size[-1]), 200)
            axes.step(np.append(0, edge), np.append(share, 100), where="post", **style, label=method)
            words.append(f"{method} median {np.median(size):.0%}, nine in ten within {np.quantile(size, 0.9):.0%}")
        axes.axhline(50, color="black", linewidth=0.7)
        axes.set(xlim=(-2, 80), ylim=(0, 102))
        told.append(f"{group}: " + ", ".join(words))
    figure.supxlabel("error of the forecast, in % of the steps left", fontsize=10)
    figure.supylabel("% of the runs", fontsize=10)
    _legend_above(figure)
    figure.alt = (
        "Share of the runs whose forecast is off by at most so many per cent of the steps left. "
        + ". ".join(told)
        + "."
    )
    return figure


def forecast_intervals(groups: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> LessonFigure:
    """The interval of every forecast around the step of the crash (zero), narrow ones first; misses have crosses.

    Args:
        groups: group -> (low, high), `(runs,)` each: ends of the interval minus the step of the crash.
    """
    figure = LessonFigure(8.0, 2.4 * -(-len(groups) // 2) + 0.4)
    told = []
    for axes, (group, (low, high)) in zip(_grid(figure, len(groups)), groups.items(), strict=True):
        low, high = np.asarray(low, float), np.asarray(high, float)
        order = np.lexsort((low, high - low))
        low, high = low[order], high[order]
        holds = (low <= 0) & (high >= 0)
        run = np.arange(len(low))
        bound = max(6.0, 1.2 * np.quantile(np.abs(np.concatenate([low, high])), 0.95))
        width = np.median(high - low)
        low, high = np.clip(low, -bound, bound), np.clip(high, -bound, bound)
        nearest = np.clip(np.where(low > 0, low, high), -0.93 * bound, 0.93 * bound)  # inside the picture
        axes.plot(run[~holds], nearest[~holds], "x", color=ORANGE, markersize=7, mew=2, zorder=3)
        for rows, color in ((holds, BLUE), (~holds, ORANGE)):
            axes.vlines(run[rows], low[rows], high[rows], color=color, linewidth=1.4)
            single, beyond = rows & (low == high), rows & (high == bound)
            axes.plot(run[single], low[single], "_", color=color, markersize=3, markeredgewidth=2)
            axes.plot(run[beyond], high[beyond] * 0.97, "^", color=color, markersize=5)
            beyond = rows & (low == -bound)
            axes.plot(run[beyond], low[beyond] * 0.97, "v", color=color, markersize=5)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(ylim=(-bound, bound), xticks=[])
        axes.locator_params(axis="y", integer=True)
        tidy(axes, title=f"{group}: {holds.sum()} of {len(holds)} hold it", y="steps from the crash")
        axes.grid(axis="x", visible=False)
        told.append(f"{group}: {holds.sum()} of {len(holds)} intervals hold it, median width {width:.0f}")
    figure.supxlabel(
        "the runs, narrow intervals first (dash: a single step; cross: a miss; triangle: it goes on)", fontsize=10
    )
    figure.alt = "Intervals of the forecasts around the step of the crash. " + "; ".join(told) + "."
    return figure


def errors_by_start(groups: Mapping[str, Mapping[str, Mapping[int, ArrayLike]]]) -> LessonFigure:
    """Relative error of each method by how early the forecast is made: median, bars from the 10 % to the 90 % point.

    Args:
        groups: group -> method -> multiple of the error's minimum -> `(runs,)` relative errors.
    """
    figure = LessonFigure(8.0, 2.7 * -(-len(groups) // 2) + 0.4)
    told = []
    for axes, (group, methods) in zip(_grid(figure, len(groups)), groups.items(), strict=True):
        words = []
        for shift, ((method, by_multiple), style, marker) in enumerate(
            zip(methods.items(), series(), ("s", "^", "o", "D"), strict=False)
        ):
            size = [100 * np.abs(np.asarray(errors, float)) for errors in by_multiple.values()]
            low, middle, high = (np.array([np.quantile(values, q) for values in size]) for q in (0.1, 0.5, 0.9))
            place = np.arange(len(size)) + 0.16 * (shift - (len(methods) - 1) / 2)
            axes.errorbar(
                place, middle, (middle - low, high - middle), color=style["color"], marker=marker, markersize=6,
                linestyle=style["linestyle"], linewidth=1.2, elinewidth=1.6, capsize=3, label=method,
            )  # fmt: skip
            words.append(f"{method} " + ", ".join(f"{value:.0f} %" for value in middle))
        axes.set_xticks(range(len(by_multiple)), [f"{multiple}x" for multiple in by_multiple])
        axes.set_ylim(-4, 105)
        tidy(axes, title=group)
        told.append(f"{group}: medians at {', '.join(f'{m} times' for m in by_multiple)}: " + "; ".join(words))
    figure.supxlabel(
        "when the forecast is made: TD error, in multiples of its minimum (mark: median; bar: 10 to 90 % of the runs)",
        fontsize=10,
    )
    figure.supylabel("error of the forecast, % of the steps left", fontsize=10)
    _legend_above(figure)
    figure.alt = "Error of the forecasts by how early they are made. " + ". ".join(told) + "."
    return figure


def errors_and_switches(switches: ArrayLike, error: ArrayLike) -> LessonFigure:
    """Error of a forecast against the number of greedy next actions that still changed after it, one mark a run.

    Args:
        switches: `(runs,)` changes between the forecast and the crash.
        error: `(runs,)` signed relative error of the steps left.
    """
    switches, error = np.asarray(switches), 100 * np.asarray(error, float)
    figure = LessonFigure(7.0, 3.2)
    axes = tidy(
        figure.subplots(),
        x="greedy next actions that change after the forecast (linear up to 10, logarithmic above)",
        y="error, % of the steps left",
    )
    aside = np.random.default_rng(0).uniform(-0.7, 0.7, len(switches))  # so that equal runs do not hide each other

    for label, rows, color, marker in (("none", switches == 0, BLUE, "o"), ("some", switches > 0, ORANGE, "^")):
        axes.plot(
            np.where(switches == 0, aside, switches)[rows], error[rows], marker, color=color, fillstyle="none",
            label=f"{label}: {rows.sum()} runs",
        )  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=10)
    axes.set_xticks([0, 10, 30, 100, 300], ["0", "10", "30", "100", "300"])
    axes.set_xlim(-2, max(400, 1.2 * switches.max()))
    axes.minorticks_off()
    axes.legend(frameon=False)
    still, moving = np.abs(error[switches == 0]), np.abs(error[switches > 0])
    figure.alt = (
        f"Error of the discrete map's forecast against later changes of greedy actions. {len(still)} runs without a "
        f"change: at most {still.max():.0f} % of the steps left. {len(moving)} runs with changes: median "
        f"{np.median(moving):.0f} %, at most {moving.max():.0f} %."
    )
    return figure


def false_alarm(run: History, forecasts: Sequence[Forecast]) -> LessonFigure:
    """A run that turned back: its error, its leading eigenvalue, and the crash steps that were forecast on the way.

    Args:
        run: a run that did not diverge, with SEEM at some of its records.
        forecasts: made along it.
    """
    figure = LessonFigure(9.4, 3.5)
    left, middle, right = figure.subplots(1, 3)
    multiple = run.td_error_norm / np.minimum.accumulate(run.td_error_norm)
    tidy(left, title="error / its minimum so far", x="training step", y="multiple (log scale)")
    left.semilogy(run.step, multiple, color=BLUE, linewidth=2)
    left.set_yticks([1, 2, 3, 5, 10], ["1", "2", "3", "5", "10"])
    left.minorticks_off()
    peak = int(np.argmax(multiple))
    made = [
        (f.step, f.crash_step, f.low, f.high)
        for f in forecasts
        if f.crash_step is not None and f.low is not None and f.high is not None and f.step <= run.step[peak]
    ]
    when, crash, low, high = np.array(made).T
    there = np.isfinite(run.seem) & (run.step >= when.min())
    tidy(middle, title="leading eigenvalue", x="training step")
    for values, name, style in zip((run.seem, run.frequency), ("SEEM", "imaginary part"), series(), strict=False):
        middle.plot(run.step[there], values[there], marker="o", markersize=3, label=name, **style)
    middle.legend(frameon=False, fontsize=9, loc="upper right", bbox_to_anchor=(1.05, 0.75))
    tidy(right, title="crash step forecast on the way", x="training step of the forecast", y="forecast crash step")
    top = run.step[-1] + 50
    right.vlines(when, low, np.minimum(high, top), color=GREY, linewidth=2.5, label="interval")
    inside = crash <= top
    right.plot(when[inside], crash[inside], "o", color=ORANGE, markersize=5, label="forecast")
    right.plot(when[~inside], np.full(np.sum(~inside), top - 15), "^", color=ORANGE, markersize=8)
    right.plot(when, when, "-", color="black", linewidth=1, label="now")
    right.set_ylim(when.min() - 50, top)
    right.legend(frameon=False, fontsize=9, loc="lower right")
    surest, last = int(np.argmin(high - low)), np.flatnonzero(there & (run.step <= run.step[peak]))[-1]
    highest = int(np.nanargmax(np.where(there, run.seem, np.nan)))
    figure.alt = (
        f"Left: the error rises to {multiple[peak]:.1f} times its minimum at step {run.step[peak]}, and falls back. "
        f"Middle: SEEM is highest, {run.seem[highest]:.0f}, at step {run.step[highest]}, with imaginary part "
        f"{run.frequency[highest]:.0f}; at step {run.step[last]} it is {run.seem[last]:.2g}. "
        f"Right: {len(made)} forecasts made on the way up. At step {when[surest]} the interval of the crash was "
        f"{low[surest]} to {high[surest]}, the narrowest. The run never crashed: it was alive at step {run.step[-1]}. "
        "A triangle marks a forecast beyond the picture."
    )
    return figure


def _grid(figure: LessonFigure, count: int) -> np.ndarray:
    """So many axes, two in a row."""
    axes = figure.subplots(-(-count // 2), min(count, 2), squeeze=False).ravel()
    for spare in axes[count:]:
        spare.remove()
    return axes[:count]


def _legend_above(figure: LessonFigure) -> None:
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
