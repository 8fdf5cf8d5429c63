"""The linear model with greedy actions: exact where the network is linear, SEEM where the actions are fixed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seem_lab import (
    baird_star,
    frozen_kernel_growth,
    linear_q,
    mlp,
    seem,
    step_size,
    toy_walk,
    train,
)


def test_it_is_exact_for_a_linear_network_that_chooses_its_actions() -> None:
    walk, network = toy_walk(5, reward=0.3), linear_q(4, seed=1)
    ahead = frozen_kernel_growth(network, walk, lr=0.1, steps=60)
    run = train(network, walk, lr=0.1, steps=60)
    assert run.switches.sum() > 0
    np.testing.assert_allclose(ahead, np.log(run.td_error_norm), rtol=1e-10)


def test_it_grows_at_the_rate_of_seem_where_nothing_is_chosen() -> None:
    star, network, lr = baird_star(), linear_q(8, seed=2), 0.05
    ahead = frozen_kernel_growth(network, star, lr=lr, steps=3000)
    value = seem(network, *star.bootstrap(network)).value
    assert np.diff(ahead)[-1] == pytest.approx(math.log1p(step_size(lr, star.n) * value), rel=1e-6)


def test_it_begins_as_the_network_does_and_ends_infinite_where_it_overflows() -> None:
    walk, network = toy_walk(3), mlp(4, seed=1003)
    ahead = frozen_kernel_growth(network, walk, lr=0.02, steps=5)
    wild = frozen_kernel_growth(network, walk, lr=1e6, steps=400)
    run = train(network, walk, lr=0.02, steps=5)
    assert ahead[0] == pytest.approx(np.log(run.td_error_norm[0]))
    np.testing.assert_allclose(ahead, np.log(run.td_error_norm), atol=0.02)
    assert wild[-1] == math.inf and not np.isnan(wild).any()


@pytest.mark.parametrize("change", [dict(lr=0.0), dict(steps=0)])
def test_bad_numbers_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        frozen_kernel_growth(mlp(4), toy_walk(0), **(dict(lr=0.1, steps=10) | change))
