"""One step of a training algorithm as a linear map: optimiser and target rule over frozen kernels.

The state is a stack of blocks of N coefficients: c (the network), then b (the momentum) if there is one, then d (the
target network) if it differs from the network. One update, with u the TD error:

    u = G c - D G* d                                              `error`
    g = u + (decay / eps) c,   b <- momentum b + (1 - dampening) g,
    c <- c - eps (b, or g + momentum b with Nesterov)             `descend`
    every `period` updates:    d <- (1 - tau) d + tau c           `follow`

This is what `torch.optim.SGD` and a target network do, seen through the kernels. Everything but G and G* acts on each
mode alike, so an update rule is a small thing, and rules combine freely.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from seem_lab.frozen_dynamics import Kernels


@dataclass(frozen=True, eq=False)
class UpdateMap:
    """The linear map of `period` updates and what the target does after them.

    Args:
        kernels: frozen kernels; with Adam's preconditioner, of double Q-learning, of n-step targets, as it may be.
        eps: `2 lr / N`, see `step_size`.
        momentum: beta of the heavy ball; Adam's beta1.
        dampening: b takes in `(1 - dampening) g`; Adam has `dampening = momentum`, PyTorch's SGD 0.
        nesterov: Nesterov's momentum.
        decay: share of the parameters a step takes away, lr times PyTorch's `weight_decay`.
        decoupled: take it from the parameters directly, as AdamW, not through the momentum.
        tau: share of the network that enters the target; 1 copies.
        period: updates between two moves of the target.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> from seem_lab import FrozenKernels
        >>> kernels = FrozenKernels(torch.tensor([[1.0]]), torch.tensor([[1.5]]))
        >>> UpdateMap(kernels, eps=0.5).matrix().item()                   # 1 + eps (1.5 - 1)
        1.25
        >>> UpdateMap(kernels, eps=0.5, tau=0.5).matrix().tolist()
        [[0.5, 0.75], [0.25, 0.875]]
    """

    kernels: Kernels
    eps: float
    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    decay: float = 0.0
    decoupled: bool = False
    tau: float = 1.0
    period: int = 1

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise ValueError(f"eps must be positive, got {self.eps}; it is 2 lr / N")
        if not (0 <= self.momentum < 1 and 0 <= self.dampening < 1 and 0 <= self.decay < 1):
            raise ValueError(
                "momentum, dampening and decay must lie in [0, 1), "
                f"got {self.momentum}, {self.dampening} and {self.decay}"
            )
        if not 0 < self.tau <= 1 or self.period < 1:
            raise ValueError(f"tau must lie in (0, 1] and period be at least 1, got {self.tau} and {self.period}")
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("Nesterov's momentum needs momentum > 0 and no dampening")

    @property
    def has_target(self) -> bool:
        """Whether the target differs from the network."""
        return bool(self.tau < 1 or self.period > 1)

    @property
    def blocks(self) -> int:
        """Blocks of the state: 1 to 3."""
        return 1 + int(self.momentum > 0) + int(self.has_target)

    @property
    def size(self) -> int:
        """Length of the state."""
        return self.blocks * self.kernels.n

    def error(self, state: Tensor) -> Tensor:
        """TD error u of a state `(size,)` or of several `(size, m)`."""
        online, _, target = self._split(state)
        return self.kernels.error(online, target)

    def descend(self, state: Tensor, u: Tensor) -> Tensor:
        """One move of the optimiser for the TD error u."""
        c, b, d = self._split(state)
        shrink = self.decay if self.decoupled else 0.0
        g = u if self.decoupled else u + self.decay / self.eps * c
        if self.momentum > 0:
            b = self.momentum * b + (1 - self.dampening) * g
            g = g + self.momentum * b if self.nesterov else b
        moved = c - shrink * c - self.eps * g
        parts = [moved] + [b] * int(self.momentum > 0) + [d] * self.has_target
        return torch.cat(parts)

    def follow(self, state: Tensor) -> Tensor:
        """The move of the target."""
        if not self.has_target:
            return state
        c, d = state[: self.kernels.n], state[-self.kernels.n :]
        return torch.cat([state[: -self.kernels.n], d + self.tau * (c - d)])

    def __call__(self, state: Tensor) -> Tensor:
        """`period` updates and one move of the target, for a state `(size,)` or several `(size, m)`."""
        for _ in range(self.period):
            state = self.descend(state, self.error(state))
        return self.follow(state)

    def matrix(self) -> Float[Tensor, "size size"]:
        """The map as a matrix."""
        units = torch.eye(self.size, dtype=torch.float64)
        step = self.descend(units, self.error(units))
        return self.follow(torch.linalg.matrix_power(step, self.period))

    def feedback(self, state: Tensor) -> float:
        """Which way the errors of a state push: positive if they push it outwards, negative if they pull it back.

        The sum over a period of `<c, f>` for the force `f = -u - (decay / eps) c`; of a complex state give the real and
        the imaginary part as two columns, which adds up to `Re <c, f>`. For an eigenvector of a map with
        period 1 the force is a multiple kappa of c, whatever the optimiser (it is a filter that acts on each mode
        alike), and the sign is that of Re kappa. Without momentum kappa is (multiplier - 1) / eps.
        """
        total = 0.0
        for _ in range(self.period):
            u = self.error(state)
            c = state[: self.kernels.n]
            force = -u - self.decay / self.eps * c
            total += (c * force).sum().item()
            state = self.descend(state, u)
        return total

    def _split(self, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """c, b, d; what the state lacks is c itself (a target that does not differ) or nobody reads it."""
        parts = state.split(self.kernels.n)
        return parts[0], parts[min(1, len(parts) - 1)], parts[-1] if self.has_target else parts[0]
