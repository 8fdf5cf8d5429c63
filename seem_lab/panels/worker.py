"""A computation in pieces, between the other events of the kernel: the newest one wins."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

FIRST = 0.03  # seconds of work before the first frame
FRAME = 0.4  # seconds between two frames; each takes time from the computation, and JupyterLab can fall behind
STEP = 0.2  # the same where every partial result is shown

State = Literal["running", "done", "stopped"]


class Worker:
    """Takes the partial results of one job, shows some, and lets the kernel answer in between.

    A job is an iterator of partial results, each the work of some 50 ms at most; the last one is the result. `start`
    shows a first frame before it returns: so something of every job is seen, however fast one follows the other.
    The rest is done on the event loop of the thread it was started in, one piece at a time (JupyterLab answers
    widgets in a thread of their own, beside the one that runs cells); where no loop runs, as in a script, at once.

    Args:
        show: told each frame: a result, and what has become of its job.
        fail: told an exception, before it is raised.

    Example:
        >>> shown = []
        >>> Worker(lambda result, state: shown.append((result, state)), print).start(iter([1, 2, 3]))
        >>> shown
        [(3, 'done')]
    """

    def __init__(self, show: Callable[[Any, State], None], fail: Callable[[Exception], None]) -> None:
        self._show, self._fail = show, fail
        self._lock = threading.RLock()
        self._job: Iterator[Any] | None = None
        self._latest: Any = None
        self._shown = -math.inf  # when the last frame was
        self._apart = FRAME  # seconds until the next, at least
        self._task: asyncio.Task | None = None  # kept here, or it could be collected half-way

    def start(self, job: Iterator[Any], *, work: float = FIRST, every: bool = False) -> None:
        """Leave the old job, begin a new one.

        Args:
            job: the partial results.
            work: seconds until its first frame, if it is not done before.
            every: show every partial result, `STEP` seconds apart.
        """
        with self._lock:
            self._job, self._shown, self._apart = job, -math.inf, 0.0 if every else FRAME
            self._advance(0.0 if every else work)
            if self._job is None:
                return
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                self.finish()
            else:
                self._task = loop.create_task(self._go_on(job, every))

    def finish(self) -> None:
        """Do the rest of the job now, if there is one."""
        with self._lock:
            while self._job is not None:
                self._advance(float("inf"))

    def stop(self) -> None:
        """Leave the job where it is."""
        with self._lock:
            if self._job is not None:
                self._job = None
                self._show(self._latest, "stopped")

    async def _go_on(self, job: Iterator[Any], every: bool) -> None:
        while True:
            await asyncio.sleep(STEP if every else 0)
            with self._lock:
                if self._job is not job:
                    return
                self._advance(0.0)

    def _advance(self, work: float) -> None:
        """Take results for so many seconds, at least one; show the latest if it is the last, or time for a frame."""
        assert self._job is not None
        start = time.monotonic()
        try:
            for result in self._job:
                self._latest = result
                if time.monotonic() - start >= work:
                    break
            else:
                self._job = None
            if self._job is None:
                self._show(self._latest, "done")
            elif time.monotonic() - self._shown >= self._apart:
                self._show(self._latest, "running")
                self._shown = time.monotonic()
        except Exception as error:
            self._job = None
            self._fail(error)
            raise
