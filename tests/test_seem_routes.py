"""Three routes, one number: against LAPACK on random and trained networks, and what must be an error."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import seem_lab as sl
from seem_lab import linear_q, mlp, seem, seem_interval, seem_matrix, toy_walk
from seem_lab.seem import DENSE_LIMIT, FALLBACK_LIMIT
from seem_lab.spectrum import NotConverged, krylov_pairs

D = torch.float64
Case = tuple[nn.Module, Tensor, Tensor, Tensor]


def train(network: nn.Module, x: Tensor, x_next: Tensor, discount: Tensor, steps: int) -> nn.Module:
    """Semi-gradient Q-learning on fixed next inputs, reward drawn once."""
    reward = torch.randn(len(x), generator=torch.Generator().manual_seed(9), dtype=x.dtype)
    updates = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        loss = (network(x).flatten() - reward - discount * network(x_next).flatten().detach()).square().mean()
        updates.zero_grad()
        loss.backward()
        updates.step()
    return network


@cache
def case(seed: int, n: int = 200, steps: int = 0, layer_norm: bool = False) -> Case:
    """A small critic whose next inputs lie further out than its data, one transition in ten terminal."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=generator, dtype=D)
    turn = torch.randn(6, 6, generator=generator, dtype=D) / math.sqrt(6)
    x_next = 0.6 * x + 1.2 * x @ turn + 0.3 * torch.randn(n, 6, generator=generator, dtype=D)
    discount = 0.99 * (torch.rand(n, generator=generator, dtype=D) > 0.1).to(D)
    network = mlp(6, (32, 32), layer_norm=layer_norm, seed=seed)
    return train(network, x, x_next, discount, steps), x, x_next, discount


CASES = [(seed, 120, steps, norm) for seed in range(14) for steps in (0, 60) for norm in (False, True)]


def reference(given: Case) -> tuple[complex, float]:
    """The leading eigenvalue (imaginary part >= 0) by numpy, and ||A||_F."""
    matrix = seem_matrix(*given).numpy()
    values = np.linalg.eigvals(matrix)
    leading = values[values.real >= values.real.max() - 1e-9 * abs(values).max()]
    leading = leading[leading.imag.argmax()]
    return complex(leading), float(np.linalg.norm(matrix))


def test_the_cases_are_plain_and_normalised_real_and_complex() -> None:
    leading = [reference(case(*c))[0] for c in CASES]
    assert len(leading) >= 50
    turning = [abs(value.imag) > 1e-6 * abs(value) for value in leading]
    assert min(sum(turning), len(turning) - sum(turning)) >= 5


@pytest.mark.parametrize("given", CASES, ids=str)
def test_krylov_agrees_with_lapack(given: tuple) -> None:
    network = case(*given)
    leading, norm = reference(network)
    dense = seem(*network, route="dense")
    assert dense.value == pytest.approx(leading.real, rel=1e-6, abs=1e-12 * norm)
    krylov = seem(*network, route="krylov")
    assert krylov.route == "krylov"
    assert krylov.value == pytest.approx(leading.real, rel=1e-6)
    assert krylov.frequency == pytest.approx(abs(leading.imag), rel=1e-6, abs=1e-9 * norm)
    assert krylov.normalised == pytest.approx(leading.real / norm, rel=1e-6)
    assert krylov.products > 0


@pytest.mark.parametrize("route", ["dense", "krylov", "matrix-free"])
@pytest.mark.parametrize("given", [CASES[0], CASES[2], CASES[3]], ids=str)
def test_residual_and_mode_are_what_they_say(route: str, given: tuple) -> None:
    network = case(*given)
    matrix = seem_matrix(*network)
    result = seem(*network, route=route, k=2, tolerance=1e-7, progress=False)
    assert result.route == route
    assert result.modes.shape == (120, 2)
    norm = torch.linalg.matrix_norm(matrix).item()
    gaps = [
        (matrix.to(v.dtype) @ v - value * v).norm().item() / norm
        for value, v in zip(result.eigenvalues, result.modes.T, strict=True)
    ]
    assert result.residual == pytest.approx(max(gaps), rel=0.2, abs=1e-13)
    assert max(gaps) <= 1e-6
    assert torch.allclose(result.modes.norm(dim=0), torch.ones(2, dtype=D))
    values = np.linalg.eigvals(matrix.numpy())
    upper = sorted((v for v in values if v.imag >= -1e-12 * norm), key=lambda v: -v.real)
    assert np.allclose(result.eigenvalues.numpy(), upper[:2], atol=1e-6 * norm)


