"""Two real halves, split by root entity: how far apart real data is from itself.

A table that the split leaves whole (a lookup, a second parent with no key to the root) is in both halves with
all its rows. A fact counted within such tables only would be the same in both; its rows are halved at random
instead. Degrees across a row are counted anew within each half, for those, too, are left to chance. Facts of
hierarchies are counted in the whole and then divided, by the rows of the halves or, where those are the same,
at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from relational.constants import constant_facts
from relational.database import Database
from relational.degrees import degree_facts, halve_bridge
from relational.facts import Fact

ROW = "\x00row"  # a column of row numbers that travels through the split; no CSV file has such a name


def halve(judge: Any, whole: Database, seed: int) -> tuple[Database, Database]:
    """Split by the judge's own rule for a set of roots."""
    root = judge.default_root(whole.schema)
    numbered = {name: table.assign(**{ROW: np.arange(len(table))}) for name, table in whole.tables.items()}
    order = np.random.default_rng(seed).permutation(whole.rows(root))
    middle = len(order) // 2
    left, right = (
        Database(whole.schema, judge.subset(numbered, whole.schema, root, np.sort(part)))
        for part in (order[:middle], order[middle:])
    )
    return left, right


def every_fact(database: Database, owners: set[Any]) -> list[Fact]:
    """Give the facts of degrees and of constants; those within original tables are copied and say nothing."""
    facts = [*degree_facts(database, owners), *constant_facts(database)]
    return [fact for fact in facts if not set(fact.tables) <= set(database.originals)]


def facts_of_halves(
    whole: Database, halves: tuple[Database, Database], owners: set[Any], seed: int
) -> tuple[list[Fact], list[Fact]]:
    """Give the facts of both halves in the order of ``every_fact``."""
    generator = np.random.default_rng(seed)
    counted = zip(every_fact(whole, owners), *(every_fact(half, owners) for half in halves), strict=True)
    pairs = [divide(fact, whole, halves, parts, owners, generator) for fact, *parts in counted]
    return [left for left, _ in pairs], [right for _, right in pairs]


def divide(
    fact: Fact,
    whole: Database,
    halves: tuple[Database, Database],
    parts: list[Fact],
    owners: set[Any],
    generator: np.random.Generator,
) -> tuple[Fact, Fact]:
    """Take a fact from the halves where they differ, else from halves of its rows."""
    if all(half.rows(table) == whole.rows(table) for half in halves for table in fact.tables):
        if fact.across:
            return halve_bridge(whole, fact, owners, generator)
        order = generator.permutation(len(fact.values))
        middle = len(order) // 2
        return tuple(replace(fact, values=fact.values[part]) for part in (order[:middle], order[middle:]))  # type: ignore[return-value]
    if fact.whole:
        rows: Iterator[np.ndarray] = (half.tables[fact.tables[0]][ROW].to_numpy() for half in halves)
        return tuple(replace(fact, values=fact.values[part]) for part in rows)  # type: ignore[return-value]
    return parts[0], parts[1]
