"""The table of a run: one row every so many steps, in memory and, row by row, in a CSV file."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = (
    "step",
    "q_mean",
    "q_max",
    "critic_loss",
    "policy_loss",
    "seem",
    "seem_per_parameter",
    "seem_normalised",
    "seem_frequency",
    "return_mean",
    "return_low",
    "return_high",
    "verdict",
)


class RunLog:
    """Rows with some of these columns: `step`; of the steps since the row before, `q_max` (the largest |Q|) and, of the
    last of them, `q_mean`, `critic_loss`, `policy_loss`; where SEEM was read, its four numbers, see
    `seem_lab.monitor.Reading`; where the policy was evaluated, mean, lowest and highest return; and `verdict`.

    Args:
        path: of the CSV file; None for memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(list(COLUMNS), "w")

    def append(self, row: dict[str, Any]) -> None:
        """One more row, on the disk before this returns."""
        self.rows.append(row)
        if self.path is not None:
            self._write([row.get(name, "") for name in COLUMNS], "a")

    def table(self) -> pd.DataFrame:
        """All rows, nan where a column was not measured."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))

    def _write(self, row: list[Any], mode: str) -> None:
        assert self.path is not None
        with self.path.open(mode, newline="") as file:
            csv.writer(file).writerow(row)
            file.flush()
            os.fsync(file.fileno())
