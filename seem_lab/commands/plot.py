"""`seem-lab plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro

from seem_lab.critics.run_log import COLUMNS, read_rows
from seem_lab.plotting.critics import training_run


def plot(run: Annotated[Path, tyro.conf.Positional], out: Path | None = None) -> None:
    """Draw a run from its table: |Q| over its limit, SEEM, the returns; also while it goes on.

    Args:
        run: the folder of a run, or its run.csv.
        out: the .png to write; run.png beside the table if not given.
    """
    table = run / "run.csv" if run.is_dir() else run
    figure = training_run(pd.DataFrame(read_rows(table), columns=list(COLUMNS)))
    target = out or table.with_suffix(".png")
    target.write_bytes(figure.png())
    print(f"{target}: {figure.alt}")
