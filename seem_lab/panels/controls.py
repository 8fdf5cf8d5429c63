"""The controls of the explorers: a label with its unit where there is one, and the value beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np

_WIDE: dict[str, Any] = {"style": {"description_width": "initial"}, "layout": {"width": "290px"}}


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


def number_choice(name: str, value: float, options: Sequence[float]) -> ipywidgets.SelectionSlider:
    """A slider over the few numbers there are."""
    labelled = [(f"{option:g}", option) for option in options]
    return ipywidgets.SelectionSlider(options=labelled, value=value, description=name, **_WIDE)


def choice(name: str, options: Sequence[str], value: str | None = None) -> ipywidgets.Dropdown:
    """A menu of names; the first one is chosen if not told otherwise."""
    return ipywidgets.Dropdown(options=options, value=value or options[0], description=name, **_WIDE)


def switch(name: str, value: bool) -> ipywidgets.Checkbox:
    """On or off."""
    return ipywidgets.Checkbox(value=value, description=name, indent=False, layout={"width": "auto"})
