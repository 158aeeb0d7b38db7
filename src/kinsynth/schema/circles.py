"""Circles of tables that reference each other, and the keys at which they are broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kinsynth.schema.table import Relation, Schema

Relations = tuple[Relation, ...]


def break_circles(
    schema: Schema, relations: Sequence[Relation]
) -> tuple[frozenset[Relation], tuple[Relations, ...]]:
    """Choose the keys that are drawn after all rows are made, so that the others form no circle.

    A reference of a table to itself is always one. A circle of tables is broken at a key that may be missing,
    else at a key of which nothing but what other keys of the row say as well is part of a primary key or
    referenced: all rows are made before any is delivered, so that such a key can wait. Keys whose role is
    owner are the last choice; else those whose role says that they are none go first, then the one with the
    fewest others beside it from table to table, then the last one of the document.

    Args:
        schema: Where the relations stand.
        relations: Those between synthesised tables that are drawn.

    Returns:
        The deferred keys, and the circles that cannot be broken: for each the relations along it. Their
        last relations are among the deferred, so that the others form no circle in any case.

    Guarantees:
        The result depends on the schema only. No key is deferred without need.
    """
    own = [one for one in relations if one.table == one.references_table]
    unbreakable: list[Relations] = [(one,) for one in own if not _can_wait(schema, one, [*relations])]
    kept = [one for one in dict.fromkeys(relations) if one not in own]
    deferred: list[Relation] = []
    while inside := [one for one in kept if is_inside(one, kept)]:
        able = [one for one in inside if _can_wait(schema, one, kept)]
        if not able:
            circle = _shortest(inside)
            unbreakable.append(circle)
            able = [circle[-1]]
        chosen = min(able, key=lambda one: _reluctance(schema, one, inside))
        kept.remove(chosen)
        deferred.append(chosen)
    for one in list(deferred):
        if not is_inside(one, [*kept, one]):
            deferred.remove(one)
            kept.append(one)
    return frozenset([*own, *deferred]), tuple(unbreakable)


def reachable(start: str, relations: Iterable[Relation]) -> set[str]:
    """Give the tables that can be reached over one or more relations."""
    relations = tuple(relations)
    found: set[str] = set()
    frontier = {start}
    while frontier:
        frontier = {one.references_table for one in relations if one.table in frontier} - found
        found |= frontier
    return found


def is_inside(relation: Relation, relations: Iterable[Relation]) -> bool:
    """Tell whether a relation is part of a circle."""
    return relation.table in reachable(relation.references_table, relations)


def _can_wait(schema: Schema, relation: Relation, relations: Iterable[Relation]) -> bool:
    """Tell whether the rest of a row does not depend on a key."""
    table = schema.tables[relation.table]
    known = {
        column
        for one in relations
        if one.table == relation.table != one.references_table and one != relation
        for column in one.columns
    }
    named = set(table.primary_key)
    named |= {column for one in schema.incoming(relation.table) for column in one.references_columns}
    needed = {name for name in relation.columns if not table.column(name).nullable}
    return not (needed & named) - known


def _reluctance(
    schema: Schema, relation: Relation, inside: Sequence[Relation]
) -> tuple[bool, bool, bool, int, int]:
    """Order the keys at which a circle may be broken, the best first."""
    beside = sum(
        (one.table, one.references_table) == (relation.table, relation.references_table) for one in inside
    )
    bound = not schema.may_be_missing(relation)
    return relation.role == "owner", bound, relation.role != "key", beside, -inside.index(relation)


def _shortest(relations: Sequence[Relation]) -> Relations:
    """Give the relations along a shortest circle, from the first table of the first relation."""
    circles = [circle for one in relations if (circle := _way_back(one, relations))]
    return min(circles, key=len)


def _way_back(start: Relation, relations: Sequence[Relation]) -> Relations:
    """Give a shortest circle that begins with a relation; empty for none."""
    ways: list[Relations] = [(start,)]
    seen = {start.references_table}
    for way in ways:
        if way[-1].references_table == start.table:
            return way
        for one in relations:
            if one.table == way[-1].references_table and one.references_table not in seen:
                seen.add(one.references_table)
                ways.append((*way, one))
    return ()
