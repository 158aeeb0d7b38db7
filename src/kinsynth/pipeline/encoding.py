"""From tables to codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sketch import SketchCodec
from kinsynth.columns.storage import as_array
from kinsynth.encoded import (
    CodeArray,
    Encoded,
    EncodedParts,
    EncodedTable,
    Ending,
    IntArray,
    Link,
    Stay,
    code_type,
)
from kinsynth.pipeline.anchors import Anchor, Reach, reach_arranged
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, Rows, TableCodec
from kinsynth.pipeline.further_keys import FurtherKeys, Reading, fit_keys, keys_parts
from kinsynth.pipeline.other_rows import referenced_rows, row_counts, summed_rows
from kinsynth.pipeline.sketches import Children, as_values
from kinsynth.pipeline.stays import are_constant
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.facts import KeyFacts
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.table import Relation
from kinsynth.system.mapping import let_go

CHUNK_ROWS = 1 << 16


def encode(database: Database, codec: DatabaseCodec) -> Encoded:
    """Turn every synthesised table into codes, rows arranged under their parents."""
    return Encoded({name: table.whole() for name, table in encode_parts(database, codec).items()})


def encode_parts(
    database: Database, codec: DatabaseCodec, *, chunk_rows: int = CHUNK_ROWS
) -> dict[str, EncodedParts]:
    """Make every synthesised table ready to be turned into codes, about ``chunk_rows`` rows at a time.

    Guarantees:
        Chunks of any size, put together, are the same codes: rows of one parent are never parted.
    """
    structure = find_structure(database.schema)
    arranged = arrange(database, structure)
    further = FurtherKeys(database, structure, arranged)
    tables = {name: rows.take(database.tables[name]) for name, rows in arranged.items()}
    reach = reach_arranged(further)
    parts, sketches = {}, _sketches(database, codec, further)
    for name, table_codec in codec.tables.items():
        rows = _Rows(
            table=tables[name],
            parent_R=arranged[name].parent_R,
            alone=arranged[name].alone,
            anchors=table_codec.anchors,
            reach=reach,
            counts=row_counts(further, name),
            references={
                relation.columns: referenced_rows(tables[name], relation, database)
                for relation in structure.reference_relations[name]
            },
            sketches=sketches[name],
        )
        stays = tuple(codec.stays(name).values())
        parts[name] = _table_parts(table_codec, rows, further.links(name), stays, chunk_rows)
    parts |= keys_parts(codec.keys, further, parts)
    return {name: parts[name] for name in codec.names}


def with_keys(
    database: Database, codec: DatabaseCodec, facts: Mapping[Relation, KeyFacts], *, minimum: int
) -> DatabaseCodec:
    """Fit the codecs of further keys beside those of the tables.

    Args:
        database: The rows the model may see.
        codec: How its tables become codes.
        facts: What always holds of each key.
        minimum: Roots that a group of rows needs.
    """
    structure = find_structure(database.schema)
    codec = replace(
        codec, tables={name: _with_unlike(one, structure, facts) for name, one in codec.tables.items()}
    )
    further = FurtherKeys(database, structure, arrange(database, structure))
    readings = _read_references(structure, codec)
    keys = fit_keys(further, facts, encode_parts(database, codec), readings, minimum=minimum)
    implied = {
        str(one): tuple(str(step) for step in facts[one].implied)
        for several in structure.implied.values()
        for one in several
    }
    return replace(codec, keys=keys, implied=implied)


def _read_references(structure: Structure, codec: DatabaseCodec) -> dict[Relation, Reading]:
    """Tell how the codes of a table say which row of an original table is referenced."""
    found: dict[Relation, Reading] = {}
    for name, table_codec in codec.tables.items():
        by_columns = {relation.columns: relation for relation in structure.reference_relations[name]}
        for factor, span in zip(table_codec.factors, table_codec.spans, strict=True):
            if factor.kind == "reference":
                found[by_columns[factor.columns]] = _read_reference(factor, span)
    return found


def _read_reference(factor: Factor, span: slice) -> Reading:
    assert isinstance(factor.codec, CategoricalCodec), "a reference is a category"
    place_K = factor.codec.places(factor.codec.all_codes())
    row_K = np.append(factor.codec.kept.to_numpy(zero_copy_only=False), -1)[np.maximum(place_K, -1)]
    row_K = np.maximum(row_K, -1)  # a pool is no row
    return tuple(range(span.start, span.stop)), tuple(row_K.astype(np.int64).tolist())


def _with_unlike(codec: TableCodec, structure: Structure, facts: Mapping[Relation, KeyFacts]) -> TableCodec:
    """Note which references of a table to one original table never name the same row."""
    numbers = {
        factor.columns: number for number, factor in enumerate(codec.factors) if factor.kind == "reference"
    }
    pairs = [
        sorted((numbers[other.columns], numbers[one.columns]))
        for one in structure.reference_relations[codec.name]
        for other in facts[one].avoid
    ]
    return replace(codec, unlike=tuple((first, second) for first, second in pairs))


def _unlike(codec: TableCodec) -> tuple[tuple[Ending, Ending], ...]:
    """Give what codes of a row stand for that never is the same."""

    def ending(number: int) -> Ending:
        return Ending((), *_read_reference(codec.factors[number], codec.spans[number]))

    return tuple((ending(first), ending(second)) for first, second in codec.unlike)


def _sketches(
    database: Database, codec: DatabaseCodec, further: FurtherKeys
) -> dict[str, dict[Factor, pa.Array]]:
    """Give the summaries of other rows that the rows of each table tell."""
    found: dict[str, dict[Factor, pa.Array]] = {name: {} for name in codec.tables}
    wanted = {
        (name, factor.child): [
            one for one in table.factors if one.kind == "sketch" and one.child == factor.child
        ]
        for name, table in codec.tables.items()
        for factor in table.factors
        if factor.kind == "sketch"
    }
    if wanted:
        for name, about, children in summed_rows(codec.tables, database, further):
            for factor in wanted.get((name, about), ()):
                assert isinstance(factor.codec, SketchCodec), "a sketch"
                column, statistic = factor.codec.column, factor.codec.statistic
                summary = (
                    _constant(codec.tables[about], column, children)
                    if factor.stays
                    else children.summarise(column, statistic)
                )
                found[name][factor] = as_values(summary)
    return found


def _constant(codec: TableCodec, column: str, children: Children) -> NDArray[np.float64]:
    """Tell which parents' rows agree on the factor that begins with a column."""
    columns = next(one.columns for one in codec.read_factors if one.columns[:1] == (column,))
    values = tuple(as_array(children.table[one]) for one in columns)
    return are_constant(values, children.parent_R, children.parents)


