"""The glossary and the index of symbols, made from the lessons: `page(folder)` is GLOSSARY.md, which build.py writes.

A lesson sets a term in bold where it says what the term means; the glossary quotes that sentence. Which bold words are
terms is the list below. Symbols are the rows of the lessons' tables whose first column is called symbol or letter.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext

TERMS = {
    "00": ("transition", "Offline reinforcement learning", "value", "discount", "target", "TD error", "bootstrapping",
           "greedy", "Training", "panel"),
    "01": ("feature", "self-excitation"),
    "02": ("Baird's star", "kernel view", "parameter view", "mode", "rate", "fastest", "leading", "SEEM"),
    "03": ("tangent kernel", "relative residual", "cosine"),
    "04": ("diverges", "survives", "time constant", "right eigenvector", "left eigenvector", "AUROC", "confounder",
           "rank correlation", "miss", "false alarm"),
    "05": ("crashes", "closed form", "discrete map", "spread"),
    "06": ("active", "ratio"),
    "07": ("LayerNorm", "exponent", "angle"),
    "08": ("Weight norm", "Spectral norm", "Batch norm", "Dropout", "Weight decay", "Clipping", "EMA target", "Double Q",
           "in-sample action", "behaviour penalty", "n-step returns"),
    "09": ("target network", "multiplier", "spectral radius", "fitted Q iteration", "Step-size instability.",
           "edge of stability", "heavy ball", "preconditioner", "turns"),
}  # fmt: skip
FEWEST_WORDS = 12  # of a quotation; a shorter sentence takes the one before it along
HEAD = """\
# Glossary and symbols

Made from the lessons by `notebooks/build.py`; do not edit it. Each entry is the sentence in which the lesson says what the
term means.
"""


def page(folder: Path) -> str:
    """The text of GLOSSARY.md for the lessons in a folder."""
    lessons = {path.stem[:2]: path for path in sorted(folder.glob("[0-9][0-9]_*.py"))}
    prose = {number: paragraphs(path) for number, path in lessons.items()}
    terms = sorted(
        (
            (term.rstrip("."), quotation(prose[number], term), lessons[number].stem)
            for number in TERMS.keys() & lessons.keys()
            for term in TERMS[number]
        ),
        key=lambda entry: entry[0].lower(),
    )
    lines = [HEAD, "## Terms\n"]
    lines += [f"- **{term[0].upper() + term[1:]}** ([{stem[:2]}]({stem}.ipynb)): {said}" for term, said, stem in terms]
    lines += ["\n## Symbols\n", "In the order of the lessons; a letter that means two things has two rows.\n"]
    lines += ["| symbol | meaning | lesson |", "| --- | --- | --- |"]
    for number, path in lessons.items():
        lines += [
            f"| {symbol} | {meaning} | [{number}]({path.stem}.ipynb) |" for symbol, meaning in symbols(prose[number])
        ]
    return "\n".join(lines) + "\n"


def paragraphs(lesson: Path) -> list[str]:
    """The paragraphs of a lesson's text, each on one line; a table stays one paragraph of several lines."""
    cells = [cell.source for cell in jupytext.read(lesson, fmt="py:percent").cells if cell.cell_type == "markdown"]
    blocks: list[str] = []
    for block in (block for cell in cells for block in re.split(r"\n\s*\n|\n(?=- )|\n(?=\d\. )", cell)):
        if block.startswith("|"):
            blocks.append(block)
            continue
        text = " ".join(block.split()).removeprefix("- ")
        if blocks and (text.startswith("$$") or (blocks[-1].endswith("$$") and not blocks[-1].endswith(".$$"))):
            blocks[-1] += " " + text  # a formula on its own lines belongs to its sentence
        else:
            blocks.append(text)
    return blocks


def quotation(blocks: list[str], term: str) -> str:
    """The sentence that has the term in bold, with those before it while it is short; its bold is taken off.

    Raises:
        ValueError: the term is nowhere in bold.
    """
    bold = f"**{term}**"
    for block in blocks:
        if bold in block and not block.startswith("|"):
            sentences = re.split(r"(?<=[.?!:])\s+(?=[A-Z$*(])", block)
            last = next(i for i, sentence in enumerate(sentences) if bold in sentence)
            first = last
            while first > 0 and len(" ".join(sentences[first : last + 1]).split()) < FEWEST_WORDS:
                first -= 1
            said = " ".join(sentences[first : last + 1])
            if len(said.split()) < FEWEST_WORDS and last + 1 < len(sentences):
                said += " " + sentences[last + 1]
            said = said.replace("**", "").rstrip(":,;")
            return said[0].upper() + said[1:] + ("" if said.endswith((".", "?", "!", ".)", "$$")) else ".")
    raise ValueError(f"no lesson text has {bold}; mend the list TERMS in notebooks/glossary.py, or the lesson")


def symbols(blocks: list[str]) -> list[tuple[str, str]]:
    """Symbol and meaning, of every table whose first column is called symbol or letter."""
    found = []
    for block in blocks:
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.split("\n")]
        if block.startswith("|") and rows[0][0] in ("symbol", "letter"):
            meaning = rows[0].index("meaning" if "meaning" in rows[0] else "here")
            found += [(row[0], row[meaning]) for row in rows[2:]]
    return found
