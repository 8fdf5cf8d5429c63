"""The panel of lesson 08, beyond what tests/test_panels.py asks of every panel."""

import numpy as np
import pandas as pd
import pytest

import seem_lab as sl
from seem_lab.panels import Remedies
from seem_lab.panels.remedies import FILE, STEPS


@pytest.fixture(scope="module")
def panel():
    return Remedies()


def test_the_runs_are_those_of_train(panel, at):
    result = at(panel, remedy="weight decay 0.01", seed=5)
    plain = sl.train(sl.mlp(4, seed=1005), sl.toy_walk(5), steps=STEPS, record_every=10, seem_every=30, progress=False)
    assert np.array_equal(result.plain.q_max, plain.q_max)
    assert np.array_equal(result.plain.seem, plain.seem, equal_nan=True)
    assert result.run.q_max[0] == plain.q_max[0] and result.run.q_max[-1] != plain.q_max[-1]


def test_the_sentence_quotes_the_stored_table(panel):
    stored = pd.read_csv(FILE).fillna({"strength": ""})
    for name in ("LayerNorm without affine", "weight decay 0.1", "double Q"):
        panel.set(remedy=name)
        runs = stored[
            ((stored.family + " " + stored.strength).str.strip() == name) & (stored.population == "diverging")
        ]
        assert f"{sum(runs.diverged)} of {len(runs)} seeds crash" in panel.text
        assert f"median largest |Q| {runs.largest_q.median():.2g}," in panel.text
    panel.reset()


def test_presets_are_what_they_are_called(panel, at):
    def ends(name):
        return at(panel, **panel.presets[name]).run

    assert not ends("LayerNorm").diverged
    assert ends("too little").diverged
    far = ends("no crash, but far off")
    assert not far.diverged and far.q_max[-1] > 10


def test_lines_are_the_series_clipped_to_the_axes(panel, at):
    result = at(panel, remedy="plain")
    x, y = panel._artists.q[1].get_data()
    assert np.array_equal(x, result.run.step)
    assert np.array_equal(y, np.clip(result.run.q_max, 1e-2, 5e6))
    x, y = panel._artists.seem[1].get_data()
    assert np.array_equal(x, result.run.step[np.isfinite(result.run.seem)])
    panel.reset()
