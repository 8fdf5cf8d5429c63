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
# **Time.** about 90 minutes, exercises 25 more
#
# **Before this.** [03 The tangent kernel](03_tangent_kernel.ipynb), above all its section 3, where the kernel falls
# into one term a layer. From [04](04_seem.ipynb): what SEEM is.
#
# **You will be able to**
# 1. show that the kernel of a ReLU network grows without end as you leave the data, and that LayerNorm stops it;
# 2. derive a limit for the kernel with LayerNorm, step by step, and check it;
# 3. say where LayerNorm saved runs, where it did not, and what it cannot do.
#
# **In the paper.** The section on LayerNorm of arXiv 2310.04411: the kernel of two points with and without it, and
# the runs that it keeps from diverging.

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
# One update at $x_0$ moves $Q(y)$ by $\eta\,G(y, x_0)$, to first order, with $\eta$ the learning rate (lesson 03).
# For a ReLU network this response does not fade with the distance. In Q-learning that closes the loop: we raise $Q$
# at the data, and $Q$ at some action far from the data rises even more. The target takes that action, and so the
# target rises more than the value.
#
# **LayerNorm** is a layer that many people put before each ReLU. Section 2 writes it out. For now compare two
# networks with 2 inputs and one wide hidden layer (512 units). One has it and one does not. The linear layers have
# the same initial weights.

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
# response tends to a number for each direction. It is small in the directions away from $x_0$, but it need not be
# zero.
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
# Take one hidden layer with $n$ units. The first linear layer gives the vector $z = W x + b$ of $n$ numbers.
# LayerNorm looks at the $n$ numbers of *one* input. It takes off their mean $m$, and divides by their spread:
#
# $$\hat z_i = \frac{z_i - m}{S}, \qquad m = \frac1n \sum_i z_i, \qquad S^2 = \frac1n \sum_i (z_i - m)^2 + \epsilon .$$
#
# The small $\epsilon = 10^{-5}$ only avoids a division by zero. (It is not the $\varepsilon = 2\eta/N$ of training,
# where $N$ is the number of transitions. Here $n$ counts units.) Then each unit has a gain $g_i$ and a bias $c_i$
# that are learned. They start at 1 and 0. The ReLU and the last layer follow:
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
# The input became 10,000 times longer, and $z$ and $S$ some 7,000 times (the bias, which stays, has its share in the
# first). The normalised $\hat z$ kept its length, a little
# below $\sqrt n$. That is no accident:
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
# **The last layer** adds $|h|^2 + 1$. A ReLU makes nothing longer, so $|h| \le |g \odot \hat z + c|$. By (1) this is
# at most $\max|g|\,\sqrt n + |c|$. So this part is at most $\big(\max|g|\sqrt n + |c|\big)^2 + 1$: a number that does
# not know $y$. In the ReLU network $|h|$ itself grows with $y$. Here is the first half of the explanation.
#
# **The gain and the bias of LayerNorm.** Let $\mathbf 1_i$ be 1 if unit $i$ is on, else 0. Then
# $\partial Q/\partial g_i = w_i \mathbf 1_i \hat z_i$ and $\partial Q/\partial c_i = w_i \mathbf 1_i$. So they add
# $\sum_i (w_i \mathbf 1_i \hat z_i)^2 + \sum_i (w_i \mathbf 1_i)^2$. By (1) that is at most $\max|w|^2\, n + |w|^2$.
#
# **The first layer** is the interesting one. It adds $|\delta|^2\,(|y|^2 + 1)$, where $\delta$ is the derivative of
# $Q$ by $z$. Here $|y|^2 + 1$ grows without end. What saves us is $\delta$. Six steps:
#
# 1. Change $z$ by a small $dz$. The mean $m$ changes by $dm = \frac1n \sum_i dz_i$.
# 2. From $S^2 = \frac1n \sum_i (z_i - m)^2 + \epsilon$ follows
#    $2 S\,dS = \frac2n \sum_i (z_i - m)(dz_i - dm) = \frac2n \sum_i (z_i - m)\,dz_i$, since the $z_i - m$ sum to 0. So
#    $dS = \hat z \cdot dz / n$.
# 3. By the rule for quotients $d\hat z_i = \frac{dz_i - dm}{S} - \frac{(z_i - m)\,dS}{S^2} =
#    \frac1S \big( dz_i - dm - \hat z_i\,\frac{\hat z \cdot dz}{n} \big)$. As a matrix, with $\mathbf e$ the column of
#    $n$ ones: $d\hat z = J\,dz$, $\; J = \frac1S \big( I - \frac{\mathbf e \mathbf e^T}{n} -
#    \frac{\hat z \hat z^T}{n} \big)$.
# 4. $J$ goes forwards. We want to go backwards, from $Q$ to $z$. The derivative of $Q$ by $\hat z$ is $v$, with
#    $v_i = g_i \mathbf 1_i w_i$. So $dQ = v \cdot d\hat z = v \cdot J dz = (J^T v) \cdot dz$, and $\delta = J^T v$. But $J$
#    is symmetric, so $\delta = J v$.
# 5. $\mathbf e$ and $\hat z$ are perpendicular, as the $\hat z_i$ sum to 0. The first subtraction in the bracket takes
#    away all of $v$ that lies along $\mathbf e$. The second takes away the share $|\hat z|^2/n$ of what lies along
#    $\hat z$, and by (1) this share is between 0 and 1. The rest of $v$ stays. So the bracket makes nothing longer, and
#    $|\delta| \le |v|/S$.
# 6. $|v| \le \max|g|\,|w|$, since the $\mathbf 1_i$ only take entries away.
#
# Together
#
# $$|\delta|^2 (|y|^2 + 1) \;\le\; \max|g|^2\,|w|^2\; \frac{|y|^2 + 1}{S^2} . \tag{3}$$
#
# Steps 3 to 6 as numbers, with a gain and a bias that are drawn, so that they matter:

