"""Checks of lesson 01."""

from __future__ import annotations

from typing import Any

import torch

from seem_lab.checks.check import Check, compare


def check_loop_factor(answer: Any) -> Check:
    """Exercise 1: `answer(c, gamma, lr)` returns the factor by which one step multiplies the error of the loop."""
    return compare(
        answer,
        lambda c, gamma, lr: 1 + 2 * lr * (gamma * c - 1),
        [(2.0, 1.0, 0.1), (1.0, 0.5, 0.1), (1.5, 0.9, 0.25), (0.0, 0.5, 2.0)],
        praise="One number says it all: above 1 the loop feeds itself.",
        mistakes={
            "the gradient of u squared brings a factor 2: eps = 2 lr for one transition.": lambda c, gamma, lr: (
                1 + lr * (gamma * c - 1)
            ),
            "the sign is turned round: a target that moves more than the value makes the error grow.": (
                lambda c, gamma, lr: 1 - 2 * lr * (gamma * c - 1)
            ),
            "the target is discounted: gamma is missing.": lambda c, gamma, lr: 1 + 2 * lr * (c - 1),
            "that is A; the factor of one step is 1 + eps A.": lambda c, gamma, lr: gamma * c - 1,
            "that is what is added; the factor is 1 plus it.": lambda c, gamma, lr: 2 * lr * (gamma * c - 1),
            "keep the sign: below 0 the error jumps to the other side.": lambda c, gamma, lr: abs(
                1 + 2 * lr * (gamma * c - 1)
            ),
        },
    )


def check_overtaken(answer: Any) -> Check:
    """Exercise 2: `answer(value_move, target_move)` returns the share of transitions whose target rose more."""
    generator = torch.Generator().manual_seed(1)
    value, target = torch.rand(2, 40, generator=generator)
    return compare(
        answer,
        lambda value, target: (target > value).double().mean(),
        [(torch.tensor([1.0, 1.0, 1.0, 1.0]), torch.tensor([2.0, 0.5, 1.0, 0.2])), (value, target - 0.2)],
        praise="In such transitions the pursuit widens the gap it wants to close.",
        mistakes={
            "that counts the transitions; a share lies between 0 and 1.": lambda value, target: (
                (target > value).double().sum()
            ),
            "that is the share in which the value rose more.": lambda value, target: (target < value).double().mean(),
            "where both rise alike, the target did not rise more.": lambda value, target: (
                (target >= value).double().mean()
            ),
            "a share, not per cent: it lies between 0 and 1.": lambda value, target: (
                100 * (target > value).double().mean()
            ),
        },
        tolerance=1e-6,  # an answer in float32 is as good
    )


def check_safe_learning_rate(answer: Any) -> Check:
    """Exercise 3: `answer(c, gamma)` returns the learning rate below which the loop does not grow, or 0."""
    return compare(
        answer,
        lambda c, gamma: 0.0 if gamma * c > 1 else 1 / (1 - gamma * c),
        [(0.0, 0.5), (2.0, 0.99), (0.5, 0.9), (1.05, 0.9), (-2.0, 0.9)],
        praise="Small steps cure the jump over the target. They do not cure self-excitation.",
        mistakes={
            "with one transition eps is 2 lr, not lr.": lambda c, gamma: 0.0 if gamma * c > 1 else 2 / (1 - gamma * c),
            "c alone does not decide: the target moves by gamma c.": lambda c, gamma: (
                0.0 if c > 1 else 1 / (1 - gamma * c)
            ),
            "that is where the factor is 0; the loop grows only from the factor -1 on.": lambda c, gamma: (
                0.0 if gamma * c > 1 else 0.5 / (1 - gamma * c)
            ),
            "if gamma c is above 1, no positive learning rate helps; return 0.0 then.": lambda c, gamma: (
                1 / (1 - gamma * c)
            ),
        },
    )
