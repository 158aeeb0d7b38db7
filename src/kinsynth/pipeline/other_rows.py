"""What the rows of a table say of other rows: how many there are, what they add up to, which one is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from kinsynth.pipeline.codecs import Rows, TableCodec
from kinsynth.pipeline.further_keys import FurtherKeys, level_name
from kinsynth.pipeline.sketches import Children
from kinsynth.privacy.protection import extremes, number_of_roots
from kinsynth.schema.database import Database
from kinsynth.schema.holders import Units, parts
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation


def row_counts(further: FurtherKeys, table: str) -> dict[str, Rows]:
    """Count for each arranged row the rows of each child table, and those that point at it.

    A table that references itself has the level of each row beside them.
    """
    counts: dict[str, Rows] = {}
    for child in further.structure.children(table):
        rows = further.arranged[child]
        owner_R = rows.owner_rows[: rows.owned]
        counts[child] = np.bincount(owner_R, minlength=len(further.arranged[table].row_R)).astype(np.int64)
    counts |= {str(one): further.in_degrees(one) for one in further.structure.pointing(table)}
    return counts | {
        level_name(one): find_levels(further.rows(one)).level_R for one in further.late_to_itself(table)
    }


def protected_counts(further: FurtherKeys, table: str, *, minimum: int) -> dict[str, Rows]:
    """Count as ``row_counts`` does, but no person's rows at one row more often than enough persons' are.

    Who points a thousand times at each of ten rows would else be told by what these are counted at.
    """
    counts, targets = row_counts(further, table), len(further.arranged[table].row_R)
    pointing = [(str(one), one.table, further.rows(one)) for one in further.structure.pointing(table)]
    children = further.structure.children(table)
    pointing += [(child, child, further.arranged[child].owner_rows) for child in children]
    for name, source, row_R in pointing:
        counts[name] = count_protected(row_R, further.units[source], targets, minimum)
    return counts


def count_protected(row_R: Rows, units: Units, targets: int, minimum: int) -> Rows:
    """Count the rows at each target, no person's at one target more often than enough persons' are.

    Args:
        row_R: Target of each row, negative for none, shape (R,).
        units: Who holds each row, by each unit of protection; none where each is held by itself.
        targets: Number of targets.
        minimum: Persons that are enough.
    """
    known_R = row_R >= 0
    some_R = row_R[known_R]
    count_T = np.bincount(some_R, minlength=targets).astype(np.int64)
    for unit_R in units:
        holder_R = unit_R[known_R]
        if len(some_R) and not parts(holder_R, some_R):
            count_T = np.minimum(count_T, _count_evenly(some_R, holder_R, targets, minimum))
    return count_T


def _count_evenly(row_R: Rows, holder_R: Rows, targets: int, minimum: int) -> Rows:
    """Count the rows at each target, those of one holder as often as enough holders have so many."""
    holders = int(holder_R.max()) + 1
    pair_N, times_N = np.unique(row_R * holders + holder_R, return_counts=True)
    target_N, holder_N = np.divmod(pair_N, holders)
    most = 1
    if number_of_roots(holder_N) >= minimum:
        most = extremes(times_N, holder_N, minimum=minimum)[1]
    return np.bincount(target_N, np.minimum(times_N, most), targets).astype(np.int64)


def summed_rows(
    tables: Mapping[str, TableCodec], database: Database, further: FurtherKeys
) -> Iterator[tuple[str, str, Children]]:
    """Give what the rows of each table can tell summaries of.

    Yields:
        A table, the name of a table under it or of a further key that leads to it, and the rows in question.
    """
    for name, codec in tables.items():
        summed = _summed(codec)
        rows = further.arranged[name]
        table, parent_R = rows.take(database.tables[name]), rows.parent_R
        units = further.units[name]
        if codec.parent is not None and parent_R is not None:
            parents, owned = len(further.arranged[codec.parent].row_R), slice(rows.owned)
            held = tuple(unit_R[owned] for unit_R in units)
            yield (
                codec.parent,
                name,
                Children(table[owned], summed, parent_R[owned], parents, codec.ordered, held),
            )
        for relation in further.of(name, late=False):
            row_R, target = further.rows(relation), relation.references_table
            order = np.argsort(row_R, kind="stable")[int((row_R < 0).sum()) :]
            some = table.take(pa.array(order))
            held = tuple(unit_R[order] for unit_R in units or (np.arange(len(row_R)),))
            targets = len(further.arranged[target].row_R)
            yield target, str(relation), Children(some, summed, row_R[order], targets, False, held)


def _summed(codec: TableCodec) -> dict[str, Any]:
    """Give the codecs of the columns that can be summed up."""
    kinds = ("column", "relative", "sequence")
    read = (one for one in codec.read_factors if one.kind in kinds and len(one.columns) == 1)
    return {one.columns[0]: one.codec for one in read}


def referenced_rows(table: pa.Table, relation: Relation, database: Database) -> pa.Array:
    """Give the row of the lookup that each row names; missing where it names none."""
    number_R = row_numbers(table, relation, database.tables[relation.references_table])
    return pa.array(number_R, mask=number_R < 0)
