"""The second panel of lesson 07, beyond what tests/test_panels.py asks of every panel."""

import numpy as np
import pytest

import seem_lab as sl
from seem_lab.panels import SwitchOn
from seem_lab.panels.switch_on import AFTER


@pytest.fixture(scope="module")
def panel():
    return SwitchOn()


def test_the_runs_are_those_of_train(panel, at):
    result = at(panel, seed=4, before=10)
    walk, network = sl.toy_walk(4), sl.mlp(4, seed=1004)
    plain = sl.train(network, walk, steps=result.step, progress=False)
    assert np.allclose(plain.q_max, result.plain.q_max[: result.step + 1], rtol=1e-6)
    norm = sl.train(sl.insert_layer_norm(network), walk, steps=50, progress=False)
    assert np.allclose(norm.q_max, result.norm.q_max[:51], rtol=1e-6)
    assert result.plain.diverged and result.step == result.plain.step[-1] - 10


def test_switched_off_it_says_only_what_happens_without(panel, at):
    result = at(panel, on=False)
    assert result.norm is None
    panel.set(on=False)
    assert panel.text == "Without LayerNorm the run blows up at step 220."
    assert len(panel._artists.norm.get_xdata()) == 0 and not panel._artists.here.get_visible()
    panel.reset()
    assert panel._artists.here.get_visible()


def test_it_saves_at_the_usual_rate_and_not_at_a_large_one(panel, at):
    saved, lost = at(panel, before=1), at(panel, before=10, lr=0.2)
    assert not saved.norm.diverged and saved.norm.step[-1] == AFTER
    assert "at once, and saves the run: 400 steps later" in panel.sentence(saved)
    assert lost.norm.diverged and "at once, and does not save the run" in panel.sentence(lost)


def test_more_steps_before_the_end_than_the_run_has_means_from_the_start(panel, at):
    result = at(panel, lr=0.2, before=100)
    assert result.step == 0
    panel.set(lr=0.2, before=100)
    panel.reset()


def test_the_blue_line_starts_where_the_layer_was_put_in(panel):
    panel.set(seed=1, before=50)
    result = panel.result
    assert panel._artists.norm.get_xdata()[0] == result.step == panel._artists.here.get_xdata()[0]
    assert list(panel._artists.crosses.get_xdata()) == [result.plain.step[-1]]
    panel.reset()
