"""The maze is the one described: walls hold, pairs of thrusters push with their mean, the data must be stitched."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

import seem_lab as sl
from seem_lab.maze import CORNERS, EPISODE, GOAL, WALL, at_goal, free_point, in_wall, velocity, waypoint, waypoints

FIELDS = ("state", "action", "reward", "next_state", "terminal")


@pytest.fixture(scope="module", params=[1, 4], ids=["2-D", "8-D"])
def data(request: pytest.FixtureRequest) -> sl.Transitions:
    return sl.record_maze(0, pairs=request.param, n=800).transitions


def to_the_goal(position: torch.Tensor) -> torch.Tensor:
    """The waypoint controller at full speed, without noise."""
    way = np.array([waypoint(p, np.array(GOAL)) - p for p in position.double().numpy()])
    return torch.from_numpy(way / np.linalg.norm(way, axis=1, keepdims=True)).float()


def test_who_hits_a_wall_slides_along_it() -> None:
    for start, thrust, end in [
        ((0.3, 0.38), (1.0, 0.5), (0.4, 0.38)),  # from below
        ((0.3, 0.62), (-1.0, -1.0), (0.2, 0.62)),  # from above
        ((0.65, 0.5), (-1.0, 1.0), (0.65, 0.6)),  # from the right
        ((0.95, 0.05), (1.0, -1.0), (1.0, 0.0)),  # the edge of the square
        ((0.8, 0.2), (0.5, -0.5), (0.85, 0.15)),  # nothing in the way
    ]:
        there, reward, reached = sl.maze_step(torch.tensor(start), torch.tensor(thrust))
        torch.testing.assert_close(there, torch.tensor(end))
        assert reward == 0 and not reached


def test_no_step_ends_in_the_wall_or_outside() -> None:
    generator = torch.Generator().manual_seed(0)
    position = torch.rand(20_000, 2, generator=generator)
    position = position[~in_wall(position)]
    for _ in range(5):
        before = position
        position, _, _ = sl.maze_step(position, 4 * torch.rand(len(position), 2, generator=generator) - 2)
        assert not in_wall(position).any()
        assert position.min() >= 0 and position.max() <= 1
        assert (position - before).abs().max() <= 0.1 + 1e-6  # thrusts are clipped to [-1, 1]


def test_the_goal_pays_once_and_ends() -> None:
    near = torch.tensor([[0.1, 0.75], [0.1, 0.65]])
    _, reward, reached = sl.maze_step(near, torch.tensor([[0.0, 1.0], [0.0, 1.0]]))
    assert reached.tolist() == [True, False] and reward.tolist() == [1.0, 0.0]
    runs = sl.run_maze(to_the_goal, 8, seed=3)
    assert runs.success == 1
    first = at_goal(runs.path).int().argmax(0)
    for episode, step in enumerate(first.tolist()):
        assert (runs.path[step:, episode] == runs.path[step, episode]).all()  # stays where it arrived


def test_pairs_of_thrusters_push_with_their_mean() -> None:
    action = torch.tensor([1.0, 0.0, -1.0, 0.0, 0.5, 2.0, 0.5, 0.0])
    torch.testing.assert_close(velocity(action), torch.tensor([0.25, 0.25]))
    torch.testing.assert_close(velocity(action[:2]), action[:2])


def test_the_environment_is_one_for_gymnasium() -> None:
    check_env(gymnasium.make("seem_lab/Maze-v0", pairs=4).unwrapped, skip_render_check=True)
    env = gymnasium.make("seem_lab/Maze-v0")
    state, _ = env.reset(seed=5)
    for count in range(1, 101):
        assert env.observation_space.contains(state)
        state, _, terminal, late, _ = env.step(np.array([0.0, 1.0], dtype=np.float32))
        assert not terminal and late == (count == 100)
    with pytest.raises(ValueError, match="at least 1 pair of thrusters, got 0"):
        gymnasium.make("seem_lab/Maze-v0", pairs=0)


def test_environment_and_vectorised_runs_take_the_same_way() -> None:
    runs = sl.run_maze(to_the_goal, 3, seed=11)
    env = gymnasium.make("seem_lab/Maze-v0")
    env.reset(seed=0)
    env.unwrapped._position = runs.path[0, 2].clone()
    done, step = False, 0
    while not done:
        action = to_the_goal(runs.path[step, 2][None])[0].numpy()
        state, reward, done, _, _ = env.step(action)
        step += 1
        assert torch.equal(torch.from_numpy(state), runs.path[step, 2])
    assert reward == 1


def test_the_controller_goes_round_the_wall() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        here, target = free_point(rng).astype(float), free_point(rng).astype(float)
        for _ in range(60):  # at most 2.5 long
            way = waypoint(here, target) - here
            here = here + way * min(1, 0.05 / max(np.linalg.norm(way), 1e-9))
            assert not in_wall(torch.from_numpy(here))
        np.testing.assert_allclose(here, target, atol=1e-6)


def test_the_way_round_leads_over_both_corners() -> None:
    start = np.array([0.1, 0.1])
    assert tuple(waypoint(start, np.array(GOAL))) == CORNERS[0]
    assert tuple(waypoint(np.array(CORNERS[0]), np.array(GOAL))) == CORNERS[1]
    assert tuple(waypoint(np.array(CORNERS[1]), np.array(GOAL))) == GOAL


def test_no_recorded_episode_from_below_reaches_the_goal(data: sl.Transitions) -> None:
    ends = data.episode_ends()
    begins = torch.cat([torch.zeros(1, dtype=ends.dtype), ends[:-1] + 1])
    assert (ends - begins + 1).max() == EPISODE
    from_below = data.state[begins, 1] <= WALL[1]
    assert from_below.sum() >= 20  # there are such episodes
    assert data.terminal[ends][from_below].sum() == 0
    assert data.terminal.sum() >= 3  # and others that arrive
    assert torch.equal(data.terminal, data.reward)


def test_recorded_steps_are_steps_of_the_maze(data: sl.Transitions) -> None:
    there, reward, reached = sl.maze_step(data.state, data.action)
    assert torch.equal(there, data.next_state)
    assert torch.equal(reward, data.reward) and torch.equal(reached.float(), data.terminal)
    assert data.action.abs().max() <= 1 and data.action.dtype == torch.float32


def test_noise_is_drawn_for_every_thruster() -> None:
    action = sl.record_maze(0, pairs=4, n=400).transitions.action.unflatten(1, (4, 2))
    spread = (action - action.mean(1, keepdim=True)).square().sum(1).div(3).mean().sqrt()
    assert abs(spread - 0.3) < 0.02


def test_three_in_ten_episodes_head_for_the_goal() -> None:
    at_rest = [np.abs(waypoints()(np.random.default_rng(seed))(np.array(GOAL))).max() == 0 for seed in range(200)]
    assert abs(np.mean(at_rest) - 0.3) < 0.1
    speed = [np.linalg.norm(waypoints()(np.random.default_rng(seed))(np.array([0.1, 0.1]))) for seed in range(30)]
    assert np.median(speed) == pytest.approx(0.5) and max(speed) < 0.5 + 1e-9


def test_a_seed_makes_the_same_data_to_the_bit() -> None:
    one, again, other = (sl.record_maze(seed, n=200).transitions for seed in (1, 1, 2))
    assert all(torch.equal(getattr(one, name), getattr(again, name)) for name in FIELDS)
    assert not torch.equal(one.state, other.state)


def test_the_maze_is_a_problem() -> None:
    problem = sl.maze(pairs=4, n=60)
    assert problem.next_actions.shape == (60, 9, 8) and problem.gamma == 0.99
    speed = velocity(problem.next_actions[0]).norm(dim=1)
    torch.testing.assert_close(speed, torch.tensor([0.0] + 8 * [1.0]))
    run = sl.train(sl.mlp(10, dtype=torch.float32), problem, steps=3, progress=False)
    assert np.isfinite(run.q_max).all()
