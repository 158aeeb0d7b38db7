"""References to rows of a table of original data: the rows are public, who references them is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Part
from kinsynth.columns.categorical import ONE_TOKEN, CategoricalCodec, build_categorical
from kinsynth.columns.storage import write_values
from kinsynth.privacy.protection import count_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


def build_reference(
    part: Part,
    settings: Column,
    protection: Protection,
    text: TextFormat | None = None,
    *,
    lookup_rows: int = 0,
) -> CategoricalCodec:
    """Keep the row numbers that enough roots reference, and pool those of all other rows of the lookup.

    Values are int64 row numbers of the referenced table; null is a missing reference. Rows that fewer than
    ``rare_minimum`` roots reference share one code with those that none does, and are drawn as often: which
    of them the source references is not told. Where more than 1,000 rows are referenced each has its codes,
    rows that nothing references are never drawn, and only what goes with the rare ones is not told.

    Args:
        part: Row numbers.
        settings: Treatment of missing references.
        protection: How many roots a reference needs.
        text: Ignored.
        lookup_rows: Rows of the lookup; fewer than are referenced count as just these.
    """
    row_P = part.values[0].drop_null()
    if len(row_P.unique()) > ONE_TOKEN:
        return _build_each(part, settings, protection, text)
    kept = Column(missing=settings.missing, rare_minimum=protection.rare_minimum, rare_replacement="resample")
    codec = build_categorical(part, kept, protection, text)
    every = np.union1d(row_P.to_numpy(), np.arange(lookup_rows, dtype=np.int64))
    pool = np.setdiff1d(every, codec.kept.to_numpy(zero_copy_only=False))
    if len(np.setdiff1d(row_P.to_numpy(), codec.kept.to_numpy(zero_copy_only=False))) == 0:
        return codec
    return replace(
        codec,
        missing=bool(part.values[0].null_count) and settings.missing == "reproduce",
        other="pool",
        other_drawn=True,
        pool=tuple(write_values(pa.array(pool, part.values[0].type))),
    )


def _build_each(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None
) -> CategoricalCodec:
    """Keep every row number that is referenced at least once."""
    kept = Column(missing=settings.missing, rare_minimum=1, rare_replacement="resample")
    codec = build_categorical(part, kept, Protection(rare_minimum=1, extreme_minimum=1), text)
    place_P = codec.places(codec.encode(part.values))
    roots_D = count_roots(place_P, part.roots, codes=len(codec.texts))
    return replace(codec, untold=tuple(np.flatnonzero(roots_D < protection.rare_minimum).tolist()))
