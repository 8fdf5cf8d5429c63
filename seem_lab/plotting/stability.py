"""Pictures of lesson 09: multipliers in the plane, phase diagrams, predicted and measured growth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seem_lab.plotting.figure import BLUE, GREEN, GREY, ORANGE, LessonFigure, tidy
from seem_lab.training import History


def errors_by_setting(runs: Mapping[str, History]) -> LessonFigure:
    """||u|| through training on a logarithmic axis, one line a run, a cross where it blew up."""
    figure = LessonFigure(8.0, 3.8)
    axes = figure.subplots()
    words = []
    shades = [str(0.55 * i / max(len(runs) - 1, 1)) for i in range(len(runs))]
    for (label, run), shade, dash in zip(runs.items(), shades, ["-", "--", "-.", ":", (0, (5, 1, 1, 1))], strict=False):
        axes.plot(run.step, run.td_error_norm, color=shade, linestyle=dash, linewidth=1.4, label=label)
        if run.diverged:
            axes.plot(run.step[-1], run.td_error_norm[-1], "x", color=shade, markersize=8, markeredgewidth=2)
        words.append(f"{label}: {'blows up' if run.diverged else 'ends'} at step {run.step[-1]}")
        start, end = run.td_error_norm[[0, -1]]
        words[-1] += f", error {start:.2g} at first, at most {run.td_error_norm.max():.2g}, {end:.2g} at last"
    axes.set_yscale("log")
    tidy(axes, x="training step", y=r"$\|u\|$")
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = "Length of the TD error through training, logarithmic axis. " + "; ".join(words) + "."
    return figure


def multipliers_in_the_plane(groups: Mapping[str, torch.Tensor]) -> LessonFigure:
    """Multipliers of update maps and the unit circle, a panel a map; right of 1 the step pushes outwards.

    Args:
        groups: title to all complex multipliers of a map.
    """
    figure = LessonFigure(4.4 * len(groups), 3.9)
    words = []
    everything = torch.cat(list(groups.values())).real
    span = (
        min(-1.15, everything.min().item() - 0.15),
        max(1.15, everything.max().item() + 0.15),
    )  # the same in all panels
    for axes, (label, values) in zip(np.atleast_1d(figure.subplots(1, len(groups))), groups.items(), strict=True):
        circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
        axes.plot(circle.real, circle.imag, color=GREY, linewidth=1.0)
        axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
        grow = values.abs() > 1 + 1e-9
        out = grow & (values.real > 1)
        for chosen, marker, color, name in (
            (~grow, ".", GREY, "shrinks"),
            (out, "^", ORANGE, "grows, right of 1"),
            (grow & ~out, "s", BLUE, "grows, left of 1"),
        ):
            axes.plot(values.real[chosen], values.imag[chosen], marker, color=color, label=name, markersize=7)
        axes.set_aspect("equal")
        tidy(axes, title=label, x="real part", y="imaginary part")
        inset = axes.inset_axes((0.04, 0.72, 0.29, 0.17))  # around 1, where the marks crowd
        inset.plot(values.real[~out], values.imag[~out], ".", color=GREY, markersize=5)
        inset.plot(values.real[out], values.imag[out], "^", color=ORANGE, markersize=5)
        inset.plot(circle.real, circle.imag, color=GREY, linewidth=1.0)
        inset.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
        inset.set(xlim=(0.97, 1.03), ylim=(-0.01, 0.01), yticks=[], xticks=[0.98, 1, 1.02])
        inset.tick_params(labelsize=8)
        inset.set_title("close to 1", fontsize=8)
        axes.set(xlim=(span[0], span[1]), ylim=(-1.15, 1.15))
        top = values[values.abs().argmax()]
        words.append(f"{label}: {int(grow.sum())} of {len(values)} outside ({int(out.sum())} right of 1)")
        words[-1] += f", the largest {top.real:.3f}{top.imag:+.3f}i"
    figure.legend(*axes.get_legend_handles_labels(), fontsize=9, frameon=False, loc="outside lower center", ncols=3)
    figure.alt = "Multipliers in the complex plane with the unit circle. " + "; ".join(words) + "."
    return figure


def phase_diagram(shares: Mapping[str, pd.DataFrame]) -> LessonFigure:
    """Share of the seeds that diverge in each cell, one panel a source; the line separates halves.

    Args:
        shares: title to a table of shares, rows discounts, columns tau.
    """
    figure = LessonFigure(4.7 * len(shares), 4.0)
    words = []
    for axes, (label, table) in zip(np.atleast_1d(figure.subplots(1, len(shares))), shares.items(), strict=True):
        _cells(axes, table)
        axes.set_title(label, fontsize=11, loc="left")
        crossed = [f"at tau {tau:g} from {edge}" for tau in table.columns if (edge := _boundary(table[tau]))]
        words.append(f"{label}: half of the seeds or more {', '.join(crossed) or 'nowhere'}")
    line = Line2D([], [], color=ORANGE, linewidth=2, label="half of the seeds (the numbers are shares)")
    figure.legend(handles=[line], fontsize=9, frameon=False, loc="outside lower center")
    figure.alt = "Share of diverging seeds over discount and tau. " + "; ".join(words) + "."
    return figure


def _boundary(column: pd.Series) -> str:
    """Smallest discount from which half of the seeds diverge, in words; empty if none does."""
    over = column[column >= 0.5]
    return f"discount {over.index.min():g}" if len(over) else ""


def _cells(axes: Axes, table: pd.DataFrame) -> None:
    """A grey map with its numbers (they stand for a colour bar), and the boundary at one half."""
    values = table.to_numpy()
    axes.imshow(values, cmap="Greys", vmin=0, vmax=1.2, origin="lower", aspect="auto")
    for i, j in np.ndindex(values.shape):
        ink = "white" if values[i, j] > 0.6 else "black"
        axes.text(j, i, f"{values[i, j]:.1f}", ha="center", va="center", fontsize=9, color=ink)
    if (values >= 0.5).any() and (values < 0.5).any():
        axes.contour(values, levels=[0.5], colors=[ORANGE], linewidths=2)
    axes.set_xticks(range(values.shape[1]), [f"{tau:g}" for tau in table.columns])
    axes.set_yticks(range(values.shape[0]), [f"{gamma:g}" for gamma in table.index])
    axes.set_xlabel(r"rate of the target, $\tau$")
    axes.set_ylabel(r"discount $\gamma$")


def growth_ratios(groups: Mapping[str, Mapping[str, np.ndarray]]) -> LessonFigure:
    """Measured over predicted growth: median and the middle 80 % of the windows, a row a setting, a marker a rule.

    Args:
        groups: setting to (rule to ratios).
    """
    figure = LessonFigure(8.4, 0.42 * len(groups) + 1.6)
    axes = figure.subplots()
    looks = {}
    words = []
    for row, (setting, rules) in enumerate(groups.items()):
        for (rule, ratios), marker, color, shift in zip(
            rules.items(), "so^", (ORANGE, BLUE, GREEN), (-0.22, 0, 0.22), strict=False
        ):
            low, middle, high = np.clip(np.quantile(ratios, [0.1, 0.5, 0.9]), 1e-2, 1e2)
            axes.plot([low, high], [row + shift] * 2, color=color, linewidth=1.4)
            (looks[rule],) = axes.plot(middle, row + shift, marker, color=color, markersize=6, linestyle="none")
            words.append(f"{setting}, {rule}: {np.median(ratios):.2f}")
    axes.axvspan(0.75, 1.25, color="#EEEEEE")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(1e-2, 1e2)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.5, -0.5)
    tidy(axes, x="measured growth / predicted growth")
    axes.legend(looks.values(), looks.keys(), fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = (
        "Measured over predicted growth, medians and the middle 80 % of the windows, "
        "cut off at 0.01 (negative ones too) and 100; " + "; ".join(words) + "."
    )
    return figure


def frozen_and_measured(measured: np.ndarray, rules: Mapping[str, np.ndarray]) -> LessonFigure:
    """Measured growth of each window against what a rule says, one panel a rule.

    Args:
        measured: `(W,)` growth a step.
        rules: rule to its `(W,)` predictions.
    """
    figure = LessonFigure(4.2 * len(rules), 3.8)
    words = []
    lowest, highest = np.quantile(measured, [0.05, 0.99])
    panels = figure.subplots(1, len(rules), sharex=True, sharey=True)
    for axes, (rule, predicted) in zip(np.atleast_1d(panels), rules.items(), strict=True):
        axes.plot(predicted, measured, ".", color=BLUE, markersize=3, alpha=0.5)
        axes.plot([lowest, highest], [lowest, highest], color=ORANGE, linestyle="--", linewidth=1.4)
        axes.set_xlim(lowest, highest)
        axes.set_ylim(lowest, highest)
        tidy(axes, title=rule, x="predicted growth per update", y="measured")
        close = np.mean(np.abs(predicted - measured) <= np.maximum(0.25 * np.abs(measured), 1e-4))
        words.append(f"{rule}: within 25 % (or 0.0001) in {close:.0%} of {len(measured)} windows")
        inside = [(lowest <= growth) & (growth <= highest) for growth in (predicted, measured)]
        words[-1] += f", {1 - np.mean(inside[0] & inside[1]):.0%} of the points outside the frame"
    figure.alt = "Measured against predicted growth per update, with the line of equality. " + "; ".join(words) + "."
    return figure
