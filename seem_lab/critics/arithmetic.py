"""How coarse the matrix products of training may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def arithmetic(device: torch.device, *, tf32: bool, bf16: bool) -> Iterator[None]:
    """For a moment, products in TF32 (CUDA alone) or bfloat16 (by autocast); afterwards everything is as it was.

    Args:
        device: where training runs.
        tf32: 10 bits of mantissa in place of 23, at the range of float32.
        bf16: 8 bits of mantissa; the parameters stay float32.
    """
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32 and device.type == "cuda"
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
