"""Large lookups: rows of an original table in groups of like rows, at which like rows point.

A reference to one of thousands of rows is drawn in two steps, a group and a row of it. What goes with a row
is learned from few rows, what goes with a group from many: so groups are leaves of a tree over the lookup's
own columns. Within a leaf rows stand by how many rows point at them, and are cut into runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Codec
from kinsynth.columns.categorical import CategoricalCodec, build_categorical
from kinsynth.columns.registry import column_type
from kinsynth.columns.storage import as_array
from kinsynth.encoded import CodeArray, EncodedParts, SubColumn
from kinsynth.engine.grouping import fit_grouping
from kinsynth.engine.profile import profile_rows
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, Rows, TableCodec
from kinsynth.pipeline.encoding import encode_parts
from kinsynth.pipeline.other_rows import referenced_rows
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Relation
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

MOST_LEAVES = 256
_PUBLIC = Protection(rare_minimum=1, extreme_minimum=1)
_UNREAD = ("identifier", "text")


def group_lookups(database: Database, codec: DatabaseCodec, *, minimum: int, seed: int = 0) -> DatabaseCodec:
    """Arrange the rows of every large lookup in groups of like rows.

    Args:
        database: The rows the model may see.
        codec: How its tables become codes.
        minimum: Rows of a lookup that a leaf has, at least.
        seed: Source of the projections by which leaves are found.

    Guarantees:
        The same rows are referenced as before; only their order among the codes changes.
    """
    structure = find_structure(database.schema)
    if not any(_is_large(factor) for table in codec.tables.values() for factor in table.factors):
        return codec
    parts, tables = encode_parts(database, codec), dict(codec.tables)
    for name, table in codec.tables.items():
        if any(_is_large(factor) for factor in table.factors):
            lookups = {one.columns: one for one in structure.reference_relations[name]}
            tables[name] = _grouped(table, lookups, database, parts, minimum=minimum, seed=seed)
    return replace(codec, tables=tables)


def _is_large(factor: Factor) -> bool:
    return factor.kind == "reference" and getattr(factor.codec, "group", None) is not None


def _grouped(
    table: TableCodec,
    lookups: Mapping[tuple[str, ...], Relation],
    database: Database,
    parts: Mapping[str, EncodedParts],
    *,
    minimum: int,
    seed: int,
) -> TableCodec:
    """Arrange the large lookups of one table."""
    rows, owner = parts[table.name].whole(), None if table.parent is None else parts[table.parent].whole()
    factors = list(table.factors)
    for number, (factor, span) in enumerate(zip(table.factors, table.spans, strict=True)):
        if _is_large(factor) and isinstance(factor.codec, CategoricalCodec):
            place_R = factor.codec.places(rows.codes_RC[:, span].astype(np.int32))
            kept = pa.array(factor.codec.kept)
            codes_TC, subs = _encode_lookup(database, lookups[factor.columns].references_table, kept)
            profile_TP, weight_T = profile_rows(
                place_R, rows, owner, targets=len(kept), seed=seed, hidden=range(span.start, span.stop)
            )
            alone_T = np.arange(len(kept), dtype=np.int64)
            grouping = fit_grouping(
                codes_TC, subs, profile_TP, weight_T, alone_T, minimum=minimum, most=MOST_LEAVES, seed=seed
            )
            degree_T = np.bincount(place_R[place_R >= 0], minlength=len(kept))
            order_T, ends = cut_groups(grouping.of(codes_TC), degree_T)
            factors[number] = replace(factor, codec=factor.codec.arranged(order_T.tolist(), ends))
    return replace(table, factors=tuple(factors))


def cut_groups(leaf_T: Rows, degree_T: Rows) -> tuple[Rows, tuple[int, ...]]:
    """Order rows by leaf and, within it, from often to seldom referenced; cut leaves into runs of equal size.

    Returns:
        The order, and the place behind the last row of each run: of at most the square root of all rows.

    >>> cut_groups(np.array([1, 0, 1, 1]), np.array([2, 5, 9, 4]))
    (array([1, 2, 3, 0]), (1, 3, 4))
    """
    order_T = np.lexsort((-degree_T, leaf_T))
    most = max(1, math.isqrt(len(leaf_T)))
    ends: list[int] = []
    for size in np.bincount(leaf_T).tolist():
        first, runs = (ends or [0])[-1], -(-size // most)
        ends += [first + -(-size * run // runs) for run in range(1, runs + 1)]
    return order_T, tuple(ends)


def _encode_lookup(
    database: Database, lookup: str, kept: pa.Array
) -> tuple[CodeArray, tuple[SubColumn, ...]]:
    """Turn what is known of some rows of a lookup into codes, shape (T, C). Its rows are public."""
    codes, subs = [np.zeros((len(kept), 1), dtype=np.int32)], [SubColumn(0, 1)]
    for number, (values, codec) in enumerate(_lookup_columns(database, lookup, kept), start=1):
        codes.append(codec.encode(values))
        subs += [replace(sub, column=number, forbidden_K=None) for sub in codec.sub_columns]
    return np.concatenate(codes, axis=1), tuple(subs)


def _lookup_columns(
    database: Database, lookup: str, kept: pa.Array
) -> Iterator[tuple[tuple[pa.Array, ...], Codec]]:
    """Give the columns of a lookup that say what a row is like, and the rows it references itself."""
    shape, table = database.schema.tables[lookup], database.tables[lookup].take(kept)
    outgoing = [one for one in database.schema.outgoing(lookup) if one.references_table != lookup]
    done = {*shape.primary_key, *(column for one in outgoing for column in one.columns)}
    for relation in outgoing:
        values = (referenced_rows(table, relation, database),)
        yield values, build_categorical(column_type("categorical").fit(values, None), Column(), _PUBLIC)
    for column in shape.columns:
        if column.name in done or column.type in _UNREAD:
            continue
        names = (column.name,) if column.pair is None else (column.name, column.pair)
        done |= {*names}
        kind, values = column_type(column.type), tuple(as_array(table[name]) for name in names)
        yield values, kind.build(kind.fit(values, None), Column(), _PUBLIC, text=column.text)
