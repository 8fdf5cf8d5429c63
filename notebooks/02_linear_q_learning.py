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
# **Time.** about 40 minutes
#
# **Before this.** [01 Self-excitation](01_self_excitation.ipynb): the loop $u_{\text{new}} = (1 + \varepsilon A)\, u$.
# Eigenvalues and eigenvectors of a matrix; complex numbers and their absolute value.
#
# **You will be able to**
# 1. write one step of linear Q-learning as one matrix, and say why this is exact;
# 2. read from the eigenvalues of that matrix whether the error grows, how fast, and at which step it ends;
# 3. say what the sign of the leading eigenvalue leaves open: large steps, and the first steps.
#
# **In the paper.** Section 3, the matrix $A_t$ and its leading eigenvalue SEEM (arXiv 2310.04411). There the law is
# an approximation for networks. Here, with linear features, it is exact.

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
# In lesson 01 one number $A$ ruled one error. With $N$ transitions there are $N$ errors. They form a vector $u$. One
# training step turns it into another vector. With linear features, **every step multiplies $u$ by the same matrix**.
#
# Multiply by the same matrix again and again, and something simple comes out. Here it is for **Baird's star** (Baird
# 1995), the best known example. It has 7 states and 8 features. Six states, the *leaves*, have the value
# $2 w_i + w_8$. The seventh, the *centre*, has the value $w_7 + 2 w_8$. Every transition leads to the centre. Every
# reward is zero, so zero is the right value everywhere.

# %%
GAMMA, LR = 0.99, 0.05
star = sl.baird_star(gamma=GAMMA)
network = sl.linear_q(8, weight=sl.baird_weights())
star_run = sl.train(network, star, lr=LR, steps=2000, q_limit=1e9)
plotting.error_growth(star_run, "Baird's star")

# %% [markdown]
# The vertical axis is logarithmic. The error becomes a straight line: the same factor in every step.
#
# Two questions. *When* does the line point upwards? And *how steep* is it? We now answer both from the
# features alone, without running anything.

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
# | $D$ | `discount` | $(N,)$ | the diagonal matrix of the discounts: $\gamma$, or 0 at a terminal |
# | $w$ | `w` | $(P,)$ | weights |
# | $u$ | `u` | $(N,)$ | TD errors |
#
# In `sl.linear_q` the input row *is* the feature row, so `phi` is simply `x`.
#
# **The error.** Value minus target, with $Q(X) = \Phi w$ and $Q(X^*) = \Phi^* w$:
#
# $$u = \Phi w - (r + D\,\Phi^* w) = -(D\,\Phi^* - \Phi)\, w - r.$$
#
# **The step.** The loss is $\frac1N \sum_i u_i^2$. The target counts as a constant. So the derivative of $u$ by $w$ is
# $\Phi$, and the gradient is $\frac2N \Phi^\top u$. A step with learning rate $\eta$ is
#
# $$w \leftarrow w - \varepsilon\, \Phi^\top u, \qquad \varepsilon = \frac{2\eta}{N}.$$
#
# **What it does to the error.** Put the new $w$ into the line for $u$:
#
# $$u_{\text{new}} = u + \varepsilon\, (D\,\Phi^* - \Phi)\, \Phi^\top u = (I + \varepsilon A)\, u, \qquad
# A = (D\,\Phi^* - \Phi)\, \Phi^\top.$$
#
# Nothing was left out. $u$ depends on $w$ linearly, so there is no second-order term to neglect.
#
# With the kernel $G(Y, X) = \Phi_Y \Phi_X^\top$ this is the matrix of lesson 01: the move of the target minus the move
# of the value, $A = D\,G(X^*, X) - G(X, X)$.
#
# Now the same lines in PyTorch. The step is done by PyTorch's own SGD. The prediction uses $A$.


# %%
def td_error(w, problem):
    """u = Phi w - (r + D Phi* w), and the three things it is made of."""
    phi, phi_next, discount = problem.bootstrap(sl.linear_q(problem.input_dim))
    return phi @ w - (problem.reward + discount * (phi_next @ w)), phi, phi_next, discount


