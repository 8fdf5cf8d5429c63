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
# # 07 LayerNorm
#
# **Question.** Why does a normalisation layer break the loop?
#
# **Time.** about 65 minutes, exercises 25 more
#
# **Before this.** [03 The tangent kernel](03_tangent_kernel.ipynb), above all its section 3, where the kernel falls
# into one term a layer. From [04](04_seem.ipynb): what SEEM is.
#
# **You will be able to**
# 1. show that the kernel of a ReLU network grows without end as you leave the data, and that LayerNorm stops it;
# 2. derive a limit for the kernel with LayerNorm, step by step, and check it;
# 3. say where LayerNorm saved runs, where it did not, and what it cannot do.
#
# **In the paper.** The section on LayerNorm of arXiv 2310.04411: the kernel of two points with and without it, and the
# runs that it keeps from diverging.

# %% [markdown]
# ## Set-up

# %%
import copy
import math

import numpy as np
import pandas as pd
import torch
from torch import nn

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
SEEDS = range(20)
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

# %% [markdown]
# ## 1 Two maps
#
# One update at $x_0$ moves $Q(y)$ by $\eta\,G(y, x_0)$, to first order (lesson 03). For a ReLU network this response
# does not fade with the distance. In Q-learning that closes the loop: we raise $Q$ at the data, and $Q$ at some action
# far from the data rises even more. The target takes that action, and so the target rises more than the value.
#
# **LayerNorm** is a layer that many people put before each ReLU. Section 2 writes it out. For now compare two networks
# with 2 inputs and one wide hidden layer (512 units). One has it and one does not. The linear layers have the same
# initial weights.

# %%
x0 = torch.tensor([1.0, 0.5], dtype=torch.float64)
plain = sl.mlp(2, hidden=(512,), seed=1000 + SEED)
norm = sl.insert_layer_norm(plain)  # a copy, with a LayerNorm before the ReLU
print(norm)

axis = torch.linspace(-8, 8, 61, dtype=torch.float64)
maps = {
    title: (sl.ntk_map(net, x0, axis, axis) / sl.ntk(net, x0[None])).numpy()
    for title, net in {"ReLU": plain, "ReLU with LayerNorm": norm}.items()
}
for title, values in maps.items():
    print(f"{title}: G(y, x0) / G(x0, x0) from {values.min():.2f} to {values.max():.2f}")
plotting.kernel_maps(maps, axis.numpy(), x0.tolist())

# %% [markdown]
# Left, the response grows outwards: at the edge of this small map it is up to 6 times that at the star. Right, it is
# nowhere larger than at the star (1.00). It falls off to the sides.

# %% [markdown]
# ## Predict
#
# The map ends at 8. Follow a straight line from $x_0$ to a distance of 100,000, with LayerNorm. What does $G(y, x_0)$
# do?
#
# - **A.** It grows in proportion to the distance too, only from a smaller start.
# - **B.** It grows, but like the square root of the distance.
# - **C.** It levels off at some number that depends on the direction.
# - **D.** It falls to zero, like a bump around $x_0$.
#
# Write your answer down before you go on.
#
# <details><summary>Answer, after you have written yours down</summary>
#
# C. Far out, LayerNorm divides by a number that grows as fast as the input does. Only the direction is left. So the
# response tends to a number for each direction. It is small in the directions away from $x_0$, but it need not be zero.
#
# </details>

# %% [markdown]
# ## Run
#
# Choose $x_0$, a direction and a network. The right-hand picture follows the dashed line to a distance of 100,000. A
# straight line of slope 1 on these axes is growth in proportion to the distance. Try all six networks.

# %%
panels.KernelRay()

# %% [markdown]
# ## Explain
#
# Every ReLU network ends parallel to the dotted line. Every network with LayerNorm levels off, also with LayerNorm in
# one of two layers only. (For infinitely wide networks that is a theorem, see the references.)
#
# One $x_0$ proves little. So here are 20 networks on the inputs of 20 toy walks, each with its own $x_0$ and its own
# direction. To have a number, fit a straight line to $\log|G|$ against the logarithm of the distance, from $10^2$ to
# $10^5$. Its slope is the **exponent**: 1 for growth in proportion, 0 for no growth.

