"""The notebook builder, on small sources of its own."""

from pathlib import Path

import build
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

LESSON = """\
# %% [markdown]
# # A small lesson

# %%
import ipywidgets
import matplotlib.pyplot as plt

print("two")
print("lines")

# %% tags=["figure"]
figure, axes = plt.subplots()
axes.plot([0, 1]);

# %%
ipywidgets.IntSlider(3)

# %%
from pathlib import Path

Path.cwd().name
"""

SOLUTION = """\
# %% [markdown]
# Halve a number.

# %%
def half(x):
    # <solution>
    result = x / 2
    return result
    # </solution>

# %% [markdown] tags=["solution"]
# Division does it.

# %%
# <solution>
answer = half(3)
# </solution>
print("done")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder laid out as notebooks/, with one lesson and one solution."""
    folder = tmp_path / "lessons"
    for part in ("solutions", "exercises"):
        (folder / part).mkdir(parents=True)
    (folder / "00_small.py").write_text(LESSON)
    (folder / "solutions" / "00_small.py").write_text(SOLUTION)
    return folder


def test_lesson_is_executed_and_bare(folder):
    build.build(folder / "00_small.py")
    notebook = nbformat.read(folder / "00_small.ipynb", as_version=4)
    nbformat.validate(notebook)
    title, text, figure, widget, place = notebook.cells
    assert [cell.id for cell in notebook.cells] == [f"cell-0{i}" for i in range(5)]
    assert [cell.execution_count for cell in (text, figure, widget, place)] == [1, 2, 3, 4]
    assert title.source == "# A small lesson"
    assert [output.text for output in text.outputs] == ["two\nlines\n"]
    assert "image/png" in figure.outputs[0].data
    assert figure.metadata == {"tags": ["figure"], "slideshow": {"slide_type": "subslide"}}
    assert list(widget.outputs[0].data) == ["text/plain"]
    assert place.outputs[0].data["text/plain"] == "'lessons'"
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_second_build_is_the_same_to_the_byte(folder):
    build.build(folder / "00_small.py")
    first = (folder / "00_small.ipynb").read_bytes()
    build.build(folder / "00_small.py")
    assert (folder / "00_small.ipynb").read_bytes() == first


def test_sheet_has_no_solution_and_no_output(folder):
    build.build(folder / "solutions" / "00_small.py")
    solution = nbformat.read(folder / "solutions" / "00_small.ipynb", as_version=4)
    sheet = nbformat.read(folder / "exercises" / "00_small.ipynb", as_version=4)
    nbformat.validate(sheet)
    assert "x / 2" in solution.cells[1].source
    assert [cell.source for cell in sheet.cells] == [
        "Halve a number.",
        "def half(x):\n    ...  # your code here",
        '...  # your code here\nprint("done")',
    ]
    assert [cell.id for cell in sheet.cells] == ["cell-00", "cell-01", "cell-02"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in sheet.cells[1:])


@pytest.mark.parametrize(
    "text",
    ["# <solution>\nx = 1", "x = 1\n# </solution>", "# <solution>\n# <solution>\nx = 1\n# </solution>"],
)
def test_unbalanced_marks_are_refused(text):
    with pytest.raises(ValueError, match=r"solution>' (does not belong|is never closed)"):
        build.without_solution(text)


def test_failing_cell_stops_the_build_and_leaves_the_old_notebook(folder):
    source = folder / "00_small.py"
    build.build(source)
    before = source.with_suffix(".ipynb").read_bytes()
    source.write_text("# %%\n1 / 0\n")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        build.build(source)
    assert source.with_suffix(".ipynb").read_bytes() == before


def test_out_of_date_names_what_differs(folder):
    names = ["00_small.ipynb", "solutions/00_small.ipynb", "exercises/00_small.ipynb"]
    assert build.out_of_date(folder) == [f"{name} was never built" for name in names]
    for source in build.sources(folder):
        build.build(source)
    assert build.out_of_date(folder) == []

    source = folder / "solutions" / "00_small.py"
    source.write_text(SOLUTION.replace("x / 2", "0.5 * x"))
    assert build.out_of_date(folder) == ["solutions/00_small.ipynb does not match its source"]
    source.write_text(SOLUTION.replace("done", "ready"))
    assert build.out_of_date(folder) == [f"{name} does not match its source" for name in names[1:]]
    (folder / "00_small.py").unlink()
    assert build.out_of_date(folder)[-1] == "00_small.ipynb has no source"


def test_unknown_name_is_refused_with_what_there_is(folder, monkeypatch, capsys):
    monkeypatch.setattr(build, "NOTEBOOKS", folder)
    with pytest.raises(SystemExit):
        build.main(["07"])
    assert "no source starts with '07'; there are: 00_small" in capsys.readouterr().err


def test_cells_of_a_lesson_know_their_slide(folder):
    lesson = folder / "02_slides.py"
    lesson.write_text(
        "# %% [markdown]\n# # Title\n\n# %% [markdown]\n# ## Set-up\n\n# %%\n1\n\n# %% [markdown]\n# ## 1 Idea\n\n"
        '# %%\n2\n\n# %% [markdown]\n# It is two.\n\n# %% tags=["slide:skip"]\n3\n\n# %%\n# no heading\n'
    )
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in build.read(lesson).cells]
    assert kinds == ["slide", "skip", "skip", "slide", "subslide", "fragment", "skip", "subslide"]
    solution = build.read(next(folder.glob("solutions/*.py")))
    assert all("slideshow" not in cell.metadata for cell in solution.cells)
