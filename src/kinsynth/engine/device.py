"""Which device can compute."""

from __future__ import annotations

import torch


def has_cuda() -> bool:
    """Tell whether torch can use a GPU."""
    return bool(torch.cuda.is_available())
