"""Minibatch noise: does the mean square of the error grow, even where its mean does not?

A batch of m transitions, drawn anew for each update without replacement, puts `w_i u_i` in the place of u_i, w having
mean 1 and, with p = m / N,

    cov(w_i, w_j) = S_ij = (1 - p) / p * N / (N - 1) * (delta_ij - 1 / N).

The mean follows the update map M. The second moments C = E[z z^T] of the state z follow another linear map,

    C <- M C M^T + E (S * (U C U^T)) E^T,

U giving the TD error of a state and E what an error does to the state. It maps positive matrices to positive ones, so
its largest eigenvalue is real, and the mean square grows if and only if that is above 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seem_lab.spectrum import krylov_pairs
from seem_lab.update_maps import UpdateMap

SMALL = 12  # states up to which the map of second moments is written out


def mean_square_growth(update: UpdateMap, batch: int, *, tolerance: float = 1e-9) -> float:
    """Growth per update of the root mean square of the error under minibatches, `log(rho) / 2` of the map above.

    Args:
        update: the map of full batches; its eps is `2 lr / N` with N the number of all transitions.
        batch: transitions in a batch, m, from 1 to N.
        tolerance: of the eigenvalue.

    Returns:
        Natural logarithm of the factor per update; never below the growth of the mean.

    Raises:
        ValueError: a batch that is empty or larger than the data.
        NotConverged: as `seem`.

    Example:
        >>> from seem_lab import FrozenKernels
        >>> update = UpdateMap(FrozenKernels(torch.eye(2), torch.zeros(2, 2)), eps=1.2)
        >>> mean_square_growth(update, batch=2) < 0 < mean_square_growth(update, batch=1)
        True
    """
    n, size = update.kernels.n, update.size
    if not 1 <= batch <= n:
        raise ValueError(f"a batch holds 1 to {n} transitions, got {batch}")
    units = torch.eye(size, dtype=torch.float64)
    reads = update.error(units)  # U, (N, size)
    answers = update.descend(
        torch.zeros(size, n, dtype=torch.float64), torch.eye(n, dtype=torch.float64)
    )  # E, (size, N)
    mean = update.descend(units, reads)
    follow = update.follow(units)
    share = batch / n
    spread = (1 - share) / share * n / max(n - 1, 1)
    covariance = spread * (torch.eye(n, dtype=torch.float64) - 1 / n)

    def cycle(moments: Tensor) -> Tensor:
        second = moments.view(size, size)
        for _ in range(update.period):
            noise = covariance * (reads @ second @ reads.T)
            second = mean @ second @ mean.T + answers @ noise @ answers.T
        return (follow @ second @ follow.T).reshape(-1)

    if size <= SMALL:
        written = torch.stack([cycle(unit) for unit in torch.eye(size**2, dtype=torch.float64)], dim=1)
        radius = torch.linalg.eigvals(written).abs().max().item()
    else:
        start = units.reshape(-1).to(torch.complex128)  # positive, so it holds the leading mode
        radius = krylov_pairs(cycle, size**2, 1, start=start, tolerance=tolerance, which="LM").values[0].abs().item()
    return math.log(radius) / (2 * update.period) if radius > 0 else -math.inf
