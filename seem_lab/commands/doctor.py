"""`seem-lab doctor`: does seem_lab work on this machine?"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

import seem_lab as sl
from seem_lab.problems import DATA

PACKAGES = ("torch", "numpy", "scipy", "pandas", "gymnasium", "matplotlib")
RECORDED = (".npz", ".csv", ".csv.gz")


def doctor() -> None:
    """Print versions and device, check the recorded data, run a self-test of some seconds, and say the verdict.

    The exit code is 0 if everything holds, else 1.
    """
    print(f"seem_lab {sl.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    cuda = f"CUDA, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "no CUDA"
    print(f"device: CPU with {torch.get_num_threads()} threads, {cuda}\n")
    start = time.perf_counter()
    failures = sum(not passes(check) for check in CHECKS)
    print(f"\n{len(CHECKS)} checks in {time.perf_counter() - start:.0f} s: ", end="", flush=True)
    if failures:
        print(f"seem_lab does NOT work here, {failures} failed.")
        sys.exit(1)
    print("seem_lab works here.")


def passes(check: Callable[[], tuple[bool, str]]) -> bool:
    """Run one check and print its line; an error is a failure that the line tells."""
    try:
        passed, finding = check()
    except Exception as error:
        passed, finding = False, f"{type(error).__name__}: {error}"
    print(f"{'ok    ' if passed else 'FAILED'}  {str(check.__doc__).rstrip('.')}: {finding}", flush=True)
    return passed


def stated_checksums(folder: Path) -> dict[str, str]:
    """File name to sha256: from `README.md`, where it follows the name, and from the `.json` beside a recording."""
    checksums = {}
    name = ""
    for found in re.finditer(r"(\w+\.(?:npz|csv(?:\.gz)?))\b|`([0-9a-f]{64})`", (folder / "README.md").read_text()):
        name = found[1] or name
        if found[2]:
            checksums[name] = found[2]
    for beside in folder.glob("*.json"):
        checksums[f"{beside.stem}.npz"] = json.loads(beside.read_text())["sha256"]
    return checksums


def recorded_data() -> tuple[bool, str]:
    """The recorded data is what its README says."""
    stated = stated_checksums(DATA)
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA.iterdir()
        if path.name.endswith(RECORDED) and not path.name.endswith(".part.csv")
    }
    wrong = sorted(name for name in stated | there if stated.get(name) != there.get(name))
    return bool(
        there
    ) and not wrong, f"{len(there)} files in {DATA}, missing or different: {', '.join(wrong) or 'none'}"


def baird_star() -> tuple[bool, str]:
    """SEEM of Baird's star is 1.675."""
    q = sl.linear_q(8)
    value = sl.seem(q, *sl.baird_star().bootstrap(q)).value
    return abs(value - 1.675) < 1e-3, f"{value:.4f}"


def kernel() -> tuple[bool, str]:
    """The tangent kernel is the product of the gradients."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.randn(16, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(device)
    q = sl.mlp(4, hidden=(32, 32), layer_norm=True, seed=0).to(device)
    rows = [torch.autograd.grad(q(row[None]).squeeze(), list(q.parameters())) for row in x]
    gradients = torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])
    expected = gradients @ gradients.T
    error = ((sl.ntk(q, x) - expected).abs().max() / expected.abs().max()).item()
    return error < 1e-10, f"relative difference {error:.0e} on {device}"


def one_step() -> tuple[bool, str]:
    """One step of training moves the TD error as the matrix A says."""
    walk, lr = sl.toy_walk(seed=0), 1e-3
    q = sl.mlp(walk.input_dim, hidden=(64,), seed=1000)
    x, x_next, discount = walk.bootstrap(q)
    matrix = sl.seem_matrix(q, x, x_next, discount)

    def error() -> torch.Tensor:
        return sl.q_values(q, x) - walk.reward - discount * sl.q_values(q, x_next)

    before = error()
    predicted = sl.step_size(lr, walk.n) * matrix @ before
    sl.train(q, walk, lr=lr, steps=1)
    off = ((error() - before - predicted).norm() / predicted.norm()).item()
    return off < 0.05, f"{100 * off:.2f} % off"


def explosion() -> tuple[bool, str]:
    """Of 8 toy runs most explode at discount 0.99, and none at 0.9."""
    exploded = [
        int(sl.sweep(range(8), gamma=gamma, lr=0.02, steps=600, progress=False).diverged.sum()) for gamma in (0.99, 0.9)
    ]
    return exploded[0] >= 6 and exploded[1] == 0, f"{exploded[0]} and {exploded[1]}"


CHECKS = (recorded_data, baird_star, kernel, one_step, explosion)
