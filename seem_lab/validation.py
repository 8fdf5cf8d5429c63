"""Are these transitions what they claim to be? Looked at before hours of training, not after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from seem_lab.transitions import Transitions


class InvalidTransitions(ValueError):
    """Transitions that would teach something false; the message names rows and the fix."""


@dataclass(frozen=True)
class Validation:
    """What was found in transitions that may be trained on.

    Args:
        in_order: whether the rows are in order of time; if not (a draw, shuffled rows), episodes cannot be looked at.
        episodes: how many there are, 0 if the rows are not in order.
        terminals: rows that end an episode for good, so that nothing is bootstrapped.
        cut: episodes that end without a terminal: at a time limit, or where the recording stopped.
        warnings: what looks wrong, each with rows and a fix.
    """

    in_order: bool
    episodes: int
    terminals: int
    cut: int
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        found = f"{self.terminals} terminal transitions, rows not in order of time: episodes were not looked at"
        if self.in_order:
            found = f"{self.episodes} episodes, {self.terminals} of them end in a terminal, {self.cut} are cut"
        return "\n".join([found, *(f"warning: {line}" for line in self.warnings)])


def validate(transitions: Transitions, *, time_limit: int | None = None) -> Validation:
    """Look for what makes a critic learn from things that did not happen.

    What `Transitions` itself refuses (nan, lengths, dtypes) is not looked for again.

    Args:
        transitions: rows in order of time where that is known; actions are expected in [-1, 1].
        time_limit: steps after which the environment cuts an episode; if not given, the length of the longest episode
            that has no terminal.

    Returns:
        What was found, warnings included.

    Raises:
        InvalidTransitions: actions outside [-1, 1], or an episode that runs on after its terminal.

    Example:
        >>> from seem_lab.maze import record_maze
        >>> print(validate(record_maze(n=100).transitions, time_limit=12))
        9 episodes, 1 of them end in a terminal, 8 are cut
    """
    ends, n = transitions.episode_ends(), len(transitions)
    in_order = len(ends) <= (n + 1) // 2 or n < 4
    errors = list(_actions(transitions))
    if in_order:
        errors += _running_on(transitions, ends)
    if errors:
        raise InvalidTransitions("these transitions cannot be trained on: " + "; ".join(errors))
    warnings = [*_columns(transitions), *_dtype(transitions)]
    if in_order:
        warnings += _time_limits(transitions, ends, time_limit)
    return Validation(
        in_order=in_order,
        episodes=len(ends) if in_order else 0,
        terminals=int(transitions.terminal.sum()),
        cut=int((transitions.terminal[ends] == 0).sum()) if in_order else 0,
        warnings=tuple(warnings),
    )


def _rows(rows: Int[Tensor, " k"]) -> str:
    """These rows in words: the first ones, and how many there are."""
    first = ", ".join(map(str, rows[:3].tolist()))
    return f"row {first}" if len(rows) == 1 else f"rows {first}{', ...' * (len(rows) > 3)} ({len(rows)} in all)"


def _actions(t: Transitions) -> Iterator[str]:
    outside = (t.action.abs() > 1 + 1e-6).any(dim=1).nonzero()[:, 0]
    if len(outside):
        low, high = t.action.min().item(), t.action.max().item()
        yield (
            f"actions must lie in [-1, 1] but go from {low:.3g} to {high:.3g}, {_rows(outside)}; scale them by the "
            "environment's bounds: transitions.scale_actions(low, high)"
        )


def _running_on(t: Transitions, ends: Int[Tensor, " episodes"]) -> Iterator[str]:
    inside = t.terminal.bool().clone()
    inside[ends] = False
    rows = inside.nonzero()[:, 0]
    if len(rows):
        yield (
            f"the episode runs on after a terminal, {_rows(rows)}: the next row begins where it ended; set terminal "
            "only where the episode is over, or give the state after the reset"
        )


def _columns(t: Transitions) -> Iterator[str]:
    """Columns that are constant, and columns of the network's input that are copies of one another."""
    if len(t) < 2:
        return
    x = torch.cat([t.state, t.action], dim=1)
    names = [f"column {i} of state" for i in range(t.state.shape[1])]
    names += [f"column {i} of action" for i in range(t.action.shape[1])]
    columns = [*zip(names, x.T, strict=True), ("column 0 of reward", t.reward)]
    varied = []
    for name, column in columns:
        if (column == column[0]).all():
            yield f"{name} is {column[0].item():g} in every row, so it tells nothing; is that meant?"
        elif name != "column 0 of reward":
            varied.append((name, column))
    for i, (name, column) in enumerate(varied):
        twin = next((other for other, values in varied[:i] if torch.equal(column, values)), None)
        if twin is not None:
            yield f"{name} is a copy of {twin} in every row; drop one of them"


def _dtype(t: Transitions) -> Iterator[str]:
    if t.state.dtype == torch.float64:
        yield "the numbers are float64 but full-scale training is float32: transitions.to(dtype=torch.float32)"


def _time_limits(t: Transitions, ends: Int[Tensor, " episodes"], time_limit: int | None) -> Iterator[str]:
    """Episodes that stop too early or too late, and terminals that look like a time limit."""
    length = torch.diff(ends, prepend=ends.new_full((1,), -1))
    over = t.terminal[ends].bool()
    cut = ~over
    cut[-1] = False  # the recording may stop anywhere
    limit = time_limit or int(length[cut].max() if cut.any() else length.max())
    if (cut & (length < limit)).any():
        rows = ends[cut & (length < limit)]
        yield (
            f"an episode stops before its time limit of {limit} steps without a terminal, {_rows(rows)}; is a row "
            "missing after it, or a terminal?"
        )
    if (length > limit).any():
        rows = ends[length > limit]
        yield f"an episode is longer than the time limit of {limit} steps, {_rows(rows)}; does it hold two?"
    at_limit = length == limit
    several = 2 if time_limit else max(3, len(ends) // 2)  # the longest episode may have a twin by chance
    if at_limit.sum() >= several and over[at_limit].all():
        yield (
            f"all episodes of {limit} steps end in a terminal, {_rows(ends[at_limit])}; if that is a time limit it is "
            "no terminal: set terminal to 0 there"
        )
