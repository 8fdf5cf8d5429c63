"""The ledger as text for a terminal, and as a table for a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from seem_lab.claims.claim import Claim


def report(claims: Iterable[Claim], *, width: int = 100) -> str:
    """Each claim with its verdict, its figures, and how to make them again.

    Args:
        claims: some rows of the ledger.
        width: of a line, in characters.

    Example:
        >>> from seem_lab.claims.ledger import find
        >>> print(report([find("state-of-the-art")]).splitlines()[0])
        state-of-the-art: NOT TESTED HERE (lesson 10)
    """
    return "\n\n".join("\n".join(_lines(claim, width)) for claim in claims)


def _lines(claim: Claim, width: int) -> Iterable[str]:
    def wrapped(text: str, indent: str = "    ") -> list[str]:
        return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent=indent)

    yield f"{claim.name}: {claim.verdict.upper()} (lesson {claim.lesson})"
    yield from wrapped(f"The claim: {claim.says}")
    yield from wrapped(f"Tested: {claim.setting}." if claim.findings else f"Not tested: {claim.reason}.")
    for finding in claim.findings:
        kind = "" if finding.core else "beyond: "
        yield from wrapped(
            f"[{finding.outcome}] {kind}{finding.what}: {finding.figure}; claimed {finding.claimed}", "      "
        )
    for source in claim.sources:
        yield from wrapped(
            f"From data/{source.file}, seeds {source.seeds}, seem_lab {source.version}: `{source.command}`, "
            f"about {source.minutes:g} minutes"
        )
    if claim.rerun:
        yield from wrapped(
            f"Quick check: `seem-lab claims --run {claim.name} --check`, about {claim.rerun.seconds} s "
            f"({claim.rerun.what})"
        )


def markdown(claims: Iterable[Claim]) -> str:
    """The same as one table in Markdown: the claim, its verdict, what was found, what makes it again.

    Args:
        claims: some rows of the ledger.

    Example:
        >>> from seem_lab.claims.ledger import find
        >>> print(markdown([find("state-of-the-art")]).splitlines()[0])
        | claim | verdict | found: median or share [95 % interval] | make it again |
    """
    lines = [
        "| claim | verdict | found: median or share [95 % interval] | make it again |",
        "| --- | --- | --- | --- |",
    ]
    for claim in claims:
        found = [
            f"{finding.outcome}{'' if finding.core else ' (beyond)'}: {finding.what}: {finding.figure}; "
            f"claimed {finding.claimed}"
            for finding in claim.findings
        ]
        again = dict.fromkeys(f"`{source.command}`, {source.minutes:g} min" for source in claim.sources)
        cells = (
            f"**{claim.name}** (lesson {claim.lesson}). {claim.says}",
            claim.verdict,
            "<br>".join(found) or f"not tested: {claim.reason}",
            "<br>".join(again) or "-",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
