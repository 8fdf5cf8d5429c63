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
# # 02 Linear Q-learning
#
# **Question.** When does linear Q-learning blow up, and how fast, exactly?
#
# **Time.** about 65 minutes to read; the three parts marked optional take 15 more, the exercises 30 more
#
# **Before this.** [01 Self-excitation](01_self_excitation.ipynb): the loop $u_{\text{new}} = (1 + \varepsilon A)\, u$.
# Eigenvalues and eigenvectors of a matrix; complex numbers and their absolute value.
#
# **You will be able to**
# 1. write one step of linear Q-learning as one matrix, and say when this is exact;
# 2. read from the eigenvalues of that matrix whether the error grows, how fast, and at which step it ends;
# 3. say what the sign of the leading eigenvalue leaves open: large steps, and the first steps.
#
# **In the paper.** Section 3, the matrix $A_t$ and its leading eigenvalue (arXiv 2310.04411). There the law is an
# approximation for networks. Here it is exact: the features are fixed, and so is the next action.

# %% [markdown]
# ## Set-up

# %%
import cmath
import math

import numpy as np
import torch

import seem_lab as sl
from seem_lab import panels, plotting

torch.set_num_threads(1)  # the matrices here are small: one thread is fastest
SEED = 0
torch_version = ".".join(torch.__version__.split(".")[:2])
print(f"seed {SEED}, float64, seem_lab {sl.__version__}, torch {torch_version}")

# %% [markdown]
# ## The idea
#
# In lesson 01 one number $A$ ruled one error. With $N$ transitions there are $N$ errors. They form a vector $u$. With
# linear features, **every training step multiplies $u$ by the same matrix**. Its eigenvalues tell the rest.
#
# Our example is **Baird's star** (Baird 1995), with 7 states and 8 weights. Six states are the *leaves*, the seventh is
# the *centre*. The value of each state is written beside it. Every transition leads to the centre. Every reward is
# zero, so zero is the right value everywhere. The customary start is $w = (1, 1, 1, 1, 1, 1, 10, 1)$.

# %%
GAMMA, LR = 0.99, 0.05
star, start = sl.baird_star(gamma=GAMMA), sl.baird_weights()
plotting.star_picture(star, start)

# %% [markdown]
# Train it, until the largest $|Q|$ passes $10^9$:

# %%
network = sl.linear_q(8, weight=start)
star_run = sl.train(network, star, lr=LR, steps=2000, q_limit=1e9)
plotting.error_growth(star_run, "Baird's star")

# %% [markdown]
# The vertical axis is logarithmic. After some hundred steps the error is nearly a straight line: the same factor in every step. *When* does such a
# line point upwards? And *how steep* is it? We now answer both from the features alone, without running anything.

