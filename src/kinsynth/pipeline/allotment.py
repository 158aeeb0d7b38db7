"""Allotment: which row of a pool each row references, settled over all rows of a drawing.

A code says the pool of like rows of a lookup. As in the source, some of them are referenced often and many
not at all; which ones is left to chance, for it would tell what few persons reference.
Shape letters: R rows, W rows that want a row of a pool, N rows of the pools.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kinsynth.columns.reference import POOLED, Pool, ReferenceCodec, find_places
from kinsynth.columns.storage import as_array
from kinsynth.encoded import CodeArray, SubColumn
from kinsynth.engine.assignment import Supply, Wanted, assign
from kinsynth.engine.labels import join_known
from kinsynth.engine.quotas import share_out
from kinsynth.pipeline.codecs import DatabaseCodec, Rows, TableCodec
from kinsynth.pipeline.decoding import Drawn, decode_references, find_sources
from kinsynth.pipeline.known import NOTHING_KNOWN, Known
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.table import Relation, Schema
from kinsynth.system.randomness import uniforms


def allot(
    batches: Iterable[Mapping[str, Drawn]],
    codec: DatabaseCodec,
    schema: Schema,
    *,
    known: Mapping[str, Known],
    seed: int,
) -> dict[Relation, Rows]:
    """Settle which row each reference that leads to pools names.

    Args:
        batches: Drawn codes of all tables, in the order in which they become values.
        codec: How they were encoded.
        schema: Schema of the result.
        known: Rows of lookups that are given, by table.
        seed: Source of all randomness.

    Returns:
        For each such reference the row of the lookup that each row names, -1 for none.

    Memory: eight bytes for each row and key of the tables in question, and what ``assign`` takes.
    """
    structure, before = find_structure(schema), Counter[str]()
    found = {
        name: _Gathered(table, structure, schema) for name, table in codec.tables.items() if table.pooled
    }
    for batch in batches:
        for name, gathered in found.items():
            if name in batch:
                owner = batch.get(codec.tables[name].parent or "")
                source = find_sources(batch[name], owner, codec.stays(name))
                gathered.add(batch[name], source, known.get(name, NOTHING_KNOWN), before, seed=seed)
        before.update({name: drawn.encoded.rows for name, drawn in batch.items()})
    settled: dict[Relation, Rows] = {}
    for gathered in found.values():
        settled |= gathered.allotment(seed).settled()
    return settled


class _Gathered:
    """What the references of one table are allotted by, gathered batch by batch."""

    def __init__(self, codec: TableCodec, structure: Structure, schema: Schema) -> None:
        self._codec, self._schema, self._owner = codec, schema, structure.parent_relation[codec.name]
        self._named = {str(one): one for one in schema.outgoing(codec.name)}
        self._references = {one.columns: one for one in structure.reference_relations[codec.name]}
        keys = (schema.tables[codec.name].primary_key, *schema.tables[codec.name].unique_keys)
        self._read = {column for key in keys for column in key}
        self._pointed: dict[Relation, list[Rows]] = {}
        self._first: dict[Relation, list[Rows]] = {}
        self._labels: dict[tuple[str, ...], list[Rows]] = {}

    def add(
        self,
        drawn: Drawn,
        source: Mapping[str, pa.Array],
        given: Known,
        before: Mapping[str, int],
        *,
        seed: int,
    ) -> None:
        """Add the next rows of the table."""
        first = before[self._codec.name]
        if self._owner is not None and drawn.encoded.parent_R is not None:
            owner_R, ahead = drawn.encoded.owner_rows, before[self._owner.references_table]
            self._pointed.setdefault(self._owner, []).append(np.where(owner_R < 0, -1, owner_R + ahead))
        for key, row_R in drawn.pointed.items():
            self._pointed.setdefault(self._named[key], []).append(row_R)
        for factor, row_R in decode_references(drawn, self._codec, source, seed=seed):
            relation = self._references[factor.columns]
            named_R = given.reference_over(relation, row_R, first)
            self._pointed.setdefault(relation, []).append(named_R)
            if relation.columns[0] in source:
                begun_R = source[relation.columns[0]].to_numpy() + first
                self._first.setdefault(relation, []).append(begun_R)
        for factor, span in zip(self._codec.factors, self._codec.spans, strict=True):
            if factor.kind != "reference" and self._read & {*factor.columns}:
                label_R = _label(drawn.encoded.codes_RC[:, span], factor.codec.sub_columns)
                self._labels.setdefault(factor.columns, []).append(label_R)

    def allotment(self, seed: int) -> Allotment:
        """Give everything that was gathered."""
        return Allotment(
            self._codec,
            self._schema,
            {names: np.concatenate(parts) for names, parts in self._labels.items()},
            {one: np.concatenate(parts) for one, parts in self._pointed.items()},
            {one: np.concatenate(parts) for one, parts in self._first.items()},
            seed,
        )


def _label(codes_RC: CodeArray, subs: Sequence[SubColumn]) -> Rows:
    """Give one number for the codes of each row, shape (R,)."""
    label_R = np.zeros(len(codes_RC), dtype=np.int64)
    for column, sub in enumerate(subs):
        label_R = label_R * sub.cardinality + codes_RC[:, column]
    return label_R


@dataclass(frozen=True)
class Allotment:
    """The references of one drawn table.

    Attributes:
        codec: How the table was encoded.
        schema: Schema of the result.
        labels: For columns in unique keys that are no foreign keys numbers that stand for their codes: rows
            with equal values have equal ones, mostly.
        pointed: For each foreign key of the table that is drawn the row that each row names, ``POOLED`` and
            below for a row of a pool; changed in place.
        first: By key, for each row the first of those that name the row it names; without an entry each
            names its own.
        seed: Source of all randomness.
    """

    codec: TableCodec
    schema: Schema
    labels: Mapping[tuple[str, ...], Rows]
    pointed: dict[Relation, Rows]
    first: Mapping[Relation, Rows]
    seed: int

    def settled(self) -> dict[Relation, Rows]:
        """Give every row that wants a row of a pool one, -1 where there is none, by reference to pools.

        Guarantees:
            Over the rows of a pool as many rows point at each as its in-degrees say, scaled to how many rows
            want one. Unique keys are kept, and references apart that never name one row, as far as can be.
            Batches of any size give the same rows.
        """
        done: dict[Relation, Rows] = {}
        for number, factor in enumerate(self.codec.factors):
            if isinstance(factor.codec, ReferenceCodec) and factor.codec.pools:
                relation = next(one for one in self.pointed if one.columns == factor.columns)
                if (self.pointed[relation] <= POOLED).any():
                    self.pointed[relation] = self._settled(relation, factor.codec, number)
                done[relation] = self.pointed[relation]
        return done

    def _settled(self, relation: Relation, codec: ReferenceCodec, number: int) -> Rows:
        row_R = self.pointed[relation]
        first_R = self.first.get(relation, np.arange(len(row_R)))
        want_W = np.flatnonzero((row_R <= POOLED) & (first_R == np.arange(len(row_R))))
        pool_W, stream = POOLED - row_R[want_W], f"{self.codec.name}/{relation}"
        given = row_R[row_R >= 0] if self._is_alone(relation, codec) else row_R[:0]
        number_N, supply = _supply(codec, pool_W, given, seed=self.seed, stream=stream)
        apart = tuple(self._apart(relation, codec, want_W))
        avoid = tuple(find_places(row_W, number_N) for row_W in self._avoided(number, want_W))
        place_W = assign(Wanted(pool_W, want_W, None, apart, avoid), supply, seed=self.seed, stream=stream)
        left = np.flatnonzero(place_W < 0)
        if len(left) and not apart:  # better a row that is to be avoided than none
            wanted = Wanted(pool_W[left], want_W[left])
            place_W[left] = assign(wanted, supply, seed=self.seed, stream=f"{stream}/left")
        settled_R = row_R.copy()
        settled_R[want_W] = np.append(number_N, -1)[np.maximum(place_W, -1)]
        return np.where(row_R <= POOLED, settled_R[first_R], row_R)

    def _is_alone(self, relation: Relation, codec: ReferenceCodec) -> bool:
        """Tell whether no two rows name the same one: what a given row names no other row does."""
        shape = self.schema.tables[self.codec.name]
        keys = ({*key} for key in (shape.primary_key, *shape.unique_keys))
        return codec.once or {*relation.columns} in keys

    def _apart(self, relation: Relation, codec: ReferenceCodec, want_W: Rows) -> Iterator[Rows]:
        """Give labels of rows that must not name the same row, for each unique key the reference is in."""
        if codec.once:
            yield np.zeros(len(want_W), dtype=np.int64)
            return
        shape = self.schema.tables[self.codec.name]
        for key in (shape.primary_key, *shape.unique_keys):
            if {*relation.columns} <= {*key}:
                sides = self._sides(relation, {*key} - {*relation.columns})
                if sides is not None:
                    label_W = join_known([side_R[want_W] for side_R in sides], len(want_W))
                    if len(np.unique(label_W)) < len(label_W):
                        yield label_W

    def _sides(self, relation: Relation, columns: set[str]) -> list[Rows] | None:
        """Give numbers that stand for the values of some columns, -1 where one is not known yet.

        None where nothing stands for a column.
        """
        sides, left = [], set(columns)
        for other, row_R in self.pointed.items():
            if other != relation and {*other.columns} & left and {*other.columns} <= columns:
                sides.append(np.maximum(row_R, -1))
                left -= {*other.columns}
        for names, label_R in self.labels.items():
            if {*names} & left:
                sides.append(label_R)
                left -= {*names}
        return None if left else sides

    def _avoided(self, number: int, want_W: Rows) -> Iterator[Rows]:
        """Give the rows that other references of the row name, and this one must not."""
        for pair in self.codec.unlike:
            for other in {*pair} - {number} if number in pair else ():
                columns = self.codec.factors[other].columns
                yield next(row_R for one, row_R in self.pointed.items() if one.columns == columns)[want_W]


def _supply(
    codec: ReferenceCodec, pool_W: Rows, given: Rows, *, seed: int, stream: str
) -> tuple[Rows, Supply]:
    """Give the rows of the pools but for those that are given away, and how often each is to be named."""
    sizes = [len(pool.rows) for pool in codec.pools]
    number_N = np.concatenate([np.array(pool.rows, dtype=np.int64) for pool in codec.pools])
    pool_N = np.repeat(np.arange(len(sizes)), sizes)
    weight_N = np.concatenate(
        [_degrees(pool, seed=seed, stream=f"{stream}/{number}") for number, pool in enumerate(codec.pools)]
    )
    left_N = ~np.isin(number_N, given)
    number_N, pool_N, weight_N = number_N[left_N], pool_N[left_N], weight_N[left_N]
    asked_P = np.bincount(pool_W, minlength=len(sizes))
    limit_P = np.ones_like(asked_P) if codec.once else asked_P
    asked_P = np.minimum(asked_P, limit_P * np.bincount(pool_N, minlength=len(sizes)))
    quota_N = share_out(
        weight_N, pool_N, asked_P, limit_P, ids_T=number_N, seed=seed, stream=f"{stream}/quotas"
    )
    return number_N, Supply(pool_N, quota_N, number_N)


def _degrees(pool: Pool, *, seed: int, stream: str) -> Rows:
    """Deal out to the rows of a pool how often they are named in the source, shape (N,)."""
    if pool.degrees is None:
        return np.ones(len(pool.rows), dtype=np.int64)
    chance_N2 = uniforms(seed, stream, np.array(pool.rows, dtype=np.int64), draws=2)
    place_N = (np.argsort(np.argsort(chance_N2[:, 0])) + 0.5) / len(pool.rows)
    ends_K = np.cumsum(pool.degrees.mass_K) / pool.degrees.mass_K.sum()
    code_N = np.searchsorted(ends_K, place_N).clip(max=len(ends_K) - 1).astype(np.int32)
    dealt = as_array(pool.degrees.decode(code_N[:, None], chance_N2[:, 1:])[0])
    dealt_N: Rows = dealt.to_numpy().astype(np.int64)
    return dealt_N