w = sl.baird_weights()
u, phi, phi_next, discount = td_error(w, star)
A = (discount[:, None] * phi_next - phi) @ phi.T

# one real step: PyTorch's gradient, PyTorch's SGD
parameter = w.clone().requires_grad_()
target = star.reward + discount * (phi_next @ w)  # a constant
loss = (phi @ parameter - target).square().mean()
loss.backward()
torch.optim.SGD([parameter], lr=LR).step()

eps = sl.step_size(LR, star.n)
u_real, *_ = td_error(parameter.detach(), star)
u_predicted = u + eps * A @ u
difference = (u_real - u_predicted).norm() / u.norm()
print(f"eps = 2 lr / N = {eps:.4f}")
print(f"real step and (I + eps A) u agree to 1e-14: {(difference < 1e-14).item()}")
library_A = sl.seem_matrix(network, *star.bootstrap(network))
print(f"sl.seem_matrix gives the same A: {torch.allclose(A, library_A, rtol=0, atol=1e-14)}")

# %% [markdown]
# The rewards dropped out. They say *where* the error starts, not whether it grows. That is why a problem with reward
# zero can blow up.

# %% [markdown]
# ## 2 Two matrices, one spectrum
#
# We looked at the errors. We could have looked at the weights instead. Put $u = -(D\,\Phi^* - \Phi)\,w - r$ into the
# step:
#
# $$w_{\text{new}} = w + \varepsilon\, (K w + \Phi^\top r), \qquad K = \Phi^\top (D\,\Phi^* - \Phi).$$
#
# So there are two matrices. Name the two factors $B = D\,\Phi^* - \Phi$, of shape $(N, P)$, and $\Phi^\top$, of shape
# $(P, N)$:
#
# - **kernel view**: $A = B\,\Phi^\top$, shape $(N, N)$, moves the errors;
# - **parameter view**: $K = \Phi^\top B$, shape $(P, P)$, moves the weights. It is the key matrix of linear TD
# learning.
#   (Textbooks write $-K/N$ and want its eigenvalues to have a positive real part.)
#
# **They share their non-zero eigenvalues.** The proof is two lines. Let $A v = \lambda v$ with $\lambda \ne 0$. Then
#
# $$K\,(\Phi^\top v) = \Phi^\top B\,\Phi^\top v = \Phi^\top (A v) = \lambda\,(\Phi^\top v).$$
#
# And $\Phi^\top v$ is not zero, because $B\,\Phi^\top v = \lambda v$ is not zero. So $\lambda$ is an eigenvalue of $K$
# too. The other way round is the same with the roles exchanged.
#
# In words: $v$ is a shape of the error, and $\Phi^\top v$ is the direction in which the weights move when they see it.
# They are one thing, looked at from two sides.


# %%
def two_views(problem):
    """The kernel matrix A, (N, N), and the parameter matrix K, (P, P)."""
    phi, phi_next, discount = problem.bootstrap(sl.linear_q(problem.input_dim))
    B = discount[:, None] * phi_next - phi
    return B @ phi.T, phi.T @ B


def without_zeros(eigenvalues):
    return eigenvalues[eigenvalues.abs() > 1e-9 * eigenvalues.abs().max()]


problems = {
    "Baird's star: N = 7, P = 8": star,
    "random features: N = 15, P = 6": sl.random_features(15, 6, gamma=GAMMA, seed=SEED),
}
spectra = {}
for name, problem in problems.items():
    A_, K_ = two_views(problem)
    of_A, of_K = torch.linalg.eigvals(A_), torch.linalg.eigvals(K_)
    spectra[name] = (of_A, of_K)
    distance = (without_zeros(of_A)[:, None] - without_zeros(of_K)[None, :]).abs()  # each with each
    apart = max(distance.amin(0).max(), distance.amin(1).max())
    print(
        f"{name}: {len(without_zeros(of_A))} and {len(without_zeros(of_K))} non-zero eigenvalues, "
        f"the same to 1e-10: {(apart < 1e-10).item()}"
    )
