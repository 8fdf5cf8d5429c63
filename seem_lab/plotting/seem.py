"""Pictures of lesson 04: SEEM along a run, the shape of its mode, and how well it tells what will diverge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from seem_lab.early_warning import Auroc, time_constants
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.problems import Problem
from seem_lab.training import History, step_size

FLOOR = 1e-4  # readings below this, and those that are not positive, are drawn at the edge
MARKERS = "osD^vPX"
DIVERGES: dict[str, Any] = {"marker": "x", "color": ORANGE, "label": "will diverge"}
SURVIVES: dict[str, Any] = {"marker": "o", "facecolor": "none", "edgecolor": BLUE, "label": "will not"}


def seem_along_runs(runs: Mapping[str, History], *, steps: int, until: int) -> LessonFigure:
    """Two views of the same runs: largest |Q| up to some step, and the whole story of `eps * SEEM * steps_left`.

    Args:
        runs: label to run, with SEEM at some of its records.
        steps: the step at which training ends, from which the steps left are counted.
        until: last step of the left picture.
    """
    figure = LessonFigure(8.6, 3.9)
    left, right = figure.subplots(1, 2)
    words = []
    for (label, run), style in zip(runs.items(), series(), strict=False):
        early, there = run.step <= until, np.isfinite(run.seem)
        left.plot(run.step[early], run.q_max[early], label=label, **style)
        constants = time_constants(run.seem, lr=run.lr, n=run.n, steps_left=steps - run.step)
        right.plot(run.step[there], np.clip(constants[there], FLOOR, None), **style)
        if run.diverged:
            end = run.step[there][-1], constants[there][-1]
            right.plot(*end, "x", markersize=9, mew=2.5, color=style["color"], label="last reading before it blows up")
        warned = run.step[there & (constants > 1)]
        first = f"above 1 for the first time at step {warned[0]}" if len(warned) else "never above 1"
        words.append(
            f"{label}: largest |Q| is {run.q_max[early][-1]:.2g} at step {run.step[early][-1]}; eps SEEM times steps "
            f"left is {first}; the run {run.verdict}"
        )
    right.axhline(1, color="black", linewidth=0.9, label="above this line the rule warns")
    right.set_yscale("log")
    right.set_ylim(FLOOR / 2, 1e3)
    tidy(left, title=f"Steps 0 to {until}", x="training step", y="largest $|Q|$")
    tidy(
        right,
        title=f"Steps 0 to {steps}",
        x="training step",
        y=r"$\varepsilon \cdot \mathrm{SEEM} \cdot$ steps left",
    )
    left.set_ylim(bottom=0)
    handles, names = (a + b for a, b in zip(*(axes.get_legend_handles_labels() for axes in (left, right)), strict=True))
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.alt = (
        f"Left: largest |Q| over the first {until} steps. Right: eps times SEEM times the steps left, over the whole "
        "run, logarithmic axis, a line at 1. " + "; ".join(words) + "."
    )
    return figure


def seem_by_outcome(
    seem: Mapping[int, np.ndarray], diverged: np.ndarray, threshold: Mapping[int, float]
) -> LessonFigure:
    """SEEM of every run at some steps, by what became of the run.

    Args:
        seem: step to `(R,)` SEEM, nan where the run was over.
        diverged: `(R,)` what became of the runs.
        threshold: step to the SEEM above which the early warning warns.
    """
    figure = LessonFigure(8.2, 1.4 + 0.85 * len(seem))
    axes = figure.subplots()
    ticks, words = {}, []
    draw = np.random.default_rng(0)
    for row, (step, values) in enumerate(seem.items()):
        for ends, place, look in ((True, row - 0.2, DIVERGES), (False, row + 0.2, SURVIVES)):
            group = values[(diverged == ends) & np.isfinite(values)]
            spread = place + draw.uniform(-0.11, 0.11, len(group))
            label = look["label"] if row == 0 else None
            axes.scatter(np.clip(group, FLOOR, None), spread, s=20, linewidth=1, alpha=0.8, **{**look, "label": label})
            axes.plot(np.median(group), place, "|", color="black", markersize=17, markeredgewidth=2.2)
            words.append(
                f"step {step}, {'diverging' if ends else 'surviving'} runs: {np.mean(group > 0):.0%} positive, "
                f"median {np.median(group):.2g}, middle half {np.quantile(group, 0.25):.2g} to "
                f"{np.quantile(group, 0.75):.2g}"
            )
        axes.plot([threshold[step]] * 2, [row - 0.42, row + 0.42], color="black", linewidth=1.2, linestyle="--")
        ticks[row] = f"step {step}"
    axes.plot([], [], "|", color="black", markersize=11, markeredgewidth=2.2, label="median")
    axes.plot(
        [], [], color="black", linewidth=1.2, linestyle="--", label=r"$\varepsilon\,$SEEM$\,\cdot\,$steps left $= 1$"
    )
    axes.set_xscale("log")
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.set_ylim(len(seem) - 0.5, -0.5)
    tidy(axes, x=f"SEEM (logarithmic axis; not positive, or below {FLOOR:g}: at the left edge)")
    axes.legend(fontsize=9, frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.45, 1.0))
    figure.alt = (
        "SEEM of each run at some steps, logarithmic axis, runs that will diverge as crosses above runs that will not "
        "as open circles; the two groups overlap. " + "; ".join(words) + "."
    )
    return figure


def mode_over_walk(walk: Problem, modes: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> LessonFigure:
    """The two sides of the leading mode, over the plane: whose error drives it, and whose error grows with it.

    Args:
        walk: a problem in the plane.
        modes: label of a row to (left eigenvector of A, right eigenvector of A), real, `(N,)` each. The left one says
            how far a unit error at a transition drives the mode, the right one how the mode shows in the errors.
    """
    extent = np.ptp(walk.transitions.state.numpy(), axis=0)
    figure = LessonFigure(8.6, 0.5 + len(modes) * (0.6 + 3.7 * np.clip(extent[1] / extent[0], 0.3, 1.2)))
    grid = figure.subplots(len(modes), 2, sharex=True, sharey=True, squeeze=False)
    words = []
    for row, (label, (exciting, excited)) in zip(grid, modes.items(), strict=True):
        exciting = exciting * np.sign(exciting @ excited)  # so that a positive error drives the mode as it is drawn
        for axes, values, side in zip(
            row, (exciting, excited), ("whose error drives it", "whose error grows"), strict=True
        ):
            draw_mode(axes, walk, values)
            tidy(axes, title=f"{label}: {side}", y="position $y$" if axes is row[0] else "")
            axes.set_aspect("equal", adjustable="box")
            size = np.abs(values)
            strong = np.argsort(size)[::-1][: len(size) // 4]
            words.append(
                f"{label}, {side}: {np.mean(values > 0):.0%} of the entries are positive; the largest quarter of the "
                f"entries carries {np.sum(size[strong] ** 2) / np.sum(size**2):.0%} of the squared length, at mean "
                f"position x {walk.transitions.state.numpy()[strong, 0].mean():.1f}"
            )
    for axes in grid[-1]:
        axes.set_xlabel("position $x$")
    figure.legend(
        handles=mode_legend(), title="area of a mark: size of the entry", title_fontsize=9, loc="outside lower center",
        ncols=3, frameon=False, fontsize=9,
    )  # fmt: skip
    figure.alt = (
        "The walk in the plane, a mark for each transition: its area shows the size of the eigenvector's entry, a "
        "filled circle a positive one, an open square a negative one. " + "; ".join(words) + "."
    )
    return figure


def mode_marks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas of the marks for positive entries (circles) and for the others (squares); zero hides a mark."""
    area = 80 * np.abs(values) / np.abs(values).max()
    return np.where(values > 0, area, 0), np.where(values > 0, 0, area)


