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
    "q_over_limit",
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
    """Rows with some of these columns: `step`; of the steps since the row before, `q_max` (the largest |Q|),
    `q_over_limit` (the same over the largest value that a policy can have) and, of the last of them, `q_mean`,
    `critic_loss`, `policy_loss`; where SEEM was read, its four numbers, see `seem_lab.monitor.Reading`; where the
    policy was evaluated, mean, lowest and highest return; and `verdict`.

    Args:
        path: of the CSV file; None for memory alone.
        keep: go on with the file's first so many bytes, as `size` told them; what was written later is cut off. 0
            starts afresh.

    Raises:
        ValueError: the file is not there, or shorter than that.
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path | None = None, keep: int = 0) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if path is None:
            return
        if keep == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(list(COLUMNS), "w")
            return
        if not path.is_file() or path.stat().st_size < keep:
            raise ValueError(
                f"{path}: the table is not the one that belongs to this checkpoint, which had written {keep} bytes of "
                "it; put it back, or train anew in another folder"
            )
        os.truncate(path, keep)
        self.rows = read_rows(path)

    @property
    def size(self) -> int:
        """Bytes of the file so far; 0 in memory."""
        return 0 if self.path is None else self.path.stat().st_size

    def append(self, row: dict[str, Any]) -> None:
        """One more row, in the file before this returns."""
        self.rows.append(row)
        if self.path is not None:
            self._write([row.get(name, "") for name in COLUMNS], "a")

    def settle(self) -> None:
        """All rows on the disk itself, so that they outlive a power cut."""
        if self.path is not None:
            with self.path.open("rb") as file:
                os.fsync(file.fileno())

    def table(self) -> pd.DataFrame:
        """All rows, nan where a column was not measured."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))

    def _write(self, row: list[Any], mode: str) -> None:
        assert self.path is not None
        try:
            with self.path.open(mode, newline="") as file:
                csv.writer(file).writerow(row)
        except OSError as error:
            reason = f"this row cannot be written ({error.strerror}); the last checkpoint stays, make room and resume"
            raise OSError(error.errno, reason, str(self.path)) from error


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a run's CSV file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file with other columns.
    """
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: not the table of a run; give the run.csv that `seem-lab train` wrote")
        return [{name: _value(name, text) for name, text in row.items() if text} for row in reader]


def _value(name: str, text: str) -> int | float | str:
    if name == "verdict":
        return text
    return int(text) if name == "step" else float(text)
