"""Checks of lesson 03: the right answer, the stub, and every mistake it knows."""

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def phi(network, row, parameters=None):
    parameters = list(network.parameters()) if parameters is None else parameters
    gradients = torch.autograd.grad(network(row[None]).squeeze(), parameters)
    return torch.cat([gradient.flatten() for gradient in gradients])


def over(network, read, updated, parameters):
    return phi(network, read, parameters) @ phi(network, updated, parameters)


def by_inputs(network, read, updated):
    rows = [row.detach().clone().requires_grad_() for row in (read, updated)]
    first, second = (torch.autograd.grad(network(row[None]).sum(), row)[0] for row in rows)
    return first @ second


def tanh_kernel(w1, b1, w2, x1, x2, *, slope=lambda h: 1 - h**2, ones=(1.0, 1.0), first=True, second=True):
    h1, h2 = torch.tanh(x1 @ w1.T + b1), torch.tanh(x2 @ w1.T + b1)
    layer_1 = (w2 * slope(h1)) @ (w2 * slope(h2)).T * (x1 @ x2.T + ones[0])
    return first * layer_1 + second * (h1 @ h2.T + ones[1])


def moves(network, x, x_next, u, j, eps):
    return -eps * u[j] * sl.ntk(network, x_next, x[j : j + 1]).squeeze(1)


# check, right answer, {words of the message: wrong answer}
EXERCISES = [
    (
        checks.check_kernel_entry,
        lambda network, read, updated: phi(network, read) @ phi(network, updated),
        {
            "|phi(updated)|^2": lambda network, read, updated: phi(network, updated).square().sum(),
            "|phi(read)|^2": lambda network, read, updated: phi(network, read).square().sum(),
            "cosine": lambda network, read, updated: torch.cosine_similarity(
                phi(network, read), phi(network, updated), dim=0
            ),
            "biases are parameters too": lambda network, read, updated: over(
                network, read, updated, [parameter for parameter in network.parameters() if parameter.ndim == 2]
            ),
            "the last layer only": lambda network, read, updated: over(
                network, read, updated, list(list(network.modules())[-1].parameters())
            ),
            "derivatives by the inputs": by_inputs,
            "not a (1, 1) matrix": lambda network, read, updated: (
                phi(network, read)[None] @ phi(network, updated)[:, None]
            ),
            "without sl.ntk": lambda network, read, updated: sl.ntk(network, read[None], updated[None]).squeeze(),
            "should give 5.0": lambda network, read, updated: read.sum() + updated.sum(),
        },
    ),
    (
        checks.check_bootstrap_moves,
        moves,
        {
            "a row of G(X*, X)": lambda network, x, x_next, u, j, eps: -eps * u[j] * sl.ntk(network, x_next, x)[j],
            "the sign": lambda *arguments: -moves(*arguments),
            "ask for the bootstrap inputs": lambda network, x, x_next, u, j, eps: (
                -eps * u[j] * sl.ntk(network, x)[:, j]
            ),
            "only transition j": lambda network, x, x_next, u, j, eps: -eps * sl.ntk(network, x_next, x) @ u,
            "u_j is missing": lambda network, x, x_next, u, j, eps: -eps * sl.ntk(network, x_next, x)[:, j],
            "eps is missing": lambda network, x, x_next, u, j, eps: -u[j] * sl.ntk(network, x_next, x)[:, j],
            "do not divide by N": lambda *arguments: moves(*arguments) / len(arguments[1]),
            "not (N, 1)": lambda network, x, x_next, u, j, eps: -eps * u[j] * sl.ntk(network, x_next, x[j : j + 1]),
            "should give": lambda *arguments: 2 * moves(*arguments),
        },
    ),
    (
        checks.check_tanh_kernel,
        tanh_kernel,
        {
            "both + 1 are missing": lambda *weights: tanh_kernel(*weights, ones=(0.0, 0.0)),
            "+ 1 of the second layer": lambda *weights: tanh_kernel(*weights, ones=(1.0, 0.0)),
            "+ 1 of the first layer": lambda *weights: tanh_kernel(*weights, ones=(0.0, 1.0)),
            "that is the first layer": lambda *weights: tanh_kernel(*weights, second=False),
            "that is the second layer": lambda *weights: tanh_kernel(*weights, first=False),
            "w2 is missing": lambda w1, b1, w2, x1, x2: tanh_kernel(w1, b1, torch.ones_like(w2), x1, x2),
            "b1 is missing": lambda w1, b1, w2, x1, x2: tanh_kernel(w1, 0 * b1, w2, x1, x2),
            "slope of a ReLU": lambda *weights: tanh_kernel(*weights, slope=lambda h: (h > 0).to(h)),
            "the square is missing": lambda *weights: tanh_kernel(*weights, slope=lambda h: 1 - h),
            "should give": lambda *weights: tanh_kernel(*weights) + 1,
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


def test_bootstrap_moves_are_what_a_real_step_on_one_transition_does():
    """The exercise's truth against a real, small step."""
    walk, network = sl.toy_walk(seed=2), sl.mlp(4, (16,), seed=3)
    x, x_next, discount = walk.bootstrap(network)
    u = (sl.q_values(network, x) - discount * sl.q_values(network, x_next)).detach()
    j, eps = 7, 1e-5
    predicted = -eps * u[j] * sl.ntk(network, x_next, x)[:, j]
    before = sl.q_values(network, x_next).detach()
    gradients = torch.autograd.grad(network(x[j : j + 1]).squeeze(), list(network.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter -= eps * u[j] * gradient
    torch.testing.assert_close(sl.q_values(network, x_next).detach() - before, predicted, rtol=1e-3, atol=0.0)
