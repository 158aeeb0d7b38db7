"""Retention: what is removed when an execution has ended, and the receipts of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, exists, select, update

from kinsynth.executions.state import FINAL
from kinsynth.service.performing.mirror import MODEL, SYNTHETIC, WORK
from kinsynth.service.platform import Platform
from kinsynth.service.receipts import write_receipt
from kinsynth.service.removal import remove_downloads
from kinsynth.storage.clock import now
from kinsynth.storage.files import Detached, detach
from kinsynth.storage.tables import executions, models, receipts
from kinsynth.system import crash

RAW, RESULTS = "execution_ended", "results_expired"
_DAY_S = 86_400.0
_AT_ONCE = 50
_RESULTS = (SYNTHETIC, "tables", "report.pdf", "evaluation.json", "certificate.json", "limits.json")


def clear_ended(platform: Platform) -> int:
    """Remove raw data, checkpoints and half-made things of executions that ended; gives of how many.

    Guarantees:
        May be cut short and repeated anywhere: an execution counts as cleared when its blobs are gone, and
        gets one receipt.
    """
    keep_s = platform.deployment.keep_raw_days * _DAY_S
    with platform.records.read() as connection:
        ended = connection.execute(
            select(executions.c.id)
            .where(
                executions.c.cleared_at.is_(None),
                executions.c.status.in_(FINAL),
                executions.c.finished_at <= now() - keep_s,
            )
            .limit(_AT_ONCE)
        ).scalars()
        found = list(ended)
    for execution_id in found:
        _detach(platform, execution_id)
    if found:
        platform.artefacts.collect_released()
        crash.point("clear.collected")
    for execution_id in found:
        with platform.records.write() as connection:
            connection.execute(
                update(executions)
                .where(executions.c.id == execution_id, executions.c.cleared_at.is_(None))
                .values(cleared_at=now())
            )
        crash.point("clear.recorded")
    return len(found)


def _detach(platform: Platform, execution_id: str) -> None:
    with platform.records.write() as connection:
        status = _lock(connection, execution_id)
        if status is None:  # deleted meanwhile, with all its files
            return
        removed = [detach(connection, execution_id, under=WORK)]
        if status != "succeeded":
            removed += _remove_unfinished(connection, execution_id)
        _acknowledge(connection, execution_id, RAW, removed)
    crash.point("clear.detached")


def _remove_unfinished(connection: Connection, execution_id: str) -> list[Detached]:
    """Remove what an execution without success leaves; a model that was trained to its end stays."""
    removed = _remove_results(connection, execution_id)
    trained = select(exists().where(models.c.execution_id == execution_id))
    if not connection.execute(trained).scalar_one():
        removed.append(detach(connection, execution_id, under=MODEL))
    return removed


def _remove_results(connection: Connection, execution_id: str) -> list[Detached]:
    """Remove results and the downloads made of them, which one may have had before its cancelling ended."""
    found = [detach(connection, execution_id, under=path) for path in _RESULTS]
    return found + remove_downloads(connection, execution_id)


def expire_results(platform: Platform) -> int:
    """Remove results that are too old, and downloads made of them; models stay. Gives of how many."""
    days = platform.deployment.keep_results_days
    if days is None:
        return 0
    done = exists().where(receipts.c.subject_id == executions.c.id, receipts.c.reason == RESULTS)
    with platform.records.read() as connection:
        old = connection.execute(
            select(executions.c.id)
            .where(executions.c.status.in_(FINAL), executions.c.finished_at <= now() - days * _DAY_S, ~done)
            .limit(_AT_ONCE)
        ).scalars()
        found = list(old)
    for execution_id in found:
        with platform.records.write() as connection:
            if _lock(connection, execution_id) is not None:
                removed = _remove_results(connection, execution_id)
                _acknowledge(connection, execution_id, RESULTS, removed, always=True)
    return len(found)


def _lock(connection: Connection, execution_id: str) -> str | None:
    """Let one worker at a time clear an execution; gives its status, None when it was deleted."""
    status: str | None = connection.execute(
        select(executions.c.status).where(executions.c.id == execution_id).with_for_update()
    ).scalar_one_or_none()
    return status


def _acknowledge(
    connection: Connection,
    execution_id: str,
    reason: str,
    removed: Sequence[Detached],
    *,
    always: bool = False,
) -> None:
    """Write the receipt once for an execution and a reason: what is cut short is done again."""
    mine = (receipts.c.subject_id == execution_id) & (receipts.c.reason == reason)
    if not connection.execute(select(exists().where(mine))).scalar_one():
        write_receipt(connection, "execution", execution_id, removed, reason=reason, always=always)
