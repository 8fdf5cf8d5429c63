"""The checks of lesson 06: a stub fails, the right answer passes, every known mistake gets its sentence."""

import math

import numpy as np
import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def moves(gradients, lr, beta1, beta2):
    """What torch's Adam does with these gradients."""
    parameter = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], lr=lr, betas=(beta1, beta2), eps=1e-12)
    found = []
    for gradient in gradients:
        before = parameter.item()
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        found.append(parameter.item() - before)
    return torch.tensor(found, dtype=torch.float64)


def orders(a, depth):
    return a * depth, a * (2 * depth - 1), a * (2 * depth - 2), -a


def uncorrected(gradients, lr, beta1, beta2):
    m = v = 0.0
    found = []
    for g in gradients:
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        found.append(-lr * m / math.sqrt(v))
    return found


def rms_prop(gradients, lr, beta1, beta2):
    v, found = 0.0, []
    for t, g in enumerate(gradients, 1):
        v = beta2 * v + (1 - beta2) * g * g
        found.append(-lr * g / math.sqrt(v / (1 - beta2**t)))
    return found


def without_root(gradients, lr, beta1, beta2):
    m = v = 0.0
    found = []
    for t, g in enumerate(gradients, 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        found.append(-lr * (m / (1 - beta1**t)) / (v / (1 - beta2**t)))
    return found


EXERCISES = [
    (
        checks.check_adam_moves,
        moves,
        {
            "m and v start at 0": uncorrected,
            "against the gradient": lambda *case: -moves(*case),
            "square root of v is missing": without_root,
            "divides g itself": rms_prop,
            "are swapped": lambda g, lr, beta1, beta2: moves(g, lr, beta2, beta1),
            "divides by zero": lambda g, lr, beta1, beta2: [g[0] / (1 - beta1**0)],
            "the places of the parameter": lambda *case: moves(*case).cumsum(0),
            "raised TypeError": lambda *case: case + 1,
            "learning rate is missing": lambda g, lr, *betas: moves(g, 1.0, *betas),
            "should give": lambda *case: 2 * moves(*case),
        },
    ),
    (
        checks.check_growth_orders,
        orders,
        {
            "carries the factor u": lambda a, depth: (a * depth, a * (depth - 1), a * (2 * depth - 2), -a),
            "two derivatives of Q": lambda a, depth: (a * depth, a * (2 * depth - 1), a * (depth - 1), -a),
            "have changed places": lambda a, depth: tuple(orders(a, depth)[i] for i in (0, 2, 1, 3)),
            "subtract the gradient's order": lambda a, depth: (*orders(a, depth)[:3], a),
            "that of SEEM again": lambda a, depth: (*orders(a, depth)[:3], orders(a, depth)[2]),
            "right for an order of 1 only": lambda a, depth: orders(1, depth),
            "orders multiply": lambda a, depth: tuple(a + k for k in orders(1, depth)),
            "should give": lambda a, depth: (0, 0, 0, 0),
        },
    ),
    (
        checks.check_start_ratio,
        lambda q: np.sqrt(2 * q + 1),
        {
            "v averages g squared": lambda q: math.sqrt(q + 1),
            "take the root": lambda q: 2 * q + 1,
            "upside down": lambda q: (2 * q + 1) ** -0.5,
            "not the depth": lambda q: math.sqrt(4 * q - 1),
            "should give": lambda q: q,
        },
    ),
    (
        checks.check_straighter_root,
        lambda step, q, roots: roots[int(np.argmax([sl.fit_line(step, q ** (1 / k)).r_squared for k in roots]))],
        {
            "picks the smallest": lambda step, q, roots: min(
                roots, key=lambda k: sl.fit_line(step, q ** (1 / k)).r_squared
            ),
            "fits the powers": lambda step, q, roots: max(roots, key=lambda k: sl.fit_line(step, q**k).r_squared),
            "largest R^2 itself": lambda step, q, roots: max(sl.fit_line(step, q ** (1 / k)).r_squared for k in roots),
            "place of the best root": lambda step, q, roots: int(
                np.argmax([sl.fit_line(step, q ** (1 / k)).r_squared for k in roots])
            ),
            "should give": lambda step, q, roots: 3,
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


@pytest.mark.parametrize("q", [1, 3, 5])
def test_start_ratio_is_what_the_averages_do(q):
    """The exercise's truth against Adam itself, long before 1 / (1 - beta2) steps, and with no lag in m."""
    gradients = [float(t**q) for t in range(1, 1001)]
    assert abs(moves(gradients, 1.0, 0.0, 1 - 1e-7)[-1].abs() - math.sqrt(2 * q + 1)) < 0.01
