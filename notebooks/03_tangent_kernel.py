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
# **Question.** What does one update at $x$ do to the value at $x'$?
#
# **Time.** about 40 minutes
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
# The parameters are shared. So the value at any other input $x'$ moves too. How far? A small change $d\theta$ of the
# parameters changes $Q(x')$ by $\phi(x') \cdot d\theta$, to first order. Put in $d\theta = \eta\,\phi(x)$:
#
# $$Q(x') \text{ moves by } \eta\; \underbrace{\phi(x') \cdot \phi(x)}_{G(x',\, x)}.$$
#
# This number $G(x', x)$ is the **tangent kernel**. It is the answer to the question of this lesson. Large and positive:
# what you teach at $x$ is believed at $x'$ as well. Zero: an update at $x$ leaves $x'$ alone. Negative: $x'$ moves the
# other way.
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
# The move falls like $\eta$, the error like $\eta^2$. Both lines together say what *first order* means: halve the step,
# and the prediction becomes twice as good, in proportion to the move.

# %% [markdown]
# ## 2 Which side is which
#
# For many points at once the kernel is a matrix. `sl.ntk(network, x1, x2)` has shape `(len(x1), len(x2))`:
#
# - **rows** are `x1`: the inputs where we *read* the value, what moves;
# - **columns** are `x2`: the inputs where we *update*.
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
# The same inputs on both sides give $G(X, X)$, which is symmetric: an update at $x$ moves $x'$ as far as an update at
# $x'$ moves $x$. $G(X^*, X)$ is not symmetric. Row $i$ belongs to $x^*_i$, column $i$ to $x_i$: two different inputs.

# %%
here, there = sl.ntk(network, x), sl.ntk(network, x_next, x)
print(f"G(X, X)  {tuple(here.shape)}: symmetric {torch.allclose(here, here.T)}")
print(f"G(X*, X) {tuple(there.shape)}: symmetric {torch.allclose(there, there.T)}")
print(f"entries of G(X*, X): smallest {there.min():.1f}, mean {there.mean():.1f}, largest {there.max():.1f}")

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
# Go backwards. For every layer let $\delta$ be the derivative of $Q$ by that layer's *output*.
#
# - The last layer's output is $Q$ itself, so $\delta_2 = 1$.
# - The first layer's output is $z$. A unit that is switched off passes nothing on. So
#   $\delta_1 = w_2 \odot \mathbf{1}[z > 0]$, one number for each hidden unit ($\odot$ multiplies entry by entry).
#
# Now the parameters. The entry of $W_1$ in row $a$ and column $b$ multiplies the input $x_b$ and acts on $z_a$. So
# $\partial Q/\partial W_1 = \delta_1 x^\top$, an outer product. For the bias, $\partial Q/\partial b_1 = \delta_1$.
# The second layer likewise, with $\delta_2 = 1$ and the input $h$.
#
# The kernel is the inner product of all these numbers at $x$ and at $x'$. The inner product of two outer products is a
# product of two inner products, $\langle \delta x^\top, \delta' x'^\top\rangle = (\delta\cdot\delta')(x\cdot x')$:
#
# $$G(x, x') = \underbrace{(\delta_1 \cdot \delta_1')\,(x \cdot x' + 1)}_{\text{first layer}}
#    + \underbrace{(h \cdot h' + 1)}_{\text{second layer}} .$$
#
# Each $+\,1$ is a bias. In code, for all pairs at once:

# %%
w1, b1, w2, b2 = (parameter.detach() for parameter in network.parameters())
z = x @ w1.T + b1  # (N, 64)
h = z.clamp(min=0)  # (N, 64)
delta_1 = w2 * (z > 0)  # (N, 64)
first = (delta_1 @ delta_1.T) * (x @ x.T + 1)
second = h @ h.T + 1
print(f"equal to sl.ntk: {torch.allclose(first + second, sl.ntk(network, x), rtol=1e-12)}")
print(f"mean entry: first layer {first.mean():.1f}, second layer {second.mean():.1f}")

