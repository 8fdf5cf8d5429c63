"""Many tabs on the app at once: are all served, is none mixed up, and what memory does each take?

    python tests/benchmarks/panel_tabs.py [20]

Every tab opens the same explorer and moves it to a place of its own, all of them before any is looked at. Memory is the
proportional share (pages that several processes share are divided among them) of each tab's kernel.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
import serving

from seem_lab.panels import Linear


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started (Linux)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return children + [later for child in children for later in descendants(child)]


def command(pid: int) -> str:
    """The command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def share(pid: int) -> float:
    """MiB of a process, pages that others use as well divided among them."""
    return int(re.search(r"Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())[1]) / 1024


def main(count: int) -> None:
    """Open the tabs, move each, compare with what each should show."""
    with serving.serve_app(Path(tempfile.mkdtemp())) as address, serving.open_browser() as browser:
        tabs = [serving.new_page(browser) for _ in range(count)]
        for tab in tabs:
            tab.goto(address, wait_until="commit")
        shown = []
        for tab in tabs:
            tab.get_by_role("button", name="02 Linear", exact=True).click()
            shown.append(serving.Shown(tab))
        for k, panel in enumerate(shown):  # the discount, down by k steps
            for _ in range(k):
                panel.slider("discount").press("ArrowLeft")
        right = 0
        for k, panel in enumerate(shown):
            wanted = Linear(gamma=0.99 - 0.005 * k)
            serving.wait_until(
                panel.page, lambda panel=panel, wanted=wanted: panel.sentence == wanted.text, wanted.text
            )
            right += panel.png() == wanted.png and panel.page.troubles == []
        memory = [share(pid) for pid in descendants(os.getpid()) if "ipykernel_launcher" in command(pid)]
        print(f"{right} of {count} tabs show their own picture and sentence, without an error")
        print(f"{len(memory)} kernels: {np.median(memory):.0f} MiB each (median), {max(memory):.0f} at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
