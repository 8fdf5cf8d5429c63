"""The picture of a `SeemMonitor`: its readings so far, also live in a notebook."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from IPython.display import DisplayHandle

from seem_lab.monitor import SeemMonitor
from seem_lab.plotting.figure import GREY, LessonFigure, series, tidy

_SHOWN: WeakKeyDictionary[SeemMonitor, DisplayHandle] = WeakKeyDictionary()


def seem_readings(monitor: SeemMonitor) -> LessonFigure:
    """SEEM over ||A||_F and the largest |Q| over training steps, with the alarm's threshold.

    Args:
        monitor: with one reading at least.

    Raises:
        ValueError: no reading yet.
    """
    if not monitor.readings:
        raise ValueError("the monitor has no readings yet; call it once a training step")
    columns, last, styles = monitor.columns(), monitor.readings[-1], series()
    figure = LessonFigure(8.0, 3.0)
    left, right = figure.subplots(1, 2)
    left.plot(columns["step"], columns["normalised"], marker="o", markersize=3, **next(styles))
    left.axhline(monitor.threshold, color=GREY, linestyle=":", label=f"threshold {monitor.threshold:g}")
    left.legend(frameon=False, fontsize=9)
    tidy(left, title="Self-excitation", x="training step", y=r"SEEM / $\|A\|_F$")
    q_max = np.where(columns["q_max"] > 0, columns["q_max"], np.nan)
    right.plot(columns["step"], q_max, marker="s", markersize=3, **next(styles))
    right.set_yscale("log")
    tidy(right, title="Largest |Q| on the data", x="training step", y="|Q|")
    verdict = monitor.alarm or "No alarm so far."
    figure.alt = (
        f"Two curves over training steps, {len(monitor.readings)} readings up to step {last.step}. Left, SEEM over the "
        f"norm of A, now {last.normalised:.2g}; right, the largest |Q|, now {last.q_max:.3g}. {verdict}"
    )
    return figure


def live_readings(monitor: SeemMonitor) -> None:
    """Show `seem_readings` in a notebook, or renew the picture shown before: `SeemMonitor(on_reading=live_readings)`.

    Args:
        monitor: with one reading at least.
    """
    figure = seem_readings(monitor)
    bundle = {"image/png": figure.png(), "text/plain": figure.alt}
    metadata = {"image/png": {"alt": figure.alt, "width": 800}}
    if monitor in _SHOWN:
        _SHOWN[monitor].update(bundle, raw=True, metadata=metadata)
    else:
        _SHOWN[monitor] = DisplayHandle()
        _SHOWN[monitor].display(bundle, raw=True, metadata=metadata)
