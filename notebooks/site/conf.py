"""The book as web pages, `make site`: Sphinx reads the notebooks as they are committed and runs nothing.

Everything a page needs lies beside it, so that the book opens from disk: formulas are MathML, pictures stand in the
page, the search reads an index and no server.
"""

import sys
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxTranslator
from sphinx.util.matching import patfilter

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from pages import MATH_FONT, mathml, with_described_pictures

project = "seem_lab"
root_doc = "README"
include_patterns = [
    "*.md",
    "data/*.md",
    "notebooks/*.md",
    "notebooks/*.ipynb",
    "notebooks/*/*.md",
    "notebooks/*/*.ipynb",
]
exclude_patterns = [".*", "**/.*", "build", "dist"]  # not looked into

extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = True  # a formula on its own line may stand in the middle of a paragraph
myst_heading_anchors = 3
smartquotes = False
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "seem_lab"
html_static_path = [str(HERE / "book.css"), str(MATH_FONT)]
html_css_files = ["book.css"]
templates_path = [str(HERE / "templates")]
html_additional_pages = {"index": "index.html"}
html_copy_source = False
html_show_search_summary = False  # a summary would be fetched, which a page opened from disk may not do
html_show_copyright = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# The contents of the book, appended to the front page: a part takes the documents that match and are in no earlier one.
PARTS = {
    "Lessons": "notebooks/[0-9]*",
    "Exercises": "notebooks/exercises/*",
    "Solutions": "notebooks/solutions/*",
    "Course": "notebooks/**",
    "Data": "data/*",
    "Project": "**",
}


def prepare(app: Sphinx, document: str, source: list[str]) -> None:
    """Give the front page its contents, and the pictures of a notebook their descriptions."""
    if document == root_doc:
        left = app.project.docnames - {root_doc}
        for name, pattern in PARTS.items():
            if documents := sorted(patfilter(left, pattern)):
                source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {name}", "", *documents, "```", ""])
            left = left - set(documents)
    elif source[0].startswith("{"):
        notebook = with_described_pictures(nbformat.reads(source[0], as_version=4), f"{document}.ipynb")
        source[0] = nbformat.writes(notebook)


def inline_formula(translator: SphinxTranslator, node: nodes.math) -> None:
    """A formula in a sentence."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def block_formula(translator: SphinxTranslator, node: nodes.math_block) -> None:
    """A formula on a line of its own; a wide one scrolls, by keys as well."""
    translator.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def accessible(_app: Sphinx, _page: str, _template: str, context: dict, _doctree: nodes.document | None) -> None:
    """What may be wider than the page, and so scrolls, scrolls by keys too; headings of the sidebar have a level."""
    if "body" in context:
        for wide in ("<pre", '<div class="table-wrapper'):
            context["body"] = context["body"].replace(wide, f'{wide[:4]} tabindex="0"{wide[4:]}')
    navigation = context["furo_navigation_tree"]
    context["furo_navigation_tree"] = navigation.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", prepare)
    app.connect("html-page-context", accessible, priority=900)  # after Furo
    app.add_html_math_renderer("mathml", inline_renderers=(inline_formula, None), block_renderers=(block_formula, None))
