"""The pictures of lesson 11 show every row and every finding, in shapes and words."""

from __future__ import annotations

from collections import Counter

import pytest

from seem_lab import claims, plotting
from seem_lab.claims.finding import share


@pytest.fixture
def rows() -> list[claims.Claim]:
    yes = claims.Finding("a", 1.5, 1.2, 1.8, 9, least=1.0)
    no, wide = (claims.Finding("b", 0.5, 0.1, high, 9, least=1.0, core=False) for high in (0.9, 1.5))
    found = {"all": (yes,), "some": (yes, no, wide), "none": ()}
    return [claims.Claim(name, "s", "t", "04", weigh=lambda name=name: found[name]) for name in found]


def test_ledger_chart_tells_verdicts_in_words_and_draws_every_finding(rows):
    figure = plotting.ledger_chart(rows)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["holds", "holds with limits", "not tested here"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all  (04)", "some  (04)", "none  (04)"]
    for claim in rows:
        assert f"{claim.name} {claim.verdict}" in figure.alt
    kinds = Counter((line.get_marker(), line.get_fillstyle()) for line in axes.lines)
    assert kinds["s", "full"] == 2 and kinds["s", "none"] == 1 and kinds["x", "full"] == 1
    assert kinds["o", "full"] == kinds["o", "left"] == kinds["o", "none"] == 1  # the verdicts differ in shape


def test_every_verdict_and_outcome_has_a_mark_of_its_own():
    for marks, wanted in ((plotting.claims.MARKS, claims.Verdict), (plotting.claims.OUTCOMES, ("yes", "open", "no"))):
        assert set(marks) == set(wanted)
        assert len({(mark["marker"], mark["fillstyle"]) for mark in marks.values()}) == len(marks)


def test_interval_and_runs_draws_what_it_is_given():
    hits = [True, False] * 50
    found = [share("x", hits[:n], least=0.5) for n in (10, 100)]
    figure = plotting.interval_and_runs([10, 100], {"two layers": found}, {"most": 0.5})
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["two layers"].get_ydata()) == [0.5, 0.5]
    assert "two layers: 50% [40%, 60%] at 100 runs" in figure.alt
