"""Problems that were changed, against sums and choices written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seem_lab import (
    Problem,
    Transitions,
    behaviour_penalty,
    in_sample_actions,
    mlp,
    n_step_returns,
    scale_rewards,
    toy_walk,
    train_stacked,
)


def episodes() -> Problem:
    """Two episodes of 5 and 4 steps on a line; the first ends in a terminal, the second is cut off."""
    state = torch.tensor([[0.0], [1], [2], [3], [4], [10], [11], [12], [13]], dtype=torch.float64)
    action = torch.arange(9, dtype=torch.float64)[:, None] / 10
    terminal = torch.zeros(9)
    terminal[4] = 1
    return Problem(
        "line", Transitions(state, action, torch.arange(1, 10), state + 1, terminal), torch.eye(3)[:, :1], 0.5
    )


def column(tensor: Tensor) -> list[float]:
    return tensor.flatten().tolist()


def test_rewards_are_scaled_and_nothing_else() -> None:
    problem = episodes()
    scaled = scale_rewards(problem, -2.0)
    assert column(scaled.reward) == [-2.0 * r for r in range(1, 10)]
    assert torch.equal(scaled.candidates, problem.candidates)
    assert torch.equal(scaled.discount, problem.discount)


def test_in_sample_actions_are_those_the_data_took_next() -> None:
    problem = in_sample_actions(episodes())
    assert problem.n == 8  # the last one has none
    assert column(problem.transitions.state) == [0, 1, 2, 3, 4, 10, 11, 12]
    taken = column(problem.next_actions)
    assert [taken[i] for i in (0, 1, 2, 3, 5, 6, 7)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8])
    assert problem.discount[4] == 0  # after a terminal any action will do
    assert problem.next_actions.shape == (8, 1, 1)


def test_behaviour_penalty_is_felt_in_the_choice_and_not_in_the_value() -> None:
    walk, network, strength = toy_walk(1), mlp(4, seed=2), 0.05
    problem = behaviour_penalty(walk, strength)
    assert problem.n == walk.n - 1
    choices = []
    for i in range(problem.n):
        taken = walk.transitions.action[i + 1]
        q = network(walk.candidates[i])[:, 0].detach()
        best = max(range(8), key=lambda k: q[k] - strength * (walk.next_actions[i, k] - taken).square().sum())
        choices.append(best)
        assert problem.greedy(network)[1][i].item() == pytest.approx(q[best].item(), rel=1e-12)
    assert problem.greedy(network)[0].tolist() == choices
    assert choices != walk.greedy(network)[0][:-1].tolist()
    strong = behaviour_penalty(walk, 1e6).greedy(network)[0]
    assert torch.equal(walk.next_actions[0][strong], walk.transitions.action[1:])
    assert torch.equal(behaviour_penalty(walk, 0.0).greedy(network)[0], walk.greedy(network)[0][:-1])


def test_bootstrap_takes_the_penalised_choice() -> None:
    problem, network = behaviour_penalty(toy_walk(1), 1e6), mlp(4, seed=2)
    x, x_next, discount = problem.bootstrap(network)
    assert torch.equal(x_next[:-1], x[1:])
    assert len(discount) == 62


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_n_step_returns_against_sums_by_hand(steps: int) -> None:
    problem = n_step_returns(episodes(), steps)
    found = dict(zip(column(problem.transitions.state), column(problem.reward), strict=True))
    expected, ends = {}, {}
    for first, length, terminal in ((0, 5, True), (5, 4, False)):
        for i in range(first, first + length):
            rewards = [r + 1.0 for r in range(i, min(i + steps, first + length))]
            if len(rewards) == steps or terminal:
                state = float(i if first == 0 else i + 5)
                expected[state] = sum(0.5**k * r for k, r in enumerate(rewards))
                ends[state] = (state + len(rewards), terminal and i + steps >= first + length)
    assert found == pytest.approx(expected)
    ours = zip(column(problem.transitions.next_state), column(problem.transitions.terminal == 1), strict=True)
    assert dict(zip(found, ours, strict=True)) == ends
    assert problem.gamma == 0.5**steps


def test_n_step_returns_keep_the_candidates_of_the_later_state() -> None:
    problem = replace(episodes(), next_actions=torch.arange(18, dtype=torch.float64).reshape(9, 2, 1))
    later = n_step_returns(behaviour_penalty(problem, 1.0), 3)
    assert column(later.next_actions[0]) == [4, 5]  # of transition 2
    assert column(later.penalty[0]) == pytest.approx([(4 - 0.3) ** 2, (5 - 0.3) ** 2])


def test_remedies_compose() -> None:
    walk = toy_walk(3, reward=1.0)
    one = n_step_returns(in_sample_actions(scale_rewards(walk, 2.0)), 4)
    assert one.n == 59
    assert one.reward[0].item() == pytest.approx(2 * sum(0.99**k for k in range(4)))
    assert torch.equal(one.next_actions[0, 0], walk.transitions.action[4])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: behaviour_penalty(toy_walk(0), -1.0), "strength must not be negative, got -1.0"),
        (lambda: n_step_returns(toy_walk(0), 0), "steps must be at least 1, got 0"),
        (lambda: n_step_returns(toy_walk(0), 64), "no transition has 64 steps ahead of it: give transitions in"),
        (lambda: in_sample_actions(toy_walk(0, points=2)), "no transition is followed by another: give transitions in"),
        (lambda: replace(toy_walk(0), penalty=torch.zeros(63, 7)), r"one number a candidate, shape \(63, 8\); got"),
        (lambda: replace(toy_walk(0), penalty=torch.full((63, 8), torch.nan)), "penalty must be finite"),
        (lambda: train_stacked([mlp(4)], [behaviour_penalty(toy_walk(0), 1.0)]), "stacked runs do not know; use train"),
    ],
)
def test_what_cannot_be_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_penalty_moves_with_its_problem() -> None:
    problem = behaviour_penalty(toy_walk(0), 1.0).to(dtype=torch.float32)
    assert problem.penalty.dtype == problem.x.dtype == torch.float32
