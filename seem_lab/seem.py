"""The SEEM matrix A = gamma G(X*, X) - G(X, X) and its leading eigenvalue, the self-excite eigenvalue measure."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from seem_lab.kernels import tangent_features
from seem_lab.networks import check_input


@dataclass(frozen=True)
class Seem:
    """The leading eigenvalue of A and what belongs to it; made by `seem` and `leading_mode`.

    Args:
        value: SEEM = max Re eig(A), per unit of `eps = 2 lr / N` (A carries no learning rate and no 1/N).
        frequency: imaginary part of that eigenvalue, >= 0; the mode turns by about `eps * frequency` radians a step.
        mode: `(N,)` right eigenvector of length 1, its largest entry real and positive: the shape of TD error that
            grows fastest.
        normalised: SEEM / ||A||_F, between -1 and 1, free of the kernel's scale.
        n: number of transitions N.
    """

    value: float
    frequency: float
    mode: Complex[Tensor, " n"]
    normalised: float
    n: int


def seem_matrix(
    network: nn.Module, x: Float[Tensor, "n d"], x_next: Float[Tensor, "n d"], discount: Float[Tensor, " n"]
) -> Float[Tensor, "n n"]:
    """`A = diag(discount) G(X*, X) - G(X, X)`, `(N, N)`, not symmetric.

    One gradient step on the mean squared TD error moves the TD error `u = Q(X) - r - discount Q(X*)` to
    `(I + eps A) u` with `eps = 2 lr / N`, to first order and with the next actions unchanged.

    Source: arXiv 2310.04411, the matrix A_t of its main theorem.

    Args:
        network: any module with one output a row.
        x: `(N, d)` inputs (s, a) of the data.
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)` gamma, 0 at a terminal; each in [0, 1].

    Returns:
        `(N, N)` matrix A, dtype and device of the inputs.

    Raises:
        TypeError, ValueError: as `ntk`; also lengths that differ, or a discount outside [0, 1].

    Example:
        >>> x = torch.ones(1, 1, dtype=torch.float64)
        >>> seem_matrix(nn.Linear(1, 1, bias=False, dtype=torch.float64), x, 2 * x, 0.75 * x[0]).item()
        0.5
    """
    check_input(network, x, "x")
    check_input(network, x_next, "x_next")
    if x.shape != x_next.shape:
        raise ValueError(f"x has shape {tuple(x.shape)} but x_next {tuple(x_next.shape)}; give one x_next a row of x")
    if discount.shape != (len(x),):
        raise ValueError(f"discount must have shape ({len(x)},), got {tuple(discount.shape)}; one a transition")
    if discount.dtype != x.dtype or discount.device != x.device:
        raise TypeError(f"discount is {discount.dtype} on {discount.device}, x is not; convert it with discount.to(x)")
    if not ((discount >= 0) & (discount <= 1)).all():
        raise ValueError("every discount must lie in [0, 1] (gamma, or 0 at a terminal)")
    features = tangent_features(network, torch.cat([x, x_next]))
    here, there = features[: len(x)], features[len(x) :]
    return discount[:, None] * there.kernel(here) - here.kernel(here)


def seem(
    network: nn.Module, x: Float[Tensor, "n d"], x_next: Float[Tensor, "n d"], discount: Float[Tensor, " n"]
) -> Seem:
    """SEEM of a network on given transitions.

    Args:
        network: any module with one output a row.
        x: `(N, d)` inputs (s, a) of the data.
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)` gamma, 0 at a terminal; each in [0, 1].

    Returns:
        The eigenvalue per unit of `eps = 2 lr / N`, its frequency and its mode.

    Raises:
        TypeError, ValueError: as `seem_matrix`.

    Example:
        >>> import seem_lab as sl
        >>> star = sl.baird_star()
        >>> round(sl.seem(sl.linear_q(8), *star.bootstrap(sl.linear_q(8))).value, 3)
        1.675
    """
    return leading_mode(seem_matrix(network, x, x_next, discount))


def leading_mode(matrix: Float[Tensor, "n n"]) -> Seem:
    """The eigenvalue of largest real part and its right eigenvector, of a matrix A that is already there.

    Args:
        matrix: `(N, N)`, any scale (it is divided by its largest entry first, so nothing overflows on the way).

    Returns:
        That eigenvalue as a `Seem`.

    Raises:
        ValueError: not square, or not finite.
    """
    scaled, scale = _unit_scale(matrix)
    values, vectors = torch.linalg.eig(scaled)
    index = _leading(values)
    mode = vectors[:, index]
    peak = mode[mode.abs().argmax()]
    mode = mode * (peak.conj() / peak.abs())
    value = values[index].item() * scale
    norm = torch.linalg.matrix_norm(scaled).item()
    normalised = values[index].real.item() / norm if norm > 0 else 0.0
    return Seem(value.real, abs(value.imag), mode, normalised, len(matrix))


def leading_eigenvalue(matrix: Float[Tensor, "n n"]) -> complex:
    """The eigenvalue of largest real part alone (imaginary part >= 0); cheaper than `leading_mode`, same errors."""
    scaled, scale = _unit_scale(matrix)
    values = torch.linalg.eigvals(scaled)
    return values[_leading(values)].item() * scale


def _unit_scale(matrix: Tensor) -> tuple[Tensor, float]:
    """The matrix divided by its largest entry, and that entry."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise ValueError(f"a square matrix is needed, got shape {tuple(matrix.shape)}")
    scale = matrix.abs().max().item()
    if not scale < float("inf"):  # also catches nan
        raise ValueError("the matrix is not finite; go back to the last finite state of the network")
    return (matrix / scale if scale > 0 else matrix), scale


def _leading(values: Tensor) -> int:
    """Index of the largest real part; of a conjugate pair, the one above the real axis."""
    tied = values.real >= values.real.max() - 1e-12 * values.abs().max()
    return int(torch.where(tied, values.imag, -torch.inf).argmax())