# %%
drawn = copy.deepcopy(norm)
with torch.no_grad():
    for parameter in drawn[1].parameters():
        parameter.copy_(torch.randn(512, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64))
no_gain = nn.LayerNorm(512, elementwise_affine=False)
for row in y:
    z = drawn[0](row).detach().requires_grad_(True)
    z_hat = no_gain(z).detach()
    S = ((z - z.mean()).square().mean() + no_gain.eps).sqrt().item()
    J = (torch.eye(512, dtype=torch.float64) - 1 / 512 - torch.outer(z_hat, z_hat) / 512) / S
    J_torch = torch.autograd.functional.jacobian(no_gain, z)
    (delta,) = torch.autograd.grad(drawn[1:](z), z)
    v = (drawn[1](z) > 0) * drawn[1].weight * drawn[3].weight[0]
    limit = drawn[1].weight.abs().max() * drawn[3].weight.norm() / S
    print(
        f"input {row.norm():>7.0f} long: J right {torch.allclose(J, J_torch, rtol=1e-8, atol=1e-8 / S)}, "
        f"delta = J v {torch.allclose(delta, J @ v, rtol=1e-8, atol=1e-8 / S)}, "
        f"|delta| {delta.norm().item():.1e}, |v|/S {v.norm().item() / S:.1e}, limit {limit.item():.1e}"
    )

# %% [markdown]
# Numerator and denominator of the last fraction grow like $|y|^2$. That is the second half of the explanation: **the further out the
# input is, the less a change of $z$ moves the normalised unit, in just the proportion in which the input has grown.** To get a
# number: $z - m$ is a linear function of $y$ and the bias, $z - m = C\,[W\; b]\,(y, 1)$, where $C$ takes the mean off
# each column. A matrix with more rows than columns makes a vector at least $\sigma$ times as long, $\sigma$ its
# smallest singular value. (Taking off the mean costs one row, and the bias adds a column. So $\sigma$ can be above 0
# only if there are at least two more units than inputs.) So $n S^2 \ge |z - m|^2 \ge \sigma^2 (|y|^2 + 1)$, and this
# part is at most $\max|g|^2\,|w|^2\, n/\sigma^2$.
#
# The three limits together are $B$. `sl.kernel_bound` adds them up. Here are the parts on a ray, measured, without
# LayerNorm and with it:


