"""Every exercise can be done and can be failed: the solution passes its checks, the sheet as handed out does not."""

import re
from pathlib import Path

import build
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

SOLUTIONS = sorted(build.NOTEBOOKS.glob("solutions/[0-9]*.ipynb"))
HEADING = re.compile(r"^## Exercise (\d): .+ \((\d+) minutes, (easy|middle|hard)\)$", re.MULTILINE)
ROW = re.compile(r"^\| (\d) \| .+ \| (\d+) \| (\w+) \|$", re.MULTILINE)  # of a lesson's table of exercises
TIME = re.compile(r"\*\*Time\.\*\* .*exercises (?:take )?(\d+)(?: minutes)? more", re.DOTALL)


def text(path: Path) -> str:
    """The text cells of a notebook."""
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


def verdicts(notebook: nbformat.NotebookNode) -> dict[str, list[str]]:
    """What the checks said under each exercise heading."""
    exercise, said = "", {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (heading := HEADING.search(cell.source)):
            exercise = heading[1]
            said[exercise] = []
        if cell.cell_type == "code" and "checks.check_" in cell.source:
            said[exercise] += [output.data["text/plain"] for output in cell.outputs if "data" in output]
    return said


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_two_to_four_exercises_each_with_a_hint_a_stub_and_a_solution(path: Path):
    sheet, solution = (
        "\n".join(cell.source for cell in nbformat.read(file, as_version=4).cells)
        for file in (build.sheet_path(path), path)
    )
    parts = HEADING.split(sheet)[1:]  # number, minutes, difficulty, what follows, and so on
    assert parts[::4] == ["1", "2", "3", "4"][: len(parts) // 4]
    assert len(parts) >= 8
    assert sheet.count("## Exercise") == len(parts) // 4, "a heading does not say minutes and easy, middle or hard"
    for part in parts[3::4]:
        assert "<details><summary>Hint" in part
        assert "...  # your code here" in part
        assert "checks.check_" in part
    assert HEADING.findall(solution) == HEADING.findall(sheet)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_lesson_lists_its_exercises_with_the_same_minutes_and_difficulty(path: Path):
    lesson = text(build.NOTEBOOKS / path.name)
    listed = ROW.findall(lesson[lesson.index("## Exercises") :])
    assert listed == HEADING.findall(text(path))
    if said := TIME.search(lesson):
        assert int(said[1]) == sum(int(minutes) for _, minutes, _ in listed)


def test_the_course_has_24_exercises_of_three_difficulties_and_more():
    found = [row for path in SOLUTIONS if "01" <= path.stem[:2] <= "10" for row in HEADING.findall(text(path))]
    assert len(found) >= 24
    difficulties = [difficulty for _, _, difficulty in found]
    assert min(difficulties.count(which) for which in ("easy", "middle", "hard")) >= 3


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solution_is_right(path: Path):
    # These are the stored outputs; nbval runs the notebook again and holds them equal.
    said = verdicts(nbformat.read(path, as_version=4))
    assert said
    for exercise, sentences in said.items():
        assert sentences, f"exercise {exercise} has no check whose verdict is shown"
        assert all(sentence.startswith("Right.") for sentence in sentences)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_sheet_runs_as_handed_out_and_every_check_says_not_yet(path: Path, monkeypatch):
    sheet = nbformat.read(build.sheet_path(path), as_version=4)
    monkeypatch.chdir(build.sheet_path(path).parent)
    shell = InteractiveShell()  # here, not in a kernel of its own, which takes seconds to start
    for cell in sheet.cells:
        if cell.cell_type == "code":
            done = shell.run_cell(cell.source)
            done.raise_error()
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": repr(done.result)})]
    said = verdicts(sheet)
    assert said.keys() == verdicts(nbformat.read(path, as_version=4)).keys()
    for exercise, sentences in said.items():
        assert sentences, f"exercise {exercise} has no check whose verdict is shown"
        assert all(sentence.startswith("Not yet:") for sentence in sentences)
        assert all(len(sentence.split()) >= 8 for sentence in sentences), "say what to do"