def _table_parts(
    codec: TableCodec, rows: _Rows, links: tuple[Link, ...], stays: tuple[Stay, ...], chunk_rows: int
) -> EncodedParts:
    subs = codec.sub_columns
    kind = code_type(sub.cardinality for sub in subs)

    def chunks() -> Iterator[CodeArray]:
        for stretch in cut_rows(rows.parent_R, rows.table.num_rows, most=chunk_rows):
            codes_RC = np.zeros((stretch.stop - stretch.start, len(subs)), np.int32)
            for factor, span in zip(codec.factors, codec.spans, strict=True):
                codes_RC[:, span] = rows.encode(factor, stretch)
            # Checked before they are narrowed: a wrong code must not wrap round to a right one.
            yield EncodedTable(codes_RC, subs).codes_RC.astype(kind)
            let_go()

    none = None if codec.parent is None else np.zeros(0, dtype=np.int64)
    no_links = tuple(replace(link, row_R=link.row_R[:0]) for link in links)
    head = EncodedTable(
        np.zeros((0, len(subs)), kind),
        subs,
        codec.parent,
        none,
        codec.counts,
        codec.ordered,
        no_links,
        stays=stays,
        unlike=_unlike(codec),
        together=codec.together,
    )
    return EncodedParts(head, rows.table.num_rows, rows.parent_R, chunks, links, rows.alone)


def cut_rows(parent_R: Rows | None, rows: int, *, most: int) -> list[slice]:
    """Cut rows into stretches of about ``most`` rows; rows of one parent stay together.

    >>> cut_rows(np.array([0, 0, 1, 1]), 4, most=3)
    [slice(0, 2, None), slice(2, 4, None)]
    """
    start = np.arange(0, rows, most)
    if parent_R is not None and rows:
        start = np.unique(np.searchsorted(parent_R, parent_R[start]))
    end = np.append(start[1:], rows)[: len(start)]
    return [slice(int(first), int(last)) for first, last in zip(start, end, strict=True)]


@dataclass(frozen=True)
class _Rows:
    """What the codes of one table are made of, everything in arranged order."""

    table: pa.Table
    parent_R: Rows | None
    alone: int
    anchors: tuple[Anchor, ...]
    reach: Reach
    counts: Mapping[str, Rows]
    references: Mapping[tuple[str, ...], pa.Array]
    sketches: Mapping[Factor, pa.Array]

    def encode(self, factor: Factor, rows: slice) -> IntArray:
        if isinstance(factor.codec, SequenceCodec):
            assert self.parent_R is not None, "a sequence has a parent"
            anchor = self._cells(factor.anchor, rows) if factor.anchor else None
            return factor.codec.encode(self._cells(factor.columns[0], rows), self.parent_R[rows], anchor)
        if isinstance(factor.codec, RelativeCodec | EchoCodec):
            pair = (self._cells(one, rows) for one in (factor.columns[0], factor.anchor))
            return factor.codec.encode(*pair)
        return factor.codec.encode(self._values(factor, rows))

    def _cells(self, name: str, rows: slice) -> pa.Array:
        for anchor in self.anchors:
            if anchor.name == name:
                return self.reach.values(anchor, np.arange(rows.start, rows.stop))
        return as_array(self.table[name][rows])

    def _values(self, factor: Factor, rows: slice) -> tuple[pa.Array, ...]:
        if factor.kind == "count":
            return (pa.array(self.counts[factor.child][rows]),)
        if factor.kind == "sketch":
            return (self.sketches[factor][rows],)
        if factor.kind == "reference":
            return (self.references[factor.columns][rows],)
        return tuple(as_array(self.table[column][rows]) for column in factor.columns)
