"""What turns gradients into steps: plain gradient descent, and gradients cut to a length; Adam is PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


class Optimizer(Protocol):
    """What training asks of an optimizer; those of `torch.optim` have it."""

    def zero_grad(self) -> Any:
        """Forget the gradients."""

    def step(self) -> Any:
        """Move the parameters."""


OptimizerFactory = Callable[..., Optimizer]


class GradientDescent:
    """`theta <- theta - lr * (gradient + weight_decay * theta)`.

    The numbers of `torch.optim.SGD`, bit for bit, without what that loads with its first step: PyTorch's compiler,
    seconds in every new kernel.

    Args:
        parameters: what is learned; those without a gradient stay.
        lr: learning rate.
        weight_decay: pull towards zero.

    Raises:
        ValueError: a learning rate that is not positive, a negative weight decay.

    Example:
        >>> theta = nn.Parameter(torch.ones(1))
        >>> theta.square().backward()
        >>> GradientDescent([theta], lr=0.25).step()
        >>> theta.item()
        0.5
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.0) -> None:
        if not (lr > 0 and weight_decay >= 0):
            raise ValueError(f"lr must be positive and weight_decay not negative, got {lr} and {weight_decay}")
        self._parameters, self._lr, self._weight_decay = list(parameters), lr, weight_decay

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One step down the gradients."""
        for parameter in self._parameters:
            if parameter.grad is not None:
                slope = parameter.grad
                if self._weight_decay:
                    slope = slope.add(parameter, alpha=self._weight_decay)
                parameter.add_(slope, alpha=-self._lr)


OPTIMIZERS: dict[str, OptimizerFactory] = {"sgd": GradientDescent, "adam": torch.optim.Adam}


def clipped(optimizer: OptimizerFactory, max_norm: float) -> OptimizerFactory:
    """An optimizer that shortens every gradient longer than `max_norm` to this length before it steps.

    Args:
        optimizer: what makes one from `(parameters, lr=lr)`, such as `GradientDescent` or `torch.optim.SGD`.
        max_norm: largest length of the gradient of all parameters together.

    Returns:
        A factory for `train(..., optimizer=...)`.

    Raises:
        ValueError: a length that is not positive.

    Source: Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063.

    Example:
        >>> from seem_lab import mlp, toy_walk, train
        >>> run = train(mlp(4, seed=1000), toy_walk(0), optimizer=clipped(GradientDescent, 1.0), steps=10)
        >>> int(run.step[-1])
        10
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")

    class Clipped:
        def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
            self._parameters = list(parameters)
            self._made = optimizer(self._parameters, lr=lr)

        def zero_grad(self) -> None:
            self._made.zero_grad()

        def step(self) -> None:
            clip_grad_norm_(self._parameters, max_norm)
            self._made.step()

    return Clipped
