"""Q-learning with the tangent kernel frozen: the linear model of a run, greedy next actions chosen anew every step."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from seem_lab.kernels import tangent_features
from seem_lab.networks import q_values
from seem_lab.problems import Problem
from seem_lab.training import step_size


def frozen_kernel_growth(
    network: nn.Module, problem: Problem, *, lr: float, steps: int
) -> Float[np.ndarray, " steps_and_1"]:
    """log ||u|| step by step, if the kernel stayed as it is now while the greedy actions may change.

        u = Q(X) - r - discount max_a Q(s', a),      Q <- Q - eps G(. , X) u,      eps = 2 lr / N

    SEEM is the growth rate for the next actions of this moment. They will change, and with them the matrix; this
    follows them to the end. Its last entry minus its first is a score for "will diverge".

    Source: our own; the linear model of Jacot et al. 2018 with the greedy step of Q-learning in it.

    Args:
        network: any module that `ntk` takes; it is left untouched.
        problem: transitions and K candidate next actions; the kernel is `(N + N K, N)`.
        lr: learning rate of SGD.
        steps: how far to look ahead.

    Returns:
        `(steps + 1,)` natural logarithm of ||u||; infinite from where it overflows.

    Raises:
        ValueError: a rate or count that is not positive, or as `ntk`.

    Example:
        >>> from seem_lab import linear_q, random_features, train
        >>> network, problem = linear_q(20, seed=1), random_features()
        >>> ahead = frozen_kernel_growth(network, problem, lr=0.1, steps=50)
        >>> run = train(network, problem, lr=0.1, steps=50)               # linear, so the model is exact
        >>> bool(np.allclose(ahead, np.log(run.td_error_norm)))
        True
    """
    if not lr > 0 or steps < 1:
        raise ValueError(f"lr and steps must be positive, got {lr} and {steps}")
    n, k, _ = problem.candidates.shape
    inputs = torch.cat([problem.x, problem.candidates.flatten(0, 1)])
    with torch.no_grad():
        q = q_values(network, inputs)
    features = tangent_features(network, inputs)
    move = -step_size(lr, n) * features.kernel(features[:n])
    sizes = []
    for _ in range(steps + 1):
        u = q[:n] - problem.reward - problem.discount * q[n:].view(n, k).amax(1)
        sizes.append(u.norm())
        q = torch.addmv(q, move, u)
    size = torch.stack(sizes)
    return torch.where(size.isfinite(), size, torch.inf).log().numpy()
