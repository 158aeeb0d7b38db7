"""Successions: rows that never come before the row of their own table that they point to, such as replies.

Which row a self reference leads to is chosen before any moment is known. When all are, rows exchange what
they point to until each comes after it, about as long after as rows of the source do.
Shape letters: R rows of the table, N rows that point at one, D uniforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log1p
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.fill import Fill
from kinsynth.columns.numeric import OrderedCodec
from kinsynth.engine.labels import join_labels
from kinsynth.pipeline.anchors import Anchor, Reach
from kinsynth.rules.order import Order
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation
from kinsynth.system.randomness import uniforms

Rows = NDArray[np.int64]
Path = tuple[str, ...]
OUTSIDE = 3.0
"""A row of another kind is preferred where it is e**3 times nearer to the time wished for."""


@dataclass(frozen=True)
class Succession:
    """An order between the rows of a table and the rows of the same table that they point to.

    Attributes:
        key: Name of the self reference.
        anchor: The moment of the row pointed at, as a column beside the row's own.
        order: The order of the two moments.
        gap: Codec of the steps between them.
        gaps: Codes of such steps that enough persons share.
        same: Ways from the row pointed at to rows that it has, or often has, in common with the row.
        leader: Name of another self reference with such an order that often leads to the same row; a row
            whose two keys named one row names one afterwards. Empty for none.
    """

    key: str
    anchor: Anchor
    order: Order
    gap: OrderedCodec
    gaps: Fill
    same: tuple[Path, ...] = ()
    leader: str = ""

    @property
    def column(self) -> str:
        """Name of the moment."""
        return self.anchor.column

    def relation(self, relations: Iterable[Relation]) -> Relation:
        """Give the self reference, one of some relations."""
        return _named(self.key, relations)

    def settle(
        self,
        cells: pa.Array,
        pointed: Mapping[Relation, Rows],
        drawn: Mapping[Relation, Rows],
        kind_R: Rows,
        *,
        seed: int,
    ) -> Rows:
        """Let rows exchange what they point to until all are in order.

        Each row, the earliest first, gets the one that stands about as far before it as it wishes, among
        those that may be pointed at still; of the kind it was to have, if no other is nearer by far. What
        the row pointed at has in common with its row stays. Where none is left, an earlier row is pointed at
        once more than it was to be; where there is none, no row is. A row that pointed at what its leader
        points at does so still.

        Args:
            cells: The moments of all rows.
            pointed: What all rows of all tables point at, -1 for none; by the leader after its exchange.
            drawn: The same before any exchange.
            kind_R: What kind of row each is as one that is pointed at.
            seed: Source of the wishes.

        Returns:
            The row that each row points at, -1 for none, shape (R,).

        Guarantees:
            No row comes before the one it points at, none is its own ancestor, and none points at one if it
            pointed at none. But for those led, as many rows as possible keep to how often each row was to be
            pointed at.
        """
        tick_R, valid_R = self.order.measure.to_ticks(cells)
        row_R = _known(drawn[self.relation(drawn)], valid_R)
        first_R = _known(drawn[_named(self.leader or self.key, drawn)], valid_R)
        past = _Past(
            -tick_R if self.order.capped else tick_R, find_levels(first_R).level_R, self.order.strict
        )
        led_R = (row_R == first_R) & bool(self.leader)
        free_R = _choose(
            np.where(led_R, -1, row_R),
            past,
            self._wishes(np.arange(len(row_R)), seed),
            self._in_common(pointed, len(row_R)),
            kind_R,
        )
        return np.where(led_R, pointed[_named(self.leader, pointed)], free_R) if self.leader else free_R

    def _in_common(self, pointed: Mapping[Relation, Rows], rows: int) -> Rows:
        """Label rows by what they have in common with those that point at them, shape (R,)."""
        reach, every = Reach(), np.arange(rows)
        for relation, row_R in pointed.items():
            reach.tell_key(str(relation), 0, row_R, kept=True)
        return join_labels([np.zeros_like(every), *(reach.rows(path, every) for path in self.same)])

    def _wishes(self, row_R: Rows, seed: int) -> Rows:
        """Draw the ticks that each row wishes to stand apart."""
        uniform_RD = uniforms(seed, f"{self.key}/gaps", row_R, draws=self.gaps.draws + self.gap.draws)
        codes_RC = self.gaps.draw(uniform_RD[:, : self.gaps.draws])
        steps = self.gap.decode(codes_RC, uniform_RD[:, self.gaps.draws :])[0]
        step_R: Rows = steps.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        return step_R * self.order.step

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "key": self.key,
            "anchor": self.anchor.to_json(),
            "order": self.order.to_json(),
            "gap": self.gap.to_json(),
            "gaps": self.gaps.to_json(),
            "same": [list(path) for path in self.same],
            "leader": self.leader,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Succession:
        """Read what ``to_json`` gave."""
        return cls(
            document["key"],
            Anchor.from_json(document["anchor"]),
            Order.from_json(document["order"]),
            OrderedCodec.from_json(document["gap"]),
            Fill.from_json(document["gaps"]),
            tuple(tuple(path) for path in document["same"]),
            document["leader"],
        )


def _named(key: str, relations: Iterable[Relation]) -> Relation:
    return next(one for one in relations if str(one) == key)


def _known(row_R: Rows, valid_R: NDArray[np.bool_]) -> Rows:
    """Give what rows point at where both have a moment, else -1."""
    known_R: Rows = np.where((row_R >= 0) & valid_R & valid_R[row_R], row_R, -1)
    return known_R


class _Past:
    """In which order rows stand in time.

    Args:
        tick_R: Moment of each row, ticks, shape (R,).
        level_R: Which of two rows of one moment stands first, shape (R,).
        strict: Whether a row of the same moment is no earlier one.
    """

    def __init__(self, tick_R: Rows, level_R: Rows, strict: bool) -> None:
        order = np.lexsort((np.arange(len(tick_R)), level_R, tick_R))
        self.tick_R, self._strict, self._sorted = tick_R, strict, tick_R[order]
        self.place_R = np.empty_like(order)
        self.place_R[order] = np.arange(len(order))

    def end(self, row_N: Rows) -> Rows:
        """Count the rows that stand before each of some rows, shape (N,)."""
        if self._strict:
            return np.searchsorted(self._sorted, self.tick_R[row_N], "left")
        return self.place_R[row_N]

    def place_before(self, row_N: Rows, apart_N: Rows) -> Rows:
        """Count the rows that stand so many ticks before each of some rows, or more, shape (N,)."""
        return np.searchsorted(self._sorted, self.tick_R[row_N] - apart_N, "right")


def _choose(row_R: Rows, past: _Past, apart_R: Rows, cell_R: Rows, kind_R: Rows) -> Rows:
    """Choose for each row that points at one an earlier one of the same cell, shape (R,)."""
    row_N = np.flatnonzero(row_R >= 0)
    row_N = row_N[np.argsort(past.place_R[row_N])]
    before_N, end_N = past.place_before(row_N, apart_R[row_N]), past.end(row_N)
    target_N = row_R[row_N]
    kinds = np.unique(kind_R, return_inverse=True)[1]
    labels = join_labels([cell_R, kinds]), cell_R
    pools = [_Pool(label_R, past.place_R, np.unique(target_N)) for label_R in labels]
    spans = [zip(*pool.spans(target_N, before_N, end_N), strict=True) for pool in pools]
    left_R, found_R = np.bincount(target_N, minlength=len(row_R)).tolist(), np.full_like(row_R, -1)
    tick_R, apart = past.tick_R.tolist(), apart_R.tolist()
    for row, near, far in zip(row_N.tolist(), *spans, strict=True):
        wish, best, least = log1p(apart[row]), -1, np.inf
        for pool, span, cost in ((pools[0], near, 0.0), (pools[1], far, OUTSIDE)):
            for target in pool.beside(*span):
                costs = cost + abs(log1p(tick_R[row] - tick_R[target]) - wish)
                if costs < least:
                    best, least = target, costs
        found_R[row] = best
        if best >= 0:
            left_R[best] -= 1
            for pool in pools if not left_R[best] else ():
                pool.close(best)
    lost = found_R[row_N] < 0
    found_R[row_N[lost]] = _Pool(cell_R, past.place_R, np.arange(len(row_R))).last(
        target_N[lost], before_N[lost], end_N[lost]
    )
    return found_R


class _Pool:
    """Rows that may be pointed at, by label and time; the nearest open ones are found in a few steps.

    Args:
        label_R: Label of each row, shape (R,).
        place_R: Place of each row in time, shape (R,).
        target: The rows.
    """

    def __init__(self, label_R: Rows, place_R: Rows, target: Rows) -> None:
        self._label_R = np.unique(label_R, return_inverse=True)[1]
        key = self._label_R[target] * len(label_R) + place_R[target]
        order = np.argsort(key)
        self._key, self._target = key[order], target[order]
        self._rows = self._target.tolist()
        self._number = {row: number for number, row in enumerate(self._rows)}
        self._before = list(range(len(order) + 1))  # the end of the nearest open row before each place
        self._after = list(range(len(order) + 1))  # the nearest open row from each place on

    def spans(self, like_N: Rows, before_N: Rows, end_N: Rows) -> tuple[list[int], list[int], list[int]]:
        """Give the numbers of the rows of some labels: the first, the first from a place in time on, the end.

        Args:
            like_N: Rows of these labels, shape (N,).
            before_N: Places in time, shape (N,).
            end_N: Places that must not be reached, shape (N,).
        """
        first, place, end = self._find(like_N, before_N, end_N)
        return first.tolist(), place.tolist(), end.tolist()

    def _find(self, like_N: Rows, before_N: Rows, end_N: Rows) -> tuple[Rows, Rows, Rows]:
        base_N = self._label_R[like_N] * len(self._label_R)
        first, place, end = (np.searchsorted(self._key, base_N + one) for one in (0, before_N, end_N))
        return first, np.minimum(place, end), end

    def beside(self, first: int, place: int, end: int) -> Iterator[int]:
        """Give the nearest open rows before a place and from there on."""
        if (before := _follow(self._before, place)) > first:
            yield self._rows[before - 1]
        if (after := _follow(self._after, place)) < end:
            yield self._rows[after]

    def close(self, row: int) -> None:
        """Let a row be pointed at no more."""
        number = self._number[row]
        self._before[number + 1], self._after[number] = number, number + 1

    def last(self, like_N: Rows, before_N: Rows, end_N: Rows) -> Rows:
        """Give the last row before each place, or the first after it, whether it is open; -1 for none."""
        first, place, end = self._find(like_N, before_N, end_N)
        chosen = np.append(self._target, -1)[np.maximum(place - 1, first)]
        return np.where(end > first, chosen, -1)


def _follow(links: list[int], at: int) -> int:
    """Follow links to one that leads to itself, and shorten them on the way."""
    while links[at] != at:
        links[at] = links[links[at]]
        at = links[at]
    return at
