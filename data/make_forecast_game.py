"""Make data/forecast_game.csv, the stored runs of the panel `ForecastGame`: `python data/make_forecast_game.py`.

Toy walks at gamma .99, walk seed s and network seed 1000 + s, trained with SGD at lr 2e-2. `data/README.md` describes
the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

import seem_lab as sl

FILE = Path(__file__).resolve().parent / "forecast_game.csv"
HIDDEN = {2: (64,), 3: (64, 64), 4: (64, 64, 64)}
SEEDS, STEPS = range(8), 6000
STARTED = 1.2  # the game starts at the smallest error before the first rise to so many times the minimum so far


def game_runs() -> pd.DataFrame:
    """Every step of every run from there to its crash."""
    parts = []
    for depth, hidden in tqdm(HIDDEN.items(), desc="depths"):
        walks = [sl.toy_walk(seed) for seed in SEEDS]
        networks = [sl.mlp(4, hidden, seed=1000 + seed) for seed in SEEDS]
        runs = sl.train_stacked(networks, walks, steps=STEPS, seem_at=range(STEPS + 1))
        for seed, run in zip(SEEDS, runs, strict=True):
            if run.diverged:
                rise = sl.terminal_start(run.td_error_norm, STARTED)
                first = int(np.argmin(run.td_error_norm[:rise]))
                columns = {name: getattr(run, name)[first:] for name in ("step", "td_error_norm", "q_max", "seem")}
                parts.append(pd.DataFrame(dict(depth=depth, seed=seed) | columns))
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    table = game_runs()
    table.to_csv(FILE, index=False, float_format="%.4g")
    runs = table.groupby("depth").seed.nunique().to_dict()
    print(f"{FILE.name}: {len(table)} rows, runs that crashed within {STEPS} steps by depth: {runs}")
