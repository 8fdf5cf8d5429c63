"""The panel of lesson 09: presets, controls and ends, and a run that is the real one."""

from __future__ import annotations

import numpy as np
import pytest
from seem_lab.panels.target_network import STEPS

from seem_lab import EmaTarget, baird_star, baird_weights, linear_q, train
from seem_lab.panels import TargetNetwork


@pytest.fixture(scope="module")
def panel() -> TargetNetwork:
    return TargetNetwork()


@pytest.mark.parametrize("preset", TargetNetwork.presets)
def test_presets_say_something_else_each_and_reset_goes_back(panel: TargetNetwork, preset: str) -> None:
    panel.reset()
    text, png = panel.text, panel.png
    panel._go(panel.presets[preset])
    assert panel.text != text and panel.png != png
    panel.reset()
    assert panel.text == text and panel.png == png


def test_the_run_is_that_of_train_and_its_end_that_of_the_map(panel: TargetNetwork) -> None:
    found = panel.compute(tau=0.5, momentum=0.0, lr=0.05, gamma=0.99)
    run = train(
        linear_q(8, weight=baird_weights()), baird_star(), lr=0.05, steps=STEPS, target=EmaTarget(0.5), progress=False
    )
    np.testing.assert_allclose(found.log_error, np.log(run.td_error_norm), atol=1e-8)
    assert found.log_error[-1] - found.log_error[-2] == pytest.approx(found.stability.growth, abs=1e-4)


def test_the_diagram_has_the_verdict_of_its_cells(panel: TargetNetwork) -> None:
    at_one = panel.compute(tau=1.0, momentum=0.0, lr=0.05, gamma=0.99)
    assert at_one.diagram.growth[-1, -1] == pytest.approx(at_one.stability.growth, abs=1e-9)
    assert at_one.diagram.verdict[-1, -1] == at_one.stability.verdict == "self-excitation"


@pytest.mark.parametrize("name", ["tau", "momentum", "lr", "gamma"])
def test_both_ends_of_every_slider_are_drawn(panel: TargetNetwork, name: str) -> None:
    control = panel._controls[name]
    logarithmic = type(control).__name__ == "FloatLogSlider"
    for end in (control.min, control.max):
        panel.reset()
        panel.set(**{name: 10**end if logarithmic else end})
        assert "nan" not in panel.text
    panel.reset()