plotting.shared_spectrum(spectra)

# %% [markdown]
# Rings are eigenvalues of $A$, crosses are eigenvalues of $K$. Away from zero, each ring holds a cross.
#
# **Which one to look at?**
# - The smaller one is cheaper. A linear method has few weights and much data, so its textbooks look at $K$. A neural
#   network has more parameters than a batch has transitions, so this course looks at $A$.
# - Zeros differ. With $N > P$, as in the right picture, $A$ has $N - P$ eigenvalues that are zero: parts of the error
#   that no weights can change. They stay for ever and do no harm. But then the largest real part can never be *below*
#   zero. In such a problem, look at $K$, or leave the zeros out.

# %% [markdown]
# ## 3 Modes
#
# Write $A = V \Lambda V^{-1}$: the columns of $V$ are the eigenvectors, $\Lambda$ holds the eigenvalues $\lambda_i$. In
# the coordinates $c = V^{-1} u$, the step falls apart into single numbers:
#
# $$c_i \leftarrow (1 + \varepsilon \lambda_i)\, c_i.$$
#
# Each eigenvector is a **mode**: a shape of the error that keeps its shape. Each mode is a loop of lesson 01 of its
# own, with $\lambda_i$ in place of $A$. There is one thing more: $\lambda$ can be complex.
#
# - **How fast.** The size of the mode is multiplied by $|1 + \varepsilon\lambda|$. So its logarithm grows by the
# **rate**
#   $\log|1 + \varepsilon\lambda|$ in every step.
# - **Spiral.** Complex eigenvalues come in pairs $a \pm b\,i$. Such a pair turns in a plane, by the angle of the
# complex
#   number $1 + \varepsilon\lambda$ in every step. The error swings while it grows or shrinks.
# - **The edge.** A mode neither grows nor shrinks where $|1 + \varepsilon\lambda| = 1$. In the complex plane this is a
#   **circle** with centre $-1/\varepsilon$ and radius $1/\varepsilon$. Inside, modes shrink. Outside, they grow.
#
# For small $\varepsilon$ the circle is huge, and near zero it looks like the imaginary axis. Then a mode grows if the
# real part of $\lambda$ is positive. That is where the measure of the paper comes from:
#
# $$\text{SEEM} = \max_i\, \mathrm{Re}\, \lambda_i.$$
#
# Here are the eigenvalues of a random problem, with the circle of a small, a medium and a large step.

# %%
random_problem = sl.random_features(12, 20, gamma=GAMMA, seed=SEED)
random_A, _ = two_views(random_problem)
sizes = [sl.step_size(lr, random_problem.n) for lr in (0.1, 3.0, 6.0)]
plotting.stability_circle(torch.linalg.eigvals(random_A), sizes)

# %% [markdown]
# From left to right the step grows and the circle shrinks. The eigenvalues stay where they are: **$A$ does not know the
# learning rate.** In the last picture the circle has passed the eigenvalues far on the left, and those modes grow
# (filled squares). That is the *step too long* of lesson 01. It has nothing to do with the sign of SEEM.
#
# And Baird's star?

# %%
result = sl.seem(network, *star.bootstrap(network))
print(f"Baird's star at gamma {GAMMA}: SEEM = {result.value:.3f}, imaginary part {result.frequency:.3f}")
print("all eigenvalues of A:", sorted(round(value.real, 2) + 0.0 for value in torch.linalg.eigvals(A).tolist()))
print("the mode, leaf and centre:", [f"{result.mode[i].real:.2f}" for i in (0, 6)])

# %% [markdown]
# SEEM is positive. In the mode that grows, all leaves are too high or too low *together*, and the centre hardly takes
# part. Raise all leaves, and you raise the shared weight $w_8$ six times. It counts double at the centre. So the target
# runs away.

# %% [markdown]
# ## 4 How fast, exactly
#
# Now use the numbers. The rate should be $\log|1 + \varepsilon\lambda|$ with the leading $\lambda$. At first other
# modes are mixed in. So measure over the last 100 steps, when they have fallen behind. (This run went on to $10^9$ to
# give them time.)

