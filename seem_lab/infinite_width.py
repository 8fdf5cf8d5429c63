"""The tangent kernel of a very wide ReLU network with one hidden layer, by a formula: a check on the measured one.

The network reads x, `(d,)`, with n hidden units, and every weight and bias of layer l is drawn with mean 0 and
variance `1 / (3 fan_in)`: this is PyTorch's default, which draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)). (The
"standard parametrisation" of the field: the variances shrink with the fan-in, and nothing is multiplied by 1/sqrt(n)
in the network itself, so that the kernel grows like n.)

    z = W x + b,      h = ReLU(z)  or  ReLU(LayerNorm(z)),      Q = w . h + c.

Derivation. By lesson 03 the kernel is a sum over layers,

    G(y, x) = (delta(y) . delta(x)) (y . x + 1)  +  (h(y) . h(x) + 1),      delta = dQ/dz.

Each inner product is a sum over n units that are drawn alike, so by the law of large numbers it becomes n times a mean
over one unit. For that unit (z(y), z(x)) is a pair of Gaussian numbers with variances s(y)^2, s(x)^2, where
`s(x)^2 = (|x|^2 + 1) / (3 d)`, and correlation `cos t = (y . x + 1) / sqrt((|y|^2 + 1)(|x|^2 + 1))`. Two means are
needed, of Cho and Saul 2009 (arc-cosine kernels of order 0 and 1):

    P(z(y) > 0 and z(x) > 0)   = (pi - t) / (2 pi)                                        =: on
    E[ReLU(z(y)) ReLU(z(x))]   = s(y) s(x) (sin t + (pi - t) cos t) / (2 pi)              =: s(y) s(x) both

- Without LayerNorm: `delta_i = w_i 1[z_i > 0]` and `E w_i^2 = 1 / (3 n)`, so

      G = n s(y) s(x) both + 1 + on (y . x + 1) / 3.

- With LayerNorm, the mean over the units is 0 and their variance s(x)^2, up to 1/sqrt(n). So z becomes z / S(x),
  `S(x)^2 = s(x)^2 + eps`, and with it s becomes `s / S`, which is 1 but for eps. Going back, delta is divided by
  S(x); the two directions that LayerNorm takes out of it are two of n, and vanish. The gain and the bias of LayerNorm
  (1 and 0 at first) bring two more terms, `sum (w_i 1[..])^2 zhat_i(y) zhat_i(x)` and `sum (w_i 1[..])^2`:

      G = n r(y) r(x) both + 1 + on (y . x + 1) / (3 S(y) S(x)) + (r(y) r(x) both + on) / 3,      r = s / S.

With eps = 0 each of these depends on y and x by the angle t alone, and is largest at t = 0: however far away y is, an
update at x moves Q(y) at most as far as Q(x).

The formula needs a Gaussian pair (z(y), z(x)). PyTorch's W is uniform, and z a sum of only d + 1 such numbers, so at
small d the networks with uniform weights come close to it, but not arbitrarily close.

Sources: Cho, Saul, *Kernel Methods for Deep Learning*, 2009; Jacot, Gabriel, Hongler 2018 (the limit); Sohl-Dickstein,
Novak, Schoenholz, Lee, arXiv 2001.07301 (standard parametrisation). The terms of LayerNorm are our derivation.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def infinite_width_ntk(
    y: Float[Tensor, "m d"],
    x: Float[Tensor, "n d"],
    *,
    width: int,
    layer_norm: bool = False,
    affine: bool = True,
    eps: float = 1e-5,
) -> Float[Tensor, "m n"]:
    """What `ntk` of a fresh network with one very wide hidden layer comes to: the formulas above.

    Args:
        y: `(M, d)` inputs that are read.
        x: `(N, d)` inputs that are updated.
        width: n, the number of hidden units. The kernel grows in proportion to it; divide by it for the limit.
        layer_norm: whether a LayerNorm stands before the ReLU.
        affine: whether it has a gain and a bias.
        eps: what it adds to the variance.

    Returns:
        `(M, N)` kernel. Without LayerNorm this is the mean over networks with Gaussian first layer, exactly, at every
        width; with LayerNorm up to a relative error of order 1/n. A single network differs by order 1/sqrt(n).

    Raises:
        ValueError: fewer than one unit, or inputs of different widths.

    Example:
        >>> x = torch.ones(1, 2, dtype=torch.float64)
        >>> for layer_norm in (False, True):
        ...     far, here = (infinite_width_ntk(y, x, width=512, layer_norm=layer_norm) for y in (1000 * x, x))
        ...     print(f"{(far / here).item():.1f}")
        680.5
        0.8
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    if y.shape[1] != x.shape[1]:
        raise ValueError(f"y has width {y.shape[1]} but x {x.shape[1]}; give both as (s, a) concatenated")
    inner = y @ x.T + 1  # (M, N); the 1 is the bias
    lengths = [(rows.square().sum(1) + 1).sqrt() for rows in (y, x)]
    angle = (inner / torch.outer(*lengths)).clamp(-1, 1).arccos()
    on = (math.pi - angle) / (2 * math.pi)
    both = (angle.sin() + (math.pi - angle) * angle.cos()) / (2 * math.pi)
    spread = [length / math.sqrt(3 * x.shape[1]) for length in lengths]  # s(y), s(x)
    if not layer_norm:
        return width * torch.outer(*spread) * both + 1 + on * inner / 3
    divisor = [(s.square() + eps).sqrt() for s in spread]  # S(y), S(x)
    both = both * torch.outer(*(s / divided for s, divided in zip(spread, divisor, strict=True)))
    kernel = width * both + 1 + on * inner / (3 * torch.outer(*divisor))
    return kernel + (both + on) / 3 if affine else kernel
