"""Is a training algorithm stable? The spectral radius of its update map, its leading modes, and the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor

from seem_lab.minibatch_noise import mean_square_growth
from seem_lab.progress import LateBar
from seem_lab.spectrum import Eigenpairs, NotConverged, dense_pairs, krylov_pairs
from seem_lab.update_maps import UpdateMap

DENSE_LIMIT = 400  # length of the state
FALLBACK_LIMIT = 4096  # up to which `auto` has LAPACK settle what did not converge
NEUTRAL = 1e-8  # growth per update that cannot be told from none

Verdict = Literal["stable", "self-excitation", "step-size instability", "minibatch noise"]
Route = Literal["auto", "dense", "krylov"]


@dataclass(frozen=True, eq=False)
class Stability:
    """What the update map says; made by `stability`.

    Args:
        multipliers: `(k,)` eigenvalues of largest modulus first, of the whole period; of a conjugate pair one.
        modes: `(size, k)` eigenvectors: coefficients of the network, of the momentum, of the target.
        feedback: `(k,)` real part of the force along each mode: above 0 the errors push the mode outwards.
        growth: log of the spectral radius per *update*: the error grows by this in the end, as a logarithm.
        mean_square_growth: the same for the root mean square under minibatches; None if no batch was given.
        verdict: `"stable"` (no growth), `"self-excitation"` (the leading mode grows and its errors push it outwards),
            `"step-size instability"` (it grows although they pull it back: the step overshoots), `"minibatch noise"`
            (only the mean square grows).
        period: updates in one application of the map.
        residual: largest `||M v - m v||` among the modes, v of length 1.
        route: `"dense"` or `"krylov"`.
        products: applications of the map it took; 0 on the dense route.
    """

    multipliers: Complex[Tensor, " k"]
    modes: Complex[Tensor, "size k"]
    feedback: Float[Tensor, " k"]
    growth: float
    mean_square_growth: float | None
    verdict: Verdict
    period: int
    residual: float
    route: str
    products: int

    @property
    def spectral_radius(self) -> float:
        """rho of the whole period."""
        return self.multipliers[0].abs().item()

    @property
    def frequency(self) -> float:
        """Radians per update by which the leading mode turns (per period, divided by the period)."""
        return self.multipliers[0].angle().abs().item() / self.period

    def __repr__(self) -> str:
        return f"Stability({self.verdict}, growth={self.growth:.4g} per update, route={self.route!r})"


def stability(
    update: UpdateMap,
    *,
    k: int = 1,
    batch: int | None = None,
    route: Route = "auto",
    tolerance: float = 1e-9,
) -> Stability:
    """Growth per update and verdict of a linearised training algorithm.

    The frozen linear model is unstable if and only if the spectral radius rho of its map is above 1; the error then
    grows by rho per period. *Why* is read off the leading mode. An optimiser is a filter that treats each mode alike,
    so along an eigenvector the force of the TD errors is a multiple kappa of the mode. If Re kappa > 0 the errors push
    the mode outwards: self-excitation. It is an instability of the smooth flow too, and a smaller step only slows it.
    If Re kappa <= 0 they pull it back and the step (of the network, or of its target) overshoots: the edge of
    stability. Without momentum the sign is that of Re (multiplier - 1). With a period above 1 the work of the force
    over the period decides.

    Where the features cannot tell N transitions apart (N > P, or a nearly singular kernel) some multipliers are 1 up
    to rounding: errors that stay. Growth below 1e-8 per update therefore counts as none.

    Source: ours; for tau = 1 without momentum it is SEEM, arXiv 2310.04411.

    Args:
        update: the map.
        k: how many modes to give.
        batch: transitions in a minibatch, for the mean-square criterion as well.
        route: `"dense"` (LAPACK), `"krylov"` (ARPACK on applications of the map), `"auto"` by size.
        tolerance: residual of the Krylov route.

    Returns:
        `Stability`.

    Raises:
        ValueError: an unknown route, or a map that is not finite.
        NotConverged: the Krylov route, with the remedy.

    Example:
        >>> import seem_lab as sl
        >>> star, q = sl.baird_star(), sl.linear_q(8)
        >>> kernels = sl.frozen_kernels(q, *star.bootstrap(q))
        >>> sl.stability(sl.UpdateMap(kernels, eps=sl.step_size(0.05, 7), tau=0.5)).verdict
        'self-excitation'
    """
    if route not in ("auto", "dense", "krylov"):
        raise ValueError(f"route must be 'auto', 'dense' or 'krylov', got {route!r}")
    pairs, taken = _pairs(update, k, route, tolerance)
    radius = pairs.values[0].abs().item()
    growth = float(np.log(radius)) / update.period if radius > 0 else -np.inf
    feedback = torch.tensor([update.feedback(mode) for mode in _complex_columns(pairs.vectors)], dtype=torch.float64)
    noisy = None if batch is None else mean_square_growth(update, batch)
    verdict: Verdict = "stable"
    if growth > NEUTRAL:
        verdict = "self-excitation" if feedback[0] > 0 else "step-size instability"
    elif noisy is not None and noisy > NEUTRAL:
        verdict = "minibatch noise"
    return Stability(
        multipliers=pairs.values,
        modes=pairs.vectors,
        feedback=feedback,
        growth=growth,
        mean_square_growth=noisy,
        verdict=verdict,
        period=update.period,
        residual=pairs.residual,
        route=taken,
        products=pairs.products,
    )


def spectral_radius(update: UpdateMap) -> float:
    """Largest modulus among the eigenvalues of the map, per period.

    Args:
        update: the map.

    Returns:
        rho, above 1 where the frozen linear model diverges.

    Raises:
        ValueError, NotConverged: as `stability`.

    Example:
        >>> from seem_lab import FrozenKernels
        >>> round(spectral_radius(UpdateMap(FrozenKernels(torch.eye(1), 1.5 * torch.eye(1)), eps=0.5)), 6)
        1.25
    """
    return stability(update).spectral_radius


@dataclass(frozen=True, eq=False)
class StabilityMap:
    """A phase diagram; made by `stability_map`.

    Args:
        rows: the values down the side.
        columns: the values along the top.
        growth: `(rows, columns)` growth per update.
        verdict: `(rows, columns)` verdicts.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    growth: Float[np.ndarray, "r c"]
    verdict: Shaped[np.ndarray, "r c"]


