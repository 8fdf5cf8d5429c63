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
# # 01 Self-excitation
#
# **Question.** How can a value feed itself?
#
# **Time.** about 30 minutes
#
# **Before this.** [00 Start here](00_start_here.ipynb): transition, value, target, TD error, bootstrapping.
#
# **You will be able to**
# 1. follow the smallest loop that feeds itself by hand, and say when it grows;
# 2. tell, in that loop, self-excitation from a learning rate that is merely too large;
# 3. measure on a real network whether the targets rise more than the values.
#
# **In the paper.** Section 3, the intuition behind SEEM (arXiv 2310.04411).

# %% [markdown]
# ## Set-up

# %%
import copy

import torch

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

# %% [markdown]
# ## 1 The smallest loop
#
# Take away everything that can be taken away. There is **one** transition: from an input $x$ to its neighbour $x^*$, with
# reward zero. (In lesson 00, $x$ was a state with its action, and $x^*$ the next state with the greedy one.) There is
# **one** parameter, $w$. The two values are
#
# $$Q(x) = w, \qquad Q(x^*) = c\, w.$$
#
# The number $c$ is the **feature** of the neighbour. It says how strongly the neighbour's value hangs on the same
# parameter. With $c = 2$ the neighbour's value is always twice that of $x$.
#
# The true value is zero, because there is no reward. That is $w = 0$.
#
# The value $Q(x) = w$ is pushed towards its target $\gamma\, Q(x^*) = \gamma c\, w$. The TD error is the gap between
# them, with its sign:
#
# $$u = w - \gamma c\, w.$$
#
# One training step descends $u^2$. The target counts as a constant, so the derivative of $u$ by $w$ is 1, and the step
# with learning rate $\eta$ is
#
# $$w \leftarrow w - 2 \eta\, u.$$
#
# Here is one such step, written out, for two neighbours: $c = 0.8$ and $c = 2$.

# %%
gamma, lr = 0.99, 0.2
steps = {}
for c in (0.8, 2.0):
    w = 1.0
    before = (w, gamma * c * w)  # value, target
    u = before[0] - before[1]
    w = w - 2 * lr * u
    after = (w, gamma * c * w)
    steps[f"neighbour's feature c = {c}"] = (before, after)
plotting.value_chases_target(steps)

# %% [markdown]
# Look at the right picture. The target lies above the value. So the step raises the value. But the same parameter sits
# in the target, and the target rises *more*. After the step, the gap is wider than before.
#
# The next step will see an even larger gap, and raise the value even more. The pursuit drives the very thing it
# pursues. This is **self-excitation**.

# %% [markdown]
# ## 2 The loop as one number
#
# How does the gap change in one step? Put the step into $u = (1 - \gamma c)\, w$:
#
# $$u_{\text{new}} = (1 - \gamma c)(w - 2\eta\, u) = u - 2 \eta (1 - \gamma c)\, u = \big(1 + \varepsilon A\big)\, u,$$
#
# $$\varepsilon = 2\eta, \qquad A = \underbrace{\gamma c}_{\text{how far the target moves}} -
# \underbrace{1}_{\text{how far the value moves}}.$$
#
# - $\varepsilon$ (epsilon) is the size of the step.
# - $A$ compares two things: if the value rises by 1, its target rises by $\gamma c$.
#
# **If $A$ is positive, the error is multiplied by more than 1 in every step, and grows for ever.** No reward is needed.
# It starts from whatever the initial guess was.
#
# The library knows this loop as `sl.two_state_loop`. Its linear network has the one parameter $w$, and
# `sl.seem_matrix` gives $A$, here a matrix with a single entry:

# %%
loop = sl.two_state_loop(next_feature=2.0, gamma=0.99)
network = sl.linear_q(1, weight=[1.0])
A = sl.seem_matrix(network, *loop.bootstrap(network)).item()
run = sl.train(network, loop, lr=0.2, steps=20)
factor = run.td_error_norm[1:] / run.td_error_norm[:-1]
print(f"A = {A:.2f},  1 + eps A = {1 + 2 * 0.2 * A:.3f},  measured factor of every step: {factor.min():.3f}")

