"""Pointing: gives the rows of a table the rows of others that they point to. No torch.

The network drew a token for each row and key: none, itself, or the group of the row to point to. Here the row
of the group is chosen, for all rows at once.
Shape letters: R rows, T rows of the target, S rows that want one, A rows of the target that can be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import (
    AGREEING,
    FIRST_GROUP,
    ITSELF,
    NONE,
    ChildCount,
    CodeArray,
    EncodedTable,
    Ending,
    Path,
    Pointer,
    RowArray,
)
from kinsynth.engine.assignment import UNRESOLVED, Supply, Wanted, assign
from kinsynth.engine.labels import join_known, join_labels
from kinsynth.engine.sampled import draw_counts
from kinsynth.engine.store import Store
from kinsynth.system.randomness import uniforms

_LOST = -1
_TRIES = 4


@dataclass(frozen=True)
class Target:
    """The rows that may be pointed to.

    Attributes:
        group_T: Group of each.
        quota_T: How many rows are to point at each.
        level_T: Level of each, or None where levels do not matter.
        ids_T: What the randomness of each hangs on.
        alive: Numbers of those that are not to be taken out.
    """

    group_T: RowArray
    quota_T: RowArray
    level_T: RowArray | None
    ids_T: RowArray
    alive: RowArray

    def less(self, row_S: RowArray, *, once: bool) -> Target:
        """Give the target after some rows point at it: no second time where they may ``once``."""
        given_T = np.bincount(row_S[row_S >= 0], minlength=len(self.quota_T))
        alive = self.alive[given_T[self.alive] == 0] if once else self.alive
        return replace(self, quota_T=np.maximum(self.quota_T - given_T, 0), alive=alive)


def assign_keys(store: Store, keys: str, *, seed: int) -> None:
    """Assign the further keys of one table of keys, one after the other, and keep what they point to.

    Args:
        store: The rows drawn so far.
        keys: Name of the table of keys.
        seed: Source of all randomness.
    """
    table = store.owner(keys)
    for number, pointer in enumerate(store.layouts[keys].pointers):
        token_R = store.tables[keys].codes_RC[:, number].astype(np.int64)
        target = _describe(store, pointer, seed)
        row_R = _assign_key(store, table, pointer, target, token_R, seed=seed)
        unresolved_R = row_R == UNRESOLVED
        row_R[unresolved_R] = -1
        store.point(table, row_R, unresolved_R)


def _describe(store: Store, pointer: Pointer, seed: int) -> Target:
    table, ids_T = store.tables[pointer.target], store.all_row_ids(pointer.target)

    def count(name: str) -> RowArray:
        stream = f"{pointer.target}/{name}/count"
        return draw_counts(table.codes_RC, ids_T, _named(table.counts, name), seed=seed, stream=stream)

    return Target(
        find_groups(store, pointer),
        count(pointer.key),
        count(pointer.level) if pointer.level else None,
        ids_T,
        np.flatnonzero(~store.dead(pointer.target)),
    )


def _named(counts: tuple[ChildCount, ...], name: str) -> ChildCount:
    return next(count for count in counts if count.child == name)


def _assign_key(
    store: Store, table: str, pointer: Pointer, target: Target, token_R: RowArray, *, seed: int
) -> RowArray:
    """Give the row that each row points to, -1 for none, ``UNRESOLVED`` where it finds none, shape (R,)."""
    stream, ids_R = f"{table}/{pointer.key}", store.all_row_ids(table)
    if target.level_T is not None:
        uniform_R = uniforms(seed, f"{stream}/level", ids_R)[:, 0]
        token_R = keep_levels(token_R, target, uniform_R, nullable=pointer.nullable)
    token_R = _without_impossible(token_R, pointer, itself=pointer.target == table)
    token_R = np.where(store.dead(table), NONE, token_R)
    row_R = np.where(token_R == _LOST, UNRESOLVED, -1)
    own, agreeing = (np.flatnonzero(token_R == token) for token in (ITSELF, AGREEING))
    row_R[own] = own
    giving = _Giving(store, table, pointer, target, row_R)
    giving.take(own)
    if len(agreeing):
        giving.give(agreeing, np.zeros_like(agreeing), seed=seed, stream=f"{stream}/agree", agree=True)
        lost = agreeing[row_R[agreeing] == UNRESOLVED]
        uniform_L = uniforms(seed, f"{stream}/lost", ids_R[lost])[:, 0]
        token_R[lost] = FIRST_GROUP + _any_group(giving.target, uniform_L)
    some = np.flatnonzero(token_R >= FIRST_GROUP)
    giving.give(some, token_R[some] - FIRST_GROUP, seed=seed, stream=stream)
    return row_R


def _any_group(target: Target, uniform_S: NDArray[np.float64]) -> RowArray:
    """Draw groups as likely as rows are still to point at them, shape (S,)."""
    if not len(target.alive):
        return np.zeros(len(uniform_S), dtype=np.int64)
    open_A = np.maximum(target.quota_T[target.alive], 0) + 1e-9
    ends_A = np.cumsum(open_A)
    place_S = np.searchsorted(ends_A, uniform_S * ends_A[-1], side="right").clip(max=len(ends_A) - 1)
    group_S: RowArray = target.group_T[target.alive[place_S]]
    return group_S


def _without_impossible(token_R: RowArray, pointer: Pointer, *, itself: bool) -> RowArray:
    """Mark rows that want what the key cannot be: none where it must not be missing, itself elsewhere."""
    lost_R = np.zeros(len(token_R), dtype=np.bool_) if itself else token_R == ITSELF
    if not pointer.nullable:
        lost_R = lost_R | (token_R == NONE)
    return np.where(lost_R, _LOST, token_R)


class _Giving:
    """Gives the rows of a table, some after the other, the row of the target that they point to.

    Attributes:
        target: The rows that may still be pointed to, and how often.
        row_R: What each row points to so far; changed in place.
    """

    def __init__(self, store: Store, table: str, pointer: Pointer, target: Target, row_R: RowArray) -> None:
        self._store, self._table, self._pointer = store, table, pointer
        self.target, self.row_R = target, row_R
        self._ends = [
            (store.follow(table, own), store.follow(pointer.target, other)) for own, other in pointer.scopes
        ]

    def take(self, some: RowArray) -> None:
        """Count that rows point at what they were given."""
        self.target = self.target.less(self.row_R[some], once=() in self._pointer.apart)

    def give(self, some: RowArray, group_S: RowArray, *, seed: int, stream: str, agree: bool = False) -> None:
        """Give some rows a row of the target each, ``UNRESOLVED`` where there is none.

        What a row must share with the one it points to counts where both have it: rows that know the same
        of it are served together, those that know most first.

        Args:
            some: Numbers of the rows.
            group_S: Group that each wants.
            seed: Source of all randomness.
            stream: Name of the use.
            agree: Whether they want one that agrees with them; any group will do then.
        """
        self.row_R[some] = UNRESOLVED
        for known, place in _patterns([own_R[some] >= 0 for own_R, _ in self._ends], len(some)):
            rows, group_P, sides = some[place], group_S[place], self._sides(known)
            side_P = self._choose(sides, rows, seed=seed, stream=f"{stream}/side")
            for again in range(min(len(sides), 2)):
                for number, (both, given) in enumerate(sides):
                    left_P = (self.row_R[rows] == UNRESOLVED) & ((side_P <= number) | (again > 0))
                    whole = len(both) == len(self._ends) and not again
                    name = stream if whole else f"{stream}/{known}/{both}/{again}"
                    asked = rows[left_P], group_P[left_P]
                    self._give(*asked, both, given, seed=seed, stream=name, agree=agree)

    def _sides(self, known: tuple[int, ...]) -> list[tuple[tuple[int, ...], RowArray]]:
        """Give rows of the target by which of these ends they have, those that have most first."""
        alive = self.target.alive
        found = _patterns([self._ends[number][1][alive] >= 0 for number in known], len(alive))
        return [(tuple(known[number] for number in has), alive[place]) for has, place in found]

    def _choose(
        self, sides: list[tuple[tuple[int, ...], RowArray]], rows: RowArray, *, seed: int, stream: str
    ) -> RowArray:
        """Choose among parts of the target's rows, as likely as rows are still to point at them."""
        if len(sides) < 2:
            return np.zeros_like(rows)
        ends = np.cumsum([float(self.target.quota_T[given].sum()) + 1e-9 for _, given in sides])
        uniform_P = uniforms(seed, stream, self._store.all_row_ids(self._table)[rows])[:, 0]
        chosen_P: RowArray = np.searchsorted(ends[:-1], uniform_P * ends[-1], side="right")
        return chosen_P

    def _give(
        self,
        rows: RowArray,
        group_S: RowArray,
        both: tuple[int, ...],
        given: RowArray,
        *,
        seed: int,
        stream: str,
        agree: bool,
    ) -> None:
        """Give rows one of the given rows of the target, of which both sides know the same ends."""
        alive = self.target.alive
        given = alive[np.isin(alive, given)] if len(given) < len(alive) else alive
        if not len(rows) or not len(given):
            return
        target = replace(self.target, alive=given)
        ends = tuple(self._ends[number] for number in both)
        asked = _Asked(self._store, self._table, self._pointer, target, rows, ends, self.row_R, agree)
        self.row_R[rows] = asked.given(group_S, seed=seed, stream=stream)
        self.take(rows)


