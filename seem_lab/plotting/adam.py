"""Pictures of Adam's steady climb: Q and the parameters over steps, m / sqrt(v), exponents, predicted rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from seem_lab.adam_runs import AdamRuns
from seem_lab.growth import fit_line
from seem_lab.plotting.figure import BLUE, GREEN, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.training import History

BAND: dict[str, Any] = {"alpha": 0.2, "linewidth": 0}
SEEDS = "10 to 90 % of the seeds"


def adam_step_sizes(ratios: Mapping[str, np.ndarray]) -> LessonFigure:
    """Adam's step over the learning rate, for gradients that are given: one line each.

    Args:
        ratios: what the gradient does, to `(T,)` steps divided by the learning rate; at most five.
    """
    figure = LessonFigure(7.6, 3.6)
    axes = figure.subplots()
    words = []
    looks: tuple[dict[str, Any], ...] = (  # the first two may lie on each other, the third is ragged
        {"color": BLUE, "linewidth": 6, "alpha": 0.35},
        {"color": "black", "linewidth": 1.4, "linestyle": "--"},
        {"color": GREY, "linewidth": 0.8},
        {"color": ORANGE, "linewidth": 2.2, "linestyle": "--"},
        {"color": GREEN, "linewidth": 2.2, "linestyle": "-."},
    )
    for (label, ratio), look in zip(ratios.items(), looks, strict=False):
        steps = np.arange(1, len(ratio) + 1)
        axes.plot(steps, ratio, label=label, **look)
        top = int(ratio.round(2).argmax())  # what rounding moves is no maximum
        words.append(
            f"{label}: {ratio[0]:.2f} at the first step, at most {ratio[top]:.2f}, at step {steps[top]}, and "
            f"{ratio[-1]:.2f} at step {steps[-1]}"
        )
    tidy(axes, title="Adam's step for one parameter", x="step", y=r"size of the step $/\,\eta$")
    axes.set_ylim(bottom=0)
    axes.set_yticks([0, 1, 3**0.5, 7**0.5], ["0", "1", r"$\sqrt{3}$", r"$\sqrt{7}$"])
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
    figure.legend(*both.get_legend_handles_labels(), fontsize=9, frameon=False, loc="outside lower center", ncols=2)
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


def steady_climb(groups: Mapping[int, AdamRuns]) -> LessonFigure:
    """||theta||, |Q|^(1/L), and how far the latter lies from its line, every seed; a column a depth.

    The straight line is that of the seed whose last value is the middle one, drawn thick, over the window of the fit.

    Args:
        groups: depth L to runs that all climb.
    """
    figure = LessonFigure(9.0, 7.0)
    words = []
    columns = figure.subplots(3, len(groups), sharex=True, squeeze=False).T
    middle_seed: dict[str, Any] = {"color": BLUE, "linewidth": 2.4}
    pale: dict[str, Any] = {"color": BLUE, "linewidth": 0.6, "alpha": 0.35}
    straight: dict[str, Any] = {"color": "black", "linewidth": 1.4, "linestyle": "--"}
    for (upper, lower, rest), (depth, runs) in zip(columns, groups.items(), strict=True):
        windows = list(runs.climbs())
        for axes, values, pick, name, said in (
            (upper, runs.parameter_norm, 1, r"$\|\theta\|$", "norm of the parameters"),
            (lower, runs.q_max ** (1 / depth), 2, rf"$|Q|^{{1/{depth}}}$", f"root {depth} of the largest |Q|"),
        ):
            middle = int(np.argsort(values[:, -1])[len(values) // 2])
            axes.plot(runs.step, values.T, **pale)
            axes.plot(runs.step, values[middle], **middle_seed)
            for row, window in enumerate(windows):
                there, y = window[0], window[pick] if pick == 1 else window[pick] ** (1 / depth)
                line = fit_line(there, y)
                fitted = line.intercept + line.slope * there
                if row == middle:
                    axes.plot(there, fitted, **straight)
                if axes is lower:
                    rest.plot(there, 100 * (y - fitted) / y[-1], **(middle_seed if row == middle else pale))
            tidy(axes, y=name)
            axes.set_ylim(bottom=0)
            words.append(
                f"depth {depth}, {said}: from {np.median(values[:, 0]):.3g} to {np.median(values[:, -1]):.3g} (medians)"
            )
        rest.axhline(0, **straight)
        tidy(rest, x="training step", y=f"$|Q|^{{1/{depth}}}$ minus line,\n% of the last value")
        upper.set_title(f"depth $L = {depth}$", fontsize=11, loc="left")
    handles = [
        Line2D([], [], label=label, **look)
        for label, look in (
            (f"{len(runs.seed)} seeds", pale),
            ("the middle seed", middle_seed),
            ("its straight line", straight),
        )
    ]
    figure.legend(handles=handles, fontsize=9, frameon=False, loc="outside lower center", ncols=3)
    figure.alt = (
        "Against the training step, under Adam, every seed climbs nearly on a straight line. The curves lie below "
        "their lines at both ends and above them in the middle: they bend downwards. " + "; ".join(words) + "."
    )
    return figure


def ratio_through_training(
    step: np.ndarray, groups: Mapping[int, tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]]
) -> LessonFigure:
    """m / sqrt(v) over the steps: medians and bands over seeds, and what one number under Adam does; a panel a depth.

    Args:
        step: `(T,)` steps.
        groups: depth L to what was measured, label to `(S, T)`, and to the models, label to `(T,)`; two of each.
    """
    figure = LessonFigure(9.2, 4.2)
    words = []
    panels = np.atleast_1d(figure.subplots(1, len(groups), sharey=True))
    thin = ({"linestyle": "-", "linewidth": 1.0}, {"linestyle": ":", "linewidth": 1.6})
    for axes, (depth, (measured, models)) in zip(panels, groups.items(), strict=True):
        for (label, values), style in zip(measured.items(), series(), strict=False):
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
            axes.fill_between(step, low, high, color=style["color"], **BAND)
            axes.plot(step, middle, label=label, **{**style, "linewidth": 2.6})
            top = int(middle.argmax())
            words.append(
                f"depth {depth}, {label}: {middle[0]:.2f} at step {step[0]}, at most {middle[top]:.2f}, at step "
                f"{step[top]}, and {middle[-1]:.2f} at step {step[-1]}"
            )
        for (label, values), look in zip(models.items(), thin, strict=False):
            axes.plot(step, values, color="black", label=label, **look)
            words.append(f"{label}: at most {values.max():.2f}, at the end {values[-1]:.2f}")
        axes.fill_between([], [], color=GREY, label=SEEDS, **BAND)
        early = (4 * depth - 1) ** 0.5
        for level in (1, early):
            axes.axhline(level, color=GREY, linewidth=0.8)
        axes.annotate(
            rf"$\sqrt{{4L-1}} = {early:.2f}$", (step[-1], early), (0, 3), textcoords="offset points", ha="right",
            fontsize=9,
        )  # fmt: skip
        tidy(axes, title=f"depth $L = {depth}$", x="training step")
    panels[0].set_ylabel(r"$\zeta$: step of a parameter $/\,\eta$")
    panels[0].set_ylim(0, 1.12 * (4 * max(groups) - 1) ** 0.5)
    figure.legend(
        *panels[0].get_legend_handles_labels(), fontsize=9, frameon=False, loc="outside lower center", ncols=3
    )
    figure.alt = "Ratio of m to the root of v over training, medians over the seeds. " + "; ".join(words) + "."
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
    """Growth of ||u|| a step, beside eps SEEM and the same with Adam's step sizes; right, the latter over the former.

    Args:
        step: `(T,)` steps.
        measured: `(S, T)` log-growth of ||u|| a step.
        sgd: `(S, T)` eps SEEM.
        adam: `(S, T)` eps max Re eig(A_Adam).
    """
    figure = LessonFigure(9.2, 4.0)
    left, right = figure.subplots(1, 2)
    words = []
    looks: tuple[dict[str, Any], ...] = (
        {"color": ORANGE, "linestyle": "--", "label": r"$\varepsilon$ SEEM, made for SGD"},
        {"color": BLUE, "linestyle": "-", "label": r"$\varepsilon$ max Re eig $A_{\mathrm{Adam}}$"},
        {"color": "black", "linestyle": ":", "linewidth": 3, "label": "measured"},
    )
    for values, name, look in zip((sgd, adam, measured), ("SEEM", "A_Adam", "measured"), looks, strict=True):
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
        left.fill_between(step, low, high, color=look["color"], **BAND)
        left.plot(step, middle, **look)
        words.append(f"{name} {middle[0]:.2g} at step {step[0]} and {middle[-1]:.2g} at step {step[-1]}")
    left.fill_between([], [], color=GREY, label=SEEDS, **BAND)
    left.set_yscale("log")
    tidy(left, title="Growth of the TD error", x="training step", y=r"growth of $\log\,\|u\|$ per step")
    low, middle, high = np.quantile(adam / measured, [0.1, 0.5, 0.9], axis=0)
    right.fill_between(step, low, high, color=BLUE, **BAND)
    right.plot(step, middle, color=BLUE)
    right.axhline(1, color="black", linewidth=3, linestyle=":")
    tidy(right, title=r"$\varepsilon$ max Re eig $A_{\mathrm{Adam}}$ / measured", x="training step", y="ratio")
    figure.legend(*left.get_legend_handles_labels(), fontsize=9, frameon=False, loc="outside lower center", ncols=4)
    figure.alt = (
        f"Left, logarithmic axis: growth of the TD error per step, medians over {len(measured)} seeds; predicted by "
        "eps times SEEM, by eps times the leading eigenvalue of A_Adam, and measured: " + "; ".join(words) + ". "
        f"Right: the second over the third, {middle[0]:.2f} at step {step[0]}, {middle[-1]:.2f} at step {step[-1]}."
    )
    return figure