# %%
rate = math.log(abs(1 + eps * complex(result.value, result.frequency)))
u_norm = star_run.td_error_norm
measured = math.log(u_norm[-1] / u_norm[-101]) / 100
print(f"predicted rate {rate:.5f} a step, measured {measured:.5f}")
print(f"they agree to 1e-4 of their value: {abs(measured / rate - 1) < 1e-4}")
plotting.growth_per_step(star_run, rate)

# %% [markdown]
# **And the crash?** We say that a run has crashed when the largest $|Q|$ passes $10^6$. A first guess: start from the
# largest $|Q|$ of today, and let it grow at the rate.
#
# A better answer also asks *how much* of the start lies in the leading mode. Take the parameter view. Write the start
# as $w_0 = \sum_i c_i z_i$ with the eigenvectors $z_i$ of $K$. After $k$ steps (with rewards zero)
#
# $$w_k = \sum_i c_i\, (1 + \varepsilon\lambda_i)^k z_i \quad\Rightarrow\quad
# |Q_k| \approx |1 + \varepsilon\lambda_1|^k \cdot |c_1|\, |\Phi z_1|.$$


# %%
def crash_step(height, rate, limit=1e6):
    """First step at which height * exp(rate * step) is above the limit."""
    return math.ceil(math.log(limit / height) / rate)


_, K = two_views(star)
eigenvalues, z = torch.linalg.eig(K)
c = torch.linalg.solve(z, sl.baird_weights().to(z.dtype))
lead = eigenvalues.real.argmax()
height = (c[lead] * phi.to(z.dtype) @ z[:, lead]).abs().max().item()

crash_measured = (star_run.q_max > 1e6).argmax()
crash_guess, crash_mode = crash_step(star_run.q_max[0], rate), crash_step(height, rate)
print(f"from the largest |Q| of the start ({star_run.q_max[0]:.0f}): step {crash_guess}")
print(f"from the start's share in the leading mode ({height:.0f}): step {crash_mode}")
print(f"measured: step {crash_measured}")

# %% [markdown]
# The eigenvalue gives the slope. The eigenvector and the start give the height of the line. With both, the step of the
# crash is known before the first step. With the eigenvalue alone, the guess is some way off.

# %% [markdown]
# ## Predict
#
# Take Baird's star with the learning rate 0.01.
#
# 1. The discount is 0.99 above. Which of the discounts **0.85**, **0.9**, **0.99** blow up?
#    - **A.** all three; **B.** the last two; **C.** only 0.99.
# 2. Can a **smaller learning rate** save one that blows up?
# 3. Can a **larger learning rate** destroy one that does not?
#
# <details><summary>Answer, after you have written yours down</summary>
#
# 1. **B.** The threshold lies near 0.882. But 0.9 is slow: try it and look at the number of steps.
# 2. No. If the real part of some $\lambda$ is positive, then $|1 + \varepsilon\lambda| > 1$ for *every* $\varepsilon >
# 0$. A smaller
#    step only takes longer.
# 3. Yes. With a negative real part, the circle decides. It shrinks as the learning rate grows, until it passes the
#    eigenvalue.
#
# </details>

# %% [markdown]
# ## Run
#
# Left: the eigenvalues of $A$. Where a mode grows, the plane is shaded and its mark is a square. Right: the measured
# error, and the line of the fastest mode alone.
#
# Things to try:
# - from *star blows up*, lower the discount slowly. Where do the two eigenvalues on the right go?
# - from *star just stable*, raise the learning rate. When does the circle let the pair out?
# - from *random features*, move the alignment to 1. Is it the bootstrap that points *nearly* where the data point that
# is
#   worst, or the one that points *exactly* there?

# %%
panels.LinearSpectrum()