# %%
def part(network, index, y):
    """What one layer adds to G(y, y): the kernel with all other parameters held fixed."""
    alone = copy.deepcopy(network).requires_grad_(False)
    alone[index].requires_grad_(True)
    return sl.ntk(alone, y).diag().numpy()


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
# Left, both parts grow like the square of the distance. ($G(y, y)$ has the far point on both sides, $G(y, x_0)$ only
# on one: hence the exponent 1.) Right, every part is flat, and their sum stays below the limit.
#
# Put $B$ into (2) and divide by $G(x_0, x_0) = |\phi(x_0)|^2$. For every $y$ in the whole space
#
# $$\frac{|G(y, x_0)|}{G(x_0, x_0)} \;\le\; \sqrt{\frac{B}{G(x_0, x_0)}} .$$
#
# How large is that for the 20 networks of the walks, and how much of it is used? We look in 60 directions from
# $x_0$, at distances from a thousandth to a million. (At $x_0$ itself the response is exactly 1.)

# %%
generator = torch.Generator().manual_seed(SEED)
everywhere = torch.randn(60, 1, 4, generator=generator, dtype=torch.float64)
everywhere = (everywhere * torch.logspace(-3, 6, 28, dtype=torch.float64)[:, None]).flatten(0, 1)
stated, measured = [], []
for seed in SEEDS:
    net, start = sl.mlp(4, layer_norm=True, seed=1000 + seed), starts[seed][None]
    here = sl.ntk(net, start).item()
    stated.append(math.sqrt(sl.kernel_bound(net).total / here))
    measured.append((sl.ntk(net, start + everywhere, start).abs().max() / here).item())
print(f"fresh, stated multiple of G(x0, x0): from {min(stated):.2f} to {max(stated):.2f}")
print(f"fresh, largest measured response:    from {min(measured):.3f} to {max(measured):.3f}")

trained = [sl.mlp(4, layer_norm=True, seed=1000 + seed) for seed in SEEDS]
sl.train_stacked(trained, [sl.toy_walk(seed) for seed in SEEDS], lr=0.02, steps=150)
stated = [
    math.sqrt(sl.kernel_bound(net).total / sl.ntk(net, start[None]).item())
    for net, start in zip(trained, starts, strict=True)
]
print(f"after 150 steps, stated multiple:    from {min(stated):.2f} to {max(stated):.2f}")

# %% [markdown]
# So for a fresh network of this size nothing anywhere moves by more than about one and a half times as much as $x_0$
# itself, and the most that we found is 2 % more than $x_0$.
#
# Two remarks. The limit contains $g$, $c$ and $w$, and these are trained. So $B$ is a fact about a network as it is
# now: the last line shows how it has risen after 150 steps of training (section 5 says how the training goes). And
# with more hidden layers the same two halves act layer by layer; there the clean constant $\sigma$ is lost, and we
# only measured.

