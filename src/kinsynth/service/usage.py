"""Usage: compute time of an execution is moved from what its owner reserved to what is used, as it goes by."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from kinsynth.service.quotas import settle, try_reserve
from kinsynth.storage.tables import executions

SLICE_S = 60.0


def charge(connection: Connection, execution_id: str, seconds: float) -> bool:
    """Count compute time of an execution.

    Args:
        connection: A writing transaction that holds the execution.
        execution_id: The execution.
        seconds: Time that went by since it was last charged.

    Returns:
        Whether there is some left; if not, the execution must pause.

    Guarantees:
        What is used never exceeds the owner's limit: what goes beyond it is not counted.
    """
    mine = executions.c.id == execution_id
    row = connection.execute(select(executions.c.owner_id, executions.c.reserved_seconds).where(mine)).one()
    held = row.reserved_seconds + _reserve_more(connection, row.owner_id, row.reserved_seconds - seconds)
    used = min(seconds, held)
    settle(connection, row.owner_id, "seconds", reserved=used, used=used)
    connection.execute(
        update(executions)
        .where(mine)
        .values(
            reserved_seconds=held - used,
            used_seconds=executions.c.used_seconds + seconds,
            charged_seconds=executions.c.charged_seconds + used,
        )
    )
    return bool(held > used)


def _reserve_more(connection: Connection, owner_id: str, left: float) -> float:
    """Reserve the next slice when less than half of one is left; or at least what is used already."""
    if left >= SLICE_S / 2:
        return 0.0
    missing = max(0.0, -left)
    for amount in (missing + SLICE_S, missing):
        if try_reserve(connection, owner_id, "seconds", amount):
            return amount
    return 0.0


def settle_usage(connection: Connection, execution_id: str, status: str) -> None:
    """Give back what an execution that ends or pauses holds of its owner's quota.

    Rows count when they were delivered; one that pauses keeps them, and gives back the time.
    """
    mine = executions.c.id == execution_id
    row = connection.execute(
        select(executions.c.owner_id, executions.c.reserved_seconds, executions.c.reserved_rows).where(mine)
    ).one()
    settle(connection, row.owner_id, "seconds", reserved=row.reserved_seconds, used=0.0)
    values = {"reserved_seconds": 0.0}
    if status != "paused":
        used = row.reserved_rows if status == "succeeded" else 0
        settle(connection, row.owner_id, "rows", reserved=float(row.reserved_rows), used=float(used))
        values |= {"reserved_rows": 0, "used_rows": used}
    connection.execute(update(executions).where(mine).values(values))
