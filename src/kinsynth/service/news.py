"""News of syntheses: the newest execution of each, and the scores of the newest that succeeded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, Row, Select, func, select

from kinsynth.executions.state import Status
from kinsynth.service.pages import View
from kinsynth.storage.tables import executions, steps


class NewestView(View):
    """The newest execution of a synthesis."""

    id: str
    name: str
    status: Status
    created_at: float
    finished_at: float | None


class ScoresView(View):
    """What an execution reached."""

    execution_id: str
    accuracy: float | None = Field(description="0 to 10; null where nothing could be compared.")
    privacy: float | None = Field(description="0 to 10; null where it could not be measured.")


@dataclass(frozen=True)
class News:
    """What is new of one synthesis.

    Attributes:
        newest: Its newest execution; None before the first.
        scores: Those of its newest run that succeeded; None where it has none, or none that were kept.
    """

    newest: NewestView | None = None
    scores: ScoresView | None = None


def read_news(connection: Connection, synthesis_ids: Collection[str]) -> dict[str, News]:
    """Give the news of some syntheses, by their ids; those without executions have none."""
    newest = {row.synthesis_id: row for row in connection.execute(_newest(_of(synthesis_ids)))}
    scored = {row.synthesis_id: _scores(row) for row in connection.execute(_newest(_reported(synthesis_ids)))}
    return {
        synthesis_id: News(NewestView.model_validate(_without_id(row)), scored.get(synthesis_id))
        for synthesis_id, row in newest.items()
    }


def _of(synthesis_ids: Collection[str]) -> Select[Any]:
    names = ("id", "synthesis_id", "name", "status", "created_at", "finished_at")
    columns = [executions.c[name] for name in names]
    return select(*columns).where(executions.c.synthesis_id.in_(synthesis_ids))


def _reported(synthesis_ids: Collection[str]) -> Select[Any]:
    reports = (steps.c.execution_id == executions.c.id) & (steps.c.step == "report")
    return (
        _of(synthesis_ids)
        .add_columns(steps.c.outcome)
        .join_from(executions, steps, reports)
        .where(executions.c.status == "succeeded", steps.c.outcome.is_not(None))
    )


def _newest(query: Select[Any]) -> Select[Any]:
    """Keep the newest row of each synthesis."""
    order = executions.c.created_at.desc(), executions.c.id.desc()
    place = func.row_number().over(partition_by=executions.c.synthesis_id, order_by=order)
    placed = query.add_columns(place.label("place")).subquery()
    return select(placed).where(placed.c.place == 1)


def _without_id(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in NewestView.model_fields}


def _scores(row: Row[Any]) -> ScoresView | None:
    scores = row.outcome.get("scores")  # an older version of kinsynth left none
    return None if scores is None else ScoresView(execution_id=row.id, **scores)
