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
# # Exercises 08: remedies
#
# They belong to the lesson [08 Remedies](../08_remedies.ipynb). Put your own lines in place of the dots and run the cell.
# Its last line checks your answer: it says "Right." or what is off. Solutions are in the folder `solutions/`.

# %%
import pandas as pd

import seem_lab as sl
from seem_lab import checks

# %% [markdown]
# ## Exercise 1: one step with a target that follows (6 minutes, easy)
#
# A network has one parameter $\theta$, its target network another one, `slow`. The gradient of the loss is given. Do one
# step of SGD with learning rate `lr`. Then let the target follow: it moves by the share `rate` of the way to the network.
# Return both numbers as they are afterwards.
#
# <details><summary>Hint</summary>
#
# The order matters. The target moves towards where the network is *now*. With a rate of 1 both must be equal.
#
# </details>


# %%
def step(theta: float, slow: float, rate: float, lr: float, gradient: float) -> tuple[float, float]:
    """theta and slow after one update."""
    # <solution>
    theta = theta - lr * gradient
    return theta, (1 - rate) * slow + rate * theta
    # </solution>


checks.check_following_target(step)

# %% [markdown] tags=["solution"]
# With rate 1 the target is the network, and the plain run comes back. With a small rate the target is an average over
# about the last $1/\text{rate}$ networks.

# %% [markdown]
# ## Exercise 2: how many steps must a return have? (9 minutes, middle)
#
# The two-state loop of lesson 01: $Q(x) = \theta$, and the next input is `next_feature` times as large,
# $Q(x^*) = c\,\theta$. With n-step returns the bootstrap counts $\gamma^n$, so $A = \gamma^n c - 1$ is a number. (Take it that
# the next feature stays the same however far ahead one looks.) Return the smallest whole $n \ge 1$ for which $A$ is below
# zero.
#
# <details><summary>Hint</summary>
#
# Either take logarithms, and mind the direction of the inequality when you divide by $\ln\gamma < 0$. Or count: start at
# $n = 1$ and go up while the condition fails.
#
# </details>


# %%
def safe_horizon(next_feature: float, gamma: float) -> int:
    """The smallest n for which the loop does not feed itself."""
    # <solution>
    n = 1
    while gamma**n * next_feature >= 1:
        n += 1
    return n
    # </solution>


checks.check_safe_horizon(safe_horizon)

# %% tags=["solution"]
print(f"the neighbour of lesson 01, twice as large, discount 0.99: n = {safe_horizon(2.0, 0.99)}")

# %% [markdown] tags=["solution"]
# At discount 0.99 each step takes off only one per cent, so that many steps are needed. n-step returns work the better the
# smaller the discount already is.

# %% [markdown]
# ## Exercise 3: how often is a rule on SEEM wrong? (10 minutes, middle)
#
# The rule: a remedy whose SEEM at step 100 is above `limit` will crash on more than half of the seeds, and one with a
# smaller SEEM will not. You get three lists of the same length, one entry a remedy: `seem`, `crashes` (how many seeds
# crash) and `runs` (how many seeds there are). Return for how many remedies the rule is wrong. Where SEEM is missing it is
# `nan`; leave these remedies out.
#
# <details><summary>Hint</summary>
#
# There are two ways to be wrong: to expect crashes that do not come, and to miss crashes that do. `math.isnan` finds the
# missing ones.
#
# </details>

# %%
import math


def misjudged(seem: list[float], crashes: list[int], runs: list[int], limit: float) -> int:
    """The number of remedies that the rule gets wrong."""
    # <solution>
    wrong = 0
    for value, crashed, all_runs in zip(seem, crashes, runs, strict=True):
        if not math.isnan(value):
            wrong += (value > limit) != (crashed > all_runs / 2)
    return wrong
    # </solution>


checks.check_misjudged(misjudged)

# %% tags=["solution"]
summary = sl.summarise_remedies(pd.read_csv(sl.problems.DATA / "remedies.csv"))
for side in ("network", "problem"):
    rows = summary[(summary.side == side) & summary.seem_100.notna()]
    columns = rows.seem_100.tolist(), rows.crashes.tolist(), rows.runs.tolist()
    least = min(misjudged(*columns, limit) for limit in [0, *columns[0]])
    print(f"remedies of the {side}: the best limit of all is wrong for {least} of {len(rows)}")

# %% [markdown] tags=["solution"]
# Even a limit chosen with the counts in hand does not sort the remedies of the network. Those of the problem it does sort.