# %% [markdown]
# In this fresh network nearly all of the kernel comes from the second layer: the output weights $w_2$ are small at the
# start, and so is $\delta_1$. It behaves almost like a linear $Q$ on the features $h$, drawn at random. Training will
# change that.
#
# Any number of layers works the same way: each one adds $(\delta \cdot \delta')(h \cdot h' + 1)$, with $h$ the layer's
# *input*. That is why `sl.ntk` is fast. It needs one forward pass for all $h$ and one backward pass for all $\delta$,
# instead of one backward pass for each of the $N$ inputs. And it never stores the $N$ rows $\phi(x)$. For a critic of
# ordinary size:

# %%
n, widths = 2560, (23, 256, 256, 1)
layers = list(zip(widths[:-1], widths[1:], strict=True))
rows = n * sum((fan_in + 1) * fan_out for fan_in, fan_out in layers)
factors = n * sum((fan_in + 1) + fan_out for fan_in, fan_out in layers)
print(f"all rows phi(x): {8 * rows / 1e9:.1f} GB;  all h and delta: {8 * factors / 1e6:.0f} MB")

# %% [markdown]
# Look at the formula once more. $x \cdot x'$ and $h \cdot h'$ are inner products: they *grow* when the inputs grow.
# Nothing fades when $x$ and $x'$ are far apart. Distance only decides which hidden units both of them switch on.

# %% [markdown]
# ## Predict
#
# We make one update that raises $Q$ at a point $x_0$ in the middle of the walk. Then we look at the whole plane, far
# beyond the data. Where does $Q$ rise?
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
# C. The first layer brings $x \cdot x_0 + 1$, the second $h \cdot h_0 + 1$. Both grow as $x$ moves outwards, in the
# direction of $x_0$ and away from the origin. In the opposite direction the response is smaller. There is no bump.
#
# </details>

# %% [markdown]
# ## Run
#
# The star is $x_0$, the updated point. The map shows $G(x, x_0) / G(x_0, x_0)$: where it is 1, $Q$ moves exactly as far
# as at $x_0$. The right-hand picture follows the dashed line through $x_0$ and compares the first order with a real
# update at the chosen learning rate.
#
# Try: move $x_0$ through the plane. Read at another action than the one that was updated. Choose a trained network, and
# make the update large: when does the prediction fail? Then choose a network with LayerNorm (a normalisation of the
# hidden layer; lesson 07).

# %%
panels.KernelMap()

# %% [markdown]
# ## Explain
#
# Here is the map once more, as it is at the start and late in a training run, for $x_0$ = transition 20. On the left,
# every position is read at the action of $x_0$. On the right, it is read at the *greedy* action of the position, the
# one that the bootstrap would take there (small arrows).

# %%
trained = copy.deepcopy(network)
run = sl.train(trained, walk, lr=0.02, steps=200, progress=False)
print(
    f"G(x0, x0): fresh {sl.ntk(network, x[20:21]).item():.1f}, after 200 steps {sl.ntk(trained, x[20:21]).item():.1f}"
)

axis = torch.linspace(-2, 3, 50, dtype=torch.float64)
plane = torch.cartesian_prod(axis, axis).flip(1)  # (2500, 2) positions, row by row from below
compass = walk.next_actions[0]


def response(network, inputs, x0):
    """G(x, x0) / G(x0, x0) on the plane."""
    return (sl.ntk(network, inputs, x0[None]) / sl.ntk(network, x0[None])).reshape(50, 50).numpy()


def greedy_action(network):
    """The action of largest value at every position of the plane, (2500, 2)."""
    inputs = torch.cat([plane.repeat_interleave(8, dim=0), compass.repeat(len(plane), 1)], dim=1)
    return compass[sl.q_values(network, inputs).reshape(-1, 8).argmax(dim=1)]


maps, arrows = {}, {}
for when, net in {"fresh": network, "after 200 steps": trained}.items():
    action = x[20, 2:].expand(len(plane), 2)
    maps[f"{when}, read at the action of $x_0$"] = response(net, torch.cat([plane, action], dim=1), x[20])
    greedy = greedy_action(net)
    maps[f"{when}, read at the greedy action"] = response(net, torch.cat([plane, greedy], dim=1), x[20])
    arrows[f"{when}, read at the greedy action"] = greedy.reshape(50, 50, 2).numpy()
plotting.generalisation_maps(maps, axis.numpy(), x[20, :2].numpy(), x[:, :2].numpy(), arrows)

