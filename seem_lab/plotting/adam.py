"""Pictures of Adam's steady climb: Q and the parameters over steps, m / sqrt(v), exponents, predicted rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seem_lab.growth import fit_line
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.training import History

BAND: dict[str, Any] = {"alpha": 0.2, "linewidth": 0}
SEEDS = "10 to 90 % of the seeds"


def adam_step_sizes(ratios: Mapping[str, np.ndarray]) -> LessonFigure:
    """Adam's step over the learning rate, for gradients that are given: one line each.

    Args:
        ratios: what the gradient does, to `(T,)` steps divided by the learning rate.
    """
    figure = LessonFigure(7.6, 3.4)
    axes = figure.subplots()
    words = []
    for (label, ratio), style in zip(ratios.items(), series(), strict=False):
        steps = np.arange(1, len(ratio) + 1)
        axes.plot(steps, ratio, label=label, **style)
        words.append(f"{label}: {ratio[0]:.2f} at the first step, {ratio[-1]:.2f} at step {steps[-1]}")
    axes.axhline(1, color="black", linewidth=0.8)
    tidy(axes, title="Adam's step for one parameter", x="step", y=r"size of the step $/\,\eta$")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = "Size of Adam's step divided by the learning rate. " + "; ".join(words) + "."
    return figure


def explosion_and_climb(sgd: Sequence[History], step: np.ndarray, adam: np.ndarray) -> LessonFigure:
    """Largest |Q| of the same seeds under two optimisers: both on a logarithmic axis, then Adam's on a linear one.

    Args:
        sgd: runs with SGD.
        step: `(T,)` steps of the runs with Adam.
        adam: `(S, T)` their largest |Q|.
    """
    figure = LessonFigure(9.0, 3.6)
    both, alone = figure.subplots(1, 2)
    for run in sgd:
        q = np.minimum(run.q_max, run.q_limit)  # the last record may lie far above the limit
        both.plot(run.step, q, color=ORANGE, linewidth=0.9, linestyle="--")
        if run.diverged:
            both.plot(run.step[-1], q[-1], "x", color=ORANGE, markersize=6, markeredgewidth=1.6)
    for axes in (both, alone):
        axes.plot(step, adam.T, color=BLUE, linewidth=0.9)
    both.set_yscale("log")
    both.plot([], [], color=ORANGE, linestyle="--", marker="x", label="SGD, stopped above one million")
    both.plot([], [], color=BLUE, label="Adam")
    both.legend(fontsize=9, frameon=False, loc="center right")
    tidy(both, title=f"{len(adam)} seeds, logarithmic axis", x="training step", y="largest $|Q|$")
    tidy(alone, title="Adam alone, linear axis", x="training step", y="largest $|Q|$")
    crash = [run.step[-1] for run in sgd if run.diverged]
    figure.alt = (
        f"Left, logarithmic axis: under SGD {len(crash)} of {len(sgd)} seeds pass the limit, between step "
        f"{min(crash, default=0)} and {max(crash, default=0)}, on curves that turn upwards; under Adam they bend "
        f"to the right. Right: Adam on a linear axis rises smoothly, to between {adam[:, -1].min():.3g} and "
        f"{adam[:, -1].max():.3g} at step {step[-1]}."
    )
    return figure


def steady_climb(step: np.ndarray, groups: Mapping[int, tuple[np.ndarray, np.ndarray]], line_from: int) -> LessonFigure:
    """||theta|| above and |Q|^(1/L) below, every seed, with the straight line of the middle one; a column a depth.

    Args:
        step: `(T,)` steps.
        groups: depth L to `(||theta||, largest |Q|)`, each `(S, T)`.
        line_from: first step the straight lines are fitted to.
    """
    figure = LessonFigure(9.0, 5.4)
    there, words = step >= line_from, []
    columns = figure.subplots(2, len(groups), sharex=True, squeeze=False).T
    for (upper, lower), (depth, (norm, q)) in zip(columns, groups.items(), strict=True):
        for axes, values, name, said in (
            (upper, norm, r"$\|\theta\|$", "norm of the parameters"),
            (lower, q ** (1 / depth), rf"$|Q|^{{1/{depth}}}$", f"root {depth} of the largest |Q|"),
        ):
            axes.plot(step, values.T, color=BLUE, linewidth=0.7, alpha=0.7)
            middle = values[np.argsort(values[:, -1])[len(values) // 2]]
            line = fit_line(step[there], middle[there])
            axes.plot(step, line.intercept + line.slope * step, color=ORANGE, linewidth=1.8, linestyle="--")
            tidy(axes, y=name)
            axes.set_ylim(bottom=0)
            words.append(
                f"depth {depth}, {said}: from {np.median(values[:, 0]):.3g} to {np.median(values[:, -1]):.3g} (medians)"
            )
        upper.set_title(f"depth $L = {depth}$", fontsize=11, loc="left")
        lower.set_xlabel("training step")
    columns[0, 0].plot([], [], color=BLUE, label=f"{len(norm)} seeds")
    columns[0, 0].plot(
        [], [], color=ORANGE, linestyle="--", linewidth=1.8, label=f"middle seed, line from step {line_from} on"
    )
    columns[0, 0].legend(fontsize=9, frameon=False, loc="upper left")
    figure.alt = (
        "Against the training step, under Adam, every seed climbs nearly on a straight line, bent a little downwards. "
        + "; ".join(words)
        + "."
    )
    return figure


def ratio_through_training(
    step: np.ndarray, groups: Mapping[str, tuple[np.ndarray, np.ndarray | None]], start: float
) -> LessonFigure:
    """m / sqrt(v) over the steps: median and band over seeds, and what one number under Adam does.

    Args:
        step: `(T,)` steps.
        groups: label to the measured ratios `(S, T)` and the ratio of the one-number model `(T,)`, if there is one.
        start: sqrt(4L - 1), the value for power-law growth long before 1 / (1 - beta2) steps.
    """
    figure = LessonFigure(8.0, 3.8)
    axes = figure.subplots()
    words = []
    for (label, (measured, model)), style in zip(groups.items(), series(), strict=False):
        low, middle, high = np.quantile(measured, [0.1, 0.5, 0.9], axis=0)
        axes.fill_between(step, low, high, color=style["color"], **BAND)
        axes.plot(step, middle, label=f"{label}, median of {len(measured)} seeds", **style)
        top = int(middle.argmax())
        words.append(
            f"{label}: at most {middle[top]:.2f}, at step {step[top]}, and {middle[-1]:.2f} at step {step[-1]}"
        )
        if model is not None:
            axes.plot(step, model, color="black", linewidth=1.0, linestyle=":")
            words[-1] += f" (one number: {model[-1]:.2f})"
    axes.fill_between([], [], color=GREY, label=SEEDS, **BAND)
    if any(model is not None for _, model in groups.values()):
        axes.plot([], [], color="black", linewidth=1.0, linestyle=":", label="one number under Adam")
    for value, name in ((start, rf"$\sqrt{{4L-1}} = {start:.2f}$"), (1.0, "a gradient that stands still")):
        axes.axhline(value, color=GREY, linewidth=0.8)
        axes.annotate(name, (step[-1], value), (0, 3), textcoords="offset points", ha="right", fontsize=9, color=GREY)
    tidy(axes, title="How much longer than the learning rate is a step?", x="training step")
    axes.set_ylabel(r"ratio $|\hat m| / \sqrt{\hat v}$")
    axes.set_ylim(0, 1.12 * start)
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = f"Ratio of m to the root of v over training; {start:.2f} expected early. " + "; ".join(words) + "."
    return figure


def climb_exponents(groups: Mapping[int, Mapping[str, tuple[np.ndarray, float]]]) -> LessonFigure:
    """Free exponent of every seed, a row a value of beta2, a column a depth, with theory and the one-number model.

    Args:
        groups: depth L to (row label to (`(S,)` exponents, that of one number under Adam)).
    """
    figure = LessonFigure(9.0, 3.4)
    words = []
    columns = np.atleast_1d(figure.subplots(1, len(groups), sharey=True))
    for axes, (depth, rows) in zip(columns, groups.items(), strict=True):
        axes.axvline(depth, color=GREY, linewidth=1.0)
        for row, (label, (values, model)) in enumerate(rows.items()):
            axes.plot(values, np.full(len(values), row), "|", color=BLUE, markersize=16, markeredgewidth=1.2)
            axes.plot(model, row + 0.33, "D", color=ORANGE, markersize=6, fillstyle="none", markeredgewidth=1.6)
            words.append(
                f"depth {depth}, {label}: median {np.median(values):.2f}, from {values.min():.2f} to "
                f"{values.max():.2f} over {len(values)} seeds, one number {model:.2f}"
            )
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.4, -0.5)
        tidy(axes, title=f"depth {depth}: the simple law says {depth}", x="exponent of $|Q|$ in the step")
    columns[0].plot([], [], "|", color=BLUE, markersize=12, label="one seed")
    columns[0].plot([], [], "D", color=ORANGE, fillstyle="none", markeredgewidth=1.6, label="one number under Adam")
    columns[0].plot([], [], color=GREY, label="simple law")
    figure.legend(
        *columns[0].get_legend_handles_labels(), fontsize=9, frameon=False, loc="outside lower center", ncols=3
    )
    figure.alt = "Exponent k for which the k-th root of |Q| is straightest. " + "; ".join(words) + "."
    return figure


def predicted_rates(step: np.ndarray, measured: np.ndarray, sgd: np.ndarray, adam: np.ndarray) -> LessonFigure:
    """Growth of ||u|| a step, beside eps SEEM and the same with Adam's step sizes put in.

    Args:
        step: `(T,)` steps.
        measured: `(S, T)` log-growth of ||u|| a step.
        sgd: `(S, T)` eps SEEM.
        adam: `(S, T)` eps max Re eig(A_D).
    """
    figure = LessonFigure(8.0, 3.8)
    axes = figure.subplots()
    words = []
    looks: tuple[dict[str, Any], ...] = (
        {"color": ORANGE, "linestyle": "--", "label": r"$\varepsilon\,$SEEM, made for SGD"},
        {"color": BLUE, "linestyle": "-", "label": r"$\varepsilon\,$SEEM of $A_D$, made for Adam"},
        {"color": "black", "linestyle": ":", "linewidth": 3, "label": "measured"},
    )
    for values, name, look in zip((sgd, adam, measured), ("SEEM", "SEEM of A_D", "measured"), looks, strict=True):
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
        axes.fill_between(step, low, high, color=look["color"], **BAND)
        axes.plot(step, middle, **look)
        words.append(f"{name} {middle[0]:.2g} at step {step[0]} and {middle[-1]:.2g} at step {step[-1]}")
    axes.fill_between([], [], color=GREY, label=SEEDS, **BAND)
    axes.set_yscale("log")
    tidy(axes, title=f"Growth of the TD error, {len(measured)} seeds (medians)", x="training step")
    axes.set_ylabel(r"growth of $\|u\|$ a step (logarithm)")
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = (
        "Growth of the TD error a step, logarithmic axis, medians over the seeds; predicted by eps times SEEM, by eps "
        "times the same of A_D, and measured: " + "; ".join(words) + "."
    )
    return figure
