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
    """(I + eps A_Adam) u is the error after a small step -lr S g."""
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
    phi, phi_next = sl.jacobian(network, x), sl.jacobian(network, x_next)
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
    runs = sl.stored_adam_runs(depth)
    assert len(list(runs.climbs())) == 24

    def medians(until):
        lines = [[sl.fit_line(t, y).r_squared for y in (norm, q ** (1 / depth))] for t, norm, q in runs.climbs(until)]
        return np.median(lines, axis=0)

    assert (medians(2500) >= 0.995).all()
    assert (medians(4000) >= 0.995).all() if depth == 2 else (medians(4000) >= 0.994).all()


def test_stored_adam_runs_reads_the_rows_it_names():
    runs = sl.stored_adam_runs(3, 0.9, 3e-3)
    assert (runs.seed == np.arange(8)).all()
    at = row(depth=3, beta2=0.9, lr=3e-3, gamma=0.99, seed=5)
    assert (runs.q_max[5] == STORED["q_max"][at].astype(float)).all()
    assert runs.last_switch[5] == STORED["last_switch"][at]
    assert np.isnan(runs.rms_ratio).all(), "not recorded here"
    with pytest.raises(
        ValueError, match=r"no runs with .*'beta2': 0\.5.* are stored; there are depth 2, 3; beta2 0\.9, 0"
    ):
        sl.stored_adam_runs(beta2=0.5)


def test_the_two_ratios_and_the_slope_are_those_of_a_real_run():
    """rms_ratio and slope against Adam's own state: 50 steps of the usual run, seed 0."""
    network, walk = sl.mlp(4, seed=1000), sl.toy_walk(0)
    updates = torch.optim.Adam(network.parameters(), lr=1e-3)
    vector = torch.nn.utils.parameters_to_vector
    for _ in range(51):
        before = vector(network.parameters()).detach().clone()
        _, q_next = walk.greedy(network)
        updates.zero_grad()
        (sl.q_values(network, walk.x) - 0.99 * q_next).square().mean().backward()
        updates.step()
    moved = ((vector(network.parameters()) - before) / 1e-3).detach()
    active = vector([p.grad for p in network.parameters()]) != 0
    runs = sl.stored_adam_runs()
    assert runs.parameters == len(active)
    # what is active no more still moves a little by its momentum; that is in the stored length, too
    assert runs.rms_ratio[0, 1] == pytest.approx((moved.square().sum() / active.sum()).sqrt().item(), rel=1e-4)
    assert runs.ratio[0, 1] == pytest.approx(moved[active].abs().median().item(), rel=1e-4)
    grown = (runs.parameter_norm[0, 2] - runs.parameter_norm[0, 0]) / 100
    assert runs.slope[0, 1] == pytest.approx(grown / (1e-3 * len(active) ** 0.5))
