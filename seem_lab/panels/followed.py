"""Runs of the toy walk, followed while they train, and kept for who asks again."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Generic, TypeVar

from torch import nn

from seem_lab.networks import mlp
from seem_lab.problems import Problem, toy_walk
from seem_lab.training import History, watch_training

T = TypeVar("T")
KEPT = 2  # runs of each kind: what is shown, and the one before or beside it; a run of deep networks has up to 20 MiB


class _Kept(Generic[T]):
    """Results of an iterator that can be gone through again; what is not there yet is taken from it."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source, self._results, self._lock = source, list[T](), threading.Lock()

    def __iter__(self) -> Iterator[T]:
        place = 0
        while True:
            with self._lock:
                if place == len(self._results):
                    try:
                        self._results.append(next(self._source))
                    except StopIteration:
                        return
            yield self._results[place]
            place += 1


def kept(function: Callable[..., Iterator[T]]) -> Callable[..., Iterator[T]]:
    """A generator function that remembers: the same arguments go through the same results, and on from there.

    Example:
        >>> @kept
        ... def squares(n):
        ...     for k in range(n):
        ...         print("computed", k)
        ...         yield k * k
        >>> next(squares(3))
        computed 0
        0
        >>> list(squares(3))
        computed 1
        computed 2
        [0, 1, 4]
    """
    remembered = lru_cache(maxsize=KEPT)(lambda *arguments: _Kept(function(*arguments)))

    @wraps(function)
    def go_through(*arguments: object) -> Iterator[T]:
        return iter(remembered(*arguments))

    return go_through


@dataclass(frozen=True)
class Followed:
    """A run so far.

    Args:
        walk: what is trained on.
        history: every step so far.
        networks: the network at the steps 0, `every`, 2 `every`, ... so far.
        every: so many steps.
        steps: the run is to last.
    """

    walk: Problem
    history: History
    networks: list[nn.Sequential]
    every: int
    steps: int

    @property
    def last(self) -> int:
        """The last step so far."""
        return int(self.history.step[-1])

    @property
    def over(self) -> bool:
        """Whether the run is at its end, good or bad."""
        return self.history.diverged or self.last == self.steps


@kept
def follow(
    seed: int, gamma: float, lr: float, steps: int, every: int, width: int = 64, depth: int = 2
) -> Iterator[Followed]:
    """Train the toy walk, walk s with network 1000 + s, and look every so many steps.

    Args:
        seed: s.
        gamma: discount.
        lr: learning rate.
        steps: number of updates.
        every: steps between two looks.
        width: hidden units of a layer.
        depth: linear layers L.
    """
    walk = toy_walk(seed, gamma=round(gamma, 6))
    network = mlp(walk.input_dim, hidden=(width,) * (depth - 1), seed=1000 + seed)
    networks: list[nn.Sequential] = []
    for history in watch_training(network, walk, every=every, lr=round(lr, 9), steps=steps):
        if history.step[-1] == len(networks) * every:
            networks.append(copy.deepcopy(network))
        yield Followed(walk, history, networks, every, steps)
