"""Checks of lesson 04: the right answer, the stub, and every mistake it knows."""

import pytest
import torch

from seem_lab import checks


def auroc(diverged, survived, tie=0.5):
    pairs = [1.0 if a > b else tie if a == b else 0.0 for a in diverged for b in survived]
    return sum(pairs) / len(pairs)


def alarms(seem, step, diverged, lr, n, end, *, eps=None, steps_left=None, shares=None):
    eps = 2 * lr / n if eps is None else eps(lr, n)
    warned = eps * seem * (end - step if steps_left is None else steps_left(end, step)) > 1
    if shares is not None:
        return shares(warned, diverged)
    return (~warned)[diverged].double().mean().item(), warned[~diverged].double().mean().item()


def clock(tau, left, other_left, *, constant=None, right=None):
    """Exercise 3 with another constant, or another sense of "right"."""
    right = right or (lambda guess, left: (left / guess >= 0.5) & (left / guess <= 2))
    constant = other_left.median() if constant is None else constant(left, other_left)
    return tuple(right(guess, left).double().mean().item() for guess in (tau, constant))


def wrong_clock(**changes):
    return lambda *case: clock(*case, **changes)


def wrong(**changes):
    return lambda *case: alarms(*case, **changes)


# check, right answer, {words of the message: wrong answer}
EXERCISES = [
    (
        checks.check_auroc,
        auroc,
        {
            "counts nothing": lambda a, b: auroc(a, b, 0.0),
            "counts whole": lambda a, b: auroc(a, b, 1.0),
            "turn the comparison round": lambda a, b: auroc(b, a),
            "divide by the number of all pairs": lambda a, b: auroc(a, b) * len(a) * len(b),
            "not only those at the same place": lambda a, b: (
                sum(auroc([x], [y]) for x, y in zip(a, b, strict=False)) / min(len(a), len(b))
            ),
            "should give 0.625": lambda a, b: sum(a) / len(a) - sum(b) / len(b),
        },
    ),
    (
        checks.check_misses_and_false_alarms,
        alarms,
        {
            "swapped": lambda *case: alarms(*case)[::-1],
            "*without* a warning": wrong(
                shares=lambda warned, diverged: (
                    warned[diverged].double().mean().item(),
                    warned[~diverged].double().mean().item(),
                )
            ),
            "not of the warnings": wrong(
                shares=lambda warned, diverged: (
                    (~warned)[diverged].double().mean().item(),
                    (~diverged)[warned].double().mean().item(),
                )
            ),
            "not among all runs": wrong(
                shares=lambda warned, diverged: (
                    (~warned & diverged).double().mean().item(),
                    (warned & ~diverged).double().mean().item(),
                )
            ),
            "end - step": wrong(steps_left=lambda end, step: end),
            "takes the learning rate for eps": wrong(eps=lambda lr, n: lr),
            "the N is missing": wrong(eps=lambda lr, n: 2 * lr),
            "without and with a warning": wrong(
                shares=lambda warned, diverged: (
                    diverged[~warned].double().mean().item(),
                    (~diverged)[warned].double().mean().item(),
                )
            ),
            "above 0. The rule asks for more": lambda seem, step, diverged, *rest: (
                (seem <= 0)[diverged].double().mean().item(),
                (seem > 0)[~diverged].double().mean().item(),
            ),
            "at exactly 1": lambda seem, step, diverged, lr, n, end: (
                (2 * lr / n * seem * (end - step) < 1)[diverged].double().mean().item(),
                (2 * lr / n * seem * (end - step) >= 1)[~diverged].double().mean().item(),
            ),
            "should give (0.5,": lambda *case: (0.1, 0.1),
        },
    ),
    (
        checks.check_clock_against_constant,
        clock,
        {
            "the very runs it is judged by": wrong_clock(constant=lambda left, other: left.quantile(0.5)),
            "the same leak": wrong_clock(constant=lambda left, other: left.mean()),
            "carry the mean away": wrong_clock(constant=lambda left, other: other.mean()),
            "the clock comes first": lambda *case: clock(*case)[::-1],
            "both ways": wrong_clock(right=lambda guess, left: (left >= guess) & (left <= 2 * guess)),
            "too long as well": wrong_clock(right=lambda guess, left: left <= 2 * guess),
            "exactly twice": wrong_clock(right=lambda guess, left: (left < 2 * guess) & (left > guess / 2)),
            "should give (0.5,": lambda *case: (0.1, 0.1),
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


def test_tensors_are_accepted_for_the_two_shares():
    assert checks.check_misses_and_false_alarms(lambda *case: torch.tensor(alarms(*case), dtype=torch.float64)).passed