# %% [markdown]
# - The response is no bump. It is a slope that rises outwards. At $x_0$, read at its own action, it is 1, as it must be.
#   But "near" and "far" are not what it measures.
# - Training makes the whole kernel larger (the printed $G(x_0, x_0)$). The slope becomes steeper and straighter.
# - Reading at another action bends the map, and does not break it. Stay at the position of $x_0$ and read at all eight:

# %%
for when, net in {"fresh": network, "after 200 steps": trained}.items():
    eight = torch.cat([x[20, :2].expand(8, 2), compass], dim=1)
    relative = (sl.ntk(net, eight, x[20:21]) / sl.ntk(net, x[20:21])).squeeze()
    print(f"{when}: G(x, x0) / G(x0, x0) at the eight actions, from {relative.min():.2f} to {relative.max():.2f}")

# %% [markdown]
# So raising $Q$ at the action that was taken raises it, most of the way, at the seven that nobody tried. This is the road
# on which a bootstrap target follows its own value.
#
# One walk proves little. So go outwards from $x_0$ in 20 walks with 20 networks, far beyond the data:

# %%
SEEDS = range(20)
distance = torch.linspace(0, 10, 41, dtype=torch.float64)
responses = {}
for label, layer_norm in {"ReLU": False, "ReLU with LayerNorm": True}.items():
    curves = []
    for seed in SEEDS:
        start = sl.toy_walk(seed=seed).x[20]
        net = sl.mlp(4, hidden=(64,), layer_norm=layer_norm, seed=1000 + seed)
        outwards = torch.cat([start[:2] / start[:2].norm(), torch.zeros(2)])  # away from the origin, same action
        ray = sl.ntk(net, start + distance[:, None] * outwards, start[None]) / sl.ntk(net, start[None])
        curves.append(ray.squeeze())
    responses[label] = torch.stack(curves).numpy()
plotting.response_along_ray(distance.numpy(), responses)

# %% [markdown]
# The ReLU network's response keeps growing with the distance. With LayerNorm the hidden values cannot grow, and the
# response stays bounded. Lesson 07 is about that difference.

# %% [markdown]
# ## 4 From one update to all of them
#
# A training step is many updates at once. The loss is the mean of $u_j^2$ over the $N$ transitions, with the target
# held fixed. Its gradient is $\tfrac{2}{N}\sum_j u_j\,\phi(x_j)$. So the step is a sum of updates at the $x_j$, each of
# size $-\varepsilon\, u_j$ with $\varepsilon = 2\eta/N$:
#
# $$\theta \leftarrow \theta - \varepsilon \sum_j u_j\, \phi(x_j).$$
#
# By section 1, each of these moves the value at $x_i$ by $-\varepsilon\, G(x_i, x_j)\, u_j$, and the value at $x^*_i$ by
# $-\varepsilon\, G(x^*_i, x_j)\, u_j$. The TD error is $u_i = Q(x_i) - r_i - \gamma\, Q(x^*_i)$. Add up:
#
# $$u' - u = \varepsilon \big(\gamma\, G(X^*, X) - G(X, X)\big)\, u = \varepsilon A u .$$
#
# This is the one-step prediction. It leaves out two things: the curvature of $Q$ (higher orders), and that the greedy
# action at $s'$ may become another one. `sl.seem_matrix` is $A$. One step, predicted and real:


# %%
def td_error(network, problem):
    """u, and the index of the greedy next action of every transition."""
    choice, q_next = problem.greedy(network)
    return sl.q_values(network, problem.x).detach() - problem.reward - problem.discount * q_next, choice


def one_step(network, problem, lr):
    """Train one step. Returns u, its predicted change, its real change, and where the greedy action changed."""
    u, choice = td_error(network, problem)
    A = sl.seem_matrix(network, *problem.bootstrap(network))
    predicted = sl.step_size(lr, problem.n) * A @ u
    sl.train(network, problem, lr=lr, steps=1, progress=False)
    u_after, choice_after = td_error(network, problem)
    return u, predicted, u_after - u, choice_after != choice


student = copy.deepcopy(network)
sl.train(student, walk, lr=0.02, steps=50, progress=False)
u, predicted, measured, changed = one_step(student, walk, lr=0.02)
print(
    f"size of the step |eps A u| / |u| = {predicted.norm() / u.norm():.3f}, next actions changed: {int(changed.sum())}"
)
plotting.predicted_and_measured(predicted.numpy(), measured.numpy(), changed.numpy())

