"""Lesson 02's explorer: the spectrum of A, and the error that follows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seem_lab.panels.controls import choice, log_slider, slider, whole_slider
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.problems import baird_star, baird_weights, random_features
from seem_lab.training import step_size

STAR, RANDOM = "Baird's star", "random features"
Q_LIMIT, STEPS, BLOCK = 1e6, 5000, 50  # so many steps at once, a divisor
HORIZONS = (20, 40, 100, 200, 400, 1000, 2000, 3000, STEPS)
WIDTHS = (0.6, 1.5, 4.0, 12.0, 26.0)  # of the view of the complex plane


@dataclass(frozen=True)
class Spectrum:
    """What the panel shows of one linear problem.

    Args:
        name: of the problem.
        gamma: discount.
        eps: 2 lr / N.
        n: number of transitions N.
        eigenvalues: `(N,)` of A.
        u_norm: ||u|| before each step, measured, until |Q| passed the limit or the steps ran out.
        asymptote: (height at step 0, growth a step): ||u_k|| of the fastest mode alone.
        angle: radians a step by which the fastest mode turns, 0 if its eigenvalue is real.
        crash: step at which |Q| passed the limit, measured; None if it did not.
        crash_predicted: the same from the fastest mode alone; infinite if that mode does not grow.
        largest_lr: learning rate below which every mode shrinks; 0 if there is none.
    """

    name: str
    gamma: float
    eps: float
    n: int
    eigenvalues: np.ndarray
    u_norm: np.ndarray
    asymptote: tuple[float, float]
    angle: float
    crash: int | None
    crash_predicted: float
    largest_lr: float

    @property
    def seem(self) -> float:
        """SEEM = max Re eig(A)."""
        return float(self.eigenvalues.real.max())

    @cached_property
    def grows(self) -> np.ndarray:
        """`(N,)` whether each mode grows: |1 + eps lambda| > 1, beyond rounding."""
        return np.abs(1 + self.eps * self.eigenvalues) > 1 + 1e-12

    @property
    def horizon(self) -> int:
        """Steps to show: up to the crash, or until the fastest mode has lost four decades."""
        wanted = 1.1 * self.crash if self.crash else math.log(1e4) / max(abs(self.asymptote[1]), 1e-9)
        return next((steps for steps in HORIZONS if steps >= wanted), STEPS)


class Linear(Panel):
    """Eigenvalues of A beside the error they rule, for Baird's star and for random features.

    `leaf` is the feature of each leaf's own weight, `centre` the one through which the star's centre shares the weight
    of its leaves (2 and 2 in Baird's star); `alignment` and `draw` belong to the random features. The star starts from
    Baird's weights with its first six nudged apart by up to 3 %, so that every mode has a share; random features start
    from standard normal weights. Rewards are 0.

    Example:
        >>> Linear(gamma=0.85).text.split(". ")[0]
        "Baird's star, gamma 0.850, eps = 2 lr / 7 = 0.0029: SEEM = -0.275, negative, and every mode that moves shrinks"
    """

    title = "Which modes of the error grow?"
    lesson = "02"
    hint = (
        "Lower the discount from 0.99 and watch the two eigenvalues on the right meet and turn. Then change the "
        "features of the star: which of them makes it stable?"
    )
    size = (940, 400)
    presets = {
        "star blows up": {},
        "star just stable": {"gamma": 0.88},
        "spiral": {"gamma": 0.9, "lr": 0.1},
        "random features": {"problem": RANDOM, "lr": 0.5, "alignment": 0.9},
    }

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        controls = {
            "problem": choice("problem", (STAR, RANDOM)),
            "gamma": slider("discount γ", 0.99, 0.5, 1.0, 0.005),
            "lr": log_slider("learning rate", 0.01, 1e-3, 10.0),
            "leaf": slider("feature of the leaves (star)", 2.0, 0.0, 3.0, 0.1),
            "centre": slider("feature of the centre (star)", 2.0, 0.0, 3.0, 0.1),
            "alignment": slider("alignment (random)", 0.0, -1.0, 1.0, 0.05),
            "draw": whole_slider("draw (random)", 0, 0, 20),
        }

        def grey(_: Any = None) -> None:
            star = controls["problem"].value == STAR
            controls["leaf"].disabled = controls["centre"].disabled = not star
            controls["alignment"].disabled = controls["draw"].disabled = star

        controls["problem"].observe(grey, "value")
        grey()
        return controls

    def compute(
        self, problem: str, gamma: float, lr: float, leaf: float, centre: float, alignment: float, draw: int
    ) -> Spectrum:
        if problem == STAR:
            x, x_next, weights = _star(leaf, centre)
        else:
            drawn = random_features(alignment=alignment, gamma=gamma, seed=draw)
            x, x_next = drawn.x.numpy(), drawn.transitions.next_state.numpy()
            weights = np.random.default_rng(draw).standard_normal(drawn.input_dim)
        n = len(x)
        eps = step_size(lr, n)
        change = gamma * x_next - x  # D Phi* - Phi, so that u = -change @ w
        eigenvalues = np.linalg.eigvals(change @ x.T)  # of A

        matrix = x.T @ change  # K
        path, crash = _iterate(np.eye(len(matrix)) + eps * matrix, weights, x)
        values, vectors = np.linalg.eig(matrix)
        factor = np.abs(1 + eps * values)
        share = np.linalg.lstsq(vectors, weights.astype(complex), rcond=None)[0]
        moving = np.abs(values) > 1e-9 * max(np.abs(values).max(), 1e-9)  # the other modes keep their size
        fastest = int(np.where(moving, factor, 0).argmax())
        rate = float(np.log(factor[fastest])) if moving.any() else 0.0
        angle = abs(float(np.angle(1 + eps * values[fastest]))) if abs(values[fastest].imag) > 1e-9 else 0.0
        pair = math.sqrt(2) if angle else 1.0  # the root mean square of a pair's two turning parts
        mode = pair * share[fastest] * vectors[:, fastest]
        height = max(float(np.linalg.norm(change @ mode)), 1e-300)
        q_height = max(float(np.abs(x @ mode).max()), 1e-300)
        return Spectrum(
            name=problem,
            gamma=gamma,
            eps=eps,
            n=n,
            eigenvalues=eigenvalues,
            u_norm=np.linalg.norm(path @ change.T, axis=1),
            asymptote=(height, rate),
            angle=angle,
            crash=crash,
            crash_predicted=math.log(Q_LIMIT / q_height) / rate if rate > 1e-12 else math.inf,
            largest_lr=_largest_lr(eigenvalues, n),
        )

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
        tidy(left, title="Eigenvalues of A (shaded: grows)", x="Re lambda", y="Im lambda")
        left.set_facecolor("#E4E4E4")
        left.set_aspect("equal")
        animate(left.xaxis, left.yaxis)
        _view(left, WIDTHS[-1])
        shrinks = animate(left.fill([0], [0], facecolor="white", edgecolor="black", linewidth=1.5)[0])
        animate(left.axhline(0, color=GREY, linewidth=0.8), left.axvline(0, color=GREY, linewidth=0.8))
        stable = animate(left.plot([], [], "o", mfc="none", color=BLUE, ms=8, mew=1.6)[0])
        growing = animate(left.plot([], [], "s", color=ORANGE, mec="black", ms=8)[0])
        tidy(right, title="Size of the TD error, ||u||", y="")
        right.set_yscale("log")
        right.set(xlabel="step", ylim=(1e-4, 1e8), xlim=(0, HORIZONS[-1]))
        animate(right.xaxis)
        measured = animate(right.plot([], [], color=BLUE, linewidth=2.4, label="measured")[0])
        predicted = animate(right.plot([], [], "--", color=ORANGE, linewidth=1.8, label="fastest mode alone")[0])
        crash = animate(right.plot([], [], ":", color="black", linewidth=1.5, label="step where |Q| passes 1e6")[0])
        right.legend(loc="lower left", frameon=False)
        return SimpleNamespace(
            left=left, right=right, shrinks=shrinks, stable=stable, growing=growing,
            measured=measured, predicted=predicted, crash=crash,
        )  # fmt: skip

    def draw(self, artists: SimpleNamespace, result: Spectrum) -> None:
        values = result.eigenvalues
        reach = max(np.max(-values.real) / 2, values.real.max(), np.abs(values.imag).max() / 1.125)
        _view(artists.left, next((width for width in WIDTHS if 3.2 * reach <= width), WIDTHS[-1]))
        around = np.exp(1j * np.pi * np.linspace(-1, 1, 801) ** 3) - 1  # finest at 0: only that arc may be in view
        artists.shrinks.set_xy(np.column_stack([around.real, around.imag]) / result.eps)
        grows = result.grows
        artists.stable.set_data(values[~grows].real, values[~grows].imag)
        artists.growing.set_data(values[grows].real, values[grows].imag)
        if artists.right.get_xlim() != (0, result.horizon):
            artists.right.set_xlim(0, result.horizon)
        shown = result.u_norm[: result.horizon + 1]
        artists.measured.set_data(np.arange(len(shown)), shown)
        height, rate = result.asymptote
        steps = np.linspace(0, result.horizon, 200)
        logarithm = np.log10(height) + rate * steps / np.log(10)
        seen = np.abs(logarithm) < 20
        artists.predicted.set_data(steps[seen], 10 ** logarithm[seen])
        artists.crash.set_data(*(([result.crash] * 2, [1e-4, 1e8]) if result.crash else ([], [])))

    def sentence(self, result: Spectrum) -> str:
        rate = result.asymptote[1]
        turning = f", turning once in {2 * np.pi / result.angle:.3g} steps" if result.angle else ""
        speed = f"The fastest mode changes by log|1 + eps lambda| = {rate:.3g} a step{turning}."
        if abs(rate) <= 1e-12:
            verdict = "nothing grows and nothing shrinks."
        elif rate < 0:
            verdict = "negative, and every mode that moves shrinks."
        elif result.seem > 1e-9:
            verdict = "positive, so it blows up at every learning rate."
        else:
            verdict = (
                f"not positive, yet the step is too large; below learning rate {result.largest_lr:.2g} it shrinks."
            )
        end = f"|Q| stays below 1e6 in the {STEPS} steps computed here."
        by_mode = "by the fastest mode alone" + (", averaged over a turn" if result.angle else "")
        if result.crash is not None:
            end = f"|Q| passes 1e6 at step {result.crash:,} (dotted), where ||u|| is {result.u_norm[-1]:.2g}"
            if math.isfinite(result.crash_predicted):
                end += f"; {by_mode}{',' if result.angle else ''} it would be step {_digits(result.crash_predicted)}"
            end += "."
        elif math.isfinite(result.crash_predicted):
            end = (
                f"|Q| will pass 1e6 only after the {STEPS} steps computed here: near step "
                f"{_digits(result.crash_predicted)} {by_mode}."
            )
        return (
            f"{result.name}, gamma {result.gamma:.3f}, eps = 2 lr / {result.n} = {result.eps:.2g}: "
            f"SEEM = {result.seem:.3f}, {verdict} "
            f"{result.grows.sum()} of {len(result.grows)} modes grow (squares). {speed} {end}"
        )

    def table(self, result: Spectrum) -> Mapping[str, Any]:
        return {
            "eigenvalue_real": result.eigenvalues.real,
            "eigenvalue_imag": result.eigenvalues.imag,
            "td_error_norm": result.u_norm,
        }


def _digits(step: float) -> str:
    """A step, to four digits."""
    return f"{float(f'{step:.4g}'):,.0f}"


def _view(axes: Axes, width: float) -> None:
    """Show the complex plane `width` across, two thirds of it left of the imaginary axis."""
    limits = (-2 * width / 3, width / 3)
    if axes.get_xlim() != limits:
        axes.set(xlim=limits, ylim=(-0.375 * width, 0.375 * width))


def _star(leaf: float, centre: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, next features and weights of Baird's star: leaves `leaf w_i + w_8`, centre `w_7 + centre w_8`."""
    x = baird_star().x.numpy().copy()
    x[range(6), range(6)] = leaf
    x[6, 7] = centre
    weights = baird_weights().numpy()
    weights[:6] += 0.01 * (np.arange(6) - 2.5)
    return x, np.tile(x[6], (7, 1)), weights


def _iterate(matrix: np.ndarray, weights: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, int | None]:
    """`w <- matrix w` until |Q| = |x w| passes the limit: all weights `(steps + 1, P)`, and that step, if any."""
    powers = np.stack([np.linalg.matrix_power(matrix, k) for k in range(1, BLOCK + 1)])
    blocks, last = [weights[None]], weights
    for start in range(0, STEPS, BLOCK):
        blocks.append(powers @ last)
        last = blocks[-1][-1]
        over = (np.abs(blocks[-1] @ x.T) > Q_LIMIT).any(1)
        if over.any():
            crash = start + 1 + int(over.argmax())
            return np.concatenate(blocks)[: crash + 1], crash
    return np.concatenate(blocks), None


def _largest_lr(eigenvalues: np.ndarray, n: int) -> float:
    """The learning rate at which the first mode leaves the circle: eps = min -2 Re lambda / |lambda|^2."""
    moving = eigenvalues[np.abs(eigenvalues) > 1e-9 * max(np.abs(eigenvalues).max(), 1e-9)]
    if len(moving) == 0 or moving.real.max() >= 0:
        return 0.0
    return float((-2 * moving.real / np.abs(moving) ** 2).min()) * n / 2