# %% [markdown]
# ## 4 An independent check: infinitely many units
#
# Everything so far was computed by the same function, `sl.ntk`. Is it right? For one hidden layer with very many
# units there is a formula. Each inner product in the kernel is a sum over $n$ units that were drawn alike, so for
# large $n$ it is $n$ times an average, and the averages are known (Cho and Saul 2009). They depend on the **angle**
# $t$ between $(y, 1)$ and $(x, 1)$; the 1 stands for the bias. With LayerNorm, only the angle is left:
#
# $$\frac{G(y, x_0)}{n} \;\to\; \frac{\sin t + (\pi - t)\cos t}{2\pi} \quad\text{with LayerNorm},$$
#
# and the same times $s(y)\,s(x_0)$ without it, where $s(y)^2 = (|y|^2 + 1)/(3d)$ is the variance of one $z_i$.
# (PyTorch draws the weights of a layer with $d$ inputs with variance $1/(3d)$.) `sl.infinite_width_ntk` has all
# terms; its docstring derives them. If formula and kernel are both right, single networks differ from the formula by
# chance alone, and chance falls like $1/\sqrt n$. The formula wants the first layer drawn from a Gaussian. PyTorch
# draws uniformly, so we look at both.

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
# share no line of code meet. With PyTorch's uniform weights the error falls more slowly, and at 4096 units it is
# still 8 to 9 %. There $z_i$ is a sum of only three uniform numbers (two weights and a bias), and that is not
# Gaussian, however many units there are. So the formula is not the limit of these networks.
#
# The formula also says how large the multiple is in the limit. The function of $t$ is largest at $t = 0$. So with
# LayerNorm and infinitely many units, **no input at all responds more than $x_0$ itself**. Our networks are finite and
# drawn uniformly, and some inputs do respond more, by a little: section 3 found up to 2 % more.

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
# That was a short look. The long runs were made beforehand: 24 seeds, 5000 steps, one and two hidden layers,
# LayerNorm with its gain and bias (*affine*) and without them (`python data/make_layer_norm_runs.py`, about half an
# hour).

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
# **LayerNorm does not make SEEM negative.** It is above zero in nearly all runs: in all 24 up to step 200, in 22 at
# step 500, in 23 at step 1000. And it does not stay small from the start. With LayerNorm the median rises 13-fold in
# the first 50 steps, from 0.44 to 5.6. (In the ReLU network it rises 7-fold.) Only then does it fall, to about 0.01
# from step 200 on; in single runs it stays higher. On the clock of lesson 04 that is far less than one time constant in the 4000 steps that are left.
#
# Why does it rise, and why does it fall? Here are the 24 runs, stopped at a few steps. We print the length of the
# output weights, the median of $S$ over the data, the kernel $G(x, x)$ and its parts from section 3, and SEEM.

# %%
growing = [sl.mlp(4, layer_norm=True, seed=1000 + seed) for seed in range(24)]
walks = [sl.toy_walk(seed) for seed in range(24)]
done = 0
print("medians of 24 runs")
for step in (0, 50, 100, 200):
    if step > done:
        sl.train_stacked(growing, walks, lr=0.02, steps=step - done)
        done = step
    columns = []
    for net, walk in zip(growing, walks, strict=True):
        spread = net[0](walk.x).std(dim=1, correction=0).median().item()
        of_layers = [np.median(part(net, index, walk.x)) for index in (0, 1, 3)]
        kernel = sl.ntk(net, walk.x).diag().median().item()
        seem_now = sl.seem(net, *walk.bootstrap(net)).value
        columns.append([net[3].weight.norm().item(), spread, kernel, *of_layers, seem_now])
    w_now, s_now, kernel, p1, p2, p3, seem_now = np.median(columns, axis=0)
    print(
        f"step {step:>3}: |w| {w_now:.1f}, S {s_now:.2f}, G {kernel:.0f} "
        f"(first {p1:.0f}, gain and bias {p2:.0f}, last {p3:.0f}), SEEM {seem_now:.2g}"
    )

