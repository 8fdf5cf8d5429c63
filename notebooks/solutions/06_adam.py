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
# # Exercises 06: Adam
#
# They belong to the lesson [06 Adam](../06_adam.ipynb). Put your own lines in place of the dots and run the cell. Its
# last line checks your answer: it says "Right." or what is off. Solutions are in the folder `solutions/`.

# %%
import math

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: Adam by hand, on one parameter (8 minutes, easy)
#
# One parameter receives the gradients $g_1, g_2, \dots$ (a list of numbers). Return the list of its moves: by how much
# does Adam change it in each step? Leave the $10^{-8}$ out. Before you run the check, do the first step on paper: what
# is it for $g_1 = 1$, and what for $g_1 = 1000$?
#
# <details><summary>Hint</summary>
#
# Start with $m = v = 0$ and go through the four lines of section 2 once for each gradient. The first step is $t = 1$. The
# move is what is *added* to the parameter, so mind its sign.
#
# </details>


# %%
def adam_moves(gradients: list[float], lr: float, beta1: float, beta2: float) -> list[float]:
    """The move of the parameter in each step, one a gradient."""
    # <solution>
    m, v, moves = 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        moves.append(-lr * (m / (1 - beta1**t)) / math.sqrt(v / (1 - beta2**t)))
    return moves
    # </solution>


checks.check_adam_moves(adam_moves)

# %% [markdown] tags=["solution"]
# In the first step $\hat m = g_1$ and $\hat v = g_1^2$, so the move is $-\eta\,\operatorname{sign}(g_1)$: the learning
# rate, for $g_1 = 1$ as for $g_1 = 1000$.

# %% [markdown]
# ## Exercise 2: in what order does everything grow? (7 minutes, middle)
#
# A series has the *order* $a$ if it grows like $t^a$. Suppose that $\lVert\theta\rVert$ has the order $a$ (`order`), that
# all parameters keep their proportions, and that the rewards are zero. The network has $L$ layers (`depth`). Return three
# orders: of $Q$, of the gradient $g$ of the loss, and of SEEM.
#
# <details><summary>Hint</summary>
#
# In powers of $\lVert\theta\rVert$: $Q$ has $L$ factors. $\phi = \partial Q / \partial\theta$ has one factor less. The
# gradient of the loss is a sum of $u \cdot \phi$, and $u$ grows like $Q$. SEEM is an eigenvalue of a matrix of products
# $\phi(x) \cdot \phi(x')$. Then: what is $(t^a)^k$?
#
# </details>


# %%
def growth_orders(order: float, depth: int) -> tuple[float, float, float]:
    """The orders of Q, of the gradient of the loss, and of SEEM."""
    # <solution>
    return order * depth, order * (2 * depth - 1), order * (2 * depth - 2)
    # </solution>


checks.check_growth_orders(growth_orders)

# %% [markdown] tags=["solution"]
# With the simple law, $a = 1$: $Q \sim t^L$, $g \sim t^{2L-1}$, SEEM $\sim t^{2L-2}$. Measured with $\beta_2 = 0.999$ the
# order of $\lVert\theta\rVert$ is below 1, and with it all the others. And $A_D$ of section 5: its $D$ is one over the
# size of $g$, so the order is $(2L-2) - (2L-1) = -1$ for $a = 1$. It falls like $1/t$.

# %% [markdown]
# ## Exercise 3: the ratio for a gradient that grows like $t^q$ (15 minutes, middle)
#
# The gradient of a parameter is $g = t^q$. It is long before step $1/(1-\beta_2)$, so $\hat v$ is the plain average of all
# $g^2$ so far. It is long after step $1/(1-\beta_1)$, so $\hat m$ is about the gradient of today. Derive
# $\rho = \hat m / \sqrt{\hat v}$ and return it. Then put in $q = 2L - 1$ and compare with the lesson.
#
# <details><summary>Hint</summary>
#
# The plain average of $g^2$ up to $t$ is $\frac1t \int_0^t s^{2q}\, ds$. The lesson does it for $q = 1$.
#
# </details>


# %%
def start_ratio(q: float) -> float:
    """m / sqrt(v) for a gradient that grows like t^q, long before 1 / (1 - beta2) steps."""
    # <solution>
    return math.sqrt(2 * q + 1)
    # </solution>


checks.check_start_ratio(start_ratio)

# %% [markdown] tags=["solution"]
# $\hat v = \frac1t \cdot \frac{t^{2q+1}}{2q+1} = \frac{t^{2q}}{2q+1}$, so $\rho = t^q / \sqrt{\hat v} = \sqrt{2q+1}$. The
# time has dropped out: as long as nothing is forgotten, the ratio is constant, and the parameter does move linearly. With
# $q = 2L-1$ it is $\sqrt{4L-1}$.
