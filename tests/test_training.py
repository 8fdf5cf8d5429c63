"""The toy loop against loops written by hand, how it stops, and what it records."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

import seem_lab.progress
from seem_lab import (
    History,
    Problem,
    Transitions,
    baird_star,
    linear_q,
    mlp,
    q_values,
    random_features,
    seem,
    toy_walk,
    train,
    two_state_loop,
)

ARRAYS = ("step", "q_mean", "q_max", "td_error_norm", "parameter_norm", "seem", "frequency", "switches")


def parameters(network: nn.Module) -> Tensor:
    return parameters_to_vector(network.parameters()).detach().clone()


def rewarded_walk() -> Problem:
    """The toy walk with rewards that differ and two terminals."""
    t = toy_walk(5, points=24).transitions
    reward, terminal = torch.linspace(-1, 1, 23, dtype=torch.float64), torch.zeros(23)
    terminal[[4, 22]] = 1
    return toy_walk(transitions=Transitions(t.state, t.action, reward, t.next_state, terminal), gamma=0.9)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("problem", [rewarded_walk(), random_features(12, 4, gamma=0.8)], ids=["greedy", "fixed"])
def test_linear_training_against_a_loop_in_numpy(problem: Problem, optimizer: str) -> None:
    w = np.random.default_rng(0).normal(size=4)
    network, lr, steps = linear_q(4, weight=torch.tensor(w)), 0.05, 40
    run = train(network, problem, optimizer=optimizer, lr=lr, steps=steps)

    t = problem.transitions
    x = np.concatenate([t.state.numpy(), t.action.numpy()], axis=1)
    reward, discount = t.reward.numpy(), problem.gamma * (1 - t.terminal.numpy())
    next_state, actions = t.next_state.numpy(), problem.next_actions.numpy()
    m = v = np.zeros(4)
    last = None
    for k in range(steps + 1):
        choices, best = [], []
        for i in range(len(x)):
            values = [np.concatenate([next_state[i], a]) @ w for a in actions[i]]
            choices.append(int(np.argmax(values)))
            best.append(max(values))
        u = x @ w - (reward + discount * np.array(best))
        switched = 0 if last is None else sum(a != b for a, b in zip(choices, last, strict=True))
        last = choices
        row = [k, (x @ w).mean(), np.abs(x @ w).max(), np.sqrt((u**2).sum()), np.sqrt((w**2).sum())]
        got = [getattr(run, name)[k] for name in ARRAYS[:5]]
        np.testing.assert_allclose(got, row, rtol=1e-12, atol=1e-13)
        assert run.switches[k] == switched
        if k == steps:
            break
        gradient = 2 / len(x) * x.T @ u
        if optimizer == "sgd":
            w = w - lr * gradient
        else:
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            w = w - lr * (m / (1 - 0.9 ** (k + 1))) / (np.sqrt(v / (1 - 0.999 ** (k + 1))) + 1e-8)
    np.testing.assert_allclose(network.weight.detach().numpy()[0], w, rtol=1e-12)


def test_mlp_training_against_a_loop_of_autograd() -> None:
    problem, network, other = rewarded_walk(), mlp(4, (16, 8), seed=1), mlp(4, (16, 8), seed=1)
    lr, steps = 0.05, 30
    run = train(network, problem, lr=lr, steps=steps)
    t = problem.transitions
    compass = problem.next_actions[0]
    for k in range(steps):
        u = []
        for i in range(problem.n):
            target = t.reward[i]
            if not t.terminal[i]:
                with torch.no_grad():
                    target = target + 0.9 * max(other(torch.cat([t.next_state[i], a])[None]).item() for a in compass)
            u.append(other(torch.cat([t.state[i], t.action[i]])[None]).squeeze() - target)
        loss = sum(e**2 for e in u) / problem.n
        assert run.td_error_norm[k] == pytest.approx(math.sqrt(loss.item() * problem.n), rel=1e-12)
        gradients = torch.autograd.grad(loss, list(other.parameters()))
        with torch.no_grad():
            for p, g in zip(other.parameters(), gradients, strict=True):
                p -= lr * g
    assert torch.allclose(parameters(network), parameters(other), rtol=1e-11, atol=1e-13)


def test_the_target_is_held_fixed_in_the_gradient() -> None:
    network = linear_q(1, weight=[1.0])
    train(network, two_state_loop(2.0, gamma=0.5, reward=-1.0), lr=0.1, steps=1)
    assert network.weight.item() == pytest.approx(1 - 0.1 * 2 * 1.0)  # u = 1 - (-1 + .5 * 2) = 1, and dQ/dw = 1


def test_history_has_one_row_a_record() -> None:
    run = train(mlp(4, seed=1), toy_walk(1), steps=10, lr=1e-3)
    assert run.step.tolist() == list(range(11))
    assert all(getattr(run, name).shape == (11,) for name in ARRAYS)
    assert all(getattr(run, name).dtype == np.float64 for name in ARRAYS[1:7])
    assert np.issubdtype(run.step.dtype, np.integer)
    assert np.issubdtype(run.switches.dtype, np.integer)
    assert np.isnan(run.seem).all()
    assert np.isnan(run.frequency).all()
    assert (run.lr, run.n, run.q_limit, run.stop_reason) == (1e-3, 63, 1e6, "finished")
    assert not run.diverged
    assert run.verdict.startswith("finished 10 steps, largest |Q| ")
    assert repr(run) == f"History({run.verdict}; 11 records)"


def test_zero_steps_record_the_start_and_change_nothing() -> None:
    network = mlp(4, seed=1)
    before = parameters(network)
    run = train(network, toy_walk(1), steps=0)
    assert run.step.tolist() == [0]
    assert torch.equal(parameters(network), before)


@pytest.mark.parametrize(
    ("record_every", "seem_every", "steps", "seems"),
    [
        (1, 4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0, 4, 8]),
        (4, 2, [0, 4, 8, 10], [0, 4, 8, 10]),
        (3, 6, [0, 3, 6, 9, 10], [0, 6]),
        (100, 1, [0, 10], [0, 10]),
    ],
)
def test_records_and_seem_come_every_so_many_steps(
    record_every: int, seem_every: int, steps: list[int], seems: list[int]
) -> None:
    network, walk = mlp(4, seed=1), toy_walk(1)
    every = train(mlp(4, seed=1), walk, steps=10)
    run = train(network, walk, steps=10, record_every=record_every, seem_every=seem_every)
    assert run.step.tolist() == steps
    assert run.step[~np.isnan(run.seem)].tolist() == seems
    assert run.step[~np.isnan(run.frequency)].tolist() == seems
    for name in ARRAYS[1:5]:
        assert np.array_equal(getattr(run, name), getattr(every, name)[steps])


def test_recorded_seem_is_the_seem_of_that_state() -> None:
    walk, network = toy_walk(3), mlp(4, seed=3)
    run = train(network, walk, steps=60, seem_every=20)
    again = mlp(4, seed=3)
    for k in (0, 20, 40, 60):
        expected = seem(again, *walk.bootstrap(again))
        assert run.seem[k] == pytest.approx(expected.value, rel=1e-9)
        assert run.frequency[k] == pytest.approx(expected.frequency, rel=1e-9, abs=1e-9)
        train(again, walk, steps=20)


def test_switches_count_since_the_record_before() -> None:
    walk, network = toy_walk(6), mlp(4, seed=6)
    choices = [walk.greedy(network)[0]]
    for _ in range(40):
        train(network, walk, steps=1)
        choices.append(walk.greedy(network)[0])
    run = train(mlp(4, seed=6), walk, steps=40, record_every=10)
    expected = [0] + [int((choices[k] != choices[k - 10]).sum()) for k in (10, 20, 30, 40)]
    assert run.switches.tolist() == expected
    assert sum(expected) > 0


def test_the_same_seed_gives_the_same_bits_with_and_without_seem() -> None:
    runs, networks = [], []
    for seem_every in (None, None, 5):
        networks.append(mlp(4, seed=8))
        runs.append(train(networks[-1], toy_walk(8), steps=100, seem_every=seem_every))
    for run, network in zip(runs[1:], networks[1:], strict=True):
        assert torch.equal(parameters(network), parameters(networks[0]))
        for name in ("q_mean", "q_max", "td_error_norm", "parameter_norm", "switches"):
            assert np.array_equal(getattr(run, name), getattr(runs[0], name))


@pytest.mark.parametrize("q_limit", [10.0, 1e6])
@pytest.mark.parametrize("record_every", [1, 50])
def test_the_run_stops_at_the_first_value_beyond_the_limit(q_limit: float, record_every: int) -> None:
    walk, network = toy_walk(1458), mlp(4, seed=111)
    run = train(network, walk, steps=1500, q_limit=q_limit, record_every=record_every)
    assert run.stop_reason == "q_limit"
    assert run.diverged
    assert run.q_max[-1] > q_limit
    assert (run.q_max[:-1] <= q_limit).all()
    assert run.verdict == f"diverged: |Q| passed {q_limit:.3g} at step {run.step[-1]}"
    assert q_values(network, walk.x).abs().max().item() == run.q_max[-1]  # the state that was recorded
    if record_every == 1:
        assert run.step.tolist() == list(range(len(run.step)))


def test_the_limit_counts_negative_values_too() -> None:
    run = train(linear_q(1, weight=[-1.0]), two_state_loop(), lr=0.1, steps=500, q_limit=5.0)
    assert run.stop_reason == "q_limit"
    assert run.q_mean[-1] < -5


@pytest.mark.parametrize("build", [lambda: mlp(4, seed=1), lambda: linear_q(4, seed=1)], ids=["mlp", "linear"])
def test_an_update_that_jumps_to_infinity_is_taken_back(build: object) -> None:
    network, walk = build(), toy_walk(1, reward=1.0)
    before = parameters(network)
    run = train(network, walk, steps=20, lr=1e308, q_limit=math.inf)
    assert run.stop_reason == "non-finite"
    assert run.diverged
    assert torch.isfinite(parameters(network)).all()
    if len(run.step) == 1:
        assert torch.equal(parameters(network), before)
    assert q_values(network, walk.x).abs().max().item() == run.q_max[-1]
    assert run.verdict == f"diverged: the update after step {run.step[-1]} was not finite and was taken back"


@pytest.mark.parametrize("record_every", [1, 7, 1000])
def test_the_last_finite_state_is_kept_and_recorded(record_every: int) -> None:
    walk, network = toy_walk(0), mlp(4, seed=1000)
    run = train(network, walk, steps=1500, q_limit=math.inf, record_every=record_every, seem_every=1)
    assert run.stop_reason == "non-finite"
    last = int(run.step[-1])
    stepwise = mlp(4, seed=1000)
    train(stepwise, walk, steps=last, q_limit=math.inf)
    assert torch.equal(parameters(network), parameters(stepwise))
    assert q_values(network, walk.x).abs().max().item() == run.q_max[-1]
    assert len(set(run.step.tolist())) == len(run.step)
    assert np.isfinite(run.seem[-1])
    train(stepwise, walk, steps=1, q_limit=math.inf)  # and one step on there is nothing finite left
    assert torch.equal(parameters(network), parameters(stepwise))


def test_frozen_parameters_stay_and_old_gradients_do_not_count() -> None:
    network, plain = mlp(4, seed=1), mlp(4, seed=1)
    for layers in (network, plain):
        layers[0].requires_grad_(False)
    before = network[0].weight.clone()
    for p in network[2].parameters():
        p.grad = torch.full_like(p, 100.0)
    train(network, toy_walk(1), steps=5)
    train(plain, toy_walk(1), steps=5)
    assert torch.equal(network[0].weight, before)
    assert torch.equal(network[2].weight, plain[2].weight)
    assert all(p.grad is None for p in network.parameters())


def test_to_csv_gives_every_number_back(tmp_path: Path) -> None:
    run = train(mlp(4, seed=1), toy_walk(1), steps=30, record_every=7, seem_every=14)
    path = run.to_csv(tmp_path / "run.csv")
    assert path == tmp_path / "run.csv"
    with path.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == ARRAYS
    for name in ARRAYS:
        assert np.array_equal([float(row[name]) for row in table], getattr(run, name).astype(float), equal_nan=True)
    assert table[1]["step"] == "7"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "rmsprop"}, "optimizer must be one of 'sgd', 'adam', got 'rmsprop'"),
        ({"lr": 0.0}, "lr must be positive, got 0.0"),
        ({"lr": -1.0}, "lr must be positive, got -1.0"),
        ({"lr": math.nan}, "lr must be positive, got nan"),
        ({"steps": -1}, "steps must not be negative, got -1"),
        ({"record_every": 0}, "record_every must be positive, got 0"),
        ({"record_every": -2}, "record_every must be positive, got -2"),
        ({"seem_every": 0}, "seem_every must be positive, got 0"),
        ({"seem_every": -3}, "seem_every must be positive, got -3"),
        ({"q_limit": 0.0}, "q_limit must be positive, got 0.0"),
        ({"q_limit": math.nan}, "q_limit must be positive, got nan"),
    ],
)
def test_bad_arguments_are_refused_before_any_step(arguments: dict[str, object], message: str) -> None:
    network = mlp(4, seed=1)
    before = parameters(network)
    with pytest.raises(ValueError, match=message):
        train(network, toy_walk(1), **arguments)
    assert torch.equal(parameters(network), before)


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (mlp(5), ValueError, r"rows of width 4 \(its first linear layer takes 5\)"),
        (mlp(4, dtype=torch.float32), TypeError, r"network.to\(torch.float64\)"),
        (nn.Linear(4, 2, dtype=torch.float64), ValueError, r"one value a row is needed.*wrap it"),
        (mlp(4).requires_grad_(False), ValueError, r"nothing to train; unfreeze some"),
        (mlp(4).to("meta"), ValueError, "x is on cpu but the network on meta"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(network: nn.Module, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        train(network, toy_walk(1))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_network_that_starts_beyond_the_finite_numbers_is_refused(value: float) -> None:
    network = mlp(4)
    with torch.no_grad():
        network[2].bias.fill_(value)
    with pytest.raises(ValueError, match="not finite before the first step; start from a finite network"):
        train(network, toy_walk(1))


def test_a_start_beyond_the_limit_is_recorded_and_left() -> None:
    network = linear_q(8, weight=torch.full((8,), 1e7))
    run = train(network, baird_star(), steps=10)
    assert run.step.tolist() == [0]
    assert run.stop_reason == "q_limit"


@pytest.mark.parametrize("progress", [True, False])
def test_a_short_run_shows_no_progress_bar(progress: bool, capfd: pytest.CaptureFixture[str]) -> None:
    train(mlp(4), toy_walk(), steps=50, progress=progress)
    assert capfd.readouterr() == ("", "")


def test_a_long_run_shows_a_bar_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[dict] = []

    def bar(**settings: object) -> SimpleNamespace:
        bars.append(settings)
        return SimpleNamespace(update=lambda: None, close=lambda: None)

    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(seem_lab.progress, "PATIENCE", -1.0)
    monkeypatch.setattr(seem_lab.progress, "tqdm", bar)
    train(mlp(4), toy_walk(), steps=5, progress=False)
    assert bars == []
    run = train(mlp(4), toy_walk(), steps=5)
    assert [settings["desc"] for settings in bars] == ["training"]
    assert isinstance(run, History)
