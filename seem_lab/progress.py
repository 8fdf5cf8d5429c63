"""A progress bar for work that turns out to be long; short work shows nothing."""

from __future__ import annotations

import os
import time
from typing import Any

from tqdm.auto import tqdm

PATIENCE = 3.0  # seconds before the bar appears


class LateBar:
    """A tqdm bar that appears once the work has taken three seconds, and goes when the work is done.

    (tqdm's own `delay` leaves a bar behind in a notebook even when the work was short, and in a notebook tqdm does not
    look at its variable TQDM_DISABLE. This bar does.)

    Args:
        total: how many updates there will be; None if that is not known.
        desc: what is going on.
        unit: of an update.
        done: updates that were made before.
        show: False for no bar at all.

    Example:
        >>> with LateBar(10, desc="counting", unit="number") as bar:
        ...     for _ in range(10):
        ...         bar.update()
    """

    def __init__(self, total: int | None, *, desc: str, unit: str, done: int = 0, show: bool = True) -> None:
        self._settings: dict[str, Any] = {"total": total, "desc": desc, "unit": unit, "leave": False}
        self._show = show and not os.environ.get("TQDM_DISABLE")
        self._begin = time.monotonic()
        self._done, self._note = done, ""
        self._bar: tqdm | None = None

    def __enter__(self) -> LateBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def note(self, text: str) -> None:
        """What to show behind the bar from now on."""
        self._note = text
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def update(self) -> None:
        """One more is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        elif self._show and time.monotonic() - self._begin > PATIENCE:
            self._bar = tqdm(initial=self._done, **self._settings)
            if self._note:
                self._bar.set_postfix_str(self._note, refresh=False)
