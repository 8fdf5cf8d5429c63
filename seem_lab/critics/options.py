"""What every method can be told; each method adds its own options to these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer


@dataclass(frozen=True)
class PolicyOptions:
    """Options of every method that learns a policy from batches.

    Raises:
        ValueError: an option outside its range; the message names it.
    """

    hidden: tuple[int, ...] = (256, 256)
    """Width of each hidden layer, of the policy and of the critics."""
    lr: float = 3e-4
    """Learning rate of every optimiser."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam (betas .9, .999), or plain gradient descent."""
    batch_size: int = 256
    """Transitions a step, drawn with replacement."""
    normalise_states: bool = True
    """Shift and scale states to mean 0 and deviation 1, by numbers of the data that the checkpoint keeps."""

    def __post_init__(self) -> None:
        need(bool(self.hidden) and min(self.hidden) >= 1, "hidden", "one width or more, each at least 1", self.hidden)
        need(0 < self.lr < float("inf"), "lr", "a positive number", self.lr)
        need(self.optimizer in ("adam", "sgd"), "optimizer", "adam or sgd", self.optimizer)
        need(self.batch_size >= 1, "batch_size", "at least 1", self.batch_size)


@dataclass(frozen=True)
class CriticOptions(PolicyOptions):
    """Options of every method with critics.

    Raises:
        ValueError: an option outside its range; the message names it.
    """

    layer_norm: bool = False
    """Put a LayerNorm before each activation of the critics."""
    gamma: float = 0.99
    """Discount, 0 <= gamma < 1."""
    tau: float = 0.005
    """Target rate, 0 < tau <= 1: the share by which target networks move towards the live ones; 1 copies them."""
    policy_delay: int = 2
    """Critic steps for one step of the policy and of the target networks."""
    reward_scale: float = 1.0
    """Rewards are multiplied by this before anything is learned."""

    def __post_init__(self) -> None:
        super().__post_init__()
        need(0 <= self.gamma < 1, "gamma", "in [0, 1)", self.gamma)
        need(0 < self.tau <= 1, "tau", "in (0, 1]", self.tau)
        need(self.policy_delay >= 1, "policy_delay", "at least 1", self.policy_delay)
        need(0 < self.reward_scale < float("inf"), "reward_scale", "a positive number", self.reward_scale)


def need(holds: bool, name: str, wanted: str, got: object) -> None:
    """Refuse an option that is not what is wanted."""
    if not holds:
        raise ValueError(f"{name} must be {wanted}, got {got}; change --{name.replace('_', '-')}")


def optimizer_of(parameters: list[Tensor], options: PolicyOptions) -> Optimizer:
    """The optimiser that the options name, in PyTorch's fused form: one call for all parameters, on CPU and CUDA."""
    if options.optimizer == "sgd":
        return SGD(parameters, lr=options.lr, fused=True)
    return Adam(parameters, lr=options.lr, fused=True)


def descend(loss: Tensor, optimizer: Optimizer, parameters: list[Tensor]) -> None:
    """One step of `optimizer` on `loss`; only the gradients of `parameters` are computed."""
    for parameter in parameters:
        parameter.grad = None
    torch.autograd.backward(loss, inputs=parameters)
    optimizer.step()
