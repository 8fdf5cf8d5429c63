"""Pictures of lesson 09: their words hold the numbers that were drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from seem_lab import mlp, plotting, toy_walk, train


def test_errors_by_setting_tells_who_blows_up() -> None:
    run = train(mlp(4, seed=1000), toy_walk(0), steps=400, progress=False)
    figure = plotting.errors_by_setting({"one": run})
    assert f"one: blows up at step {run.step[-1]}, error {run.td_error_norm[0]:.2g} at first" in figure.alt


def test_multipliers_outside_the_circle_are_counted() -> None:
    values = torch.tensor([0.5 + 0j, 1.1 + 0j, -1.2 + 0j])
    assert "2 of 3 outside (1 right of 1), the largest -1.200" in plotting.multipliers_in_the_plane({"m": values}).alt


def test_phase_diagram_says_where_half_diverge() -> None:
    table = pd.DataFrame([[0.0, 0.2], [0.1, 0.9]], index=[0.9, 0.99], columns=[0.1, 1.0])
    alt = plotting.phase_diagram({"measured": table}).alt
    assert "measured: half of the seeds or more at tau 1 from discount 0.99" in alt
    assert "nowhere" in plotting.phase_diagram({"measured": 0 * table}).alt


def test_ratios_and_clouds_give_their_medians_and_shares() -> None:
    measured = np.linspace(0.01, 0.02, 40)
    assert "s, r: 2.00" in plotting.growth_ratios({"s": {"r": np.full(9, 2.0)}}).alt
    alt = plotting.frozen_and_measured(measured, {"good": measured, "bad": 3 * measured}).alt
    assert "good: within 25 % (or 0.0001) in 100%" in alt and "bad: within 25 % (or 0.0001) in 0%" in alt
