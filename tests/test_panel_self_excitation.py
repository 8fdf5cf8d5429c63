"""The panel of lesson 01, beyond what tests/test_panels.py asks of every panel."""

import copy

import numpy as np
import pytest
import torch

import seem_lab as sl
from seem_lab.panels import SelfExcitation
from seem_lab.panels.self_excitation import EVERY, WALK


@pytest.fixture(scope="module")
def panel():
    return SelfExcitation()


def test_two_states_follow_the_loop_step_by_step(panel, at):
    result = at(panel, c=1.5, gamma=0.8, lr=0.3)
    w = 1.0
    for k in range(len(result.step)):
        assert result.value[k] == pytest.approx(w) and result.target[k] == pytest.approx(0.8 * 1.5 * w)
        assert result.error[k] == pytest.approx(abs(w - 0.8 * 1.5 * w))
        w -= 2 * 0.3 * (w - 0.8 * 1.5 * w)
    assert result.target_rise - result.value_rise == pytest.approx(0.8 * 1.5 - 1)  # A


def test_a_small_update_of_the_walk_goes_where_the_panel_says(panel, at):
    result = at(panel, where=WALK, transition=7, gamma=0.9)
    walk, network = sl.toy_walk(0, gamma=0.9), sl.mlp(4, seed=1000)
    x, x_next, discount = walk.bootstrap(network)
    moved = copy.deepcopy(network)
    sl.q_values(moved, x[7:8]).sum().backward()
    with torch.no_grad():
        for p in moved.parameters():
            p += 1e-7 * p.grad
        value = sl.q_values(moved, x) - sl.q_values(network, x)
        target = discount * (sl.q_values(moved, x_next) - sl.q_values(network, x_next))
    assert result.value_rise == pytest.approx((value / value[7]).numpy(), abs=1e-5)
    assert result.target_rise == pytest.approx((target / value[7]).numpy(), abs=1e-5)
    assert f"at {int((target > value).sum())} of 63 transitions" in panel.text


def test_the_walk_trains_as_train_does(panel, at):
    result = at(panel, where=WALK, transition=7)
    walk, network = sl.toy_walk(0), sl.mlp(4, seed=1000)
    run = sl.train(network, walk, lr=0.1, steps=100, progress=False)
    assert np.array_equal(result.error, run.td_error_norm)
    assert f"blows up at step {run.step[-1]}" in panel.text
    fresh = sl.mlp(4, seed=1000)
    sl.train(fresh, walk, lr=0.1, steps=EVERY, progress=False)
    x, x_next, discount = walk.bootstrap(fresh)
    assert result.value[1] == pytest.approx(sl.q_values(fresh, x)[7].item())
    assert result.target[1] == pytest.approx((discount * sl.q_values(fresh, x_next))[7].item())
