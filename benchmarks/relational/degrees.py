"""Degrees: how many rows point to a row, alone and two relations together, and the shape of hierarchies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from relational.database import NULL, Database, Relation
from relational.facts import Fact
from relational.integrity import circling


def levels(pointed: np.ndarray) -> np.ndarray:
    """Steps R from each row up to one that points to none, which has 0; so have rows on a circle."""
    stop = len(pointed)
    up = np.append(np.where((pointed >= 0) & ~circling(pointed), pointed, stop), stop)
    found = (up != stop).astype(np.int64)
    for _ in range(stop.bit_length()):
        found += found[up]
        up = up[up]
    return found[:stop]


def owner(root: str, below: Sequence[str], relations: Sequence[Relation], table: str) -> Relation | None:
    """The relation whose counts are child counts: the first to the root's side, or the first of all."""
    own = [r for r in relations if r.table == table and not r.within]
    if not own or table == root:
        return None
    return next((r for r in own if r.target in below), own[0])


def degree_facts(database: Database, owners: set[Relation]) -> list[Fact]:
    """Give child counts, in-degrees, joint degrees, fan-out and depth."""
    facts = []
    for relation in database.relations:
        degrees, sides = database.degrees(relation)[:, None], (relation.target, relation.table)
        if relation.within:
            facts.append(Fact("fan-out", relation.name, degrees, sides, whole=True))
            depth = levels(database.pointed(relation))[:, None]
            facts.append(Fact("depth", relation.name, depth, sides, whole=True))
        else:
            group = "child counts" if relation in owners else "in-degrees"
            facts.append(Fact(group, relation.name, degrees, sides))
    for left, right in combinations(database.relations, 2):
        if left.target == right.target and not (left.within or right.within):
            facts.append(meet(database, left, right))
        if left.table == right.table and not (left.within or right.within):
            facts.append(bridge(database, left, right))
    return facts


def meet(database: Database, left: Relation, right: Relation) -> Fact:
    """Two degrees of one row."""
    values = np.column_stack([database.degrees(left), database.degrees(right)])
    name = f"{left.target}: {short(left)} x {short(right)}"
    return Fact("joint degrees", name, values, (left.target, left.table, right.table))


def bridge(database: Database, left: Relation, right: Relation, among: np.ndarray | None = None) -> Fact:
    """Degrees of the two rows that a row points to, over rows that point to both.

    ``among`` marks the rows R there are; None for all.
    """
    pointed = [database.pointed(relation) for relation in (left, right)]
    if among is not None:
        pointed = [np.where(among, places, NULL) for places in pointed]
    both = (pointed[0] >= 0) & (pointed[1] >= 0)
    values = np.column_stack([np.bincount(places[places >= 0])[places[both]] for places in pointed])
    name = f"{left.table}: {'+'.join(left.columns)} x {'+'.join(right.columns)}"
    hubs = min(len(np.unique(places[both])) for places in pointed)
    sides = (left.table, left.target, right.target)
    return Fact("degrees across a row", name, values, sides, hubs=hubs, across=(left, right))


def halve_bridge(
    database: Database, fact: Fact, owners: set[Relation], generator: np.random.Generator
) -> tuple[Fact, Fact]:
    """Count degrees across a row within each half of the rows, split at random by what they belong to."""
    one, two = fact.across
    owned = two if two in owners else one
    half = generator.permutation(database.rows(owned.target) + 1) % 2 == 0  # at -1 what belongs to none
    pointed = database.pointed(owned)
    first = (pointed >= 0) & half[pointed]
    return bridge(database, one, two, first), bridge(database, one, two, ~first)


def short(relation: Relation) -> str:
    return f"{relation.table}.{'+'.join(relation.columns)}"
