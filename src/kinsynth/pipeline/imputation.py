"""Imputation: the empty cells of a table filled, by one draw or by the best single value.

Shape letters: R rows, D draws of a row, K distinct values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.restriction import is_empty
from kinsynth.encoded import EncodedTable
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.evidence import Condition
from kinsynth.engine.sampler import sample_several
from kinsynth.pipeline.codecs import TableCodec
from kinsynth.pipeline.decoding import Decoded, Drawn, decode, keys_of_rows
from kinsynth.pipeline.preparation import Prepared
from kinsynth.rules.referenced import Referenced
from kinsynth.schema.table import Schema

DRAWS = 256
_ORDERED = ("integer", "numeric", "date", "time", "datetime", "coordinates")
Index = NDArray[np.int64]


def fillable(codec: TableCodec, schema: Schema) -> tuple[str, ...]:
    """Give the columns that could be filled with missing values and need not be."""
    return tuple(
        column
        for factor in codec.factors
        if factor.kind not in ("count", "sketch") and not is_empty(factor.codec)
        for column in factor.columns
        if schema.tables[codec.name].column(column).nullable
    )


def best_rows(
    network: TableModel,
    ready: Prepared,
    name: str,
    *,
    rows: int,
    originals: Mapping[str, pa.Table],
    seed: int,
    temperature: float,
) -> Iterator[Decoded]:
    """Give, for the rows of a root table, the median of numbers and moments and the mode of the others.

    Each row is drawn many times given its known cells. Half of the draws or more missing is missing.
    What a rule computes is computed from these values.
    """
    blocks = sample_several(
        network,
        rows=rows,
        seed=seed,
        condition=ready.conditions.get(name, Condition()),
        draws=DRAWS,
        temperature=temperature,
    )
    first, layout = 0, network.layout
    for codes_RDC in blocks:
        here = len(codes_RDC)
        codes_BC = codes_RDC.reshape(here * DRAWS, codes_RDC.shape[2])
        flat = EncodedTable(codes_BC, layout.sub_columns, counts=layout.counts)
        ids = np.arange(first * DRAWS, (first + here) * DRAWS, dtype=np.int64)
        before = {name: first * DRAWS}
        several = decode(
            {name: Drawn(flat, ids)},
            ready.codec,
            ready.schema,
            seed=seed,
            before=before,
            excluded=ready.excluded,
            originals=originals,
        )
        yield _summarise(several, ready, name, originals, first=first, rows=here)
        first += here


def _summarise(
    several: Decoded,
    ready: Prepared,
    name: str,
    originals: Mapping[str, pa.Table],
    *,
    first: int,
    rows: int,
) -> Decoded:
    """Give one value for each row and column, known cells written over, computed ones from the others."""
    table, known = several.tables[name], ready.known[name]
    kinds = {column.name: column.type for column in ready.schema.tables[name].columns}
    columns = {
        column: known.written_over(column, _best(table[column], kinds[column], rows), first)
        for column in table.column_names
    }
    references = {
        relation: known.reference_over(
            relation, _best(pa.chunked_array([pa.array(row_R)]), "categorical", rows).to_numpy(), first
        )
        for relation, row_R in several.pointed.items()
    }
    keys = {
        column: keys_of_rows(ready.schema, relation, column, row_R, originals)
        for relation, row_R in references.items()
        for column in relation.columns
        if relation.references_table in originals
    }
    for rule in ready.codec.tables[name].rules:
        if rule.derives is not None or isinstance(rule, Referenced):
            written = rule.apply({**columns, **keys}, np.zeros((rows, 1)), {})
            columns |= known.all_written_over(ready.excluded[name].put_back(written, columns), first)
    return replace(several, tables={name: pa.table(columns)}, pointed=references, rows={name: rows})


def _best(values: pa.ChunkedArray, kind: str, rows: int) -> pa.Array:
    array = values.combine_chunks()
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if not len(array):
        return array
    if kind == "identifier":
        return array.take(pa.array(np.arange(rows) * DRAWS))
    place_R = median_places(array, rows) if kind in _ORDERED else mode_places(array, rows)
    return array.take(pa.array(place_R))


def median_places(values: pa.Array, rows: int) -> Index:
    """Give the place of the lower median of each row's draws; of a missing one where half are missing."""
    missing_RD = values.is_null().to_numpy(zero_copy_only=False).reshape(rows, -1)
    key_RD = np.where(missing_RD, np.inf, _on_a_line(values).reshape(rows, -1))
    order_RD = np.argsort(key_RD, axis=1, kind="stable")
    held_R = (~missing_RD).sum(axis=1)
    draws = key_RD.shape[1]
    rank_R = np.where(held_R * 2 > draws, (held_R - 1) // 2, draws - 1)
    place_R: Index = order_RD[np.arange(rows), rank_R] + np.arange(rows) * draws
    return place_R


def mode_places(values: pa.Array, rows: int) -> Index:
    """Give the place of a draw that holds each row's most frequent value; missing is a value here."""
    distinct = pc.unique(values)
    code_RD = pc.index_in(values, value_set=distinct).to_numpy(zero_copy_only=False).reshape(rows, -1)
    code_RD = code_RD.astype(np.int64)
    counts_RK = np.zeros((rows, len(distinct)), dtype=np.int64)
    np.add.at(counts_RK, (np.arange(rows)[:, None], code_RD), 1)
    best_R = counts_RK.argmax(axis=1)
    place_R: Index = (code_RD == best_R[:, None]).argmax(axis=1) + np.arange(rows) * code_RD.shape[1]
    return place_R


def _on_a_line(values: pa.Array) -> NDArray[np.float64]:
    """Give numbers that stand in the order of the values; 0 for missing ones."""
    kind = values.type
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        values = pc.cast(values, pa.int32())
    elif pa.types.is_temporal(kind):
        values = pc.cast(values, pa.int64())
    numbers: NDArray[np.float64] = pc.cast(values, pa.float64(), safe=False).fill_null(0.0).to_numpy()
    return numbers


def count_filled(given: pa.Table, filled: pa.Table) -> int:
    """Count the cells that were empty, or not there, and no longer are."""
    before = sum(
        given[one].null_count if one in given.column_names else given.num_rows for one in filled.column_names
    )
    empty: int = sum(column.null_count for column in filled.columns)
    return int(before) - empty
