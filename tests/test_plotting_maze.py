"""Pictures of the maze: their words hold what was drawn."""

from __future__ import annotations

import pytest
import torch

import seem_lab as sl
from seem_lab import plotting


def up(position: torch.Tensor) -> torch.Tensor:
    return torch.tensor([[0.0, 1.0]]).expand(len(position), 2)


def height(position: torch.Tensor) -> torch.Tensor:
    return 10 * position[:, 1] - 0.1 * position[:, 0]


def test_value_maps_tell_range_place_and_start() -> None:
    figure = plotting.value_maps({"climber": (up, height), "other": (up, lambda p: -height(p))}, cells=25)
    assert "climber: values from 0.1 to 9.8, largest at (0.02, 0.98); near the start 0.99" in figure.alt
    assert "other: values from -9.8 to -0.1" in figure.alt
    assert len(figure.axes) == 4  # each panel has a scale of its own


def test_arrows_of_redundant_thrusters_are_their_velocity() -> None:
    figure = plotting.value_maps({"eight": (lambda p: up(p).repeat(1, 4), height)}, cells=10)
    arrows = figure.axes[0].collections[1]
    assert (arrows.U == 0).all() and (arrows.V == 1).all()


def test_a_value_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="last finite checkpoint"):
        plotting.value_maps({"gone": (up, lambda p: torch.full((len(p),), torch.nan))})


def test_maze_paths_count_who_arrives() -> None:
    figure = plotting.maze_paths({"stuck": sl.run_maze(up, 4, steps=5)})
    assert "stuck: 0 of 4 reach the goal" in figure.alt
    assert sum(len(line.get_xdata()) == 6 for line in figure.axes[0].lines) == 4


def test_maze_recordings_count_episodes() -> None:
    data = sl.record_maze(0, n=300).transitions
    figure = plotting.maze_recordings(data, episodes=10)
    assert f"10 of {len(data.episode_ends())} recorded episodes" in figure.alt
    assert "0 of them from below the wall" in figure.alt
