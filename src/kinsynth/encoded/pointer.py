"""Pointers: how rows lead to rows of other tables.

A ``Path`` leads from a row to one row of another table, step by step: ``OWNER`` to its parent, k >= 0 to
the row its link k points to; the empty path stays at the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded.sub_column import CodeArray, RowArray

Path = tuple[int, ...]
OWNER = -1
NONE, ITSELF, AGREEING, FIRST_GROUP = 0, 1, 2, 3
_AT_ONCE = 1 << 16
_BITS = 64


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
        for start in range(0, len(codes_RC), _AT_ONCE):  # so few that all of a step stays in the cache
            part = slice(start, start + _AT_ONCE)
            group_R[part] = self._of(np.asarray(codes_RC[part]), tables)
        return group_R

    def kinds(self, codes_RC: CodeArray, told: Sequence[bool]) -> RowArray:
        """Tell rows apart by some sub-columns: rows of one kind may be in the same groups.

        Args:
            codes_RC: Codes of the rows.
            told: For each sub-column whether it is known.

        Returns:
            The groups that each row may be in, as the bits of a number, shape (R,).

        Raises:
            ValueError: There are more than 64 groups.
        """
        if self.groups > _BITS:
            raise ValueError(f"{self.groups} groups: at most {_BITS} are told apart")
        kind_R = np.zeros(len(codes_RC), dtype=np.uint64) | self._reached(0, codes_RC, told)
        return kind_R.view(np.int64)

    def _reached(self, node: int, codes_RC: CodeArray, told: Sequence[bool]) -> NDArray[np.uint64]:
        """Give the groups below a node that each row may be in, as bits."""
        sub = int(self.sub_column_N[node])
        if sub < 0:
            return np.array([1 << int(self.group_N[node])], dtype=np.uint64)
        left_R, right_R = (self._reached(below, codes_RC, told) for below in self.below_N2[node].tolist())
        if not told[sub]:
            return left_R | right_R
        return np.where(np.isin(codes_RC[:, sub], self.left[node]), left_R, right_R)

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
class Pointer:
    """How one sub-column of a table of keys leads to rows of another table: one further foreign key.

    Its codes are ``NONE`` (the key is missing), ``ITSELF`` (the row points at itself), ``AGREEING`` (a row
    that agrees with this one, see below) and ``FIRST_GROUP + g`` (a row of group g). The row itself is
    chosen under quotas: the target's ``counts`` say, under the name ``key``, how many rows point at each of
    its rows.

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
