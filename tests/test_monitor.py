"""The monitor sees what `seem` sees, and the training does not see the monitor."""

from __future__ import annotations

import copy
import csv
import math
import random
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seem_lab import SeemMonitor, mlp, seem, toy_walk
from seem_lab.monitor import Reading, SelfExcitationWarning

N, D = 24, 5


def data() -> tuple[Tensor, Tensor, Tensor]:
    """x, x_next, discount; one transition is terminal."""
    generator = torch.Generator().manual_seed(0)
    x, x_next = torch.randn(2, N, D, generator=generator)
    discount = torch.full((N,), 0.99)
    discount[3] = 0
    return x, x_next, discount


def critic(seed: int = 0) -> nn.Module:
    """With all a monitor could disturb: dropout, batch statistics, spectral norm by hooks, a part in eval mode."""
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = nn.utils.spectral_norm(nn.Linear(D, 16))
    frozen_norm = nn.BatchNorm1d(16).eval()
    return nn.Sequential(
        first,
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(16, 16),
        frozen_norm,
        nn.ReLU(),
        nn.Linear(16, 1),
    )


def train(watch: Callable[[int, nn.Module], object] | None, steps: int = 30) -> dict[str, object]:
    """A loop with Adam, momentum in its state, dropout, and every source of chance in use; everything it ends with."""
    torch.manual_seed(1), np.random.seed(1), random.seed(1)  # noqa: NPY002
    network = critic()
    updates = torch.optim.Adam(network.parameters(), lr=1e-2)
    x, x_next, discount = data()
    losses = []
    for step in range(steps):
        rows = torch.randint(N, (8,))
        target = discount[rows, None] * network(x_next[rows]).detach() + torch.randn(8, 1) + random.random()
        loss = (network(x[rows]) - target).square().mean() + float(np.random.rand())  # noqa: NPY002
        loss.backward()
        if watch is not None:
            watch(step, network)  # between backward and step, where gradients matter
        updates.step()
        updates.zero_grad(set_to_none=step % 2 == 0)
        losses.append(loss.item())
    return {
        "state": copy.deepcopy(network.state_dict()),
        "moments": copy.deepcopy(updates.state_dict()["state"]),
        "losses": losses,
        "grads": [None if p.grad is None else p.grad.clone() for p in network.parameters()],
        "modes": [module.training for module in network.modules()],
        "random": (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()),  # noqa: NPY002
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()],
    }