# %% [markdown]
# ## Explain
#
# Baird's start treats all six leaves alike, and so does every step. So the error has only two different entries: $a$ at
# each leaf, $b$ at the centre. Put $u = (a, \dots, a, b)$ into $A u$ and collect terms. Two numbers move by a
# $2 \times 2$ matrix:
#
# $$\begin{pmatrix} a \\ b \end{pmatrix} \leftarrow (I + \varepsilon A_2) \begin{pmatrix} a \\ b \end{pmatrix}, \qquad
# A_2 = \begin{pmatrix} 12\gamma - 10 & 5\gamma - 2 \\ 12(\gamma - 1) & 5(\gamma - 1) \end{pmatrix}.$$
#
# Its trace is $17\gamma - 15$. Its determinant is $26(1 - \gamma)$. The two eigenvalues solve
#
# $$\lambda^2 - (17\gamma - 15)\,\lambda + 26(1 - \gamma) = 0.$$
#
# A complex pair has the real part trace$/2$. So it crosses the imaginary axis where $17\gamma = 15$: the **threshold is
# $\gamma = 15/17 \approx 0.882$**, and a *complex pair* crosses it. The other five eigenvalues are all $-4$: leaves
# that differ from each other.


# %%
def star_pair(gamma):
    """The two eigenvalues of Baird's star that belong to equal leaves."""
    A_, _ = two_views(sl.baird_star(gamma=gamma))
    eigenvalues = torch.linalg.eigvals(A_)
    return eigenvalues[(eigenvalues + 4).abs().argsort()[-2:]]  # not the five at -4


def by_hand(gamma):
    A2 = torch.tensor([[12 * gamma - 10, 5 * gamma - 2], [12 * (gamma - 1), 5 * (gamma - 1)]], dtype=torch.float64)
    return torch.linalg.eigvals(A2)


GAMMAS = torch.linspace(0.8, 1.0, 201, dtype=torch.float64).tolist()
pairs = torch.stack([star_pair(gamma) for gamma in GAMMAS])
difference = (pairs.real.amax(1) - torch.stack([by_hand(gamma).real.max() for gamma in GAMMAS])).abs().max()
print(f"the 2 x 2 matrix gives the same leading real part for all {len(GAMMAS)} discounts: {difference.item() < 1e-9}")
plotting.pair_path(GAMMAS, pairs, {gamma: star_pair(gamma) for gamma in (0.85, 0.9, 0.99)})

# %% [markdown]
# Here are the two numbers of the error, step by step, at the three discounts of the prediction. (The learning rate is
# 0.1. A smaller one follows nearly the same curves, in more steps.)

# %%
paths = {}
for gamma in (0.85, 0.9, 0.99):
    A_, _ = two_views(sl.baird_star(gamma=gamma))
    u, *_ = td_error(sl.baird_weights(), sl.baird_star(gamma=gamma))
    path = []
    for _ in range(120):
        path.append((u[0].item(), u[6].item()))  # a leaf, the centre
        u = u + sl.step_size(0.1, 7) * A_ @ u
    paths[f"discount {gamma}"] = path
plotting.error_plane(paths)

# %% [markdown]
# A spiral inwards, a spiral outwards, and a straight escape along one direction.
#
# **The rate of a spiral.** While the error turns, its length swings. So compare it over *whole turns*. The angle of one
# step is the angle of $1 + \varepsilon\lambda$. Steps are whole numbers and turns are not. So we read $\log\lVert u
# \rVert$ between two steps off the straight line that joins them.

# %%
spiral = sl.baird_star(gamma=0.9)
network = sl.linear_q(8, weight=sl.baird_weights())
lam = star_pair(0.9)[0].item()
factor = 1 + sl.step_size(0.1, 7) * lam
rate, steps_a_turn = math.log(abs(factor)), 2 * math.pi / abs(cmath.phase(factor))

