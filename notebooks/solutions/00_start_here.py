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
# # Exercises 00: start here
#
# They belong to the lesson [00 Start here](../00_start_here.ipynb). Put your own lines in place of the dots
# and run the cell. Its last line checks your answer and says "Right." or what is off. Solutions are in the folder
# `solutions/`.

# %%
import torch
from torch import Tensor

import seem_lab as sl
from seem_lab import checks

torch.set_num_threads(1)

# %% [markdown]
# ## Exercise 1: the TD error (5 minutes, easy)
#
# Write the TD error $u = Q(X) - (r + \gamma Q(X^*))$ of $N$ transitions. All arguments have shape $(N,)$; `discount`
# is $\gamma$ for each transition, and 0 where the episode ended.
#
# <details><summary>Hint</summary>
#
# Tensors of one shape are added, subtracted and multiplied entry by entry. No loop is needed.
#
# </details>


# %%
def td_error(q: Tensor, q_next: Tensor, reward: Tensor, discount: Tensor) -> Tensor:
    """The TD error, shape (N,): value minus target."""
    # <solution>
    return q - (reward + discount * q_next)
    # </solution>


checks.check_td_error(td_error)

# %% [markdown] tags=["solution"]
# The target is `reward + discount * q_next`. Where the episode ended, the discount is 0, and the target is the reward.

# %% [markdown]
# ## Exercise 2: how many seeds blow up? (10 minutes, middle)
#
# Write a function that trains one network for each seed and returns the **share** of the runs that blow up, a number
# between 0 and 1. For seed $k$ use `sl.toy_walk(seed=k, gamma=gamma)` and
# `sl.mlp(4, hidden=(64,), seed=1000 + k)`, learning rate 0.02, 400 steps. The check takes a few seconds.
#
# <details><summary>Hint</summary>
#
# `sl.train(network, walk, lr=..., steps=...)` returns a `History`; its attribute `diverged` is True or False, and
# Python counts True as 1.
#
# </details>


# %%
def diverged_share(gamma: float, seeds: list[int]) -> float:
    """Share of the seeds whose run blows up within 400 steps."""
    # <solution>
    count = 0
    for seed in seeds:
        walk = sl.toy_walk(seed=seed, gamma=gamma)
        network = sl.mlp(4, hidden=(64,), seed=1000 + seed)
        count += sl.train(network, walk, lr=0.02, steps=400).diverged
    return count / len(seeds)
    # </solution>


checks.check_diverged_share(diverged_share)

# %% [markdown] tags=["solution"]
# Try it on more seeds, and at discounts between 0.95 and 0.99: the share falls from nearly all to none. Within this
# band the discount alone does not decide, and the question of the later lessons begins: what does?
