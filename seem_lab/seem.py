"""The SEEM matrix A = gamma G(X*, X) - G(X, X) and its leading eigenvalue, the self-excite eigenvalue measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from seem_lab.kernels import features_of
from seem_lab.products import SeemProduct
from seem_lab.progress import LateBar
from seem_lab.spectrum import Eigenpairs, NotConverged, dense_pairs, krylov_pairs
from seem_lab.stacks import Networks, Stack

DENSE_LIMIT = 200  # transitions; below, ARPACK saves at most 10 ms, and where it fails costs more (`make bench`)
FALLBACK_LIMIT = 4096  # transitions up to which `auto` has LAPACK settle what did not converge
NORM_SAMPLE = 512  # transitions from which the matrix-free route estimates ||A||_F

Route = Literal["auto", "dense", "krylov", "matrix-free"]


@dataclass(frozen=True, eq=False)
class Seem:
    """The leading eigenvalues of A and what belongs to them; made by `seem` and `leading_mode`.

    Args:
        eigenvalues: `(k,)`, largest real part first, per unit of `eps = 2 lr / N` (A carries no learning rate and no
            1/N); of a conjugate pair only the one with positive imaginary part.
        modes: `(N, k)` right eigenvectors of length 1, largest entry real and positive.
        normalised: SEEM / ||A||_F, between -1 and 1, free of the kernel's scale; 0 where A is zero. The matrix-free
            route estimates ||A||_F from 512 random transitions, to a few per cent.
        residual: largest `||A v - lambda v|| / ||A||_F` among the k modes: some matrix within this relative distance
            of A has exactly these eigenvalues.
        route: what was done, `"dense"`, `"krylov"` or `"matrix-free"`.
        products: matrix-vector products it took; 0 on the dense route.
    """

    eigenvalues: Complex[Tensor, " k"]
    modes: Complex[Tensor, "n k"]
    normalised: float
    residual: float
    route: str
    products: int

    @property
    def value(self) -> float:
        """SEEM = max Re eig(A)."""
        return self.eigenvalues[0].real.item()

    @property
    def frequency(self) -> float:
        """Imaginary part of that eigenvalue, >= 0; the mode turns by about `eps * frequency` radians a step."""
        return abs(self.eigenvalues[0].imag.item())

    @property
    def mode(self) -> Complex[Tensor, " n"]:
        """`(N,)`: the shape of TD error that grows fastest."""
        return self.modes[:, 0]

    @property
    def n(self) -> int:
        """The number of transitions N."""
        return len(self.modes)

    def __repr__(self) -> str:
        return (
            f"Seem(value={self.value:.6g}, frequency={self.frequency:.6g}, normalised={self.normalised:.3g}, "
            f"n={self.n}, route={self.route!r}, residual={self.residual:.1e}, products={self.products})"
        )


def seem_matrix(
    network: Networks,
    x: Float[Tensor, "... n d"],
    x_next: Float[Tensor, "... n d"],
    discount: Float[Tensor, "... n"],
) -> Float[Tensor, "... n n"]:
    """`A = diag(discount) G(X*, X) - G(X, X)`, `(N, N)`, not symmetric.

    One gradient step on the mean squared TD error moves the TD error `u = Q(X) - r - discount Q(X*)` to
    `(I + eps A) u` with `eps = 2 lr / N`, to first order and with the next actions unchanged.

    Source: arXiv 2310.04411, the matrix A_t of its main theorem.

    Args:
        network: any module with one output a row; a list of S networks of one shape gives `(S, N, N)` at once.
        x: `(N, d)` inputs (s, a) of the data; for a list also `(S, N, d)`, and so for the others.
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)` gamma, 0 at a terminal; each in [0, 1].

    Returns:
        `(N, N)` matrix A, or `(S, N, N)`; dtype and device of the inputs.

    Raises:
        TypeError, ValueError: as `ntk`; also lengths that differ, or a discount outside [0, 1].

    Example:
        >>> x = torch.ones(1, 1, dtype=torch.float64)
        >>> seem_matrix(torch.nn.Linear(1, 1, bias=False, dtype=torch.float64), x, 2 * x, 0.75 * x[0]).item()
        0.5
    """
    stack = Stack(network)
    _check(stack, x, x_next, discount)
    return _matrix(stack, x, x_next, discount)


def _matrix(stack: Stack, x: Tensor, x_next: Tensor, discount: Tensor) -> Tensor:
    """`seem_matrix` of checked input."""
    n = x.shape[-2]
    features = features_of(stack, stack.check(torch.cat([x, x_next], dim=-2)))
    here, there = features[:n], features[n:]
    return there.kernel(here).mul_(discount[..., None]).sub_(here.kernel())


@overload
def seem(network: nn.Module, x: Tensor, x_next: Tensor, discount: Tensor, **settings: Any) -> Seem: ...


@overload
def seem(network: Sequence[nn.Module], x: Tensor, x_next: Tensor, discount: Tensor, **settings: Any) -> list[Seem]: ...


def seem(  # type: ignore[misc]  # the signatures above leave the settings open
    network: Networks,
    x: Float[Tensor, "... n d"],
    x_next: Float[Tensor, "... n d"],
    discount: Float[Tensor, "... n"],
    *,
    route: Route = "auto",
    k: int = 1,
    start: Complex[Tensor, " n"] | None = None,
    tolerance: float | None = None,
    memory: int = 2**30,
    progress: bool = True,
) -> Seem | list[Seem]:
    """SEEM of a network on given transitions, by the route that suits their number.

    `"dense"`: all eigenvalues by LAPACK, in float64. `"krylov"`: ARPACK on the matrix. `"matrix-free"`: ARPACK on
    products alone, linear in N. `"auto"` takes the first up to 200 transitions, the second while the matrix fits into
    `memory` (12 N^2 bytes), the third beyond; where the second does not converge and N <= 4096 the first settles it.

    Args:
        network: any module with one output a row; a list of S networks of one shape (not matrix-free) gives S results.
        x: `(N, d)` inputs (s, a) of the data; for a list also `(S, N, d)`, and so for the others.
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)` gamma, 0 at a terminal; each in [0, 1].
        route: see above; the result says which one it was.
        k: how many leading eigenvalues, a conjugate pair counted once.
        start: `(N,)` mode to begin the iteration with, `Seem.mode` of a moment ago; saves products, changes no result.
        tolerance: largest residual in units of ||A||_F, 1e-8 on the matrix and 1e-3 matrix-free if not given. An
            eigenvalue that is smaller than tolerance * ||A||_F cannot be told from zero.
        memory: bytes that the matrix, or a chunk of products and the Krylov vectors, may take.
        progress: show a progress bar when the products take more than three seconds.

    Returns:
        `Seem`, or a list of them for a list of networks.

    Raises:
        TypeError, ValueError: as `seem_matrix`; also an unknown route, or a matrix that overflows.
        NotConverged: with the remedy.

    Example:
        >>> import seem_lab as sl
        >>> star = sl.baird_star()
        >>> round(sl.seem(sl.linear_q(8), *star.bootstrap(sl.linear_q(8))).value, 3)
        1.675
    """
    if route not in ("auto", "dense", "krylov", "matrix-free"):
        raise ValueError(f"route must be 'auto', 'dense', 'krylov' or 'matrix-free', got {route!r}")
    stack = Stack(network)
    _check(stack, x, x_next, discount)
    n = x.shape[-2]
    if route == "matrix-free" or (route == "auto" and n > DENSE_LIMIT and 12 * n**2 > memory):
        if stack.several:
            raise ValueError("the matrix-free route takes one network at a time: loop over the list")
        return _matrix_free(stack, x, x_next, discount, k, start, tolerance or 1e-3, memory, progress)
    matrix = _matrix(stack, x, x_next, discount)
    if stack.several:
        return [_of_matrix(each, route, k, start, tolerance or 1e-8) for each in matrix]
    return _of_matrix(matrix, route, k, start, tolerance or 1e-8)


def leading_mode(matrix: Float[Tensor, "n n"], k: int = 1) -> Seem:
    """The k eigenvalues of largest real part and their right eigenvectors, of a matrix A that is already there.

    Args:
        matrix: `(N, N)`, any scale (it is divided by its largest entry first, so nothing overflows on the way).
        k: how many.

    Returns:
        These eigenvalues as a `Seem`.

    Raises:
        ValueError: not square, or not finite.
    """
    return _of_matrix(matrix, "dense", k, None, 0.0)


def leading_eigenvalue(matrix: Float[Tensor, "n n"]) -> complex:
    """The eigenvalue of largest real part alone (imaginary part >= 0); cheaper than `leading_mode`, same errors."""
    scaled, scale = _unit_scale(matrix)
    values = torch.from_numpy(np.linalg.eigvals(scaled.double().cpu().numpy())).to(torch.complex128)
    tied = values.real >= values.real.max() - 1e-12 * values.abs().max()
    return values[torch.where(tied, values.imag, -torch.inf).argmax()].item() * scale


def _of_matrix(matrix: Tensor, route: str, k: int, start: Tensor | None, tolerance: float) -> Seem:
    """By LAPACK or ARPACK; `tolerance` is for the latter."""
    scaled, scale = _unit_scale(matrix)
    n, length = len(matrix), torch.linalg.matrix_norm(scaled, dtype=torch.float64).item()
    if length == 0:
        return _zero(matrix[0], k, "dense")
    unit, norm = scaled.double() / length, length * scale
    if route == "krylov" or (route == "auto" and n > DENSE_LIMIT):

        def product(v: Tensor) -> Tensor:
            return (unit @ v.to(unit.device)).cpu()

        try:
            return _result(krylov_pairs(product, n, k, start=start, tolerance=tolerance), norm, "krylov", matrix)
        except NotConverged:
            if route == "krylov" or n > FALLBACK_LIMIT:
                raise
    return _result(dense_pairs(unit, k), norm, "dense", matrix)


def _matrix_free(
    stack: Stack,
    x: Tensor,
    x_next: Tensor,
    discount: Tensor,
    k: int,
    start: Tensor | None,
    tolerance: float,
    memory: int,
    progress: bool,
) -> Seem:
    """By ARPACK on products; half of the memory for a chunk of rows, half for the Krylov vectors."""
    n = len(x)
    norm = _estimated_norm(stack, x, x_next, discount)
    if norm == 0:
        return _zero(discount, k, "matrix-free")
    operator = SeemProduct(stack, x, x_next, discount, memory // 2)
    bar = LateBar(None, desc="SEEM", unit="product", show=progress)

    def product(v: Tensor) -> Tensor:
        bar.update()
        return operator(v).cpu() / norm

    with bar:
        vectors = max(20, memory // 2 // (8 * n))
        pairs = krylov_pairs(product, n, k, start=start, tolerance=tolerance, largest_subspace=vectors)
    return _result(pairs, norm, "matrix-free", x)


def _estimated_norm(stack: Stack, x: Tensor, x_next: Tensor, discount: Tensor) -> float:
    """||A||_F from the square of A that belongs to some random transitions; it runs the checks of `seem_matrix`."""
    n = len(x)
    rows = torch.randperm(n, generator=torch.Generator().manual_seed(0))[:NORM_SAMPLE].to(x.device)
    scaled, scale = _unit_scale(_matrix(stack, x[rows], x_next[rows], discount[rows]))
    squares, m = scaled.double().square(), len(rows)
    diagonal = squares.diagonal().sum().item()
    pairs = n * (n - 1) / max(m * (m - 1), 1)  # off the diagonal, so many pairs stand behind each one seen
    return scale * math.sqrt(diagonal * n / m + (squares.sum().item() - diagonal) * pairs)


def _result(pairs: Eigenpairs, norm: float, route: str, like: Tensor) -> Seem:
    """From the eigenpairs of A / norm; `like` gives device and precision."""
    vectors = pairs.vectors.to(device=like.device, dtype=like.dtype.to_complex())
    return Seem(pairs.values * norm, vectors, pairs.values[0].real.item(), pairs.residual, route, pairs.products)


def _zero(like: Tensor, k: int, route: str) -> Seem:
    """Of a matrix that is zero throughout; `like` has length N. Any vector is a mode: the first k units are given."""
    units = torch.eye(len(like), k, dtype=like.dtype.to_complex(), device=like.device)
    return Seem(torch.zeros(k, dtype=torch.complex128), units, 0.0, 0.0, route, 0)


def _check(stack: Stack, x: Tensor, x_next: Tensor, discount: Tensor) -> None:
    """Inputs that fit the network and each other, and discounts in [0, 1]."""
    stack.check(x, "x")
    stack.check(x_next, "x_next")
    if x.shape != x_next.shape:
        raise ValueError(f"x has shape {tuple(x.shape)} but x_next {tuple(x_next.shape)}; give one x_next a row of x")
    if discount.shape not in (x.shape[-2:-1], x.shape[:-1]):
        raise ValueError(
            f"discount must have shape {tuple(x.shape[:-1])}, got {tuple(discount.shape)}; one a transition"
        )
    if discount.dtype != x.dtype or discount.device != x.device:
        raise TypeError(f"discount is {discount.dtype} on {discount.device}, x is not; convert it with discount.to(x)")
    if not ((discount >= 0) & (discount <= 1)).all():
        raise ValueError("every discount must lie in [0, 1] (gamma, or 0 at a terminal)")


def _unit_scale(matrix: Tensor) -> tuple[Tensor, float]:
    """The matrix divided by its largest entry, and that entry."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise ValueError(f"a square matrix is needed, got shape {tuple(matrix.shape)}")
    scale = matrix.abs().max().item()
    if not scale < float("inf"):  # also catches nan
        raise ValueError(
            "the matrix is not finite; go back to the last finite state of the network, or, where only the kernel "
            "overflows float32, convert network and inputs to float64"
        )
    return (matrix / scale if scale > 0 else matrix), scale
