"""One attempt at an execution: its files are fetched, a child performs it, what it makes is kept.

What a step leaves is put into the artefact store first; then its files, its outcome and its event are
recorded in one transaction under the epoch of the claim; only then the child goes on. Whoever takes the
execution up finds whole steps, and nobody is shown a step whose files are not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from kinsynth.errors import AccessError, InternalError, KinsynthError, OutOfMemory, TransientError
from kinsynth.executions.claims import Claim, Wish
from kinsynth.executions.failure import describe_error
from kinsynth.executions.work import Broken, Failed, Outcome, Paused, Stopped, Succeeded
from kinsynth.service.performing.jobs import (
    FOLDER,
    SOURCE,
    STORED_MODEL,
    Job,
    describe_job,
    needed_source,
    read_job,
)
from kinsynth.service.performing.mirror import Mirror, fetch
from kinsynth.service.performing.record import Event, Record
from kinsynth.service.performing.training_child import TrainingChild
from kinsynth.service.platform import Platform
from kinsynth.service.scratch import open_scratch
from kinsynth.system import crash
from kinsynth.system.child import revive
from kinsynth.system.failures import explained

_LISTEN_S: Final = 0.1
_AWAY_S: Final = 60.0  # how long a store that is away is waited for
_KILLED: Final = -9
_TIMES_KILLED: Final = 2  # losses after which a child that is killed again is not tried again
_SAID_LAST = "synthesis.yaml"
Given = TypeVar("Given")


class _Ended(Exception):
    """The attempt ends here."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Attempt:
    """One attempt at an execution.

    Args:
        platform: The installation.
        claim: The right to work on it.
        wish: Says what is wished of the work at the moment.
    """

    def __init__(self, platform: Platform, claim: Claim, wish: Callable[[], Wish]) -> None:
        self._platform, self._claim, self._wish = platform, claim, wish
        self._id = claim.execution_id
        self._ending: str | None = None
        self._ends_at = 0.0
        self._state_at, self._state_took = time.monotonic(), 0.0
        self._said: Mapping[str, Any] = {}

    @explained()
    def perform(self) -> Outcome:
        """Perform it until it is done, or until something else is wished.

        Raises:
            KinsynthError: Why it failed; a ``TransientError`` may be tried again.
            LeaseLost: Somebody else has it.
        """
        try:
            with self._platform.records.read() as connection:
                job = read_job(connection, self._id)
            if "storing" in job.finished:  # its worker died between the last step and the end
                return Succeeded()
            with open_scratch(self._platform.scratch, f"{self._id}-{self._claim.epoch}") as scratch:
                return self._work(job, scratch)
        except _Ended as end:
            return end.outcome
        except OutOfMemory as error:  # a later attempt would not have more of it
            return Failed(describe_error(error))

    def _work(self, job: Job, scratch: Path) -> Outcome:
        self._job, self._folder = job, scratch / FOLDER
        self._told = Record(self._platform.records, self._claim, job, self._folder)
        self._mirror = Mirror(self._platform.artefacts, self._folder, self._check)
        fetch(self._platform.artefacts, needed_source(job), scratch / SOURCE, check=self._check_all)
        fetch(self._platform.artefacts, job.model, scratch / STORED_MODEL, check=self._check_all)
        self._mirror.fill(job.kept, check=self._check_all)
        crash.point("attempt.filled")
        child = TrainingChild(describe_job(job, scratch))
        try:
            return self._follow(child)
        finally:
            child.end()

    def _follow(self, child: TrainingChild) -> Outcome:
        """Listen to the child and do what it needs, until it ends."""
        while True:
            events: list[Event] = []
            for said in child.hear(_LISTEN_S):
                if said is None:
                    self._tell(events)
                    return self._outcome(child.end())
                if "event" not in said:
                    self._said = said
                    continue
                events.append(said["event"])
                if said["event"]["kind"] == "step_finished":
                    self._keep_step(events)
                    events = []
                    child.answer()
            self._tell(events)
            self._look_up(child)

    def _look_up(self, child: TrainingChild) -> None:
        """Do what is due, and what is wished."""
        wish, now = self._checked(), time.monotonic()
        if self._told.step == "training" and now - self._state_at > self._state_every():
            self._keep_state()
        if self._ending is None and wish != "go":
            self._ending, self._ends_at = wish, now + self._platform.deployment.cancel_s
            child.ask_stop()
        if self._ending is not None and now > self._ends_at:
            raise _Ended(self._as_wished())

    def _checked(self) -> Wish:
        """Give what is wished, unless nothing of this attempt is wanted any more: then it ends at once."""
        wish = self._wish()
        if wish in ("cancel", "lost"):
            raise _Ended(Stopped())
        return wish

    def _check(self) -> None:
        """End where nothing of this attempt is wanted any more."""
        self._checked()

    def _check_all(self) -> None:
        """End also where the worker stops: nothing was begun yet."""
        if (wish := self._wish()) != "go":
            self._ending = wish
            raise _Ended(self._as_wished())

    def _outcome(self, status: int) -> Outcome:
        """Say how the child ended."""
        match self._said.get("outcome"):
            case "succeeded":
                return Succeeded()
            case "stopped":
                self._keep_state()
                return self._as_wished()
            case "error":
                raise self._without_folder(revive(self._said["error"]))
            case "fault":
                raise InternalError(
                    "internal.child",
                    f"{self._said['type']} at {self._said['at']}.",
                    remedy="Report this: it is our fault.",
                )
        self._check()
        if self._ending is not None:
            return self._as_wished()
        if status == _KILLED and self._job.losses < _TIMES_KILLED:
            return Broken()
        raise _child_killed() if status == _KILLED else _child_died(status)

    def _as_wished(self) -> Outcome:
        return Paused(describe_error(_used_up())) if self._ending == "pause" else Stopped()

    def _tell(self, events: Sequence[Event]) -> None:
        """Record events, if there are some."""
        if events:
            self._insist(lambda: self._told.tell(events))

    def _keep_step(self, events: Sequence[Event]) -> None:
        """Keep what a finished step leaves; ``events`` end with its end."""
        step = events[-1]["step"]

        def keep() -> None:
            crash.point("keep.before_blobs")
            stored = self._mirror.put_step(step)
            if step == "storing":
                stored |= self._mirror.put(_SAID_LAST)
            crash.point("keep.after_blobs")
            self._told.tell_step(events, stored)
            crash.point("keep.after_rows")

        self._insist(keep)

    def _keep_state(self) -> None:
        """Keep what a training on its way has written."""

        def keep() -> None:
            stored = self._mirror.put_state()
            crash.point("state.after_blobs")
            if stored:
                self._told.tell_state(stored)
                self._mirror.note(stored)
                crash.point("state.after_rows")

        started = time.monotonic()
        if self._told.step == "training":
            self._insist(keep)
        self._state_at = time.monotonic()
        self._state_took = self._state_at - started

    def _state_every(self) -> float:
        """Give after how long the state is kept again: keeping it takes a tenth of the time at most."""
        return max(self._platform.deployment.checkpoint_s, 10 * self._state_took)

    def _insist(self, do: Callable[[], Given]) -> Given:
        """Do something again while database or store are away: for a minute, while it is wanted."""
        until = time.monotonic() + _AWAY_S
        while True:
            try:
                return do()
            except OutOfMemory:
                raise
            except TransientError:
                if time.monotonic() > until:
                    raise
                self._check()
                time.sleep(_LISTEN_S)

    def _without_folder(self, error: KinsynthError) -> KinsynthError:
        """Take the scratch folder out of an error: it is nobody's business."""
        error.where = error.where.replace(f"{self._folder.parent}/", "")
        error.message = error.message.replace(f"{self._folder.parent}/", "")
        return error


def _used_up() -> AccessError:
    return AccessError(
        "quota.seconds",
        "The compute time of the quota is used up; what was done is kept.",
        where="quotas.seconds",
        remedy="It goes on by itself when there is compute time again; an administrator can raise the quota.",
    )


def _child_killed() -> OutOfMemory:
    return OutOfMemory(
        "execution.child_killed",
        "The process that performs the execution was killed again and again, most likely for lack of memory.",
        remedy="Give the worker more memory, take a smaller model or fewer rows, then start a new execution.",
    )


def _child_died(status: int) -> InternalError:
    return InternalError(
        "execution.child_died",
        f"The process that performs the execution ended without a word (status {status}).",
        remedy="Report this; no value is in the message.",
    )
