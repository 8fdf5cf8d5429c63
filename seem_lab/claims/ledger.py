"""All rows, in the order of the argument."""

from __future__ import annotations

from seem_lab.claims import full_scale, growth, layer_norm, mechanism, regularisers, warning
from seem_lab.claims.claim import Claim


def ledger() -> tuple[Claim, ...]:
    """Every claim, one row each.

    Example:
        >>> [str(claim.verdict) for claim in ledger() if claim.name == "bounded-kernel"]
        ['holds with limits']
    """
    parts = (mechanism, warning, growth, layer_norm, regularisers, full_scale)
    return tuple(claim for part in parts for claim in part.CLAIMS)


def find(name: str) -> Claim:
    """The row of that name.

    Raises:
        ValueError: there is none.

    Example:
        >>> find("sign").lesson
        '04'
    """
    rows = {claim.name: claim for claim in ledger()}
    if name not in rows:
        raise ValueError(f"there is no claim {name!r}; there are {', '.join(rows)}")
    return rows[name]
