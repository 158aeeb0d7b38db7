"""The learning rate: found by a short trial, held while validation improves, then lowered to zero.

A trial raises the rate step by step and watches the loss; a rate well below those that help most is taken.

Sources:
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

WARMUP_STEPS = 20
FALL_SHARE = 0.3
TRIAL_STEPS = 24
FEWEST_TRIAL_STEPS = 12
TRIAL_SHARE = 0.06
TRIAL_TIME_SHARE = 0.1
LOWEST_RATE, HIGHEST_RATE = 1e-3, 2e-2
_TRIAL_FROM, _TRIAL_TO = 1e-3, 0.3
_WAY_DOWN = 0.9
_BELOW = 8.0


@dataclass(frozen=True)
class Fall:
    """The last part of a training, in which the learning rate falls to zero.

    Attributes:
        start: The step it begins at.
        steps: How many steps it takes.
    """

    start: int
    steps: int


def adaptive_rate(rate: float, step: int, fall: Fall | None) -> float:
    """Give the rate of a step: warm-up, then constant, then a linear fall to zero."""
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    left = 1.0 if fall is None else max(0.0, 1 - (step - fall.start) / fall.steps)
    return rate * warm * left


def count_trial_steps(total_steps: int) -> int:
    """Give the steps of the trial: at most a sixteenth of the training, none for a very short one."""
    steps = min(TRIAL_STEPS, int(total_steps * TRIAL_SHARE))
    return steps if steps >= FEWEST_TRIAL_STEPS else 0


def find_rate(
    try_step: Callable[[int, float], float],
    steps: int,
    *,
    otherwise: float,
    is_late: Callable[[], bool] = lambda: False,
) -> float:
    """Find the learning rate by a trial.

    Args:
        try_step: Takes the number of a step and a rate, steps, and gives the loss before it.
        steps: How many steps the trial takes.
        otherwise: The rate when there is no trial, or it takes too long.
        is_late: Asked before each step whether the trial takes too long.

    Returns:
        A rate between ``LOWEST_RATE`` and ``HIGHEST_RATE``.
    """
    if not steps:
        return otherwise
    rates = np.geomspace(_TRIAL_FROM, _TRIAL_TO, steps)
    losses = []
    for number, rate in enumerate(rates):
        if is_late():
            return otherwise
        losses.append(try_step(number, float(rate)))
    return choose_rate(rates.tolist(), losses)


def choose_rate(rates: Sequence[float], losses: Sequence[float]) -> float:
    """Choose a rate from the losses of a trial.

    An eighth of the smallest rate at which the smoothed loss has made nearly all of its way down: higher
    ones gain little more before the loss turns up, and a whole training bears less than a short trial.
    A loss that is not finite counts as a large one.
    """
    if not np.isfinite(losses[0]):
        return LOWEST_RATE
    known = np.nan_to_num(np.asarray(losses, dtype=np.float64), nan=np.inf)
    padded = np.pad(np.minimum(known, 2 * abs(losses[0]) + 1), 1, mode="edge")
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    low_enough = smooth <= smooth.min() + (1 - _WAY_DOWN) * (smooth[0] - smooth.min())
    return float(np.clip(rates[int(low_enough.argmax())] / _BELOW, LOWEST_RATE, HIGHEST_RATE))
