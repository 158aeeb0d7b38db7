"""Guarantee, Certificate: what was promised about a result and what was counted on its files."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

GuaranteeCode = Literal[
    "table.present",
    "table.rows",
    "column.type",
    "column.not_null",
    "primary_key.not_null",
    "primary_key.unique",
    "unique_key.unique",
    "bridge.unique",
    "foreign_key.resolved",
    "one_to_one.unique",
    "self_reference.acyclic",
    "check.kept",
    "enumeration.kept",
    "original.equal",
    "rule.kept",
    "column.range",
    "column.precision",
    "column.categories",
]


class Guarantee(BaseModel):
    """One promise about one table, column or relation, and what the check found.

    Attributes:
        code: Which promise.
        where: Table, ``table.column``, ``table(columns)`` or ``table(columns) -> table(columns)``; for checks
            the table and the condition without its constants.
        passed: Whether it holds.
        checked_rows: Rows looked at.
        violations: Rows (for types: columns) that break it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: GuaranteeCode
    where: str
    passed: bool
    checked_rows: int
    violations: int


class Certificate(BaseModel):
    """All guarantees of a result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guarantees: tuple[Guarantee, ...]

    @property
    def failed(self) -> tuple[Guarantee, ...]:
        """The guarantees that do not hold."""
        return tuple(guarantee for guarantee in self.guarantees if not guarantee.passed)

    def to_json(self) -> str:
        """Give the certificate as text: the same certificate gives the same text."""
        document = {"passed": not self.failed, **self.model_dump(mode="json")}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Certificate:
        """Read what ``to_json`` wrote."""
        return Certificate(guarantees=json.loads(text)["guarantees"])


def make_guarantee(code: GuaranteeCode, where: str, *, rows: int, violations: int) -> Guarantee:
    """Make a guarantee that holds when nothing breaks it."""
    return Guarantee(
        code=code, where=where, passed=violations == 0, checked_rows=rows, violations=int(violations)
    )
