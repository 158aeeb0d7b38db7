"""The record of an attempt: its events, steps and files, written under the epoch of its claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, insert

from kinsynth.executions.claims import Claim
from kinsynth.executions.journal import (
    add_event,
    confirm,
    finish_step,
    read_events,
    read_outcomes,
    start_step,
    withdraw_step,
)
from kinsynth.service.performing.jobs import Job
from kinsynth.service.performing.mirror import CHECKPOINTS, DRAWN, SYNTHETIC
from kinsynth.service.scores import SCORES, SHOWN_SCORES
from kinsynth.storage import clock, files
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.tables import models
from kinsynth.system import crash
from kinsynth.system.files import read_json

_SHARE_OF_NEWS: Final = 0.001
_OLD_NEWS_S: Final = 10.0
_NOT_RECORDED = {"execution_finished", "execution_failed"}  # the end is told by the execution's own record

Event = Mapping[str, Any]


def _nothing(_connection: Connection) -> None:
    pass


class Record:
    """Writes what an attempt has to tell.

    Every method raises ``LeaseLost`` when somebody else has the execution, and ``TransientError`` when the
    database is away or a file must be put again; it may be called again then, whether or not it was written.

    Args:
        records: The database.
        claim: The right to write.
        job: The execution.
        folder: Its folder.

    Attributes:
        step: The step that runs, empty between two.
    """

    def __init__(self, records: Records, claim: Claim, job: Job, folder: Path) -> None:
        self._records, self._claim, self._job, self._folder = records, claim, job, folder
        self._id = claim.execution_id
        self._shown = (0.0, 0.0)
        self._sent: tuple[int, Event] | None = None
        self.step = ""

    def tell(self, events: Sequence[Event]) -> None:
        """Write events: once."""
        self._write(events)

    def tell_step(self, events: Sequence[Event], stored: Mapping[str, Stored]) -> None:
        """Write the end of a step, which the events end with, and its files: together, and once."""
        step = events[-1]["step"]
        self._write(events, lambda connection: self._finish(connection, step, stored))
        self.step = ""

    def tell_state(self, stored: Mapping[str, Stored]) -> None:
        """Write the files of a training on its way."""
        with self._writing() as connection:
            files.attach(connection, self._id, 0, stored)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._records.write() as connection:
            confirm(connection, self._id, epoch=self._claim.epoch)
            yield connection
            crash.point("record.before_commit")

    def _write(self, events: Sequence[Event], also: Callable[[Connection], None] = _nothing) -> None:
        """Write events, and what belongs to them; nothing where an earlier call did, and was not answered."""
        news, shown = self._find_news(events)
        with self._writing() as connection:
            if not self._is_written(connection):
                for event in events:
                    if event["kind"] == "step_started":
                        start_step(connection, self._id, event["step"], epoch=self._claim.epoch)
                        self.step = event["step"]
                for event in news:
                    number = add_event(connection, self._id, event, epoch=self._claim.epoch)
                    self._sent = number, event
                also(connection)
        self._shown, self._sent = shown, None

    def _is_written(self, connection: Connection) -> bool:
        """Tell whether the events of the call before, which failed, are there; the epoch is confirmed.

        Only we write under the epoch: at the number of our last event stands that event, or what somebody
        without a claim wrote after ours was undone.
        """
        if self._sent is None:
            return False
        number, event = self._sent
        found = read_events(connection, self._id, after=number - 1, limit=1)
        return bool(found) and event.items() <= found[0].body.items()

    def _find_news(self, events: Sequence[Event]) -> tuple[list[Event], tuple[float, float]]:
        """Give the events worth a row, and the progress shown then.

        A training of a day says its progress twice a second.
        """
        news, shown = [], self._shown
        for event in events:
            if event["kind"] in _NOT_RECORDED:
                continue
            if event["kind"] == "step_progressed":
                share, at = event["share"], event["at"]
                if abs(share - shown[0]) < _SHARE_OF_NEWS and at - shown[1] < _OLD_NEWS_S:
                    continue
                shown = share, at
            news.append(event)
        return news, shown

    def _finish(self, connection: Connection, step: str, stored: Mapping[str, Stored]) -> None:
        outcome = read_json(self._folder / "steps" / f"{step}.json")
        if step == "report":
            outcome[SCORES] = read_scores(self._folder / "evaluation.json")
        finish_step(connection, self._id, step, outcome, epoch=self._claim.epoch)
        self._give_up(connection)
        files.attach(connection, self._id, 0, stored)
        if step == "training":
            files.detach(connection, self._id, under=CHECKPOINTS)
            add_model(connection, self._id, self._job.synthesis_id, self._job.name)
        if step == "storing":
            files.move(connection, self._id, DRAWN, SYNTHETIC)

    def _give_up(self, connection: Connection) -> None:
        """Give up steps that were taken over from another execution and were not made of this data.

        The child removed their outcomes: a step before them left another one than it had there.
        """
        outcomes = read_outcomes(connection, self._id)
        for step in [one for one in outcomes if not (self._folder / "steps" / f"{one}.json").exists()]:
            withdraw_step(connection, self._id, step, epoch=self._claim.epoch)
            for path in (f"steps/{step}.json", *outcomes[step]["outputs"]):
                files.detach(connection, self._id, under=path)
            if step == "training":
                connection.execute(delete(models).where(models.c.execution_id == self._id))


def read_scores(evaluation: Path) -> dict[str, float | None]:
    """Give the two numbers of an evaluation that lists show beside an execution."""
    found = read_json(evaluation)
    return {name: found[name] for name in SHOWN_SCORES}


def add_model(connection: Connection, execution_id: str, synthesis_id: str, name: str) -> None:
    """Write down that an execution has a model."""
    connection.execute(
        insert(models).values(
            id=make_id("mod"),
            execution_id=execution_id,
            synthesis_id=synthesis_id,
            name=name,
            created_at=clock.now(),
        )
    )
