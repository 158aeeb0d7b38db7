"""References to rows of a table of original data: categories without protection, for the rows are public."""

from __future__ import annotations

from kinsynth.columns.base import Part
from kinsynth.columns.categorical import CategoricalCodec, build_categorical
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


def build_reference(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> CategoricalCodec:
    """Keep every row number that is referenced at least once.

    Values are int64 row numbers of the referenced table; null is a missing reference. Rows that nothing
    references are never drawn.
    """
    del protection
    kept = Column(missing=settings.missing, rare_minimum=1)
    return build_categorical(part, kept, Protection(rare_minimum=1, extreme_minimum=1), text)