# %% [markdown]
# All transitions lie on the line, but one. There, the greedy next action changed during the step: another action has
# overtaken the old one, so the target is higher than the kernel thinks, and $u'$ lower. We keep such steps apart, and
# come back to them at the end.
#
# Is the rest luck? Here are 20 walks with 20 networks, each followed until it blows up; every fifth step is looked at. The
# **relative residual** is
#
# $$\frac{\lVert \text{real change} - \varepsilon A u \rVert}{\lVert \text{real change} \rVert},$$
#
# 0 for a perfect prediction. We also note the size of the step, and how many greedy actions changed in it.


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
print(f"next actions unchanged, step below 10 %: {int(kept.sum())} steps of {len(kept)}")
print(f"relative residual: median {quantiles[0]:.1%}, 90th percentile {quantiles[1]:.1%}")
plotting.residual_distribution(residual[kept].numpy())

# %% [markdown]
# So on these steps the matrix $A$ tells the change of the TD error to about one per cent, typically, and nothing was
# fitted. A few steps are off by far more: see the right end of the curve. Lesson 04 boils $A$ down to one number.

# %% [markdown]
# ## 5 On recorded data
#
# The walk is a toy. Here are real recordings: Gymnasium's Pendulum, driven by a simple controller with noise (see
# `data/README.md`). The state has 3 numbers, the action 1, and the bootstrap chooses among 9 torques. We draw 256
# transitions, and take a fresh critic with two hidden layers of 64 units.
#
# A kernel matrix has no order of its own. What one sees depends on how the inputs are sorted. So here it is twice: once
# sorted by the angle of the pendulum, and once by the torque, with the inputs near the top first. (For the angle we need
# the states before they were normalised.)

# %%
FRACTION = 256 / 10_000
pendulum = sl.recorded("pendulum", fraction=FRACTION)
raw = sl.Transitions.load(sl.problems.DATA / "pendulum.npz").subset(FRACTION)
angle = torch.atan2(raw.state[:, 1], raw.state[:, 0])  # 0 is upright
torque = raw.action[:, 0]
away = angle.abs() > 0.5  # radians
top_first = torch.argsort(torque + 100 * away)

critic = sl.mlp(pendulum.input_dim, hidden=(64, 64), seed=SEED)
print(f"{pendulum.n} transitions, {int((~away).sum())} of them near the top")
orders = {"sorted by angle": angle.argsort().numpy(), "near the top first, each by torque": top_first.numpy()}
plotting.kernel_matrix(sl.ntk(critic, pendulum.x).numpy(), orders)

# %% [markdown]
# Near the top, where most of the data are, inputs of like *torque* respond alike: their states hardly differ. And no
# pair is independent: even the palest entries are above zero. An update anywhere moves everything the same way.
#
# Now SEEM, the largest real part of the eigenvalues of $A$, for 20 fresh critics, beside 20 toy walks, and beside 20
# critics with LayerNorm. We divide by the number of transitions $N$: one step multiplies $A$ by $\varepsilon = 2\eta/N$,
# so only SEEM / $N$ can be compared between 63 transitions and 256.


# %%
def fresh_seem(problem, hidden, seed, layer_norm=False):
    """SEEM of an untrained network."""
    network = sl.mlp(problem.input_dim, hidden, layer_norm=layer_norm, seed=1000 + seed)
    return sl.seem(network, *problem.bootstrap(network)).value


walks = torch.tensor([fresh_seem(sl.toy_walk(seed=seed), (64,), seed) for seed in SEEDS])
plain = torch.tensor([fresh_seem(pendulum, (64, 64), seed) for seed in SEEDS])
normed = torch.tensor([fresh_seem(pendulum, (64, 64), seed, layer_norm=True) for seed in SEEDS])
seems = {"toy walk": walks, "pendulum": plain, "pendulum, LayerNorm": normed}
for label, values in seems.items():
    print(f"{label}: SEEM positive for {int((values > 0).sum())} of {len(values)} networks")
sizes = {"toy walk": walk.n, "pendulum": pendulum.n, "pendulum, LayerNorm": pendulum.n}
plotting.seem_at_start({label: (values / sizes[label]).numpy() for label, values in seems.items()})

