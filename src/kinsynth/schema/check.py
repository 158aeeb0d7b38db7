"""Check: a condition on the rows of a table that the source declares, as SQL's CHECK does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["<", "<=", ">", ">=", "=", "!=", "in", "like", "matches", "null"]
ORDERS = ("<", "<=", ">", ">=")
COMPARISONS = (*ORDERS, "=", "!=")
PATTERNS = ("like", "matches")


@dataclass(frozen=True)
class Check:
    """A condition on every row. As in SQL a row breaks it when it is false, not when it is unknown.

    Attributes:
        column: The column it is about.
        operator: A comparison, ``in`` a list, ``like`` a pattern of SQL, ``matches`` a regular expression
            somewhere in the text, or ``null``.
        other: The column of the same row it is compared with; None where it is compared with constants.
        constants: What it is compared with, as written: one for comparisons and patterns, more for a list.
        quoted: Whether the constants are texts in quotes.
        negated: Whether the condition is turned around: ``not in``, ``not like``, ``is not null``.
    """

    column: str
    operator: Operator
    other: str | None = None
    constants: tuple[str, ...] = ()
    quoted: bool = False
    negated: bool = False

    def __post_init__(self) -> None:
        """Check that the parts fit the operator."""
        most = {"in": len(self.constants), "null": 0}.get(self.operator, 1)
        least = 1 if self.operator == "in" else most
        if self.other is not None:
            least = most = 0
        if not least <= len(self.constants) <= most:
            raise ValueError(f"{self.operator}: {len(self.constants)} constants")
        if self.other is not None and self.operator not in COMPARISONS:
            raise ValueError(f"{self.operator}: cannot compare with a column")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.column,) if self.other is None else (self.column, self.other)

    @property
    def is_enumeration(self) -> bool:
        """Whether it lists the values of its column."""
        return self.operator == "in" and not self.negated

    def __str__(self) -> str:
        """Say what is checked without the constants: they may be values of the source."""
        word = f"{'not ' if self.negated else ''}{self.operator}"
        if self.operator == "null":
            return f"{self.column} is {word}"
        if self.operator == "in":
            return f"{self.column} {word} ({len(self.constants)} values)"
        return f"{self.column} {word} {self.other or '?'}"
