"""Means: numbers of child rows whose mean is that of the source. No torch.

Shape letters: K codes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import ChildCount

Shares = NDArray[np.float64]
MOST_MOVED = 0.025
_MOST_POWER, _HALVINGS = 50.0, 60


def keep_mean(share_K: Shares, count: ChildCount) -> Shares:
    """Change the shares of counts, as little as can be, until their mean is that of the source.

    The largest counts are not told, so that rows would be missing. Of all shares with the mean, the nearest
    ones are those times a power of a number for each child row (exponential tilting: Csiszár, "I-divergence
    geometry of probability distributions and minimization problems", 1975).

    Args:
        share_K: Share of each code; NaN for shares that are not known, and then nothing changes.
        count: What the codes stand for.

    Guarantees:
        At most ``MOST_MOVED`` of the parents move, even where the mean stays another. A share of zero stays.

    >>> counts = np.arange(4)
    >>> keep_mean(np.full(4, 0.25), ChildCount("b", 0, counts, counts, mean=1.51)).round(3).tolist()
    [0.247, 0.249, 0.251, 0.253]
    """
    if count.mean is None or np.isnan(share_K).any() or not share_K.any():
        return share_K
    value_K = (count.low_K + count.high_K) / 2
    missing = count.mean - float(share_K @ value_K)

    def tilted(power: float) -> Shares:
        log_K = power * (value_K - value_K.min())
        weight_K = share_K * np.exp(log_K - log_K.max(where=share_K > 0, initial=-np.inf))
        return np.asarray(weight_K / weight_K.sum())

    def is_near(some_K: Shares) -> bool:
        reached = float((some_K - share_K) @ value_K)
        return abs(reached) <= abs(missing) and float(np.abs(some_K - share_K).sum()) <= 2 * MOST_MOVED

    low, high = 0.0, np.copysign(_MOST_POWER / max(1.0, float(np.ptp(value_K))), missing)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_near(tilted(middle)) else (low, middle)
    return tilted(low)
