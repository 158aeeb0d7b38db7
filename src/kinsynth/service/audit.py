"""Audit: who did what to which object, in a chain of digests that shows every change made afterwards.

An entry is written in the transaction of what it tells: what cannot be recorded does not happen. It names
ids, never names of people, texts or values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, insert, select, text

from kinsynth.errors import InternalError
from kinsynth.service.actor import Actor
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.tables import audit

_LOCK = 0x61756469  # "audi": one entry at a time on PostgreSQL; SQLite's transactions are so already
_FIRST = "0" * 64
_FIELDS = ("number", "at", "actor_id", "action", "object_id", "outcome", "details", "previous")

Outcome = Literal["done", "refused"]


class AuditEntry(View):
    """An entry as an administrator sees it."""

    number: int
    at: float
    actor_id: str | None
    action: str
    object_id: str | None
    outcome: Outcome
    details: dict[str, Any]
    digest: str


class AuditState(View):
    """What the whole chain says; written down elsewhere, ``head`` shows later whether its end was cut off."""

    entries: int
    head: str


@dataclass(frozen=True)
class Asked:
    """Which entries are asked for; None takes all.

    Attributes:
        actor_id: By whom.
        action: An operation, such as ``tokens.create``, or a kind of them, such as ``tokens``.
        object_id: Done to what.
        outcome: Done or refused.
    """

    actor_id: str | None = None
    action: str | None = None
    object_id: str | None = None
    outcome: Outcome | None = None


def record(
    connection: Connection,
    actor: Actor,
    action: str,
    object_id: str | None = None,
    *,
    outcome: Outcome = "done",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry; the last thing a transaction does, for others wait from here to its end.

    Args:
        connection: The transaction of what is told.
        actor: Who did it; strangers and the platform have no id.
        action: Id of the operation.
        object_id: What it was done to.
        outcome: Whether it was done or refused.
        details: Numbers, ids and names of fields; never what people wrote.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = connection.execute(
        select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)
    ).one_or_none()
    entry = {
        "number": 1 if last is None else last.number + 1,
        "at": connection.execute(select(now())).scalar_one(),
        "actor_id": actor.user_id or None,
        "action": action,
        "object_id": object_id,
        "outcome": outcome,
        "details": dict(details or {}),
        "previous": _FIRST if last is None else last.digest,
    }
    connection.execute(insert(audit).values(**entry, digest=_digest(entry)))


def list_entries(
    platform: Platform, actor: Actor, wanted: Wanted, asked: Asked | None = None
) -> Page[AuditEntry]:
    """List entries, the newest first; those that are asked for, or all.

    Raises:
        AccessError: As ``permissions.require``.
    """
    with platform.records.read() as connection:
        require(connection, actor, "audit.list")
        query = select(audit) if asked is None else _narrow(select(audit), asked)
        rows, following = read_page(connection, query, audit.c.number, audit.c.digest, wanted)
        return Page(items=tuple(_view(row) for row in rows), next=following)


def verify(platform: Platform, actor: Actor) -> AuditState:
    """Compute all digests again.

    Raises:
        AccessError: As ``permissions.require``.
        InternalError: ``audit.broken``: an entry was changed, taken out or put in; ``where`` is its number.
    """
    with platform.records.read() as connection:
        require(connection, actor, "audit.verify")
        number, head = 0, _FIRST
        ordered = select(audit).order_by(audit.c.number)
        with connection.execute(ordered, execution_options={"yield_per": 1000}) as rows:
            for row in rows:
                entry = {name: getattr(row, name) for name in _FIELDS}
                if (row.number, row.previous, row.digest) != (number + 1, head, _digest(entry)):
                    raise _broken(number + 1)
                number, head = row.number, row.digest
        return AuditState(entries=number, head=head)


def _narrow(query: Select[Any], asked: Asked) -> Select[Any]:
    for name in ("actor_id", "object_id", "outcome"):
        if (value := getattr(asked, name)) is not None:
            query = query.where(audit.c[name] == value)
    if asked.action is not None:
        of_its_kind = audit.c.action.startswith(f"{asked.action}.", autoescape=True)
        query = query.where((audit.c.action == asked.action) | of_its_kind)
    return query


def _broken(number: int) -> InternalError:
    return InternalError(
        "audit.broken",
        f"The audit log is not what was written: entry {number} was changed, or is missing.",
        where=str(number),
        remedy="Compare with a backup, and find out who writes to the database.",
    )


def _digest(entry: Mapping[str, Any]) -> str:
    text_of_entry = json.dumps([entry[name] for name in _FIELDS], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text_of_entry.encode()).hexdigest()


def _view(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.model_fields})
