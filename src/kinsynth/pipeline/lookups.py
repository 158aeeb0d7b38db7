"""Lookups: rows of an original table in groups of like rows, at which like rows point.

Rows that few roots reference stand in pools: leaves of a tree over the lookup's own columns, and over how
often other references name a row as far as that is told, so that what goes with kinds of rows is learned
though nothing is told of one row. Each pool knows how many rows point at each of its rows, not at which so
many do. Of rows that many roots reference, where they are more than one
token can tell, a group is drawn and then a row of it: within a leaf rows stand by how many rows point at
them, and are cut into runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Codec
from kinsynth.columns.categorical import build_categorical
from kinsynth.columns.count import build_count
from kinsynth.columns.reference import POOLED, Pool, ReferenceCodec, find_places
from kinsynth.columns.registry import column_type
from kinsynth.columns.storage import as_array
from kinsynth.encoded import CodeArray, EncodedParts, SubColumn
from kinsynth.engine.grouping import fit_grouping
from kinsynth.engine.profile import profile_rows
from kinsynth.pipeline.codecs import DatabaseCodec, Rows
from kinsynth.pipeline.encoding import encode_parts
from kinsynth.pipeline.further_keys import FurtherKeys
from kinsynth.pipeline.other_rows import count_protected, referenced_rows
from kinsynth.privacy.protection import Holders, OwnRoots, group_until_safe
from kinsynth.schema.arrange import arrange
from kinsynth.schema.chance import never_repeats
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Relation, Schema
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

MOST_LEAVES = 256
MOST_CLASSES = 16
_PUBLIC = Protection(rare_minimum=1, extreme_minimum=1)
_UNREAD = ("identifier", "text")


def group_lookups(
    database: Database,
    codec: DatabaseCodec,
    *,
    whole: Database | None = None,
    protection: Protection,
    seed: int = 0,
) -> DatabaseCodec:
    """Arrange the rows of lookups: those of large ones in groups, those of pools by kind and in-degree.

    Args:
        database: The rows the model may see.
        codec: How its tables become codes.
        whole: All rows, for the in-degrees: those of a part are others. None where that is all there is.
        protection: How many roots must stand behind what is told.
        seed: Source of the projections by which leaves are found.

    Guarantees:
        The same rows are referenced as before, or stand in pools. Enough roots reference each pool, where
        enough do all of them together.
    """
    if not any(_is_arranged(factor.codec) for table in codec.tables.values() for factor in table.factors):
        return codec
    structure = find_structure(database.schema)
    seen = _Rows.of(database)
    every = seen if whole is None else _Rows.of(whole)
    encoded, tables = encode_parts(database, codec), dict(codec.tables)
    naming = _naming(structure.reference_relations, codec)
    for name, table in codec.tables.items():
        lookups = {one.columns: one for one in structure.reference_relations[name]}
        factors = list(table.factors)
        for number, factor in enumerate(table.factors):
            if _is_arranged(factor.codec):
                stays = factor.columns[0] in codec.stays(name)
                relation = lookups[factor.columns]
                others = tuple(
                    other
                    for key, other in naming.items()
                    if key != relation and key.references_table == relation.references_table
                )
                one = _Lookup(seen, every, encoded, relation, protection, seed, stays, others)
                factors[number] = replace(factor, codec=one.arranged(factor.codec, table.spans[number]))
        tables[name] = replace(table, factors=tuple(factors))
    return replace(codec, tables=tables)


def state_once(schema: Schema, codec: DatabaseCodec) -> Schema:
    """State in the schema of the result which references never name the same row twice."""
    found = {
        name: [
            one.columns for one in table.factors if isinstance(one.codec, ReferenceCodec) and one.codec.once
        ]
        for name, table in codec.tables.items()
    }
    tables = {name: table.with_unique(found.get(name, ())) for name, table in schema.tables.items()}
    return replace(schema, tables=tables)


def _naming(
    relations: Mapping[str, Sequence[Relation]], codec: DatabaseCodec
) -> dict[Relation, ReferenceCodec]:
    """Give the codec of each reference."""
    codecs = {(name, one.columns): one.codec for name, table in codec.tables.items() for one in table.factors}
    found = {one: codecs.get((name, one.columns)) for name, some in relations.items() for one in some}
    return {one: each for one, each in found.items() if isinstance(each, ReferenceCodec)}


def _is_arranged(codec: object) -> TypeGuard[ReferenceCodec]:
    return isinstance(codec, ReferenceCodec) and bool(codec.pools or codec.group is not None)


@dataclass(frozen=True)
class _Rows:
    """Rows of a database, and their order under their owners."""

    database: Database
    further: FurtherKeys

    @classmethod
    def of(cls, database: Database) -> _Rows:
        """Arrange a database."""
        structure = find_structure(database.schema)
        return cls(database, FurtherKeys(database, structure, arrange(database, structure)))

    def named(self, relation: Relation) -> Rows:
        """Give the row of the lookup that each row names, -1 for none, shape (R,)."""
        columns = self.database.tables[relation.table].select(list(relation.columns))
        table = self.further.arranged[relation.table].take(columns)
        found = referenced_rows(table, relation, self.database).fill_null(-1)
        row_R: Rows = found.to_numpy(zero_copy_only=False).astype(np.int64)
        return row_R


@dataclass(frozen=True)
class _Lookup:
    """A reference, and what its codec is arranged from.

    Attributes:
        seen: The rows the model may see, in the order of the codes.
        every: All rows.
        encoded: Their codes.
        relation: The reference.
        protection: How many roots must stand behind what is told.
        seed: Source of projections.
        stays: Whether rows of one owner name the row that the first one names.
        others: Codecs of the other references to the lookup.
    """

    seen: _Rows
    every: _Rows
    encoded: Mapping[str, EncodedParts]
    relation: Relation
    protection: Protection
    seed: int
    stays: bool
    others: tuple[ReferenceCodec, ...]

    def arranged(self, codec: ReferenceCodec, span: slice) -> ReferenceCodec:
        """Give the codec with its rows in groups and pools."""
        row_R, every_R = self.seen.named(self.relation), self.every.named(self.relation)
        targets = self.seen.database.tables[self.relation.references_table].num_rows
        codec = replace(codec, once=never_repeats([every_R[every_R >= 0]], targets))
        if codec.pools:
            codec = self._with_degrees(self._pooled(codec, row_R, span), every_R)
        return codec if codec.group is None else self._grouped(codec, row_R, span)

    def _leaves(self, row_N: Rows, place_R: Rows, span: slice, others: Sequence[ReferenceCodec] = ()) -> Rows:
        """Give the leaf of each of some rows of the lookup, from 0 on, shape (N,)."""
        rows = self.encoded[self.relation.table].whole()
        owner = None if rows.parent is None else self.encoded[rows.parent].whole()
        codes_NC, subs = _encode_lookup(self.seen.database, self.relation.references_table, pa.array(row_N))
        for other in others:
            code_N, sub = encode_told(row_N, other, column=subs[-1].column + 1)
            codes_NC, subs = np.column_stack([codes_NC, code_N]), (*subs, sub)
        profile_NP, weight_N = profile_rows(
            place_R,
            rows,
            owner,
            targets=len(row_N),
            seed=self.seed,
            hidden=range(span.start, span.stop),
        )
        grouping = fit_grouping(
            codes_NC,
            subs,
            profile_NP,
            weight_N,
            np.arange(len(row_N), dtype=np.int64),
            minimum=self.protection.rare_minimum,
            most=MOST_LEAVES,
            seed=self.seed,
        )
        return grouping.of(codes_NC)

    def _pooled(self, codec: ReferenceCodec, row_R: Rows, span: slice) -> ReferenceCodec:
        """Cut the pool by what kind its rows are, each part with enough roots."""
        row_N = np.array(codec.pools[0].rows, dtype=np.int64)
        place_R = find_places(row_R, row_N)
        pool_N = self._leaves(row_N, place_R, span, self.others)
        some = np.flatnonzero(place_R >= 0)
        held = tuple(unit_R[some] for unit_R in self.seen.further.units[self.relation.table])
        roots = Holders(held) if held else OwnRoots(np.ones(len(some), dtype=np.int64))
        whole = np.arange(int(pool_N.max()) + 1)
        joined = group_until_safe(whole, pool_N[place_R[some]], roots, minimum=self.protection.rare_minimum)[
            pool_N
        ]
        if joined.max() == 0:
            return codec
        return codec.split(joined, np.bincount(joined[place_R[some]], minlength=int(joined.max()) + 1))

    def _with_degrees(self, codec: ReferenceCodec, row_R: Rows) -> ReferenceCodec:
        """Let each pool know how many rows point at each of its rows; of rows that repeat one, the first."""
        parent_R = self.every.further.arranged[self.relation.table].parent_R
        if self.stays and parent_R is not None:
            begins_R = np.append(True, (parent_R[1:] != parent_R[:-1]) | (row_R[1:] != row_R[:-1]))
            row_R = np.where(begins_R[: len(row_R)], row_R, -1)
        return replace(codec, pools=tuple(self._counted(pool, row_R) for pool in codec.pools))

    def _counted(self, pool: Pool, row_R: Rows) -> Pool:
        place_R = find_places(row_R, np.array(pool.rows, dtype=np.int64))
        minimum = max(self.protection.rare_minimum, self.protection.extreme_minimum)
        units = self.every.further.units[self.relation.table]
        count_N = count_protected(place_R, units, len(pool.rows), minimum)
        own = OwnRoots(np.ones(len(count_N), dtype=np.int64))
        degrees = build_count(count_N, own, self.protection)
        return replace(pool, degrees=degrees if degrees.mass_K.any() else None)

    def _grouped(self, codec: ReferenceCodec, row_R: Rows, span: slice) -> ReferenceCodec:
        """Arrange the rows that have codes of their own in groups; each pool is one of its own."""
        number_V = codec.kept.to_numpy(zero_copy_only=False)
        own, pools = np.flatnonzero(number_V > POOLED), np.flatnonzero(number_V <= POOLED)
        place_R = find_places(row_R, number_V[own])
        degree = np.bincount(place_R[place_R >= 0], minlength=len(own))
        order, ends = cut_groups(self._leaves(number_V[own], place_R, span), degree)
        last = tuple(range(len(own) + 1, len(number_V) + 1))
        return codec.arranged([*own[order].tolist(), *pools.tolist()], (*ends, *last))


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


def encode_told(row_N: Rows, other: ReferenceCodec, *, column: int) -> tuple[CodeArray, SubColumn]:
    """Turn how often a reference names rows of its lookup into codes, shape (N,).

    Code 0 stands for rows that it does not tell of, because they stand in its pools or are never drawn; the
    others for about as many rows each, from seldom to often named.

    Args:
        row_N: Rows of the lookup.
        other: The reference's codec.
        column: Number that the codes get as a column.
    """
    number_V, rows_V = other.kept.to_numpy(zero_copy_only=False), np.array(other.rows, dtype=np.int64)
    own_V = number_V > POOLED
    rows_V = np.sort(rows_V[own_V])
    ends = (
        np.unique(rows_V[np.arange(1, MOST_CLASSES) * len(rows_V) // MOST_CLASSES]) if len(rows_V) else rows_V
    )
    place_N = find_places(row_N, number_V[own_V])
    degree_N = np.append(np.array(other.rows, dtype=np.int64)[own_V], 0)[place_N]
    code_N = np.where(place_N < 0, 0, 1 + np.searchsorted(ends, degree_N, side="right"))
    position_K = np.append(np.nan, (np.arange(len(ends) + 1) + 0.5) / (len(ends) + 1))
    return code_N.astype(np.int32), SubColumn(column, len(ends) + 2, position_K.astype(np.float32))


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
