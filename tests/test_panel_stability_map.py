"""The panel of lesson 09, beyond what tests/test_panels.py asks of every panel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seem_lab import EmaTarget, baird_star, baird_weights, linear_q, train
from seem_lab.panels import StabilityMap
from seem_lab.panels.stability_map import STEPS, Cell


@pytest.fixture(scope="module")
def panel() -> StabilityMap:
    return StabilityMap()


def test_the_run_is_that_of_train_and_its_end_that_of_the_map(panel: StabilityMap, at: Callable[..., Cell]) -> None:
    found = at(panel, tau=0.5)
    run = train(
        linear_q(8, weight=baird_weights()), baird_star(), lr=0.05, steps=STEPS, target=EmaTarget(0.5), progress=False
    )
    np.testing.assert_allclose(found.log_error, np.log(run.td_error_norm), atol=1e-8)
    assert found.log_error[-1] - found.log_error[-2] == pytest.approx(found.stability.growth, abs=1e-4)


def test_the_diagram_has_the_verdict_of_its_cells(panel: StabilityMap, at: Callable[..., Cell]) -> None:
    at_one = at(panel, tau=1.0)
    assert at_one.diagram.growth[-1, -1] == pytest.approx(at_one.stability.growth, abs=1e-9)
    assert at_one.diagram.verdict[-1, -1] == at_one.stability.verdict == "self-excitation"
