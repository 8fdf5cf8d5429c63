"""Target rules against matrices and loops written by hand, and the SEEM they report."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from seem_lab import (
    BatchTarget,
    DoubleQ,
    EmaTarget,
    LiveTarget,
    QuietTarget,
    batch_norm,
    dropout,
    linear_q,
    mlp,
    random_features,
    seem_matrix,
    spectral_norm,
    step_size,
    toy_walk,
    train,
)
from seem_lab.training import COLUMNS


def parameters(network: nn.Module) -> Tensor:
    return parameters_to_vector(network.parameters()).detach().clone()


@pytest.mark.parametrize("rate", [0.05, 0.4, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_ema_moves_a_linear_network_by_the_matrix_of_the_docstring(rate: float, seed: int) -> None:
    problem, lr, steps = random_features(7, 20, alignment=0.5, next_scale=1.3, seed=seed), 0.3, 25
    x, x_next, discount = problem.x, problem.next_inputs(torch.zeros(7, dtype=torch.long)), problem.discount
    network, target = linear_q(20, weight=torch.randn(20, dtype=torch.float64)), EmaTarget(rate)
    start = network.weight.detach()[0].clone()
    train(network, problem, lr=lr, steps=steps, target=target)

    eps, one, d = step_size(lr, 7), torch.eye(7, dtype=torch.float64), torch.diag(discount)
    g, g_next = x @ x.T, x_next @ x.T
    m = torch.cat(
        [
            torch.cat([one - eps * g, eps * d @ g_next], dim=1),
            torch.cat([rate * (one - eps * g), (1 - rate) * one + rate * eps * d @ g_next], dim=1),
        ]
    )
    first = (x - discount[:, None] * x_next) @ start  # the TD error at the start
    state = torch.zeros(14, dtype=torch.float64)
    for _ in range(steps):
        state = m @ state - eps * torch.cat([first, rate * first])
    slow = next(target.slow.parameters())[0]
    torch.testing.assert_close(network.weight.detach()[0], start + x.T @ state[:7], rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(slow, start + x.T @ state[7:], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_an_ema_of_rate_one_is_the_live_target_bit_for_bit(optimizer: str) -> None:
    live, slow = mlp(4, (16,), seed=1000), mlp(4, (16,), seed=1000)
    runs = [
        train(network, toy_walk(0), optimizer=optimizer, steps=200, seem_every=20, target=target)
        for network, target in ((live, None), (slow, EmaTarget(1.0)))
    ]
    assert torch.equal(parameters(live), parameters(slow))
    assert all(np.array_equal(getattr(runs[0], name), getattr(runs[1], name), equal_nan=True) for name in COLUMNS)


def test_ema_on_a_network_against_a_loop_of_autograd() -> None:
    walk, lr, rate = toy_walk(2), 0.05, 0.05
    network, target = mlp(4, (16,), seed=7), EmaTarget(rate)
    fast, slow = deepcopy(network), deepcopy(network)
    run = train(network, walk, lr=lr, steps=30, seem_every=30, target=target)
    for _ in range(30):
        with torch.no_grad():
            y = walk.reward + walk.gamma * slow(walk.candidates).amax(1)[:, 0]
        loss = (fast(walk.x)[:, 0] - y).square().mean()
        gradients = torch.autograd.grad(loss, list(fast.parameters()))
        with torch.no_grad():
            for p, p_slow, g in zip(fast.parameters(), slow.parameters(), gradients, strict=True):
                p -= lr * g
                p_slow.copy_((1 - rate) * p_slow + rate * p)
    torch.testing.assert_close(parameters(network), parameters(fast), rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(parameters(target.slow), parameters(slow), rtol=1e-11, atol=1e-13)
    x_next = walk.next_inputs(slow(walk.candidates).argmax(1)[:, 0])  # the target network chooses, the live one learns
    expected = torch.linalg.eigvals(seem_matrix(fast, walk.x, x_next, walk.discount)).real.max().item()
    assert run.seem[-1] == pytest.approx(expected, rel=1e-8)
    greedy = torch.linalg.eigvals(seem_matrix(fast, *walk.bootstrap(fast))).real.max().item()
    assert run.seem[-1] != pytest.approx(greedy, rel=1e-4)


def test_a_second_run_with_the_same_ema_starts_afresh() -> None:
    target, walk = EmaTarget(0.1), toy_walk(0)
    train(mlp(4, seed=5), walk, steps=10, target=target)
    again, fresh = mlp(4, seed=6), mlp(4, seed=6)
    train(again, walk, steps=10, target=target)
    train(fresh, walk, steps=10, target=EmaTarget(0.1))
    assert torch.equal(parameters(again), parameters(fresh))


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.1, float("nan")])
def test_a_rate_outside_its_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate must lie in \(0, 1\], got"):
        EmaTarget(rate)


def test_double_q_against_a_loop_of_autograd() -> None:
    walk, lr = toy_walk(3, reward=0.5), 0.05
    one, two = mlp(4, (16,), seed=1), mlp(4, (16,), seed=2)
    by_hand = [deepcopy(one), deepcopy(two)]
    run = train(one, walk, lr=lr, steps=25, target=DoubleQ(two))
    for step in range(25):
        q1, q2 = (network(walk.candidates)[..., 0].detach() for network in by_hand)
        choice = q1.argmax(1)
        y = torch.stack([walk.reward[i] + walk.gamma * min(q1[i, a], q2[i, a]) for i, a in enumerate(choice)])
        largest = max(network(walk.x).abs().max().item() for network in by_hand)
        assert run.q_max[step] == pytest.approx(largest, rel=1e-11)
        for network in by_hand:
            loss = (network(walk.x)[:, 0] - y).square().mean()
            gradients = torch.autograd.grad(loss, list(network.parameters()))
            with torch.no_grad():
                for p, g in zip(network.parameters(), gradients, strict=True):
                    p -= lr * g
    for ours, theirs in zip((one, two), by_hand, strict=True):
        torch.testing.assert_close(parameters(ours), parameters(theirs), rtol=1e-11, atol=1e-13)


def batch_errors(network: nn.Module, x: Tensor, x_next: Tensor, joint: bool) -> tuple[Tensor, Tensor]:
    """Q(X) and Q(X*) of a network of one batch-normed layer, written out."""
    first, norm, _, last = network

    def forward(rows: Tensor) -> Tensor:
        z = rows @ first.weight.T + first.bias
        z = (z - z.mean(0)) / (z.var(0, unbiased=False) + norm.eps).sqrt()
        return ((norm.weight * z + norm.bias).relu() @ last.weight.T + last.bias)[:, 0]

    if joint:
        both = forward(torch.cat([x, x_next]))
        return both[: len(x)], both[len(x) :]
    return forward(x), forward(x_next)


@pytest.mark.parametrize("joint", [True, False])
def test_batch_target_uses_the_statistics_it_names_and_its_seem_forecasts_one_step(joint: bool) -> None:
    walk, network, lr = toy_walk(4), batch_norm(mlp(4, (64,), seed=3)), 1e-5
    target = BatchTarget(joint=joint)
    train(network, walk, steps=20, seem_every=10, target=target)
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with torch.no_grad():
        choice = walk.greedy(deepcopy(network).eval())[0]
    x_next = walk.next_inputs(choice)
    matrix = target.seem_matrix(network, walk, choice)
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())
    with torch.no_grad():
        q, q_next = batch_errors(network, walk.x, x_next, joint)
        values = target.values(deepcopy(network), walk)  # running statistics move, and with them the next choice
        torch.testing.assert_close(values.q, q)
        torch.testing.assert_close(values.q_next, q_next)
        u = q - walk.discount * q_next
    assert network.training
    train(network, walk, lr=lr, steps=1, target=target)
    with torch.no_grad():
        q, q_next = batch_errors(network, walk.x, x_next, joint)
        change = q - walk.discount * q_next - u
    expected = step_size(lr, walk.n) * matrix @ u
    assert (change - expected).norm() < 1e-3 * expected.norm()


@pytest.mark.parametrize("target", [LiveTarget(), EmaTarget(0.5), DoubleQ(mlp(4))])
def test_batch_norm_in_training_mode_needs_to_be_told_its_batch(target: LiveTarget) -> None:
    with pytest.raises(ValueError, match=r"say so with target=BatchTarget\(joint=...\), or freeze it"):
        train(batch_norm(mlp(4)), toy_walk(0), target=target)


@pytest.mark.parametrize("change", [dropout, spectral_norm])
def test_seem_of_a_network_in_training_mode_is_that_of_its_eval_mode(change: object) -> None:
    walk, network = toy_walk(0), change(mlp(4, (16,), seed=1))
    choice = torch.arange(walk.n) % 8
    matrix = LiveTarget().seem_matrix(network, walk, choice)
    assert network.training
    expected = seem_matrix(deepcopy(network).eval(), walk.x, walk.next_inputs(choice), walk.discount)
    torch.testing.assert_close(matrix, expected)


@pytest.mark.parametrize("target", [EmaTarget(0.3), DoubleQ(mlp(4, (8,), seed=9)), BatchTarget(joint=True)])
def test_what_is_not_finite_is_taken_back_everywhere(target: LiveTarget) -> None:
    network = mlp(4, (8,), seed=0)
    network = batch_norm(network) if isinstance(target, BatchTarget) else network
    run = train(network, toy_walk(0), lr=1e150, steps=50, q_limit=float("inf"), seem_every=None, target=target)
    assert run.stop_reason == "non-finite"
    everything = [network, *(m for m in vars(target).values() if isinstance(m, nn.Module))]
    assert all(torch.isfinite(tensor).all() for module in everything for tensor in module.state_dict().values())


def test_a_quiet_target_is_without_noise_and_q_is_not() -> None:
    walk, network = toy_walk(0), dropout(mlp(4, (16,), seed=1), p=0.5)
    one, other = (QuietTarget().values(network, walk) for _ in range(2))
    choice, q_next = walk.greedy(mlp(4, (16,), seed=1))
    for values in (one, other):
        assert torch.equal(values.choice, choice)
        torch.testing.assert_close(values.q_next, q_next)
    assert not torch.equal(one.q, other.q)
    noisy = LiveTarget().values(network, walk)
    assert not torch.equal(noisy.q_next, q_next)
