"""The picture of one training run at full scale, from its table."""

from __future__ import annotations

import pandas as pd

from seem_lab.plotting.figure import GREY, LessonFigure, series, tidy


def training_run(table: pd.DataFrame) -> LessonFigure:
    """Largest |Q| over its limit, SEEM over ||A||_F and, where the policy was evaluated, the return.

    Args:
        table: of a run, see `seem_lab.critics.run_log.RunLog`.

    Returns:
        The figure, one panel for each that the table holds.

    Raises:
        ValueError: a table without a row of numbers.
    """
    panels = {
        "q_over_limit": ("Largest |Q| on the batches", "|Q| over the limit"),
        "seem_normalised": ("Self-excitation", r"SEEM / $\|A\|_F$"),
        "return_mean": ("Policy", "return of an episode"),
        "policy_loss": ("Policy", "loss"),
    }
    there = [name for name in panels if table[name].notna().any()]
    there = [name for name in there if name != "policy_loss" or "q_over_limit" not in there]
    if not there:
        raise ValueError("the table has no numbers to draw yet; train for some steps first")
    figure, styles = LessonFigure(3.6 * len(there) + 0.6, 3.0), series()
    told = []
    for name, axes in zip(there, figure.subplots(1, len(there), squeeze=False)[0], strict=True):
        title, label = panels[name]
        rows = table[table[name].notna()]
        dots = {"marker": "o", "markersize": 4} if len(rows) < 30 else {}
        axes.plot(rows["step"], rows[name], **dots, **next(styles))
        if name == "q_over_limit":
            axes.axhline(1, color=GREY, linestyle=":", label="no policy has more")
            axes.set_yscale("log")
            axes.legend(frameon=False, fontsize=9)
        if name == "return_mean":
            axes.fill_between(
                rows["step"], rows["return_low"], rows["return_high"], alpha=0.2, label="lowest to highest"
            )
            axes.legend(frameon=False, fontsize=9)
        tidy(axes, title=title, x="training step", y=label)
        told.append(f"{title}: {label.replace('$', '')} from {rows[name].iloc[0]:.3g} to {rows[name].iloc[-1]:.3g}")
    last = table.iloc[-1]
    figure.alt = f"A training run up to step {int(last['step'])}, {last['verdict']}. {'; '.join(told)}."
    figure.alt = figure.alt.replace(r"\|A\|_F", "the norm of A")
    return figure
