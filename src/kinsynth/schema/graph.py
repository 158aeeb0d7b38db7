"""How the tables hang together: which parent owns a table, in what order tables are generated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kinsynth.schema.table import Relation, Schema


@dataclass(frozen=True)
class Structure:
    """The forest of synthesised tables and what does not fit into it.

    Attributes:
        parent_relation: For each synthesised table the relation to its owner, None for a root table.
        reference_relations: For each synthesised table its relations to original tables.
        order: Synthesised tables, parents before children.
        roots: Synthesised tables without an owner, in the schema's order.
        originals: Tables that are copied.
        extra_parents: By table the further relations to synthesised tables, the owner's once more included.
        self_references: Relations of a synthesised table to itself.
        cycles: Groups of synthesised tables that reference each other in a circle.
        outward: Relations of original tables to synthesised ones: their keys would no longer exist.
    """

    parent_relation: Mapping[str, Relation | None]
    reference_relations: Mapping[str, tuple[Relation, ...]]
    order: tuple[str, ...]
    roots: tuple[str, ...]
    originals: tuple[str, ...]
    extra_parents: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)
    self_references: tuple[Relation, ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()
    outward: tuple[Relation, ...] = ()

    def root_of(self, table: str) -> str:
        """Give the root table of the tree in which a synthesised table stands."""
        relation = self.parent_relation[table]
        return table if relation is None else self.root_of(relation.references_table)

    def ancestors(self, table: str) -> tuple[str, ...]:
        """Give the owners of a table, nearest first."""
        relation = self.parent_relation[table]
        return (
            ()
            if relation is None
            else (relation.references_table, *self.ancestors(relation.references_table))
        )

    def children(self, table: str) -> tuple[str, ...]:
        """Give the tables that a table owns, in the order of generation."""
        return tuple(
            child
            for child in self.order
            if (relation := self.parent_relation[child]) and relation.references_table == table
        )


def find_structure(schema: Schema) -> Structure:
    """Find the owner of each synthesised table and everything that does not fit a tree.

    The owner is the first relation to another synthesised table whose columns have no missing values, else
    the first one. Relations inside a circle own nothing.

    Guarantees:
        ``order`` holds every synthesised table once, after its owner. The result depends on the schema only.
    """
    made = [name for name, table in schema.tables.items() if not table.original]
    inner = [one for one in schema.relations if one.table in made and one.references_table in made]
    selfish = tuple(one for one in inner if one.table == one.references_table)
    between = [one for one in inner if one.table != one.references_table]
    cycles = _cycles(made, between)
    group = {name: number for number, names in enumerate(cycles) for name in names}
    owners = {name: _owner(schema, name, between, group) for name in made}
    return Structure(
        parent_relation=owners,
        reference_relations={
            name: tuple(one for one in schema.outgoing(name) if schema.tables[one.references_table].original)
            for name in made
        },
        order=_parents_first(owners),
        roots=tuple(name for name, owner in owners.items() if owner is None),
        originals=tuple(name for name, table in schema.tables.items() if table.original),
        extra_parents={
            name: extra
            for name in made
            if (extra := tuple(one for one in between if _is_extra(one, name, owners[name], group)))
        },
        self_references=selfish,
        cycles=cycles,
        outward=tuple(
            one for one in schema.relations if one.table not in made and one.references_table in made
        ),
    )


def _inside(relation: Relation, group: Mapping[str, int]) -> bool:
    """Tell whether both tables of a relation stand in one circle."""
    return relation.table in group and group[relation.table] == group.get(relation.references_table)


def _is_extra(relation: Relation, table: str, owner: Relation | None, group: Mapping[str, int]) -> bool:
    """Tell whether a relation of a table leads to a parent beside its owner."""
    return relation.table == table and relation != owner and not _inside(relation, group)


def _owner(
    schema: Schema, table: str, relations: Iterable[Relation], group: Mapping[str, int]
) -> Relation | None:
    """Choose the relation to the owner of a table."""
    candidates = [one for one in relations if one.table == table and not _inside(one, group)]
    return min(candidates, key=lambda one: _is_nullable(schema, one), default=None)


def _is_nullable(schema: Schema, relation: Relation) -> bool:
    """Tell whether a key may be missing."""
    return any(schema.tables[relation.table].column(name).nullable for name in relation.columns)


def _parents_first(owners: Mapping[str, Relation | None]) -> tuple[str, ...]:
    """Order tables so that each comes after its owner, otherwise as they came."""
    order: list[str] = []
    waiting = list(owners)
    while waiting:
        ready = [name for name in waiting if (one := owners[name]) is None or one.references_table in order]
        assert ready, "owners form no circle"
        order.append(ready[0])
        waiting.remove(ready[0])
    return tuple(order)


def _cycles(tables: list[str], relations: Iterable[Relation]) -> tuple[tuple[str, ...], ...]:
    """Give the groups of tables in which each can be reached from each other one."""
    reach = {name: _reachable(name, relations) for name in tables}
    groups = [
        tuple(other for other in tables if other in reach[name] and name in reach[other])
        for name in tables
        if name in reach[name]
    ]
    return tuple(dict.fromkeys(groups))


def _reachable(start: str, relations: Iterable[Relation]) -> set[str]:
    """Give the tables that can be reached over one or more relations."""
    found: set[str] = set()
    frontier = {start}
    while frontier:
        frontier = {one.references_table for one in relations if one.table in frontier} - found
        found |= frontier
    return found