# %% [markdown]
# ## 1 One step, exactly
#
# **The symbols.** A linear value is a weighted sum of $P$ features: $Q(x) = \phi(x) \cdot w$. Put the features of the
# data into the rows of a matrix:
#
# | symbol | in the code | shape | meaning |
# | --- | --- | --- | --- |
# | $\Phi$ | `phi` | $(N, P)$ | features of the data $X$ |
# | $\Phi^*$ | `phi_next` | $(N, P)$ | features of the bootstrap $X^*$ |
# | $D$ | `discount` holds its diagonal, $(N,)$ | $(N, N)$ | diagonal: $\gamma$, or 0 at a terminal |
# | $w$ | `w` | $(P,)$ | weights |
# | $u$ | `u` | $(N,)$ | TD errors |
#
# In `sl.linear_q` the input row *is* the feature row, so `phi` is simply `x`.
#
# **The error.** Value minus target, with $Q(X) = \Phi w$ and $Q(X^*) = \Phi^* w$:
#
# $$u = \Phi w - (r + D\,\Phi^* w) = -B w - r, \qquad B = D\,\Phi^* - \Phi.$$
#
# **The step.** The loss is $\frac1N \sum_i u_i^2$. The target counts as a constant. So the derivative of $u$ by $w$ is
# $\Phi$, and the gradient is $\frac2N \Phi^\top u$. A step with learning rate $\eta$ is
#
# $$w_{\text{new}} = w - \varepsilon\, \Phi^\top u, \qquad \varepsilon = \frac{2\eta}{N}.$$
#
# **What it does to the error.** Put the new $w$ into the line for $u$:
#
# $$u_{\text{new}} = u + \varepsilon\, B\, \Phi^\top u = (I + \varepsilon A)\, u, \qquad
# A = B\,\Phi^\top = (D\,\Phi^* - \Phi)\, \Phi^\top.$$
#
# With the kernel $G(Y, X) = \Phi_Y \Phi_X^\top$ this is the matrix of lesson 01: the move of the target minus the move
# of the value, $A = D\,G(X^*, X) - G(X, X)$.
#
# **When this is exact.** The error is linear in $w$, so there is no second-order term to neglect. But we used the same
# $\Phi^*$ before and after the step. Here that is true: the next action is given, so $X^*$ never changes. Where the
# target takes the best of several actions (the *greedy* one, lesson 00), the law is exact only as long as no greedy
# action changes. Lesson 03 measures the rest.
#
# Now the same lines in PyTorch. The step is PyTorch's own SGD. The prediction uses $A$. They must agree to rounding:
# this tests our algebra, not nature.

# %%
phi, phi_next, discount = star.bootstrap(network)
B = discount[:, None] * phi_next - phi
A = B @ phi.T
u = -B @ start  # the rewards are zero

# one real step: PyTorch's gradient, PyTorch's SGD
w = start.clone().requires_grad_()
target = discount * (phi_next @ start)  # a constant
loss = (phi @ w - target).square().mean()
loss.backward()
torch.optim.SGD([w], lr=LR).step()

eps = sl.step_size(LR, star.n)
difference = (-B @ w.detach() - (u + eps * A @ u)).norm() / u.norm()
print(f"eps = 2 lr / N = {eps:.4f}")
print(f"real step and (I + eps A) u agree to 1e-14: {(difference < 1e-14).item()}")
library_A = sl.seem_matrix(network, *star.bootstrap(network))
print(f"sl.seem_matrix gives the same A: {torch.allclose(A, library_A, rtol=0, atol=1e-14)}")

# %% [markdown]
# The rewards dropped out of the law. They say *where* the error starts, not whether it grows. That is why a problem
# with reward zero can blow up.

# %% [markdown]
# ## 2 Two matrices, one spectrum
#
# We looked at the errors. We could have looked at the weights. Put $u = -B w - r$ into the step:
#
# $$w_{\text{new}} = w + \varepsilon\, (K w + \Phi^\top r), \qquad K = \Phi^\top B.$$
#
# So the same two factors make two matrices:
#
# - **kernel view**: $A = B\,\Phi^\top$, shape $(N, N)$, moves the errors;
# - **parameter view**: $K = \Phi^\top B$, shape $(P, P)$, moves the weights. It is the key matrix of linear TD
#   learning. (Textbooks write $-K/N$ and want its eigenvalues to have a positive real part.)
#
# **They share their non-zero eigenvalues.** Let $A v = \lambda v$ with $\lambda \ne 0$. Then
#
# $$K\,(\Phi^\top v) = \Phi^\top B\,\Phi^\top v = \Phi^\top (A v) = \lambda\,(\Phi^\top v).$$
#
# And $\Phi^\top v$ is not zero, because $B\,\Phi^\top v = \lambda v$ is not zero. So $\lambda$ is an eigenvalue of $K$
# too. The other way round is the same with the roles exchanged.
#
# In words: $v$ is a shape of the error, and $\Phi^\top v$ is the direction in which the weights move when they see it.


# %%
def two_views(problem):
    """The kernel matrix A, (N, N), and the parameter matrix K, (P, P)."""
    phi, phi_next, discount = problem.bootstrap(sl.linear_q(problem.input_dim))
    B = discount[:, None] * phi_next - phi
    return B @ phi.T, phi.T @ B


