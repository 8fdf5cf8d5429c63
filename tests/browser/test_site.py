"""The book is built once, as `make site` does, and read from disk: its links, pictures, formulas, and a real browser.

What opens a page needs Chromium on the path and Playwright (the extra `test`); it installs nothing.
"""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import slides

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = ["README", "notebooks/00_start_here", "notebooks/exercises/04_seem", "search"]


class Page(HTMLParser):
    """What a page links to, loads and shows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.text = ""
        self.verbatim = 0
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        facts = {name: value or "" for name, value in attrs}
        self.ids |= {facts["id"]} if "id" in facts else set()
        if tag == "a" and "href" in facts:
            self.links.append(facts["href"])
        elif tag == "link" and facts.get("rel") == "stylesheet":
            self.loads.append(facts["href"])
        elif tag in ("img", "script", "iframe", "source") and "src" in facts:
            self.loads.append(facts["src"])
        if tag == "img":
            self.pictures.append(facts)
        self.verbatim += tag in ("pre", "code", "script", "style")

    def handle_endtag(self, tag):
        self.verbatim -= tag in ("pre", "code", "script", "style")

    def handle_data(self, data):
        self.text += "" if self.verbatim else data


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The folder of the built book; a warning fails the build."""
    made = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "-q", "-E", "-c", str(ROOT / "notebooks" / "site")]
    command += ["-d", str(made / "cache"), str(ROOT), str(made / "site")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return made / "site"


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


@pytest.fixture(scope="module")
def deck(tmp_path_factory) -> Path:
    """The deck of lesson 04, in a folder with all that it loads."""
    folder = tmp_path_factory.mktemp("slides")
    slides.write_what_decks_load(folder)
    slides.write_deck(ROOT / "notebooks" / "04_seem.ipynb", folder)
    return folder / "04_seem.html"


def test_every_document_has_a_page(site):
    documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")]
    for pattern in ("*.ipynb", "*.md", "*/*.ipynb", "*/*.md"):
        documents += (ROOT / "notebooks").glob(pattern)
    missing = [path for path in documents if not (site / path.relative_to(ROOT).with_suffix(".html")).exists()]
    assert missing == []


def test_links_lead_somewhere(pages):
    for path, page in pages.items():
        for link in page.links:
            there = urlsplit(link)
            if there.scheme in ("https", "http"):
                continue
            target = (path.parent / unquote(there.path)).resolve() if there.path else path
            assert target.exists(), f"{path.name}: dead link {link}"
            if there.fragment and target in pages:
                assert unquote(there.fragment) in pages[target].ids, f"{path.name}: no such place {link}"


def test_all_that_is_loaded_lies_in_the_folder(site, pages):
    for path, page in pages.items():
        for load in page.loads:
            there = urlsplit(load)
            assert there.scheme == "data" or (not there.netloc and (path.parent / there.path).exists()), load
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()[\s\"']*(https?:)?//", sheet.read_text()), sheet.name


def test_pictures_are_described(site, pages):
    for path, page in pages.items():
        assert all(picture.get("alt") for picture in page.pictures), path.name
    for lesson in LESSONS:
        outputs = [output for cell in nbformat.read(lesson, as_version=4).cells for output in cell.get("outputs", [])]
        told = [output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
        shown = [picture["alt"] for picture in pages[site / "notebooks" / f"{lesson.stem}.html"].pictures]
        assert shown == told


def test_panels_say_how_to_run_them(site):
    for lesson in LESSONS:
        outputs = [output for cell in nbformat.read(lesson, as_version=4).cells for output in cell.get("outputs", [])]
        results = [
            output for output in outputs if output.output_type == "execute_result"
        ]  # other figures are displayed
        panels = sum("image/png" in output.data for output in results)
        page = (site / "notebooks" / f"{lesson.stem}.html").read_text()
        assert page.count("This panel is a picture here.") == panels, lesson.name
        assert panels > 0 or lesson.stem == "11_claims", f"{lesson.name} has no panel"


def test_formulas_are_formulas(site, pages, deck):
    formulas = {}
    for page in [*pages.values(), Page(deck)]:
        assert "$" not in page.text, page.path.name
        formulas[page.path] = re.findall(r"<math.*?</math>", page.path.read_text(), re.DOTALL)
        assert all("\\" not in formula for formula in formulas[page.path]), page.path.name
    assert len(formulas[site / "notebooks/04_seem.html"]) >= len(formulas[deck]) > 50


@pytest.fixture(scope="module")
def browser():
    """Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("Chromium is missing (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def window(browser):
    """A window without a network; what it reports, and what it asks for elsewhere, fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    complaints = []
    page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url))
    page.context.set_offline(True)
    yield page
    page.close()
    assert complaints == []


def serious(window, **options: object) -> list[str]:
    """What axe finds that is serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(window, options={"preload": False, **options}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_from_disk_accessible_light_and_dark(site, window, name):
    window.goto((site / f"{name}.html").as_uri())
    assert serious(window) == []
    faces = {window.evaluate("getComputedStyle(document.body).backgroundColor")}
    button = window.locator(".theme-toggle:visible").first
    while window.locator("body").get_attribute("data-theme") != "dark":
        button.click()
    faces.add(window.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(faces) == 2
    assert serious(window, runOnly=["color-contrast"]) == []


def test_front_page_leads_to_the_book(site, window):
    window.goto((site / "index.html").as_uri())
    window.wait_for_url("**/README.html")
    window.get_by_role("link", name="SEEM", exact=True).click()
    assert "04 SEEM" in window.title()


def test_search_finds_from_disk(site, window):
    window.goto((site / "notebooks/00_start_here.html").as_uri())
    window.get_by_placeholder("Search").fill("LayerNorm")
    window.get_by_placeholder("Search").press("Enter")
    window.locator("#search-results li a").first.wait_for()
    found = window.locator("#search-results li a").all_inner_texts()
    assert "07 LayerNorm" in found


def test_answers_unfold(site, window):
    window.goto((site / "notebooks/00_start_here.html").as_uri())
    answer = window.locator("details", has_text="Answer, after you have written yours down")
    hidden = answer.locator("p").first
    assert not hidden.is_visible()
    answer.locator("summary").click()
    assert hidden.is_visible()


def test_deck_opens_from_disk_and_turns(deck, window):
    window.goto(deck.as_uri())
    window.wait_for_function("Reveal.isReady()")
    assert window.locator("section.present h1").inner_text().startswith("04 SEEM")
    assert window.evaluate("Reveal.getTotalSlides()") > 20
    window.keyboard.press("PageDown")
    window.wait_for_function("Reveal.getIndices().h === 1")
    seen = window.evaluate("getComputedStyle(document.querySelector('math')).fontFamily")
    assert seen.startswith('"Book Math"')
    assert window.locator("section h2", has_text="Set-up").count() == 0
    assert serious(window) == []
