"""`seem-lab version`."""

from __future__ import annotations

import torch

import seem_lab


def version() -> None:
    """Print the versions of seem_lab and PyTorch."""
    print(f"seem_lab {seem_lab.__version__}, torch {torch.__version__}")
