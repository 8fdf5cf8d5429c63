"""When a run will crash: the discrete map of one SGD step on the terminal ray, from one look at SEEM and Q.

With s = eps SEEM, one step on the ray multiplies the parameters by 1 + s/L, hence

    u <- u (1 + s/L)^L,      s <- s (1 + s/L)^(2L-2),

repeated until |Q| passes the limit. The closed form 1 / (p s), p = (2L-2)/L, is the time at which the continuous flow
du/dt = s u blows up; it takes no account of the steps being finite, and is there for comparison.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from seem_lab.growth import growth_exponent
from seem_lab.networks import q_values
from seem_lab.problems import Problem
from seem_lab.seem import leading_eigenvalue, seem_matrix
from seem_lab.training import History, step_size

LONGEST = 100_000  # steps the map looks ahead
GROWN = 2.0  # the error excites itself once it has grown to this multiple of its minimum so far
LOOK_BACK = 0.75  # share of the steps left over which earlier forecasts are compared
REACH = (1.5, 2.0)  # of the interval, before and after the forecast, in units of the spread; see with_interval


@dataclass(frozen=True)
class Forecast:
    """When |Q| will pass a limit, as seen at one step; made by the `forecast_*` functions.

    Args:
        step: when the forecast was made.
        steps_left: by the discrete map, with the fraction of the last step; None where no forecast can be made.
        closed_form: steps left by 1 / (p eps SEEM); infinite for a linear Q; None likewise.
        low: lower end of the 90 % interval of the crash *step*; None without earlier forecasts to judge by.
        high: its upper end.
        note: why there is no forecast, or under what reservation there is one.
    """

    step: int
    steps_left: float | None
    closed_form: float | None
    low: int | None = None
    high: int | None = None
    note: str = ""

    @property
    def crash_step(self) -> int | None:
        """The first step at which |Q| is forecast to be past the limit."""
        return None if self.steps_left is None else self.step + math.ceil(self.steps_left)


def forecast_crash(
    seem: float, *, depth: int, lr: float, n: int, q_now: float, q_limit: float = 1e6, step: int = 0
) -> Forecast:
    """Steps until |Q| passes the limit, from SEEM and |Q| at one moment, if u lies on the terminal ray.

    Source: our derivation from the homogeneity of ReLU networks; arXiv 2310.04411 gives the closed form for L = 2.

    Args:
        seem: leading eigenvalue, per unit of eps.
        depth: L, the number of linear layers of a ReLU network.
        lr: learning rate of plain SGD on the mean squared TD error.
        n: number of transitions N in that mean.
        q_now: largest |Q(X)| now.
        q_limit: the limit.
        step: the present step.

    Returns:
        The forecast, without an interval. `steps_left` is None if SEEM is not positive or not a number.

    Raises:
        ValueError: a depth below 1, or a rate, count or size that is not positive.

    Example:
        >>> round(forecast_crash(30.0, depth=2, lr=2e-2, n=63, q_now=5.0).steps_left)
        57
    """
    power = growth_exponent(depth)
    for name, value in {"lr": lr, "n": n, "q_now": q_now, "q_limit": q_limit}.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {value}")
    s = step_size(lr, n) * seem
    if not s > 0:
        return Forecast(step, None, None, note=f"SEEM is {seem:.3g}: the error does not excite itself")
    closed_form = 1 / (power * s) if power else math.inf
    to_go, left = math.log(q_limit / q_now), 0.0
    while to_go > 0:
        stretch = math.log1p(s / depth)
        if depth * stretch >= to_go:
            return Forecast(step, left + to_go / (depth * stretch), closed_form)
        to_go -= depth * stretch
        s *= math.exp((2 * depth - 2) * stretch)
        left += 1
        if left > LONGEST:
            return Forecast(step, None, None, note=f"no crash within {LONGEST} steps at this SEEM")
    return Forecast(step, 0.0, closed_form, note="|Q| is past the limit already")


def forecast_run(run: History, *, depth: int) -> list[Forecast]:
    """A forecast at every record of a run that has SEEM, from what was known by then, intervals included.

    None is made (`steps_left` is None, `note` says why) while the error has not grown to twice its minimum so far.

    Args:
        run: trained by SGD on a ReLU network without LayerNorm, `seem_every` or `seem_at` given.
        depth: L, the number of linear layers of that network.

    Returns:
        One forecast for each record with SEEM, in their order.

    Raises:
        ValueError: no record has SEEM, or as `forecast_crash`.

    Example:
        >>> from seem_lab import mlp, toy_walk, train
        >>> run = train(mlp(4, seed=1003), toy_walk(3), steps=150, seem_every=1)
        >>> run.diverged, forecast_run(run, depth=2)[-1].crash_step  # it crashes at step 167
        (False, 167)
    """
    there = np.isfinite(run.seem)
    if not there.any():
        raise ValueError("no record of this run has SEEM; train it with seem_every=1")
    grown = run.td_error_norm >= GROWN * np.minimum.accumulate(run.td_error_norm)
    forecasts: list[Forecast] = []
    for i in np.flatnonzero(there):
        step = int(run.step[i])
        if grown[i]:
            made = forecast_crash(
                run.seem[i], depth=depth, lr=run.lr, n=run.n, q_now=run.q_max[i], q_limit=run.q_limit, step=step
            )
            forecasts.append(with_interval(made, forecasts))
        else:
            forecasts.append(Forecast(step, None, None, note="the error has not grown to twice its minimum so far"))
    return forecasts


def forecast_network(
    network: nn.Module,
    problem: Problem,
    *,
    lr: float,
    q_limit: float = 1e6,
    step: int = 0,
    earlier: Sequence[Forecast] = (),
) -> Forecast:
    """When plain SGD will crash this network on this problem, from the network as it is now.

    The law needs a ReLU network (with biases it holds only in the limit of large parameters: `note` says so) whose
    error already grows as SEEM says: `u^T A u / u^T u` within a factor of two of SEEM.

    Args:
        network: `Linear` and `ReLU` layers; it is left untouched.
        problem: what it is trained on.
        lr: learning rate of SGD.
        q_limit: the limit on |Q(X)|.
        step: the present step.
        earlier: forecasts made before, to judge this one by: with three or more it has an interval.

    Returns:
        The forecast; `steps_left` is None where the error does not excite itself, `note` says why.

    Raises:
        ValueError: a network for which there is no such law: LayerNorm and others; or as `seem_matrix`.

    Example:
        >>> from seem_lab import mlp, toy_walk, train
        >>> network, walk = mlp(4, seed=1003, bias=False), toy_walk(3)
        >>> forecast_network(network, walk, lr=2e-2).steps_left is None
        True
    """
    depth, note = _homogeneous(network)
    x, x_next, discount = problem.bootstrap(network)
    with torch.no_grad():
        q = q_values(network, x)
        u = q - problem.reward - discount * q_values(network, x_next)
    matrix = seem_matrix(network, x, x_next, discount)
    seem = leading_eigenvalue(matrix).real
    q_now = q.abs().max().item()
    made = forecast_crash(seem, depth=depth, lr=lr, n=problem.n, q_now=q_now, q_limit=q_limit, step=step)
    if made.steps_left is None:
        return made
    growth = (u @ matrix @ u / (u @ u)).item()
    if not 0.5 <= growth / seem <= 2:
        note = (
            f"the error changes at a rate of {growth:.2g} per unit of eps, SEEM is {seem:.2g}: on the terminal ray the "
            "two agree, so the error does not lie on it yet"
        )
        return Forecast(step, None, None, note=note)
    return with_interval(replace(made, note=note), earlier)


def with_interval(made: Forecast, earlier: Sequence[Forecast]) -> Forecast:
    """The forecast with a 90 % interval of the crash step, from the spread of what was forecast shortly before.

    The spread is the range of the crash steps forecast lately, this forecast included: if k steps are left, during the
    last 3/4 k. The interval reaches 1.5 spreads before and 2 after it, rounded to whole steps. These numbers were set
    on 112 seeds at depths 2, 3 and 4 and judged on others: `data/README.md` has the coverage.

    Args:
        made: the forecast.
        earlier: those before it.

    Returns:
        The same forecast with `low` and `high`, or without if there are fewer than 3 to compare.
    """
    if made.steps_left is None:
        return made
    now = made.step + made.steps_left
    since = made.step - max(LOOK_BACK * made.steps_left, 2)
    recent = [f.step + f.steps_left for f in (*earlier, made) if f.steps_left is not None and f.step >= since]
    if len(recent) < 3:
        return made
    spread = max(recent) - min(recent)
    low, high = now - REACH[0] * spread, now + REACH[1] * spread
    step = math.ceil(now)  # |Q| passes the limit at a moment after step - 1, at the latest at step
    return replace(made, low=max(min(round(low) + 1, step), made.step), high=max(round(high), step))


def _homogeneous(network: nn.Module) -> tuple[int, str]:
    """The number of linear layers, and under what reservation the law holds; an error where it does not."""
    modules = [module for module in network.modules() if not list(module.children())]
    strange = next((m for m in modules if not isinstance(m, nn.Linear | nn.ReLU | nn.LeakyReLU)), None)
    linear = [module for module in modules if isinstance(module, nn.Linear)]
    if strange is not None or not linear:
        raise ValueError(
            f"no forecast for a network with {type(strange).__name__}: the law of growth needs a homogeneous network, "
            "Linear and ReLU layers only (LayerNorm keeps the kernel from growing with the parameters)"
        )
    biased = any(layer.bias is not None for layer in linear)
    return len(linear), "the biases make the law hold only in the limit of large parameters" if biased else ""