def draw_mode(axes: Axes, walk: Problem, values: np.ndarray) -> None:
    """A mark a transition at its state: filled circles for positive entries, open squares for the others."""
    state = walk.transitions.state.numpy()
    x, y = state.T
    path = np.vstack([state, walk.transitions.next_state.numpy()[-1:]])
    axes.plot(*path.T, color=GREY, linewidth=0.7, zorder=1)
    plus, minus = mode_marks(values)
    axes.scatter(x, y, s=plus, color=BLUE, alpha=0.75, zorder=2)
    axes.scatter(x, y, s=minus, marker="s", facecolor="none", edgecolor=ORANGE, linewidth=1.4, zorder=3)


def mode_legend() -> list[Line2D]:
    """What the marks of `draw_mode` stand for."""
    circle = Line2D([], [], color=BLUE, marker="o", markersize=8, linestyle="", label="positive")
    square = Line2D([], [], color=ORANGE, marker="s", markersize=7, linestyle="", fillstyle="none", label="negative")
    square.set_markeredgewidth(1.4)
    return [circle, square, Line2D([], [], color=GREY, linewidth=0.7, label="the walk")]


def auroc_over_time(groups: Mapping[str, Mapping[str, Mapping[int, Auroc]]]) -> LessonFigure:
    """AUROC of several scores against the step at which they are read, with intervals, one picture a group of runs.

    Args:
        groups: title of the picture to {name of the score: {step: AUROC}}; every group has the same scores.
    """
    figure = LessonFigure(4.6 * len(groups) if len(groups) > 1 else 7.4, 4.0)
    words = []
    for axes, (title, scores) in zip(
        np.atleast_1d(figure.subplots(1, len(groups), sharey=True)), groups.items(), strict=True
    ):
        said = []
        for row, ((name, areas), style) in enumerate(zip(scores.items(), series(), strict=False)):
            place = np.arange(len(areas)) + 0.03 * (row - (len(scores) - 1) / 2)
            found = list(areas.values())
            middle = np.array([a.value for a in found])
            reach = [middle - [a.low for a in found], [a.high for a in found] - middle]
            bold = {"linewidth": 2.6} if row == 0 else {"linewidth": 1.3}
            axes.errorbar(
                place, middle, np.maximum(reach, 0), marker=MARKERS[row], markersize=6, capsize=2, elinewidth=0.9,
                label=name, zorder=3 - 0.1 * row, **{**style, **bold},
            )  # fmt: skip
            said.append(f"{name} " + ", ".join(f"{area.value:.2f} at {step}" for step, area in areas.items()))
        axes.axhline(0.5, color="black", linewidth=0.9)
        tidy(axes, title=title, x="read at training step (not to scale)", y="AUROC" if axes is figure.axes[0] else "")
        axes.set_xticks(range(len(areas)), [str(step) for step in areas])
        axes.set_ylim(0.35, 1.04)
        words.append(f"{title}: " + "; ".join(said))
    figure.axes[0].text(len(areas) - 1, 0.485, "a coin", fontsize=9, ha="right", va="top")
    handles, names = axes.get_legend_handles_labels()
    handles.append(Line2D([], [], color="black", marker="|", markersize=14, linestyle=""))
    names.append("95 % interval")
    figure.legend(handles, names, loc="outside right center", frameon=False, fontsize=9)
    figure.alt = (
        "AUROC for 'will diverge' against the step at which a score is read; bars are 95 % bootstrap intervals, a coin "
        "has .5. " + ". ".join(words) + "."
    )
    return figure


