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
# # 03 The tangent kernel
#
# **Question.** What does one update at $x$ do to the value at another input $y$?
#
# **Time.** about 60 minutes to read and run; the exercises take 28 minutes more. The part marked *optional* (5 of the
# 60) can be left out.
#
# **Before this.** Lessons 00 to 02. You have met $A = \gamma\, G(X^*, X) - G(X, X)$ for a linear $Q$; now $Q$ is a
# neural network.
#
# **You will be able to**
# 1. compute one entry of the tangent kernel by hand, and say what its row and its column stand for;
# 2. predict what one training step does to every value and to every TD error;
# 3. say when that prediction is good, and what spoils it.
#
# **In the paper.** Section 3 of arXiv 2310.04411: the kernel $G_\theta(X^*, X)$ and the change of the TD error in one
# step.

# %% [markdown]
# ## Set-up

# %%
import copy

import torch
from scipy.stats import spearmanr

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

walk = sl.toy_walk(seed=SEED)
network = sl.mlp(walk.input_dim, hidden=(64,), seed=1000 + SEED)
x, x_next, discount = walk.bootstrap(network)

# %% [markdown]
# ## 1 One update at one point
#
# Take one input $x$ and nudge the parameters $\theta$ so that $Q(x)$ rises. Uphill on the *value* means
#
# $$\theta \leftarrow \theta + \eta\, \phi(x), \qquad \phi(x) = \frac{\partial Q(x)}{\partial \theta},$$
#
# with step size $\eta$ (`lr`). The row $\phi(x)$ has $P$ numbers, one for each parameter: how far each of them moves
# the value at $x$.
#
# The parameters are shared. So the value at any other input $y$ moves too. How far? A small change $d\theta$ of the
# parameters changes $Q(y)$ by $\phi(y) \cdot d\theta$, to first order. Put in $d\theta = \eta\,\phi(x)$:
#
# $$Q(y) \text{ moves by } \eta\; \underbrace{\phi(y) \cdot \phi(x)}_{G(y,\, x)}.$$
#
# This number $G(y, x)$ is the **tangent kernel**. Throughout, **$y$ is read and moves, $x$ is updated.** (A prime, as
# in $s'$, only ever means the next state.)
#
# Large and positive: what you teach at $x$ is believed at $y$ as well. Zero: an update at $x$ leaves $y$ alone.
# Negative: $y$ moves the other way.
#
# By hand, for two transitions of the walk:


# %%
def phi(network, row):
    """All derivatives of Q at one input, in one long row of P numbers."""
    gradients = torch.autograd.grad(network(row[None]).squeeze(), list(network.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients])


updated, read = x[20], x[50]
by_hand = phi(network, read) @ phi(network, updated)
by_library = sl.ntk(network, read[None], updated[None]).squeeze()
print(f"P = {phi(network, read).numel()} parameters")
print(f"G(read, updated): by hand {by_hand:.4f}, sl.ntk {by_library:.4f}")

# %% [markdown]
# Now make the update for real, with smaller and smaller steps. Compare the move of $Q$ at the other input with
# $\eta\, G$.


