"""Encoded: the narrow waist between column people and model people.

Integers only: no names of columns, no values, no types. ``columns`` writes it, ``engine`` reads it and
draws new ones. Array names end in their shape letters: R rows, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
CodeArray = NDArray[np.integer[Any]]
RowArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
Path = tuple[int, ...]
OWNER = -1
ALWAYS = -1
AS_BEFORE, ANY = -1, -2
NONE, ITSELF, AGREEING, FIRST_GROUP = 0, 1, 2, 3
_CODE_TYPES: tuple[np.dtype[Any], ...] = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int32))
_CHECKED_ROWS = 1 << 16


def code_type(cardinalities: Iterable[int]) -> np.dtype[Any]:
    """Give the smallest integer type that holds all codes of a table.

    >>> code_type([3, 256]), code_type([3, 257]), code_type([70_000])
    (dtype('uint8'), dtype('uint16'), dtype('int32'))
    """
    largest = max(cardinalities, default=1) - 1
    return next(kind for kind in _CODE_TYPES if largest <= np.iinfo(kind).max)


def mark_alone(parent_R: RowArray, alone: int) -> RowArray:
    """Give the row of each row's owner, -1 for the last rows, which have none, shape (R,)."""
    if not alone:
        return parent_R
    return np.append(parent_R[:-alone], np.full(alone, -1, dtype=np.int64))


def _points_outside(parent_R: RowArray, owned: int, parents: int) -> bool:
    """Tell whether a parent number of rows with an owner is no row, or one of rows without is one."""
    return bool((parent_R[:owned][-1:] >= parents).any() or (parent_R[owned:][:1] < parents).any())


