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
# # 06 Adam
#
# **Question.** Why does Adam turn an explosion into a steady climb?
#
# **Time.** about 60 minutes, exercises 20 more
#
# **Before this.** [05 Growth and crash](05_growth_and_crash.ipynb), above all its first section: how $Q$ scales with its
# parameters. From [03](03_tangent_kernel.ipynb): one step, $u_{\text{new}} \approx (I + \varepsilon A)\,u$.
#
# **You will be able to**
# 1. write Adam's update, and say how long its step is when the gradient keeps its direction;
# 2. derive how fast $\lVert\theta\rVert$ and $Q$ grow from it, and check that on many seeds;
# 3. say where this simple argument is wrong, by how much, and why.
#
# **In the paper.** The theorem on growth under Adam: linear for the parameters, polynomial for $Q$ (arXiv 2310.04411).

# %% [markdown]
# ## Set-up

# %%
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
SEEDS = range(24)
DEPTHS = (2, 3)
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

# %% [markdown]
# ## 1 The same walks, another optimiser
#
# So far every run used SGD: the step is the learning rate $\eta$ times the gradient. Most people train with **Adam**.
# Here are the toy walk and its network for 24 seeds, discount $\gamma = 0.99$, once with SGD ($\eta = 0.02$, run now) and
# once with Adam ($\eta = 0.001$, its usual value).
#
# The runs with Adam are long, so they were made beforehand, and stored. `python data/make_adam_runs.py` makes them again,
# in about an hour on one core. `sl.stored_adam_runs` reads them: one row a seed, one column for every 50th step. (In
# section 2 you train with Adam yourself.)


# %%
def train_with_sgd(gamma):
    """All seeds with SGD, 1500 steps."""
    walks = [sl.toy_walk(seed, gamma=gamma) for seed in SEEDS]
    networks = [sl.mlp(4, hidden=(64,), seed=1000 + seed) for seed in SEEDS]
    return sl.train_stacked(networks, walks, lr=0.02, steps=1500)


usual = {depth: sl.stored_adam_runs(depth) for depth in DEPTHS}  # beta2 = 0.999, lr = 0.001, gamma = 0.99
step = usual[2].step
sgd = train_with_sgd(0.99)
crash = [int(run.step[-1]) for run in sgd if run.diverged]
print(f"SGD: {len(crash)} of {len(sgd)} blow up, the first at step {min(crash)}, the last at step {max(crash)}")
early = step <= 1500
plotting.explosion_and_climb(sgd, step[early], usual[2].q_max[:, early])

# %% [markdown]
# Both are wrong: the true value is 0. But they are wrong in different ways. With SGD the growth becomes faster and
# faster, and there is a last step. With Adam the value climbs. The curve on the logarithmic axis bends to the right: over
# these steps it grows more slowly than an exponential. Whether it goes on like that, the picture cannot say. For that we
# need an argument.
#
# The problem is the same, and so is the gradient at a given $\theta$. Only the rule that turns the gradient into a step
# is different. So look at the rule.

# %% [markdown]
# ## 2 Adam, line by line
#
# Let $g$ be the gradient of the loss by the parameters $\theta$, in step $t = 1, 2, \dots$ Everything below is done for
# each parameter by itself. Adam keeps two running averages, which start at zero:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2,$$
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
# \theta \leftarrow \theta - \eta\, \frac{\hat m}{\sqrt{\hat v} + 10^{-8}}.$$
#
# - $m$ averages the gradient over the last $1/(1-\beta_1)$ steps or so: 10 steps with the usual $\beta_1 = 0.9$.
# - $v$ averages the *square* of the gradient over the last $1/(1-\beta_2)$ steps or so: 1000 with the usual
#   $\beta_2 = 0.999$.
# - Because both start at zero, they are too small at first. The division by $1 - \beta^t$ repairs that exactly for a
#   gradient that stands still.
# - The $10^{-8}$ only avoids a division by zero.
#
# In code:


