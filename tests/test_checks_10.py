"""The checks of lesson 10: a stub fails, the right answer passes, every known mistake gets its sentence."""

import math

import pytest

from seem_lab import checks


def loss(q, action, recorded, weight):
    return weight * ((action - recorded) ** 2).mean() - 2.5 * (q / q.abs().mean()).mean()


def threshold(scores, diverged, caught):
    """By trying all: the largest score that, as a threshold, catches enough."""
    positive = [s for s, d in zip(scores, diverged, strict=True) if d]
    return max(a for a in positive if sum(s >= a for s in positive) >= caught * len(positive))


EXERCISES = [
    (
        checks.check_value_of_a_path,
        lambda steps, gamma, reward: reward * math.prod([gamma] * (steps - 1)),
        {
            "very next step": lambda n, g, r: r * g**n,
            "comes once": lambda n, g, r: r * sum(g**k for k in range(n)),
            "that is Qlim": lambda n, g, r: r / (1 - g),
        },
    ),
    (
        checks.check_behaviour_loss,
        loss,
        {
            "size of Q decides": lambda q, a, b, w: w * ((a - b) ** 2).mean() - 2.5 * q.mean(),
            "has a minus": lambda q, a, b, w: w * ((a - b) ** 2).mean() + 2.5 * q.mean() / q.abs().mean(),
            "alpha = 2.5": lambda q, a, b, w: w * ((a - b) ** 2).mean() - q.mean() / q.abs().mean(),
        },
    ),
    (
        checks.check_threshold,
        threshold,
        {
            "leave the others out": lambda s, d, c: sorted(s, reverse=True)[math.ceil(c * len(s)) - 1],
            "round the number of runs up": lambda s, d, c: sorted(
                [x for x, y in zip(s, d, strict=True) if y], reverse=True
            )[math.floor(c * sum(d)) - 1],
            "a larger threshold may do": lambda s, d, c: min(x for x, y in zip(s, d, strict=True) if y),
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)
