"""The base of every explorer: controls -> compute -> draw -> one picture and one sentence."""

from __future__ import annotations

import base64
import inspect
import io
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

from seem_lab.panels.canvas import Canvas
from seem_lab.panels.picture import Picture
from seem_lab.panels.worker import FIRST, State, Worker

SETTLE = 0.5  # seconds in which the last events of a slider or the pointer may still come in after a button
WORDS: dict[State, str] = {"running": "Still running. ", "stopped": "Stopped half-way. ", "done": ""}
ROW = {"flex_flow": "row wrap"}


class Panel(ABC):
    """An explorer: move a control, see the picture and a sentence change.

    A subclass says *what*, in six methods, and this class does the rest: the widgets, presets, Reset, Play and Stop,
    Export, errors, and a static picture where widgets do not render.

    - `controls()` names the parameters and gives each its widget;
    - `compute(**parameters)` is pure and returns a result. Does it take longer than some 50 ms? Then it is a generator
      of partial results, each of them one that can be shown; the last one is the result. The panel shows them as they
      come, and gets the buttons Play and Stop;
    - `setup(figure, animate)` makes the axes once, and hands every artist that will move to `animate`;
    - `draw(artists, result)` moves those artists (`set_data`, `set_text`, limits), nothing else;
    - `sentence(result)` says in words what is to be seen: the verdict, with its numbers;
    - `table(result)` gives the columns of the file that Export makes, of one length or not;
    - `point(artists, x, y)`, if a press on the picture means something, gives the parameters it asks for.

    Only what moves is drawn anew, and all of it when what stands still has changed (see `Canvas`). The layout is made
    once, after `setup`.

    Args:
        parameters: initial values that differ from the controls' own.

    Raises:
        TypeError: a parameter that no control has.

    Example: see `seem_lab/panels/blow_up.py`.
    """

    title: ClassVar[str]  # the question it answers
    lesson: ClassVar[str]  # where it belongs: 00, 01, ...
    hint: ClassVar[str]  # what to try
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

    @abstractmethod
    def table(self, result: Any) -> Mapping[str, Any]:
        """The numbers of the picture, column by column."""

    def point(self, artists: SimpleNamespace, x: float, y: float) -> Mapping[str, Any]:
        """The parameters that a press at figure pixel (x, y), from the lower left, asks for."""
        return {}

    def __init__(self, **parameters: Any) -> None:
        width, height = self.size
        self._canvas = Canvas(width, height)
        self._artists = self.setup(self._canvas.figure, self._canvas.animate)
        self._canvas.settle()

        self._streams = inspect.isgeneratorfunction(inspect.unwrap(type(self).compute))
        self._worker = Worker(self._show, self._fail)
        self._picture = Picture(width=width, height=height, listens=type(self).point is not Panel.point)
        self._picture.observe(self._pointed, "pointer")
        self._files = ipywidgets.HTML()
        self._controls = self.controls()
        for control in self._controls.values():
            control.observe(self._changed, "value")
        rows = [ipywidgets.HBox(list(self._controls.values()), layout=ROW), self._buttons(), self._files]
        self.widget = ipywidgets.VBox([*rows, self._picture])
        self.widget.add_class("seem-panel")

        self._first = self.parameters
        self._wanted, self._settled = self._first, 0.0
        self._holding = False
        self.set(**parameters)
        self._first = self.parameters

    @property
    def parameters(self) -> dict[str, Any]:
        """The present value of every control; a browser sends 1.2999999999999998 for the 1.3 of a slider."""
        values = {name: control.value for name, control in self._controls.items()}
        return {name: round(value, 9) if isinstance(value, float) else value for name, value in values.items()}

    def set(self, **parameters: Any) -> None:
        """Set several controls, then compute once."""
        unknown = parameters.keys() - self._controls.keys()
        if unknown:
            raise TypeError(f"no control named {', '.join(sorted(unknown))}; there are {', '.join(self._controls)}")
        self._put(parameters)
        self._begin()

    def reset(self) -> None:
        """Back to the first values."""
        self.set(**self._first)

    @property
    def result(self) -> Any:
        """What is shown: the last that `compute` gave."""
        self._worker.finish()
        return self._result

    @property
    def text(self) -> str:
        """The sentence under the picture."""
        self._worker.finish()
        return self._picture.status

    @property
    def png(self) -> bytes:
        """The picture as PNG bytes."""
        self._worker.finish()
        return self._picture.png

    def files(self) -> dict[str, bytes]:
        """The picture and its numbers, by the names of their files; both hold the parameters and the sentence."""
        name, facts = type(self).__name__, {**self.parameters, "verdict": self._picture.status}
        info, picture = PngImagePlugin.PngInfo(), io.BytesIO()
        for key, value in facts.items():
            info.add_itxt(key, str(value))
        Image.open(io.BytesIO(self._picture.png)).save(picture, "png", pnginfo=info)
        columns = {key: pd.Series(np.asarray(values)) for key, values in self.table(self._result).items()}
        head = "".join(f"# {key} = {value}\n" for key, value in facts.items())
        table = head + pd.DataFrame(columns).to_csv(index=False)
        return {f"{name}.png": picture.getvalue(), f"{name}.csv": table.encode()}

    def _put(self, parameters: Mapping[str, Any]) -> None:
        """Set controls without computing."""
        self._holding = True
        try:
            for name, value in parameters.items():
                self._controls[name].value = value
        finally:
            self._holding = False

    def _changed(self, _: Any) -> None:
        """A control was moved."""
        if self._holding:
            return
        if time.monotonic() < self._settled:  # the end of a drag, overtaken by the click on Reset
            self._put(self._wanted)
        else:
            self._begin()

    def _pointed(self, change: Mapping[str, Any]) -> None:
        """The picture was pressed, or the pointer was dragged over it."""
        if time.monotonic() < self._settled:  # the end of a drag, as above
            return
        x, y = change["new"]
        wanted = self.point(self._artists, x, self.size[1] - y)
        if any(self._controls[name].value != value for name, value in wanted.items()):
            self.set(**wanted)

    def _press(self, preset: Mapping[str, Any]) -> None:
        """To a preset: what it does not name goes back to its first value."""
        self.set(**{**self._first, **preset})
        self._wanted, self._settled = self.parameters, time.monotonic() + SETTLE

    def _begin(self, every: bool = False) -> None:
        self._files.value = ""
        self._worker.start(self._results(**self.parameters), work=FIRST if self._streams else math.inf, every=every)

    def _results(self, **parameters: Any) -> Iterator[Any]:
        """What `compute` gives, as a stream in any case."""
        result = self.compute(**parameters)
        yield from result if self._streams else [result]

    def _show(self, result: Any, state: State) -> None:
        """Draw and say."""
        self._result = result
        self.draw(self._artists, result)
        says = self.sentence(result)
        with self._picture.hold_sync():  # one message
            self._picture.png = self._canvas.png()
            self._picture.alt = f"{self.title} {says}"
            self._picture.status = WORDS[state] + says
            self._picture.alert = ""
            self._picture.busy = state == "running"

    def _fail(self, error: Exception) -> None:
        """An error belongs to the reader as well."""
        self._picture.alert = f"{type(error).__name__}: {error}"

    def _export(self) -> None:
        """Links from which the browser saves the files."""
        links = []
        for name, content in self.files().items():
            kind = "image/png" if name.endswith("png") else "text/csv"
            data = f"data:{kind};base64,{base64.b64encode(content).decode()}"
            links.append(f'<a download="{name}" href="{data}" style="text-decoration: underline">{name}</a>')
        self._files.value = "Save: " + ", ".join(links)

    def _buttons(self) -> ipywidgets.Box:
        actions: dict[str, Callable[[], None]] = {"Reset": partial(self._press, {})}
        if self._streams:
            actions |= {"Play": partial(self._begin, every=True), "Stop": self._worker.stop}
        actions |= {name: partial(self._press, preset) for name, preset in self.presets.items()}
        actions["Export"] = self._export
        buttons = []
        for name, action in actions.items():
            button = ipywidgets.Button(description=name, layout={"width": "auto"})
            button.on_click(lambda _, action=action: action())
            buttons.append(button)
        return ipywidgets.HBox(buttons, layout=ROW)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A live front end takes the widget; anything else takes the picture, described by the sentence."""
        words = f"{self.title} {self.text}"
        bundle = {
            **self.widget._repr_mimebundle_(),
            "text/plain": words,
            "image/png": base64.b64encode(self.png).decode(),
        }
        return bundle, {"image/png": {"alt": words}}
