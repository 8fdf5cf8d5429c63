"""The grid is the one described, and its values are those of counting steps."""

from dataclasses import replace

import pytest
import torch

import seem_lab as sl


@pytest.mark.parametrize(("size", "gamma"), [(2, 0.9), (5, 0.9), (6, 0.99), (5, 0.0)])
def test_true_value_is_the_discount_to_the_number_of_steps_left(size, gamma):
    world = sl.grid_world(size, gamma=gamma)
    left = ((1 - world.transitions.next_state) * (size - 1)).sum(dim=1).round()  # moves from the next cell to the goal
    torch.testing.assert_close(sl.true_values(world), gamma**left, rtol=1e-12, atol=0)


def test_every_move_from_every_cell_is_there_once():
    world = sl.grid_world(4)
    assert world.n == len(set(map(tuple, world.x.tolist()))) == 60
    assert world.transitions.terminal.sum() == 2 == world.reward.sum()
    step = (world.transitions.next_state - world.transitions.state) * 3
    inside = ((world.transitions.state + world.transitions.action / 3 - 0.5).abs() < 0.51).all(dim=1)
    torch.testing.assert_close(step[inside], world.transitions.action[inside])
    assert (step[~inside] == 0).all()


def test_what_has_no_known_value_is_refused():
    with pytest.raises(ValueError, match="candidate 0 of transition 0 is not in the data"):
        sl.true_values(sl.toy_walk(0))
    with pytest.raises(ValueError, match="discount below 1"):
        sl.true_values(sl.grid_world(gamma=1.0))
    world = sl.grid_world(2)
    twice = replace(world, transitions=world.transitions.subset(1.0), next_actions=world.next_actions[0])
    assert sl.true_values(twice).shape == (12,)  # a new order changes nothing
    t = world.transitions
    doubled = sl.Transitions(*(torch.cat([f, f]) for f in (t.state, t.action, t.reward, t.next_state, t.terminal)))
    with pytest.raises(ValueError, match="more than once"):
        sl.true_values(replace(world, transitions=doubled, next_actions=world.next_actions[0]))
    with pytest.raises(ValueError, match="at least 2 cells"):
        sl.grid_world(1)
