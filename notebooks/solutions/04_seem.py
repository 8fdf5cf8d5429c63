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
# ## Exercise 1: AUROC by hand (6 minutes, easy)
#
# You are given two lists: the scores of the runs that diverged, and the scores of those that survived. Take every pair
# of one from each list. Return the share of pairs in which the diverged run has the higher score. A tie counts half.
#
# <details><summary>Hint</summary>
#
# Try it on paper first: $[3, 1]$ against $[2, 1]$. How many pairs are there, and what does each of them count?
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
# ## Exercise 2: misses and false alarms (9 minutes, middle)
#
# You are given a small table, one entry a run, as tensors of shape $(R,)$: `seem`; `step`, at which it was read (not the
# same in all runs); `diverged`, True or False. Training ends at step `end`. Apply the rule of the lesson. Return two
# numbers: the share of the *diverging* runs that the rule misses, and the share of the *surviving* runs it warns of.
#
# <details><summary>Hint</summary>
#
# The rule is in section 1 of the lesson. It gives a tensor of True and False, and `~` turns it round. `a[b]` picks the
# entries of `a` where `b` is True; `.double().mean()` is the share of True.
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

# %% [markdown]
# ## Exercise 3: is the clock better than a constant? (10 minutes, middle)
#
# The clock of the lesson says `tau` for each of some runs that diverge. `left` are the steps that they really had left. A
# guess is *right* if it is within a factor of two: not more than twice and not less than half, edges included. Somebody
# says: "A clock that is right in 75 % must be good." Make the comparison that decides. Return two shares: of the clock,
# and of a constant, the same guess for all runs. Take a median for it. But of what? `other_left` are the steps that *other*
# runs, of the same kind, had left. A comparison must be fair to both sides, and no guess may know its answer.
#
# <details><summary>Hint</summary>
#
# In the lesson, the constant knew the runs it was judged by. What could one have known before these runs were over?
#
# </details>


# %%
def clock_against_constant(tau: Tensor, left: Tensor, other_left: Tensor) -> tuple[float, float]:
    """Share of runs in which the clock is right within a factor of two, and in which a constant is."""

    # <solution>
    def share(guess: Tensor) -> float:
        return ((left <= 2 * guess) & (guess <= 2 * left)).double().mean().item()

    return share(tau), share(other_left.median())
    # </solution>


checks.check_clock_against_constant(clock_against_constant)

# %% [markdown] tags=["solution"]
# The median of `left` itself would be the best median for these runs, and it would be a guess that has seen the answers.
# Here the leak flatters the baseline. More often it flatters the method one wants to sell: a threshold, a window or a
# width that was chosen on the runs on which it is then shown. Choose on some runs, judge on others.
