"""Checks of lesson 03."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from seem_lab.checks.check import Check, compare
from seem_lab.kernels import ntk
from seem_lab.networks import linear_q, mlp
from seem_lab.problems import toy_walk


def check_kernel_entry(answer: Any) -> Check:
    """Exercise 1: `answer(network, read, updated)` returns the number G(read, updated); inputs have shape `(d,)`."""
    if "ntk" in getattr(getattr(answer, "__code__", None), "co_names", ()):
        return Check(False, "here the kernel is to be computed without sl.ntk; use torch.autograd.grad.")

    def entry(network: nn.Module, read: Tensor, updated: Tensor) -> Tensor:
        return ntk(network, read[None], updated[None])[0, 0]

    def over(network: nn.Module, read: Tensor, updated: Tensor, parameters: list[nn.Parameter]) -> Tensor:
        """The product of the two rows when only these parameters count."""
        at_read, at_updated = (torch.autograd.grad(network(row[None]).squeeze(), parameters) for row in (read, updated))
        return sum(((a * b).sum() for a, b in zip(at_read, at_updated, strict=True)), torch.zeros(()))

    def by_inputs(network: nn.Module, read: Tensor, updated: Tensor) -> Tensor:
        rows = [row.clone().requires_grad_() for row in (read, updated)]
        at_read, at_updated = (torch.autograd.grad(network(row[None]).squeeze(), row)[0] for row in rows)
        return at_read @ at_updated

    x = toy_walk(seed=0).x
    simple = torch.tensor([[1.0, 2.0], [3.0, 1.0]], dtype=torch.float64)
    return compare(
        answer,
        entry,
        [(linear_q(2), *simple), (mlp(4, (8,), seed=1), x[3], x[40]), (mlp(4, (8, 8), seed=2), x[40], x[3])],
        praise="It is phi(read) . phi(updated), over all parameters: for a linear Q, the inner product of the inputs.",
        mistakes={
            "that is |phi(updated)|^2; one of the two rows must be taken at the input that is read.": (
                lambda network, read, updated: entry(network, updated, updated)
            ),
            "that is |phi(read)|^2; one of the two rows must be taken at the input that is updated.": (
                lambda network, read, updated: entry(network, read, read)
            ),
            "that is the cosine between the two rows; do not divide by their lengths.": lambda network, read, updated: (
                entry(network, read, updated) / (entry(network, read, read) * entry(network, updated, updated)).sqrt()
            ),
            "the biases are parameters too; take the gradient by all of network.parameters().": (
                lambda network, read, updated: over(
                    network, read, updated, [p for p in network.parameters() if p.ndim == 2]
                )
            ),
            "that is the last layer only; every layer has parameters.": lambda network, read, updated: over(
                network, read, updated, list(list(network.modules())[-1].parameters())
            ),
            "those are derivatives by the inputs; phi holds the derivatives by the parameters.": by_inputs,
            "the number is right, its shape is not: one number is asked for, not a (1, 1) matrix.": (
                lambda network, read, updated: entry(network, read, updated)[None, None]
            ),
        },
    )


def check_bootstrap_moves(answer: Any) -> Check:
    """Exercise 2: `answer(network, x, x_next, u, j, eps)` returns the change of every Q(x*_i), shape `(N,)`."""

    def moves(network: nn.Module, x: Tensor, x_next: Tensor, u: Tensor, j: int, eps: float) -> Tensor:
        return -eps * u[j] * ntk(network, x_next, x)[:, j]

    def case(problem: Any, network: nn.Module, j: int, eps: float) -> tuple[Any, ...]:
        x, x_next, _ = problem.bootstrap(network)
        return network, x, x_next, torch.linspace(2, 3, len(x), dtype=torch.float64), j, eps

    return compare(
        answer,
        moves,
        [
            case(toy_walk(seed=0, points=4), linear_q(4), 0, 0.1),
            case(toy_walk(seed=1), mlp(4, (16,), seed=1), 5, 0.05),
        ],
        praise="One column of G(X*, X): the column is what is updated, the rows are what is read and moves.",
        mistakes={
            "that is a row of G(X*, X): what all updates do to one bootstrap value. An update at x_j is a column.": (
                lambda network, x, x_next, u, j, eps: -eps * u[j] * ntk(network, x_next, x)[j]
            ),
            "the sign: the step goes down the loss, so a positive u_j lowers Q.": (
                lambda *arguments: -moves(*arguments)
            ),
            "these are the values at the data; ask for the bootstrap inputs x_next.": (
                lambda network, x, x_next, u, j, eps: -eps * u[j] * ntk(network, x)[:, j]
            ),
            "that is the move when all transitions are trained; only transition j is.": (
                lambda network, x, x_next, u, j, eps: -eps * ntk(network, x_next, x) @ u
            ),
            "u_j is missing: the step is as long as the TD error of transition j is large.": (
                lambda network, x, x_next, u, j, eps: -eps * ntk(network, x_next, x)[:, j]
            ),
            "eps is missing: how far the parameters move is part of the answer.": (
                lambda network, x, x_next, u, j, eps: -u[j] * ntk(network, x_next, x)[:, j]
            ),
            "do not divide by N: eps holds it already.": lambda *arguments: moves(*arguments) / len(arguments[1]),
            "the numbers are right, their shape is not: (N,) is asked for, not (N, 1).": (
                lambda *arguments: moves(*arguments)[:, None]
            ),
        },
    )


def check_tanh_kernel(answer: Any) -> Check:
    """Exercise 3: `answer(w1, b1, w2, x1, x2)` returns the kernel of `Q = w2 . tanh(w1 x + b1) + b2`, `(M, N)`."""

    def kernel(w1: Tensor, b1: Tensor, w2: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
        first = nn.Linear(w1.shape[1], len(w1), dtype=w1.dtype)
        last = nn.Linear(len(w2), 1, dtype=w1.dtype)
        with torch.no_grad():
            first.weight.copy_(w1)
            first.bias.copy_(b1)
            last.weight.copy_(w2)
        return ntk(nn.Sequential(first, nn.Tanh(), last), x1, x2)

    def by_hand(
        w1: Tensor,
        b1: Tensor,
        w2: Tensor,
        x1: Tensor,
        x2: Tensor,
        *,
        slope: Callable[[Tensor], Tensor] = lambda z: 1 - z.tanh() ** 2,
        ones: tuple[float, float] = (1.0, 1.0),
        layers: tuple[float, float] = (1.0, 1.0),
    ) -> Tensor:
        """The formula, with a slope of the activation, the two + 1 and the two layers to choose."""
        z1, z2 = x1 @ w1.T + b1, x2 @ w1.T + b1
        first = (w2 * slope(z1)) @ (w2 * slope(z2)).T * (x1 @ x2.T + ones[0])
        second = z1.tanh() @ z2.tanh().T + ones[1]
        return layers[0] * first + layers[1] * second

    draw = torch.Generator().manual_seed(0)
    case = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((8, 3), (8,), (8,), (5, 3), (6, 3))]
    one = [torch.full(shape, 0.5, dtype=torch.float64) for shape in ((1, 1), (1,), (1,), (1, 1), (1, 1))]
    return compare(
        answer,
        kernel,
        [tuple(one), tuple(case)],
        praise="Two layers, two terms; only the derivative of the activation differs from the ReLU network.",
        mistakes={
            "both + 1 are missing: each is a bias, b1 in the first layer and b2 in the second.": partial(
                by_hand, ones=(0.0, 0.0)
            ),
            "the + 1 of the second layer is missing: the derivative by b2 is 1, whatever b2 is.": partial(
                by_hand, ones=(1.0, 0.0)
            ),
            "the + 1 of the first layer is missing: it is the bias b1, in x . x + 1.": partial(
                by_hand, ones=(0.0, 1.0)
            ),
            "that is the first layer; the second adds h . h + 1.": partial(by_hand, layers=(1.0, 0.0)),
            "that is the second layer; the first adds (delta_1 . delta_1)(x . x + 1).": partial(
                by_hand, layers=(0.0, 1.0)
            ),
            "w2 is missing: delta_1 is w2 times the slope, one number for each hidden unit.": (
                lambda w1, b1, w2, x1, x2: by_hand(w1, b1, torch.ones_like(w2), x1, x2)
            ),
            "b1 is missing in z: z = w1 x + b1.": (
                lambda w1, b1, w2, x1, x2: by_hand(w1, torch.zeros_like(b1), w2, x1, x2)
            ),
            "that is the slope of a ReLU, 0 or 1; the slope of tanh(z) is 1 - tanh(z)^2.": partial(
                by_hand, slope=lambda z: (z > 0).to(z)
            ),
            "the slope of tanh(z) is 1 - tanh(z)^2; the square is missing.": partial(
                by_hand, slope=lambda z: 1 - z.tanh()
            ),
        },
    )
