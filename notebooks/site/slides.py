"""A deck of slides for every lesson, from the notebooks as they are committed: `make slides`.

    python notebooks/site/slides.py build/slides

The decks open from disk: reveal.js, the style sheets and a font lie beside them. Which cell goes on which slide is
written in the notebooks, see `slide_types` in `notebooks/build.py`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert import SlidesExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pages import MATH_FONT, mathml, shipped, with_described_pictures
from pygments.formatters import HtmlFormatter
from tqdm.auto import tqdm

HERE = Path(__file__).resolve().parent
LESSONS = HERE.parent


class Words(IPythonRenderer):
    """Markdown as nbconvert renders it, with formulas in MathML and links from deck to deck."""

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return mathml(body, "block")

    def inline_math(self, body: str) -> str:
        """A formula in a sentence."""
        return mathml(body)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """A link to another lesson goes to its deck."""
        return super().link(text, url.replace(".ipynb", ".html"), title)


class Deck(SlidesExporter):
    """A notebook as slides."""

    def __init__(self) -> None:
        super().__init__(template_name="deck", extra_template_basedirs=[str(HERE)])
        self.exclude_input_prompt = self.exclude_output_prompt = True

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """The filter that nbconvert's templates call on text."""
        return MarkdownWithMath(renderer=Words(escape=False)).render(source)


def write_deck(lesson: Path, folder: Path) -> None:
    """Write the deck of one lesson to `folder`."""
    place = str(lesson.relative_to(LESSONS.parent))
    notebook = with_described_pictures(nbformat.read(lesson, as_version=4), place)
    (folder / f"{lesson.stem}.html").write_text(Deck().from_notebook_node(notebook)[0], encoding="utf-8")


def write_what_decks_load(folder: Path) -> None:
    """Copy reveal.js, the style sheets and the font for formulas to `folder`."""
    reveal = shipped("sphinx-revealjs", "revealjs/LICENSE").parent
    for part in ("dist", "plugin/notes"):
        shutil.copytree(reveal / part, folder / "reveal" / part)
    shutil.copy(reveal / "LICENSE", folder / "reveal")
    shutil.copy(MATH_FONT, folder)
    shutil.copy(HERE / "deck" / "deck.css", folder)
    (folder / "code.css").write_text(HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight"))


def main(folder: Path) -> None:
    """Write every deck, in a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_what_decks_load(folder)
    for lesson in tqdm(sorted(LESSONS.glob("[0-9][0-9]_*.ipynb")), unit="deck"):
        write_deck(lesson, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