spiral_run = sl.train(network, spiral, lr=0.1, steps=5000)
last, log_u = spiral_run.step[-1], np.log(spiral_run.td_error_norm)
turns = int(last / steps_a_turn)  # as many whole turns as the run has
window = turns * steps_a_turn
measured = (log_u[-1] - np.interp(last - window, spiral_run.step, log_u)) / window
print(f"one turn takes {steps_a_turn:.1f} steps; the run makes {turns} whole turns")
print(f"predicted rate {rate:.5f} a step, measured {measured:.5f}")
print(f"they agree to 1e-4 of their value: {abs(measured / rate - 1) < 1e-4}")
height_u = spiral_run.td_error_norm[-1] / math.exp(rate * spiral_run.step[-1])
plotting.error_growth(spiral_run, "Baird's star, discount 0.9, learning rate 0.1", (height_u, rate))

# %% [markdown]
# **A smaller learning rate only buys time.** The smaller the rate, the more steps, and the less the last column
# changes:

# %%
print("discount   learning rate   steps to grow a million-fold   steps x learning rate")
for gamma in (0.9, 0.99):
    lam = max(star_pair(gamma).tolist(), key=lambda value: value.real)
    for lr in (0.1, 0.01, 0.001):
        steps = math.log(1e6) / math.log(abs(1 + sl.step_size(lr, 7) * lam))
        print(f"{gamma:<10} {lr:<15} {steps:<30.0f} {steps * lr:.0f}")

# %% [markdown]
# **Nearly aligned is worst.** In the random problems, the *alignment* says how much of the next features points along
# the features. With alignment 1 the next features are the features: $\Phi^* = \Phi$. Then $A = -(1 - \gamma)\, G(X,
# X)$. All its eigenvalues are real, and none is positive. But only a little away from 1, the share of the problems with
# a positive SEEM is at its largest:

# %%
for alignment in (0.0, 0.5, 0.9, 1.0):
    aligned = [two_views(sl.random_features(alignment=alignment, gamma=GAMMA, seed=seed))[0] for seed in range(200)]
    seem = torch.linalg.eigvals(torch.stack(aligned)).real.amax(1)
    print(
        f"alignment {alignment}: SEEM > 0 in {(seem > 0).double().mean():.0%} of 200 draws, median {seem.median():+.3f}"
    )

# %% [markdown]
# Near alignment 1, target and value move almost alike, so almost nothing pulls the error down. The little that is left
# over decides, and it points in all directions.

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
# The law $u_{\text{new}} = (I + \varepsilon A)\,u$ is exact here. What stops is the summary of $A$ in one number: parts
# (a) and (b). They use 400 random problems, the defaults of `sl.random_features` with seeds 0 to 399. Part (c) is a
# remedy that one would expect to help.
#
# **(a) The sign of SEEM is not quite the criterion.** A step is not infinitely small. A mode grows if
#
# $$|1 + \varepsilon\lambda|^2 > 1 \quad\Longleftrightarrow\quad
# 2\,\mathrm{Re}\,\lambda + \varepsilon\,|\lambda|^2 > 0.$$
#
# The second term is never negative. So $\mathrm{Re}\,\lambda > 0$ always means growth. But a mode with
# $\mathrm{Re}\,\lambda < 0$ grows too, if $\varepsilon$ is large enough. We tell two kinds apart by the fastest mode:
# - it *jumps over*: $1 + \varepsilon\lambda$ has a negative real part, so the error changes its sign again and again
#   (*step too long*, no self-excitation);
# - it *spirals out*: a pair close to the imaginary axis.

# %%
N = 12
matrices = torch.stack([two_views(sl.random_features(seed=seed))[0] for seed in range(400)])
lam = torch.linalg.eigvals(matrices)  # (400, N)
seem = lam.real.amax(1)

rates = torch.logspace(-3, 1, 81, dtype=torch.float64)
grows, jumps, spirals, missed = [], [], [], []
for lr in rates.tolist():
    factor = 1 + sl.step_size(lr, N) * lam
    fastest = factor.gather(1, factor.abs().argmax(1, keepdim=True)).squeeze(1)
    growth, jumping = fastest.abs() > 1, fastest.real < 0
    grows.append(growth.double().mean())
    jumps.append((growth & (seem < 0) & jumping).double().mean())
    spirals.append((growth & (seem < 0) & ~jumping).double().mean())
    missed.append((~growth & (seem > 0)).sum())
