"""Forecasts: the map against runs, where none is made, and intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from seem_lab import (
    Forecast,
    History,
    forecast_crash,
    forecast_network,
    forecast_run,
    linear_q,
    mlp,
    seem,
    step_size,
    terminal_start,
    toy_walk,
    train,
    train_stacked,
    two_state_loop,
)
from seem_lab.forecast import with_interval


def test_the_map_is_the_one_of_theory() -> None:
    """u <- u (1 + s/L)^L, s <- s (1 + s/L)^(2L-2), by hand."""
    depth, lr, n, seem_now, q, limit = 3, 2e-2, 63, 40.0, 5.0, 1e6
    s, u, steps = step_size(lr, n) * seem_now, q, 0
    while u <= limit:
        u, s, steps = u * (1 + s / depth) ** depth, s * (1 + s / depth) ** (2 * depth - 2), steps + 1
    found = forecast_crash(seem_now, depth=depth, lr=lr, n=n, q_now=q, q_limit=limit, step=100)
    assert found.crash_step == 100 + steps
    assert found.closed_form == pytest.approx(1 / (4 / 3 * step_size(lr, n) * seem_now))
    assert (found.low, found.high, found.note) == (None, None, "")


def test_small_steps_approach_the_closed_form() -> None:
    far = dict(depth=2, n=63, q_now=1.0, q_limit=1e30)
    ratios = []
    for lr in (1e-2, 1e-3, 1e-4):
        found = forecast_crash(100.0, lr=lr, **far)
        ratios.append(found.steps_left / found.closed_form)
    assert ratios[0] > ratios[1] > ratios[2] > 1
    assert ratios[2] == pytest.approx(1, abs=0.02)


def test_a_linear_q_grows_exponentially_and_the_map_is_exact() -> None:
    loop, lr = two_state_loop(2.0), 0.05
    network = linear_q(1, weight=[1.0])
    value = seem(network, *loop.bootstrap(network)).value
    found = forecast_crash(value, depth=1, lr=lr, n=1, q_now=1.0, q_limit=1e3)
    run = train(network, loop, lr=lr, steps=1000, q_limit=1e3)
    assert found.closed_form == math.inf
    assert found.crash_step == run.step[-1]


@pytest.mark.parametrize("value", [0.0, -3.0, math.nan])
def test_without_self_excitation_there_is_no_forecast(value: float) -> None:
    found = forecast_crash(value, depth=2, lr=2e-2, n=63, q_now=1.0)
    assert found.steps_left is None and found.crash_step is None and found.closed_form is None
    assert "does not excite itself" in found.note


def test_other_ends_of_the_map() -> None:
    past = forecast_crash(1.0, depth=2, lr=2e-2, n=63, q_now=2e6)
    assert (past.steps_left, past.note) == (0.0, "|Q| is past the limit already")
    never = forecast_crash(1e-9, depth=2, lr=2e-2, n=63, q_now=1.0)
    assert never.steps_left is None and "no crash within" in never.note
    soon = forecast_crash(1e200, depth=4, lr=2e-2, n=63, q_now=1.0)
    assert soon.crash_step == 1


@pytest.mark.parametrize(("name", "value"), [("lr", 0.0), ("n", -1), ("q_now", math.nan), ("q_limit", math.inf)])
def test_bad_numbers_are_refused(name: str, value: float) -> None:
    given = dict(depth=2, lr=2e-2, n=63, q_now=1.0, q_limit=1e6) | {name: value}
    with pytest.raises(ValueError, match=f"{name} must be positive and finite"):
        forecast_crash(1.0, **given)


@pytest.fixture(scope="module")
def runs() -> list[History]:
    seeds = range(20, 36)
    networks = [mlp(4, seed=1000 + seed) for seed in seeds]
    return train_stacked(networks, [toy_walk(seed) for seed in seeds], steps=500, seem_at=range(501))


def test_the_map_foretells_the_crash_of_real_runs(runs: list[History]) -> None:
    """At 10 times the error's minimum: median error of the steps left at most 10 %, far below the closed form's."""
    errors, closed = [], []
    for run in runs:
        made = forecast_run(run, depth=2)[terminal_start(run.td_error_norm)]
        left = run.step[-1] - made.step
        assert run.diverged and left > 3
        errors.append(abs(made.crash_step - run.step[-1]) / left)
        closed.append(abs(made.closed_form - left) / left)
    assert len(errors) == 16
    assert np.median(errors) <= 0.1
    assert np.median(closed) > 2 * np.median(errors)


def test_forecasts_use_nothing_of_later(runs: list[History]) -> None:
    whole = forecast_run(runs[0], depth=2)
    network = mlp(4, seed=1020)
    part = train(network, toy_walk(20), steps=len(whole) - 10, seem_every=1)
    for early, late in zip(forecast_run(part, depth=2), whole, strict=False):
        assert early.crash_step == late.crash_step
        assert (early.low, early.high) == (late.low, late.high)


def test_no_forecast_before_the_error_has_grown(runs: list[History]) -> None:
    for run in runs:
        made = forecast_run(run, depth=2)
        grown = run.td_error_norm >= 2 * np.minimum.accumulate(run.td_error_norm)
        for forecast, so_far in zip(made, grown, strict=True):
            assert so_far or forecast.steps_left is None
        assert "has not grown" in made[0].note


def test_a_run_that_settles_gets_no_forecast() -> None:
    run = train(mlp(4, seed=1003), toy_walk(3, gamma=0.9), steps=200, seem_every=1)
    assert all(forecast.steps_left is None for forecast in forecast_run(run, depth=2))


def test_a_run_without_seem_is_refused() -> None:
    with pytest.raises(ValueError, match="seem_every=1"):
        forecast_run(train(mlp(4, seed=1), toy_walk(1), steps=3), depth=2)


def test_a_live_network_is_forecast_as_its_run_is() -> None:
    walk, network = toy_walk(3), mlp(4, seed=1003)
    train(network, walk, steps=150)
    made = forecast_network(network, walk, lr=2e-2, step=150)
    x, x_next, discount = walk.bootstrap(network)
    by_hand = forecast_crash(
        seem(network, x, x_next, discount).value, depth=2, lr=2e-2, n=63, q_now=network(x).abs().max().item(), step=150
    )
    assert made.steps_left == pytest.approx(by_hand.steps_left)
    assert abs(made.crash_step - (150 + train(network, walk, steps=100).step[-1])) <= 1
    assert "biases" in made.note
    assert made.low is None


def test_a_network_without_biases_has_no_reservation_and_earlier_forecasts_give_an_interval() -> None:
    walk, network = toy_walk(3), mlp(4, seed=1003, bias=False)
    made: list[Forecast] = []
    step = 0
    while step < 400 and len([f for f in made if f.low is not None]) < 3:
        made.append(forecast_network(network, walk, lr=2e-2, step=step, earlier=made))
        step += int(train(network, walk, steps=2).step[-1])
    last = made[-1]
    assert last.note == ""
    assert last.step <= last.low <= last.crash_step <= last.high


def test_an_error_off_the_ray_gets_no_forecast() -> None:
    """At the start ||u|| does not grow as SEEM says, though SEEM is above 0."""
    walk, network = toy_walk(3), mlp(4, seed=1003)
    assert seem(network, *walk.bootstrap(network)).value > 0
    made = forecast_network(network, walk, lr=2e-2)
    assert made.steps_left is None
    assert "terminal ray" in made.note


@pytest.mark.parametrize(
    "network", [mlp(4, layer_norm=True), nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()]
)
def test_networks_without_the_law_are_refused(network: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"no forecast for a network with (LayerNorm|Tanh)"):
        forecast_network(network, toy_walk(0), lr=2e-2)


def test_forecasting_leaves_the_network_alone() -> None:
    network = mlp(4, seed=3)
    before = nn.utils.parameters_to_vector(network.parameters()).clone()
    forecast_network(network, toy_walk(3), lr=2e-2)
    assert torch.equal(before, nn.utils.parameters_to_vector(network.parameters()))
    assert all(p.grad is None for p in network.parameters())


def test_the_interval_spans_the_recent_forecasts() -> None:
    def forecast(step: int, crash: float) -> Forecast:
        return Forecast(step, crash - step, crash - step)

    old = [forecast(step, 150.0) for step in range(0, 40)]
    recent = [forecast(step, 104.0) for step in range(60, 80)]
    made = with_interval(forecast(80, 100.0), [*old, *recent])
    assert (made.low, made.high) == (95, 108)  # spread 4: one and a half before, two after
    assert with_interval(forecast(80, 100.0), old).low is None
    assert with_interval(forecast(80, 100.0), [*old, *recent[-1:]]).low is None
    assert with_interval(forecast(99, 100.0), [forecast(98, 120.0), forecast(97, 100.0)]).low == 99  # never in the past
