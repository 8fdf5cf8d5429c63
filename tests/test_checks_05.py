"""Exercises of lesson 05: right answers, stubs and the usual mistakes."""

import math

import pytest

import seem_lab as sl
from seem_lab import checks


def growth_power(depth):
    return 2 - 2 / depth


def closed_form(seem, lr, n, depth):
    return n / (2 * lr * seem * growth_power(depth))


def discrete_map(s, q_now, q_limit, depth):
    """In logarithms, unlike the check."""
    after, steps, log_q, log_limit, now = [], 0, math.log(q_now), math.log(q_limit), s
    while log_q <= log_limit or not after:
        stretch = math.log1p(now / depth)
        if log_q <= log_limit:
            steps += 1
        log_q, now = log_q + depth * stretch, now * math.exp((2 * depth - 2) * stretch)
        after = after or [math.exp(log_q), now]
    return *after, steps


def other_map(step, shift=0, past=lambda q, limit: q > limit):
    """Exercise 2 with another step, another count, or another limit."""

    def answer(s, q_now, q_limit, depth):
        first, q, count = step(q_now, s, depth), q_now, 0
        while not past(q, q_limit):
            (q, s), count = step(q, s, depth), count + 1
        return *first, count + shift

    return answer


def right_step(q, s, depth):
    return q * (1 + s / depth) ** depth, s * (1 + s / depth) ** (2 * depth - 2)


def new_s_first(q, s, depth):
    _, later = right_step(q, s, depth)
    return q * (1 + later / depth) ** depth, later


EXERCISES = [
    (
        checks.check_closed_form,
        closed_form,
        {
            "the scale of the parameters": lambda *case: closed_form(*case) / case[3],
            "p is missing": lambda *case: closed_form(*case) * growth_power(case[3]),
            "p stands in the denominator": lambda *case: closed_form(*case) * growth_power(case[3]) ** 2,
            "lr alone": lambda seem, lr, n, depth: 1 / (growth_power(depth) * lr * seem),
            "2 of the square": lambda *case: 2 * closed_form(*case),
            "N is missing": lambda seem, lr, n, depth: 1 / (growth_power(depth) * 2 * lr * seem),
            "should give": lambda *case: 1 + closed_form(*case),
        },
    ),
    (
        checks.check_discrete_map,
        discrete_map,
        {
            "the step of the tangent": other_map(lambda q, s, d: (q * (1 + s), s * (1 + s) ** (2 - 2 / d))),
            "product of L of them": other_map(lambda q, s, d: (q * (1 + s), right_step(q, s, d)[1])),
            "p is its power of U": other_map(lambda q, s, d: (right_step(q, s, d)[0], s * (1 + s / d) ** (2 - 2 / d))),
            "already the new one": other_map(new_s_first),
            "kappa grows, too": other_map(lambda q, s, d: (right_step(q, s, d)[0], s)),
            "divide it by L": other_map(lambda q, s, d: (*right_step(q, d * s, d)[:1], s * (1 + s) ** (2 * d - 2))),
            "one too many": other_map(right_step, 1),
            "one too few": other_map(right_step, -1),
            "exactly at the limit": other_map(right_step, past=lambda q, limit: q >= limit),
            "should give": lambda s, q, limit, depth: (*right_step(q, s, depth), 7),
        },
    ),
    (
        checks.check_flow_lag,
        lambda depth: 1 - 1 / (2 * depth),
        {
            "right for two layers": lambda depth: 0.75,
            "the half is missing": lambda depth: 2 - 1 / depth,
            "divide by p": lambda depth: (1 - 1 / (2 * depth)) * growth_power(depth),
            "with a plus": lambda depth: 1 - 3 / (2 * depth),
            "the sign": lambda depth: 1 / (2 * depth) - 1,
            "should give": lambda depth: 1.0,
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_answers_agree_with_the_library(depth):
    made = sl.forecast_crash(134.6, depth=depth, lr=0.02, n=63, q_now=22.3, q_limit=1e6)
    s = sl.step_size(0.02, 63) * 134.6
    kappa, p = 1e-4, sl.growth_exponent(depth)
    fall = (1 / right_step(1.0, kappa, depth)[1] - 1 / kappa) / p
    assert growth_power(depth) == pytest.approx(p)
    assert (fall + 1) / kappa == pytest.approx(1 - 1 / (2 * depth), rel=1e-3)
    assert closed_form(134.6, 0.02, 63, depth) == pytest.approx(made.closed_form)
    assert discrete_map(s, 22.3, 1e6, depth)[2] == math.ceil(made.steps_left)
