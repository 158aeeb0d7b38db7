"""From tables to codes, and from drawn codes to a synthetic database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Codec
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.identifier import IdentifierCodec
from kinsynth.columns.reference import POOLED, ReferenceCodec
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sketch import SketchCodec
from kinsynth.columns.storage import as_array
from kinsynth.encoded import (
    ALWAYS,
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
from kinsynth.pipeline.anchors import Anchor, Beside, DrawnReach, Reach, reach_arranged
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, Rows, TableCodec
from kinsynth.pipeline.exclusion import NOTHING_EXCLUDED, Excluded
from kinsynth.pipeline.further_keys import FurtherKeys, Reading, fit_keys, keys_parts
from kinsynth.pipeline.known import NOTHING_KNOWN, Known
from kinsynth.pipeline.other_rows import referenced_rows, row_counts, summed_rows
from kinsynth.pipeline.runs import first_rows
from kinsynth.pipeline.sketches import Children, as_values
from kinsynth.pipeline.stays import are_constant
from kinsynth.rules.enforce import enforce
from kinsynth.rules.order import Order, put_between
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.facts import KeyFacts
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.storage import cast_values, storage_type
from kinsynth.schema.table import Relation, Schema
from kinsynth.system.mapping import let_go
from kinsynth.system.randomness import uniforms

CHUNK_ROWS = 1 << 16


@dataclass(frozen=True)
class Drawn:
    """Drawn codes of one table.

    Attributes:
        encoded: The codes and, for child tables, the parent's row of each row.
        row_ids: Number of each row that its random numbers hang on, shape (R,).
        pointed: By further key the row of the target among all that are drawn, -1 for none.
    """

    encoded: EncodedTable
    row_ids: Rows
    pointed: Mapping[str, Rows] = field(default_factory=dict)


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
    return EncodedParts(head, rows.table.num_rows, rows.parent_R, chunks, links)


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


@dataclass(frozen=True)
class Decoded:
    """Values of some consecutive roots and everything under them; keys are not made yet.

    Attributes:
        tables: Columns that are no keys, by table.
        pointed: For each foreign key that is drawn the row it names, counted over all batches; -1 for none.
        rows: Number of rows by table.
    """

    tables: Mapping[str, pa.Table]
    pointed: Mapping[Relation, Rows]
    rows: Mapping[str, int]


def decode(
    drawn: Mapping[str, Drawn],
    codec: DatabaseCodec,
    schema: Schema,
    *,
    seed: int,
    before: Mapping[str, int],
    known: Mapping[str, Known] | None = None,
    excluded: Mapping[str, Excluded] | None = None,
    reach: DrawnReach | None = None,
    allotted: Mapping[Relation, Rows] = {},
    originals: Mapping[str, pa.Table] = {},
) -> Decoded:
    """Turn drawn codes into values.

    Args:
        drawn: Drawn codes of the tables of one tree, parents first.
        codec: How they were encoded.
        schema: Schema of the result.
        seed: Source of the randomness inside a code's range of values.
        before: Rows of each table in the batches before.
        known: Cells that come back as they were given, by root table.
        excluded: What no rule may write, by table.
        reach: What the batches before told of their rows, to which this one adds; None for the first.
        allotted: For references that lead to pools the row that each row of all batches names; of others
            chance decides for each row by itself.
        originals: The original tables, whose keys rules may read and whose cells may be repeated.

    Guarantees:
        Batches of any size, put together, give the same values.
    """
    structure, named = find_structure(schema), {str(relation): relation for relation in schema.relations}
    tables: dict[str, pa.Table] = {}
    found: dict[Relation, Rows] = {}
    reach = reach or DrawnReach(codec.anchors, structure, originals)
    for name, part in drawn.items():
        table_codec = codec.tables[name]
        given, first = (known or {}).get(name, NOTHING_KNOWN), before.get(name, 0)
        apart = (excluded or {}).get(name, NOTHING_EXCLUDED)
        owner = structure.parent_relation[name]
        if owner is not None and part.encoded.parent_R is not None:
            found[owner] = part.encoded.parent_R + before.get(owner.references_table, 0)
        found |= {named[key]: rows for key, rows in part.pointed.items()}
        source = first_rows(part, drawn.get(table_codec.parent or ""), codec.stays(name))
        for factor, named_R in decode_references(part, table_codec, source, seed=seed):
            relation = next(
                one for one in structure.reference_relations[name] if one.columns == factor.columns
            )
            row_R = given.reference_over(relation, named_R, first)
            if relation in allotted:
                settled_R = allotted[relation][first : first + len(row_R)]
                row_R = np.where(row_R <= POOLED, settled_R, row_R)
            found[relation] = _any_rows(row_R, factor, part, table_codec, seed=seed)
        reach.add_keys(name, first, found)
        numbers = np.arange(first, first + part.encoded.rows)
        anchors = dict(Beside({}, table_codec.anchors, reach, numbers))
        values = _decode_table(
            part, table_codec, anchors, given, apart, source=source, seed=seed, first=first
        )
        pairs = [pair for group, arrays in values.items() for pair in zip(group, arrays, strict=True)]
        read = {**anchors, **_read_keys(table_codec, structure, schema, found, originals)}
        columns = {**given.all_written_over(dict(pairs), first), **read}
        ruled = _with_rules(columns, part, table_codec, apart, given, seed=seed, first=first)
        tables[name] = pa.table({column: one for column, one in ruled.items() if column not in read})
        reach.add_cells(name, first, ruled)
    rows = {name: part.encoded.rows for name, part in drawn.items()}
    return Decoded(tables=tables, pointed=found, rows=rows)


def _read_keys(
    codec: TableCodec,
    structure: Structure,
    schema: Schema,
    pointed: Mapping[Relation, Rows],
    originals: Mapping[str, pa.Table],
) -> dict[str, pa.Array]:
    """Give the keys of original rows that the rules of a table read, as its own columns hold them."""
    wanted = {name for rule in codec.rules for name in rule.columns}
    return {
        name: keys_of_rows(schema, relation, name, pointed[relation], originals)
        for relation in structure.reference_relations[codec.name]
        for name in relation.columns
        if name in wanted
    }


def keys_of_rows(
    schema: Schema, relation: Relation, name: str, row_R: Rows, originals: Mapping[str, pa.Table]
) -> pa.Array:
    """Give a column of a foreign key for the original rows it names; missing for -1."""
    reference = relation.references_columns[relation.columns.index(name)]
    cells = as_array(originals[relation.references_table][reference])
    values = cells.take(pa.array(row_R, mask=row_R < 0))
    return as_array(cast_values(values, storage_type(schema.tables[relation.table].column(name).storage)))


def _with_rules(
    columns: Mapping[str, Any],
    drawn: Drawn,
    codec: TableCodec,
    apart: Excluded,
    given: Known,
    *,
    seed: int,
    first: int,
) -> dict[str, Any]:
    """Make drawn values keep the rules of the table, and add the columns that follow from them.

    What is given counts for the columns that follow from it, and comes back whatever a rule says.
    """
    if not codec.rules:
        return dict(columns)
    plain = {column: as_array(values) for column, values in columns.items()}

    def keep(written: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        return given.all_written_over(apart.put_back(written, plain), first)

    stream = f"{codec.name}/rules"
    spare: dict[str, pa.Array] = {}
    for _, factor in _anchors_first(codec.factors):
        if factor.columns[:1] and factor.columns[0] in codec.fills:
            spare[factor.columns[0]] = _spare(factor, plain, spare, drawn, codec, seed=seed)
    return enforce(codec.rules, plain, spare, seed=seed, stream=stream, row_ids=drawn.row_ids, keep=keep)


def _spare(
    factor: Factor,
    columns: Mapping[str, pa.Array],
    spare: Mapping[str, pa.Array],
    drawn: Drawn,
    codec: TableCodec,
    *,
    seed: int,
) -> pa.Array:
    """Draw a present value of a column for every row."""
    fill, stream = codec.fills[factor.columns[0]], f"{codec.name}/spare/{factor.columns[0]}"
    draws = max(1, factor.codec.draws)
    uniform_RD = uniforms(seed, stream, drawn.row_ids, draws=fill.draws + draws)
    codes_RC, uniform_RD = fill.draw(uniform_RD[:, draws:]), uniform_RD[:, :draws]
    if isinstance(factor.codec, RelativeCodec):
        anchor = pc.coalesce(columns[factor.anchor], spare.get(factor.anchor, factor.codec.middle))
        return factor.codec.decode(codes_RC, uniform_RD, pc.coalesce(anchor, factor.codec.middle))
    if isinstance(factor.codec, EchoCodec):
        return factor.codec.inner.decode(codes_RC, uniform_RD)[0]
    assert not isinstance(factor.codec, SequenceCodec), "no rule changes the order of rows"
    return factor.codec.decode(codes_RC, uniform_RD)[0]


def first_rows(drawn: Drawn, owner: Drawn | None, stays: Mapping[str, Stay]) -> dict[str, pa.Array]:
    """Give for each column that stays the same the row whose value each row has: its own or an earlier one.

    A row whose codes are not those of the row before, because a condition said so, begins anew.
    """
    parent_R = drawn.encoded.parent_R
    if not stays or owner is None or parent_R is None:
        return {}
    codes_RC, said_PC = drawn.encoded.codes_RC, owner.encoded.codes_RC
    found = {}
    for column, stay in stays.items():
        repeats_R = np.append(False, parent_R[1:] == parent_R[:-1])[: len(parent_R)]
        if stay.said != ALWAYS:
            repeats_R &= said_PC[parent_R, stay.said] == stay.same
        repeats_R[1:] &= stay.repeats(codes_RC[1:], codes_RC[:-1])
        rows = np.arange(len(parent_R))
        found[column] = pa.array(np.maximum.accumulate(np.where(repeats_R, 0, rows)))
    return found


def decode_references(
    drawn: Drawn, codec: TableCodec, source: Mapping[str, pa.Array], *, seed: int
) -> Iterator[tuple[Factor, Rows]]:
    """Give for each reference the row that each row names: -1 for none, ``POOLED`` or below for a pool.

    Args:
        drawn: Drawn codes of a table.
        codec: How it was encoded.
        source: For references that stay the same the row whose reference each row has.
        seed: Source of the randomness that stands for what must not be told.
    """
    for number, (factor, span) in enumerate(zip(codec.factors, codec.spans, strict=True)):
        if factor.kind == "reference":
            codes_RC, stream = (
                drawn.encoded.codes_RC[:, span].astype(np.int32),
                f"{codec.name}/decode/{number}",
            )
            assert isinstance(factor.codec, ReferenceCodec), "a reference"
            uniform_RD = _uniforms_of(factor.codec, codes_RC, drawn.row_ids, seed, stream)
            rows = as_array(factor.codec.decode(codes_RC, uniform_RD)[0])
            if factor.columns[0] in source:
                rows = rows.take(source[factor.columns[0]])
            yield factor, rows.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _any_rows(row_R: Rows, factor: Factor, drawn: Drawn, codec: TableCodec, *, seed: int) -> Rows:
    """Give any row of the pool to each row that has none yet."""
    left = np.flatnonzero(row_R <= POOLED)
    if not len(left):
        return row_R
    assert isinstance(factor.codec, ReferenceCodec), "a reference"
    stream = f"{codec.name}/pool/{factor.columns[0]}"
    uniform_L = uniforms(seed, stream, drawn.row_ids[left])[:, 0]
    row_R = row_R.copy()
    row_R[left] = factor.codec.any_rows(row_R[left], uniform_L)
    return row_R


def _decode_table(
    drawn: Drawn,
    codec: TableCodec,
    anchors: Mapping[str, pa.Array],
    given: Known,
    apart: Excluded,
    *,
    source: Mapping[str, pa.Array],
    seed: int,
    first: int,
) -> dict[tuple[str, ...], tuple[Any, ...]]:
    values: dict[tuple[str, ...], tuple[Any, ...]] = {}
    spans = codec.spans
    unread = codec.computed - apart.columns
    for number, factor in _anchors_first(codec.factors):
        if factor.kind in ("count", "sketch", "reference") or unread & {*factor.columns}:
            continue
        codes_RC = drawn.encoded.codes_RC[:, spans[number]].astype(np.int32)
        if isinstance(factor.codec, IdentifierCodec):
            numbers = np.arange(first, first + len(codes_RC), dtype=np.int64)
            values[factor.columns] = factor.codec.decode_at(codes_RC, numbers)
            continue
        uniform_RD = _draw_uniforms(drawn, codec, number, codes_RC, seed)
        if isinstance(factor.codec, RelativeCodec):
            anchor = anchors.get(factor.anchor)
            if anchor is None:
                anchor = given.written_over(factor.anchor, as_array(values[(factor.anchor,)][0]), first)
            values[factor.columns] = (factor.codec.decode(codes_RC, uniform_RD, anchor),)
        elif isinstance(factor.codec, EchoCodec):
            there = anchors[factor.anchor]
            values[factor.columns] = (factor.codec.decode(codes_RC, uniform_RD, there),)
        elif isinstance(factor.codec, SequenceCodec):
            parent_R = drawn.encoded.parent_R
            assert parent_R is not None, "a sequence has a parent"
            walked = factor.codec.decode(codes_RC, uniform_RD, parent_R, anchors.get(factor.anchor))
            values[factor.columns] = (_put_between(walked, factor.columns[0], codec, anchors, parent_R),)
        else:
            values[factor.columns] = factor.codec.decode(codes_RC, uniform_RD)
        if factor.columns[0] in source:
            row_R = source[factor.columns[0]]
            values[factor.columns] = tuple(one.take(row_R) for one in values[factor.columns])
    return values


def _draw_uniforms(
    drawn: Drawn, codec: TableCodec, number: int, codes_RC: IntArray, seed: int
) -> NDArray[np.float64]:
    """Give the uniforms that decoding a factor needs; rows of a run of made-up texts have the same."""
    factor = codec.factors[number]
    uniform_RD = _uniforms_of(factor.codec, codes_RC, drawn.row_ids, seed, f"{codec.name}/decode/{number}")
    column, parent_R = factor.columns[0], drawn.encoded.parent_R
    if column not in codec.runs:
        return uniform_RD
    assert parent_R is not None, "only rows of an owner have runs"
    turn_R = uniforms(seed, f"{codec.name}/runs/{column}", drawn.row_ids)[:, 0]
    return uniform_RD[first_rows(codes_RC, parent_R, codec.runs[column], turn_R)]


def _uniforms_of(
    codec: Codec | RelativeCodec | SequenceCodec | EchoCodec,
    codes_RC: IntArray,
    row_ids: Rows,
    seed: int,
    stream: str,
) -> NDArray[np.float64]:
    """Give the uniforms that decoding needs; for categories those of the few rows that need one."""
    if not isinstance(codec, CategoricalCodec):
        return uniforms(seed, stream, row_ids, draws=max(1, codec.draws))
    uniform_RD, needed_R = np.zeros((len(codes_RC), 1)), codec.undecided(codes_RC)
    uniform_RD[needed_R] = uniforms(seed, stream, row_ids[needed_R])
    return uniform_RD


def _anchors_first(factors: Sequence[Factor]) -> list[tuple[int, Factor]]:
    """Give numbered factors so that each relative column stands behind its anchor."""
    waiting = list(enumerate(factors))
    found: list[tuple[int, Factor]] = []
    while waiting:
        open_names = {factor.columns[:1] for _, factor in waiting}
        number, factor = next(
            one for one in waiting if one[1].kind != "relative" or (one[1].anchor,) not in open_names
        )
        waiting.remove((number, factor))
        found.append((number, factor))
    return found


def _put_between(
    values: pa.Array, name: str, codec: TableCodec, anchors: Mapping[str, pa.Array], parent_R: Rows
) -> pa.Array:
    """Give the order column, between moments of owners that no row of the source lies beyond.

    A moment of a row that is pointed at bounds this row only, as in other columns: the others stay.
    """
    shared = {anchor.name for anchor in codec.anchors if anchor.shared}
    orders = [rule for rule in codec.rules if isinstance(rule, Order) and rule.writes == (name,)]
    orders = [rule for rule in orders if shared & {*rule.columns}]
    return put_between(orders, {**anchors, name: values}, name, parent_R) if orders else values
