"""Usage: what an execution holds of its owner's quota, and what it has used of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

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


def keep_reserved(connection: Connection, execution_id: str) -> bool:
    """Hold back more before an execution has used all it holds.

    Returns:
        Whether it may go on; if not, its owner's compute time is used up and it must pause.
    """
    row = _read(connection, execution_id)
    left = row.reserved_seconds - (row.used_seconds - row.charged_seconds)
    if left >= SLICE_S / 2:
        return True
    if not quotas.try_reserve(connection, row.owner_id, "seconds", SLICE_S):
        return bool(left > 0)
    _hold(connection, execution_id, row.reserved_seconds + SLICE_S)
    return True


def settle_usage(connection: Connection, execution_id: str, status: str) -> None:
    """Count what an execution used, and give back what it held; called where it ends or pauses.

    Rows count when they were delivered; one that pauses keeps them, and gives back the time.
    """
    row = _read(connection, execution_id)
    used = max(0.0, row.used_seconds - row.charged_seconds)
    quotas.settle(connection, row.owner_id, "seconds", reserved=row.reserved_seconds, used=used)
    values: dict[str, Any] = {"reserved_seconds": 0.0, "charged_seconds": row.used_seconds}
    if status != "paused":
        delivered = row.reserved_rows if status == "succeeded" else 0
        quotas.settle(
            connection, row.owner_id, "rows", reserved=float(row.reserved_rows), used=float(delivered)
        )
        values |= {"reserved_rows": 0, "used_rows": delivered}
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
