"""Partition: which ticks become states, bins, places and leaves of a ``Line``, under value protection.

Shape letters: P pairs of value and root, D distinct ticks, F fine cells, L leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.lattice import (
    FEWEST_VALUES,
    NUMBER_CHAIN,
    Class,
    calendar_classes,
    classify,
    count_members,
    find_base,
    find_classes,
    is_held,
    round_ends,
    round_to,
    roundest,
    roundest_between,
    shared_mass,
    weekday_classes,
)
from kinsynth.columns.line import Line
from kinsynth.columns.scale import END
from kinsynth.errors import SettingsError
from kinsynth.privacy.protection import (
    OwnRoots,
    Roots,
    count_roots,
    extremes,
    group_until_safe,
    has_few_roots,
    number_of_roots,
)
from kinsynth.settings.privacy import Protection

MANY_VALUES = 256
FEW_VALUES = 32
MANY_SPIKES = 48
SPIKE_SHARE = 0.005
SPIKE_FACTOR = 10
ROWS_OF_BIN = 200
FEWEST_BINS, MOST_BINS = 16, 128
MOST_CELLS = 16
ROWS_OF_PLACE = 400
ROWS_OF_CELL = 12
ROWS_OF_TAIL = 20
TAIL_SHARE = 0.01
LISTED_SHARE = 0.6
CLASS_SHARE = 0.05
NEIGHBOURS = 21


@dataclass(frozen=True)
class Wishes:
    """What the settings ask of an ordered column, in ticks.

    Attributes:
        special: Ticks kept exactly.
        never: Ticks never generated.
        low: Lower bound, or None.
        high: Upper bound, or None.
        quantile: Share of values at each end that counts as outliers.
        clip: Whether outliers move to the bound; else they are learned as unknown.
        impute: Whether missing values are never generated.
        chain: Moduli of round values.
        endings: Whether other last digits than 0 may matter.
        weekdays: Whether ticks are days.
        coarse: Whether a few bins are enough: nothing is decoded.
        fine: Whether the place within a bin is told as finely as protection allows.
        cuts: Ticks after which a bin begins, as far as protection allows.
    """

    special: tuple[int, ...] = ()
    never: tuple[int, ...] = ()
    low: int | None = None
    high: int | None = None
    quantile: float = 0.0
    clip: bool = True
    impute: bool = False
    chain: tuple[int, ...] = NUMBER_CHAIN
    endings: bool = False
    weekdays: bool = False
    coarse: bool = False
    fine: bool = False
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Ticks with the roots and rows that hold them; missing values apart.

    Attributes:
        tick_P: Tick of each pair of value and root.
        root_P: Root of each pair.
        rows_P: Rows of each pair.
        missing: Whether any value is missing.
    """

    tick_P: Rows
    root_P: Roots
    rows_P: Rows
    missing: bool = False

    def where(self, kept_P: NDArray[np.bool_]) -> Counts:
        """Keep some of the pairs; nothing is copied where all are kept."""
        if kept_P.all():
            return self
        rows_P = self.rows_P[kept_P]
        root_P = OwnRoots(rows_P) if isinstance(self.root_P, OwnRoots) else self.root_P[kept_P]
        return Counts(self.tick_P[kept_P], root_P, rows_P, self.missing)


@dataclass(frozen=True)
class Distinct:
    """The distinct ticks of counts.

    Attributes:
        tick_D: Ticks, ascending.
        rows_D: Rows that hold each.
        roots_D: Roots that hold each.
        value_P: Position of each pair's tick among them.
        counts: What was counted.
    """

    tick_D: Rows
    rows_D: Rows
    roots_D: Rows
    value_P: Rows
    counts: Counts


@dataclass(frozen=True)
class Cells:
    """Fine cells of the ticks that are no spikes.

    Attributes:
        cell_D: Cell of each distinct tick.
        low_F: First tick of each cell.
        high_F: Last tick of each cell.
        state_F: Bin of each cell, from 0 without gaps.
        place_F: Place of each cell in its bin.
    """

    cell_D: Rows
    low_F: Rows
    high_F: Rows
    state_F: Rows
    place_F: Rows


