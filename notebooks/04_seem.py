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
# # 04 SEEM
#
# **Question.** Can one eigenvalue tell early that training will diverge?
#
# **Time.** about 60 minutes to read and run; the exercises take 30 minutes more
#
# **Before this.** Lessons 00 to 03. You have met the matrix $A = \gamma\, G(X^*, X) - G(X, X)$, the step
# $u_{\text{new}} = (I + \varepsilon A)\,u$, and the largest real part among the eigenvalues of $A$.
#
# **You will be able to**
# 1. turn that eigenvalue into a number of steps, and use it as an early warning;
# 2. say how well such a warning tells, against simpler ones and with its uncertainty;
# 3. spot a score that looks good because something else does its work.
#
# **In the paper.** Section 3 of arXiv 2310.04411: SEEM above zero announces divergence. The rule with the steps
# left, and sections 4 to 9, are ours.

# %% [markdown]
# ## Set-up

# %%
import numpy as np
import pandas as pd
import torch

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 2000  # first seed of the runs that are trained here and nowhere else
GAMMA, LR, END = 0.965, 0.02, 1500  # discount, learning rate, the step at which training ends
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

# %% [markdown]
# Most of this lesson reads a stored table: 200 runs of the toy walk at discount 0.965, and 260 with other discounts. It
# was made by `python data/make_forecast_runs.py early_warning`. Each run has a walk and a network of its own. A run
# **diverges** if $|Q|$ passes a million within 1500 steps. Otherwise it **survives**.

# %%
table = pd.read_csv("../data/early_warning.csv")
fixed, mixed = table[table.sweep == "fixed"], table[table.sweep == "mixed"]
print(f"discount {GAMMA}: {fixed.diverged.sum()} of {len(fixed)} runs diverge")
print(
    f"half of these are over before step {fixed.crash_step.median():.0f}; the first ends at {fixed.crash_step.min():.0f}"
)

# %% [markdown]
# ## The idea
#
# At discount 0.965 it is nearly a coin toss whether a run survives. So this is where a warning is worth something. We
# want it early: while $|Q|$ is still small, and something can still be done.
#
# Lesson 02 had a clock that starts before anything is to be seen. The leading eigenvalue of $A$ says how fast the error
# *can* grow, in its worst direction. For fixed features that was the whole story. A network's $A$ changes while it
# trains. So we read the eigenvalue **along the run**, and ask how much it tells.
#
# Its name, once more: **SEEM**, the *self-excite eigenvalue measure*, is the largest real part among the eigenvalues of
# $A$.

# %% [markdown]
# ## 1 From the matrix to a clock
#
# Take one run, stop it at step 100, and look at its matrix. Which run? One that is neither extreme nor chosen by eye:
# among the runs that will diverge, the one whose SEEM at step 100 is closest to their median. And likewise one among the
# runs that will survive.


# %%
def typical(runs, column):
    """The seed of the run whose value is closest to the median."""
    return int(runs.seed.iloc[(runs[column] - runs[column].median()).abs().argmin()])


dies = typical(fixed[fixed.diverged], "seem_at_100")
lives = typical(fixed[~fixed.diverged], "seem_at_100")
print(f"the typical run that will diverge: seed {dies}; that will survive: seed {lives}")


def start(seed, gamma=GAMMA):
    """A fresh network and its walk."""
    return sl.mlp(4, hidden=(64,), seed=1000 + seed), sl.toy_walk(seed=seed, gamma=gamma)


network, walk = start(dies)
sl.train(network, walk, lr=LR, steps=100, progress=False)
A = sl.seem_matrix(network, *walk.bootstrap(network))  # (63, 63)
seem = torch.linalg.eigvals(A).real.max().item()
print(f"A has shape {tuple(A.shape)}; SEEM = {seem:.2f}")