def _patterns(known: list[NDArray[np.bool_]], rows: int) -> list[tuple[tuple[int, ...], RowArray]]:
    """Give the rows by which of some flags they have, those with most of them first.

    >>> _patterns([np.array([True, False, True])], 3)
    [((0,), array([0, 2])), ((), array([1]))]
    """
    if not known:
        return [((), np.arange(rows))] if rows else []
    bits_R = np.zeros(rows, dtype=np.int64)
    for number, known_R in enumerate(known):
        bits_R |= known_R.astype(np.int64) << number
    found = [
        (tuple(number for number in range(len(known)) if bits >> number & 1), np.flatnonzero(bits_R == bits))
        for bits in np.unique(bits_R).tolist()
    ]
    return sorted(found, key=lambda pair: (-len(pair[0]), pair[0]))


@dataclass(frozen=True)
class _Asked:
    """Some rows of a table that each want a row of the target.

    Attributes:
        store: The rows drawn so far.
        table: Name of the table.
        pointer: Its further key.
        target: The rows that may be pointed to.
        some: Numbers of the rows that want one.
        ends: Numbers that a row and the row it points to must share, shapes (R,) and (T,).
        settled_R: What other rows of the table point to already, which these must be kept apart from.
        agree: Whether they want one that agrees with them; any group will do then.
    """

    store: Store
    table: str
    pointer: Pointer
    target: Target
    some: RowArray
    ends: tuple[tuple[RowArray, RowArray], ...]
    settled_R: RowArray
    agree: bool = False

    def given(self, group_S: RowArray, *, seed: int, stream: str) -> RowArray:
        """Give the row of the target for each row, ``UNRESOLVED`` where there is none, shape (S,)."""
        wanted, supply = self.wanted(group_S, self.store.all_row_ids(self.table)[self.some]), self.supply()
        for number in range(_TRIES):
            place_S = assign(wanted, supply, seed=seed, stream=f"{stream}/{number}" if number else stream)
            row_S = np.where(place_S >= 0, self.target.alive[place_S.clip(0)], place_S)
            if not (taken_S := self._taken(row_S)).any():
                break
            avoided_S = np.where(taken_S, place_S, -1)
            wanted = replace(wanted, avoid=(*wanted.avoid, avoided_S))
        return np.where(taken_S, UNRESOLVED, row_S)

    def _taken(self, row_S: RowArray) -> NDArray[np.bool_]:
        """Mark the rows that a settled row, which they must be kept apart from, points to as well."""
        taken_S = np.zeros(len(row_S), dtype=np.bool_)
        settled = np.flatnonzero(self.settled_R >= 0)
        for paths in self.pointer.apart if len(settled) else ():
            both = np.concatenate([self.some, settled])
            label = join_known([self.store.follow(self.table, path)[both] for path in paths], len(both))
            pair = join_labels([label, np.concatenate([row_S, self.settled_R[settled]]).clip(-1)])
            taken_S |= np.isin(pair[: len(row_S)], pair[len(row_S) :]) & (row_S >= 0)
        return taken_S

    def wanted(self, group_S: RowArray, ids_S: RowArray) -> Wanted:
        """Give what the rows want, and what they must keep to."""
        apart = tuple(self._agreement(paths) for paths in self.pointer.apart)
        return Wanted(group_S, ids_S, self._scopes[0], apart, tuple(self._avoided()))

    def supply(self) -> Supply:
        """Give what can be given."""
        target, given = self.target, self.target.alive
        group_A = np.zeros(len(given), dtype=np.int64) if self.agree else target.group_T[given]
        return Supply(group_A, target.quota_T[given], target.ids_T[given], self._scopes[1])

    def _reached(self, path: Path) -> RowArray:
        return self.store.follow(self.table, path)[self.some]

    @cached_property
    def _scopes(self) -> tuple[RowArray | None, RowArray | None]:
        """Labels that a row and the row it points to must share, shapes (S,) and (A,)."""
        target, given = self.target, self.target.alive
        columns = [np.concatenate([own_R[self.some], other_T[given]]) for own_R, other_T in self.ends]
        if self.agree and self.pointer.agreement is not None:
            own, other = self.pointer.agreement
            mine_S = find_ends(self.store, self.table, own)[self.some]
            theirs_A = find_ends(self.store, self.pointer.target, other)[given]
            columns.append(
                np.concatenate([mine_S, np.where(theirs_A < 0, theirs_A.max(initial=0) + 1, theirs_A)])
            )
        if target.level_T is not None:
            columns.append(np.concatenate([target.level_T[self.some] - 1, target.level_T[given]]))
        if not columns:
            return None, None
        label = join_labels(columns)
        return label[: len(self.some)], label[len(self.some) :]

    def _agreement(self, paths: tuple[Path, ...]) -> RowArray:
        """Give labels that rows share which must point to different rows, shape (S,).

        A row that has no row at the end of a path is like no other: a unique key does not hold where a part
        is missing.
        """
        return join_known([self._reached(path) for path in paths], len(self.some))

    def _avoided(self) -> Iterator[RowArray]:
        """Give the places of the rows that each row must not get, among those that can be given, shape (S,).

        A row that is to point at another one of its table must not get itself.
        """
        target = self.target
        place_T = np.full(len(target.ids_T) + 1, -1, dtype=np.int64)  # the last one stands for no row
        place_T[target.alive] = np.arange(len(target.alive))
        itself = self.pointer.target == self.table and target.level_T is None
        for path in sorted({*self.pointer.avoid, *([()] if itself else [])}):
            yield place_T[self._reached(path)]


