"""References to rows of a table of original data: categories without protection, for the rows are public."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kinsynth.columns.base import Part
from kinsynth.columns.categorical import CategoricalCodec, build_categorical
from kinsynth.privacy.protection import count_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


def build_reference(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> CategoricalCodec:
    """Keep every row number that is referenced at least once.

    Values are int64 row numbers of the referenced table; null is a missing reference. Rows that nothing
    references are never drawn. What goes with one that fewer than ``rare_minimum`` roots reference is not
    told.
    """
    kept = Column(missing=settings.missing, rare_minimum=1, rare_replacement="resample")
    codec = build_categorical(part, kept, Protection(rare_minimum=1, extreme_minimum=1), text)
    place_P = codec.places(codec.encode(part.values))
    roots_D = count_roots(place_P, part.roots, codes=len(codec.texts))
    return replace(codec, untold=tuple(np.flatnonzero(roots_D < protection.rare_minimum).tolist()))
