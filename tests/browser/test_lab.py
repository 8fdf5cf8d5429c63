"""A real browser opens lesson 01 in JupyterLab, runs it as far as its second panel and moves the controls."""

import json
import shutil

import pytest
import serving

# A panel of the reader's own, with an error to provoke, as a last cell of the lesson.
FAILING = """\
class Fails(panels.SelfExcitation):
    def compute(self, c, **others):
        if c < 2:
            raise ZeroDivisionError("on purpose")
        yield from super().compute(c=c, **others)


Fails()"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """JupyterLab on a copy of the lesson (running a notebook saves it)."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(serving.ROOT / "notebooks", home / "notebooks")
    path = home / "notebooks" / "01_self_excitation.ipynb"
    notebook = json.loads(path.read_text())
    panels = [k for k, cell in enumerate(notebook["cells"]) if "panels.SelfExcitation" in "".join(cell["source"])]
    last = {
        "cell_type": "code",
        "id": "fails",
        "metadata": {},
        "source": FAILING,
        "outputs": [],
        "execution_count": None,
    }
    notebook["cells"] = [*notebook["cells"][: panels[-1] + 1], last]  # the rest trains for minutes
    path.write_text(json.dumps(notebook))
    with serving.serve_lab(home) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser, address):
    """The lesson, opened and run."""
    page = serving.new_page(browser, width=1300, height=12000)  # tall: cells out of view are not rendered
    page.goto(f"{address}/lab/tree/notebooks/01_self_excitation.ipynb?token={serving.TOKEN}&reset")
    page.get_by_text("Python 3 (ipykernel)").first.wait_for()
    page.locator(".jp-Notebook .jp-CodeCell").last.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".seem-panel").first.wait_for()
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.innerText);
            return prompts.length > 0 && prompts.every(p => /\\[\\d+\\]/.test(p));
        }"""
    )
    yield page
    page.close()


def panel(page, place):
    """The panels of the lesson: two of its own, then the one that fails."""
    page.locator(".seem-panel").nth(2).wait_for()
    return serving.Shown(page, place)


def test_every_cell_runs_without_an_error(page):
    failed = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert failed.count() == 0, failed.first.inner_text()
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0


def test_keys_and_presets_change_picture_and_sentence_and_reset_restores(page):
    shown = panel(page, 0)
    says, digest = shown.sentence, shown.digest()
    assert says == "A = 0.98: each step multiplies the error by 1.196. It grows: the target runs away from the value " \
        "(self-excitation)."  # fmt: skip
    moved = shown.change(lambda: shown.slider("feature of the neighbour").press("ArrowLeft"))
    assert moved.startswith("A = 0.93") and shown.digest() != digest
    assert "It dies out." in shown.change(lambda: shown.press("catches up"))
    assert shown.change(lambda: shown.press("Reset")) == says and shown.digest() == digest
    shown.check()


def test_an_error_is_shown_to_the_reader_and_fails_a_check(page):
    shown = panel(page, 2)
    shown.check()
    shown.slider("feature of the neighbour").press("ArrowLeft")
    serving.wait_until(page, lambda: shown.alert == "ZeroDivisionError: on purpose", "the error is shown")
    with pytest.raises(AssertionError, match="ZeroDivisionError: on purpose"):
        shown.check()
    shown.press("Reset")  # to the picture that is still there
    serving.wait_until(page, lambda: shown.alert == "", "the error is gone")


def test_light_and_dark_can_be_read(page):
    for theme in ("Light", "Dark"):
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
        page.evaluate(change, f"JupyterLab {theme}")
        page.locator(f'body[data-jp-theme-name="JupyterLab {theme}"]').wait_for(state="attached")
        shown = panel(page, 0)
        shown.root.screenshot(path=serving.SCREENSHOTS / f"lab_{theme.lower()}.png")
        assert serving.keep_out(page, ".seem-panel") == []


def test_the_page_had_no_trouble_of_ours(page):
    jupyters = "Could not restore the debugger state"  # its request was overtaken by the restart of the kernel
    assert [trouble for trouble in page.troubles if not trouble.startswith(jupyters)] == []
