"""Lattice: which ticks a column prefers (multiples of 1,000, prices ending in 99, Mondays).

A residue class is a pair of modulus and remainder. The classes of a column stand in order: a tick belongs
to the first that holds it; the last one holds every tick of the column.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows

Class = tuple[int, int]
IsFew = Callable[[NDArray[np.bool_]], bool]
NUMBER_CHAIN = tuple(factor * 10**power for power in range(12) for factor in (1, 5))
FEWEST_VALUES = 20
_ENDINGS = (100, 10)
FAR_MORE = 2.5


def classify(tick_R: Rows, classes: tuple[Class, ...]) -> Rows:
    """Give the number of the first class that holds each tick; the last one where none does.

    >>> classify(np.array([3000, 1099, 17]), ((1000, 0), (100, 99), (1, 0)))
    array([0, 1, 2])
    """
    class_R = np.full(len(tick_R), len(classes) - 1)
    for number in reversed(range(len(classes) - 1)):
        modulus, remainder = classes[number]
        class_R[tick_R % modulus == remainder] = number
    return class_R


def find_base(tick_D: Rows, rows_D: Rows, *, chain: tuple[int, ...], is_few: IsFew) -> Class:
    """Give the coarsest modulus of the chain that all ticks but few share, with its remainder.

    Args:
        tick_D: Distinct ticks, ascending.
        rows_D: Rows that hold each.
        chain: Moduli to try, each a divisor of the next.
        is_few: Tells whether so few roots hold some of the ticks that these do not count.
    """
    base: Class = (1, 0)
    if len(tick_D) < FEWEST_VALUES:
        return base
    for modulus in chain:
        rests, at_D = np.unique(tick_D % modulus, return_inverse=True)
        most = int(np.argmax(np.bincount(at_D, rows_D)))
        on_D = at_D == most
        if on_D.sum() < FEWEST_VALUES or is_few(on_D) or not is_few(~on_D):
            break
        base = modulus, int(rests[most])
    return base


def round_to(tick_D: Rows, base: Class) -> Rows:
    """Move ticks off a lattice to the nearest on it, but none beyond the outermost ticks that are on it.

    Where no tick is on it, all stay.

    >>> round_to(np.array([1000, 2630, 4000, 4500]), (1000, 0))
    array([1000, 3000, 4000, 4000])
    """
    modulus, remainder = base
    on_D = tick_D % modulus == remainder
    if on_D.all() or not on_D.any():
        return tick_D
    nearest_D = (tick_D - remainder + modulus // 2) // modulus * modulus + remainder
    return np.clip(nearest_D, tick_D[on_D].min(), tick_D[on_D].max())


def find_classes(
    tick_D: Rows, rows_D: Rows, *, base: Class, chain: tuple[int, ...], endings: bool
) -> tuple[Class, ...]:
    """Find the residue classes that a column prefers.

    Args:
        tick_D: Distinct ticks, ascending.
        rows_D: Rows that hold each.
        base: Modulus and remainder that all ticks share.
        chain: Moduli to try, each a divisor of the next.
        endings: Whether to look for last digits other than 0 as well.

    Returns:
        Classes in order, the base class last.
    """
    if len(tick_D) < FEWEST_VALUES:
        return (base,)
    round_classes = _round_classes(tick_D, rows_D, chain=chain, base=base)
    found = _ending_classes(tick_D, rows_D, round_classes) if endings and base[0] == 1 else []
    return (*sorted([*round_classes, *found], key=lambda one: (-one[0], one[1])), base)


def weekday_classes(tick_D: Rows, rows_D: Rows) -> tuple[Class, ...]:
    """Give one class for each day of the week where the days of the week differ, else one class.

    The days differ when a chi-squared test says so clearly and a day's share is off by over 1 %.
    """
    rows = int(rows_D.sum())
    if rows < 20 * 7 or len(tick_D) < FEWEST_VALUES:
        return ((1, 0),)
    share = np.bincount(tick_D % 7, rows_D, 7) / rows
    chi_squared = rows * float(((share - 1 / 7) ** 2).sum()) * 7
    if chi_squared < 60 or np.abs(share - 1 / 7).max() < 0.01:
        return ((1, 0),)
    return (*((7, day) for day in range(7) if share[day] > 0), (1, 0))


def _round_classes(tick_D: Rows, rows_D: Rows, *, chain: tuple[int, ...], base: Class) -> list[Class]:
    """Take each modulus that holds far more rows than chance, given the one before it.

    Far more means odds of more than 2.5 times those of chance.
    """
    if base[1] != 0:
        return []
    found: list[Class] = []
    last, total = base[0], int(rows_D.sum())
    pool = int(rows_D[tick_D != 0].sum())
    for modulus in chain:
        if modulus <= last or modulus % last:
            continue
        rows = int(rows_D[(tick_D % modulus == 0) & (tick_D != 0)].sum())
        chance = last / modulus
        often = rows * (1 - chance) > FAR_MORE * (pool - rows) * chance
        if often and rows >= max(0.01 * total, 30) and rows > pool * chance + 5 * math.sqrt(pool * chance):
            found.append((modulus, 0))
            last, pool = modulus, rows
    return found


def _ending_classes(tick_D: Rows, rows_D: Rows, found: list[Class]) -> list[Class]:
    """Take each remainder by 100 or 10 with far more rows than its fair share and than those beside it."""
    total = int(rows_D.sum())
    endings: list[Class] = []
    for modulus in _ENDINGS:
        share = np.bincount(tick_D % modulus, rows_D, modulus) / total
        for remainder in range(1, modulus):
            known = any(remainder % held == rest for held, rest in (*found, *endings) if held <= modulus)
            nearby = np.median(share[(remainder + np.array([-3, -2, -1, 1, 2, 3])) % modulus])
            often = share[remainder] > max(0.02, 4 / modulus, 4 * nearby)
            if not known and often and share[remainder] * total >= 30:
                endings.append((modulus, remainder))
    return endings


def count_members(low_L: Rows, high_L: Rows, modulus_L: Rows, remainder_L: Rows) -> Rows:
    """Count the ticks of a residue class between two bounds, both included."""
    return (high_L - remainder_L) // modulus_L + (remainder_L - low_L) // modulus_L + 1


def shared_mass(mass_L: Rows, members_PL: Rows, whole_L: Rows) -> Rows:
    """Share the mass of leaves out to their parts by numbers of members, shape (P, L); at least 1 each.

    Guarantees:
        The parts add up to the rounded share of all their members, so that rounding loses nothing.

    >>> shared_mass(np.array([49]), np.array([[24], [24]]), np.array([49]))
    array([[24],
           [24]])
    """
    ends_PL = np.cumsum(members_PL.astype(float), axis=0) * mass_L / whole_L
    parts_PL = np.diff(np.rint(ends_PL).astype(np.int64), axis=0, prepend=0)
    shares_PL: Rows = np.maximum(parts_PL, 1)
    return shares_PL


def first_member(low_L: Rows, modulus_L: Rows, remainder_L: Rows) -> Rows:
    """Give the first tick of a residue class at or above a bound."""
    return low_L + (remainder_L - low_L) % modulus_L


def roundest(low_F: Rows, high_F: Rows) -> Rows:
    """Give the roundest number strictly between two ticks, or the upper one where nothing is between.

    >>> roundest(np.array([1234, 7]), np.array([1310, 8]))
    array([1300,    8])
    """
    result, open_F = high_F.copy(), high_F - low_F > 1
    for power in range(18, -1, -1):
        step = 10**power
        candidate = (high_F - 1) // step * step
        fits = open_F & (candidate > low_F)
        result[fits] = candidate[fits]
        open_F = open_F & ~fits
    return result


def round_ends(first_F: Rows, last_F: Rows, reach_F: Rows) -> tuple[Rows, Rows]:
    """Give round ends of ranges, just outside the ticks they hold.

    Args:
        first_F: First tick that each range holds, ascending.
        last_F: Last tick that each range holds.
        reach_F: How far a range may reach beyond its ticks.

    Returns:
        First and last tick of each range. Ranges keep apart; an end is the outermost tick itself only where
        there is no room for another between two ranges, or where it is the first or last of all.

    >>> round_ends(np.array([3, 13]), np.array([9, 40]), np.array([4, 4]))
    (array([ 3, 11]), array([10, 40]))
    """
    low_F = roundest(np.maximum(np.append(first_F[:1], last_F[:-1]), first_F - reach_F - 1), first_F)
    after_F = np.append(low_F[1:], last_F[-1:])
    high_F = -roundest(-np.minimum(after_F, last_F + reach_F + 1), -last_F)
    tight = np.flatnonzero((low_F[1:] == last_F[:-1] + 1) & (first_F[1:] > last_F[:-1] + 2))
    low_F[tight + 1] += 1
    high_F[tight] += 1
    return low_F, high_F


def roundest_between(low: int, high: int) -> int:
    """Give what ``roundest`` gives, for two ticks: quicker for a few.

    >>> roundest_between(1234, 1310)
    1300
    """
    if high - low <= 1:
        return high
    step = int(10 ** len(str(max(abs(low), abs(high)))))
    while (found := (high - 1) // step * step) <= low:
        step //= 10
    return found