# %% [markdown]
# ## Predict
#
# The discount is $\gamma = 0.9$. The learning rate is 0.1. Start at $w = 1$. Which of these loops grow?
#
# - **A.** $c = 1$: the neighbour looks exactly as good.
# - **B.** $c = 1.2$: the neighbour looks a little better.
# - **C.** $c = -1$: the neighbour has the opposite value.
#
# And: can a *smaller learning rate* stop one that grows?
#
# <details><summary>Answer, after you have written yours down</summary>
#
# Only B: $A = 0.9 \cdot 1.2 - 1 = 0.08 > 0$. In A, $A = -0.1$. In C, $A = -1.9$, and the error shrinks fastest of all.
# A smaller learning rate brings $1 + \varepsilon A$ nearer to 1. It never gets below 1. So it slows the growth down and
# does not stop it.
#
# </details>

# %% [markdown]
# ## Run
#
# Run the cell, then move the feature $c$ of the neighbour, the discount and the learning rate. On the left, the value is
# raised by 1. The star says how much *more* the target rises: that is $A$. Try the presets. *Step too long* also grows.
# Look at how it differs. (Leave the two presets of the walk for section 3.)

# %%
panels.SelfExcitation()

# %% [markdown]
# ## Explain
#
# - The edge lies at $\gamma c = 1$. Below it the value catches up with its target, if the step is
#   short enough. Above it the target runs away.
# - A neighbour whose value hangs on the parameter a little more, by a factor above $1/\gamma$, is enough. In offline
#   learning the neighbour is the best-looking of many guesses. So its value tends to lie high. But what counts is
#   whether it *moves* more. In this loop the two are the same thing; in a network they are not.
# - At the edge (*on the edge*) the error is zero in every step, and still $Q = 1$ where the truth is 0. No error does not
#   mean the right value.
# - With *step too long* the error grows as well, but $A$ is negative. The value jumps over its target, farther each
#   time, and the error changes its sign in every step. That is an ordinary instability of too large a learning rate.

# %% [markdown]
# ## 3 A network is many such loops at once
#
# A neural network has hundreds of parameters, and the walk has 63 transitions. But the question stays the same: *if the
# values at the data rise, do their targets rise even more?*
#
# So push, and look. We move the parameters a tiny bit in the direction that raises the **mean value at the data**,
# and measure how far each value $Q(x_i)$ and each target $\gamma\, Q(x_i^*)$ went up.


# %%
def push(network, walk, lr=1e-3):
    """Raise the mean of Q(X) by one small gradient step; how far did each value and each target move?"""
    x, x_next, discount = walk.bootstrap(network)
    pushed = copy.deepcopy(network)
    sl.q_values(pushed, x).mean().backward()
    with torch.no_grad():
        for p in pushed.parameters():
            p += lr * p.grad
        value_move = sl.q_values(pushed, x) - sl.q_values(network, x)
        target_move = discount * (sl.q_values(pushed, x_next) - sl.q_values(network, x_next))
    return value_move, target_move


# %% [markdown]
# We push twice: at the start of training, and shortly before the end (the run is stopped when the largest $|Q|$
# passes 50).

# %%
walk = sl.toy_walk(seed=SEED, gamma=0.99)
network = sl.mlp(walk.input_dim, hidden=(64,), seed=1000 + SEED)
at_start = push(network, walk)
run = sl.train(network, walk, lr=0.02, steps=1500, q_limit=50)
plotting.moves({"at the start": at_start, f"at step {run.step[-1]}, just before the blow-up": push(network, walk)})

# %% [markdown]
# Each mark is one transition. Upwards: by how many per cent its target rises more (or less) than its value. In the grey
# region the target rises more.
#
# Two things have changed between the pictures. The marks have wandered into the grey region: the targets overtake the
# values, by little, but nearly all of them. And look at the horizontal axes: a step of the same learning rate moves
# everything much farther, because the gradient has become larger.
#
# Now raise the value of *one* transition, before training. In the next cell each circle is a transition, and the star is
# the one that is raised: to the right, how far its value rises; upwards, how much more its target rises. Where does the
# update go? Go through the transitions. Then lower the discount.

