"""Validation tells what is wrong, in which row, and what to do; good data passes without a word."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from seem_lab import Transitions
from seem_lab.validation import InvalidTransitions, validate


def episodes(*lengths: int, over: bool = False) -> Transitions:
    """Episodes of a walk on a line, float32, that end in a terminal or are cut; each begins somewhere else."""
    generator = torch.Generator().manual_seed(0)
    state, next_state, terminal = [], [], []
    for number, length in enumerate(lengths):
        path = torch.randn(length + 1, 2, generator=generator) + 100 * number
        state.append(path[:-1])
        next_state.append(path[1:])
        terminal += [0.0] * (length - 1) + [float(over)]
    n = len(terminal)
    action, reward = torch.rand(n, 2, generator=generator) * 2 - 1, torch.randn(n, generator=generator)
    return Transitions(torch.cat(state), action, reward, torch.cat(next_state), torch.tensor(terminal))


def warned(t: Transitions, time_limit: int | None = None) -> str:
    """The one warning."""
    (warning,) = validate(t, time_limit=time_limit).warnings
    return warning


def test_good_data_passes_without_a_word() -> None:
    for time_limit in (None, 20):
        found = validate(episodes(20, 20, 7), time_limit=time_limit)
        assert (found.in_order, found.episodes, found.terminals, found.cut, found.warnings) == (True, 3, 0, 3, ())
    assert str(found) == "3 episodes, 0 of them end in a terminal, 3 are cut"
    assert validate(episodes(5, 9, 7, over=True), time_limit=20).warnings == ()
    assert validate(episodes(5, 9, 9, over=True)).warnings == ()  # a twin of the longest by chance


def test_actions_outside_name_the_row_and_the_fix() -> None:
    t = episodes(10)
    action = t.action.clone()
    action[3, 1], action[7, 0] = 1.5, -2.0
    with pytest.raises(InvalidTransitions, match=r"go from -2 to .*rows 3, 7 \(2 in all\); scale.*scale_actions"):
        validate(replace(t, action=action))
    validate(replace(t, action=action).scale_actions(-2.0, 2.0))


def test_an_episode_that_runs_on_after_its_terminal_is_an_error() -> None:
    t = episodes(10, 10)
    terminal = t.terminal.clone()
    terminal[4] = 1
    with pytest.raises(InvalidTransitions, match=r"runs on after a terminal, row 4: .*set terminal only where"):
        validate(replace(t, terminal=terminal))


def test_all_errors_come_at_once() -> None:
    t = episodes(10)
    terminal = t.terminal.clone()
    terminal[[2, 3, 4, 5]] = 1
    with pytest.raises(InvalidTransitions, match=r"\[-1, 1\].*; the episode runs on.*2, 3, 4, \.\.\. \(4 in all\)"):
        validate(replace(t, action=9 * t.action, terminal=terminal))


@pytest.mark.parametrize("time_limit", [None, 20])
def test_a_missing_row_breaks_an_episode_in_two(time_limit: int | None) -> None:
    t = episodes(20, 20, 20)
    rows = torch.cat([torch.arange(30), torch.arange(31, 55)])  # row 30 is lost, the recording stops at row 53
    words = "stops before its time limit of 20 steps without a terminal, rows 29, 38 (2 in all); is a row missing after"
    assert words in warned(t[rows], time_limit)


def test_an_episode_that_is_too_long_holds_two() -> None:
    assert "longer than the time limit of 20 steps, row 29; does it hold two?" in warned(episodes(30, 20, 20), 20)


@pytest.mark.parametrize("time_limit", [None, 20])
def test_a_time_limit_noted_as_terminal_is_seen(time_limit: int | None) -> None:
    t = episodes(20, 20, 20, 20, over=True)
    assert "all episodes of 20 steps end in a terminal, rows 19, 39, 59, ... (4 in all)" in warned(t, time_limit)
    assert "set terminal to 0 there" in warned(t, time_limit)


@pytest.mark.parametrize(
    ("field", "column", "name"), [("state", 1, "column 1 of state"), ("action", 0, "column 0 of action")]
)
def test_a_constant_column_is_named(field: str, column: int, name: str) -> None:
    t = episodes(20)
    values = getattr(t, field).clone()
    values[:, column] = 0.5
    parts = {field: values}
    if field == "state":  # the next states stay those of the episode
        parts["next_state"] = torch.cat([values[1:], t.next_state[-1:]])
    assert f"{name} is 0.5 in every row" in warned(replace(t, **parts))


def test_a_reward_without_news_and_a_copied_column_are_named() -> None:
    t = episodes(20)
    assert "column 0 of reward is 3 in every row" in warned(replace(t, reward=0 * t.reward + 3))
    action = torch.stack([t.action[:, 0], t.state[:, 0].clamp(-1, 1)], dim=1)
    state = torch.stack([action[:, 1], t.state[:, 1]], dim=1)
    copied = replace(t, state=state, action=action, next_state=torch.cat([state[1:], t.next_state[-1:]]))
    assert warned(copied) == "column 1 of action is a copy of column 0 of state in every row; drop one of them"


def test_double_precision_is_told() -> None:
    assert "float64" in warned(episodes(20).to(dtype=torch.float64))


def test_a_draw_has_no_episodes_to_look_at() -> None:
    found = validate(episodes(40, 40, 40).subset(0.2), time_limit=40)
    assert (found.in_order, found.episodes, found.cut, found.warnings) == (False, 0, 0, ())
    assert "not in order of time" in str(found)
    assert validate(episodes(1, over=True)).warnings == validate(episodes(3)).warnings == ()
