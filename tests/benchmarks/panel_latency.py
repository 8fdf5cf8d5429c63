"""From slider to picture: 40 key presses on every explorer, in the app and in JupyterLab, one after the other.

    python tests/benchmarks/panel_latency.py [app] [lab]

For each press: the time until the first new picture has been decoded, and until the last one has (for an explorer that
trains, the last comes later), beside the time that the computation itself takes in this process. At the end the picture
on the screen is compared, pixel by pixel, with a full redraw in this process. Driver, browser and kernel share the
processor: the numbers mean something on an idle machine only, so the load is printed with them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
import serving
from test_panels import choices, full_redraw, pixels

from seem_lab.panels.app import EXPLORERS, _name
from seem_lab.panels.panel import Panel

PRESSES = 40
# Remembers when the first picture after a key press was decoded, and the latest.
WATCH = """image => {
    window.frames = [];
    image.addEventListener("load", () => window.frames.push(performance.now()));
    document.addEventListener("keydown", () => { window.pressed = performance.now(); window.frames = []; }, true);
}"""


@contextmanager
def pages(where: str, browser: Any) -> Iterator[Iterator[tuple[type[Panel], serving.Shown]]]:
    """Each explorer on a page of the app, or as the only cell of a notebook."""
    home = Path(tempfile.mkdtemp())

    def in_app(address: str) -> Iterator[tuple[type[Panel], serving.Shown]]:
        page = serving.new_page(browser)
        page.goto(address)
        for explorer in EXPLORERS:
            page.get_by_role("button", name=_name(explorer), exact=True).click()
            page.get_by_role("heading", name=explorer.title, exact=True).wait_for()
            yield explorer, serving.Shown(page)

    def in_lab(address: str) -> Iterator[tuple[type[Panel], serving.Shown]]:
        for explorer in EXPLORERS:
            cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "one"}
            cell["source"] = f"from seem_lab import panels\n\npanels.{explorer.__name__}()"
            notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            (home / f"{explorer.__name__}.ipynb").write_text(json.dumps(notebook))
            page = serving.new_page(browser)
            page.goto(f"{address}/lab/tree/{explorer.__name__}.ipynb?token={serving.TOKEN}&reset")
            if page.get_by_role("button", name="Select Kernel").count():
                page.get_by_role("button", name="Select Kernel").click()
            page.get_by_text("Python 3 (ipykernel)").first.wait_for()
            page.locator(".jp-CodeCell .cm-content").click()
            page.keyboard.press("Shift+Enter")
            yield explorer, serving.Shown(page)
            page.close()

    server = {"app": serving.serve_app, "lab": serving.serve_lab}[where](home)
    with server as address:
        yield {"app": in_app, "lab": in_lab}[where](address)


def measure(explorer: type[Panel], shown: serving.Shown) -> dict[str, Any]:
    """Milliseconds of 40 presses; whether the last picture is the right one."""
    image, handle = shown.root.locator("img"), shown.slider()
    image.evaluate(WATCH)
    local = explorer()
    name, control = next(pair for pair in local._controls.items() if hasattr(pair[1], "continuous_update"))
    first, last = [], []
    key, turned = "ArrowRight", False
    while len(first) < PRESSES:
        handle.focus()
        before = shown.source
        shown.page.keyboard.press(key)
        shown.page.wait_for_timeout(500)
        if shown.settle() and shown.source == before:  # at its end, or where the picture stays: turn round, and go on
            key, turned = key if turned else {"ArrowRight": "ArrowLeft", "ArrowLeft": "ArrowRight"}[key], True
            continue
        turned = False
        shown.page.wait_for_timeout(60)  # the last picture is decoded
        frames = shown.page.evaluate("window.frames.map(moment => moment - window.pressed)")
        first.append(frames[0])
        last.append(frames[-1])
    says = handle.get_attribute("aria-valuetext")  # aria-valuenow has one decimal
    if hasattr(control, "options"):
        place = next(value for label, value in control.options if says.endswith(label))
    else:
        number = float(says.split()[-1].replace("\N{MINUS SIGN}", "-").replace(",", ""))
        place = min(choices(control), key=lambda value: abs(value - number))
    local.set(**{name: place})
    same = local.text == shown.sentence and np.array_equal(full_redraw(local), pixels(shown.png()))
    return {"first": np.percentile(first, (50, 95)), "last": np.percentile(last, (50, 95)), "same": same}


def compute_time(explorer: type[Panel]) -> float:
    """Milliseconds of processor time that a change of the first slider computes: the median of five."""
    panel = explorer()
    name, control = next(pair for pair in panel._controls.items() if hasattr(pair[1], "continuous_update"))
    taken = []
    for k in range(1, 6):
        options = getattr(control, "options", None)
        value = options[k % len(options)][1] if options else control.min + k * control.step
        start = time.process_time()
        for _ in panel._results(**{**panel.parameters, name: value}):
            pass
        taken.append(time.process_time() - start)
    return 1000 * float(np.median(taken))


def main(places: list[str]) -> None:
    """Print one line an explorer."""
    with serving.open_browser() as browser:
        for where in places or ["app", "lab"]:
            print(
                f"{where}, load {os.getloadavg()[0]:.1f}: milliseconds, median / 95th percentile of {PRESSES} presses"
            )
            with pages(where, browser) as found:
                for explorer, shown in found:
                    result = measure(explorer, shown)
                    line = " ".join(
                        f"{name} {result[name][0]:4.0f} /{result[name][1]:5.0f}" for name in ("first", "last")
                    )
                    print(
                        f"{explorer.__name__:15s} computes {compute_time(explorer):5.0f} | {line} | "
                        f"equals a full redraw: {result['same']} | load {os.getloadavg()[0]:.1f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(sys.argv[1:])
