"""Problems: their inputs, discounts and next actions, against the numbers of their sources."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import seem_lab.problems
from seem_lab import (
    Problem,
    Transitions,
    baird_star,
    baird_weights,
    linear_q,
    mlp,
    q_values,
    random_features,
    recorded,
    toy_walk,
    two_state_loop,
)


def small(next_actions: object = None, gamma: float = 0.5) -> Problem:
    """Three transitions with 2-D states and 1-D actions, the last one terminal."""
    transitions = Transitions(
        [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [[0.1], [0.2], [0.3]], [1, 2, 3], [[2, 3], [4, 5], [6, 7]], [0, 0, 1]
    )
    return Problem("small", transitions, torch.tensor([[-1.0], [1.0]]) if next_actions is None else next_actions, gamma)


def test_x_joins_state_and_action() -> None:
    problem = small()
    assert problem.n == 3
    assert problem.input_dim == 3
    assert problem.x.tolist() == [[0.0, 1.0, 0.1], [2.0, 3.0, 0.2], [4.0, 5.0, 0.3]]
    assert problem.reward.tolist() == [1.0, 2.0, 3.0]


def test_the_discount_is_gamma_and_zero_at_a_terminal() -> None:
    assert small(gamma=0.5).discount.tolist() == [0.5, 0.5, 0.0]


def test_candidates_are_next_states_with_each_next_action() -> None:
    candidates = small().candidates
    assert candidates.shape == (3, 2, 3)
    assert candidates[1].tolist() == [[4.0, 5.0, -1.0], [4.0, 5.0, 1.0]]
    own = torch.arange(6.0).reshape(3, 2, 1)
    assert small(own).candidates[:, :, 2].tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


@pytest.mark.parametrize(("action_weight", "chosen"), [(1.0, 1), (-1.0, 0), (0.0, 0)])
def test_bootstrap_takes_the_action_of_largest_value_the_first_in_a_tie(action_weight: float, chosen: int) -> None:
    problem, network = small(), linear_q(3, weight=[0.0, 1.0, action_weight])
    index, value = problem.greedy(network)
    x, x_next, discount = problem.bootstrap(network)
    assert index.tolist() == [chosen] * 3
    assert not value.requires_grad
    assert torch.equal(value, q_values(network, x_next).detach())
    assert torch.equal(x, problem.x)
    assert torch.equal(x_next, problem.candidates[:, chosen])
    assert torch.equal(discount, problem.discount)


def test_greedy_agrees_with_a_loop() -> None:
    problem, network = toy_walk(seed=3), mlp(4, seed=3)
    index, value = problem.greedy(network)
    for i in range(problem.n):
        q = [network(problem.candidates[i, k : k + 1]).item() for k in range(8)]
        assert int(np.argmax(q)) == index[i]
        assert max(q) == pytest.approx(value[i].item(), rel=1e-12)
    assert len(index.unique()) > 1  # the loop would not notice a constant choice otherwise


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_ends_of_gamma_are_allowed(gamma: float) -> None:
    assert small(gamma=gamma).discount.tolist() == [gamma, gamma, 0.0]


@pytest.mark.parametrize("gamma", [-0.01, 1.01, math.nan, math.inf])
def test_gamma_outside_0_to_1_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got"):
        small(gamma=gamma)
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got"):
        toy_walk(gamma=gamma)


@pytest.mark.parametrize(
    ("next_actions", "message"),
    [
        (torch.zeros(2, 2), r"shape \(K, 1\) or \(3, K, 1\) with K >= 1, got \(2, 2\)"),
        (torch.zeros(4, 2, 1), r"shape \(K, 1\) or \(3, K, 1\) with K >= 1, got \(4, 2, 1\)"),
        (torch.zeros(0, 1), r"with K >= 1, got \(0, 1\)"),
        (torch.zeros(2), r"with K >= 1, got \(2,\)"),
        (torch.zeros(3, 2, 1, 1), r"with K >= 1, got \(3, 2, 1, 1\)"),
        ([[1.0, 2.0]], r"with K >= 1, got \(1, 2\)"),
        (torch.tensor([[math.nan]]), "next_actions are nan or infinite; give finite candidates"),
    ],
)
def test_next_actions_that_do_not_fit_are_refused(next_actions: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(next_actions)


class Two(nn.Module):
    """Two values a row, as a critic over discrete actions has."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


