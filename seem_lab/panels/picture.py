"""The front end of a panel: the picture with its alt text, the sentence below it, the names of the sliders."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets


class Picture(anywidget.AnyWidget):
    """A PNG with the words that belong to it; its other half is `picture.js`.

    Attributes:
        png: the picture.
        alt: what a screen reader says in its place.
        status: the sentence below; read out when it changes.
        alert: an error; read out at once.
        busy: whether more is to come; nothing is read out until then.
        listens: whether a press on the picture, and dragging, mean something.
        pointer: where it was pressed, in pixels from its upper left corner.
    """

    _esm = Path(__file__).with_suffix(".js")
    png = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    alert = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    listens = traitlets.Bool(False).tag(sync=True)
    pointer = traitlets.List(traitlets.Float()).tag(sync=True)
