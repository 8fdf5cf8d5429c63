"""Checks of lesson 10."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from seem_lab.checks.check import Check, compare


def check_value_of_a_path(answer: Any) -> Check:
    """Exercise 1: `answer(steps, gamma, reward)` returns the value `steps` steps before the reward that ends it."""
    return compare(
        answer,
        lambda steps, gamma, reward: reward * gamma ** (steps - 1),
        [(1, 0.99, 10.0), (2, 0.99, 10.0), (18, 0.99, 10.0), (5, 0.5, 1.0)],
        praise="One step before the goal the value is the whole reward. Nothing in the maze can be worth more.",
        mistakes={
            "the reward of the very next step is not discounted: with 1 step left the value is the reward.": (
                lambda steps, gamma, reward: reward * gamma**steps
            ),
            "the reward comes once, and then the episode is over; do not add it up.": (
                lambda steps, gamma, reward: reward * (1 - gamma**steps) / (1 - gamma)
            ),
            "that is Qlim, the bound for a reward in every step, for ever.": (
                lambda steps, gamma, reward: reward / (1 - gamma)
            ),
        },
    )


def check_behaviour_loss(answer: Any) -> Check:
    """Exercise 2: `answer(q, action, recorded, weight)` returns the policy's loss of TD3+BC, with alpha 2.5."""

    def loss(q: Tensor, action: Tensor, recorded: Tensor, weight: float, *, alpha: float = 2.5) -> Tensor:
        return weight * (action - recorded).square().mean() - alpha * q.mean() / q.abs().mean()

    def unscaled(q: Tensor, action: Tensor, recorded: Tensor, weight: float) -> Tensor:
        return weight * (action - recorded).square().mean() - 2.5 * q.mean()

    def uphill(q: Tensor, action: Tensor, recorded: Tensor, weight: float) -> Tensor:
        return weight * (action - recorded).square().mean() + 2.5 * q.mean() / q.abs().mean()

    q = torch.tensor([1.0, 2.0, -0.5], dtype=torch.float64)
    action = torch.tensor([[0.5], [0.0], [-1.0]], dtype=torch.float64)
    recorded = torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64)
    return compare(
        answer,
        loss,
        [(q, action, recorded, 1.0), (1000 * q, action, recorded, 0.5), (q, action, action, 1.0)],
        praise="The second case has values a thousand times as large. It changes nothing: the size of Q drops out, and "
        "what is left is how Q differs from action to action.",
        mistakes={
            "divide the mean of Q by the mean of |Q|; without it the size of Q decides.": unscaled,
            "the loss goes down where Q goes up: the term of Q has a minus.": uphill,
            "alpha = 2.5 stands before the term of Q.": lambda *case: loss(*case, alpha=1.0),
        },
        tolerance=1e-6,
    )


def check_threshold(answer: Any) -> Check:
    """Exercise 3: `answer(scores, diverged, caught)` returns the largest threshold that catches at least that share."""

    def threshold(scores: list[float], diverged: list[bool], caught: float, *, down: bool = False) -> float:
        positive = sorted((s for s, d in zip(scores, diverged, strict=True) if d), reverse=True)
        wanted = caught * len(positive)
        return positive[max(1, math.floor(wanted + 1e-9) if down else math.ceil(wanted - 1e-9)) - 1]

    return compare(
        answer,
        threshold,
        [
            ([3.0, 1.0, 2.0], [True, True, False], 1.0),
            ([5.0, 4.0, 3.0, 2.0, 1.0, 0.5], [True, True, True, True, False, False], 0.75),
            ([5.0, 4.0, 3.0, 2.0, 1.0, 9.0], [True, True, True, True, True, False], 0.5),
        ],
        praise="Any larger threshold would miss too many, any smaller one only adds false alarms.",
        mistakes={
            "only the runs that diverge are to be caught: leave the others out.": (
                lambda scores, diverged, caught: threshold(scores, [True] * len(scores), caught)
            ),
            "half a run cannot be caught: round the number of runs up.": (lambda *case: threshold(*case, down=True)),
            "that catches every run that diverges; a larger threshold may do.": (
                lambda scores, diverged, caught: threshold(scores, diverged, 1.0)
            ),
        },
    )
