"""How often the monitor's alarm is right on the toy walk, at three discounts and on seeds that did not set it.

    python tests/benchmarks/alarm_rates.py --out build/alarm_rates.csv

A run *crosses* when |Q| on the data passes 1e6; the rewards are zero. For critics on control data `seem-lab report`
stores the readings, and lesson 10 judges the alarm on them.
"""

from __future__ import annotations

import argparse
import csv
import math
import warnings
from itertools import product
from pathlib import Path

import torch

from seem_lab import SeemMonitor, mlp, toy_walk
from seem_lab.monitor import SelfExcitationWarning

COLUMNS = ("population", "setting", "seed", "crossed_at", "alarm_at", "largest_over_limit")


def toy_run(gamma: float, seed: int, steps: int = 600, every: int = 10) -> tuple[float, float, float]:
    """Step of crossing, step of the alarm (nan if none), largest |Q| over the limit, with plain gradient descent."""
    walk, limit = toy_walk(seed, gamma=gamma), 1e6
    network = mlp(walk.input_dim, seed=seed)
    updates = torch.optim.SGD(network.parameters(), lr=2e-2)
    monitor = SeemMonitor(network, walk.x, walk.discount, every=every)
    crossed = alarm = math.nan
    largest = 0.0
    for step in range(steps + 1):
        monitor(step, lambda: walk.bootstrap(network)[1])
        if monitor.alarm and math.isnan(alarm):
            alarm = step
        q = network(walk.x).flatten()
        largest = max(largest, q.abs().max().item() / limit)
        if not largest <= 1:
            crossed = step
            break
        updates.zero_grad()
        (q - walk.discount * walk.greedy(network)[1]).square().mean().backward()
        updates.step()
    return crossed, alarm, largest


def table(rows: list[tuple]) -> str:
    """Markdown: one line a setting."""
    lines = [
        "| runs | setting | crossed | caught before | lead in steps | alarm, never crossed |",
        "|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys(row[:2] for row in rows):
        runs = [row for row in rows if row[:2] == key]
        crossing = [row for row in runs if not math.isnan(row[3])]
        caught = [row for row in crossing if row[4] < row[3]]
        leads = sorted(row[3] - row[4] for row in caught)
        lead = f"{leads[len(leads) // 2]:.0f} ({leads[0]:.0f} to {leads[-1]:.0f})" if leads else "-"
        false = [row for row in runs if math.isnan(row[3]) and not math.isnan(row[4])]
        never = len(runs) - len(crossing)
        lines.append(
            f"| {len(runs)} | {key[0]}, {key[1]} | {len(crossing)} | {len(caught)} of {len(crossing)} | {lead} "
            f"| {len(false)} of {never} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run all, write every run to a file at once, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("build/alarm_rates.csv"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", SelfExcitationWarning)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[tuple] = []
    with options.out.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for gamma, seed in product((0.99, 0.965, 0.95), range(1000, 1000 + options.seeds)):
            rows.append(("toy walk", f"gamma {gamma}", seed, *toy_run(gamma, seed)))
            out.writerow(rows[-1])
            file.flush()
    print("alarm: SEEM/P > .1 and SEEM/||A||_F > .1, read every 10 steps\n")
    print(table(rows))


if __name__ == "__main__":
    main()
