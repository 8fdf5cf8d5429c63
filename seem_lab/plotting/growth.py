"""The pictures of lesson 05, first half: in what order Q, its kernel and its error grow, and how a step lags behind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from seem_lab.growth import Fit, fit_kernel_exponent, growth_exponent, terminal_start
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.training import History, step_size

POWERS = {2: "-1", 3: "-4/3", 4: "-3/2"}  # -p of each depth, as it is written


def error_and_inverse(run: History) -> LessonFigure:
    """||u|| of a run on a logarithmic axis, and 1 / ||u|| on a plain one, each over the steps.

    Args:
        run: a run that diverged.
    """
    figure = LessonFigure(8.0, 3.2)
    left, right = figure.subplots(1, 2)
    u = run.td_error_norm
    tidy(left, title=r"$\Vert u\Vert$, logarithmic axis", x="training step", y=r"TD error $\Vert u\Vert$")
    left.semilogy(run.step, u, color=BLUE, linewidth=2)
    tidy(right, title=r"the same run as $1/\Vert u\Vert$", x="training step", y=r"$1/\Vert u\Vert$")
    right.plot(run.step, 1 / u, color=BLUE, linewidth=2)
    right.set_ylim(0, None)
    turn = int(np.argmin(u))
    for axes, value in ((left, u[turn]), (right, 1 / u[turn])):
        axes.plot(run.step[turn], value, "o", color=ORANGE, markersize=8, label="smallest error")
        axes.legend(fontsize=9, frameon=False, loc="upper left" if axes is left else "lower left")
    figure.alt = (
        f"Left: the TD error of one run over {run.step[-1]} steps, logarithmic axis. It falls from {u[0]:.2g} to "
        f"{u[turn]:.2g} at step {run.step[turn]}, then rises, faster and faster, to {u[-1]:.2g}. Right: one over the "
        f"error. From its peak of {1 / u[turn]:.2g} it soon falls on a nearly straight line and reaches zero at the "
        f"end, step {run.step[-1]}."
    )
    return figure


def scaling_orders(scales: ArrayLike, orders: Mapping[str, Mapping[int, ArrayLike]]) -> LessonFigure:
    """With which power of s things grow when all parameters of a network with biases are multiplied by s.

    Args:
        scales: `(K,)` scales s.
        orders: name ("Q", "kernel") -> depth L -> `(K,)` measured orders. Dotted: L for Q, 2L - 2 for the kernel.
    """
    figure = LessonFigure(8.0, 3.4)
    told = []
    for axes, (name, by_depth) in zip(np.ravel(figure.subplots(1, len(orders))), orders.items(), strict=True):
        tidy(
            axes,
            title=f"{name}: power of $s$ (dotted: the law)",
            x="scale $s$ of all parameters",
            y="power of $s$",
        )
        axes.set_xscale("log")
        for (depth, values), style in zip(by_depth.items(), series(), strict=False):
            limit = depth if name == "Q" else 2 * depth - 2
            values = np.asarray(values)
            axes.plot(scales, values, **style, marker="o", markersize=4, label=f"$L$ = {depth}")
            axes.axhline(limit, color=style["color"], linewidth=0.8, linestyle=":")
            told.append(f"{name}, depth {depth}: from {values[0]:.2f} to {values[-1]:.2f}, the limit is {limit}")
    lines = figure.axes[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=len(orders["Q"]), frameon=False)
    figure.alt = (
        f"Measured power of s, between s and 2s, for s from {np.min(scales):.0f} to {np.max(scales):.0f}; dotted: the "
        "power without biases. " + "; ".join(told) + "."
    )
    return figure


def straightened_error(runs: Mapping[str, tuple[History, int, Fit]]) -> LessonFigure:
    """||u||^(-p) near the end of runs, and the straight line that was fitted to a part of it.

    Args:
        runs: title -> (run that diverged, depth L, line fitted to ||u||^(-p)). The curve is 1 where the line ends.
    """
    figure = LessonFigure(8.0, 3.3)
    told = []
    for axes, (name, (run, depth, line)) in zip(np.ravel(figure.subplots(1, len(runs))), runs.items(), strict=True):
        first, last = np.searchsorted(run.step, (line.first, line.last))
        scaled = (run.td_error_norm / run.td_error_norm[last]) ** -growth_exponent(depth)
        label = POWERS.get(depth, f"-{growth_exponent(depth):.2f}")
        tidy(axes, title=name, x="training step", y=rf"$\Vert u\Vert^{{{label}}}$ (1 at the square)")
        above = np.flatnonzero(scaled[: last + 1] > 3.3)
        shown = slice(int(above[-1]) if len(above) else 0, None)
        axes.plot(run.step[shown], scaled[shown], color=BLUE, linewidth=5, alpha=0.45, label="run")
        axes.plot([line.first, line.zero], [scaled[first], 0], "--", color="black", linewidth=1.3, label="line to zero")
        axes.plot(
            line.first, scaled[first], "s", color="black", fillstyle="none", markersize=7, label="fitted from here"
        )
        axes.plot(line.last, 1, "s", color="black", markersize=7, label="to here")
        axes.plot(run.step[-1], 0, "x", color=BLUE, markersize=9, markeredgewidth=2.5, clip_on=False, label="crash")
        axes.set_ylim(0, 3.1)
        told.append(
            f"{name}: fitted from step {line.first} to step {line.last}, the line meets zero at step {line.zero:.0f}; "
            f"the run crashes at step {run.step[-1]}"
        )
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    figure.alt = (
        "The error to the power -p falls on a nearly straight line towards zero, and bends away from it at the very "
        "end. " + ". ".join(told) + "."
    )
    return figure


def kernel_exponents(
    runs: Mapping[str, tuple[History, int]], exponents: Mapping[tuple[int, bool], ArrayLike]
) -> LessonFigure:
    """SEEM against ||u||, both logarithmic, for single runs; and the slopes of many runs, one row a depth.

    Args:
        runs: label -> (run that diverged, with SEEM, depth L); from 10 times the error's minimum on.
        exponents: (depth, bias) -> slopes of many runs.
    """
    figure = LessonFigure(8.0, 3.6)
    left, right = figure.subplots(1, 2)
    tidy(left, title="one run each, from the square on", x=r"TD error $\Vert u\Vert$", y="SEEM")
    told = []
    for (label, (run, depth)), style in zip(runs.items(), series(), strict=False):
        window = np.isfinite(run.seem) & (np.arange(len(run.step)) >= (terminal_start(run.td_error_norm) or 0))
        step, error, seem = run.step[window], run.td_error_norm[window], run.seem[window]
        fit = fit_kernel_exponent(step, error, seem)
        left.loglog(error, seem, **style, label=f"{label}: slope {fit.exponent:.2f}")
        left.plot(error[0], seem[0], "s", color=style["color"], markersize=6, fillstyle="none")
        theory = seem[0] * (error / error[0]) ** growth_exponent(depth)
        left.plot(error, theory, color="black", linewidth=0.8, zorder=1)
        told.append(f"{label}: slope {fit.exponent:.2f}")
    left.plot([], [], color="black", linewidth=0.8, label="slope $p$ of the theory")
    left.legend(fontsize=9, frameon=False)
    rows = []
    for row, ((depth, bias), values) in enumerate(exponents.items()):
        values = np.asarray(values)
        jitter = np.linspace(-0.22, 0.22, len(values))
        color, marker = (BLUE, "o") if bias else (ORANGE, "^")
        right.plot(np.sort(values), row + jitter, marker, color=color, markersize=4, fillstyle="none")
        theory = growth_exponent(depth)
        right.plot([theory, theory], [row - 0.42, row + 0.42], color="black", linewidth=1.6)
        rows.append(f"$L$ = {depth}, {'with' if bias else 'no'} biases")
        told.append(
            f"depth {depth}, {'with' if bias else 'without'} biases, {len(values)} runs: median "
            f"{np.median(values):.2f}, from {values.min():.2f} to {values.max():.2f}, theory {theory:.2f}"
        )
    right.set_yticks(range(len(rows)), rows)
    right.set_ylim(len(rows) - 0.5, -0.5)
    tidy(right, title="every run (black bar: theory)", x="slope of log SEEM over log error")
    figure.alt = (
        "Left: SEEM against the TD error, both logarithmic. Right: slopes of many runs. " + "; ".join(told) + "."
    )
    return figure


def map_and_flow(run: History, depth: int, start: int, s: ArrayLike, q: ArrayLike) -> LessonFigure:
    """The end of a run beside the discrete map and the continuous flow, both started at one record of it.

    Left the steps left by the closed form, 1/(p s); the flow loses one each step. Right the largest |Q|.

    Args:
        run: a run that diverged, every step recorded with its SEEM.
        depth: L.
        start: the step at which both begin.
        s: `(K,)` eps SEEM by the map, one a step.
        q: `(K,)` largest |Q| by the map.
    """
    power, s, q = growth_exponent(depth), np.asarray(s), np.asarray(q)
    whole = 1 / (power * s[0])
    time = np.linspace(0, whole * (1 - 1e-6), 4000)
    flow = q[0] * (1 - time / whole) ** (-1 / power)
    steps, map_steps = run.step[start:], start + np.arange(len(s))
    figure = LessonFigure(8.0, 3.5)
    left, right = figure.subplots(1, 2)
    tidy(left, title="steps left by the closed form", x="training step", y=r"$1\,/\,(p\,\varepsilon\lambda)$")
    tidy(right, title="largest $|Q|$", x="training step", y="$|Q|$ (log scale)")
    right.set_yscale("log")
    measured = (1 / (power * step_size(run.lr, run.n) * run.seem[start:]), run.q_max[start:])
    for axes, flow_y, map_y, run_y in (
        (left, whole - time, 1 / (power * s), measured[0]),
        (right, flow, q, measured[1]),
    ):
        axes.plot(start + time, flow_y, color=GREY, linestyle=":", linewidth=2.4, label="flow")
        axes.plot(map_steps, map_y, "s-", color=ORANGE, fillstyle="none", markersize=9, linewidth=1, label="map")
        axes.plot(steps, run_y, "o", color=BLUE, markersize=4.5, label="run")
    left.legend(frameon=False)
    left.set_ylim(0, None)
    right.axhline(run.q_limit, color="black", linewidth=0.8)
    right.set_ylim(q[0] / 3, 30 * run.q_limit)
    figure.alt = (
        f"From step {start} on. Left: the steps left by the closed form, {whole:.1f} at first. In the flow they fall "
        "by one each step, on a straight line; in the run and in the map they fall more slowly towards the end. "
        f"Right: the flow is infinite at step {start + whole:.0f}; the map passes {run.q_limit:.0e} at step "
        f"{start + int(np.argmax(q > run.q_limit))}, the run at step {run.step[-1]}."
    )
    return figure
