"""The stored runs of lesson 06 are what sl.train does, and their predicted rate is that of a real step."""

import hashlib

import make_adam_runs
import numpy as np
import pytest
import torch

import seem_lab as sl

STORED = dict(np.load(make_adam_runs.FILE, allow_pickle=False))


def row(**settings) -> int:
    (found,) = np.flatnonzero(np.all([STORED[name] == value for name, value in settings.items()], axis=0))
    return int(found)


def test_file_is_whole_and_small():
    assert make_adam_runs.FILE.stat().st_size < 500_000
    runs = len(STORED["seed"])
    full, closely = make_adam_runs.ALWAYS, make_adam_runs.CLOSELY
    assert all(STORED[name].shape == (runs, len(STORED["step"])) for name in full + closely)
    assert all(np.isfinite(STORED[name]).all() for name in full)
    usual = (STORED["lr"] == 1e-3) & (STORED["beta2"] == 0.999) & (STORED["gamma"] == 0.99)
    assert usual.sum() == 48
    for name in closely:
        assert np.isfinite(STORED[name][usual]).all() and np.isnan(STORED[name][~usual]).all()


@pytest.mark.parametrize(
    ("depth", "beta2", "lr", "gamma"), [(2, 0.999, 1e-3, 0.99), (3, 0.999, 3e-3, 0.99), (2, 0.999, 1e-3, 0.95)]
)
def test_stored_runs_are_those_of_train(depth, beta2, lr, gamma):
    seed = 5
    network, walk = sl.mlp(4, make_adam_runs.HIDDEN[depth], seed=1000 + seed), sl.toy_walk(seed, gamma=gamma)
    run = sl.train(network, walk, optimizer="adam", lr=lr, steps=150, record_every=50, progress=False)
    at = row(depth=depth, beta2=beta2, lr=lr, gamma=gamma, seed=seed)
    for name in ("q_max", "td_error_norm", "parameter_norm"):
        np.testing.assert_allclose(STORED[name][at, :4], getattr(run, name), rtol=1e-5)


def test_readme_describes_this_file():
    content = make_adam_runs.FILE.read_bytes()
    (line,) = [
        line
        for line in (make_adam_runs.FILE.parent / "README.md").read_text().splitlines()
        if "`adam_runs.npz`" in line
    ]
    assert hashlib.sha256(content).hexdigest() in line
    assert f"{len(content):,} bytes" in line and f"| {len(STORED['seed'])} |" in line


def test_stacked_runs_equal_single_ones():
    found = make_adam_runs.adam_runs(3, 0.9, 1e-3, 0.99, range(2), steps=50)
    for seed in range(2):
        network, walk = sl.mlp(4, (64, 64), seed=1000 + seed), sl.toy_walk(seed)
        updates = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.9, 0.9))
        for _ in range(50):
            _, q_next = walk.greedy(network)
            updates.zero_grad()
            (sl.q_values(network, walk.x) - 0.99 * q_next).square().mean().backward()
            updates.step()
        norm = torch.nn.utils.parameters_to_vector(network.parameters()).norm().item()
        assert np.isclose(found["parameter_norm"][seed, -1], norm, rtol=1e-12)


def test_adam_rate_is_the_leading_eigenvalue_of_the_step():
    """(I + eps A_D) u is the error after a small step -lr D g."""
    walk, network = sl.toy_walk(1), sl.mlp(4, (16,), seed=2)
    d = torch.rand(sum(p.numel() for p in network.parameters()), dtype=torch.float64) + 0.5
    lr = 1e-6
    x, x_next, discount = walk.bootstrap(network)

    def error():
        return sl.q_values(network, x) - discount * sl.q_values(network, x_next)

    u = error()
    gradient = torch.autograd.grad(
        (sl.q_values(network, x) - (discount * sl.q_values(network, x_next)).detach()).square().mean(),
        list(network.parameters()),
    )
    phi, phi_next = make_adam_runs.jacobian(network, x), make_adam_runs.jacobian(network, x_next)
    matrix = (discount[:, None] * phi_next - phi) @ (d * phi).T
    with torch.no_grad():
        moved = torch.nn.utils.parameters_to_vector(
            network.parameters()
        ) - lr * d * torch.nn.utils.parameters_to_vector(gradient)
        torch.nn.utils.vector_to_parameters(moved, network.parameters())
    change = error() - u
    torch.testing.assert_close(change, sl.step_size(lr, walk.n) * matrix @ u, rtol=1e-3, atol=1e-10)


@pytest.mark.parametrize("depth", [2, 3])
def test_climbs_on_straight_lines(depth):
    """Norm and |Q|^(1/L) to step 2500, medians over the 24 seeds; to step 4000 three layers fall just short."""
    r_squared = {2500: [], 4000: []}
    usual = np.flatnonzero(
        (STORED["depth"] == depth) & (STORED["beta2"] == 0.999) & (STORED["lr"] == 1e-3) & (STORED["gamma"] == 0.99)
    )
    assert len(usual) == 24
    for until, found in r_squared.items():
        there = STORED["step"] <= until
        for run in usual:
            error, norm, q = (
                STORED[name][run, there].astype(float) for name in ("td_error_norm", "parameter_norm", "q_max")
            )
            start = sl.terminal_start(error)
            lines = [sl.fit_line(STORED["step"][there][start:], y[start:]) for y in (norm, q ** (1 / depth))]
            found.append([line.r_squared for line in lines])
    assert (np.median(r_squared[2500], axis=0) >= 0.995).all()
    late = np.median(r_squared[4000], axis=0)
    assert (late >= 0.995).all() if depth == 2 else (late > 0.993).all() and (late < 0.995).all()
