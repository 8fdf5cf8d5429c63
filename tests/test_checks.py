"""Checks tell the right answer, the stub, the usual mistakes and a crash apart."""

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def share(gamma, seeds, steps=400):
    runs = [sl.train(sl.mlp(4, seed=1000 + s), sl.toy_walk(s, gamma=gamma), steps=steps) for s in seeds]
    return sum(run.diverged for run in runs) / len(runs)


# check, right answer, {words of the message: wrong answer}
EXERCISES = [
    (
        checks.check_td_error,
        lambda q, q_next, r, d: q - r - d * q_next,
        {
            "sign": lambda q, q_next, r, d: r + d * q_next - q,
            "discounted before": lambda q, q_next, r, d: q - (r + q_next),
            "whole target": lambda q, q_next, r, d: q - r + d * q_next,
            "should give": lambda q, q_next, r, d: q,
        },
    ),
    (
        checks.check_diverged_share,
        share,
        {
            "counts the runs": lambda gamma, seeds: share(gamma, seeds) * len(seeds),
            "stay finite": lambda gamma, seeds: 1 - share(gamma, seeds),
            "no effect": lambda gamma, seeds: share(0.99, seeds),
        },
    ),
    (
        checks.check_loop_factor,
        lambda c, gamma, lr: 1 + 2 * lr * (gamma * c - 1),
        {
            "factor 2": lambda c, gamma, lr: 1 + lr * (gamma * c - 1),
            "turned round": lambda c, gamma, lr: 1 - 2 * lr * (gamma * c - 1),
            "gamma is missing": lambda c, gamma, lr: 1 + 2 * lr * (c - 1),
            "that is A": lambda c, gamma, lr: gamma * c - 1,
        },
    ),
    (
        checks.check_overtaken,
        lambda value, target: (target > value).float().mean(),
        {
            "counts": lambda value, target: (target > value).sum(),
            "value rose more": lambda value, target: (target < value).double().mean(),
        },
    ),
    (
        checks.check_safe_learning_rate,
        lambda c, gamma: 0.0 if gamma * c > 1 else -1 / (gamma * c - 1),
        {
            "not lr": lambda c, gamma: 0.0 if gamma * c > 1 else -2 / (gamma * c - 1),
            "no positive": lambda c, gamma: -1 / (gamma * c - 1),
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes):
    assert check(right).passed
    assert repr(check(right)).startswith("Right. ")
    stub = check(lambda *arguments: None)
    assert not stub.passed and "in place of the dots" in repr(stub)
    for words, wrong in mistakes.items():
        outcome = check(wrong)
        assert not outcome.passed and words in outcome.message


def test_an_exception_becomes_the_message():
    outcome = checks.check_loop_factor(lambda c, gamma, lr: 1 / 0)
    assert repr(outcome) == "Not yet: called with 2, 1, 0.1, it raised ZeroDivisionError: division by zero"


def test_no_function_at_all():
    assert "a function is needed, got float" in checks.check_loop_factor(1.0).message


@pytest.mark.parametrize("wrong", ["text", torch.ones(3), torch.tensor(float("nan"))])
def test_answers_of_another_kind_are_wrong_not_a_crash(wrong):
    outcome = checks.compare(lambda x: wrong, lambda x: x, [(1.0,)], praise="never")
    assert not outcome.passed and outcome.message.startswith("called with 1, it should give 1")