def without_zeros(eigenvalues):
    return eigenvalues[eigenvalues.abs() > 1e-9 * eigenvalues.abs().max()]


def apart(these, those):
    """The largest distance from an eigenvalue of one set to the nearest of the other."""
    distance = (these[:, None] - those[None, :]).abs()  # each with each
    return max(distance.amin(0).max().item(), distance.amin(1).max().item())


problems = {
    "Baird's star: N = 7, P = 8": star,
    "random features: N = 15, P = 6": sl.random_features(15, 6, gamma=GAMMA, seed=SEED),
}
spectra = {name: [torch.linalg.eigvals(view) for view in two_views(problem)] for name, problem in problems.items()}
for name, (of_A, of_K) in spectra.items():
    same = apart(without_zeros(of_A), without_zeros(of_K)) < 1e-10
    print(f"{name}: the non-zero eigenvalues of A and K are the same to 1e-10: {same}")
plotting.shared_spectrum(spectra)

# %% [markdown]
# Rings are eigenvalues of $A$, crosses are eigenvalues of $K$. "5x" means five rings on one spot. Away from zero, each
# ring holds a cross.
#
# **The larger matrix has extra zeros**, at least $|N - P|$ of them. They do no harm, but they spoil the maximum: with
# them the largest real part can never be *below* zero, and a computer rounds them to either side. So **take the smaller
# matrix**: $A$ if $N \le P$, $K$ if $N > P$. A neural network has more parameters than a batch has transitions. That is
# why this course looks at $A$.

# %% [markdown]
# ## 3 Modes
#
# Let $A$ have $N$ independent eigenvectors. Nearly every matrix does. (It can fail where two eigenvalues meet. Five
# equal ones, as in the star, are harmless: they have five eigenvectors.) Put the eigenvectors $v_i$ into the columns of
# $V$ and write the error as a mixture of them, $u = \sum_i m_i v_i$, that is $m = V^{-1} u$. Then the step falls apart
# into single numbers:
#
# $$m_i \leftarrow (1 + \varepsilon \lambda_i)\, m_i.$$
#
# Each eigenvector is a **mode**: a shape of the error that keeps its shape. Each mode is a loop of lesson 01 of its
# own, with $\lambda_i$ in place of $A$. One thing is new: $\lambda$ can be complex.
#
# - **How fast.** The size of the mode is multiplied by $|1 + \varepsilon\lambda|$. So its logarithm grows by the
#   **rate** $\log|1 + \varepsilon\lambda|$ in every step.
# - **Spiral.** Complex eigenvalues come in mirrored pairs. Such a pair turns in a plane, in every step by the angle of
#   the complex number $1 + \varepsilon\lambda$. The error swings while it grows or shrinks.
# - **The edge.** A mode neither grows nor shrinks where $|1 + \varepsilon\lambda| = 1$. In the complex plane this is a
#   **circle** with centre $-1/\varepsilon$ and radius $1/\varepsilon$. Inside, modes shrink. Outside, they grow.
#
# Two words that we keep apart:
# - the **fastest** mode has the largest $|1 + \varepsilon\lambda|$;
# - the **leading** eigenvalue has the largest real part. That real part is the measure of the paper, **SEEM**, the
#   *self-excite eigenvalue measure*:
#
# $$\text{SEEM} = \max_i\, \mathrm{Re}\, \lambda_i.$$
#
# For a small $\varepsilon$ the two are the same mode: the circle is huge, near zero it looks like the imaginary axis,
# and what counts is the real part. For a large $\varepsilon$ they can differ. Here are the eigenvalues of a random
# problem with three step sizes.

# %%
random_A, _ = two_views(sl.random_features(12, 20, gamma=GAMMA, seed=SEED))
sizes = [sl.step_size(lr, 12) for lr in (0.1, 3.0, 6.0)]
plotting.stability_circle(torch.linalg.eigvals(random_A), sizes)

