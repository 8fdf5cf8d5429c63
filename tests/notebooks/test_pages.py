"""What pages and decks share: formulas in MathML, and pictures that are described."""

import nbformat
import pages
import pytest


def test_bars_stand_close_and_do_not_stretch():
    bar = '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;</mo>'
    assert pages.mathml("|x|").count(bar) == 2
    assert bar not in pages.mathml(r"\left| \frac{1}{x} \right|")  # this pair is meant to stretch
    assert 'display="block"' in pages.mathml(r"x \tag{1}", "block")


def test_formula_that_cannot_be_read_is_named():
    with pytest.raises(ValueError, match="cannot read this formula: x_a_b"):
        pages.mathml("x_a_b")


def notebook(source: str, **facts: object) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("display_data", {"image/png": "AAAA\n"}, metadata={"image/png": facts})
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[output])])


def test_picture_carries_its_description_and_a_panel_how_to_run_it():
    figure = pages.with_described_pictures(notebook("plotting.curve(q)", alt="Q < 1 & falls", width=800), "a.ipynb")
    (shown,) = figure.cells[0].outputs
    assert shown.data == {"text/html": '<img alt="Q &lt; 1 &amp; falls" width="800" src="data:image/png;base64,AAAA">'}
    panel = pages.with_described_pictures(notebook("panels.BlowUp()", alt="Q blows up."), "a.ipynb")
    assert "open <code>a.ipynb</code>" in panel.cells[0].outputs[0].data["text/html"]


def test_picture_without_description_is_refused():
    with pytest.raises(ValueError, match=r"a\.ipynb, cell .*: a picture without alt text"):
        pages.with_described_pictures(notebook("plotting.curve(q)"), "a.ipynb")
