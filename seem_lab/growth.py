"""Growth laws: in what order Q, its tangent kernel and the parameters grow, and the lines and exponents that show it.

A ReLU network of L linear layers without biases is homogeneous: all parameters times s means Q times s^L and the
tangent kernel times s^(2L-2). So once the TD error u points in one direction, SEEM grows like u^p, p = (2L-2)/L, and

    du/dt = eps SEEM u   =>   u^(-p) falls on a straight line to zero, at the crash.

With biases the network is homogeneous only in the limit of large parameters. Every fit here says its window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Fit:
    """A straight line through transformed values; made by the `fit_*` functions.

    Args:
        exponent: what the fit is after: the order of growth. For `fit_line` it is 1.
        slope: of the line, per step (per unit of log size in `fit_kernel_exponent`).
        intercept: of the line.
        zero: where the line meets zero; a step. nan where that means nothing.
        r_squared: share of the variance the line explains.
        first: first step of the window.
        last: last step of the window.
        points: number of points in it.
    """

    exponent: float
    slope: float
    intercept: float
    zero: float
    r_squared: float
    first: int
    last: int
    points: int

    def __repr__(self) -> str:
        zero = "" if np.isnan(self.zero) else f", zero at step {self.zero:.1f}"
        return (
            f"Fit(exponent {self.exponent:.3g}, R^2 {self.r_squared:.4f}{zero}; "
            f"{self.points} points, steps {self.first} to {self.last})"
        )


def growth_exponent(depth: int) -> float:
    """p = (2L - 2) / L: on the terminal ray SEEM grows like `u^p`, and `u^(-p)` falls on a line.

    Args:
        depth: L, the number of linear layers.

    Returns:
        p: 0 for a linear Q (growth is exponential, there is no crash), 1 for L = 2, 4/3 for L = 3, 3/2 for L = 4.

    Raises:
        ValueError: fewer than one layer.

    Source: arXiv 2310.04411, the theorem on the order of growth under SGD; any L is our derivation.

    Example:
        >>> [growth_exponent(depth) for depth in (1, 2, 4)]
        [0.0, 1.0, 1.5]
    """
    if depth != int(depth) or depth < 1:
        raise ValueError(f"depth counts linear layers, a whole number from 1 on; got {depth}")
    return (2 * depth - 2) / depth


def terminal_start(td_error_norm: ArrayLike, multiple: float = 10.0) -> int | None:
    """Where the terminal growth begins: the first record at which ||u|| is so many times its minimum so far.

    Args:
        td_error_norm: `(T,)` ||u|| over the records of a run.
        multiple: of the minimum so far; above 1.

    Returns:
        The index of that record; None if ||u|| never grew so far.

    Raises:
        ValueError: `multiple` of 1 or less.

    Example:
        >>> terminal_start([4.0, 1.0, 2.0, 12.0, 90.0])
        3
    """
    if not multiple > 1:
        raise ValueError(f"multiple must be above 1, got {multiple}")
    size = np.asarray(td_error_norm, dtype=float)
    grown = np.flatnonzero(size >= multiple * np.minimum.accumulate(size))
    return int(grown[0]) if len(grown) else None


def fit_line(step: ArrayLike, values: ArrayLike) -> Fit:
    """Least-squares line through values over steps: the norm of the parameters, or Q^(1/L), under Adam.

    Args:
        step: `(T,)` steps.
        values: `(T,)` values.

    Returns:
        The line; `exponent` is 1.

    Raises:
        ValueError: fewer than 3 points, lengths that differ, values that are not finite.

    Example:
        >>> fit_line([0, 1, 2], [1.0, 3.0, 5.0]).slope
        2.0
    """
    step, values = _series(step=step, values=values)
    return _line(step, values, step, exponent=1.0)


def fit_inverse_power(step: ArrayLike, size: ArrayLike, exponent: float) -> Fit:
    """The line of `size^(-exponent)` over steps; it meets zero at the crash.

    For Q or ||u|| the exponent is `growth_exponent(depth)`, for ||theta|| it is 2 depth - 2.

    Args:
        step: `(T,)` steps, a window in which the size grows.
        size: `(T,)` positive sizes.
        exponent: p > 0.

    Returns:
        The line; `zero` is the crash it forecasts.

    Raises:
        ValueError: as `fit_line`; also sizes or an exponent that are not positive.

    Example:
        >>> step = np.arange(50)
        >>> round(fit_inverse_power(step, 1 / (80 - step), exponent=1.0).zero, 6)
        80.0
    """
    step, size = _series(step=step, size=size)
    _positive(size=size, exponent=np.array(exponent))
    return _line(step, (size / size[0]) ** -exponent, step, exponent)


def fit_free_exponent(step: ArrayLike, size: ArrayLike) -> Fit:
    """The same with the exponent left free: the p in (0.05, 8) for which `size^(-p)` is straightest.

    Args:
        step: `(T,)` steps, a window in which the size grows.
        size: `(T,)` positive sizes.

    Returns:
        The line of that exponent.

    Raises:
        ValueError: as `fit_inverse_power`.

    Example:
        >>> step = np.arange(50)
        >>> round(fit_free_exponent(step, (80 - step) ** -0.75).exponent, 2)
        1.33
    """
    step, size = _series(step=step, size=size)
    _positive(size=size)

    def crookedness(exponent: float) -> float:
        return _crookedness(step, (size / size[0]) ** -exponent)

    best = scipy.optimize.minimize_scalar(crookedness, bounds=(0.05, 8.0), method="bounded", options={"xatol": 1e-6}).x
    return fit_inverse_power(step, size, float(best))


def fit_kernel_exponent(step: ArrayLike, size: ArrayLike, seem: ArrayLike) -> Fit:
    """Order in which SEEM grows with the error: the slope of log SEEM over log ||u||; theory says (2L - 2)/L.

    Args:
        step: `(T,)` steps, only to state the window.
        size: `(T,)` positive ||u||.
        seem: `(T,)` positive SEEM.

    Returns:
        The line; `exponent` is its slope.

    Raises:
        ValueError: as `fit_line`; also values that are not positive.

    Example:
        >>> round(fit_kernel_exponent([0, 1, 2], [1.0, 10.0, 100.0], [2.0, 20.0, 200.0]).exponent, 6)
        1.0
    """
    step, size, seem = _series(step=step, size=size, seem=seem)
    _positive(size=size, seem=seem)
    return _line(np.log(size), np.log(seem), step, exponent=None)


def fit_power(step: ArrayLike, size: ArrayLike) -> Fit:
    """Polynomial growth: the k in (0.1, 12) for which `size^(1/k)` is straightest over steps; L under Adam.

    Args:
        step: `(T,)` steps, a window in which the size grows.
        size: `(T,)` positive sizes.

    Returns:
        The line of `size^(1/k)`; `exponent` is k, and `zero` where the growth seems to have begun.

    Raises:
        ValueError: as `fit_line`; also sizes that are not positive.

    Example:
        >>> step = np.arange(10.0, 60.0)
        >>> round(fit_power(step, 0.3 * (step + 5) ** 2).exponent, 2)
        2.0
    """
    step, size = _series(step=step, size=size)
    _positive(size=size)

    def crookedness(root: float) -> float:
        return _crookedness(step, (size / size[-1]) ** root)

    root = float(
        scipy.optimize.minimize_scalar(crookedness, bounds=(1 / 12, 10.0), method="bounded", options={"xatol": 1e-6}).x
    )
    return _line(step, size**root, step, exponent=1 / root)


def _crookedness(x: np.ndarray, y: np.ndarray) -> float:
    """1 - R² of the line, without the p-value that linregress adds at many times the cost; nan for a constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - float(np.corrcoef(x, y)[0, 1]) ** 2


