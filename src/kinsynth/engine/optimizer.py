"""The optimiser of a network, and its moments as named tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

MOST_GRADIENT = 5.0


def make_optimizer(network: nn.Module, *, weight_decay: float) -> torch.optim.AdamW:
    """Make AdamW that decays matrices and leaves embeddings, biases and heads alone."""
    decayed = [p for name, p in network.named_parameters() if _is_decayed(name, p)]
    free = [p for name, p in network.named_parameters() if not _is_decayed(name, p)]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), fused=True)


def move(optimizer: torch.optim.AdamW, network: nn.Module, rate: float) -> None:
    """Take one step along the gradients, which are shortened when they are very long."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    torch.nn.utils.clip_grad_norm_(network.parameters(), MOST_GRADIENT)
    optimizer.step()


def name_moments(optimizer: torch.optim.AdamW) -> dict[str, Tensor]:
    """Give the moments under names ``number/moment``."""
    state = optimizer.state_dict()["state"]
    return {f"{number}/{name}": tensor for number, kept in state.items() for name, tensor in kept.items()}


def restore_moments(optimizer: torch.optim.AdamW, named: Mapping[str, Tensor]) -> None:
    """Put back what ``name_moments`` gave."""
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in named.items():
        number, name = key.split("/")
        moments.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _is_decayed(name: str, parameter: Tensor) -> bool:
    return parameter.ndim >= 2 and "bias" not in name and "embedding" not in name
