"""The ledger: its rule, its figures, what makes them again, and what the lessons say of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import make_claim_runs
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import seem_lab as sl
from seem_lab import claims
from seem_lab.claims import layer_norm, stored
from seem_lab.claims.claim import Rerun
from seem_lab.claims.finding import area, median, share
from seem_lab.commands.claims import claims as command

ROOT = Path(__file__).resolve().parent.parent
LEDGER = claims.ledger()
TESTED = [claim for claim in LEDGER if claim.findings]
NAMES = ["one_step", "settling", "last_switches", "kernel_growth"]


def finding(low: float, high: float, *, core: bool = True) -> claims.Finding:
    return claims.Finding("a number", (low + high) / 2, float(low), float(high), 10, least=1.0, most=2.0, core=core)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(1, 2, "yes"), (1.2, 1.3, "yes"), (0, 0.9, "no"), (2.1, 3, "no"), (0.9, 1.1, "open"), (0, 3, "open")],
)
def test_an_interval_answers_yes_no_or_leaves_it_open(low, high, outcome):
    assert finding(low, high).outcome == outcome


YES, NO, OPEN = finding(1.2, 1.3), finding(3, 4), finding(0, 3)
LIMIT = finding(3, 4, core=False)


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), "not tested here"),
        ((YES,), "holds"),
        ((YES, LIMIT), "holds with limits"),
        ((YES, finding(0, 3, core=False)), "holds with limits"),
        ((YES, NO), "not seen here"),
        ((YES, OPEN), "not seen here"),
        ((NO, finding(1.2, 1.3, core=False)), "not seen here"),
    ],
)
def test_the_verdict_follows_from_the_findings(findings, verdict):
    assert claims.Claim("name", "says", "setting", "04", weigh=lambda: findings).verdict == verdict


def test_a_finding_that_claims_nothing_is_refused():
    with pytest.raises(ValueError, match="claims nothing: give least, most, or both"):
        share("heads", [True, False])


def test_interval_of_a_median_covers_as_often_as_it_says():
    """Order statistics j and n + 1 - j cover the median with probability 1 - 2 P(Binomial(n, 1/2) < j)."""
    numbers = np.random.default_rng(0).permutation(24) + 1.0
    found = median("ranks", numbers, least=0.0)
    assert found.low + found.high == 25
    assert 1 - 2 * binom.cdf(found.low - 1, 24, 0.5) >= 0.95 > 1 - 2 * binom.cdf(found.low, 24, 0.5)
    assert found.value == 12.5 and found.runs == 24


def test_missing_numbers_are_left_out_and_areas_keep_their_interval():
    assert median("two", [1.0, np.nan, 3.0, 2.0, 1.5, 2.5, 1.2, 2.2], most=9.0).runs == 7
    found = area("score", sl.auroc([1, 2, 3, 4], [False, False, True, True]), least=0.5)
    assert (found.value, found.outcome, found.runs) == (1.0, "yes", 4)


def test_every_row_has_a_verdict_and_a_command_or_a_reason():
    assert len({claim.name for claim in LEDGER}) == len(LEDGER) >= 15
    for claim in LEDGER:
        assert re.fullmatch(r"[a-z-]+", claim.name) and claim.says and claim.setting
        assert bool(claim.findings) == bool(claim.files) == bool(claim.rerun) == (not claim.reason), claim.name
        for source in claim.sources:
            assert (stored.DATA / source.file).exists() and source.minutes > 0 and source.seeds
            script = re.match(r"python (data/\w+\.py)|seem-lab report", source.command)
            assert script[1] is None or (ROOT / script[1]).exists()


def test_every_stored_result_says_where_it_comes_from():
    files = {path.name for path in stored.DATA.iterdir() if path.name.endswith((".csv", ".csv.gz", "runs.npz"))}
    named = set(stored._entries())
    assert named <= files and {file for claim in LEDGER for file in claim.files} <= named
    with pytest.raises(ValueError, match=r"does not name 'x\.csv'; it names adam_runs\.npz"):
        claims.provenance("x.csv")


def test_a_verdict_hangs_on_the_stored_numbers(monkeypatch):
    runs = stored.table("layer_norm.csv").copy()
    lost = (runs.part == "rescue") & (runs.norm == "all") & (runs.seed < 6)
    runs.loc[lost, "diverged"] = True
    monkeypatch.setattr(layer_norm, "table", lambda _: runs)
    row = claims.find("layer-norm-stops")
    (broken,) = [f for f in row.weigh() if f.what == "blow up with LayerNorm"]
    assert broken.value == 0.25 and broken.outcome == "no"
    assert claims.Claim("x", "says", "setting", "07", weigh=row.weigh).verdict == "not seen here"


@pytest.fixture
def rerun() -> Rerun:
    table = pd.DataFrame({"seed": [0, 1, 2], "q": [1.0, 200.0, np.nan], "died": [False, True, True], "other": 1})
    return Rerun("three rows", 1, lambda: table[["seed", "q", "died"]], lambda: table, ("seed",))


def test_made_again_agrees_or_says_by_how_much_not(rerun):
    made = rerun.again()
    found = rerun.compare(made)
    assert found.agrees and str(found) == "agrees: 3 rows x 2 columns, largest difference 0.0e+00"
    assert rerun.compare(made.assign(q=made.q * 1.0001)).agrees
    off = rerun.compare(made.assign(q=made.q * 1.01))
    assert not off.agrees and off.largest == pytest.approx(0.01) and str(off).startswith("DIFFERS")
    assert not rerun.compare(made.assign(died=~made.died)).agrees
    assert not rerun.compare(made.assign(q=[1.0, np.inf, np.nan])).agrees
    assert rerun.compare(made.fillna(0)).largest == np.inf
    assert not rerun.compare(made[["seed"]]).agrees, "nothing was compared"
    with pytest.raises(ValueError, match=r"not stored: \[\{'seed': 3\}\]"):
        rerun.compare(made.assign(seed=[0, 1, 3]))


@pytest.mark.parametrize("name", ["settled-actions", "order-adam", "bounded-kernel"])
def test_quick_checks_agree_with_what_is_stored(name, capsys):
    command(run=(name,), check=True)
    assert f"{name}: agrees" in capsys.readouterr().out


def test_a_difference_is_told_by_the_exit_status(monkeypatch, capsys, rerun):
    row = claims.Claim("x", "says", "setting", "04", weigh=lambda: (YES,), rerun=rerun)
    off = Rerun("off", 1, lambda: rerun.again().assign(q=7.0), rerun.stored, ("seed",))
    rows = {"x": row, "y": claims.Claim("y", "says", "setting", "04", weigh=lambda: (YES,), rerun=off)}
    monkeypatch.setattr("seem_lab.commands.claims.find", rows.__getitem__)
    command(run=("x",), check=True)
    with pytest.raises(SystemExit):
        command(run=("x", "y"), check=True)
    said = capsys.readouterr().out
    assert "x: agrees" in said and "y: DIFFERS" in said
    command(run=("x",))
    assert "three rows" in capsys.readouterr().out


def test_the_command_prints_every_row(capsys):
    command()
    said = capsys.readouterr().out
    for claim in LEDGER:
        assert f"{claim.name}: {claim.verdict.upper()} (lesson {claim.lesson})" in said
    with pytest.raises(ValueError, match="there is no claim 'nothing'; there are self-excitation, "):
        command(run=("nothing",))


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_the_ledger_are_those_described(name):
    readme = (stored.DATA / "README.md").read_text()
    content, table = (stored.DATA / f"{name}.csv").read_bytes(), stored.table(f"{name}.csv")
    (line,) = [line for line in readme.splitlines() if line.startswith(f"| `{name}.csv`")]
    assert hashlib.sha256(content).hexdigest() in line and f"{len(content):,} bytes" in line
    assert f"| {len(table):,} " in line
    assert [column for column in table if f"`{column}`" not in readme] == []
    assert name in make_claim_runs.TABLES and table.seed.nunique() >= 20


def test_last_switch_is_that_of_train():
    """Two runs by the other training loop."""
    for row in stored.table("last_switches.csv").query("depth == 3").head(2).itertuples():
        run = sl.train(sl.mlp(4, (64, 64), seed=1000 + row.seed), sl.toy_walk(row.seed), steps=1500, progress=False)
        assert run.step[-1] == row.crash_step
        assert run.switches[row.last_switch] > 0 and run.switches[row.last_switch + 1 : -1].sum() == 0


def test_one_step_without_targets_is_the_pull_alone():
    """The first step of seed 0, by (I - eps G) u from `ntk`."""
    row = stored.table("one_step.csv").query("seed == 0 and step == 0").iloc[0]
    network, walk = sl.mlp(4, seed=1000), sl.toy_walk(0)
    u, _, _ = make_claim_runs.state(network, walk)
    pull = -sl.step_size(0.02, walk.n) * sl.ntk(network, walk.x) @ u
    sl.train(network, walk, lr=0.02, steps=1, progress=False)
    change = make_claim_runs.state(network, walk)[0] - u
    assert row.residual_without_targets == pytest.approx(((change - pull).norm() / change.norm()).item(), rel=1e-4)


# A verdict in a lesson: a claim's name in code, then the next words in bold that are a verdict, in the same sentence.
MARK = re.compile(r"`([a-z]+(?:-[a-z]+)*)`[^`.*]*\*\*((?:holds|not)[a-z ]*)\*\*")


def one_line(text: str) -> str:
    """A lesson's text without its line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"\n# ?", " ", text))


