"""Rule: the promise that one kind of rule keeps; one file for each kind.

The life of a rule: ``find`` names columns that may have it, ``fit`` makes it from the training rows, or
nothing where a row breaks it; the rule then counts broken rows anywhere and makes drawn rows keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.measure import Mask
from kinsynth.rules.view import View

Columns = Mapping[str, pa.Array]


class Rule(Protocol):
    """Something that holds in every row.

    Guarantees:
        After ``apply`` no row is broken. What ``to_json`` holds are names, numbers of the rule, and values
        that at least ``minimum`` roots hold together. All depends on values and uniforms of the row alone.
    """

    kind: ClassVar[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in the order of the document."""

    @property
    def writes(self) -> tuple[str, ...]:
        """Columns that ``apply`` changes."""

    @property
    def derives(self) -> str | None:
        """The column that follows wholly from others, so that the model need not draw it."""

    @property
    def draws(self) -> int:
        """How many uniforms ``apply`` needs for each row."""

    @property
    def weaker(self) -> Rule | None:
        """A rule that says less and may hold where this one does not."""

    def chance(self, view: View) -> float:
        """Give the logarithm of a bound on the chance that independent columns keep the rule."""

    def broken(self, columns: Columns) -> Mask:
        """Mark the rows that break the rule, shape (R,)."""

    def apply(self, columns: Columns, uniform_RD: NDArray[Any], spare: Columns) -> dict[str, pa.Array]:
        """Give the columns it writes, so that every row keeps the rule.

        Args:
            columns: Drawn values by name.
            uniform_RD: Uniforms in [0, 1), shape (R, draws).
            spare: For columns that may have to be filled: a value for each row, none missing.
        """

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""


class Kind(Protocol):
    """A kind of rule: how it is found, made and read."""

    kind: ClassVar[str]

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name columns that may have such a rule; cheap, and never leaving one out that holds clearly."""

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Rule | None:
        """Make the rule from training rows; None where it does not hold in all of them."""

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count the rows that break the plainest form of the rule; 0 where there is no such form."""

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Rule:
        """Make a rule of ``to_json``'s document."""
