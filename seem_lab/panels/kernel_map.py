"""Explorer of lesson 03: one update at x0, and what moves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, radians, sin
from types import SimpleNamespace
from typing import Any, cast

import ipywidgets
import numpy as np
import torch
from contourpy import contour_generator
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, IdentityTransform
from torch import nn
from torch.func import functional_call

from seem_lab.kernel_profiles import ntk_map
from seem_lab.networks import mlp
from seem_lab.panels.controls import choice, log_slider, slider
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.plotting.kernels import RESPONSE_LEVELS, RESPONSE_MAP, RESPONSE_NORM
from seem_lab.problems import toy_walk
from seem_lab.training import train

AXIS = torch.linspace(-2, 3, 33, dtype=torch.float64)
PIXELS = 12  # font size of the numbers on contours


@dataclass(frozen=True)
class Update:
    """One gradient step that raises Q(x0); every change is in units of the predicted one at x0.

    Args:
        updated: x0 as (east, north, action east, action north).
        read: (action east, action north) the map is read at.
        lr: learning rate of the step.
        predicted_rise: lr G(x0, x0), the predicted change of Q(x0).
        real_rise: the real one.
        over_plane: `(33, 33)` G(y, x0) / G(x0, x0), y the input that is read, one row for each position north.
        predicted: `(33,)` the same along the line through x0.
        real: `(33,)` what the update really did there.
    """

    updated: np.ndarray
    read: np.ndarray
    lr: float
    predicted_rise: float
    real_rise: float
    over_plane: np.ndarray
    predicted: np.ndarray
    real: np.ndarray


class KernelMap(Panel):
    """One update at x0 on the toy walk: the kernel over the plane, and prediction against reality along a line.

    Example:
        >>> KernelMap(network="LayerNorm, fresh").parameters["network"]
        'LayerNorm, fresh'
    """

    title = "Where does one update move Q?"
    lesson = "03"
    hint = (
        "The star is x0, whose Q is raised; the map shows how far Q moves at every y. Drag the star. Then choose a "
        "trained network and make the update large: when does the prediction fail?"
    )
    size = (940, 470)
    presets = {
        "another action": {"read": 225.0},
        "at the origin": {"east": 0.0, "north": 0.0},
        "late in training": {"network": "trained 200 steps"},
        "late, a large step": {"network": "trained 200 steps", "lr": 0.3},
        "LayerNorm": {"network": "LayerNorm, fresh"},
    }

    def __init__(self, **parameters: Any) -> None:
        self.walk = toy_walk(seed=0)
        self.networks = _networks()
        super().__init__(**parameters)

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "east": slider("x0: east", 1.3, -1.0, 2.0, 0.1),
            "north": slider("x0: north", 0.9, -1.0, 2.0, 0.1),
            "action": slider("x0: action (degrees)", 45.0, 0.0, 315.0, 45.0),
            "read": slider("y: action read (degrees)", 45.0, 0.0, 315.0, 45.0),
            "lr": log_slider("learning rate η", 0.01, 0.001, 1.0),
            "network": choice("network", list(self.networks)),
        }

    def compute(self, east: float, north: float, action: float, read: float, lr: float, network: str) -> Update:
        before = self.networks[network]
        updated = torch.tensor([[east, north, *_direction(action)]], dtype=torch.float64)
        read_at = torch.tensor([0.0, 0.0, *_direction(read)], dtype=torch.float64)
        parameters = dict(before.named_parameters())
        gradients = torch.autograd.grad(before(updated).squeeze(), list(parameters.values()))
        here = sum(gradient.square().sum().item() for gradient in gradients)  # G(x0, x0)
        rows = torch.cat([AXIS, updated[0, 1:2]])  # the last one is the line through x0
        relative = (ntk_map(before, updated[0], AXIS, rows, read_from=read_at) / here).numpy()
        line = read_at.repeat(len(AXIS), 1)
        line[:, 0], line[:, 1] = AXIS, north
        inputs = torch.cat([updated, line])
        steps = zip(parameters.items(), gradients, strict=True)
        raised = {name: parameter.detach().add(gradient, alpha=lr) for (name, parameter), gradient in steps}
        with torch.no_grad():
            change = ((functional_call(before, raised, inputs) - before(inputs)).squeeze(1) / (lr * here)).numpy()
        return Update(
            updated=updated[0].numpy(),
            read=read_at[2:].numpy(),
            lr=lr,
            predicted_rise=lr * here,
            real_rise=lr * here * change[0],
            over_plane=relative[:-1],
            predicted=relative[-1],
            real=change[1:],
        )

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        figure.set_layout_engine("none")  # the axes are placed by hand
        left, right = figure.add_axes((0.065, 0.19, 0.37, 0.74)), figure.add_axes((0.605, 0.19, 0.38, 0.74))
        low, high = AXIS[0].item(), AXIS[-1].item()
        tidy(
            left,
            title="$G(y, x_0)\\,/\\,G(x_0, x_0)$ over the plane",
            x="position, east",
            y="position, north",
        )
        left.set(aspect="equal", xlim=(low, high), ylim=(low, high))
        mesh = animate(
            left.pcolormesh(
                AXIS.numpy(), AXIS.numpy(), np.ones((len(AXIS),) * 2), cmap=RESPONSE_MAP, norm=RESPONSE_NORM
            )
        )
        figure.colorbar(mesh, cax=figure.add_axes((0.45, 0.25, 0.018, 0.62)), extend="both")
        contours = animate(left.add_collection(LineCollection([], colors="black")))
        east, north = self.walk.transitions.state.numpy().T
        dots: dict[str, Any] = {"markersize": 3.5, "markeredgecolor": "white", "markeredgewidth": 0.4}
        data = animate(left.plot(east, north, "o", color="black", **dots)[0])
        cut, taken, read, star = animate(
            left.plot([], [], color="black", linestyle="--", linewidth=1)[0],
            left.plot([], [], color="#8A3A00", linewidth=3)[0],
            left.plot([], [], "o:", color="#8A3A00", linewidth=2.5, markersize=7, markevery=[1], fillstyle="none")[0],
            left.plot([], [], "*", color=ORANGE, markersize=17, markeredgecolor="black")[0],
        )
        figure.legend(
            [star, data, taken, read],
            ["$x_0$, updated", "data", "action of $x_0$", "action read"],
            loc="lower left",
            bbox_to_anchor=(0.03, 0.0),
            ncols=4,
            fontsize=9,
            frameon=False,
            columnspacing=1.2,
        )
        on_map: dict[str, Any] = {"transform": IdentityTransform(), "offset_transform": left.transData}
        numbers = animate(
            left.add_collection(PathCollection([], color="white", linewidths=4, **on_map)),
            left.add_collection(PathCollection([], color="black", linewidths=0, **on_map)),
        )
        tidy(
            right,
            title="Along the dashed line",
            x="position of $y$, east",
            y="change of $Q(y)$  (1: predicted at $x_0$)",
        )
        right.set(xlim=(low, high), ylim=(-0.5, 3))
        right.axhline(0, color=GREY, linewidth=0.8)
        here, predicted, real = animate(
            right.axvline(0, color=GREY, linewidth=1, linestyle="--"),
            right.plot([], [], "o", color=ORANGE, markersize=5, fillstyle="none", label="predicted, $\\eta\\,G$")[0],
            right.plot([], [], color=BLUE, linewidth=2, label="real")[0],
        )
        right.legend(fontsize=9, frameon=False, loc="upper left")
        return SimpleNamespace(
            left=left, mesh=mesh, contours=contours, numbers=numbers, cut=cut, taken=taken, read=read, star=star,
            here=here, predicted=predicted, real=real, shapes=[_shape(level) for level in RESPONSE_LEVELS],
        )  # fmt: skip

    def draw(self, artists: SimpleNamespace, result: Update) -> None:
        axis = AXIS.numpy()
        east, north, *taken = result.updated
        artists.mesh.set_array(result.over_plane)
        generator = contour_generator(axis, axis, result.over_plane)
        lines: list[np.ndarray] = []
        widths: list[float] = []
        numbers: list[tuple[Path, np.ndarray]] = []
        for level, number in zip(RESPONSE_LEVELS, artists.shapes, strict=True):
            segments = cast(list[np.ndarray], generator.lines(level))
            lines += segments
            widths += [2.2 if level == 1 else 0.8] * len(segments)
            longest = max(segments, key=len, default=np.empty((0, 2)))
            if len(longest) >= 8:
                numbers.append((number, longest[len(longest) // 4]))
        for each in artists.numbers:
            each.set_paths([number for number, _ in numbers])
            each.set_offsets(np.reshape([place for _, place in numbers], (-1, 2)))  # there may be none
        artists.contours.set_segments(lines)
        artists.contours.set_linewidths(widths)
        artists.cut.set_data(axis[[0, -1]], [north, north])
        for arm, direction in ((artists.taken, taken), (artists.read, result.read)):
            arm.set_data([east, east + 0.5 * direction[0]], [north, north + 0.5 * direction[1]])
        artists.star.set_data([east], [north])
        artists.here.set_xdata([east, east])
        artists.predicted.set_data(axis, result.predicted)
        artists.real.set_data(axis, result.real)

    def sentence(self, result: Update) -> str:
        plane = result.over_plane
        row, column = np.unravel_index(plane.argmax(), plane.shape)
        farthest = f"({AXIS[column]:.1f}, {AXIS[row]:.1f})"
        gap = np.abs(result.real - result.predicted).max()
        part = 100 * (plane > 1).mean()
        share = "less than 1 %" if 0 < part < 1 else f"{part:.0f} %"
        return (
            f"Q at the star should rise by {result.predicted_rise:.2g}; it rises by {result.real_rise:.2g}. "
            f"Over the plane it should move {plane.min():.2f} to {plane.max():.2f} times as far, "
            f"farthest at {farthest}, and on {share} of it farther than at the star. "
            f"Along the line, prediction and reality differ by up to {100 * gap:.2g} % of the star's predicted move."
        )

    def table(self, result: Update) -> Mapping[str, Any]:
        return {"east": AXIS.numpy(), "predicted": result.predicted, "real": result.real}

    def point(self, artists: SimpleNamespace, x: float, y: float) -> Mapping[str, Any]:
        """x0 goes where the map is pressed."""
        if not artists.left.bbox.contains(x, y):
            return {}
        east, north = np.clip(artists.left.transData.inverted().transform((x, y)), -1, 2)
        return {"east": round(east, 1), "north": round(north, 1)}


def _shape(number: float) -> Path:
    """A number as a path around its middle, in pixels: drawn many times as fast as text."""
    path = TextPath((0, 0), f"{number:g}", size=PIXELS)
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))


def _networks() -> dict[str, nn.Module]:
    """Fresh networks, and the same ones after some training on the walk."""
    networks: dict[str, nn.Module] = {}
    for name, layer_norm in (("", False), ("LayerNorm, ", True)):
        network: nn.Module = mlp(4, hidden=(64,), layer_norm=layer_norm, seed=1000)
        networks[f"{name}fresh"] = copy.deepcopy(network)
        for steps in (100, 200):
            train(network, toy_walk(seed=0), steps=100, progress=False)
            networks[f"{name}trained {steps} steps"] = copy.deepcopy(network)
    return networks


def _direction(degrees: float) -> tuple[float, float]:
    return cos(radians(degrees)), sin(radians(degrees))
