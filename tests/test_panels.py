"""Every explorer, without a browser."""

import base64
import functools
import io
import random
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seem_lab import panels

EXPLORERS = [getattr(panels, name) for name in panels.__all__ if name != "Panel"]


class Parabola(panels.Panel):
    """The smallest panel, with an error to provoke."""

    title = "Where does it stand?"
    lesson = "00"
    hint = "Move it."
    presets = {"far": {"x": 3.0}, "as ever": {}}

    def controls(self):
        return {"x": ipywidgets.FloatSlider(value=1.0, min=-4, max=4), "fail": ipywidgets.Checkbox(value=False)}

    def compute(self, x, fail):
        if fail:
            raise ZeroDivisionError("on purpose")
        return x * x

    def setup(self, figure, animate):
        axes = figure.subplots()
        axes.set_ylim(0, 16)
        (line,) = axes.plot([0, 1], [0, 0])
        return animate(line)

    def draw(self, line, result):
        line.set_ydata([0, result])

    def sentence(self, result):
        return f"It stands at {result:g}."

    def table(self, result):
        return {"x": [0, 1, 2], "height": [0, result]}

    def point(self, artists, x, y):
        return {"x": x / 100, "fail": False} if y > 100 else {}


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def pixel_at(panel: panels.Panel, axes: Any, x: float, y: float) -> np.ndarray:
    """The colour of the picture at a point of some axes."""
    column, row = axes.transData.transform((x, y))
    return pixels(panel.png)[panel.size[1] - 1 - int(row), int(column)].astype(int)


def full_redraw(panel: panels.Panel) -> np.ndarray:
    """The picture as it would be if nothing were kept from the one before."""
    panel._canvas._layers = []
    return pixels(panel._canvas.png())


def button(panel: panels.Panel, name: str) -> ipywidgets.Button:
    (found,) = [b for b in panel.widget.children[1].children if b.description == name]
    return found


