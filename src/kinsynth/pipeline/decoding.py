"""From drawn codes to values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from kinsynth.columns.storage import as_array
from kinsynth.encoded import (
    ALWAYS,
    OWNER,
    EncodedTable,
    IntArray,
    Path,
    Stay,
)
from kinsynth.engine.pointing import ask
from kinsynth.pipeline.anchors import Beside, DrawnReach
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, Rows, TableCodec
from kinsynth.pipeline.exclusion import NOTHING_EXCLUDED, Excluded
from kinsynth.pipeline.known import NOTHING_KNOWN, Known
from kinsynth.pipeline.runs import first_rows
from kinsynth.pipeline.successions import Succession
from kinsynth.rules.enforce import enforce
from kinsynth.rules.order import Order, put_between
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.storage import cast_values, storage_type
from kinsynth.schema.table import Relation, Schema
from kinsynth.system.randomness import uniforms


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


@dataclass(frozen=True)
class Decoded:
    """Values of some consecutive roots and everything under them; keys are not made yet.

    Attributes:
        tables: Columns that are no keys, by table.
        pointed: For each foreign key that is drawn the row it names, counted over all batches; -1 for none.
        rows: Number of rows by table.
        kinds: For each succession what kind of row each is as one that is pointed at, by its key.
    """

    tables: Mapping[str, pa.Table]
    pointed: Mapping[Relation, Rows]
    rows: Mapping[str, int]
    kinds: Mapping[str, Rows] = field(default_factory=dict)


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
            owner_R, ahead = part.encoded.owner_rows, before.get(owner.references_table, 0)
            found[owner] = np.where(owner_R < 0, -1, owner_R + ahead)
        found |= {named[key]: rows for key, rows in part.pointed.items()}
        source = find_sources(part, drawn.get(table_codec.parent or ""), codec.stays(name))
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
    kinds = {
        one.key: _find_kinds(one, codec, drawn, name)
        for name in drawn
        for one in codec.tables[name].successions
    }
    return Decoded(tables=tables, pointed=found, rows=rows, kinds=kinds)


def _find_kinds(succession: Succession, codec: DatabaseCodec, drawn: Mapping[str, Drawn], name: str) -> Rows:
    """Tell rows apart as those that a self reference leads to, by themselves and their owners.

    Their moment does not tell: it decides with which they are exchanged. Nor do the numbers of rows that
    point at them, and their levels: these they keep.
    """
    pointer = next(one for keys in codec.keys.values() for one in keys.pointers if one.key == succession.key)
    table, rows, part = codec.tables[name], drawn[name].encoded, codec.tables[name].parent
    ends: dict[Path, tuple[EncodedTable, Rows]] = {(): (rows, np.arange(rows.rows))}
    if part is not None:
        ends[OWNER,] = drawn[part].encoded, rows.owner_rows
    blind = {
        sub
        for factor, span in zip(table.factors, table.spans, strict=True)
        if succession.column in factor.columns or factor.child in (pointer.key, pointer.level)
        for sub in range(span.start, span.stop)
    }
    told = [path in ends and (path != () or sub not in blind) for path, sub in pointer.asked]
    asked = [one if known else ((), 0) for one, known in zip(pointer.asked, told, strict=True)]
    return pointer.grouping.kinds(ask(asked, ends), told) if asked else np.zeros(rows.rows, dtype=np.int64)


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


def find_sources(drawn: Drawn, owner: Drawn | None, stays: Mapping[str, Stay]) -> dict[str, pa.Array]:
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
            owned = drawn.encoded.owned
            repeats_R[:owned] &= said_PC[parent_R[:owned], stay.said] == stay.same
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
