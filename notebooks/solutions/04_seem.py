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
# # Exercises 04: SEEM
#
# They belong to the lesson [04 SEEM](../04_seem.ipynb). Put your own lines in place of the dots and run the cell. Its last
# line is the check. It says "Right." or what is off. Solutions are in the folder `solutions/`.

# %%
from torch import Tensor

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: the time constant (5 minutes, easy)
#
# In how many steps does the leading error grow by the factor $e$? `seem` is positive, `lr` is the learning rate $\eta$,
# `n` the number of transitions $N$. Write $\varepsilon$ yourself, without the library.
#
# <details><summary>Hint</summary>
#
# Section 1 of the lesson: $\tau = 1 / (\varepsilon\,\text{SEEM})$. The loss is a *mean* of squares, so $\varepsilon$ has
# a 2 and an $N$ in it.
#
# </details>


# %%
def time_constant(seem: float, lr: float, n: int) -> float:
    """Steps in which the leading error grows by the factor e."""
    # <solution>
    return 1 / (2 * lr / n * seem)
    # </solution>


checks.check_time_constant(time_constant)

# %% [markdown] tags=["solution"]
# Forget the $2/N$ and the clock runs 31.5 times too fast on the toy walk, where $N = 63$. SEEM by itself is no time: the
# same SEEM means a shorter time at a larger learning rate.

# %% [markdown]
# ## Exercise 2: AUROC by hand (10 minutes, middle)
#
# You are given two lists: the scores of the runs that diverged, and the scores of those that survived. Take every pair
# of one from each list. Return the share of pairs in which the diverged run has the higher score. A tie counts half.
#
# <details><summary>Hint</summary>
#
# Two loops, one inside the other. Add 1 for a pair that is in the right order, 0.5 for a tie, and divide by the number
# of pairs. Try it on paper first: $[3, 1]$ against $[2, 1]$.
#
# </details>


# %%
def auroc(diverged: list[float], survived: list[float]) -> float:
    """Chance that a diverged run has a higher score than one that survived; a tie counts half."""
    # <solution>
    points = 0.0
    for one in diverged:
        for other in survived:
            points += 1.0 if one > other else 0.5 if one == other else 0.0
    return points / (len(diverged) * len(survived))
    # </solution>


checks.check_auroc(auroc)

# %% [markdown] tags=["solution"]
# $[3, 1]$ against $[2, 1]$: 3 beats both, 1 loses to 2 and ties with 1. So $(2 + 0 + 0.5) / 4 = 0.625$. Only the order
# counts: put a logarithm on all scores, and nothing changes. That is why SEEM and $|Q|$, which have different units, can
# be compared at all.

# %% [markdown]
# ## Exercise 3: misses and false alarms (15 minutes, middle)
#
# You are given a small table, one entry a run, as tensors of shape $(R,)$: `seem`; `step`, at which it was read (not the
# same in all runs); `diverged`, True or False. Training ends at step `end`. Apply the rule of the lesson. Return two
# numbers: the share of the *diverging* runs that the rule misses, and the share of the *surviving* runs it warns of.
#
# <details><summary>Hint</summary>
#
# Warn where $\varepsilon \cdot \text{SEEM} \cdot (\text{end} - \text{step}) > 1$. That gives a tensor of True and False,
# and `~` turns it round. `warned[diverged]` picks the diverging runs; `.double().mean()` is the share of True.
#
# </details>


# %%
def misses_and_false_alarms(
    seem: Tensor, step: Tensor, diverged: Tensor, lr: float, n: int, end: int
) -> tuple[float, float]:
    """Share of the diverging runs without a warning, share of the surviving runs with one."""
    # <solution>
    warned = 2 * lr / n * seem * (end - step) > 1
    missed = (~warned)[diverged].double().mean().item()
    false_alarms = warned[~diverged].double().mean().item()
    return missed, false_alarms
    # </solution>


checks.check_misses_and_false_alarms(misses_and_false_alarms)

# %% [markdown] tags=["solution"]
# Both shares are taken *within* a kind of run, so they do not depend on how many runs of each kind there are. The share
# of warnings that are false does: with few diverging runs, even a good rule is mostly wrong when it warns.
