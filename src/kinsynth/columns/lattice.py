"""Lattice: which ticks a column prefers (multiples of 1,000, prices ending in 99, Mondays, 1 January).

A residue class is a pair of modulus and remainder. Of days a modulus below zero counts months: -12 and 0 are
the first day of every January, -1 and 0 that of every month. The classes of a column stand in order: a tick
belongs to the first that holds it; the last one holds every tick of the column.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.calendar import first_days, months_of

Class = tuple[int, int]
IsFew = Callable[[NDArray[np.bool_]], bool]
NUMBER_CHAIN = tuple(factor * 10**power for power in range(12) for factor in (1, 5))
FEWEST_VALUES = 20
NEW_YEAR, NEW_MONTH = (-12, 0), (-1, 0)
_DAYS_OF_MONTH, _MONTHS = 365.2425 / 12, 12
_ENDINGS = (100, 10)
FAR_MORE = 2.5


def classify(tick_R: Rows, classes: tuple[Class, ...]) -> Rows:
    """Give the number of the first class that holds each tick; the last one where none does.

    >>> classify(np.array([3000, 1099, 17]), ((1000, 0), (100, 99), (1, 0)))
    array([0, 1, 2])
    """
    class_R = np.full(len(tick_R), len(classes) - 1)
    for number in reversed(range(len(classes) - 1)):
        class_R[is_held(tick_R, classes[number])] = number
    return class_R


def is_held(tick_R: Rows, one: Class) -> NDArray[np.bool_]:
    """Tell which ticks a class holds.

    >>> is_held(np.array([0, 31, 365]), NEW_YEAR)
    array([ True, False,  True])
    """
    modulus, remainder = one
    if modulus > 0:
        return np.asarray(tick_R % modulus == remainder)
    month_R = months_of(tick_R)
    return np.asarray((first_days(month_R) == tick_R) & (month_R % -modulus == remainder))


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


def calendar_classes(tick_D: Rows, rows_D: Rows) -> tuple[Class, ...]:
    """Take the first day of the year, or of every month, where far more rows hold it than chance.

    So days that stand for a year or a month alone come back as such, also where few rows hold each.
    """
    if len(tick_D) < FEWEST_VALUES:
        return ()
    year_D, month_D = is_held(tick_D, NEW_YEAR), is_held(tick_D, NEW_MONTH)
    total, years, months = int(rows_D.sum()), int(rows_D[year_D].sum()), int(rows_D[month_D].sum())
    if not _is_often(months, total, 1 / _DAYS_OF_MONTH, total):
        return ()
    if not _is_often(years, months, 1 / _MONTHS, total):
        return (NEW_MONTH,)
    others = _is_often(months - years, total - years, 1 / _DAYS_OF_MONTH, total)
    return (NEW_YEAR, NEW_MONTH) if others else (NEW_YEAR,)


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
    """Take each modulus that holds far more rows than chance, given the one before it."""
    if base[1] != 0:
        return []
    found: list[Class] = []
    last, total = base[0], int(rows_D.sum())
    pool = int(rows_D[tick_D != 0].sum())
    for modulus in chain:
        if modulus <= last or modulus % last:
            continue
        rows = int(rows_D[(tick_D % modulus == 0) & (tick_D != 0)].sum())
        if _is_often(rows, pool, last / modulus, total):
            found.append((modulus, 0))
            last, pool = modulus, rows
    return found


def _is_often(rows: int, pool: int, chance: float, total: int) -> bool:
    """Tell whether odds are more than 2.5 times those of chance, surely, and rows enough."""
    often = rows * (1 - chance) > FAR_MORE * (pool - rows) * chance
    return often and rows >= max(0.01 * total, 30) and rows > pool * chance + 5 * math.sqrt(pool * chance)


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
    """Count the ticks of a residue class between two bounds, both included.

    >>> count_members(np.array([1, 1]), np.array([800, 9]), np.array([-12, 4]), np.array([0, 0]))
    array([2, 2])
    """
    low_L, high_L, step_L = _steps(low_L, modulus_L), _last_steps(high_L, modulus_L), np.abs(modulus_L)
    return (high_L - remainder_L) // step_L + (remainder_L - low_L) // step_L + 1


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
    return nth_member(low_L, np.zeros_like(low_L), modulus_L, remainder_L)


def nth_member(low_L: Rows, number_L: Rows, modulus_L: Rows, remainder_L: Rows) -> Rows:
    """Give the tick of a residue class that is so many behind the first at or above a bound.

    >>> nth_member(np.array([1, 1]), np.array([1, 1]), np.array([-12, 4]), np.array([0, 0]))
    array([730,   8])
    """
    step_L, low_L = np.abs(modulus_L), _steps(low_L, modulus_L)
    tick_L: Rows = low_L + (remainder_L - low_L) % step_L + step_L * number_L
    months_L = modulus_L < 0
    tick_L[months_L] = first_days(tick_L[months_L])
    return tick_L


def _steps(low_L: Rows, modulus_L: Rows) -> Rows:
    """Give the first month that begins at or after a bound where months count, else the bound."""
    return np.where(modulus_L < 0, _last_steps(low_L - (modulus_L < 0), modulus_L) + (modulus_L < 0), low_L)


def _last_steps(high_L: Rows, modulus_L: Rows) -> Rows:
    """Give the last month that begins at or before a bound where months count, else the bound."""
    last_L, months_L = high_L.copy(), modulus_L < 0
    last_L[months_L] = months_of(high_L[months_L])
    return last_L


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