def _line(x: np.ndarray, y: np.ndarray, step: np.ndarray, exponent: float | None) -> Fit:
    """Least squares; an exponent of None is the slope."""
    line = scipy.stats.linregress(x, y)
    slope, intercept = float(line.slope), float(line.intercept)
    zero = -intercept / slope if exponent is not None and slope != 0 else np.nan
    order = slope if exponent is None else float(exponent)
    return Fit(order, slope, intercept, zero, float(line.rvalue) ** 2, int(step[0]), int(step[-1]), len(step))


def _series(**named: ArrayLike) -> list[np.ndarray]:
    """Arrays of one length, long enough and finite."""
    arrays = [np.asarray(values, dtype=float) for values in named.values()]
    shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(named, arrays, strict=True))
    if any(array.ndim != 1 or array.shape != arrays[0].shape for array in arrays) or len(arrays[0]) < 3:
        raise ValueError(f"a fit needs series of one length, 3 points or more; got {shapes}: widen the window")
    for name, array in zip(named, arrays, strict=True):
        if not np.isfinite(array).all():
            raise ValueError(
                f"{name} is not finite at point {int(np.argmin(np.isfinite(array)))}; leave such points out"
            )
    return arrays


def _positive(**named: np.ndarray) -> None:
    """Powers and logarithms need it."""
    for name, values in named.items():
        if not (values > 0).all():
            raise ValueError(f"{name} must be positive to take powers of it; start the window later")