# %%
panels.SelfExcitation(where="the toy walk")

# %% [markdown]
# Is this seed special? Here are ten seeds, at two discounts. A run that stays finite is measured after 1500 steps.

# %%
for gamma in (0.99, 0.9):
    walks = [sl.toy_walk(seed=seed, gamma=gamma) for seed in range(10)]
    networks = [sl.mlp(4, hidden=(64,), seed=1000 + seed) for seed in range(10)]
    pushes = {"start": [push(*pair) for pair in zip(networks, walks, strict=True)]}
    runs = sl.train_stacked(networks, walks, lr=0.02, steps=1500, q_limit=50)  # train, for all ten at once
    pushes["end"] = [push(*pair) for pair in zip(networks, walks, strict=True)]
    print(
        f"discount {gamma}: {sum(run.diverged for run in runs)} of 10 run away; the target rises more than the value in"
    )
    for when, pushed in pushes.items():
        share = torch.stack([(target > value).double().mean() for value, target in pushed])
        print(f"   {share.quantile(0.5):.0%} of the transitions at the {when} (median of ten runs;", end=" ")
        print(f"from {share.min():.0%} to {share.max():.0%}; above one half in {int((share > 0.5).sum())} runs)")

# %% [markdown]
# At the end of the runs that run away, the targets overtake the values in most transitions, in nearly every run. In the
# runs that stay finite, in none. But look at the extremes: the two groups overlap. One run that runs away ends at 38 %,
# and one that stays finite at 49 %. This push does not decide.
#
# It cannot. It asks about one shape of the error only, the one in which all values rise. The errors of 63 transitions
# can have many shapes, and some may feed themselves while others die out. Lesson 02 finds all shapes at once.

# %% [markdown]
# ## 4 From one number to a matrix
#
# In the small loop, $A$ was "how far the target moves, minus how far the value moves". With many transitions, an update
# at transition $j$ moves the value and the target of *every* transition $i$. How far?
#
# Let $\phi(x) = \partial Q(x) / \partial\theta$ be the derivatives of the value at $x$ by all parameters. A training step
# moves the parameters by $-\varepsilon \sum_j u_j\, \phi(x_j)$, with $\varepsilon = 2\eta/N$. So the value at any input $y$
# moves by $-\varepsilon \sum_j G(y, x_j)\, u_j$, to first order, where
#
# $$G(y, x) = \phi(y) \cdot \phi(x)$$
#
# is called the *tangent kernel*. Lesson 03 is about nothing else. Take $y = x_i$ for the value and $y = x_i^*$ for its
# target, and subtract:
#
# $$u_{\text{new}} \approx u + \varepsilon A u, \qquad
# A_{ij} = \underbrace{\gamma\, G(x_i^*, x_j)}_{\text{target of } i} - \underbrace{G(x_i, x_j)}_{\text{value of } i} .$$
#
# It is the same law, with a matrix in place of a number. In the small loop $\phi(x) = 1$ and $\phi(x^*) = c$, so
# $G(x^*, x) = c$ and $G(x, x) = 1$: that gives $A = \gamma c - 1$ again. A matrix has no sign; lesson 02 tells what takes
# its place.
#
# Here is the size of the error through training, $\lVert u \rVert$, and the factor of every single step:

# %%
runs = {}
for gamma in (0.99, 0.9):
    walk = sl.toy_walk(seed=SEED, gamma=gamma)
    network = sl.mlp(walk.input_dim, hidden=(64,), seed=1000 + SEED)
    runs[f"discount {gamma}"] = sl.train(network, walk, lr=0.02, steps=400)
plotting.error_through_training(runs)

