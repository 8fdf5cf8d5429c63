"""The explorer of recorded runs, beyond what tests/test_panels.py asks of every panel."""

import numpy as np
import pytest

from seem_lab.evidence import stored_runs
from seem_lab.panels import FullScale


@pytest.fixture(scope="module")
def panel():
    return FullScale()


def test_it_shows_a_stored_run_up_to_the_share_asked_for(panel):
    runs, readings = stored_runs()
    plain = (runs.task == "hopper weak") & (runs.fraction == 1) & (runs.tau == 1) & ~runs.layer_norm
    run = runs[plain & (runs.seed == 101)].iloc[0]
    panel.set(setting="hopper weak, td3, tau 1", seed=1, share=20)
    longest = runs.steps[(runs.task == "hopper weak") & (runs.fraction == 1) & (runs.tau == 1)].max()
    trace = readings[(readings.run == run.name) & (readings.step <= 0.2 * longest)]
    shown = panel._artists.q[0]
    assert list(shown.get_xdata()) == list(trace.step)
    assert np.allclose(shown.get_ydata()[1:], (trace.q_max / run.q_limit)[1:])
    assert f"Plain: step {trace.step.iloc[-1]} of {run.steps}" in panel.text


def test_a_run_passes_the_limit_when_it_does(panel):
    runs, _ = stored_runs()
    plain = (runs.task == "hopper weak") & (runs.fraction == 1) & (runs.tau == 1) & ~runs.layer_norm
    run = runs[plain].iloc[0]
    panel.set(setting="hopper weak, td3, tau 1", seed=0, share=1)
    assert "no step yet" in panel.text and "passed Qlim" not in panel.text and "stopped" not in panel.text
    panel.set(share=100)
    assert panel.text.count("stopped beyond 3 Qlim") == 1  # the other run has LayerNorm
    assert f"Plain: step {run.last_step}" in panel.text
    assert f"passed Qlim at step {run.crossed_at:.0f}" in panel.text


def test_a_method_without_a_behaviour_term_names_none(panel):
    names = panel._controls["setting"].options
    assert any("diffusion-ql" in name for name in names) and any("+ 0.5 BC" in name for name in names)
    assert not any("nan" in name for name in names)


def test_every_setting_and_seed_has_its_sentence(panel):
    for setting in panel._controls["setting"].options:
        for seed in (0, 9):
            panel.set(setting=setting, seed=seed)
            assert panel.text.startswith("Plain: ") and "LayerNorm: " in panel.text
