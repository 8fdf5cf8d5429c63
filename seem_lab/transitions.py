"""Recorded experience: transitions (s, a, r, s', terminal) as tensors that are checked once, on entry."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

Values = Tensor | np.ndarray | Sequence[Any]
_RANKS = {"state": 2, "action": 2, "reward": 1, "next_state": 2, "terminal": 1}


@dataclass(frozen=True, init=False, eq=False)
class Transitions:
    """N transitions, every field a tensor of one dtype (float32 or float64) on one device.

    Tensors, arrays and nested lists are accepted; they are copied and cast to the dtype of `state`.

    Args:
        state: `(N, state_dim)` states s.
        action: `(N, action_dim)` actions a; `action_dim` may be 0 where nothing is chosen.
        reward: `(N,)` rewards r.
        next_state: `(N, state_dim)` successor states s'.
        terminal: `(N,)` 1 (or True) where the episode *ended* at s', so that nothing is bootstrapped; a time limit
            is not a terminal.

    Raises:
        ValueError: empty, lengths or ranks that do not match, nan or infinite entries, terminal not 0 or 1.
        TypeError: a dtype other than float32 / float64 for `state`, or half precision anywhere.

    Example:
        >>> t = Transitions([[0.0], [1.0]], [[1.0], [1.0]], [0.0, 1.0], [[1.0], [2.0]], [False, True])
        >>> len(t), t.reward.dtype
        (2, torch.float64)
    """

    state: Float[Tensor, "n ds"]
    action: Float[Tensor, "n da"]
    reward: Float[Tensor, " n"]
    next_state: Float[Tensor, "n ds"]
    terminal: Float[Tensor, " n"]

    def __init__(self, state: Values, action: Values, reward: Values, next_state: Values, terminal: Values) -> None:
        given = dict(zip(_RANKS, (state, action, reward, next_state, terminal), strict=True))
        state = _as_tensor("state", state)
        if not state.is_floating_point():
            raise TypeError(f"state has dtype {state.dtype}; give float64 (toy lessons) or float32 (full scale)")
        for name, rank in _RANKS.items():
            value = _as_tensor(name, given[name])
            if value.device != state.device:
                raise ValueError(f"{name} is on {value.device} but state on {state.device}; move both with .to(device)")
            if value.ndim != rank:
                shape = "(N, dim)" if rank == 2 else "(N,)"
                raise ValueError(f"{name} must have shape {shape}, got {tuple(value.shape)}")
            if len(value) != len(state):
                raise ValueError(f"{name} has {len(value)} rows but state has {len(state)}; give one row a transition")
            value = value.to(state.dtype)
            bad = ~torch.isfinite(value)
            if bad.any():
                raise ValueError(f"{name} is nan or infinite, first in row {int(bad.nonzero()[0, 0])}; drop such rows")
            object.__setattr__(self, name, value)
        if len(state) == 0:
            raise ValueError("transitions are empty; give at least one row")
        if self.next_state.shape != state.shape:
            raise ValueError(f"next_state has shape {tuple(self.next_state.shape)}, state {tuple(state.shape)}")
        if not ((self.terminal == 0) | (self.terminal == 1)).all():
            raise ValueError("terminal must be 0 or 1 (False or True) in every row")

    def __len__(self) -> int:
        """The number of transitions N."""
        return len(self.state)

    def __getitem__(self, rows: Any) -> Transitions:
        """The transitions in `rows` (a slice, an index tensor or a boolean mask), as new `Transitions`."""
        return Transitions(**{name: getattr(self, name)[rows] for name in _RANKS})

    def episode_ends(self) -> Int[Tensor, " episodes"]:
        """`(episodes,)` last row of each episode, for rows in order of time: what follows is not its next state.

        The comparison is to the bit, so that `save` loses nothing.

        Example:
            >>> t = Transitions([[0.0], [1.0], [5.0]], torch.zeros(3, 1), [0.0] * 3, [[1.0], [2.0], [6.0]], [0, 1, 0])
            >>> t.episode_ends().tolist()
            [1, 2]
        """
        bits = torch.int64 if self.state.dtype == torch.float64 else torch.int32
        state, next_state = (values.contiguous().view(bits) for values in (self.state, self.next_state))
        runs_on = (next_state[:-1] == state[1:]).all(dim=1)
        return torch.cat([~runs_on, runs_on.new_ones(1)]).nonzero()[:, 0]

    def subset(self, fraction: float, seed: int = 0) -> Transitions:
        """A random share of the transitions, without replacement, in their old order.

        Args:
            fraction: share to keep, in (0, 1]; at least one transition is kept.
            seed: the same seed draws the same rows.

        Raises:
            ValueError: `fraction` outside (0, 1].
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction must lie in (0, 1], got {fraction}")
        keep = max(1, round(fraction * len(self)))
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return self[order[:keep].sort().values.to(self.state.device)]

    def normalise_states(
        self, mean: Float[Tensor, " ds"] | None = None, std: Float[Tensor, " ds"] | None = None
    ) -> tuple[Transitions, Float[Tensor, " ds"], Float[Tensor, " ds"]]:
        """States shifted and scaled to mean 0 and standard deviation 1, next states by the same numbers.

        Args:
            mean: `(state_dim,)` shift; taken from `state` if not given.
            std: `(state_dim,)` scale; taken from `state` if not given. A constant column is left unscaled.

        Returns:
            The new transitions, and the mean and standard deviation used (apply them to new states as well).
        """
        mean = self.state.mean(0) if mean is None else mean
        if std is None:
            std = self.state.std(0, correction=0)
            std = torch.where(std > 0, std, torch.ones_like(std))
        scaled = replace(self, state=(self.state - mean) / std, next_state=(self.next_state - mean) / std)
        return scaled, mean, std

    def scale_actions(self, low: float | Float[Tensor, " da"], high: float | Float[Tensor, " da"]) -> Transitions:
        """Actions of [low, high] shifted and scaled to [-1, 1], as full-scale agents want them.

        Args:
            low: the action that becomes -1, one number or `(action_dim,)`.
            high: the action that becomes 1, likewise.

        Raises:
            ValueError: `low` is not below `high`.
        """
        below, above = (torch.as_tensor(bound).to(self.action) for bound in (low, high))
        if not (below < above).all():
            raise ValueError(f"actions need low < high, got {low} and {high}")
        return replace(self, action=(self.action - (below + above) / 2) / ((above - below) / 2))

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Transitions:
        """The same transitions on another device, in another dtype, or both."""
        return Transitions(**{name: getattr(self, name).to(device=device, dtype=dtype) for name in _RANKS})

    def save(self, path: str | Path) -> Path:
        """Write to a compressed `.npz` file (no pickles); an existing file is replaced only once the new one is whole.

        Next states that are the state of the following row are not stored twice: instead of `next_state` the file has
        `end`, the rows where they are not (the last row of every episode), and `end_state`, the next states there.

        Raises:
            ValueError: `path` does not end in `.npz`.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"{path}: transitions are saved as .npz; name it {path.with_suffix('.npz').name}")
        unfinished = path.with_suffix(".unfinished.npz")
        try:
            end = self.episode_ends()
            stored = {name: getattr(self, name) for name in _RANKS if name != "next_state"}
            stored |= {"end": end.to(torch.int32), "end_state": self.next_state[end]}
            np.savez_compressed(unfinished, **{name: value.cpu().numpy() for name, value in stored.items()})
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Transitions:
        """Read what `save` wrote, or a file that has `next_state` in place of `end` and `end_state`.

        Raises:
            FileNotFoundError: no such file.
            ValueError: not an `.npz` file, truncated, or lacking arrays; the message names the file and what is wrong.
        """
        path = Path(path)
        try:
            with path.open("rb") as file:
                if not zipfile.is_zipfile(file):
                    raise ValueError("it is not an .npz archive, or cut short")
                file.seek(0)
                with np.load(file, allow_pickle=False) as arrays:
                    there = {name: arrays[name] for name in arrays if name in (*_RANKS, "end", "end_state")}
            if "state" in there and "next_state" not in there:
                there["next_state"] = _rebuilt(there["state"], there.get("end"), there.get("end_state"))
            missing = [name for name in _RANKS if name not in there]
            if missing:
                raise ValueError(f"it lacks {', '.join(missing)}")
            return cls(**{name: there[name] for name in _RANKS})
        except FileNotFoundError:
            raise FileNotFoundError(f"{path}: no such file") from None
        except (ValueError, TypeError, RuntimeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{path}: not a readable file of transitions: {error}") from error


def _rebuilt(state: np.ndarray, end: np.ndarray | None, end_state: np.ndarray | None) -> np.ndarray:
    """The next states: the state of the following row, but `end_state` in the rows `end`."""
    if end is None or end_state is None:
        raise ValueError("it lacks next_state, or end and end_state in its place")
    rising = end.ndim == 1 and end.dtype.kind == "i" and len(end) > 0 and (np.diff(end) > 0).all() and end[0] >= 0
    if not rising or end[-1] != len(state) - 1 or end_state.shape != (len(end), *state.shape[1:]):
        raise ValueError("end and end_state do not fit its states")
    next_state = np.roll(state, -1, axis=0)
    next_state[end] = end_state
    return next_state


def _as_tensor(name: str, value: Any) -> Tensor:
    """A tensor of its own memory; half precision is refused."""
    tensor = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(np.asarray(value))
    if tensor.dtype in (torch.float16, torch.bfloat16):
        raise TypeError(f"{name} has dtype {tensor.dtype}, too coarse for kernels; convert it with .to(torch.float32)")
    return tensor
