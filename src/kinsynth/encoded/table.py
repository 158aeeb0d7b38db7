"""Tables: rows as integers, and what they are tied to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from kinsynth.encoded.pointer import Ending, Link, Pointer
from kinsynth.encoded.sequence import ChildCount, Stay
from kinsynth.encoded.sub_column import CODE_TYPES, CodeArray, RowArray, SubColumn, Together

_CHECKED_ROWS = 1 << 16


def mark_alone(parent_R: RowArray, alone: int) -> RowArray:
    """Give the row of each row's owner, -1 for the last rows, which have none, shape (R,)."""
    if not alone:
        return parent_R
    return np.append(parent_R[:-alone], np.full(alone, -1, dtype=np.int64))


def _points_outside(parent_R: RowArray, owned: int, parents: int) -> bool:
    """Tell whether a parent number of rows with an owner is no row, or one of rows without is one."""
    return bool((parent_R[:owned][-1:] >= parents).any() or (parent_R[owned:][:1] < parents).any())


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
        if codes.ndim != 2 or codes.dtype not in CODE_TYPES or codes.shape[1] != len(self.sub_columns):
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
