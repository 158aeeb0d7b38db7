"""Executions: what a person starts, follows and gets. Their work is done by workers."""

from __future__ import annotations

import logging
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, case, func, select

from kinsynth.errors import ConflictError, TransientError
from kinsynth.executions import requests
from kinsynth.executions.journal import read_events
from kinsynth.executions.state import FINAL, Status
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.views import FindingView
from kinsynth.service.audit import record
from kinsynth.service.documents import Document
from kinsynth.service.names import rename
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import not_found, require, visible_syntheses
from kinsynth.service.platform import Platform
from kinsynth.service.removal import remove_execution
from kinsynth.service.scores import Accuracy, Privacy, report_of_execution, score_columns
from kinsynth.service.timelines import StepView, view_timeline
from kinsynth.service.usage import reserve_slice, settle_usage
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import executions, models, steps

_log = logging.getLogger(__name__)
Kind = Literal["run", "generate"]


class ErrorView(View):
    """Why an execution failed or paused."""

    code: str
    message: str
    where: str
    remedy: str
    findings: tuple[FindingView, ...] = ()


class ExecutionView(View):
    """An execution."""

    id: str
    synthesis_id: str
    synthesis_version: int
    source_id: str | None = Field(
        description="Null once the source was deleted, or its owner may no longer edit the synthesis."
    )
    source_version: int
    owner_id: str
    ancestor_id: str | None = Field(description="What it repeats or goes on from.")
    model_id: str | None = Field(description="The stored model it draws from; null when it trains.")
    trained_model_id: str | None = Field(description="The model it made; null before the training is done.")
    name: str
    kind: Kind
    status: Status
    error: ErrorView | None
    attempt: int
    used_seconds: float
    rows: int = Field(description="Rows of root tables that it generates.")
    accuracy: Accuracy
    privacy: Privacy
    created_at: float
    started_at: float | None
    finished_at: float | None


class ExecutionDetail(ExecutionView):
    """An execution with the document as it was at the start."""

    document: Document
    request: dict[str, Any] = Field(
        description="What was asked of a drawing: rows, seed, conditions, fill; empty for a run."
    )


class EventView(View):
    """Something that happened."""

    number: int
    at: float
    body: dict[str, Any]


class EventsView(View):
    """Some events, in order."""

    items: tuple[EventView, ...]
    status: Status
    ended: bool = Field(description="Whether no event follows any more.")


class TimelineView(View):
    """The seven steps as they stand."""

    status: Status
    steps: tuple[StepView, ...]


def list_executions(
    platform: Platform,
    actor: Actor,
    wanted: Wanted,
    *,
    synthesis_id: str | None = None,
    status: Status | None = None,
) -> Page[ExecutionView]:
    """List executions of all syntheses somebody sees, or of one, newest first."""
    with platform.records.read() as connection:
        if synthesis_id is None:
            require(connection, actor, "executions.list")
            query = _executions().where(executions.c.synthesis_id.in_(visible_syntheses(actor.user_id)))
        else:
            require(connection, actor, "executions.of_synthesis", synthesis_id)
            query = _executions().where(executions.c.synthesis_id == synthesis_id)
        if status is not None:
            query = query.where(executions.c.status == status)
        rows, cursor = read_page(connection, query, executions.c.created_at, executions.c.id, wanted)
    return Page(items=tuple(ExecutionView.model_validate(row) for row in rows), next=cursor)


def read_execution(platform: Platform, actor: Actor, execution_id: str) -> ExecutionDetail:
    """Give an execution."""
    with platform.records.read() as connection:
        require(connection, actor, "executions.read", execution_id)
        row = connection.execute(_executions().where(executions.c.id == execution_id)).one()
    return ExecutionDetail.model_validate(row)


def rename_execution(platform: Platform, actor: Actor, execution_id: str, name: str) -> ExecutionDetail:
    """Give an execution another name."""
    with platform.records.write() as connection:
        rename(connection, actor, "executions.rename", executions, execution_id, name=name)
    return read_execution(platform, actor, execution_id)


def cancel_execution(platform: Platform, actor: Actor, execution_id: str) -> ExecutionDetail:
    """Cancel an execution: at once where nobody works on it, else within seconds.

    Raises:
        ConflictError: ``execution.final``, it has ended.
    """
    with platform.records.write() as connection:
        require(connection, actor, "executions.cancel", execution_id)
        requests.cancel(connection, execution_id, on_final=settle_usage)
        record(connection, actor, "executions.cancel", execution_id)
    return read_execution(platform, actor, execution_id)


