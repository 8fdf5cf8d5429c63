"""Checks of lesson 04."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seem_lab.checks.check import Check, compare
from seem_lab.early_warning import early_warning


def check_auroc(answer: Any) -> Check:
    """Exercise 1: `answer(diverged, survived)`, two lists of scores, returns the AUROC, a tie counting half."""

    def area(diverged: list[float], survived: list[float], tie: float = 0.5) -> float:
        pairs = [(one > other) + tie * (one == other) for one in diverged for other in survived]
        return sum(pairs) / len(pairs)

    return compare(
        answer,
        area,
        [([3.0, 1.0], [2.0, 1.0]), ([5.0, 0.1, 4.0], [0.2, 3.0]), ([1.0], [1.0, 1.0]), ([0.0, 2.0], [1.0, 3.0, 2.0])],
        praise="No threshold, no units: only the order of the scores counts.",
        mistakes={
            "a tie counts half, and here it counts nothing.": lambda diverged, survived: area(diverged, survived, 0.0),
            "a tie counts half, and here it counts whole.": lambda diverged, survived: area(diverged, survived, 1.0),
            "that is the chance that the run that survived has the higher score; turn the comparison round.": (
                lambda diverged, survived: area(survived, diverged)
            ),
            "that is the number of pairs in the right order; divide by the number of all pairs.": (
                lambda diverged, survived: area(diverged, survived) * len(diverged) * len(survived)
            ),
            "compare every diverged run with every run that survived, not only those at the same place in the lists.": (
                lambda diverged, survived: (
                    sum(area([one], [other]) for one, other in zip(diverged, survived, strict=False))
                    / min(len(diverged), len(survived))
                )
            ),
        },
    )


def check_misses_and_false_alarms(answer: Any) -> Check:
    """Exercise 2: `answer(seem, step, diverged, lr, n, end)` returns (share missed, share of false alarms)."""

    def shares(warned: Tensor, diverged: Tensor) -> tuple[float, float]:
        return (~warned)[diverged].double().mean().item(), warned[~diverged].double().mean().item()

    def rule(seem: Tensor, step: Tensor, diverged: Tensor, lr: float, n: int, end: int) -> Tensor:
        return torch.as_tensor(early_warning(seem.numpy(), lr=lr, n=n, steps_left=(end - step).numpy()))

    def truth(*case: Any) -> tuple[float, float]:
        return shares(rule(*case), case[2])

    def of_warnings(*case: Any) -> tuple[float, float]:
        warned, diverged = rule(*case), case[2]
        return truth(*case)[0], (~diverged)[warned].double().mean().item()

    def of_kinds_of_warning(*case: Any) -> tuple[float, float]:
        warned, diverged = rule(*case), case[2]
        return diverged[~warned].double().mean().item(), (~diverged)[warned].double().mean().item()

    def by_sign(seem: Tensor, step: Tensor, diverged: Tensor, *rest: Any) -> tuple[float, float]:
        return shares(seem > 0, diverged)

    def from_one_on(seem: Tensor, step: Tensor, diverged: Tensor, lr: float, n: int, end: int) -> tuple[float, float]:
        return shares(2 * lr / n * seem * (end - step) >= 1, diverged)

    def of_all(*case: Any) -> tuple[float, float]:
        warned, diverged = rule(*case), case[2]
        return (~warned & diverged).double().mean().item(), (warned & ~diverged).double().mean().item()

    def from_the_start(seem: Tensor, step: Tensor, *rest: Any) -> tuple[float, float]:
        return truth(seem, 0 * step, *rest)

    def with_eps(factor: float) -> Any:
        def answer(seem: Tensor, step: Tensor, diverged: Tensor, lr: float, n: int, end: int) -> tuple[float, float]:
            return truth(seem, step, diverged, lr * n * factor, n, end)

        return answer

    def table(seem: list[float], step: list[int], diverged: list[bool]) -> tuple[Tensor, Tensor, Tensor]:
        return torch.tensor(seem, dtype=torch.float64), torch.tensor(step), torch.tensor(diverged)

    small = table([3.0, 0.5, 3.0, 0.5, 0.1], [0, 0, 900, 0, 0], [True, True, False, False, False])
    larger = table(
        [4.0, 1.5, 2.0, 0.3, 1.8, 6.0, 0.05, 1.2, 0.02, 0.001],
        [100, 100, 50, 0, 1000, 1400, 50, 100, 0, 0],
        [True, True, True, True, False, False, False, False, False, False],
    )
    edge = table([0.5, 2.0, 0.5, 0.25, -1.0], [0, 0, 0, 0, 0], [True, True, False, False, False])  # twice exactly 1
    return compare(
        answer,
        truth,
        [(*small, 0.02, 40, 1000), (*larger, 0.02, 63, 1500), (*edge, 0.5, 16, 32)],
        praise="Each share is taken within its own kind of run, so it does not depend on how many there are of each.",
        mistakes={
            "the two numbers are swapped: the share that is missed comes first.": lambda *case: truth(*case)[::-1],
            "the first number should be the share of diverging runs *without* a warning.": lambda *case: (
                1 - truth(*case)[0],
                truth(*case)[1],
            ),
            "false alarms are a share of the surviving runs here, not of the warnings.": of_warnings,
            "these are shares of the runs without and with a warning; asked are shares of the runs that diverge and of "
            "those that survive.": of_kinds_of_warning,
            "that warns wherever SEEM is above 0. The rule asks for more: eps SEEM steps left above 1.": by_sign,
            "only an edge is off: at exactly 1 the rule does not warn.": from_one_on,
            "each share is taken within one kind of run, not among all runs.": of_all,
            "steps left are end - step: the rule counts from the step at which SEEM was read.": from_the_start,
            "that takes the learning rate for eps; eps = 2 lr / N.": with_eps(0.5),
            "the loss is a mean over N transitions: eps = 2 lr / N, and here the N is missing.": with_eps(1.0),
        },
    )


def check_clock_against_constant(answer: Any) -> Check:
    """Exercise 3: `answer(tau, left, other_left)` returns (share right of the clock, share right of a constant)."""

    def share(guess: Tensor, left: Tensor) -> float:
        return ((left <= 2 * guess) & (guess <= 2 * left)).double().mean().item()

    def truth(tau: Tensor, left: Tensor, other_left: Tensor) -> tuple[float, float]:
        return share(tau, left), share(other_left.median(), left)

    def case(tau: list[float], left: list[float], other_left: list[float]) -> tuple[Tensor, Tensor, Tensor]:
        clock, truth, others = (torch.tensor(values, dtype=torch.float64) for values in (tau, left, other_left))
        return clock, truth, others

    def by(shares: Any) -> Any:
        return lambda tau, left, other_left: (shares(tau, left), shares(other_left.median(), left))

    return compare(
        answer,
        truth,
        [
            case([100.0, 100.0], [150.0, 300.0], [200.0, 80.0, 90.0]),
            case(
                [100.0, 400.0, 50.0, 900.0, 300.0, 120.0],
                [200.0, 190.0, 60.0, 300.0, 650.0, 240.0],
                [90.0, 400.0, 120.0, 110.0, 3000.0],
            ),
            case([10.0, 40.0, 8.0, 9.0], [20.0, 20.0, 7.0, 300.0], [60.0, 14.0, 2.0]),
        ],
        praise="The constant has seen only what one could have seen before. So the comparison is fair to both.",
        mistakes={
            "the constant was chosen on the very runs it is judged by; nobody knows their steps left beforehand.": (
                lambda tau, left, other_left: (share(tau, left), share(left.quantile(0.5), left))
            ),
            "the same leak: the constant may not depend on left, which is what it is judged by.": (
                lambda tau, left, other_left: (share(tau, left), share(left.mean(), left))
            ),
            "take the median of the other runs: a few long runs carry the mean away.": (
                lambda tau, left, other_left: (share(tau, left), share(other_left.mean(), left))
            ),
            "the two numbers are swapped: the clock comes first.": lambda *given: truth(*given)[::-1],
            "within a factor of two means both ways: half as long, too, is still right.": by(
                lambda guess, left: ((left >= guess) & (left <= 2 * guess)).double().mean().item()
            ),
            "a guess can be too long as well: half of the steps left is the one limit, twice them the other.": by(
                lambda guess, left: (left <= 2 * guess).double().mean().item()
            ),
            "exactly twice, or exactly half, still counts as right.": by(
                lambda guess, left: ((left < 2 * guess) & (guess < 2 * left)).double().mean().item()
            ),
        },
    )
