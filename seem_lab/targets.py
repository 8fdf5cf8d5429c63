"""Remedies of the target: who gives Q(X), the next action and its value, and what happens after an update.

One interface, that of `LiveTarget`; the others override what they change. `train` calls `start` once, `values` before
each update and `after_update` after it, and `seem_matrix` where SEEM is asked for.
"""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from seem_lab.networks import in_mode
from seem_lab.problems import Problem
from seem_lab.seem import seem_matrix


class TdValues(NamedTuple):
    """What a TD error is made of: `u = q - (reward + discount * q_next)`.

    Args:
        q: `(N,)` Q(X), with gradients; `(2, N)` where two networks learn.
        q_next: `(N,)` the bootstrap's value, without gradients.
        choice: `(N,)` index of the candidate next action it belongs to.
    """

    q: Float[Tensor, "*networks n"]
    q_next: Float[Tensor, " n"]
    choice: Int[Tensor, " n"]


class LiveTarget:
    """No target network: the network of the moment gives everything, `q_next = max_a' Q(s', a')`.

    Example:
        >>> from seem_lab import mlp, toy_walk, train
        >>> train(mlp(4, seed=1000), toy_walk(0), target=LiveTarget()).diverged                # as without target=
        True
    """

    def start(self, network: nn.Module) -> nn.Module:
        """Begin a run.

        Args:
            network: the one to be trained, as it is at the start.

        Returns:
            A module that holds the whole state of the run. What requires a gradient in it is trained.

        Raises:
            ValueError: batch norm in training mode, where the batch has to be told.
        """
        if any(isinstance(m, _BatchNorm) and m.training for m in network.modules()):
            raise ValueError(
                "the network has batch norm in training mode, so its values depend on what is evaluated together; say "
                "so with target=BatchTarget(joint=...), or freeze it with network.eval()"
            )
        return network

    def values(self, network: nn.Module, problem: Problem) -> TdValues:
        """What the TD error is made of, now."""
        choice, q_next = problem.greedy(network)
        return TdValues(network(problem.x).reshape(-1), q_next, choice)

    def after_update(self, network: nn.Module) -> None:
        """Called after each update, with the network updated."""

    def seem_matrix(self, network: nn.Module, problem: Problem, choice: Int[Tensor, " n"]) -> Float[Tensor, "n n"]:
        """A of the live network, in eval mode, at the X* that was used."""
        with in_mode(network, training=False):
            return seem_matrix(network, problem.x, problem.next_inputs(choice), problem.discount)


class EmaTarget(LiveTarget):
    """A target network that follows: after each update `slow <- (1 - rate) slow + rate theta`, with the new theta.

    The target network chooses the next action and gives its value. Each run begins with `slow = theta`; a rate of 1 is
    `LiveTarget`. With everything frozen but the parameters, theta = theta0 + Phi^T c and slow = theta0 + Phi^T d, the
    pair (c, d) moves by

        M = [[ I - eps G,         eps D G* ],
             [ rate (I - eps G),  (1 - rate) I + rate eps D G* ]],     D = diag(discount), G* = G(X*, X)

    around its fixed point, so that the spectral radius of M decides.

    Args:
        rate: tau in (0, 1].

    Attributes:
        slow: the target network of the run that was started last.

    Raises:
        ValueError: a rate outside (0, 1].

    Source: Lillicrap et al. 2015, arXiv 1509.02971; M is our derivation.

    Example:
        >>> from seem_lab import mlp, toy_walk, train
        >>> train(mlp(4, seed=1000), toy_walk(0), target=EmaTarget(0.5)).diverged
        False
    """

    slow: nn.Module

    def __init__(self, rate: float) -> None:
        if not 0 < rate <= 1:
            raise ValueError(f"rate must lie in (0, 1], got {rate}")
        self.rate = rate

    def start(self, network: nn.Module) -> nn.Module:
        """Begin a run with the target network equal to the network."""
        self.slow = deepcopy(super().start(network)).requires_grad_(False)
        return nn.ModuleList([network, self.slow])

    def values(self, network: nn.Module, problem: Problem) -> TdValues:
        """Q(X) from the network, the rest from the target network."""
        choice, q_next = problem.greedy(self.slow)
        return TdValues(network(problem.x).reshape(-1), q_next, choice)

    @torch.no_grad()
    def after_update(self, network: nn.Module) -> None:
        """The target network moves towards the network; buffers are copied."""
        for slow, fast in zip(self.slow.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, self.rate)
        for kept, buffer in zip(self.slow.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)