# %% [markdown]
# An error in the leading direction is multiplied by $1 + \varepsilon\,\text{SEEM}$ in each step, with
# $\varepsilon = 2\eta/N$ (`sl.step_size`). Many small factors make an exponential, so it grows by the factor
# $e \approx 2.7$ in
#
# $$\tau = \frac{1}{\varepsilon\,\text{SEEM}} \quad\text{steps.}$$
#
# $\tau$ (tau) is the **time constant**. It is the clock we were looking for. Compare it with the steps that are left:
#
# $$\frac{\text{steps left}}{\tau} = \varepsilon \cdot \text{SEEM} \cdot \text{steps left}.$$
#
# **The rule.** If this number is above 1, warn. (`sl.early_warning` is the rule, `sl.time_constants` the number.)
#
# Why 1? A factor $e$ is no catastrophe. But $A$ does not stay as it is. When $|Q|$ grows, the parameters grow, and the
# kernel grows with them. So the growth speeds up. Lesson 05 shows where this leads for a network like ours, with two
# layers: once the error lies in the leading direction, it *blows up* after about $\tau$ steps in all. That is a reason
# to try the threshold 1. Whether it is a good one must be measured.

# %%
eps = sl.step_size(LR, walk.n)
tau, left = 1 / (eps * seem), END - 100
print(f"eps = {eps:.6f} a step;  tau = {tau:.0f} steps;  {left} steps are left:  {left / tau:.2f} time constants")
print("the rule warns:", bool(sl.early_warning(seem, lr=LR, n=walk.n, steps_left=left)))

# %% [markdown]
# ## 2 SEEM along a run
#
# Both typical runs, from start to end. `seem_every=10` makes `sl.train` compute SEEM every ten steps.

# %%
runs = {}
for name, seed in {"will diverge": dies, "will survive": lives}.items():
    network, walk = start(seed)
    runs[f"{name} (seed {seed})"] = sl.train(network, walk, lr=LR, steps=END, seem_every=10, progress=False)
for name, run in runs.items():
    print(f"{name}: {run.verdict}")
plotting.seem_along_runs(runs, steps=END, until=100)

# %% [markdown]
# On the left, both $|Q|$ rise, and by step 100 neither looks dangerous. On the right, after the first steps, the run that
# will diverge lies well above the other one. (The other one falls at the end, because no steps are left there.) But
# look at how *rough* the curves are. The run that will diverge passes 1 very early, falls below it again for hundreds
# of steps, and comes back. A reading at one step is a noisy thing.
#
# Where do the jumps come from? When a greedy action changes, a row of $X^*$ changes, and with it a row of $A$, at once.
# Compare the readings with what happened in the ten steps between them:


# %%
def jumps(run):
    """How far SEEM moved between two readings, as a factor, and whether a greedy action changed between them."""
    at = np.flatnonzero(np.isfinite(run.seem) & (run.seem > 0))
    factor = np.exp(np.abs(np.diff(np.log(run.seem[at]))))
    switched = np.array([run.switches[a + 1 : b + 1].sum() > 0 for a, b in zip(at[:-1], at[1:], strict=True)])
    return factor, switched


factor, switched = (np.concatenate(both) for both in zip(*(jumps(run) for run in runs.values()), strict=True))
for name, rows in {"some greedy action changed": switched, "none changed": ~switched}.items():
    half, most = np.quantile(factor[rows], [0.5, 0.9])
    print(
        f"{name:<27} {rows.sum():>3} times; SEEM moved by a factor of {half:.2f} (median), {most:.2f} (90th percentile)"
    )

# %% [markdown]
# Where no action changed, SEEM hardly moved. Where some did, one reading in ten jumped by more than a factor of three.
# Keep this in mind for section 9.

# %% [markdown]
# ## 3 Why the sign does not tell
#
# In lesson 02 the sign decided: SEEM above zero, and it blows up. Here are all 200 runs.

# %%
at_steps = (0, 100, 500)
thresholds = {step: 1 / (eps * (END - step)) for step in at_steps}  # the rule, solved for SEEM
for ends, group in fixed.groupby("diverged"):
    shares = [f"{(group[f'seem_at_{step}'].dropna() > 0).mean():.0%} at step {step}" for step in at_steps]
    print(f"{'will diverge' if ends else 'will survive'}: SEEM > 0 in {', '.join(shares)}")