for lr in (0.01, 4.0):
    at = (rates - lr).abs().argmin()
    print(f"learning rate {lr}: {grows[at]:.1%} grow; with SEEM < 0: {jumps[at]:.1%} jump, {spirals[at]:.1%} spiral")
print(f"SEEM > 0 but no growth, at any of the {len(rates)} learning rates: {sum(missed)} problems")
plotting.sign_and_growth(
    rates,
    {
        "grow": grows,
        "SEEM > 0": [(seem > 0).double().mean()] * len(rates),
        "grow with SEEM < 0: jump over": jumps,
        "grow with SEEM < 0: spiral out": spirals,
    },
)

# %% [markdown]
# At a small learning rate the sign of SEEM is right in all of these problems. At a large one it is wrong in many,
# always in the same direction: *it grows although SEEM is negative*. And nearly always it is the jump over the target.
# A spiral that only a finite step lets out is rare in random problems. Baird's star just below its threshold is such a
# case:

# %%
gamma = 0.88
lam = star_pair(gamma)[0].item()
lr_edge = -2 * lam.real / abs(lam) ** 2 * 7 / 2  # 2 Re + eps |lambda|^2 = 0, and lr = eps N / 2
print(f"discount {gamma}: SEEM = {lam.real:.3f}, and yet it grows above the learning rate {lr_edge:.3f}")
for lr in (0.8 * lr_edge, 1.25 * lr_edge):
    print(f"   learning rate {lr:.3f}: rate {math.log(abs(1 + sl.step_size(lr, 7) * lam)):+.1e} a step")

# %% [markdown]
# **(b) The leading eigenvalue tells the end, not the beginning.** $A$ is not symmetric. Its eigenvectors are not at
# right angles. So every mode can shrink while their sum grows, for a while. Such a matrix is called *non-normal*.
#
# Take the problems with SEEM $< 0$, at a learning rate of 0.1, where all of them shrink in the end. By which factor can
# the error grow before? For the **worst start**, the answer is the largest singular value of $(I + \varepsilon A)^k$,
# taken at its largest over $k$ (a hundred values of $k$ or so, from 1 to 20,000, evenly spread on a
# logarithmic scale). For a **random start**, we draw one normal vector
# $u_0$ for each problem.

# %%
lr = 0.1
stable = matrices[seem < 0]
step_matrix = torch.eye(N, dtype=torch.float64) + sl.step_size(lr, N) * stable
assert torch.linalg.eigvals(step_matrix).abs().max() < 1  # all of them shrink in the end

