"""Keys that fail: repeated or missing primary keys, orphans, repeated pairs, broken one-to-one, circles.

Every figure is a count of rows that should be 0. What a key must keep besides being found is read from all
rows of the source, those held out too, for a part of them may be unique by the split alone: a pair of keys
that no two rows share, a key that points to no row twice, no row on a circle.
Where chance alone would hardly repeat a pair or a target in the source (fewer than EXPECTED repeats, were
keys independent), their being unique says nothing, and they are judged only if the primary key declares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from relational.database import Database, Relation, join_key, primary_key

EXPECTED = 5.0
Count = tuple[str, str, int]


def repeats(keys: np.ndarray) -> int:
    """Count rows beyond the first of each key; a missing key repeats nothing."""
    present = keys[keys != None]  # noqa: E711 - element by element
    return len(present) - len(set(present.tolist()))


def pair(database: Database, left: Relation, right: Relation) -> np.ndarray:
    """Pairs of places that rows point to, as one whole number for each row that has both."""
    one, two = database.pointed(left), database.pointed(right)
    both = (one >= 0) & (two >= 0)
    return one[both] * max(1, database.rows(right.target)) + two[both]


def doubled(numbers: np.ndarray) -> int:
    """Count numbers beyond the first of each."""
    return len(numbers) - len(np.unique(numbers))


def concentration(database: Database, relation: Relation) -> float:
    """Chance that two rows point to the same row, were each drawn for itself."""
    degrees = database.degrees(relation).astype(float)
    return float(np.square(degrees / max(1.0, degrees.sum())).sum())


def bridges(source: Database) -> Iterator[tuple[Relation, Relation]]:
    """Pairs of keys of one table that are unique together in the source, and neither alone."""
    for left, right in combinations(source.relations, 2):
        if left.table != right.table or is_single(source, left) or is_single(source, right):
            continue
        numbers = pair(source, left, right)
        if not len(numbers) or doubled(numbers):
            continue
        declared = set(primary_key(source.schema, left.table)) <= {*left.columns, *right.columns}
        chance = concentration(source, left) * concentration(source, right) * len(numbers) ** 2 / 2
        if chance >= EXPECTED or (declared and primary_key(source.schema, left.table)):
            yield left, right


def is_single(source: Database, relation: Relation) -> bool:
    """Whether no two rows of the source point to one row, by design and not by chance."""
    degrees = source.degrees(relation)
    if not degrees.sum() or degrees.max() > 1:
        return False
    declared = primary_key(source.schema, relation.table)
    chance = degrees.sum() ** 2 / (2 * len(degrees))
    return bool(chance >= EXPECTED or (declared and set(declared) <= set(relation.columns)))


def circling(pointed: np.ndarray) -> np.ndarray:
    """Mark rows R that come back to themselves: those still reached after as many steps as there are rows."""
    stop = len(pointed)
    step = np.append(np.where(pointed >= 0, pointed, stop), stop)
    for _ in range(max(1, stop.bit_length())):
        step = step[step]
    marked = np.zeros(stop + 1, dtype=bool)
    marked[step[:stop]] = True
    return marked[:stop]


def count_failures(source: Database, made: Database, whole: Database | None = None) -> Iterator[Count]:
    """Give each count of failures as group, name and number of rows.

    ``source`` are the rows that were learned, ``whole`` all rows there are.
    """
    whole = whole or source
    for table in source.schema["tables"]:
        if columns := primary_key(source.schema, table):
            keys = join_key(made.tables[table], columns)
            yield "repeated primary keys", table, repeats(keys)
            yield "missing primary keys", table, int(np.equal(keys, None).sum())
    for relation in source.relations:
        yield "orphans", relation.name, int((made.pointed(relation) < -1).sum())
        if not (source.pointed(relation) < 0).any():
            yield "missing keys", relation.name, int((made.pointed(relation) == -1).sum())
        if is_single(whole, relation):
            degrees = made.degrees(relation)
            yield "one-to-one broken", relation.name, int(np.maximum(degrees - 1, 0).sum())
        if relation.within:
            before, after = (circling(database.pointed(relation)) for database in (whole, made))
            if not before.any():
                yield "rows on circles", relation.name, int(after.sum())
    for left, right in bridges(whole):
        name = f"{left.table}: {'+'.join(left.columns)}, {'+'.join(right.columns)}"
        yield "repeated pairs", name, doubled(pair(made, left, right))
    for table in source.originals:
        yield "changed original rows", table, changed(source, made, table)


def changed(source: Database, made: Database, table: str) -> int:
    """Count rows that differ from the row in the same place of the source, and rows too many or too few."""
    columns = list(source.schema["tables"][table]["columns"])
    count = min(source.rows(table), made.rows(table))
    before, after = (database.tables[table][columns].head(count) for database in (source, made))
    same = np.ones(count, dtype=bool)
    for column in columns:
        missing = before[column].isna().to_numpy(), after[column].isna().to_numpy()
        equal = before[column].to_numpy(dtype=object) == after[column].to_numpy(dtype=object)
        same &= equal & ~missing[0] & ~missing[1] | missing[0] & missing[1]
    return int(count - same.sum() + abs(source.rows(table) - made.rows(table)))
