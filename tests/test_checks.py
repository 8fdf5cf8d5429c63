"""Checks tell the right answer, the stub, the usual mistakes and a crash apart."""

import functools

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


@functools.cache
def blows_up(gamma, seed):
    return sl.train(sl.mlp(4, seed=1000 + seed), sl.toy_walk(seed, gamma=gamma), steps=400).diverged


def share(gamma, seeds):
    return sum(blows_up(gamma, seed) for seed in seeds) / len(seeds)


def share_of_one_network(gamma, seeds):
    network = sl.mlp(4, seed=1000 + seeds[0])
    return sum(sl.train(network, sl.toy_walk(seed, gamma=gamma), steps=400).diverged for seed in seeds) / len(seeds)


# check, right answer, {words of the message: wrong answer}
EXERCISES = [
    (
        checks.check_td_error,
        lambda q, q_next, r, d: q - r - d * q_next,
        {
            "sign": lambda q, q_next, r, d: r + d * q_next - q,
            "discounted before": lambda q, q_next, r, d: q - (r + q_next),
            "argument discount": lambda q, q_next, r, d: q - r - 0.99 * q_next,
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
            "only the first seed": lambda gamma, seeds: share(gamma, seeds[:1]),
            "fresh network": share_of_one_network,
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
            "1 plus it": lambda c, gamma, lr: 2 * lr * (gamma * c - 1),
            "keep the sign": lambda c, gamma, lr: abs(1 + 2 * lr * (gamma * c - 1)),
        },
    ),
    (
        checks.check_overtaken,
        lambda value, target: (target > value).float().mean(),
        {
            "counts": lambda value, target: (target > value).sum(),
            "value rose more": lambda value, target: (target < value).double().mean(),
            "both rise alike": lambda value, target: (target >= value).double().mean(),
            "not per cent": lambda value, target: 100 * (target > value).double().mean(),
        },
    ),
    (
        checks.check_safe_learning_rate,
        lambda c, gamma: 0.0 if gamma * c > 1 else -1 / (gamma * c - 1),
        {
            "not lr": lambda c, gamma: 0.0 if gamma * c > 1 else -2 / (gamma * c - 1),
            "c alone": lambda c, gamma: 0.0 if c > 1 else -1 / (gamma * c - 1),
            "factor is 0": lambda c, gamma: 0.0 if gamma * c > 1 else -0.5 / (gamma * c - 1),
            "no positive": lambda c, gamma: -1 / (gamma * c - 1),
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


def test_an_exception_becomes_the_message():
    outcome = checks.check_loop_factor(lambda c, gamma, lr: 1 / 0)
    assert repr(outcome) == "Not yet: called with 2, 1, 0.1, it raised ZeroDivisionError: division by zero"


def test_no_function_at_all():
    assert "a function is needed, got float" in checks.check_loop_factor(1.0).message


@pytest.mark.parametrize("wrong", ["text", torch.ones(3), torch.tensor(float("nan"))])
def test_answers_of_another_kind_are_wrong_not_a_crash(wrong):
    outcome = checks.compare(lambda x: wrong, lambda x: x, [(1.0,)], praise="never")
    assert not outcome.passed and outcome.message.startswith("called with 1, it should give 1")


def test_what_is_off_in_a_large_tensor_is_named():
    def off(x):
        return x + 0.5 * (torch.arange(len(x)) == 7)

    message = checks.compare(off, lambda x: x, [(torch.zeros(20),)], praise="never").message
    assert message.endswith("the shape (20,) is right, but the entries are not: entry (7,) should be 0, but is 0.5")
    message = checks.compare(lambda x: x[:, None], lambda x: x, [(torch.zeros(20),)], praise="never").message
    assert message.endswith("it should give shape (20,), but gave (20, 1)")
