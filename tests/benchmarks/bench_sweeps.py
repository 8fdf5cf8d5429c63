"""Stacked runs against single ones, side by side: `OMP_NUM_THREADS=1 python tests/benchmarks/bench_sweeps.py`.

200 seeds, 400 steps of the toy walk at gamma .95, where every run goes its whole length. The single runs are
interleaved with the stacked ones, so that both meet the same load; ratios are what counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import torch

import seem_lab as sl

SEEDS, STEPS, ROUNDS = 200, 400, 3
SETTINGS = dict(gamma=0.95, steps=STEPS, record_at=(), progress=False)


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def single(seeds: range) -> None:
    """One run after another, as `train` does them."""
    for seed in seeds:
        sl.train(sl.mlp(4, seed=1000 + seed), sl.toy_walk(seed, gamma=0.95), lr=2e-2, steps=STEPS, progress=False)


def main() -> None:
    """Print the time a seed of each way, and its ratio to single runs in the same round."""
    torch.set_num_threads(1)
    ratios: dict[str, list[float]] = {}
    with ProcessPoolExecutor(2) as processes:
        sl.sweep(range(32), executor=processes, **SETTINGS)  # start the workers
        for turn in range(ROUNDS):
            part = range(turn * SEEDS // ROUNDS, (turn + 1) * SEEDS // ROUNDS)
            alone = seconds(lambda part=part: single(part)) / len(part)
            ways = {f"stacks of {size}, one core": dict(stack=size) for size in (1, 4, 16, 32, SEEDS)}
            ways["stacks of 16, two threads"] = {}
            ways["stacks of 16, two processes"] = dict(executor=processes)
            for name, options in ways.items():
                torch.set_num_threads(2 if name.endswith("threads") else 1)
                took = seconds(lambda options=options: sl.sweep(range(SEEDS), **SETTINGS, **options)) / SEEDS
                torch.set_num_threads(1)
                ratios.setdefault(name, []).append(alone / took)
                print(f"round {turn}: {name}: {1e3 * took:.1f} ms a seed, {1e3 * alone:.0f} ms alone", flush=True)
    for name, found in ratios.items():
        print(f"{name}: {statistics.median(found):.1f} times faster, {min(found):.1f} to {max(found):.1f}")


if __name__ == "__main__":
    main()