def find_groups(store: Store, pointer: Pointer) -> RowArray:
    """Give the group of each row that a key may point to, shape (T,)."""
    target = pointer.target
    ends = {
        path: (store.tables[store.end_of(target, path)], store.follow(target, path))
        for path in dict.fromkeys(path for path, _ in pointer.asked or [((), 0)])
    }
    return read_groups(pointer, ends)


def read_groups(pointer: Pointer, ends: Mapping[Path, tuple[EncodedTable, RowArray]]) -> RowArray:
    """Give the group of each row that a key may point to, shape (T,).

    Args:
        pointer: The key.
        ends: For each path from the target that is asked about, or the empty one, the table at its end and
            the row there for each row of the target, -1 for none.
    """
    if not pointer.asked:
        return pointer.grouping.of(ends[()][0].codes_RC)
    return pointer.grouping.of(ask(pointer.asked, ends))


def ask(asked: Sequence[tuple[Path, int]], ends: Mapping[Path, tuple[EncodedTable, RowArray]]) -> CodeArray:
    """Put codes of rows that paths lead to beside each other, shape (T, asked); one beyond all for no row."""
    columns = []
    for path, number in asked:
        table, row_T = ends[path]
        columns.append(np.append(table.codes_RC[:, number], table.sub_columns[number].cardinality)[row_T])
    return np.stack(columns, axis=1).astype(np.int32)