# %%
def update_value(network, row, lr):
    """A copy of the network after one gradient step that raises Q(row)."""
    moved = copy.deepcopy(network)
    value = moved(row[None]).squeeze()
    gradients = torch.autograd.grad(value, list(moved.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(moved.parameters(), gradients, strict=True):
            parameter.add_(gradient, alpha=lr)  # parameter = parameter + lr * gradient
    return moved


step_sizes = torch.logspace(-1, -5, 9, dtype=torch.float64)
moves = torch.stack([update_value(network, updated, lr)(read) - network(read) for lr in step_sizes]).squeeze().detach()
errors = (moves - step_sizes * by_library).abs()
plotting.first_order_error(step_sizes.numpy(), moves.abs().numpy(), errors.numpy())

# %% [markdown]
# The move falls like $\eta$, the error like $\eta^2$. That is what *first order* means: halve the step, and the error
# falls to a quarter, which is half as much in proportion to the move.

# %% [markdown]
# ## 2 Which side is which
#
# For many points at once the kernel is a matrix. `sl.ntk(network, x1, x2)` has shape `(len(x1), len(x2))`:
#
# - **rows** are `x1`: the inputs that are *read*; their values move;
# - **columns** are `x2`: the inputs that are *updated*.
#
# In Q-learning we update at the data $X$. The target of transition $i$ hangs on the value at its bootstrap input
# $x^*_i$. So the matrix that matters is $G(X^*, X)$: entry $(i, j)$ says how far an update at $x_j$ moves the target of
# transition $i$. Here with the bootstrap inputs of three transitions and the data inputs of four:

# %%
rows, columns = [10, 20, 30], [10, 20, 30, 40]
small = sl.ntk(network, x_next[rows], x[columns])
print("shape", tuple(small.shape))
plotting.kernel_with_shapes(small.numpy(), rows, columns)

# %% [markdown]
# The same inputs on both sides give $G(X, X)$, which is symmetric: an update at $x$ moves $y$ as far as an update at
# $y$ moves $x$. $G(X^*, X)$ is not symmetric. Row $i$ belongs to $x^*_i$, column $i$ to $x_i$: two different inputs.

# %%
here, there = sl.ntk(network, x), sl.ntk(network, x_next, x)
print(f"G(X, X)  {tuple(here.shape)}: symmetric {torch.allclose(here, here.T)}")
print(f"G(X*, X) {tuple(there.shape)}: symmetric {torch.allclose(there, there.T)}")

# %% [markdown]
# ## 3 Where the numbers come from
#
# **A linear $Q$.** $Q(x) = w \cdot x$ has $\phi(x) = x$. So the kernel is the inner product of the inputs: the
# $\Phi\Phi^\top$ of lesson 02. It never changes.

# %%
linear = sl.linear_q(walk.input_dim, seed=SEED)
print("linear: G(X, X) equals x x^T:", torch.allclose(sl.ntk(linear, x), x @ x.T))

# %% [markdown]
# **One hidden layer.** Write the network in steps:
#
# $$z = W_1 x + b_1, \qquad h = \max(z, 0), \qquad Q = w_2 \cdot h + b_2 .$$
#
# Go backwards. For every layer let $\delta$ be the derivative of $Q$ by what the layer computes *before* the
# activation.
#
# - The last layer computes $Q$ itself, so $\delta_2 = 1$.
# - The first layer computes $z$. A unit that is switched off passes nothing on. So
#   $\delta_1 = w_2 \odot \mathbf{1}[z > 0]$, one number for each hidden unit ($\odot$ multiplies entry by entry).
#
# Now the parameters. The entry of $W_1$ in row $a$ and column $b$ multiplies the input $x_b$ and acts on $z_a$. So
# $\partial Q/\partial W_1 = \delta_1 x^\top$, an outer product. For the bias, $\partial Q/\partial b_1 = \delta_1$.
# The second layer likewise, with $\delta_2 = 1$ and the input $h$.
#
# The kernel is the inner product of all these numbers at $y$ and at $x$. The inner product of two outer products is a
# product of two inner products: $\langle \delta_1(y)\, y^\top,\; \delta_1(x)\, x^\top\rangle =
# \big(\delta_1(y)\cdot\delta_1(x)\big)(y\cdot x)$. With the biases:
#
# $$G(y, x) = \underbrace{\big(\delta_1(y) \cdot \delta_1(x)\big)\,(y \cdot x + 1)}_{\text{first layer}}
#    + \underbrace{\big(h(y) \cdot h(x) + 1\big)}_{\text{second layer}} .$$
#
# Each $+\,1$ is a bias. In code, for all pairs of data inputs:


# %%
def layers(network, x):
    """The two terms of G(X, X) for one hidden layer, each (N, N)."""
    w1, b1, w2, _ = (parameter.detach() for parameter in network.parameters())
    z = x @ w1.T + b1  # (N, 64)
    h = z.clamp(min=0)  # (N, 64)
    delta_1 = w2 * (z > 0)  # (N, 64)
    return (delta_1 @ delta_1.T) * (x @ x.T + 1), h @ h.T + 1


trained = copy.deepcopy(network)
sl.train(trained, walk, lr=0.02, steps=200, progress=False)
for when, net in {"fresh": network, "after 200 steps": trained}.items():
    first, second = layers(net, x)
    print(f"{when}: equal to sl.ntk: {torch.allclose(first + second, sl.ntk(net, x), rtol=1e-10)}; ", end="")
    print(f"mean entry: first layer {first.mean():.1f}, second layer {second.mean():.1f}")

# %% [markdown]
# In the fresh network nearly all of the kernel comes from the second layer: the output weights $w_2$ are small at the
# start, and so is $\delta_1$. After 200 steps the first layer has a large share, and the whole kernel has grown.
#
# Deeper networks work the same way: each layer adds $\delta(y)\cdot\delta(x)$ times the inner product of its inputs
# plus one. So `sl.ntk` needs one forward and one backward pass, and never stores the rows $\phi(x)$.
#
# Look at the formula once more: the distance between $y$ and $x$ does not stand in it. The inner products $y \cdot x$
# and $h(y) \cdot h(x)$ can *grow* when $y$ moves outwards.

# %% [markdown]
# ## Predict
#
# We make one update that raises $Q$ at a point $x_0$ in the middle of the walk. Then we look at the plane around it,
# out beyond the data. Where does $Q$ rise?
#
# - **A.** Around $x_0$, and it fades with the distance, like a bump.
# - **B.** Almost everywhere, by about the same amount.
# - **C.** Almost everywhere, and in some far corner more than at $x_0$ itself.
# - **D.** Only where the data are.
#
# Write your answer down before you go on.
#
# <details><summary>Answer, after you have written yours down</summary>
#
# C. The first layer brings $y \cdot x_0 + 1$, the second $h(y) \cdot h(x_0) + 1$. Both grow as $y$ moves outwards, away
# from the origin on the side of $x_0$. Towards the other side the response falls. There is no bump around $x_0$.
#
# </details>

# %% [markdown]
# ## Run
#
# The star is $x_0$, the updated point. The map shows $G(y, x_0) / G(x_0, x_0)$: where it is 1, $Q$ moves exactly as far
# as at $x_0$. The right-hand picture follows the dashed line through $x_0$ and compares the first order with a real
# update at the chosen learning rate.
#
# Try: move $x_0$. Read at another action. Choose a trained network and make the update large: when does the prediction
# fail? Then choose a network with LayerNorm (a normalisation of the hidden layer; lesson 07).

# %%
panels.KernelMap()

# %% [markdown]
# ## Explain
#
# Here is such a map for another $x_0$, transition 20 of the walk, at the start and late in a training run. Every position $y$ is
# read at the action of $x_0$.

# %%
axis = torch.linspace(-2, 3, 50, dtype=torch.float64)
x0 = x[20:21]
maps = {
    when: (sl.ntk_map(net, x[20], axis, axis) / sl.ntk(net, x0)).numpy()
    for when, net in {"fresh": network, "after 200 steps": trained}.items()
}
plotting.generalisation_maps(maps, axis.numpy(), x[20, :2].numpy(), x[:, :2].numpy())

# %% [markdown]
# - Around $x_0$ the response is a slope, not a bump: it rises outwards and falls towards the other side. At $x_0$, read
#   at its own action, it is 1, as it must be.
# - After training the slope is steeper and straighter; towards the lower left the response falls to 0.05.
# - What of other actions? Stay at the position of $x_0$ and read at all eight:

# %%
eight = torch.cat([x[20, :2].expand(8, 2), walk.next_actions[0]], dim=1)
for when, net in {"fresh": network, "after 200 steps": trained}.items():
    relative = sl.ntk(net, eight, x0) / sl.ntk(net, x0)
    print(f"{when}: G(y, x0) / G(x0, x0) at the eight actions, from {relative.min():.2f} to {relative.max():.2f}")

# %% [markdown]
# So raising $Q$ here at one action raises it, most of the way, at the other seven. If the best next action has an input
# like that, the bootstrap target follows the value that was raised.
#
# One map proves little. So leave $x_0$ along a straight line, both ways, in 20 walks with 20 fresh networks, far beyond
# the data.

# %%
SEEDS = range(20)
distance = torch.logspace(-1, 2, 61, dtype=torch.float64)


def rays_from(side, layer_norm):
    """G(y, x0) / G(x0, x0) on the line through the origin and x0: side 1 leaves the origin, side -1 crosses it."""
    x0 = torch.stack([sl.toy_walk(seed=seed).x[20] for seed in SEEDS])
    nets = [sl.mlp(4, hidden=(64,), layer_norm=layer_norm, seed=1000 + seed) for seed in SEEDS]
    outwards = x0 * torch.tensor([1.0, 1.0, 0.0, 0.0])  # the action stays
    outwards = outwards / outwards.norm(dim=1, keepdim=True)
    return sl.ntk_ray(nets, x0, side * outwards, distance) / sl.ntk(nets, x0[:, None])[..., 0]


rays = {
    direction: {
        label: rays_from(side, layer_norm).numpy()
        for label, layer_norm in {"ReLU": False, "ReLU with LayerNorm": True}.items()
    }
    for direction, side in {"away from the origin": 1, "the other way, past the origin": -1}.items()
}
plotting.response_along_ray(distance.numpy(), rays)

# %% [markdown]
# The ReLU network's response does not fade because of distance. Away from the origin it grows without end. The other
# way it first falls. Far out it rises again, in most of the networks past 1: hidden units that are on at both inputs
# have ever larger values.
#
# With LayerNorm the hidden values cannot grow. The response is largest near $x_0$, falls to both sides and levels off,
# outwards at 0.7 and past the origin far lower. So it is half of answer A. Lesson 07 is about that difference.

# %% [markdown]
# ## 4 From one update to all of them
#
# A training step is many updates at once. The loss is the mean of $u_j^2$ over the $N$ transitions, with the target
# held fixed. Its gradient is $\tfrac{2}{N}\sum_j u_j\,\phi(x_j)$. So the step is a sum of updates at the $x_j$, each of
# size $-\varepsilon\, u_j$ with $\varepsilon = 2\eta/N$:
#
# $$\theta \leftarrow \theta - \varepsilon \sum_j u_j\, \phi(x_j).$$
#
# By section 1, each of these moves the value at $x_i$ by $-\varepsilon\, G(x_i, x_j)\, u_j$, and the value at $x^*_i$
# by $-\varepsilon\, G(x^*_i, x_j)\, u_j$. The TD error is $u_i = Q(x_i) - r_i - \gamma\, Q(x^*_i)$. Add up:
#
# $$u_{\text{new}} - u = \varepsilon \big(\gamma\, G(X^*, X) - G(X, X)\big)\, u = \varepsilon A u .$$
#
# This is the one-step prediction. It leaves out two things: the curvature of $Q$ (higher orders), and that the greedy
# action at $s'$ may become another one. `sl.seem_matrix` is $A$. How good is it? We measure the **relative residual**,
#
# $$\frac{\lVert (u_{\text{new}} - u) - \varepsilon A u \rVert}{\lVert u_{\text{new}} - u \rVert},$$
#
# which is 0 for a perfect prediction. One step, predicted and measured:


# %%
def td_error(network, problem):
    """u, and the index of the greedy next action of every transition."""
    choice, q_next = problem.greedy(network)
    return sl.q_values(network, problem.x).detach() - problem.reward - problem.discount * q_next, choice


def one_step(network, problem, lr):
    """Train one step. Returns u, its predicted change, its measured change, and where the greedy action changed."""
    u, choice = td_error(network, problem)
    A = sl.seem_matrix(network, *problem.bootstrap(network))
    predicted = sl.step_size(lr, problem.n) * A @ u
    sl.train(network, problem, lr=lr, steps=1, progress=False)
    u_new, choice_new = td_error(network, problem)
    return u, predicted, u_new - u, choice_new != choice


student = copy.deepcopy(network)
sl.train(student, walk, lr=0.02, steps=50, progress=False)
u, predicted, measured, changed = one_step(student, walk, lr=0.02)
print(f"size of the step |eps A u| / |u|: {predicted.norm() / u.norm():.1%}")
print(f"relative residual: {(measured - predicted).norm() / measured.norm():.1%}")
print(f"greedy next actions that changed: {int(changed.sum())}")
plotting.predicted_and_measured(predicted.numpy(), measured.numpy(), changed.numpy())

# %% [markdown]
# All transitions lie on the line, but one. There, another next action has overtaken the old one during the step, so the
# target is higher than the kernel thinks, and $u_{\text{new}}$ lower. We keep such steps apart, and come back to them
# at the end.
#
# Is the rest luck? Here are 20 walks with 20 networks, each followed until it blows up. Every fifth step is looked at.


# %%
def follow(seed, lr=0.02, most=1500):
    """One row for every fifth step: size of the step, relative residual, greedy actions changed."""
    problem = sl.toy_walk(seed=seed)
    network = sl.mlp(problem.input_dim, hidden=(64,), seed=1000 + seed)
    rows = []
    for _ in range(most // 5):
        u, predicted, measured, changed = one_step(network, problem, lr)
        residual = (measured - predicted).norm() / measured.norm()
        rows.append([predicted.norm() / u.norm(), residual, changed.sum()])
        if sl.train(network, problem, lr=lr, steps=4, progress=False).diverged:
            break
    return torch.tensor(rows, dtype=torch.float64)


runs = [follow(seed) for seed in SEEDS]
size, residual, switches = torch.cat(runs).T
kept = (switches == 0) & (size < 0.1)
quantiles = torch.quantile(residual[kept], torch.tensor([0.5, 0.9], dtype=torch.float64))
print(f"next actions unchanged, step below 10 %: {kept.double().mean():.0%} of the steps")
print(f"on these, relative residual: median {quantiles[0]:.1%}, 90th percentile {quantiles[1]:.1%}")
plotting.residual_distribution(residual[kept].numpy())

# %% [markdown]
# So on these steps, six in ten, $A$ tells the change of the TD error to about one per cent, typically; nothing was
# fitted. A few are off by far more: see the right end of the curve.

# %% [markdown]
# ## 5 On recorded data
#
# Here are real recordings: Gymnasium's Pendulum, driven by a simple controller with noise (`data/README.md`). The state
# has 3 numbers, the action is one torque, and the bootstrap chooses among 9 torques. We draw 256 transitions, and take
# a fresh critic with two hidden layers of 64 units.
#
# A kernel matrix has no order of its own; we sort the inputs by their torque. We show the **cosine**
# $G(y, x) / \sqrt{G(y, y)\, G(x, x)}$: 1 where $\phi(y)$ and $\phi(x)$ point the same way.

# %%
pendulum = sl.recorded("pendulum", fraction=256 / 10_000)
critic = sl.mlp(pendulum.input_dim, hidden=(64, 64), seed=SEED)
by_torque = pendulum.x[:, 3].argsort()
plotting.kernel_matrix(sl.ntk(critic, pendulum.x).numpy(), by_torque.numpy(), "torque")

# %% [markdown]
# Inputs of like torque respond alike: the dark band along the diagonal. The pale stripes do not fit this order, so the
# state matters too. Even the palest entries are above zero: in this critic an update anywhere moves everything the same
# way.
#
# Now SEEM, the largest real part of the eigenvalues of $A$, for 20 fresh critics and for 20 fresh networks on toy
# walks. To compare them we divide by $\lVert A\rVert$, the root of the sum of all squared entries of $A$.


# %%
def at_start(problem, hidden, seed):
    """SEEM of an untrained network, SEEM / |A|, and the share of eigenvalues below |A| / 1000."""
    network = sl.mlp(problem.input_dim, hidden, seed=1000 + seed)
    A = sl.seem_matrix(network, *problem.bootstrap(network))
    eigenvalues, size = torch.linalg.eigvals(A), A.norm()
    seem = eigenvalues.real.max()
    return torch.stack([seem, seem / size, (eigenvalues.abs() < size / 1000).double().mean()])


walks = torch.stack([at_start(sl.toy_walk(seed=seed), (64,), seed) for seed in SEEDS])
critics = torch.stack([at_start(pendulum, (64, 64), seed) for seed in SEEDS])
for label, rows in {"toy walk": walks, "pendulum": critics}.items():
    print(f"{label}: SEEM > 0 in {int((rows[:, 0] > 0).sum())} of {len(rows)}; ", end="")
    print(f"eigenvalues nearly zero, below |A| / 1000: {rows[:, 2].median():.0%}")
plotting.seem_at_start({"toy walk": walks[:, 1].numpy(), "pendulum": critics[:, 1].numpy()}, nearly_zero=1e-3)

# %% [markdown]
# **The sign tells no two networks apart.** It is positive for all 40. Lesson 02 warned about zeros: where $A$ has
# eigenvalues that are exactly zero, the largest real part cannot be below zero. Here most are nearly zero: inputs that
# respond alike make rows of $A$ alike. Among so many small numbers some have a positive real part. The values in the
# grey range are of this kind: modes that hardly move. They announce neither danger nor safety (all 20 walks did blow
# up).
#
# **One network says little.** The draw of the initial weights alone spreads SEEM over powers of ten. And these critics
# were never trained: nothing is shown here about their end.
#
# **Optional: does SEEM at the start tell when it ends?** If $A$ stayed as it is, the TD error would grow by the factor
# $e$ in $1 / (\varepsilon\,\text{SEEM})$ steps. We know when the 20 walks blew up. `spearmanr` is the rank correlation:
# -1 if a larger SEEM always means an earlier blow-up, 0 if there is no relation.

# %%
promised = 1 / (sl.step_size(0.02, walk.n) * walks[:, 0])
blown_up = [5 * len(rows) for rows in runs]  # to within 5 steps
correlation = spearmanr(walks[:, 0], blown_up).statistic
print(f"promised time for a factor e: from {promised.min():.0f} to {promised.max():.0e} steps")
print(f"blown up within: {min(blown_up)} to {max(blown_up)} steps")
print(f"rank correlation between -0.8 and -0.5: {-0.8 < correlation < -0.5} (20 seeds)")

# %% [markdown]
# So where SEEM is larger at the start, the walk tends to blow up earlier. But the promised time is far too long
# wherever SEEM starts small. A likely reason: the kernels in $A$ do not stay as they are. The last figure shows this
# for $G(X, X)$. Lesson 04 therefore reads SEEM *along* the run.

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/03_tangent_kernel.ipynb](exercises/03_tangent_kernel.ipynb). Solutions:
# [solutions/03_tangent_kernel.ipynb](solutions/03_tangent_kernel.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | one entry of the kernel, by autograd | 5 | easy |
# | 2 | train on one transition: how far does every bootstrap value move? | 8 | middle |
# | 3 | the layerwise formula for a tanh network | 15 | hard |

# %% [markdown]
# ## Where the theory stops
#
# **The prediction of one step.** Here are *all* looked-at steps of the 20 runs, also the large ones and those on which
# a greedy next action changed.

# %%
changed = switches > 0
middle, high = torch.quantile(residual[changed & (size < 0.1)], torch.tensor([0.5, 0.9], dtype=torch.float64))
print(f"a next action changed: {changed.double().mean():.0%} of the steps; of these, with a step below 10 %,")
print(f"relative residual: median {middle:.1%}, 90th percentile {high:.1%}")
shown = size < 1  # the last steps of a run, larger than u itself, are left out
print(f"left out of the figure: {int((~shown).sum())} steps, median residual {residual[~shown].median():.0%}")
plotting.residual_by_size(size[shown].numpy(), residual[shown].numpy(), changed[shown].numpy())

# %% [markdown]
# Each black line joins the medians of six groups of equally many steps, from the smallest to the largest.
#
# - When a greedy action changes, the residual is several times larger, and a smaller step does not help. About a third
#   of the steps are of this kind. The kernel knows nothing of the $\max$ in the target.
# - Otherwise the residual tends to grow with the size of the step: curvature, and hidden units that switch on or off.
#   At the very end of a run (left out of the figure) a step is larger than $u$ itself, and the first order says little.
# - One circle stands apart, with a residual above 20 % at a step of about 1 %. What happened there?

# %%
problem, net = sl.toy_walk(seed=4), sl.mlp(4, hidden=(64,), seed=1004)
sl.train(net, problem, lr=0.02, steps=30, progress=False)
before = sl.q_values(net, problem.x).detach()
u, predicted, measured, _ = one_step(net, problem, lr=0.02)
value_move = sl.q_values(net, problem.x).detach() - before
print(f"the values move by {value_move.norm() / u.norm():.0%} of |u|, the TD error by {measured.norm() / u.norm():.1%}")
print(f"real minus predicted: {(measured - predicted).norm() / u.norm():.1%} of |u|")

# %% [markdown]
# The values moved far, and their targets almost exactly as far. Beside the small difference, a little curvature counts
# for much.
#
# **The kernel itself.** In the limit of infinite width, with the right scaling, $G$ stays what it was at the start;
# such a network is called *lazy*. How lazy is ours? We compare width 64 with width 512, whose learning rate is reduced
# in proportion, because its kernel is larger in proportion. A run that has blown up counts as infinite, and lines and
# bands end where they would be.

# %%
recorded = torch.arange(0, 151, 10)


def kernel_drift(seed, width):
    """Relative change of G(X, X) since step 0, every 10 steps; infinite once the run has diverged."""
    problem = sl.toy_walk(seed=seed)
    network = sl.mlp(problem.input_dim, hidden=(width,), seed=1000 + seed)
    at_start = sl.ntk(network, problem.x)
    drift = torch.full((len(recorded),), torch.inf)
    for k in range(len(recorded)):
        drift[k] = (sl.ntk(network, problem.x) - at_start).norm() / at_start.norm()
        if sl.train(network, problem, lr=0.02 * 64 / width, steps=10, progress=False).diverged:
            break
    return drift


drifts = {
    "width 64": torch.stack([kernel_drift(seed, 64) for seed in SEEDS]),
    "width 512": torch.stack([kernel_drift(seed, 512) for seed in range(10)]),
}
for label, values in drifts.items():
    middle = values.median(dim=0).values
    print(f"{label}: median relative change {middle[5]:.1g} after 50 steps, {middle[10]:.1g} after 100 steps")
plotting.kernel_drift(recorded[1:].numpy(), {label: values[:, 1:].numpy() for label, values in drifts.items()})

# %% [markdown]
# Width 64 is not lazy: on the way to the blow-up the kernel changes by its own size, and then by far more. The wider
# network is much lazier, over the same number of steps. The kernel of the start decides one step; the next step has a
# kernel of its own.

# %% [markdown]
# ## Summary
#
# - One small gradient step on $Q(x)$ moves $Q(y)$ by $\eta\, G(y, x)$, with $G(y, x) = \phi(y)\cdot\phi(x)$.
# - `sl.ntk(network, x1, x2)`: rows are read and move, columns are updated. Each layer adds one product of two inner
#   products.
# - For a ReLU network the response does not fade because of distance. Away from the origin it grows; past the origin it
#   first falls and, far out, can rise again. It reaches the other actions too.
# - One training step is $u_{\text{new}} = (I + \varepsilon A)u$ to about one per cent, typically, on the 61 % of steps
#   that are small and change no greedy action. On the others it is worse.
# - A fresh network's SEEM was positive in all 40 cases, in a quarter of them by next to nothing. The kernel itself
#   changes during training.
# - In the [ledger](11_claims.ipynb): `self-excitation` **holds with limits**.

# %% [markdown]
# ## References
#
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: the matrix $A$ and the kernel $G_\theta(X^*, X)$.
# - Jacot, Gabriel, Hongler, *Neural Tangent Kernel*, 2018: the kernel, and why it stands still at infinite width.
# - Novak, Sohl-Dickstein, Schoenholz, *Fast Finite Width Neural Tangent Kernel*, 2022, arXiv 2206.08720: computing it
#   layer by layer.
# - Achiam, Knight, Abbeel, *Towards Characterizing Divergence in Deep Q-Learning*, 2019, arXiv 1903.08894: the
#   divergence of deep Q-learning read off the kernel.

# %% [markdown]
# ## Next
#
# [04 SEEM](04_seem.ipynb): can one eigenvalue tell early that training will diverge?
