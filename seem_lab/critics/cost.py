"""What a step of training will cost, measured on one step before the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.flop_counter import FlopCounterMode

from seem_lab.critics.agent import Agent
from seem_lab.critics.methods import agent_for
from seem_lab.critics.options import PolicyOptions
from seem_lab.critics.replay import Replay
from seem_lab.critics.run import RunOptions
from seem_lab.transitions import Transitions


@dataclass(frozen=True)
class Cost:
    """Of one configuration.

    Args:
        flops: floating-point operations of the matrix products of a step, the mean over a cycle of critic and policy.
        parameters: numbers that are trained.
        bytes_networks: of all networks, targets included, and the gradients.
        bytes_optimizers: of the optimisers' moments.
        bytes_data: of the transitions on the device.
        bytes_step: what one step keeps for its backward pass, at most.
    """

    flops: float
    parameters: int
    bytes_networks: int
    bytes_optimizers: int
    bytes_data: int
    bytes_step: int

    def __str__(self) -> str:
        parts = {
            "networks, targets, gradients": self.bytes_networks,
            "optimisers": self.bytes_optimizers,
            "transitions": self.bytes_data,
            "kept for a backward pass": self.bytes_step,
        }
        rows = [f"  {name:30}{size / 2**20:10.2f} MiB" for name, size in parts.items()]
        rows.append(f"  {'together':30}{sum(parts.values()) / 2**20:10.2f} MiB")
        trained = f"trained parameters: {self.parameters:,}"
        return "\n".join([trained, f"a step: {self.flops / 1e6:,.1f} MFLOP in matrix products", "memory:", *rows])


def cost_of(options: PolicyOptions, data: Transitions, run: RunOptions) -> Cost:
    """Take one cycle of steps on a throw-away agent and count.

    Args:
        options: of the method.
        data: what would be trained on.
        run: seed and device.

    Example:
        >>> from seem_lab.critics.behaviour_cloning import BehaviourCloningOptions
        >>> data = Transitions([[0.0], [1.0]], [[1.0], [1.0]], [0.0, 1.0], [[1.0], [2.0]], [False, True])
        >>> cost = cost_of(BehaviourCloningOptions(hidden=(8,), batch_size=4), data, RunOptions())
        >>> cost.parameters, cost.flops             # 2 x 4 x (8 + 8) forward, then 2 x 4 x (8 + 8 + 8) back
        (25, 320.0)
    """
    agent: Agent[Any] = agent_for(options, data, seed=run.seed, device=run.torch_device())
    replay = Replay.of(data, agent.scaling)
    cycle = getattr(options, "policy_delay", 1)
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    counter, most = FlopCounterMode(display=False), 0
    with counter, torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        for _ in range(cycle):
            kept.clear()
            agent.update(replay.sample(options.batch_size, agent.generator))
            most = max(most, sum(kept.values()))
    networks = [part for part in agent.parts.values() if isinstance(part, nn.Module)]
    optimizers = [part for part in agent.parts.values() if isinstance(part, Optimizer)]
    every = [p for network in networks for p in network.parameters()]
    trained = [p for p in every if p.requires_grad]
    moments = [v for o in optimizers for state in o.state.values() for v in state.values() if isinstance(v, Tensor)]
    own = {p.untyped_storage().data_ptr() for p in every}
    most = max(0, most - sum(size for place, size in kept.items() if place in own))
    return Cost(
        flops=counter.get_total_flops() / cycle,
        parameters=sum(p.numel() for p in trained),
        bytes_networks=sum(p.nbytes for p in every) + sum(p.nbytes for p in trained),
        bytes_optimizers=sum(m.nbytes for m in moments),
        bytes_data=replay.rows.nbytes,
        bytes_step=most,
    )