plotting.seem_by_outcome(
    {step: fixed[f"seem_at_{step}"].to_numpy() for step in at_steps}, fixed.diverged.to_numpy(), thresholds
)

# %% [markdown]
# SEEM is above zero in nearly every run, also in those that survive. The reason was met in lesson 03: the kernel is
# nearly singular. Inputs that respond alike make rows of $A$ alike, and most eigenvalues of $A$ are tiny. Among many
# tiny numbers the largest real part is rarely below zero. So the sign carries next to no information here.
#
# The *size* does. At step 0 the two groups hardly differ. At step 500 they have drawn apart, and the dashed line (the
# rule) lies between them. It does not separate them cleanly at any step.

# %% [markdown]
# ## 4 What the mode looks like
#
# An eigenvalue comes with two vectors. We call the leading ones $v$ and $w$:
#
# - the **right eigenvector** $v$, with $A v = \lambda v$: the pattern of errors that grows. Entry $v_i$ says how much of
#   the growing pattern shows in transition $i$;
# - the **left eigenvector** $w$, with $w^\top A = \lambda w^\top$. Entry $w_j$ says how much an error at transition $j$
#   *sets off* of that pattern.
#
# So $w$ tells who excites, and $v$ tells who is excited. Do not take this on trust. Put an error of 1 into one transition
# alone, let the step $u_{\text{new}} = (I + \varepsilon A)\,u$ with this fixed $A$ act 10,000 times, and see how long
# the result is. The matrix power does it for all 63 transitions at once: column $j$ belongs to transition $j$.


# %%
def leading_vectors(A):
    """Left and right eigenvector of the leading eigenvalue (their real parts)."""
    return sl.leading_mode(A.T.contiguous()).mode.real, sl.leading_mode(A).mode.real


modes = {}
network, walk = start(dies)
for step in (100, 500):
    sl.train(network, walk, lr=LR, steps=step if step == 100 else 400, progress=False)
    A = sl.seem_matrix(network, *walk.bootstrap(network))
    w, v = leading_vectors(A)
    modes[f"step {step}"] = (w.numpy(), v.numpy())
    after = torch.linalg.matrix_power(torch.eye(walk.n, dtype=A.dtype) + eps * A, 10_000).norm(dim=0)
    proportional = torch.allclose(after / after.max(), w.abs() / w.abs().max(), atol=0.01)
    print(f"step {step}: length after 10,000 steps is proportional to |w|, to 1 %: {proportional}")
plotting.mode_over_walk(walk, modes)

# %% [markdown]
# Read the upper row first: step 100. On the right, the two ends of the walk have opposite signs. The growing pattern is
# a *tilt*: one end is too high while the other is too low. On the left, the largest marks are at the right end, the one
# farther from the origin. Errors there drive the tilt most. (Lesson 03: the response of a ReLU network grows away from
# the origin.)
#
# In the lower row, step 500, most of the growing pattern has a single sign. Now the errors grow *together*, and still
# the far end drives. This is the loop of lesson 01, with a whole region in place of one transition.
#
# This is one run. The panel shows the mode $v$ of any other.

# %% [markdown]
# ## Predict
#
# Back to all 200 runs. Somebody draws one run that will diverge and one that will survive, at random, and shows you
# their SEEM at step 100, without the names. You say: the larger one will diverge. How often are you right?
#
# - **A.** About half of the time.
# - **B.** About three times in four.
# - **C.** Nearly always.
#
# And at step 500, drawing from those that are still running? Write both answers down before you go on.
#
# <details><summary>Answer, after you have written yours down</summary>
#
# At step 100, B. At step 500 it is above nine times in ten: between B and C. The numbers are in section 5. From the
# figure of section 3 you could have guessed: the groups overlap much at step 100, and less at step 500.
#
# </details>