def find_ends(store: Store, table: str, ending: Ending) -> RowArray:
    """Give what an ending leads to from each row, -1 for nothing, shape (R,)."""
    end = store.end_of(table, ending.path)
    return read_ending(ending, store.tables[end], store.follow(table, ending.path))


def read_ending(ending: Ending, end: EncodedTable, row_R: RowArray) -> RowArray:
    """Give the row at the end of each path, or what its codes stand for, -1 for nothing, shape (R,).

    Args:
        ending: Which sub-columns count, and what their codes stand for.
        end: The table at the end.
        row_R: Its row at the end of each path, -1 for none.
    """
    if not ending.sub_columns:
        return row_R
    known = np.flatnonzero(row_R >= 0)
    code_K = np.zeros(len(known), dtype=np.int64)
    for sub in ending.sub_columns:
        code_K = code_K * end.sub_columns[sub].cardinality + end.codes_RC[row_R[known], sub]
    label_R = np.full(len(row_R), -1, dtype=np.int64)
    label_R[known] = np.array(ending.labels, dtype=np.int64)[code_K]
    return label_R


def tell_tokens(
    pointer: Pointer, table: str, row_R: RowArray, group_T: RowArray, ends: tuple[RowArray, RowArray] | None
) -> RowArray:
    """Give the code that stands for the row that each row points to, shape (R,).

    Args:
        pointer: The key.
        table: Name of the table that it is a key of.
        row_R: Row of the target, -1 for none.
        group_T: Group of each row of the target.
        ends: What the rows and those of the target may agree on, -1 for nothing, shapes (R,) and (T,); None
            for a key without agreement.
    """
    token_R = np.where(row_R < 0, NONE, FIRST_GROUP + np.append(group_T, NONE)[row_R])
    if ends is not None:
        own_R, other_T = ends
        token_R[(row_R >= 0) & (own_R >= 0) & (own_R == np.append(other_T, -1)[row_R])] = AGREEING
    if pointer.target == table:
        itself_R = row_R == np.arange(len(row_R))
        token_R[itself_R | ((row_R < 0) & (not pointer.nullable))] = ITSELF
    return token_R


def keep_levels(
    token_R: RowArray, target: Target, uniform_R: NDArray[np.float64], *, nullable: bool
) -> RowArray:
    """Bring what rows of a table that points at itself want into line with their levels.

    A row of level 0 points at none, or, where the key must not be missing, at itself. One of another level
    that wants none wants the group of some row one level above, if there is one.

    Returns:
        The tokens, shape (R,); -1 where no row stands one level above.
    """
    level_T, alive = target.level_T, target.alive
    assert level_T is not None
    top_R = level_T == 0
    made_R = np.where(top_R & (token_R >= AGREEING), NONE if nullable else ITSELF, token_R)
    astray = np.flatnonzero(~top_R & (token_R < AGREEING))
    by_level = alive[np.argsort(level_T[alive], kind="stable")]
    sorted_levels = level_T[by_level]
    begin, end = (np.searchsorted(sorted_levels, level_T[astray] - 1, side) for side in ("left", "right"))
    chosen = begin + (uniform_R[astray] * (end - begin)).astype(np.int64)
    found = end > begin
    made_R[astray[found]] = FIRST_GROUP + target.group_T[by_level[chosen[found]]]
    made_R[astray[~found]] = _LOST
    return made_R
