"""Runs that are done are kept, one line each, and never done again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from seem_lab.experiments import Job, carry_out
from seem_lab.progress import LateBar


class RunStore:
    """A file with a line of JSON for each job that is done; a line cut short by a crash counts as not done.

    Args:
        path: of the file; made with its folder when the first run is done.

    Example:
        >>> import tempfile
        >>> from seem_lab.experiments import jobs
        >>> store = RunStore(Path(tempfile.mkdtemp()) / "runs.jsonl")
        >>> first, *rest = jobs(("maze",))
        >>> store.add(first, [{"part": "maze", "score": 1.0, "trace": None}])
        >>> len(store.missing([first, *rest])) == len(rest)
        True
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, job: Job, rows: list[dict[str, Any]]) -> None:
        """Keep what came of a job, on the disk before this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":  # the line before was cut short
                    file.write(b"\n")
            file.write((json.dumps({"job": _key(job), "rows": rows}) + "\n").encode())

    def done(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of every job that is done, by its settings and seeds."""
        found = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            try:
                kept = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[kept["job"]] = kept["rows"]
        return found

    def missing(self, wanted: Sequence[Job]) -> list[Job]:
        """Those that are not done, or were done with other settings."""
        done = self.done()
        return [job for job in wanted if _key(job) not in done]

    def tables(self, wanted: Sequence[Job]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What came of these runs, as far as they are done.

        Returns:
            One row a run, see `data/README.md` for the columns; and one row a reading, `run` its row of the first.
        """
        done = self.done()
        kept = [{**row, "part": job.part} for job in wanted for row in done.get(_key(job), [])]
        traces = [row.pop("trace") for row in kept]
        readings = [pd.DataFrame({"run": i, **trace}) for i, trace in enumerate(traces) if trace]
        return pd.DataFrame(kept), pd.concat(readings, ignore_index=True)


def carry_out_all(
    wanted: Sequence[Job], store: RunStore, executor: Executor | None = None, *, show: bool = True
) -> None:
    """Do what is missing; every job is kept as soon as it is done.

    Args:
        wanted: the jobs.
        store: keeps them.
        executor: takes one job a task: `concurrent.futures.ProcessPoolExecutor(2)`, or
            `dask.distributed.Client(...).get_executor()` for many machines. None: one after the other, here.
        show: a progress bar.
    """
    missing = store.missing(wanted)
    with LateBar(len(missing), desc="experiments", unit="job", show=show) as bar:
        if executor is None:
            for job in missing:
                store.add(job, carry_out(job))
                bar.update()
            return
        futures = {executor.submit(carry_out, job): job for job in missing}
        for future in as_completed(futures):
            store.add(futures[future], future.result())
            bar.update()


def _key(job: Job) -> str:
    """All settings that differ from the defaults, but not the part it stands in."""
    arm, options = job.arm, job.arm.options
    told = {f.name: getattr(options, f.name) for f in fields(options) if getattr(options, f.name) != f.default}
    return repr((arm.task, type(options).__name__, told, arm.steps, arm.fraction, arm.every, arm.judged, job.seeds))
