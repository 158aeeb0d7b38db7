"""The optimiser of a network: AdamW with its moments as named tensors.

The same steps as ``torch.optim.AdamW``, by the same kernel; making one of those loads torch's compiler, which
takes longer than many a training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

MOST_GRADIENT = 5.0
_BETAS = (0.9, 0.99)
_EPSILON = 1e-8
_CODES = "embedding.free"
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class AdamW:
    """Moments of some parameters, and the step along their gradients.

    Args:
        parameters: What is moved.
        decays: Decoupled weight decay of each parameter.

    Sources:
        Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], decays: Sequence[float]) -> None:
        self.parameters, self.decays = list(parameters), list(decays)
        self.moments = [
            {
                "exp_avg": torch.zeros_like(one, requires_grad=False),
                "exp_avg_sq": torch.zeros_like(one, requires_grad=False),
                "step": torch.zeros((), device=one.device),
            }
            for one in self.parameters
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Take one step along the gradients, shortened when very long; a parameter without one stays."""
        shortened = self._shortening()
        for decay in dict.fromkeys(self.decays):
            moved = [
                (one, one.grad, *(kept[name] for name in _MOMENTS))
                for one, own, kept in zip(self.parameters, self.decays, self.moments, strict=True)
                if own == decay and one.grad is not None
            ]
            if not moved:
                continue
            values, gradients, first, second, steps = (list(part) for part in zip(*moved, strict=True))
            torch._foreach_add_(steps, 1)
            torch._fused_adamw_(
                values,
                gradients,
                first,
                second,
                [],
                steps,
                lr=rate,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                weight_decay=decay,
                eps=_EPSILON,
                amsgrad=False,
                maximize=False,
                grad_scale=shortened,
            )

    def _shortening(self) -> Tensor | None:
        """Give what gradients are divided by, so that all together are at most ``MOST_GRADIENT`` long."""
        gradients = [one.grad for one in self.parameters if one.grad is not None]
        if not gradients:
            return None
        length = torch.nn.utils.get_total_norm(gradients)
        shortening = (length / MOST_GRADIENT).clamp(min=1.0)
        # On the CPU a look at the number costs nothing, and the kernel is quicker without it.
        return None if length.device.type == "cpu" and float(length) <= MOST_GRADIENT else shortening


def make_optimizer(network: nn.Module, *, weight_decay: float, code_decay: float = 0.0) -> AdamW:
    """Make AdamW for a network.

    Args:
        network: What is trained.
        weight_decay: Decay of the matrices; biases and other embeddings have none.
        code_decay: Decay of the free vectors of the row's own codes.
    """
    named = list(network.named_parameters())
    decays = [
        code_decay if name == _CODES else weight_decay if _is_decayed(name, one) else 0.0
        for name, one in named
    ]
    return AdamW([one for _, one in named], decays)


def name_moments(optimizer: AdamW) -> dict[str, Tensor]:
    """Give the moments under names ``number/moment``."""
    return {
        f"{number}/{name}": tensor
        for number, kept in enumerate(optimizer.moments)
        for name, tensor in kept.items()
    }


def restore_moments(optimizer: AdamW, named: Mapping[str, Tensor]) -> None:
    """Put back what ``name_moments`` gave."""
    for key, tensor in named.items():
        number, name = key.split("/")
        optimizer.moments[int(number)][name].copy_(tensor)


def _is_decayed(name: str, parameter: Tensor) -> bool:
    return parameter.ndim >= 2 and "bias" not in name and "embedding" not in name
