"""The commands `seem-lab train`, `evaluate`, `seem` and `plot`, from data to picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from seem_lab.cli import main
from seem_lab.commands.evaluate import evaluate
from seem_lab.commands.plot import plot
from seem_lab.commands.seem import seem
from seem_lab.commands.train import train
from seem_lab.critics import BehaviourCloningOptions, RunOptions, TD3Options
from seem_lab.critics.run_log import read_rows

TINY = TD3Options(hidden=(8,), batch_size=8)
RUN = "--steps 20 --log-every 5 --seem-every 10 --seem-transitions 16 --evaluate-every 10 --episodes 2 --device cpu"


def say(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr("sys.argv", ["seem-lab", *words.split()])
    main()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in the maze, by the command line; options stand on both sides of the method."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        say(
            patch,
            f"train --data maze_2d_0 --env seem_lab/Maze-v0 td3 --out {folder} --hidden 8 --batch-size 8 "
            f"--layer-norm {RUN} --no-tensorboard",
        )
    return folder


def test_train_writes_what_it_was_told(trained: Path) -> None:
    rows = read_rows(trained / "run.csv")
    assert [row["step"] for row in rows] == [0, 5, 10, 15, 20]
    assert [row["step"] for row in rows if "seem" in row] == [0, 10, 20]
    assert [row["step"] for row in rows if "return_mean" in row] == [0, 10, 20]
    assert {path.name for path in trained.iterdir()} >= {"run.csv", "checkpoint.pt"}


def test_train_resumes_and_says_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for steps in (5, 10):
        run = RunOptions(steps=steps, log_every=5, seem_every=0, episodes=1, device="cpu", tensorboard=False)
        train(TINY, "pendulum", env="Pendulum-v1", run=run, resume=steps == 10)
    folder = Path("build/runs/td3_pendulum")  # the name it takes by itself
    assert [row["step"] for row in read_rows(folder / "run.csv")] == [0, 5, 10]
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{folder}: |Q| ") and first.endswith("calm")
    assert last.startswith("policy of step 10: return -") and last.endswith("1 episodes")


def test_a_dry_run_tells_the_cost_and_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    train(TINY, "pendulum", run=RunOptions(device="cpu"), dry_run=True)
    said = capsys.readouterr().out
    assert said.startswith("trained parameters: 139\n") and "MFLOP" in said and "MiB" in said
    assert list(tmp_path.iterdir()) == []


def test_evaluate_repeats_the_last_evaluation_of_the_run(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(trained, "seem_lab/Maze-v0", episodes=2, device="cpu")
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"{trained}: TD3 of step 20, 2 episodes in seem_lab/Maze-v0"
    assert second.split(",")[0] == f"return {read_rows(trained / 'run.csv')[-1]['return_mean']:.6g}"
    assert third.startswith("steps an episode ")


def test_seem_reads_both_critics(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seem(trained / "checkpoint.pt", "maze_2d_0", transitions=16)
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("TD3 of step 20, 16 transitions of maze_2d_0")
    assert [line.split(": ")[0] for line in told[1:]] == ["critic 1", "critic 2"]
    values = [float(line.split("SEEM ")[1].split(",")[0]) for line in told[1:]]
    assert values[0] != values[1]


def test_plot_draws_what_the_table_holds(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot(trained, tmp_path / "run.png")
    said = capsys.readouterr().out
    assert "A training run up to step 20, calm." in said
    assert all(words in said for words in ("|Q| over the limit", "SEEM", "return of an episode"))
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_critics_is_drawn_by_its_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunOptions(steps=4, log_every=2, device="cpu", tensorboard=False)
    train(BehaviourCloningOptions(hidden=(8,), batch_size=8), "pendulum", out=tmp_path / "run", run=run)
    plot(tmp_path / "run")
    said = capsys.readouterr().out
    assert "Policy: loss from" in said and "SEEM" not in said
    assert (tmp_path / "run" / "run.png").exists()
