"""Explorer of lesson 07: one update at x0, and how far it moves Q on the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, radians, sin
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import Figure

from seem_lab.kernel_profiles import ntk_map, ntk_ray, ray_exponent
from seem_lab.kernels import ntk
from seem_lab.networks import mlp
from seem_lab.panels.controls import choice, slider
from seem_lab.panels.panel import Panel
from seem_lab.plotting.figure import BLUE, GREY, ORANGE, tidy
from seem_lab.plotting.kernels import RESPONSE_MAP
from seem_lab.plotting.layer_norm import MAP_LEVELS, MAP_NORM

AXIS = torch.linspace(-8, 8, 33, dtype=torch.float64)
DISTANCE = torch.logspace(-1, 5, 61, dtype=torch.float64)
NETWORKS: dict[str, dict[str, Any]] = {
    "ReLU": {"hidden": (512,)},
    "LayerNorm": {"hidden": (512,), "layer_norm": True},
    "two hidden layers, ReLU": {"hidden": (128, 128)},
    "two hidden layers, LayerNorm in both": {"hidden": (128, 128), "layer_norm": True},
    "two hidden layers, LayerNorm in the first": {"hidden": (128, 128), "layer_norm": (True, False)},
    "two hidden layers, LayerNorm in the second": {"hidden": (128, 128), "layer_norm": (False, True)},
}


@dataclass(frozen=True)
class Response:
    """What an update at x0 does elsewhere; every number is G(y, x0) / G(x0, x0).

    Args:
        updated: x0.
        outwards: the direction of the ray, of length 1.
        over_plane: `(33, 33)`, one row for each value of the second input.
        along_ray: `(61,)` at `DISTANCE` from x0.
        exponent: slope of log |G| over log distance, from 1e2 to 1e5.
    """

    updated: np.ndarray
    outwards: np.ndarray
    over_plane: np.ndarray
    along_ray: np.ndarray
    exponent: float


class KernelRay(Panel):
    """Choose x0 and a direction, and follow the kernel to a distance of 100,000.

    Example:
        >>> KernelRay(network="LayerNorm").text.split(". ")[-1]
        'It levels off.'
    """

    title = "How far does an update reach?"
    lesson = "07"
    hint = "Drag the star, turn the direction, and compare the network with and without LayerNorm, far out."
    size = (940, 430)
    presets = {
        "LayerNorm": {"network": "LayerNorm"},
        "past the origin": {"direction": 210.0},
        "LayerNorm, past the origin": {"network": "LayerNorm", "direction": 210.0},
        "LayerNorm in the first layer only": {"network": "two hidden layers, LayerNorm in the first"},
    }

    def __init__(self, **parameters: Any) -> None:
        self.networks = {name: mlp(2, seed=1000, **settings) for name, settings in NETWORKS.items()}
        super().__init__(**parameters)

    def controls(self) -> dict[str, ipywidgets.ValueWidget]:
        return {
            "first": slider("x0: first input", 1.0, -4.0, 4.0, 0.5),
            "second": slider("x0: second input", 0.5, -4.0, 4.0, 0.5),
            "direction": slider("direction (degrees)", 30.0, 0.0, 345.0, 15.0),
            "network": choice("network", list(NETWORKS)),
        }

    def compute(self, first: float, second: float, direction: float, network: str) -> Response:
        chosen = self.networks[network]
        x0 = torch.tensor([first, second], dtype=torch.float64)
        outwards = torch.tensor([cos(radians(direction)), sin(radians(direction))], dtype=torch.float64)
        here = ntk(chosen, x0[None]).item()
        along = ntk_ray(chosen, x0, outwards, DISTANCE) / here
        return Response(
            updated=x0.numpy(),
            outwards=outwards.numpy(),
            over_plane=(ntk_map(chosen, x0, AXIS, AXIS) / here).numpy(),
            along_ray=along.numpy(),
            exponent=ray_exponent(DISTANCE, along).item(),
        )

    def setup(self, figure: Figure, animate: Callable[..., Any]) -> SimpleNamespace:
        figure.set_layout_engine("none")  # the axes are placed by hand
        left, right = figure.add_axes((0.06, 0.13, 0.36, 0.78)), figure.add_axes((0.6, 0.13, 0.38, 0.78))
        low, high = AXIS[0].item(), AXIS[-1].item()
        tidy(left, title="$G(y, x_0)\\,/\\,G(x_0, x_0)$ over the plane", x="first input", y="second input")
        left.set(aspect="equal", xlim=(low, high), ylim=(low, high))
        mesh = animate(
            left.pcolormesh(AXIS.numpy(), AXIS.numpy(), np.ones((len(AXIS),) * 2), cmap=RESPONSE_MAP, norm=MAP_NORM)
        )
        figure.colorbar(mesh, cax=figure.add_axes((0.44, 0.19, 0.018, 0.66)), extend="both", ticks=MAP_LEVELS)
        ray, star = animate(
            left.plot([], [], color="black", linewidth=1.5, linestyle="--")[0],
            left.plot([], [], "*", color=ORANGE, markersize=16, markeredgecolor="black")[0],
        )
        right.set(xscale="log", yscale="log", xlim=(0.1, 1e5), ylim=(1e-3, 1e6))
        tidy(
            right,
            title="Along the dashed line",
            x="distance of $y$ from $x_0$",
            y="size of $G(y, x_0)\\,/\\,G(x_0, x_0)$",
        )
        distance = DISTANCE.numpy()
        right.plot(distance, distance, color=GREY, linewidth=1, linestyle=":", label="in proportion to the distance")
        right.axhline(1, color=GREY, linewidth=1, label="as far as at $x_0$")
        line = animate(right.plot([], [], color=BLUE, linewidth=2.2, label="this network")[0])
        right.legend(fontsize=9, frameon=False, loc="upper left")
        return SimpleNamespace(left=left, mesh=mesh, ray=ray, star=star, line=line)

    def draw(self, artists: SimpleNamespace, result: Response) -> None:
        artists.mesh.set_array(result.over_plane)
        ends = np.stack([result.updated, result.updated + 40 * result.outwards])
        artists.ray.set_data(*ends.T)
        artists.star.set_data(*result.updated[:, None])
        artists.line.set_data(DISTANCE.numpy(), np.clip(np.abs(result.along_ray), 1e-3, None))

    def sentence(self, result: Response) -> str:
        at = {scale: result.along_ray[np.abs(np.log10(DISTANCE.numpy()) - scale).argmin()] for scale in (1, 5)}
        verdict = "It has not settled yet."
        if abs(result.exponent) < 0.1:
            verdict = "It levels off."
        elif abs(result.exponent - 1) < 0.1:
            verdict = "It grows in proportion to the distance."
        return (
            f"An update at the star moves Q at distance 10 by {at[1]:.2g} times as much as at the star, and at "
            f"distance 100,000 by {at[5]:.2g} times. From 100 to 100,000 the slope is {result.exponent:.3f}. {verdict}"
        )

    def table(self, result: Response) -> Mapping[str, Any]:
        return {"distance": DISTANCE.numpy(), "relative_kernel": result.along_ray}

    def point(self, artists: SimpleNamespace, x: float, y: float) -> Mapping[str, Any]:
        """x0 goes where the map is pressed."""
        if not artists.left.bbox.contains(x, y):
            return {}
        first, second = np.clip(artists.left.transData.inverted().transform((x, y)), -4, 4)
        return {"first": round(2 * first) / 2, "second": round(2 * second) / 2}