# %% [markdown]
# From left to right the step grows and the circle shrinks. The eigenvalues stay where they are: **$A$ does not know the
# learning rate.** On the right the circle has passed the eigenvalues far on the left, and those modes grow. That is the
# *step too long* of lesson 01. The sign of SEEM does not show it.
#
# And Baird's star?

# %%
result = sl.seem(network, *star.bootstrap(network))
print(f"Baird's star at gamma {GAMMA}: SEEM = {result.value:.3f}, imaginary part {result.frequency:.3f}")
print("all eigenvalues of A:", sorted(round(value.real, 2) + 0.0 for value in torch.linalg.eigvals(A).tolist()))
print("leading mode, leaf and centre:", [f"{result.mode[i].real:.2f}" for i in (0, 6)])

# %% [markdown]
# SEEM is positive. Two modes grow. In the faster one, all leaves are too high or too low *together*, and the centre
# hardly takes part.

# %% [markdown]
# ## 4 How fast, exactly
#
# In the long run the fastest mode outgrows the others. Here, with so small a step, it is the leading one. So the slope of
# the line should be $\log|1 + \varepsilon\lambda|$ with the leading $\lambda$. We measure it over the last 100 steps of the run above.

# %%
rate = math.log(abs(1 + eps * complex(result.value, result.frequency)))
u_norm = star_run.td_error_norm
measured = math.log(u_norm[-1] / u_norm[-101]) / 100
print(f"predicted rate {rate:.5f} a step, measured {measured:.5f}")
print(f"they agree to 1e-4 of their value: {abs(measured / rate - 1) < 1e-4}")
plotting.growth_per_step(star_run, rate)

# %% [markdown]
# **And the crash?** We say that a run has crashed when the largest $|Q|$ passes $10^6$. A first guess: start from the
# largest $|Q|$ of the start, 12 at the centre, and let it grow at the rate.
#
# A better answer asks *how much* of the start lies in the leading mode. That is $m_1$, if we number it first. By
# section 2 the mode $v_1$ of the error belongs to the direction $\Phi^\top v_1$ of the weights. The weights
# $w = -\frac{m_1}{\lambda_1} \Phi^\top v_1$ have just the error $m_1 v_1$ (put them into $u = -B w$). Their values are
# $\Phi w$. So after $k$ steps, when the other modes have fallen behind,
#
# $$\text{largest } |Q_k| \;\approx\; |1 + \varepsilon\lambda_1|^k \cdot
# \max_i \left| \frac{m_1}{\lambda_1}\, \Phi\, \Phi^\top v_1 \right|_i .$$


# %%
def crash_step(height, rate, limit=1e6):
    """First step at which height * exp(rate * step) is above the limit."""
    return math.ceil(math.log(limit / height) / rate)


lam, V = torch.linalg.eig(A)
m = torch.linalg.solve(V, u.to(V.dtype))  # u = V m at the start
lead = lam.real.argmax()
height = (m[lead] / lam[lead] * (phi @ phi.T).to(V.dtype) @ V[:, lead]).abs().max().item()

print(f"from the largest |Q| of the start, {star_run.q_max[0]:.0f}: step {crash_step(star_run.q_max[0], rate)}")
print(f"from the start's share in the leading mode, {height:.0f}: step {crash_step(height, rate)}")
print(f"measured: step {(star_run.q_max > 1e6).argmax()}")

# %% [markdown]
# The eigenvalue gives the slope of the line. The eigenvector and the start give its height. Together they give the step
# of the crash before the first step is made. The eigenvalue alone is some way off.

