"""The recorded data is what its provenance and data/README.md say it is, and can be recorded again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import seem_lab as sl
from seem_lab.behaviours import SCRIPTS
from seem_lab.provenance import checksum, read_provenance
from seem_lab.recording import Behaviour

DATA = Path(__file__).resolve().parent.parent / "data"
README = (DATA / "README.md").read_text()
FIELDS = ("state", "action", "reward", "next_state", "terminal")
NAMES = sorted(path.stem for path in DATA.glob("*.json"))
ROWS = re.findall(r"^\| `(\w+)\.npz` \| ([\d,]+), (\d+) \| (.+?) \| ([\d,]+) \| `(\w{64})` \|$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def pendulum() -> sl.Transitions:
    return sl.Transitions.load(DATA / "pendulum.npz")


def test_readme_lists_what_is_there():
    assert sorted(row[0] for row in ROWS) == NAMES
    assert {"hopper_weak", "halfcheetah_weak", "hopper_replay", "pendulum", "maze_2d_0", "maze_8d_1"} <= set(NAMES)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_file_is_the_one_described(row):
    name, transitions, terminals, returns, size, digest = row
    path = DATA / f"{name}.npz"
    provenance = read_provenance(path)
    assert checksum(path) == digest == provenance.sha256
    assert path.stat().st_size == int(size.replace(",", "")) < 1_500_000
    assert int(transitions.replace(",", "")) == provenance.transitions
    assert int(terminals) == provenance.terminals
    mean, low, high = (f"{provenance.returns[key]:.2f}" for key in ("mean", "lowest", "highest"))
    assert returns == f"{provenance.episodes} episodes, {mean} from {low} to {high}"


def test_recorded_files_are_small_together():
    assert sum((DATA / f"{name}.npz").stat().st_size for name in NAMES) < 6_000_000


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_the_provenance(name):
    t, provenance = sl.load_recorded(name)
    assert len(t) == provenance.transitions and t.state.dtype == torch.float32
    assert t.terminal.sum() == provenance.terminals
    assert sl.validate(t, time_limit=provenance.time_limit).warnings == ()
    ends = t.episode_ends()
    sums = torch.diff(t.reward.double().cumsum(0)[ends], prepend=torch.zeros(1, dtype=torch.float64))
    whole = sums[: provenance.episodes]  # the recording may have cut the last one short
    assert len(ends) - provenance.episodes in (0, 1)
    told = provenance.returns
    assert [whole.mean().item(), whole.min().item(), whole.max().item()] == pytest.approx(
        [told["mean"], told["lowest"], told["highest"]], rel=1e-4, abs=1e-3
    )


def test_what_is_not_the_recorded_file_is_refused(tmp_path):
    for ending in ("npz", "json"):
        (tmp_path / f"maze_2d_0.{ending}").write_bytes((DATA / f"maze_2d_0.{ending}").read_bytes())
    path = tmp_path / "maze_2d_0.npz"
    sl.load_recorded(path)[0][:100].save(path)
    with pytest.raises(ValueError, match=r"sha256 is not the one in maze_2d_0\.json.*seem-lab record seem_lab/Maze-v0"):
        sl.load_recorded(path)
    (tmp_path / "maze_2d_0.json").write_text('{"command": "none"}')
    with pytest.raises(ValueError, match=r"maze_2d_0\.json: not a readable provenance: it lacks environment"):
        sl.load_recorded(path)
    (tmp_path / "maze_2d_0.json").unlink()
    with pytest.raises(FileNotFoundError, match="no provenance beside"):
        sl.load_recorded(path)
    with pytest.raises(FileNotFoundError, match=r"no such file; its folder holds: halfcheetah_early"):
        sl.load_recorded("hopper_strong")


def first_episode(name: str, behaviour: Behaviour, factor: float) -> None:
    """Recorded again, the first steps are those of the file; actions in [-1, 1] times `factor` are the file's."""
    t, provenance = sl.Transitions.load(DATA / f"{name}.npz"), read_provenance(DATA / f"{name}.npz")
    n = min(int(t.episode_ends()[0]) + 1, 200)
    env = sl.make_environment(provenance.environment, **provenance.settings)
    again = sl.record(env, behaviour, n, noise=provenance.noise, seed=provenance.seed).transitions
    torch.testing.assert_close(factor * again.action, t.action[:n], atol=1e-5, rtol=0)
    for field in ("state", "reward", "next_state", "terminal"):
        torch.testing.assert_close(getattr(again, field), getattr(t, field)[:n], atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("maze", "pendulum"))])
def test_controllers_make_the_first_episode_again(name):
    script = SCRIPTS[read_provenance(DATA / f"{name}.npz").environment]
    first_episode(name, script.behaviour, 2.0 if name == "pendulum" else 1.0)


@pytest.mark.parametrize(("name", "dimensions"), [("hopper_weak", (11, 3)), ("halfcheetah_weak", (17, 6))])
def test_weak_policies_make_the_first_episode_again(name, dimensions, tmp_path, monkeypatch):
    pytest.importorskip("mujoco")
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it runs
    first_episode(name, sl.random_linear(*dimensions), 1.0)


def test_torques_of_the_pendulum_are_possible(pendulum):
    assert 1.99 < pendulum.action.abs().max() <= 2
    assert pendulum.action.std() > 0.5


def test_states_lie_on_the_circle(pendulum):
    for state in (pendulum.state, pendulum.next_state):
        torch.testing.assert_close(state[:, :2].norm(dim=1), torch.ones(10_000))
        assert state[:, 2].abs().max() <= 8


def test_rewards_follow_from_states_and_actions(pendulum):
    cosine, sine, velocity = pendulum.state.double().T
    expected = -(torch.atan2(sine, cosine) ** 2 + 0.1 * velocity**2 + 0.001 * pendulum.action[:, 0].double() ** 2)
    torch.testing.assert_close(pendulum.reward.double(), expected, atol=1e-5, rtol=0)


def test_an_episode_of_the_pendulum_has_two_hundred_steps(pendulum):
    assert pendulum.episode_ends().tolist() == list(range(199, 10_000, 200))