def stability_map(
    build: Callable[[float, float], UpdateMap],
    rows: Sequence[float],
    columns: Sequence[float],
    *,
    progress: bool = True,
) -> StabilityMap:
    """Verdict and rate over a grid of two settings: discount and tau, learning rate and momentum, width and depth.

    Args:
        build: makes the map of a row's and a column's value.
        rows: values of the first setting.
        columns: values of the second.
        progress: show a progress bar on more than three seconds of work.

    Returns:
        A `StabilityMap`.

    Raises:
        ValueError: an empty grid; and as `stability`.

    Example:
        >>> import seem_lab as sl
        >>> star, q = sl.baird_star(), sl.linear_q(8)
        >>> kernels = sl.frozen_kernels(q, *star.bootstrap(q))
        >>> grid = stability_map(lambda eps, tau: sl.UpdateMap(kernels, eps=eps, tau=tau), (0.01, 0.1), (0.1, 1.0))
        >>> grid.growth.shape
        (2, 2)
    """
    if len(rows) == 0 or len(columns) == 0:
        raise ValueError("the grid needs at least one row and one column")
    with LateBar(len(rows) * len(columns), desc="stability", unit="cell", show=progress) as bar:
        found = []
        for row in rows:
            for column in columns:
                found.append(stability(build(row, column)))
                bar.update()
    shape = (len(rows), len(columns))
    growth = np.array([each.growth for each in found]).reshape(shape)
    verdict = np.array([each.verdict for each in found]).reshape(shape)
    return StabilityMap(tuple(rows), tuple(columns), growth, verdict)


def _pairs(update: UpdateMap, k: int, route: str, tolerance: float) -> tuple[Eigenpairs, str]:
    """Leading eigenpairs and the route they came by."""
    if route == "krylov" or (route == "auto" and update.size > DENSE_LIMIT):
        try:
            pairs = krylov_pairs(update, update.size, k, start=None, tolerance=tolerance, which="LM")
            return pairs, "krylov"
        except NotConverged:
            if route == "krylov" or update.size > FALLBACK_LIMIT:
                raise
    matrix = update.matrix()
    if not torch.isfinite(matrix).all():
        raise ValueError("the update map is not finite; go back to the last finite state, or shorten the period")
    return dense_pairs(matrix, k, "LM"), "dense"


def _complex_columns(vectors: Tensor) -> list[Tensor]:
    """Each mode as `(size, 2)` real columns, which every linear operation takes: its real and imaginary part."""
    return [torch.stack([v.real, v.imag], dim=1) for v in vectors.T]
