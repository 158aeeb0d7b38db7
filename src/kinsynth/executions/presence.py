"""Which worker processes are there: each writes that it is alive, the others read it."""

from __future__ import annotations

import os
import socket
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from kinsynth.storage.clock import now
from kinsynth.storage.tables import workers

_MONTH_S: Final = 30 * 86_400.0


def enter(connection: Connection, worker_id: str, version: str) -> None:
    """Record that this process begins to work, and forget those not seen for a month."""
    connection.execute(delete(workers).where(workers.c.seen_at < now() - _MONTH_S))
    host = socket.gethostname()[:200]
    row = {"id": worker_id, "host": host, "pid": os.getpid(), "version": version}
    connection.execute(insert(workers).values(**row, started_at=now(), seen_at=now()))


def beat(connection: Connection, worker_id: str) -> None:
    """Record that a worker is alive."""
    connection.execute(update(workers).where(workers.c.id == worker_id).values(seen_at=now()))


def leave(connection: Connection, worker_id: str) -> None:
    """Record that a worker stopped by itself."""
    connection.execute(update(workers).where(workers.c.id == worker_id).values(stopped_at=now()))


def read_live(connection: Connection, within_s: float) -> set[str]:
    """Give the ids of the workers that did not stop and were seen within ``within_s`` seconds."""
    rows = connection.execute(
        select(workers.c.id).where(workers.c.stopped_at.is_(None), workers.c.seen_at > now() - within_s)
    )
    return set(rows.scalars())