# %% [markdown]
# ## 5 The star by hand
#
# The star is simple enough to find its eigenvalues on paper. First the two products. Each entry is the product of two
# rows of features: a leaf with itself $2 \cdot 2 + 1 \cdot 1 = 5$, two different leaves $1$, a leaf and the centre
# $1 \cdot 2 = 2$, the centre with itself $1 + 4 = 5$. Every row of $\Phi^*$ is the centre. So
#
# $$\Phi\,\Phi^\top = \begin{pmatrix} 5 & 1 & \cdots & 1 & 2 \\ 1 & 5 & \cdots & 1 & 2 \\
# \vdots & & \ddots & & \vdots \\ 1 & 1 & \cdots & 5 & 2 \\ 2 & 2 & \cdots & 2 & 5 \end{pmatrix}, \qquad
# \text{every row of } \Phi^* \Phi^\top = (2, 2, \dots, 2, 5).$$
#
# **Leaves that differ.** An error with sum zero over the leaves and nothing at the centre gives
# $\Phi^* \Phi^\top u = 0$ and $\Phi\,\Phi^\top u = (5 - 1)\, u$. There are five such shapes: five eigenvalues $-4$.
#
# **Leaves that agree.** Baird's start treats all leaves alike, and so does every step. Put $u = (p, \dots, p, q)$, with
# $p$ at each leaf and $q$ at the centre, into $A u$:
#
# - how far a target moves: $\gamma\,(6 \cdot 2\, p + 5\, q)$;
# - how far a leaf moves: $(5 + 5 \cdot 1)\, p + 2\, q$; how far the centre moves: $6 \cdot 2\, p + 5\, q$.
#
# Target minus value is a $2 \times 2$ matrix:
#
# $$\begin{pmatrix} p \\ q \end{pmatrix}_{\text{new}} = (I + \varepsilon A_2) \begin{pmatrix} p \\ q \end{pmatrix},
# \qquad A_2 = \begin{pmatrix} 12\gamma - 10 & 5\gamma - 2 \\ 12(\gamma - 1) & 5(\gamma - 1) \end{pmatrix}.$$
#
# The top left entry tells the story. Move all leaves together: each value moves by 10, its target by $12\gamma$,
# because six leaves pull the shared weight $w_8$, and it counts double at the centre.
#
# The trace of $A_2$ is $17\gamma - 15$, the determinant is $26(1 - \gamma)$. So the two eigenvalues solve
#
# $$\lambda^2 - (17\gamma - 15)\,\lambda + 26(1 - \gamma) = 0.$$


# %%
def star_2x2(gamma):
    return torch.tensor([[12 * gamma - 10, 5 * gamma - 2], [12 * (gamma - 1), 5 * (gamma - 1)]], dtype=torch.float64)


for gamma in (0.85, 0.9, 0.99):
    by_hand = torch.cat([torch.linalg.eigvals(star_2x2(gamma)), torch.full((5,), -4.0)])
    all_seven = torch.linalg.eigvals(two_views(sl.baird_star(gamma=gamma))[0])
    print(f"discount {gamma}: by hand and by computer agree to 1e-9: {apart(by_hand, all_seven) < 1e-9}")

# %% [markdown]
# ## Predict
#
# Take Baird's star with the learning rate 0.01. Compute the trace for the discounts **0.85** and **0.9** first. (The
# two eigenvalues are a complex pair there, and a complex pair has the real part trace$/2$.)
#
# 1. Which of the discounts **0.85**, **0.9**, **0.99** blow up?
#    - **A.** all three; **B.** the last two; **C.** only 0.99.
# 2. Can a **smaller learning rate** save one that blows up?
# 3. Can a **larger learning rate** destroy one that does not?
#
# <details><summary>Answer, after you have written yours down</summary>
#
# 1. **B.** The traces are $-0.55$ and $+0.3$. But 0.9 is slow: $|Q|$ needs more than 20,000 steps to pass $10^6$.
# 2. No. If the real part of some $\lambda$ is positive, then $|1 + \varepsilon\lambda| > 1$ for *every*
#    $\varepsilon > 0$. A smaller step only takes longer.
# 3. Yes. With a negative real part, the circle decides. It shrinks as the learning rate grows, until it passes the
#    eigenvalue.
#
# </details>

