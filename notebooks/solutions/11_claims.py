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
# # Exercises 11: claims
#
# They belong to the lesson [11 Claims](../11_claims.ipynb). Put your own lines in place of the dots and run the cell. Its
# last line is the check. It says "Right." or what is off. Solutions are in the folder `solutions/`.

# %%
from scipy.stats import binom

from seem_lab import checks

# %% [markdown]
# ## Exercise 1: yes, no or open (6 minutes, easy)
#
# A finding has an interval from `low` to `high`. The claim says that the number lies between `least` and `most`. Return the
# finding's answer, `"yes"`, `"no"` or `"open"`.
#
# <details><summary>Hint</summary>
#
# Draw both as pieces of a line. When is the one inside the other? When do they not touch? All the rest is open.
#
# </details>


# %%
def outcome(low: float, high: float, least: float, most: float) -> str:
    """What a finding says."""
    # <solution>
    if least <= low and high <= most:
        return "yes"
    if high < least or most < low:
        return "no"
    return "open"
    # </solution>


checks.check_outcome(outcome)

# %% [markdown] tags=["solution"]
# The last case of the check is an interval so wide that the whole claimed range lies inside it. That, too, is open.

# %% [markdown]
# ## Exercise 2: the verdict (9 minutes, middle)
#
# You get the answers of a claim's findings, `outcomes`, and for each of them whether it belongs to the `core`. Return the
# verdict of section 1 of the lesson, as it is written in the table there.
#
# <details><summary>Hint</summary>
#
# Go through the table from the bottom: is there any finding at all? Does anything in the core not say yes? Does anything at
# all not say yes?
#
# </details>


# %%
def verdict(outcomes: list[str], core: list[bool]) -> str:
    """The verdict of a claim."""
    # <solution>
    if not outcomes:
        return "not tested here"
    if any(one != "yes" for one, own in zip(outcomes, core, strict=True) if own):
        return "not seen here"
    return "holds" if all(one == "yes" for one in outcomes) else "holds with limits"
    # </solution>


checks.check_verdict(verdict)

# %% [markdown] tags=["solution"]
# An open finding in the core gives "not seen here", not "holds". Whoever claims something has to show it.

# %% [markdown]
# ## Exercise 3: an interval for a median (15 minutes, hard)
#
# A median has an interval that assumes nothing of how the numbers are distributed. Each of the `n` numbers lies below the true
# median with probability one half, like a coin. So the number of those below it is a binomial count. Sort the numbers. Let $j$ be
# the largest whole number for which $P(\text{Bin}(n, \tfrac12) < j)$ is at most 2.5 %. Then the $j$-th smallest and the $j$-th
# largest number are the ends of a 95 % interval. Why? Then return the two.
#
# <details><summary>Hint</summary>
#
# The true median is below the $j$-th smallest number if fewer than $j$ numbers lie below it. `binom.cdf(k, n, 0.5)` is the
# chance of at most $k$. Try $n = 10$ by hand: $P(\text{Bin} < 2) = 11/1024$ and $P(\text{Bin} < 3) = 56/1024$.
#
# </details>


# %%
def median_interval(values: list[float]) -> tuple[float, float]:
    """The 95 % interval of the median."""
    # <solution>
    ordered, n = sorted(values), len(values)
    j = 1
    while binom.cdf(j, n, 0.5) <= 0.025:  # the chance of fewer than j + 1
        j += 1
    return ordered[j - 1], ordered[n - j]
    # </solution>


checks.check_median_interval(median_interval)

# %% [markdown] tags=["solution"]
# With 10 numbers $j = 2$: the second smallest and the second largest, so in truth it covers 97.9 %. With 24 numbers $j = 7$.
# The interval narrows like $1/\sqrt n$. The range in which nine of ten *runs* lie does not: that is another thing, and the
# ledger shows both.