# %% [markdown]
# First the kernel. By step 200, $w$ is more than three times as long, the two parts that contain $w$ (the first
# layer's and that of gain and bias) have grown from about 2 to about 29, and $G$ has doubled. $S$ hardly moves. So
# LayerNorm does *not* keep the kernel from growing with the weights.
#
# Now SEEM. At step 50 the kernel is only a seventh larger than at the start, and SEEM is 13 times as large. At step
# 200 the kernel is the largest, and SEEM is far below its first value. So the size of the kernel explains neither the
# rise nor the fall. What changes is the difference of $\gamma\,G(X^*, X)$ and $G(X, X)$, and SEEM is its largest
# eigenvalue. Why training first makes this difference worse and then nearly harmless we did not find out.

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
# At learning rate 0.02 none of these 24 runs was lost in the 400 steps after LayerNorm was put in, one step before
# the end. But LayerNorm does more than keep the values from growing. The new network is a *different function*. So we
# also print the values right after the change, before any step:

# %%
for before in (1, 5, 10, 20):
    print(f"learning rate 0.2, {before} before the end. {panels.SwitchOn(before=before, lr=0.2).text}")

late = [sl.mlp(4, seed=1000 + seed) for seed in range(24)]
ends = part_of("rescue", depth=2, norm="none").sort_values("seed").crash_step.astype(int)
for net, walk, end in zip(late, walks, ends, strict=True):
    sl.train_stacked([net], [walk], lr=0.02, steps=end - 1)
q_before = [sl.q_values(net, walk.x).abs().max().item() for net, walk in zip(late, walks, strict=True)]
rescued = [sl.insert_layer_norm(net) for net in late]
q_after = [sl.q_values(net, walk.x).abs().max().item() for net, walk in zip(rescued, walks, strict=True)]
drop = np.array(q_before) / np.array(q_after)
print(f"seed 0: largest |Q| {q_before[0]:.0f}, right after the change {q_after[0]:.0f}", end="")
print(f", |w| {rescued[0][3].weight.norm().item():.0f}")
print(f"all seeds: largest |Q| before the change from {min(q_before):.2g} to {max(q_before):.2g}")
print(f"the change alone divides it by {np.median(drop):.0f} (median), from {drop.min():.0f} to {drop.max():.0f}")
switched = sl.train_stacked(rescued, walks, lr=0.02, steps=400)
print(f"blown up within 400 steps: {sum(run.diverged for run in switched)} of {len(switched)}")
print(f"largest |Q| after 400 steps: median {np.median([run.q_max[-1] for run in switched]):.2g}")

# %% [markdown]
# Putting it in throws the learned values away: it divides the largest of them by 17 or more before the first step. So
# part of the rescue is a fresh start. And 400 steps are not 5000: we did not look further.
#
# At learning rate 0.2 the slider gives a surprise. One step before the end LayerNorm saves the run of seed 0. Put in
# 5, 10 or 20 steps before the end, it does not. So earlier is not always better. Why the last step differs we did not
# study.

# %% [markdown]
# ## 7 Which layer needs it?
#
# With two hidden layers we can leave one of the two LayerNorms out. In the panel above, one of them was enough to
# make the kernel level off: whichever layer it stands in, what follows sees only the direction. So does one suffice?

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
# level off with the distance. What is different is how they grow with the *weights*. Multiply the weights and biases
# of all linear layers by 10, 100 and 1000, and look at $G(x, x)$ on the walks. The gain and the bias of LayerNorm
# stay. In the last row LayerNorm has none (*not affine*).

# %%
FACTORS = (10, 100, 1000)
for label, (layer_norm, affine) in {
    "none": (False, True),
    "first hidden layer only": ((True, False), True),
    "last hidden layer only": ((False, True), True),
    "both": (True, True),
    "both, not affine": (True, False),
}.items():
    growth = {factor: [] for factor in FACTORS}
    for seed in SEEDS:
        net, x = sl.mlp(4, (64, 64), layer_norm=layer_norm, affine=affine, seed=1000 + seed), sl.toy_walk(seed).x
        before = sl.ntk(net, x).diag()
        for factor in FACTORS:
            scaled = copy.deepcopy(net)
            with torch.no_grad():
                for linear in (layer for layer in scaled if isinstance(layer, nn.Linear)):
                    for parameter in linear.parameters():
                        parameter.mul_(factor)
            growth[factor].append((sl.ntk(scaled, x).diag() / before).median().item())
    times = [np.median(growth[factor]) for factor in FACTORS]
    said = ", ".join(f"{factor}: {value:.2g}" for factor, value in zip(FACTORS, times, strict=True))
    print(f"{label:<24} kernel times, at factor {said};  power {math.log10(times[2] / times[1]):.2f}")

