"""How far SEEM of a sample of transitions can be trusted: an interval from repeated draws out of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seem_lab.seem import seem


@dataclass(frozen=True, eq=False)
class SeemInterval:
    """Where SEEM / N of a random sample lies; made by `seem_interval`.

    Args:
        low: lower end.
        high: upper end.
        mean: of the draws.
        samples: `(draws,)` the values drawn.
        size: transitions in each draw.
        level: share of draws of this size that the interval is meant to hold.
    """

    low: float
    high: float
    mean: float
    samples: Float[Tensor, " draws"]
    size: int
    level: float


def seem_interval(
    network: nn.Module,
    x: Float[Tensor, "n d"],
    x_next: Float[Tensor, "n d"],
    discount: Float[Tensor, " n"],
    *,
    size: int = 256,
    draws: int = 20,
    level: float = 0.9,
    normalised: bool = False,
    seed: int = 0,
) -> SeemInterval:
    """An interval for SEEM / N: mean of draws of `size` transitions, plus and minus z standard deviations.

    SEEM itself grows with N; SEEM / N settles, to the leading eigenvalue of the operator behind the sample. This
    answers: *had I picked other transitions of this data, what would I have read?* It holds about `level` of further
    draws of the same size. It also holds the value of all N transitions as long as the bias of the small sample, of
    order 1 / size, is below the spread; where nothing is self-exciting SEEM is near 0 and the bias wins, so compare two
    sizes before you rely on a sign.

    Args:
        network: any module with one output a row.
        x: `(N, d)` inputs (s, a) of the data.
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)` gamma, 0 at a terminal.
        size: transitions in a draw, without replacement; less than N.
        draws: how many.
        level: between 0 and 1.
        normalised: SEEM / ||A||_F instead of SEEM / N.
        seed: of the draws; the global random state is left as it was.

    Returns:
        The interval, its mean and the values drawn.

    Raises:
        ValueError: `size` not between 1 and N - 1, fewer than two draws, a level outside (0, 1); else as `seem`.

    Example:
        >>> import seem_lab as sl
        >>> walk = sl.toy_walk(0, points=200)
        >>> critic = sl.mlp(walk.input_dim)
        >>> interval = seem_interval(critic, *walk.bootstrap(critic), size=100)
        >>> interval.low < interval.mean < interval.high
        True
    """
    n = len(x)
    if not 1 <= size < n:
        raise ValueError(f"size must lie between 1 and N - 1 = {n - 1}, got {size}; for all transitions use seem")
    if draws < 2 or not 0 < level < 1:
        raise ValueError(f"at least 2 draws and a level between 0 and 1 are needed, got {draws} and {level}")
    generator = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(draws):
        rows = torch.randperm(n, generator=generator)[:size].to(x.device)
        result = seem(network, x[rows], x_next[rows], discount[rows], progress=False)
        values.append(result.normalised if normalised else result.value / size)
    samples = torch.tensor(values, dtype=torch.float64)
    z = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    half = (
        z * samples.std().item() * math.sqrt(1 + 1 / draws)
    )  # a new draw varies, and so does the mean of the old ones
    mean = samples.mean().item()
    return SeemInterval(mean - half, mean + half, mean, samples, size, level)
