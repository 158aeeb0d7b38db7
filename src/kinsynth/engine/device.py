"""Device: whether a GPU can be used. Asked once, before the plan; the plan holds the answer."""

from __future__ import annotations


def has_cuda() -> bool:
    """Say whether torch finds a GPU."""
    import torch

    return bool(torch.cuda.is_available())
