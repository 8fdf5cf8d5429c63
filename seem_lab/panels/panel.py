"""The base of every explorer: controls -> compute -> draw -> one picture and one sentence."""

from __future__ import annotations

import base64
import html
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import ipywidgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Panel(ABC):
    """An explorer: move a control, see the picture and a sentence change.

    A subclass says *what*, in five methods, and this class does the rest: the widgets, presets, Reset, errors, and a
    static picture where widgets do not render.

    - `controls()` names the parameters and gives each its widget;
    - `compute(**parameters)` is pure and returns a result (under about 100 ms: it runs while the slider waits);
    - `setup(figure, animate)` makes the axes once, and hands every artist that will move to `animate`;
    - `draw(artists, result)` moves those artists (`set_data`, `set_text`, limits), nothing else;
    - `sentence(result)` says in words what is to be seen: the verdict, with its numbers.

    The moving artists are drawn over a cached background (blitting), which is three times faster than a full draw; a
    full draw happens by itself whenever something else changed, such as an axis limit.

    Args:
        parameters: initial values that differ from the controls' own.

    Raises:
        TypeError: a parameter that no control has.

    Example: see `seem_lab/panels/blow_up.py`.
    """

    title: ClassVar[str]  # the question it answers
    size: ClassVar[tuple[int, int]] = (900, 380)  # pixels
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @abstractmethod
    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        """The controls, by the names of the parameters."""

    @abstractmethod
    def compute(self, *_: Any, **parameters: Any) -> Any:
        """What the parameters lead to."""

    @abstractmethod
    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        """The axes, and the artists that will move."""

    @abstractmethod
    def draw(self, artists: SimpleNamespace, result: Any) -> None:
        """Move the artists."""

    @abstractmethod
    def sentence(self, result: Any) -> str:
        """What is to be seen, in words."""

    def __init__(self, **parameters: Any) -> None:
        width, height = self.size
        self._moving: list[Artist] = []
        self._background: Any = None
        self._holding = False
        self.figure = Figure(figsize=(width / 100, height / 100), dpi=100, layout="constrained", facecolor="white")
        self._canvas = FigureCanvasAgg(self.figure)
        self._artists = self.setup(self.figure, self._animate)
        self.figure.draw_without_rendering()  # the layout settles in its second pass
        self._controls = self.controls()
        self._image = ipywidgets.Image(format="png", layout={"width": f"{width}px", "max_width": "100%"})
        self._message = ipywidgets.HTML()
        for control in self._controls.values():
            control.observe(lambda _: self._update(), "value")
        self.widget = ipywidgets.VBox([self._control_row(), self._button_row(), self._image, self._message])
        self.set(**parameters)
        self._first = self.parameters

    @property
    def parameters(self) -> dict[str, Any]:
        """The present value of every control."""
        return {name: control.value for name, control in self._controls.items()}

    def set(self, **parameters: Any) -> None:
        """Set several controls, then compute once."""
        unknown = parameters.keys() - self._controls.keys()
        if unknown:
            raise TypeError(f"no control named {', '.join(sorted(unknown))}; there are {', '.join(self._controls)}")
        self._holding = True
        try:
            for name, value in parameters.items():
                self._controls[name].value = value
        finally:
            self._holding = False
        self._update()

    def reset(self) -> None:
        """Back to the first values."""
        self.set(**self._first)

    def _go(self, preset: Mapping[str, Any]) -> None:
        """To a preset: what it does not name goes back to its first value."""
        self.set(**{**self._first, **preset})

    @property
    def text(self) -> str:
        """The sentence under the picture."""
        return self._text

    @property
    def png(self) -> bytes:
        """The picture as PNG bytes."""
        return bytes(self._image.value)  # ipywidgets may keep a memoryview

    def _update(self) -> None:
        """Compute, draw, say. An error is shown to the reader and then raised."""
        if self._holding:
            return
        try:
            result = self.compute(**self.parameters)
            self.draw(self._artists, result)
            self._image.value = self._render()
            self._text = self.sentence(result)
        except Exception as error:
            self._say(f"{type(error).__name__}: {error}", role="alert")
            raise
        self._say(self._text, role="status")

    def _say(self, text: str, role: str) -> None:
        self._message.value = f'<div role="{role}" aria-live="polite">{html.escape(text)}</div>'

    def _animate(self, *artists: Artist) -> Any:
        """Mark artists as moving, above everything that does not move; returns them."""
        for artist in artists:
            artist.set_animated(True)
            artist.set_zorder(10 + len(self._moving))
            self._moving.append(artist)
        return artists[0] if len(artists) == 1 else artists

    def _render(self) -> bytes:
        for axes in self.figure.axes:
            axes.viewLim  # noqa: B018  carries out a pending autoscale, which marks the figure stale
        if self._background is None or self.figure.stale:
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self.figure.bbox)
        else:
            self._canvas.restore_region(self._background)
        for artist in self._moving:
            self.figure.draw_artist(artist)
        self.figure.stale = False
        buffer = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    def _control_row(self) -> ipywidgets.Box:
        return ipywidgets.HBox(list(self._controls.values()), layout={"flex_flow": "row wrap"})

    def _button_row(self) -> ipywidgets.Box:
        actions: dict[str, Callable[[], None]] = {"Reset": self.reset}
        for name, preset in self.presets.items():
            actions[name] = partial(self._go, preset)
        buttons = []
        for name, action in actions.items():
            button = ipywidgets.Button(description=name, layout={"width": "auto"})
            button.on_click(lambda _, action=action: action())
            buttons.append(button)
        return ipywidgets.HBox(buttons, layout={"flex_flow": "row wrap"})

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A live front end takes the widget; anything else takes the picture, described by the sentence."""
        words = f"{self.title} {self.text}"
        bundle = {
            **self.widget._repr_mimebundle_(),
            "text/plain": words,
            "image/png": base64.b64encode(self.png).decode(),
        }
        return bundle, {"image/png": {"alt": words}}


def slider(name: str, value: float, low: float, high: float, step: float) -> ipywidgets.FloatSlider:
    """A slider over numbers; `name` is its label, with the unit where there is one."""
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    return ipywidgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=name, readout_format=f".{digits}f", **_WIDE
    )


def log_slider(name: str, value: float, low: float, high: float, per_decade: int = 10) -> ipywidgets.FloatLogSlider:
    """A slider over powers of ten, from `low` to `high`."""
    return ipywidgets.FloatLogSlider(
        value=value,
        min=np.log10(low),
        max=np.log10(high),
        step=1 / per_decade,
        description=name,
        readout_format=".2g",
        **_WIDE,
    )


def whole_slider(name: str, value: int, low: int, high: int) -> ipywidgets.IntSlider:
    """A slider over whole numbers."""
    return ipywidgets.IntSlider(value=value, min=low, max=high, description=name, **_WIDE)


_WIDE: dict[str, Any] = {"style": {"description_width": "initial"}, "layout": {"width": "290px"}}
