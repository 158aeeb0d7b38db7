"""Conditions in a user's words: the same on the command line, in Python and in a request."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StringConstraints

from kinsynth.settings.base import Settings

_MOST = 1_000
_TEXT = r"^[^\u0000]*$"  # no database keeps the character NUL
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=_TEXT)]
Value = Annotated[str, StringConstraints(max_length=10_000, pattern=_TEXT)]
Method = Literal["draw", "best"]


class Fill(Settings):
    """How the empty cells of given rows are filled."""

    method: Method = Field(
        default="draw",
        description="draw fills in what could have been; best the median of numbers, the mode of categories.",
    )
    allow_missing: bool = Field(
        default=False,
        strict=True,
        description="Cells may be filled with missing values where such were learned.",
    )


class Asked(Settings):
    """What the rows of one drawing must keep to.

    A column is ``table.column``, or ``column`` of the only root table. Values are texts as the source writes
    them; the empty text is the missing value.
    """

    fixed: tuple[tuple[ColumnName, Value], ...] = Field(
        default=(), max_length=_MOST, description="Column and value that all rows of a root table have."
    )
    empty_is_missing: tuple[ColumnName, ...] = Field(
        default=(),
        max_length=_MOST,
        description="Columns of given rows in which empty cells are missing, not unknown.",
    )
    shares: tuple[tuple[ColumnName, Value, StrictFloat], ...] = Field(
        default=(),
        max_length=_MOST,
        description="Column, value and share of the rows that have it, 0 to 1; other values share the rest.",
    )
    never: tuple[tuple[ColumnName, Value], ...] = Field(
        default=(), max_length=_MOST, description="Column and value that is not drawn."
    )
    no_missing: tuple[ColumnName, ...] = Field(
        default=(), max_length=_MOST, description="Columns in which no missing value is drawn."
    )
    temperature: StrictFloat | None = Field(
        default=None,
        description="Above 0, at most 5. Above 1 draws more variety, below 1 less; null for the model's own.",
    )
