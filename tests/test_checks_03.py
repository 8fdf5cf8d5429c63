"""Checks of lesson 03: the right answer, the stub, and every mistake it knows."""

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def phi(network, row, parameters=None):
    parameters = list(network.parameters()) if parameters is None else parameters
    gradients = torch.autograd.grad(network(row[None]).squeeze(), parameters)
    return torch.cat([gradient.flatten() for gradient in gradients])


def weights_only(network, read, updated):
    weights = [parameter for parameter in network.parameters() if parameter.ndim == 2]
    return phi(network, read, weights) @ phi(network, updated, weights)


def tanh_kernel(w1, b1, w2, x1, x2, *, relu_slope=False, one=1.0, second=True):
    h1, h2 = torch.tanh(x1 @ w1.T + b1), torch.tanh(x2 @ w1.T + b1)
    slope1, slope2 = ((h > 0).to(h) if relu_slope else 1 - h**2 for h in (h1, h2))
    return (w2 * slope1) @ (w2 * slope2).T * (x1 @ x2.T + one) + second * (h1 @ h2.T + one)


# check, right answer, {words of the message: wrong answer}
EXERCISES = [
    (
        checks.check_kernel_entry,
        lambda network, read, updated: phi(network, read) @ phi(network, updated),
        {
            "one of the two rows": lambda network, read, updated: phi(network, updated).square().sum(),
            "cosine": lambda network, read, updated: torch.cosine_similarity(
                phi(network, read), phi(network, updated), dim=0
            ),
            "biases are parameters too": weights_only,
            "should give 5.0": lambda network, read, updated: read.sum() + updated.sum(),
        },
    ),
    (
        checks.check_bootstrap_moves,
        lambda network, x, x_next, u, j, eps: -eps * u[j] * sl.ntk(network, x_next, x[j : j + 1]).squeeze(1),
        {
            "a row of G(X*, X)": lambda network, x, x_next, u, j, eps: -eps * u[j] * sl.ntk(network, x_next, x)[j],
            "the sign": lambda network, x, x_next, u, j, eps: eps * u[j] * sl.ntk(network, x_next, x)[:, j],
            "ask for the bootstrap inputs": lambda network, x, x_next, u, j, eps: (
                -eps * u[j] * sl.ntk(network, x)[:, j]
            ),
            "only transition j": lambda network, x, x_next, u, j, eps: -eps * sl.ntk(network, x_next, x) @ u,
            "should give": lambda network, x, x_next, u, j, eps: -eps * sl.ntk(network, x_next, x)[:, j],
        },
    ),
    (
        checks.check_tanh_kernel,
        tanh_kernel,
        {
            "every + 1 is a bias": lambda *weights: tanh_kernel(*weights, one=0.0),
            "that is the first layer": lambda *weights: tanh_kernel(*weights, second=False),
            "slope of a ReLU": lambda *weights: tanh_kernel(*weights, relu_slope=True),
            "should give": lambda *weights: tanh_kernel(*weights) + 1,
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes):
    assert repr(check(right)).startswith("Right. ")
    stub = check(lambda *arguments: None)
    assert not stub.passed
    assert "in place of the dots" in repr(stub)
    for words, wrong in mistakes.items():
        outcome = check(wrong)
        assert not outcome.passed
        assert words in outcome.message


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
