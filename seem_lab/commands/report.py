"""`seem-lab report`."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from seem_lab.experiments import PARTS, jobs
from seem_lab.run_store import RunStore, carry_out_all


def report(folder: Path = Path("build/report"), parts: tuple[str, ...] = tuple(PARTS), workers: int = 1) -> None:
    """Run the full-scale experiments again and write their tables. Stopped at any moment, it goes on where it was.

    Args:
        folder: where runs are kept as they are done (runs.jsonl), and the tables full_scale_runs.csv and
            full_scale_traces.csv.gz.
        parts: of the experiments.
        workers: processes, of one thread each.
    """
    wanted, store, begin = jobs(parts), RunStore(folder / "runs.jsonl"), time.perf_counter()
    missing = len(store.missing(wanted))
    print(f"{len(wanted)} jobs, {len(wanted) - missing} of them done before")
    if workers == 1:
        carry_out_all(wanted, store)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            carry_out_all(wanted, store, executor)
    runs, readings = store.tables(wanted)
    for name, table in (("full_scale_runs.csv", runs), ("full_scale_traces.csv.gz", readings)):
        table.to_csv(folder / name, index=False, float_format="%.4g")
        print(f"{folder / name}: {len(table)} rows")
    print(
        f"{missing} jobs in {time.perf_counter() - begin:.0f} s; all {len(runs)} runs took {runs.seconds.sum():.0f} s "
        "of processor time"
    )
