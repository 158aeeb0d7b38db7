"""References to rows of a table of original data: the rows are public, who references them is not.

Rows that few roots reference stand in pools: a code says the pool, and which of its rows is meant is settled
over all rows of a drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Part, Rows, Uniforms, Values
from kinsynth.columns.categorical import FIRST, CategoricalCodec, build_categorical
from kinsynth.columns.count import CountCodec
from kinsynth.columns.storage import as_array
from kinsynth.encoded import IntArray
from kinsynth.privacy.protection import count_roots, has_few_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

_OWN = ("pools", "once")
POOLED = -2  # and below: the row number POOLED - p stands for a row of pool p


@dataclass(frozen=True)
class Pool:
    """Rows of a lookup that one code stands for.

    Attributes:
        rows: Their numbers, ascending.
        degrees: How many rows of the source reference each of them; None where that is not known, and each
            is referenced as often as the next.
    """

    rows: tuple[int, ...]
    degrees: CountCodec | None = None

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"rows": list(self.rows), "degrees": None if self.degrees is None else self.degrees.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Pool:
        """Make a pool of ``to_json``'s document."""
        degrees = document["degrees"]
        return cls(tuple(document["rows"]), None if degrees is None else CountCodec.from_json(degrees))


@dataclass(frozen=True)
class ReferenceCodec(CategoricalCodec):
    """Codes of references: each row that enough roots reference has its own, the others share those of pools.

    Values are int64 row numbers, ``POOLED`` and below for rows of a pool.

    Attributes:
        pools: Rows that stand together. What goes with a pool says nothing of one of its rows, and not even
            whether the source references it.
        once: Whether no two rows reference the same one.

    Guarantees:
        Encoding takes row numbers; decoding gives those of rows that enough roots reference, and pools.
    """

    kind: ClassVar[str] = "reference"
    pools: tuple[Pool, ...] = ()
    once: bool = False

    @cached_property
    def _pool_of(self) -> tuple[Rows, Rows]:
        """Rows that stand in pools, and what stands for each."""
        rows = [np.array(pool.rows, dtype=np.int64) for pool in self.pools]
        number = [np.full(len(one), POOLED - place) for place, one in enumerate(rows)]
        row_N, pool_N = (np.concatenate([np.zeros(0, np.int64), *some]) for some in (rows, number))
        return row_N, pool_N

    def pooled(self, row_R: Rows) -> Rows:
        """Give row numbers, those of rows in pools as what stands for them, shape (R,)."""
        row_N, pool_N = self._pool_of
        place_R = find_places(row_R, row_N)
        return np.where(place_R < 0, row_R, np.append(pool_N, -1)[place_R])

    def encode(self, values: Values) -> IntArray:
        """Turn row numbers into codes."""
        array = as_array(values[0])
        row_R = array.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return super().encode((pa.array(self.pooled(row_R), mask=row_R < 0),))

    @property
    def several(self) -> NDArray[np.bool_]:
        """Tell which codes of the first token stand for several rows, shape (K,)."""
        numbers = self.kept.to_numpy(zero_copy_only=False)
        place_V = np.arange(len(numbers))
        group_V = place_V if self.group is None else self._groups(place_V)
        several_K = np.zeros(self.sub_columns[0].cardinality, dtype=np.bool_)
        several_K[FIRST + group_V[numbers <= POOLED]] = True
        return several_K

    def stands_alone(self, code: int) -> bool:
        """Tell whether a code of the first token stands for one row, which enough roots reference."""
        return super().stands_alone(code) and not self.several[code]

    def any_rows(self, row_R: Rows, uniform_R: Uniforms) -> Rows:
        """Give any row of its pool, each as likely as the next, for each row number that stands for one."""
        sizes = np.array([len(pool.rows) for pool in self.pools], dtype=np.int64)
        number = np.array([row for pool in self.pools for row in pool.rows], dtype=np.int64)
        pool_R, first = POOLED - row_R, np.cumsum(sizes) - sizes
        any_R: Rows = number[first[pool_R] + (uniform_R * sizes[pool_R]).astype(np.int64)]
        return any_R

    def split(self, pool_N: Rows, rows_P: Rows) -> ReferenceCodec:
        """Cut the only pool into several, of which enough roots reference each.

        Args:
            pool_N: Pool of each row of the pool, all from 0 on, shape (N,).
            rows_P: Rows that reference each pool.
        """
        (whole,) = self.pools
        number_N, place = np.array(whole.rows, dtype=np.int64), self.texts.index(str(POOLED))
        pools = tuple(Pool(tuple(number_N[pool_N == pool].tolist())) for pool in range(len(rows_P)))
        texts = (*self.texts[:place], *self.texts[place + 1 :])
        rows = (*self.rows[:place], *self.rows[place + 1 :], *rows_P.tolist())
        texts += tuple(str(POOLED - pool) for pool in range(len(pools)))
        return replace(self, pools=pools, texts=texts, rows=rows, untold=())

    def without_pooled(self, row_N: Rows) -> ReferenceCodec:
        """Give the codec with some rows of the lookup taken out of the pools."""
        left = tuple(
            replace(pool, rows=tuple(np.setdiff1d(np.array(pool.rows, np.int64), row_N).tolist()))
            for pool in self.pools
        )
        return replace(self, pools=left)

    @property
    def empty_pools(self) -> Rows:
        """What stands for the pools without rows."""
        empty = [POOLED - number for number, pool in enumerate(self.pools) if not pool.rows]
        return np.array(empty, dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {**super().to_json(), "pools": [pool.to_json() for pool in self.pools], "once": self.once}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ReferenceCodec:
        """Make a codec of ``to_json``'s document."""
        plain = CategoricalCodec.from_json({key: document[key] for key in document if key not in _OWN})
        pools = tuple(map(Pool.from_json, document["pools"]))
        return cls(**_fields(plain), pools=pools, once=document["once"])


def _fields(codec: CategoricalCodec) -> dict[str, Any]:
    return {one.name: getattr(codec, one.name) for one in fields(codec)}


def find_places(row_R: Rows, row_N: Rows) -> Rows:
    """Give the place of each row number among distinct others, -1 where it is not there, shape (R,).

    >>> find_places(np.array([7, 2, 5]), np.array([5, 7])).tolist()
    [1, -1, 0]
    """
    if not len(row_N):
        return np.full(len(row_R), -1, dtype=np.int64)
    order = np.argsort(row_N)
    place_R = order[np.searchsorted(row_N[order], row_R).clip(max=len(row_N) - 1)]
    return np.where(row_N[place_R] == row_R, place_R, -1)


def build_reference(
    part: Part,
    settings: Column,
    protection: Protection,
    text: TextFormat | None = None,
    *,
    lookup_rows: int = 0,
) -> ReferenceCodec:
    """Keep the row numbers that enough roots reference, and pool those of all other rows of the lookup.

    Values are int64 row numbers of the referenced table; null is a missing reference. Rows that fewer than
    ``rare_minimum`` roots reference stand in one pool with those that none does. Where no row is rare there
    is no pool, and rows that nothing references are never drawn. Nor is there one of fewer than
    ``rare_minimum`` rows that fewer roots reference in all, where others can be drawn: it would tell of them.

    Args:
        part: Row numbers.
        settings: Treatment of missing references.
        protection: How many roots a reference needs.
        text: Ignored.
        lookup_rows: Rows of the lookup; fewer than are referenced count as just these.
    """
    found, code_P = np.unique(
        part.values[0].fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), return_inverse=True
    )
    rare_D = (count_roots(code_P, part.roots, codes=len(found)) < protection.rare_minimum) & (found >= 0)
    kept, every = found[~rare_D & (found >= 0)], np.union1d(found, np.arange(lookup_rows, dtype=np.int64))
    pool = np.setdiff1d(every[every >= 0], kept) if rare_D.any() else kept[:0]
    mapped_P = np.where(rare_D, POOLED, found)[code_P]
    values = pa.array(mapped_P, mask=mapped_P == -1)
    few = has_few_roots(rare_D[code_P], part.roots, minimum=protection.rare_minimum)
    telling = few and 0 < len(pool) < protection.rare_minimum and len(kept) > 0
    pool, never = (pool[:0], (str(POOLED),)) if telling else (pool, ())
    each = Column(missing=settings.missing, rare_minimum=1, rare_replacement="resample", never=never)
    mapped = Part(part.pairs.set_column(part.pairs.column_names.index("v0"), "v0", values))
    built = build_categorical(mapped, each, Protection(rare_minimum=1, extreme_minimum=1), text)
    place_P = built.places(built.encode((values,)))
    roots_V = count_roots(place_P, part.roots, codes=len(built.texts))
    untold = tuple(np.flatnonzero(roots_V < protection.rare_minimum).tolist())
    return ReferenceCodec(
        **{**_fields(built), "untold": untold, "other_told": False},
        pools=(Pool(tuple(pool.tolist())),) if len(pool) else (),
    )
