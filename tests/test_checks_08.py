"""The checks of lesson 08: a stub fails, the right answer passes, every known mistake gets its sentence."""

import math
from functools import partial

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def one_step(theta, slow, rate, lr, gradient):
    new = theta - lr * gradient
    return new, slow + rate * (new - slow)


def horizon(next_feature, gamma):
    """The eigenvalue itself, of the loop with n-step targets."""
    x, x_next, _ = sl.two_state_loop(next_feature).bootstrap(sl.linear_q(1))
    for n in range(1, 1000):
        if sl.seem(sl.linear_q(1), x, x_next, torch.full((1,), gamma**n, dtype=torch.float64)).value < 0:
            return n
    raise AssertionError


def misjudged(seem, crashes, runs, limit):
    """By sets: those above the limit against those that are lost."""
    known = {k for k, value in enumerate(seem) if value == value}
    high = {k for k in known if seem[k] > limit}
    lost = {k for k in known if crashes[k] > runs[k] - crashes[k]}
    return len(high ^ lost)


def judge(wrong):
    """A wrong answer that counts with this rule, over all that have a SEEM."""
    return lambda seem, crashes, runs, limit: sum(
        wrong(s > limit, 2 * c > n) for s, c, n in zip(seem, crashes, runs, strict=True) if s == s
    )


EXERCISES = [
    (
        checks.check_following_target,
        one_step,
        {
            "the theta of before the step": lambda t, s, r, lr, g: (t - lr * g, s + r * (t - s)),
            "are swapped": lambda t, s, r, lr, g: (t - lr * g, r * s + (1 - r) * (t - lr * g)),
            "the step goes up": lambda t, s, r, lr, g: (t + lr * g, s + r * (t + lr * g - s)),
        },
    ),
    (
        checks.check_safe_horizon,
        horizon,
        {
            "that rounds down": lambda c, g: max(1, math.floor(math.log(c) / -math.log(g))),
            "at exactly zero": lambda c, g: max(1, math.ceil(math.log(c) / -math.log(g))),
            "n is at least 1": lambda c, g: math.floor(math.log(c) / -math.log(g)) + 1,
        },
    ),
    (
        checks.check_misjudged,
        misjudged,
        {
            "not a small one": lambda seem, crashes, runs, limit: sum(
                (s > limit) != (2 * c > n) for s, c, n in zip(seem, crashes, runs, strict=True)
            ),
            "does not expect": judge(lambda high, lost: high and not lost),
            "do not come": judge(lambda high, lost: lost and not high),
            "gets right": judge(lambda high, lost: high == lost),
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


def test_the_needed_decay_is_that_of_a_linear_run():
    """Just above it Baird's star shrinks, just below it grows."""
    star, grown = sl.baird_star(), {}
    needed = 2 * sl.seem(sl.linear_q(8), *star.bootstrap(sl.linear_q(8))).value / star.n
    for factor in (0.9, 1.1):
        network = sl.linear_q(8, weight=sl.baird_weights())
        optimizer = partial(torch.optim.SGD, weight_decay=factor * needed)
        run = sl.train(network, star, lr=0.01, steps=3000, optimizer=optimizer, progress=False)
        grown[factor] = run.td_error_norm[-1] / run.td_error_norm[1500]
    assert grown[0.9] > 1 > grown[1.1]
