"""How the tables hang together: owners, further keys, broken circles, and the order of generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kinsynth.schema.circles import break_circles, reachable
from kinsynth.schema.table import Relation, Schema

Relations = tuple[Relation, ...]


@dataclass(frozen=True)
class Structure:
    """What each foreign key is for.

    Every relation between two synthesised tables stands in exactly one of ``parent_relation``, ``keys``,
    ``late`` and ``implied``; every relation of a synthesised table to an original one in one of
    ``reference_relations`` and ``implied``.

    Attributes:
        parent_relation: For each synthesised table the relation to its owner, under which its rows form a
            sequence; None for a table without one. It leads to another table. Where it may be missing, a
            row without owner stands alone.
        reference_relations: For each synthesised table its relations to original tables, less implied ones.
        order: Synthesised tables; owners and targets of ``keys`` come before.
        roots: Synthesised tables without an owner, in the schema's order: each is drawn as a root.
        originals: Tables that are copied.
        keys: By synthesised table the further keys that are drawn before the row's other values.
        late: By synthesised table the keys that are drawn after them, when the rows of all tables are there:
            references of a table to itself, and the keys at which circles are broken.
        implied: By synthesised table the keys that follow from others, by their role.
        subjects: Tables without a key to a synthesised table, and of each circle without a key out of it
            the first table: what a rule about one root table counts. In the schema's order.
        unbreakable: Circles that cannot be broken, each as the relations along it.
        outward: Relations of original tables to synthesised ones: their keys would no longer exist.
    """

    parent_relation: Mapping[str, Relation | None]
    reference_relations: Mapping[str, Relations]
    order: tuple[str, ...]
    roots: tuple[str, ...]
    originals: tuple[str, ...]
    keys: Mapping[str, Relations] = field(default_factory=dict)
    late: Mapping[str, Relations] = field(default_factory=dict)
    implied: Mapping[str, Relations] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    unbreakable: tuple[Relations, ...] = ()
    outward: Relations = ()

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

    def further(self, table: str) -> Relations:
        """Give all keys of a table that are drawn beside its owner's, in the order in which they are."""
        return (*self.keys[table], *self.late[table])

    @property
    def trees(self) -> tuple[str, ...]:
        """Root tables in an order in which rows can know what they point to in other trees.

        A tree comes after those that its tables point to; where trees point at each other, one does not.
        """
        ahead = {
            root: {
                self.root_of(one.references_table)
                for table in self.order
                if self.root_of(table) == root
                for one in self.keys[table]
            }
            for root in self.roots
        }
        waiting, found = list(self.roots), list[str]()
        while waiting:
            ready = (root for root in waiting if ahead[root] <= {*found, root})
            found.append(next(ready, waiting[0]))
            waiting.remove(found[-1])
        return tuple(found)

    def pointing(self, table: str) -> Relations:
        """Give the further keys by which rows of any table point at rows of a table."""
        return tuple(
            one for other in self.order for one in self.further(other) if one.references_table == table
        )


def find_structure(schema: Schema) -> Structure:
    """Find what each foreign key is for.

    Circles of tables are broken first (``circles.break_circles``). The owner of a table is then the
    relation whose role says so, else, among those without a role that are never missing, the first one that
    is part of the primary key, else the first one; only a relation that is not deferred can be one.

    Guarantees:
        The result depends on the schema only, roles included. Following owners and ``keys`` from any table
        comes to an end.
    """
    made = [name for name, table in schema.tables.items() if not table.original]
    inner = [one for one in schema.relations if one.table in made and one.references_table in made]
    drawn = [one for one in inner if one.role != "implied"]
    deferred, unbreakable = break_circles(schema, drawn)
    ready = [one for one in drawn if one not in deferred]
    owners = {name: _owner(schema, name, ready) for name in made}
    outside = [one for one in schema.relations if one.table in made and one.references_table not in made]
    return Structure(
        parent_relation=owners,
        reference_relations=_by_table(made, [one for one in outside if one.role != "implied"]),
        order=_targets_first(made, ready),
        roots=tuple(name for name in made if owners[name] is None),
        originals=tuple(name for name, table in schema.tables.items() if table.original),
        keys=_by_table(made, [one for one in ready if one != owners[one.table]]),
        late=_by_table(made, [one for one in drawn if one in deferred]),
        implied=_by_table(made, [one for one in (*inner, *outside) if one.role == "implied"]),
        subjects=_subjects(made, inner),
        unbreakable=unbreakable,
        outward=tuple(
            one for one in schema.relations if one.table not in made and one.references_table in made
        ),
    )


def _by_table(tables: Iterable[str], relations: Iterable[Relation]) -> dict[str, Relations]:
    """Sort relations by the table whose columns they are; one that stands twice is one."""
    found = tuple(dict.fromkeys(relations))
    return {name: tuple(one for one in found if one.table == name) for name in tables}


def _owner(schema: Schema, table: str, relations: Iterable[Relation]) -> Relation | None:
    """Choose the relation to the owner of a table."""
    candidates = [
        one
        for one in relations
        if one.table == table and (one.role == "owner" or (one.role == "" and not schema.may_be_missing(one)))
    ]
    key = schema.tables[table].primary_key
    return min(
        candidates, key=lambda one: (one.role != "owner", not set(one.columns) <= set(key)), default=None
    )


def _targets_first(tables: Iterable[str], relations: Iterable[Relation]) -> tuple[str, ...]:
    """Order tables so that each comes after those it points to, otherwise as they came."""
    waiting = {name: {one.references_table for one in relations if one.table == name} for name in tables}
    order: dict[str, None] = {}
    while waiting:
        ready = next((name for name, targets in waiting.items() if targets <= order.keys()), None)
        assert ready is not None, "broken circles form none"
        order[ready] = None
        del waiting[ready]
    return tuple(order)


def _subjects(tables: list[str], relations: list[Relation]) -> tuple[str, ...]:
    """Give the tables that depend on none but those of their own circle; of a circle the first."""
    reach = {name: reachable(name, relations) for name in tables}
    closed = [name for name in tables if all(name in reach[other] for other in reach[name] - {name})]
    return tuple(
        name for name in closed if not any(name in reach[other] for other in closed[: closed.index(name)])
    )
