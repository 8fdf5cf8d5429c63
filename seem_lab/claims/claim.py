"""A row of the ledger: a claim, what was found, the verdict by rule, and how to find it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import pandas as pd

from seem_lab.claims.finding import Finding
from seem_lab.claims.stored import Provenance, provenance


class Verdict(StrEnum):
    """What the findings say of a claim."""

    HOLDS = "holds"
    LIMITED = "holds with limits"
    NOT_SEEN = "not seen here"
    NOT_TESTED = "not tested here"


@dataclass(frozen=True)
class Rerun:
    """A part of a stored table that is made again in seconds, to be compared with what is stored.

    Args:
        what: which part.
        seconds: about how long it takes on one core.
        again: makes that part again: the columns `keys`, and some of the stored ones.
        stored: the stored table.
        keys: columns that name a row.
        tolerance: largest difference that still agrees, relative to the number or, if that is larger, to the
            median of its column.
    """

    what: str
    seconds: int
    again: Callable[[], pd.DataFrame]
    stored: Callable[[], pd.DataFrame]
    keys: tuple[str, ...]
    tolerance: float = 1e-3

    def compare(self, made: pd.DataFrame) -> Agreement:
        """Those rows against the stored ones, in every column that both have.

        Raises:
            ValueError: a row that is not stored.
        """
        values = [name for name in made if name in self.stored().columns and name not in self.keys]
        both = made.merge(self.stored(), on=list(self.keys), suffixes=("", " stored"), how="left", indicator=True)
        missing = both[both["_merge"] != "both"]
        if len(missing):
            raise ValueError(f"not stored: {missing[list(self.keys)].to_dict('records')}")
        largest = 0.0
        for name in values:
            new, old = (both[column].to_numpy(dtype=float) for column in (name, f"{name} stored"))
            if not np.array_equal(np.isnan(new), np.isnan(old)):
                largest = np.inf
            size = np.maximum(np.abs(old), np.nanmedian(np.abs(old)) if np.isfinite(old).any() else 0.0)
            with np.errstate(invalid="ignore"):  # infinity less infinity
                off = np.where(new == old, 0.0, np.abs(new - old)) / np.where(size > 0, size, 1.0)
            largest = max(largest, float(np.nanmax(off, initial=0.0)))
        return Agreement(len(both), len(values), largest, self.tolerance)


@dataclass(frozen=True)
class Agreement:
    """How stored and made again compare.

    Args:
        rows: how many were compared.
        columns: how many numbers in each.
        largest: largest difference, relative as in `Rerun`; infinite where only one of the two is a number.
        tolerance: that still agrees.
    """

    rows: int
    columns: int
    largest: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and no difference is above the tolerance."""
        return self.rows * self.columns > 0 and self.largest <= self.tolerance

    def __str__(self) -> str:
        word = "agrees" if self.agrees else "DIFFERS"
        return f"{word}: {self.rows} rows x {self.columns} columns, largest difference {self.largest:.1e}"


@dataclass(frozen=True)
class Claim:
    """One claim of the paper, in our words, and what was found.

    Args:
        name: what `seem-lab claims --run` calls it.
        says: the claim.
        setting: what exactly was tested.
        lesson: where it is told, such as "04".
        files: the stored results it rests on, in `data/`.
        weigh: computes the findings from them.
        rerun: a part to make again; None where nothing is stored.
        reason: why it was not tested, where it was not.
    """

    name: str
    says: str
    setting: str
    lesson: str
    files: tuple[str, ...] = ()
    weigh: Callable[[], tuple[Finding, ...]] = tuple
    rerun: Rerun | None = None
    reason: str = ""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The figures, computed from the stored results."""
        return self.weigh()

    @property
    def verdict(self) -> Verdict:
        """By rule: all findings say yes: holds; all of the core do: holds with limits; else: not seen here.

        A finding says yes if its whole 95 % interval lies in the claimed range.
        """
        if not self.findings:
            return Verdict.NOT_TESTED
        if any(finding.outcome != "yes" for finding in self.findings if finding.core):
            return Verdict.NOT_SEEN
        return Verdict.HOLDS if all(finding.outcome == "yes" for finding in self.findings) else Verdict.LIMITED

    @property
    def sources(self) -> tuple[Provenance, ...]:
        """Where the stored results come from."""
        return tuple(provenance(file) for file in self.files)
