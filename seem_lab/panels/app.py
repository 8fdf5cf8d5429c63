"""Every explorer on one page: a menu, what to try, and the one that is open."""

from __future__ import annotations

import html
import re
from typing import Any

import ipywidgets

from seem_lab import panels
from seem_lab.panels.panel import Panel

EXPLORERS: tuple[type[Panel], ...] = tuple(
    sorted((getattr(panels, name) for name in panels.__all__ if name != "Panel"), key=lambda each: each.lesson)
)
START = "Start"


class App:
    """The page that `seem-lab app` serves. An explorer is made when it is opened, and kept.

    Example:
        >>> page = App()
        >>> page.open(panels.Linear).title
        'Which modes of the error grow?'
    """

    def __init__(self) -> None:
        names = {_name(explorer): explorer for explorer in EXPLORERS}
        self._menu = ipywidgets.ToggleButtons(
            options={START: None, **names},
            tooltips=["what to try", *(explorer.title for explorer in EXPLORERS)],
            style={"button_width": "auto"},
        )
        self._menu.observe(lambda change: self._show(change["new"]), "value")
        self._made: dict[type[Panel], Panel] = {}
        self._page = ipywidgets.VBox()
        self.widget = ipywidgets.VBox([self._menu, self._page], layout={"padding": "0 16px"})
        self._show(None)

    def open(self, explorer: type[Panel]) -> Panel:
        """Show an explorer; returns it."""
        self._menu.value = explorer
        return self._made[explorer]

    def _show(self, explorer: type[Panel] | None) -> None:
        if explorer is None:
            self._page.children = [ipywidgets.HTML(_welcome())]
            return
        head = f"<h2>{html.escape(explorer.title)}</h2><p>Lesson {explorer.lesson}. {html.escape(explorer.hint)}</p>"
        if explorer not in self._made:
            note = ipywidgets.HTML('<p role="status">One moment...</p>')
            self._page.children = [ipywidgets.HTML(head), note]
            try:
                self._made[explorer] = explorer()
            except Exception as error:
                note.value = f'<p role="alert">{html.escape(f"{type(error).__name__}: {error}")}</p>'
                raise
        self._page.children = [ipywidgets.HTML(head), self._made[explorer].widget]

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, Any]:
        return self.widget._repr_mimebundle_(**settings)


def _name(explorer: type[Panel]) -> str:
    """The name of the class, as words."""
    return f"{explorer.lesson} {re.sub('(?<=[a-z])(?=[A-Z])', ' ', explorer.__name__)}"


def _welcome() -> str:
    lines = "".join(
        f"<li><b>{html.escape(_name(explorer))}</b>: {html.escape(explorer.title)} {html.escape(explorer.hint)}</li>"
        for explorer in EXPLORERS
    )
    return (
        "<h1>Why does a Q-value blow up?</h1>"
        "<p>Each button above opens an explorer. Move its controls with the mouse or the arrow keys: the picture and "
        "the sentence follow. Named buttons set an example up; <i>Reset</i> goes back. Where something trains, "
        "<i>Play</i> shows it step by step. <i>Export</i> saves the picture and its numbers.</p>"
        "<p>Words: the <i>toy walk</i> is a short recorded path in the plane, learned by a small network; <i>Baird's "
        "star</i> a classic example with seven states and linear features. <i>A</i> is the matrix that moves the TD "
        "errors, its eigenvectors are <i>modes</i>, and <i>SEEM</i> is the largest real part of its eigenvalues: "
        "positive, and the error grows while A stays as it is. <i>G</i>(y, x0) is the tangent kernel: how far raising "
        "Q at x0 moves Q at y. The rest is in the lessons and in their glossary.</p>"
        f"<p>What to try, in the order of the lessons:</p><ul>{lines}</ul>"
    )
