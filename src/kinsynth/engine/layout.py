"""TableLayout: what the network of one table must know of the tables, without a row of them. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kinsynth.encoded import OWNER, ChildCount, Encoded, Ending, Path, Pointer, Stay, SubColumn, Together

LONGEST_PATH = 3
MOST_REACHED = 12


@dataclass(frozen=True)
class Relative:
    """A table the model may look at when it draws a row.

    Attributes:
        name: Name of the table.
        sub_columns: Its sub-columns that are shown: its first ones.
        anchor: For a sibling: position in ``ancestors`` of the deepest ancestor both hang under.
            For an ancestor: its own position.
        optional: For an ancestor: whether some rows have none, because they, or what they hang under, have
            no owner.
    """

    name: str
    sub_columns: tuple[SubColumn, ...]
    anchor: int
    optional: bool = False


@dataclass(frozen=True)
class Alone:
    """How many rows of a table have no owner.

    Attributes:
        rows: Number of them that were learned from.
        roots: Rows of the root table that were.
    """

    rows: int
    roots: int

    def up_to(self, roots: int) -> int:
        """Give how many rows without owner go with the first roots.

        >>> [Alone(rows=1, roots=2).up_to(roots) for roots in range(5)]
        [0, 1, 1, 2, 2]
        """
        return (2 * self.rows * roots + self.roots) // (2 * self.roots) if self.roots else 0


@dataclass(frozen=True)
class Reached:
    """One row of another table, or none, that each row reaches by links.

    Attributes:
        name: Name of the other table.
        sub_columns: Its sub-columns that are shown: its first ones.
        path: Steps from the row, as ``encoded.Pointer`` says; at least one is a link.
    """

    name: str
    sub_columns: tuple[SubColumn, ...]
    path: Path


@dataclass(frozen=True)
class TableLayout:
    """A table, its sub-columns and what its rows may know.

    Attributes:
        name: Name of the table.
        sub_columns: Sub-columns, in the order they are drawn.
        counts: How sub-columns say the numbers of child rows.
        parent: Name of the parent, or None for a root table.
        ordered: Whether the order of rows under one parent carries meaning.
        ancestors: Parent, its parent, and so on up to the root.
        siblings: Tables generated earlier that hang under an ancestor and are none themselves.
        links: Name of the table that each link points to.
        reached: What the row, and its ancestors, point to, and what that points to and is owned by: the
            ``MOST_REACHED`` nearest, by paths of up to ``LONGEST_PATH`` steps, shorter paths first.
        keys_of: For a table of keys the name of the other table; None for other tables.
        pointers: For a table of keys one for each sub-column.
        stays: Columns that stay the same over all rows of some parents.
        unlike: Pairs of endings of the row itself that are never the same.
        together: Pairs of sub-columns of which only some codes go together.
        alone: How many rows have no owner; None where each has one.
    """

    name: str
    sub_columns: tuple[SubColumn, ...]
    counts: tuple[ChildCount, ...]
    parent: str | None
    ordered: bool
    ancestors: tuple[Relative, ...]
    siblings: tuple[Relative, ...]
    links: tuple[str, ...] = ()
    reached: tuple[Reached, ...] = ()
    keys_of: str | None = None
    pointers: tuple[Pointer, ...] = ()
    stays: tuple[Stay, ...] = ()
    unlike: tuple[tuple[Ending, Ending], ...] = ()
    together: tuple[Together, ...] = ()
    alone: Alone | None = None

    @property
    def reached_by_row(self) -> tuple[Reached, ...]:
        """What each row reaches by a link of its own."""
        return tuple(reached for reached in self.reached if reached.path[0] != OWNER)

    @property
    def reached_by_parent(self) -> tuple[Reached, ...]:
        """What all rows of one parent reach by way of it."""
        return tuple(reached for reached in self.reached if reached.path[0] == OWNER)

    @property
    def root(self) -> str:
        """Name of the root table that it hangs under, its own for a root table."""
        return self.ancestors[-1].name if self.ancestors else self.name

    @property
    def level(self) -> int:
        """Number of ancestors, 0 for a root table."""
        return len(self.ancestors)

    @property
    def shown(self) -> int:
        """Number of sub-columns, from the first, that other rows may look at."""
        return len(shown_columns(self.sub_columns))


def find_levels(layouts: Mapping[str, TableLayout], root: str) -> tuple[int, ...]:
    """Give the levels under a root table at which tables have rows without owner, upper ones first."""
    found = {each.level for each in layouts.values() if each.alone is not None and each.root == root}
    return tuple(sorted(found))


def shown_columns(sub_columns: tuple[SubColumn, ...]) -> tuple[SubColumn, ...]:
    """Give the sub-columns that other rows may look at."""
    return tuple(sub for sub in sub_columns if sub.shown)


def lineage(encoded: Encoded, table: str) -> tuple[str, ...]:
    """Give the names of a table's parent, its parent, and so on up to the root."""
    parent = encoded.tables[table].parent
    return () if parent is None else (parent, *lineage(encoded, parent))


