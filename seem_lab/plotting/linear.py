"""The pictures of lesson 02: the star, eigenvalues in the plane, errors over steps, where SEEM's sign is not enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import ArrayLike
from torch import Tensor

from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy
from seem_lab.problems import Problem
from seem_lab.training import History

MARKERS = ("o", "^", "s", "D")


def star_picture(star: Problem, weights: Tensor) -> LessonFigure:
    """Baird's star: its seven states, an arrow from each to its next state, its value as a formula and as a number.

    Args:
        star: the problem; every transition leads to its last state.
        weights: `(8,)` at the start.
    """
    formulas = [
        " + ".join(f"{'' if factor == 1 else f'{factor:g}'}w_{{{i + 1}}}" for i, factor in enumerate(row) if factor)
        for row in star.x.tolist()
    ]
    start = (star.x @ weights).tolist()
    leaves = star.n - 1
    figure = LessonFigure(8.0, 3.0)
    axes = figure.subplots()
    axes.set(xlim=(-0.6, leaves - 0.4), ylim=(-0.6, 1.65))
    axes.axis("off")
    middle = (leaves - 1) / 2
    for i in range(leaves):
        axes.annotate(
            "", (middle, 0), (i, 1), arrowprops={"arrowstyle": "-|>", "color": GREY, "shrinkA": 14, "shrinkB": 16}
        )
        axes.text(i, 1.24, f"${formulas[i]}$\nstart: {start[i]:g}", ha="center", va="bottom")
    back = {"arrowstyle": "-|>", "color": GREY, "connectionstyle": "arc3,rad=2", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (middle + 0.1, -0.16), (middle - 0.1, -0.16), arrowprops=back)
    axes.text(middle + 0.35, -0.1, f"${formulas[-1]}$\nstart: {start[-1]:g}", ha="left", va="center")
    axes.scatter(np.arange(leaves), np.ones(leaves), s=500, color="white", edgecolors=BLUE, linewidths=2, zorder=3)
    axes.scatter(middle, 0, s=550, marker="s", color="white", edgecolors=ORANGE, linewidths=2, zorder=3)
    for number, (x, y) in enumerate([*((i, 1) for i in range(leaves)), (middle, 0)], start=1):
        axes.text(x, y, f"{number}", ha="center", va="center", zorder=4)
    words = [formula.replace("{", "").replace("}", "") for formula in formulas]
    figure.alt = (
        f"The {star.n} states of Baird's star. {leaves} circles in a row, the leaves, with the values {words[0]} to "
        f"{words[-2]}, each {start[0]:g} at the start. Below them a square, the centre, with the value {words[-1]}, "
        f"{start[-1]:g} at the start. An arrow leads from every leaf to the centre, "
        "and one from the centre back to itself."
    )
    return figure


def error_growth(run: History, title: str, line: tuple[float, float] | None = None) -> LessonFigure:
    """||u|| over the steps of a run on a logarithmic axis, and the straight line predicted for it.

    Args:
        run: a training run.
        title: which one.
        line: (height at step 0, growth `log|1 + eps lambda|` a step) of the dashed line.
    """
    u = run.td_error_norm
    figure = LessonFigure(6.5, 3.0)
    axes = tidy(figure.subplots(), title=title, x="step k", y="TD error $||u_k||$")
    axes.semilogy(run.step, u, color=BLUE, linewidth=2.2, label="measured")
    figure.alt = (
        f"TD error over {run.step[-1]} steps, logarithmic axis. {title}: it goes from {u[0]:.3g} to {u[-1]:.3g}, "
        f"falling in {(np.diff(u) < 0).mean():.0%} of the steps."
    )
    if line is not None:
        height, rate = line
        predicted = height * np.exp(rate * run.step)
        axes.semilogy(run.step, predicted, color=ORANGE, linestyle="--", linewidth=1.8, label="predicted slope")
        axes.legend(frameon=False)
        ratio = u / predicted
        figure.alt += (
            f" The predicted straight line rises by {rate:.4g} a step; the error stays between {ratio.min():.2f} and "
            f"{ratio.max():.2f} times the line."
        )
    return figure


def growth_per_step(run: History, rate: float) -> LessonFigure:
    """How much log ||u|| grows in every step of a run, beside the growth of the leading mode.

    Args:
        run: recorded in every step.
        rate: `log|1 + eps lambda|` of the leading mode.
    """
    growth = np.diff(np.log(run.td_error_norm))
    figure = LessonFigure(6.5, 3.0)
    axes = tidy(figure.subplots(), title="Growth in every step", x="step k", y=r"$\log(||u_{k+1}||\,/\,||u_k||)$")
    axes.plot(run.step[:-1], growth, color=BLUE, linewidth=2.2, label="measured")
    axes.axhline(rate, color=ORANGE, linestyle="--", linewidth=1.8, label=r"$\log|1 + \varepsilon\lambda|$")
    axes.legend(frameon=False)
    near = int(np.argmax(np.abs(growth / rate - 1) < 0.01))
    figure.alt = (
        f"Growth of the logarithm of the TD error in every step. It starts at {growth[0]:.5f}, is within one per cent "
        f"of the predicted {rate:.5f} from step {near} on, and ends at {growth[-1]:.5f}."
    )
    return figure


def shared_spectrum(spectra: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> LessonFigure:
    """Eigenvalues of the kernel matrix A (rings) and of the parameter matrix K (crosses), one axes a problem.

    Where several rings lie on each other, their number stands above, such as 5x.

    Args:
        spectra: title -> (eigenvalues of A, eigenvalues of K).
    """
    figure = LessonFigure(4.2 * len(spectra), 3.3)
    told = []
    for axes, (name, (kernel, parameter)) in zip(
        np.ravel(figure.subplots(1, len(spectra))), spectra.items(), strict=True
    ):
        kernel, parameter = np.asarray(kernel), np.asarray(parameter)
        axes.scatter(
            kernel.real, kernel.imag, s=110, facecolors="none", edgecolors=BLUE, linewidths=1.8, label="A, (N, N)"
        )
        axes.scatter(parameter.real, parameter.imag, s=45, marker="x", color=ORANGE, linewidths=1.8, label="K, (P, P)")
        _axes_of_the_plane(axes)
        places = _places(kernel)
        for place, count in places:
            if count > 1:
                where, white = (place.real, place.imag), dict(facecolor="white", edgecolor="none", pad=0.5)
                axes.annotate(f"{count}x", where, (0, 10), textcoords="offset points", ha="center", bbox=white)
        tidy(axes, title=name, x=r"Re $\lambda$", y=r"Im $\lambda$")
        axes.margins(0.12, 0.15)
        height = max(0.5, 1.4 * np.abs(kernel.imag).max())
        axes.set_ylim(-height, height)
        axes.legend(frameon=True, framealpha=0.9, edgecolor="none", loc="lower center")
        told.append(
            f"{name}: {len(kernel)} rings at {len(places)} places, {len(parameter)} crosses; every ring away from zero "
            f"holds a cross, and {_zeros(kernel)} eigenvalues of A and {_zeros(parameter)} of K are zero"
        )
    figure.alt = "Eigenvalues in the complex plane. " + ". ".join(told) + "."
    return figure


def stability_circle(eigenvalues: ArrayLike, steps: Sequence[float]) -> LessonFigure:
    """Eigenvalues of A in the complex plane with the circle |1 + eps lambda| = 1, one axes a step size eps.

    Inside the circle a mode shrinks, outside (shaded) it grows. Growing modes are drawn filled.

    Args:
        eigenvalues: `(N,)` complex.
        steps: the step sizes eps.
    """
    values = np.asarray(eigenvalues)
    figure = LessonFigure(3.7 * len(steps), 3.0)
    pad = 0.25 * np.ptp(values.real)
    height = 1.6 * np.abs(values.imag).max() + 0.2
    told = []
    for axes, eps in zip(np.ravel(figure.subplots(1, len(steps))), steps, strict=True):
        axes.set_facecolor("#E4E4E4")
        axes.add_patch(Circle((-1 / eps, 0), 1 / eps, facecolor="white", edgecolor="black", linewidth=1.5))
        grows = np.abs(1 + eps * values) > 1 + 1e-12
        axes.plot(values[~grows].real, values[~grows].imag, "o", mfc="none", color=BLUE, ms=8, mew=1.6, label="shrinks")
        axes.plot(values[grows].real, values[grows].imag, "s", color=ORANGE, mec="black", ms=8, label="grows (shaded)")
        _axes_of_the_plane(axes)
        tidy(axes, title=rf"$\varepsilon$ = {eps:.3g}: circle of radius {1 / eps:.3g}", x=r"Re $\lambda$")
        axes.set(aspect="equal", ylim=(-height, height), xlim=(values.real.min() - pad, values.real.max() + pad))
        told.append(f"eps {eps:.3g}, radius {1 / eps:.3g}: {grows.sum()} of {len(values)} lie outside and grow")
    figure.axes[0].set_ylabel(r"Im $\lambda$")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.alt = (
        f"{len(values)} eigenvalues between real parts {values.real.min():.2f} and {values.real.max():.2f}, and the "
        "circle through zero on which a mode neither grows nor shrinks. " + ". ".join(told) + "."
    )
    return figure


def pair_path(gamma: ArrayLike, eigenvalues: ArrayLike, marked: Mapping[float, ArrayLike]) -> LessonFigure:
    """The way of two eigenvalues through the complex plane as gamma rises.

    Args:
        gamma: `(M,)` discounts, rising.
        eigenvalues: `(M, 2)` complex, the two eigenvalues at each.
        marked: gamma -> its two eigenvalues, drawn large with their gamma beside them.
    """
    gamma, eigenvalues = np.asarray(gamma, float), np.asarray(eigenvalues, complex)
    figure = LessonFigure(6.5, 3.6)
    axes = figure.subplots()
    axes.axvspan(0, 10, color="#E4E4E4")
    label = dict(facecolor="white", edgecolor="none", alpha=0.8, pad=1)
    axes.scatter(eigenvalues.real, eigenvalues.imag, s=5, color=GREY)
    for marker, (value, pair), style in zip(MARKERS, marked.items(), series(), strict=False):
        pair = np.asarray(pair)
        axes.scatter(pair.real, pair.imag, s=70, marker=marker, color=style["color"], edgecolors="black", zorder=3)
        right = pair[np.lexsort((pair.imag, pair.real.round(9)))[-1]]
        axes.annotate(
            rf"$\gamma$ = {value:g}", (right.real, right.imag), (8, 7), textcoords="offset points", bbox=label
        )
    _axes_of_the_plane(axes)
    tidy(axes, title="Two eigenvalues as the discount rises (shaded: SEEM > 0)", x=r"Re $\lambda$", y=r"Im $\lambda$")
    axes.set_xlim(eigenvalues.real.min() - 0.2, eigenvalues.real.max() + 0.4)
    crossing = np.interp(0, eigenvalues.real.max(1), gamma)
    height = np.interp(crossing, gamma, np.abs(eigenvalues.imag).max(1))
    meeting = int(np.argmax(np.abs(eigenvalues.imag).max(1) < 1e-9))
    figure.alt = (
        f"Two eigenvalues in the complex plane, gamma from {gamma[0]:.2f} to {gamma[-1]:.2f}. A conjugate pair moves "
        f"right and crosses the imaginary axis near gamma {crossing:.3f}, {height:.2f} above and below the real one. "
        f"Near gamma {gamma[meeting]:.3f} the two meet on the real axis and part along it; "
        f"the right one ends at {eigenvalues[-1].real.max():.3g}."
    )
    return figure


def error_plane(paths: Mapping[str, ArrayLike]) -> LessonFigure:
    """Two numbers of the TD error against each other, step by step, one axes a run.

    Args:
        paths: title -> `(steps, 2)`: error at a leaf, error at the centre.
    """
    figure = LessonFigure(3.2 * len(paths), 3.3)
    told = []
    for axes, (name, pairs) in zip(np.ravel(figure.subplots(1, len(paths))), paths.items(), strict=True):
        path = np.asarray(pairs)
        length = np.linalg.norm(path, axis=1)
        axes.plot(*path.T, color=BLUE, linewidth=1.6)
        axes.plot(*path[0], "o", color="white", markeredgecolor="black", label="start")
        axes.plot(*path[-1], "s", color=ORANGE, markeredgecolor="black", label="end")
        tidy(axes, title=name, x="error at a leaf", y="")
        axes.margins(0.1)
        axes.set_aspect("equal", adjustable="datalim")
        turns = abs(np.unwrap(np.arctan2(path[:, 1], path[:, 0]))[[0, -1]] @ [-1, 1]) / (2 * np.pi)
        told.append(
            f"{name}: in {len(path) - 1} steps and {turns:.1f} turns the length goes from {length[0]:.3g} "
            f"to {length[-1]:.3g}"
        )
    figure.axes[0].set_ylabel("error at the centre")
    figure.axes[0].legend(frameon=False)
    figure.alt = "TD error at a leaf and at the centre. " + ". ".join(told) + "."
    return figure


def sign_and_growth(lr: ArrayLike, shares: Mapping[str, ArrayLike]) -> LessonFigure:
    """Shares of problems over the learning rate.

    Args:
        lr: `(M,)` learning rates.
        shares: label -> `(M,)` shares in [0, 1].
    """
    lr = np.asarray(lr, float)
    figure = LessonFigure(7.5, 3.5)
    axes = figure.subplots()
    told = []
    for (name, share), style in zip(shares.items(), series(), strict=False):
        percent = 100 * np.asarray(share)
        axes.semilogx(lr, percent, label=name, **style)
        moved = np.abs(percent - percent[0]) > 0.1
        then = f"the same up to {lr[moved.argmax() - 1]:.2g}" if moved.any() else "the same everywhere"
        told.append(
            f"{name}: {percent[0]:.1f} % at learning rate {lr[0]:g}, {then}, {percent[-1]:.1f} % at {lr[-1]:g}, "
            f"at most {percent.max():.1f} %"
        )
    tidy(axes, title="Who grows, and why", x="learning rate", y="% of the problems")
    axes.legend(frameon=False, loc="upper left")
    axes.set_ylim(-3, 106)
    figure.alt = "Share of random problems over the learning rate. " + ". ".join(told) + "."
    return figure


def transient_growth(
    step: ArrayLike, curves: Mapping[str, ArrayLike], largest: Mapping[str, ArrayLike]
) -> LessonFigure:
    """Errors that grow before they decay: some of them over the steps, and how much they grow at most.

    Args:
        step: `(M,)` steps.
        curves: label -> `(M,)` values of ||u_k|| / ||u_0||.
        largest: label -> the largest value of that ratio in each of many problems.
    """
    step = np.asarray(step)
    curve_of = {name: np.asarray(curve) for name, curve in curves.items()}
    sorted_of = {name: np.sort(np.asarray(values)) for name, values in largest.items()}
    top = max(values[-1] for values in sorted_of.values())
    figure = LessonFigure(8.6, 3.4)
    left, right = figure.subplots(1, 2)
    tidy(left, title="All of these have SEEM < 0", x="step k", y=r"$||u_k||\,/\,||u_0||$")
    for (name, curve), style in zip(curve_of.items(), series(), strict=False):
        left.loglog(step, curve, label=name, **style)
    left.axhline(1, color="black", linewidth=0.8)
    left.set_ylim(3e-3, 3 * max(curve.max() for curve in curve_of.values()))
    left.legend(frameon=False, loc="lower left", fontsize=9)
    told = []
    for (name, values), style in zip(sorted_of.items(), series(), strict=False):
        right.step(values, 100 * (1 - np.arange(len(values)) / len(values)), where="post", label=name, **style)
        told.append(f"{name}: median {np.median(values):.2f}, largest {values[-1]:.2f} of {len(values)} problems")
    right.set_xscale("log")
    ticks = [tick for tick in (1, 1.5, 2, 3, 5, 10) if tick <= 1.2 * top]
    right.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    tidy(right, title="How far up?", x="largest growth factor", y="% of problems above it")
    right.legend(frameon=False, fontsize=9)
    figure.alt = (
        f"Left: the size of the error against its start, over {step[-1]} steps, in problems with SEEM below zero. "
        + "; ".join(
            f"{name}: at most {curve.max():.2f}, {curve[-1]:.2g} at the end" for name, curve in curve_of.items()
        )
        + ". Right: share of problems above a growth factor. "
        + ". ".join(told)
        + "."
    )
    return figure


def seem_by_discount(gamma: ArrayLike, values: Mapping[str, ArrayLike]) -> LessonFigure:
    """SEEM over gamma, one line for each set of features, and where it passes zero.

    Args:
        gamma: `(M,)` discounts, rising.
        values: label -> `(M,)` SEEM.
    """
    gamma = np.asarray(gamma)
    figure = LessonFigure(7.0, 3.4)
    axes = figure.subplots()
    axes.axhline(0, color="black", linewidth=0.9)
    told = []
    for (name, value), style in zip(values.items(), series(), strict=False):
        value = np.asarray(value)
        axes.plot(gamma, value, label=name, **style)
        positive = value > 0
        threshold = f"positive from gamma {gamma[positive.argmax()]:.3f}" if positive.any() else "never positive"
        told.append(f"{name}: {threshold}, {value[-1]:.3g} at gamma {gamma[-1]:.2f}")
    tidy(axes, title="What normalising does to Baird's star", x=r"discount $\gamma$", y="SEEM")
    axes.legend(frameon=False)
    figure.alt = "SEEM over the discount. " + ". ".join(told) + "."
    return figure


def _axes_of_the_plane(axes: Axes) -> None:
    """The real and the imaginary axis."""
    axes.axhline(0, color="black", linewidth=0.8, zorder=1)
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)


def _places(eigenvalues: np.ndarray) -> list[tuple[complex, int]]:
    """The different eigenvalues, up to rounding, and how often each occurs."""
    near = 1e-6 * np.abs(eigenvalues).max()
    found: list[tuple[complex, int]] = []
    for value in eigenvalues:
        if all(abs(value - place) > near for place, _ in found):
            found.append((complex(value), int((np.abs(eigenvalues - value) <= near).sum())))
    return found


def _zeros(eigenvalues: np.ndarray) -> int:
    """How many eigenvalues are zero, up to rounding."""
    return int((np.abs(eigenvalues) < 1e-9 * np.abs(eigenvalues).max()).sum())