# %% [markdown]
# ## Run
#
# On the left, the length of the TD error, step by step. The circle is where SEEM is read. The dashed line is what SEEM
# promises from there: growth by $1 + \varepsilon\,\text{SEEM}$ in every step, if $A$ stayed as it is *and* the whole
# error lay in the leading mode. On the right, the mode $v$ at that step. In the panel training ends at step 800, so the
# steps left are counted from there.
#
# Try: choose a seed, read SEEM at step 50 or 100, and say what will become of the run before you look at the curve.
# Move the step: how much does the reading jump? Find a false alarm of your own. Then set the discount to 0.99, and to
# 0.93.

# %%
panels.SeemExplorer()

# %% [markdown]
# ## Explain
#
# - The real curve leaves the dashed line upwards in runs that diverge. The promise is a straight line on this axis. The
#   run bends up, because the kernel grows with $Q$ (lesson 05).
# - At first the curve may lie *below* the promise: then the error has little in the leading mode yet. SEEM says how fast
#   a mode can grow. It does not say how much of the error is in it.
# - Take the preset *a miss* and move the step from 50 to 100. SEEM jumps from nearly zero to 7.2. The mode changes from
#   a few large marks of both signs to one sign nearly everywhere. Nothing of this is to be seen in the curve.
# - There are false alarms and misses. A single reading at a single step is a hint, not a verdict. How good a hint? That
#   is a question for all the runs together.

# %% [markdown]
# ## 5 How well does it tell?
#
# The game of the prediction has a name. **AUROC** (area under the receiver operating characteristic) is the chance that
# a run which will diverge, drawn at random, has a higher score than a run which will survive, drawn at random; a tie
# counts half. A coin has 0.5, a perfect score 1, and no threshold needs to be chosen.
#
# A number from 200 runs is uncertain. So `sl.auroc` draws runs again, with repetition, 2000 times (a *bootstrap*), and
# gives the interval that holds the middle 95 % of the results.
#
# And a number alone says little. What would you have looked at without any theory? We take four such scores: the
# **largest $|Q|$**, its **growth** over the last 25 steps, the length of the **TD error**, which is the root of the loss
# up to a factor, and the length of the **parameter vector**. Runs that are over by a step are left out from it on.

# %%
SCORES = {
    "SEEM": "seem",
    "largest |Q|": "q_max",
    "growth of |Q|": "q_growth",
    "TD error": "td_error_norm",
    "parameter norm": "parameter_norm",
}
STEPS = (0, 50, 100, 200, 500)


def running(runs, step):
    """Those that are not over at that step."""
    return runs[runs.last_step > step]


def areas(runs, column):
    """AUROC of a score at every step."""
    return {step: sl.auroc(now[column.format(step)], now.diverged) for step in STEPS for now in [running(runs, step)]}


found = {name: areas(fixed, column + "_at_{}") for name, column in SCORES.items()}
for step, area in found["SEEM"].items():
    print(f"SEEM at step {step:>3}: {area}")
plotting.auroc_over_time({f"discount {GAMMA}, 200 runs": found})

# %% [markdown]
# SEEM tells more than a coin from the start, and more and more with time. But it is not alone. Intervals that overlap
# are hard to compare by eye, and both scores come from the *same* runs. So take the difference on each redrawn set of
# runs (`sl.auroc_gain`). The difference is real, as far as 200 runs can tell, if its interval stays on one side of 0.

# %%
for step in STEPS[1:]:
    now = running(fixed, step)
    for name in ("largest |Q|", "growth of |Q|"):
        gain = sl.auroc_gain(now[f"seem_at_{step}"], now[f"{SCORES[name]}_at_{step}"], now.diverged)
        verdict = "ahead" if gain.low > 0 else "behind" if gain.high < 0 else "not told apart"
        print(f"step {step:>3}: SEEM minus {name:<14} {gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]  {verdict}")

# %% [markdown]
# This is soberer than the first figure.
#
# - At steps 50 and 100 these runs do **not** show SEEM to be better than looking at the largest $|Q|$.
# - At step 200 it is ahead of both.
# - By step 500 the growth of $|Q|$ has caught up. By then the growth that SEEM foretells is there to be seen.
#
# Eight comparisons were made. An interval of 95 % misses one time in twenty by chance alone. So do not lean on a single
# line that is only just ahead.

