"""Claims: who works on an execution, until when, and what becomes of one whose worker is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from kinsynth.errors import TransientError
from kinsynth.executions.failure import describe_error
from kinsynth.executions.journal import LeaseLost, add_event
from kinsynth.executions.state import FINAL, HELD, Status, check_transition
from kinsynth.storage.clock import now
from kinsynth.storage.tables import executions

RETRIES: Final = 5  # losses of one execution after which it is tried again

Wish = Literal["go", "cancel", "pause", "drain", "lost"]
Hook = Callable[[Connection, str, Status], None]
"""Called inside the transaction in which an execution ends or pauses, after the change."""
MayGoOn = Callable[[Connection, str], bool]
"""Called inside the transaction of a renewal: whether the execution may use more compute time."""


@dataclass(frozen=True)
class Claim:
    """The right to work on an execution.

    Attributes:
        execution_id: The execution.
        epoch: Number of the claim; every later write carries it, and a later claim makes it worthless.
        worker_id: Who has it.
    """

    execution_id: str
    epoch: int
    worker_id: str


def no_hook(_connection: Connection, _execution_id: str, _status: Status) -> None:
    """Do nothing at the end of an execution."""


def claim(connection: Connection, execution_id: str, worker_id: str, lease_s: float) -> Claim | None:
    """Take a queued execution.

    Args:
        connection: A writing transaction.
        execution_id: The execution.
        worker_id: Who takes it.
        lease_s: How long the claim lasts without being renewed, in seconds, above 0.

    Returns:
        The claim; None when the execution is not queued (any more).

    Guarantees:
        Of any number of workers at once exactly one gets it. One whose lease ended is not taken directly:
        :func:`expire` puts it back into the queue first, so that every loss is counted.
    """
    epoch = connection.execute(
        update(executions)
        .where(executions.c.id == execution_id, executions.c.status == "queued")
        .values(
            status="running",
            epoch=executions.c.epoch + 1,
            worker_id=worker_id,
            lease_expires_at=now() + lease_s,
            renewed_at=now(),
            started_at=func.coalesce(executions.c.started_at, now()),
        )
        .returning(executions.c.epoch)
    ).scalar_one_or_none()
    return None if epoch is None else Claim(execution_id, epoch, worker_id)


def renew(connection: Connection, held: Claim, lease_s: float, *, may_go_on: MayGoOn | None = None) -> Wish:
    """Lengthen a claim's lease to ``lease_s`` seconds from now, count compute time, say what is wished.

    Returns:
        ``go``; ``cancel`` when somebody asked for it; ``pause`` when it may not go on; ``lost`` when
        the claim is no longer good.

    Guarantees:
        A lease that ended is renewed as long as nobody has put the execution back into the queue.
    """
    status = connection.execute(
        update(executions)
        .where(*fence(held))
        .values(lease_expires_at=now() + lease_s, renewed_at=now(), used_seconds=count_seconds())
        .returning(executions.c.status)
    ).scalar_one_or_none()
    if status is None:
        return "lost"
    if status == "cancelling":
        return "cancel"
    return "go" if may_go_on is None or may_go_on(connection, held.execution_id) else "pause"


def release(connection: Connection, held: Claim, *, on_final: Hook = no_hook) -> Status:
    """Put an execution back into the queue at a graceful stop; no loss is counted.

    Returns:
        ``queued``, or ``cancelled`` when somebody had asked for that.

    Raises:
        LeaseLost: The claim is no longer good.
    """
    row = read_held(connection, held)
    return _leave(connection, row, "execution_released", losses=0, on_final=on_final)


def lose(connection: Connection, held: Claim, *, on_final: Hook = no_hook) -> Status:
    """Put an execution back because what it needs was away or its process died; a loss is counted.

    Returns:
        ``queued``; ``failed`` after too many losses; ``cancelled`` when somebody had asked for that.

    Raises:
        LeaseLost: The claim is no longer good.
    """
    return _leave(connection, read_held(connection, held), "lease_lost", losses=1, on_final=on_final)


def expire(connection: Connection, *, on_final: Hook = no_hook) -> list[tuple[str, int]]:
    """End the claims whose lease ended.

    Returns:
        Id and attempt of the executions that are queued again and must be submitted.

    Guarantees:
        A loss is counted once, whatever number of workers sweep at the same time. After more than five losses
        an execution fails with ``execution.lost_too_often``; one that is being cancelled is cancelled.
    """
    ended = connection.execute(
        select(executions.c.id, executions.c.status, executions.c.losses, executions.c.attempt)
        .where(executions.c.status.in_(HELD), executions.c.lease_expires_at < now())
        .order_by(executions.c.owner_id, executions.c.id)  # what follows may lock what is the owner's
        .with_for_update(skip_locked=True)  # somebody is renewing, ending or expiring those
    ).all()
    left = [(row, _leave(connection, row, "lease_lost", losses=1, on_final=on_final)) for row in ended]
    return [(row.id, row.attempt + 1) for row, status in left if status == "queued"]


def count_seconds() -> ColumnElement[float]:
    """Give the compute time used, with the time since the last renewal, at most to the end of the lease."""
    until = case((executions.c.lease_expires_at < now(), executions.c.lease_expires_at), else_=now())
    since = until - executions.c.renewed_at
    return executions.c.used_seconds + case((since > 0, since), else_=0.0)


NOBODY: Final[Mapping[str, Any]] = {
    "worker_id": None,
    "lease_expires_at": 0.0,  # never empty: an empty one would be before no moment
    "used_seconds": count_seconds(),
}
"""What becomes of an execution's row when nobody holds it any more."""


