"""Pictures of lesson 10: values and SEEM of critics through training, and what their policies reach."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from seem_lab.evidence import Estimate
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy

FLOOR = 1e-4  # smaller or negative values are drawn at the edge


def q_and_seem(runs: Mapping[str, pd.DataFrame], q_limit: float) -> LessonFigure:
    """The largest |Q| and SEEM along some runs, side by side.

    Args:
        runs: label to readings, with columns `step`, `q_max` and `seem_per_parameter`.
        q_limit: the largest value that is possible.
    """
    figure = LessonFigure(9.0, 3.6)
    left, right = figure.subplots(1, 2)
    words = []
    for (label, readings), style in zip(runs.items(), series(), strict=False):
        left.plot(readings.step, readings.q_max, label=label, **style)
        seen = readings.dropna(subset="seem_per_parameter")
        right.plot(seen.step, seen.seem_per_parameter.clip(FLOOR), **style)
        words.append(
            f"{label}: largest |Q| {readings.q_max.max():.2g}, SEEM over P at the end "
            f"{seen.seem_per_parameter.iloc[-1]:.2g}"
        )
    left.axhline(q_limit, color="black", linewidth=0.9, label="$Q_{lim}$")
    for axes, title in ((left, "largest $|Q|$"), (right, "SEEM / P (lower edge: 0.0001 or less)")):
        axes.set_yscale("log")
        tidy(axes, title=title, x="training step")
    figure.legend(loc="outside lower center", ncols=len(runs) + 1, frameon=False, fontsize=9)
    figure.alt = (
        f"Two panels over training steps, logarithmic. Left the largest |Q| with the limit {q_limit:.3g}, right SEEM "
        "per parameter. " + "; ".join(words) + "."
    )
    return figure


def recorded_traces(panels: Mapping[str, pd.DataFrame], readings: pd.DataFrame, *, columns: int = 3) -> LessonFigure:
    """|Q| over Qlim along every run, a panel a group: plain runs dashed, runs with LayerNorm solid.

    Args:
        panels: title to rows of the table of runs.
        readings: along the runs, by `run`.
        columns: panels in a row.
    """
    rows = math.ceil(len(panels) / columns)
    figure = LessonFigure(9.4, 0.5 + 2.3 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    by_run = dict(tuple(readings.groupby("run")))
    words = []
    for axes, (title, runs) in zip(grid.flat, panels.items(), strict=False):
        for i, run in runs.iterrows():
            trace, style = by_run[i], {"color": BLUE} if run.layer_norm else {"color": ORANGE, "linestyle": "--"}
            axes.plot(trace.step, trace.q_max / run.q_limit, linewidth=1.0, **style)
        axes.axhline(1, color="black", linewidth=0.9)
        axes.set_yscale("log")
        tidy(axes, x="training step")
        axes.set_title(title, fontsize=10, loc="left")
        for name, part in (("plain", runs[~runs.layer_norm]), ("LayerNorm", runs[runs.layer_norm])):
            if len(part):
                words.append(f"{title}, {name}: {part.crossed_at.notna().sum()} of {len(part)} pass the limit")
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("largest $|Q|$ / $Q_{lim}$")
    handles = [
        axes.plot([], [], color=ORANGE, linestyle="--", label="plain")[0],
        axes.plot([], [], color=BLUE, label="LayerNorm")[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.alt = (
        "Largest |Q| over the largest possible value through training, a panel a group, one line a seed; the black "
        "line is the limit. " + "; ".join(words) + "."
    )
    return figure


def scores_by_setting(
    rows: Mapping[str, Mapping[str, Estimate]], *, x: str = "share of episodes that reach the goal"
) -> LessonFigure:
    """What the last policies reach: a line a setting, a mark a method, bars are 95 % intervals over seeds.

    Args:
        rows: setting to method to estimate.
        x: what is measured.
    """
    methods = list(dict.fromkeys(name for row in rows.values() for name in row))
    looks = dict(zip(methods, (("o", BLUE), ("x", ORANGE), ("s", GREY)), strict=False))
    figure = LessonFigure(8.4, 1.3 + 0.52 * len(rows))
    axes = figure.subplots()
    words = []
    for y, (setting, row) in enumerate(rows.items()):
        for name, found in row.items():
            mark, color = looks[name]
            height = y + 0.2 * (methods.index(name) - (len(methods) - 1) / 2)
            axes.plot([found.low, found.high], [height] * 2, color=color, linewidth=1.6)
            axes.plot(found.value, height, mark, color=color, markersize=7, markeredgewidth=2, fillstyle="none")
        words.append(f"{setting}: " + ", ".join(f"{name} {found}" for name, found in row.items()))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for name, (mark, color) in looks.items():
        axes.plot([], [], mark, color=color, markeredgewidth=2, fillstyle="none", label=name)
    tidy(axes, x=x)
    figure.legend(loc="outside lower center", ncols=len(methods), frameon=False, fontsize=9)
    figure.alt = "Means over seeds with 95 % intervals. " + "; ".join(words) + "."
    return figure


def with_and_without(table: pd.DataFrame, *, score: str) -> LessonFigure:
    """LayerNorm in several methods: the largest |Q| over Qlim, and the score of the last policy, seed by seed.

    Args:
        table: rows of the table of runs, with a column `name` for the method.
        score: what the score is.
    """
    figure = LessonFigure(9.0, 1.5 + 0.55 * table.name.nunique())
    left, right = figure.subplots(1, 2, sharey=True)
    names, words = list(table.name.unique()), []
    for y, name in enumerate(names):
        for layer_norm, mark, color, shift in ((True, "o", BLUE, -0.15), (False, "x", ORANGE, 0.15)):
            runs = table[(table.name == name) & (table.layer_norm == layer_norm)]
            for axes, values in ((left, runs.q_max / runs.q_limit), (right, runs.score)):
                axes.plot(values, np.full(len(runs), y + shift), mark, color=color, fillstyle="none", markersize=6)
            words.append(
                f"{name} {'with' if layer_norm else 'without'}: {runs.crossed_at.notna().sum()} of {len(runs)} pass, "
                f"mean score {runs.score.mean():.2g}"
            )
    left.set_xscale("log")
    left.axvline(1, color="black", linewidth=0.9)
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.5)
    tidy(left, title="largest $|Q|$ / $Q_{lim}$")
    tidy(right, title=score)
    handles = [
        right.plot([], [], "o", color=BLUE, fillstyle="none", label="with LayerNorm")[0],
        right.plot([], [], "x", color=ORANGE, label="without")[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.alt = "Each mark is a seed; left the largest |Q| over the limit, right the score. " + "; ".join(words) + "."
    return figure


def alarm_rates(rates: Mapping[str, Mapping[str, tuple[Estimate, Estimate]]]) -> LessonFigure:
    """Rules of alarm, one a line: the share of runs past Qlim that they catch before, and the share of false alarms.

    Args:
        rates: rule to group of runs to (caught, false alarms).
    """
    figure = LessonFigure(9.0, 1.6 + 0.5 * len(rates))
    panels: list[Axes] = list(figure.subplots(1, 2, sharey=True))
    groups = list(dict.fromkeys(name for row in rates.values() for name in row))
    looks = dict(zip(groups, (("o", BLUE), ("s", GREY)), strict=False))
    words = []
    for y, (rule, row) in enumerate(rates.items()):
        for name, both in row.items():
            mark, color = looks[name]
            height = y + 0.22 * (groups.index(name) - (len(groups) - 1) / 2)
            for axes, found in zip(panels, both, strict=True):
                axes.plot([found.low, found.high], [height] * 2, color=color, linewidth=1.4)
                axes.plot(found.value, height, mark, color=color, fillstyle="none", markersize=6, markeredgewidth=1.6)
            words.append(f"{rule}, {name}: caught {both[0]}, false alarms {both[1]}")
    wanted = ("caught before $Q_{lim}$ (wanted: grey)", "false alarms (wanted: grey)")
    for axes, title, (low, high) in zip(panels, wanted, ((0.9, 1.02), (-0.02, 0.3)), strict=True):
        axes.axvspan(low, high, color="#E6E6E6", zorder=0)
        axes.set_xlim(-0.02, 1.02)
        tidy(axes, title=title, x="share of runs")
    panels[0].set_yticks(range(len(rates)), list(rates))
    panels[0].set_ylim(len(rates) - 0.5, -0.5)
    handles = [
        panels[0].plot([], [], mark, color=color, fillstyle="none", label=name)[0]
        for name, (mark, color) in looks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.alt = "Shares with 95 % intervals, a line a rule. " + "; ".join(words) + "."
    return figure