# %% [markdown]
# ## 6 A score that looks too good
#
# Now the same figure for 260 runs with 13 discounts, from 0.93 to 0.99. Beside it a score that never looked at the
# network: **the discount itself**.

# %%
some = ("SEEM", "largest |Q|", "growth of |Q|")
both = {
    f"discount {GAMMA} in all runs": {name: found[name] for name in some} | {"γ alone": areas(fixed, "gamma")},
    "discount from 0.93 to 0.99": {name: areas(mixed, SCORES[name] + "_at_{}") for name in some}
    | {"γ alone": areas(mixed, "gamma")},
}
plotting.auroc_over_time(both)

# %% [markdown]
# With mixed discounts SEEM rises to 0.87 and 0.94 at steps 100 and 200. That looks like a success. But the discount alone
# scores about 0.99. It decides nearly everything, and SEEM contains it: $A = \gamma\, G(X^*, X) - G(X, X)$. So any score
# that smells of the discount looks good here. The discount is a **confounder**: it drives both the score and the
# outcome.
#
# The remedy is the left picture. Hold the confounder fixed. There the discount is a coin, and what a score still tells
# it has read off the network. Whenever somebody shows you a predictor of divergence, ask what was allowed to vary.

# %% [markdown]
# ## 7 When?
#
# Whether a run ends is one question. *When* it ends is another. Take only the runs that diverge, at discount 0.965. The
# clock of section 1 says that $\tau = 1/(\varepsilon\,\text{SEEM})$ steps are left.

# %%
crashing = fixed[fixed.diverged]
clock = {}
for step in (50, 100, 200):
    now = running(crashing, step)
    seem, left = now[f"seem_at_{step}"], now.crash_step - step
    clock[f"read at step {step}"] = (seem, left)
    by_seem, by_q = (now[f"{name}_at_{step}"].corr(left, method="spearman") for name in ("seem", "q_max"))
    ratio = (eps * seem * left)[sl.early_warning(seem, lr=LR, n=walk.n, steps_left=END - step)]
    close = ratio.between(0.5, 2).mean()
    print(
        f"step {step:>3}: rank correlation with the steps left: SEEM {by_seem:.2f}, largest |Q| {by_q:.2f};  ", end=""
    )
    print(f"of the {len(ratio)} that the rule warns of, tau is right within a factor of 2 in {close:.0%}")
plotting.time_to_crash(clock, lr=LR, n=walk.n)

# %% [markdown]
# (Spearman's **rank correlation** is $-1$ if a larger score always means an earlier end, and 0 if there is no relation.)
#
# SEEM ranks the runs well. So does the largest $|Q|$: from step 100 on, no worse. What $|Q|$ cannot do is name a *number
# of steps*. $\tau$ does, and nothing was fitted to get it. Where SEEM is large, the crosses lie along the line. Among
# these runs, when the rule warns, the clock is mostly right within a factor of two.
#
# Where SEEM is small, the line promises far too long a time, as in lesson 03. There, SEEM grows later in the run.

# %% [markdown]
# ## 8 On seeds of your own
#
# A stored table is somebody else's word. These 32 runs are trained now, all at once (`sl.sweep` stacks them into one
# batch of tensors), with seeds used nowhere else. Change the first seed in the set-up cell and run it again.

# %%
live = sl.sweep(range(SEED, SEED + 32), gamma=GAMMA, lr=LR, steps=END, record_at=(100, 200), progress=False)
print(f"{live.diverged.sum()} of {len(live)} runs diverge")
for step in (100, 200):
    now = running(live, step)
    print(f"step {step}: SEEM    {sl.auroc(now[f'seem_at_{step}'], now.diverged)}")
    print(f"          |Q|     {sl.auroc(now[f'q_max_at_{step}'], now.diverged)}")

# %% [markdown]
# Look at the width of the intervals. With 32 runs, a difference of 0.1 between two scores can be chance. This is why the
# table has 200.