def time_to_crash(groups: Mapping[str, tuple[ArrayLike, ArrayLike, int]], *, lr: float, n: int) -> LessonFigure:
    """Steps that diverging runs had left, against SEEM, with the line `1 / (eps SEEM)`; one picture a group.

    Args:
        groups: title to `(SEEM, steps left until the run blew up, steps left until training ends)`, `(R,)` each but the
            last: right of the grey line the early warning warns.
        lr: learning rate.
        n: number of transitions N.
    """
    figure = LessonFigure(8.6, 4.0)
    words = []
    for axes, (title, (seem, left, end)) in zip(
        figure.subplots(1, len(groups), sharex=True, sharey=True), groups.items(), strict=True
    ):
        seem, left = np.asarray(seem, dtype=float), np.asarray(left, dtype=float)
        line, warns = np.geomspace(0.1, 300, 50), 1 / (step_size(lr, n) * end)
        axes.plot(line, 1 / (step_size(lr, n) * line), color="black", linewidth=1.3, label=r"$1/(\varepsilon\,$SEEM$)$")
        axes.axvline(warns, color=GREY, linestyle="--", linewidth=1.2, label="right of this line the rule warns")
        axes.scatter(
            np.clip(seem, FLOOR, None), left, s=18, marker="x", color=ORANGE, linewidth=1.1, zorder=3, label="one run"
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(8, 3000)
        axes.set_xlim(FLOOR / 2, 1e3)
        rank = scipy.stats.spearmanr(seem, left).statistic
        tidy(axes, title=title, x="SEEM", y="steps left" if axes is figure.axes[0] else "")
        ratio = np.median(step_size(lr, n) * seem * left)
        words.append(
            f"{title}: {len(seem)} runs, rank correlation {rank:.2f}, median of eps SEEM times steps left {ratio:.2f}; "
            f"the rule warns of {np.sum(seem > warns)}"
        )
    figure.supxlabel(f"(SEEM below {FLOOR:g}, or not positive: at the left edge)", fontsize=9)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, fontsize=9
    )
    figure.alt = (
        "Steps left until the crash against SEEM, both axes logarithmic, a cross for each run that diverges, and the "
        "line one over eps SEEM. " + "; ".join(words) + "."
    )
    return figure


