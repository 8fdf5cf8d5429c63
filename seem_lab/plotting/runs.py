"""Pictures of the toy walk and of training runs on it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.problems import Problem
from seem_lab.training import History


def walk_picture(walk: Problem, highlight: int = 20) -> LessonFigure:
    """The walk in the plane, and around one next state the actions the bootstrap may choose from.

    Args:
        walk: a problem with 2-D states and actions, such as `toy_walk()`.
        highlight: the transition whose next state is shown with its candidate actions.
    """
    figure = LessonFigure(8.0, 3.8)
    left, right = figure.subplots(1, 2)
    state, next_state = walk.transitions.state.numpy(), walk.transitions.next_state.numpy()
    path = np.vstack([state, next_state[-1:]])
    left.plot(*path.T, color=GREY, linewidth=0.8, zorder=1)
    left.scatter(*path.T, s=18, color=BLUE, label="state", zorder=2)
    left.scatter(*path[0], s=70, marker="s", color="black", label="start", zorder=3)
    left.legend(fontsize=9, frameon=False)
    tidy(left, title=f"{walk.n} transitions in the plane", x="position $x$", y="position $y$")
    left.set_aspect("equal", adjustable="box")

    here, there = state[highlight], next_state[highlight]
    reach = 1.4 * np.abs(there - here).max()
    right.annotate("", there, here, arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 2.5})
    for action in walk.next_actions[highlight].numpy():
        tip = there + 0.6 * reach * action
        right.annotate("", tip, there, arrowprops={"arrowstyle": "->", "color": ORANGE, "linestyle": "--"})
    right.scatter(*here, s=60, color=BLUE, zorder=3)
    right.scatter(*there, s=60, color="white", edgecolor=ORANGE, linewidth=2, zorder=3)
    right.text(*(here - 0.25 * (there - here)), "$s$", fontsize=13, ha="center", va="center")
    right.text(*(there + 0.28 * reach * np.array([0.92, 0.38])), "$s'$", fontsize=13, ha="center", va="center")
    right.set_xlim(min(here[0], there[0]) - reach, max(here[0], there[0]) + reach)
    right.set_ylim(min(here[1], there[1]) - reach, max(here[1], there[1]) + reach)
    right.set_aspect("equal", adjustable="box")
    tidy(right, title="solid: taken;  dashed: may be picked next", x="position $x$", y="position $y$")
    k = walk.next_actions.shape[1]
    figure.alt = (
        f"Left: a random walk of {walk.n} steps in the plane, each state a dot, the start a square. "
        f"Right: one step from state s to next state s prime, a solid arrow; from s prime, {k} dashed arrows show the "
        "actions among which the bootstrap picks the one that looks best. The logbook shows one of them at most."
    )
    return figure


def q_through_training(runs: Mapping[str, History]) -> LessonFigure:
    """Largest |Q| over training steps, one line a run, on a logarithmic axis.

    Args:
        runs: label to run.
    """
    figure = LessonFigure(8.0, 3.4)
    axes = figure.subplots()
    words = []
    for (label, run), style in zip(runs.items(), series(), strict=False):
        axes.plot(run.step, np.maximum(run.q_max, 1e-12), label=label, **style)
        if run.diverged:
            axes.plot(run.step[-1], run.q_max[-1], marker="x", markersize=9, mew=2.5, color=style["color"])
        words.append(f"{label}: {run.verdict}")
    if any(run.diverged for run in runs.values()):
        limit = max(run.q_limit for run in runs.values())
        axes.axhline(limit, color="black", linewidth=0.8, label=f"stopped above {limit:.0e}")
    axes.set_yscale("log")
    tidy(axes, title="The true value is 0 everywhere", x="training step", y="largest $|Q|$")
    axes.legend(fontsize=9, frameon=False, loc="center right")
    figure.alt = "Largest absolute Q-value over training steps, logarithmic axis. " + "; ".join(words) + "."
    return figure


def crash_steps(runs: Mapping[str, list[History]]) -> LessonFigure:
    """When each run blew up: one row of marks for each group, survivors as open circles at their last step.

    Args:
        runs: group label to its runs.
    """
    figure = LessonFigure(8.0, 1.2 + 0.6 * len(runs))
    axes = figure.subplots()
    words = []
    for row, (label, group) in enumerate(runs.items()):
        crashed = np.array([run.step[-1] for run in group if run.diverged])
        survived = np.array([run.step[-1] for run in group if not run.diverged])
        axes.plot(crashed, np.full(len(crashed), row), "|", color=ORANGE, markersize=20, markeredgewidth=1.4)
        axes.plot(survived, np.full(len(survived), row), "o", color=BLUE, markersize=8, fillstyle="none")
        if len(survived):
            axes.annotate(
                f"{len(survived)} seeds",
                (survived.max(), row),
                (9, -3),
                fontsize=9,
                textcoords="offset points",
            )
        said = f"{label}: {len(crashed)} of {len(group)} blow up"
        if len(crashed):
            said += f", between step {crashed.min()} and {crashed.max()}, median {np.median(crashed):.0f}"
        words.append(said)
    axes.set_yticks(range(len(runs)), list(runs))
    axes.set_ylim(len(runs) - 0.5, -0.5)
    axes.margins(x=0.08)
    tidy(axes, title="bar: one seed blows up here;  circle: still finite when stopped", x="training step")
    figure.alt = "Step at which each run blew up. " + "; ".join(words) + "."
    return figure
