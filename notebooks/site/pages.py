"""What a notebook needs before it becomes a page or a deck: described pictures, and formulas that need no script."""

from __future__ import annotations

import html
import re
from importlib.metadata import files
from pathlib import Path

from latex2mathml.converter import convert
from nbformat import NotebookNode

LIVE = (
    '<p class="live">This panel is a picture here. To move its sliders, run <code>make lab</code> in a clone of the '
    "repository and open <code>{place}</code>.</p>"
)


def shipped(package: str, name: str) -> Path:
    """A file that an installed package brings along, found without importing the package."""
    return next(Path(file.locate()) for file in files(package) or [] if str(file).endswith(name))


MATH_FONT = shipped("ziamath", "STIXTwoMath-Regular.ttf")  # for browsers whose system has none for formulas


def mathml(formula: str, display: str = "inline") -> str:
    """A formula in LaTeX as MathML, which browsers show by themselves; `display` is inline or block.

    Raises:
        ValueError: the formula cannot be read.
    """
    try:
        written = convert(formula.replace(r"\tag", r"\qquad\tag"), display=display)
    except Exception as error:  # latex2mathml has many kinds, and none names the formula
        raise ValueError(f"cannot read this formula: {formula}") from error
    # The bars of |x|: unlike TeX, MathML takes them for relations that stretch; those of \left and \right are marked.
    bar = r'<mo(?: stretchy="false")?>(&#x0007C;|&#x02016;)</mo>'
    return re.sub(bar, r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>', written)


def with_described_pictures(notebook: NotebookNode, place: str) -> NotebookNode:
    """The notebook with every picture as an `<img>` that carries its description and its width.

    A panel, which is only a picture on a page, gets a line on how to run it; `place` is the notebook's path.

    Raises:
        ValueError: a picture has no description.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png is None:
                continue
            facts = output.metadata.get("image/png", {})
            if not facts.get("alt"):
                raise ValueError(
                    f"{place}, cell {cell.id}: a picture without alt text; set figure.alt where it is drawn"
                )
            width = f' width="{facts["width"]}"' if "width" in facts else ""
            picture = f'<img alt="{html.escape(facts["alt"])}"{width} src="data:image/png;base64,{png.strip()}">'
            live = LIVE.format(place=place) if re.search(r"\bpanels\.\w+\(", cell.source) else ""
            output.data = NotebookNode({"text/html": picture + live})
    return notebook
