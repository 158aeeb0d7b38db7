"""Receipts: what was removed: of which object, why, how many files, how many bytes.

A receipt is written in the transaction that takes the files away, and outlives its object. It has ids, never
names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from kinsynth.service.actor import Actor
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import Kind, require
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.files import Detached
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import receipts

DELETED, REPLACED = "deleted", "replaced"  # by a person; retention has reasons of its own


class ReceiptView(View):
    """What was removed."""

    id: str
    subject_id: str
    reason: str
    files: int
    bytes: int
    details: dict[str, Any]
    at: float


def list_receipts(
    platform: Platform, actor: Actor, wanted: Wanted, *, subject_id: str | None = None
) -> Page[ReceiptView]:
    """List receipts, the newest first; with an id, those of one object."""
    with platform.records.read() as connection:
        require(connection, actor, "receipts.list")
        query = select(receipts)
        if subject_id is not None:
            query = query.where(receipts.c.subject_id == subject_id)
        rows, following = read_page(connection, query, receipts.c.at, receipts.c.id, wanted)
        return Page(items=tuple(ReceiptView.model_validate(row) for row in rows), next=following)


def write_receipt(
    connection: Connection,
    kind: Kind,
    subject_id: str,
    removed: Sequence[Detached],
    *,
    reason: str = DELETED,
    details: Mapping[str, Any] | None = None,
    always: bool = False,
) -> None:
    """Write down what was removed.

    Args:
        connection: The transaction that removes it.
        kind: What the object is.
        subject_id: The object that lost files.
        removed: What it lost.
        reason: Why.
        details: Further ids and numbers; never what people wrote.
        always: Whether a receipt is written where there was nothing to lose.
    """
    files, size = sum(one.files for one in removed), sum(one.bytes for one in removed)
    if not (files or always):
        return
    connection.execute(
        insert(receipts).values(
            id=make_id("rec"),
            subject_id=subject_id,
            reason=reason,
            files=files,
            bytes=size,
            details={"kind": kind, **(details or {})},
            at=now(),
        )
    )
