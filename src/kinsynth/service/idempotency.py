"""Idempotency: a creating request that is sent again makes nothing again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from kinsynth.errors import ConflictError, UserError
from kinsynth.storage.clock import now
from kinsynth.storage.records import Records
from kinsynth.storage.tables import idempotency

KEPT_S = 7 * 86_400.0


@dataclass(frozen=True)
class Once:
    """A request that makes at most one object.

    Attributes:
        user_id: Who asks.
        key: What the client calls the request; None when it may make several objects.
        fingerprint: Digest of operation and content: the same key must come with the same.
    """

    user_id: str
    key: str | None = None
    fingerprint: str = ""


def make_once(user_id: str, key: str | None, operation: str, content: Any) -> Once:
    """Describe a request.

    Args:
        user_id: Who asks.
        key: The header ``Idempotency-Key``, or None.
        operation: Id of the operation.
        content: Path and body, as JSON can hold them.
    """
    text = json.dumps([operation, content], sort_keys=True)
    return Once(user_id, key, hashlib.sha256(text.encode()).hexdigest())


def create(records: Records, once: Once, make: Callable[[Connection], str]) -> tuple[str, bool]:
    """Make an object in one transaction, or find the one that the same request made before.

    Args:
        records: The database.
        once: The request.
        make: Makes the object and gives its id.

    Returns:
        The object's id, and whether it was made now.

    Raises:
        ConflictError: ``idempotency.reused``, the key came with another request before.
    """
    if once.key is None:
        with records.write() as connection:
            return make(connection), True
    try:
        with records.write() as connection:
            if (found := _find(connection, once)) is not None:
                return found, False
            made = make(connection)
            connection.execute(
                insert(idempotency).values(
                    user_id=once.user_id,
                    key=once.key,
                    fingerprint=once.fingerprint,
                    object_id=made,
                    created_at=now(),
                )
            )
    except (IntegrityError, UserError):  # the same request at the same moment may have been faster
        if (found := find(records, once)) is None:
            raise
        return found, False
    return made, True


def find(records: Records, once: Once) -> str | None:
    """Give the object that the same request made before, if it did; errors as of ``create``."""
    if once.key is None:
        return None
    with records.read() as connection:
        return _find(connection, once)


def forget(connection: Connection) -> None:
    """Forget requests of more than a week ago."""
    connection.execute(delete(idempotency).where(idempotency.c.created_at < now() - KEPT_S))


def _find(connection: Connection, once: Once) -> str | None:
    row = connection.execute(
        select(idempotency.c.fingerprint, idempotency.c.object_id).where(
            idempotency.c.user_id == once.user_id, idempotency.c.key == once.key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != once.fingerprint:
        raise ConflictError(
            "idempotency.reused",
            "The key came with another request before.",
            where="Idempotency-Key",
            remedy="Make a new key for each new request.",
        )
    return str(row.object_id)
