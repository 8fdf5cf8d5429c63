"""The pictures of lesson 08 draw what the table holds and say it."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

import seem_lab as sl
from seem_lab import plotting
from seem_lab.plotting.figure import ORANGE
from seem_lab.remedies import SEEM_STEPS


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two remedies, three seeds, numbers made up."""
    rows = []
    for family, strength, crashes, q, seem in (("plain", "", True, 1e9, 20.0), ("calm", "0.5", False, 3.0, -1.0)):
        for seed in range(3):
            base = {"family": family, "strength": strength, "side": "none" if crashes else "target", "seed": seed}
            base |= {"settled_step": 100 + seed, "cost": 2.0, "last_step": 1500, "final_q_max": q}
            readings = {f"seem_at_{step}": seem if step <= 150 else np.nan for step in SEEM_STEPS}
            rows.append(base | readings | {"population": "diverging", "diverged": crashes, "largest_q": q, "bias": 1.0})
            base |= {"population": "converging", "diverged": False, "largest_q": 1.0, "bias": 0.1 * seed}
            rows.append(base | dict.fromkeys(readings, np.nan))
    return pd.DataFrame(rows)


def test_chart_has_a_mark_a_seed_and_counts_crashes(table):
    figure = plotting.remedies_chart(sl.summarise_remedies(table), table)
    left, right = figure.axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["calm 0.5  0/3", "plain  3/3"]
    crosses = [line for line in left.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(line.get_ydata()) for line in crosses] == [[1, 1, 1]]
    assert all(to_rgba(line.get_color()) == to_rgba(ORANGE) for line in crosses)
    found = [list(line.get_xdata()) for line in right.lines if line.get_marker() == "o"]
    assert found == [pytest.approx([0.0, 0.1, 0.2])] * 2
    assert "calm 0.5 0 of 3; plain 3 of 3" in figure.alt


def test_small_multiples_show_each_run_and_where_it_crashed(table):
    figure = plotting.seem_small_multiples(sl.summarise_remedies(table), table, columns=3)
    calm, plain, unused = figure.axes
    assert calm.get_title(loc="left") == "calm 0.5\n0 of 3 crash" and not unused.get_visible()
    assert [len(line.get_xdata()) for line in plain.lines] == [4, 1] * 3  # a line and a cross
    assert all((line.get_ydata() == 20).all() for line in plain.lines)
    assert all((line.get_ydata() == 1e-4).all() for line in calm.lines)  # negative: at the edge
    assert "calm 0.5 -1; plain 20" in figure.alt


def test_crashes_over_seem_names_what_it_is_told(table):
    figure = plotting.seem_and_crashes(sl.summarise_remedies(table), ("plain",))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["plain"]
    points = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert points["plain"] == ([20.0], [1.0]) and points["target"] == ([1e-4], [0.0])
    assert "plain: SEEM 20, 3 of 3 crash" in figure.alt
