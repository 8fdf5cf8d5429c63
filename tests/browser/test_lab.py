"""A real browser opens lesson 00 in JupyterLab, runs every cell and moves a slider.

Needs Chromium on the path and Playwright (the extra `test`); it installs nothing. Screenshots are kept in
`tests/browser/screenshots/`.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("Chromium is missing (Debian: apt install chromium)", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
TOKEN = "for-this-test"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on loopback, on a copy of the notebooks (running a notebook saves it); yields its address."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--LabApp.news_url=None", f"--ServerApp.root_dir={home}"]
    environment = os.environ | {
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
    }
    with (home / "log").open("w") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
                    break
                except OSError:
                    assert server.poll() is None, (home / "log").read_text()
                    assert time.monotonic() < deadline, "JupyterLab does not answer"
                    time.sleep(0.3)
            yield address
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def page(lab):
    """Lesson 00, opened and run from top to bottom; errors of the page are collected in `page.errors`."""
    SCREENSHOTS.mkdir(exist_ok=True)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 1300, "height": 9000})  # tall: cells out of view are not rendered
        page.set_default_timeout(90_000)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(f"{lab}/lab/tree/notebooks/00_start_here.ipynb?token={TOKEN}&reset")
        page.get_by_text("Python 3 (ipykernel)").first.wait_for()
        page.locator(".jp-Notebook .jp-CodeCell").last.wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Restart Kernel and Run All Cells…").click()
        page.get_by_role("button", name="Confirm Kernel Restart").click()
        page.locator(".widget-slider").first.wait_for()
        page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.innerText);
                return prompts.length > 0 && prompts.every(p => /\\[\\d+\\]/.test(p));
            }"""
        )
        yield page
        page.screenshot(path=SCREENSHOTS / "lesson_00.png")
        browser.close()


def sentence(page) -> str:
    """What the panel says."""
    return page.locator(".widget-html [role=status][aria-live]").last.inner_text()


def picture(page) -> str:
    """Where the panel's picture comes from; a new picture has a new address."""
    return page.locator(".jp-OutputArea-output .widget-image, img.widget-image").last.get_attribute("src")


def wait_until(page, true) -> None:
    """Until a condition holds, a minute at most."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"the panel still says: {sentence(page)}"
        page.wait_for_timeout(50)


def test_every_cell_runs_without_an_error(page):
    failed = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert failed.count() == 0, failed.first.inner_text()
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    assert page.errors == []


def test_keys_on_a_slider_change_picture_and_sentence_and_reset_restores(page):
    says, shows = sentence(page), picture(page)
    assert re.search(r"Blows up: .* at step \d+", says)
    slider = page.locator(".noUi-handle").first
    for _ in range(100):  # the discount, down in steps of 0.005
        before = picture(page)
        slider.press("ArrowLeft")  # focuses the slider anew
        wait_until(
            page, lambda before=before: picture(page) != before
        )  # or it would wait in a queue and undo the Reset
        if sentence(page).startswith("Not blown up"):
            break
    assert sentence(page).startswith("Not blown up")
    assert picture(page) != shows
    page.get_by_role("button", name="Reset", exact=True).click()
    wait_until(page, lambda: sentence(page) == says)