# %% [markdown]
# ## 9 What SEEM misses early
#
# *Past the paper.* Why is SEEM weak in the first hundred steps? Two suspects. The *kernel* changes while the network
# trains. And the *greedy actions* change, and with them $X^*$. SEEM takes both as they are now.
#
# They can be told apart. Keep the kernel as it is now, for good, and follow the error to step 1500 in two ways:
#
# - **actions held**: $u_{\text{new}} = (I + \varepsilon A)\,u$ with today's $A$, again and again;
# - **actions followed**: the value of *every* next action moves by its own row of the kernel,
#   $Q(y) \leftarrow Q(y) - \varepsilon\, G(y, X)\, u$, and in every step the greedy one is picked anew. That is
#   `sl.frozen_kernel_growth`.
#
# The score is how far the error has grown in the end, on a logarithmic scale. The second way was found by trying
# several scores on the seeds of the table above (0 to 199). Such a choice flatters itself. So it is judged on 200
# **other** seeds, 1000 to 1199, that had no part in it (`data/predictors.csv`).

# %%
predictors = pd.read_csv("../data/predictors.csv")
judge = predictors[predictors.part == "judge"]


def held_growth(network, walk, steps):
    """How far the error grows, as a logarithm, if kernel and next actions stay as they are."""
    x, x_next, discount = walk.bootstrap(network)
    u = (sl.q_values(network, x) - walk.reward - discount * sl.q_values(network, x_next)).detach()
    one_step = torch.eye(walk.n, dtype=u.dtype) + eps * sl.seem_matrix(network, x, x_next, discount)
    return ((torch.linalg.matrix_power(one_step, steps) @ u).norm() / u.norm()).log().item()


held = {}  # (step, seed) -> score
for first in range(1000, 1200, 20):
    seeds = range(first, min(first + 20, 1200))
    networks, walks = zip(*(start(seed) for seed in seeds), strict=True)
    for step in (0, 50, 100):
        if step:
            sl.train_stacked(networks, walks, lr=LR, steps=50)
        held |= {(step, s): held_growth(q, w, END - step) for s, q, w in zip(seeds, networks, walks, strict=True)}

fresh = {"kernel frozen, actions followed": {}, "kernel frozen, actions held": {}, "SEEM": {}, "largest |Q|": {}}
for step in (0, 50, 100):
    now = judge[judge.step == step]
    fresh["kernel frozen, actions followed"][step] = sl.auroc(now.frozen_kernel_growth, now.diverged)
    fresh["kernel frozen, actions held"][step] = sl.auroc([held[step, s] for s in now.seed], now.diverged)
    fresh["SEEM"][step] = sl.auroc(now.seem, now.diverged)
    fresh["largest |Q|"][step] = sl.auroc(now.q_max, now.diverged)
    gain = sl.auroc_gain(now.frozen_kernel_growth, now.seem, now.diverged)
    print(f"step {step:>3}: actions followed {fresh['kernel frozen, actions followed'][step]};  ", end="")
    print(f"gain on SEEM {gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]")
plotting.auroc_over_time({"200 fresh seeds": fresh})

# %% [markdown]
# The first two curves of the legend use the same kernel. Only the actions differ. With the actions held, the whole
# matrix tells hardly more than SEEM at steps 0 and 50. With the actions followed, a network that was never trained tells
# about as much as SEEM does at step 200. So on this problem, most of what SEEM misses early is **not** the change of the
# kernel. It is that the next actions will be others.
#
# Be fair to SEEM. This score is not one number read off a matrix. It is a run of 1400 steps in a model of the training,
# at about a tenth of the time of the training itself, where SEEM takes that of a few steps. It needs the value of *every* next
# action, so it suits few, discrete actions. And it has been tried on this one problem only.

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/04_seem.ipynb](exercises/04_seem.ipynb). The last line of each exercise's cell is its
# check. Solutions: [solutions/04_seem.ipynb](solutions/04_seem.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | the time constant from SEEM | 5 | easy |
# | 2 | AUROC by hand | 10 | middle |
# | 3 | the rule on a small table: misses and false alarms | 15 | middle |

