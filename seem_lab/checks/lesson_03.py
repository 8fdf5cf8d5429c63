"""Checks of lesson 03."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from seem_lab.checks.check import Check, compare
from seem_lab.kernels import ntk
from seem_lab.networks import linear_q, mlp
from seem_lab.problems import toy_walk


def check_kernel_entry(answer: Any) -> Check:
    """Exercise 1: `answer(network, read, updated)` returns the number G(read, updated); inputs have shape `(d,)`."""

    def entry(network: nn.Module, read: Tensor, updated: Tensor) -> Tensor:
        return ntk(network, read[None], updated[None])[0, 0]

    def without_bias(network: nn.Module, read: Tensor, updated: Tensor) -> Tensor:
        rows = []
        for row in (read, updated):
            weights = [parameter for parameter in network.parameters() if parameter.ndim == 2]
            rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(network(row[None]).squeeze(), weights)]))
        return rows[0] @ rows[1]

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
            "that is the cosine between the two rows; do not divide by their lengths.": lambda network, read, updated: (
                entry(network, read, updated) / (entry(network, read, read) * entry(network, updated, updated)).sqrt()
            ),
            "the biases are parameters too; take the gradient by all of network.parameters().": without_bias,
        },
    )


def check_bootstrap_moves(answer: Any) -> Check:
    """Exercise 2: `answer(network, x, x_next, u, j, eps)` returns the change of every Q(x*_i), shape `(N,)`."""

    def moves(network: nn.Module, x: Tensor, x_next: Tensor, u: Tensor, j: int, eps: float) -> Tensor:
        return -eps * u[j] * ntk(network, x_next, x)[:, j]

    def case(problem: Any, network: nn.Module, j: int, eps: float) -> tuple[Any, ...]:
        x, x_next, _ = problem.bootstrap(network)
        return network, x, x_next, torch.linspace(1, 2, len(x), dtype=torch.float64), j, eps

    return compare(
        answer,
        moves,
        [
            case(toy_walk(seed=0, points=4), linear_q(4), 0, 0.1),
            case(toy_walk(seed=1), mlp(4, (16,), seed=1), 5, 0.05),
        ],
        praise="One column of G(X*, X): where we update is the column, what moves is the row.",
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

    def products(w1: Tensor, b1: Tensor, w2: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, ...]:
        """x . x', h . h', delta . delta', and delta . delta' with the slope of a ReLU."""
        z1, z2 = x1 @ w1.T + b1, x2 @ w1.T + b1
        slope1, slope2 = 1 - z1.tanh() ** 2, 1 - z2.tanh() ** 2
        on1, on2 = (z1 > 0).to(z1), (z2 > 0).to(z2)
        return x1 @ x2.T, z1.tanh() @ z2.tanh().T, (w2 * slope1) @ (w2 * slope2).T, (w2 * on1) @ (w2 * on2).T

    def no_ones(*weights_and_inputs: Tensor) -> Tensor:
        x, h, delta, _ = products(*weights_and_inputs)
        return delta * x + h

    def first_only(*weights_and_inputs: Tensor) -> Tensor:
        x, _, delta, _ = products(*weights_and_inputs)
        return delta * (x + 1)

    def mask(*weights_and_inputs: Tensor) -> Tensor:
        x, h, _, delta = products(*weights_and_inputs)
        return delta * (x + 1) + h + 1

    draw = torch.Generator().manual_seed(0)
    case = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((8, 3), (8,), (8,), (5, 3), (6, 3))]
    one = [torch.ones(*shape, dtype=torch.float64) for shape in ((1, 1), (1,), (1,), (1, 1), (1, 1))]
    return compare(
        answer,
        kernel,
        [tuple(one), tuple(case)],
        praise="Two layers, two terms; only the derivative of the activation differs from the ReLU network.",
        mistakes={
            "every + 1 is a bias: both layers have one.": no_ones,
            "that is the first layer; the second adds h . h' + 1.": first_only,
            "that is the slope of a ReLU, 0 or 1; the slope of tanh(z) is 1 - tanh(z)^2.": mask,
        },
    )
