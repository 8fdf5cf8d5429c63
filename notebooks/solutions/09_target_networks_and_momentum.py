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
# # Exercises 09: target networks and momentum
#
# They belong to the lesson [09 Target networks and momentum](../09_target_networks_and_momentum.ipynb). Put your own
# lines in place of the dots and run the cell. Its last line is the check. It says "Right." or what is off. Solutions are
# in the folder `solutions/`.

# %%
import math

import numpy as np
import torch
from torch import Tensor

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: the map of a target network (10 minutes, middle)
#
# `g` is $G$ and `b` is $B = \operatorname{diag}(\gamma)\, G^*$, both $(N, N)$. Return the matrix $M$ of one update of
# $(c, d)$, of shape $(2N, 2N)$: first $c \leftarrow c - \varepsilon\,(G c - B d)$, then
# $d \leftarrow (1 - \tau)\, d + \tau\, c$ with the *new* $c$.
#
# <details><summary>Hint</summary>
#
# The upper row of blocks is what $c$ becomes: $I - \varepsilon G$ and $\varepsilon B$. The lower row is $\tau$ times the
# upper one, plus $(1 - \tau) I$ in the block of $d$. `torch.cat` with `dim=1` puts blocks side by side.
#
# </details>


# %%
def target_map(g: Tensor, b: Tensor, eps: float, tau: float) -> Tensor:
    """The matrix of one update of (c, d)."""
    # <solution>
    one = torch.eye(len(g), dtype=g.dtype)
    upper = torch.cat([one - eps * g, eps * b], dim=1)
    lower = tau * upper + torch.cat([0 * one, (1 - tau) * one], dim=1)
    return torch.cat([upper, lower])
    # </solution>


checks.check_target_map(target_map)

# %% [markdown] tags=["solution"]
# With $\tau = 1$ both rows are equal: $d$ is $c$, and one row alone is $I + \varepsilon (B - G) = I + \varepsilon A$.

# %% [markdown]
# ## Exercise 2: a very slow target (10 minutes, middle)
#
# One mode, so $G$ and $B$ are numbers `g` and `b`. The rate $\tau$ is so small that the network has all the time it needs
# to settle, at $G c = B d$, before the target has moved. By how much does $d$ grow in one update, relative to $d$?
#
# <details><summary>Hint</summary>
#
# Where does $c$ settle? Put that into $d \leftarrow d + \tau\,(c - d)$.
#
# </details>


# %%
def slow_target(g: float, b: float, tau: float) -> float:
    """Growth of d per update, relative to d."""
    # <solution>
    return tau * (b / g - 1)
    # </solution>


checks.check_slow_target(slow_target)

# %% [markdown] tags=["solution"]
# $c = (b/g)\, d$, so $d$ grows by $\tau\,(b/g - 1)$. The learning rate does not appear. This is fitted Q iteration, done
# in steps of size $\tau$.

# %% [markdown]
# ## Exercise 3: momentum and a mode that turns (10 minutes, hard)
#
# A mode has the complex eigenvalue $\lambda$ of $A$ (`eigenvalue`). The heavy ball with momentum $\beta$ multiplies it in
# every update by a root $m$ of $m^2 - (1 + \beta + \varepsilon\lambda)\, m + \beta = 0$, in the end by the one of larger
# modulus. Return its growth per update, as a logarithm.
#
# <details><summary>Hint</summary>
#
# `np.roots([1, p, q])` gives the roots of $m^2 + p\, m + q$. The modulus of a complex number is `abs`.
#
# </details>


# %%
def momentum_growth(eigenvalue: complex, eps: float, beta: float) -> float:
    """Growth per update of one mode under the heavy ball, as a logarithm."""
    # <solution>
    roots = np.roots([1, -(1 + beta + eps * eigenvalue), beta])
    return math.log(abs(roots).max())
    # </solution>


checks.check_momentum_growth(momentum_growth)

# %% [markdown]
# Now use it. The mode $\lambda = -0.5 + 2i$ shrinks at $\varepsilon = 0.1$ without momentum and grows with $\beta = 0.9$. From
# which $\beta$ on does it grow? Return the first $\beta$ of 0, 0.01, ..., 0.99 with a growth above 0. Guess before you run it.
#
# <details><summary>Hint</summary>
#
# `np.arange(100) / 100` are the values to try, and `momentum_growth` is yours from above.
#
# </details>


# %%
def first_growing_momentum(eigenvalue: complex, eps: float) -> float:
    """The smallest momentum of 0, 0.01, ..., 0.99 at which the mode grows."""
    # <solution>
    return next(float(beta) for beta in np.arange(100) / 100 if momentum_growth(eigenvalue, eps, beta) > 0)
    # </solution>


checks.check_growing_momentum(first_growing_momentum)

# %% tags=["solution"]
print("grows from beta", first_growing_momentum(-0.5 + 2.0j, 0.1))

# %% [markdown] tags=["solution"]
# The real part of this $\lambda$ is negative, so plain SGD shrinks the mode. A momentum of 0.28, small by usual standards,
# is enough to make it grow. The ball carries on in the direction of some updates ago, and the mode has turned since.
