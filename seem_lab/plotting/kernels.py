"""Pictures of tangent kernels: what one update moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.contour import QuadContourSet

from seem_lab.plotting.figure import BLUE, GREY, ORANGE, LessonFigure, series, tidy

# Light to dark in steps of lightness, so that grey says the same as colour; never so dark that black text is lost.
RESPONSE_MAP = ListedColormap(
    np.linspace([0.97, 0.98, 1.0], [0.16, 0.44, 0.72], 128), name="response", under="white", over="#1B5C94"
)
RESPONSE_NORM = Normalize(0.0, 2.0)
RESPONSE_LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
STYLES = tuple(islice(series(), 3))
BAND = "line: median; band: 10 to 90 % of seeds"


def kernel_with_shapes(
    kernel: np.ndarray, rows: Sequence[int], columns: Sequence[int], row: int = 0, column: int = 1
) -> LessonFigure:
    """A small kernel G(X*, X) written out, with one row, one column and their crossing explained.

    Args:
        kernel: `(M, N)`, a handful of rows and columns.
        rows: `(M,)` transitions whose bootstrap inputs are the rows.
        columns: `(N,)` transitions whose data inputs are the columns.
        row: the row to point at.
        column: the column to point at.
    """
    m, n = kernel.shape
    figure = LessonFigure(8.0, 1.4 + 0.55 * m)
    axes = figure.subplots()
    axes.axis("off")
    axes.set_xlim(-2.2, n + 3.4)
    axes.set_ylim(m + 1.1, -1.0)
    axes.fill_between([column, column + 1], 0, m, color="#CFE3F3")
    axes.fill_between([0, n], row, row + 1, facecolor="none", edgecolor=ORANGE, hatch="//", linewidth=0)
    axes.hlines(range(m + 1), 0, n, color=GREY, linewidth=0.8)
    axes.vlines(range(n + 1), 0, m, color=GREY, linewidth=0.8)
    for (i, j), value in np.ndenumerate(kernel):
        edge = "black" if (i, j) == (row, column) else "none"
        axes.text(
            j + 0.5,
            i + 0.5,
            f"{value:.1f}",
            ha="center",
            va="center",
            fontsize=11,
            bbox={"facecolor": "white", "edgecolor": edge, "pad": 2.5},
        )
    for i, transition in enumerate(rows):
        axes.text(-0.15, i + 0.5, f"$x^*_{{{transition}}}$", ha="right", va="center", fontsize=12)
    for j, transition in enumerate(columns):
        axes.text(j + 0.5, -0.15, f"$x_{{{transition}}}$", ha="center", va="bottom", fontsize=12)
    axes.text(n / 2, -0.62, f"{n} columns: updated", ha="center", va="bottom", fontsize=10)
    axes.text(-0.8, m / 2, f"{m} rows:\nread, moves", ha="right", va="center", fontsize=10)
    axes.annotate(
        f"hatched row: what the updates at these\n{n} inputs do to $Q(x^*_{{{rows[row]}}})$",
        (n, row + 0.5),
        (n + 0.3, row + 0.5),
        fontsize=10,
        va="center",
        arrowprops={"arrowstyle": "-"},
    )
    axes.annotate(
        f"shaded column: what one update at $x_{{{columns[column]}}}$ does to these {m} bootstrap values",
        (column + 0.5, m),
        (column + 0.35, m + 0.75),
        fontsize=10,
        ha="left",
        arrowprops={"arrowstyle": "-", "relpos": (0.02, 1)},
    )
    figure.alt = (
        f"A table of {m} rows and {n} columns, the kernel G of X star and X. Rows are bootstrap inputs, read; "
        f"columns are data inputs, updated. The column of transition {columns[column]} is one update: "
        f"its {m} entries say how far it moves each bootstrap value. The row of transition {rows[row]} lists what "
        f"moves its bootstrap value. Where they cross stands {kernel[row, column]:.1f}: the effect of an update at the "
        f"data of transition {columns[column]} on the target of transition {rows[row]}."
    )
    return figure


def generalisation_maps(
    maps: Mapping[str, np.ndarray],
    axis: np.ndarray,
    updated: Sequence[float],
    visited: np.ndarray,
) -> LessonFigure:
    """The response of Q over the plane to one update, in units of the response at the updated point.

    Args:
        maps: title to `(K, K)` values of G(y, x0) / G(x0, x0), y the input that is read, one row for
            each position north.
        axis: `(K,)` positions east, and positions north.
        updated: position (east, north) of the updated point x0.
        visited: `(N, 2)` positions in the data.
    """
    figure = LessonFigure(8.6, 3.7)
    panels = figure.subplots(1, len(maps), squeeze=False, sharey=True)[0]
    words = []
    for axes, (title, values) in zip(panels, maps.items(), strict=True):
        bands = _response(axes, axis, values)
        axes.scatter(*visited.T, s=12, color="black", edgecolor="white", linewidth=0.5, zorder=4)
        axes.plot(*updated, marker="*", markersize=17, color=ORANGE, markeredgecolor="black", zorder=5)
        axes.set(aspect="equal", xlim=axis[[0, -1]], ylim=axis[[0, -1]])
        tidy(axes, title=title, x="position, east")
        axes.grid(False)
        row, column = np.unravel_index(values.argmax(), values.shape)
        words.append(
            f"{title}: from {abs(values.min()):.2f} to {values.max():.2f}, largest at "
            f"({axis[column]:.1f}, {axis[row]:.1f}), above 1 on {100 * (values > 1).mean():.0f} % of the plane"
        )
    panels[0].set_ylabel("position, north")
    figure.colorbar(bands, ax=panels, shrink=0.9, label="$G(y, x_0)\\,/\\,G(x_0, x_0)$:  read $y$, updated $x_0$")
    figure.alt = (
        f"Maps of the plane. The star is the updated point at ({updated[0]:.2f}, {updated[1]:.2f}), the dots are the "
        "data. Dark means that Q moves far; a contour labelled 1 is where it moves exactly as far as at the star. "
        + "; ".join(words)
        + "."
    )
    return figure


def response_along_ray(distance: np.ndarray, rays: Mapping[str, Mapping[str, np.ndarray]]) -> LessonFigure:
    """G(y, x0) / G(x0, x0) on rays that leave x0, logarithmic axes: median and 10 to 90 % band over seeds.

    Args:
        distance: `(D,)` distance of y from x0, positive.
        rays: direction of a ray to its curves, label of the network to `(seeds, D)`, positive.
    """
    figure = LessonFigure(8.6, 3.7)
    panels = figure.subplots(1, len(rays), squeeze=False, sharey=True)[0]
    words = []
    for axes, (direction, curves) in zip(panels, rays.items(), strict=True):
        axes.axhline(1, color="black", linewidth=0.8)
        for number, (label, values) in enumerate(curves.items()):
            low, middle, high = _band(axes, distance, values, label, number)
            least = middle.argmin()
            words.append(
                f"{direction}, {label}: the median is smallest at distance {distance[least]:.2g} with "
                f"{middle[least]:.2f}, and {middle[-1]:.2f} at distance {distance[-1]:g}, where 80 % of {len(values)} "
                f"seeds lie between {low[-1]:.2f} and {high[-1]:.2f}"
            )
        axes.set(xscale="log", yscale="log")
        tidy(axes, title=direction, x="distance of $y$ from $x_0$")
    panels[0].set_ylabel("$G(y, x_0)\\,/\\,G(x_0, x_0)$")
    panels[0].annotate(
        "as far as at $x_0$", (distance[-1], 1), (0, 3), fontsize=9, ha="right", textcoords="offset points"
    )
    panels[0].legend(fontsize=9, frameon=False, loc="upper left", title=BAND, title_fontsize=9)
    figure.alt = (
        "Relative response against distance from the updated point, logarithmic axes; 1 is the response at the point "
        "itself. " + "; ".join(words) + "."
    )
    return figure


def kernel_matrix(kernel: np.ndarray, order: np.ndarray, by: str) -> LessonFigure:
    """A square kernel as a picture, scaled to cosines.

    Args:
        kernel: `(N, N)` G(X, X).
        order: `(N,)` permutation of the inputs.
        by: what the inputs are sorted by.
    """
    length = np.sqrt(np.diag(kernel))
    cosine = np.minimum(kernel / np.outer(length, length), 1.0)[np.ix_(order, order)]
    low = np.floor(10 * cosine.min()) / 10
    tenths = RESPONSE_MAP.resampled(round(10 * (1 - low)))
    figure = LessonFigure(6.2, 4.4)
    axes = figure.subplots()
    image = axes.imshow(cosine, cmap=tenths, vmin=low, vmax=1, interpolation="nearest")
    tidy(axes, title=f"{len(kernel)} inputs, sorted by {by}", x="updated input $x$", y="read input $y$")
    axes.grid(False)
    figure.colorbar(image, ax=axes, shrink=0.9, label=r"cosine  $G(y, x)\,/\,\sqrt{G(y, y)\,G(x, x)}$")
    neighbours, ends = np.median(np.diag(cosine, 1)), cosine[0, -1]
    figure.alt = (
        f"The kernel of {len(kernel)} inputs as a square picture, sorted by {by}, each entry as a cosine: at least "
        f"{cosine.min():.2f}, median {np.median(cosine):.2f}, 1 on the diagonal. Neighbours in this order have "
        f"median {neighbours:.2f}, the first and the last input {ends:.2f}."
    )
    return figure


def seem_at_start(groups: Mapping[str, np.ndarray], nearly_zero: float) -> LessonFigure:
    """Relative SEEM of fresh networks, one row of marks a group, logarithmic axis (all values must be positive).

    Args:
        groups: label to SEEM / ||A||, one value a network.
        nearly_zero: values below are shaded.
    """
    figure = LessonFigure(8.0, 1.4 + 0.5 * len(groups))
    axes = figure.subplots()
    lowest = min(values.min() for values in groups.values()) / 2
    axes.axvspan(min(lowest, nearly_zero / 2), nearly_zero, color="#E6E6E6")
    axes.text(nearly_zero, -0.42, "nearly zero ", ha="right", va="center", fontsize=9)
    words = []
    for row, (label, values) in enumerate(groups.items()):
        middle = np.median(values)
        axes.plot(values, np.full(len(values), row), "|", color=BLUE, markersize=16, markeredgewidth=1.6)
        axes.plot(middle, row, "D", color=ORANGE, markersize=8, markeredgecolor="black")
        words.append(
            f"{label}: {len(values)} networks from {values.min():.1g} to {values.max():.1g}, median {middle:.2g}, "
            f"{(values < nearly_zero).sum()} of them below {nearly_zero:g}"
        )
    axes.set_xscale("log")
    axes.set_xlim(left=min(lowest, nearly_zero / 2))
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.5, -0.6)
    tidy(axes, title="bar: one fresh network;  diamond: median", x=r"SEEM$\,/\,\|A\|$ at initialisation")
    figure.alt = "SEEM over the size of A, for fresh networks, on a logarithmic axis. " + "; ".join(words) + "."
    return figure


def kernel_drift(step: np.ndarray, drifts: Mapping[str, np.ndarray]) -> LessonFigure:
    """How far the kernel has moved from where it began, over training: median and 10 to 90 % band over seeds.

    Each curve ends where its runs have blown up; a cross marks the last value of every run that did.

    Args:
        step: `(T,)` training steps.
        drifts: label to `(seeds, T)` relative changes, infinite once a run has diverged.
    """
    figure = LessonFigure(7.0, 3.8)
    axes = figure.subplots()
    axes.axhline(1, color="black", linewidth=0.8)
    words, crosses = [], "last value of a run that blew up"
    for number, (label, values) in enumerate(drifts.items()):
        low, middle, high = _band(axes, step, values, label, number)
        last = np.isfinite(values).sum(axis=1) - 1
        blown = (last >= 0) & (last < len(step) - 1)
        if blown.any():
            color = STYLES[number]["color"]
            axes.plot(step[last[blown]], values[blown, last[blown]], "x", color=color, markersize=6, label=crosses)
        ends = [f"{v:.2g}" if np.isfinite(v) else "blown up" for v in (low[-1], middle[-1], high[-1])]
        words.append(
            f"{label}: median {ends[1]} after {step[-1]} steps, 10 to 90 % of seeds from {ends[0]} to {ends[2]}, "
            f"{np.isinf(values[:, -1]).sum()} of {len(values)} runs blown up by then"
        )
    axes.annotate(
        "changed by its own size",
        (0, 1),
        (4, 4),
        fontsize=9,
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
    )
    axes.set_yscale("log")
    tidy(axes, title="The kernel does not stand still", x="training step", y=r"$\|G_t - G_0\|\,/\,\|G_0\|$")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), title=BAND, title_fontsize=8)
    figure.alt = "Relative change of the kernel G(X, X) since step 0, logarithmic axis. " + "; ".join(words) + "."
    return figure


def _band(axes: Axes, x: np.ndarray, values: np.ndarray, label: str, number: int) -> np.ndarray:
    """Draw the median over the first axis and its 10 to 90 % band, as far as finite; returns the three curves."""
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf")
    top, line = (np.where(np.isfinite(curve), curve, np.nan) for curve in (high, middle))
    look = STYLES[number]
    axes.fill_between(x, low, top, color=look["color"], alpha=0.15, hatch=("", "//", "..")[number], linewidth=0.5)
    axes.plot(x, line, label=label, **look)
    return np.stack([low, middle, high])


def _response(axes: Axes, axis: np.ndarray, values: np.ndarray) -> QuadContourSet:
    """Filled contours of a relative response, with labelled lines; the line at 1 is heavy."""
    bands = axes.contourf(
        axis, axis, values, levels=RESPONSE_LEVELS, cmap=RESPONSE_MAP, norm=RESPONSE_NORM, extend="both"
    )
    widths = [2.2 if level == 1 else 0.8 for level in RESPONSE_LEVELS]
    lines = axes.contour(axis, axis, values, levels=RESPONSE_LEVELS, colors="black", linewidths=widths)
    axes.clabel(lines, fontsize=9, fmt="%g")
    return bands
