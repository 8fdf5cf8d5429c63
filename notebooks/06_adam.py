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
# **Time.** about 60 minutes, exercises 30 more
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
import numpy as np
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
SEEDS = range(24)
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
# in a quarter of an hour or so. The file holds one row a run and one column for every 50th step. (In section 2 you train
# with Adam yourself.)

# %%
stored = dict(np.load(sl.problems.DATA / "adam_runs.npz"))
step = stored["step"]


def runs(series, depth=2, beta2=0.999, lr=1e-3, gamma=0.99):
    """One stored series of all seeds, (seeds, records); last_switch is (seeds,)."""
    wanted = {"depth": depth, "beta2": beta2, "lr": lr, "gamma": gamma}
    rows = np.all([stored[name] == value for name, value in wanted.items()], axis=0)
    return stored[series][rows].astype(float)


walks = [sl.toy_walk(seed) for seed in SEEDS]
networks = [sl.mlp(4, hidden=(64,), seed=1000 + seed) for seed in SEEDS]
sgd = sl.train_stacked(networks, walks, lr=0.02, steps=1500)
crash = [int(run.step[-1]) for run in sgd if run.diverged]
print(f"SGD: {len(crash)} of {len(sgd)} blow up, the first at step {min(crash)}, the last at step {max(crash)}")
early = step <= 1500
plotting.explosion_and_climb(sgd, step[early], runs("q_max")[:, early])

# %% [markdown]
# Both are wrong: the true value is 0. But they are wrong in different ways. With SGD the growth becomes faster and
# faster, and there is a last step. With Adam the value climbs. The curve on the logarithmic axis bends to the right: it
# grows more slowly than any exponential. There is no last step.
#
# The problem is the same, and so is the gradient at a given $\theta$. Only the rule that turns the gradient into a step
# is different. So look at the rule.

# %% [markdown]
# ## 2 Adam in four lines
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
# - A gradient that *grows* gives longer steps. Leave that aside until section 4.
#
# So SGD's step is as long as the gradient. Adam's step is about $\eta$ per parameter. That is all the difference we
# need. Now the same four lines on the walk, with all parameters in one vector. We look at the run every 100 steps, and
# we check the four lines against PyTorch's own Adam.


# %%
def train_with_adam(network, walk, steps, look_every=100, **settings):
    """Q-learning with adam_step. Returns theta, gradient and step of every look."""
    parameters = list(network.parameters())
    theta = parameters_to_vector(parameters).detach()
    m, v, looks = 0.0, 0.0, []
    for t in range(1, steps + 1):
        _, q_next = walk.greedy(network)
        u = sl.q_values(network, walk.x) - (walk.reward + walk.discount * q_next)
        g = parameters_to_vector(torch.autograd.grad(u.square().mean(), parameters))
        moved, m, v = adam_step(theta, g, m, v, t, **settings)
        if t % look_every == 0:
            looks.append((theta, g, moved - theta))
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
for before, now in ((0, 1), (1, 2), (3, 4), (8, 9)):
    (_, g_before, _), (_, g, change) = looks[before], looks[now]
    active = g != 0
    cosine = torch.cosine_similarity(g, g_before, dim=0)
    middle = (change[active].abs() / 1e-3).median()
    print(f"{100 * (now + 1):4d}   {active.double().mean():6.0%}   {middle:18.1f}   {cosine:10.3f}")

# %% [markdown]
# Read the columns.
#
# - **active** is the share of the parameters that have a gradient at all. The others belong to hidden units that are off
#   for the whole data set. Adam leaves these alone. So the sum over "all parameters" is one over the active ones.
# - The **median step** of the active parameters is between 2 and 3 times $\eta$. It is not $\eta$. Remember that.
# - The **cosine** between the gradient now and 100 steps before comes close to 1. The gradient keeps its direction. It
#   grows, but the direction stays.

# %% [markdown]
# ## 3 From a steady step to a steady climb
#
# Now the simple argument, in three lines.
#
# 1. The gradient keeps its direction. So each active parameter moves by about $\eta\,\operatorname{sign}(g)$ in every
#    step, always the same way.
# 2. So the parameters grow linearly in $t$, and $\lVert\theta\rVert$ with them. If all $P$ parameters move by $\eta$, the
#    slope is $\eta\sqrt P$ in the end.
# 3. $Q$ is a product of $L$ layers. Multiply all parameters by $s$, and $Q$ is multiplied by $s^L$ (exactly without
#    biases, nearly so with them once the weights are large: lesson 05). So $Q$ grows like $t^L$, and $|Q|^{1/L}$ grows
#    linearly.
#
# Where did SGD differ? There, step 1 is "each parameter moves by $\eta\, g$", and $g$ itself grows like
# $\lVert\theta\rVert^{2L-1}$: $u$ grows like $Q$, with power $L$, and $\phi = \partial Q / \partial\theta$ has one factor
# less. That is a feedback. Adam divides by the size of $g$, and cuts the feedback off.
#
# Here are the 24 seeds with $L = 2$ (64 hidden units) and with $L = 3$ (twice 64), 4000 steps. For each run a straight
# line is fitted, from the step at which $\lVert u \rVert$ has reached ten times its minimum (`sl.terminal_start`).
# $R^2$ is the share of the variance which the line explains.


# %%
def climbs(depth, beta2=0.999, until=4000):
    """For every seed: step, ||theta|| and largest |Q|, from ten times the smallest ||u|| on."""
    cut = []
    series = (runs(name, depth, beta2)[:, step <= until] for name in ("td_error_norm", "parameter_norm", "q_max"))
    for u, norm, q in zip(*series, strict=True):
        start = sl.terminal_start(u)
        assert start is not None, "this run does not climb"
        cut.append((step[step <= until][start:], norm[start:], q[start:]))
    return cut


DEPTHS = {2: (64,), 3: (64, 64)}
for depth in DEPTHS:
    first = [int(t[0]) for t, _, _ in climbs(depth)]
    print(f"depth {depth}: all {len(first)} seeds climb; the lines begin between step {min(first)} and {max(first)}")
    for until in (2000, 4000):
        norm_line = [sl.fit_line(t, norm).r_squared for t, norm, _ in climbs(depth, until=until)]
        root_line = [sl.fit_line(t, q ** (1 / depth)).r_squared for t, _, q in climbs(depth, until=until)]
        print(f"   to step {until}: R^2 of ||theta|| {min(norm_line):.3f} to {max(norm_line):.3f},", end=" ")
        print(f"of |Q|^(1/{depth}) {min(root_line):.3f} to {max(root_line):.3f}")
climb = {depth: (runs("parameter_norm", depth), runs("q_max", depth)) for depth in DEPTHS}
plotting.steady_climb(step, climb, line_from=400)

# %% [markdown]
# The simple argument does well: for every seed and both depths the line explains 99 % of the variance or more. With SGD
# the same seeds were gone before step 400.
#
# But look closer. The curves cross the dashed line twice: they are bent downwards, a little. And $R^2$ is *lower* for the
# longer stretch, although the early, unsettled part of the run weighs less in it. If the law were right, it should be
# higher. A good $R^2$ does not say that a law is right.

# %% [markdown]
# ## 4 Where the simple argument is wrong
#
# Line 1 of the argument said "moves by about $\eta$". The table in section 2 said 2 to 3 times $\eta$, and the made-up
# gradients that grow gave longer steps, too. Call
#
# $$\rho = \frac{|\hat m|}{\sqrt{\hat v}}$$
#
# the **ratio**: how many times $\eta$ a parameter moves. In a climb the gradient grows. $\hat m$ looks back 10 steps and
# nearly sees the gradient of today. $\hat v$ looks back 1000 steps: it still remembers the small gradients of the
# beginning. So $\sqrt{\hat v}$ lags behind, and $\rho > 1$.
#
# By how much? Take $g = t$, and a time long before $1/(1-\beta_2)$. Then $\hat v$ has forgotten nothing: it is the plain
# average of $g^2$ so far,
#
# $$\hat v \approx \frac1t \int_0^t s^2\, ds = \frac{t^2}{3}, \qquad
# \rho \approx \frac{t}{\sqrt{t^2 / 3}} = \sqrt 3 = 1.73 .$$
#
# That is where the line "grows like t" in section 2 was heading. In a climb by the simple argument the gradient grows
# faster, like $t^{2L-1}$. The same integral with this power gives
#
# $$\rho \approx \sqrt{4L - 1} \qquad \text{(2.65 for } L = 2\text{, 3.32 for } L = 3\text{)}.$$
#
# Exercise 3 asks you to do this integral. And much later, when $t \gg 1/(1-\beta_2)$? Then $\hat v$ remembers only the
# last $1/(1-\beta_2)$ steps, in which the gradient hardly changed, compared to its size. So $\rho \to 1$.
#
# The step is therefore not steady. It starts too long and becomes shorter, all the way. The parameters grow fast, then
# less fast, and the curve bends down.
#
# ### The argument with its memory put back
#
# Can this explain all of it? Let us keep *only* this effect, and drop everything else about the network. **One number
# under Adam**: $s$ stands for the size of the parameters. Its gradient is $-s^{2L-1}$, by homogeneity, with the sign that
# makes $s$ grow. (A factor in front would change nothing: Adam divides it away.) Adam does the rest.

# %%
parameters = {depth: sum(p.numel() for p in sl.mlp(4, hidden=hidden).parameters()) for depth, hidden in DEPTHS.items()}


def one_number(depth, steps, lr=1e-3, beta2=0.999, start=1.0):
    """Q = s^L under Adam. Returns s^L and the ratio rho before every step."""
    share = np.median(runs("active_share", depth)[:, -1])
    reach = lr * np.sqrt(share * parameters[depth])  # how far ||theta|| moves if every active parameter moves by lr
    s, m, v, q, ratio = start, 0.0, 0.0, [], []
    for t in range(1, steps + 2):
        grown, m, v = adam_step(s, -(s ** (2 * depth - 1)), m, v, t, lr=reach, beta2=beta2)
        q.append(s**depth)
        ratio.append((grown - s) / reach)
        s = grown
    return np.array(q), np.array(ratio)


late = step >= 100
groups = {}
for beta2 in (0.999, 0.9):
    groups[f"β2 = {beta2}"] = (
        runs("ratio", beta2=beta2)[:, late],
        one_number(2, step[-1], beta2=beta2)[1][step[late]],
    )
for depth in DEPTHS:
    measured, model = np.median(runs("ratio", depth), axis=0), one_number(depth, step[-1])[1]
    print(
        f"depth {depth}: sqrt(4L - 1) = {np.sqrt(4 * depth - 1):.2f}; measured at most {measured.max():.2f};", end=" "
    )
    print("at step 1000 and 4000", *(f"{measured[step == t][0]:.2f}" for t in (1000, 4000)), end="; ")
    print("one number", *(f"{model[t]:.2f}" for t in (1000, 4000)))
plotting.ratio_through_training(step[late], groups, start=np.sqrt(7))

# %% [markdown]
# From step 1000 on, the one number and the networks agree to about one per cent, although the one number knows nothing of
# walks, layers or ReLUs. It was given the depth, $\beta_2$, and how far a step reaches. From there on the band over the
# seeds is too narrow to be seen: all networks do the same.
#
# Before step 1000 it is less exact. When the climb begins depends on the network, and where the one number starts
# ($s = 1$) is a choice of ours. The early value stays below $\sqrt{4L-1}$, mostly: $\hat m$ lags, too, by 10 steps, and the
# memory of 1000 steps begins to run out while the climb gets under way.

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
# B. With the short memory $\rho$ is 1 almost from the start. So the steps are shorter and all of one length: the climb is
# slower and nearly straight. (D confuses two things: without memory Adam is not SGD but the pure sign of the gradient.)
#
# </details>

# %% [markdown]
# ## Run
#
# The panel shows the stored runs, eight seeds of each. Left: $\lVert\theta\rVert$ and $|Q|^{1/L}$ with their straight
# lines. Right: the ratio $\rho$ of the middle one among the active parameters, and the dashed line $\sqrt{4L-1}$.
#
# Try to find out: which $\beta_2$ makes the bend strongest within 4000 steps? Is it the longest memory? What does three
# times the learning rate change, and what does it leave as it is?

# %%
panels.SteadyClimb()

# %% [markdown]
# ## Explain
#
# - With $\beta_2 = 0.9$ the ratio sits at 1, the lines are straight, and the best exponent is close to $L$.
# - With $\beta_2 = 0.9999$ the memory is 10,000 steps. Within 4000 steps it does not run out. So the ratio stays high and
#   nearly level, and the exponent is near $L$ again, with a steeper line. (The ratio can even pass $\sqrt{4L-1}$: the climb
#   begins at step 100 to 300, and $\hat v$ also averages over the small gradients before.)
# - In between, at $0.99$ and $0.999$, the memory runs out during the run. The step shortens while you watch, and this is
#   what bends the curve.
# - The learning rate sets how long every step is. It moves the beginning of the climb and the slope. The ratio hardly
#   knows it: $\rho$ is a matter of *steps*, not of distance.

# %% [markdown]
# ## 5 What does SEEM say here?
#
# SEEM, the self-excite eigenvalue measure, is the largest real part among the eigenvalues of $A$. It comes from
# $u_{\text{new}} \approx (I + \varepsilon A)\,u$ with $\varepsilon = 2\eta/N$, and that was derived for SGD. Under Adam,
# $\lVert\theta\rVert$ grows, so the kernel grows, so SEEM grows: it calls for faster and faster growth. Adam does not
# follow. Read as a rate, SEEM is simply wrong here, and more so in every step.
#
# But we can repeat the derivation of lesson 03 with Adam's step. Take $\hat m \approx g$, and let $D$ be the diagonal
# matrix with the entries $1/(\sqrt{\hat v} + 10^{-8})$, one for each parameter. The step is $-\eta D g$, and
# $g = \tfrac2N \Phi(X)^\top u$ ($\Phi$ stacks the rows $\phi$). So
#
# $$u_{\text{new}} \approx (I + \varepsilon A_D)\, u, \qquad
# A_D = \big(\gamma\, \Phi(X^*) - \Phi(X)\big)\, D\, \Phi(X)^\top .$$
#
# It is the same matrix, with each parameter's share divided by the size of its own gradient. Its leading eigenvalue was
# recorded along the 24 runs, beside SEEM. If it is right, $\varepsilon$ times it is the growth of $\lVert u \rVert$ in
# one step, measured as $\log\lVert u\rVert$ after minus before.

# %%
inside = slice(2, -1)
u_norm = runs("td_error_norm")
measured = (np.log(u_norm[:, 3:]) - np.log(u_norm[:, 1:-2])) / (step[3:] - step[1:-2])  # per step, over 100 steps
sgd_rate, adam_rate = runs("sgd_rate")[:, inside], runs("adam_rate")[:, inside]
shown = step[inside] >= 300
for t in (500, 1000, 3900):
    at = step[inside] == t
    error = np.abs(adam_rate[:, at] / measured[:, at] - 1)
    print(
        f"step {t}: SEEM's rate is {np.median(sgd_rate[:, at] / measured[:, at]):.0f} times too large; "
        f"with D it is off by {np.median(error):.0%} (median), {error.max():.0%} (worst of {len(error)} seeds)"
    )
plotting.predicted_rates(step[inside][shown], measured[:, shown], sgd_rate[:, shown], adam_rate[:, shown])

# %% [markdown]
# So the idea of lesson 03 survives. The error still feeds itself, at the rate of one eigenvalue. But it is the eigenvalue
# of a matrix that knows the optimiser. This one *falls*, about like $1/t$; and growth at the rate $k/t$ a step is the law
# $t^k$.
#
# How much does this show? It is a check along the climb, where one mode rules and $u$ lies in it. The remaining few per
# cent come at least in part from $\hat m \approx g$: the average lags behind a gradient that grows. It is no forecast, and
# it says nothing about the early phase, where one would like a warning. What SEEM itself still says under Adam is that
# something excites itself. It does not say how fast.

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/06_adam.ipynb](exercises/06_adam.ipynb). The last line of each answer cell checks your
# answer and says what is off. Solutions: [solutions/06_adam.ipynb](solutions/06_adam.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | Adam by hand, on one parameter | 8 | easy |
# | 2 | in what order do $Q$, the gradient and SEEM grow? | 7 | middle |
# | 3 | the ratio $\rho$ for a gradient that grows like $t^q$ | 15 | middle |

# %% [markdown]
# ## Where the theory stops
#
# **The exponent.** The simple law says that $|Q|^{1/k}$ is straightest for $k = L$. Let the exponent $k$ go free
# (`sl.fit_power`), for every seed, each value of $\beta_2$ and both depths:

