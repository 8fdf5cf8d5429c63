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
        kernels = [
            p for p in psutil.process_iter(["cmdline"]) if address.rsplit(":")[-1] in " ".join(p.info["cmdline"])
        ]
        server = kernels[0]
        memory = [child.memory_full_info().pss / 2**20 for child in server.children(recursive=True)]
        memory = [size for size in memory if size > 50]  # not the small processes beside a kernel
        print(f"{right} of {count} tabs show their own picture and sentence, without an error")
        print(f"{len(memory)} kernels: {np.median(memory):.0f} MiB each (median), {max(memory):.0f} at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
