"""Checks of lesson 07."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from seem_lab.checks.check import Check, compare


class _ByHand(TorchFunctionMode):
    """Within it PyTorch's own LayerNorm is refused."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "layer_norm" in getattr(func, "__name__", ""):
            raise RuntimeError("use means, squares and roots, not PyTorch's own LayerNorm")
        return func(*args, **(kwargs or {}))


def check_layer_norm(answer: Any) -> Check:
    """Exercise 1: `answer(z, eps)` returns LayerNorm of one vector, gain 1 and bias 0, without PyTorch's own."""

    def normalised(z: torch.Tensor, eps: float) -> torch.Tensor:
        centred = z - z.mean()
        return centred / (centred.square().mean() + eps).sqrt()

    cases = [
        (torch.tensor([1.0, 3.0], dtype=torch.float64), 0.0),
        (torch.tensor([0.5, -2.0, 4.0, 1.0], dtype=torch.float64), 0.1),
        (torch.tensor([100.0, 101.0, 99.0], dtype=torch.float64), 1e-5),
    ]
    with _ByHand():
        return compare(
            answer,
            normalised,
            cases,
            praise="Make z ten times longer: but for eps, nothing changes.",
            mistakes={
                "the spread is that of a sample, with n - 1; LayerNorm divides by n.": lambda z, eps: (
                    (z - z.mean()) / (z.var() + eps).sqrt()
                ),
                "that divides by the variance; S is its root.": lambda z, eps: (
                    (z - z.mean()) / (z.var(correction=0) + eps)
                ),
                "the mean was not taken off before the division.": lambda z, eps: (
                    z / (z.var(correction=0) + eps).sqrt()
                ),
                "eps is left out, or added after the root; it belongs under the root.": lambda z, eps: (
                    (z - z.mean()) / z.std(correction=0)
                ),
                "that makes the vector 1 long (length, not spread): the root of n is missing.": lambda z, eps: (
                    normalised(z, eps) / math.sqrt(len(z))
                ),
            },
        )


def check_kernel_multiple(answer: Any) -> Check:
    """Exercise 2: `answer(w, sigma, here)` returns the stated multiple of G(x0, x0) for a fresh network."""

    def multiple(
        w: torch.Tensor, sigma: float, here: float, *, root: bool = True, bias: float = 1.0, power: int = 2
    ) -> float:
        n, square = len(w), w.square().sum().item()
        first = square * n / sigma**power
        learned = w.abs().max().item() ** 2 * n + square
        quotient = (first + learned + n + bias) / here
        return math.sqrt(quotient) if root else quotient

    cases = [
        (torch.tensor([1.0, 0.0], dtype=torch.float64), 1.0, 8.0),
        (torch.tensor([0.1, -0.3, 0.2, 0.1], dtype=torch.float64), 0.5, 2.0),
        (torch.linspace(-0.2, 0.1, 64, dtype=torch.float64), 3.0, 35.0),
    ]
    return compare(
        answer,
        multiple,
        cases,
        praise="The n of the last layer is nearly all of B, and about half the units are on: a bit above root 2.",
        mistakes={
            "that is B / G(x0, x0); the inequality gives its square root.": lambda *case: multiple(*case, root=False),
            "the bias of the last layer is missing: a constant 1.": lambda *case: multiple(*case, bias=0.0),
            "sigma must be squared: (1) holds for squared lengths.": lambda *case: multiple(*case, power=1),
            "that is the last layer alone; the first one, the gain and the bias add their parts.": (
                lambda w, sigma, here: math.sqrt((len(w) + 1) / here)
            ),
        },
    )


def check_wide_response(answer: Any) -> Check:
    """Exercise 3: `answer(y, x)` returns G(y, x) / G(x, x) with LayerNorm and infinitely many units."""

    def angle(y: Sequence[float], x: Sequence[float], bias: float = 1.0) -> float:
        def inner(a: Sequence[float], b: Sequence[float]) -> float:
            return sum(p * q for p, q in zip(a, b, strict=True)) + bias

        return math.acos(max(-1.0, min(1.0, inner(y, x) / math.sqrt(inner(y, y) * inner(x, x)))))

    def response(y: Sequence[float], x: Sequence[float], bias: float = 1.0) -> float:
        t = angle(y, x, bias)
        return (math.sin(t) + (math.pi - t) * math.cos(t)) / math.pi

    cases = [
        ([1.0, 0.5], [1.0, 0.5]),
        ([3.0, 1.0], [1.0, 2.0]),
        ([-4.0, 1.0], [1.0, 0.5]),
        ([1000.0, 0.0], [0.0, 1.0]),
        ([1.6, -3.0], [1.6, -3.0]),  # here rounding gives a cosine above 1, with a root of each length,
        ([-2.4, math.nextafter(-2.8, 0.0)], [-2.4, -2.8]),  # and here with one root of their product
    ]
    return compare(
        answer,
        response,
        cases,
        praise="Only the angle counts, and no angle gives more than 1.",
        tolerance=1e-6,
        mistakes={
            "the 1 of the bias is missing: t is the angle between (y, 1) and (x, 1).": lambda y, x: response(y, x, 0.0),
            "that is G(y, x) / n; divide by the value at t = 0, which is 1/2.": lambda y, x: response(y, x) / 2,
            "that is the share of units that are on at both; the average is that of the product of two ReLUs.": (
                lambda y, x: (math.pi - angle(y, x)) / math.pi
            ),
            "that is the cosine alone; the ReLU changes it.": lambda y, x: math.cos(angle(y, x)),
        },
    )
