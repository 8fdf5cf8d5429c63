"""Every explorer, without a browser."""

import base64
import io

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from seem_lab import panels

EXPLORERS = [getattr(panels, name) for name in panels.__all__ if name != "Panel"]


class Parabola(panels.Panel):
    """The smallest panel, with an error to provoke."""

    title = "Where does it stand?"
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


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def full_redraw(panel: panels.Panel) -> np.ndarray:
    """The picture as it would be without the cached background."""
    panel._background = None
    return pixels(panel._render())


def button(panel: panels.Panel, name: str) -> ipywidgets.Button:
    (found,) = [b for b in panel.widget.children[1].children if b.description == name]
    return found


def test_a_control_changes_picture_and_sentence():
    panel = Parabola()
    before = panel.png
    panel._controls["x"].value = 2.0
    assert panel.text == "It stands at 4."
    assert panel.png != before
    assert "It stands at 4." in panel.widget.children[3].value


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
    assert "ZeroDivisionError: on purpose" in panel.widget.children[3].value
    assert 'role="alert"' in panel.widget.children[3].value
    panel.set(fail=False)
    assert "It stands at 1." in panel.widget.children[3].value


def test_static_picture_for_viewers_without_widgets():
    panel = Parabola()
    bundle, metadata = panel._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == panel.png
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == "Where does it stand? It stands at 1."
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("explorer", EXPLORERS)
class TestEveryExplorer:
    def test_presets_and_reset(self, explorer):
        panel = explorer()
        start, says, parameters = panel.png, panel.text, panel.parameters
        assert len(panel.presets) >= 2 and says
        seen = set()
        for name in panel.presets:
            button(panel, name).click()
            seen.add(panel.text)
        assert len(seen) == len(panel.presets), "two presets say the same"
        button(panel, "Reset").click()
        assert (panel.png, panel.text, panel.parameters) == (start, says, parameters)

    def test_ends_of_every_control(self, explorer):
        panel = explorer()
        for name, control in panel._controls.items():
            if hasattr(control, "options"):
                ends = [option[1] if isinstance(option, tuple) else option for option in control.options]
            elif isinstance(control, ipywidgets.FloatLogSlider):
                ends = [control.base**control.min, control.base**control.max]
            elif hasattr(control, "min"):
                ends = [control.min, control.max]
            else:
                ends = [False, True]
            for end in ends:
                panel.set(**{name: end})
                assert panel.text and pixels(panel.png).shape == (panel.size[1], panel.size[0], 3)
            panel.reset()

    def test_picture_equals_a_full_redraw(self, explorer):
        panel = explorer()
        for preset in panel.presets.values():
            panel.set(**preset)
            assert np.array_equal(pixels(panel.png), full_redraw(panel))

    def test_labels_and_docstring(self, explorer):
        panel = explorer()
        assert all(control.description for control in panel._controls.values())
        assert panel.title.endswith("?"), "a title is the question the panel answers"
        assert "Example" in explorer.__doc__