def describe_table(encoded: Encoded, table: str) -> TableLayout:
    """Describe one table and the tables its rows may know."""
    source = encoded.tables[table]
    ancestors = lineage(encoded, table)
    without = [encoded.tables[name].alone > 0 for name in (table, *ancestors[:-1])]
    roots = encoded.tables[(table, *ancestors)[-1]].rows
    return TableLayout(
        name=table,
        sub_columns=source.sub_columns,
        counts=source.counts,
        parent=source.parent,
        ordered=source.ordered,
        ancestors=tuple(
            Relative(
                name=name,
                sub_columns=shown_columns(encoded.tables[name].sub_columns),
                anchor=place,
                optional=any(without[: place + 1]),
            )
            for place, name in enumerate(ancestors)
        ),
        siblings=_describe_siblings(encoded, table, ancestors),
        links=tuple(link.target for link in source.links),
        reached=_describe_reached(encoded, table),
        keys_of=source.keys_of,
        pointers=source.pointers,
        stays=source.stays,
        unlike=source.unlike,
        together=source.together,
        alone=Alone(source.alone, roots) if source.alone else None,
    )


def _describe_reached(encoded: Encoded, table: str) -> tuple[Reached, ...]:
    reached: list[Reached] = []
    ends: list[tuple[Path, str]] = [((), table)]
    for _ in range(LONGEST_PATH):
        ends = [longer for path, name in ends for longer in _go_on(encoded, table, path, name)]
        reached += [
            Reached(name, shown_columns(encoded.tables[name].sub_columns), path)
            for path, name in ends
            if set(path) != {OWNER}
        ]
    return tuple(reached[:MOST_REACHED])


def _go_on(encoded: Encoded, table: str, path: Path, name: str) -> Iterator[tuple[Path, str]]:
    """Give the paths that are one step longer, and where they end: links first, then the owner."""
    here = encoded.tables[name]
    for number, link in enumerate(here.links):
        yield (*path, number), link.target
    # The owner of the row that a row of a table of keys belongs to is its own owner.
    if here.parent is not None and not (len(path) == 1 and name == encoded.tables[table].keys_of):
        yield (*path, OWNER), here.parent


def _describe_siblings(encoded: Encoded, table: str, ancestors: tuple[str, ...]) -> tuple[Relative, ...]:
    siblings: list[Relative] = []
    for name, other in encoded.tables.items():
        if name == table:
            break
        shared = [ancestors.index(above) for above in lineage(encoded, name) if above in ancestors]
        if name not in ancestors and shared:
            siblings.append(
                Relative(name=name, sub_columns=shown_columns(other.sub_columns), anchor=min(shared))
            )
    return tuple(siblings)


def write_layout(layout: TableLayout) -> dict[str, Any]:
    """Turn a layout into plain data for JSON."""
    return {
        "name": layout.name,
        "parent": layout.parent,
        "ordered": layout.ordered,
        "sub_columns": [sub.to_json() for sub in layout.sub_columns],
        "counts": [count.to_json() for count in layout.counts],
        "ancestors": [_write_relative(relative) for relative in layout.ancestors],
        "siblings": [_write_relative(relative) for relative in layout.siblings],
        "links": list(layout.links),
        "reached": [_write_reached(reached) for reached in layout.reached],
        "keys_of": layout.keys_of,
        "pointers": [pointer.to_json() for pointer in layout.pointers],
        "stays": [stay.to_json() for stay in layout.stays],
        "unlike": [[ending.to_json() for ending in pair] for pair in layout.unlike],
        "together": [pair.to_json() for pair in layout.together],
        "alone": None if layout.alone is None else asdict(layout.alone),
    }


def read_layout(data: Mapping[str, Any]) -> TableLayout:
    """Turn plain data back into a layout; the inverse of ``write_layout``."""
    return TableLayout(
        name=data["name"],
        parent=data["parent"],
        ordered=data["ordered"],
        sub_columns=tuple(SubColumn.from_json(sub) for sub in data["sub_columns"]),
        counts=tuple(ChildCount.from_json(count) for count in data["counts"]),
        ancestors=tuple(_read_relative(relative) for relative in data["ancestors"]),
        siblings=tuple(_read_relative(relative) for relative in data["siblings"]),
        links=tuple(data["links"]),
        reached=tuple(_read_reached(reached) for reached in data["reached"]),
        keys_of=data["keys_of"],
        pointers=tuple(Pointer.from_json(pointer) for pointer in data["pointers"]),
        stays=tuple(Stay.from_json(stay) for stay in data["stays"]),
        unlike=tuple((Ending.from_json(one), Ending.from_json(other)) for one, other in data["unlike"]),
        together=tuple(Together.from_json(pair) for pair in data["together"]),
        alone=None if data["alone"] is None else Alone(**data["alone"]),
    )


def _write_relative(relative: Relative) -> dict[str, Any]:
    subs = [sub.to_json() for sub in relative.sub_columns]
    placed = {"name": relative.name, "anchor": relative.anchor, "optional": relative.optional}
    return {**placed, "sub_columns": subs}


def _read_relative(data: Mapping[str, Any]) -> Relative:
    subs = tuple(SubColumn.from_json(sub) for sub in data["sub_columns"])
    return Relative(data["name"], subs, data["anchor"], data["optional"])


def _write_reached(reached: Reached) -> dict[str, Any]:
    subs = [sub.to_json() for sub in reached.sub_columns]
    return {"name": reached.name, "path": list(reached.path), "sub_columns": subs}


def _read_reached(data: Mapping[str, Any]) -> Reached:
    subs = tuple(SubColumn.from_json(sub) for sub in data["sub_columns"])
    return Reached(name=data["name"], sub_columns=subs, path=tuple(data["path"]))
