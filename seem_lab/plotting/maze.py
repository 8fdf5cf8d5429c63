"""Pictures of the maze: what an agent thinks each place is worth, where it heads, and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from seem_lab.maze import GOAL, GOAL_RADIUS, START, START_REACH, WALL, MazeRuns, at_goal, in_wall, velocity
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, tidy
from seem_lab.transitions import Transitions

# An agent as these pictures see it: positions (n, 2) to actions (n, 2 pairs), and to values (n,).
Policy = Callable[[Tensor], Tensor]
Value = Callable[[Tensor], Tensor]


def value_maps(agents: Mapping[str, tuple[Policy, Value]], *, cells: int = 40) -> LessonFigure:
    """The value of every place and the direction the policy takes there, a panel an agent with its own scale.

    Args:
        agents: title to policy and value, functions of positions `(n, 2)` in float32.
        cells: cells of the map in a row.
    """
    figure = LessonFigure(4.4 * len(agents), 3.9)
    line = (torch.arange(cells) + 0.5) / cells
    places = torch.cartesian_prod(line, line)
    posts = torch.cartesian_prod(*2 * [(torch.arange(10) + 0.5) / 10])
    posts = posts[~(in_wall(posts) | at_goal(posts))]
    words = []
    panels = figure.subplots(1, len(agents), squeeze=False)[0]
    for axes, (title, (policy, value)) in zip(panels, agents.items(), strict=True):
        with torch.no_grad():
            values, heading = value(places).cpu().double(), velocity(policy(posts).cpu())
        free = ~in_wall(places)
        if not torch.isfinite(values[free]).all():
            raise ValueError(f"{title}: some values are nan or infinite; draw the last finite checkpoint")
        shown = values.reshape(cells, cells).T.numpy()  # rows are y
        image = axes.pcolormesh(*2 * [np.linspace(0, 1, cells + 1)], shown, cmap="cividis", rasterized=True)
        image.set_clim(values[free].min().item(), values[free].max().item())
        figure.colorbar(image, ax=axes, shrink=0.85, label="value of the policy's action")
        _surroundings(axes, title)
        # White arrows with a dark edge stand out on every shade.
        axes.quiver(
            *posts.T.numpy(),
            *heading.T.numpy(),
            scale=13,
            width=0.009,
            pivot="mid",
            color="white",
            edgecolor="black",
            linewidth=0.5,
            zorder=4,
        )
        best = places[free][values[free].argmax()]
        words.append(
            f"{title}: values from {values[free].min():.2g} to {values[free].max():.2g}, largest at "
            f"({best[0]:.2f}, {best[1]:.2f}); near the start {_near_start(value):.2g}"
        )
    figure.alt = (
        "The maze, the start square at the lower left, the goal circle at the upper left, a wall between them that is "
        "open at the right. Light places have a high value, each panel has its own scale; arrows are the velocities "
        "that the policy takes. " + "; ".join(words) + "."
    )
    return figure


def maze_paths(groups: Mapping[str, MazeRuns]) -> LessonFigure:
    """The paths of some episodes from the start, a panel a group.

    Args:
        groups: title to runs, see `run_maze`.
    """
    figure = LessonFigure(3.6 * len(groups), 3.9)
    words = []
    panels = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    for axes, (title, runs) in zip(panels, groups.items(), strict=True):
        arrived = int(runs.reached.sum())
        for path, reached in zip(runs.path.unbind(1), runs.reached.tolist(), strict=True):
            color, dash = (BLUE, "-") if reached else (ORANGE, "--")
            axes.plot(*path.T.numpy(), dash, color=color, linewidth=1.0)
            axes.plot(*path[-1].tolist(), "o" if reached else "x", color=color, markersize=6, markeredgewidth=1.8)
        _surroundings(axes, f"{title}: {arrived} of {len(runs.reached)} arrive")
        last = runs.path[-1].mean(0)
        words.append(
            f"{title}: {arrived} of {len(runs.reached)} reach the goal; paths end on average at "
            f"({last[0]:.2f}, {last[1]:.2f})"
        )
    panels[0].set_ylabel("y")
    figure.alt = (
        "Paths through the maze from the start at the lower left. Full lines that end in a dot reach the goal at the "
        "upper left, dashed lines that end in a cross do not. " + "; ".join(words) + "."
    )
    return figure


def maze_recordings(transitions: Transitions, *, episodes: int = 60) -> LessonFigure:
    """Recorded episodes in the maze: thin lines, a dot where each starts, a star where one reaches the goal.

    Args:
        transitions: of the maze, in order of time.
        episodes: how many are drawn, from the first.
    """
    figure = LessonFigure(4.0, 3.9)
    axes = figure.subplots()
    breaks = transitions.episode_ends().tolist()
    begin, arrived, from_below = 0, 0, 0
    for end in breaks[:episodes]:
        path = torch.cat([transitions.state[begin : end + 1], transitions.next_state[end : end + 1]])
        axes.plot(*path.T.numpy(), "-", color=GREY, linewidth=0.9)
        axes.plot(*path[0].tolist(), ".", color=BLUE, markersize=5)
        if transitions.terminal[end]:
            axes.plot(*path[-1].tolist(), "*", color=ORANGE, markersize=11, markeredgecolor="black", zorder=7)
            arrived += 1
            from_below += int(path[0, 1] < WALL[1])
        begin = end + 1
    shown = min(episodes, len(breaks))
    _surroundings(axes, f"{shown} of {len(breaks)} recorded episodes")
    axes.set_ylabel("y")
    figure.alt = (
        f"{shown} of {len(breaks)} recorded episodes in the maze, short paths that start anywhere. {arrived} of those "
        f"drawn reach the goal, {from_below} of them from below the wall."
    )
    return figure


def _near_start(value: Value) -> float:
    with torch.no_grad():
        return value(torch.tensor([START])).item()


def _surroundings(axes: Axes, title: str) -> None:
    """Wall, start and goal."""
    right, low, high = WALL
    axes.add_patch(
        Rectangle((0, low), right, high - low, facecolor="#BBBBBB", edgecolor="black", hatch="///", zorder=3)
    )
    axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="black", linewidth=1.2, zorder=3))
    corner = (START[0] - START_REACH, START[1] - START_REACH)
    for patch in (
        Rectangle(corner, 2 * START_REACH, 2 * START_REACH),
        Circle(GOAL, GOAL_RADIUS),
    ):
        patch.set(fill=False, edgecolor="black", linewidth=2, zorder=5)
        patch.set_path_effects([withStroke(linewidth=4, foreground="white")])
        axes.add_patch(patch)
    around = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for word, (x, y) in (("start", START), ("goal", GOAL)):
        axes.text(x + 0.16, y - 0.02, word, fontsize=9, bbox=around, zorder=6)
    axes.set(aspect="equal", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    tidy(axes, title=title, x="x")
    axes.grid(False)