# %% [markdown]
# At first the error shrinks with both discounts, and its size gives no warning. Then, with 0.99, the factor creeps above
# 1. It stays close to 1 for a while, and then it climbs. With a fixed matrix $A$ the factor could climb as well, while
# its fastest part takes over, but only up to a constant. Here $A$ itself grows: the kernel grows with the parameters
# (lesson 03 measures it), so the error grows faster, so the parameters grow faster. The end is abrupt. Lesson 05 computes it.

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/01_self_excitation.ipynb](exercises/01_self_excitation.ipynb). Solutions:
# [solutions/01_self_excitation.ipynb](solutions/01_self_excitation.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | the factor of one step of the loop | 5 | easy |
# | 2 | the share of overtaken transitions | 5 | easy |
# | 3 | the largest safe learning rate | 15 | middle |

# %% [markdown]
# ## Where the theory stops
#
# **Growth is not always self-excitation.** Both loops below start with the error 1, and its size grows by the same factor
# in every step. In the left one the target runs away ($A > 0$), and no learning rate helps. In the right one the step is
# too long ($A < 0$), and a smaller learning rate cures it at once. The curve of $\lVert u \rVert$ alone cannot tell them
# apart. The sign of $A$ can, and so can the changing sign of the error.

# %%
loops = {}
for label, c, gamma, lr in (("target runs away", 1.5, 0.8, 0.5), ("step too long", 0.5, 0.8, 2.2 / 1.2)):
    u = torch.empty(16, dtype=torch.float64)
    w = 1 / (1 - gamma * c)  # so that the error starts at 1
    for step in range(16):
        u[step] = w - gamma * c * w
        w = w - 2 * lr * u[step].item()
    loops[f"{label}: A = {gamma * c - 1:.1f}, factor {abs(1 + 2 * lr * (gamma * c - 1)):.1f}"] = u
plotting.signed_errors(loops)

# %% [markdown]
# **The next actions do not always settle.** The law $u_{\text{new}} \approx (1 + \varepsilon A) u$ holds while the greedy
# next actions stay the same. The paper argues that they settle before the end. Here is how many runs keep the same
# next action in *every* transition to the end:

# %%
walks = [sl.toy_walk(seed=seed, gamma=0.99) for seed in range(30)]
networks = [sl.mlp(4, hidden=(64,), seed=1000 + seed) for seed in range(30)]
runs = sl.train_stacked(networks, walks, lr=0.02, steps=1500)
blown_up = [run for run in runs if run.diverged]
for last in (20, 5):
    settled = sum(run.switches[-last:].sum() == 0 for run in blown_up)
    print(f"{settled} of {len(blown_up)} runs that blow up keep all their next actions in the last {last} steps")

# %% [markdown]
# So this is partly true only. In some runs actions still switch while the values explode. Lesson 03 measures how much a
# switch disturbs the law.

# %% [markdown]
# ## Summary
#
# - A value and its target share parameters. Raising the value raises the target.
# - If the target rises more, the error grows, and the growth feeds itself: self-excitation.
# - For one transition this is one number, $A = \gamma c - 1$, and $u_{\text{new}} = (1 + \varepsilon A)\, u$.
# - For many transitions, $A$ is a matrix: discounted move of each target, minus move of each value.
# - A learning rate that is too large also makes errors grow, with $A < 0$ and a changing sign.
# - In the [ledger](11_claims.ipynb): that the next actions settle before the end, `settled-actions`, was **not seen here**:
#   it is claimed of most runs, and with many more seeds than these about half keep all their actions.

# %% [markdown]
# ## References
#
# - Tsitsiklis and Van Roy, *An Analysis of Temporal-Difference Learning with Function Approximation*, 1997: divergence
#   with two states and one parameter.
# - Baird, *Residual Algorithms*, 1995: the star, the best known diverging example (lesson 02).
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: self-excitation as the mechanism in deep networks.
# - Achiam, Knight, Abbeel, *Towards Characterizing Divergence in Deep Q-Learning*, 2019, arXiv 1903.08894: divergence
#   read off the kernel.

# %% [markdown]
# ## Next
#
# [02 Linear Q-learning](02_linear_q_learning.ipynb): when does it blow up, and how fast, exactly?
