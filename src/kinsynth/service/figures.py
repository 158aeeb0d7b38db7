"""Figures of an installation as a whole: counts for those who watch over it, without any name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.records import check_connection
from kinsynth.storage.tables import artefacts, executions, users, workers

STATUSES = ("queued", "running", "paused", "cancelling", "succeeded", "failed", "cancelled")
_SILENT_LEASES = 3


@dataclass(frozen=True)
class Figures:
    """Counts at one moment.

    Attributes:
        executions: By status; each status is there.
        workers: Workers heard of in the last three leases.
        users: Active accounts.
        artefact_bytes: Bytes of all artefacts.
    """

    executions: Mapping[str, int]
    workers: int
    users: int
    artefact_bytes: int


def check_health(platform: Platform) -> None:
    """Ask the database for an answer.

    Raises:
        TransientError: ``records.unavailable``.
    """
    check_connection(platform.records)


def count_objects(platform: Platform) -> Figures:
    """Count what an installation holds.

    Raises:
        TransientError: ``records.unavailable``.
    """
    silent_s = _SILENT_LEASES * platform.deployment.lease_s
    alive = select(func.count()).where(workers.c.stopped_at.is_(None), workers.c.seen_at > now() - silent_s)
    active = select(func.count()).where(users.c.status == "active")
    with platform.records.read() as connection:
        found = connection.execute(
            select(executions.c.status, func.count()).group_by(executions.c.status)
        ).all()
        return Figures(
            executions=dict.fromkeys(STATUSES, 0) | {row.status: row[1] for row in found},
            workers=connection.execute(alive).scalar_one(),
            users=connection.execute(active).scalar_one(),
            artefact_bytes=int(
                connection.execute(select(func.coalesce(func.sum(artefacts.c.size), 0))).scalar_one()
            ),
        )
