"""Checks of lesson 00."""

from __future__ import annotations

import functools
from typing import Any

import torch

from seem_lab.checks.check import Check, compare
from seem_lab.networks import mlp
from seem_lab.problems import toy_walk
from seem_lab.training import train


def check_td_error(answer: Any) -> Check:
    """Exercise 1: `answer(q, q_next, reward, discount)` returns the TD error u, all of shape `(N,)`."""
    numbers = torch.tensor
    cases = [
        (numbers([3.0]), numbers([2.0]), numbers([1.0]), numbers([0.5])),
        (numbers([1.0, 4.0]), numbers([5.0, 7.0]), numbers([0.0, 2.0]), numbers([0.9, 0.0])),
    ]
    return compare(
        answer,
        lambda q, q_next, reward, discount: q - (reward + discount * q_next),
        cases,
        praise="u is the value minus its target; at a terminal the discount is 0 and only the reward is left.",
        mistakes={
            "the sign is turned round: u is the value minus the target.": lambda q, q_next, reward, discount: (
                reward + discount * q_next - q
            ),
            "the next value must be discounted before it is added.": lambda q, q_next, reward, discount: (
                q - (reward + q_next)
            ),
            "use the argument discount, which is 0 where the episode ended, not a fixed gamma.": (
                lambda q, q_next, reward, discount: q - (reward + 0.99 * q_next)
            ),
            "the reward belongs into the target, and the whole target is subtracted.": (
                lambda q, q_next, reward, discount: q - reward + discount * q_next
            ),
        },
    )


@functools.cache
def _blows_up(gamma: float, seed: int) -> bool:
    """Whether this walk's run does, within 400 steps."""
    return train(mlp(4, seed=1000 + seed), toy_walk(seed, gamma=gamma), steps=400, record_every=400).diverged


def check_diverged_share(answer: Any) -> Check:
    """Exercise 2: `answer(gamma, seeds)` returns the share of these seeds whose run blows up within 400 steps."""

    def share(gamma: float, seeds: list[int]) -> float:
        return sum(_blows_up(gamma, seed) for seed in seeds) / len(seeds)

    def share_of_one_network(gamma: float, seeds: list[int]) -> float:
        network = mlp(4, seed=1000 + seeds[0])
        runs = [train(network, toy_walk(seed, gamma=gamma), steps=400, record_every=400) for seed in seeds]
        return sum(run.diverged for run in runs) / len(seeds)

    mistakes = {
        "that counts the runs; divide by how many there are.": lambda gamma, seeds: share(gamma, seeds) * len(seeds),
        "that is the share of the runs that stay finite.": lambda gamma, seeds: 1 - share(gamma, seeds),
        "only the first seed counts in your function; return after the loop, not in it.": lambda gamma, seeds: share(
            gamma, seeds[:1]
        ),
        "the discount has no effect in your function; pass gamma on to toy_walk.": lambda _, seeds: share(0.99, seeds),
        "every seed needs a fresh network; yours is trained on from seed to seed.": share_of_one_network,
    }
    return compare(
        answer,
        share,
        [(0.97, [0, 4, 1]), (0.99, [4, 7])],
        praise="Same rule, same discount, and still it depends on the seed. The lessons ask what decides.",
        mistakes=mistakes,
    )