steps = torch.logspace(0, math.log10(20_000), 150).round().long().unique()
powers = torch.stack([torch.linalg.matrix_power(step_matrix, int(k)) for k in steps])  # (steps, problems, N, N)
worst = torch.linalg.matrix_norm(powers, ord=2)  # largest ||u_k|| / ||u_0||, over all starts
start = torch.randn(len(stable), N, 1, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
typical = ((powers @ start).norm(dim=2) / start.norm(dim=1)).squeeze(-1)
largest_worst, largest_typical = worst.amax(0).clamp_min(1), typical.amax(0).clamp_min(1)

for name, values in (("worst start ", largest_worst), ("random start", largest_typical)):
    median, high = values.quantile(torch.tensor([0.5, 0.9], dtype=torch.float64))
    print(f"{name}: {(values > 1.01).double().mean():.0%} of {len(values)} problems grow first, by more than 1 %;")
    print(f"   growth before decay: median {median:.2f}, 90 % of them below {high:.2f}, largest {values.max():.2f}")


def from_worst_start(problem):
    """||u_k|| / ||u_0|| from the start that reaches the highest peak."""
    peak = worst[:, problem].argmax()
    _, _, starts = torch.linalg.svd(powers[peak, problem])
    return (powers[:, problem] @ starts[0]).norm(dim=1)


extreme, middle = largest_worst.argmax(), largest_worst.argsort()[len(stable) // 2]
plotting.transient_growth(
    steps,
    {
        "worst problem, worst start": from_worst_start(extreme),
        "worst problem, random start": typical[:, extreme],
        "median problem, worst start": from_worst_start(middle),
    },
    {"worst start": largest_worst, "random start": largest_typical},
)

# %% [markdown]
# Most of these problems have a start that grows first. The factor is modest in most of them, and large in a few. A
# random start rarely sees it. So an error that grows is not yet a proof that SEEM is positive, and a negative SEEM does
# not promise that nothing will rise.
#
# The same mixture of modes is why the first guess of the crash was off in section 4.
#
# **(c) Normalising the features does not help the star.** In deep networks, LayerNorm stops the blow-up (lesson 07,
# planned). Is that because it normalises features? Try it on the star. LayerNorm does two things to each row: it
# subtracts the row's mean, and it divides by the row's spread. We do both, and each alone.

# %%
star = sl.baird_star()
x, x_next, _ = star.bootstrap(sl.linear_q(8))
normalise = {
    "as it is": lambda rows: rows,
    "rows of length 1": lambda rows: rows / rows.norm(dim=1, keepdim=True),
    "row mean subtracted": lambda rows: rows - rows.mean(dim=1, keepdim=True),
    "LayerNorm": lambda rows: torch.nn.functional.layer_norm(rows, (8,)),
}
gammas = torch.linspace(0.7, 0.99, 1001, dtype=torch.float64)
curves = {}
for name, change in normalise.items():
    phi, phi_next = change(x), change(x_next)
    matrices = (gammas[:, None, None] * phi_next - phi) @ phi.T  # one A for each discount
    curves[name] = torch.linalg.eigvals(matrices).real.amax(1)
    threshold = gammas[(curves[name] > 0).double().argmax()]
    share = sl.leading_mode(matrices[-1]).normalised
    print(f"{name:<20} SEEM {curves[name][-1]:.2f} at 0.99,  SEEM/||A|| {share:.2f},  threshold {threshold:.3f}")
plotting.seem_by_discount(gammas, curves)

# %% [markdown]
# Rows of length 1 change nothing but the scale: all rows of the star had the same length before. Their SEEM is smaller,
# but so is all of $A$, and the threshold stays. Subtracting the mean makes the star *worse*: it blows up at lower
# discounts. LayerNorm, which does both, has the lower threshold and a larger SEEM.
#
# So whatever LayerNorm does for deep networks, it is not simply that normalised features are safe. A network has
# something that linear features do not have: a kernel that changes while it trains. Lesson 07 (planned) looks there.

# %% [markdown]
# ## Summary
#
# - With linear features one step of training is $u_{\text{new}} = (I + \varepsilon A)\,u$, exactly, with
#   $A = (D\,\Phi^* - \Phi)\,\Phi^\top$ and $\varepsilon = 2\eta/N$.
# - $A$ (of the errors) and $K$ (of the weights) have the same non-zero eigenvalues.
# - A mode grows by $\log|1 + \varepsilon\lambda|$ a step. A complex pair spirals. The start's share in the leading mode
# fixes
#   the step of the crash.
# - If SEEM is positive, no learning rate helps. Baird's star passes zero at $\gamma = 15/17$.
# - A negative SEEM does not promise decay at a large step, nor decay from the first step on.

# %% [markdown]
# ## References
#
# - Baird, *Residual Algorithms: Reinforcement Learning with Function Approximation*, 1995: the star. The form used here
# is
#   that of Sutton and Barto, *Reinforcement Learning: An Introduction*, 2018, section 11.2.
# - Tsitsiklis and Van Roy, *An Analysis of Temporal-Difference Learning with Function Approximation*, 1997: the key
# matrix
#   of linear TD.
# - Yue, Lu, Kang, Song, Huang, NeurIPS 2023, arXiv 2310.04411: SEEM.
# - Achiam, Knight, Abbeel, 2019, arXiv 1903.08894: divergence of deep Q-learning read off the kernel.

# %% [markdown]
# ## Next
#
# [03 The tangent kernel](03_tangent_kernel.ipynb): a network has no fixed features. What does one update at $x$ do to
# the value at $x'$?
