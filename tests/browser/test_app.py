"""The page of all explorers in a real browser: `seem-lab app`."""

import re

import pytest
import serving

from seem_lab.panels.app import EXPLORERS, _name

MENU = [_name(explorer) for explorer in EXPLORERS]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serving.serve_app(tmp_path_factory.mktemp("app")) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser, address):
    page = serving.new_page(browser)
    page.goto(address)
    page.get_by_role("heading", name="Why does a Q-value blow up?").wait_for()
    yield page
    page.close()


def open_explorer(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    explorer = EXPLORERS[MENU.index(name)]
    page.get_by_role("heading", name=explorer.title, exact=True).wait_for()
    return serving.Shown(page)


def test_the_landing_page_says_what_to_try(page):
    text = page.locator("body").inner_text()
    for explorer in EXPLORERS:
        assert explorer.title in text and explorer.hint in text
    page.screenshot(path=serving.SCREENSHOTS / "app.png")
    assert serving.keep_out(page) == []


@pytest.mark.parametrize("name", MENU)
def test_every_explorer_follows_keys_and_presets_and_resets(page, name):
    shown = open_explorer(page, name)
    says, digest = shown.sentence, shown.digest()
    explorer = EXPLORERS[MENU.index(name)]
    assert shown.alt == f"{explorer.title} {says}"
    page.screenshot(path=serving.SCREENSHOTS / f"app_{explorer.__name__}.png")
    assert serving.keep_out(page) == []

    for _ in range(20):  # some steps change too little for the digits of the sentence
        now = shown.change(lambda: shown.slider().press("ArrowRight"))
        if now != says:
            break
    assert now != says and shown.digest() != digest

    last = list(explorer.presets)[-1]
    says_there = shown.change(lambda: shown.press(last))
    assert says_there != now and shown.alt == f"{explorer.title} {says_there}"
    assert shown.change(lambda: shown.press("Reset")) == says and shown.digest() == digest
    shown.check()
    assert page.troubles == []


def test_a_slider_follows_the_mouse(page):
    shown = open_explorer(page, "02 Linear")
    before, box = shown.sentence, shown.slider("discount").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 40, y, steps=8)
        page.mouse.up()

    assert shown.change(drag) != before
    shown.change(lambda: shown.press("Reset"))


def test_the_star_is_dragged_over_the_map(page):
    shown = open_explorer(page, "03 Kernel Map")
    box = shown.root.locator("img").bounding_box()

    def value():
        return float(shown.slider("x0: east").get_attribute("aria-valuenow"))

    before = value()
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.4 * box["height"]
    page.mouse.move(x, y)
    shown.change(page.mouse.down)
    there = value()
    assert there < before
    page.mouse.move(x + 60, y, steps=6)
    page.mouse.up()
    serving.wait_until(page, lambda: value() > there + 0.3, "the star follows the pointer")
    shown.press("Reset")
    serving.wait_until(page, lambda: value() == before, "the star is back")
    page.wait_for_timeout(1000)  # no move of the drag comes after it
    shown.settle()
    assert value() == before


def test_reset_right_after_a_burst_of_keys_wins(page):
    """The slider's last event may be on its way when the button is pressed."""
    shown = open_explorer(page, "00 Blow Up")
    says, slider = shown.sentence, shown.slider("discount")
    value = slider.get_attribute("aria-valuenow")
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft", delay=0)
    shown.press("Reset")
    serving.wait_until(page, lambda: shown.settle() == says, "the sentence is the first again")
    page.wait_for_timeout(1000)  # nothing comes after it
    assert (shown.settle(), slider.get_attribute("aria-valuenow")) == (says, value)


def test_play_shows_the_training_and_stop_leaves_it_there(page):
    shown = open_explorer(page, "00 Blow Up")
    says = shown.sentence
    seen = set()
    shown.press("Play")
    serving.wait_until(page, lambda: len(seen.add(shown.sentence) or seen) > 3, "several frames")
    shown.press("Stop")
    half = shown.settle()
    assert half.startswith("Stopped half-way. Not blown up within") and half != says
    assert all(sentence.startswith("Still running. ") for sentence in seen - {says})
    shown.change(lambda: shown.press("Reset"))
    assert shown.settle() == says


def test_export_gives_a_picture_and_a_table_to_save(page):
    shown = open_explorer(page, "06 Adam")
    shown.press("Export")
    saved = {}
    for name in ("Adam.png", "Adam.csv"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == name
        saved[name] = download.value.path().read_bytes()
    assert saved["Adam.png"].startswith(b"\x89PNG") and b"beta2" in saved["Adam.png"]
    head, *_ = re.split(rb"^step,", saved["Adam.csv"], flags=re.MULTILINE)
    assert b"# beta2 = 0.999\n" in head and shown.sentence.encode() in head


def test_two_tabs_do_not_mix(browser, page, address):
    other = serving.new_page(browser)
    other.goto(address)
    here, there = open_explorer(page, "02 Linear"), open_explorer(other, "02 Linear")
    first = here.sentence
    moved = there.change(lambda: there.press("spiral"))
    assert moved != first and here.sentence == first
    assert here.change(lambda: here.slider("discount").press("ArrowLeft")) not in (first, moved)
    assert there.sentence == moved
    assert other.troubles == []
    other.close()
