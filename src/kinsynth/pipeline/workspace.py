"""Workspace: the folder of one execution, its events, its finished steps, and the wish to stop.

A step's outputs are written first, its outcome last. A step with an outcome whose outputs are
unchanged is never done again; a step without one is done from its beginning. A step that is done again
and leaves another outcome than before takes the steps after it along: what they made was made of it.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kinsynth.errors import Finding, Interrupted, UserError
from kinsynth.pipeline.timeline import (
    STEPS,
    EventLog,
    Listener,
    StepFinished,
    StepName,
    StepProgress,
    StepStarted,
)
from kinsynth.system import crash
from kinsynth.system.files import digest, read_json, write_json

EXECUTION, LIMITS = "execution.json", "limits.json"
VERSION = 5
_LOCK = ".lock"


def holds_only_leftovers(folder: Path) -> bool:
    """Tell whether a folder is empty but for what a process killed at its start leaves.

    That is its lock, and beside it an unfinished description of the execution and rows given to it.
    """
    work, given = Workspace(folder).work, Workspace(folder).given
    begun = (folder / _LOCK).exists() and work.is_dir() and {*work.iterdir()} <= {given}
    return all(
        path.name == _LOCK or path.name.startswith(f".{EXECUTION}.") or (begun and path == work)
        for path in folder.iterdir()
    )


def remove(path: Path) -> None:
    """Delete a file, or a folder with everything in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_content(folder: Path) -> None:
    """Empty a folder whose execution was refused before it began."""
    for path in folder.iterdir():
        remove(path)


class Workspace:
    """The folder of one execution.

    Args:
        folder: Where everything of the execution is kept.
        listener: Called with each event, or None.
        stop_requested: Asked at safe points; True stops the execution cleanly.
        resumable: Whether the execution may be taken up again; if not, training writes no checkpoints.
    """

    def __init__(
        self,
        folder: Path,
        *,
        listener: Listener | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
        resumable: bool = True,
    ) -> None:
        self.folder, self._resumable = folder, resumable
        self.log = EventLog(folder / "events.jsonl", listener)
        self._stop_requested = stop_requested

    @property
    def work(self) -> Path:
        """Private working data: original rows, encoded rows, checkpoints. Removed after success."""
        return self.folder / "work"

    @property
    def given(self) -> Path:
        """Tables handed over in Python, or known rows of a drawing."""
        return self.work / "given"

    @property
    def model(self) -> Path:
        """The stored model."""
        return self.folder / "model"

    @property
    def tables(self) -> Path:
        """The synthetic tables."""
        return self.folder / "tables"

    def checkpoint(self, number: int) -> Path | None:
        """Give where the training of a table keeps its state; None when nobody could take it up."""
        if not self._resumable:
            return None
        path = self.work / "checkpoints" / f"{number:03}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def execution(self) -> dict[str, Any]:
        """Read what this execution is.

        Raises:
            UserError: The file is damaged, or was written by another version.
        """
        path = self.folder / EXECUTION
        document: dict[str, Any] = read_json(path)
        if document.get("version") != VERSION:
            raise UserError(
                "execution.version",
                f"version={document.get('version')}: expected {VERSION}.",
                where=str(path),
                remedy="Use the version of kinsynth that wrote it, or run the document into another folder.",
            )
        return document

    def check_stop(self) -> None:
        """Stop here if the user asked for it.

        Raises:
            Interrupted: A stop was requested.
        """
        if self._stop_requested():
            raise Interrupted(
                "execution.interrupted",
                "The execution was stopped.",
                where=str(self.folder),
                remedy="Take it up again with kinsynth resume.",
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder: no second process works in it.

        Raises:
            UserError: Another process holds it.
        """
        with (self.folder / _LOCK).open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    "execution.locked",
                    "Another process works in this folder.",
                    where=str(self.folder),
                    remedy="Wait for it to end, or stop it.",
                ) from error
            yield

    def is_finished(self, step: StepName) -> bool:
        """Tell whether a step is done and its outputs are still what it wrote."""
        outcome = self._read_outcome(step)
        return outcome is not None and all(
            (self.folder / name).is_file() and digest(self.folder / name) == sum_
            for name, sum_ in outcome["outputs"].items()
        )

    @contextmanager
    def step(self, step: StepName, *outputs: Path) -> Iterator[StepProgress]:
        """Do one step: events around it, its outcome at the end.

        Args:
            step: Which one.
            *outputs: Files and folders the step writes.
        """
        self.check_stop()
        crash.point(f"{step}.start")
        started = time.time()
        self.log.add(StepStarted(at=started, step=step))
        progress = StepProgress(self.log, step)
        yield progress
        crash.point(f"{step}.end")
        document = {
            "step": step,
            "outputs": {name: digest(path) for name, path in self._files(outputs)},
            "limits": [asdict(limit) for limit in progress.limits],
        }
        if self._read_outcome(step) != document:
            self._forget_after(step)
        write_json(self._outcome(step), document)
        now = time.time()
        self.log.add(StepFinished(at=now, step=step, seconds=now - started))

    def limits(self, before: StepName) -> tuple[Finding, ...]:
        """Give what could not be modelled as asked, as far as the steps before one have told."""
        outcomes = [self._outcome(step) for step in STEPS[: STEPS.index(before)]]
        return tuple(
            Finding(**limit) for path in outcomes if path.exists() for limit in read_json(path)["limits"]
        )

    def remove_leftovers(self) -> None:
        """Delete temporary files that a killed process left; only the holder of the lock may."""
        for path in sorted(self.folder.rglob("*.tmp")):
            remove(path)

    def remove_work(self) -> None:
        """Delete the private working data."""
        if self.work.exists():
            shutil.rmtree(self.work)

    def _read_outcome(self, step: StepName) -> dict[str, Any] | None:
        """Give what a step left; None where it left nothing that can be read: it is done again then."""
        path = self._outcome(step)
        try:
            return read_json(path) if path.exists() else None
        except UserError:
            return None

    def _forget_after(self, step: StepName) -> None:
        """Remove outcomes and outputs of the steps after one: they are of another database than this one."""
        for later in STEPS[STEPS.index(step) + 1 :]:
            for name in (self._read_outcome(later) or {"outputs": {}})["outputs"]:
                remove(self.folder / name)
            remove(self._outcome(later))

    def _outcome(self, step: StepName) -> Path:
        return self.folder / "steps" / f"{step}.json"

    def _files(self, outputs: tuple[Path, ...]) -> list[tuple[str, Path]]:
        files = [file for path in outputs for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
        return [(file.relative_to(self.folder).as_posix(), file) for file in files if file.is_file()]
