"""Recording: what is written is what happened, whoever acts, and the command says what it cannot do."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

import seem_lab as sl
from seem_lab.commands.record import record as record_command
from seem_lab.critics import TD3Options
from seem_lab.online import follow_agent, learn_online, online_td3
from seem_lab.recording import Policy, interact

FIELDS = ("state", "action", "reward", "next_state", "terminal")


class Countdown(gymnasium.Env):
    """The state counts down from 3; at 0 the episode is over, and the action, in [0, 10], is the reward."""

    observation_space = gymnasium.spaces.Box(-9, 9, (1,), np.float32)
    action_space = gymnasium.spaces.Box(0, 10, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.left = 3
        return np.array([3], np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.left -= 1
        return np.array([self.left], np.float32), float(action[0]), self.left == 0, False, {}


gymnasium.register("tests/Countdown-v0", entry_point=Countdown)


def half(rng: np.random.Generator) -> Policy:
    return lambda state: np.array([0.5])


def test_terminals_and_time_limits_are_kept_apart() -> None:
    whole = sl.record(sl.make_environment("tests/Countdown-v0"), half, 7, noise=0.0, seed=0)
    assert whole.transitions.state.flatten().tolist() == [3, 2, 1, 3, 2, 1, 3]
    assert whole.transitions.next_state.flatten().tolist() == [2, 1, 0, 2, 1, 0, 2]
    assert whole.transitions.terminal.tolist() == [0, 0, 1, 0, 0, 1, 0]
    assert whole.returns.tolist() == [22.5, 22.5]  # .5 of [-1, 1] is 7.5 of [0, 10]
    assert whole.transitions.action.flatten().tolist() == [0.5] * 7
    cut = sl.record(sl.make_environment("tests/Countdown-v0", max_episode_steps=2), half, 4, noise=0.0, seed=0)
    assert cut.transitions.terminal.sum() == 0 and cut.transitions.state.flatten().tolist() == [3, 2, 3, 2]


def test_noise_has_the_size_it_is_given_and_is_clipped() -> None:
    env = sl.make_environment("tests/Countdown-v0")
    action = sl.record(env, half, 3000, noise=0.2, seed=0).transitions.action
    assert action.max() == 1  # .5 is 2.5 deviations from it
    below = action[action < 0.5] - 0.5
    assert abs(below.square().mean().sqrt() - 0.2) < 0.01


def test_a_policy_is_drawn_for_every_episode() -> None:
    policy = sl.random_linear(1, 1)
    action = sl.record(sl.make_environment("tests/Countdown-v0"), policy, 9, noise=0.0, seed=0).transitions.action
    weight = action.atanh().flatten() / torch.tensor([3.0, 2, 1] * 3)
    first = weight[::3].repeat_interleave(3)
    torch.testing.assert_close(weight, first, atol=1e-4, rtol=0)
    assert len(weight[::3].unique()) == 3


@pytest.mark.parametrize(
    ("environment", "words"),
    [("Nowhere-v0", "Nowhere"), ("CartPole-v1", "actions must be one row of real numbers")],
)
def test_environments_that_do_not_fit_are_refused(environment: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sl.make_environment(environment)


def test_bad_numbers_are_refused() -> None:
    env = sl.make_environment("tests/Countdown-v0")
    with pytest.raises(ValueError, match="at least one transition, got 0"):
        sl.record(env, half, 0, noise=0.0, seed=0)
    with pytest.raises(ValueError, match=r"0 or more, got -1\.0"):
        sl.record(env, half, 5, noise=-1.0, seed=0)


SMALL = TD3Options(hidden=(16,), batch_size=16)


def test_an_online_agent_learns_from_what_it_lived_through() -> None:
    env = sl.make_environment("tests/Countdown-v0")
    agent = online_td3(env, seed=0, options=TD3Options(hidden=(32,), batch_size=32, lr=3e-3))
    steps = list(islice(learn_online(env, agent, capacity=300, seed=0, start=60), 300))
    first = np.array([step.action[0] for step in steps[:60]])
    assert abs(first.mean()) < 0.3 and first.std() > 0.4  # uniform
    late = np.array([step.reward for step in steps[240:]])
    assert late.mean() > 8  # the largest reward is 10, a random action's 5
    still = list(islice(interact(env, follow_agent(agent), noise=0.0, seed=1), 3))
    assert np.mean([step.reward for step in still]) > 8
    assert agent.updates == 240


def test_an_online_run_is_the_same_for_the_same_seed() -> None:
    def run(seed: int) -> list[float]:
        env = sl.make_environment("Pendulum-v1")
        agent = online_td3(env, seed, SMALL)
        return [step.action[0] for step in islice(learn_online(env, agent, capacity=60, seed=seed, start=20), 60)]

    assert run(1) == run(1) != run(2)


@pytest.mark.parametrize("behaviour", ["random", "script", "replay", "td3"])
def test_the_command_writes_data_and_provenance(behaviour: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "it.npz"
    record_command("seem_lab/Maze-v0", out, behaviour, steps=110, train=30, seed=3)
    data, provenance = sl.load_recorded(out)
    assert len(data) == provenance.transitions == 110 and data.action.abs().max() <= 1
    assert (provenance.environment, provenance.seed) == ("seem_lab/Maze-v0", 3)
    assert provenance.time_limit == (12 if behaviour == "script" else 100)
    assert f"--behaviour {behaviour}" in provenance.command and "gymnasium" in provenance.versions
    assert "110 transitions" in capsys.readouterr().out
    before = out.read_bytes()
    record_command("seem_lab/Maze-v0", out, behaviour, steps=110, train=30, seed=3)
    assert out.read_bytes() == before


def test_the_command_says_what_it_cannot_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no controller is written for Hopper-v5, only for Pendulum-v1"):
        record_command("Hopper-v5", tmp_path / "a.npz", "script")
    with pytest.raises(SystemExit, match="Nowhere"):
        record_command("Nowhere-v0", tmp_path / "a.npz")
    with pytest.raises(SystemExit, match=r"ends in \.npz, in a folder that exists"):
        record_command("Pendulum-v1", tmp_path / "a.csv")
    with pytest.raises(SystemExit, match=r"ends in \.npz, in a folder that exists"):
        record_command("Pendulum-v1", tmp_path / "nowhere" / "a.npz")
    for bad, words in (({"steps": 0}, "at least one transition"), ({"noise": -0.5}, "noise is a standard deviation")):
        with pytest.raises(SystemExit, match=words):
            record_command("Pendulum-v1", tmp_path / "a.npz", **bad)
    assert list(tmp_path.iterdir()) == []


def test_next_states_are_stored_once_and_come_back_to_the_bit(tmp_path: Path) -> None:
    data = sl.record(sl.make_environment("Pendulum-v1"), sl.random_linear(3, 1), 450, noise=0.1, seed=0).transitions
    path = data.save(tmp_path / "p.npz")
    with np.load(path) as stored:
        assert sorted(stored) == ["action", "end", "end_state", "reward", "state", "terminal"]
        assert stored["end"].tolist() == [199, 399, 449]
    again = sl.Transitions.load(path)
    assert all(torch.equal(getattr(again, name), getattr(data, name)) for name in FIELDS)
    drawn = data.subset(0.1)
    again = sl.Transitions.load(drawn.save(tmp_path / "d.npz"))
    assert all(torch.equal(getattr(again, name), getattr(drawn, name)) for name in FIELDS)
    signed = sl.Transitions([[1.0], [0.0]], [[0.0], [0.0]], [0.0, 0.0], [[-0.0], [2.0]], [0, 0])
    again = sl.Transitions.load(signed.save(tmp_path / "s.npz"))
    assert torch.signbit(again.next_state[0])  # -0 is equal to 0, and not the same


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"end": None}, "it lacks next_state, or end and end_state"),
        ({"end": np.array([199, 399], np.int32)}, "do not fit"),
        ({"end": np.array([399, 199, 449], np.int32)}, "do not fit"),
        ({"end_state": np.zeros((3, 2), np.float32)}, "do not fit"),
    ],
)
def test_ends_that_do_not_fit_are_refused(broken: dict, words: str, tmp_path: Path) -> None:
    data = sl.record(sl.make_environment("Pendulum-v1"), sl.random_linear(3, 1), 450, noise=0.1, seed=0).transitions
    with np.load(data.save(tmp_path / "p.npz")) as stored:
        arrays = {name: array for name, array in (dict(stored) | broken).items() if array is not None}
    np.savez(tmp_path / "q.npz", **arrays)
    with pytest.raises(ValueError, match=rf"q\.npz: .*{words}"):
        sl.Transitions.load(tmp_path / "q.npz")
