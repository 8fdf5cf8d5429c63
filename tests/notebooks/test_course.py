"""The teacher's pages agree with the lessons they speak of."""

import re
from pathlib import Path

import build
import pytest

PAGES = sorted(build.NOTEBOOKS.glob("*.md"))
LESSONS = {path.stem[:2]: path.read_text() for path in build.NOTEBOOKS.glob("[0-9]*.py")}
TEACHING = (build.NOTEBOOKS / "TEACHING.md").read_text()
EXERCISE = re.compile(r"^# \| \d \| .+ \| (\d+) \| (?:easy|middle|hard) \|$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    assert [link for link in links if not link.startswith("https://") and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("number", sorted(LESSONS))
def test_minutes_are_those_of_the_lesson(number):
    stated = re.search(
        rf"^### {number} .+ \((\d+) \+ (\d+)|\*\*Lesson {number} \((\d+) \+ (\d+)\)", TEACHING, re.MULTILINE
    )
    if number == "10" and stated is None:
        pytest.skip("lesson 10 brings its own notes")
    reading, exercises = (int(minutes) for minutes in stated.groups() if minutes)
    assert int(re.search(r"\*\*Time\.\*\* about (\d+) minutes", LESSONS[number])[1]) == reading
    assert sum(int(minutes) for minutes in EXERCISE.findall(LESSONS[number])) == exercises


@pytest.mark.parametrize("number", [f"{i:02d}" for i in range(10)])
def test_every_lesson_has_its_notes(number):
    notes = re.search(rf"^### {number} .+?(?=^###? )", TEACHING, re.MULTILINE | re.DOTALL)[0]
    for part in ("**Take away.**", "**Misconceptions.**", "**Discuss.**", "**Show live.**"):
        assert part in notes


def test_presets_that_are_named_exist():
    panels = "".join(path.read_text() for path in (build.NOTEBOOKS.parent / "seem_lab" / "panels").glob("*.py"))
    named = (
        "on the edge",
        "step too long",
        "star just stable",
        "star blows up",
        "a miss",
        "a false start",
        "too little",
    )
    for name in (*named, "no crash, but far off"):
        assert f"*{name}*" in TEACHING and f'"{name}"' in panels


def test_quiz_has_twenty_questions_and_as_many_answers():
    for name in ("QUIZ.md", "QUIZ_ANSWERS.md"):
        numbers = re.findall(r"^(\d+)\. ", (build.NOTEBOOKS / name).read_text(), re.MULTILINE)
        assert [int(number) for number in numbers] == list(range(1, 21))


def test_bibliography_names_each_work_once():
    numbers = re.findall(r"arXiv\s+(\d{4}\.\d{5})", (build.NOTEBOOKS / "BIBLIOGRAPHY.md").read_text())
    assert len(numbers) == len(set(numbers)) >= 12