def same(a: object, b: object) -> bool:
    """Bit by bit."""
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def test_the_training_is_the_same_bit_by_bit(tmp_path: Path) -> None:
    monitors: list[SeemMonitor] = []
    x, x_next, discount = data()

    def policy() -> Tensor:
        return x_next + 0.1 * torch.randn(N, D)  # a policy may draw

    def watch(step: int, network: nn.Module) -> None:
        if not monitors:
            monitors.append(SeemMonitor(network, x, discount, every=3, csv_path=tmp_path / "seem.csv"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SelfExcitationWarning)
            monitors[0](step, policy)

    plain, watched = train(None), train(watch)
    assert len(monitors[0].readings) == 10
    assert all(math.isfinite(reading.seem) for reading in monitors[0].readings)
    for key in plain:
        assert same(plain[key], watched[key]), key


def test_the_comparison_would_notice() -> None:
    plain = train(None)

    def drawing(step: int, network: nn.Module) -> None:
        torch.rand(1)

    def evaluating(step: int, network: nn.Module) -> None:
        network(data()[0])

    for watch in (drawing, evaluating):
        other = train(watch)
        assert not all(same(plain[key], other[key]) for key in plain)


def test_a_failing_reading_leaves_the_network_as_it_was() -> None:
    network = critic()
    modes = [module.training for module in network.modules()]
    x, x_next, discount = data()
    with pytest.raises(ValueError, match="x has shape"):
        SeemMonitor(network, x, discount)(0, x_next[:5])
    assert modes == [module.training for module in network.modules()]


def test_a_reading_is_seem_in_eval_mode() -> None:
    network, (x, x_next, discount) = critic(), data()
    reading = SeemMonitor(network, x, discount, threshold=1e9)(7, x_next)
    network.eval()
    expected = seem(network, x, x_next, discount)
    assert reading.step == 7
    assert reading.seem == pytest.approx(expected.value, rel=1e-9)
    assert reading.frequency == pytest.approx(expected.frequency, rel=1e-9, abs=1e-12)
    assert reading.normalised == pytest.approx(expected.normalised, rel=1e-9)
    assert reading.q_max == pytest.approx(network(x).abs().max().item(), rel=1e-6)
    parameters = sum(p.numel() for p in network.parameters())
    assert reading.per_parameter == pytest.approx(expected.value / parameters)
    assert reading.seconds > 0


def test_twin_critics_report_the_worse_one() -> None:
    x, x_next, discount = data()
    pair = [mlp(D, (16,), seed=seed, dtype=torch.float32) for seed in range(2)]
    alone = [SeemMonitor(q, x, discount, threshold=1e9)(0, x_next) for q in pair]
    both = SeemMonitor(nn.ModuleList(pair), x, discount, threshold=1e9)(0, x_next)
    assert both.seem == pytest.approx(max(r.seem for r in alone), rel=1e-5)
    assert both.q_max == pytest.approx(max(r.q_max for r in alone))


def test_it_reads_when_due_and_asks_the_policy_only_then() -> None:
    x, x_next, discount = data()
    asked = []

    def policy() -> Tensor:
        asked.append(torch.is_grad_enabled())
        return x_next

    monitor = SeemMonitor(mlp(D, dtype=torch.float32), x, discount, every=10, threshold=1e9)
    readings = [monitor(step, policy) for step in range(5, 60, 4)]
    assert [reading.step for reading in monitor.readings] == [5, 17, 29, 41, 53]
    assert [r for r in readings if r is not None] == monitor.readings
    assert asked == [False] * 5
    assert monitor.columns()["step"].tolist() == [5, 17, 29, 41, 53]


def crash(**settings: object) -> tuple[SeemMonitor, list[str]]:
    """The toy walk, which blows up, with a monitor."""
    walk = toy_walk(seed=1458)
    network = mlp(walk.input_dim, seed=111)
    monitor = SeemMonitor(network, walk.x, walk.discount, every=10, **settings)
    updates = torch.optim.SGD(network.parameters(), lr=2e-2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(260):
            monitor(step, lambda: walk.bootstrap(network)[1])
            if not math.isfinite(monitor.readings[-1].seem):
                break
            u = network(walk.x).flatten() - walk.discount * walk.greedy(network)[1]
            updates.zero_grad()
            u.square().mean().backward()
            updates.step()
    return monitor, [str(w.message) for w in caught if issubclass(w.category, SelfExcitationWarning)]


def test_it_warns_once_with_the_evidence() -> None:
    monitor, messages = crash(q_limit=1e3)
    assert len(messages) == 1
    assert messages[0] == monitor.alarm
    first = next(r for r in monitor.readings if r.per_parameter > 0.1 and r.normalised > 0.1)
    text = monitor.alarm
    assert text.startswith(f"step {first.step}: the critic excites itself. SEEM {first.seem:.3g}")
    assert f"over ||A||_F {first.normalised:.2f}" in text
    assert "SEEM doubles every" in text


def test_patience_waits_for_readings_in_a_row() -> None:
    monitor, _ = crash(patience=3)
    over = [r.per_parameter > 0.1 and r.normalised > 0.1 for r in monitor.readings]
    third = next(i for i in range(2, len(over)) if all(over[i - 2 : i + 1]))
    assert monitor.alarm.startswith(f"step {monitor.readings[third].step}:")


def test_the_forecast_extrapolates_exponential_growth() -> None:
    x, _, discount = data()
    monitor = SeemMonitor(mlp(D, dtype=torch.float32), x, discount, q_limit=math.e**10)
    for step in range(0, 400, 100):
        monitor.readings.append(Reading(step, 2.0 + step, 1.0, 0.0, 0.5, math.exp(step / 100), 0.0))
    text = monitor._evidence()
    assert "passes 2.2e+04 near step 1000" in text
    assert "SEEM doubles every" in text


def test_a_network_that_is_no_longer_finite_is_an_alarm_and_no_crash() -> None:
    network, (x, x_next, discount) = mlp(D, dtype=torch.float32), data()
    monitor = SeemMonitor(network, x, discount)
    with torch.no_grad():
        network[2].bias.fill_(math.nan)
    with pytest.warns(SelfExcitationWarning, match="step 0: Q is no longer finite; go back to an earlier checkpoint"):
        reading = monitor(0, x_next)
    assert math.isnan(reading.seem)


class Writer:
    """What TensorBoard's SummaryWriter offers, noting what it is given."""

    def __init__(self) -> None:
        self.scalars: list[tuple[str, float, int]] = []

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))


def test_csv_and_scalars_hold_every_reading(tmp_path: Path) -> None:
    writer, path, seen = Writer(), tmp_path / "seem.csv", []
    monitor, _ = crash(csv_path=path, writer=writer, on_reading=lambda m: seen.append(len(m.readings)))
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [r.step for r in monitor.readings]
    np.testing.assert_array_equal([float(row["seem"]) for row in rows], monitor.columns()["seem"])
    named = [(value, step) for name, value, step in writer.scalars if name == "seem/normalised"]
    np.testing.assert_array_equal(named, [(r.normalised, r.step) for r in monitor.readings])
    assert {name for name, _, _ in writer.scalars} == {
        "seem/seem", "seem/per_parameter", "seem/frequency", "seem/normalised", "seem/q_max"
    }  # fmt: skip
    assert seen == list(range(1, len(monitor.readings) + 1))


def test_tensorboard_itself(tmp_path: Path) -> None:
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    x, x_next, discount = data()
    with tensorboard.SummaryWriter(tmp_path) as writer:
        SeemMonitor(mlp(D, dtype=torch.float32), x, discount, writer=writer, threshold=1e9)(0, x_next)
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["every", "threshold", "patience", "q_limit"])
def test_settings_must_be_positive(name: str) -> None:
    x, _, discount = data()
    with pytest.raises(ValueError, match=f"{name} must be positive, got -1"):
        SeemMonitor(mlp(D), x, discount, **{name: -1})
