"""Minari's datasets come in, ours go out, and what cannot be fetched says what to do. Everything local."""

from __future__ import annotations

import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

import seem_lab as sl
from seem_lab.minari_sets import MINARI_SCORES

minari = pytest.importorskip("minari")
from minari.data_collector import EpisodeBuffer  # noqa: E402

FIELDS = ("state", "action", "reward", "next_state", "terminal")


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Minari's folder for this test."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


def make(dataset_id: str, observations: list, actions: list, **spaces: gymnasium.Space) -> None:
    """A Minari dataset of two episodes: one ends in a terminal, one is truncated."""
    buffers = [
        EpisodeBuffer(
            id=i,
            observations=observations[i],
            actions=actions[i],
            rewards=[1.0, 2.0, 3.0],
            terminations=[False, False, i == 0],
            truncations=[False, False, i == 1],
            infos={},
        )
        for i in (0, 1)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        minari.create_dataset_from_buffers(dataset_id, buffers, **spaces)


def box(low: float, high: float, size: int = 2) -> gymnasium.spaces.Box:
    return gymnasium.spaces.Box(low, high, (size,), np.float64)


def test_a_dataset_of_another_library_comes_in() -> None:
    observations = [[np.array([i, t], float) for t in range(4)] for i in (0, 1)]
    actions = [[np.array([-2.0, t]) for t in range(3)] for _ in (0, 1)]
    make("theirs/line-v0", observations, actions, observation_space=box(-9, 9), action_space=box(-2, 4))
    t = sl.from_minari("theirs/line-v0")
    assert t.state.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    assert t.next_state.tolist() == [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3]]
    torch.testing.assert_close(t.action[:3], torch.tensor([[-1, -1 / 3], [-1, 0], [-1, 1 / 3]]))  # -2..4 became -1..1
    assert t.terminal.tolist() == [0, 0, 1, 0, 0, 0]  # truncated is not terminal
    assert t.reward.tolist() == [1, 2, 3, 1, 2, 3] and t.state.dtype == torch.float32
    assert t.episode_ends().tolist() == [2, 5]


def test_observations_in_parts_stand_side_by_side() -> None:
    part = {"goal": np.full((4, 1), 7.0), "body": np.arange(8.0).reshape(4, 2)}
    space = gymnasium.spaces.Dict({"goal": box(-9, 9, 1), "body": box(-9, 9)})
    make("theirs/parts-v0", [part, part], [[np.zeros(2)] * 3] * 2, observation_space=space, action_space=box(-1, 1))
    assert sl.from_minari("theirs/parts-v0").state[0].tolist() == [0, 1, 7]  # body, goal


def test_actions_that_are_no_numbers_are_refused() -> None:
    space = gymnasium.spaces.Discrete(3)
    observations = [[np.zeros(2)] * 4] * 2
    make("theirs/keys-v0", observations, [[1, 2, 0]] * 2, observation_space=box(-9, 9), action_space=space)
    with pytest.raises(ValueError, match=r"theirs/keys-v0: actions must be real numbers"):
        sl.from_minari("theirs/keys-v0")


def test_ours_goes_out_and_comes_back_to_the_bit(root: Path) -> None:
    data, provenance = sl.load_recorded("maze_8d_0")
    data = data[:300]
    folder = sl.to_minari(data, "seem_lab/maze/eight-v0", provenance)
    assert folder == root / "seem_lab/maze/eight-v0"
    again = sl.from_minari("seem_lab/maze/eight-v0", download=False)
    assert all(torch.equal(getattr(again, name), getattr(data, name)) for name in FIELDS)
    dataset = minari.load_dataset("seem_lab/maze/eight-v0")
    assert dataset.total_episodes == len(data.episode_ends())
    assert dataset.recover_environment().action_space.shape == (8,)
    assert provenance.sha256 in dataset.storage.metadata["description"]
    with pytest.raises(FileExistsError, match="choose another name"):
        sl.to_minari(data, "seem_lab/maze/eight-v0", provenance)


def test_a_hub_out_of_reach_says_what_to_run_where(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(dataset_id: str) -> None:
        raise ConnectionError("no route to the hub")

    monkeypatch.setattr(minari, "download_dataset", down)
    with pytest.raises(FileNotFoundError) as caught:
        sl.from_minari("mujoco/hopper/expert-v0")
    for words in ("no route to the hub", "minari download mujoco/hopper/expert-v0", str(root / "mujoco")):
        assert words in str(caught.value)
    with pytest.raises(FileNotFoundError, match="fetching was not asked for"):
        sl.from_minari("mujoco/hopper/expert-v0", download=False)


def test_scores_are_listed_for_the_usual_datasets() -> None:
    assert sl.normalised_score("mujoco/halfcheetah/medium-v0", [12135.0, -280.178953]).tolist() == [100, 0]
    assert sl.normalised_score("D4RL/door/human-v2", [2880.5693087298737]).tolist() == [100]
    assert all(low < high for low, high in MINARI_SCORES.values()) and len(MINARI_SCORES) == 30
    with pytest.raises(KeyError, match=r"no reference scores for mine-v0; there are some for mujoco/halfcheetah"):
        sl.normalised_score("mine-v0", [1.0])
