# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exercises 02: linear Q-learning
#
# They belong to the lesson [02 Linear Q-learning](../02_linear_q_learning.ipynb). Put your own lines in place of the
# dots, run the cell, then run the check below it. The check says "Right." or what is off. Solutions are in the folder
# `solutions/`.

# %%
import math

import torch
from torch import Tensor

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: the matrix A (5 minutes, easy)
#
# You have the features $\Phi$ of the data (`phi`, shape $(N, P)$), the features $\Phi^*$ of the bootstrap (`phi_next`,
# the same shape), and one discount for each transition (`discount`, shape $(N,)$, zero at a terminal). Return the
# matrix $A = (D\,\Phi^* - \Phi)\,\Phi^\top$ of shape $(N, N)$. $D$ is the diagonal matrix of the discounts.
#
# <details><summary>Hint</summary>
#
# Multiplying by $D$ from the left scales the rows. `discount[:, None]` is a column, and a column times a matrix scales
# its rows.
#
# </details>


# %%
def kernel_view(phi: Tensor, phi_next: Tensor, discount: Tensor) -> Tensor:
    """The (N, N) matrix A of linear Q-learning."""
    # <solution>
    return (discount[:, None] * phi_next - phi) @ phi.T
    # </solution>


checks.check_kernel_view(kernel_view)

# %% [markdown] tags=["solution"]
# Written out, $A = D\,\Phi^*\Phi^\top - \Phi\,\Phi^\top$: how far each target moves, minus how far each value moves.

# %% [markdown]
# ## Exercise 2: rate and date (10 minutes, middle)
#
# A run has reached its fastest mode. The eigenvalue of that mode is `eigenvalue` (a complex number), the step size is
# `eps`, and the largest $|Q|$ is `q_now`. Return two numbers: the growth of $\log |Q|$ in one step (the natural
# logarithm), and the number of whole steps after which $|Q|$ passes `q_limit`. (If the mode turns, average over its
# turns: the angle does not matter here.)
#
# <details><summary>Hint</summary>
#
# One step multiplies the mode by $1 + \varepsilon\lambda$. `abs` of a complex number is its length. Divide the way that
# is left, $\log(q_\text{limit} / q_\text{now})$, by the growth of one step, and round up with `math.ceil`.
#
# </details>


# %%
def rate_and_crash(eigenvalue: complex, eps: float, q_now: float, q_limit: float) -> tuple[float, int]:
    """Growth of log|Q| a step, and the steps left until |Q| passes the limit."""
    # <solution>
    rate = math.log(abs(1 + eps * eigenvalue))
    return rate, math.ceil(math.log(q_limit / q_now) / rate)
    # </solution>


checks.check_rate_and_crash(rate_and_crash)

# %% [markdown] tags=["solution"]
# The rate is not $\varepsilon\,\mathrm{Re}\,\lambda$. That is its limit for small $\varepsilon$. The imaginary part
# adds to the length: $|1 + \varepsilon\lambda|^2 = 1 + 2\varepsilon\,\mathrm{Re}\,\lambda + \varepsilon^2 |\lambda|^2$.

# %% [markdown]
# ## Exercise 3: the threshold by bisection (15 minutes, middle)
#
# For given features, SEEM $= \max \mathrm{Re}\,\lambda$ of the matrix $A$ is negative at a small discount and positive
# at a large one. (In all three cases of the check, it passes zero once between 0 and 1.) Find the discount where it
# passes zero, to five digits. All transitions have the same discount $\gamma$.
#
# <details><summary>Hint</summary>
#
# Start with the interval from 0 to 1. Compute SEEM in its middle with `torch.linalg.eigvals(A).real.max()`. If it is
# positive, the threshold lies in the lower half, otherwise in the upper half. Each halving gains one binary digit.
# About 20 of them make five decimal digits.
#
# </details>


# %%
def threshold_gamma(phi: Tensor, phi_next: Tensor) -> float:
    """The discount at which SEEM passes zero."""
    # <solution>
    low, high = 0.0, 1.0
    for _ in range(20):
        gamma = (low + high) / 2
        A = kernel_view(phi, phi_next, torch.full((len(phi),), gamma, dtype=phi.dtype))
        if torch.linalg.eigvals(A).real.max() > 0:
            high = gamma
        else:
            low = gamma
    return (low + high) / 2
    # </solution>


checks.check_threshold_gamma(threshold_gamma)

# %% [markdown] tags=["solution"]
# The first case of the check is Baird's star. Its threshold is $15/17 \approx 0.882$, as the lesson derives by hand.
#
# All cases have more features than transitions. There $K$ would mislead: it has extra eigenvalues that are zero, and
# rounding puts some of them a little above zero, at every discount.