def test_matrix_free_never_sees_more_than_its_chunk_and_agrees() -> None:
    network, x, x_next, discount = case(3, 120, 60)
    rows: list[int] = []
    hook = network.register_forward_hook(lambda module, inputs, output: rows.append(len(inputs[0])))
    small = seem(network, x, x_next, discount, route="matrix-free", memory=2**17, tolerance=1e-8, progress=False)
    hook.remove()
    dense = seem(network, x, x_next, discount, route="dense")
    assert small.value == pytest.approx(dense.value, rel=1e-6)
    assert small.normalised == pytest.approx(dense.normalised, rel=1e-6)  # 120 < 512: the norm is exact
    assert sorted(set(rows))[:-1] != [240]  # the norm's sample is evaluated whole, the products in pieces


def test_matrix_free_takes_any_network_that_torch_func_takes() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.p = mlp(6, (8,), seed=1), nn.Parameter(torch.randn(6, dtype=D))

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x)[:, 0] + (x @ self.p).tanh()

    _, x, x_next, discount = case(0)
    network = Own()
    dense = seem(network, x, x_next, discount, route="dense")
    free = seem(network, x, x_next, discount, route="matrix-free", tolerance=1e-9, progress=False)
    assert free.value == pytest.approx(dense.value, rel=1e-6)


def test_single_precision_critic() -> None:
    network, x, x_next, discount = case(5, 500, 60)
    exact = seem(network, x, x_next, discount, route="dense")
    single = mlp(6, (32, 32), dtype=torch.float32)
    single.load_state_dict(network.state_dict())
    given = (single, x.float(), x_next.float(), discount.float())
    for route in ("dense", "krylov", "matrix-free"):
        result = seem(*given, route=route, tolerance=1e-6, progress=False)
        assert abs(result.value - exact.value) < 1e-5 * exact.value / exact.normalised
        assert result.mode.dtype == torch.complex64


def test_auto_chooses_by_size_and_says_so() -> None:
    small, middle = case(1, DENSE_LIMIT), case(1, DENSE_LIMIT + 1)
    assert seem(*small).route == "dense"
    assert seem(*middle).route == "krylov"
    assert seem(*middle, memory=12 * len(middle[1]) ** 2 - 1, tolerance=1e-3, progress=False).route == "matrix-free"


def calm(n: int) -> Case:
    """x_next = x: A = -(1 - gamma) G, eigenvalues crowd together just below zero."""
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(0), dtype=D)
    return mlp(6, (32, 32), seed=0), x, x.clone(), torch.full((n,), 0.99, dtype=D)


def test_what_does_not_converge_is_an_error_with_the_remedy_or_is_settled_by_lapack() -> None:
    given = calm(500)
    with pytest.raises(NotConverged, match=r"no convergence to 1e-08 .* products.*route='dense'.*larger tolerance"):
        seem(*given, route="krylov")
    settled = seem(*given)
    assert settled.route == "dense"
    assert settled.value == pytest.approx(seem(*given, route="dense").value)
    loose = seem(*given, route="krylov", tolerance=1e-3)
    assert abs(loose.value) < 1e-3 * settled.value / settled.normalised if settled.value > 0 else abs(loose.value) < 1
    assert len(given[1]) < FALLBACK_LIMIT


