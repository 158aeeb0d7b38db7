"""Scores: the two numbers of an evaluation, kept with the outcome of the report step for lists."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import ColumnElement, and_

from kinsynth.storage.tables import executions, steps

SCORES: Final = "scores"
SHOWN_SCORES: Final = ("accuracy", "privacy")
Accuracy = Annotated[
    float | None, Field(description="Data accuracy, 0 to 10; null before the report, or where none is made.")
]
Privacy = Annotated[
    float | None, Field(description="Privacy score, 0 to 10; null also where it cannot be measured.")
]


def report_of_execution(table: Any = executions, report: Any = steps) -> ColumnElement[bool]:
    """Join an execution with its report step."""
    return and_(report.c.execution_id == table.c.id, report.c.step == "report")


def score_columns(report: Any = steps) -> tuple[ColumnElement[Any], ...]:
    """Ask a report step for its scores, by their names."""
    return tuple(report.c.outcome[(SCORES, name)].as_float().label(name) for name in SHOWN_SCORES)
