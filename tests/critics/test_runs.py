"""A run: what it writes, what it says, and that nothing it meets costs more than the steps since the checkpoint."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch

from seem_lab import Transitions
from seem_lab.critics import CQLOptions, RunOptions, TD3Options, evaluate, train_agent
from seem_lab.critics.checkpoints import CheckpointError, load_agent, read_checkpoint, write_checkpoint
from seem_lab.critics.cost import cost_of
from seem_lab.recording import make_environment

TINY = TD3Options(hidden=(8,), batch_size=8, tau=1.0, lr=1e-3)
SHORT = RunOptions(
    steps=60,
    log_every=7,
    seem_every=20,
    seem_transitions=12,
    evaluate_every=25,
    checkpoint_every=10,
    episodes=1,
    device="cpu",
    tensorboard=False,
)


def recorded(n: int = 60) -> Transitions:
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(n + 1, 3, generator=generator)
    action = 2 * torch.rand(n, 1, generator=generator) - 1
    return Transitions(state[:-1], action, torch.randn(n, generator=generator), state[1:], torch.zeros(n))


def pendulum() -> gymnasium.Env:
    """Episodes of eight steps."""
    return make_environment("Pendulum-v1", max_episode_steps=8)


def go(folder: Path, resume: bool = False, **changes: Any) -> Any:
    settings = dict(options=TINY, data=recorded(), run=SHORT, environment=pendulum) | changes
    return train_agent(folder=folder, resume=resume, show=False, **settings)


def same(a: Any, b: Any) -> bool:
    """Equal to the last bit; how long a reading took may differ."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a if k != "seconds")
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    go(folder)
    return folder


def assert_equal_runs(one: Path, other: Path) -> None:
    assert (one / "run.csv").read_bytes() == (other / "run.csv").read_bytes()
    assert same(read_checkpoint(one / "checkpoint.pt"), read_checkpoint(other / "checkpoint.pt"))


def test_killed_at_random_moments_it_ends_with_the_same_bits(whole: Path, tmp_path: Path) -> None:
    context, draw, survived = multiprocessing.get_context("fork"), random.Random(0), 0
    begin = time.perf_counter()
    go(tmp_path / "timed")
    took = time.perf_counter() - begin
    for _ in range(6):
        child = context.Process(target=go, args=(tmp_path, True))
        child.start()
        child.join(draw.uniform(0, took / 3))
        survived += child.exitcode == 0
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    assert survived <= 1, "the kills came too late to test anything"
    go(tmp_path, resume=True)
    assert_equal_runs(whole, tmp_path)


@pytest.mark.parametrize("after", [1, 13, 20, 33, 59])
def test_killed_after_any_step_it_ends_with_the_same_bits(whole: Path, tmp_path: Path, after: int) -> None:
    def doomed() -> None:
        from seem_lab.critics.td3 import TD3

        update = TD3.update

        def until(self: Any, batch: Any) -> Any:
            if self.updates == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return update(self, batch)

        TD3.update = until  # type: ignore[method-assign]
        go(tmp_path)

    child = multiprocessing.get_context("fork").Process(target=doomed)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    go(tmp_path, resume=True)
    assert_equal_runs(whole, tmp_path)


