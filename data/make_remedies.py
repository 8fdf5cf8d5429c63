"""Make data/remedies.csv, the runs of lesson 08: `python data/make_remedies.py`; about ten minutes on one core.

Every remedy of `seem_lab.remedies` on the toy walk, walk seed s and network seed 1000 + s. Stopped and started again it
goes on where it was. `data/README.md` describes the file.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from tqdm.auto import tqdm

from seem_lab.remedies import remedies, remedies_table

FILE = Path(__file__).resolve().parent / "remedies.csv"
PART = FILE.with_suffix(".part.csv")  # what is done so far
SEEDS = range(12)


def main() -> None:
    """One remedy after the other; those already in the part file are not done again."""
    done = pd.read_csv(PART, keep_default_na=False).groupby(["family", "strength"]).size() if PART.exists() else {}
    for remedy in tqdm(remedies(), unit="remedy"):
        if (remedy.family, remedy.strength) not in done:
            table = remedies_table([remedy], SEEDS, progress=False)
            table.to_csv(PART, mode="a", header=not PART.exists(), index=False, float_format="%.5g")
    done = pd.read_csv(PART, dtype=str, keep_default_na=False).groupby(["family", "strength"])
    pd.concat([done.get_group((r.family, r.strength)) for r in remedies()]).to_csv(FILE, index=False)
    PART.unlink()
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
