"""Checks of lesson 04."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seem_lab.checks.check import Check, compare
from seem_lab.early_warning import early_warning
from seem_lab.training import step_size


def check_time_constant(answer: Any) -> Check:
    """Exercise 1: `answer(seem, lr, n)` returns the steps in which the leading error grows by the factor e."""
    return compare(
        answer,
        lambda seem, lr, n: 1 / (step_size(lr, n) * seem),
        [(2.0, 0.1, 10), (2.0, 0.02, 63), (0.125, 0.005, 40)],
        praise="A large SEEM, a large learning rate or few transitions: each makes the clock run faster.",
        mistakes={
            "that is the growth in one step; the time is one over it.": lambda seem, lr, n: step_size(lr, n) * seem,
            "the loss is a mean over N transitions: eps = 2 lr / N, and here the N is missing.": (
                lambda seem, lr, n: 1 / (2 * lr * seem)
            ),
            "the derivative of a square brings a 2: eps = 2 lr / N.": lambda seem, lr, n: n / (lr * seem),
            "that takes the learning rate for eps; eps = 2 lr / N.": lambda seem, lr, n: 1 / (lr * seem),
        },
    )


def check_auroc(answer: Any) -> Check:
    """Exercise 2: `answer(diverged, survived)`, two lists of scores, returns the AUROC, a tie counting half."""

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
    """Exercise 3: `answer(seem, step, diverged, lr, n, end)` returns (share missed, share of false alarms)."""

    def shares(warned: Tensor, diverged: Tensor) -> tuple[float, float]:
        return (~warned)[diverged].double().mean().item(), warned[~diverged].double().mean().item()

    def rule(seem: Tensor, step: Tensor, diverged: Tensor, lr: float, n: int, end: int) -> Tensor:
        return torch.as_tensor(early_warning(seem.numpy(), lr=lr, n=n, steps_left=(end - step).numpy()))

    def truth(*case: Any) -> tuple[float, float]:
        return shares(rule(*case), case[2])

    def of_warnings(*case: Any) -> tuple[float, float]:
        warned, diverged = rule(*case), case[2]
        return truth(*case)[0], (~diverged)[warned].double().mean().item()

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
        [4.0, 1.5, 2.0, 0.3, 1.8, 6.0, 0.05, 1.2, 0.02],
        [100, 100, 50, 0, 1000, 1400, 50, 100, 0],
        [True, True, True, True, False, False, False, False, False],
    )
    return compare(
        answer,
        truth,
        [(*small, 0.02, 40, 1000), (*larger, 0.02, 63, 1500)],
        praise="Each share is taken within its own kind of run, so it does not depend on how many there are of each.",
        mistakes={
            "the two numbers are swapped: the share that is missed comes first.": lambda *case: truth(*case)[::-1],
            "the first number should be the share of diverging runs *without* a warning.": lambda *case: (
                1 - truth(*case)[0],
                truth(*case)[1],
            ),
            "false alarms are a share of the surviving runs here, not of the warnings.": of_warnings,
            "each share is taken within one kind of run, not among all runs.": of_all,
            "steps left are end - step: the rule counts from the step at which SEEM was read.": from_the_start,
            "that takes the learning rate for eps; eps = 2 lr / N.": with_eps(0.5),
            "the loss is a mean over N transitions: eps = 2 lr / N, and here the N is missing.": with_eps(1.0),
        },
    )