class DoubleQ(LiveTarget):
    """Two networks learn one target, the smaller of their values: `q_next = min(Q1, Q2)(s', argmax_a' Q1(s', a'))`.

    The trained network is Q1. SEEM is that of Q1 as if it were alone; where the minimum is Q2's, Q1 does not feed
    itself, so this is an upper estimate of the feedback, not the matrix of the pair.

    Args:
        second: Q2, of the same shape and another seed; trained in place.

    Source: Fujimoto et al. 2018, arXiv 1802.09477 (TD3, clipped double Q-learning), the actor replaced by the best
    candidate.

    Example:
        >>> from seem_lab import mlp, toy_walk, train
        >>> train(mlp(4, seed=1000), toy_walk(0), target=DoubleQ(mlp(4, seed=2000))).diverged
        False
    """

    def __init__(self, second: nn.Module) -> None:
        self.second = second

    def start(self, network: nn.Module) -> nn.Module:
        """Begin a run; both networks are trained."""
        return nn.ModuleList([super().start(network), super().start(self.second)])

    def values(self, network: nn.Module, problem: Problem) -> TdValues:
        """Q1(X) and Q2(X), and the smaller value of Q1's choice."""
        choice, q_next = problem.greedy(network)
        with torch.no_grad():
            q_next = torch.minimum(q_next, self.second(problem.next_inputs(choice)).reshape(-1))
        q = torch.stack([each(problem.x).reshape(-1) for each in (network, self.second)])
        return TdValues(q, q_next, choice)


class QuietTarget(LiveTarget):
    """For dropout: units are left out of Q(X) alone; the next action and its value come from eval mode, without noise.

    The largest of noisy values is too large on average. `LiveTarget` draws noise there as well.

    Source: Srivastava et al. 2014 (dropout trains noisy values and uses mean ones).

    Example:
        >>> from seem_lab import dropout, mlp, toy_walk, train
        >>> run = train(dropout(mlp(4, seed=1000)), toy_walk(0), target=QuietTarget(), steps=10)
        >>> int(run.step[-1])
        10
    """

    def values(self, network: nn.Module, problem: Problem) -> TdValues:
        """Q(X) in the network's mode, the rest in eval mode."""
        with in_mode(network, training=False):
            choice, q_next = problem.greedy(network)
        return TdValues(network(problem.x).reshape(-1), q_next, choice)


class BatchTarget(LiveTarget):
    """For batch norm in training mode: which rows share their mean and variance.

    The next action is chosen in eval mode, by the running statistics. Then X and X* are evaluated in training mode,
    in one batch of 2N rows (joint) or in two of N rows. Separate batches show X* to the network as if it were
    distributed like X. SEEM is that of the batch as a whole: row i of Phi is the derivative of the i-th value in its
    batch, through the batch's statistics.

    Args:
        joint: evaluate X and X* together.

    Source: Bhatt et al. 2024, arXiv 1902.05605 (CrossQ: joint batches, no target network).

    Example:
        >>> from seem_lab import batch_norm, mlp, toy_walk, train
        >>> run = train(batch_norm(mlp(4, seed=1000)), toy_walk(0), target=BatchTarget(joint=True), steps=10)
        >>> int(run.step[-1])
        10
    """

    def __init__(self, *, joint: bool) -> None:
        self.joint = joint

    def start(self, network: nn.Module) -> nn.Module:
        """Begin a run."""
        return network

    def values(self, network: nn.Module, problem: Problem) -> TdValues:
        """Choice by the running statistics, values by those of the batch."""
        with in_mode(network, training=False):
            choice, _ = problem.greedy(network)
        q, q_next = self._in_training(network, problem.x, problem.next_inputs(choice))
        return TdValues(q, q_next.detach(), choice)

    def seem_matrix(self, network: nn.Module, problem: Problem, choice: Int[Tensor, " n"]) -> Float[Tensor, "n n"]:
        """A from the Jacobians of the two batches; the running statistics are put back."""
        buffers = [buffer.clone() for buffer in network.buffers()]
        q, q_next = self._in_training(network, problem.x, problem.next_inputs(choice))
        trained = [p for p in network.parameters() if p.requires_grad]
        phi, phi_next = (
            torch.stack([torch.cat([g.flatten() for g in _gradients(value, trained)]) for value in values])
            for values in (q, q_next)
        )
        for buffer, before in zip(network.buffers(), buffers, strict=True):
            buffer.copy_(before)
        return (problem.discount[:, None] * phi_next - phi) @ phi.T

    def _in_training(self, network: nn.Module, x: Tensor, x_next: Tensor) -> tuple[Tensor, Tensor]:
        if self.joint:
            q, q_next = _training_batch(network, torch.cat([x, x_next])).chunk(2)
            return q, q_next
        return _training_batch(network, x), _training_batch(network, x_next)


def _training_batch(network: nn.Module, x: Tensor) -> Tensor:
    """Values in training mode; the buffers are new tensors, as the graph of an earlier batch may hold the old ones."""
    for module in network.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.clone())
    with in_mode(network, training=True):
        return network(x).reshape(-1)


def _gradients(value: Tensor, parameters: list[nn.Parameter]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True)