def resume_execution(platform: Platform, actor: Actor, execution_id: str) -> ExecutionDetail:
    """Let an execution go on that paused because its owner's compute time was used up.

    Raises:
        ConflictError: It is not paused.
        AccessError: ``quota.seconds``, there is still none.
    """
    with platform.records.write() as connection:
        require(connection, actor, "executions.resume", execution_id)
        requests.resume(connection, execution_id)
        reserve_slice(connection, execution_id)
        record(connection, actor, "executions.resume", execution_id)
    found = read_execution(platform, actor, execution_id)
    submit(platform, found)
    return found


def delete_execution(platform: Platform, actor: Actor, execution_id: str) -> None:
    """Delete an execution that ended, with its model and results.

    Raises:
        ConflictError: ``execution.not_finished``; ``model.in_use``, an execution draws from its model.
    """
    with platform.records.write() as connection:
        require(connection, actor, "executions.delete", execution_id)
        if not hold(connection, executions.c.id, execution_id):
            raise not_found("execution")
        row = read_execution_row(connection, execution_id)
        if row.status not in FINAL:
            raise ConflictError(
                "execution.not_finished",
                f"The execution is {row.status}.",
                where="execution",
                remedy="Cancel it first.",
            )
        if (model_id := model_of(connection, execution_id)) is not None:
            refuse_model_in_use(connection, model_id)
        remove_execution(connection, execution_id)
        record(connection, actor, "executions.delete", execution_id)


def list_events(
    platform: Platform,
    actor: Actor,
    execution_id: str,
    *,
    after: int = 0,
    limit: int = 200,
    operation: str = "executions.events",
) -> EventsView:
    """Give the events after a number, in order."""
    with platform.records.read() as connection:
        require(connection, actor, operation, execution_id)
        return read_events_view(connection, execution_id, after, limit)


def read_events_view(connection: Connection, execution_id: str, after: int, limit: int) -> EventsView:
    """Give events without asking for a permission."""
    row = read_execution_row(connection, execution_id)
    found = read_events(connection, execution_id, after, limit)
    last = found[-1].number if found else after
    return EventsView(
        items=tuple(EventView(number=one.number, at=one.at, body=one.body) for one in found),
        status=row.status,
        ended=row.status in FINAL and last >= row.next_event - 1,
    )


def read_timeline(platform: Platform, actor: Actor, execution_id: str) -> TimelineView:
    """Give the steps as they stand."""
    bodies: list[dict[str, Any]] = []
    with platform.records.read() as connection:
        require(connection, actor, "executions.timeline", execution_id)
        row = read_execution_row(connection, execution_id)
        after = 0
        while found := read_events(connection, execution_id, after, 1_000):
            bodies += [one.body for one in found]
            after = found[-1].number
    return TimelineView(status=row.status, steps=view_timeline(bodies, row.kind, row.status))


def submit(platform: Platform, execution: ExecutionView) -> None:
    """Tell the workers; where the engine is away, a worker finds the execution by itself."""
    try:
        platform.engine.submit(execution.id, execution.attempt)
    except TransientError as error:
        _log.warning("an execution waits to be found: %s", error.code)


def read_execution_row(connection: Connection, execution_id: str) -> Row[Any]:
    """Give the row of an execution.

    Raises:
        AccessError: ``access.not_found``.
    """
    row = connection.execute(select(executions).where(executions.c.id == execution_id)).one_or_none()
    if row is None:
        raise not_found("execution")
    return row


def refuse_model_in_use(connection: Connection, model_id: str) -> None:
    """Refuse to lose a model that an execution draws from.

    Raises:
        ConflictError: ``model.in_use``.
    """
    hold(connection, models.c.id, model_id)
    mine = (executions.c.model_id == model_id) & executions.c.status.not_in(FINAL)
    if connection.execute(select(func.count()).select_from(executions).where(mine)).scalar_one():
        raise ConflictError(
            "model.in_use",
            "An execution that is not finished draws from this model.",
            where="model",
            remedy="Wait for it, or cancel it.",
        )


def model_of(connection: Connection, execution_id: str) -> str | None:
    """Give the model an execution trained, if it did and it is there."""
    return connection.execute(
        select(models.c.id).where(models.c.execution_id == execution_id)
    ).scalar_one_or_none()


def _executions() -> Any:
    rows = case(
        (executions.c.reserved_rows > executions.c.used_rows, executions.c.reserved_rows),
        else_=executions.c.used_rows,
    )
    made = executions.outerjoin(models, models.c.execution_id == executions.c.id)
    return select(
        executions, models.c.id.label("trained_model_id"), rows.label("rows"), *score_columns()
    ).select_from(made.outerjoin(steps, report_of_execution()))
