"""Evenly: codes of many rows, drawn so that how many rows hold a code is hardly left to chance.

Each row keeps its own chances, and which rows get a code is left to chance.
Shape letters: B rows, K codes, W windows, L rows of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray
from kinsynth.system.randomness import uniforms

WINDOW = 256
RUN = 32
_GOLDEN = (5**0.5 - 1) / 2
_HALF = 0.5
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def even_uniforms(seed: int, stream: str, number_B: RowArray) -> Numbers:
    """Give uniform numbers in [0, 1) for rows; those of consecutive rows are spread evenly, shape (B,).

    Rows stand in windows of ``WINDOW`` consecutive numbers. The rows of a window have one number in each of
    as many equal parts of [0, 1), and so has every run of 32, 64, 128 of them, in fewer parts: tables of
    few rows are spread as well. Within a run of 32 chance decides the order. Within a part the windows step
    on by the golden section, so that they, too, fill it evenly.
    Sources: Weyl, "Über die Gleichverteilung von Zahlen mod. Eins", 1916; Owen, "Randomly permuted
    (t,m,s)-nets and (t,s)-sequences", 1995.

    Args:
        seed: Any integer.
        stream: Name of the use.
        number_B: Number of each row.

    Guarantees:
        A number depends on its seed, stream and row number alone.

    >>> drawn = even_uniforms(1, "a", np.arange(2 * WINDOW))
    >>> bool(((drawn < 0.25).sum() == 128) and (np.bincount((drawn[:256] * 256).astype(int)) == 1).all())
    True
    >>> np.bincount((drawn[32:64] * 32).astype(int)).tolist() == [1] * 32
    True
    """
    window_W, place_B = np.unique(number_B // WINDOW, return_inverse=True)
    part_B = _parts(seed, stream, window_W)[place_B, number_B % WINDOW]
    shift_L = uniforms(seed, f"{stream}.shift", np.arange(WINDOW))[:, 0]
    within_B = (shift_L[part_B] + window_W[place_B] * _GOLDEN) % 1.0
    return np.minimum((part_B + within_B) / WINDOW, np.nextafter(1.0, 0.0))


def _parts(seed: int, stream: str, window_W: RowArray) -> NDArray[np.int64]:
    """Give the part of [0, 1) of each row of some windows, shape (W, L): each part once.

    A row goes to the lower or the upper half by its last binary digit, to a half of that half by the next,
    and so on; at each halving chance decides which digit means lower.
    """
    number_WL = window_W[:, None] * WINDOW + np.arange(WINDOW)
    chance_WL2 = uniforms(seed, f"{stream}.order", number_WL.ravel(), draws=2).reshape(*number_WL.shape, 2)
    runs_WL = (
        chance_WL2[:, :, 0]
        .reshape(len(window_W), WINDOW // RUN, RUN)
        .argsort(axis=2)
        .reshape(number_WL.shape)
    )
    place_WL = np.arange(WINDOW) // RUN * RUN + runs_WL
    swapped_WL, part_WL = chance_WL2[:, :, 1] < _HALF, np.zeros_like(place_WL)
    for level in range(WINDOW.bit_length() - 1):
        swaps_WL = np.take_along_axis(swapped_WL, (1 << level) + part_WL, axis=1)
        part_WL = 2 * part_WL + ((place_WL >> level & 1) ^ swaps_WL)
    return part_WL


def draw_evenly(
    chance_BK: Numbers,
    even_K: Flags,
    uniform_B2: Numbers,
    start_K: Numbers,
    *,
    before: Sequence[RowArray] = (),
) -> RowArray:
    """Draw a code for each row; about as many rows hold an even code as its chances add up to, shape (B,).

    Args:
        chance_BK: Chance of each code, shape (B, K).
        even_K: True for codes that are spread evenly. The others are so together, as if they were one, and
            a row draws one of them by itself. Shape (K,).
        uniform_B2: Uniform numbers of each row: for its place among the rows, and for the others.
        start_K: Uniform numbers of the rows together, shape (K,). Changed in place to those with which rows
            that are drawn later go on: over all of them, too, as many hold a code.
        before: Codes that the rows have in other columns, each of shape (B,), those that matter most last.
            Rows with the same ones stand together, so that about as many of them hold an even code as
            their own chances add up to (implicit stratification: Madow, Madow, "On the theory of systematic
            sampling, I", 1944).

    Guarantees:
        A row gets each code with just its chance; none with chance zero.
    """
    order_B = np.lexsort((uniform_B2[:, 0], *before))
    return _draw(chance_BK, even_K, lambda some_BK: _halve(some_BK, order_B, start_K), uniform_B2[:, 1])


def invert_evenly(chance_K: Numbers, even_K: Flags, even_B: Numbers, alone_B: Numbers) -> RowArray:
    """Draw a code for each of some rows with the same chances, by numbers that are spread evenly, shape (B,).

    Args:
        chance_K: Chance of each code.
        even_K: As in ``draw_evenly``.
        even_B: Uniform numbers, spread evenly over these and other rows.
        alone_B: Uniform numbers of each row, for the codes that are not spread evenly.
    """
    return _draw(chance_K[None], even_K, lambda some_BK: invert(some_BK, even_B), alone_B)


def _draw(
    chance_BK: Numbers, even_K: Flags, draw: Callable[[Numbers], RowArray], alone_B: Numbers
) -> RowArray:
    """Draw even codes, and the others as if they were one, in one way; and which one of those by chance."""
    even, other = np.flatnonzero(even_K), np.flatnonzero(~even_K)
    other_BK = chance_BK.take(other, axis=1)
    together_BK = np.append(chance_BK.take(even, axis=1), other_BK.sum(axis=1, keepdims=True), axis=1)
    code_B = np.append(even, -1)[draw(together_BK)]
    alone = np.flatnonzero(code_B < 0)
    if len(alone):
        own_BK = other_BK if len(other_BK) == 1 else other_BK[alone]
        code_B[alone] = other[invert(own_BK, alone_B[alone])]
    return code_B


def _halve(chance_BK: Numbers, order_B: RowArray, start_K: Numbers) -> RowArray:
    """Draw codes by halving them again and again, shape (B,).

    Of the rows that have come to some codes, the chances of the lower half are added up in order, and a row
    goes there whenever the sum passes a whole number (systematic sampling: Madow, "On the theory of
    systematic sampling II", 1949): as many rows as the sum says, each with just its own chance. Halves are
    told apart by the first code of the upper one.
    """
    rows, codes = np.arange(len(chance_BK)), chance_BK.shape[1]
    end_BK = np.zeros((len(rows), codes + 1))
    np.cumsum(chance_BK, axis=1, out=end_BK[:, 1:])
    low_B, high_B = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), codes)
    for _ in range((codes - 1).bit_length()):
        middle_B = (low_B + high_B) // 2  # of one code itself, with chance zero below
        below_B = end_BK[rows, middle_B] - end_BK[rows, low_B]
        below_B /= end_BK[rows, high_B] - end_BK[rows, low_B]
        order_B = order_B[np.argsort(low_B[order_B], kind="stable")]
        lower_B = _pass_whole(below_B, middle_B, order_B, start_K)
        high_B, low_B = np.where(lower_B, middle_B, high_B), np.where(lower_B, low_B, middle_B)
    return low_B


def _pass_whole(chance_B: Numbers, half_B: RowArray, order_B: RowArray, start_K: Numbers) -> Flags:
    """Tell where the sum of chances of a half passes a whole number, shape (B,).

    Args:
        chance_B: Chance of each row.
        half_B: Number of the halves that each row stands before.
        order_B: The rows, those before the same halves together.
        start_K: Where the sums start, below 1, by that number; changed to where they end.
    """
    chance, half = chance_B[order_B], half_B[order_B]
    sum_ = np.append(0.0, chance.cumsum())
    first = np.flatnonzero(np.diff(half, prepend=-1))
    last = np.append(first[1:], len(half))
    start = np.repeat(start_K[half[first]] - sum_[first], last - first)
    passes = np.floor(sum_[1:] + start) > np.floor(sum_[:-1] + start)
    start_K[half[first]] = (start_K[half[first]] + sum_[last] - sum_[first]) % 1.0
    passes_B = np.empty(len(order_B), dtype=np.bool_)
    passes_B[order_B] = (passes & (chance > 0)) | (chance >= 1)  # whatever the rounding of the sums
    return passes_B


def invert(chance_BK: Numbers, uniform_B: Numbers) -> RowArray:
    """Draw a code for each row by itself, by inverting the distribution function, shape (B,).

    >>> invert(np.array([[0.5, 0.5, 0.0]] * 3), np.array([0.0, 0.6, 1.0])).tolist()
    [0, 1, 1]
    """
    end_BK = chance_BK.cumsum(axis=1)
    wanted_B = np.minimum(uniform_B * end_BK[:, -1], np.nextafter(end_BK[:, -1], 0.0))
    return np.asarray((end_BK <= wanted_B[:, None]).sum(axis=1))