@dataclass(frozen=True)
class SubColumn:
    """One integer column of a table as the model sees it.

    Attributes:
        column: Number of the source column it belongs to. Sub-columns of one source column stand
            together and are drawn in this order: coarse before fine.
        cardinality: Number of codes K, at least 1; codes run from 0 to K - 1.
        position_K: Place of each code on a line, in [0, 1], for codes that have an order (numbers,
            dates); NaN for codes without a place (missing, categories). Shape (K,), or None when no
            code has one.
        forbidden_K: True for codes that must never be drawn, shape (K,), or None. At least one code
            stays allowed.
        shown: Whether other rows (children, later rows of a sequence) may look at it; what is not shown
            is seen by the same sub-column of the next row at most. What is drawn of a column that is
            computed afterwards is not shown: it need not be what is written.
        keys: Numbers of the keys it is part of: rows of one parent never agree on all sub-columns of a key.
        even_K: True for codes that are spread evenly over the rows: how many rows hold one follows the
            chances more closely than independent draws would. The others are so together, not each by
            itself. Shape (K,), or None when all draws are independent.
        several_K: True for codes that stand for several values: rows that agree on one need not agree on the
            value, so no key bars them. Shape (K,), or None when each stands for one.
    """

    column: int
    cardinality: int
    position_K: FloatArray | None = None
    forbidden_K: NDArray[np.bool_] | None = None
    shown: bool = True
    keys: tuple[int, ...] = ()
    even_K: NDArray[np.bool_] | None = None
    several_K: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.cardinality < 1 or self.column < 0:
            raise ValueError(f"cardinality={self.cardinality}, column={self.column}: expected >= 1 and >= 0")
        for name in ("position_K", "forbidden_K", "even_K", "several_K"):
            array = getattr(self, name)
            if array is not None and array.shape != (self.cardinality,):
                raise ValueError(f"{name} has shape {array.shape}, expected ({self.cardinality},)")
        if self.forbidden_K is not None and bool(self.forbidden_K.all()):
            raise ValueError("forbidden_K forbids every code")

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        position = self.position_K
        return {
            "column": self.column,
            "cardinality": self.cardinality,
            "position": None
            if position is None
            else [None if np.isnan(place) else float(place) for place in position],
            "forbidden": None if self.forbidden_K is None else np.flatnonzero(self.forbidden_K).tolist(),
            "shown": self.shown,
            "keys": list(self.keys),
            "even": None if self.even_K is None else np.flatnonzero(self.even_K).tolist(),
            "several": None if self.several_K is None else np.flatnonzero(self.several_K).tolist(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SubColumn:
        """Read what ``to_json`` gave."""
        position_K = None
        if document["position"] is not None:
            places = [np.nan if place is None else place for place in document["position"]]
            position_K = np.array(places, dtype=np.float32)
        return cls(
            document["column"],
            document["cardinality"],
            position_K,
            _marks(document["forbidden"], document["cardinality"]),
            document["shown"],
            tuple(document["keys"]),
            _marks(document["even"], document["cardinality"]),
            _marks(document["several"], document["cardinality"]),
        )


def _marks(places: list[int] | None, size: int) -> NDArray[np.bool_] | None:
    """Give an array that is True at the places; None for None."""
    return None if places is None else np.isin(np.arange(size), places)


@dataclass(frozen=True)
class ChildCount:
    """How one sub-column of a parent says how many child rows a row has.

    Attributes:
        child: Name of the child table.
        sub_column: Position of the sub-column in the parent's ``sub_columns``.
        low_K: Smallest count of each code, shape (K,).
        high_K: Largest count of each code, inclusive, shape (K,).
        mean: Child rows of a row on average, whatever the codes leave of it; None where it does not matter.
    """

    child: str
    sub_column: int
    low_K: RowArray
    high_K: RowArray
    mean: float | None = None

    def __post_init__(self) -> None:
        """Check the shapes and ranges."""
        if self.low_K.shape != self.high_K.shape or self.low_K.ndim != 1:
            raise ValueError(f"low_K {self.low_K.shape} and high_K {self.high_K.shape} differ")
        if (self.low_K < 0).any() or (self.high_K < self.low_K).any():
            raise ValueError("a range of counts is empty or negative")

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        ranges = {"low": self.low_K.tolist(), "high": self.high_K.tolist()}
        return {"child": self.child, "sub_column": self.sub_column, **ranges, "mean": self.mean}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ChildCount:
        """Read what ``to_json`` gave."""
        low_K, high_K = (np.array(document[name], dtype=np.int64) for name in ("low", "high"))
        return cls(document["child"], document["sub_column"], low_K, high_K, document["mean"])


@dataclass(frozen=True)
class Stay:
    """A column of a child table that stays the same over all rows of some parents.

    Attributes:
        sub_columns: Positions of its sub-columns, in order.
        again: For each the code of a row that repeats the row before: ``AS_BEFORE`` for that row's own code,
            ``ANY`` for one that may be any.
        said: Position of the parent's sub-column that says for which parents, or ``ALWAYS`` for all.
        same: Code by which all rows repeat the first.
        other: Code by which not all of several rows do, or -1 for none.
    """

    sub_columns: tuple[int, ...]
    again: tuple[int, ...]
    said: int = ALWAYS
    same: int = 0
    other: int = -1

    def __post_init__(self) -> None:
        """Check the shapes."""
        if not self.sub_columns or len(self.again) != len(self.sub_columns):
            raise ValueError(f"again {self.again}: expected one code for each of {self.sub_columns}")

    def repeats(self, codes_RC: NDArray[Any], before_RC: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which rows repeat the rows before them, shape (R,)."""
        repeats_R = np.ones(len(codes_RC), dtype=np.bool_)
        for column, again in zip(self.sub_columns, self.again, strict=True):
            if again != ANY:
                repeats_R &= codes_RC[:, column] == (before_RC[:, column] if again == AS_BEFORE else again)
        return repeats_R

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {
            "sub_columns": list(self.sub_columns),
            "again": list(self.again),
            "said": self.said,
            "same": self.same,
            "other": self.other,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Stay:
        """Read what ``to_json`` gave."""
        columns, again = tuple(document["sub_columns"]), tuple(document["again"])
        return cls(columns, again, document["said"], document["same"], document["other"])


@dataclass(frozen=True)
class Link:
    """The rows of another table that the rows of a table point to, and may look at.

    Attributes:
        target: Name of the table pointed to; it is drawn before.
        row_R: Its row for each row, -1 for none, shape (R,).
    """

    target: str
    row_R: RowArray


@dataclass(frozen=True)
class Grouping:
    """A tree that tells the rows of a table apart into groups by their codes; like groups have near numbers.

    Node 0 is the top. A row goes left where its code of the node's sub-column is among ``left``.

    Attributes:
        sub_column_N: Sub-column that each node asks, -1 for a leaf, shape (N,).
        left: Codes that go left, for each node; empty for a leaf.
        below_N2: Nodes to the left and right, -1 for a leaf, shape (N, 2).
        group_N: Group of each leaf, numbered from left to right; -1 for other nodes, shape (N,).
            Leaves beside each other may be one group.
    """

    sub_column_N: RowArray
    left: tuple[tuple[int, ...], ...]
    below_N2: RowArray
    group_N: RowArray

    @classmethod
    def whole(cls) -> Grouping:
        """Give the grouping with one group."""
        none = np.full(1, -1, dtype=np.int64)
        return cls(none, ((),), np.full((1, 2), -1, dtype=np.int64), np.zeros(1, dtype=np.int64))

    @property
    def groups(self) -> int:
        """Number of groups, at least 1."""
        return int(self.group_N.max()) + 1

    def joined(self, group_G: RowArray) -> Grouping:
        """Give the same tree with other groups: a new number for each, never decreasing, without gaps."""
        return replace(self, group_N=np.append(group_G, -1)[self.group_N])

    def of(self, codes_RC: CodeArray) -> RowArray:
        """Give the group of each row, shape (R,)."""
        group_R = np.empty(len(codes_RC), dtype=np.int64)
        tables = [np.isin(np.arange(max(codes, default=-1) + 2), codes) for codes in self.left]
        for start in range(0, len(codes_RC), _CHECKED_ROWS):  # so few that all of a step stays in the cache
            part = slice(start, start + _CHECKED_ROWS)
            group_R[part] = self._of(np.asarray(codes_RC[part]), tables)
        return group_R

    def _of(self, codes_RC: CodeArray, tables: list[NDArray[np.bool_]]) -> RowArray:
        waiting = [(0, np.arange(len(codes_RC)))]
        group_R = np.empty(len(codes_RC), dtype=np.int64)
        while waiting:
            node, here_R = waiting.pop()
            if self.sub_column_N[node] < 0:
                group_R[here_R] = self.group_N[node]
                continue
            table, code_R = tables[node], codes_RC[here_R, self.sub_column_N[node]]
            goes_left_R = table[np.minimum(code_R, len(table) - 1)]
            sides = (here_R[goes_left_R], here_R[~goes_left_R])
            waiting.extend(zip(self.below_N2[node].tolist(), sides, strict=True))
        return group_R

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {
            "sub_column": self.sub_column_N.tolist(),
            "left": [list(codes) for codes in self.left],
            "below": self.below_N2.tolist(),
            "group": self.group_N.tolist(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Grouping:
        """Read what ``to_json`` gave."""
        return cls(
            np.array(document["sub_column"], dtype=np.int64),
            tuple(tuple(codes) for codes in document["left"]),
            np.array(document["below"], dtype=np.int64).reshape(-1, 2),
            np.array(document["group"], dtype=np.int64),
        )


@dataclass(frozen=True)
class Ending:
    """What a path leads to: the row at its end, or what some codes of that row stand for.

    Attributes:
        path: The steps.
        sub_columns: One or two sub-columns of the row at the end; empty for the row itself.
        labels: What their codes stand for together, the last one counted fastest; -1 for nothing.
    """

    path: Path
    sub_columns: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {"path": list(self.path), "sub_columns": list(self.sub_columns), "labels": list(self.labels)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Ending:
        """Read what ``to_json`` gave."""
        return cls(*(tuple(document[name]) for name in ("path", "sub_columns", "labels")))


@dataclass(frozen=True)
class Together:
    """Two sub-columns of a row of which only some codes go together.

    Attributes:
        first: The sub-column that is drawn before.
        second: The other one.
        codes: For each code of the first those of the second that go with it; none for any.
    """

    first: int
    second: int
    codes: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {"first": self.first, "second": self.second, "codes": [list(some) for some in self.codes]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Together:
        """Read what ``to_json`` gave."""
        codes = tuple(tuple(some) for some in document["codes"])
        return cls(document["first"], document["second"], codes)


@dataclass(frozen=True)
class Pointer:
    """How one sub-column of a table of keys leads to rows of another table: one further foreign key.

    Its codes are ``NONE`` (the key is missing), ``ITSELF`` (the row points at itself), ``AGREEING`` (a row
    that agrees with this one, see below) and ``FIRST_GROUP + g`` (a row of group g). The row itself is
    chosen under quotas: the target's ``counts`` say, under
    the name ``key``, how many rows point at each of its rows.

    A ``Path`` leads from a row to one row of another table, step by step: ``OWNER`` to its parent, k >= 0 to
    the row its link k points to; the empty path stays at the row.

    Attributes:
        key: Name of the foreign key.
        target: Name of the table pointed to.
        grouping: Groups of the target's rows.
        asked: What the questions of the grouping are about: for each of its sub-columns a path from the
            target and the sub-column of the row at its end, where a code beyond all says that there is none.
            None at all: they are about the own sub-columns of the target.
        nullable: Whether a row may point at none.
        scopes: Pairs of paths, from the row and from the target, that must lead to the same row.
        level: Name under which the target's ``counts`` say its level, for a table that points at itself: the
            row pointed at stands one level above. Empty for none.
        apart: For each unique key that the foreign key is part of: paths from the row; rows that agree on
            all rows reached by them must not point at the same row. No path: no two rows at all may.
        avoid: Paths from the row: it must not point at the row reached by one of them.
        agreement: Endings from the row and from the target that are often the same, such as the town of a
            shop and of its customer; None where there are none.
    """

    key: str
    target: str
    grouping: Grouping
    nullable: bool
    scopes: tuple[tuple[Path, Path], ...] = ()
    level: str = ""
    apart: tuple[tuple[Path, ...], ...] = ()
    avoid: tuple[Path, ...] = ()
    agreement: tuple[Ending, Ending] | None = None
    asked: tuple[tuple[Path, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        return {
            "key": self.key,
            "target": self.target,
            "grouping": self.grouping.to_json(),
            "nullable": self.nullable,
            "scopes": [[list(path) for path in pair] for pair in self.scopes],
            "level": self.level,
            "apart": [[list(path) for path in paths] for paths in self.apart],
            "avoid": [list(path) for path in self.avoid],
            "agreement": None if self.agreement is None else [ending.to_json() for ending in self.agreement],
            "asked": [[list(path), sub_column] for path, sub_column in self.asked],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Pointer:
        """Read what ``to_json`` gave."""
        agreement = document["agreement"]
        return cls(
            document["key"],
            document["target"],
            Grouping.from_json(document["grouping"]),
            document["nullable"],
            tuple((tuple(first), tuple(second)) for first, second in document["scopes"]),
            document["level"],
            tuple(tuple(tuple(path) for path in paths) for paths in document["apart"]),
            tuple(tuple(path) for path in document["avoid"]),
            None if agreement is None else (Ending.from_json(agreement[0]), Ending.from_json(agreement[1])),
            tuple((tuple(path), sub_column) for path, sub_column in document["asked"]),
        )


@dataclass(frozen=True)
class EncodedTable:
    """The rows of one table as integers.

    A table of keys says which rows the rows of another table point to. Its row r belongs to row r of the
    other table, and it has the same parent. It is drawn before the other table, or, where its ``links``
    name the other table, after it.

    Attributes:
        codes_RC: Codes, shape (R, C); uint8, uint16 or int32, whichever holds them. It may be a mapped file.
        sub_columns: What each of the C sub-columns is.
        parent: Name of the parent table, or None for a root table.
        parent_R: Row number of each row's parent in the parent table, shape (R,), never decreasing:
            the rows of one parent stand together, in the order of their sequence. None for a root. Rows
            without owner stand last, each under a number of its own behind the rows of the parent table.
        counts: One entry for each child table.
        ordered: Whether the order of rows under one parent carries meaning (a sequence).
        links: Rows of tables drawn before that the rows point to and may look at.
        keys_of: For a table of keys the name of the other table; None for other tables.
        pointers: For a table of keys one for each sub-column.
        stays: Columns that stay the same over all rows of some parents.
        unlike: Pairs of endings of the row itself that are never the same, such as two references to one
            lookup; the latter's sub-columns stand behind the former's.
        together: Pairs of sub-columns of which only some codes go together.
        alone: Number of rows without owner.
    """

    codes_RC: CodeArray
    sub_columns: tuple[SubColumn, ...]
    parent: str | None = None
    parent_R: RowArray | None = None
    counts: tuple[ChildCount, ...] = ()
    ordered: bool = False
    links: tuple[Link, ...] = ()
    keys_of: str | None = None
    pointers: tuple[Pointer, ...] = ()
    stays: tuple[Stay, ...] = ()
    unlike: tuple[tuple[Ending, Ending], ...] = ()
    together: tuple[Together, ...] = ()
    alone: int = 0

    def __post_init__(self) -> None:
        """Check every promise above."""
        self._check_codes()
        self._check_parents()
        self._check_counts()
        self._check_links()
        self._check_together()

    def _check_codes(self) -> None:
        codes = self.codes_RC
        if codes.ndim != 2 or codes.dtype not in _CODE_TYPES or codes.shape[1] != len(self.sub_columns):
            raise ValueError(
                f"codes_RC {codes.shape} {codes.dtype}: expected (R, {len(self.sub_columns)}) integers"
            )
        numbers = [sub.column for sub in self.sub_columns]
        if numbers != sorted(numbers):
            raise ValueError("sub-columns of one column must stand together")
        shown = [sub.shown for sub in self.sub_columns]
        if shown != sorted(shown, reverse=True):
            raise ValueError("sub-columns that are not shown must stand last")
        if codes.size:
            limits = np.array([sub.cardinality for sub in self.sub_columns])
            for start in range(0, len(codes), _CHECKED_ROWS):
                some = codes[start : start + _CHECKED_ROWS]
                if (some.min(axis=0) < 0).any() or (some.max(axis=0) >= limits).any():
                    raise ValueError("a code lies outside its sub-column's cardinality")

    def _check_parents(self) -> None:
        if (self.parent is None) != (self.parent_R is None):
            raise ValueError("parent and parent_R come together")
        if not 0 <= self.alone <= (0 if self.parent is None else self.rows):
            raise ValueError(f"alone={self.alone}: expected as many rows without owner as can be")
        if self.parent_R is None:
            return
        if self.parent_R.shape != (self.rows,) or self.parent_R.dtype != np.int64:
            raise ValueError(f"parent_R {self.parent_R.shape}: expected ({self.rows},) int64")
        if self.rows and ((np.diff(self.parent_R) < 0).any() or self.parent_R[0] < 0):
            raise ValueError("parent_R must never decrease")
        if self.alone and (np.diff(self.parent_R[max(self.owned - 1, 0) :]) < 1).any():
            raise ValueError("rows without owner must have a parent number of their own each")

    def _check_counts(self) -> None:
        for count in self.counts:
            if not 0 <= count.sub_column < len(self.sub_columns):
                raise ValueError(f"count of {count.child}: no sub-column {count.sub_column}")
            if len(count.low_K) != self.sub_columns[count.sub_column].cardinality:
                raise ValueError(f"count of {count.child}: one range for each code expected")

    def _check_links(self) -> None:
        for link in self.links:
            if link.row_R.shape != (self.rows,) or link.row_R.dtype != np.int64:
                raise ValueError(f"link to {link.target}: {link.row_R.shape}, expected ({self.rows},) int64")
        if self.stays and self.parent is None:
            raise ValueError("only rows with a parent stay the same under it")
        if any(max(stay.sub_columns) >= len(self.sub_columns) for stay in self.stays):
            raise ValueError("a column that stays the same has no such sub-column")
        if len(self.pointers) != (0 if self.keys_of is None else len(self.sub_columns)):
            raise ValueError("a table of keys, and no other, has one pointer for each sub-column")
        for first, second in self.unlike:
            if not first.sub_columns or max(first.sub_columns) >= min(second.sub_columns, default=0):
                raise ValueError("of two endings that are unlike one must be drawn before the other")

    def _check_together(self) -> None:
        for pair in self.together:
            if not 0 <= pair.first < pair.second < len(self.sub_columns):
                raise ValueError("of two sub-columns one must be drawn before the other")
            if len(pair.codes) != self.sub_columns[pair.first].cardinality:
                raise ValueError("what goes together is said for each code of the first sub-column")

    @property
    def rows(self) -> int:
        """Number of rows R."""
        return len(self.codes_RC)

    @property
    def owned(self) -> int:
        """Number of rows that have an owner, for a table with a parent: the first ones."""
        return self.rows - self.alone

    @cached_property
    def owner_rows(self) -> RowArray:
        """Row of each row's owner, -1 for none, shape (R,); for a table with a parent."""
        if self.parent_R is None:
            raise ValueError("a root table has no owners")
        return mark_alone(self.parent_R, self.alone)

    def parts(self) -> EncodedParts:
        """Give the table as its own only part."""
        none = None if self.parent_R is None else self.parent_R[:0]
        links = tuple(replace(link, row_R=link.row_R[:0]) for link in self.links)
        head = replace(self, codes_RC=self.codes_RC[:0], parent_R=none, links=links, alone=0)
        chunks = partial(iter, [self.codes_RC])
        return EncodedParts(head, self.rows, self.parent_R, chunks, self.links, self.alone)


@dataclass(frozen=True)
class EncodedParts:
    """A table whose codes are made some rows at a time, so that they never need be in memory at once.

    Attributes:
        head: The table without rows.
        rows: Number of rows R.
        parent_R: As in ``EncodedTable``.
        chunks: Gives the codes of some rows after the other, each of shape (chunk, C), in the head's type.
        links: As in ``EncodedTable``.
        alone: As in ``EncodedTable``.
    """

    head: EncodedTable
    rows: int
    parent_R: RowArray | None
    chunks: Callable[[], Iterator[CodeArray]]
    links: tuple[Link, ...] = ()
    alone: int = 0

    def whole(self) -> EncodedTable:
        """Give the table in memory."""
        codes_RC = np.concatenate([self.head.codes_RC, *self.chunks()])
        return replace(
            self.head, codes_RC=codes_RC, parent_R=self.parent_R, links=self.links, alone=self.alone
        )


@dataclass(frozen=True)
class Encoded:
    """All modelled tables of a database.

    Attributes:
        tables: Table by name, in the order of generation: a parent before its children, what a row
            points to and looks at before the row.

    Guarantees:
        Every parent precedes its children, every ``parent_R`` points to an existing row but those of rows
        without owner, and every child table is named by exactly one count of its parent; a table of keys is
        counted with its table. Every link points to a table before, and to an existing row or none. Every
        pointer's target counts the rows that point at its rows.
    """

    tables: Mapping[str, EncodedTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the promises between tables."""
        seen: dict[str, EncodedTable] = {}
        for name, table in self.tables.items():
            if table.parent is not None:
                if table.parent not in seen:
                    raise ValueError(f"{name}: its parent {table.parent} must come before it")
                parent = seen[table.parent]
                if table.parent_R is not None and _points_outside(table.parent_R, table.owned, parent.rows):
                    raise ValueError(f"{name}: parent_R points outside {table.parent}")
                counted = table.keys_of or name
                if sum(count.child == counted for count in parent.counts) != 1:
                    raise ValueError(f"{name}: {table.parent} must count it exactly once")
            for link in table.links:
                if link.target not in seen:
                    raise ValueError(f"{name}: {link.target} must come before it")
                if (
                    len(link.row_R)
                    and not -1 <= link.row_R.min() <= link.row_R.max() < seen[link.target].rows
                ):
                    raise ValueError(f"{name}: a link points outside {link.target}")
            seen[name] = table
        for name, table in self.tables.items():
            self._check_keys(name, table)
            self._check_stays(name, table)

    def _check_stays(self, name: str, table: EncodedTable) -> None:
        says = 0 if table.parent is None else len(self.tables[table.parent].sub_columns)
        if any(stay.said >= says for stay in table.stays):
            raise ValueError(f"{name}: {table.parent} has no sub-column that says what stays the same")

    def _check_keys(self, name: str, table: EncodedTable) -> None:
        if table.keys_of is None:
            return
        other = self.tables.get(table.keys_of)
        same = (table.rows, table.parent, table.alone)
        if other is None or (other.rows, other.parent, other.alone) != same:
            raise ValueError(f"{name}: its rows must be those of {table.keys_of}")
        for pointer in table.pointers:
            counted = [count.child for count in self.tables[pointer.target].counts]
            if any(wanted not in counted for wanted in (pointer.key, pointer.level) if wanted):
                raise ValueError(f"{name}: {pointer.target} must count the rows of {pointer.key}")

    def root_rows(self, name: str) -> RowArray:
        """Give the row number of each row's root, shape (R,).

        Rows without owner, and all under them, have a root of their own behind the rows of the root table.
        """
        table = self.tables[name]
        if table.parent is None or table.parent_R is None:
            return np.arange(table.rows, dtype=np.int64)
        root_R = self.root_rows(table.parent)[table.parent_R[: table.owned]]
        first = self.root_count(table.parent)
        return np.append(root_R, np.arange(first, first + table.alone, dtype=np.int64))

    def root_count(self, name: str) -> int:
        """Count the roots of a table and of those it hangs under, rows without owner among them."""
        table = self.tables[name]
        return table.rows if table.parent is None else self.root_count(table.parent) + table.alone
