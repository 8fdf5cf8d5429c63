"""The pictures of lesson 05: their words follow their numbers."""

import numpy as np
import pytest

import seem_lab as sl
from seem_lab import plotting


@pytest.fixture(scope="module")
def run():
    return sl.train(sl.mlp(4, seed=1003), sl.toy_walk(3), steps=300, seem_every=1, progress=False)


def test_error_and_inverse(run):
    figure = plotting.error_and_inverse(run)
    left, right = (axes.lines[0].get_ydata() for axes in figure.axes)
    assert np.allclose(left * right, 1)
    assert f"at step {run.td_error_norm.argmin()}" in figure.alt and f"the end, step {run.step[-1]}" in figure.alt


def test_scaling_orders():
    figure = plotting.scaling_orders([1.0, 2.0], {"Q": {2: [1.5, 1.9]}, "kernel": {2: [1.7, 2.0], 3: [3.0, 3.9]}})
    assert "Q, depth 2: from 1.50 to 1.90, the limit is 2" in figure.alt
    assert "kernel, depth 3: from 3.00 to 3.90, the limit is 4" in figure.alt
    limits = [line.get_ydata()[0] for line in figure.axes[1].lines[1::2]]
    assert limits == [2, 4]


def test_straightened_error_is_a_line_for_an_exact_law():
    step = np.arange(80)
    size = (90.0 - step) ** -0.75
    empty = np.full(80, np.nan)
    made = sl.History(step, empty, size, size, empty, empty, empty, empty, 0.02, 63, 1e6, "q_limit")
    line = sl.fit_inverse_power(step[20:60], size[20:60], 4 / 3)
    figure = plotting.straightened_error({"made up": (made, 3, line)})
    assert "fitted from step 20 to step 59, the line meets zero at step 90; the run crashes at step 79" in figure.alt
    curve, dashes = figure.axes[0].lines[:2]
    assert np.ptp(np.diff(curve.get_ydata())) < 1e-9
    assert dashes.get_xdata()[-1] == pytest.approx(90) and dashes.get_ydata()[-1] == 0


def test_kernel_exponents(run):
    figure = plotting.kernel_exponents({"L = 2": (run, 2)}, {(2, True): [0.98, 1.02, 1.0], (3, False): [1.3]})
    start = sl.terminal_start(run.td_error_norm)
    slope = np.polyfit(np.log(run.td_error_norm[start:]), np.log(run.seem[start:]), 1)[0]
    assert f"L = 2: slope {slope:.2f}" in figure.alt
    assert "depth 2, with biases, 3 runs: median 1.00, from 0.98 to 1.02, theory 1.00" in figure.alt
    assert "depth 3, without biases, 1 runs: median 1.30" in figure.alt


def test_map_and_flow(run):
    start = sl.terminal_start(run.td_error_norm)
    s, q = [sl.step_size(run.lr, run.n) * run.seem[start]], [run.q_max[start]]
    while q[-1] <= run.q_limit:
        q.append(q[-1] * (1 + s[-1] / 2) ** 2)
        s.append(s[-1] * (1 + s[-1] / 2) ** 2)
    figure = plotting.map_and_flow(run, 2, start, s, q)
    assert f"the map passes 1e+06 at step {start + len(q) - 1}, the run at step {run.step[-1]}" in figure.alt
    flow = figure.axes[0].lines[0]
    assert np.allclose(np.diff(flow.get_ydata()), -np.diff(flow.get_xdata()))
    measured = figure.axes[0].lines[2]
    assert measured.get_ydata()[0] == pytest.approx(flow.get_ydata()[0])
