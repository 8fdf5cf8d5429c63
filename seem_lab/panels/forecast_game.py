"""Explorer of lesson 05: stop a run, guess when it crashes, then see the forecasts and the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from seem_lab.forecast import LOOK_BACK, Forecast, forecast_run
from seem_lab.growth import fit_inverse_power, growth_exponent, terminal_start
from seem_lab.panels.controls import log_slider, number_choice, switch, whole_slider
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREEN, GREY, ORANGE, PINK, tidy
from seem_lab.problems import DATA
from seem_lab.training import COLUMNS, History

LR, N, Q_LIMIT = 2e-2, 63, 1e6  # of the stored runs
FILE = DATA / "forecast_game.csv"


@dataclass(frozen=True)
class Game:
    """A stopped run, a guess, and what came; the steps are counted from the stop.

    Args:
        name: which run.
        step: where it was stopped.
        multiple: of the error's minimum so far, there.
        steps_left: to the crash.
        guess: the player's.
        steps: of all records.
        q_max: largest |Q|, at each.
        inverse: (||u|| / ||u|| at the stop)^(-p), at each.
        line: steps left by the straight line through `inverse`, None where too few points tell.
        forecast: by the closed form and by the discrete map.
        revealed: whether to show what came.
        reach: how many steps to either side are shown.
    """

    name: str
    step: int
    multiple: float
    steps_left: int
    guess: int
    steps: np.ndarray
    q_max: np.ndarray
    inverse: np.ndarray
    line: float | None
    forecast: Forecast
    revealed: bool
    reach: int

    def forecasts(self) -> Iterator[tuple[str, int]]:
        """Each method with the whole steps it gives the run, as far as it can tell."""
        for name, left in (
            ("line fit", self.line),
            ("closed form", self.forecast.closed_form),
            ("discrete map", self.forecast.steps_left),
        ):
            if left is not None:
                yield name, math.ceil(left)


class ForecastGame(Panel):
    """Stop a stored run of the toy walk, guess its crash, and compare with line fit, closed form and discrete map.

    Example:
        >>> game = ForecastGame(guess=20)
        >>> game.set(reveal=True)
        >>> "It crashed 16 steps later" in game.text
        True
    """

    title = "In how many steps does it crash?"
    lesson = "05"
    hint = (
        "Guess how many steps are left, then tick reveal. Can you beat the line? Can you beat the map? (Of the marks "
        "only the step counts; their heights keep them apart.)"
    )
    size = (900, 400)
    reaches = (20, 40, 80, 160, 320, 640)  # steps shown to either side of the stop
    presets = {
        "early: 3 times the minimum": {"multiple": 3.0, "guess": 40},
        "late: 30 times": {"multiple": 30.0, "guess": 6},
        "four layers": {"depth": 4, "seed": 5},
        "a false start": {"depth": 4, "seed": 0, "multiple": 3.0, "guess": 100},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        seeds = sorted({seed for _, seed in _runs()})
        return {
            "seed": whole_slider("seed", seeds[0], seeds[0], seeds[-1]),
            "depth": number_choice("linear layers L", 2, sorted({depth for depth, _ in _runs()})),
            "multiple": log_slider("stop at error / its minimum", 10.0, 1.5, 100.0),
            "guess": whole_slider("your guess: steps left", 20, 1, 500),
            "reveal": switch("reveal", False),
        }

    def compute(self, seed: int, depth: int, multiple: float, guess: int, reveal: bool) -> Game:
        run = _runs()[depth, seed]
        error, step, power = run.td_error_norm, run.step, growth_exponent(depth)
        stop = terminal_start(error, multiple)
        assert stop is not None, "every stored run crashed"
        made = _forecast(depth, seed, stop)
        below = np.flatnonzero(error[: stop + 1] <= error[stop] / 2)
        half = int(below[-1]) if len(below) else 0
        line = None
        if made.steps_left is not None and stop - half >= 2:  # a line needs three points
            window = slice(half, stop + 1)
            line = fit_inverse_power(step[window], error[window], power).zero - step[stop]
        sight = max(guess, 2 * int(step[stop] - step[half]), reveal * int(step[-1] - step[stop]))
        return Game(
            name=f"seed {seed}, {depth} linear layers",
            step=int(step[stop]),
            multiple=float(error[stop] / error[: stop + 1].min()),
            steps_left=int(step[-1] - step[stop]),
            guess=guess,
            steps=step - step[stop],
            q_max=run.q_max,
            inverse=(error / error[stop]) ** -power,
            line=line,
            forecast=made,
            revealed=reveal,
            reach=next((reach for reach in self.reaches if reach > sight), self.reaches[-1]),
        )

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2)
        tidy(left, title="largest $|Q|$", x="training steps from the stop", y="$|Q|$ (log scale)")
        left.set_yscale("log")
        left.set_ylim(1e-2, 1e8)
        left.minorticks_off()
        left.axhline(Q_LIMIT, color=GREY, linewidth=0.8)
        left.text(0.02, 1.4 * Q_LIMIT, "crash", color=GREY, fontsize=9, transform=left.get_yaxis_transform())
        tidy(right, title=r"the error as $\Vert u\Vert^{-p}$", x="training steps from the stop", y="1 at the stop")
        right.set_ylim(0, 3)
        for axes in (left, right):
            axes.set_xlim(-40, 40)
            axes.locator_params(axis="x", nbins=5)  # each number takes time to draw
            animate(axes.xaxis)
            axes.axvline(0, color="black", linewidth=0.8)
        artists = SimpleNamespace(
            past=[animate(axes.plot([], [], color=BLUE, linewidth=2.4, label="run")[0]) for axes in (left, right)],
            future=[animate(axes.plot([], [], color=BLUE, linewidth=1.2)[0]) for axes in (left, right)],
            line=animate(right.plot([], [], "--", color=GREEN, linewidth=1.5)[0]),
            marks={
                name: animate(right.plot([], [], marker, color=color, markersize=10, label=name)[0])
                for name, marker, color in (
                    ("your guess", "v", PINK),
                    ("line fit", "s", GREEN),
                    ("closed form", "^", GREY),
                    ("discrete map", "D", ORANGE),
                    ("crash", "x", "black"),
                )
            },
        )
        artists.marks["crash"].set_markeredgewidth(3)
        right.legend(frameon=False, fontsize=9, loc="upper right")
        artists.axes = (left, right)
        return artists

    def draw(self, artists: SimpleNamespace, result: Game) -> None:
        for axes in artists.axes:
            if axes.get_xlim() != (-result.reach, result.reach):
                axes.set_xlim(-result.reach, result.reach)
        past = result.steps <= 0
        future = (result.steps >= 0) & result.revealed
        for curve, values in zip(artists.past, (result.q_max, result.inverse), strict=True):
            curve.set_data(result.steps[past], values[past])
        for curve, values in zip(artists.future, (result.q_max, result.inverse), strict=True):
            curve.set_data(result.steps[future], np.minimum(values[future], 1e9))
        shown = {"your guess": result.guess}
        if result.revealed:
            shown |= dict(result.forecasts()) | {"crash": result.steps_left}
        for height, (name, mark) in enumerate(artists.marks.items()):
            inside = name in shown and shown[name] <= result.reach
            mark.set_data(*(([shown[name]], [0.08 + 0.16 * height]) if inside else ([], [])))
        drawn = result.revealed and result.line is not None
        artists.line.set_data(*(([0, result.line], [1, 0]) if drawn else ([], [])))

    def sentence(self, result: Game) -> str:
        says = (
            f"{result.name}, stopped at step {result.step}: the error is {result.multiple:.1f} times its minimum so "
            f"far. You give it {result.guess} more steps. "
        )
        if not result.revealed:
            return says + "Tick reveal to see what came."

        def off(left: int) -> str:
            return f"{left - result.steps_left:+d} steps, {abs(left - result.steps_left) / result.steps_left:.0%}"

        says += f"It crashed {result.steps_left} steps later, at step {result.step + result.steps_left}. "
        says += f"Errors: you {off(result.guess)}"
        methods = list(result.forecasts())
        says += "".join(f"; {name} {off(left)}" for name, left in methods) + "."
        if not methods:
            says += f" No method forecasts anything here: {result.forecast.note}."
        else:
            beaten = sum(abs(result.guess - result.steps_left) < abs(left - result.steps_left) for _, left in methods)
            says += f" You beat {beaten} of {len(methods)}."
        low, high = result.forecast.low, result.forecast.high
        if low is not None and high is not None:
            holds = "holds" if low <= result.step + result.steps_left <= high else "misses"
            says += f" The 90 % interval, step {low} to {high}, {holds} it."
        return says

    def table(self, result: Game) -> Mapping[str, Any]:
        seen = slice(None) if result.revealed else result.steps <= 0
        return {"steps_from_the_stop": result.steps[seen], "largest_q": result.q_max[seen]}


@cache
def _runs() -> dict[tuple[int, int], History]:
    """The stored runs by (depth, seed), from the error's minimum to the crash; nan where nothing was stored."""
    runs = {}
    for (depth, seed), rows in pd.read_csv(FILE).groupby(["depth", "seed"]):
        stored = {name: column.to_numpy() for name, column in rows.drop(columns=["depth", "seed"]).items()}
        columns = dict.fromkeys(COLUMNS, np.full(len(rows), np.nan)) | stored
        runs[int(depth), int(seed)] = History(**columns, lr=LR, n=N, q_limit=Q_LIMIT, stop_reason="q_limit")
    return runs


@lru_cache(maxsize=256)
def _forecast(depth: int, seed: int, stop: int) -> Forecast:
    """What was forecast at a record, with its interval: from the records before it that the interval looks at."""
    run = _runs()[depth, seed]
    there = np.arange(len(run.step)) == stop
    (made,) = forecast_run(replace(run, seem=np.where(there, run.seem, np.nan)), depth=depth)
    if made.steps_left is None:
        return made
    back = made.step - max(LOOK_BACK * made.steps_left, 2)
    there = (run.step >= back) & (run.step <= made.step)
    return forecast_run(replace(run, seem=np.where(there, run.seem, np.nan)), depth=depth)[-1]
