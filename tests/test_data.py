"""The recorded data is what data/README.md says it is, and its script makes it again."""

import hashlib
import re
from pathlib import Path

import pytest
import record_pendulum
import torch

import seem_lab as sl

DATA = Path(__file__).resolve().parent.parent / "data"
FILE = DATA / "pendulum.npz"
README = (DATA / "README.md").read_text()
FIELDS = ("state", "action", "reward", "next_state", "terminal")


@pytest.fixture(scope="module")
def pendulum() -> sl.Transitions:
    return sl.Transitions.load(FILE)


def stated(pattern: str) -> str:
    """What the README says where `pattern` has its group."""
    found = re.search(pattern, README)
    assert found, f"data/README.md does not say {pattern}"
    return found[1]


def test_file_is_the_one_described():
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == stated(r"sha256 \| `(\w{64})`")
    assert FILE.stat().st_size == int(stated(r"Size \| ([\d,]+) bytes").replace(",", ""))
    assert FILE.stat().st_size < 500_000


def test_fields_have_the_shapes_described(pendulum):
    for name in FIELDS:
        shape = tuple(int(n) for n in re.findall(r"\d+", stated(rf"`{name}` \| \(([\d, ]+)\)")))
        assert getattr(pendulum, name).shape == shape
        assert getattr(pendulum, name).dtype == torch.float32


def test_nothing_is_terminal_and_torques_are_possible(pendulum):
    assert pendulum.terminal.sum() == 0
    assert pendulum.action.abs().max() <= 2
    assert pendulum.action.std() > 0.5


def test_states_lie_on_the_circle(pendulum):
    for state in (pendulum.state, pendulum.next_state):
        torch.testing.assert_close(state[:, :2].norm(dim=1), torch.ones(10_000))
        assert state[:, 2].abs().max() <= 8


def test_rewards_follow_from_states_and_actions(pendulum):
    cosine, sine, velocity = pendulum.state.double().T
    expected = -(torch.atan2(sine, cosine) ** 2 + 0.1 * velocity**2 + 0.001 * pendulum.action[:, 0].double() ** 2)
    torch.testing.assert_close(pendulum.reward.double(), expected, atol=1e-5, rtol=0)


def test_an_episode_runs_on_and_the_next_one_starts_afresh(pendulum):
    runs_on = (pendulum.state[1:] == pendulum.next_state[:-1]).all(dim=1)
    starts = (~runs_on).nonzero().flatten() + 1
    assert starts.tolist() == list(range(200, 10_000, 200))


def test_mean_return_is_the_one_described(pendulum):
    returns = pendulum.reward.double().reshape(50, 200).sum(1)
    for number, pattern in (
        (returns.mean(), r"mean (-[\d.]+)"),
        (returns.min(), r"from (-[\d.]+)"),
        (returns.max(), r"to (-[\d.]+)"),
    ):
        assert f"{number:.1f}" == stated(pattern)


def test_script_makes_the_first_episode_again(pendulum):
    assert str(record_pendulum.SEED) == stated(r"Seed \| (\d+)")
    assert f"{record_pendulum.NOISE}" == stated(r"standard deviation ([\d.]+)")
    again = record_pendulum.as_transitions(next(record_pendulum.episodes()))
    for name in FIELDS:
        torch.testing.assert_close(getattr(again, name), getattr(pendulum, name)[:200], atol=1e-5, rtol=0)
