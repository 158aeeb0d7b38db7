"""Allotment: which row of a pool each row references, settled over all rows of a drawing.

A code says the pool of like rows of a lookup. As in the source, some of them are referenced often and many
not at all; which ones is left to chance, for it would tell what few persons reference.
Shape letters: R rows, W rows that want a row of a pool, N rows of the pools.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.columns.reference import POOLED, Pool, ReferenceCodec
from kinsynth.columns.storage import as_array
from kinsynth.engine.assignment import Supply, Wanted, assign
from kinsynth.engine.labels import join_known
from kinsynth.engine.quotas import share_out
from kinsynth.pipeline.codecs import Rows, TableCodec
from kinsynth.schema.table import Relation, Schema
from kinsynth.system.randomness import uniforms


@dataclass(frozen=True)
class Allotment:
    """The references of one drawn table.

    Attributes:
        codec: How the table was encoded.
        schema: Schema of the result.
        table: Its columns that are no keys.
        pointed: For each foreign key of the table that is drawn the row that each row names, ``POOLED`` and
            below for a row of a pool; changed in place.
        first: By key, for each row the first of those that name the row it names; without an entry each
            names its own.
        seed: Source of all randomness.
    """

    codec: TableCodec
    schema: Schema
    table: pa.Table
    pointed: dict[Relation, Rows]
    first: Mapping[Relation, Rows]
    seed: int

    def settle(self) -> None:
        """Give every row that wants a row of a pool one; missing where there is none.

        Guarantees:
            Over the rows of a pool as many rows point at each as its in-degrees say, scaled to how many rows
            want one. Unique keys are kept, and references apart that never name one row, as far as can be.
            Batches of any size give the same rows.
        """
        for number, factor in enumerate(self.codec.factors):
            if isinstance(factor.codec, ReferenceCodec) and factor.codec.pools:
                relation = next(one for one in self.pointed if one.columns == factor.columns)
                if (self.pointed[relation] <= POOLED).any():
                    self.pointed[relation] = self._settled(relation, factor.codec, number)

    def _settled(self, relation: Relation, codec: ReferenceCodec, number: int) -> Rows:
        row_R = self.pointed[relation]
        first_R = self.first.get(relation, np.arange(len(row_R)))
        want_W = np.flatnonzero((row_R <= POOLED) & (first_R == np.arange(len(row_R))))
        pool_W, stream = POOLED - row_R[want_W], f"{self.codec.name}/{relation}"
        number_N, supply = _supply(codec, pool_W, seed=self.seed, stream=stream)
        apart = tuple(self._apart(relation, codec, want_W))
        avoid = tuple(_places(row_W, number_N) for row_W in self._avoided(number, want_W))
        place_W = assign(Wanted(pool_W, want_W, None, apart, avoid), supply, seed=self.seed, stream=stream)
        left = np.flatnonzero(place_W < 0)
        if len(left) and not apart:  # better a row that is to be avoided than none
            wanted = Wanted(pool_W[left], want_W[left])
            place_W[left] = assign(wanted, supply, seed=self.seed, stream=f"{stream}/left")
        settled_R = row_R.copy()
        settled_R[want_W] = np.where(place_W < 0, -1, number_N[place_W])
        return np.where(row_R <= POOLED, settled_R[first_R], row_R)

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
                    yield join_known([side_R[want_W] for side_R in sides], len(want_W))

    def _sides(self, relation: Relation, columns: set[str]) -> list[Rows] | None:
        """Give numbers that stand for the values of some columns; None where they are not known yet."""
        sides, left = [], set(columns)
        for other, row_R in self.pointed.items():
            if other != relation and {*other.columns} & left and {*other.columns} <= columns:
                if (row_R <= POOLED).any():
                    return None
                sides.append(row_R)
                left -= {*other.columns}
        if not left <= {*self.table.column_names}:
            return None
        for column in sorted(left):
            codes = pc.dictionary_encode(as_array(self.table[column]))
            sides.append(codes.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64))
        return sides

    def _avoided(self, number: int, want_W: Rows) -> Iterator[Rows]:
        """Give the rows that other references of the row name, and this one must not."""
        for pair in self.codec.unlike:
            for other in {*pair} - {number} if number in pair else ():
                columns = self.codec.factors[other].columns
                yield next(row_R for one, row_R in self.pointed.items() if one.columns == columns)[want_W]


def _supply(codec: ReferenceCodec, pool_W: Rows, *, seed: int, stream: str) -> tuple[Rows, Supply]:
    """Give the rows of the pools, and how often each is to be named."""
    sizes = [len(pool.rows) for pool in codec.pools]
    number_N = np.concatenate([np.array(pool.rows, dtype=np.int64) for pool in codec.pools])
    pool_N = np.repeat(np.arange(len(sizes)), sizes)
    weight_N = np.concatenate(
        [_degrees(pool, seed=seed, stream=f"{stream}/{number}") for number, pool in enumerate(codec.pools)]
    )
    asked_P = np.bincount(pool_W, minlength=len(sizes))
    limit_P = np.ones_like(asked_P) if codec.once else asked_P
    asked_P = np.minimum(asked_P, limit_P * np.array(sizes))
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


def _places(row_W: Rows, number_N: Rows) -> Rows:
    """Give the place of rows of the lookup among those of the pools, -1 where they are not there."""
    order = np.argsort(number_N)
    place_W = order[np.searchsorted(number_N[order], row_W).clip(max=len(order) - 1)]
    return np.where(number_N[place_W] == row_W, place_W, -1)
