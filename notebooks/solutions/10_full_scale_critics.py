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
# # Exercises 10: full-scale critics
#
# They belong to the lesson [10 Full-scale critics](../10_full_scale_critics.ipynb). Put your own lines in place of the dots
# and run the cell. Its last line checks your answer: it says "Right." or what is off. Solutions are in the folder
# `solutions/`.

# %%
import math

from torch import Tensor

from seem_lab import checks, evidence

# %% [markdown]
# ## Exercise 1: how large can a value be? (7 minutes, easy)
#
# In the maze there is one reward, at the goal, and it ends the episode. Someone stands `steps` steps away from it (1: the
# next step brings it) and goes there straight. What is the value of the place, with discount $\gamma$ and the reward
# `reward`?
#
# <details><summary>Hint</summary>
#
# The reward of the next step is not discounted. That of the step after it counts $\gamma$ times.
#
# </details>


# %%
def value_of_a_path(steps: int, gamma: float, reward: float) -> float:
    """The value `steps` steps before the reward that ends the episode."""
    # <solution>
    return gamma ** (steps - 1) * reward
    # </solution>


checks.check_value_of_a_path(value_of_a_path)

# %% [markdown]
# The lesson calls a run diverged when $|Q|$ passes $Q_{\lim} = \max|r| / (1 - \gamma)$. Compare the two for the maze
# (reward 10, $\gamma = 0.99$). Is $Q_{\lim}$ a strict limit there?

# %% tags=["solution"]
print(f"largest possible value {value_of_a_path(1, 0.99, 10.0):.0f}, Qlim {10 / (1 - 0.99):.0f}")

# %% [markdown] tags=["solution"]
# It is a hundred times too generous. $Q_{\lim}$ allows for the largest reward in every step, for ever. Where the reward ends
# the episode, a critic can be absurd and still stay below it. So a run below $Q_{\lim}$ is not thereby healthy.

# %% [markdown]
# ## Exercise 2: what a behaviour term does to a value that explodes (10 minutes, middle)
#
# The policy of TD3+BC descends
#
# $$L_\pi = w\;\mathrm{mean}\,(\pi(s) - a)^2 - 2.5\,\frac{\mathrm{mean}\,Q}{\mathrm{mean}\,|Q|} .$$
#
# Here `q` holds $Q(s, \pi(s))$ for a batch, `action` the policy's actions, `recorded` those of the data (both one row a
# state), `weight` is $w$. Return the loss.
#
# <details><summary>Hint</summary>
#
# `tensor.mean()` without arguments is the mean over all entries.
#
# </details>


# %%
def behaviour_loss(q: Tensor, action: Tensor, recorded: Tensor, weight: float) -> Tensor:
    """The loss of the policy of TD3+BC."""
    # <solution>
    return weight * (action - recorded).square().mean() - 2.5 * q.mean() / q.abs().mean()
    # </solution>


checks.check_behaviour_loss(behaviour_loss)

# %% [markdown] tags=["solution"]
# The size of $Q$ drops out. So a critic that is a thousand times too large, but orders the actions rightly, would do no harm
# to this policy. What does harm is that a critic which feeds itself loses the order: it is largest where it is fed most.

# %% [markdown]
# ## Exercise 3: set an alarm on some runs, judge it on others (12 minutes, hard)
#
# A run has a score (say its largest SEEM / P before the crossing, or in the whole run if there is none). The alarm is given
# if the score reaches a threshold. Return the *largest* threshold, out of the scores themselves, that still catches at
# least the share `caught` of the runs that diverge.
#
# <details><summary>Hint</summary>
#
# Sort the scores of the runs that diverge, largest first. How many of them have to be caught at least? `math.ceil`.
#
# </details>


# %%
def threshold(scores: list[float], diverged: list[bool], caught: float) -> float:
    """The largest threshold that catches at least this share of the runs that diverge."""
    # <solution>
    positive = sorted((s for s, d in zip(scores, diverged, strict=True) if d), reverse=True)
    return positive[math.ceil(caught * len(positive)) - 1]
    # </solution>


checks.check_threshold(threshold)

# %% [markdown]
# Now use it on the stored runs of Hopper, HalfCheetah and Pendulum: set it on the runs of even seed, for nine of ten, and
# count on those of odd seed.

# %%
runs, readings = evidence.stored_runs()
control = runs[runs.part.isin(["crossing", "rates"])]
scores = {}
for i, run in control.iterrows():
    trace = readings[readings.run == i]
    before = trace[~(trace.step >= run.crossed_at)]  # all of them, if it never crosses
    scores[i] = before.seem_per_parameter.max()
control = control.assign(score=scores, diverged=control.crossed_at.notna(), even=control.seed % 2 == 0)
# <solution>
design, judge = control[control.even], control[~control.even]
limit = threshold(list(design.score), list(design.diverged), 0.9)
for name, group in (("even seeds", design), ("odd seeds", judge)):
    alarm = group.score >= limit
    hits, others = group.diverged, ~group.diverged
    print(f"{name}: caught {evidence.share(int(alarm[hits].sum()), int(hits.sum()))},", end=" ")
    print(f"false alarms {evidence.share(int(alarm[others].sum()), int(others.sum()))}")
# </solution>