# %% [markdown]
# The power is what counts in the end: 4 without LayerNorm and with it in the first layer only, 2 with it in the last
# layer or in both. To see why, count the factors of the weights' size $f$ in the derivative of $Q$ by each group of
# parameters. The kernel has their squares. The linear layers are $W_1$, $W_2$ and $w$, and an $S$ that follows them
# divides by what is below it.
#
# | derivative by | none | first only | last only | both |
# | --- | --- | --- | --- | --- |
# | $w$ (that is $h_2$) | $f^2$ | $f$ | 1 | 1 |
# | $W_2$ | $f \cdot f = f^2$ | $f$ | $f \cdot f/f^2 = 1$ | $f/f = 1$ |
# | $W_1$ | $f \cdot f = f^2$ | $f \cdot f/f = f$ | $f \cdot f/f^2 = 1$ | $f \cdot f/(f \cdot f) = 1$ |
# | gain and bias of the first LayerNorm | | $f \cdot f = f^2$ | | $f \cdot f/f = f$ |
# | gain and bias of the last LayerNorm | | | $f$ | $f$ |
#
# So LayerNorm before the last ReLU takes the power from 4 to 2. What is left is the derivative by gain and bias, which
# contains $w$: without gain and bias the power is 0. At factor 10 one does not see it yet, as the part of $w$, which does not grow, is the
# largest.
#
# So "the kernel does not grow with the distance" is not the whole story. How it grows with the weights belongs to it.
# This fits the count of lost runs. It does not prove that it is the cause.

# %% [markdown]
# ## 8 Does the value stay right?
#
# A network whose values cannot run away could be a network that cannot learn. So we need a problem whose true values
# are known, and on which the plain network does not blow up. Take a grid of 5 by 5 cells. Four moves; the upper right
# corner is the goal, worth 1 and terminal. The data hold every move from every cell once. So the true value is the
# discount to the power of the steps that are left after the move, and `sl.true_values` finds the same by value
# iteration.
#
# Neither network has stopped by the end. So we look at what is reached after equal numbers of steps. The error is the
# root of the mean square of $Q - Q_{\text{true}}$, divided by the standard deviation of the true
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
    world = sl.grid_world(gamma=gamma)
    truth = sl.true_values(world)
    for label, key in {"ReLU": "none", "ReLU with LayerNorm": "all"}.items():
        runs = part_of("value", gamma=gamma, norm=key)
        values = runs[[f"error_at_{mark}" for mark in MARKS]].to_numpy()
        accuracy[f"discount {gamma}"][label] = values
        last_ones = values[:, -1]
        print(
            f"discount {gamma}, {label}: {runs.diverged.sum()} blow up; median error after "
            + ", ".join(f"{mark}: {np.median(column):.2f}" for mark, column in zip(MARKS, values.T, strict=True))
            + f" steps (the last from {last_ones.min():.2f} to {last_ones.max():.2f})"
        )
    faster = [sl.mlp(4, seed=1000 + seed) for seed in range(12)]
    ended = sl.train_stacked(faster, [world] * len(faster), lr=0.4, steps=MARKS[0])
    lasting = [net for net, run in zip(faster, ended, strict=True) if not run.diverged]
    off = [((sl.q_values(net, world.x) - truth).square().mean().sqrt() / truth.std(correction=0)) for net in lasting]
    print(
        f"    ReLU at learning rate 0.4, {MARKS[0]} steps: {len(faster) - len(lasting)} of {len(faster)} blow up; "
        f"median error of the others {torch.stack(off).median().item():.2f}"
    )
