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
# ## Exercise 1: the growth exponent (5 minutes, easy)
#
# Multiply all parameters of a ReLU network with $L$ linear layers (`depth`) and no biases by $s$. Then $Q$, and with it
# the TD error $u$, grows like $s^L$. The kernel, and with it SEEM, grows like a product of two derivatives of $Q$. Return
# the exponent $p$ in $\text{SEEM} \propto u^p$.
#
# <details><summary>Hint</summary>
#
# A derivative of $Q$ by a parameter grows like $s^{L-1}$. Express $s$ by $u$: $s \propto u^{1/L}$.
#
# </details>


# %%
def growth_power(depth: int) -> float:
    """p in SEEM ~ u^p for a network with so many linear layers."""
    # <solution>
    return (2 * depth - 2) / depth
    # </solution>


checks.check_growth_power(growth_power)

# %% [markdown] tags=["solution"]
# $\text{SEEM} \propto s^{2(L-1)} \propto \big(u^{1/L}\big)^{2L-2} = u^{(2L-2)/L}$. For $L = 1$ this is 0: the kernel of a
# linear Q does not change, and the growth is exponential (lesson 02).

# %% [markdown]
# ## Exercise 2: the steps left (8 minutes, easy)
#
# SEEM now is `seem`. The network has `depth` linear layers. It is trained by gradient descent with learning rate `lr` on
# the *mean* of $u^2$ over `n` transitions. Return the steps left by the closed form.
#
# <details><summary>Hint</summary>
#
# $T - t = 1/(p\,\varepsilon\,\text{SEEM})$. What is $\varepsilon$ for the mean of $n$ squares?
#
# </details>


# %%
def closed_form(seem: float, lr: float, n: int, depth: int) -> float:
    """Steps left until the continuous flow blows up."""
    # <solution>
    eps = 2 * lr / n
    return 1 / (growth_power(depth) * eps * seem)
    # </solution>


checks.check_closed_form(closed_form)

# %% [markdown] tags=["solution"]
# The 2 comes from the square, $1/n$ from the mean. With the learning rate alone in place of $\varepsilon$, the forecast
# is off by $n/2$, a factor of 31.5 for the toy walk.

# %% [markdown]
# ## Exercise 3: the discrete map (15 minutes, middle)
#
# `s` is $\varepsilon$ SEEM now, and `q_now` is $|Q|$ now. Return three numbers: $|Q|$ after one step of the discrete
# map, $s$ after that step, and the number of steps until $|Q|$ is past `q_limit` (0 if it is already).
#
# <details><summary>Hint</summary>
#
# One step multiplies the parameters by `1 + s / depth`. $|Q|$ grows with the power $L$ of that factor, $s$ with the power
# $2L - 2$. Both use the `s` of before the step. Count in a `while` loop.
#
# </details>


# %%
def discrete_map(s: float, q_now: float, q_limit: float, depth: int) -> tuple[float, float, int]:
    """|Q| and s after one step, and the steps until |Q| is past the limit."""

    # <solution>
    def one_step(q: float, s: float) -> tuple[float, float]:
        factor = 1 + s / depth
        return q * factor**depth, s * factor ** (2 * depth - 2)

    q_next, s_next = one_step(q_now, s)
    steps, q = 0, q_now
    while q <= q_limit:
        q, s = one_step(q, s)
        steps += 1
    return q_next, s_next, steps
    # </solution>


checks.check_discrete_map(discrete_map)

# %% [markdown] tags=["solution"]
# `sl.forecast_crash` does the same with logarithms, so that large numbers do no harm, and gives the fraction of the last
# step as well.
