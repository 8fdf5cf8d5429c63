"""A grid with a goal, small enough to know every true value: does a learned Q come to the right place?"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from seem_lab.problems import Problem
from seem_lab.transitions import Transitions

MOVES = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


def grid_world(size: int = 5, *, gamma: float = 0.9) -> Problem:
    """Every move from every cell of a square grid but the goal's, once; reward 1 for the move that reaches the goal.

    Positions lie in the unit square, the goal is its upper right corner and terminal. A move against the edge stays
    where it is. The input is (x, y, ax, ay), as on the toy walk; the bootstrap takes the greedy one of the four moves.
    The data hold all of them, so `true_values` gives the values that Q-learning with a table would find.

    Args:
        size: cells in a row.
        gamma: discount factor.

    Returns:
        A problem with N = 4 (size^2 - 1), d = 4 and K = 4.

    Raises:
        ValueError: fewer than 2 cells in a row.

    Example:
        >>> grid_world(3).n
        32
    """
    if size < 2:
        raise ValueError(f"a grid needs at least 2 cells in a row, got {size}")
    moves, last = torch.tensor(MOVES, dtype=torch.float64), size - 1
    line = torch.arange(size, dtype=torch.float64)
    cells = torch.cartesian_prod(line, line)[:-1]  # the goal is the last one
    cell = cells.repeat_interleave(len(moves), dim=0)
    action = moves.repeat(len(cells), 1)
    after = (cell + action).clamp(0, last)
    goal = (after == last).all(dim=1).double()
    return Problem("grid world", Transitions(cell / last, action, goal, after / last, goal), moves, gamma)


def true_values(problem: Problem) -> Float[Tensor, " n"]:
    """Q* of every transition, by value iteration over the data.

    Args:
        problem: every candidate of a transition that is not terminal is itself an input of the data, and each input
            stands there once.

    Returns:
        `(N,)` values, to rounding.

    Raises:
        ValueError: a candidate that is not in the data, an input twice, or a discount of 1 or more.

    Example:
        >>> world = grid_world(2, gamma=0.9)
        >>> true_values(world)[:4].tolist()                  # from the corner furthest from the goal
        [0.9, 0.9, 0.81, 0.81]
    """
    if problem.gamma >= 1:
        raise ValueError(f"value iteration needs a discount below 1, got {problem.gamma}")
    rows = {tuple(row): index for index, row in enumerate(problem.x.tolist())}
    if len(rows) < problem.n:
        raise ValueError("an input stands in the data more than once, so its value is an average; give each once")
    places = torch.zeros(problem.candidates.shape[:2], dtype=torch.long)
    for i in (problem.discount > 0).nonzero()[:, 0].tolist():
        for k, row in enumerate(problem.candidates[i].tolist()):
            if tuple(row) not in rows:
                raise ValueError(f"candidate {k} of transition {i} is not in the data, so it has no known value: {row}")
            places[i, k] = rows[tuple(row)]
    q = torch.zeros_like(problem.reward)
    while True:
        new = problem.reward + problem.discount * q[places].amax(dim=1)
        if (new - q).abs().max() <= 1e-14 * new.abs().max():
            return new
        q = new