def test_bootstrap_checks_the_network_first() -> None:
    walk = toy_walk()
    with pytest.raises(ValueError, match=r"one value a row is needed.*wrap it"):
        walk.bootstrap(Two())
    with pytest.raises(ValueError, match=r"rows of width 4 \(its first linear layer takes 5\)"):
        walk.bootstrap(mlp(5))
    with pytest.raises(TypeError, match=r"network.to\(torch.float64\)"):
        walk.bootstrap(mlp(4, dtype=torch.float32))


def test_to_moves_everything() -> None:
    walk = toy_walk().to(dtype=torch.float32)
    x, x_next, discount = walk.bootstrap(mlp(4, dtype=torch.float32))
    assert {x.dtype, x_next.dtype, discount.dtype, walk.reward.dtype} == {torch.float32}
    assert walk.gamma == 0.99


def test_two_state_loop_is_one_transition_to_its_neighbour() -> None:
    loop, network = two_state_loop(3.0, gamma=0.9, reward=2.0), linear_q(1, weight=[5.0])
    x, x_next, discount = loop.bootstrap(network)
    assert (x.tolist(), x_next.tolist(), discount.tolist(), loop.reward.tolist()) == ([[1.0]], [[3.0]], [0.9], [2.0])
    assert q_values(network, x_next).tolist() == [15.0]


def test_baird_star_has_the_values_of_its_source() -> None:
    w = baird_weights()
    assert w.tolist() == [1, 1, 1, 1, 1, 1, 10, 1]
    w = torch.arange(1.0, 9.0, dtype=torch.float64)
    star, network = baird_star(gamma=0.9), linear_q(8, weight=w)
    x, x_next, discount = star.bootstrap(network)
    expected = [2 * w[i] + w[7] for i in range(6)] + [w[6] + 2 * w[7]]
    assert q_values(network, x).tolist() == [value.item() for value in expected]
    assert q_values(network, x_next).tolist() == [expected[6].item()] * 7
    assert discount.tolist() == [0.9] * 7
    assert star.reward.tolist() == [0.0] * 7


def test_random_features_have_the_promised_lengths_and_alignment() -> None:
    problem = random_features(400, 300, alignment=0.6, next_scale=2.0, seed=1)
    x, x_next, _ = problem.bootstrap(linear_q(300))
    assert x.square().sum(1).mean().item() == pytest.approx(1.0, abs=0.02)
    assert x_next.square().sum(1).mean().item() == pytest.approx(4.0, abs=0.08)
    assert torch.nn.functional.cosine_similarity(x, x_next).mean().item() == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("alignment", [1.0, -1.0])
def test_full_alignment_points_along_the_data(alignment: float) -> None:
    problem = random_features(5, 3, alignment=alignment, next_scale=1.5)
    assert torch.allclose(problem.transitions.next_state, 1.5 * alignment * problem.x)


def test_random_features_refuse_bad_numbers() -> None:
    with pytest.raises(ValueError, match=r"alignment must lie in \[-1, 1\], got 1.1"):
        random_features(alignment=1.1)
    with pytest.raises(ValueError, match="n and features must be at least 1, got 0 and 3"):
        random_features(0, 3)


def test_the_toy_walk_walks_as_its_source_says() -> None:
    walk = toy_walk(seed=7)
    t = walk.transitions
    assert walk.n == 63
    assert walk.input_dim == 4
    assert ((t.state[0] >= 0) & (t.state[0] <= 1)).all()
    assert torch.equal(t.next_state[:-1], t.state[1:])  # one walk
    compass = walk.next_actions[0]
    assert torch.allclose(
        compass, torch.tensor([[math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)] for k in range(8)]).double()
    )
    nearest = torch.cdist(t.action, compass).min(1)
    assert nearest.values.max() < 1e-12
    assert len(nearest.indices.unique()) == 8
    noise = t.next_state - t.state - 0.1 * t.action
    assert (noise.min() > -1e-12) & (noise.max() < 0.02 + 1e-12)
    assert noise.mean().item() == pytest.approx(0.01, abs=0.002)
    assert t.reward.abs().sum() == 0
    assert walk.discount.tolist() == [0.99] * 63


def test_every_number_of_the_toy_walk_is_a_keyword() -> None:
    walk = toy_walk(2, points=10, step=0.5, noise=0.0, directions=4, reward=3.0, gamma=0.9)
    t = walk.transitions
    assert walk.n == 9
    assert walk.next_actions.shape == (9, 4, 2)
    assert torch.allclose(t.next_state - t.state, 0.5 * t.action)
    assert t.reward.tolist() == [3.0] * 9
    assert walk.discount.tolist() == [0.9] * 9


