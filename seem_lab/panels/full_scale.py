"""Explorer of lesson 10: recorded runs of real critics; scrub through training, with SEEM beside |Q|."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from seem_lab.evidence import PRESENT_RULE, stored_runs
from seem_lab.experiments import STOP
from seem_lab.panels.controls import choice, whole_slider
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy

FLOOR = 1e-4  # what is smaller, or negative, is drawn at the edge
LIMITS = (1e-3, 1e3)  # of |Q| / Qlim
SHOWN = ("step", "q_max", "seem_per_parameter")


@cache
def tables() -> tuple[pd.DataFrame, dict[int, pd.DataFrame]]:
    """The stored runs that have readings, and the readings of each."""
    runs, readings = stored_runs()
    by_run = {int(i): trace for i, trace in readings.groupby("run")}
    return runs[runs.index.isin(by_run)], by_run


def name_of(run: pd.Series) -> str:
    """The setting of a run without LayerNorm and seed, as the list shows it."""
    part = "" if run.fraction == 1 else f", {100 * run.fraction:g} %"
    held = f" + {run.behaviour_weight:g} BC" if run.behaviour_weight > 0 else ""  # nan: the method has none
    return f"{run.task}{part}, {run.method}{held}, tau {run.tau:g}"


@cache
def settings() -> dict[str, pd.DataFrame]:
    """The runs of each setting, by its name."""
    runs, _ = tables()
    return {str(name): group for name, group in runs.groupby(runs.apply(name_of, axis=1), sort=False)}


@dataclass(frozen=True)
class Scene:
    """A plain run and one with LayerNorm, up to a share (percent) of the longer one; None where none is stored."""

    plain: pd.Series | None
    normed: pd.Series | None
    share: int

    @property
    def steps(self) -> int:
        """Of the longer one."""
        return max(int(run.steps) for run in (self.plain, self.normed) if run is not None)

    def seen(self, run: pd.Series) -> pd.DataFrame:
        """The readings so far."""
        trace = tables()[1][int(run.name)]
        return trace[trace.step <= self.share / 100 * self.steps]


class FullScale(Panel):
    """Choose a recorded setting and one of its seeds, and move through training.

    Example:
        >>> "Plain:" in FullScale().text
        True
    """

    title = "What did the critic and its eigenvalue do in this run?"
    lesson = "10"
    hint = (
        "Choose a setting, and move through training with the last slider: which moves first, |Q| or SEEM? Qlim is the "
        "largest |Q| that the rewards allow, P the number of parameters; the alarm looks at SEEM / P (dotted line)."
    )
    size = (900, 400)
    presets = {
        "Hopper, early": {"share": 15},
        "Hopper, to the end": {"share": 100},
        "Pendulum, late": {"setting": "pendulum, td3, tau 1", "share": 100},
        "a maze": {"setting": "maze 0, td3 + 0.5 BC, tau 1", "share": 100},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "setting": choice("setting", list(settings()), "hopper weak, td3, tau 1"),
            "seed": whole_slider("run of the setting", 0, 0, 9),
            "share": whole_slider("training so far, %", 100, 1, 100),
        }

    def compute(self, setting: str, seed: int, share: int) -> Scene:
        runs = settings()[setting]
        plain, normed = runs[~runs.layer_norm], runs[runs.layer_norm]
        return Scene(_pick(plain, seed), _pick(normed, seed), share)

    def setup(self, figure: Figure, animate: Callable[..., object]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2)
        tidy(left, title="largest |Q| / Qlim", x="training step")
        tidy(right, title="SEEM / P (lower edge: 0.0001 or less)", x="training step")
        left.axhline(1, color="black", linewidth=0.9)
        right.axhline(PRESENT_RULE.seem, color=GREY, linewidth=0.9, linestyle=":")
        looks = (("plain", {"color": ORANGE, "linestyle": "--"}), ("LayerNorm", {"color": BLUE, "linewidth": 2}))
        lines = []
        for axes, limits in ((left, LIMITS), (right, (FLOOR / 2, 1e3))):
            axes.set_yscale("log")
            axes.set_ylim(*limits)
            animate(axes.xaxis)
            lines += [animate(axes.plot([], [], label=label, **look)[0]) for label, look in looks]
        figure.legend(handles=lines[:2], loc="outside lower center", ncols=2, frameon=False)
        return SimpleNamespace(axes=(left, right), q=lines[:2], seem=lines[2:])

    def draw(self, artists: SimpleNamespace, result: Scene) -> None:
        for axes in artists.axes:
            if axes.get_xlim() != (0, 1.01 * result.steps):
                axes.set_xlim(0, 1.01 * result.steps)
        for run, q, seem in zip((result.plain, result.normed), artists.q, artists.seem, strict=True):
            seen = pd.DataFrame(columns=list(SHOWN), dtype=float) if run is None else result.seen(run)[list(SHOWN)]
            limit = 1.0 if run is None else run.q_limit
            q.set_data(seen.step, np.clip(seen.q_max / limit, *LIMITS))
            read = seen.dropna(subset="seem_per_parameter")
            seem.set_data(read.step, np.clip(read.seem_per_parameter, FLOOR, 1e3))

    def sentence(self, result: Scene) -> str:
        parts = []
        for label, run in (("Plain", result.plain), ("LayerNorm", result.normed)):
            if run is None:
                parts.append(f"{label}: no such run is stored.")
                continue
            seen = result.seen(run)
            last = seen.dropna(subset="seem_per_parameter").iloc[-1]
            alarm = PRESENT_RULE.step(seen, run.q_limit)
            passed = run.crossed_at <= seen.step.max()
            stopped = seen.step.max() == run.last_step < run.steps
            q = "no step yet" if np.isnan(seen.q_max.max()) else f"largest |Q| {seen.q_max.max():.3g}"
            parts.append(
                f"{label}: step {seen.step.max()} of {run.steps}, {q} of {run.q_limit:.3g}, SEEM / P "
                f"{last.seem_per_parameter:.2g}; "
                + (f"passed Qlim at step {run.crossed_at:.0f}" if passed else "below Qlim")
                + f", and stopped beyond {STOP:g} Qlim" * bool(stopped)
                + ("; no alarm." if np.isnan(alarm) else f"; alarm at step {alarm:.0f}.")
            )
        return " ".join(parts)

    def table(self, result: Scene) -> Mapping[str, Any]:
        columns: dict[str, Any] = {}
        for label, run in (("plain", result.plain), ("layer_norm", result.normed)):
            if run is not None:
                seen = result.seen(run)
                columns |= {f"{label}_{name}": seen[name].to_numpy() for name in SHOWN}
        return columns


def _pick(runs: pd.DataFrame, seed: int) -> pd.Series | None:
    """One of some runs, counted from the first again after the last."""
    return runs.iloc[seed % len(runs)] if len(runs) else None
