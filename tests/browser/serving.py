"""Servers on loopback and pages in a headless browser, for the browser tests and the benchmarks of the panels."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
TOKEN = "for-this-test"
PATIENCE = 120  # seconds; the machine may be busy


@contextmanager
def serve(command: list[str], home: Path, answers: str, **environment: str) -> Iterator[str]:
    """Run a server until the block ends; yields its address once it answers at that path."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", *(part.format(port=port) for part in command)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths} | environment
    with (home / "log").open("w") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    urllib.request.urlopen(f"{address}{answers}", timeout=PATIENCE).close()
                    break
                except OSError:
                    assert server.poll() is None, (home / "log").read_text()
                    assert time.monotonic() < deadline, "the server does not answer"
                    time.sleep(0.3)
            yield address
        finally:
            server.terminate()


def serve_app(home: Path) -> Any:
    """The page of all explorers."""
    # What answers at once: the page itself would start a kernel.
    return serve(["seem_lab", "app", "--port", "{port}", "--no-browser"], home, "/voila/static/voila.js")


def serve_lab(home: Path) -> Any:
    """JupyterLab in a folder."""
    command = ["jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port={port}"]
    command += ["--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={home}"]
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTERLAB_WORKSPACES_DIR": "spaces", "JUPYTERLAB_SETTINGS_DIR": "set"}
    folders = {name: str(home / folder) for name, folder in folders.items()}
    return serve(command, home, f"/api?token={TOKEN}", JUPYTER_TOKEN=TOKEN, **folders)


@contextmanager
def open_browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def new_page(browser: Any, **size: int) -> Any:
    """A page that keeps in `page.troubles` what goes wrong: errors, and requests that leave this computer."""
    page = browser.new_page(viewport={"width": 1200, "height": 1000} | size)
    page.set_default_timeout(1000 * PATIENCE)
    page.troubles = []

    def console(message: Any) -> None:
        if message.type == "error":
            page.troubles.append(message.text)

    def request(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            page.troubles.append(f"asks for {request.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("request", request)
    return page


def wait_until(page: Any, true: Callable[[], bool], what: str) -> None:
    """Until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"still not so: {what}"
        page.wait_for_timeout(30)


def keep_out(page: Any, part: str = "body") -> list[tuple[str, str]]:
    """What axe, an automated check of accessibility, finds serious or critical in a part of the page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=part).response["violations"]
    return [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]


class Shown:
    """A panel on a page, as a reader meets it."""

    def __init__(self, page: Any, place: int = 0) -> None:
        self.page, self.root = page, page.locator(".seem-panel").nth(place)
        self.root.locator("img[alt]:not([alt=''])").wait_for()
        self.root.locator("[role=slider][aria-label]").first.wait_for(state="attached")
        self.settle()

    def settle(self) -> str:
        """Wait until nothing is computed any more; the sentence then."""
        self.root.locator("[role=status][aria-busy=false]").wait_for(state="attached")
        return self.sentence

    @property
    def sentence(self) -> str:
        return self.root.locator("[role=status]").inner_text()

    @property
    def alert(self) -> str:
        return self.root.locator("[role=alert]").inner_text()

    @property
    def alt(self) -> str:
        return self.root.locator("img").get_attribute("alt")

    @property
    def source(self) -> str:
        """The picture as an address; another picture has another one."""
        return self.root.locator("img").get_attribute("src")

    def png(self) -> bytes:
        """The picture on the screen."""
        return base64.b64decode(self.source.partition(",")[2])

    def digest(self) -> str:
        return hashlib.sha256(self.png()).hexdigest()

    def slider(self, label: str = "") -> Any:
        """The handle of a slider, the first one if not told otherwise."""
        return self.root.locator("[role=slider]" + (f'[aria-label^="{label}"]' if label else "")).first

    def press(self, name: str) -> None:
        """A button."""
        self.root.get_by_role("button", name=name, exact=True).click()

    def change(self, act: Callable[[], None]) -> str:
        """Do something, wait until the picture is another one and ready; the sentence then."""
        before = self.source
        act()
        wait_until(self.page, lambda: self.source != before, f"a new picture after: {self.sentence}")
        return self.settle()

    def check(self) -> None:
        """No error is shown."""
        assert self.alert == "", self.alert