# %%
def adam_step(theta, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999):
    """One step of Adam. Returns the new theta, m, v."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - lr * m_hat / (v_hat**0.5 + 1e-8), m, v


# %% [markdown]
# How long is the step? Try it on a single parameter, with gradients that we make up:

# %%
made_up = {
    "always 0.001": np.full(400, 0.001),
    "always 1000": np.full(400, 1000.0),
    "random sign": np.random.default_rng(SEED).choice([-1.0, 1.0], 400),
    "grows like t": np.arange(1.0, 401),
    "grows like t^3": np.arange(1.0, 401) ** 3,
}
ratios = {}
for label, gradients in made_up.items():
    theta, m, v, ratio = 0.0, 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        moved, m, v = adam_step(theta, g, m, v, t, lr=1.0)
        ratio.append(abs(moved - theta))
    ratios[label] = np.array(ratio)
plotting.adam_step_sizes(ratios)

# %% [markdown]
# - A gradient that stands still gives a step of $\eta$, whatever its size: $\hat m = g$ and $\sqrt{\hat v} = |g|$, so
#   $\hat m / \sqrt{\hat v} = \operatorname{sign}(g)$. (The first two lines lie on each other.)
# - A gradient whose sign is random gives shorter steps: $m$ averages it away, and $v$ does not.
# - A gradient that *grows* gives longer steps. Leave that aside until section 4, and with it the marks $\sqrt 3$ and
#   $\sqrt 7$.
#
# So SGD's step is as long as the gradient. Adam's step is about $\eta$ per parameter. That is all the difference we
# need. Now the same lines on the walk, with all parameters in one vector. We look at the run every 100 steps, and we
# check it against PyTorch's own Adam.


# %%
class Look(NamedTuple):
    """What a run holds just before a step, and that step."""

    theta: torch.Tensor  # (P,)
    u: torch.Tensor  # (N,)
    g: torch.Tensor  # (P,)
    v_hat: torch.Tensor  # (P,)
    change: torch.Tensor  # (P,)


def train_with_adam(network, walk, steps, look_every=100):
    """Q-learning with adam_step. Returns step -> Look."""
    parameters = list(network.parameters())
    theta = parameters_to_vector(parameters).detach()
    m, v, looks = 0.0, 0.0, {}
    for t in range(1, steps + 1):
        _, q_next = walk.greedy(network)
        u = sl.q_values(network, walk.x) - (walk.reward + walk.discount * q_next)
        g = parameters_to_vector(torch.autograd.grad(u.square().mean(), parameters))
        moved, m, v = adam_step(theta, g, m, v, t)
        if t % look_every == 0:
            looks[t] = Look(theta, u.detach(), g, v / (1 - 0.999**t), moved - theta)
        theta = moved
        vector_to_parameters(theta, parameters)
    return looks


walk = sl.toy_walk(SEED)
ours, torchs, network = (sl.mlp(4, hidden=(64,), seed=1000 + SEED) for _ in range(3))
train_with_adam(ours, walk, steps=300)
sl.train(torchs, walk, optimizer="adam", lr=1e-3, steps=300, record_every=300)
difference = (parameters_to_vector(ours.parameters()) - parameters_to_vector(torchs.parameters())).norm()
print(f"after 300 steps the same as PyTorch's Adam to 1e-9: {bool(difference < 1e-9)}")

looks = train_with_adam(network, walk, steps=1000)
print("step   active   median |step| / lr   cosine of g with g 100 steps before")
for t in (200, 400, 900):
    now, before = looks[t], looks[t - 100]
    active = now.g != 0
    cosine = torch.cosine_similarity(now.g, before.g, dim=0)
    middle = (now.change[active].abs() / 1e-3).median()
    print(f"{t:4d}   {active.double().mean():6.0%}   {middle:18.1f}   {cosine:10.3f}")

# %% [markdown]
# Read the columns.
#
# - **active** is the share of the parameters that have a gradient at all. The others belong to hidden units that are off
#   for the whole data set. Adam leaves these alone. So the sum over "all parameters" is one over the active ones.
# - The **median step** of the active parameters is 2 to 3 times $\eta$. It is not $\eta$. Remember that.
# - The **cosine** between the gradient now and 100 steps before comes close to 1. The gradient keeps its direction. It
#   grows, but the direction stays. (This is one seed.)

# %% [markdown]
# ## 3 From a steady step to a steady climb
#
# Now the simple argument, in three lines.
#
# 1. The gradient keeps its direction. So each active parameter moves by about $\eta\,\operatorname{sign}(g)$ in every
#    step, always the same way.
# 2. After many steps what was added outweighs the start, so $\theta \approx -t\,\eta\,\operatorname{sign}(g)$. Hence
#    $\lVert\theta\rVert$ grows linearly in $t$. If all $P$ parameters move by $\eta$, the slope is $\eta\sqrt P$.
# 3. And $\theta$ is then a fixed vector times $t$, so twice the time means *all* parameters times two. $Q$ is a product of
#    $L$ layers: multiply all parameters by a number, and $Q$ is multiplied by the power $L$ of it (exactly without biases,
#    nearly so with them once the weights are large: lesson 05). So $Q$ grows like $t^L$, and $|Q|^{1/L}$ grows linearly.
#
# Where did SGD differ? There, line 1 is "each parameter moves by $\eta\, g$", and $g$ itself grows like
# $\lVert\theta\rVert^{2L-1}$: $u$ grows like $Q$, with power $L$, and $\phi = \partial Q / \partial\theta$ has one factor
# less. The larger the parameters, the larger the step. Adam divides by the size of $g$, so the *size* of the gradient
# no longer counts, only its direction.
#
# Here are the 24 seeds with $L = 2$ (64 hidden units) and with $L = 3$ (twice 64), 4000 steps. For each run a straight
# line is fitted, from the step at which $\lVert u \rVert$ has reached ten times its minimum (`sl.terminal_start`).
# $R^2$ is the share of the variance which the line explains.

# %%
for depth, runs in usual.items():
    first = [int(t[0]) for t, _, _ in runs.climbs()]
    print(f"depth {depth}: {len(first)} of 24 seeds climb; the lines begin between step {min(first)} and {max(first)}")
    for until in (2500, 4000):
        norm = [sl.fit_line(t, norm).r_squared for t, norm, _ in runs.climbs(until)]
        root = [sl.fit_line(t, q ** (1 / depth)).r_squared for t, _, q in runs.climbs(until)]
        print(f"   to step {until}: R^2 of ||theta|| {np.median(norm):.4f} (smallest {min(norm):.4f}),", end=" ")
        print(f"of |Q|^(1/{depth}) {np.median(root):.4f} (smallest {min(root):.4f})")
plotting.steady_climb(usual)

# %% [markdown]
# The simple argument does well. For every seed and both depths the line explains more than 99 % of the variance. To step
# 2500 the median is above 0.995 everywhere; to step 4000 it is a hair below that for three layers. (With SGD the same
# two-layer seeds were gone long before.)
#
# But look at the bottom row, the curve minus its line. All seeds, at both depths, bend the same way. That is no noise. And
# $R^2$ is *lower* for the longer stretch, although the early, unsettled part of the run weighs less in it. If the law
# were right, it should be higher. A good $R^2$ does not say that a law is right.

# %% [markdown]
# ## 4 Where the simple argument is wrong
#
# Line 1 of the argument said "moves by about $\eta$". The table in section 2 said 2 to 3 times $\eta$, and the made-up
# gradients that grow gave longer steps, too. Call
#
# $$\zeta = \frac{|\hat m|}{\sqrt{\hat v}}$$
#
# (zeta) the **ratio**: how many times $\eta$ a parameter moves. In a climb the gradient grows. $\hat m$ looks back 10
# steps and nearly sees the gradient of today. $\hat v$ looks back 1000 steps: it still remembers the small gradients of
# the beginning. So $\sqrt{\hat v}$ lags behind, and $\zeta > 1$.
#
# By how much? Write $\hat v$ as what it is, a weighted average of all squared gradients $g_1^2, \dots, g_t^2$ so far:
#
# $$\hat v = \frac{1-\beta_2}{1-\beta_2^t} \sum_{k=1}^t \beta_2^{\,t-k}\, g_k^2 .$$
#
# Long before step $1/(1-\beta_2)$ nothing is forgotten: $\beta_2^{\,t-k} \approx 1$. And
# $\beta_2^t \approx 1 - (1-\beta_2)\,t$, so the factor in front is about $1/t$. What remains is the plain average. Take
# $g_k = k$:
#
# $$\hat v \approx \frac1t \sum_{k=1}^t k^2 \approx \frac1t \int_0^t k^2\, dk = \frac{t^2}{3}, \qquad
# \zeta \approx \frac{t}{\sqrt{t^2 / 3}} = \sqrt 3 = 1.73 .$$
#
# This needs a time long after the memory of $m$ and long before that of $v$: $10 \ll t \ll 1000$. There is hardly room
# between. So the line "grows like t" in section 2 stays below 1.73. With a longer memory it comes closer:

# %%
for beta2 in (0.999, 0.9999, 0.99999):
    theta, m, v, largest = 0.0, 0.0, 0.0, 0.0
    for t in range(1, 2001):
        moved, m, v = adam_step(theta, float(t), m, v, t, lr=1.0, beta2=beta2)
        largest = max(largest, abs(moved - theta))
    print(f"g = t, beta2 = {beta2}: the ratio reaches {largest:.2f} in 2000 steps (sqrt 3 = {3**0.5:.2f})")

# %% [markdown]
# In a climb by the simple argument the gradient grows faster, like $t^{2L-1}$. The same sum with this power gives
#
# $$\zeta \approx \sqrt{4L - 1} \qquad \text{(2.65 for } L = 2\text{, 3.32 for } L = 3\text{)}.$$
#
# Exercise 3 asks you to do this integral. And much later, when $t \gg 1/(1-\beta_2)$? Then $\hat v$ remembers only the
# last $1/(1-\beta_2)$ steps, in which the gradient hardly changed, compared to its size. So $\zeta \to 1$.
#
# The step is therefore not steady. In the very first step $\zeta = 1$, since $\hat m = g$ and $\hat v = g^2$. As the climb
# gets under way it rises towards $\sqrt{4L-1}$. Then, as the memory runs out, it falls, and the curve of
# $\lVert\theta\rVert$ bends down.
#
# ### The argument with its memory put back
#
# Can this explain all of it? Let us keep *only* this effect, and drop everything else about the network. **One number
# under Adam**: in lesson 05 $\rho$ (rho) was the size of the parameters when their direction stays. Let $\rho$ be all
# there is. By homogeneity $Q = \rho^L$, and the gradient is $-\rho^{2L-1}$, with the sign that makes $\rho$ grow. (A
# factor in front would change nothing: Adam divides it away.) Adam does the rest.
#
# We count $\rho$ in steps of length $\eta$. Only its start is then free: after how many such steps it has doubled. In the
# networks $\lVert\theta\rVert$ starts at 5.1 ($L = 2$), and if all active parameters moved by $\eta$, it would take about
# 300 steps to cover as much. But only a part of the starting $\theta$ takes part in the climb. So we show two starts, 300
# and 60.


# %%
def one_number(depth, steps, beta2=0.999, start=60.0):
    """Q = rho^L under Adam, rho in units of lr. Returns Q and the ratio zeta before every step."""
    rho, m, v, q, ratio = start, 0.0, 0.0, [], []
    for t in range(1, steps + 2):
        grown, m, v = adam_step(rho, -(rho ** (2 * depth - 1)), m, v, t, lr=1.0, beta2=beta2)
        q.append(rho**depth)
        ratio.append(grown - rho)
        rho = grown
    return np.array(q), np.array(ratio)


reach = 1e-3 * np.sqrt(usual[2].active_share[:, -1] * usual[2].parameters)
begin = usual[2].parameter_norm[:, 0]
print(f"depth 2: ||theta|| starts at {np.median(begin):.1f}, that is {np.median(begin / reach):.0f} steps")
groups = {}
for depth, runs in usual.items():
    measured = {"median parameter": runs.ratio, "root mean square": runs.rms_ratio}
    models = {f"one number, start {start}": one_number(depth, 4000, start=start)[1] for start in (60, 300)}
    groups[depth] = measured, {label: zeta[step] for label, zeta in models.items()}
    print(f"depth {depth}, sqrt(4L - 1) = {np.sqrt(4 * depth - 1):.2f}:       highest   step 1000   2000   4000")
    for label, values in (measured | models).items():
        curve = np.median(values, axis=0) if values.ndim == 2 else values[step]
        print(f"   {label:24s}  {curve.max():8.2f}", *(f"{curve[step == t][0]:9.2f}" for t in (1000, 2000, 4000)))
plotting.ratio_through_training(step, groups)

# %% [markdown]
# There are many parameters, so there are many ratios. The picture shows two ways to put them together: the **median**
# over the active parameters, and the **root mean square**, which the length of the whole step depends on. (Each is then
# the median over 24 seeds, with a band.)
#
# From step 1000 on, the one number and the *median* parameter agree to a few per cent, and from 2000 on to about one,
# whatever the start, although the one number knows nothing of walks, layers or ReLUs. It was given the depth and
# $\beta_2$.
#
# With the *root mean square* it agrees less well: for two layers this lies almost a fifth lower, for three layers a
# little lower. So not all active parameters move alike. *Where the theory stops* says which ones do not.
#
# Before step 1000 the one number is less exact, and there its start matters. When the climb begins depends on the network.

# %% [markdown]
# ## Predict
#
# Take $\beta_2 = 0.9$ in place of $0.999$. So $v$ remembers 10 steps, not 1000. Everything else stays. Compared with
# $\beta_2 = 0.999$, at step 4000:
#
# - **A.** $|Q|$ is larger, because Adam notices sooner that the gradient has grown.
# - **B.** $|Q|$ is smaller, and $|Q|^{1/L}$ is straighter.
# - **C.** $|Q|$ is the same: the step of the simple argument is $\eta$ for every $\beta_2$.
# - **D.** It explodes: with a short memory Adam is almost SGD.
#
# Write your answer down before you go on.
#
# <details><summary>Answer, after you have written yours down</summary>
#
# B. With the short memory $\zeta$ is 1 almost from the start. So the steps are shorter and all of one length: the climb
# is slower and nearly straight. (D confuses two things: without memory Adam is not SGD but the pure sign of the gradient.)
#
# </details>

# %% [markdown]
# ## Run
#
# The panel shows the stored runs, eight seeds of each. Left: $\lVert\theta\rVert$ and $|Q|^{1/L}$ with their straight
# lines, how straight they are, and the best exponent, the $k$ for which $|Q|^{1/k}$ is straightest. Right: the ratio
# $\zeta$ of the median parameter, and the dashed line $\sqrt{4L-1}$.
#
# Try to find out: which $\beta_2$ makes the bend strongest within 4000 steps? Is it the longest memory? What does three
# times the learning rate change, and what does it leave as it is?

# %%
panels.Adam()

# %% [markdown]
# ## Explain
#
# Here are all seeds that were stored, two layers:

# %%
print("beta2    lr       zeta: highest   step 1000   step 4000   |Q| at 4000   exponent")
for beta2, lr in ((0.9, 1e-3), (0.99, 1e-3), (0.999, 1e-3), (0.9999, 1e-3), (0.999, 3e-4), (0.999, 3e-3)):
    runs = sl.stored_adam_runs(2, beta2, lr)
    zeta = np.median(runs.ratio, axis=0)
    free = np.median([sl.fit_power(t, q).exponent for t, _, q in runs.climbs()])
    shown = [zeta.max(), zeta[step == 1000][0], zeta[-1]]
    print(f"{beta2:<6}  {lr:<6}", *(f"{k:11.2f}" for k in shown), f"{np.median(runs.q_max[:, -1]):14.0f}  {free:9.2f}")

# %% [markdown]
# (Medians over the seeds. The last column is the best exponent, as in the panel; `sl.fit_power` finds it.)
#
# - With $\beta_2 = 0.9$ the ratio sits at 1, the lines are straight, and the best exponent is close to $L = 2$.
# - With $\beta_2 = 0.9999$ the memory is 10,000 steps. Within 4000 steps it does not run out. So the ratio stays high and
#   nearly level, and the exponent is near 2 again, with a steeper line. (The ratio can even pass $\sqrt{4L-1}$: the climb
#   begins late, and $\hat v$ also averages over the small gradients before.)
# - In between, at $0.99$ and $0.999$, the memory runs out during the run. The step shortens while you watch, and this is
#   what bends the curve.
# - The learning rate sets how long every step is. It moves the beginning of the climb and the slope. The ratio late in
#   the run hardly knows it: $\zeta$ is a matter of *steps*, not of distance.

# %% [markdown]
# ## 5 What does SEEM say here?
#
# SEEM, the self-excite eigenvalue measure, is the largest real part among the eigenvalues of $A$. It comes from
# $u_{\text{new}} \approx (I + \varepsilon A)\,u$ with $\varepsilon = 2\eta/N$, and that was derived for SGD. Under Adam,
# $\lVert\theta\rVert$ grows, so the kernel grows, so SEEM grows. It calls for faster and faster growth, and Adam does not
# follow.
#
# But we can repeat the derivation of lesson 03 with Adam's step. Take $\hat m \approx g$, and let $S$ be the diagonal
# matrix with the entries $1/(\sqrt{\hat v} + 10^{-8})$, one for each parameter: $S$ for step sizes. The step is
# $-\eta S g$, and $g = \tfrac2N \Phi^\top u$. ($\Phi$ stacks the rows $\phi(x)$ for $X$, and $\Phi^*$ those for $X^*$.) So,
# with $D$ for the discounts as in lesson 02,
#
# $$u_{\text{new}} \approx (I + \varepsilon A_{\text{Adam}})\, u, \qquad
# A_{\text{Adam}} = (D\, \Phi^* - \Phi)\, S\, \Phi^\top .$$
#
# For $S = I$ this is $A$. In code, for the run of section 2 ($\eta = 0.001$):


# %%
def gradients_of_q(network, x):
    """Phi: the row dQ/dtheta for each input, (N, P)."""
    parameters = list(network.parameters())
    rows = [torch.autograd.grad(q, parameters, retain_graph=True) for q in sl.q_values(network, x)]
    return torch.stack([parameters_to_vector(row) for row in rows])


eps = sl.step_size(1e-3, walk.n)
print("step   eps SEEM   cosine(u, mode)   eps max Re eig A_Adam   cosine(u, mode)   measured")
for t in (300, 500, 900):
    look = looks[t]
    vector_to_parameters(look.theta, network.parameters())
    x, x_next, discount = walk.bootstrap(network)
    phi, phi_next = gradients_of_q(network, x), gradients_of_q(network, x_next)
    step_sizes = 1 / (look.v_hat.sqrt() + 1e-8)  # the diagonal of S
    A = (discount[:, None] * phi_next - phi) @ phi.T
    A_adam = (discount[:, None] * phi_next - phi) * step_sizes @ phi.T
    measured = torch.log(looks[t + 100].u.norm() / looks[t - 100].u.norm()) / 200
    print(f"{t:4d}", end="")
    for matrix, width in ((A, 11), (A_adam, 24)):
        leading = sl.leading_mode(matrix)
        cosine = (leading.mode.conj() @ look.u.to(leading.mode.dtype)).abs() / look.u.norm()
        print(f"{eps * leading.value:{width}.2g}{cosine:18.3f}", end="")
    print(f"{measured:11.2g}")

# %% [markdown]
# Two things must hold for an eigenvalue to be the rate. The step must be what the matrix says, which is nearly true by
# construction. And $u$ must lie along the leading eigenvector, the **mode**. That is the real content, and the cosine
# shows it: from step 500 on $u$ lies in the mode of $A_{\text{Adam}}$ to three digits. It lies nearly as well in the mode of $A$, but there
# the eigenvalue is far off.
#
# Both eigenvalues were recorded along the 24 runs. The growth is $\log\lVert u\rVert$ after minus before, over 100 steps,
# divided by 100.

# %%
runs, inside = usual[2], slice(2, -1)
u_norm = runs.td_error_norm
measured = (np.log(u_norm[:, 3:]) - np.log(u_norm[:, 1:-2])) / (step[3:] - step[1:-2])  # per step, over 100 steps
sgd_rate, adam_rate = runs.sgd_rate[:, inside], runs.adam_rate[:, inside]
for t in (300, 500, 1000, 3900):
    at = step[inside] == t
    error = np.abs(adam_rate[:, at] / measured[:, at] - 1)
    print(
        f"step {t}: eps SEEM {np.median(sgd_rate[:, at]):.2g} a step, measured {np.median(measured[:, at]):.2g}; "
        f"A_Adam off by {np.median(error):.0%} (median), {error.max():.0%} (worst of {len(error)} seeds); "
        f"lag of m: {9 * 3 / 2 * np.median(measured[:, at]):.0%}; rate times t: {t * np.median(adam_rate[:, at]):.2f}"
    )
shown = step[inside] >= 300
plotting.predicted_rates(step[inside][shown], measured[:, shown], sgd_rate[:, shown], adam_rate[:, shown])

# %% [markdown]
# So the idea of lesson 03 survives: the error is driven by itself, through one eigenvalue. But it is the eigenvalue of a
# matrix that knows the optimiser, and it *falls*. Double all gradients, past and present, and $S$ is halved: the step is
# the same. So a larger error no longer makes a larger step, and this is the feedback that Adam cuts (section 3).
#
# How does it fall? Growth like $t^k$ has the rate $k/t$. The rate times $t$ comes down from about 3 to 1.6. So $k/t$ is
# right only roughly, and late in the run it comes near the exponent of *Explain*.
#
# Where do the remaining few per cent come from? From $\hat m \approx g$: the average lags behind a gradient that grows, by
# $\beta_1/(1-\beta_1) = 9$ steps. The gradient grows like $\lVert\theta\rVert^3$ and $u$ like $\lVert\theta\rVert^2$, so in 9
# steps $g$ grows by 9 times $\tfrac32$ times the rate of $u$. This is the column "lag of m", and it is about as large as
# what is off.
#
# How much does all this show? It is a check along the climb, where one mode rules. It is no forecast, and it says nothing
# about the early phase, where one would like a warning. What SEEM itself still says under Adam is that something excites
# itself. It does not say how fast.

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/06_adam.ipynb](exercises/06_adam.ipynb). The last line of each answer cell checks your
# answer and says what is off. Solutions: [solutions/06_adam.ipynb](solutions/06_adam.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | Adam by hand, on one parameter | 3 | easy |
# | 2 | in what order do $Q$, the gradient, SEEM and Adam's rate grow? | 4 | middle |
# | 3 | the ratio $\zeta$ for a gradient that grows like $t^q$ | 5 | middle |
# | 4 | which power fits the stored runs, and how sure are you? | 8 | middle |

# %% [markdown]
# ## Where the theory stops
#
# **The exponent and the slope.** Two numbers of the simple law can be compared with the runs: the exponent of $|Q|$,
# which should be $L$, and the slope of $\lVert\theta\rVert$, which should be $\eta\sqrt P$. First the exponent, for every
# seed, each value of $\beta_2$ and both depths.

# %%
exponents = {depth: {} for depth in DEPTHS}
for depth in DEPTHS:
    for beta2 in (0.9, 0.99, 0.999, 0.9999):
        climbs = list(sl.stored_adam_runs(depth, beta2).climbs())
        free = np.array([sl.fit_power(t, q).exponent for t, _, q in climbs])
        t = sorted((t for t, _, _ in climbs), key=len)[len(climbs) // 2]  # the middle window
        model = sl.fit_power(t, one_number(depth, 4000, beta2)[0][t]).exponent
        exponents[depth][f"β2 = {beta2}"] = free, model
        low, middle, high = np.quantile(free, [0.05, 0.5, 0.95])
        print(f"depth {depth}, beta2 {beta2}: exponent {middle:.2f} [{low:.2f}, {high:.2f}], one number {model:.2f}")
for until in (1000, 2000, 4000):
    found = {d: np.median([sl.fit_power(t, q).exponent for t, _, q in runs.climbs(until)]) for d, runs in usual.items()}
    print(f"beta2 0.999, to step {until}: exponent {found[2]:.2f} (depth 2), {found[3]:.2f} (depth 3)")
long_run = {depth: one_number(depth, 64_000)[0] for depth in DEPTHS}
for first, last in ((4000, 16_000), (16_000, 64_000)):
    t = np.linspace(first, last, 60).astype(int)
    found = {depth: sl.fit_power(t, q[t]).exponent for depth, q in long_run.items()}
    print(f"one number, steps {first} to {last}: exponent {found[2]:.2f} (depth 2), {found[3]:.2f} (depth 3)")
plotting.climb_exponents(exponents)

# %% [markdown]
# (In brackets: 90 % of the seeds.) Now the slope. It can be taken apart. A step has the length $\eta\sqrt{P}$ times
# $\sqrt{\text{active share}}$ times $\zeta$ (root mean square), and of this only the part along $\theta$ counts, the
# cosine between the step and $\theta$.

# %%
print("depth   step   slope / (lr sqrt P)   sqrt(active share)   zeta (rms)   cosine   zeta (median)")
for depth, runs in usual.items():
    for t in (500, 1000, 3950):
        columns = (runs.slope, np.sqrt(runs.active_share), runs.rms_ratio, runs.cosine, runs.ratio)
        slope, share, rms, cosine, middle = (np.median(values[:, step == t]) for values in columns)
        print(f"{depth:5d}   {t:4d}   {slope:19.2f}   {share:18.2f}   {rms:11.2f}   {cosine:6.2f}   {middle:14.2f}")
for depth, runs in usual.items():
    unlike = (runs.rms_ratio / runs.ratio)[:, step >= 1000].mean(axis=1)
    share = np.sqrt(runs.active_share[:, -1])
    short = sl.stored_adam_runs(depth, beta2=0.9).slope[:, step >= 3000].mean(axis=1)
    print(f"depth {depth}: if the median zeta falls to 1, what is left is", end=" ")
    print(f"{np.median(share):.2f} * {np.median(unlike):.2f} = {np.median(share * unlike):.2f};", end=" ")
    print(f"measured with beta2 = 0.9: {np.median(short):.2f} (seeds {short.min():.2f} to {short.max():.2f})")

# %% [markdown]
# | the simple law | measured with the usual $\beta_2$ | why |
# | --- | --- | --- |
# | $\lvert Q\rvert$ grows like $t^L$ | exponent 1.58 for $L = 2$ and 2.38 for $L = 3$ to step 4000, below $L$ for every seed | the memory of $v$ runs out: the one number, which has only this, gives 1.60 and 2.38 |
# | at least in the end | falls first; in the one number it rises again, to 1.87 and 2.71 after 16,000 to 64,000 steps | $L$ is the limit, but a far one |
# | the slope is $\eta\sqrt P$ | 1.6 and 1.75 times that at step 500, about 1.1 times near 4000, still falling | $\zeta > 1$ |
# | at least in the end | heads for 0.71 and 0.62; with $\beta_2 = 0.9$, where $\zeta$ is 1, it is 0.70 and 0.62 | not all parameters are active, and for $L = 2$ a third of these hardly move |
#
# So the slope is on its way down through the "right" value. A run of one length could have "confirmed" it. The same holds
# for the exponent: for three layers to step 1000 it is 2.98. Exercise 4 is about this.
#
# **Not every parameter climbs.** Which of the active parameters hardly move? An active hidden unit has six: four weights
# in the first layer (two read the position, two the action), a bias, and one weight in the second layer. Here is the
# median step of each kind, and the share of the first layer's gradient that it has, for the run of section 2:

# %%
for t in (300, 1000):
    layer_one = looks[t].change[: 64 * 4].reshape(64, 4).abs() / 1e-3
    gradient = looks[t].g[: 64 * 4].reshape(64, 4)
    on = (gradient != 0).any(1)
    kinds = {"position": slice(0, 2), "action": slice(2, 4)}
    said = [
        f"{name} weights: step {layer_one[on, part].median():.2f} lr, "
        f"share of the gradient {gradient[:, part].norm() / gradient.norm():.3f}"
        for name, part in kinds.items()
    ]
    bias, second = (looks[t].change[a : a + 64].abs()[on].median() / 1e-3 for a in (256, 320))
    print(f"step {t}: {'; '.join(said)}; bias {bias:.2f} lr, second layer {second:.2f} lr")
for depth, runs in usual.items():
    late = runs.flipped_share[:, step >= 1000]
    often = (late > 0.01).mean(axis=1)
    print(f"depth {depth}: some gradients changed sign since the step before in {often.min():.0%} to", end=" ")
    print(f"{often.max():.0%} of the records of a seed; then in {np.median(late[late > 0.01]):.0%} of its parameters")

# %% [markdown]
# The weights that read the position carry the climb. Those that read the action have come to a balance: their gradient is
# next to nothing and jitters around zero. SGD would hardly move them. Adam divides by their size, so they keep making
# steps, but much shorter ones. Two of six: this is the third, and it is why the root mean square lies below the median.
# With three layers most parameters sit in the middle layer, and the action weights are only one in twenty.
#
# "Always the same way" is therefore not true for every parameter. But it holds for those that matter: the cosine of the
# whole gradient in section 2 did not see the others.
#
# **Whether it climbs at all.** Nothing in the argument says *whether* the gradient starts to keep its direction. Here are
# two smaller discounts, SGD for 1500 steps beside Adam for 4000. "Climbs" means that the largest $|Q|$ is above 10 in the
# end.

# %%
gammas = {gamma: sl.stored_adam_runs(gamma=gamma) for gamma in (0.99, 0.965, 0.95)}
climbing = {gamma: runs.q_max[:, -1] > 10 for gamma, runs in gammas.items()}
for gamma in (0.965, 0.95):
    explodes = np.array([run.diverged for run in train_with_sgd(gamma)])
    both, adam = (explodes & climbing[gamma]).sum(), climbing[gamma].sum()
    chance = explodes.sum() * adam / 24
    print(f"gamma {gamma}: SGD explodes on {explodes.sum()} of 24, Adam climbs on {adam}, both on {both}", end="; ")
    print(f"unrelated, it would be {chance:.1f}")
for wanted, label in ((True, "climbs"), (False, "does not climb")):
    last = np.concatenate([runs.last_switch[climbing[gamma] == wanted] for gamma, runs in gammas.items()])
    print(f"{label}: {len(last)} runs, last switch of a next action at step {np.median(last):.0f}", end=" ")
    print(f"(from {last.min():.0f} to {last.max():.0f})")

# %% [markdown]
# - At discount 0.965 both run away on most seeds, but on which ones seems unrelated: as many have both as chance would
#   give. At 0.95 neither does. So the discount decides much, and the seed does not decide the same for both optimisers.
# - In the runs that climb, the greedy next actions settle within the first thousand steps, in most much earlier. In those
#   that do not, they were still switching late, most of them to the end. This suggests that the settling is not a detail
#   but the premise of "the gradient keeps its direction". What makes it true, the argument does not say.

# %% [markdown]
# ## Summary
#
# - Adam divides each gradient by its own recent size. If the gradient keeps its direction, a step is about as long as the
#   learning rate allows, however large the gradient is. This cuts the feedback that makes SGD explode.
# - So $\lVert\theta\rVert$ grows about linearly, and $|Q|$ about like $t^L$. It is still divergence, only slower.
# - "About": while the gradient grows, a step is $\zeta > 1$ times longer, up to about $\sqrt{4L-1}$, and $\zeta$ falls as
#   the memory $1/(1-\beta_2)$ runs out. With the usual $\beta_2$ the exponent comes out below $L$. The slope is not $\eta\sqrt P$, not even in the
#   end, because not every parameter takes part.
# - SEEM is made for SGD. With Adam's step sizes put in, the same matrix gives the growth rate of the climb.
# - In the [ledger](11_claims.ipynb): `order-adam` **holds with limits**.

# %% [markdown]
# ## References
#
# - Kingma, Ba, *Adam: A Method for Stochastic Optimization*, 2015, arXiv 1412.6980.
# - Balles, Hennig, *Dissecting Adam: The Sign, Magnitude and Variance of Stochastic Gradients*, 2018, arXiv 1705.07774:
#   Adam as the sign of the gradient with a varying step size.
# - Cohen et al., *Adaptive Gradient Methods at the Edge of Stability*, 2022, arXiv 2207.14484: for supervised training,
#   Adam's stability too is read off a matrix divided by $\sqrt{\hat v}$.
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: the linear and polynomial growth under Adam.

# %% [markdown]
# ## Next
#
# [07 LayerNorm](07_layer_norm.ipynb): why does a normalisation layer break the loop?
