"""Pictures of lesson 08: every remedy against the plain run, over the same seeds."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, tidy

FLOOR, CEILING = 1e-4, 1e4  # SEEM outside of this is drawn at the edge
LIMIT = 1e6  # |Q| at which a run has crashed


def _name(row: pd.Series) -> str:
    return f"{row.family} {row.strength}".strip()


def _runs(table: pd.DataFrame, row: pd.Series, population: str) -> pd.DataFrame:
    same = (table.family == row.family) & (table.strength == row.strength)
    return table[same & (table.population == population)]


def remedies_chart(summary: pd.DataFrame, table: pd.DataFrame) -> LessonFigure:
    """One line a remedy, in the summary's order: largest |Q| where the plain run crashes, bias where it does not.

    Args:
        summary: as `summarise_remedies` makes it.
        table: of all runs, as `remedies_table` makes it; strengths that are missing are empty.
    """
    figure = LessonFigure(9.0, 0.8 + 0.26 * len(summary))
    left, right = figure.subplots(1, 2, sharey=True)
    words = []
    for y, (_, row) in enumerate(summary.iterrows()):
        hard, easy = _runs(table, row, "diverging"), _runs(table, row, "converging")
        q = np.minimum(hard.largest_q.fillna(np.inf), 3 * LIMIT)
        for part, mark, color in ((~hard.diverged, "o", BLUE), (hard.diverged, "x", ORANGE)):
            left.plot(q[part], np.full(part.sum(), y), mark, color=color, markersize=5, fillstyle="none", alpha=0.8)
        right.plot(easy.bias.clip(-1.2, 2), np.full(len(easy), y), "o", color=BLUE, markersize=5, fillstyle="none")
        words.append(f"{_name(row)} {row.crashes} of {row.runs}")
    left.set_xscale("log")
    left.axvline(LIMIT, color=GREY, linewidth=0.8)
    right.axvline(0, color="black", linewidth=0.8)
    left.set_yticks(range(len(summary)), [f"{_name(row)}  {row.crashes}/{row.runs}" for _, row in summary.iterrows()])
    left.set_ylim(len(summary) - 0.5, -0.5)
    tidy(
        left,
        title="discount .99, true value 0 (cross: crash)",
        x="largest $|Q|$ (at most 3 million)",
    )
    tidy(right, title="discount .8, true value 1", x="mean $Q$ less the true value, at the end")
    figure.alt = "Crashes on the diverging walks, remedy by remedy: " + "; ".join(words) + "."
    return figure


def seem_small_multiples(summary: pd.DataFrame, table: pd.DataFrame, columns: int = 4) -> LessonFigure:
    """SEEM along every run on the diverging walks, one small picture a remedy, in the summary's order.

    Args:
        summary: as `summarise_remedies` makes it.
        table: of all runs; strengths that are missing are empty.
        columns: of small pictures.
    """
    readings = [name for name in table.columns if name.startswith("seem_at_")]
    steps = np.array([int(name.removeprefix("seem_at_")) for name in readings])
    rows = math.ceil(len(summary) / columns)
    figure = LessonFigure(9.4, 1.9 * rows + 0.4)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    words = []
    for axes, (_, row) in zip(grid.flat, summary.iterrows(), strict=False):
        runs = _runs(table, row, "diverging")
        for diverged, values in zip(runs.diverged, runs[readings].to_numpy(float), strict=True):
            there = np.isfinite(values)
            shown = np.clip(values[there], FLOOR, CEILING)
            color = ORANGE if diverged else BLUE
            axes.plot(steps[there], shown, color=color, linewidth=0.7, linestyle="--" if diverged else "-")
            if diverged:
                axes.plot(steps[there][-1], shown[-1], "x", color=ORANGE, markersize=4)
        axes.set_yscale("log")
        axes.set_ylim(FLOOR / 2, 2 * CEILING)
        tidy(axes)
        axes.set_title(f"{_name(row)}\n{row.crashes} of {row.runs} crash", fontsize=9, loc="left")
        axes.tick_params(labelsize=9)
        if np.isfinite(row.seem_100):
            words.append(f"{_name(row)} {row.seem_100:.2g}")
    for axes in list(grid.flat)[len(summary) :]:
        axes.set_visible(False)
    figure.supxlabel("training step", fontsize=10)
    figure.supylabel("SEEM (at the lower edge: below 0.0001 or negative)", fontsize=9)
    figure.alt = (
        "SEEM along the runs, small pictures for every remedy; dashed lines with a cross crash. Median at step 100: "
        + "; ".join(words)
        + "."
    )
    return figure


def seem_and_crashes(summary: pd.DataFrame, named: tuple[str, ...]) -> LessonFigure:
    """Median SEEM at step 100 of every remedy, against the share of runs that crash.

    Args:
        summary: as `summarise_remedies` makes it.
        named: which points to name.
    """
    figure = LessonFigure(8.4, 4.4)
    axes = figure.subplots()
    words = []
    for side, mark in zip(("none", "network", "problem", "optimizer", "target"), "*osD^", strict=True):
        rows = summary[(summary.side == side) & summary.seem_100.notna()]
        label = "plain" if side == "none" else side
        axes.plot(
            rows.seem_100.clip(FLOOR), rows.crashes / rows.runs, mark, color="black", fillstyle="none", label=label
        )
    for _, row in summary.iterrows():
        if _name(row) in named and np.isfinite(row.seem_100):
            at = (max(row.seem_100, FLOOR), row.crashes / row.runs)
            axes.annotate(_name(row), at, (4, 5), textcoords="offset points", fontsize=8, color=BLUE, rotation=75)
            words.append(f"{_name(row)}: SEEM {row.seem_100:.2g}, {row.crashes} of {row.runs} crash")
    axes.set_xscale("log")
    axes.set_ylim(-0.06, 1.65)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    tidy(
        axes,
        x="median SEEM at step 100 of the runs still there (left edge: 0.0001 or less)",
        y="share of runs that crash",
    )
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), title="what it changes")
    figure.alt = "Share of crashes over SEEM at step 100, a mark a remedy. " + "; ".join(words) + "."
    missing = [_name(row) for _, row in summary[summary.seem_100.isna()].iterrows()]
    if missing:
        figure.alt += f" Not drawn, as no run is left at step 100: {', '.join(missing)}."
    return figure
