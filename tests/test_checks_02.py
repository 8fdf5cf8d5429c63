"""Exercises of lesson 02: right answers, stubs and the usual mistakes."""

import math

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def kernel_view(phi, phi_next, discount):
    return torch.diag(discount) @ phi_next @ phi.T - phi @ phi.T


def rate_and_crash(eigenvalue, eps, q_now, q_limit):
    rate = 0.5 * math.log1p(2 * eps * eigenvalue.real + (eps * abs(eigenvalue)) ** 2)
    return rate, math.ceil((math.log(q_limit) - math.log(q_now)) / rate)


def first_order(eigenvalue, eps, q_now, q_limit):
    rate = eps * eigenvalue.real
    return rate, math.ceil(math.log(q_limit / q_now) / rate)


def threshold_gamma(phi, phi_next):
    """By a grid that is refined, unlike the bisection of the check."""
    low, high = 0.0, 1.0
    for _ in range(4):
        grid = torch.linspace(low, high, 51, dtype=phi.dtype)
        seem = torch.linalg.eigvals((grid[:, None, None] * phi_next - phi) @ phi.T).real.amax(1)
        first = int((seem > 0).double().argmax())
        low, high = grid[first - 1].item(), grid[first].item()
    return (low + high) / 2


def bisection(phi, phi_next, seem=lambda A, K: torch.linalg.eigvals(A).real.max(), halvings=20, flipped=False):
    """As a reader would write it, with the places where it can go wrong."""
    low, high = 0.0, 1.0
    for _ in range(halvings):
        gamma = (low + high) / 2
        B = torch.full((len(phi), 1), gamma, dtype=phi.dtype) * phi_next - phi
        if (seem(B @ phi.T, phi.T @ B) > 0) != flipped:
            high = gamma
        else:
            low = gamma
    return (low + high) / 2


def with_seem(seem):
    return lambda phi, phi_next: bisection(phi, phi_next, seem)


EXERCISES = [
    (
        checks.check_kernel_view,
        kernel_view,
        {
            "discounted": lambda phi, phi_next, d: (phi_next - phi) @ phi.T,
            "not to one column": lambda phi, phi_next, d: d * (phi_next @ phi.T) - phi @ phi.T,
            "transposed": lambda phi, phi_next, d: kernel_view(phi, phi_next, d).T,
            "parameter matrix K": lambda phi, phi_next, d: phi.T @ (d[:, None] * phi_next - phi),
            "turned round": lambda phi, phi_next, d: -kernel_view(phi, phi_next, d),
            "not phi_next.T": lambda phi, phi_next, d: (d[:, None] * phi_next - phi) @ phi_next.T,
            "should give": lambda phi, phi_next, d: phi @ phi.T,
        },
    ),
    (
        checks.check_rate_and_crash,
        rate_and_crash,
        {
            "very small eps": first_order,
            "imaginary part": lambda lam, *rest: rate_and_crash(complex(lam.real), *rest),
            "logarithm is the rate": lambda lam, eps, *q: (abs(1 + eps * lam), rate_and_crash(lam, eps, *q)[1]),
            "round the second": lambda lam, eps, q, limit: (
                rate_and_crash(lam, eps, q, limit)[0],
                math.log(limit / q) / rate_and_crash(lam, eps, q, limit)[0],
            ),
            "round up, not down": lambda lam, eps, q, limit: (
                rate_and_crash(lam, eps, q, limit)[0],
                int(math.log(limit / q) / rate_and_crash(lam, eps, q, limit)[0]),
            ),
            "swapped": lambda *given: rate_and_crash(*given)[::-1],
            "not math.log10, for the rate": lambda lam, eps, q, limit: (
                math.log10(abs(1 + eps * lam)),
                math.ceil(math.log10(limit / q) / math.log10(abs(1 + eps * lam))),
            ),
            "mix it with math.log10": lambda lam, eps, q, limit: (
                math.log(abs(1 + eps * lam)),
                math.ceil(math.log10(limit / q) / math.log(abs(1 + eps * lam))),
            ),
            "should give": lambda lam, eps, q, limit: (2 * eps, 7),
        },
    ),
    (
        checks.check_threshold_gamma,
        threshold_gamma,
        {
            "wrong half": lambda phi, phi_next: bisection(phi, phi_next, flipped=True),
            "not abs()": with_seem(lambda A, K: torch.linalg.eigvals(A).abs().max()),
            "largest real part": with_seem(lambda A, K: torch.linalg.eigvals(A).real.min()),
            "first guess": lambda phi, phi_next: 0.5,
            "symmetric matrices": with_seem(lambda A, K: torch.linalg.eigvalsh(A).max()),
            "Did you take K?": with_seem(lambda A, K: torch.linalg.eigvals(K).real.max()),
            "near, but not": lambda phi, phi_next: bisection(phi, phi_next, halvings=14),
            "should give": lambda phi, phi_next: 15 / 17,
        },
    ),
]


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


def test_the_star_turns_at_15_17():
    star = sl.baird_star()
    assert threshold_gamma(star.x, star.transitions.next_state) == pytest.approx(15 / 17, abs=1e-5)


@pytest.mark.parametrize(
    ("halvings", "says"), [(6, "near, but not"), (15, "near, but not"), (20, "Baird's star turns")]
)
def test_a_bisection_needs_about_twenty_halvings(halvings, says):
    assert says in checks.check_threshold_gamma(lambda *case: bisection(*case, halvings=halvings)).message