def fence(held: Claim) -> tuple[Any, ...]:
    """Give the conditions under which a claim may still write."""
    return (
        executions.c.id == held.execution_id,
        executions.c.epoch == held.epoch,
        executions.c.worker_id == held.worker_id,
        executions.c.status.in_(HELD),
    )


def read_held(connection: Connection, held: Claim) -> Any:
    """Give id, status, losses and attempt of what a claim holds, locked until the transaction ends.

    Raises:
        LeaseLost: The claim is no longer good.
    """
    row = connection.execute(
        select(executions.c.id, executions.c.status, executions.c.losses, executions.c.attempt)
        .where(*fence(held))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise LeaseLost(held.execution_id)
    return row


def _leave(connection: Connection, row: Any, kind: str, *, losses: int, on_final: Hook) -> Status:
    """End a claim without an outcome; the row is locked."""
    lost = row.losses + losses
    if row.status == "cancelling":
        end(connection, row, "cancelled", on_final=on_final)
        return "cancelled"
    add_event(connection, row.id, {"kind": kind, "losses": lost})
    if lost > RETRIES:
        connection.execute(update(executions).where(executions.c.id == row.id).values(losses=lost))
        end(connection, row, "failed", error=_lost_too_often(lost), on_final=on_final)
        return "failed"
    values: dict[str, Any] = {"status": "queued", **NOBODY}
    values |= {"losses": lost, "attempt": row.attempt + 1}
    connection.execute(update(executions).where(executions.c.id == row.id).values(values))
    return "queued"


def end(
    connection: Connection,
    row: Any,
    status: Status,
    *,
    error: dict[str, Any] | None = None,
    on_final: Hook = no_hook,
) -> None:
    """Write a final status or a pause, its event and what follows from it.

    Args:
        connection: A writing transaction.
        row: ``id`` and ``status`` of the execution, locked by the caller.
        status: What it becomes.
        error: Why.
        on_final: What follows from it.
    """
    check_transition(row.status, status)
    values: dict[str, Any] = {"status": status, "error": error, **NOBODY}
    if status in FINAL:
        values["finished_at"] = now()
    connection.execute(update(executions).where(executions.c.id == row.id).values(values))
    code = {} if error is None else {"code": error["code"]}
    add_event(connection, row.id, {"kind": f"execution_{status}", **code})
    on_final(connection, row.id, status)


def _lost_too_often(losses: int) -> dict[str, Any]:
    return describe_error(
        TransientError(
            "execution.lost_too_often",
            f"The execution lost its worker or a connection {losses} times.",
            remedy="Look at the memory of the workers and at their connections, then retry it.",
        )
    )