def test_a_seed_fixes_the_walk() -> None:
    assert torch.equal(toy_walk(1).x, toy_walk(1).x)
    assert not torch.equal(toy_walk(1).x, toy_walk(2).x)
    assert torch.equal(random_features(seed=1).x, random_features(seed=1).x)
    assert not torch.equal(random_features(seed=1).x, random_features(seed=2).x)


def test_the_toy_walk_takes_given_transitions() -> None:
    given = toy_walk(4, points=6).transitions.to(dtype=torch.float32)
    walk = toy_walk(transitions=given, directions=3)
    assert walk.transitions is given
    assert walk.next_actions.shape == (5, 3, 2)
    assert walk.candidates.dtype == torch.float32
    with pytest.raises(ValueError, match=r"2-D states and 2-D actions, got 2-D and 1-D"):
        toy_walk(transitions=small().transitions)


@pytest.mark.parametrize(("points", "directions"), [(1, 8), (64, 0)])
def test_the_toy_walk_needs_points_and_directions(points: int, directions: int) -> None:
    with pytest.raises(ValueError, match="at least 2 points and 1 direction"):
        toy_walk(points=points, directions=directions)


def saved(folder: Path, action_dim: int = 1) -> Path:
    """A recording of 40 transitions."""
    draw = np.random.default_rng(0)
    state, action = 5 + 3 * draw.normal(size=(41, 2)), draw.uniform(-2, 2, size=(40, action_dim))
    return Transitions(state[:-1], action, draw.normal(size=40), state[1:], np.zeros(40)).save(folder / "mine.npz")


def test_recorded_reads_a_file_and_normalises_its_states(tmp_path: Path) -> None:
    problem = recorded(saved(tmp_path), gamma=0.9, dtype=torch.float32)
    raw = Transitions.load(tmp_path / "mine.npz")
    assert problem.name == "mine"
    assert problem.n == 40
    assert problem.x.dtype == torch.float32
    assert torch.allclose(problem.transitions.state.mean(0), torch.zeros(2), atol=1e-6)
    assert torch.allclose(problem.transitions.state.std(0, correction=0), torch.ones(2), atol=1e-6)
    assert torch.allclose(problem.transitions.action, raw.action.float())  # actions keep their units
    candidates = problem.next_actions[0, :, 0]
    assert torch.allclose(candidates, torch.linspace(raw.action.min(), raw.action.max(), 9))
    assert problem.discount.unique().tolist() == [pytest.approx(0.9)]


def test_recorded_draws_its_share_with_a_seed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert recorded(path, fraction=0.25).n == 10
    assert torch.equal(recorded(path, fraction=0.25, seed=1).x, recorded(path, fraction=0.25, seed=1).x)
    assert not torch.equal(recorded(path, fraction=0.25, seed=1).x, recorded(path, fraction=0.25, seed=2).x)


def test_recorded_finds_a_name_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path)
    monkeypatch.setattr(seem_lab.problems, "DATA", tmp_path)
    assert recorded("mine").n == 40
    with pytest.raises(FileNotFoundError, match=r"no recorded data at .*yours\.npz; data/ holds: mine"):
        recorded("yours")
    (tmp_path / "mine.npz").unlink()
    with pytest.raises(FileNotFoundError, match="data/ holds: nothing yet"):
        recorded("mine")


def test_recorded_asks_for_candidates_where_actions_have_more_dimensions(tmp_path: Path) -> None:
    path = saved(tmp_path, action_dim=2)
    with pytest.raises(ValueError, match=r"mine\.npz has 2-D actions: give the candidates as next_actions"):
        recorded(path)
    assert recorded(path, next_actions=torch.zeros(3, 2)).next_actions.shape == (40, 3, 2)


def test_the_recorded_pendulum_gives_a_critic_its_matrix() -> None:
    pendulum = recorded("pendulum", fraction=0.01)
    assert pendulum.x.shape == (100, 4)
    assert pendulum.next_actions.shape == (100, 9, 1)
    assert pendulum.next_actions.abs().max() <= 2  # torque limits of Pendulum-v1
    x, x_next, discount = pendulum.bootstrap(mlp(4))
    matrix = seem_lab.seem_matrix(mlp(4), x, x_next, discount)
    assert torch.isfinite(matrix).all()
