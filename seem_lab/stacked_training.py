"""The toy loop for many networks of one shape at once: every tensor has a leading axis of S runs.

Forward and backward passes are batched matrix products, written out. For each linear layer `z = W h + b` the backward
pass gives delta = dQ/dz beside h. The sum of `delta h^T` over the data is the gradient; the inner products of these
outer products are the tangent kernel, as in `kernels`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor, nn

from seem_lab.kernels import TangentFeatures
from seem_lab.networks import mlp
from seem_lab.problems import Problem
from seem_lab.seem import leading_eigenvalue
from seem_lab.training import COLUMNS, History

Block = tuple[Tensor, ...]  # factors of phi, one column an input: `(S, width, columns)` each


def train_stacked(
    networks: Sequence[nn.Module],
    problems: Sequence[Problem],
    *,
    lr: float | Sequence[float] = 2e-2,
    steps: int = 400,
    seem_at: Collection[int] = (),
    q_limit: float = 1e6,
) -> list[History]:
    """`train` with SGD for S runs in one batch of tensors: the same numbers, several times faster.

    A run that passes the limit or leaves the finite numbers is taken out of the batch; the others go on. Batches of 16
    to 32 toy walks are fastest: larger ones no longer fit a processor's cache.

    Args:
        networks: S of them, made by `mlp` with the same arguments but for the seed; with ReLU; trained in
            place.
        problems: S of them, with the same numbers of transitions and of next actions, without penalties; discounts may
            differ.
        lr: learning rate of all runs, or one for each.
        steps: number of updates.
        seem_at: the steps at which SEEM is computed; it is nan elsewhere, and where the kernel overflows.
        q_limit: a run stops once any of its |Q(X)| passes this.

    Returns:
        One `History` a run, every step recorded.

    Raises:
        ValueError: networks or problems that differ in shape, networks of another make, a count or rate that is not
            positive, a start that is not finite.

    Example:
        >>> from seem_lab import toy_walk
        >>> runs = train_stacked([mlp(4, seed=1000 + s) for s in range(3)], [toy_walk(s) for s in range(3)])
        >>> [run.diverged for run in runs]
        [True, True, True]
    """
    rates = _check(networks, problems, lr, steps, q_limit)
    batch = _Batch(networks, problems, rates)
    table = torch.full((len(COLUMNS), steps + 1, len(networks)), torch.nan, dtype=torch.float64)
    ends: list[tuple[int, Literal["finished", "q_limit", "non-finite"]]] = [(steps, "finished")] * len(networks)
    for step in range(steps + 1):
        q, q_next, switches = batch.evaluate()
        u = q - (batch.reward + batch.discount * q_next)
        q_max, u_norm = q.abs().amax(1), u.norm(dim=1)
        lost, over = ~(u_norm < float("inf")), q_max > q_limit  # nan is lost, too
        if step == 0 and lost.any():
            raise ValueError("the TD error is not finite before the first step; start from finite networks")
        leading = batch.leading_eigenvalues() if step in seem_at else torch.full((len(q),), complex("nan+nanj"))
        record = (torch.full_like(q_max, step), q.mean(1), q_max, u_norm, batch.parameter_norm())
        table[:, step, batch.run] = torch.stack([*record, leading.real, leading.imag, switches]).to(table)

        stopped = lost | over | (step == steps)
        for i in stopped.nonzero()[:, 0].tolist():
            run = int(batch.run[i])
            ends[run] = (step - 1, "non-finite") if lost[i] else (step, "q_limit" if over[i] else "finished")
            final = batch.before if lost[i] else batch.parameters
            for parameter, value in zip(networks[run].parameters(), final, strict=True):
                parameter.data.copy_(value[i])
        if stopped.all():
            break
        batch.descend(2 / u.shape[1] * u)
        if stopped.any():
            batch.keep(~stopped)

    histories = []
    for run, (end, reason) in enumerate(ends):
        columns = {name: values[: end + 1, run].numpy() for name, values in zip(COLUMNS, table, strict=True)}
        columns |= {name: columns[name].astype(int) for name in ("step", "switches")}
        histories.append(History(**columns, lr=rates[run], n=problems[run].n, q_limit=q_limit, stop_reason=reason))
    return histories


class _Batch:
    """The runs that are still going on, S of them, each with N transitions and K candidates for a next action."""

    def __init__(self, networks: Sequence[nn.Module], problems: Sequence[Problem], rates: list[float]) -> None:
        self.layers = [layer for layer in networks[0].children() if not isinstance(layer, nn.ReLU)]
        self.run: Int[Tensor, " s"] = torch.arange(len(networks))
        self.parameters = [torch.stack(same).detach() for same in zip(*(q.parameters() for q in networks), strict=True)]
        self.before = self.parameters  # one step ago
        columns = [torch.cat([p.x, p.candidates.flatten(0, 1)]).T for p in problems]
        self.inputs: Float[Tensor, "s d m"] = torch.stack(columns).contiguous()  # X, then the candidates
        self.reward: Float[Tensor, "s n"] = torch.stack([p.reward for p in problems])
        self.discount: Float[Tensor, "s n"] = torch.stack([p.discount for p in problems])
        self.rate: Float[Tensor, " s"] = torch.tensor(rates, dtype=self.inputs.dtype)
        self.choice: Int[Tensor, "s n"] = torch.full((len(networks), problems[0].n), -1)  # none yet
        self.tape: list[Block] = []

    def keep(self, stay: Bool[Tensor, " s"]) -> None:
        """Drop the other runs."""
        self.parameters = [p[stay] for p in self.parameters]
        self.before = [p[stay] for p in self.before]
        for name in ("run", "inputs", "reward", "discount", "rate", "choice"):
            setattr(self, name, getattr(self, name)[stay])

    def evaluate(self) -> tuple[Float[Tensor, "s n"], Float[Tensor, "s n"], Int[Tensor, " s"]]:
        """Q(X), the value of the greedy next action, and how many of these actions changed."""
        n = self.reward.shape[1]
        q, self.tape = self._forward(self.inputs, n)
        q_next, choice = q[:, n:].unflatten(1, (n, -1)).max(dim=2)
        switches = ((choice != self.choice) & (self.choice >= 0)).sum(1)
        self.choice = choice
        return q[:, :n], q_next, switches

    def descend(self, slope: Float[Tensor, "s n"]) -> None:
        """One step of SGD at the state last evaluated; `slope` is the derivative of the loss by Q(X)."""
        self.before, after = self.parameters, []
        blocks = self._backward(self.tape, slope)
        for p, block in zip(self.parameters, blocks, strict=True):
            gradient = block[0] @ block[1].mT if len(block) == 2 else block[0].sum(2)
            after.append(torch.addcmul(p, self.rate.view(-1, *[1] * (p.ndim - 1)), gradient, value=-1))
        self.parameters = after

    def parameter_norm(self) -> Float[Tensor, " s"]:
        """||theta||."""
        return torch.stack([p.flatten(1).square().sum(1) for p in self.parameters]).sum(0).sqrt()

    def leading_eigenvalues(self) -> Complex[Tensor, " s"]:
        """That of the SEEM matrix at the state last evaluated; nan where the matrix is not finite."""
        n = self.reward.shape[1]
        x, candidates = self.inputs[..., :n], self.inputs[..., n:].unflatten(2, (n, -1))
        chosen = self.choice[:, None, :, None].expand(-1, x.shape[1], -1, 1)
        q, tape = self._forward(torch.cat([x, candidates.gather(3, chosen)[..., 0]], dim=2), 2 * n)
        blocks = self._backward(tape, torch.ones_like(q))
        features = TangentFeatures(tuple(tuple(factor.mT for factor in block) for block in blocks))
        here, there = features[:n], features[n:]
        matrices = self.discount[..., None] * there.kernel(here) - here.kernel()
        found = [leading_eigenvalue(a) if a.isfinite().all() else complex("nan+nanj") for a in matrices]
        return torch.tensor(found, dtype=torch.complex128)

    def _forward(self, h: Float[Tensor, "s d m"], columns: int) -> tuple[Float[Tensor, "s m"], list[Block]]:
        """Q, and what the backward pass needs of the first columns: each layer's input and parameters."""
        tape: list[Block] = []
        parameters = iter(self.parameters)
        for index, layer in enumerate(self.layers):
            if isinstance(layer, nn.LayerNorm):
                variance, mean = torch.var_mean(h, dim=1, correction=0, keepdim=True)
                spread = (variance + layer.eps).sqrt()
                h = (h - mean) / spread
                weight = next(parameters) if layer.elementwise_affine else torch.ones_like(h[:, :, 0])
                tape.append((h[..., :columns], weight, spread[..., :columns]))
                if layer.elementwise_affine:
                    h = torch.addcmul(next(parameters)[..., None], weight[..., None], h)
                else:
                    h = h.clone()  # the tape keeps h, and the ReLU works in place
            else:
                weight = next(parameters)
                tape.append((h[..., :columns], weight))
                h = weight @ h if layer.bias is None else torch.baddbmm(next(parameters)[..., None], weight, h)
            if index + 1 < len(self.layers) and isinstance(self.layers[index + 1], nn.Linear):
                h.relu_()
        return h[:, 0], tape

    def _backward(self, tape: list[Block], slope: Float[Tensor, "s n"]) -> list[Block]:
        """The blocks of `slope * phi`, one for each parameter, in their order."""
        blocks: list[list[Block]] = []
        delta = slope[:, None]
        for layer, (h, weight, *spread) in zip(self.layers[::-1], tape[::-1], strict=True):
            if isinstance(layer, nn.LayerNorm):
                blocks.append([(delta * h,), (delta,)] if layer.elementwise_affine else [])
                delta = delta * weight[..., None]
                delta = (delta - delta.mean(1, keepdim=True) - h * (delta * h).mean(1, keepdim=True)) / spread[0]
            else:
                blocks.append([(delta, h)] if layer.bias is None else [(delta, h), (delta,)])
                delta = (weight.mT @ delta) * (h > 0)  # h is the output of a ReLU, but for the first layer
        return [block for own in blocks[::-1] for block in own]