def test_stopped_by_the_keyboard_it_ends_with_the_same_bits(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seem_lab.critics.td3 import TD3

    update = TD3.update

    def until(self: Any, batch: Any) -> Any:
        if self.updates == 27:
            raise KeyboardInterrupt
        return update(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(TD3, "update", until)
        with pytest.raises(KeyboardInterrupt):
            go(tmp_path)
    go(tmp_path, resume=True)
    assert_equal_runs(whole, tmp_path)


def test_the_table_says_what_happened(whole: Path) -> None:
    run = go(whole, resume=True)  # finished: nothing is trained
    table = run.log.table()
    assert table["step"].tolist() == sorted(
        {step for step in range(61) if step == 0 or any(step % k == 0 for k in (7, 10, 20, 25, 60))}
    )
    assert table["step"][table["seem"].notna()].tolist() == [0, 20, 40, 60]
    assert [reading.step for reading in run.monitor.readings] == [0, 20, 40, 60]
    assert list(run.evaluations) == [0, 25, 50, 60]
    assert table["q_max"].max() == run.q_max
    assert run.q_limit == pytest.approx(recorded().reward.abs().max().item() / 0.01)
    assert run.verdict == "calm" and "calm" in run.summary()


def test_a_checkpoint_acts_as_the_run_did(whole: Path) -> None:
    run, agent = go(whole, resume=True), load_agent(whole)
    assert agent.updates == 60
    found = evaluate(agent, pendulum, episodes=1, seed=0)
    assert found.returns.tolist() == run.evaluations[60].returns.tolist()


def test_more_steps_may_be_asked_of_a_finished_run(tmp_path: Path) -> None:
    short = RunOptions(steps=10, checkpoint_every=5, seem_every=0, tensorboard=False, device="cpu")
    long = RunOptions(steps=20, checkpoint_every=5, seem_every=0, tensorboard=False, device="cpu")
    go(tmp_path / "a", run=short, environment=None)
    a = go(tmp_path / "a", resume=True, run=long, environment=None)
    b = go(tmp_path / "b", run=long, environment=None)
    assert same(a.agent.state_dict(), b.agent.state_dict())


def test_a_step_past_the_limit_is_found_exactly() -> None:
    explosive = TD3Options(hidden=(16,), batch_size=8, tau=1.0, lr=0.3, gamma=0.99)
    data = recorded()
    fine = train_agent(explosive, data, RunOptions(steps=80, log_every=1, seem_every=0, device="cpu"), show=False)
    coarse = train_agent(explosive, data, RunOptions(steps=80, log_every=40, seem_every=0, device="cpu"), show=False)
    table = fine.log.table()
    assert fine.verdict == "past Qlim"
    assert fine.crossed_at == coarse.crossed_at == table["step"][table["q_over_limit"] > 1].iloc[0]


def test_a_run_that_overflows_stops_and_keeps_its_last_finite_state(tmp_path: Path) -> None:
    wild = TD3Options(hidden=(16,), batch_size=8, tau=1.0, lr=30.0, optimizer="sgd")
    run = go(tmp_path, options=wild, run=RunOptions(steps=500, checkpoint_every=1, device="cpu", tensorboard=False))
    assert run.verdict == "overflowed" and run.overflowed_at < 500
    assert run.agent.finite and 0 <= run.agent.updates < run.overflowed_at
    stored = load_agent(tmp_path)
    assert stored.finite and stored.updates == run.agent.updates
    assert run.log.rows[-1]["verdict"] == "overflowed"


def test_bfloat16_is_coarser_and_leaves_parameters_and_seem_in_float32() -> None:
    data = recorded()
    runs = [
        train_agent(TINY, data, RunOptions(steps=20, seem_every=20, bf16=bf16, device="cpu"), show=False)
        for bf16 in (False, True)
    ]
    weights = [run.agent.actor[0][0].weight for run in runs]
    assert weights[1].dtype == torch.float32
    assert not torch.equal(*weights)
    torch.testing.assert_close(*weights, atol=0.02, rtol=0)


def test_cost_counts_the_matrix_products_of_a_step() -> None:
    options = TD3Options(hidden=(8,), batch_size=4)  # states of 3 numbers, actions of 1
    actor, critic = 2 * 4 * (3 * 8 + 8 * 1), 2 * 4 * (4 * 8 + 8 * 1)
    hidden, into_critic, into_actor = 2 * 4 * 8, 2 * 4 * 4 * 8, 2 * 4 * 8
    step = actor + 2 * critic + 2 * critic + 2 * (critic + hidden)  # targets; forward; backward, not into the data
    policy = actor + critic + (hidden + into_critic) + (actor + into_actor)
    cost = cost_of(options, recorded(), RunOptions(device="cpu"))
    assert cost.flops == step + policy / 2
    assert cost.parameters == 2 * (4 * 8 + 8 + 8 + 1) + (3 * 8 + 8 + 8 + 1)
    assert cost.bytes_data == 60 * 4 * (3 + 1 + 3 + 2)
    assert cost_of(CQLOptions(hidden=(8,), batch_size=4), recorded(), RunOptions(device="cpu")).flops > 5 * cost.flops


def test_a_failed_write_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full from step 40 on."""
    written = 0

    def full(descriptor: int) -> None:
        nonlocal written
        written += 1
        if written > 8:  # two a checkpoint, the table's and its own
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("seem_lab.critics.checkpoints.os.fsync", full)
        with pytest.raises((CheckpointError, OSError), match="No space left"):
            go(tmp_path)
    stored = read_checkpoint(tmp_path / "checkpoint.pt")
    assert stored["agent"]["updates"] == 30
    assert not (tmp_path / "checkpoint.unfinished").exists()
    go(tmp_path, resume=True)


def test_only_plain_values_are_read_from_a_checkpoint(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    write_checkpoint(tmp_path / "checkpoint.pt", {"trap": Trap()})
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "sprung").exists()


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.cuda
@needs_cuda
def test_cuda_trains_reads_seem_and_resumes_with_the_same_bits(tmp_path: Path) -> None:
    run = RunOptions(**{**vars(SHORT), "device": "cuda"})
    go(tmp_path / "whole", run=run)
    go(tmp_path / "parts", run=RunOptions(**{**vars(run), "steps": 30, "evaluate_every": 0}), environment=None)
    first = go(tmp_path / "whole", resume=True, run=run)
    assert first.agent.device.type == "cuda" and len(first.monitor.readings) == 4
    assert same(go(tmp_path / "again", run=run).agent.state_dict(), first.agent.state_dict())


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("settings", [{}, {"tf32": True}, {"bf16": True}])
def test_cuda_runs_every_method(settings: dict[str, bool]) -> None:
    from seem_lab.critics import METHODS

    for options, _ in METHODS.values():
        run = RunOptions(steps=10, seem_every=5, seem_transitions=12, device="cuda", **settings)
        assert train_agent(options(hidden=(8,), batch_size=8), recorded(), run, show=False).agent.finite