def choices(control: ipywidgets.ValueWidget) -> list[Any]:
    """Every value of a control, from end to end."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if not hasattr(control, "min"):
        return [False, True]
    steps = round((control.max - control.min) / control.step)
    return [control.min + k * control.step for k in range(steps)] + [control.max]


def wander(panel: panels.Panel, changes: int, seed: int) -> None:
    """Seeded changes of one control after the other; now and then a button."""
    chance = random.Random(seed)
    for _ in range(changes):
        if chance.random() < 0.1:
            button(panel, chance.choice(["Reset", *panel.presets])).click()
            panel._settled = 0.0  # no drag was overtaken
        else:
            name = chance.choice(list(panel._controls))
            panel._controls[name].value = chance.choice(choices(panel._controls[name]))


def test_a_control_changes_picture_and_sentence():
    panel = Parabola()
    before = panel.png
    panel._controls["x"].value = 2.0
    assert panel.text == "It stands at 4."
    assert panel.png != before
    assert panel._picture.status == "It stands at 4." and panel._picture.alt == "Where does it stand? It stands at 4."


def test_set_computes_once_and_refuses_what_no_control_has(monkeypatch):
    panel, calls = Parabola(), []
    monkeypatch.setattr(Parabola, "compute", lambda self, **p: calls.append(p) or 1.0)
    panel.set(x=2.0, fail=True)
    assert calls == [{"x": 2.0, "fail": True}]
    with pytest.raises(TypeError, match="no control named y; there are x, fail"):
        panel.set(y=1)


def test_buttons_reset_and_presets():
    panel = Parabola(x=2.0)
    start = panel.png
    button(panel, "far").click()
    assert panel.parameters["x"] == 3.0 and panel.text == "It stands at 9."
    button(panel, "Reset").click()
    assert panel.parameters["x"] == 2.0 and panel.png == start


def test_an_error_is_shown_and_raised_and_the_panel_recovers():
    panel = Parabola()
    with pytest.raises(ZeroDivisionError):
        panel.set(fail=True)
    assert panel._picture.alert == "ZeroDivisionError: on purpose"
    panel.set(fail=False)
    assert panel._picture.alert == "" and panel._picture.status == "It stands at 1."


def test_the_end_of_a_drag_does_not_undo_reset():
    panel = Parabola()
    panel.set(x=2.0)
    button(panel, "Reset").click()
    panel._controls["x"].value = 2.1  # was on its way when the button was pressed
    assert panel.parameters["x"] == 1.0 and panel.text == "It stands at 1."
    panel._picture.pointer = [250.0, 10.0]
    assert panel.parameters["x"] == 1.0
    panel._settled = 0.0  # later
    panel._controls["x"].value = 2.0
    assert panel.text == "It stands at 4."
    panel._picture.pointer = [250.0, 20.0]
    assert panel.parameters["x"] == 2.5


def test_export_holds_numbers_parameters_and_verdict():
    panel = Parabola(x=2.0)
    button(panel, "Export").click()
    links = panel.widget.children[2].value
    assert 'download="Parabola.png"' in links and 'download="Parabola.csv"' in links
    files = panel.files()
    head, table = files["Parabola.csv"].decode().split("x,height\n")
    assert head == "# x = 2.0\n# fail = False\n# verdict = It stands at 4.\n"
    assert table == "0,0.0\n1,4.0\n2,\n"
    assert Image.open(io.BytesIO(files["Parabola.png"])).text == {
        "x": "2.0", "fail": "False", "verdict": "It stands at 4."
    }  # fmt: skip
    panel.set(x=3.0)
    assert panel.widget.children[2].value == "", "links of another state"


def test_a_press_on_the_picture_sets_what_it_means():
    panel = Parabola()
    assert panel._picture.listens and not panels.BlowUp()._picture.listens
    panel._picture.pointer = [250.0, 379.0]  # low: means nothing
    assert panel.parameters["x"] == 1.0
    panel._picture.pointer = [250.0, 10.0]
    assert panel.parameters["x"] == 2.5 and panel.text == "It stands at 6.25."


def test_the_map_goes_where_it_is_pressed():
    for panel, names in ((panels.KernelMap(), ("east", "north")), (panels.KernelRay(), ("first", "second"))):
        x, y = panel._artists.left.transData.transform((0.5, -0.5))
        panel._picture.pointer = [x, panel.size[1] - y]
        assert [panel.parameters[name] for name in names] == [0.5, -0.5]
        panel._picture.pointer = [panel.size[0] - 5.0, 5.0]  # beside the map
        assert [panel.parameters[name] for name in names] == [0.5, -0.5]


def test_static_picture_for_viewers_without_widgets():
    panel = Parabola()
    bundle, metadata = panel._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == panel.png
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == "Where does it stand? It stands at 1."
    assert "application/vnd.jupyter.widget-view+json" in bundle


@functools.cache
def shown(explorer: type[panels.Panel]) -> panels.Panel:
    """One panel of each kind, as a figure takes a while to lay out; each test gives it back as it was at first."""
    return explorer()


@pytest.mark.parametrize("explorer", EXPLORERS)
class TestEveryExplorer:
    def test_presets_and_reset_and_every_picture_equals_a_full_redraw(self, explorer):
        panel = shown(explorer)
        start, says, parameters = panel.png, panel.text, panel.parameters
        assert len(panel.presets) >= 2 and says
        seen = set()
        for name in panel.presets:
            button(panel, name).click()
            seen.add(panel.text)
            assert np.array_equal(pixels(panel.png), full_redraw(panel))
        assert len(seen) == len(panel.presets), "two presets say the same"
        button(panel, "Reset").click()
        assert (panel.png, panel.text, panel.parameters) == (start, says, parameters)

    def test_ends_of_every_control(self, explorer):
        panel = shown(explorer)
        ends = [(choices(control)[0], choices(control)[-1]) for control in panel._controls.values()]
        for which in ((0, 0), (1, 1), (0, 1), (1, 0)):  # all low, all high, and by turns
            state = {name: end[which[k % 2]] for k, (name, end) in enumerate(zip(panel._controls, ends, strict=True))}
            panel.set(**state)
            assert panel.text and "nan" not in panel.text, state
            assert pixels(panel.png).shape == (panel.size[1], panel.size[0], 3)
        panel.reset()

    def test_random_changes_leave_a_state_that_a_fresh_panel_agrees_with(self, explorer):
        panel = shown(explorer)
        wander(panel, changes=8, seed=1)
        fresh = explorer(**panel.parameters)
        assert (fresh.text, fresh.parameters) == (panel.text, panel.parameters)
        assert np.array_equal(pixels(panel.png), full_redraw(fresh))
        panel.reset()

    def test_export_has_a_row_for_what_is_drawn(self, explorer):
        table = shown(explorer).files()[f"{explorer.__name__}.csv"]
        assert len(pd.read_csv(io.BytesIO(table), comment="#")) > 1

    def test_labels_and_docstring(self, explorer):
        panel = shown(explorer)
        assert all(control.description for control in panel._controls.values())
        assert panel.title.endswith("?"), "a title is the question the panel answers"
        assert explorer.lesson.isdigit() and explorer.hint
        assert "Example" in explorer.__doc__