# %% [markdown]
# What may we conclude from SEEM at initialisation?
#
# - **Not from its sign.** It is positive for all of these networks. With LayerNorm the median is lower; the sign is not.
# - **Not from one network.** The draw of the initial weights alone spreads it over several powers of ten, and the three
#   rows overlap.
# - **Not when it ends.** SEEM promises that the TD error grows by the factor $e$ in $1 / (\varepsilon\,\text{SEEM})$
#   steps. We have 20 walks that were followed to the end, so we can look:

# %%
promised = 1 / (sl.step_size(0.02, walk.n) * walks)
crashed = torch.tensor([5 * len(rows) for rows in runs])


def rank(values):
    return values.argsort(stable=True).argsort().double()


correlation = torch.corrcoef(torch.stack([rank(walks), rank(crashed)]))[0, 1]
print(f"promised time for a factor e: from {promised.min():.0f} to {promised.max():.0e} steps")
print(f"blown up within: {crashed.min():.0f} to {crashed.max():.0f} steps")
print(f"rank correlation of SEEM at the start and the step of the blow-up: {correlation:.1f} (20 seeds)")

# %% [markdown]
# The rank correlation is not nothing: where SEEM is larger at the start, the walk tends to blow up earlier. But the
# promise is off by orders of magnitude wherever SEEM starts small. One reason is the last figure of this lesson: $A$
# does not stay what it was. Lesson 04 therefore reads SEEM *along* the run. About the pendulum nothing is shown here
# beyond the picture: these critics were never trained.

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/03_tangent_kernel.ipynb](exercises/03_tangent_kernel.ipynb). Every exercise has a cell
# that checks your answer and says what is off. Solutions:
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
for label, rows in {"unchanged": ~changed, "changed": changed}.items():
    middle, high = torch.quantile(residual[rows & (size < 0.1)], torch.tensor([0.5, 0.9], dtype=torch.float64))
    print(f"next actions {label}, step below 10 %: median residual {middle:.1%}, 90th percentile {high:.1%}")
print(f"steps with a change: {changed.double().mean():.0%}")
shown = size < 1  # the last steps of a run, larger than u itself, are left out
print(f"left out of the figure: {int((~shown).sum())} steps, median residual {residual[~shown].median():.0%}")
plotting.residual_by_size(size[shown].numpy(), residual[shown].numpy(), changed[shown].numpy())

# %% [markdown]
# - When a greedy action changes, the residual is several times larger, and a smaller step does not help. About a third
#   of the steps are of this kind. The kernel knows nothing of the $\max$ in the target.
# - Otherwise the residual grows with the size of the step: curvature. For a ReLU network, curvature includes hidden
#   units that switch on or off. At the very end of a run (left out of the figure) a step is larger than $u$ itself, and
#   the first order says little.
#
# **The kernel itself.** In the limit of infinite width, with the right scaling, $G$ stays what it was at the start; such
# a network is called *lazy*. How lazy is ours? The relative change of $G(X, X)$ since step 0, for width 64, and for width
# 512 with the learning rate reduced in proportion (the kernel of a wider network is larger in proportion):

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
# Width 64 is not lazy: on the way to the blow-up the kernel changes by its own size, and then without bound. The wider
# network is much lazier, over the same number of steps. But a value can only run away if the parameters do, and the
# kernel grows with them. So the kernel of the start does not decide the end. It decides one step; the next step has a
# kernel of its own.

# %% [markdown]
# ## Summary
#
# - One small gradient step on $Q(x)$ moves $Q(x')$ by $\eta\, G(x', x)$, with $G(x', x) = \phi(x')\cdot\phi(x)$.
# - `sl.ntk(network, x1, x2)`: rows are what moves, columns are where we update.
# - The kernel is a sum over layers of $(\delta\cdot\delta')(h\cdot h' + 1)$: one forward and one backward pass.
# - For a ReLU network the response does not fade with distance. It grows outwards, and reaches actions nobody took.
# - One training step is $u' = (I + \varepsilon A)u$ to about one per cent, as long as the greedy actions stay and the
#   step is small. The kernel itself changes during training.

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
# Lesson 04 (planned): can one eigenvalue tell early that training will diverge?
