"""1,000 seeded changes of every explorer: no exception, no growth of memory, the last state that of a fresh panel.

python tests/benchmarks/panel_changes.py [1000]
"""

from __future__ import annotations

import gc
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from test_panels import EXPLORERS, wander


def memory() -> float:
    """MiB of this process in memory (Linux)."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def main(changes: int) -> None:
    """Print one line an explorer."""
    for explorer in EXPLORERS:
        panel = explorer()
        wander(panel, changes=changes // 10, seed=0)  # fills what is kept
        gc.collect()
        before, start = memory(), time.process_time()
        wander(panel, changes=changes, seed=1)
        gc.collect()
        grown, taken = memory() - before, time.process_time() - start
        fresh = explorer(**panel.parameters)
        same = (fresh.text, fresh.png) == (panel.text, panel.png)
        print(
            f"{explorer.__name__:15s} {changes} changes in {taken:4.0f} s: {grown:+6.1f} MiB, consistent: {same}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
