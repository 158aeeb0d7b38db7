"""Every error kinsynth raises on purpose.

::

    KinsynthError                 has code, where, message, remedy
    ├─ UserError                  the user can repair it               exit 2
    │  ├─ SettingsError           a field or a combination of fields
    │  ├─ SchemaError             keys, relations or types disagree with the data
    │  ├─ SourceError             a file cannot be read as it is
    │  ├─ AccessError             not signed in, not allowed, or over a limit
    │  └─ ConflictError           the object is not in a state that allows it
    ├─ TransientError             a later attempt may succeed          exit 75
    │  └─ OutOfMemory
    ├─ Interrupted                stopped by the user                  exit 130
    └─ InternalError              our fault                            exit 70

A message names tables, columns and counts. It never holds a cell of the source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes:
        code: Stable code, ``area.cause``; documented in ``docs/reference/codes.md``.
        severity: ``error`` blocks a run, ``warning`` and ``notice`` do not.
        where: Path in the document (``tables.orders.primary_key``) or ``table.column``.
        message: What was found and what was expected; names and counts only.
        remedy: What the user can do about it.
        step: Configuration step of the founding page: ``data``, ``primary_keys``,
            ``foreign_keys``, ``treatment`` or ``settings``.
        count: How many rows, columns or rules it is about, where that is one number.
    """

    code: str
    severity: Severity
    where: str
    message: str
    remedy: str
    step: str = "settings"
    count: int | None = None

    def __str__(self) -> str:
        """Give the line a user reads."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message} {self.remedy} [{self.code}]".replace("  ", " ")


class KinsynthError(Exception):
    """Something kinsynth noticed and can explain.

    Args:
        code: Stable code of the cause.
        message: What was found and what was expected.
        where: Path in the document, ``table.column`` or a file name.
        remedy: What the user can do.
        findings: All findings, when several causes were found at once.
    """

    exit_code = 70

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str = "",
        remedy: str = "",
        findings: Iterable[Finding] = (),
    ) -> None:
        self.code = code
        self.message = message
        self.where = where
        self.remedy = remedy
        self.findings = tuple(findings)
        super().__init__(code, message)

    def __str__(self) -> str:
        """Give the line a user reads."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message} {self.remedy} [{self.code}]".replace("  ", " ")


class UserError(KinsynthError):
    """The user can repair it."""

    exit_code = 2


class SettingsError(UserError):
    """A field, or a combination of fields, of the synthesis document."""


class SchemaError(UserError):
    """Keys, relations or types disagree with the data."""


class SourceError(UserError):
    """A source cannot be read as it is."""


class AccessError(UserError):
    """Nobody is signed in, the person may not do this, or a limit of use is reached."""


class ConflictError(UserError):
    """The object is not in a state that allows what was asked for, or was changed meanwhile."""


class TransientError(KinsynthError):
    """A later attempt may succeed."""

    exit_code = 75


class OutOfMemory(TransientError):
    """The machine has less memory than the work needs."""


class Interrupted(KinsynthError):
    """The user stopped the work; it can be resumed."""

    exit_code = 130


class InternalError(KinsynthError):
    """Our own fault."""

    exit_code = 70
