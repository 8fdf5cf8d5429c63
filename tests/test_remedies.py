"""The remedies table is what train does, the stored one is whole, and it says what the lesson says it says."""

from __future__ import annotations

import hashlib

import make_remedies
import numpy as np
import pandas as pd
import pytest
import torch

import seem_lab as sl
from seem_lab.remedies import POPULATIONS, SEEM_STEPS

STORED = pd.read_csv(make_remedies.FILE, keep_default_na=False, na_values=[""]).fillna({"strength": ""})
BY_NAME = {remedy.name: remedy for remedy in sl.remedies()}


def rows(remedy: sl.Remedy, population: str) -> pd.DataFrame:
    same = (STORED.family == remedy.family) & (STORED.strength == remedy.strength)
    return STORED[same & (STORED.population == population)]


def test_names_are_unique_and_sides_are_the_four_and_none() -> None:
    assert len(BY_NAME) == len(sl.remedies())
    assert {remedy.side for remedy in sl.remedies()} == {"none", "network", "problem", "optimizer", "target"}


def test_the_plain_run_is_that_of_train() -> None:
    run = sl.run_remedy(BY_NAME["plain"], 4, seem_every=100)
    expected = sl.train(sl.mlp(4, seed=1004), sl.toy_walk(4), steps=1500, record_every=10, seem_every=100)
    assert np.array_equal(run.q_max, expected.q_max)
    assert np.array_equal(run.seem, expected.seem, equal_nan=True)


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_remedy_changes_its_side_alone(name: str) -> None:
    remedy, plain = BY_NAME[name], BY_NAME["plain"]
    network = remedy.network(1003)
    assert (repr(network) != repr(plain.network(1003))) == (remedy.side == "network" and "initial" not in remedy.family)
    assert (remedy.optimizer is not sl.GradientDescent) == (remedy.side == "optimizer")
    assert (remedy.problem is not plain.problem) == (remedy.side == "problem")
    if remedy.side == "target":
        assert type(remedy.target(3)) is not sl.LiveTarget
    run = sl.run_remedy(remedy, 3, "converging", steps=20)
    assert run.step[-1] == 20
    assert np.isfinite(run.td_error_norm).all()


def test_chance_is_repeatable_and_leaves_the_global_generator() -> None:
    before = torch.get_rng_state()
    runs = [sl.run_remedy(BY_NAME["dropout 0.5"], seed, steps=30) for seed in (1, 1, 2)]
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(runs[0].q_mean, runs[1].q_mean)
    assert not np.array_equal(runs[0].q_mean, runs[2].q_mean)


def test_rewards_that_are_scaled_are_scaled_back_in_the_table() -> None:
    table = sl.remedies_table([BY_NAME["reward scale 0.1"]], [0], progress=False)
    run = sl.run_remedy(BY_NAME["reward scale 0.1"], 0, "converging")
    (row,) = table[table.population == "converging"].to_dict("records")
    assert row["bias"] == pytest.approx(run.q_mean[-1] / 0.1 - 1)
    assert row["largest_q"] == pytest.approx(run.q_max.max() / 0.1)


def test_the_true_value_is_where_training_goes() -> None:
    """Bellman's equation on the walk: every target is reward + gamma * true value, whatever the action."""
    kind = POPULATIONS["converging"]
    assert kind.reward + kind.gamma * kind.true_value == pytest.approx(kind.true_value)
    assert POPULATIONS["diverging"].true_value == 0


def test_the_stored_table_is_whole() -> None:
    keys = STORED.groupby(["family", "strength", "population"]).seed.agg(list)
    wanted = {(r.family, r.strength, population) for r in sl.remedies() for population in POPULATIONS}
    assert set(keys.index) == wanted
    assert all(seeds == list(make_remedies.SEEDS) for seeds in keys)
    assert len(make_remedies.SEEDS) >= 12


@pytest.mark.parametrize(
    "name", ["plain", "LayerNorm with affine", "EMA target 0.5", "dropout 0.1", "batch norm joint batch"]
)
def test_stored_runs_are_made_again(name: str) -> None:
    seed, remedy = 7, BY_NAME[name]
    row = rows(remedy, "diverging").set_index("seed").loc[seed]
    run = sl.run_remedy(remedy, seed, steps=100, seem_every=50)
    for step, value in zip(run.step, run.seem, strict=True):
        if step in SEEM_STEPS:
            assert row[f"seem_at_{step}"] == pytest.approx(value, rel=1e-3)
    if not run.diverged and row.diverged:
        assert row.last_step > 100


def test_the_summary_counts_what_the_table_holds() -> None:
    summary = sl.summarise_remedies(STORED)
    assert len(summary) == len(BY_NAME)
    for row in summary.to_dict("records"):
        runs = rows(BY_NAME[f"{row['family']} {row['strength']}".strip()], "diverging")
        assert row["runs"] == len(runs) == 12
        assert row["crashes"] == sum(runs.diverged)
        assert row["largest_q"] == pytest.approx(np.median(runs.largest_q))
        seem = runs[[f"seem_at_{step}" for step in SEEM_STEPS]].to_numpy()
        assert row["positive"] == pytest.approx((seem[~np.isnan(seem)] > 0).mean())
    assert list(summary.crashes) == sorted(summary.crashes)


