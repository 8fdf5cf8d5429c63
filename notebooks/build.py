"""Make the notebooks from their sources, one way only: .py -> .ipynb.

    python notebooks/build.py              every lesson, every solution, every exercise sheet
    python notebooks/build.py 02           those whose name starts with 02
    python notebooks/build.py --check      run nothing; say which notebooks do not match their source

The sources are Jupytext percent files. A lesson `NN_name.py` and a solution `solutions/NN_name.py` become the executed
notebook beside them. A solution also becomes the sheet `exercises/NN_name.ipynb`, not executed: what stands between
`# <solution>` and `# </solution>` is replaced by one line `...  # your code here`, and cells tagged "solution" are
left out. The picture of a cell tagged "picture:NAME" is also written to `images/NAME.png`. GLOSSARY.md is
written anew each time.

The cells of a lesson also say which part they play in its deck of slides, see `slide_types`.
"""

from __future__ import annotations

import argparse
import os
import sys
from base64 import b64decode
from copy import deepcopy
from pathlib import Path

import glossary
import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from tqdm.auto import tqdm

NOTEBOOKS = Path(__file__).resolve().parent
GLOSSARY = NOTEBOOKS / "GLOSSARY.md"
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_TIMEOUT = 300  # seconds
NOT_ON_SLIDES = {"Set-up", "Exercises", "References"}  # sections of a lesson


def sources(folder: Path) -> list[Path]:
    """The lessons in `folder`, then the solutions in `folder/solutions`, each in order."""
    return sorted(folder.glob("[0-9][0-9]_*.py")) + sorted(folder.glob("solutions/[0-9][0-9]_*.py"))


def read(source: Path) -> NotebookNode:
    """The notebook a source stands for, not executed; its cells are named by their position."""
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in jupytext.read(source, fmt="py:percent").cells:
        metadata = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
        new_cell = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[cell.cell_type]
        notebook.cells.append(new_cell(cell.source, metadata=metadata, id=f"cell-{len(notebook.cells):02d}"))
    if source.parent.name != "solutions":
        for cell, slide_type in zip(notebook.cells, slide_types(notebook.cells), strict=True):
            cell.metadata["slideshow"] = {"slide_type": slide_type}
    return notebook


def slide_types(cells: list[NotebookNode]) -> list[str]:
    """The part of each cell in the deck of its lesson, in Jupyter's words.

    A heading begins a slide, code begins one below it (subslide), other text comes on a key press (fragment). The
    sections `NOT_ON_SLIDES` are left out (skip). A tag "slide:TYPE" overrules this for its cell.
    """
    types = []
    left_out = False
    for cell in cells:
        heading = cell.source.split("\n")[0] if cell.cell_type == "markdown" and cell.source.startswith("#") else ""
        if heading:
            left_out = heading.lstrip("# ") in NOT_ON_SLIDES
        by_rule = "skip" if left_out else "slide" if heading else "subslide" if cell.cell_type == "code" else "fragment"
        tags = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("slide:")]
        types.append(tags[0].removeprefix("slide:") if tags else by_rule)
    return types


