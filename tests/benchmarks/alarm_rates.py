"""How often the monitor's alarm is right, on runs that were not used to choose it.

    python tests/benchmarks/alarm_rates.py --seeds 3 --steps 2500 --out build/alarm_rates.csv

Two populations. Offline TD3 (`offline_td3.py`) on 10,000 transitions that a random weak policy records in MuJoCo's
Hopper and HalfCheetah (needs gymnasium[mujoco]) and on the recorded Pendulum; target rates 1, .1 and .005, with and
without LayerNorm. And the toy walk at three discounts. A run *crosses* when |Q| on the data passes the largest possible
value, max|r| / (1 - gamma); on the toy, whose rewards are zero, when |Q| passes 1e6.
"""

from __future__ import annotations

import argparse
import csv
import math
import warnings
from itertools import product
from pathlib import Path

import torch
from offline_td3 import GAMMA, OfflineTD3
from tqdm.auto import tqdm

from seem_lab import SeemMonitor, Transitions, load_recorded, make_environment, mlp, random_linear, record, toy_walk
from seem_lab.monitor import SelfExcitationWarning
from seem_lab.recording import dimensions

COLUMNS = ("population", "setting", "seed", "crossed_at", "alarm_at", "largest_over_limit")


def weak(environment: str, n: int, seed: int) -> Transitions:
    """n transitions of weak policies: tanh of a random linear map, new in every episode, plus noise."""
    env = make_environment(environment)
    return record(env, random_linear(*dimensions(env)), n, noise=0.5, seed=seed).transitions


def td3_run(data: Transitions, steps: int, every: int, **settings: object) -> tuple[float, float, float]:
    """Step of crossing, step of the alarm (nan if none), largest |Q| over the limit."""
    agent = OfflineTD3(data, **settings)
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:256]
    x, _, discount = agent.bootstrap(rows)
    monitor = SeemMonitor(agent.critics[0], x, discount, every=every)
    crossed = alarm = math.nan
    largest = 0.0
    for step in range(steps + 1):
        monitor(step, lambda: agent.bootstrap(rows)[1])
        if monitor.alarm and math.isnan(alarm):
            alarm = step
        largest = max(largest, monitor.readings[-1].q_max / agent.q_limit)
        if largest > 1 and math.isnan(crossed):
            crossed = step
        if largest > 3:
            break
        largest = max(largest, agent.step() / agent.q_limit)
    return crossed, alarm, largest


def toy_run(gamma: float, seed: int, steps: int = 600, every: int = 10) -> tuple[float, float, float]:
    """The same for the toy walk with plain gradient descent."""
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
    """Run both populations, write every run to a file at once, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=10)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--toy-seeds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("build/alarm_rates.csv"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", SelfExcitationWarning)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    sets = {
        "Hopper": weak("Hopper-v5", 10_000, options.first_seed),
        "HalfCheetah": weak("HalfCheetah-v5", 10_000, options.first_seed),
        "Pendulum": load_recorded("pendulum")[0],
    }
    rows: list[tuple] = []
    with options.out.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)

        def note(*row: object) -> None:
            rows.append(row)
            out.writerow(row)
            file.flush()

        for gamma, seed in product((0.99, 0.965, 0.95), range(1000, 1000 + options.toy_seeds)):
            note("toy walk", f"gamma {gamma}", seed, *toy_run(gamma, seed))
        jobs = list(product(seeds, (1.0, 0.1, 0.005), sets, (False, True)))
        for seed, tau, name, layer_norm in tqdm(jobs, desc="offline TD3", unit="run"):
            setting = f"{'LayerNorm' if layer_norm else 'plain'}, tau {tau:g}"
            result = td3_run(sets[name], options.steps, options.every, layer_norm=layer_norm, tau=tau, seed=seed)
            note(name, setting, seed, *result)
    print(f"gamma {GAMMA} offline; alarm: SEEM/P > .1 and SEEM/||A||_F > .1, read every {options.every} steps\n")
    print(table(rows))


if __name__ == "__main__":
    main()
