"""The timeline of an execution on the platform: its steps as its events left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from kinsynth.executions.state import Status
from kinsynth.pipeline.timeline import Event, timeline
from kinsynth.service.pages import View

DRAWING = ("synthesis", "storing")
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


class LossView(View):
    """A measure while a step went on."""

    at: float
    share: float
    values: dict[str, float]


class StepView(View):
    """One step."""

    step: str
    title: str
    state: Literal["waiting", "running", "finished", "stopped"]
    started: float | None
    seconds: float | None
    share: float
    seconds_left: float | None
    messages: tuple[str, ...]
    measures: tuple[LossView, ...]


def view_timeline(bodies: Iterable[Mapping[str, Any]], kind: str, status: Status) -> tuple[StepView, ...]:
    """Give the steps as they stand after the events.

    Args:
        bodies: Events in order; those that are not about a step are passed over.
        kind: ``run`` has seven steps, ``generate`` two.
        status: Of the execution: where nobody works on it, a step that was begun has stopped.
    """
    events = [_ADAPTER.validate_python(body) for body in bodies if str(body["kind"]).startswith("step_")]
    at_work = status in ("running", "cancelling")
    return tuple(
        StepView(
            step=one.step,
            title=one.title,
            state="stopped" if one.state == "running" and not at_work else one.state,
            started=one.started,
            seconds=one.seconds,
            share=one.share,
            seconds_left=_left(events, one.step) if one.state == "running" and at_work else None,
            messages=one.messages,
            measures=_measures(events, one.step),
        )
        for one in timeline(events)
        if kind == "run" or one.step in DRAWING
    )


def _measures(events: Iterable[Event], step: str) -> tuple[LossView, ...]:
    """Give what a step measured: the loss curve of the training."""
    return tuple(
        LossView(at=event.at, share=event.share, values=event.values)
        for event in events
        if event.kind == "step_progressed" and event.step == step and event.values
    )


def _left(events: Iterable[Event], step: str) -> float | None:
    left = None
    for event in events:
        if event.kind == "step_progressed" and event.step == step:
            left = event.seconds_left
    return left
