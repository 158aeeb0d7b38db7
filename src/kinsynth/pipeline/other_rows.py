"""What the rows of a table say of other rows: how many there are, what they add up to, which one is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from kinsynth.pipeline.codecs import Rows, TableCodec
from kinsynth.pipeline.further_keys import FurtherKeys, level_name
from kinsynth.pipeline.sketches import Children
from kinsynth.schema.database import Database
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation


def row_counts(further: FurtherKeys, table: str) -> dict[str, Rows]:
    """Count for each arranged row the rows of each child table, and those that point at it.

    A table that references itself has the level of each row beside them.
    """
    counts: dict[str, Rows] = {}
    for child in further.structure.children(table):
        parent_R = further.arranged[child].parent_R
        assert parent_R is not None, "a child has a parent"
        counts[child] = np.bincount(parent_R, minlength=len(further.arranged[table].row_R)).astype(np.int64)
    counts |= {str(one): further.in_degrees(one) for one in further.structure.pointing(table)}
    return counts | {
        level_name(one): find_levels(further.rows(one)).level_R for one in further.late_to_itself(table)
    }


def summed_rows(
    tables: Mapping[str, TableCodec], database: Database, further: FurtherKeys
) -> Iterator[tuple[str, str, Children]]:
    """Give what the rows of each table can tell summaries of.

    Yields:
        A table, the name of a table under it or of a further key that leads to it, and the rows in question.
    """
    for name, codec in tables.items():
        table = further.arranged[name].take(database.tables[name])
        parent_R = further.arranged[name].parent_R
        if codec.parent is not None and parent_R is not None:
            yield (
                codec.parent,
                name,
                _children(codec, table, parent_R, further, codec.parent, ordered=codec.ordered),
            )
        for relation in further.of(name, late=False):
            row_R, target = further.rows(relation), relation.references_table
            order = np.argsort(row_R, kind="stable")[int((row_R < 0).sum()) :]
            some = table.take(pa.array(order))
            yield target, str(relation), _children(codec, some, row_R[order], further, target, ordered=False)


def _children(
    codec: TableCodec, table: pa.Table, parent_R: Rows, further: FurtherKeys, parent: str, *, ordered: bool
) -> Children:
    kinds = ("column", "relative", "sequence")
    summed = [one for one in codec.read_factors if one.kind in kinds and len(one.columns) == 1]
    return Children(
        table=table,
        codecs={one.columns[0]: one.codec for one in summed},
        parent_R=parent_R,
        parents=len(further.arranged[parent].row_R),
        ordered=ordered,
    )


def referenced_rows(table: pa.Table, relation: Relation, database: Database) -> pa.Array:
    """Give the row of the lookup that each row names; missing where it names none."""
    number_R = row_numbers(table, relation, database.tables[relation.references_table])
    return pa.array(number_R, mask=number_R < 0)