plotting.value_errors(MARKS, accuracy)

# %% [markdown]
# At the same learning rate the median error is smaller with LayerNorm, at every mark. But that is no fair race. The
# kernel of a fresh network with LayerNorm is about four times as large, so the same learning rate makes steps about
# four times as long. Give the plain network four times the learning rate, and its median error after 1000 steps is
# the smaller one. So the lead of LayerNorm here can be all speed. The price is seen too: at discount 0.95 one of
# these twelve faster runs blows up.
#
# What can be said: no run with LayerNorm blew up here, and its error was still falling at the end. Where it would
# stop we did not see, neither with LayerNorm nor without.
#
# And where the plain network blows up? On the walk every true value is 0. Here is what the rescued runs end at.

# %%
for depth in (2, 3):
    ended = part_of("rescue", depth=depth, norm="all").q_mean_at_end
    print(f"{depth - 1} hidden, 48 runs with LayerNorm, mean of Q after 5000 steps: ", end="")
    print(f"median {ended.median():.1f}, from {ended.min():.1f} to {ended.max():.1f}")

# %% [markdown]
# They are finite, and still wrong: typically between 2 and 3, where 0 is true, and up to 9. **Finite is not the same
# as right.**

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
# $1/(1-0.99) = 100$ everywhere. Then the walks with the initialisation of He and others, whose first weights are
# larger than those of PyTorch.

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
for name, label in (("reward", "reward 1"), ("init", "He's start")):
    for lr in (0.02, 0.002):
        plain_runs = part_of(name, norm="none", lr=lr)
        print(f"no LayerNorm, {label}, learning rate {lr}: {plain_runs.diverged.sum()} of {len(plain_runs)} blow up")
rewarded = part_of("reward", lr=0.002)
ended = rewarded[rewarded.norm == "all"].q_mean_at_end
print(
    f"LayerNorm, reward 1, rate 0.002, mean value after 5000 steps (true: 100): from {ended.min():.0f} to {ended.max():.0f}"
)
plotting.ends_of_runs(failures, steps=5000, blocks=(5, 2, 2))

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
# At step 50 it warns of 20 of the 24, and every warning is a false alarm. The rule reckons as if SEEM stayed what it
# is at that step. In the ReLU networks of lesson 04 it grows. With LayerNorm it rises first, and falls after step 50.
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
for gamma in (0.98, 0.99):
    slow, fast = (grid[f"discount {gamma}, learning rate {lr}, LayerNorm"] for lr in (0.005, 0.02))
    print(
        f"discount {gamma}, LayerNorm: a quarter of the rate takes {np.nanmedian(slow) / np.nanmedian(fast):.1f} "
        f"times the steps; lost by step 2500 at 0.02: {(fast <= 2500).sum()}, by step 10,000 at 0.005: "
        f"{(slow <= 10_000).sum()}"
    )
plotting.ends_of_runs(grid, steps=10_000, blocks=(2, 2, 2, 2))

# %% [markdown]
# Here LayerNorm saves nothing. In every pair at least as many runs blow up with it, and earlier. (Its kernel is
# larger. So compare its rows at 0.005 with the plain rows at 0.02 as well. At discount 0.99 the two are about alike.
# At 0.98 LayerNorm loses 10 runs against 12, and later.) Is the step too long again? It does not look so. A quarter
# of the learning rate takes about four times as many steps, at both discounts: the same run in slow motion.
#
# How can there be a loop, if no input responds much more than the one that is updated? Take a move $x$ of the grid
# and the best next move $x^*$. If $x$ alone is updated, its target rises by $\gamma\,G(x^*, x)$ and its value by
# $G(x, x)$, both times the same step. The target wins if the response $G(x^*, x)/G(x, x)$ is above $1/\gamma$. But
# all 96 moves are updated at once. Suppose all errors are equal. Then the target wins if the same quotient of *sums*,
# $\sum_j G(x^*, x_j) / \sum_j G(x, x_j)$, is above $1/\gamma$. Here are both quotients in the fresh networks, the
# largest over the moves.