def test_warm_start_saves_products_and_changes_nothing() -> None:
    matrix = torch.diag(torch.linspace(-1, 0.2, 600, dtype=D))
    matrix[0, 0] = 0.21  # close to the next one

    def solve(start: Tensor | None) -> tuple[float, int]:
        pairs = krylov_pairs(lambda v: matrix @ v, 600, 1, start=start, tolerance=1e-6)
        return pairs.values[0].real.item(), pairs.products

    cold, many = solve(None)
    start = torch.zeros(600, dtype=torch.complex128)
    start[0] = 1
    warm, few = solve(start)
    assert cold == pytest.approx(0.21, abs=1e-6)
    assert warm == pytest.approx(0.21, abs=1e-6)
    assert few < many
    wrong = torch.zeros(600, dtype=torch.complex128)
    wrong[300] = 1  # an exact eigenvector, but not the leading one
    assert solve(wrong)[0] == pytest.approx(0.21, abs=1e-6)


def test_a_warm_start_follows_a_training_run() -> None:
    network, x, x_next, discount = case(7, 450, 60)
    before = seem(network, x, x_next, discount)
    after = seem(network, x, x_next, discount, start=before.mode)
    assert after.value == pytest.approx(before.value, rel=1e-6)
    assert after.products <= before.products


def test_the_krylov_route_repeats_itself_bit_by_bit() -> None:
    first, second = (seem(*case(2, 450, 60), route="krylov") for _ in range(2))
    assert first.value == second.value
    assert torch.equal(first.mode, second.mode)


@pytest.mark.parametrize("route", ["auto", "dense", "krylov", "matrix-free"])
def test_a_kernel_that_is_zero(route: str) -> None:
    network = mlp(6, (8,), bias=False)
    with torch.no_grad():
        for p in network.parameters():
            p.zero_()
    x = torch.randn(30, 6, dtype=D)
    result = seem(network, x, x + 1, torch.full((30,), 0.99, dtype=D), route=route, k=2, progress=False)
    assert (result.value, result.frequency, result.normalised, result.residual) == (0, 0, 0, 0)
    assert result.modes.shape == (30, 2)


def test_one_transition() -> None:
    x = torch.ones(1, 1, dtype=D)
    result = seem(linear_q(1), x, 2 * x, 0.75 * x[0])
    assert result.value == pytest.approx(0.5)
    for route in ("krylov", "matrix-free"):
        with pytest.raises(ValueError, match="1 transitions are too few for 1 modes by the Krylov route"):
            seem(linear_q(1), x, 2 * x, 0.75 * x[0], route=route, progress=False)


@pytest.mark.parametrize("route", ["dense", "krylov", "matrix-free"])
def test_duplicate_transitions_multiply_the_value(route: str) -> None:
    network, x, x_next, discount = case(4, 60, 60)
    once = seem(network, x, x_next, discount, route="dense")
    three = seem(
        network, *(t.repeat(3, *[1] * (t.ndim - 1)) for t in (x, x_next, discount)), route=route, tolerance=1e-9,
        progress=False,
    )  # fmt: skip
    assert three.value == pytest.approx(3 * once.value, rel=1e-6)
    assert three.normalised == pytest.approx(once.normalised, rel=1e-6)