@dataclass(frozen=True)
class Leaves:
    """Leaves as in ``Line``; ``cell`` stands for state and place, negative for the spike ``-1 - cell``."""

    cell: Rows
    kind: Rows
    low: Rows
    high: Rows
    mass: Rows

    @staticmethod
    def join(parts: list[Leaves]) -> Leaves:
        """Put leaves together."""
        names = ("cell", "kind", "low", "high", "mass")
        return Leaves(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def where(self, kept_L: NDArray[np.bool_]) -> Leaves:
        """Keep some leaves."""
        return Leaves(*(array[kept_L] for array in (self.cell, self.kind, self.low, self.high, self.mass)))


def build_line(counts: Counts, wishes: Wishes, protection: Protection) -> Line:
    """Choose states, bins and leaves.

    Guarantees:
        A single tick is a leaf only where at least ``rare_minimum`` roots hold it or the settings name
        it as special; every range holds at least as many roots. No leaf reaches beyond the bounds, and
        none holds a refused tick. A bound that the outlier share sets is nobody's own value where there
        is room beside it.

    Raises:
        SettingsError: The settings leave no value to generate.
    """
    minimum = protection.rare_minimum
    low, high = _bounds(counts, wishes, minimum)
    refused_P = np.isin(counts.tick_P, wishes.never)
    special_P = np.isin(counts.tick_P, wishes.special) & ~refused_P
    plain = _limited(counts.where(~special_P & ~refused_P), low, high, clip=wishes.clip)
    values = _distinct(_protected(plain, protection.extreme_minimum))
    spike_D = _spikes(values, minimum, listed=FEW_VALUES if wishes.coarse else MANY_VALUES)
    points = np.concatenate([values.tick_D[spike_D], _distinct(counts.where(special_P)).tick_D])
    masses = np.concatenate([values.rows_D[spike_D], _distinct(counts.where(special_P)).rows_D])
    rest = _distinct(values.counts.where(~spike_D[values.value_P]))
    base = _base(rest if len(rest.tick_D) >= FEWEST_VALUES else values, wishes, minimum)
    rest = _rounded(rest, base)
    classes = _classes(rest, int(values.rows_D.sum()), base, wishes)
    cells = _cells(rest, minimum, wishes)
    spikes = Leaves(-1 - np.arange(len(points)), classify(points, classes), points, points, masses)
    leaves = Leaves.join([spikes, *_cell_leaves(rest, cells, classes, minimum)])
    for tick in wishes.never:
        leaves = _split(leaves, tick, classes)
    if not len(leaves.cell) and refused_P.any() and wishes.impute:
        raise SettingsError(
            "treatment.nothing_left",
            "The listed values are all that could be generated; expected at least one other.",
            where="never",
            remedy="Remove a value from the list.",
        )
    missing = counts.missing and not wishes.impute
    return _line(leaves, cells, classes, missing=missing, wishes=wishes, bounds=(low, high))


def _bounds(counts: Counts, wishes: Wishes, minimum: int) -> tuple[int, int]:
    """Combine declared bounds with the outlier share of the values between them."""
    low = -END if wishes.low is None else min(max(wishes.low, -END), END)
    high = END if wishes.high is None else min(max(wishes.high, -END), END)
    plain = counts.where(~np.isin(counts.tick_P, wishes.special))
    plain = plain.where((plain.tick_P >= low) & (plain.tick_P <= high))
    if wishes.quantile > 0 and len(plain.tick_P):
        values = _distinct(plain)
        ends = np.cumsum(values.rows_D)
        at = np.searchsorted(ends, [wishes.quantile * ends[-1], (1 - wishes.quantile) * ends[-1]])
        first, last = int(at[0]), min(int(at[1]), len(ends) - 1)
        reach = int(values.tick_D[last] - values.tick_D[first]) // max(last - first, 1) + 1
        low = max(low, _outer_bound(values.tick_D, values.roots_D, first, reach, minimum))
        high = min(high, -_outer_bound(-values.tick_D[::-1], values.roots_D[::-1], -1 - last, reach, minimum))
    return low, high


def _outer_bound(tick_D: Rows, roots_D: Rows, at: int, reach: int, minimum: int) -> int:
    """Give a bound that cuts off what is below a value: the value itself only where enough roots hold it."""
    at %= len(tick_D)
    value = int(tick_D[at])
    if roots_D[at] >= minimum:
        return value
    below = int(tick_D[at - 1]) if at else value - reach - 1
    return roundest_between(max(below, value - reach - 1), value)


def _limited(counts: Counts, low: int, high: int, *, clip: bool) -> Counts:
    if clip:
        return Counts(np.clip(counts.tick_P, low, high), counts.root_P, counts.rows_P, counts.missing)
    return counts.where((counts.tick_P >= low) & (counts.tick_P <= high))


def _protected(counts: Counts, minimum: int) -> Counts:
    """Drop what lies beyond the extremes; with too few roots, everything."""
    if _roots(counts) < minimum:
        return counts.where(np.zeros(len(counts.tick_P), dtype=bool))
    low, high = extremes(counts.tick_P, counts.root_P, minimum=minimum)
    return counts.where((counts.tick_P >= low) & (counts.tick_P <= high))


def _roots(counts: Counts) -> int:
    return number_of_roots(counts.root_P)


def _distinct(counts: Counts) -> Distinct:
    if isinstance(counts.root_P, OwnRoots) and bool((counts.tick_P[1:] > counts.tick_P[:-1]).all()):
        places_P = np.arange(len(counts.tick_P))
        return Distinct(counts.tick_P, counts.rows_P, counts.root_P.rows_P, places_P, counts)
    tick_D, value_P = np.unique(counts.tick_P, return_inverse=True)
    rows_D = np.bincount(value_P, counts.rows_P, len(tick_D)).astype(np.int64)
    roots_D = count_roots(value_P, counts.root_P, codes=len(tick_D))
    return Distinct(tick_D, rows_D, roots_D, value_P, counts)


def _spikes(values: Distinct, minimum: int, *, listed: int) -> NDArray[np.bool_]:
    """Choose the ticks that become states of their own."""
    safe_D = values.roots_D >= minimum
    total = int(values.rows_D.sum())
    if safe_D.sum() <= listed and values.rows_D[safe_D].sum() >= LISTED_SHARE * total:
        return safe_D
    rows_D = values.rows_D.astype(np.float64)
    window = np.ones(min(NEIGHBOURS, len(rows_D)))
    around_D = np.convolve(rows_D, window, "same") - rows_D
    local_D = around_D / max(len(window) - 1, 1)
    floor_D = np.maximum(SPIKE_SHARE * total, SPIKE_FACTOR * local_D)
    often_D = safe_D & (rows_D > np.minimum(floor_D, 2 * total / MOST_BINS))
    ranked = np.argsort(-np.where(often_D, rows_D, 0), kind="stable")[:MANY_SPIKES]
    chosen_D = np.zeros(len(rows_D), dtype=bool)
    chosen_D[ranked] = often_D[ranked]
    return chosen_D


def _base(values: Distinct, wishes: Wishes, minimum: int) -> Class:
    """Find the lattice that all values but those of fewer than ``minimum`` roots lie on."""
    if wishes.weekdays:
        return (1, 0)

    def is_few(held_D: NDArray[np.bool_]) -> bool:
        if values.roots_D[held_D].max(initial=0) >= minimum:
            return False
        return has_few_roots(held_D[values.value_P], values.counts.root_P, minimum=minimum)

    return find_base(values.tick_D, values.rows_D, chain=wishes.chain, is_few=is_few)


def _rounded(values: Distinct, base: Class) -> Distinct:
    """Put all values on a lattice: precision is protected like values."""
    tick_D = round_to(values.tick_D, base)
    return (
        values
        if tick_D is values.tick_D
        else _distinct(replace(values.counts, tick_P=tick_D[values.value_P]))
    )


def _classes(rest: Distinct, total: int, base: Class, wishes: Wishes) -> tuple[Class, ...]:
    if rest.rows_D.sum() < CLASS_SHARE * total:
        return (base,)
    if wishes.weekdays:
        return _day_classes(rest.tick_D, rest.rows_D)
    return find_classes(rest.tick_D, rest.rows_D, base=base, chain=wishes.chain, endings=wishes.endings)


def _day_classes(tick_D: Rows, rows_D: Rows) -> tuple[Class, ...]:
    """Give first days of years and months, then days of the week, where they matter."""
    firsts = calendar_classes(tick_D, rows_D)
    other_D = classify(tick_D, (*firsts, (1, 0))) == len(firsts)
    return (*firsts, *weekday_classes(tick_D[other_D], rows_D[other_D]))


def _cells(rest: Distinct, minimum: int, wishes: Wishes) -> Cells:
    """Cut the ticks that are no spikes into bins, and bins into fine cells."""
    none = np.zeros(0, dtype=np.int64)
    if _roots(rest.counts) < minimum:
        return Cells(none, none, none, none, none)
    edges, pieces, places = _quantiles(int(rest.rows_D.sum()))
    if wishes.coarse:
        edges, pieces, places = np.linspace(0, 1, FEW_VALUES + 1), 1, 1
    places = pieces if wishes.fine else places
    edges = _moved(edges, rest, wishes.cuts)
    fine = np.interp(np.arange(len(edges) * pieces - pieces + 1) / pieces, np.arange(len(edges)), edges)
    middle_D = (np.cumsum(rest.rows_D) - rest.rows_D / 2) / rest.rows_D.sum()
    fine_D = np.searchsorted(fine[1:-1], middle_D, side="right")
    used, cell_D = np.unique(fine_D, return_inverse=True)
    merged_D = group_until_safe(cell_D, rest.value_P, rest.counts.root_P, minimum=minimum)
    first_F = np.flatnonzero(np.diff(merged_D, prepend=-1))
    piece_F = used[cell_D[first_F]]
    state_F = np.unique(piece_F // pieces, return_inverse=True)[1]
    place_F = piece_F % pieces * places // pieces
    low_F, high_F = _cell_ends(rest, first_F, minimum)
    return Cells(merged_D, low_F, high_F, state_F, place_F)


def _quantiles(rows: int) -> tuple[NDArray[np.float64], int, int]:
    """Give the quantiles between bins, with bins of halving mass in the tails, pieces and places of a bin."""
    bins = int(np.clip(rows / ROWS_OF_BIN, FEWEST_BINS, MOST_BINS))
    steps = max(int(np.log2(max(TAIL_SHARE * rows / ROWS_OF_TAIL, 1))), 0) + 1
    tail = TAIL_SHARE * 0.5 ** np.arange(steps)[::-1]
    inner = np.linspace(TAIL_SHARE, 1 - TAIL_SHARE, bins + 1)[1:-1]
    pieces = int(np.clip(rows / bins / ROWS_OF_CELL, 1, MOST_CELLS))
    places = int(np.clip(rows / bins / ROWS_OF_PLACE, 1, MOST_CELLS))
    return np.concatenate([[0.0], tail, inner, 1 - tail[::-1], [1.0]]), pieces, places


def _moved(edges: NDArray[np.float64], rest: Distinct, cuts: tuple[int, ...]) -> NDArray[np.float64]:
    """Move the nearest edge between two bins to each cut that leaves ticks on both sides."""
    edges = edges.copy()
    for cut in cuts:
        share = rest.rows_D[rest.tick_D <= cut].sum() / rest.rows_D.sum()
        if 0 < share < 1:
            edges[1 + np.abs(edges[1:-1] - share).argmin()] = share
    return np.sort(edges)


def _cell_ends(rest: Distinct, first_F: Rows, minimum: int) -> tuple[Rows, Rows]:
    """Give round first and last ticks of cells that are nobody's own value where there is room."""
    tick_D = rest.tick_D
    last_F = np.append(first_F[1:], len(tick_D)) - 1
    first, last = tick_D[first_F], tick_D[last_F]
    reach_F = np.minimum((last - first) // np.maximum(last_F - first_F, 1) + 1, END // 2)
    low_F, high_F = round_ends(first, last, reach_F)
    if len(tick_D) > 1 and rest.roots_D[0] < minimum:
        low_F[0] = -roundest(-tick_D[1:2], -first[:1])[0]
    if len(tick_D) > 1 and rest.roots_D[-1] < minimum:
        high_F[-1] = roundest(tick_D[-2:-1], last[-1:])[0]
    return low_F, np.maximum(high_F, low_F)


def _cell_leaves(rest: Distinct, cells: Cells, classes: tuple[Class, ...], minimum: int) -> list[Leaves]:
    """Give single ticks that enough roots hold, and ranges of each class for the other ticks.

    A bin that would be left without leaves gets one range of the base class.
    """
    if not len(cells.low_F):
        return []
    point_D = rest.roots_D >= minimum
    points = rest.tick_D[point_D]
    single = Leaves(cells.cell_D[point_D], classify(points, classes), points, points, rest.rows_D[point_D])
    loose_P = ~point_D[rest.value_P]
    loose, cell_P = rest.counts.where(loose_P), cells.cell_D[rest.value_P[loose_P]]
    kind_P = _kinds(loose, _blocks(cells)[cell_P], classes, minimum)
    leaves = [single]
    for kind in range(len(classes)):
        held_P = kind_P == kind
        leaves.append(_ranges(loose.where(held_P), cell_P[held_P], cells, kind, minimum))
    found = Leaves.join(leaves)
    found = found.where(_members(found, classes) > 0)
    bare_P = ~np.isin(_blocks(cells)[cell_P], _blocks(cells)[found.cell])
    return [found, _ranges(loose.where(bare_P), cell_P[bare_P], cells, len(classes) - 1, minimum)]


def _kinds(loose: Counts, block_P: Rows, classes: tuple[Class, ...], minimum: int) -> Rows:
    """Give the class of each tick; -1 where no class that holds it has enough roots in the block.

    A tick of a class with too few roots counts for the next class that holds it and has enough of its
    own: never for one that would only have such ticks, so that no tick off the lattice appears.
    """
    kind_P = classify(loose.tick_P, classes)
    width = len(classes)
    blocks = int(block_P.max(initial=0)) + 1
    roots = count_roots(block_P * width + kind_P, loose.root_P, codes=blocks * width)
    safe = (roots >= minimum).reshape(blocks, width)
    for kind in range(width):
        unsafe_P = (kind_P == kind) & ~safe[block_P, kind]
        for later in range(kind + 1, width):
            fits_P = unsafe_P & safe[block_P, later] & is_held(loose.tick_P, classes[later])
            kind_P[fits_P] = later
            unsafe_P &= ~fits_P
        kind_P[unsafe_P] = -1
    return kind_P


def _blocks(cells: Cells) -> Rows:
    """Number the codes of state and place, of each cell."""
    return cells.state_F * MOST_CELLS + cells.place_F


def _ranges(loose: Counts, cell_P: Rows, cells: Cells, kind: int, minimum: int) -> Leaves:
    """Give ranges of one class: neighbouring cells of one code, joined until enough roots hold them."""
    cell_G, at_P = np.unique(cell_P, return_inverse=True)
    block_G = _blocks(cells)[cell_G]
    group_G = group_until_safe(np.arange(len(cell_G)), at_P, loose.root_P, minimum=minimum, block_D=block_G)
    first = np.flatnonzero(np.diff(group_G, prepend=-1))
    last = np.append(first, len(cell_G))[1:] - 1
    roots = count_roots(group_G[at_P], loose.root_P, codes=len(first))
    mass = np.bincount(group_G[at_P], loose.rows_P, len(first)).astype(np.int64)
    low, high = cells.low_F[cell_G[first]], cells.high_F[cell_G[last]]
    return Leaves(cell_G[first], np.full(len(first), kind), low, high, mass).where(roots >= minimum)


def _members(leaves: Leaves, classes: tuple[Class, ...]) -> Rows:
    moduli, remainders = np.array(classes, dtype=np.int64).T
    members = count_members(leaves.low, leaves.high, moduli[leaves.kind], remainders[leaves.kind])
    return np.where(leaves.low == leaves.high, 1, members)


def _split(leaves: Leaves, tick: int, classes: tuple[Class, ...]) -> Leaves:
    """Cut a tick out of all leaves."""
    hit = (leaves.low <= tick) & (leaves.high >= tick)
    inner, before = leaves.where(hit), _members(leaves.where(hit), classes)
    ends = (
        (inner.low, np.full_like(inner.low, tick - 1)),
        (np.full_like(inner.low, tick + 1), inner.high),
    )
    halves = [Leaves(inner.cell, inner.kind, low, high, inner.mass) for low, high in ends]
    members_PL = np.array([np.where(one.low <= one.high, _members(one, classes), 0) for one in halves])
    mass_PL = shared_mass(inner.mass, members_PL, before)
    parts = [
        replace(half, mass=mass).where(members > 0)
        for half, mass, members in zip(halves, mass_PL, members_PL, strict=True)
    ]
    return Leaves.join([leaves.where(~hit), *parts])


def _line(
    leaves: Leaves,
    cells: Cells,
    classes: tuple[Class, ...],
    *,
    missing: bool,
    wishes: Wishes,
    bounds: tuple[int, int],
) -> Line:
    """Number the states along the line and sort the leaves."""
    spike_L = leaves.cell < 0
    bins = int(cells.state_F[-1]) + 1 if len(cells.state_F) else 0
    at_L = np.where(spike_L, 0, leaves.cell)
    state_L = np.where(spike_L, bins - 1 - leaves.cell, cells.state_F[at_L] if bins else 0)
    place_L = np.where(spike_L, 0, cells.place_F[at_L] if bins else 0)
    middle_L = (leaves.low / 2 + leaves.high / 2) * leaves.mass
    present, dense_L = np.unique(state_L, return_inverse=True)
    centre = np.bincount(dense_L, middle_L) / np.maximum(np.bincount(dense_L, leaves.mass), 1)
    rank = np.empty(len(present), dtype=np.int64)
    rank[np.argsort(centre, kind="stable")] = np.arange(len(present))
    number = np.full(bins + int(spike_L.sum()) + 1, -1)
    number[present] = rank
    usable_F = number[cells.state_F] >= 0
    state_L = rank[dense_L]
    order = np.lexsort((leaves.low, leaves.kind, place_L, state_L))
    return Line(
        classes=classes,
        class_token=wishes.weekdays and len(classes) > 1,
        places=int(cells.place_F.max(initial=0)) + 1,
        missing=missing,
        refused=np.array(sorted(wishes.never), dtype=np.int64),
        low=bounds[0],
        high=bounds[1],
        outside=not wishes.clip,
        cell_low_F=cells.low_F[usable_F],
        cell_state_F=number[cells.state_F[usable_F]],
        cell_place_F=cells.place_F[usable_F],
        state_L=state_L[order],
        place_L=place_L[order],
        class_L=leaves.kind[order],
        low_L=leaves.low[order],
        high_L=leaves.high[order],
        mass_L=leaves.mass[order],
    )