# %%
for gamma in (0.98, 0.99):
    world = sl.grid_world(gamma=gamma)
    alone, together, seems = [], [], []
    for seed in range(24):
        net = sl.mlp(4, layer_norm=True, seed=1000 + seed)
        x, x_next, discount = world.bootstrap(net)
        going_on = discount > 0
        value, target = sl.ntk(net, x), sl.ntk(net, x_next, x)
        alone.append((target.diag() / value.diag())[going_on].max().item())
        together.append((target.sum(1) / value.sum(1))[going_on].max().item())
        seems.append(sl.seem(net, x, x_next, discount).value)
    print(f"discount {gamma}, 1/discount = {1 / gamma:.4f}")
    for label, quotients in {"updated alone": alone, "all updated": together}.items():
        above = sum(one > 1 / gamma for one in quotients)
        print(
            f"    {label:<14} median {np.median(quotients):.3f}, from {min(quotients):.3f} to {max(quotients):.3f}; "
            f"above 1/discount in {above} of 24"
        )
    print(f"    SEEM above 0 in {sum(one > 1e-9 for one in seems)} of 24")

# %% [markdown]
# Updated alone, hardly any move can pull its target up faster than itself: only in 2 of 24 networks at 0.99, in none
# at 0.98. Updated together some moves can, in every network. The limit of section 3 holds for every $y$, near or far,
# but it is for *one* update. It is about 1.5, too, where 1.01 is enough. And it says nothing of a sum over many
# updates.
#
# The sums are not the matrix either: SEEM is above 0 in 17 and 19 of these 24 networks only. And these are fresh
# networks; we did not follow them to the end of their runs. What one can say is that LayerNorm keeps one update from
# moving far-away inputs more and more, and that on a complete grid that was not the trouble.
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
    print(f"{label:<16} two leaves: {rows[0] @ rows[1]:6.3f}, leaf and centre: {rows[0] @ rows[6]:6.3f}")

# %% [markdown]
# The inner product of two leaves is part of $G(X, X)$, which pulls the error down. It falls from 1 to below 0.
# That of a leaf and the centre is part of $G(X^*, X)$, which pulls the target up. It falls too, but stays
# positive. So the pull upwards wins at a smaller discount. Normalised features do not make linear Q-learning safe.

# %% [markdown]
# ## Summary
#
# - For a ReLU network, $G(y, x_0)$ grows in proportion to the distance of $y$. With LayerNorm it levels off.
# - The reason has two halves. The hidden values cannot become long. And the derivative back to the first layer carries
#   $1/S$, which cancels the length of the input. Together: $|G(y, x_0)| \le \sqrt{B\,G(x_0, x_0)}$, about 1.5 times
#   $G(x_0, x_0)$ in fresh networks of this size, and at most 1.02 times as measured. Training raises the limit.
# - On the toy walk at learning rate 0.02 it saved 96 of 96 runs over 5000 steps. Put in one step before the end it saved
#   24 of 24 over the 400 steps that we looked at, after it had thrown most of the value away.
# - SEEM is above zero in nearly all of these runs. The median first rises 13-fold, then falls to about 0.01.
# - With two hidden layers and LayerNorm before the last ReLU the kernel grows like the square of the weights, without it like their fourth
#   power. In the first hidden layer only, LayerNorm saved 14 of 24.
# - On a grid it was quicker at the same learning rate, not at a fair one. On the walk the values are finite, not right.
# - It is no guarantee: a large step, large rewards, larger initial weights and a complete grid at discount 0.98 to 0.99
#   all broke it. The limit holds for one update, not for the sum of many.
# - In the [ledger](11_claims.ipynb): `bounded-kernel` **holds with limits**, `layer-norm-stops` **holds with limits**.

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
