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
# # Exercises 07: LayerNorm
#
# They belong to the lesson [07 LayerNorm](../07_layer_norm.ipynb). Put your own lines in place of the dots and run the
# cell. Its last line checks your answer: it says "Right." or what is off. Solutions are in the folder `solutions/`.

# %%
import math

import torch

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: LayerNorm by hand (5 minutes, easy)
#
# Return $\hat z$ for one vector `z` of $n$ numbers, with the small number `eps` of section 2. Gain 1, bias 0. Use only
# means, squares and roots.
#
# <details><summary>Hint</summary>
#
# First the mean $m$, then $S^2$, the mean of $(z_i - m)^2$ plus `eps`, then the division by $S$.
#
# </details>


# %%
def layer_norm(z: torch.Tensor, eps: float) -> torch.Tensor:
    """z_hat, as long as z."""
    # <solution>
    centred = z - z.mean()
    return centred / (centred.square().mean() + eps).sqrt()
    # </solution>


checks.check_layer_norm(layer_norm)

# %% [markdown] tags=["solution"]
# Multiply $z$ by $s$: the numerator and (but for `eps`) $S$ are multiplied by $s$, and it cancels.

# %% [markdown]
# ## Exercise 2: the limit as a multiple (8 minutes, middle)
#
# A *fresh* network has gain 1 and bias 0 in its LayerNorm. Given its output weights `w`, `(n,)`, the smallest singular
# value `sigma` of section 3, and `here` $= G(x_0, x_0)$: how many times $G(x_0, x_0)$ does $|G(y, x_0)|$ stay below,
# for every $y$?
#
# <details><summary>Hint</summary>
#
# Put $g_i = 1$ and $c_i = 0$ into the three limits of section 3 and add them up: that is $B$. What does inequality (2)
# make of $B$ and $G(x_0, x_0)$?
#
# </details>


# %%
def kernel_multiple(w: torch.Tensor, sigma: float, here: float) -> float:
    """The limit of |G(y, x0)| / G(x0, x0)."""
    # <solution>
    n, square = len(w), w.square().sum().item()
    limit = (n + 1) + w.abs().max().item() ** 2 * n + square + square * n / sigma**2
    return math.sqrt(limit / here)
    # </solution>


checks.check_kernel_multiple(kernel_multiple)

# %% [markdown] tags=["solution"]
# In a fresh network $|w|^2$ is about $1/3$, so $n$ is nearly all of $B$. About half of the normalised values are
# positive, so $|h(x_0)|^2$, and with it $G(x_0, x_0)$, is about $n/2$. The multiple is a little above $\sqrt 2$.

# %% [markdown]
# ## Exercise 3: the response from the angle (12 minutes, middle)
#
# With LayerNorm and infinitely many units, $G(y, x)/n \to \big(\sin t + (\pi - t)\cos t\big)/(2\pi)$. Return
# $G(y, x)/G(x, x)$ for two inputs given as lists of numbers.
#
# <details><summary>Hint</summary>
#
# $t$ is the angle between $(y, 1)$ and $(x, 1)$: $\cos t = (y \cdot x + 1)/\sqrt{(y \cdot y + 1)(x \cdot x + 1)}$. What
# is the formula at $t = 0$? Rounding may give a cosine a bit above 1.
#
# </details>


# %%
def wide_response(y: list[float], x: list[float]) -> float:
    """G(y, x) / G(x, x) in the limit."""

    # <solution>
    def inner(a: list[float], b: list[float]) -> float:
        return sum(p * q for p, q in zip(a, b, strict=True)) + 1

    t = math.acos(min(1.0, inner(y, x) / math.sqrt(inner(y, y) * inner(x, x))))
    return (math.sin(t) + (math.pi - t) * math.cos(t)) / math.pi
    # </solution>


checks.check_wide_response(wide_response)

# %% [markdown] tags=["solution"]
# The slope of the formula is $-(\pi - t)\sin t/\pi$: never positive. So it falls from 1 at $t = 0$ to 0 at $t = \pi$,
# and an input that is infinitely far away in some direction still responds, by an amount that the direction decides.
