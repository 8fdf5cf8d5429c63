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
# # Exercises 03: the tangent kernel
#
# They belong to the lesson [03 The tangent kernel](../03_tangent_kernel.ipynb). Put your own lines in place of the
# dots, run the cell, then run the check below it. The check says "Right." or what is off. Solutions are in the folder
# `solutions/`.

# %%
import torch
from torch import Tensor, nn

import seem_lab as sl
from seem_lab import checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1: one entry of the kernel (5 minutes, easy)
#
# Compute $G(y, x) = \phi(y) \cdot \phi(x)$ with `torch.autograd.grad`, for one input `read` ($y$) and one input
# `updated` ($x$), both of shape $(d,)$. Do not use `sl.ntk`.
#
# <details><summary>Hint</summary>
#
# `network(row[None]).squeeze()` is the value of one input. `torch.autograd.grad(value, list(network.parameters()))`
# gives one tensor for each parameter. Either join them to a long row (`flatten`, `torch.cat`), or multiply parameter
# by parameter and add up.
#
# </details>


# %%
def kernel_entry(network: nn.Module, read: Tensor, updated: Tensor) -> Tensor:
    """G(read, updated), a number."""
    # <solution>
    parameters = list(network.parameters())
    at_read = torch.autograd.grad(network(read[None]).squeeze(), parameters)
    at_updated = torch.autograd.grad(network(updated[None]).squeeze(), parameters)
    return sum((a * b).sum() for a, b in zip(at_read, at_updated, strict=True))
    # </solution>


checks.check_kernel_entry(kernel_entry)

# %% [markdown] tags=["solution"]
# A sum over all parameters, weights and biases alike. Swap `read` and `updated`: nothing changes. A single entry of the
# kernel is symmetric in its two inputs; only a matrix with different inputs on its two sides is not.

# %% [markdown]
# ## Exercise 2: train on one transition only (8 minutes, middle)
#
# One training step on transition $j$ alone is $\theta \leftarrow \theta - \varepsilon\, u_j\, \phi(x_j)$. To first
# order, how far does the value at *every* bootstrap input $x^*_i$ move? Return all $N$ changes. Here you may use
# `sl.ntk`.
#
# <details><summary>Hint</summary>
#
# Section 2 of the lesson: rows of `sl.ntk(network, x1, x2)` are read and move, columns are updated. You need one
# column, times a number. Mind the sign.
#
# </details>


# %%
def bootstrap_moves(network: nn.Module, x: Tensor, x_next: Tensor, u: Tensor, j: int, eps: float) -> Tensor:
    """The change of Q(x_next), shape (N,), when only transition j is trained."""
    # <solution>
    return -eps * u[j] * sl.ntk(network, x_next, x)[:, j]
    # </solution>


checks.check_bootstrap_moves(bootstrap_moves)

# %% [markdown] tags=["solution"]
# `sl.ntk(network, x_next, x[j : j + 1]).squeeze(1)` does the same with less work. Multiply by $-\gamma$ and subtract the
# move of $Q(X)$: that is column $j$ of $\varepsilon A$ times $u_j$. The columns of $A$ are single updates.

# %% [markdown]
# ## Exercise 3: the layerwise formula for a tanh network (15 minutes, hard)
#
# Replace the ReLU by $\tanh$: $z = W_1 x + b_1$, $h = \tanh(z)$, $Q = w_2 \cdot h + b_2$. Write its kernel with products
# of matrices only, no autograd and no loop. Shapes: `w1` $(H, d)$, `b1` $(H,)$, `w2` $(H,)$, `x1` $(M, d)$, `x2`
# $(N, d)$, result $(M, N)$. The value of $b_2$ is not needed. Is its derivative?
#
# <details><summary>Hint</summary>
#
# Only $\delta_1$ differs from the lesson: the slope of the activation at $z$ was $\mathbf{1}[z > 0]$, now it is
# $1 - \tanh(z)^2$. Compute $z$, $h$ and $\delta_1$ for `x1` and for `x2`, then combine them.
#
# </details>


# %%
def tanh_kernel(w1: Tensor, b1: Tensor, w2: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    """G(x1, x2) of a network with one hidden layer of tanh units, shape (M, N)."""
    # <solution>
    h1, h2 = torch.tanh(x1 @ w1.T + b1), torch.tanh(x2 @ w1.T + b1)
    delta1, delta2 = w2 * (1 - h1**2), w2 * (1 - h2**2)
    first = (delta1 @ delta2.T) * (x1 @ x2.T + 1)
    second = h1 @ h2.T + 1
    return first + second
    # </solution>


checks.check_tanh_kernel(tanh_kernel)

# %% [markdown] tags=["solution"]
# The derivative of $Q$ by $b_2$ is 1: it is the $+\,1$ in the second layer. Far from the origin every $|\tanh|$ is close
# to 1 and every slope close to 0. So $h(y) \cdot h(x)$ is bounded by $H$ and the first layer fades: this kernel does *not*
# grow outwards as that of a ReLU network does.
