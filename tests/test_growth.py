"""Growth laws: homogeneity of real networks, and fits against series made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seem_lab import (
    fit_free_exponent,
    fit_inverse_power,
    fit_kernel_exponent,
    fit_line,
    fit_power,
    growth_exponent,
    mlp,
    ntk,
    terminal_start,
    toy_walk,
)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_exponent_is_that_of_a_homogeneous_network(depth: int) -> None:
    """All parameters times s: Q times s^L, kernel times s^(2L-2), so the kernel goes like Q^p."""
    network, x, s = mlp(4, (8,) * (depth - 1), bias=False, seed=1), toy_walk(1).x, 3.0
    q, kernel = network(x), ntk(network, x)
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(s)
    torch.testing.assert_close(network(x), s**depth * q)
    torch.testing.assert_close(ntk(network, x), (s**depth) ** growth_exponent(depth) * kernel)


@pytest.mark.parametrize("depth", [0, -1, 2.5])
def test_a_depth_that_counts_no_layers_is_refused(depth: float) -> None:
    with pytest.raises(ValueError, match="whole number"):
        growth_exponent(depth)


def test_terminal_start_looks_at_the_minimum_so_far() -> None:
    error = [50.0, 8.0, 2.0, 19.9, 1.0, 9.0, 10.0, 4.0]
    assert terminal_start(error) == 6
    assert terminal_start(error, multiple=3.0) == 3
    assert terminal_start(error, multiple=100.0) is None
    with pytest.raises(ValueError, match="above 1"):
        terminal_start(error, multiple=1.0)


@given(crash=st.floats(110, 1e4), power=st.floats(0.3, 4), size=st.floats(1e-3, 1e6))
def test_inverse_powers_come_back(crash: float, power: float, size: float) -> None:
    step = np.arange(20, 101)
    grown = size * (crash - step) ** (-1 / power)
    fit = fit_inverse_power(step, grown, exponent=power)
    assert fit.zero == pytest.approx(crash, rel=1e-6)
    assert fit.r_squared == pytest.approx(1)
    assert (fit.first, fit.last, fit.points) == (20, 100, 81)


@pytest.mark.parametrize("power", [0.5, 1.0, 4 / 3, 1.5, 3.0])
def test_free_exponents_come_back(power: float) -> None:
    step = np.arange(300)
    assert fit_free_exponent(step, 7 * (320 - step) ** (-1 / power)).exponent == pytest.approx(power, rel=1e-3)
    assert fit_power(step, 7 * (step + 30.0) ** power).exponent == pytest.approx(power, rel=1e-3)
    size = np.geomspace(1, 1e5, 40)
    kernel = fit_kernel_exponent(np.arange(40), size, 3 * size**power)
    assert kernel.exponent == pytest.approx(power)
    assert np.isnan(kernel.zero)


def test_a_line_is_told_from_what_is_none() -> None:
    step = np.arange(100)
    assert fit_line(step, 2 * step + 5.0).slope == pytest.approx(2)
    assert fit_line(step, 2 * step + 6.0).zero == pytest.approx(-3)
    assert fit_line(step, np.exp(step / 10)).r_squared < 0.7
    assert "100 points, steps 0 to 99" in repr(fit_line(step, 2.0 * step))


@pytest.mark.parametrize(
    ("step", "size", "message"),
    [
        ([0, 1], [1.0, 2.0], "3 points or more"),
        ([0, 1, 2], [1.0, 2.0], "one length"),
        ([0, 1, 2], [1.0, np.nan, 2.0], "size is not finite at point 1"),
        ([0, 1, 2], [1.0, 0.0, 2.0], "size must be positive"),
    ],
)
def test_series_that_do_not_fit_are_refused(step: list, size: list, message: str) -> None:
    for fit in (fit_free_exponent, fit_power, lambda a, b: fit_inverse_power(a, b, 1.0)):
        with pytest.raises(ValueError, match=message):
            fit(step, size)


def test_an_exponent_of_zero_has_no_line() -> None:
    with pytest.raises(ValueError, match="exponent must be positive"):
        fit_inverse_power([0, 1, 2], [1.0, 2.0, 3.0], growth_exponent(1))