# %%
distance = torch.logspace(-1, 5, 61, dtype=torch.float64)
starts = torch.stack([sl.toy_walk(seed).x[20] for seed in SEEDS])  # one x0 a walk
directions = torch.randn(len(SEEDS), 4, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
directions = directions / directions.norm(dim=1, keepdim=True)


def rays(hidden, layer_norm):
    """G(y, x0) / G(x0, x0) on one ray a seed, (20, 61)."""
    nets = [sl.mlp(4, hidden, layer_norm=layer_norm, seed=1000 + seed) for seed in SEEDS]
    return sl.ntk_ray(nets, starts, directions, distance) / sl.ntk(nets, starts[:, None])[..., 0]


pictures = {}
for name, hidden in {"one hidden layer": (64,), "two hidden layers": (64, 64)}.items():
    pictures[name] = {"ReLU": rays(hidden, False), "ReLU with LayerNorm": rays(hidden, True)}
    for label, response in pictures[name].items():
        exponent = sl.ray_exponent(distance, response)
        print(
            f"{name}, {label}: exponent {exponent.median():.3f}, from {exponent.min():.3f} to {exponent.max():.3f}; "
            f"largest response {response.abs().max():.3g}"
        )
plotting.response_along_ray(
    distance.numpy(),
    {name: {label: r.abs().numpy() for label, r in curves.items()} for name, curves in pictures.items()},
)

# %% [markdown]
# Without LayerNorm the exponent is 1. With it, it is 0 to two digits, in all 20 networks, and the response never got
# beyond 1.01 times that at $x_0$. Now we ask why, and whether it *must* be so.

# %% [markdown]
# ## 2 What LayerNorm does
#
# Take one hidden layer with $n$ units. The first linear layer gives the vector $z = W x + b$ of $n$ numbers. LayerNorm
# looks at the $n$ numbers of *one* input. It takes off their mean $m$, and divides by their spread:
#
# $$\hat z_i = \frac{z_i - m}{S}, \qquad m = \frac1n \sum_i z_i, \qquad S^2 = \frac1n \sum_i (z_i - m)^2 + \epsilon .$$
#
# The small $\epsilon = 10^{-5}$ only avoids a division by zero. (It is not the $\varepsilon = 2\eta/N$ of training.)
# Then each unit has a gain $g_i$ and a bias $c_i$ that are learned. They start at 1 and 0. The ReLU and the last layer
# follow:
#
# $$h_i = \max(g_i \hat z_i + c_i,\; 0), \qquad Q = w \cdot h + \text{a bias}.$$
#
# By hand, against PyTorch:

# %%
first, layer, _, last = norm
y = x0[None] * torch.tensor([[1.0], [100.0], [10_000.0]], dtype=torch.float64)  # further and further out
z = first(y).detach()
m = z.mean(dim=1, keepdim=True)
S = ((z - m).square().mean(dim=1, keepdim=True) + layer.eps).sqrt()
z_hat = (z - m) / S
print("equal to PyTorch's LayerNorm:", torch.allclose(z_hat, layer(z)))
for k in range(3):
    print(
        f"input {y[k].norm():>7.0f} long: z {z[k].norm():>8.1f} long, S {S[k].item():>6.1f}, z_hat {z_hat[k].norm():.2f}"
    )
print(f"root of n: {math.sqrt(512):.2f}")

# %% [markdown]
# The input became 10,000 times longer, and so did $z$ and $S$. The normalised $\hat z$ kept its length, a little below
# $\sqrt n$. That is no accident:
#
# $$|\hat z|^2 = \frac{\sum_i (z_i - m)^2}{S^2} = \frac{n\,(S^2 - \epsilon)}{S^2} \le n . \tag{1}$$
#
# Whatever the input is, and whatever the weights are, $\hat z$ is at most $\sqrt n$ long.

# %% [markdown]
# ## 3 Why the kernel stays below a limit
#
# The kernel is an inner product, $G(y, x_0) = \phi(y)\cdot\phi(x_0)$, and an inner product is at most the product of
# the two lengths (the inequality of Cauchy and Schwarz):
#
# $$|G(y, x_0)| \le |\phi(y)|\;|\phi(x_0)|, \qquad |\phi(y)|^2 = G(y, y) . \tag{2}$$
#
# So it is enough to find a number $B$ that $G(y, y)$ never passes. From lesson 03, each layer adds one part to
# $G(y, y)$. We take them from the last to the first.
#
# **The last layer** adds $|h|^2 + 1$. A ReLU makes nothing longer, so $|h| \le |g \odot \hat z + c|$. By (1) this is at
# most $\max|g|\,\sqrt n + |c|$. So this part is at most $\big(\max|g|\sqrt n + |c|\big)^2 + 1$: a number that does not
# know $y$. In the ReLU network $|h|$ itself grows with $y$. Here is the first half of the explanation.
#
# **The gain and the bias of LayerNorm** add $\sum_i (w_i \mathbf 1_i \hat z_i)^2 + \sum_i (w_i \mathbf 1_i)^2$, where
# $\mathbf 1_i$ is 1 if unit $i$ is on. By (1) that is at most $\max|w|^2\, n + |w|^2$.
#
# **The first layer** is the interesting one. It adds $|\delta|^2\,(|y|^2 + 1)$, where $\delta$ is the derivative of $Q$
# by $z$. Here $|y|^2 + 1$ grows without end. What saves us is $\delta$. Go backwards through LayerNorm: a change of $z$
# by $dz$ changes $\hat z$ by
#
# $$d\hat z = \frac1S \Big( dz - \text{its mean} - \hat z\;\frac{\hat z \cdot dz}{n} \Big) .$$
#
# (Do it yourself: $m$ and $S$ change with $z$, too.) The bracket takes away parts of $dz$, so it is never longer than
# $dz$. In front of it stands $1/S$. So $|\delta| \le \max|g|\,|w| / S$, and
#
# $$|\delta|^2 (|y|^2 + 1) \;\le\; \max|g|^2\,|w|^2\; \frac{|y|^2 + 1}{S^2} .$$
#
# Both sides of the last fraction grow like $|y|^2$. That is the second half of the explanation: **the further out the
# input is, the less it moves the normalised unit, in just the proportion in which the input has grown.** To get a
# number: $z - m$ is a linear function of $y$ and the bias, $z - m = C\,[W\; b]\,(y, 1)$, where $C$ takes the mean off
# each column. A matrix with more rows than columns makes a vector at least $\sigma$ times as long, $\sigma$ its
# smallest singular value. So $n S^2 \ge |z - m|^2 \ge \sigma^2 (|y|^2 + 1)$, and this part is at most
# $\max|g|^2\,|w|^2\, n/\sigma^2$.
#
# The three limits together are $B$. `sl.kernel_bound` adds them up. Here are the parts on a ray, measured, without
# LayerNorm and with it:


# %%
def part(network, index, y):
    """What one layer adds to G(y, y): the kernel with all other parameters held fixed."""
    alone = copy.deepcopy(network).requires_grad_(False)
    alone[index].requires_grad_(True)
    return torch.cat([sl.ntk(alone, row[None])[0] for row in y]).numpy()


on_the_ray = x0 + distance[:, None] * torch.tensor([math.cos(0.5), math.sin(0.5)], dtype=torch.float64)
bound = sl.kernel_bound(norm)
print(f"limits: first layer {bound.first:.1f}, gain and bias {bound.norm:.1f}, last layer {bound.last:.1f}")
parts = {
    "ReLU": {"first layer": part(plain, 0, on_the_ray), "last layer": part(plain, 2, on_the_ray)},
    "ReLU with LayerNorm": {
        "first layer": part(norm, 0, on_the_ray),
        "last layer": part(norm, 3, on_the_ray),
        "gain and bias": part(norm, 1, on_the_ray),
    },
}
plotting.parts_along_ray(distance.numpy(), parts, {"ReLU with LayerNorm": bound.total})

# %% [markdown]
# Left, both parts grow like the square of the distance. ($G(y, y)$ has the far point on both sides, $G(y, x_0)$ only on
# one: hence the exponent 1.) Right, every part is flat, and their sum stays below the limit.
#
# Put $B$ into (2) and divide by $G(x_0, x_0) = |\phi(x_0)|^2$. For every $y$ in the whole space
#
# $$\frac{|G(y, x_0)|}{G(x_0, x_0)} \;\le\; \sqrt{\frac{B}{G(x_0, x_0)}} .$$
#
# How large is that for the 20 networks of the walks, and how much of it is used? We look at 60 directions and distances
# up to a million.

# %%
generator = torch.Generator().manual_seed(SEED)
everywhere = torch.randn(60, 1, 4, generator=generator, dtype=torch.float64)
everywhere = (everywhere * torch.logspace(-3, 6, 28, dtype=torch.float64)[:, None]).flatten(0, 1)
stated, measured = [], []
for seed in SEEDS:
    net, start = sl.mlp(4, layer_norm=True, seed=1000 + seed), starts[seed][None]
    here = sl.ntk(net, start).item()
    stated.append(math.sqrt(sl.kernel_bound(net).total / here))
    measured.append((sl.ntk(net, everywhere, start).abs().max() / here).item())
print(f"stated multiple of G(x0, x0): from {min(stated):.2f} to {max(stated):.2f}")
print(f"largest measured response:    from {min(measured):.2f} to {max(measured):.2f}")

# %% [markdown]
# So for a fresh network of this size nothing anywhere moves by more than about one and a half times as much as $x_0$
# itself, and what we found is about 1.
#
# Two remarks. The limit contains $g$, $c$ and $w$, and these are trained. So $B$ is a fact about a network as it is
# now. And with more hidden layers the same two halves act layer by layer; there the clean constant $\sigma$ is lost,
# and we only measured.

# %% [markdown]
# ## 4 An independent check: infinitely many units
#
# Everything so far was computed by the same function, `sl.ntk`. Is it right? For one hidden layer with very many units
# there is a formula. Each inner product in the kernel is a sum over $n$ units that were drawn alike, so for large $n$
# it is $n$ times an average, and the averages are known (Cho and Saul 2009). They depend on the **angle** $t$ between
# $(y, 1)$ and $(x, 1)$; the 1 stands for the bias. With LayerNorm, only the angle is left:
#
# $$\frac{G(y, x_0)}{n} \;\to\; \frac{\sin t + (\pi - t)\cos t}{2\pi} \quad\text{with LayerNorm},$$
#
# and the same times $s(y)\,s(x_0)$ without it, where $s(y)^2 = (|y|^2 + 1)/(3d)$ is the variance of one $z_i$. (PyTorch
# draws the weights of a layer with $d$ inputs with variance $1/(3d)$.) `sl.infinite_width_ntk` has all terms; its
# docstring derives them. If formula and kernel are both right, single networks differ from the formula by chance alone,
# and chance falls like $1/\sqrt n$. The formula wants the first layer drawn from a Gaussian. PyTorch draws uniformly,
# so we look at both.

# %%
WIDTHS = [64, 256, 1024, 4096]
rows = torch.randn(10, 2, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
far, near = 3 * rows[:5], rows[5:]


def fresh(width, seed, layer_norm, gaussian):
    """A network; with a Gaussian first layer of the same variance, if asked for."""
    network = sl.mlp(2, (width,), layer_norm=layer_norm, seed=seed)
    if gaussian:
        draw = torch.Generator().manual_seed(seed)
        for parameter in network[0].parameters():
            parameter.data = torch.randn(parameter.shape, generator=draw, dtype=torch.float64) / math.sqrt(3 * 2)
    return network


errors = {}
for label, layer_norm, gaussian in (
    ("ReLU, Gaussian", False, True),
    ("LayerNorm, Gaussian", True, True),
    ("ReLU, uniform", False, False),
    ("LayerNorm, uniform", True, False),
):
    by_width = []
    for width in WIDTHS:
        formula = sl.infinite_width_ntk(far, near, width=width, layer_norm=layer_norm)
        kernels = sl.ntk([fresh(width, seed, layer_norm, gaussian) for seed in range(24)], far, near)
        by_width.append(((kernels - formula) / formula).square().mean((1, 2)).sqrt().numpy())
    errors[label] = np.stack(by_width)  # (widths, seeds)
    middle = np.median(errors[label], axis=1)
    slope = np.polyfit(np.log(WIDTHS), np.log(middle), 1)[0]
    print(f"{label:<20} median error {middle[0]:.0%} at width 64, {middle[-1]:.0%} at 4096; slope {slope:.2f}")
plotting.width_convergence(np.array(WIDTHS), errors)

# %% [markdown]
# With a Gaussian first layer the slope is close to $-1/2$, and at 4096 units a few per cent are left. Two routes that
# share no line of code meet. With PyTorch's uniform weights the error stops at about 10 %. There $z_i$ is a sum of only
# three uniform numbers (two weights and a bias), and that is not yet Gaussian. More units do not help; more *inputs*
# do.
#
# The formula also says how large the multiple is in the limit. The function of $t$ is largest at $t = 0$. So with
# LayerNorm and infinitely many units, **no input at all responds more than $x_0$ itself**.

# %% [markdown]
# ## 5 The same seeds, with and without
#
# Does a kernel that stays below a limit save the runs? Take 12 toy walks, discount 0.99, learning rate 0.02, that all
# blow up. Put LayerNorm into the same networks, and train again.


# %%
def walk_runs(seeds, steps, layer_norm):
    """Toy walks, as ever: walk seed s, network seed 1000 + s."""
    networks = [sl.mlp(4, layer_norm=layer_norm, seed=1000 + seed) for seed in seeds]
    return sl.train_stacked(networks, [sl.toy_walk(seed) for seed in seeds], lr=0.02, steps=steps)


live = {label: walk_runs(range(12), 600, flag) for label, flag in {"ReLU": False, "ReLU with LayerNorm": True}.items()}
for label, runs in live.items():
    print(f"{label}: {sum(run.diverged for run in runs)} of {len(runs)} blow up within 600 steps")
plotting.side_by_side(live)

# %% [markdown]
# That was a short look. The long runs were made beforehand: 24 seeds, 5000 steps, one and two hidden layers, LayerNorm
# with its gain and bias (*affine*) and without them (`python data/make_layer_norm_runs.py`, about half an hour).

# %%
stored = pd.read_csv(sl.problems.DATA / "layer_norm.csv")


def part_of(name, **wanted):
    """The stored runs of one part, with these settings."""
    found = stored[stored.part == name]
    for column, value in wanted.items():
        found = found[found[column] == value]
    return found


for depth in (2, 3):
    for label, wanted in {
        "ReLU": {"norm": "none"},
        "LayerNorm": {"norm": "all", "affine": True},
        "LayerNorm, not affine": {"norm": "all", "affine": False},
    }.items():
        runs = part_of("rescue", depth=depth, **wanted)
        lasting = runs[~runs.diverged]
        peak = f"largest |Q| on the way: at most {lasting.q_peak.max():.0f}" if len(lasting) else ""
        print(f"{depth - 1} hidden, {label:<22} {runs.diverged.sum():>2} of {len(runs)} blow up in 5000 steps  {peak}")

# %% [markdown]
# All 48 runs without LayerNorm blow up. With LayerNorm none of the 96 does. And what does the self-excite eigenvalue
# measure (SEEM) say? The same runs, one hidden layer:

# %%
AT = (0, 50, 100, 200, 500, 1000)
seem = {
    label: part_of("rescue", depth=2, norm=key, affine=True)[[f"seem_at_{step}" for step in AT]].to_numpy()
    for label, key in {"ReLU": "none", "ReLU with LayerNorm": "all"}.items()
}
for label, values in seem.items():
    for step, column in zip(AT, values.T, strict=True):
        going = column[np.isfinite(column)]
        if len(going):
            print(
                f"{label}, step {step}: median {np.median(going):.2g}, above 0 in {(going > 0).sum()} of {len(going)}"
            )
clock = sl.step_size(0.02, 63) * np.median(seem["ReLU with LayerNorm"][:, -1]) * 4000
print(f"clock of lesson 04, LayerNorm: eps * SEEM * the 4000 steps left after step 1000, median {clock:.2f}")
plotting.seem_through_training(np.array(AT), seem)

# %% [markdown]
# **LayerNorm does not make SEEM negative.** It is above zero in nearly all runs, at every step. What LayerNorm does is
# to keep SEEM from growing with the parameters. In the ReLU network larger parameters mean a larger kernel, and a
# larger kernel means faster growth of the parameters. With LayerNorm, longer rows of $W$ only make $S$ larger: $\hat z$
# stays as it was, and the part of the first layer gets *smaller*. The median falls from 5.6 at step 50 to about 0.01
# from step 200 on. On the clock of lesson 04 that is far less than one time constant in the 4000 steps that are left.

# %% [markdown]
# ## 6 Is it too late?
#
# So what if we wait? Train without LayerNorm, and put it in when the run is about to blow up. The linear layers keep
# their parameters; only the LayerNorm is new.
#
# Before you try: the run of seed 0 ends at step 220. In the step before, the largest $|Q|$ is already 44,000. Can
# LayerNorm still save it? Then choose *learning rate 0.2*, and move the slider there.

# %%
panels.SwitchOn()

# %% [markdown]
# At learning rate 0.02 it is never too late in these runs. Here are all 24 seeds, with LayerNorm put in one step before
# the end:

# %%
late = [sl.mlp(4, seed=1000 + seed) for seed in range(24)]
walks = [sl.toy_walk(seed) for seed in range(24)]
ends = part_of("rescue", depth=2, norm="none").sort_values("seed").crash_step.astype(int)
for net, walk, end in zip(late, walks, ends, strict=True):
    sl.train_stacked([net], [walk], lr=0.02, steps=end - 1)
q_before = [sl.q_values(net, walk.x).abs().max().item() for net, walk in zip(late, walks, strict=True)]
switched = sl.train_stacked([sl.insert_layer_norm(net) for net in late], walks, lr=0.02, steps=400)
print(f"seed 0: largest |Q| {q_before[0]:.2g} when it was put in")
print(f"all seeds: largest |Q| when it was put in: from {min(q_before):.2g} to {max(q_before):.2g}")
print(f"blown up within 400 steps: {sum(run.diverged for run in switched)} of {len(switched)}")
print(f"largest |Q| after 400 steps: median {np.median([run.q_max[-1] for run in switched]):.2g}")

# %% [markdown]
# ## 7 Which layer needs it?
#
# With two hidden layers we can leave one of the two LayerNorms out. In the panel above, one of them was enough to make
# the kernel level off: whichever layer it stands in, what follows sees only the direction. So does one suffice?

# %%
groups = {
    label: part_of(name, depth=3, norm=key, affine=True).crash_step.to_numpy(float)
    for label, (name, key) in {
        "none": ("rescue", "none"),
        "first hidden layer only": ("layers", "first"),
        "last hidden layer only": ("layers", "last"),
        "both": ("rescue", "all"),
    }.items()
}
for label, crash in groups.items():
    print(f"LayerNorm in {label:<24} {np.isfinite(crash).sum():>2} of {len(crash)} blow up")
plotting.ends_of_runs(groups, steps=5000)

# %% [markdown]
# Not quite. In the last hidden layer it suffices. In the first only, 10 of 24 runs blow up all the same. Both kernels
# level off with the distance. What is different is how they grow with the *parameters*. Multiply the weights and biases
# of all linear layers by 10, and look at $G(x, x)$ on the walks:

# %%
for label, layer_norm in {
    "none": False,
    "first hidden layer only": (True, False),
    "last hidden layer only": (False, True),
    "both": True,
}.items():
    growth = []
    for seed in SEEDS:
        net, x = sl.mlp(4, (64, 64), layer_norm=layer_norm, seed=1000 + seed), sl.toy_walk(seed).x
        before = sl.ntk(net, x).diag()
        with torch.no_grad():
            for linear in net.children():
                if isinstance(linear, nn.Linear):
                    for parameter in linear.parameters():
                        parameter.mul_(10)
        growth.append((sl.ntk(net, x).diag() / before).median().item())
    print(
        f"LayerNorm in {label:<24} kernel times {np.median(growth):>6.3g} (from {min(growth):.3g} to {max(growth):.3g})"
    )

# %% [markdown]
# Without LayerNorm every term of the kernel has up to four factors of the weights' size (lesson 05), so it becomes
# nearly $10^4$ times as large. A LayerNorm makes all layers below it harmless, since longer rows there only make $S$
# larger. In the first layer, it leaves two linear layers above it that grow together, as in a plain network of depth 2:
# about $10^2$ times. In the last layer, it leaves only one, and the kernel hardly changes.
#
# So "the kernel does not grow with the distance" is not the whole story. "It does not grow with the weights" belongs to
# it.

# %% [markdown]
# ## 8 Does the value stay right?
#
# A network whose values cannot run away could be a network that cannot learn. So we need a problem whose true values
# are known, and on which the plain network *converges*. Take a grid of 5 by 5 cells. Four moves; the upper right corner
# is the goal, worth 1 and terminal. The data hold every move from every cell once. So the true value is the discount to
# the power of the steps that are left after the move, and `sl.true_values` finds the same by value iteration.
#
# The error is the root of the mean square of $Q - Q_{\text{true}}$, divided by the standard deviation of the true
# values. So 1 is as good as the best constant. Discount 0.9 and 0.95, learning rate 0.1, 24 seeds each.

# %%
world = sl.grid_world(gamma=0.9)
fresh_kernel = {
    label: np.median([sl.ntk(sl.mlp(4, layer_norm=flag, seed=1000 + seed), world.x).diag() for seed in SEEDS])
    for label, flag in {"ReLU": False, "LayerNorm": True}.items()
}
print(f"median G(x, x) before training: ReLU {fresh_kernel['ReLU']:.0f}, LayerNorm {fresh_kernel['LayerNorm']:.0f}")
print(f"{world.n} moves, true values from {sl.true_values(world).min():.2f} to {sl.true_values(world).max():.2f}")
MARKS = (1000, 3000, 10_000)
accuracy = {}
for gamma in (0.9, 0.95):
    accuracy[f"discount {gamma}"] = {}
    for label, key in {"ReLU": "none", "ReLU with LayerNorm": "all"}.items():
        runs = part_of("value", gamma=gamma, norm=key)
        values = runs[[f"error_at_{mark}" for mark in MARKS]].to_numpy()
        accuracy[f"discount {gamma}"][label] = values
        last_ones = values[:, -1]
        print(
            f"discount {gamma}, {label}: {runs.diverged.sum()} blow up; error after 10,000 steps: "
            f"median {np.median(last_ones):.2f}, from {last_ones.min():.2f} to {last_ones.max():.2f}"
        )
plotting.value_errors(MARKS, accuracy)

# %% [markdown]
# No harm is seen here: at every mark and at both discounts the median error is smaller with LayerNorm. Part of that is
# speed. With LayerNorm the kernel of a fresh network is larger, so the same learning rate makes longer steps. But the
# error keeps falling, and it does not stop at a larger number than the plain one. On this problem LayerNorm costs no
# accuracy.
#
# And where the plain network blows up? On the walk every true value is 0. Here is what the rescued runs end at.

# %%
for depth in (2, 3):
    ended = part_of("rescue", depth=depth, norm="all").q_mean_at_end
    print(f"{depth - 1} hidden, 48 runs with LayerNorm, mean of Q after 5000 steps: ", end="")
    print(f"median {ended.median():.1f}, from {ended.min():.1f} to {ended.max():.1f}")

# %% [markdown]
# They are finite, and still wrong: typically between 2 and 3, where 0 is true, and up to 9. **Finite is not the same as
# right.**

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/07_layer_norm.ipynb](exercises/07_layer_norm.ipynb). The last line of each exercise's
# cell is its check. Solutions: [solutions/07_layer_norm.ipynb](solutions/07_layer_norm.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | LayerNorm by hand | 5 | easy |
# | 2 | the limit as a multiple of $G(x_0, x_0)$ | 8 | middle |
# | 3 | the response of an infinitely wide network, from the angle alone | 12 | middle |

# %% [markdown]
# ## Where the theory stops
#
# **A large step still breaks it.** The kernel has a limit; the learning rate has none. Here are the walks with
# LayerNorm at larger and larger learning rates. Then the walks with a reward of 1 in every step, whose true value is
# $1/(1-0.99) = 100$ everywhere. Then the walks with the initialisation of He and others, whose first weights are larger
# than those of PyTorch.

# %%
failures = {
    f"learning rate {lr}": part_of(name, depth=2, norm="all", affine=True, lr=lr).crash_step.to_numpy(float)
    for lr, name in ((0.02, "rescue"), (0.05, "rate"), (0.1, "rate"), (0.2, "rate"), (0.5, "rate"))
}
for lr in (0.02, 0.002):
    failures[f"reward 1, learning rate {lr}"] = part_of("reward", norm="all", lr=lr).crash_step.to_numpy(float)
for lr in (0.02, 0.002):
    failures[f"He's start, learning rate {lr}"] = part_of("init", norm="all", lr=lr).crash_step.to_numpy(float)
for label, crash in failures.items():
    print(f"LayerNorm, {label:<30} {np.isfinite(crash).sum():>2} of {len(crash)} blow up")
rewarded = part_of("reward", lr=0.002)
ended = rewarded[rewarded.norm == "all"].q_mean_at_end
print(f"reward 1, learning rate 0.002, no LayerNorm: {rewarded[rewarded.norm == 'none'].diverged.sum()} of 24 blow up")
print(f"with it, mean value after 5000 steps (true: 100): from {ended.min():.0f} to {ended.max():.0f}")
plotting.ends_of_runs(failures, steps=5000)

# %% [markdown]
# - Already at 0.05 a few runs are lost, at 0.2 nearly all.
# - With reward 1 nearly all runs are lost at learning rate 0.02. A likely reason is that the value has to climb to 100.
#   For that $w$ must become long, and with it grows the part of the first layer, until the step is too long. At a tenth
#   of the learning rate none is lost, while all plain runs still are. But the values end above the true 100.
# - With He's initialisation 15 of 24 are lost at 0.02, and one still at 0.002. All plain runs are lost at both.
#
# So "96 of 96" in section 5 belongs to one initialisation, reward 0 and one learning rate.
#
# **SEEM warns for nothing.** Take the rule of lesson 04 to the 24 runs with LayerNorm. It warns if
# $\varepsilon\cdot\text{SEEM}\cdot$ steps left is above 1. All of these runs last 5000 steps.

# %%
norm_runs = part_of("rescue", depth=2, norm="all", affine=True)
for step in AT:
    warned = sl.early_warning(norm_runs[f"seem_at_{step}"], lr=0.02, n=63, steps_left=5000 - step)
    print(f"step {step:>4}: the rule warns of {warned.sum():>2} of {len(norm_runs)} runs")

# %% [markdown]
# At step 50 it warns of 20 of the 24, and every warning is a false alarm. The rule takes the SEEM of today for good. It
# was worked out for ReLU networks, where SEEM grows; with LayerNorm it falls.
#
# **Another problem.** The grid of section 8 again, with discounts closer to 1. The data are complete: there is no
# far-away action at all.

# %%
grid = {
    f"discount {gamma}, learning rate {lr}, {label}": part_of("grid", gamma=gamma, lr=lr, norm=key).crash_step.to_numpy(
        float
    )
    for gamma in (0.98, 0.99)
    for lr in (0.02, 0.005)
    for label, key in {"ReLU": "none", "LayerNorm": "all"}.items()
}
for label, crash in grid.items():
    lost = crash[np.isfinite(crash)]
    print(f"{label:<46} {len(lost):>2} of {len(crash)} blow up, median step of these {np.median(lost):>4.0f}")
plotting.ends_of_runs(grid, steps=10_000)

# %% [markdown]
# Here LayerNorm saves nothing. In every pair at least as many runs blow up with it, and earlier. (Its kernel is larger,
# so in fairness compare its rows at 0.005 with the plain rows at 0.02. Then the two are about alike.) Is the step too
# long again? No. At discount 0.99 a quarter of the learning rate takes about four times as many steps: the same run in
# slow motion.
#
# So the limit of section 3 is a statement about inputs *far away*. A loop among inputs that are all close together does
# not need them. For a single pair of inputs the loop of lesson 01 needs $\gamma\,G(x^*, x) > G(x, x)$. At discount 0.99
# a response of 1.02 is enough, and a limit of 1.5 does not forbid that.
#
# **The linear case.** Baird's star of lesson 02, with its feature rows as they are, divided by their length, and sent
# through LayerNorm:

# %%
star = sl.baird_star()
star_x, star_next, _ = star.bootstrap(sl.linear_q(8, weight=sl.baird_weights()))
gammas = torch.linspace(0.7, 0.99, 2901, dtype=torch.float64)
for label, change in {
    "as they are": lambda rows: rows,
    "each row divided by its length": lambda rows: rows / rows.norm(dim=1, keepdim=True),
    "through LayerNorm": lambda rows: nn.functional.layer_norm(rows, (8,)),
}.items():
    A = (gammas[:, None, None] * change(star_next) - change(star_x)) @ change(star_x).T
    largest = torch.linalg.eigvals(A).real.amax(1)
    threshold = gammas[(largest > 1e-9).double().argmax()]
    print(f"{label:<32} SEEM at 0.99: {largest[-1]:.3f}, positive from discount {threshold:.3f} on")

# %% [markdown]
# All rows of the star have the same length $\sqrt 5$. So dividing by it divides SEEM by 5, and leaves the threshold
# where it was. LayerNorm makes it worse, because it also takes the mean off each row:

# %%
for label, rows in {"as they are": star_x, "mean taken off": star_x - star_x.mean(dim=1, keepdim=True)}.items():
    print(f"{label:<16} two outer states: {rows[0] @ rows[1]:6.3f}, outer state and centre: {rows[0] @ rows[6]:6.3f}")

# %% [markdown]
# The inner product of two outer states is part of $G(X, X)$, which pulls the error down. It falls from 1 to below 0.
# That of an outer state and the centre is part of $G(X^*, X)$, which pulls the target up. It falls too, but stays
# positive. So the pull upwards wins at a smaller discount. Normalised features do not make linear Q-learning safe.

# %% [markdown]
# ## Summary
#
# - For a ReLU network, $G(y, x_0)$ grows in proportion to the distance of $y$. With LayerNorm it levels off.
# - The reason has two halves. The hidden values cannot become long. And the derivative back to the first layer carries
#   $1/S$, which cancels the length of the input. Together: $|G(y, x_0)| \le \sqrt{B\,G(x_0, x_0)}$, about 1.5 times
#   $G(x_0, x_0)$ in fresh networks of this size, and about 1 as measured.
# - On the toy walk at learning rate 0.02 it saved 96 of 96 runs, and 24 of 24 when put in one step before the end. SEEM
#   stays above zero; it only stops growing.
# - On a grid where the plain network converges, the values were no worse. On the walk they are finite, not right.
# - It belongs before the last hidden layer's ReLU. In the first hidden layer only, it saved 14 of 24.
# - It is no guarantee: a large step, large rewards, larger initial weights and a complete grid at discount 0.98 to 0.99
#   all broke it.

# %% [markdown]
# ## References
#
# - Ba, Kiros, Hinton, *Layer Normalization*, 2016, arXiv 1607.06450.
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: LayerNorm against self-excitation, and the kernel of far
#   points.
# - Cho, Saul, *Kernel Methods for Deep Learning*, 2009: the averages of section 4.
# - Jacot, Gabriel, Hongler, *Neural Tangent Kernel*, 2018: the limit of infinite width.
# - Ziomek, Whittle, Osborne, *Just One Layer Norm Guarantees Stable Extrapolation*, 2025, arXiv 2505.14512: in
#   infinitely wide networks one LayerNorm is enough to keep the kernel below a limit.

# %% [markdown]
# ## Next
#
# [08 Remedies](08_remedies.ipynb): what else helps, what does not, and what does the eigenvalue say of each?
