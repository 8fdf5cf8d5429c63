"""The controls of the explorers: a label with its unit where there is one, and the value beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np

ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def slider(name: str, value: float, low: float, high: float, step: float) -> ipywidgets.FloatSlider:
    """A slider over numbers; `name` is its label, with the unit where there is one."""
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    return ipywidgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=name, readout_format=f".{digits}f", **_wide(name)
    )


def log_slider(name: str, value: float, low: float, high: float) -> ipywidgets.SelectionSlider:
    """A slider over round numbers, ten to a decade. (The browser moves the values of ipywidgets' own to its steps.)"""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [float(f"{number}e{decade}") for decade in decades for number in ROUND]
    return number_choice(name, value, [number for number in numbers if low <= number <= high])


def whole_slider(name: str, value: int, low: int, high: int) -> ipywidgets.IntSlider:
    """A slider over whole numbers."""
    return ipywidgets.IntSlider(value=value, min=low, max=high, description=name, **_wide(name))


def number_choice(name: str, value: int | float, options: Sequence[int | float]) -> ipywidgets.SelectionSlider:
    """A slider over the few numbers there are."""
    labelled = [(f"{option:g}", option) for option in options]
    return ipywidgets.SelectionSlider(options=labelled, value=value, description=name, **_wide(name))


def choice(name: str, options: Sequence[str], value: str | None = None) -> ipywidgets.Dropdown:
    """A menu of names; the first one is chosen if not told otherwise."""
    look = _wide(name)
    look["layout"]["width"] = f"{90 + 7 * (len(name) + max(map(len, options)))}px"
    return ipywidgets.Dropdown(options=options, value=value or options[0], description=name, **look)


def switch(name: str, value: bool) -> ipywidgets.Checkbox:
    """On or off."""
    return ipywidgets.Checkbox(
        value=value, description=name, indent=False, layout={"width": "auto", "margin": "2px 24px 2px 8px"}
    )


def _wide(name: str) -> dict[str, Any]:
    """Room for the label and 140 pixels to slide on."""
    return {"style": {"description_width": "initial"}, "layout": {"width": f"{max(290, 210 + 6 * len(name))}px"}}
