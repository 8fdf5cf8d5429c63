"""The checks of lesson 07: a stub fails, the right answer passes, every known mistake gets its sentence."""

import math

import pytest
import torch

import seem_lab as sl
from seem_lab import checks


def normalised(z, eps):
    centred = z - z.sum() / len(z)
    return centred / ((centred**2).sum() / len(z) + eps) ** 0.5


def multiple(w, sigma, here):
    n, square = len(w), (w @ w).item()
    return ((n + 1 + n * w.abs().max().item() ** 2 + square + square * n / sigma**2) / here) ** 0.5


def response(y, x):
    rows = torch.tensor([y, x], dtype=torch.float64)
    width = 10**12  # so many that the terms without n do not count
    kernel = sl.infinite_width_ntk(rows, rows, width=width, layer_norm=True, affine=False, eps=0.0)
    return (kernel[0, 1] / kernel[1, 1]).item()


def angle(y, x):
    one, other = (torch.tensor([*row, 1.0], dtype=torch.float64) for row in (y, x))
    return math.acos(min(1.0, (one @ other / one.norm() / other.norm()).item()))


EXERCISES = [
    (
        checks.check_layer_norm,
        normalised,
        {
            "that of a sample": lambda z, eps: (z - z.mean()) / (z.var() + eps).sqrt(),
            "divides by the variance": lambda z, eps: (z - z.mean()) / (z.var(correction=0) + eps),
            "mean was not taken off": lambda z, eps: z / (z.var(correction=0) + eps).sqrt(),
            "eps is left out": lambda z, eps: (z - z.mean()) / z.var(correction=0).sqrt(),
            "root of n is missing": lambda z, eps: normalised(z, eps) / len(z) ** 0.5,
            "not PyTorch's own": lambda z, eps: torch.nn.functional.layer_norm(z, (len(z),), eps=eps),
            "means, squares and roots": lambda z, eps: torch.nn.LayerNorm(len(z), eps=eps, elementwise_affine=False)(z),
            "should give": lambda z, eps: 2 * normalised(z, eps),
        },
    ),
    (
        checks.check_kernel_multiple,
        multiple,
        {
            "gives its square root": lambda *case: multiple(*case) ** 2,
            "a constant 1": lambda w, sigma, here: (multiple(w, sigma, here) ** 2 - 1 / here) ** 0.5,
            "sigma must be squared": lambda w, sigma, here: multiple(w, sigma**0.5, here),
            "last layer alone": lambda w, sigma, here: ((len(w) + 1) / here) ** 0.5,
            "should give": lambda *case: 1.0,
        },
    ),
    (
        checks.check_wide_response,
        response,
        {
            "1 of the bias is missing": lambda y, x: _without_bias(y, x),
            "divide by the value at t = 0": lambda y, x: response(y, x) / 2,
            "math domain error": lambda y, x: _unclamped(y, x, root=math.sqrt),
            "domain": lambda y, x: _unclamped(y, x, root=None),
            "on at both": lambda y, x: 1 - angle(y, x) / math.pi,
            "cosine alone": lambda y, x: math.cos(angle(y, x)),
            "should give": lambda y, x: 0.0,
        },
    ),
]


def _unclamped(y, x, root):
    """Right on paper; a cosine that rounding has put above 1 raises."""

    def inner(a, b):
        return sum(p * q for p, q in zip(a, b, strict=True)) + 1

    length = root(inner(y, y)) * root(inner(x, x)) if root else math.sqrt(inner(y, y) * inner(x, x))
    t = math.acos(inner(y, x) / length)
    return (math.sin(t) + (math.pi - t) * math.cos(t)) / math.pi


def _without_bias(y, x):
    one, other = (torch.tensor(row, dtype=torch.float64) for row in (y, x))
    t = math.acos(min(1.0, (one @ other / one.norm() / other.norm()).item()))
    return (math.sin(t) + (math.pi - t) * math.cos(t)) / math.pi


@pytest.mark.parametrize(("check", "right", "mistakes"), EXERCISES)
def test_exercise(check, right, mistakes, judge_exercise):
    judge_exercise(check, right, mistakes)


def test_multiple_is_that_of_the_library():
    """The exercise's truth against `kernel_bound`, on a fresh network."""
    network = sl.mlp(4, layer_norm=True, seed=5)
    extended = torch.cat([network[0].weight, network[0].bias[:, None]], dim=1).detach()
    sigma = torch.linalg.svdvals(extended - extended.mean(0))[-1].item()
    here = sl.ntk(network, torch.ones(1, 4, dtype=torch.float64)).item()
    expected = math.sqrt(sl.kernel_bound(network).total / here)
    assert multiple(network[3].weight.detach()[0], sigma, here) == pytest.approx(expected)
