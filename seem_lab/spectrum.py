"""The eigenvalues of largest real part (or modulus), of a matrix (dense) or of its products (Krylov).

No network appears here. Eigenvalues of a real matrix that are not real come in conjugate pairs; each pair is counted
once, by its member with the positive imaginary part, because the other says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
import torch
from jaxtyping import Complex, Float
from torch import Tensor

Which = Literal["LR", "LM"]  # largest real part, largest modulus; ARPACK's names
SUBSPACES = (10, 40, 160)  # dimensions of the Krylov space, tried in turn


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Leading eigenvalues first.

    Args:
        values: `(k,)`, imaginary parts >= 0.
        vectors: `(N, k)` right eigenvectors of length 1, largest entry real and positive.
        residual: the largest `||A v - lambda v||` among them.
        products: products `A v` it took.
    """

    values: Complex[Tensor, " k"]
    vectors: Complex[Tensor, "n k"]
    residual: float
    products: int


class NotConverged(RuntimeError):
    """The Krylov route did not reach its tolerance; the message says what to do."""


def dense_pairs(matrix: Float[Tensor, "n n"], k: int, which: Which = "LR") -> Eigenpairs:
    """The k leading eigenpairs of a finite matrix by LAPACK, all eigenvalues computed, in float64.

    By NumPy's LAPACK: `torch.linalg.eig` of some torch builds kills the process on matrices of low rank.
    """
    matrix = matrix.double().cpu()
    values, vectors = (torch.from_numpy(part).to(torch.complex128) for part in np.linalg.eig(matrix.numpy()))
    values, vectors = _leading(values, vectors, k, which)
    residual = (matrix.to(vectors.dtype) @ vectors - vectors * values).norm(dim=0).max().item()
    return Eigenpairs(values, vectors, residual, 0)


def krylov_pairs(
    product: Callable[[Tensor], Tensor],
    n: int,
    k: int,
    *,
    start: Tensor | None,
    tolerance: float,
    largest_subspace: int = SUBSPACES[-1],
    which: Which = "LR",
) -> Eigenpairs:
    """The k leading eigenpairs from products `v -> A v` alone (ARPACK).

    Args:
        product: maps a float64 vector `(N,)` on the CPU to `A v`, likewise; A scaled so that `||A||_F` is about 1.
        n: N.
        k: how many eigenvalues.
        start: `(N,)` complex or real vector to begin with, the last mode for instance; without it a fixed random one.
        tolerance: residual `||A v - lambda v||` to stop at.
        largest_subspace: bound on the number of vectors of length N that are kept.
        which: `"LR"` for the largest real part; `"LM"` for the largest modulus, which should be near 1.

    Raises:
        NotConverged: none of the subspaces was enough.
        ValueError: N too small for so many eigenvalues.
    """
    wanted = 1 if k == 1 else 2 * k  # some of them may be conjugates of each other
    if wanted + 2 > n:
        raise ValueError(f"{n} transitions are too few for {k} modes by the Krylov route; take route='dense'")
    count = 0

    def counted(v: Tensor) -> Tensor:
        nonlocal count
        count += 1
        return product(v)

    shift = 1.0 if which == "LR" else 0.0  # A + 1: ARPACK stops relative to the eigenvalue, so keep that near 1

    def shifted(v: np.ndarray) -> np.ndarray:
        v = v.reshape(-1)
        return counted(torch.from_numpy(v)).numpy() + shift * v

    noise = np.random.default_rng(0).standard_normal(n) / np.sqrt(n)
    if start is None:
        first = noise
    else:  # a little noise, so that a mode that has taken the lead since is not missed
        first = (start.real + start.imag).cpu().numpy() / torch.linalg.vector_norm(start).item() + 0.1 * noise
    operator = scipy.sparse.linalg.LinearOperator((n, n), matvec=shifted, dtype=np.float64)
    for subspace in SUBSPACES:
        size = min(max(subspace, 2 * wanted + 2), largest_subspace, n)
        try:
            values, vectors = scipy.sparse.linalg.eigs(
                operator, wanted, which=which, v0=first, ncv=size, tol=tolerance, maxiter=1
            )
        except scipy.sparse.linalg.ArpackNoConvergence:
            continue
        if values.imag.max() < 0:  # the other half of the pair
            values, vectors = values.conj(), vectors.conj()
        leading, modes = _leading(torch.from_numpy(values - shift), torch.from_numpy(vectors), k, which)
        residual = max(_residual(counted, *pair) for pair in zip(leading, modes.T, strict=True))
        if residual <= 10 * tolerance:
            return Eigenpairs(leading, modes, residual, count)
    raise NotConverged(
        f"no convergence to {tolerance:.0e} ||A||_F within {count} products: the leading eigenvalues lie close "
        "together, as they do where nothing is self-exciting. Take route='dense' if N allows it, or fewer transitions, "
        "or a larger tolerance (SEEM is then known to about tolerance * ||A||_F)"
    )


def _residual(product: Callable[[Tensor], Tensor], value: Tensor, v: Tensor) -> float:
    """Length of `A v - value v`: one product, or two where v is complex."""
    image = product(v.real.contiguous()).to(v.dtype)
    if v.imag.any():
        image = image + 1j * product(v.imag.contiguous())
    return (image - value * v).norm().item()


def _leading(values: Tensor, vectors: Tensor, k: int, which: Which) -> tuple[Tensor, Tensor]:
    """The k of largest real part (or modulus) among those with imaginary part >= 0; vectors as `Eigenpairs` says."""
    upper = (values.imag >= -1e-12 * values.abs().max()).nonzero().flatten()
    size = values.abs() if which == "LM" else values.real
    order = upper[size[upper].argsort(descending=True, stable=True)[:k]]
    modes = vectors[:, order].to(torch.complex128)
    modes = modes / modes.norm(dim=0)
    peak = modes.gather(0, modes.abs().argmax(0, keepdim=True))
    return values[order].to(torch.complex128), modes * (peak.conj() / peak.abs())