# %% [markdown]
# ## Run
#
# Left: the eigenvalues of $A$. Where a mode grows, the plane is shaded and its mark is a square. Right: the measured
# error, and the line of the fastest mode alone. (Here the star's first six weights start up to 3 % apart, so that every
# mode has a share.)
#
# Things to try:
# - from *star blows up*, lower the discount slowly. Where do the two eigenvalues on the right go?
# - from *star just stable*, raise the learning rate. At which value does the sentence below the picture change? (The
#   circle is so large here that it looks like a straight line.)
# - move the two features of the star. Which one makes it stable at the discount 0.99?
# - from *spiral*, compare the two steps in the sentence. The line is an average over a turn; the swings decide the
#   step.
#
# (*Alignment* is the correlation of the random $\Phi^*$ with $\Phi$.)

# %%
panels.Linear()

# %% [markdown]
# ## Explain
#
# The two eigenvalues of the star are a complex pair while $(17\gamma - 15)^2 < 104\,(1 - \gamma)$. At $17\gamma = 15$
# the left side is 0 and the right side is not: a pair, with real part $0$. So the **threshold is
# $\gamma = 15/17 \approx 0.882$**, and a *complex pair* crosses there. Where the two meet, near $\gamma = 0.976$, they
# share one eigenvector: the exception of section 3.

# %%
GAMMAS = torch.linspace(0.8, 1.0, 201, dtype=torch.float64).tolist()
pairs = torch.stack([torch.linalg.eigvals(star_2x2(gamma)) for gamma in GAMMAS])
plotting.pair_path(GAMMAS, pairs, {gamma: torch.linalg.eigvals(star_2x2(gamma)) for gamma in (0.85, 0.9, 0.99)})

# %% [markdown]
# Here are the errors $p$ and $q$, step by step, at the three discounts, with the learning rate 0.1. A smaller one
# gives curves of the same kind in more steps. The spirals then wind out more slowly in each turn, or in faster.

# %%
paths = {}
for gamma, steps in ((0.85, 400), (0.9, 400), (0.99, 100)):
    error = torch.tensor([3 - gamma * 12, 12 - gamma * 12], dtype=torch.float64)  # a leaf, the centre: value - target
    path = [error]
    for _ in range(steps):
        error = error + sl.step_size(0.1, 7) * star_2x2(gamma) @ error
        path.append(error)
    paths[f"discount {gamma}"] = torch.stack(path)
plotting.error_plane(paths)

# %% [markdown]
# A spiral inwards, a spiral outwards, and a straight escape along one direction.
#
# **The rate of a spiral (optional).** While the error turns, its length swings: each turn shows two dips. So measure
# the rate over *whole turns*. (A turn is not a whole number of steps. `np.interp` reads between two steps.)

# %%
pair = torch.linalg.eigvals(star_2x2(0.9))[0].item()
factor = 1 + sl.step_size(0.1, 7) * pair
rate, steps_a_turn = math.log(abs(factor)), 2 * math.pi / abs(cmath.phase(factor))

spiral_run = sl.train(sl.linear_q(8, weight=start), sl.baird_star(gamma=0.9), lr=0.1, steps=5000)
last, log_u = spiral_run.step[-1], np.log(spiral_run.td_error_norm)
turns = int(last / steps_a_turn)  # as many whole turns as the run has
window = turns * steps_a_turn
measured = (log_u[-1] - np.interp(last - window, spiral_run.step, log_u)) / window
print(f"one turn takes {steps_a_turn:.1f} steps; the run makes {turns} whole turns")
print(f"predicted rate {rate:.5f} a step, measured {measured:.5f}")
print(f"they agree to 1e-4 of their value: {abs(measured / rate - 1) < 1e-4}")
height_u = spiral_run.td_error_norm[-1] / math.exp(rate * last)  # so that the line meets the end
plotting.error_growth(spiral_run, "Baird's star, discount 0.9, learning rate 0.1", (height_u, rate))

# %% [markdown]
# ## Exercises
#
# Work in the sheet: [exercises/02_linear_q_learning.ipynb](exercises/02_linear_q_learning.ipynb). Solutions:
# [solutions/02_linear_q_learning.ipynb](solutions/02_linear_q_learning.ipynb).
#
# | | what | minutes | difficulty |
# | --- | --- | --- | --- |
# | 1 | the matrix $A$ from features | 5 | easy |
# | 2 | rate and step of the crash from one eigenvalue | 10 | middle |
# | 3 | the threshold discount by bisection | 15 | middle |

