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
# # Exercises 05: growth and crash
#
# They belong to the lesson [05 Growth and crash](../05_growth_and_crash.ipynb). Put your own lines in place of the dots
# and run the cell. Its last line is the check: it says "Right." or what is off. Solutions are in the folder
# `solutions/`.

# %%
from seem_lab import checks

# %% [markdown]
# ## Exercise 1: the steps left, at any depth (6 minutes, easy)
#
# SEEM now is `seem`. The network has `depth` linear layers. It is trained by gradient descent with learning rate `lr` on
# the *mean* of $u^2$ over `n` transitions. Return the steps left by the closed form.
#
# <details><summary>Hint</summary>
#
# Two questions come first. With which power of $U$ does SEEM grow, if a derivative of $Q$ grows like $s^{L-1}$ and $U$
# like $s^L$? And what is $\varepsilon$ for the mean of $n$ squares?
#
# </details>


# %%
def closed_form(seem: float, lr: float, n: int, depth: int) -> float:
    """Steps left until the continuous flow blows up."""
    # <solution>
    eps = 2 * lr / n
    p = (2 * depth - 2) / depth
    return 1 / (p * eps * seem)
    # </solution>


checks.check_closed_form(closed_form)

# %% [markdown] tags=["solution"]
# $\text{SEEM} \propto s^{2(L-1)} \propto \big(U^{1/L}\big)^{2L-2} = U^{(2L-2)/L}$. The 2 in $\varepsilon$ comes from the
# square, $1/n$ from the mean. With the learning rate alone in place of $\varepsilon$, the forecast is off by $n/2$, a
# factor of 31.5 for the toy walk.

# %% [markdown]
# ## Exercise 2: the discrete map (10 minutes, middle)
#
# `kappa` is $\varepsilon$ SEEM now, and `q_now` is $|Q|$ now. Return three numbers: $|Q|$ after one step of the discrete
# map, $\kappa$ after that step, and the number of steps until $|Q|$ is past `q_limit` (0 if it is already).
#
# <details><summary>Hint</summary>
#
# One step multiplies the *parameters* by a factor. Which powers of this factor do $|Q|$ and $\kappa$ take? Both use the
# $\kappa$ of before the step. Count in a `while` loop.
#
# </details>


# %%
def discrete_map(kappa: float, q_now: float, q_limit: float, depth: int) -> tuple[float, float, int]:
    """|Q| and kappa after one step, and the steps until |Q| is past the limit."""

    # <solution>
    def one_step(q: float, kappa: float) -> tuple[float, float]:
        factor = 1 + kappa / depth
        return q * factor**depth, kappa * factor ** (2 * depth - 2)

    q_next, kappa_next = one_step(q_now, kappa)
    steps, q = 0, q_now
    while q <= q_limit:
        q, kappa = one_step(q, kappa)
        steps += 1
    return q_next, kappa_next, steps
    # </solution>


checks.check_discrete_map(discrete_map)

# %% [markdown] tags=["solution"]
# `sl.forecast_crash` does the same with logarithms, so that large numbers do no harm, and gives the fraction of the last
# step as well.

# %% [markdown]
# ## Exercise 3: how late is the flow? (14 minutes, hard)
#
# In the flow the closed form $1/(p\,\kappa)$ falls by exactly 1 in each step. For two layers the lesson found that in the
# discrete map it changes by $-1 + \tfrac34 \kappa + \dots$, where the dots stand for higher powers of $\kappa$. Find the
# number $c(L)$ in $-1 + c\,\kappa + \dots$ for any number $L \ge 2$ of linear layers. This needs paper. Before you begin,
# guess: is the flow later for deep networks?
#
# <details><summary>Hint</summary>
#
# Write $1/(p\,\kappa_{\text{new}})$ with the map's $\kappa_{\text{new}}$, and use
# $(1 + x)^{-m} = 1 - m x + \tfrac{m(m+1)}{2} x^2 - \dots$
#
# </details>


# %%
def flow_lag(depth: int) -> float:
    """c in: one step of the map changes 1 / (p kappa) by -1 + c kappa + ..."""
    # <solution>
    return (2 * depth - 1) / (2 * depth)
    # </solution>


checks.check_flow_lag(flow_lag)

# %% [markdown] tags=["solution"]
# With $m = 2L - 2$ and $x = \kappa/L$,
#
# $$\frac{1}{p\,\kappa_{\text{new}}} = \frac{1}{p\,\kappa}\Big(1 - \frac{m}{L}\kappa + \frac{m(m+1)}{2L^2}\kappa^2 - \dots
# \Big) .$$
#
# Since $p = m/L$, the second term is $-1$, and the third is $\frac{m+1}{2L}\,\kappa = \frac{2L-1}{2L}\,\kappa$. So $c$ is
# 3/4, 5/6, 7/8 for two, three, four layers. It hardly depends on the depth, and the delays in the table of section 5
# hardly do. Added up over a run, $\sum c\,\kappa$ with $\kappa \approx 1/(p \cdot \text{steps left})$ grows like a
# logarithm of the time left: slowly, as the table shows.
