"""From slider to picture: 40 key presses on every explorer, in the app and in JupyterLab, one after the other.

    python tests/benchmarks/panel_latency.py [app] [lab]

Pressed is the first slider of each explorer; values met again may come from what is kept. For each press: the time
until the first new picture has been decoded, and until the last one has (for an explorer that trains, the last comes
later), beside the time that the kernel spent in `compute` for this press, other processes' share of the processor
included. A press that leaves the picture as it is does not count. At the end the picture on the screen is compared,
pixel by pixel, with a full redraw in this process. Driver, browser and kernel share the processor: the numbers mean
something on an idle machine only, so the load before each explorer is printed with them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
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
# Remembers when each picture after a key press was decoded.
WATCH = """image => {
    window.frames = [];
    image.addEventListener("load", () => image.decode().then(() => window.frames.push(performance.now())));
    document.addEventListener("keydown", () => { window.pressed = performance.now(); window.frames = []; }, true);
}"""
# Run by every kernel as it starts: notes the seconds that each job computed.
NOTE = """
import time
from seem_lab.panels.panel import Panel

def _timed(results):
    def timed(panel, **parameters):
        taken, job = 0.0, results(panel, **parameters)
        while True:
            start = time.perf_counter()
            result = next(job, job)
            taken += time.perf_counter() - start
            if result is job:
                break
            yield result
        with open({path!r}, "a") as file:
            print(taken, file=file)
    return timed

Panel._results = _timed(Panel._results)
"""


@contextmanager
def pages(where: str, browser: Any, home: Path) -> Iterator[Iterator[tuple[type[Panel], serving.Shown]]]:
    """Each explorer on a page of the app, or as the only cell of a notebook; kernels note in `home` what they do."""
    startup = home / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "note.py").write_text(NOTE.format(path=str(home / "computed")))
    os.environ["IPYTHONDIR"] = str(home / "ipython")

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
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
            notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
            (home / f"{explorer.__name__}.ipynb").write_text(json.dumps(notebook))
            page = serving.new_page(browser)
            page.goto(f"{address}/lab/tree/{explorer.__name__}.ipynb?token={serving.TOKEN}&reset")
            page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3 (ipykernel)").wait_for()
            page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
            page.locator(".jp-CodeCell .cm-content").click()
            page.keyboard.press("Shift+Enter")
            yield explorer, serving.Shown(page)
            page.close()

    server = {"app": serving.serve_app, "lab": serving.serve_lab}[where](home)
    with server as address:
        yield {"app": in_app, "lab": in_lab}[where](address)


def place_of(control: Any, handle: Any) -> Any:
    """The value at which a slider stands in the browser."""
    says = handle.get_attribute("aria-valuetext")  # aria-valuenow has one decimal
    if hasattr(control, "options"):
        return next(value for label, value in control.options if says.endswith(label))
    number = float(says.split()[-1].replace("\N{MINUS SIGN}", "-").replace(",", ""))
    return min(choices(control), key=lambda value: abs(value - number))


def done(computed: Path) -> list[float]:
    """Seconds that each job has computed so far."""
    return [float(line) for line in computed.read_text().split()]


def measure(explorer: type[Panel], shown: serving.Shown, computed: Path) -> dict[str, Any]:
    """Milliseconds of 40 presses; whether the last picture is the right one."""
    image, handle = shown.root.locator("img"), shown.slider()
    image.evaluate(WATCH)
    local = explorer()
    name, control = next(pair for pair in local._controls.items() if hasattr(pair[1], "continuous_update"))
    first, last, compute = [], [], []
    key = "ArrowRight"
    while len(first) < PRESSES:
        handle.focus()
        at, jobs = handle.get_attribute("aria-valuetext"), len(done(computed))
        shown.page.keyboard.press(key)
        shown.page.wait_for_timeout(500)
        if handle.get_attribute("aria-valuetext") == at:  # the end: turn round
            key = {"ArrowRight": "ArrowLeft", "ArrowLeft": "ArrowRight"}[key]
            continue
        serving.wait_until(shown.page, lambda jobs=jobs: len(done(computed)) > jobs, "the computation ends")
        shown.settle()
        shown.page.wait_for_timeout(200)  # for the last picture
        frames = shown.page.evaluate("window.frames.map(moment => moment - window.pressed)")
        if frames:
            first.append(frames[0])
            last.append(frames[-1])
            compute.append(1000 * done(computed)[-1])
    local.set(**{name: place_of(control, handle)})
    same = local.text == shown.sentence and np.array_equal(full_redraw(local), pixels(shown.png()))
    return {"first": first, "last": last, "compute": compute, "same": same}


def summary(milliseconds: Any) -> str:
    """Median and 95th percentile."""
    return " /".join(f"{number:5.0f}" for number in np.percentile(milliseconds, (50, 95)))


def main(places: list[str]) -> None:
    """Print one line an explorer."""
    with serving.open_browser() as browser:
        for where in places or ["app", "lab"]:
            print(f"{where}: milliseconds, median / 95th percentile of {PRESSES} presses")
            home = Path(tempfile.mkdtemp())
            with pages(where, browser, home) as found:
                for explorer, shown in found:
                    load = os.getloadavg()[0]
                    result = measure(explorer, shown, home / "computed")
                    beyond = np.subtract(result["last"], result["compute"])
                    print(
                        f"{explorer.__name__:15s} first {summary(result['first'])} | last {summary(result['last'])} | "
                        f"computes {summary(result['compute'])} | last beyond it {summary(beyond)} | "
                        f"equals a full redraw: {result['same']} | load {load:.1f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(sys.argv[1:])
