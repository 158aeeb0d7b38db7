"""The journal of an execution: numbered events, and outcomes of steps; late writers are refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from kinsynth.executions.state import HELD
from kinsynth.storage.clock import now
from kinsynth.storage.tables import events, executions, steps

_MOST: Final = 1_000  # events in one answer


class LeaseLost(Exception):
    """Somebody else has the execution, or it has ended: what was written is refused and must be undone."""


@dataclass(frozen=True)
class Event:
    """One event as it was recorded.

    Attributes:
        number: Its place in the execution's timeline, counted from 1 without gaps.
        at: Seconds since 1970, UTC, by the database's clock.
        body: What happened: ``kind``, ``at`` and what belongs to the kind.
    """

    number: int
    at: float
    body: dict[str, Any]


def add_event(
    connection: Connection, execution_id: str, body: Mapping[str, Any], *, epoch: int | None = None
) -> int:
    """Write the next event of an execution.

    Args:
        connection: A writing transaction.
        execution_id: The execution.
        body: ``kind`` and what belongs to it; ``at`` is added where it is missing. No values.
        epoch: The writer's epoch; None for those that hold no claim.

    Returns:
        The event's number.

    Raises:
        LeaseLost: With ``epoch``: the execution is held under another one, or by nobody. Without: it is gone.

    Guarantees:
        Numbers of one execution are contiguous. Until the transaction ends nobody else changes the execution.
    """
    number = _take_number(connection, execution_id, epoch)
    at: float = connection.execute(select(now())).scalar_one()
    row = {"execution_id": execution_id, "number": number, "at": at, "body": {"at": at, **body}}
    connection.execute(insert(events).values(row))
    return number


def _take_number(connection: Connection, execution_id: str, epoch: int | None) -> int:
    taken = update(executions).where(executions.c.id == execution_id)
    if epoch is not None:
        taken = taken.where(executions.c.epoch == epoch, executions.c.status.in_(HELD))
    number = connection.execute(
        taken.values(next_event=executions.c.next_event + 1).returning(executions.c.next_event)
    ).scalar_one_or_none()
    if number is None:
        raise LeaseLost(execution_id)
    return int(number) - 1


def read_events(connection: Connection, execution_id: str, after: int = 0, limit: int = 200) -> list[Event]:
    """Give events in order, from the one after a number on; at most ``limit``, and never more than 1,000."""
    rows = connection.execute(
        select(events.c.number, events.c.at, events.c.body)
        .where(events.c.execution_id == execution_id, events.c.number > after)
        .order_by(events.c.number)
        .limit(min(limit, _MOST))
    )
    return [Event(number, at, body) for number, at, body in rows]


def start_step(connection: Connection, execution_id: str, step: str, *, epoch: int) -> None:
    """Record that a step begins, or begins again after a loss.

    Raises:
        LeaseLost: The execution is held under another epoch, or by nobody.
        ValueError: The step has an outcome already; it is never done twice.
    """
    confirm(connection, execution_id, epoch=epoch)
    mine = (steps.c.execution_id == execution_id, steps.c.step == step)
    begun = connection.execute(
        update(steps).where(*mine, steps.c.outcome.is_(None)).values(epoch=epoch, started_at=now())
    ).rowcount
    if begun:
        return
    if connection.execute(select(steps.c.step).where(*mine)).scalar_one_or_none() is not None:
        raise ValueError(f"step {step} is done already")
    connection.execute(
        insert(steps).values(execution_id=execution_id, step=step, epoch=epoch, started_at=now())
    )


def finish_step(
    connection: Connection, execution_id: str, step: str, outcome: Mapping[str, Any], *, epoch: int
) -> None:
    """Record the outcome of a step that was started under this epoch: once.

    Raises:
        LeaseLost: The execution is held under another epoch, or by nobody.
        ValueError: The step was not started under this epoch, or has an outcome.
    """
    confirm(connection, execution_id, epoch=epoch)
    done = connection.execute(
        update(steps)
        .where(
            steps.c.execution_id == execution_id,
            steps.c.step == step,
            steps.c.epoch == epoch,
            steps.c.outcome.is_(None),
        )
        .values(outcome=dict(outcome), finished_at=now())
    ).rowcount
    if not done:
        raise ValueError(f"step {step} is not running under epoch {epoch}")


def adopt_steps(connection: Connection, old_id: str, new_id: str, names: Collection[str]) -> None:
    """Give an execution steps that another one finished, with the times and words of their events.

    Args:
        connection: The transaction in which the new execution was made; nobody holds it yet.
        old_id: The execution that did them.
        new_id: The execution that does not have to do them.
        names: The steps.
    """
    names_of = ("step", "started_at", "finished_at", "outcome")
    done = select(literal(new_id), literal(0), *(steps.c[name] for name in names_of)).where(
        steps.c.execution_id == old_id, steps.c.step.in_(names), steps.c.outcome.is_not(None)
    )
    connection.execute(insert(steps).from_select(["execution_id", "epoch", *names_of], done))
    _adopt_events(connection, old_id, new_id, [*read_outcomes(connection, new_id)])


def _adopt_events(connection: Connection, old_id: str, new_id: str, names: Collection[str]) -> None:
    """Copy start, words and end of steps, within the database; not their progress, which is the old one's."""
    mine = executions.c.id == new_id
    first = connection.execute(select(executions.c.next_event).where(mine)).scalar_one()
    said = select(
        literal(new_id),
        literal(first - 1) + func.row_number().over(order_by=events.c.number),
        now(),
        events.c.body,
    ).where(
        events.c.execution_id == old_id,
        events.c.body["step"].as_string().in_(names),
        events.c.body["kind"].as_string() != "step_progressed",
    )
    connection.execute(insert(events).from_select(["execution_id", "number", "at", "body"], said))
    last = select(func.max(events.c.number)).where(events.c.execution_id == new_id).scalar_subquery()
    following = func.coalesce(last + 1, first)
    connection.execute(update(executions).where(mine).values(next_event=following))


def withdraw_step(connection: Connection, execution_id: str, step: str, *, epoch: int) -> None:
    """Forget the outcome of a step that was adopted; it must be done then.

    Raises:
        LeaseLost: The execution is held under another epoch, or by nobody.
        ValueError: The execution did the step itself: it is never done twice.
    """
    confirm(connection, execution_id, epoch=epoch)
    mine = (steps.c.execution_id == execution_id, steps.c.step == step, steps.c.epoch == 0)
    if not connection.execute(delete(steps).where(*mine)).rowcount:
        raise ValueError(f"step {step} was not adopted")


def read_outcomes(connection: Connection, execution_id: str) -> dict[str, dict[str, Any]]:
    """Give the outcomes of the finished steps, in the order in which they finished."""
    rows = connection.execute(
        select(steps.c.step, steps.c.outcome)
        .where(steps.c.execution_id == execution_id, steps.c.outcome.is_not(None))
        .order_by(steps.c.finished_at, steps.c.started_at)
    )
    return {row.step: row.outcome for row in rows}


def confirm(connection: Connection, execution_id: str, *, epoch: int) -> None:
    """Make sure that an execution is held under this epoch, and keep it so until the transaction ends.

    Whatever is written in the same transaction is fenced by it.

    Raises:
        LeaseLost: It is held under another epoch, or by nobody.
    """
    held = connection.execute(
        update(executions)
        .where(executions.c.id == execution_id, executions.c.epoch == epoch, executions.c.status.in_(HELD))
        .values(epoch=epoch)
    ).rowcount
    if not held:
        raise LeaseLost(execution_id)
