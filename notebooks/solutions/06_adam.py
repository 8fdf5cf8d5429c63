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

import numpy as np

import seem_lab as sl
from seem_lab import checks

# %% [markdown]
# ## Exercise 1: Adam by hand, on one parameter (3 minutes, easy)
#
# One parameter receives the gradients $g_1, g_2, \dots$ (a list of numbers). Return the list of its moves: by how much
# does Adam change it in each step? Leave the $10^{-8}$ out. Before you run the check, do the first step on paper: what
# is it for $g_1 = 1$, and what for $g_1 = 1000$?
#
# <details><summary>Hint</summary>
#
# Start with $m = v = 0$ and go through the lines of section 2 once for each gradient. The first step is $t = 1$. The
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
# ## Exercise 2: in what order does everything grow? (4 minutes, middle)
#
# A series has the *order* $a$ if it grows like $t^a$. Suppose that $\lVert\theta\rVert$ has the order $a$ (`order`), that
# all parameters keep their proportions, and that the rewards are zero. The network has $L$ layers (`depth`). Return four
# orders: of $Q$, of the gradient $g$ of the loss, of SEEM, and of the leading eigenvalue of $A_{\text{Adam}}$ (section 5; take
# $\sqrt{\hat v}$ as large as $g$).
#
# <details><summary>Hint</summary>
#
# In powers of $\lVert\theta\rVert$: $Q$ has $L$ factors. $\phi = \partial Q / \partial\theta$ has one factor less. The
# gradient of the loss is a sum of $u \cdot \phi$, and $u$ grows like $Q$. SEEM is an eigenvalue of a matrix of products
# $\phi(x) \cdot \phi(y)$. $A_{\text{Adam}}$ has the same products, each divided by the size of $g$. Then: what is
# $(t^a)^k$?
#
# </details>


# %%
def growth_orders(order: float, depth: int) -> tuple[float, float, float, float]:
    """The orders of Q, the gradient of the loss, SEEM, and the leading eigenvalue of A_Adam."""
    # <solution>
    return order * depth, order * (2 * depth - 1), order * (2 * depth - 2), -order
    # </solution>


checks.check_growth_orders(growth_orders)

# %% [markdown] tags=["solution"]
# With the simple law, $a = 1$: $Q \sim t^L$, $g \sim t^{2L-1}$, SEEM $\sim t^{2L-2}$. Measured with $\beta_2 = 0.999$ the
# order of $\lVert\theta\rVert$ is below 1, and with it all the others. The last one is
# $(2L-2) - (2L-1) = -1$ times $a$, whatever the depth: Adam's rate falls like $1/t$ for $a = 1$.

# %% [markdown]
# ## Exercise 3: the ratio $\zeta$ for a gradient that grows like $t^q$ (5 minutes, middle)
#
# The gradient of a parameter is $g = t^q$. It is long before step $1/(1-\beta_2)$, so $\hat v$ is the plain average of all
# $g^2$ so far. It is long after step $1/(1-\beta_1)$, so $\hat m$ is about the gradient of today. Derive
# $\zeta = \hat m / \sqrt{\hat v}$ and return it. Then put in $q = 2L - 1$ and compare with the lesson.
#
# <details><summary>Hint</summary>
#
# The plain average of $g^2$ up to $t$ is $\frac1t \int_0^t k^{2q}\, dk$. The lesson does it for $q = 1$.
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
# $\hat v = \frac1t \cdot \frac{t^{2q+1}}{2q+1} = \frac{t^{2q}}{2q+1}$, so $\zeta = t^q / \sqrt{\hat v} = \sqrt{2q+1}$. The
# time has dropped out: as long as nothing is forgotten, the ratio is constant, and the parameter does move linearly. With
# $q = 2L-1$ it is $\sqrt{4L-1}$.

# %% [markdown]
# ## Exercise 4: which power, and how sure are you? (8 minutes, middle)
#
# You have the steps and the largest $|Q|$ of a run (two arrays of one length), and some candidates for the power of its
# growth, `roots`. Return the candidate $k$ for which $|Q|^{1/k}$ is straightest, that is, has the largest $R^2$
# (`sl.fit_line`).
#
# <details><summary>Hint</summary>
#
# `sl.fit_line(step, values).r_squared` is the $R^2$ of one candidate's root. `max(roots, key=...)` picks among them.
#
# </details>


# %%
def straighter_root(step: np.ndarray, q: np.ndarray, roots: tuple[int, ...]) -> int:
    """The k among the roots for which q^(1/k) lies best on a straight line."""
    # <solution>
    return max(roots, key=lambda k: sl.fit_line(step, q ** (1 / k)).r_squared)
    # </solution>


checks.check_straighter_root(straighter_root)

# %% [markdown]
# Now use it. The stored runs with $L = 3$ should grow like $t^3$. Someone asks you whether it is $t^2$ or $t^3$. Let each of
# the 24 seeds vote, on the first 3000 steps and on all 4000. Before you run the cell: what would you answer if all 24
# agree?

# %%
runs = sl.stored_adam_runs(depth=3)
for until in (3000, 4000):
    climbs = list(runs.climbs(until))
    votes = [straighter_root(step, q, (2, 3)) for step, _, q in climbs]
    both = {k: np.median([sl.fit_line(step, q ** (1 / k)).r_squared for step, _, q in climbs]) for k in (2, 3)}
    print(f"to step {until}: {votes.count(3)} of {len(votes)} seeds for t^3;", end=" ")
    print(f"R^2 {both[2]:.4f} for t^2, {both[3]:.4f} for t^3")

# %% [markdown] tags=["solution"]
# All 24 seeds say $t^3$, and with a thousand steps more all 24 say $t^2$. Both $R^2$ are above 0.99 both times. So one can
# be very sure which of the two fits *these steps* better, and still know nothing about the law. Twenty-four seeds that
# agree are evidence against chance. They all share the same $\beta_2$, the same length and so the same bend: more seeds do
# not help against that. A longer run, or another $\beta_2$, does.
