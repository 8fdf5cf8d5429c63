"""The pictures of lesson 04 say what they draw."""

import numpy as np
import pytest

import seem_lab as sl
from seem_lab import plotting


@pytest.fixture(scope="module")
def run() -> sl.History:
    return sl.train(sl.mlp(4, seed=1003), sl.toy_walk(3), steps=400, seem_every=10, progress=False)


def test_seem_along_runs_marks_the_first_warning_and_the_end(run):
    figure = plotting.seem_along_runs({"one": run}, steps=400, until=50)
    constants = sl.time_constants(run.seem, lr=run.lr, n=run.n, steps_left=400 - run.step)
    first = run.step[np.flatnonzero(constants > 1)[0]]
    assert f"above 1 for the first time at step {first}; the run diverged" in figure.alt
    assert f"largest |Q| is {run.q_max[50]:.2g} at step 50" in figure.alt
    left, right = figure.axes
    assert left.lines[0].get_xdata().max() == 50
    drawn = right.lines[0].get_ydata()
    assert np.allclose(drawn, np.clip(constants[np.isfinite(run.seem)], 1e-4, None))
    cross = right.lines[1]
    assert cross.get_marker() == "x" and cross.get_ydata()[0] == drawn[-1]


def test_seem_by_outcome_keeps_the_groups_apart():
    seem = np.array([0.0, 1.0, 3.0, -1.0, 0.1, np.nan])
    diverged = np.array([True, True, True, False, False, False])
    figure = plotting.seem_by_outcome({7: seem}, diverged, {7: 2.0})
    assert "step 7, diverging runs: 67% positive, median 1," in figure.alt
    assert "step 7, surviving runs: 50% positive, median -0.45," in figure.alt
    crosses, circles = (np.asarray(c.get_offsets()) for c in figure.axes[0].collections)
    assert crosses[:, 0].tolist() == [1e-4, 1.0, 3.0]  # not positive: at the edge
    assert circles[:, 0].tolist() == [1e-4, 0.1]
    assert crosses[:, 1].max() < circles[:, 1].min()
    assert [2.0, 2.0] in [list(line.get_xdata()) for line in figure.axes[0].lines]


def test_mode_over_walk_shows_size_and_sign_and_gives_the_left_side_the_sign_of_the_right():
    walk = sl.toy_walk(0)
    excited = np.linspace(-1, 2, walk.n)
    figure = plotting.mode_over_walk(walk, {"here": (-excited, excited)})
    assert np.ptp([axes.get_xlim() for axes in figure.axes], axis=0).max() == 0
    for axes in figure.axes:  # the left eigenvector was turned round
        plus, minus = (collection.get_sizes() for collection in axes.collections)
        assert np.array_equal(plus > 0, excited > 0) and np.array_equal(minus > 0, excited < 0)
        assert plus.argmax() == walk.n - 1 and minus.argmax() == 0
        assert np.isclose(plus.max() / minus.max(), 2)
    assert f"{np.mean(excited > 0):.0%} of the entries are positive" in figure.alt


def test_auroc_over_time_puts_every_interval_where_it_is():
    areas = {0: sl.Auroc(0.5, 0.4, 0.6, 10, 10), 50: sl.Auroc(0.8, 0.7, 0.85, 10, 10)}
    figure = plotting.auroc_over_time({"all": {"one": areas, "two": {0: areas[50], 50: areas[0]}}})
    assert "all: one 0.50 at 0, 0.80 at 50; two 0.80 at 0, 0.50 at 50" in figure.alt
    bars = figure.axes[0].containers[0]
    assert bars.lines[0].get_ydata().tolist() == [0.5, 0.8]
    ends = [segment[:, 1].tolist() for segment in bars.lines[2][0].get_segments()]
    assert np.allclose(ends, [[0.4, 0.6], [0.7, 0.85]])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0", "50"]
    assert bars.lines[0].get_marker() != figure.axes[0].containers[1].lines[0].get_marker()


def test_time_to_crash_draws_the_clock():
    seem = np.array([1.0, 2.0, 4.0])
    left = 1 / (sl.step_size(0.02, 63) * seem)
    figure = plotting.time_to_crash({"a": (seem, left, 1000), "b": (seem, left[::-1], 100)}, lr=0.02, n=63)
    assert "a: 3 runs, rank correlation -1.00, median of eps SEEM times steps left 1.00" in figure.alt
    assert "b: 3 runs, rank correlation 1.00" in figure.alt
    assert "the rule warns of 2;" in figure.alt and figure.alt.endswith("the rule warns of 0.")
    assert figure.axes[0].lines[1].get_xdata()[0] == pytest.approx(1 / (sl.step_size(0.02, 63) * 1000))
    x, y = figure.axes[0].lines[0].get_data()
    assert np.allclose(x * y * sl.step_size(0.02, 63), 1)


def test_alarms_and_misses_are_shares_of_their_own_kind():
    figure = plotting.alarms_and_misses({0: (3, 4, 1, 10), 50: (1, 4, 0, 10)})
    assert "missed: diverges without a warning: 3 of 4 at step 0, 1 of 4 at step 50" in figure.alt
    assert "false alarm: warned of, and survives: 1 of 10 at step 0, 0 of 10 at step 50" in figure.alt
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert np.allclose(heights, [75, 25, 10, 0])
    hatches = {bar.get_hatch() or "" for bar in figure.axes[0].patches}
    assert len(hatches) == 2, "told apart without colour"
