"""Explorer of lesson 08: one remedy on one walk, beside the plain run and beside its line of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from seem_lab.panels.controls import choice, whole_slider
from seem_lab.panels.followed import kept
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.problems import DATA
from seem_lab.remedies import remedies, summarise_remedies, watch_remedy
from seem_lab.training import History

STEPS, SEEM_EVERY = 300, 30
FILE = DATA / "remedies.csv"
BY_NAME = {remedy.name: remedy for remedy in remedies()}
FLOOR = 1e-4  # what is smaller, or negative, is drawn at the edge


@dataclass(frozen=True)
class Trial:
    """A run with a remedy, the plain run, and the remedy's line of the table."""

    name: str
    seed: int
    run: History
    plain: History
    line: pd.Series


@kept
def follow_remedy(name: str, seed: int) -> Iterator[History]:
    """The run of a remedy, short enough for a slider."""
    return watch_remedy(BY_NAME[name], seed, every=10, steps=STEPS, seem_every=SEEM_EVERY)


@cache
def stored_lines() -> pd.DataFrame:
    """The table's summary, one line a remedy, by its name."""
    lines = summarise_remedies(pd.read_csv(FILE))
    return lines.set_index((lines.family + " " + lines.strength).str.strip())


class Remedies(Panel):
    """Choose a remedy with its strength and a seed; 300 steps of training, with SEEM, against the plain run.

    Example:
        >>> "Plain: |Q| passes a million at step" in Remedies(remedy="double Q").text
        True
    """

    title = "What does this remedy do?"
    lesson = "08"
    hint = "Go through the rates of the EMA target: where does the crash go away, and is SEEM small there?"
    presets = {
        "LayerNorm": {"remedy": "LayerNorm without affine"},
        "too little": {"remedy": "weight decay 0.01"},
        "no crash, but far off": {"remedy": "clipping 1"},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "remedy": choice("remedy", list(BY_NAME), "EMA target 0.5"),
            "seed": whole_slider("seed", 0, 0, 99),
        }

    def compute(self, remedy: str, seed: int) -> Iterator[Trial]:
        line = stored_lines().loc[remedy]
        runs = [follow_remedy(name, seed) for name in (remedy, "plain")]
        run, plain = (next(each) for each in runs)
        yield Trial(remedy, seed, run, plain, line)
        for later in zip_longest(*runs):  # one may end before the other
            run, plain = later[0] or run, later[1] or plain
            yield Trial(remedy, seed, run, plain, line)

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2)
        tidy(left, title="largest |Q| (true value 0)", x="training step")
        tidy(right, title="SEEM", x="training step")
        for axes, limits in ((left, (1e-2, 1e7)), (right, (FLOOR / 2, 1e5))):
            axes.set_yscale("log")
            axes.set_xlim(0, STEPS)
            axes.set_ylim(*limits)
        left.axhline(1e6, color=GREY, linewidth=0.8)
        looks = (("plain", {"color": ORANGE, "linestyle": "--"}), ("with the remedy", {"color": BLUE, "linewidth": 2}))
        lines = [animate(axes.plot([], [], label=label, **look)[0]) for axes in (left, right) for label, look in looks]
        figure.legend(handles=lines[:2], loc="outside lower center", ncols=2, frameon=False)
        return SimpleNamespace(q=lines[:2], seem=lines[2:])

    def draw(self, artists: SimpleNamespace, result: Trial) -> None:
        for run, q, seem in zip((result.plain, result.run), artists.q, artists.seem, strict=True):
            q.set_data(run.step, np.clip(run.q_max, 1e-2, 5e6))
            there = np.isfinite(run.seem)
            seem.set_data(run.step[there], np.clip(run.seem[there], FLOOR, 1e5))

    def sentence(self, result: Trial) -> str:
        line = result.line
        early = "none at step 100 (crashed before)" if np.isnan(line.seem_100) else f"{line.seem_100:.2g} at step 100"
        return (
            f"Plain: {_ending(result.plain)}. With {result.name}: {_ending(result.run)}. In the table, 1500 steps: "
            f"{line.crashes} of {line.runs} seeds crash, median largest |Q| {line.largest_q:.2g}, SEEM "
            f"{early}, cost of a step {line.cost:.1f} times plain."
        )

    def table(self, result: Trial) -> Mapping[str, Any]:
        return {
            "step_plain": result.plain.step, "largest_q_plain": result.plain.q_max, "seem_plain": result.plain.seem,
            "step": result.run.step, "largest_q": result.run.q_max, "seem": result.run.seem,
        }  # fmt: skip


def _ending(run: History) -> str:
    if run.diverged:
        return f"|Q| passes a million at step {run.step[-1]}"
    last = run.seem[np.isfinite(run.seem)][-1]
    return f"|Q| is {run.q_max[-1]:.2g} at step {run.step[-1]} (at most {run.q_max.max():.2g} so far), SEEM {last:.2g}"
