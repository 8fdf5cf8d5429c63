"""Stability of real optimisers and networks, large problems, phase diagrams, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from seem_lab import (
    EmaTarget,
    FrozenKernels,
    KernelProducts,
    UpdateMap,
    adam_preconditioner,
    baird_star,
    frozen_kernels,
    linear_q,
    mean_square_growth,
    mlp,
    n_step_returns,
    stability,
    stability_map,
    step_size,
    toy_walk,
    train,
)


def test_a_full_batch_has_no_noise_and_the_krylov_route_agrees_with_the_written_map() -> None:
    walk, network = toy_walk(0), mlp(4, seed=1000)
    update = UpdateMap(frozen_kernels(network, *walk.bootstrap(network)), eps=step_size(0.02, 63), tau=0.5)
    assert mean_square_growth(update, 63) == pytest.approx(stability(update).growth, abs=1e-8)
    assert mean_square_growth(update, 4) >= stability(update).growth - 1e-9


@pytest.mark.parametrize(
    "settings", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1}]
)
def test_the_rate_is_that_of_pytorch_on_a_linear_problem(settings: dict) -> None:
    problem, lr, network = baird_star(), 0.05, linear_q(8, seed=1)
    kernels = frozen_kernels(network, *problem.bootstrap(network))
    own = {name: value for name, value in settings.items() if name != "weight_decay"}
    update = UpdateMap(kernels, eps=step_size(lr, 7), decay=lr * settings.get("weight_decay", 0.0), **own)
    optimizer = lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, **settings)  # noqa: E731
    run = train(network, problem, optimizer=optimizer, lr=lr, steps=1200, q_limit=1e300)
    u = np.log(run.td_error_norm)
    found = stability(update)
    assert abs(found.multipliers[0].imag.item()) < 1e-9 and found.growth > 1e-3
    assert (u[-1] - u[-501]) / 500 == pytest.approx(found.growth, abs=1e-6)


def test_adam_moves_as_its_preconditioned_kernel_says() -> None:
    """One step of Adam without first moment, small enough: u moves by lr times the preconditioned kernel."""
    walk, network = toy_walk(1), mlp(4, seed=1001)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.0, 0.999))
    x, x_next, discount = walk.bootstrap(network)

    def error() -> torch.Tensor:
        return network(x)[:, 0] - discount * network(x_next)[:, 0].detach()

    for lr in [1e-3] * 20 + [1e-8]:
        adam.param_groups[0]["lr"] = lr
        u = error()
        adam.zero_grad()
        u.square().mean().backward()
        if lr == 1e-8:  # the step's own gradient enters the second moments it divides by
            before = frozen_kernels(network, x, x_next, discount, preconditioner=adam_after(network, adam))
        adam.step()
    with torch.no_grad():
        moved = network(x)[:, 0] - discount * network(x_next)[:, 0] - u
    predicted = -step_size(1e-8, 63) * before.error(u, u).detach()
    assert ((moved - predicted).norm() / moved.norm()).item() < 1e-3


def adam_after(network: torch.nn.Module, adam: torch.optim.Adam) -> dict[str, torch.Tensor]:
    """What the preconditioner will be after the step that comes, from the gradients that are there."""
    beta = adam.param_groups[0]["betas"][1]
    found = {}
    for name, p in network.named_parameters():
        t = float(adam.state[p]["step"])
        v = beta * adam.state[p]["exp_avg_sq"] + (1 - beta) * p.grad**2
        found[name] = 1 / ((v / (1 - beta ** (t + 1))).sqrt() + 1e-8)
    adam_now = adam_preconditioner(network, adam)
    assert found.keys() == adam_now.keys()
    return found


def test_products_and_krylov_route_agree_with_the_matrices() -> None:
    walk, network = toy_walk(2, points=241), mlp(4, seed=1002)
    inputs = walk.bootstrap(network)
    noise = torch.Generator().manual_seed(0)
    adam = {name: torch.rand(p.shape, generator=noise, dtype=p.dtype) for name, p in network.named_parameters()}
    for preconditioner in (None, adam):
        dense = frozen_kernels(network, *inputs, preconditioner=preconditioner)
        products = KernelProducts(network, *inputs, preconditioner=preconditioner)
        settings = {"eps": step_size(1.0, 240), "tau": 0.2, "momentum": 0.5}
        exact = stability(UpdateMap(dense, **settings), route="dense")
        krylov = stability(UpdateMap(dense, **settings), route="krylov")
        free = stability(UpdateMap(products, **settings), route="krylov", tolerance=1e-7)
        assert exact.growth > 1e-4
        assert krylov.growth == pytest.approx(exact.growth, abs=1e-7)
        assert free.growth == pytest.approx(exact.growth, abs=1e-6)
        assert exact.verdict == krylov.verdict == free.verdict
        assert (exact.route, krylov.route, free.products > 0) == ("dense", "krylov", True)


def test_n_step_targets_move_the_error_as_their_kernels_say() -> None:
    walk, network = n_step_returns(toy_walk(4, directions=1, reward=0.3), 3), linear_q(4, seed=1)
    x, x_next, discount = walk.bootstrap(network)
    update = UpdateMap(frozen_kernels(network, x, x_next, discount), eps=step_size(0.1, walk.n))

    def error() -> torch.Tensor:
        with torch.no_grad():
            return network(x)[:, 0] - walk.reward - discount * network(x_next)[:, 0]

    before = error()
    train(network, walk, lr=0.1, steps=1)
    torch.testing.assert_close(error(), before - update.eps * update.kernels.error(before, before))
    assert walk.n == 61


@pytest.mark.parametrize(("tau", "settings"), [(0.5, {}), (0.4, {}), (0.5, {"momentum": 0.5})])
def test_the_rate_is_that_of_a_real_run_with_a_target_network(tau: float, settings: dict) -> None:
    problem, lr, network = baird_star(), 0.02, linear_q(8, seed=1)
    kernels = frozen_kernels(network, *problem.bootstrap(network))
    found = stability(UpdateMap(kernels, eps=step_size(lr, 7), tau=tau, **settings), k=2)
    optimizer = lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, **settings)  # noqa: E731
    run = train(
        network, problem, optimizer=optimizer, target=EmaTarget(tau), lr=lr, steps=1500, q_limit=1e300, progress=False
    )
    assert abs(found.multipliers[0].imag.item()) < 1e-9 and found.growth > 1e-3
    u = np.log(run.td_error_norm)
    assert (u[-1] - u[-501]) / 500 == pytest.approx(found.growth, abs=1e-4)


def test_the_stability_map_is_the_verdict_of_every_cell() -> None:
    star, q = baird_star(), linear_q(8)
    kernels = frozen_kernels(q, *star.bootstrap(q))

    def build(eps: float, tau: float) -> UpdateMap:
        return UpdateMap(kernels, eps=eps, tau=tau)

    grid = stability_map(build, (0.01, 1.0), (0.1, 0.5, 1.0))
    for i, j in itertools.product(range(2), range(3)):
        one = stability(build(grid.rows[i], grid.columns[j]))
        assert (grid.growth[i, j], grid.verdict[i, j]) == (one.growth, one.verdict)
    with pytest.raises(ValueError, match="at least one row"):
        stability_map(build, (), (1.0,))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"eps": 0.0}, "eps must be positive"),
        ({"momentum": 1.0}, r"must lie in \[0, 1\)"),
        ({"tau": 0.0}, "tau must lie"),
        ({"period": 0}, "period be at least 1"),
        ({"nesterov": True}, "needs momentum"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, words: str) -> None:
    kernels = FrozenKernels(torch.eye(2), torch.eye(2))
    with pytest.raises(ValueError, match=words):
        UpdateMap(kernels, **({"eps": 0.1} | settings))


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        FrozenKernels(torch.ones(2, 3), torch.ones(2, 3))
    with pytest.raises(ValueError, match="not finite"):
        FrozenKernels(torch.full((1, 1), torch.nan), torch.eye(1))
    with pytest.raises(ValueError, match="a batch holds 1 to 2"):
        mean_square_growth(UpdateMap(FrozenKernels(torch.eye(2), torch.eye(2)), eps=0.1), 3)
    with pytest.raises(ValueError, match="route must be"):
        stability(UpdateMap(FrozenKernels(torch.eye(2), torch.eye(2)), eps=0.1), route="fast")
    q = linear_q(2)
    with pytest.raises(ValueError, match="no second moments"):
        adam_preconditioner(q, torch.optim.Adam(q.parameters()))
