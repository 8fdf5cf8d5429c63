"""Frozen kernels: how the TD error answers the moves of a network, to first order, with next actions held.

While the tangent features Phi (rows phi(x)) and Phi* (rows phi(x*)) stay as they are, every move of the parameters that
is made of gradients has the form `theta = theta_0 + K Phi^T c` with N coefficients c; K is 1 for SGD and a diagonal
matrix for Adam. If the target network stands at coefficients d, the TD error has moved by

    u(c, d) = G c - D G* d,        G = Phi K Phi^T,   G* = Phi* K Phi^T,   D = diag(discount).

This file makes the pair (G, D G*): for one network, for double Q-learning, or as products alone. (For
n-step targets take the bootstrap of `n_step_returns(problem, n)`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from seem_lab.kernels import ntk
from seem_lab.products import SeemProduct
from seem_lab.stacks import Stack


@dataclass(frozen=True, eq=False)
class FrozenKernels:
    """The two kernels as matrices; kept in float64.

    Args:
        here: `(N, N)` G(X, X).
        there: `(N, N)` diag(discount) G(X*, X).

    Raises:
        ValueError: not square, or of different sizes, or not finite.

    Example:
        >>> kernels = FrozenKernels(torch.tensor([[1.0]]), torch.tensor([[1.5]]))
        >>> kernels.error(torch.tensor([2.0]).double(), torch.tensor([1.0]).double()).item()
        0.5
    """

    here: Float[Tensor, "n n"]
    there: Float[Tensor, "n n"]

    def __post_init__(self) -> None:
        shape = tuple(self.here.shape)
        if len(shape) != 2 or shape[0] != shape[1] or tuple(self.there.shape) != shape:
            raise ValueError(f"two square matrices of one size are needed, got {shape} and {tuple(self.there.shape)}")
        for name in ("here", "there"):
            matrix = getattr(self, name).detach().double().cpu()
            if not torch.isfinite(matrix).all():
                raise ValueError(f"the kernel {name!r} is not finite; go back to the last finite state of the network")
            object.__setattr__(self, name, matrix)

    @property
    def n(self) -> int:
        """The number of coefficients N."""
        return len(self.here)

    def error(self, online: Tensor, target: Tensor) -> Tensor:
        """`u = G online - D G* target`, for `(N,)` or several columns `(N, m)`."""
        return self.here @ online - self.there @ target


class KernelProducts:
    """The same without matrices, by vector-Jacobian and Jacobian-vector products: cost and memory linear in N.

    Args:
        network: any module with one output a row.
        x: `(N, d)` inputs (s, a).
        x_next: `(N, d)` inputs of the bootstrap.
        discount: `(N,)`.
        preconditioner: diagonal of K, one tensor a parameter name, as `adam_preconditioner` gives it; 1 if not given.
        memory: bytes that a chunk of rows may take.

    Example:
        >>> import seem_lab as sl
        >>> q, walk = sl.mlp(4, seed=1000), sl.toy_walk(0)
        >>> KernelProducts(q, *walk.bootstrap(q)).n
        63
    """

    def __init__(
        self,
        network: nn.Module,
        x: Float[Tensor, "n d"],
        x_next: Float[Tensor, "n d"],
        discount: Float[Tensor, " n"],
        *,
        preconditioner: Mapping[str, Tensor] | None = None,
        memory: int = 2**30,
    ) -> None:
        stack = Stack(network)
        stack.check(x, "x")
        stack.check(x_next, "x_next")
        self.n = len(x)
        self._preconditioner = preconditioner
        self._feedback = SeemProduct(stack, x, x_next, discount, memory)  # v -> (D G* - G) v
        self._restore = SeemProduct(stack, x, x_next, torch.zeros_like(discount), memory)  # v -> -G v

    def error(self, online: Tensor, target: Tensor) -> Tensor:
        """`G (online - target) - (D G* - G) target`, one column at a time."""
        if online.ndim > 1:
            columns = [self.error(c, d) for c, d in zip(online.T, target.T, strict=True)]
            return torch.stack(columns, dim=1)
        lag = online - target
        error = -self._product(self._feedback, target)
        return error - self._product(self._restore, lag) if lag.any() else error

    def _product(self, product: SeemProduct, v: Tensor) -> Tensor:
        if self._preconditioner is None or not v.any():
            return product(v).cpu()
        w = {name: part * self._preconditioner[name] for name, part in product.pull(v.to(product.x.device)).items()}
        return product.push({name: part.to(product.x.dtype) for name, part in w.items()}).cpu()


Kernels = FrozenKernels | KernelProducts


def frozen_kernels(
    network: nn.Module,
    x: Float[Tensor, "n d"],
    x_next: Float[Tensor, "n d"],
    discount: Float[Tensor, " n"],
    *,
    preconditioner: Mapping[str, Tensor] | None = None,
    target: nn.Module | None = None,
) -> FrozenKernels:
    """G(X, X) and diag(discount) G(X*, X) of a network as it is now.

    Where a target network lags behind, Phi* are the features of the *target network* at X*: that is where its values
    answer, so give it as `target`.

    Source: arXiv 2310.04411, section 3; with a preconditioner, lesson 06.

    Args:
        network: any module that `ntk` takes.
        x: `(N, d)` inputs (s, a).
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)`, 0 at a terminal.
        preconditioner: diagonal of K, one tensor a parameter name, as `adam_preconditioner` gives it; 1 if not given.
        target: the network that gives the bootstrap's values, of the same shape; `network` itself if not given.

    Returns:
        The pair as matrices, float64.

    Raises:
        TypeError, ValueError: as `ntk`.

    Example:
        >>> import seem_lab as sl
        >>> q, walk = sl.mlp(4, seed=1000), sl.toy_walk(0)
        >>> kernels = frozen_kernels(q, *walk.bootstrap(q))
        >>> torch.allclose(kernels.there - kernels.here, sl.seem_matrix(q, *walk.bootstrap(q)))
        True
    """
    if preconditioner is None and target is None:
        both = ntk(network, torch.cat([x, x_next]), x).double()
    else:
        phi, phi_next = jacobian(network, x), jacobian(target or network, x_next)
        moves = phi
        if preconditioner is not None:
            trained = [name for name, p in network.named_parameters() if p.requires_grad]
            moves = phi * torch.cat([preconditioner[name].flatten() for name in trained])
        both = (torch.cat([phi, phi_next]) @ moves.T).double()
    return FrozenKernels(both[: len(x)], discount.to(both)[:, None] * both[len(x) :])


def adam_preconditioner(network: nn.Module, optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    """`K = 1 / (sqrt(v_hat) + 1e-8)`: what Adam multiplies each parameter's gradient by, second moments frozen.

    The step of Adam is then `lr K m_hat`: SGD with the kernel Phi K Phi^T and a momentum that averages
    (`UpdateMap(momentum=beta1, dampening=beta1)`).

    Source: Cohen et al. 2022, arXiv 2207.14484; lesson 06.

    Args:
        network: the one that the optimizer trains.
        optimizer: after at least one step.

    Returns:
        One tensor a trainable parameter, by its name.

    Raises:
        ValueError: the optimizer has made no step yet.

    Example:
        >>> import seem_lab as sl
        >>> q = sl.linear_q(1, weight=[1.0])
        >>> adam = torch.optim.Adam(q.parameters())
        >>> (4 * q(torch.ones(1, 1, dtype=torch.float64))).sum().backward(); adam.step()
        >>> round(adam_preconditioner(q, adam)["weight"].item(), 6)        # one over the size of the gradient
        0.25
    """
    group = optimizer.param_groups[0]
    found = {}
    for name, p in network.named_parameters():
        if p.requires_grad:
            if "exp_avg_sq" not in optimizer.state[p]:
                raise ValueError("this optimizer has no second moments yet; let it make a step first")
            state = optimizer.state[p]
            size = (state["exp_avg_sq"] / (1 - group["betas"][1] ** float(state["step"]))).sqrt() + group["eps"]
            found[name] = 1 / size
    return found


def double_q(first: FrozenKernels, second: FrozenKernels) -> FrozenKernels:
    """Double Q-learning: two networks, each with the other's value of its own greedy action as target.

    Source: van Hasselt 2010. (Double DQN is no case of it: there the *target network* tells the value, so it is an
    `UpdateMap` with a target, X* chosen by the online network.)

    Args:
        first: kernels of network 1, at the next actions that network 2 chooses.
        second: kernels of network 2, at the next actions that network 1 chooses.

    Returns:
        Kernels of both as one system of 2N coefficients; eps stays `2 lr / N`, both networks learn in every step.

    Example:
        >>> one = FrozenKernels(torch.eye(1), 0.9 * torch.eye(1))
        >>> double_q(one, one).there.round(decimals=3).tolist()
        [[0.0, 0.9], [0.9, 0.0]]
    """
    n = first.n
    there = torch.zeros(2 * n, 2 * n, dtype=torch.float64)
    there[:n, n:], there[n:, :n] = second.there, first.there
    return FrozenKernels(torch.block_diag(first.here, second.here), there)


def clipped_double_q(first: FrozenKernels, second: FrozenKernels, first_is_lower: Bool[Tensor, " n"]) -> FrozenKernels:
    """Clipped double Q-learning: both networks share one target, the lower of the two values.

    Which network is the lower one is held, as the next actions are.

    Source: Fujimoto et al. 2018 (TD3).

    Args:
        first: kernels of network 1.
        second: kernels of network 2, at the same next actions.
        first_is_lower: `(N,)` where network 1 gives the target.

    Returns:
        Kernels of both as one system of 2N coefficients.

    Example:
        >>> one = FrozenKernels(torch.eye(1), 0.9 * torch.eye(1))
        >>> clipped_double_q(one, one, torch.tensor([True])).there.round(decimals=3).tolist()
        [[0.9, 0.0], [0.9, 0.0]]
    """
    lower = first_is_lower[:, None]
    target = torch.cat([first.there * lower, second.there * ~lower], dim=1)
    return FrozenKernels(torch.block_diag(first.here, second.here), torch.cat([target, target]))


def jacobian(network: nn.Module, x: Float[Tensor, "n d"]) -> Float[Tensor, "n p"]:
    """Phi, `(N, P)`: one row dQ(x)/dtheta an input.

    Args:
        network: any module that `torch.func` can differentiate.
        x: `(N, d)` inputs.

    Returns:
        `(N, P)`, the parameters in the order of `network.parameters()`.

    Example:
        >>> import seem_lab as sl
        >>> jacobian(sl.linear_q(2), torch.tensor([[3.0, 4.0]], dtype=torch.float64)).tolist()
        [[3.0, 4.0]]
    """
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    blocks = jacrev(lambda parameters: functional_call(network, parameters, (x,)).reshape(-1))(parameters)
    return torch.cat([block.flatten(1) for block in blocks.values()], dim=1)
