"""Every committed notebook matches its source and was run whole; every lesson has the form of a lesson.

That running a notebook again gives the same outputs is nbval's part: `make test` adds `--nbval` and the notebooks.
"""

import json
import re
from pathlib import Path

import build
import nbformat
import pytest

LESSONS = sorted(build.NOTEBOOKS.glob("[0-9]*.ipynb"))
SOLUTIONS = sorted(build.NOTEBOOKS.glob("solutions/[0-9]*.ipynb"))
SHEETS = sorted(build.NOTEBOOKS.glob("exercises/[0-9]*.ipynb"))

# What a lesson's title cell says, and its headings: these, in this order, others in between.
FACTS = ("**Question.**", "**Time.**", "**Before this.**", "**You will be able to**", "**In the paper.**")
HEADINGS = (
    "## Set-up",
    "## Predict",
    "## Run",
    "## Explain",
    "## Exercises",
    "## Where the theory stops",
    "## Summary",
    "## References",
    "## Next",
)
# Traces of one machine or one run: absolute paths, object addresses, process numbers.
TRACES = re.compile(r"/(home|Users|root|tmp|work|usr|opt|var)/|[A-Z]:\\\\|site-packages| at 0x[0-9a-f]+|ipykernel_\d+")


def name(path: Path) -> str:
    return str(path.relative_to(build.NOTEBOOKS))


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def sections(notebook: nbformat.NotebookNode) -> dict[str, list[nbformat.NotebookNode]]:
    """The cells under each `##` heading that starts a cell; the title's cells under the empty heading."""
    heading, found = "", {"": []}
    for cell in notebook.cells:
        first_line = cell.source.split("\n", 1)[0]
        if cell.cell_type == "markdown" and first_line.startswith("## "):
            heading = first_line
            found[heading] = []
        found[heading].append(cell)
    return found


def test_every_notebook_matches_its_source():
    assert build.out_of_date(build.NOTEBOOKS) == [], "build them with: make notebooks"


def test_lessons_are_numbered_without_a_gap_and_each_has_its_exercises():
    assert [path.stem[:2] for path in LESSONS] == [f"{i:02d}" for i in range(len(LESSONS))]
    assert [path.stem for path in LESSONS] == [path.stem for path in SOLUTIONS] == [path.stem for path in SHEETS]


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=name)
def test_was_run_once_from_top_to_bottom_without_an_error(path):
    notebook = read(path)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert counts, "no code"
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", f"a warning or a progress bar was left: {output.text}"


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS + SHEETS, ids=name)
def test_holds_no_widget_state_and_no_trace_of_a_machine(path):
    notebook = read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert "execution" not in cell.metadata
        for output in cell.get("outputs", []):
            assert build.WIDGET not in output.get("data", {})
            text = {kind: text for kind, text in output.get("data", {}).items() if not kind.startswith("image/")}
            trace = TRACES.search(json.dumps(text) + output.get("text", ""))
            assert trace is None, f"output holds {trace}"


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=name)
def test_every_picture_is_told_in_words(path):
    for output in outputs(read(path)):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                alt = output.metadata.get(kind, {}).get("alt", "")
                assert len(alt.split()) >= 8, f"alt text of a picture: {alt!r}"


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_opens_with_its_question_time_prerequisites_and_objectives(path):
    title = read(path).cells[0].source
    assert title.startswith(f"# {path.stem[:2]} ")
    assert [fact for fact in FACTS if fact in title] == list(FACTS)
    assert sorted(FACTS, key=title.index) == list(FACTS)
    assert re.search(r"\*\*Question\.\*\* .+\?", title), "the question ends with a question mark"
    assert re.search(r"\*\*Time\.\*\* .*\d+ minutes", title)
    objectives = title[title.index("**You will be able to**") : title.index("**In the paper.**")]
    assert len(re.findall(r"^\d\. ", objectives, re.MULTILINE)) == 3


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_has_its_sections_in_order(path):
    found = sections(read(path))
    assert [heading for heading in found if heading in HEADINGS] == list(HEADINGS)
    for heading in HEADINGS:
        assert any(len(cell.source.split()) > 4 for cell in found[heading]), f"{heading} is empty"


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_set_up_says_seed_precision_and_versions(path):
    set_up = sections(read(path))["## Set-up"]
    said = "".join(output.get("text", "") for cell in set_up for output in cell.get("outputs", []))
    for fact in (r"seed \d+", r"float(32|64)", r"seem_lab \d", r"torch \d"):
        assert re.search(fact, said), f"the set-up cell prints no {fact!r}: {said!r}"


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_answer_is_folded_away_before_the_run(path):
    found = sections(read(path))
    assert "<details>" in "".join(cell.source for cell in found["## Predict"])
    assert any(output.get("data") for cell in found["## Run"] for output in cell.get("outputs", []))


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_where_the_theory_stops_shows_a_measurement(path):
    outputs = [
        output for cell in sections(read(path))["## Where the theory stops"] for output in cell.get("outputs", [])
    ]
    assert any("image/png" in output.get("data", {}) for output in outputs), "a figure of what was measured is needed"


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS + SHEETS, ids=name)
def test_links_lead_somewhere(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith(("https://", "#")):
            assert (path.parent / link.split("#")[0]).exists(), f"dead link {link}"


def test_pictures_of_the_readme_are_those_of_the_lessons():
    tagged = {name: png for path in LESSONS for name, png in build.pictures(read(path)).items()}
    stored = {path.stem: path.read_bytes() for path in build.NOTEBOOKS.glob("images/*.png")}
    assert tagged and stored == tagged, "make notebooks writes them"