# %% [markdown]
# ## Where the theory stops
#
# The law $u_{\text{new}} = (I + \varepsilon A)\,u$ is exact here. What stops is the summary of $A$ in one number, the
# sign of SEEM. We measure how far it carries on 400 random problems: `sl.random_features(seed=seed)` with $N = 12$,
# $P = 20$, alignment 0, $\gamma = 0.99$.
#
# **(a) A large step.** A mode grows if
#
# $$|1 + \varepsilon\lambda|^2 > 1 \quad\Longleftrightarrow\quad
# 2\,\mathrm{Re}\,\lambda + \varepsilon\,|\lambda|^2 > 0.$$
#
# The second term is never negative. So $\mathrm{Re}\,\lambda > 0$ always means growth: that is algebra and needs no
# measurement. But with a large $\varepsilon$ a mode with $\mathrm{Re}\,\lambda < 0$ grows too. How often? We tell two
# kinds apart, by the fastest mode. It *jumps over* if $1 + \varepsilon\lambda$ has a negative real part: each step
# throws the error to the other side. Otherwise it *spirals out*.

# %%
N = 12
matrices = torch.stack([two_views(sl.random_features(seed=seed))[0] for seed in range(400)])
lam = torch.linalg.eigvals(matrices)  # (400, N)
seem = lam.real.amax(1)

rates = torch.logspace(-3, 1, 81, dtype=torch.float64)
grows, jumps = [], []
for lr in rates.tolist():
    factor = 1 + sl.step_size(lr, N) * lam
    fastest = factor.gather(1, factor.abs().argmax(1, keepdim=True)).squeeze(1)
    growth = fastest.abs() > 1
    grows.append(growth.double().mean())
    jumps.append((growth & (seem < 0) & (fastest.real < 0)).double().mean())
positive = (seem > 0).double().mean()
print(f"SEEM > 0 in {positive:.1%} of the problems")
for lr in (0.01, 4.0):
    at = (rates - lr).abs().argmin()
    print(f"learning rate {lr}: {grows[at]:.1%} grow; {jumps[at]:.1%} have SEEM < 0 and jump over")
plotting.sign_and_growth(
    rates,
    {"grow": grows, "SEEM > 0": [positive] * len(rates), "grow with SEEM < 0: jump over": jumps},
)

# %% [markdown]
# At small learning rates the sign of SEEM is right in all of these problems. At large ones it is wrong in many, and
# nearly always by the jump over the target. The spirals are the small rest; you met one in the panel:
# *star just stable* with a larger learning rate.
#
# **(b) The first steps (optional).** SEEM tells the end, not the beginning. $A$ is not symmetric, so its eigenvectors
# are not at right angles. Then every mode can shrink while their sum grows, for a while. Such a matrix is called
# *non-normal*.
#
# Take the problems with SEEM $< 0$, at a learning rate of 0.1, where all of them shrink in the end. By which factor
# does the error grow before? For the **worst start**, chosen anew for each number $k$ of steps, it is the largest
# factor by which the matrix $(I + \varepsilon A)^k$ stretches any vector (its largest *singular value*). For a **random
# start**, we draw one normal vector for each problem. We look at about 130 values of $k$ between 1 and 20,000.

# %%
lr = 0.1
stable = matrices[seem < 0]
step_matrix = torch.eye(N, dtype=torch.float64) + sl.step_size(lr, N) * stable
assert torch.linalg.eigvals(step_matrix).abs().max() < 1  # all of them shrink in the end

