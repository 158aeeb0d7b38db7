"""What people ask of an execution while it is there: cancel it, go on with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from kinsynth.errors import ConflictError, UserError
from kinsynth.executions.claims import Hook, end, no_hook
from kinsynth.executions.journal import add_event
from kinsynth.executions.state import FINAL, Status
from kinsynth.storage.tables import executions


def cancel(connection: Connection, execution_id: str, *, on_final: Hook = no_hook) -> Status:
    """Ask for the end of an execution.

    Returns:
        ``cancelled`` when nobody works on it, ``cancelling`` while a worker stops;
        asking twice changes nothing.

    Raises:
        ConflictError: ``execution.final``, it has ended otherwise.
        UserError: ``execution.missing``, there is no such execution.
    """
    row = _read(connection, execution_id)
    status: Status = row.status
    if status in ("cancelling", "cancelled"):
        return status
    if status in FINAL:
        raise _is_final(execution_id, status)
    add_event(connection, execution_id, {"kind": "cancel_requested"})
    if status != "running":
        end(connection, row, "cancelled", on_final=on_final)
        return "cancelled"
    connection.execute(update(executions).where(executions.c.id == execution_id).values(status="cancelling"))
    return "cancelling"


def resume(connection: Connection, execution_id: str) -> int:
    """Put a paused execution into the queue again.

    Returns:
        Its attempt, to be submitted.

    Raises:
        ConflictError: ``execution.not_paused``, it waits, works or has ended.
        UserError: ``execution.missing``, there is no such execution.
    """
    row = _read(connection, execution_id)
    if row.status != "paused":
        raise ConflictError(
            "execution.not_paused",
            f"The execution is {row.status}; only a paused one goes on.",
            where=execution_id,
            remedy="Retry one that has ended; leave one that waits or works alone.",
        )
    attempt: int = row.attempt + 1
    connection.execute(
        update(executions)
        .where(executions.c.id == execution_id)
        .values(status="queued", error=None, attempt=attempt)
    )
    add_event(connection, execution_id, {"kind": "execution_resumed"})
    return attempt


def _read(connection: Connection, execution_id: str) -> Any:
    """Give id, status and attempt, locked until the transaction ends."""
    row = connection.execute(
        select(executions.c.id, executions.c.status, executions.c.attempt)
        .where(executions.c.id == execution_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise UserError(
            "execution.missing",
            "There is no such execution.",
            where=execution_id,
            remedy="Look at the list of executions.",
        )
    return row


def _is_final(execution_id: str, status: Status) -> ConflictError:
    return ConflictError(
        "execution.final",
        f"The execution has ended ({status}); that is final.",
        where=execution_id,
        remedy="Retry it: a new execution goes on from it.",
    )
