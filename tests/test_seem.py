"""The SEEM matrix entry by entry and in action, and its leading eigenvalue at any scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seem_lab import Problem, baird_star, leading_mode, linear_q, mlp, q_values, seem, seem_matrix, step_size, toy_walk
from seem_lab.seem import leading_eigenvalue

D = torch.float64


def phi(network: nn.Module, row: Tensor) -> np.ndarray:
    """dQ(x)/dtheta of one input, by one backward pass."""
    gradients = torch.autograd.grad(network(row[None]).sum(), list(network.parameters()))
    return np.concatenate([g.flatten().numpy() for g in gradients])


def walk_with_ends() -> Problem:
    """Twelve steps of the toy walk, two of them terminal."""
    given = toy_walk(seed=2, points=13).transitions
    terminal = torch.zeros(12, dtype=D)
    terminal[[3, 11]] = 1
    return toy_walk(transitions=type(given)(given.state, given.action, given.reward + 1, given.next_state, terminal))


def test_every_entry_against_an_explicit_loop() -> None:
    problem, network = walk_with_ends(), mlp(4, (8,), seed=1)
    x, x_next, discount = problem.bootstrap(network)
    matrix = seem_matrix(network, x, x_next, discount)
    assert matrix.shape == (12, 12)
    largest = matrix.abs().max().item()
    for i in range(12):
        for j in range(12):
            gamma = 0.0 if i in (3, 11) else 0.99
            entry = (gamma * phi(network, x_next[i]) - phi(network, x[i])) @ phi(network, x[j])
            assert matrix[i, j].item() == pytest.approx(entry, abs=1e-12 * largest)


@pytest.mark.parametrize("network", [linear_q(4, seed=3), mlp(4, (16,), seed=3)], ids=["linear", "mlp"])
def test_one_gradient_step_moves_the_td_error_by_the_matrix_and_not_by_its_transpose(network: nn.Module) -> None:
    problem, lr = walk_with_ends(), 1e-6
    x, x_next, discount = problem.bootstrap(network)
    matrix = seem_matrix(network, x, x_next, discount)

    def td_error() -> Tensor:
        return q_values(network, x) - (problem.reward + discount * q_values(network, x_next).detach())

    before = td_error()
    before.square().mean().backward()
    with torch.no_grad():
        for p in network.parameters():
            p -= lr * p.grad
    before = before.detach()
    moved = (td_error().detach() - before) / step_size(lr, problem.n)
    assert (moved - matrix @ before).norm() < 1e-4 * moved.norm()
    assert (moved - matrix.T @ before).norm() > 0.1 * moved.norm()


def test_step_size_carries_the_mean_over_the_transitions() -> None:
    assert step_size(0.02, 63) == pytest.approx(0.04 / 63, rel=1e-15)


def test_bairds_star() -> None:
    result = seem(linear_q(8), *baird_star().bootstrap(linear_q(8)))
    assert result.value == pytest.approx(1.675, abs=5e-4)
    assert result.frequency == 0
    assert result.n == 7


def test_bairds_star_turns_unstable_near_gamma_882_by_a_complex_pair() -> None:
    def at(gamma: float) -> complex:
        result = seem(linear_q(8), *baird_star(gamma=gamma).bootstrap(linear_q(8)))
        return complex(result.value, result.frequency)

    low, high = 0.5, 0.99
    assert at(low).real < 0 < at(high).real
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle).real < 0 else (low, middle)
    assert low == pytest.approx(0.882, abs=5e-4)
    assert at(low).imag > 1


def test_the_value_does_not_count_the_learning_rate_or_the_number_of_rows() -> None:
    x, x_next = torch.ones(1, 1, dtype=D), torch.full((1, 1), 2.0, dtype=D)
    once = seem(linear_q(1), x, x_next, torch.full((1,), 0.75, dtype=D))
    assert once.value == pytest.approx(0.5)
    twice = seem(linear_q(1), x.repeat(2, 1), x_next.repeat(2, 1), torch.full((2,), 0.75, dtype=D))
    assert twice.value == pytest.approx(1.0)


def matrices() -> list[Tensor]:
    """Symmetric, generic, with a leading complex pair, of one row, negative, defective."""
    generator = torch.Generator().manual_seed(0)
    generic = torch.randn(9, 9, generator=generator, dtype=D)
    pair = torch.tensor([[1.0, -5.0, 0.0], [5.0, 1.0, 0.0], [0.0, 0.0, 0.5]], dtype=D)
    jordan = torch.tensor([[2.0, 1.0], [0.0, 2.0]], dtype=D)
    return [generic + generic.T, generic, pair, torch.tensor([[-3.0]], dtype=D), -torch.eye(3, dtype=D), jordan]


@pytest.mark.parametrize("matrix", matrices())
def test_the_leading_mode_is_an_eigenvector_of_the_eigenvalue_of_largest_real_part(matrix: Tensor) -> None:
    result = leading_mode(matrix)
    values = np.linalg.eigvals(matrix.numpy())
    assert result.value == pytest.approx(values.real.max(), rel=1e-7)
    leading = complex(result.value, result.frequency)
    assert np.abs(values - leading).min() < 1e-7 * np.abs(values).max()
    assert result.frequency >= 0
    mode = result.mode
    assert (matrix.to(mode) @ mode - leading * mode).abs().max() < 1e-7 * matrix.abs().max()
    assert mode.norm().item() == pytest.approx(1.0)
    peak = mode[mode.abs().argmax()]
    assert peak.real > 0
    assert abs(peak.imag) < 1e-14
    assert result.normalised == pytest.approx(result.value / np.linalg.norm(matrix.numpy()))
    assert result.n == len(matrix)
    assert leading_eigenvalue(matrix) == pytest.approx(leading, rel=1e-9)


def test_the_phase_of_the_mode_is_fixed_whatever_the_solver_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, solve = torch.tensor([[1.0, -5.0], [2.0, 1.0]], dtype=D), torch.linalg.eig
    expected = leading_mode(matrix).mode

    def turned(a: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = solve(a)
        return values, vectors * torch.exp(torch.tensor(2.0j))

    monkeypatch.setattr(torch.linalg, "eig", turned)
    assert torch.allclose(leading_mode(matrix).mode, expected)


def test_the_mode_is_a_right_eigenvector_not_a_left_one() -> None:
    matrix = matrices()[1]
    mode, left = leading_mode(matrix).mode, leading_mode(matrix.T).mode
    assert (mode - left).abs().max() > 0.1


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e300, 1e-300])
def test_huge_and_tiny_matrices_keep_their_digits(scale: float) -> None:
    matrix = matrices()[1]
    plain, scaled = leading_mode(matrix), leading_mode(matrix * scale)
    assert scaled.value / scale == pytest.approx(plain.value, rel=1e-12)
    assert scaled.frequency / scale == pytest.approx(plain.frequency, rel=1e-12)
    assert scaled.normalised == pytest.approx(plain.normalised, rel=1e-12)
    assert torch.allclose(scaled.mode, plain.mode)


def test_the_normalised_value_survives_where_the_norm_overflows() -> None:
    assert leading_mode(torch.full((9, 9), 1e308, dtype=D)).normalised == pytest.approx(1.0)
    assert leading_mode(torch.full((9, 9), 1e-310, dtype=D)).normalised == pytest.approx(1.0)


def test_the_zero_matrix() -> None:
    result = leading_mode(torch.zeros(3, 3, dtype=D))
    assert (result.value, result.frequency, result.normalised) == (0.0, 0.0, 0.0)
    assert result.mode.norm().item() == pytest.approx(1.0)
    assert leading_eigenvalue(torch.zeros(3, 3, dtype=D)) == 0


@pytest.mark.parametrize("function", [leading_mode, leading_eigenvalue])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_matrix_that_is_not_finite_is_refused(function: object, bad: float) -> None:
    matrix = torch.eye(3, dtype=D)
    matrix[1, 2] = bad
    with pytest.raises(ValueError, match="the matrix is not finite; go back to the last finite state"):
        function(matrix)


@pytest.mark.parametrize("shape", [(2, 3), (4,), (0, 0), (2, 2, 2)])
def test_a_matrix_that_is_not_square_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a square matrix is needed, got shape"):
        leading_mode(torch.zeros(shape, dtype=D))


def test_single_precision_stays_single() -> None:
    walk, network = toy_walk(1).to(dtype=torch.float32), mlp(4, seed=1, dtype=torch.float32)
    x, x_next, discount = walk.bootstrap(network)
    single = seem(network, x, x_next, discount)
    assert seem_matrix(network, x, x_next, discount).dtype == torch.float32
    assert single.mode.dtype == torch.complex64
    double = seem(network.double(), x.double(), x_next.double(), discount.double())
    assert single.value == pytest.approx(double.value, rel=1e-4)


def ones(n: int, d: int = 3) -> Tensor:
    return torch.ones(n, d, dtype=D)


@pytest.mark.parametrize(
    ("x", "x_next", "discount", "error", "message"),
    [
        (
            ones(4),
            ones(5),
            ones(4)[:, 0],
            ValueError,
            r"x has shape \(4, 3\) but x_next \(5, 3\); give one x_next a row",
        ),
        (ones(4), ones(4), ones(5)[:, 0], ValueError, r"discount must have shape \(4,\), got \(5,\)"),
        (ones(4), ones(4), ones(4)[:, :1], ValueError, r"discount must have shape \(4,\), got \(4, 1\)"),
        (ones(4), ones(4), 1.01 * ones(4)[:, 0], ValueError, r"every discount must lie in \[0, 1\]"),
        (ones(4), ones(4), -0.01 * ones(4)[:, 0], ValueError, r"every discount must lie in \[0, 1\]"),
        (ones(4), ones(4), math.nan * ones(4)[:, 0], ValueError, r"every discount must lie in \[0, 1\]"),
        (ones(4), ones(4), torch.ones(4), TypeError, r"discount is torch.float32 on cpu.*discount\.to\(x\)"),
        (ones(4), ones(4), torch.ones(4).half(), TypeError, r"discount is torch.float16.*discount\.to\(x\)"),
        (
            ones(4),
            ones(4),
            ones(4)[:, 0].to("meta"),
            TypeError,
            r"discount is torch.float64 on meta.*discount\.to\(x\)",
        ),
        (ones(0), ones(0), ones(0)[:, 0], ValueError, "x must be a non-empty matrix"),
        (ones(4) * math.nan, ones(4), ones(4)[:, 0], ValueError, "x is nan or infinite, first in row 0"),
        (ones(4), ones(4) * math.inf, ones(4)[:, 0], ValueError, "x_next is nan or infinite, first in row 0"),
        (
            ones(4).half(),
            ones(4).half(),
            ones(4)[:, 0],
            TypeError,
            r"x has dtype torch.float16.*x\.to\(torch.float32\)",
        ),
        (ones(4), ones(4).float(), ones(4)[:, 0], TypeError, "x_next is torch.float32 but the network torch.float64"),
        (ones(4), ones(4).to("meta"), ones(4)[:, 0], ValueError, "x_next is on meta but the network on cpu"),
        (ones(4, 2), ones(4, 2), ones(4)[:, 0], ValueError, r"rows of width 2 \(its first linear layer takes 3\)"),
        ([[1.0] * 3], ones(1), ones(1)[:, 0], TypeError, "x must be a tensor, got list; convert it"),
    ],
)
def test_bad_input_is_refused_with_the_fix(
    x: object, x_next: Tensor, discount: Tensor, error: type[Exception], message: str
) -> None:
    for function in (seem_matrix, seem):
        with pytest.raises(error, match=message):
            function(mlp(3, (4,)), x, x_next, discount)


def test_a_network_with_two_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one value a row is needed.*wrap it"):
        seem(nn.Linear(3, 2, dtype=D), ones(4), ones(4), ones(4)[:, 0])
