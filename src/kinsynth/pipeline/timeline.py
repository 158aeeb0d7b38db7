"""Typed events of an execution, append-only, and the timeline made of them.

Each event is one JSON line of ``events.jsonl`` in the execution's folder. Events hold times, names
and counts, never a cell of the source.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter

from kinsynth.errors import Finding

StepName = Literal["loading", "preprocessing", "building", "training", "synthesis", "report", "storing"]
STEPS: tuple[StepName, ...] = (
    "loading",
    "preprocessing",
    "building",
    "training",
    "synthesis",
    "report",
    "storing",
)
TITLES: dict[StepName, str] = {
    "loading": "Data loading",
    "preprocessing": "Preprocessing",
    "building": "Building the model",
    "training": "Training",
    "synthesis": "Synthesis",
    "report": "Report generation",
    "storing": "Storing",
}


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float = Field(description="Seconds since 1970, UTC.")


class ExecutionStarted(_Event):
    """The execution begins, or goes on after a stop."""

    kind: Literal["execution_started"] = "execution_started"
    name: str
    resumed: bool = False


class StepStarted(_Event):
    """A step begins."""

    kind: Literal["step_started"] = "step_started"
    step: StepName


class StepProgressed(_Event):
    """A step has done a share of its work."""

    kind: Literal["step_progressed"] = "step_progressed"
    step: StepName
    share: float = Field(ge=0, le=1, description="Share of the step's work that is done.")
    seconds_left: float | None = Field(None, description="Estimated seconds until the step ends.")
    message: str = ""
    values: dict[str, FiniteFloat] = Field(default_factory=dict, description="Measures such as losses.")


class StepMessage(_Event):
    """Something worth knowing."""

    kind: Literal["step_message"] = "step_message"
    step: StepName
    message: str


class StepFinished(_Event):
    """A step's outputs are stored."""

    kind: Literal["step_finished"] = "step_finished"
    step: StepName
    seconds: float


class ExecutionFinished(_Event):
    """Everything is stored."""

    kind: Literal["execution_finished"] = "execution_finished"


class ExecutionFailed(_Event):
    """The execution stopped; ``resume`` may take it up again."""

    kind: Literal["execution_failed"] = "execution_failed"
    code: str
    message: str
    interrupted: bool = False


Event = Annotated[
    ExecutionStarted
    | StepStarted
    | StepProgressed
    | StepMessage
    | StepFinished
    | ExecutionFinished
    | ExecutionFailed,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)
Listener = Callable[[Event], None]


class EventLog:
    """Appends events to a file and tells a listener.

    Args:
        path: File of JSON lines.
        listener: Called with each event, or None.
    """

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        self._path = path
        self._listener = listener
        self._whole = False

    def _cut_torn_line(self) -> None:
        """Remove a last line that a kill left unfinished."""
        if self._path.exists():
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                os.truncate(self._path, len(whole))

    def add(self, event: Event) -> None:
        """Append one event; it is on the disk when this returns. Only the holder of the lock may."""
        if not self._whole:
            self._cut_torn_line()
            self._whole = True
        with self._path.open("ab") as handle:
            handle.write(event.model_dump_json().encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
        if self._listener is not None:
            self._listener(event)


class StepProgress:
    """Reports how far one step is, at most twice a second, with an estimate of the time left.

    Attributes:
        limits: What could not be modelled as asked, as far as the step has told.
    """

    def __init__(self, log: EventLog, step: StepName, *, clock: Callable[[], float] = time.time) -> None:
        self._log = log
        self._step = step
        self._clock = clock
        self._started = clock()
        self._last = -1.0
        self.limits: list[Finding] = []

    def __call__(self, share: float, message: str = "", values: dict[str, float] | None = None) -> None:
        """Report the share that is done, between 0 and 1."""
        now = self._clock()
        if now - self._last < 0.5 and share < 1:
            return
        self._last = now
        spent = now - self._started
        left = spent * (1 - share) / share if share > 0.02 and spent > 0.5 else None
        self._log.add(
            StepProgressed(
                at=now,
                step=self._step,
                share=min(max(share, 0.0), 1.0),
                seconds_left=left,
                message=message,
                values=values or {},
            )
        )

    def say(self, message: str) -> None:
        """Report something worth knowing."""
        self._log.add(StepMessage(at=self._clock(), step=self._step, message=message))

    def tell(self, limit: Finding) -> None:
        """Report what could not be modelled as asked; the report tells it too."""
        self.say(str(limit))
        self.limits.append(limit)


def read_events(path: Path) -> tuple[Event, ...]:
    """Read the events of an execution; a torn last line is left out."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return tuple(_ADAPTER.validate_json(line) for line in lines)


class StepView(BaseModel):
    """One line of the timeline."""

    step: StepName
    title: str
    state: Literal["waiting", "running", "finished", "stopped"] = "waiting"
    started: float | None = None
    seconds: float | None = None
    share: float = 0.0
    messages: tuple[str, ...] = ()


def timeline(events: Iterable[Event]) -> tuple[StepView, ...]:
    """Give the seven steps as they stand after the events."""
    views = {step: StepView(step=step, title=TITLES[step]) for step in STEPS}

    def change(step: StepName, **values: object) -> None:
        views[step] = views[step].model_copy(update=values)

    for event in events:
        match event:
            case StepStarted():
                change(event.step, state="running", started=event.at, share=0.0)
            case StepProgressed():
                change(event.step, share=event.share)
            case StepMessage():
                change(event.step, messages=(*views[event.step].messages, event.message))
            case StepFinished():
                change(event.step, state="finished", seconds=event.seconds, share=1.0)
            case ExecutionFailed():
                for step, view in views.items():
                    if view.state == "running":
                        change(step, state="stopped")
            case _:
                pass
    return tuple(views.values())
