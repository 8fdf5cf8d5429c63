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
# # Exercises 01: self-excitation
#
# They belong to the lesson [01 Self-excitation](../01_self_excitation.ipynb). Put your own lines in place of the dots
# and run the cell. Its last line checks your answer and says "Right." or what is off. Solutions are in the folder
# `solutions/`.

# %%
from torch import Tensor

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: the factor of one step (5 minutes, easy)
#
# The small loop of the lesson has the value $w$, the target $\gamma c w$, and the step $w \leftarrow w - 2\eta u$. By
# what factor does one step multiply the error $u$?
#
# <details><summary>Hint</summary>
#
# Find $A$ first: how far the target moves when the value moves by 1, minus 1. Then use $\varepsilon = 2\eta$.
#
# </details>


# %%
def loop_factor(c: float, gamma: float, lr: float) -> float:
    """The factor u_new / u of one step."""
    # <solution>
    a = gamma * c - 1
    return 1 + 2 * lr * a
    # </solution>


checks.check_loop_factor(loop_factor)

# %% [markdown] tags=["solution"]
# The factor depends on $w$ nowhere. That is why the growth is exactly geometric in this loop.

# %% [markdown]
# ## Exercise 2: overtaken (5 minutes, easy)
#
# After a push, `value_move` and `target_move` (tensors of shape $(N,)$) say how far each value and each target rose.
# Return the share of transitions whose target rose more than its value, a number between 0 and 1.
#
# <details><summary>Hint</summary>
#
# A comparison of tensors gives True or False for each entry. Turn them into numbers with `.double()`, then take the
# mean.
#
# </details>


# %%
def overtaken(value_move: Tensor, target_move: Tensor) -> Tensor:
    """Share of transitions whose target rose more than the value."""
    # <solution>
    return (target_move > value_move).double().mean()
    # </solution>


checks.check_overtaken(overtaken)

# %% [markdown] tags=["solution"]
# A share above one half does not prove divergence. Lesson 02 says exactly which combination of transitions matters.

# %% [markdown]
# ## Exercise 3: the largest safe learning rate (15 minutes, middle)
#
# The error of the loop does not grow as long as its factor lies between $-1$ and $1$. For given $c$ and $\gamma$, below
# which learning rate is that so? Return 0.0 if no positive learning rate is safe. (The case $\gamma c = 1$ is not asked.)
#
# <details><summary>Hint</summary>
#
# If $A > 0$ the factor is above 1 for every positive learning rate. If $A < 0$ it falls with the learning rate. Where
# does it reach $-1$?
#
# </details>


# %%
def safe_learning_rate(c: float, gamma: float) -> float:
    """The learning rate below which the loop does not grow; 0.0 if there is none."""
    # <solution>
    a = gamma * c - 1
    if a > 0:
        return 0.0
    return -1 / a  # 1 + 2 lr a = -1
    # </solution>


checks.check_safe_learning_rate(safe_learning_rate)

# %% [markdown] tags=["solution"]
# From $1 + 2\eta A = -1$ follows $\eta = -1/A = 1/(1 - \gamma c)$. The two instabilities are cured by different means:
# a smaller learning rate for the long step, a smaller $A$ for self-excitation.
