"""Pictures of lesson 11: the ledger at a glance, and how an interval narrows with the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from seem_lab.claims import Claim, Finding, Verdict
from seem_lab.plotting.figure import BLUE, GREEN, GREY, ORANGE, LessonFigure, tidy

# Told by shape and by words; the colour only repeats it.
MARKS: dict[Verdict, dict[str, Any]] = {
    Verdict.HOLDS: {"marker": "o", "color": GREEN, "fillstyle": "full"},
    Verdict.LIMITED: {"marker": "o", "color": BLUE, "fillstyle": "left", "markerfacecoloralt": "white"},
    Verdict.NOT_SEEN: {"marker": "D", "color": ORANGE, "fillstyle": "none"},
    Verdict.NOT_TESTED: {"marker": "o", "color": GREY, "fillstyle": "none"},
}
OUTCOMES: dict[str, dict[str, Any]] = {
    "yes": {"marker": "s", "color": BLUE, "fillstyle": "full"},
    "open": {"marker": "s", "color": GREY, "fillstyle": "none"},
    "no": {"marker": "x", "color": ORANGE, "fillstyle": "full"},
}
COLUMNS = 5  # room for so many findings of each kind


def ledger_chart(claims: Sequence[Claim]) -> LessonFigure:
    """One line a claim: its verdict, then a mark for each core finding, then one for each finding beyond.

    Args:
        claims: rows of the ledger, drawn from top to bottom.
    """
    figure = LessonFigure(9.0, 1.2 + 0.3 * len(claims))
    axes = figure.subplots()
    core, beyond = 1.0, 1.0 + COLUMNS
    for y, claim in enumerate(claims):
        axes.plot(-2.6, y, markersize=11, markeredgewidth=1.6, **MARKS[claim.verdict])
        axes.text(-2.3, y, claim.verdict, va="center", fontsize=9.5)
        for start, wanted in ((core, True), (beyond, False)):
            found = [finding for finding in claim.findings if finding.core == wanted]
            for i, finding in enumerate(found):
                axes.plot(
                    start + 0.6 * i, y, linestyle="none", markersize=8, markeredgewidth=1.8, **OUTCOMES[finding.outcome]
                )
        if y:
            axes.axhline(y - 0.5, color="#DDDDDD", linewidth=0.6)
    axes.set_yticks(range(len(claims)), [f"{claim.name}  ({claim.lesson})" for claim in claims])
    axes.tick_params(length=0)
    axes.set_xticks([-2.6, core, beyond], ["verdict", "the claim itself", "beyond it"], ha="left")
    axes.xaxis.tick_top()
    axes.set_xlim(-2.9, beyond + 0.6 * 7)
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.spines[:].set_visible(False)
    keys = {"interval inside what is claimed (yes)": "yes", "it reaches out of it (open)": "open", "outside (no)": "no"}
    handles = [
        Line2D([], [], linestyle="none", markersize=8, label=label, **OUTCOMES[outcome])
        for label, outcome in keys.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    told = "; ".join(f"{claim.name} {claim.verdict}" for claim in claims)
    figure.alt = f"Verdicts, told by a mark and in words, claim by claim: {told}."
    return figure


def interval_and_runs(
    runs: Sequence[int], findings: Mapping[str, Sequence[Finding]], claimed: Mapping[str, float]
) -> LessonFigure:
    """A share and its interval as more and more runs are counted, against what is claimed.

    Args:
        runs: how many are counted, one number a point.
        findings: label of a curve to the finding at each of these numbers.
        claimed: label of a line to the share that is claimed.
    """
    figure = LessonFigure(7.5, 3.6)
    axes = figure.subplots()
    words = []
    for (label, found), color, marker in zip(findings.items(), (BLUE, ORANGE), ("o", "s"), strict=False):
        low, value, high = (np.array([getattr(one, name) for one in found]) for name in ("low", "value", "high"))
        axes.fill_between(runs, low, high, color=color, alpha=0.18, linewidth=0)
        axes.plot(runs, value, color=color, marker=marker, markersize=4, label=label)
        for end in (low, high):
            axes.plot(runs, end, color=color, linewidth=0.7)
        words.append(f"{label}: {value[-1]:.0%} [{low[-1]:.0%}, {high[-1]:.0%}] at {runs[-1]} runs")
    for (label, share), dash in zip(claimed.items(), ("--", ":"), strict=False):
        axes.axhline(share, color="black", linestyle=dash, linewidth=1.2, label=label)
    axes.set_xscale("log")
    ticks = [run for run in (10, 20, 50, 100, 200) if run <= max(runs)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 1)
    tidy(axes, x="runs counted", y="share of the runs")
    figure.legend(loc="outside right upper", fontsize=9, frameon=False)
    figure.alt = f"Share and 95 % interval against the number of runs. {'; '.join(words)}."
    return figure
