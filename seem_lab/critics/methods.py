"""The methods by name: what each is told, and the class that learns."""

from __future__ import annotations

from typing import Any

import torch

from seem_lab.critics.agent import Agent, scaling_of
from seem_lab.critics.behaviour_cloning import BehaviourCloning, BehaviourCloningOptions
from seem_lab.critics.cql import CQL, CQLOptions
from seem_lab.critics.diffusion_ql import DiffusionQL, DiffusionQLOptions
from seem_lab.critics.options import PolicyOptions
from seem_lab.critics.td3 import TD3, TD3Options
from seem_lab.transitions import Transitions

METHODS: dict[str, tuple[type[PolicyOptions], type[Agent[Any]]]] = {
    "td3": (TD3Options, TD3),
    "behaviour-cloning": (BehaviourCloningOptions, BehaviourCloning),
    "cql": (CQLOptions, CQL),
    "diffusion-ql": (DiffusionQLOptions, DiffusionQL),
}


def method_of(options: PolicyOptions) -> str:
    """The name in `METHODS` of the method that these options belong to."""
    return next(name for name, (kind, _) in METHODS.items() if kind is type(options))


def agent_for(
    options: PolicyOptions, data: Transitions, *, seed: int = 0, device: torch.device | str = "cpu"
) -> Agent[Any]:
    """A fresh agent that fits the data and scales states by its mean and deviation, where the options say so.

    Args:
        options: of one of `METHODS`; they say which.
        data: what it will be trained on.
        seed: of networks and generator.
        device: where networks and batches live.

    Example:
        >>> data = Transitions([[0.0], [1.0]], [[1.0], [1.0]], [0.0, 1.0], [[1.0], [2.0]], [False, True])
        >>> agent = agent_for(TD3Options(hidden=(8,)), data)
        >>> agent.act(torch.tensor([[0.5]]), agent.generator).shape
        torch.Size([1, 1])
    """
    _, kind = METHODS[method_of(options)]
    return kind(options, data.action.shape[1], scaling_of(data, options, device), seed)
