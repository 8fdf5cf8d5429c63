"""The tangent kernel around one updated input x0: along a ray, over a plane, and how fast it grows outwards."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from seem_lab.kernels import ntk
from seem_lab.stacks import Networks


def ntk_ray(
    network: Networks, x0: Float[Tensor, "*s d"], direction: Float[Tensor, "*s d"], scales: Float[Tensor, " k"]
) -> Float[Tensor, "... k"]:
    """`G(x0 + scale * direction, x0)`: how far an update at x0 moves Q on a ray that leaves x0.

    Args:
        network: as for `ntk`; a list of S networks of one shape gives S rays at once.
        x0: `(d,)` the input that is updated; for a list also `(S, d)`, each network its own.
        direction: `(d,)` or `(S, d)`, of any length but zero: at scale 1 the ray is at `x0 + direction`.
        scales: `(K,)` where on the ray Q is read.

    Returns:
        `(K,)` kernel, `(S, K)` for a list. Divide it by `ntk(network, x0[None])` for the move relative to that of x0.

    Raises:
        TypeError, ValueError: a direction that is zero, scales that are no vector, and as `ntk`.

    Example:
        >>> from torch import nn
        >>> one = torch.ones(2, dtype=torch.float64)
        >>> linear = nn.Linear(2, 1, dtype=torch.float64)      # G(y, x) = y . x + 1
        >>> ntk_ray(linear, one, one, torch.tensor([0.0, 1.0, 10.0], dtype=torch.float64)).tolist()
        [3.0, 5.0, 23.0]
    """
    if scales.ndim != 1 or len(scales) == 0:
        raise ValueError(f"scales must be a vector of at least one number, got shape {tuple(scales.shape)}")
    if not (direction != 0).any(-1).all():
        raise ValueError("a direction is zero, so there is no ray; give a direction with a length")
    y = x0[..., None, :] + scales[:, None] * direction[..., None, :]
    return ntk(network, y, x0[..., None, :])[..., 0]


def ntk_map(
    network: Networks,
    x0: Float[Tensor, "*s d"],
    horizontal: Float[Tensor, " w"],
    vertical: Float[Tensor, " h"],
    *,
    axes: tuple[int, int] = (0, 1),
    read_from: Float[Tensor, "*s d"] | None = None,
) -> Float[Tensor, "... h w"]:
    """`G(y, x0)` over a plane: y is `read_from` but for two coordinates, which run over a grid.

    Args:
        network: as for `ntk`; a list of S networks of one shape gives S maps at once.
        x0: `(d,)` the input that is updated; for a list also `(S, d)`, each network its own.
        horizontal: `(W,)` values of the first of the two coordinates.
        vertical: `(H,)` values of the second.
        axes: which two coordinates of the input they are.
        read_from: `(d,)` or `(S, d)`, the other coordinates of y; those of `x0` if not given.

    Returns:
        `(H, W)` kernel, one row for each value of `vertical`; `(S, H, W)` for a list.

    Raises:
        TypeError, ValueError: axes that are equal or not those of the input, and as `ntk`.

    Example:
        >>> from torch import nn
        >>> linear = nn.Linear(3, 1, bias=False, dtype=torch.float64)      # G(y, x) = y . x
        >>> one, grid = torch.ones(3, dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
        >>> ntk_map(linear, one, 10 * grid, grid).tolist()                 # the third coordinate is always 1
        [[1.0, 11.0], [2.0, 12.0]]
    """
    width = x0.shape[-1]
    if len(set(axes)) != 2 or not set(axes) <= set(range(width)):
        raise ValueError(f"axes must be two different coordinates of an input of width {width}, got {axes}")
    start = x0 if read_from is None else read_from
    y = start[..., None, :].repeat(*[1] * (start.ndim - 1), len(vertical) * len(horizontal), 1)
    y[..., axes[0]] = horizontal.repeat(len(vertical))
    y[..., axes[1]] = vertical.repeat_interleave(len(horizontal))
    return ntk(network, y, x0[..., None, :])[..., 0].unflatten(-1, (len(vertical), len(horizontal)))


def ray_exponent(
    scales: Float[Tensor, " k"], kernel: Float[Tensor, "*s k"], window: tuple[float, float] = (1e2, 1e5)
) -> Float[Tensor, "*s"]:
    """Order of growth along a ray: the slope of log |kernel| over log scale, by least squares inside the window.

    1 means that the kernel grows in proportion to the distance, 0 that it levels off.

    Args:
        scales: `(K,)` as for `ntk_ray`.
        kernel: `(K,)` or `(S, K)` what `ntk_ray` gave.
        window: smallest and largest scale that count, in the unit of `scales`.

    Returns:
        The slope, one number a ray.

    Raises:
        ValueError: fewer than 3 scales in the window, or a kernel that is 0 or not finite there.

    Example:
        >>> scales = torch.logspace(0, 5, 51, dtype=torch.float64)
        >>> round(ray_exponent(scales, 3 * scales + 1).item(), 3)
        1.0
    """
    low, high = window
    inside = (scales >= low * (1 - 1e-9)) & (scales <= high * (1 + 1e-9))  # ends that were rounded count
    if inside.sum() < 3:
        raise ValueError(f"{int(inside.sum())} of the scales lie from {low:g} to {high:g}; a slope needs at least 3")
    size = kernel[..., inside].abs()
    if not (torch.isfinite(size) & (size > 0)).all():
        raise ValueError("the kernel is 0 or not finite somewhere in the window, so its logarithm has no slope")
    x = scales[inside].log()
    x = x - x.mean()
    return (size.log() * x).sum(-1) / x.square().sum()