def marks() -> dict[str, list[tuple[str, str]]]:
    """The verdicts that each lesson states, by its number."""
    lessons = {path.stem[:2]: path.read_text() for path in (ROOT / "notebooks").glob("[0-9]*.py")}
    return {number: MARK.findall(one_line(text)) for number, text in lessons.items()}


def test_lessons_state_the_verdicts_that_the_results_carry():
    verdicts = {claim.name: str(claim.verdict) for claim in LEDGER}
    stated = [(number, name, verdict) for number, found in marks().items() for name, verdict in found]
    assert [wrong for wrong in stated if verdicts.get(wrong[1]) != wrong[2]] == []
    assert {(claim.lesson, claim.name) for claim in TESTED} <= {(number, name) for number, name, _ in stated}


def test_lesson_11_counts_its_verdicts_right():
    text = one_line((ROOT / "notebooks" / "11_claims.py").read_text())
    words = dict(zip(range(1, 8), ["one", "two", "three", "four", "five", "six", "seven"], strict=True))
    unseen = [claim for claim in TESTED if claim.verdict == "not seen here"]
    assert f"Of the {len(TESTED)} tested rows, {words[len(unseen)]} were not seen here" in text
    assert all(f"`{claim.name}` **not seen here**" in text[text.index("## Summary") :] for claim in unseen)
    assert ("Nothing holds without a limit" in text) == all(claim.verdict != "holds" for claim in LEDGER)
    law = {finding.what: finding.value for finding in claims.find("self-excitation").findings}
    assert 25 < law["error of the law without the move of the targets"] < 35  # "thirty times the change itself"