def alarms_and_misses(counts: Mapping[int, tuple[int, int, int, int]]) -> LessonFigure:
    """What the early warning gets wrong: diverging runs it misses, surviving runs it warns of, by step.

    Args:
        counts: step to (missed, all that diverge, false alarms, all that survive).
    """
    figure = LessonFigure(7.4, 3.6)
    axes = figure.subplots()
    words = []
    for row, (name, look) in enumerate(
        (
            ("missed: diverges without a warning", {"color": ORANGE, "hatch": "//"}),
            ("false alarm: warned of, and survives", {"color": BLUE, "hatch": ""}),
        )
    ):
        wrong = np.array([pair[2 * row] for pair in counts.values()])
        of = np.array([pair[2 * row + 1] for pair in counts.values()])
        share = wrong / of
        ends = np.array(
            [
                scipy.stats.binomtest(int(k), int(m)).proportion_ci(method="wilson")
                for k, m in zip(wrong, of, strict=True)
            ]
        )
        place = np.arange(len(counts)) + 0.36 * (row - 0.5)
        axes.bar(
            place, 100 * share, 0.34, facecolor="white" if row == 0 else look["color"], edgecolor=look["color"],
            hatch=look["hatch"], label=name, yerr=100 * np.abs(ends.T - share), ecolor="black", capsize=2,
        )  # fmt: skip
        for x, top, k, m in zip(place, 100 * ends[:, 1], wrong, of, strict=True):
            axes.text(x, top + 1.5, f"{k}/{m}", ha="center", fontsize=8)
        words.append(
            f"{name}: " + ", ".join(f"{k} of {m} at step {step}" for step, k, m in zip(counts, wrong, of, strict=True))
        )
    tidy(axes, x="SEEM read at training step", y="share of that kind of run (%)")
    axes.set_xticks(range(len(counts)), [str(step) for step in counts])
    axes.set_ylim(0, 105)
    axes.grid(axis="x", visible=False)
    axes.plot([], [], "|", color="black", markersize=12, label="95 % interval")
    axes.legend(fontsize=9, frameon=False, loc="upper right")
    figure.alt = (
        "What the rule eps SEEM times steps left above 1 gets wrong, with 95 % intervals. " + "; ".join(words) + "."
    )
    return figure
