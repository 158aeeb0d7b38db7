"""Usage: what an execution holds of its owner's quota, and what it has used of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from kinsynth.executions import requests
from kinsynth.service import quotas
from kinsynth.storage.tables import executions

SLICE_S = 60.0


def reserve_slice(connection: Connection, execution_id: str) -> None:
    """Hold back compute time for an execution that goes on.

    Raises:
        AccessError: ``quota.seconds``, there is none left.
    """
    row = _read(connection, execution_id)
    quotas.reserve(connection, row.owner_id, seconds=SLICE_S, rows=0)
    _hold(connection, execution_id, row.reserved_seconds + SLICE_S)


def keep_reserved(connection: Connection, execution_id: str, *, margin_s: float = 0.0) -> bool:
    """Hold back more before an execution has used all it holds.

    Args:
        connection: The transaction of a renewal.
        execution_id: The execution.
        margin_s: Compute time that is kept for stopping.

    Returns:
        Whether it may go on; if not, its owner's compute time is used up and it must pause.
    """
    row = _read(connection, execution_id)
    left = row.reserved_seconds - (row.used_seconds - row.charged_seconds)
    if left >= SLICE_S / 2:
        return True
    more = _reserve_what_is_left(connection, row.owner_id)
    if more:
        _hold(connection, execution_id, row.reserved_seconds + more)
    return bool(left + more > margin_s)


def _reserve_what_is_left(connection: Connection, owner_id: str, *, least_s: float = 0.0) -> float:
    """Hold back a slice, or what is left of one, where at least so much is left; gives how much."""
    left = quotas.read_quota(connection, owner_id, "seconds").left
    if left is not None and left < least_s:
        return 0.0
    more = SLICE_S if left is None else min(SLICE_S, left)
    return more if more and quotas.try_reserve(connection, owner_id, "seconds", more) else 0.0


def has_paused(connection: Connection) -> bool:
    """Tell whether an execution is paused."""
    paused = select(executions.c.id).where(executions.c.status == "paused")
    return connection.execute(paused.limit(1)).first() is not None


def continue_paused(connection: Connection, *, margin_s: float) -> list[tuple[str, int]]:
    """Put executions that paused for want of compute time into the queue, as far as there is some again.

    Args:
        connection: A writing transaction.
        margin_s: As in ``keep_reserved``; less than that beyond it is not worth a start.

    Returns:
        Id and attempt of those that go on.
    """
    waiting = connection.execute(
        select(executions.c.id, executions.c.owner_id)
        .where(executions.c.status == "paused")
        .order_by(executions.c.owner_id, executions.c.created_at)
        .with_for_update(skip_locked=True)  # those that somebody cancels or lets go on just now
    ).all()
    again = []
    for execution_id, owner_id in waiting:
        if more := _reserve_what_is_left(connection, owner_id, least_s=2 * margin_s):
            again.append((execution_id, requests.resume(connection, execution_id)))
            _hold(connection, execution_id, more)
    return again


def settle_usage(connection: Connection, execution_id: str, status: str) -> None:
    """Count what an execution used, and give back what it held; called where it ends or pauses.

    Rows count when they were delivered; one that pauses keeps them, and gives back the time.

    Guarantees:
        No more is counted than was held: what is used never passes a limit, even where stopping took longer.
    """
    row = _read(connection, execution_id)
    used = min(max(0.0, row.used_seconds - row.charged_seconds), row.reserved_seconds)
    values: dict[str, Any] = {"reserved_seconds": 0.0, "charged_seconds": row.used_seconds}
    if status != "paused":  # rows before seconds, as where they are reserved: nobody waits in a circle
        delivered = row.reserved_rows if status == "succeeded" else 0
        quotas.settle(
            connection, row.owner_id, "rows", reserved=float(row.reserved_rows), used=float(delivered)
        )
        values |= {"reserved_rows": 0, "used_rows": delivered}
    quotas.settle(connection, row.owner_id, "seconds", reserved=row.reserved_seconds, used=used)
    connection.execute(update(executions).where(executions.c.id == execution_id).values(values))


def _read(connection: Connection, execution_id: str) -> Any:
    row: Any = connection.execute(
        select(
            executions.c.owner_id,
            executions.c.reserved_seconds,
            executions.c.used_seconds,
            executions.c.charged_seconds,
            executions.c.reserved_rows,
        )
        .where(executions.c.id == execution_id)
        .with_for_update()
    ).one()
    return row


def _hold(connection: Connection, execution_id: str, seconds: float) -> None:
    connection.execute(
        update(executions).where(executions.c.id == execution_id).values(reserved_seconds=seconds)
    )
