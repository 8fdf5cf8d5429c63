"""The one kind of figure the lessons show: white, colour-blind safe, readable in grey, and told in words."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's colours, darkest first where lines cross; every line also has its own dash and marker.
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
SERIES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PINK, ":"), (GREY, (0, (3, 1, 1, 1, 1, 1))))


class LessonFigure(Figure):
    """A matplotlib figure that shows itself in a notebook with its description.

    Args:
        width: inches.
        height: inches.

    Attributes:
        alt: what the figure shows, in words; set by the plotting function, with the numbers it drew.
    """

    alt: str = ""

    def __init__(self, width: float = 8.0, height: float = 3.4) -> None:
        super().__init__(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
        FigureCanvasAgg(self)

    def png(self) -> bytes:
        """The picture as PNG bytes, sharp enough for a dense screen."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
        return buffer.getvalue()

    def _ipython_display_(self) -> None:
        """The picture, its description in the metadata for screen readers, and below it for everyone."""
        if not self.alt:
            raise ValueError("this figure has no description; set figure.alt where it is drawn")
        bundle: dict[str, Any] = {"image/png": self.png(), "text/plain": self.alt}
        width = round(100 * self.get_figwidth())  # on the page, in CSS pixels
        display(bundle, raw=True, metadata={"image/png": {"alt": self.alt, "width": width}})
        display(HTML(f"<details><summary>This figure in words</summary>{html.escape(self.alt)}</details>"))


def series() -> Iterator[dict[str, Any]]:
    """Endless line styles, each a colour and a dash of its own: `axes.plot(x, y, **next(styles))`."""
    return ({"color": color, "linestyle": dash, "linewidth": 1.8} for color, dash in cycle(SERIES))


def tidy(axes: Axes, *, title: str = "", x: str = "", y: str = "") -> Axes:
    """Title, axis labels, a light grid, no box: the same on every picture. Steps are counted in whole numbers."""
    if "step" in x and axes.get_xscale() == "linear":
        axes.locator_params(axis="x", integer=True)
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes
