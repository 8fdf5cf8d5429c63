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
# # 05 Growth and crash
#
# **Question.** How fast, in what order, and at which step does it end?
#
# **Time.** about 70 minutes to read and run; the exercises take 30 minutes more
#
# **Before this.** [04 SEEM](04_seem.ipynb). You have met $u_{\text{new}} = (I + \varepsilon A)\,u$ with
# $\varepsilon = 2\eta/N$, the tangent kernel $G$, and **SEEM** (self-excite eigenvalue measure), the largest real part
# among the eigenvalues of $A$. You can solve $\dot x = c\,x$.
#
# **You will be able to**
# 1. derive how Q, its kernel and SEEM grow with the parameters, and why this ends at a finite step;
# 2. forecast that step from SEEM and $|Q|$ of one moment, in three ways, and say which way is off by what;
# 3. say when such a forecast must not be made.
#
# **In the paper.** The section on the order of growth under SGD (arXiv 2310.04411): for two layers, $1/Q$ falls on a
# straight line. Other depths, the discrete map of section 5, the intervals and the measurements are ours.

# %% [markdown]
# ## Set-up

# %%
import copy
import math

import numpy as np
import pandas as pd
import torch
from torch.nn.utils import parameters_to_vector

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
HIDDEN = {2: (64,), 3: (64, 64), 4: (64, 64, 64)}  # depth L, the number of linear layers -> widths
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

# %% [markdown]
# All runs are toy walks at discount 0.99 (one exception near the end says so). Seed $s$ means: walk $s$, network
# $1000 + s$. A run **crashes** at the first step at which $|Q|$ is past a million. (`sl.train_stacked` does the same as
# `sl.train`, for several runs at once, and faster.)


# %%
def start(seed, depth=2, gamma=0.99):
    """A fresh network and its walk."""
    return sl.mlp(4, HIDDEN[depth], seed=1000 + int(seed)), sl.toy_walk(seed=int(seed), gamma=gamma)


def run_one(seed, depth=2, lr=0.02, steps=1500, seem_every=1):
    """One run from start to crash, with SEEM on the way."""
    network, walk = start(seed, depth)
    (run,) = sl.train_stacked([network], [walk], lr=lr, steps=steps, seem_at=range(0, steps + 1, seem_every))
    return run


# %% [markdown]
# ## The idea
#
# In lesson 02 the features were fixed. The error grew by the same factor in every step: an exponential. Such a run is
# large after a while, but it is finite at every step.
#
# A network's run is different. Here is one, twice.

# %%
run = run_one(SEED)
print(run.verdict)
plotting.error_and_inverse(run)

# %% [markdown]
# On the left, the axis is logarithmic. An exponential would be a straight line. This curve bends upwards until it is
# nearly vertical: the growth itself grows.
#
# On the right is the same run, but plotted as one over the error. Now the end is nearly straight, and it points *at a
# step*. If we understand why, we can read the step of the crash before it comes.

# %% [markdown]
# ## 1 What happens when all parameters grow
#
# **The network.** A ReLU network with $L$ linear layers and no biases computes
#
# $$Q(x) = W_L\, \sigma\big(W_{L-1} \cdots \sigma(W_1 x)\big), \qquad \sigma(z) = \max(z, 0).$$
#
# **Multiply all parameters by $s > 0$.** The first layer gives $s W_1 x$. ReLU passes a positive factor through:
# $\sigma(s z) = s\, \sigma(z)$. The next layer multiplies by $s$ again. After $L$ layers,
#
# $$Q \to s^L\, Q.$$
#
# A function with this property is called *homogeneous* of degree $L$.
#
# **The kernel.** $\phi(x) = \partial Q(x)/\partial\theta$ has one parameter fewer in each product than $Q$. So
# $\phi \to s^{L-1} \phi$. The tangent kernel is a product of two of them, $G(y, x) = \phi(y) \cdot \phi(x)$:
#
# $$G \to s^{2L-2}\, G, \qquad\text{hence}\qquad A \to s^{2L-2} A \quad\text{and}\quad \text{SEEM} \to s^{2L-2}\,
# \text{SEEM}.$$
#
# (The greedy actions stay the same, as all values are multiplied by the same positive number.)
#
# Let us check with $s = 2$.


# %%
def scaled(network, s):
    """A copy of the network, all its parameters multiplied by s."""
    larger = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in larger.parameters():
            parameter.mul_(s)
    return larger


walk = sl.toy_walk(seed=SEED)
for depth, hidden in HIDDEN.items():
    network = sl.mlp(4, hidden, bias=False, seed=1000 + SEED)
    larger = scaled(network, 2)
    q_ratio = (sl.q_values(larger, walk.x) / sl.q_values(network, walk.x)).mean().item()
    kernel_ratio = (sl.ntk(larger, walk.x) / sl.ntk(network, walk.x)).mean().item()
    print(f"L = {depth}: Q times {q_ratio:.6f} = 2^{depth}, kernel times {kernel_ratio:.6f} = 2^{2 * depth - 2}")

# %% [markdown]
# **With biases** this is no longer exact. Behind the first layer, the bias $b_2$ is multiplied by $s$ only, while what
# it is added to is multiplied by $s^2$. So the bias loses weight as $s$ grows, and the law comes back in the limit. Our
# networks have biases (PyTorch's default). We double the parameters again and again, and look at the power of $s$ at
# each doubling:

# %%
scales = 2.0 ** np.arange(11)
orders = {"Q": {}, "kernel": {}}
for depth, hidden in HIDDEN.items():
    network = sl.mlp(4, hidden, seed=1000 + SEED)
    larger = [scaled(network, s) for s in (*scales, 2 * scales[-1])]
    q = [sl.q_values(net, walk.x).detach().norm() for net in larger]
    kernel = [sl.ntk(net, walk.x).norm() for net in larger]
    orders["Q"][depth] = np.diff(np.log2(q))
    orders["kernel"][depth] = np.diff(np.log2(kernel))
plotting.scaling_orders(scales, orders)

# %% [markdown]
# The dotted lines are $L$ and $2L - 2$. The deeper the network, the larger the parameters must be before its $Q$ obeys.
# The kernel is near its law much earlier. So with biases the law is *asymptotic*, and whether a real run gets that far
# must be measured.

# %% [markdown]
# ## 2 From the order of growth to a crash
#
# **One assumption.** Near the end of a run the parameters move along one fixed direction. Only their size
# $\rho$ (rho) changes. We call this direction the *ray*.
#
# On the ray, section 1 holds with $s \propto \rho$. With $u = \lVert u\rVert$ the size of the TD error (the rewards are
# zero, so it grows like $Q$), and $\lambda$ (in code `seem`) for SEEM:
#
# $$u \propto \rho^L, \qquad \lambda \propto \rho^{2L-2} \qquad\Longrightarrow\qquad
# \lambda \propto u^p, \quad p = \frac{2L-2}{L} .$$
#
# So $p = 1$ for two layers, $4/3$ for three, $3/2$ for four.
#
# **The growth.** If $u$ lies in the leading mode, one step multiplies it by $1 + \varepsilon\lambda$. For small steps we
# may write this with a time $t$ that counts steps:
#
# $$\frac{du}{dt} = \varepsilon \lambda\, u .$$
#
# We call this the *flow*. Now $\lambda$ is not constant.
#
# **Two layers, step by step.** $\lambda = c\,u$ with some constant $c$. Then
#
# $$\frac{du}{dt} = \varepsilon c\, u^2 .$$
#
# Look at $1/u$ instead of $u$. By the chain rule,
#
# $$\frac{d}{dt}\,\frac1u = -\frac{1}{u^2}\,\frac{du}{dt} = -\varepsilon c .$$
#
# A constant! So $1/u$ falls on a **straight line**, and it reaches zero after a finite time. There, $u$ is infinite.
# Starting at time $t$, the line has the height $1/u$ and the slope $-\varepsilon c$. So it reaches zero at a time $T$
# with
#
# $$T - t = \frac{1/u}{\varepsilon c} = \frac{1}{\varepsilon c\,u} = \frac{1}{\varepsilon\lambda(t)} .$$
#
# This is the time constant $\tau$ of lesson 04. There it was the time to grow by a factor $e$ if SEEM stayed as it is.
# With a SEEM that grows along, it is the time to infinity.
#
# **Any depth.** Do the same with $u^{-p}$:
#
# $$\frac{d}{dt}\,u^{-p} = -p\,u^{-p-1}\,\frac{du}{dt} = -p\,\varepsilon\,\lambda\,u^{-p} = -p\,\varepsilon c ,$$
#
# since $\lambda u^{-p} = c$. Again a straight line, and
#
# $$\boxed{\;T - t = \frac{1}{p\,\varepsilon\,\lambda(t)}\;}$$
#
# We call this the **closed form**. It takes one number, SEEM now, and gives the steps that are left.
#
# Try it on the run above, at the steps at which the error has grown to 3, 10 and 30 times its minimum so far
# (`sl.terminal_start` finds them).

# %%
eps = sl.step_size(run.lr, run.n)
for multiple in (3, 10, 30):
    t = sl.terminal_start(run.td_error_norm, multiple)
    left = 1 / (sl.growth_exponent(2) * eps * run.seem[t])
    print(
        f"step {t} ({multiple:>2} times): SEEM {run.seem[t]:4.0f}, so {left:4.1f} steps left: crash at {t + left:.0f}"
    )
print(f"the run crashed at step {run.step[-1]}")

# %% [markdown]
# The right order, and nothing was fitted. But all three dates come a few steps too early. Section 5 finds out why.

# %% [markdown]
# ## 3 See the line
#
# Another way to forecast needs no SEEM: look at the last part of the curve of $u^{-p}$, draw a straight line through it,
# and extend it to zero. We stop at 10 times the minimum (the square), and use the points since the error was half as
# large.


# %%
def line_so_far(run, depth, multiple=10):
    """The line of u^(-p), from half the error up to so many times its minimum."""
    last = sl.terminal_start(run.td_error_norm, multiple)
    first = np.flatnonzero(run.td_error_norm[: last + 1] <= run.td_error_norm[last] / 2)[-1]
    window = slice(first, last + 1)
    return sl.fit_inverse_power(run.step[window], run.td_error_norm[window], sl.growth_exponent(depth))


slow = run_one(SEED, lr=0.002, steps=4000, seem_every=5)
plotting.straightened_error(
    {
        "two layers, learning rate 0.002": (slow, 2, line_so_far(slow, 2)),
        "two layers, learning rate 0.02": (run, 2, line_so_far(run, 2)),
    }
)

# %% [markdown]
# Both are the same walk and the same network. With a tenth of the learning rate the run takes about ten times the steps.
# It follows the line nearly to the end. With the larger rate the curve leaves the line, and the crash comes later than
# the line says.
#
# Deeper networks, each with its own power ($-p$):

# %%
deep = {depth: run_one(SEED, depth) for depth in (3, 4)}
plotting.straightened_error(
    {f"{depth} layers": (deeper, depth, line_so_far(deeper, depth)) for depth, deeper in ({2: run} | deep).items()}
)

# %% [markdown]
# ## 4 Is the order right?
#
# The straight lines looked good. But many curves look straight on a short piece. So measure the exponent itself:
# $\lambda \propto u^p$ means that $\log\lambda$ against $\log u$ has the slope $p$. The fit runs from 10 times the
# minimum to the crash, over several powers of ten.
#
# On the left, single runs. On the right, the slopes of stored runs at learning rate 0.002 (made by
# `python data/make_forecast_runs.py exponents`; only runs that crashed in time have a slope).

# %%
exponents = pd.read_csv("../data/exponents.csv")
groups = {key: group.kernel_exponent for key, group in exponents.groupby(["depth", "bias"])}
for (depth, bias), slopes in groups.items():
    p = sl.growth_exponent(depth)
    off = (slopes / p - 1).abs()
    print(
        f"L = {depth}, {'with biases' if bias else 'no biases  '}: p = {p:.3f}, median slope {slopes.median():.3f};"
        f" {(off < 0.05).sum()} of {len(slopes)} runs within 5 %"
    )
plotting.kernel_exponents({"L = 2, lr 0.002": (slow, 2), "L = 3": (deep[3], 3), "L = 4": (deep[4], 4)}, groups)

# %% [markdown]
# For two and three layers the median slope is near its theory, with and without biases. Of the four-layer networks only a
# few crash in time, and their slopes are higher, by a few per cent in the median. Some slopes are far off. In the farthest of
# the three-layer ones (with biases, seed 4), dozens of greedy actions change within the window, and SEEM jumps with them.

# %% [markdown]
# ## 5 A step is not infinitely small
#
# The flow pretends that SEEM is corrected all the time. Real training corrects it once a step. What does one step of
# gradient descent do?
#
# **On the ray.** Since $u \propto \rho^L$, a small growth of $\rho$ makes a relative growth of $u$ that is $L$ times as
# large: $du/u = L\, d\rho/\rho$. With $du/dt = \varepsilon\lambda u$, and $s = \varepsilon\lambda$ for short,
#
# $$\frac{d\rho}{dt} = \frac{s}{L}\,\rho .$$
#
# Gradient descent goes straight on for one unit of $t$, with the slope it had at the beginning. So one step multiplies
# the parameters by $1 + s/L$. The rest is section 1:
#
# $$\boxed{\; \rho \leftarrow \rho\Big(1 + \frac sL\Big), \qquad u \leftarrow u\Big(1 + \frac sL\Big)^{L}, \qquad
# s \leftarrow s\Big(1 + \frac sL\Big)^{2L-2} \;}$$
#
# This is the **discrete map**. Start it with SEEM and $|Q|$ of now. Repeat until $|Q|$ (which grows like $u$) is past the
# limit. Count the steps. For two layers:

# %%
t = sl.terminal_start(run.td_error_norm, 10)
q, s = [run.q_max[t]], [eps * run.seem[t]]
while q[-1] <= run.q_limit:
    q.append(q[-1] * (1 + s[-1] / 2) ** 2)
    s.append(s[-1] * (1 + s[-1] / 2) ** 2)
print(f"from step {t}, the map needs {len(q) - 1} steps: crash at step {t + len(q) - 1}; the run: {run.step[-1]}")
plotting.map_and_flow(run, 2, t, s, q)

# %% [markdown]
# On the left is the closed form, computed anew at every step. If the flow were right, it would fall by exactly one in
# each step (dotted). The run and the map fall more slowly, the more the nearer they come to the end.
#
# **Why the flow is early.** For two layers, divide out:
#
# $$\frac{1}{s_{\text{new}}} = \frac{1}{s}\Big(1 + \frac s2\Big)^{-2} \approx \frac1s - 1 + \frac34 s .$$
#
# The flow has only the $-1$. Each real step loses a bit less: $\tfrac34 s$. That is little while $s$ is small. It adds
# up, most of it near the end, where $s$ is large. And the last steps, from $s \approx 1$ to a million, take a few steps
# more, when the closed form says that none is left. In numbers, from $|Q| = 10$:

# %%
print("s = eps SEEM      closed form   discrete map     (steps left)")
for depth in HIDDEN:
    for s_now in (0.2, 0.05, 0.01):
        made = sl.forecast_crash(s_now / eps, depth=depth, lr=run.lr, n=run.n, q_now=10.0)
        late = made.steps_left - made.closed_form
        print(f"L = {depth}, s = {s_now:<5} {made.closed_form:12.1f} {made.steps_left:14.1f}     {late:.1f} later")

# %% [markdown]
# The delay grows only slowly with the time that is left: about 3 to 5 steps in all of these rows. So a slow run hardly
# notices it, and a fast one, with 15 steps left, is off by a quarter.
#
# **Is the step real?** The derivation says that one step multiplies *all* parameters by $1 + s/L$. We look at real steps.
# $\theta$ are the parameters, $d\theta$ is how one step changes them. We compare two things with $s/L$: the growth of the
# whole $\theta$, and the growth of that part of $\theta$ that lies along the step.

# %%
network, walk = start(SEED)
done = 0
for t in (sl.terminal_start(run.td_error_norm, multiple) for multiple in (3, 10, 30, 1000)):
    sl.train(network, walk, lr=run.lr, steps=t - done, progress=False)
    theta = parameters_to_vector(network.parameters()).detach()
    sl.train(network, walk, lr=run.lr, steps=1, progress=False)
    d_theta = parameters_to_vector(network.parameters()).detach() - theta
    done = t + 1
    whole = d_theta.norm() / theta.norm()
    along = d_theta.norm() / (theta @ d_theta / d_theta.norm())
    print(f"step {t}: s/L = {eps * run.seem[t] / 2:.3f};  whole theta {whole:.3f}, the part along the step {along:.3f}")

# %% [markdown]
# The whole vector grows too slowly: most of it is what the network started with, and that stays where it is. The part
# along the step grows as it should. The rest of $\theta$ hardly matters for the growth. So the ray is not where all of
# $\theta$ lies. It is where the moving part lies.

# %% [markdown]
# ## Predict
#
# A run of a two-layer network at learning rate 0.02 is stopped when its error is 10 times its minimum. A straight line
# through the last values of $1/u$ meets zero in 12 steps. When will $|Q|$ be past a million?
#
# - **A.** Sooner than in 12 steps.
# - **B.** In 12 steps, give or take one.
# - **C.** A few steps later.
# - **D.** In about twice the time.
#
# Write your answer down before you go on.
#
# <details><summary>Answer, after you have written yours down</summary>
#
# C. The line is the flow, and the flow is early. It is what usually happens, not what always happens: section 6 counts.
#
# </details>

# %% [markdown]
# ## Run
#
# **Forecast the crash.** Choose a seed and the number of linear layers $L$. The run is stopped when the error has grown
# to a multiple of its minimum that you choose. You see the run up to there: $|Q|$ on the left, $u^{-p}$ on the right,
# where the end is nearly straight. Set your guess, how many steps are left. Then tick *reveal*: the forecasts of the
# three methods appear, and the truth, and your score in the sentence below. (A higher mark means nothing; the marks
# are only kept apart.)
#
# The 24 runs are stored, 8 seeds for each depth at learning rate 0.02 (`python data/make_forecast_game.py`). They all
# crash. No run was left out.
#
# Try: play a few seeds at 10 times the minimum. Then stop at 3 times, and at 30 times. Can you beat the line? Can you
# beat the map? Then try the preset *a false start*.

# %%
panels.ForecastGame(seed=1)

# %% [markdown]
# ## Explain
#
# - Late in the run the straight line is easy to extend by eye. Whoever adds the delay of section 5 by heart comes near
#   the map.
# - Early, the right-hand curve is not straight yet. The line through it then follows what the run did, not what it is
#   about to do.
# - In *a false start* the error reaches three times its minimum, and then the growth stalls for hundreds of steps. The line
#   extends what the run does not keep up, and is off by three quarters of the time left. The map is nearer, and still off
#   by a quarter.
# - Below twice the minimum no method of the library forecasts anything. The error has to show first that it excites
#   itself.

# %% [markdown]
# ## 6 How good are the three forecasts?
#
# One game proves little. The stored table has runs of four kinds, each stopped at 10 times the error's minimum (made by
# `python data/make_forecast_runs.py forecasts`). We look at the part called *judge* only. The seeds of the other part
# were used to choose the width of the intervals below, so they must not be judged by.
#
# The **error** of a forecast is its crash step minus the real one, in per cent of the steps that were left. A forecast
# counts in whole steps, rounded up, like the crash. Only runs that crashed within 1500 steps (8000 at the small rate)
# are in the table. Of the four-layer networks, many did not. (*lr* is the learning rate.)

# %%
METHODS = {
    "line fit": "line_steps_left",
    "closed form": "closed_form_steps_left",
    "discrete map": "forecast_steps_left",
}
table = pd.read_csv("../data/forecasts.csv")
table = table[table.part == "judge"]
print(f"seeds {table.seed.min()} to {table.seed.max()}")
for method, column in METHODS.items():
    table[method] = (np.ceil(table[column]) - table.steps_left) / table.steps_left
at_10 = {f"depth {depth}, lr {lr}": rows for (depth, lr), rows in table[table.multiple == 10].groupby(["depth", "lr"])}
for name, rows in at_10.items():
    print(f"{name}: {len(rows)} runs, median {rows.steps_left.median():.0f} steps left; median error and 90 % point:")
    for method in METHODS:
        size = rows[method].abs()
        later = (rows[method] < 0).mean()
        print(f"   {method:<13} {size.median():4.0%} {size.quantile(0.9):5.0%}   the crash came later in {later:.0%}")
plotting.forecast_errors({name: {method: rows[method] for method in METHODS} for name, rows in at_10.items()})

# %% [markdown]
# - The line fit and the closed form are early, in most runs, and the more the fewer steps are left. At the small learning
#   rate, where the delay of a few steps is a small part of the rest, the closed form is good.
# - The discrete map is right to a few per cent in half of the runs of each kind, often to the step.
# - Every method has a tail: a few runs for which it is far off.
#
# **An interval.** A date without its uncertainty is half a forecast. `sl.forecast_run` makes a forecast in every step. If
# they wander, they cannot all be right. So the library takes how far the forecasts wandered lately (since half of the
# steps left ago), the *spread*, and makes an interval in proportion to it. How many spreads it reaches before and
# after the forecast was chosen on other seeds, so that the interval should hold nine crashes out of ten. Does it?

# %%
before, after = sl.forecast.REACH
print(f"the interval reaches {before} spreads before the forecast and {after} after it")
for name, rows in at_10.items():
    with_interval = rows.dropna(subset=["low", "high"])
    holds = (with_interval.low <= with_interval.crash_step) & (with_interval.crash_step <= with_interval.high)
    width = (with_interval.high - with_interval.low).median()
    print(
        f"{name}: {holds.sum()} of {len(holds)} intervals hold the crash ({holds.mean():.0%}), median width {width:.0f}"
    )
plotting.forecast_intervals(
    {
        name: (rows.low - rows.crash_step, rows.high - rows.crash_step)
        for name, rows in ((name, rows.dropna(subset=["low", "high"])) for name, rows in at_10.items())
    }
)

# %% [markdown]
# For two and three layers they hold more than nine in ten. For four layers they hold fewer, so there they are too narrow:
# most of the misses are intervals of a single step, next to the crash. A few intervals are wide. That is what they are for:
# where the forecasts still wander, one should not trust any single one.
#
# **Fresh runs.** Ten more seeds, trained here and now. For each: where it is stopped, the steps really left, and what
# was forecast.

# %%
fresh = range(400, 410)
networks, walks = zip(*(start(seed) for seed in fresh), strict=True)
runs = sl.train_stacked(networks, walks, lr=0.02, steps=1500, seem_at=range(1501))
print("seed  stopped  left   line  closed  map   interval of the crash step   crash")
for seed, one in zip(fresh, runs, strict=True):
    t = sl.terminal_start(one.td_error_norm, 10)
    made = sl.forecast_run(one, depth=2)[t]  # it knows the run up to step t
    line = line_so_far(one, 2).zero - t
    print(
        f"{seed:>4} {t:>8} {one.step[-1] - t:>5} {math.ceil(line):>6} {math.ceil(made.closed_form):>7}"
        f" {math.ceil(made.steps_left):>4}   {made.low or '-':>12} to {made.high or '-':<8} {one.step[-1]:>9}"
    )

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/05_growth_and_crash.ipynb](exercises/05_growth_and_crash.ipynb). The check is the last
# line of the same cell. Solutions: [solutions/05_growth_and_crash.ipynb](solutions/05_growth_and_crash.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | the growth exponent of a network with $L$ layers | 5 | easy |
# | 2 | the steps left, by the closed form | 8 | easy |
# | 3 | the discrete map: one step, and the steps to a limit | 15 | middle |

# %% [markdown]
# ## Where the theory stops
#
# **(a) Too early.** The same table at 3, 10 and 30 times the minimum.

# %%
by_start = {
    name: {
        method: {multiple: part[method].dropna() for multiple, part in rows.groupby("multiple")} for method in METHODS
    }
    for name, rows in ((f"depth {d}, lr {lr}", rows) for (d, lr), rows in table.groupby(["depth", "lr"]))
}
for name, methods in by_start.items():
    tails = ", ".join(f"{method} {errors[3].abs().quantile(0.9):.0%}" for method, errors in methods.items())
    print(f"{name}: at 3 times, one run in ten is off by more than: {tails}")
plotting.errors_by_start(by_start)

# %% [markdown]
# At 3 times the minimum the median of each method looks bearable. The bars do not: in one run of ten, the line is off
# by more than half of the time that is left, and the map by about a fifth or a quarter of it. So early, the curve of
# $u^{-p}$ need not be straight yet, and $u$ need not lie in the leading mode.
#
# Later is not better for everyone. At the larger learning rate, the line and the closed form get *worse* towards the end,
# in per cent: their delay of a few steps stays, and fewer steps are left. (Where the line has no mark, fewer than three
# points were left to fit.)
#
# **(b) Actions that still change.** The flow and the map take $X^*$ as fixed. Lesson 01 found that in many runs
# greedy actions still change while the values explode. We train the two-layer networks of the table again (learning rate
# 0.02), and count the changes after the forecast.

# %%
rows = at_10["depth 2, lr 0.02"]
switches = []
for some in np.array_split(rows.seed, 4):
    networks, walks = zip(*(start(seed) for seed in some), strict=True)
    for one in sl.train_stacked(networks, walks, lr=0.02, steps=1500):
        switches.append(one.switches[sl.terminal_start(one.td_error_norm, 10) + 1 :].sum())
switches = np.array(switches)
error = rows["discrete map"].to_numpy()
for name, which in {"no change": switches == 0, "some": switches > 0}.items():
    size = np.abs(error[which])
    print(
        f"{name:<9} {which.sum():>3} runs: the map is right to the step in {(size == 0).sum()}, off by at most {size.max():.0%}"
    )
plotting.errors_and_switches(switches, error)

# %% [markdown]
# The changes come in lumps, often in all 63 transitions at once. With changes, the map is still right to the step in
# more than half of the runs. But the few forecasts that are far off are among them, most of them below zero: the crash
# comes later than forecast. A change replaces rows of $A$, and the SEEM of before no longer holds.
#
# **(c) A run that turns back.** All of the above are runs that crashed. What does a forecast say about a run that will
# not? Here are 48 seeds at discount 0.965, where a part survives.

# %%
survivors = []
for some in np.array_split(np.arange(48), 3):
    networks, walks = zip(*(start(seed, gamma=0.965) for seed in some), strict=True)
    ends = sl.train_stacked(networks, walks, lr=0.02, steps=1500)
    survivors += [(seed, one) for seed, one in zip(some, ends, strict=True) if not one.diverged]
grown = {seed: (one.td_error_norm / np.minimum.accumulate(one.td_error_norm)).max() for seed, one in survivors}
worst = max(grown, key=grown.get)
print(f"{len(survivors)} of 48 runs survive 1500 steps; their error grew at most to (multiples of its minimum so far):")
print("  ".join(f"{multiple:.1f}" for multiple in sorted(grown.values(), reverse=True)))

network, walk = start(worst, gamma=0.965)
turned = sl.train(network, walk, lr=0.02, steps=1500, seem_every=20, progress=False)
at = [np.flatnonzero(turned.step == step)[0] for step in (1000, 1100, 1160)]
for i in at:
    print(f"seed {worst}, step {turned.step[i]}: SEEM {turned.seem[i]:.0f}, imaginary part {turned.frequency[i]:.0f}")
plotting.false_alarm(turned, sl.forecast_run(turned, depth=2))

# %% [markdown]
# All but one of the survivors never reach twice their minimum, so nothing is forecast for them. One does, and goes on to
# more than 8 times (it is the one shown). For a while the forecasts agree with each other, the interval is narrow, and it is wrong: the error
# falls back.
#
# What went wrong? The leading eigenvalue is complex, and its imaginary part is larger than its real part. Such a mode
# turns as it grows (lesson 02). $u$ does not stay on a ray, and after part of a turn it points where it no longer
# feeds itself. The forecast looks at the real part only. The interval looks at how steady the forecasts are. Neither sees
# the turn.
#
# **(d) Networks without the law.** Everything rests on $Q \to s^L Q$. LayerNorm breaks it: multiply the parameters
# before it by $s$, and its output stays as it was (lesson 07). So there is no date to compute, and
# `sl.forecast_network` refuses.

# %%
try:
    sl.forecast_network(sl.mlp(4, layer_norm=True, seed=1000 + SEED), walk, lr=0.02)
except ValueError as error:
    print(error)

network, walk = start(SEED)
for when, steps in (("fresh", 0), ("at 3 times the minimum", sl.terminal_start(run.td_error_norm, 3))):
    sl.train(network, walk, lr=0.02, steps=steps, progress=False)
    made = sl.forecast_network(network, walk, lr=0.02)
    print(f"{when}: steps left {made.steps_left and round(made.steps_left)}; {made.note}")

# %% [markdown]
# For a network with biases it makes a forecast with a reservation, and for a fresh one it makes none: its error
# does not grow as SEEM says.
#
# And under Adam none of this holds. Its steps do not grow with the gradient. Lesson 06 shows what happens instead.

# %% [markdown]
# ## Summary
#
# - Multiply the parameters of an $L$-layer ReLU network by $s$: $Q$ grows like $s^L$, its kernel and SEEM like
#   $s^{2L-2}$. With biases this holds for large $s$ only.
# - So SEEM grows like $u^p$ with $p = (2L-2)/L$, and $u^{-p}$ falls on a straight line. It reaches zero after
#   $1/(p\,\varepsilon\,\text{SEEM})$ steps.
# - Real steps are finite, and the crash comes a few steps later. The discrete map counts them: parameters times
#   $1 + s/L$ in each step.
# - At 10 times the error's minimum the map's median error is a few per cent. In the two-layer runs, those few that are far
#   off are among the runs whose greedy actions still change.
# - A forecast presupposes that the error is on its ray. A complex leading mode can turn back, and neither forecast
#   nor interval notices.

# %% [markdown]
# ## References
#
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: the order of growth under SGD, and the straight line for
#   two layers.
# - Jacot, Gabriel, Hongler, *Neural Tangent Kernel: Convergence and Generalization in Neural Networks*, 2018: the kernel
#   that here grows.
# - Achiam, Knight, Abbeel, 2019, arXiv 1903.08894: divergence of deep Q-learning read off the kernel.

# %% [markdown]
# ## Next
#
# Lesson 06, Adam: why does Adam turn an explosion into a steady climb?
