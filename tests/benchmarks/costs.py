"""What kernels, SEEM and the monitor cost, side by side in one run.

    python tests/benchmarks/costs.py            # one thread; a markdown table, and a log-log picture in build/

Times are medians of processor seconds, so that other work on the machine does not count; read the ratios.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from seem_lab import SeemMonitor, load_recorded, mlp, ntk, seem, seem_matrix, toy_walk
from seem_lab.critics import Replay, TD3Options, agent_for
from seem_lab.kernels import tangent_features
from seem_lab.seem import leading_mode

Rows = list[tuple[str, float, str]]


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median processor time, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def inputs(n: int, d: int = 17) -> tuple[Tensor, Tensor, Tensor]:
    """x, x_next, discount, drawn at random: next inputs lean away from the data."""
    generator = torch.Generator().manual_seed(0)
    x, z = torch.randn(2, n, d, generator=generator)
    return x, 1.2 * x + 0.5 * z, torch.full((n,), 0.99)


def backward_loop(network: nn.Module, x: Tensor) -> Tensor:
    """The kernel as one would write it first: one backward call a row."""
    rows = []
    for row in x:
        gradients = torch.autograd.grad(network(row[None]).sum(), list(network.parameters()))
        rows.append(torch.cat([g.flatten() for g in gradients]))
    jacobian = torch.stack(rows)
    return jacobian @ jacobian.T


def vmap_grad(network: nn.Module, x: Tensor) -> Tensor:
    """The kernel by per-sample gradients of torch.func."""
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    gradients = vmap(grad(lambda p, row: functional_call(network, p, (row[None],)).reshape(())), in_dims=(None, 0))
    jacobian = torch.cat([g.flatten(1) for g in gradients(parameters, x).values()], dim=1)
    return jacobian @ jacobian.T


def kernels(n: int) -> Rows:
    """Our kernel against three others, a critic of two hidden layers of 256."""
    network, (x, x_next, discount) = mlp(17, (256, 256), dtype=torch.float32), inputs(n)
    blocks = tangent_features(network, x).blocks
    bare = seconds(lambda: [factor @ factor.T for block in blocks for factor in block])
    own = seconds(lambda: ntk(network, x))
    cross = seconds(lambda: ntk(network, x_next, x))
    matrix = seconds(lambda: seem_matrix(network, x, x_next, discount))
    loop = seconds(lambda: backward_loop(network, x), 1)
    few = min(n, 512)
    part, ours = seconds(lambda: vmap_grad(network, x[:few]), 1), seconds(lambda: ntk(network, x[:few]))
    return [
        (f"bare matrix products of G(X, X), N = {n}", bare, "1"),
        ("`ntk(network, x)`", own, f"{own / bare:.2f} x the bare products"),
        ("`ntk(network, x_next, x)`", cross, f"{cross / bare:.2f} x"),
        ("`seem_matrix`: both kernels", matrix, f"{matrix / bare:.2f} x"),
        ("loop of backward calls", loop, f"{loop / own:.0f} x `ntk`"),
        (f"`vmap(grad)`, N = {few}", part, f"{part / ours:.0f} x `ntk` at that N"),
    ]


def excited(steps: int = 150) -> nn.Module:
    """A critic that excites itself: trained on its own values at the next inputs of `inputs`."""
    network, (x, x_next, discount) = mlp(17, (256, 256), dtype=torch.float32), inputs(2000)
    updates = torch.optim.Adam(network.parameters(), lr=3e-4)
    for _ in range(steps):
        target = 1 + discount * network(x_next).flatten().detach()
        updates.zero_grad()
        (network(x).flatten() - target).square().mean().backward()
        updates.step()
    return network


def routes(sizes: list[int], dense_up_to: int, krylov_up_to: int) -> tuple[Rows, dict[str, list[tuple[int, float]]]]:
    """SEEM by every route over N; the eigenvalue includes the kernel it needs."""
    network = excited()
    rows: Rows = []
    curves: dict[str, list[tuple[int, float]]] = {"dense": [], "krylov": [], "matrix-free": []}
    for n in sizes:
        given = inputs(n)
        for route, largest in (("dense", dense_up_to), ("krylov", krylov_up_to), ("matrix-free", math.inf)):
            if n <= largest:
                result = seem(network, *given, route=route, progress=False)
                spent = seconds(lambda given=given, route=route: seem(network, *given, route=route, progress=False), 1)
                curves[route].append((n, spent))
                rows.append((f"SEEM, N = {n}, {route}", spent, f"{result.value:.5g}, {result.products} products"))
    return rows, curves


def thresholds() -> Rows:
    """LAPACK against ARPACK on a matrix that is there."""
    network, rows = excited(), []
    for n in (100, 200, 400, 800):
        given = inputs(n)
        matrix = seem_matrix(network, *given)
        dense = seconds(lambda matrix=matrix: leading_mode(matrix))
        both = seconds(lambda given=given: seem(network, *given, route="krylov"))
        kernel = seconds(lambda given=given: seem_matrix(network, *given))
        rows.append((f"eigenvalue alone, N = {n}, dense", dense, f"Krylov {both - kernel:.4f} s"))
    return rows


def monitor(every: int = 1000, n: int = 256, steps: int = 200) -> Rows:
    """What a reading costs against the training it watches: offline TD3 with 256 x 256 critics."""
    data = load_recorded("pendulum")[0]
    agent = agent_for(TD3Options(), data)
    replay, watched = Replay.of(data, agent.scaling), data[:n]
    x, _, discount = agent.bootstrap(watched)
    watch = SeemMonitor(agent.critics[0], x, discount, every=1, threshold=1e9)
    step = seconds(lambda: [agent.update(replay.sample(256, agent.generator)) for _ in range(steps)], 3) / steps
    reading = seconds(lambda: watch(watch.readings[-1].step + 1 if watch.readings else 0, agent.bootstrap(watched)[1]))
    return [
        ("one step of offline TD3", step, "1"),
        (f"one reading of the monitor, N = {n}", reading, f"{reading / step:.1f} steps"),
        (f"monitor at every = {every}", reading / every, f"{reading / (every * step):.2%} of the training time"),
    ]


def stacks(count: int = 64) -> Rows:
    """Kernels of many seeds at once against one after the other, on the toy walk."""
    walk = toy_walk(0)
    networks = [mlp(walk.input_dim, seed=seed) for seed in range(count)]
    loop = seconds(lambda: [ntk(network, walk.x) for network in networks])
    stack = seconds(lambda: ntk(networks, walk.x))
    twins = [mlp(17, (256, 256), seed=seed, dtype=torch.float32) for seed in range(2)]
    x = inputs(512)[0]
    pair = seconds(lambda: [ntk(network, x) for network in twins])
    together = seconds(lambda: ntk(twins, x))
    return [
        (f"{count} toy kernels, one by one", loop, "1"),
        (f"{count} toy kernels, stacked", stack, f"{loop / stack:.1f} x faster"),
        ("twin critics, N = 512, one by one", pair, "1"),
        ("twin critics, N = 512, stacked", together, f"{pair / together:.2f} x faster"),
    ]


def picture(curves: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Time over N, both logarithmic."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, points), style in zip(curves.items(), ("o-", "s--", "^:"), strict=True):
        axes.loglog(*zip(*points, strict=True), style, label=name)
    axes.set_xlabel("transitions N")
    axes.set_ylabel("processor seconds, kernel included")
    axes.set_title("SEEM of a 256 x 256 critic, one thread", loc="left")
    axes.grid(color="#DDDDDD")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Everything, as markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024, 2560, 5120, 10240, 20480])
    parser.add_argument("--picture", type=Path, default=Path("build/seem_over_n.png"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, curves = routes(options.sizes, dense_up_to=1024, krylov_up_to=5120)
    slope = None
    free = curves["matrix-free"]
    if len(free) > 1:
        (first, early), (last, late) = free[-3 if len(free) > 2 else 0], free[-1]
        slope = math.log(late / early) / math.log(last / first)
    print("| what | processor s | ratio or result |\n|---|---|---|")
    for what, spent, note in [*kernels(2560), *rows, *thresholds(), *monitor(), *stacks()]:
        print(f"| {what} | {spent:.4g} | {note} |", flush=True)
    if slope is not None:
        print(f"\nmatrix-free: exponent of time against N from {first} to {last}: {slope:.2f}")
    picture(curves, options.picture)


if __name__ == "__main__":
    main()
