"""What cannot work is refused before any work, with what was expected, what came, and the fix."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch

from seem_lab import Transitions
from seem_lab.cli import main
from seem_lab.critics import (
    BehaviourCloningOptions,
    CQLOptions,
    DiffusionQLOptions,
    RunOptions,
    TD3Options,
    agent_for,
    evaluate,
    train_agent,
)
from seem_lab.critics.checkpoints import load_agent

TINY = TD3Options(hidden=(4,), batch_size=4)
RUN = RunOptions(steps=4, checkpoint_every=2, seem_every=0, device="cpu", tensorboard=False)


def recorded(action: float = 0.5, state_dim: int = 3) -> Transitions:
    state = torch.arange(10.0)[:, None].expand(10, state_dim) / 10
    actions = torch.full((10, 1), action) * torch.linspace(-1, 1, 10)[:, None]
    return Transitions(state, actions, torch.ones(10), state + 0.1, torch.zeros(10))


def options(kind: type, words: str, **settings: Any) -> Any:
    return pytest.param(
        kind, settings, words, id=f"{kind.__name__}-{next(iter(settings))}-{next(iter(settings.values()))}"
    )


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        options(TD3Options, "hidden must be", hidden=()),
        options(TD3Options, "hidden must be", hidden=(16, 0)),
        options(TD3Options, "lr must be a positive", lr=0.0),
        options(TD3Options, "lr must be a positive", lr=float("nan")),
        options(TD3Options, "optimizer must be adam or sgd", optimizer="rmsprop"),
        options(TD3Options, "batch_size must be at least 1", batch_size=0),
        options(TD3Options, r"gamma must be in \[0, 1\)", gamma=1.0),
        options(TD3Options, r"tau must be in \(0, 1\]", tau=0.0),
        options(TD3Options, r"tau must be in \(0, 1\]", tau=1.5),
        options(TD3Options, "policy_delay must be at least 1", policy_delay=0),
        options(TD3Options, "reward_scale must be a positive", reward_scale=-1.0),
        options(TD3Options, "policy_noise must be 0 or more", policy_noise=-0.1),
        options(TD3Options, "behaviour_weight must be 0 or more", behaviour_weight=-1.0),
        options(CQLOptions, "penalty_weight must be 0 or more", penalty_weight=-1.0),
        options(CQLOptions, "sampled_actions must be at least 1", sampled_actions=0),
        options(DiffusionQLOptions, "denoising_steps must be at least 1", denoising_steps=0),
        options(DiffusionQLOptions, "q_weight must be 0 or more", q_weight=-1.0),
        options(BehaviourCloningOptions, "lr must be a positive", lr=-1.0),
        options(RunOptions, "steps must be at least 1", steps=0),
        options(RunOptions, "seem_every must be 0 or more", seem_every=-1),
        options(RunOptions, "episodes must be at least 1", episodes=0),
        options(RunOptions, "device must be auto, cpu or cuda", device="tpu"),
    ],
)
def test_options_out_of_range(kind: type, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kind(**settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no CUDA device"):
        RunOptions(device="cuda").torch_device()


@pytest.mark.parametrize(
    ("data", "environment", "words"),
    [
        (recorded(action=1.5), None, "action"),
        (recorded(), "NoSuchEnv-v0", "NoSuchEnv"),
        (recorded(), "CartPole-v1", "CartPole"),
        (recorded(state_dim=2), "Pendulum-v1", "vectors of 2"),
        (recorded(), lambda: gymnasium.make("CartPole-v1"), "the environment's states are"),
    ],
    ids=["actions outside", "unknown id", "discrete actions", "other states", "made with other states"],
)
def test_data_and_environments_that_do_not_fit(data: Transitions, environment: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        train_agent(TINY, data, RUN, environment=environment, folder=tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()  # before any work


def test_transitions_of_another_shape_and_no_episodes() -> None:
    agent = agent_for(TINY, recorded())
    with pytest.raises(ValueError, match="states of 2 numbers"):
        agent.bootstrap(recorded(state_dim=2))
    with pytest.raises(ValueError, match="episodes must be at least 1"):
        evaluate(agent, "Pendulum-v1", episodes=0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    train_agent(TINY, recorded(), RUN, folder=folder, show=False)
    return folder


def truncate(folder: Path) -> None:
    path = folder / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])


def foreign(folder: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, folder / "checkpoint.pt")


def no_file_of_torch(folder: Path) -> None:
    (folder / "checkpoint.pt").write_text("hello")


def no_table(folder: Path) -> None:
    (folder / "run.csv").unlink()


def short_table(folder: Path) -> None:
    (folder / "run.csv").write_text("step\n")


@pytest.mark.parametrize(
    ("harm", "changes", "words"),
    [
        (truncate, {}, "not a readable checkpoint"),
        (foreign, {}, "not a checkpoint of a seem_lab run"),
        (no_file_of_torch, {}, "not a readable checkpoint"),
        (no_table, {}, "not the one that belongs"),
        (short_table, {}, "not the one that belongs"),
        (None, {"data": recorded(action=0.7)}, "other data"),
        (None, {"options": TD3Options(hidden=(4,), batch_size=4, tau=0.5)}, r"tau 0.005 \(now 0.5\)"),
        (None, {"options": BehaviourCloningOptions(hidden=(4,), batch_size=4)}, "not behaviour-cloning"),
        (None, {"run": RunOptions(**{**vars(RUN), "seed": 3})}, r"seed 0 \(now 3\)"),
        (None, {"resume": False}, "holds a run already"),
    ],
)
def test_runs_that_cannot_go_on(
    harm: Callable[[Path], None] | None, changes: dict[str, Any], words: str, finished: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = dict(options=TINY, data=recorded(), run=RUN, resume=True)
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    if harm is not None:
        harm(tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=words):
        train_agent(**settings | changes, folder=tmp_path, show=False)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_no_checkpoint_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        load_agent(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("train td3 --data nowhere.npz", "no such file"),
        ("train td3 --data {data} --tau 2", "tau must be in"),
        ("train td3 --data {data} --tau high", "--tau"),
        ("train dqn --data {data}", "dqn"),
        ("train td3", "--data"),
        ("evaluate {folder}/none.pt --env Pendulum-v1", "no such checkpoint"),
        ("seem {folder}/none.pt --data {data}", "no such checkpoint"),
        ("plot {data}", "not the table of a run"),
        ("plot {folder}/none.csv", "No such file"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    words: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = recorded().save(tmp_path / "data.npz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["seem-lab", *words.format(data=data, folder=tmp_path).split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code not in (0, None)
    captured = capsys.readouterr()
    assert told in f"{ended.value.code} {captured.err} {captured.out}"
    assert "Traceback" not in captured.err
