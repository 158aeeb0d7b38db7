"""The device that computes: whether there is a GPU, how much it holds, and how torch is set on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from kinsynth.engine.sizing import TablePlan
from kinsynth.errors import SettingsError


def has_cuda() -> bool:
    """Tell whether torch can use a GPU."""
    return bool(torch.cuda.is_available())


def cuda_bytes() -> int:
    """Give the free memory of the GPU; 0 without one."""
    return int(torch.cuda.mem_get_info()[0]) if has_cuda() else 0


def require_device(wanted: str) -> None:
    """Stop when the document asks for a GPU that is not there.

    Args:
        wanted: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        SettingsError: ``settings.no_cuda``.
    """
    if wanted == "cuda" and not has_cuda():
        raise SettingsError(
            "settings.no_cuda",
            "training.device=cuda: torch finds no usable GPU.",
            where="training.device",
            remedy="Write auto or cpu, or install a driver and a build of torch with CUDA.",
        )


@contextmanager
def torch_settings(plan: TablePlan) -> Iterator[None]:
    """Set threads, precision, flushing of denormal numbers and reproducible kernels, and put them back."""
    before, strict = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    filling: Any = torch.utils.deterministic
    filled, precision = filling.fill_uninitialized_memory, torch.get_float32_matmul_precision()
    # The same as use_deterministic_algorithms, which loads torch's compiler first: a second for nothing.
    torch.set_deterministic_debug_mode("error" if plan.device == "cpu" else strict)
    # Every tensor of ours is written before it is read; filling it first took a seventh of a step.
    filling.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high" if plan.device == "cuda" else precision)
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision(precision)
        filling.fill_uninitialized_memory = filled
        torch.set_deterministic_debug_mode(strict)


def mixed_precision(device: str, *, enabled: bool) -> torch.autocast:
    """Give the context in which products are computed in bfloat16; weights and losses stay float32."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=enabled)