steps = torch.logspace(0, math.log10(20_000), 150).round().long().unique()
powers = torch.stack([torch.linalg.matrix_power(step_matrix, int(k)) for k in steps])  # (steps, problems, N, N)
worst = torch.linalg.matrix_norm(powers, ord=2)  # largest ||u_k|| / ||u_0||, over all starts
draw = torch.randn(len(stable), N, 1, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
typical = ((powers @ draw).norm(dim=2) / draw.norm(dim=1)).squeeze(-1)
largest_worst, largest_typical = worst.amax(0).clamp_min(1), typical.amax(0).clamp_min(1)

for name, values in (("worst start", largest_worst), ("random start", largest_typical)):
    share = (values > 1.01).double().mean()
    print(
        f"{name}: {share:.0%} of {len(values)} problems grow first, by more than 1 %; median {values.median():.2f}-fold"
    )

extreme, middle = largest_worst.argmax(), largest_worst.argsort()[len(stable) // 2]
plotting.transient_growth(
    steps,
    {
        "worst problem, worst start": worst[:, extreme],
        "worst problem, random start": typical[:, extreme],
        "median problem, worst start": worst[:, middle],
    },
    {"worst start": largest_worst, "random start": largest_typical},
)

# %% [markdown]
# Most of these problems have a start that grows first. The factor is modest in most of them, and large in a few. A
# random start rarely sees it. So an error that grows at first is no proof that SEEM is positive.
#
# **(c) Normalised features (optional).** In deep networks, LayerNorm stops the blow-up (lesson 07). Is that
# because it normalises features? Try it on the star. LayerNorm subtracts the mean of each row, then divides by its
# spread.

# %%
x, x_next, _ = star.bootstrap(network)
normalise = {
    "as it is": lambda rows: rows,
    "row mean subtracted": lambda rows: rows - rows.mean(dim=1, keepdim=True),
    "LayerNorm": lambda rows: torch.nn.functional.layer_norm(rows, (8,)),
}
gammas = torch.linspace(0.7, 0.99, 1001, dtype=torch.float64)
curves = {}
for name, change in normalise.items():
    A_of_gamma = (gammas[:, None, None] * change(x_next) - change(x)) @ change(x).T  # one A for each discount
    curves[name] = torch.linalg.eigvals(A_of_gamma).real.amax(1)
    print(f"{name:<20} threshold {gammas[(curves[name] > 0).double().argmax()]:.3f}")
plotting.seem_by_discount(gammas, curves)

# %% [markdown]
# On the star, subtracting the mean makes things *worse*: it blows up at smaller discounts. LayerNorm inherits that. So
# normalised features alone are not safe. A network has what linear features do not have, a kernel that changes while it
# trains. Lesson 07 looks there.

# %% [markdown]
# ## Summary
#
# - With linear features and a given next action, one step of training is $u_{\text{new}} = (I + \varepsilon A)\,u$,
#   exactly, with $A = (D\,\Phi^* - \Phi)\,\Phi^\top$ and $\varepsilon = 2\eta/N$. A greedy target keeps this only as
#   long as no greedy action changes.
# - $A$ (of the errors) and $K$ (of the weights) have the same non-zero eigenvalues. Take the smaller matrix.
# - A mode grows by $\log|1 + \varepsilon\lambda|$ a step; a complex pair spirals. The start's share in the fastest mode
#   fixes the step of the crash.
# - If SEEM is positive, no learning rate helps. For Baird's star it is positive above $\gamma = 15/17$.
# - A negative SEEM does not promise decay at a large step, nor decay from the first step on.

# %% [markdown]
# ## References
#
# - Baird, *Residual Algorithms: Reinforcement Learning with Function Approximation*, 1995: the star. The form used here
#   is that of Sutton and Barto, *Reinforcement Learning: An Introduction*, 2018, section 11.2.
# - Tsitsiklis and Van Roy, *An Analysis of Temporal-Difference Learning with Function Approximation*, 1997: the key
#   matrix of linear TD.
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: SEEM.
# - Achiam, Knight, Abbeel, 2019, arXiv 1903.08894: divergence of deep Q-learning read off the kernel.

# %% [markdown]
# ## Next
#
# [03 The tangent kernel](03_tangent_kernel.ipynb): a network has no fixed features. What does one update at $x$ do to
# the value at another input?
