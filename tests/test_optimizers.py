"""Gradient descent is PyTorch's, bit for bit; gradients are cut to a length."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import nn

from seem_lab import GradientDescent, clipped, mlp, toy_walk, train
from seem_lab.optimizers import OptimizerFactory


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_gradient_descent_is_that_of_pytorch_bit_for_bit(weight_decay: float) -> None:
    walk, ours = toy_walk(0, reward=1.0), mlp(4, (8,), seed=1)
    plain, theirs = deepcopy(ours), deepcopy(ours)
    runs = [
        train(network, walk, lr=0.05, steps=60, optimizer=partial(optimizer, weight_decay=weight_decay))
        for network, optimizer in ((ours, GradientDescent), (theirs, torch.optim.SGD))
    ]
    assert (runs[0].q_max == runs[1].q_max).all()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(p, q)
    train(plain, walk, lr=0.05, steps=60)  # the one called "sgd"
    same = all(torch.equal(p, q) for p, q in zip(ours.parameters(), plain.parameters(), strict=True))
    assert same == (weight_decay == 0)


def test_a_parameter_without_a_gradient_stays() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    descent = GradientDescent([used, unused], lr=0.5, weight_decay=0.2)
    used.sum().backward()
    descent.step()
    torch.testing.assert_close(used.detach(), torch.full((2,), 0.4))  # 1 - 0.5 (1 + 0.2 * 1)
    assert torch.equal(unused, torch.ones(2))
    descent.zero_grad()
    assert used.grad is None


@pytest.mark.parametrize("make", [GradientDescent, clipped(GradientDescent, 10.0)])
def test_parameters_may_come_as_a_generator_and_are_moved_in_every_step(make: OptimizerFactory) -> None:
    layer = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    descent = make(layer.parameters(), lr=0.5)
    moved = []
    for _ in range(2):
        before = layer.weight.item()
        descent.zero_grad()
        layer.weight.sum().backward()
        descent.step()
        moved.append(layer.weight.item() - before)
    assert moved == pytest.approx([-0.5, -0.5])


@pytest.mark.parametrize(("lr", "weight_decay"), [(0.0, 0.0), (float("nan"), 0.0), (0.1, -1.0)])
def test_a_rate_that_makes_no_sense_is_refused(lr: float, weight_decay: float) -> None:
    with pytest.raises(ValueError, match="lr must be positive and weight_decay not negative, got"):
        GradientDescent([nn.Parameter(torch.ones(1))], lr=lr, weight_decay=weight_decay)


@pytest.mark.parametrize("optimizer", [GradientDescent, torch.optim.SGD])
@pytest.mark.parametrize("max_norm", [0.05, 1e9])
def test_clipping_against_a_step_by_hand(max_norm: float, optimizer: OptimizerFactory) -> None:
    walk, network = toy_walk(0, reward=1.0), mlp(4, (8,), seed=1)
    by_hand, lr = deepcopy(network), 0.1
    train(network, walk, lr=lr, steps=1, optimizer=clipped(optimizer, max_norm))
    u = by_hand(walk.x)[:, 0] - (walk.reward + walk.discount * walk.greedy(by_hand)[1])
    gradients = torch.autograd.grad(u.square().mean(), list(by_hand.parameters()))
    length = torch.cat([g.flatten() for g in gradients]).norm().item()
    assert length > 0.05
    for p, q, g in zip(network.parameters(), by_hand.parameters(), gradients, strict=True):
        torch.testing.assert_close(p, q - lr * min(1, max_norm / length) * g, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("max_norm", [0.0, -1.0, float("nan")])
def test_clipping_needs_a_positive_length(max_norm: float) -> None:
    with pytest.raises(ValueError, match="max_norm must be positive, got"):
        clipped(GradientDescent, max_norm)