@pytest.mark.parametrize("route", ["dense", "krylov", "matrix-free"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_that_overflowed(route: str, value: float) -> None:
    network, x, x_next, discount = case(0)
    broken = mlp(6, (32, 32))
    broken.load_state_dict(network.state_dict())
    with torch.no_grad():
        broken[2].weight[0, 0] = value
    with pytest.raises(ValueError, match=r"Q is not finite in row \d+: .*go back to the last finite state"):
        seem(broken, x, x_next, discount, route=route, progress=False)


@pytest.mark.parametrize("route", ["dense", "krylov", "matrix-free"])
def test_a_kernel_that_overflows_single_precision(route: str) -> None:
    network, x = linear_q(2, dtype=torch.float32), torch.randn(60, 2)
    discount = torch.full((60,), 0.9)
    with pytest.raises(ValueError, match=r"the matrix is not finite; .*convert network and inputs to float64"):
        seem(network, 1e20 * x, 2e20 * x, discount, route=route, progress=False)
    exact = seem(network.double(), 1e20 * x.double(), 2e20 * x.double(), discount.double(), route=route, progress=False)
    small = seem(network, x.double(), 2 * x.double(), discount.double(), route="dense")
    assert exact.value == pytest.approx(1e40 * small.value, rel=1e-6)


@pytest.mark.parametrize("route", ["dense", "krylov", "matrix-free"])
def test_half_precision(route: str) -> None:
    x = torch.ones(30, 6).half()
    with pytest.raises(TypeError, match=r"x has dtype torch.float16; float32 or float64 is needed"):
        seem(mlp(6).half(), x, x, x[:, 0], route=route)


@pytest.mark.parametrize("route", ["dense", "krylov", "matrix-free"])
def test_inputs_that_are_not_contiguous(route: str) -> None:
    network, x, x_next, discount = case(6, 120, 60)
    wide = torch.zeros(240, 12, dtype=D)
    wide[::2, ::2] = x
    strided = seem(
        network, wide[::2, ::2], x_next.T.contiguous().T, discount, route=route, tolerance=1e-8, progress=False
    )
    assert strided.value == pytest.approx(seem(network, x, x_next, discount, route="dense").value, rel=1e-6)


def test_several_networks_at_once() -> None:
    walk = toy_walk(3)
    pair = [mlp(walk.input_dim, seed=seed) for seed in range(3)]
    x, x_next, discount = walk.bootstrap(pair[0])
    together = seem(pair, x, x_next, discount)
    assert [r.value for r in together] == pytest.approx([seem(q, x, x_next, discount).value for q in pair], rel=1e-9)
    own = torch.stack([walk.bootstrap(q)[1] for q in pair])
    apart = [seem(q, *walk.bootstrap(q)).value for q in pair]
    assert [r.value for r in seem(pair, x.expand(3, -1, -1), own, discount)] == pytest.approx(apart, rel=1e-9)
    with pytest.raises(ValueError, match="the matrix-free route takes one network at a time"):
        seem(pair, x, x_next, discount, route="matrix-free")


def test_an_unknown_route() -> None:
    with pytest.raises(ValueError, match="route must be 'auto', 'dense', 'krylov' or 'matrix-free', got 'lanczos'"):
        seem(*case(0), route="lanczos")


def test_the_interval_holds_about_as_many_further_draws_as_it_says() -> None:
    given = case(11, 2000, 60)
    inside = total = 0
    for seed in range(6):
        interval = seem_interval(*given, size=80, draws=20, level=0.8, seed=seed)
        fresh = seem_interval(*given, size=80, draws=20, seed=1000 + seed).samples
        inside += int(((fresh > interval.low) & (fresh < interval.high)).sum())
        total += len(fresh)
        assert interval.low < interval.mean < interval.high
        assert interval.samples.mean().item() == pytest.approx(interval.mean)
    assert 0.7 < inside / total < 0.9


def test_the_interval_refuses_what_makes_no_sense() -> None:
    given = case(0)
    with pytest.raises(ValueError, match=r"size must lie between 1 and N - 1 = 199, got 200; .*use seem"):
        seem_interval(*given, size=200)
    with pytest.raises(ValueError, match="at least 2 draws and a level between 0 and 1"):
        seem_interval(*given, size=20, draws=1)


def test_a_matrix_of_low_rank_that_kills_another_lapack() -> None:
    """`torch.linalg.eig` of torch 2.13's CPU wheel aborts on the first matrix and gives up on the second."""
    walk, network = sl.toy_walk(seed=29, gamma=0.965), sl.mlp(4, seed=1029)
    sl.train(network, walk, lr=0.2, steps=100)
    matrix = sl.seem_matrix(network, *walk.bootstrap(network))
    assert sl.leading_mode(matrix).residual < 1e-10
    generator = torch.Generator().manual_seed(0)
    row = 1 + 0.3 * torch.rand(63, generator=generator, dtype=torch.float64)
    assert sl.leading_mode(-torch.outer(torch.ones_like(row), row)).value < 1e-9
