"""Datasets of Minari, the successor of D4RL: theirs as transitions, ours as one of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

from seem_lab.provenance import Provenance
from seem_lab.transitions import Transitions

# Return of a random policy and of an expert, from D4RL (Fu et al. 2020, arXiv 2004.07219; `d4rl/infos.py`). They were
# measured in D4RL's own environments; Minari's datasets of 2024 use newer ones, so a score says which ruler it used,
# not how two libraries compare.
_LOCOMOTION = {
    "halfcheetah": (-280.178953, 12135.0),
    "hopper": (-20.272305, 3234.3),
    "walker2d": (1.629008, 4592.3),
    "ant": (-325.6, 3879.7),
}
_HAND = {
    "pen": (96.262799, 3076.8331017826877),
    "hammer": (-274.856578, 12794.134825156867),
    "door": (-56.512833, 2880.5693087298737),
    "relocate": (-6.425911, 4233.877797728884),
}
_MAZES = ("umaze", "umaze-diverse", "medium-play", "medium-diverse", "large-play", "large-diverse")
# Dataset id to the return of a random policy and of an expert.
MINARI_SCORES: dict[str, tuple[float, float]] = {
    **{f"mujoco/{env}/{kind}-v0": s for env, s in _LOCOMOTION.items() for kind in ("simple", "medium", "expert")},
    **{f"D4RL/{env}/{kind}-v2": s for env, s in _HAND.items() for kind in ("human", "cloned", "expert")},
    **{f"D4RL/antmaze/{maze}-v1": (0.0, 1.0) for maze in _MAZES},
}


def from_minari(dataset_id: str, *, download: bool = True) -> Transitions:
    """Transitions of a Minari dataset, float32, in order of time, actions scaled to [-1, 1].

    A dataset on this machine is used as it is, another one fetched. Observations in parts (a dictionary of boxes, as in
    the mazes of D4RL) are put side by side, the parts in the order of their names.

    Args:
        dataset_id: such as `"mujoco/hopper/expert-v0"`; `MINARI_SCORES` lists those of D4RL and MuJoCo.
        download: whether to fetch what is not here.

    Returns:
        The transitions; a truncated episode is no terminal.

    Raises:
        FileNotFoundError: the dataset is not here and could not be fetched; the message says what to run where.
        ValueError: actions or observations that are no rows of real numbers.
    """
    import minari

    folder = _root() / dataset_id
    if not (folder / "data").exists():
        try:
            if not download:
                raise FileNotFoundError("fetching was not asked for")
            minari.download_dataset(dataset_id)
        except Exception as error:  # the hub's clients raise whatever they like
            raise FileNotFoundError(
                f"no Minari dataset {dataset_id} in {_root()}, and it was not fetched: {error}. Where the hub can be "
                f'reached run `pip install "minari[hf]"` and `minari download {dataset_id}`, then copy that folder '
                f"here to {folder}; MINARI_DATASETS_PATH names another place to look"
            ) from error
    dataset = minari.load_dataset(dataset_id)
    box = dataset.action_space
    if not isinstance(box, gymnasium.spaces.Box):
        raise ValueError(f"{dataset_id}: actions must be real numbers (a Box), got {box}")
    states, actions, rewards, next_states, terminals = [], [], [], [], []
    for episode in dataset.iterate_episodes():
        observed = _side_by_side(episode.observations, dataset_id)
        steps = len(episode.rewards)
        if len(observed) != steps + 1:
            raise ValueError(
                f"{dataset_id}: episode {episode.id} has {len(observed)} observations for {steps} steps, expected "
                f"{steps + 1}: one more for the end"
            )
        states.append(observed[:-1])
        next_states.append(observed[1:])
        actions.append(np.asarray(episode.actions).reshape(steps, -1))
        rewards.append(episode.rewards)
        terminals.append(episode.terminations)
    columns = [
        np.concatenate(column).astype(np.float32) for column in (states, actions, rewards, next_states, terminals)
    ]
    transitions = Transitions(*columns)
    if not box.is_bounded():
        return transitions
    return transitions.scale_actions(torch.tensor(box.low.flatten()), torch.tensor(box.high.flatten()))


def to_minari(transitions: Transitions, dataset_id: str, provenance: Provenance) -> Path:
    """Write transitions as a Minari dataset into Minari's folder on this machine.

    Args:
        transitions: in order of time, actions in [-1, 1].
        dataset_id: its new name, such as `"seem_lab/hopper/weak-v0"`.
        provenance: of the transitions; it becomes the dataset's description.

    Returns:
        The folder of the dataset.

    Raises:
        FileExistsError: there is a dataset of this name already.
    """
    import minari
    from minari.data_collector import EpisodeBuffer

    folder = _root() / dataset_id
    if folder.exists():
        raise FileExistsError(f"{folder} exists; choose another name or run `minari delete {dataset_id}`")
    data = transitions.to(device="cpu", dtype=torch.float32)
    buffers, begin = [], 0
    for number, end in enumerate(data.episode_ends().tolist()):
        rows = slice(begin, end + 1)
        terminal = data.terminal[rows].bool()
        late = torch.zeros_like(terminal)
        late[-1] = ~terminal[-1]
        buffers.append(
            EpisodeBuffer(
                id=number,
                observations=list(torch.cat([data.state[rows], data.next_state[end : end + 1]]).numpy()),
                actions=list(data.action[rows].numpy()),
                rewards=data.reward[rows].tolist(),
                terminations=terminal.tolist(),
                truncations=late.tolist(),
                infos={},
            )
        )
        begin = end + 1
    with warnings.catch_warnings():  # that no e-mail address is given
        warnings.simplefilter("ignore", UserWarning)
        minari.create_dataset_from_buffers(
            dataset_id,
            buffers,
            env=gymnasium.spec(provenance.environment),
            observation_space=gymnasium.spaces.Box(-np.inf, np.inf, (data.state.shape[1],), np.float32),
            action_space=gymnasium.spaces.Box(-1.0, 1.0, (data.action.shape[1],), np.float32),
            algorithm_name=provenance.behaviour,
            author="seem_lab",
            description=f"{provenance.command}; sha256 of the file {provenance.sha256}",
        )
    return folder


def normalised_score(dataset_id: str, returns: Sequence[float] | np.ndarray) -> np.ndarray:
    """Returns on the scale where a random policy has 0 and an expert 100.

    Args:
        dataset_id: a key of `MINARI_SCORES`.
        returns: of episodes, undiscounted.

    Returns:
        One score a return.

    Raises:
        KeyError: no reference scores are listed for this dataset.

    Example:
        >>> normalised_score("mujoco/hopper/expert-v0", [-20.272305, 3234.3])
        array([  0., 100.])
    """
    if dataset_id not in MINARI_SCORES:
        raise KeyError(f"no reference scores for {dataset_id}; there are some for {', '.join(MINARI_SCORES)}")
    low, high = MINARI_SCORES[dataset_id]
    return 100 * (np.asarray(returns, dtype=float) - low) / (high - low)


def _side_by_side(observed: Any, dataset_id: str) -> np.ndarray:
    """Observations of an episode as rows of numbers, `(steps + 1, state_dim)`."""
    if isinstance(observed, Mapping):
        return np.concatenate([_side_by_side(observed[name], dataset_id) for name in sorted(observed)], axis=1)
    if not isinstance(observed, np.ndarray) or observed.dtype.kind != "f":
        raise ValueError(f"{dataset_id}: observations must be real numbers (boxes), got {type(observed).__name__}")
    return observed.reshape(len(observed), -1)


def _root() -> Path:
    """Where Minari keeps its datasets on this machine."""
    return Path(os.environ.get("MINARI_DATASETS_PATH") or Path.home() / ".minari" / "datasets")