# %%
exponents = {depth: {} for depth in DEPTHS}
for depth in DEPTHS:
    for beta2 in (0.9, 0.99, 0.999, 0.9999):
        found = climbs(depth, beta2)
        free = np.array([sl.fit_power(t, q).exponent for t, _, q in found])
        t = sorted((t for t, _, _ in found), key=len)[len(found) // 2]  # the middle window
        model = sl.fit_power(t, one_number(depth, step[-1], beta2=beta2)[0][t]).exponent
        exponents[depth][f"β2 = {beta2}"] = free, model
        low, middle, high = np.quantile(free, [0.05, 0.5, 0.95])
        print(f"depth {depth}, beta2 {beta2}: exponent {middle:.2f} [{low:.2f}, {high:.2f}], one number {model:.2f}")
plotting.climb_exponents(exponents)

# %% [markdown]
# (In brackets: 90 % of the seeds.) With the usual $\beta_2$ the exponent is clearly below $L$, for every seed. It is no
# noise, and no fault of one network. The one number has nearly the same bias. So the memory of $v$ is the reason.
#
# Is $L$ then wrong? It is the limit, but a far one. What you measure depends on when you look:

# %%
for until in (1000, 2000, 4000):
    found = {d: [sl.fit_power(t, q).exponent for t, _, q in climbs(d, until=until)] for d in DEPTHS}
    print(
        f"24 networks, to step {until}: exponent",
        ", ".join(f"{np.median(e):.2f} (depth {d})" for d, e in found.items()),
    )
long_run = {depth: one_number(depth, 64_000)[0] for depth in DEPTHS}
for first, last in ((4000, 16_000), (16_000, 64_000)):
    t = np.linspace(first, last, 60).astype(int)
    found = ", ".join(f"{sl.fit_power(t, q[t]).exponent:.2f} (depth {depth})" for depth, q in long_run.items())
    print(f"one number, steps {first} to {last}: exponent {found}")
for k in (1, 2, 3, 4):
    worst = {d: min(sl.fit_line(t, q ** (1 / k)).r_squared for t, _, q in climbs(d)) for d in DEPTHS}
    print(f"R^2 of |Q|^(1/{k}), smallest over the seeds: {worst[2]:.3f} (depth 2), {worst[3]:.3f} (depth 3)")

# %% [markdown]
# The last lines are a warning about evidence. For three layers, "$R^2$ of $|Q|^{1/3}$ is above 0.99" is true. But
# $|Q|^{1/2}$ does as well. A straight-looking line alone cannot tell the neighbouring laws apart.
#
# **The slope.** The simple law says $\eta\sqrt P$. The true slope of $\lVert\theta\rVert$ is a product that can be
# measured factor by factor: the length of a step is $\eta\sqrt{P}$ times $\sqrt{\text{active share}}$ times the ratio
# $\rho$ (root mean square over the active parameters), and only the part along $\theta$ counts, which is the cosine
# between the step and $\theta$.

# %%
for depth in DEPTHS:
    unit = 1e-3 * np.sqrt(parameters[depth])
    share, length, cosine = (runs(name, depth) for name in ("active_share", "step_norm", "cosine"))
    slope = np.gradient(runs("parameter_norm", depth), step, axis=1) / unit
    ratio = length / unit / np.sqrt(share)
    for t in (500, 1000, 3950):
        factors = [np.median(values[:, step == t]) for values in (slope, np.sqrt(share), ratio, cosine)]
        print(
            "depth {}, step {}: slope / (lr sqrt P) = {:.2f};  factors {:.2f} * {:.2f} * {:.2f}".format(
                depth, t, *factors
            )
        )

# %% [markdown]
# (Medians over the seeds.) At step 500 the slope is 1.6 to 1.8 times that of the simple law. Near step 4000 it has come
# down to about 1.1, and it still falls. If the ratio goes on to 1, what is left is $\sqrt{\text{active share}}$, below 1:
# about 0.9 for two layers and 0.6 for three. So the slope passes through the "right" value on its way down. A run of one
# length, at one depth, could have "confirmed" it.
#
# **The direction.** The gradient as a whole keeps its direction, to three digits. But Adam treats every parameter by
# itself, the ones with small gradients too. How many of the active parameters see their gradient change its sign from one
# step to the next?

# %%
flipped = runs("flipped_share")
for t in (100, 500, 1000, 2000, 4000):
    now = flipped[:, step == t]
    print(
        f"step {t}: gradient flipped in {np.median(now):.0%} of the active parameters (seeds: {now.min():.0%} to {now.max():.0%})"
    )

# %% [markdown]
# In some seeds none, in others a third: the cosine did not see that. Which parameters are they? The first layer has four
# weights a hidden unit: two read the position, two the action. Here is the size of the gradient of each kind, relative to
# the whole first layer, for the run of section 2:

# %%
for at in (1, 9):
    g_first = looks[at][1][: 64 * 4].reshape(64, 4)  # of the first layer's weights
    sizes = ", ".join(f"{size:.2f}" for size in g_first.norm(dim=0) / g_first.norm())
    print(f"step {100 * (at + 1)}: position x, y, action x, y: {sizes}")

# %% [markdown]
# The weights that read the position carry the climb. Those that read the action have come to a balance: their gradient is
# next to nothing, and it can jitter around zero. An active hidden unit has six parameters (four weights, a bias, one weight
# in the second layer), so two kinds of jittering weights make up the third. SGD would hardly move them. Adam divides by
# their size, so they keep making steps to and fro. These cancel, and the climb does not care. But "each active parameter
# moves by $\eta\,\operatorname{sign}(g)$, always the same way" is true for two thirds of them, at times.
#
# **Whether it climbs at all.** Nothing in the argument says *whether* the gradient starts to keep its direction. Here are
# two smaller discounts, SGD for 1500 steps beside Adam for 4000. "Climbs" means that the largest $|Q|$ is above 10 in the
# end.

# %%
for gamma in (0.965, 0.95):
    walks = [sl.toy_walk(seed, gamma=gamma) for seed in SEEDS]
    networks = [sl.mlp(4, hidden=(64,), seed=1000 + seed) for seed in SEEDS]
    explodes = np.array([run.diverged for run in sl.train_stacked(networks, walks, lr=0.02, steps=1500)])
    climbing = runs("q_max", gamma=gamma)[:, -1] > 10
    both = (explodes & climbing).sum()
    print(f"gamma {gamma}: SGD explodes on {explodes.sum()} of 24, Adam climbs on {climbing.sum()}, both on {both}")
climbing = np.concatenate([runs("q_max", gamma=gamma)[:, -1] > 10 for gamma in (0.99, 0.965, 0.95)])
last_switch = np.concatenate([runs("last_switch", gamma=gamma) for gamma in (0.99, 0.965, 0.95)])
for label, group in (("climbs", climbing), ("does not climb", ~climbing)):
    middle, low, high = np.median(last_switch[group]), last_switch[group].min(), last_switch[group].max()
    print(
        f"{label}: {group.sum()} runs, last switch of a next action at step {middle:.0f} (from {low:.0f} to {high:.0f})"
    )

# %% [markdown]
# - The switch from SGD to Adam hardly changes *whether* the values run away. At discount 0.965 both do on most seeds, but
#   not on exactly the same ones; at 0.95 neither does.
# - In the runs that climb, the greedy next actions settle within the first thousand steps, in most much earlier. In those
#   that do not, they were still switching late, most of them to the end. So "the gradient keeps its direction" is not a
#   detail of the argument but its premise. What makes it true, the argument does not say.

# %% [markdown]
# ## Summary
#
# - Adam divides each gradient by its own recent size. If the gradient keeps its direction, a step is about as long as the
#   learning rate allows, however large the gradient is. This cuts the feedback that makes SGD explode.
# - So $\lVert\theta\rVert$ grows about linearly, and $|Q|$ about like $t^L$. It is still divergence, only slower.
# - "About": while the gradient grows, a step is $\rho > 1$ times longer, up to about $\sqrt{4L-1}$, and $\rho$ falls as
#   the memory $1/(1-\beta_2)$ runs out. The exponent comes out below $L$, and the slope is not $\eta\sqrt P$.
# - SEEM is made for SGD. With Adam's step sizes put in, the same matrix gives the growth rate of the climb.

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
