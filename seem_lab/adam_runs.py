"""The stored runs under Adam of lesson 06: `data/adam_runs.npz`, described in `data/README.md`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from seem_lab.growth import terminal_start
from seem_lab.networks import mlp
from seem_lab.problems import DATA

HIDDEN = {2: (64,), 3: (64, 64)}  # depth to width of the hidden layers
SETTINGS = ("depth", "beta2", "lr", "gamma")


@dataclass(frozen=True)
class AdamRuns:
    """Runs of the toy walk under Adam that share their settings, one row a seed; made by `stored_adam_runs`.

    Args:
        depth: linear layers L.
        beta2: Adam's.
        lr: learning rate.
        gamma: discount.
        parameters: P, of one network.
        seed: `(S,)` walk seeds; the network's is 1000 higher.
        step: `(T,)` updates done.
        last_switch: `(S,)` last step at which a greedy next action changed.
        q_max: `(S, T)` largest |Q|.
        td_error_norm: `(S, T)` ||u||.
        parameter_norm: `(S, T)` ||theta||.
        ratio: `(S, T)` |m| / sqrt(v), bias-corrected, of the median parameter among the active ones.
        active_share: `(S, T)` share of parameters whose gradient is not 0. This and what follows: nan unless beta2,
            lr and gamma are the usual ones.
        flipped_share: `(S, T)` share of these whose gradient changed its sign since the step before.
        step_norm: `(S, T)` length of the update.
        cosine: `(S, T)` between the update and theta.
        sgd_rate: `(S, T)` eps SEEM.
        adam_rate: `(S, T)` the same of A_Adam, the matrix with Adam's step sizes.
    """

    depth: int
    beta2: float
    lr: float
    gamma: float
    parameters: int
    seed: np.ndarray
    step: np.ndarray
    last_switch: np.ndarray
    q_max: np.ndarray
    td_error_norm: np.ndarray
    parameter_norm: np.ndarray
    ratio: np.ndarray
    active_share: np.ndarray
    flipped_share: np.ndarray
    step_norm: np.ndarray
    cosine: np.ndarray
    sgd_rate: np.ndarray
    adam_rate: np.ndarray

    @property
    def rms_ratio(self) -> np.ndarray:
        """`(S, T)` the ratio again, root mean square over the active parameters: the update's length tells it."""
        return self.step_norm / (self.lr * np.sqrt(self.active_share * self.parameters))

    @property
    def slope(self) -> np.ndarray:
        """`(S, T)` slope of ||theta|| a step, over lr sqrt(P)."""
        return np.gradient(self.parameter_norm, self.step, axis=1) / (self.lr * np.sqrt(self.parameters))

    def climbs(self, until: int = 4000) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Steps, ||theta|| and largest |Q| of every seed that climbs, from ten times the smallest ||u|| on."""
        there = self.step <= until
        for error, norm, q in zip(self.td_error_norm, self.parameter_norm, self.q_max, strict=True):
            start = terminal_start(error[there])
            if start is not None:
                yield self.step[there][start:], norm[there][start:], q[there][start:]


def stored_adam_runs(depth: int = 2, beta2: float = 0.999, lr: float = 1e-3, gamma: float = 0.99) -> AdamRuns:
    """The stored runs with these settings.

    Args:
        depth: 2 or 3 linear layers.
        beta2: .9, .99, .999 or .9999.
        lr: 3e-4, 1e-3 or 3e-3.
        gamma: .99; also .965 and .95, with the other settings as they are by default.

    Returns:
        24 seeds at lr 1e-3, 8 at the others.

    Raises:
        ValueError: settings that were not stored.

    Example:
        >>> runs = stored_adam_runs(depth=3)
        >>> runs.q_max.shape, runs.parameters
        ((24, 81), 4545)
    """
    stored = _stored()
    wanted = dict(zip(SETTINGS, (depth, beta2, lr, gamma), strict=True))
    rows = np.all([stored[name] == value for name, value in wanted.items()], axis=0)
    if not rows.any():
        there = "; ".join(f"{name} {', '.join(f'{x:g}' for x in np.unique(stored[name]))}" for name in SETTINGS)
        raise ValueError(f"no runs with {wanted} are stored; there are {there} (smaller gamma at the usual settings)")
    own = {name: values[rows] for name, values in stored.items() if name not in {*SETTINGS, "step"}}
    series = {name: values.astype(float) if values.ndim == 2 else values for name, values in own.items()}
    parameters = sum(p.numel() for p in mlp(4, HIDDEN[depth]).parameters())
    return AdamRuns(depth, beta2, lr, gamma, parameters, step=stored["step"], **series)


@cache
def _stored() -> dict[str, np.ndarray]:
    with np.load(DATA / "adam_runs.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