def exercise_sheet(solution: NotebookNode) -> NotebookNode:
    """A solution notebook without its solutions."""
    sheet = deepcopy(solution)
    sheet.cells = [cell for cell in sheet.cells if "solution" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(sheet.cells):
        cell.id = f"cell-{number:02d}"
        cell.source = without_solution(cell.source)
    return sheet


def without_solution(text: str) -> str:
    """Text whose `# <solution>` ... `# </solution>` blocks have become one line, at the indentation of the block.

    Raises:
        ValueError: a block that is not closed, not opened, or opened twice.
    """
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        mark = line.strip()
        if mark in ("# <solution>", "# </solution>"):
            if inside == (mark == "# <solution>"):
                raise ValueError(f"'{mark}' does not belong here; blocks are opened, then closed, in one cell:\n{text}")
            inside = not inside
            if inside:
                kept.append(line.replace(mark, "...  # your code here"))
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"'# <solution>' is never closed in this cell:\n{text}")
    return "\n".join(kept)


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with its outputs, run top to bottom in a fresh kernel in `folder`; widgets leave their picture.

    One thread, so that sums are taken in the same order on every machine; no progress bars, which a slow one would show.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = deepcopy(notebook)
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    environment |= {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    metadata = deepcopy(notebook.metadata)
    client.execute(env=environment)
    notebook.metadata = metadata  # without the version of this machine's Python
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def build(source: Path) -> None:
    """Write what a source stands for: its executed notebook, and for a solution the exercise sheet as well."""
    notebook = read(source)
    if source.parent.name == "solutions":
        nbformat.write(exercise_sheet(notebook), sheet_path(source))
    executed = execute(notebook, source.parent)
    nbformat.write(executed, source.with_suffix(".ipynb"))
    for name, png in pictures(executed).items():
        (source.parent / "images").mkdir(exist_ok=True)
        (source.parent / "images" / f"{name}.png").write_bytes(png)


def pictures(executed: NotebookNode) -> dict[str, bytes]:
    """The picture of every cell tagged "picture:NAME", for pages outside the notebooks, by its name."""
    return {
        tag.removeprefix("picture:"): b64decode(output.data["image/png"])
        for cell in executed.cells
        for tag in cell.metadata.get("tags", [])
        if tag.startswith("picture:")
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    }


def sheet_path(solution: Path) -> Path:
    """Where the exercise sheet of a solution lies."""
    return solution.parent.parent / "exercises" / f"{solution.stem}.ipynb"


def out_of_date(folder: Path) -> list[str]:
    """One sentence for every notebook that does not match its source; outputs are not looked at."""
    expected = {source.with_suffix(".ipynb"): read(source) for source in sources(folder)}
    expected |= {
        sheet_path(path): exercise_sheet(notebook)
        for path, notebook in expected.items()
        if path.parent.name == "solutions"
    }
    findings = []
    for path, notebook in expected.items():
        if not path.exists():
            findings.append(f"{path.relative_to(folder)} was never built")
        elif _without_outputs(nbformat.read(path, as_version=4)) != _without_outputs(notebook):
            findings.append(f"{path.relative_to(folder)} does not match its source")
    there = {path for part in (".", "solutions", "exercises") for path in folder.glob(f"{part}/*.ipynb")}
    return findings + [f"{path.relative_to(folder)} has no source" for path in sorted(there - set(expected))]


def _without_outputs(notebook: NotebookNode) -> tuple[object, ...]:
    cells = [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    return notebook.metadata, cells


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the notebooks from their .py sources.")
    parser.add_argument("names", nargs="*", help="how the names of the wanted sources start, such as 02; all if none")
    parser.add_argument("--check", action="store_true", help="only say which notebooks do not match their source")
    wanted = parser.parse_args(arguments)
    if wanted.check:
        findings = out_of_date(NOTEBOOKS)
        if GLOSSARY.read_text() != glossary.page(NOTEBOOKS):
            findings.append(f"{GLOSSARY.name} does not match the lessons")
        sys.exit("\n".join([*findings, "Build them with: make notebooks"]) if findings else 0)
    every = sources(NOTEBOOKS)
    for name in wanted.names:
        if not any(source.name.startswith(name) for source in every):
            parser.error(f"no source starts with {name!r}; there are: {', '.join(source.stem for source in every)}")
    chosen = [source for source in every if not wanted.names or source.name.startswith(tuple(wanted.names))]
    bar = tqdm(chosen, unit="notebook")
    for source in bar:
        bar.set_description(str(source.relative_to(NOTEBOOKS)))
        build(source)
    GLOSSARY.write_text(glossary.page(NOTEBOOKS))


if __name__ == "__main__":
    main()
