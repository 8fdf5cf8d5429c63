"""The picture of an explorer: what moves is drawn over a kept background (blitting)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from seem_lab.panels.png import encode


class Canvas:
    """A figure in layers, each drawn only when it changed.

    At the bottom is what stands still. Above it the scales that move (an `Axis`: its ticks and their numbers, the
    dearest part of a diagram), in the order they were named: those after one that changed are drawn again too, so
    name first what changes least. On top everything else that moves, drawn every time.

    matplotlib itself keeps track: a change of what stands still shows in `figure.stale`, one of a scale in
    `axis.stale`. New limits redraw their scale, not the diagram: whatever in it depends on them must move too, and the
    shape of the axes must not change. Setting the limits they have already counts as new: guard it with an `if`.
    The name of a horizontal scale stands still once the figure has settled: it is a text of the figure then.

    Args:
        width: pixels.
        height: pixels.

    Example:
        >>> canvas = Canvas(300, 200)
        >>> line, = canvas.figure.subplots().plot([0, 1], [0, 1])
        >>> canvas.animate(line) is line
        True
        >>> canvas.settle()
        >>> before = canvas.png()
        >>> line.set_ydata([1, 0])
        >>> canvas.png() == before
        False
    """

    def __init__(self, width: int, height: int) -> None:
        room = ConstrainedLayoutEngine(rect=(0.005, 0.005, 0.97, 0.985))  # at the edge, for numbers that move
        self.figure = Figure(figsize=(width / 100, height / 100), dpi=100, layout=room, facecolor="white")
        self._agg = FigureCanvasAgg(self.figure)
        self._scales: list[Axis] = []
        self._moving: list[Artist] = []
        self._layers: list[Any] = []  # what stands still; the same and the first scale; and the second; ...

    def animate(self, *artists: Artist) -> Any:
        """Mark artists as moving, in this order above all that does not; a scale loses its grid. Returns them."""
        for artist in artists:
            artist.set_animated(True)
            if isinstance(artist, Axis):
                artist.grid(False)  # it would lie over the legend
                self._scales.append(artist)
            else:
                self._moving.append(artist)
        return artists[0] if len(artists) == 1 else artists

    def settle(self) -> None:
        """Lay everything out, once and for all."""
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")
        for axis in self._scales:
            if isinstance(axis, XAxis):  # its name, up to half of what there is to draw, never has to move
                axis.get_tightbbox()  # puts the name below the numbers
                self.figure.text(*axis.label.get_position(), axis.label.get_text()).update_from(axis.label)
                axis.set_label_text("")

    def png(self) -> bytes:
        """The picture as it is now."""
        if not self._layers or self.figure.stale:
            self._agg.draw()
            self._layers = [self._copy()]
        changed = next((place for place, axis in enumerate(self._scales) if axis.stale), len(self._scales))
        del self._layers[1 + changed :]
        self._agg.restore_region(self._layers[-1])
        for axis in self._scales[len(self._layers) - 1 :]:
            self.figure.draw_artist(axis)
            self._layers.append(self._copy())
        for artist in self._moving:
            self.figure.draw_artist(artist)
        self.figure.stale = False  # drawing a scale marks it
        return encode(np.asarray(self._agg.buffer_rgba()))

    def _copy(self) -> Any:
        return self._agg.copy_from_bbox(self.figure.bbox)
