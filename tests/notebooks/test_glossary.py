"""The glossary is what the lessons say."""

from pathlib import Path

import build
import glossary
import pytest

LESSON = """\
# %% [markdown]
# # 00 Small
#
# The robot moves. Each line is one **transition**: it was
# here, and then there.
#
# - A **mode** is short
# - not this

# %% [markdown]
# It is written
#
# $$x = y,$$
#
# which is called the **law**. More.
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $x$ | `x` | a **number** $\\lvert y\\rvert$ |
"""


@pytest.fixture
def blocks(tmp_path: Path) -> list[str]:
    (tmp_path / "00_small.py").write_text(LESSON)
    return glossary.paragraphs(tmp_path / "00_small.py")


def test_page_is_current():
    assert build.GLOSSARY.read_text() == glossary.page(build.NOTEBOOKS), "build.py writes it"


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("transition", "The robot moves. Each line is one transition: it was here, and then there."),
        ("mode", "A mode is short."),
        ("law", "It is written $$x = y,$$ which is called the law. More."),
    ],
)
def test_a_term_is_quoted_with_what_it_needs(blocks, term, said):
    assert glossary.quotation(blocks, term) == said


def test_symbols_come_from_the_tables(blocks):
    assert glossary.symbols(blocks) == [("$x$", "a **number** $\\lvert y\\rvert$")]


def test_a_term_that_no_lesson_defines_is_an_error(blocks):
    for term in ("number", "robot"):
        with pytest.raises(ValueError, match=rf"no lesson text has \*\*{term}\*\*; mend the list TERMS"):
            glossary.quotation(blocks, term)