def _check(
    networks: Sequence[nn.Module], problems: Sequence[Problem], lr: float | Sequence[float], steps: int, q_limit: float
) -> list[float]:
    """The learning rate of each run, once everything fits."""
    runs = len(networks)
    if runs == 0 or len(problems) != runs:
        raise ValueError(
            f"one problem a network is needed, at least one; got {runs} networks, {len(problems)} problems"
        )
    rates = [float(rate) for rate in ([lr] * runs if isinstance(lr, int | float) else lr)]
    if len(rates) != runs or not all(rate > 0 for rate in rates):
        raise ValueError(f"lr must be one positive rate or {runs} of them, got {lr}")
    if steps < 0 or not q_limit > 0:
        raise ValueError(f"steps must not be negative and q_limit must be positive, got {steps} and {q_limit}")
    if len({repr(network) for network in networks}) > 1 or len({p.candidates.shape for p in problems}) > 1:
        raise ValueError("the runs differ in shape; stack those of one architecture and one size of problem")
    if any(problem.penalty is not None for problem in problems):
        raise ValueError("a problem has a penalty on its next actions, which stacked runs do not know; use train")
    if not _as_mlp_makes_it(networks[0]) or not all(p.requires_grad for q in networks for p in q.parameters()):
        raise ValueError("only networks as mlp makes them can be stacked; use train for others")
    return rates


def _as_mlp_makes_it(network: nn.Module) -> bool:
    """Whether the layers are those `mlp` would put there, with ReLU."""
    layers = list(network.children())
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    if not linear:
        return False
    hidden, bias = [layer.out_features for layer in linear[:-1]], linear[0].bias is not None
    normed = [isinstance(after, nn.LayerNorm) for layer, after in pairwise(layers) if isinstance(layer, nn.Linear)]
    affine = all(layer.elementwise_affine for layer in layers if isinstance(layer, nn.LayerNorm))
    made = mlp(linear[0].in_features, hidden, layer_norm=normed, affine=affine, bias=bias)
    return repr(network) == repr(made)