# %% [markdown]
# ## Where the theory stops
#
# AUROC knows no threshold. Whoever has to act needs one. Here is the rule of section 1 on the 200 runs at discount
# 0.965. It can be wrong in two ways. A **miss**: no warning, and the run diverges. A **false alarm**: a warning, and the
# run survives.

# %%
counts = {}
for step in STEPS:
    now = running(fixed, step)
    warned = sl.early_warning(now[f"seem_at_{step}"], lr=LR, n=walk.n, steps_left=END - step)
    missed, false = ~warned & now.diverged, warned & ~now.diverged
    counts[step] = (missed.sum(), now.diverged.sum(), false.sum(), (~now.diverged).sum())
plotting.alarms_and_misses(counts)

# %% [markdown]
# Are the false alarms only slow, so that they would end after step 1500? Train those of step 200 for twice as long:

# %%
now = running(fixed, 200)
alarm = sl.early_warning(now.seem_at_200, lr=LR, n=walk.n, steps_left=END - 200) & ~now.diverged
longer = sl.sweep(now.seed[alarm], gamma=GAMMA, lr=LR, steps=2 * END, record_at=(), progress=False)
print(f"false alarms of step 200: {len(longer)}; diverged by step {2 * END}: {longer.diverged.sum()}")

for step in (50, 100):
    now = predictors[predictors.step == step]  # both parts: the 200 seeds of the table and the 200 fresh ones
    gain = sl.auroc_gain(now.seem, now.q_max, now.diverged)
    print(
        f"step {step:>3}, all {len(now)} seeds: SEEM minus largest |Q| {gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"
    )

# %% [markdown]
# - **The rule misses most runs early**, four in five at step 0 and more than a third at step 100. One reading in the
#   first steps is no reason to feel safe.
# - **Its false alarms are not early alarms.** One survivor in five is warned of at steps 100 and 200. Nearly all of these
#   runs are still finite after twice the time. Their SEEM was large, and then fell again.
# - **The sign says next to nothing here** (section 3), although the paper's criterion is a sign.
# - **SEEM's lead is short.** On the 200 runs of the table it is ahead of both simple scores at step 200 only. By step 500
#   the growth of $|Q|$ has caught up. At steps 50 and 100, even 400 seeds do not clearly tell it from the largest $|Q|$.
# - **One problem, one discount, one learning rate, one architecture.** At other discounts on this walk nearly all runs
#   end alike, and there is nothing to tell. Lesson 10 (planned) asks about real control data.

# %% [markdown]
# ## Summary
#
# - SEEM is a rate per unit of $\varepsilon$. As a clock: the leading error grows by $e$ in
#   $\tau = 1/(\varepsilon\,\text{SEEM})$ steps. The rule warns if more than $\tau$ steps are left.
# - On the toy walk its sign tells nothing, because the kernel is nearly singular. Its size tells more and more as
#   training goes on: AUROC 0.77 at step 100 and 0.94 at step 500, at fixed discount.
# - The largest $|Q|$ does about as well at steps 50 and 100, the growth of $|Q|$ at 500. Where the discount varies, it
#   alone scores 0.99: compare at fixed discount.
# - Where the rule warns and the run does diverge, $\tau$ tells the steps left within a factor of two, mostly. No other
#   score here comes in steps.
# - What it misses early are the greedy actions to come: following them with the kernel frozen gives 0.88 at step 0, on
#   seeds that had no part in finding it.

# %% [markdown]
# ## References
#
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: SEEM, and its sign as the criterion.
# - Jacot, Gabriel, Hongler, *Neural Tangent Kernel*, 2018: the frozen kernel as a model of training.
# - Achiam, Knight, Abbeel, 2019, arXiv 1903.08894: divergence of deep Q-learning read off the kernel.
# - van Hasselt et al., 2018, arXiv 1812.02648: how often divergence is met in practice.

# %% [markdown]
# ## Next
#
# [05 Growth and crash](05_growth_and_crash.ipynb): how fast does it grow, in what order, and at which step does it end?