def test_readme_describes_this_file() -> None:
    (line,) = [t for t in (make_remedies.FILE.parent / "README.md").read_text().splitlines() if "`remedies.csv`" in t]
    assert hashlib.sha256(make_remedies.FILE.read_bytes()).hexdigest() in line
    assert f"{make_remedies.FILE.stat().st_size:,} bytes" in line
    assert f"| {len(STORED)} |" in line


def test_the_answers_of_the_lesson_are_those_of_the_table() -> None:
    """Fewer than or at most six of twelve seeds crash: saved."""
    lesson = (make_remedies.FILE.parent.parent / "notebooks" / "08_remedies.py").read_text()
    answer = lesson[lesson.index("<summary>Answer</summary>") :]
    answer = answer[: answer.index("</details>")]
    names = ["weight decay 0.01", "spectral norm", "weight norm learned gain", "EMA target 0.95", "EMA target 0.5"]
    names += ["double Q", "dropout 0.5"]
    for letter, name in zip("abcdefg", names, strict=True):
        saved = sum(rows(BY_NAME[name], "diverging").diverged) <= 6
        assert f"({letter}) {'yes' if saved else 'no'}" in answer
    assert sum(rows(BY_NAME["EMA target 0.95"], "diverging").diverged) == 6
    assert "exactly half" in answer


def test_what_the_lesson_says_in_words() -> None:
    """Claims of the text without a number beside them."""
    line = sl.summarise_remedies(STORED).set_index(["family", "strength"])
    plain = line.loc[("plain", "")]
    calm = [("LayerNorm", "with affine"), ("LayerNorm", "without affine"), ("weight norm", "fixed gain")]
    for key in [*calm, ("spectral norm", "")]:
        assert line.loc[key].crashes == 0
        assert line.loc[key].bias <= plain.bias  # as close to the truth as the plain network
        assert line.loc[key].final_q_max > 1  # but not right on the diverging walks
        assert line.loc[key].seem_100 < plain.seem_100 / 4
    assert line.loc[("batch norm", "joint batch")].crashes > line.loc[("batch norm", "separate batches")].crashes
    assert line.loc[("initialisation", "orthogonal, half size")].crashes < 6
    assert 0 < 12 - line.loc[("weight decay", "0.1")].crashes < 6
    assert (line[line.crashes == 0].positive > 0.5).all()


def test_a_strong_penalty_is_the_in_sample_action() -> None:
    """Number for number on every seed, as the lesson says; SEEM up to rounding."""
    for population in POPULATIONS:
        one, other = (rows(BY_NAME[name], population) for name in ("behaviour penalty 1", "in-sample action"))
        for column in ("diverged", "last_step", "largest_q", "final_q_max", "bias", "settled_step"):
            assert np.array_equal(one[column].to_numpy(float), other[column].to_numpy(float), equal_nan=True)
    seem = [f"seem_at_{step}" for step in SEEM_STEPS]
    one, other = (rows(BY_NAME[name], "diverging")[seem] for name in ("behaviour penalty 1", "in-sample action"))
    assert one.to_numpy() == pytest.approx(other.to_numpy(), abs=1e-12)


def test_seem_at_one_step_does_not_sort_the_networks() -> None:
    """The verdict of the lesson: high and safe, low and lost; and what SEEM does later."""
    line = sl.summarise_remedies(STORED).set_index(["family", "strength"])
    plain, lost = line.loc[("plain", "")], line.loc[("initialisation", "orthogonal")]
    for key in (("activation", "Tanh"), ("batch norm", "separate batches"), ("dropout", "0.5, quiet target")):
        assert line.loc[key].seem_100 > plain.seem_100 / 2.1
        assert line.loc[key].crashes <= 1
    for key in (("LayerNorm", "with affine"), ("weight norm", "fixed gain")):
        assert line.loc[key].seem_100 > lost.seem_100
        assert line.loc[key].crashes == 0
    assert lost.crashes == 12

    def seem(name: str, *steps: int) -> list[float]:
        return [rows(BY_NAME[name], "diverging")[f"seem_at_{step}"].median() for step in steps]

    for name in ("LayerNorm with affine", "LayerNorm without affine", "activation Tanh"):
        start, early, late = seem(name, 0, 50, 1000)
        assert start < early > late
    for name in ("initialisation orthogonal", "clipping 1", "EMA target 0.1"):
        values = seem(name, 50, 100, 200, 500, 1000)
        assert values == sorted(values)
    first, *later = seem("batch norm separate batches", 0, 200, 500, 1000, 1500)
    assert first > 10 * max(later)
    assert min(later) > 1


def test_what_the_lesson_advises_and_sums_up() -> None:
    line = sl.summarise_remedies(STORED).set_index(["family", "strength"])
    norm = line.loc[("LayerNorm", "without affine")]
    for key in (("double Q", ""), ("EMA target", "0.8")):
        assert line.loc[key].final_q_max < norm.final_q_max
        assert line.loc[key].largest_q > norm.largest_q
    assert line.loc[("in-sample action", "")].largest_q < 1
    assert line.loc[("in-sample action", "")].cost < 1.05
    assert line.loc[("weight decay", "0.1")].crashes == 9
    late = [f"seem_at_{step}" for step in SEEM_STEPS if step >= 100]
    gone = [key for key in line.index if rows(BY_NAME[" ".join(key).strip()], "diverging")[late].isna().all(axis=None)]
    assert set(gone) == {("initialisation", "He"), ("dropout", "0.5")}
