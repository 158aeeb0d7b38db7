"""Executions of an installation in processes of their own that can be killed, and what they left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from executions_at_hand import insert_execution
from installation import make_person, running_platform
from kinsynth.executions.journal import read_events
from kinsynth.executions.state import HELD
from kinsynth.service.actor import Actor
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.files import attach, list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.keys import make_key
from kinsynth.storage.records import Records
from kinsynth.storage.tables import (
    artefacts,
    events,
    executions,
    models,
    receipts,
    source_versions,
    sources,
    steps,
    syntheses,
    workers,
)
from shop_database import shop_document

LEASE_S = 2.0
Fresh = Callable[[int | str], AbstractContextManager[tuple[Records, Path]]]
OWNERLESS_S = 30.0  # nothing is held without a live lease for longer


@dataclass
class Installation:
    """An installation with a source and a synthesis of it, and the processes that work on it.

    Attributes:
        platform: The installation.
        actor: Whose executions they are.
        source_id: A sealed source.
        synthesis_id: A synthesis of it.
        settings: Environment of its workers.
        workers: Processes that were started.
        started_at: When the first of them was, by the clock of the events.
    """

    platform: Platform
    actor: Actor
    source_id: str
    synthesis_id: str
    settings: Mapping[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started_at: float = 0.0

    @staticmethod
    def quick(**parts: object) -> dict[str, object]:
        """Give the document of a quick run."""
        return {**shop_document(Path("source"), **parts), "source": {}}

    def add_execution(self, **values: Any) -> str:
        """Put an execution into the queue, and give its id."""
        mine = {
            "synthesis_id": self.synthesis_id,
            "source_id": self.source_id,
            "owner_id": self.actor.user_id,
            "document": self.quick(),
        }
        with self.platform.records.write() as connection:
            return insert_execution(connection, **(mine | values))

    def start_worker(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker process."""
        return self._start(["-m", "kinsynth.service.performing.worker", str(os.getpid())], variables)

    def start_server(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start a server with a worker beside it."""
        command = "from kinsynth.cli import main; main()"
        return self._start(["-c", command, "serve"], {"KINSYNTH_PORT": "0", **variables})

    def _start(self, command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        self.started_at = self.started_at or time.time()
        log = (self.platform.deployment.data / "worker.log").open("ab")
        with log:
            worker = subprocess.Popen(
                [sys.executable, "-P", *command],
                env={**os.environ, **self.settings, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.workers.append(worker)
        return worker

    def wait_started(self, worker: subprocess.Popen[bytes]) -> None:
        """Wait until a worker is there: how long a process takes to start is the machine's."""
        self.wait(
            lambda: count(self.platform.records, workers, workers.c.pid == worker.pid) > 0, 60, "started"
        )

    def row(self, execution_id: str) -> Any:
        """Give the row of an execution."""
        with self.platform.records.read() as connection:
            return connection.execute(select(executions).where(executions.c.id == execution_id)).one()

    def kinds(self, execution_id: str) -> list[tuple[str, str]]:
        """Give kind and step of its events."""
        with self.platform.records.read() as connection:
            bodies = [event.body for event in read_events(connection, execution_id, limit=1000)]
        return [(body["kind"], body.get("step", "")) for body in bodies]

    def wait(self, done: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait until something is so; gives how long it took. Nothing may be without an owner meanwhile."""
        started = time.monotonic()
        while not done():
            held, ended = executions.c.status.in_(HELD), executions.c.lease_expires_at < now() - OWNERLESS_S
            assert count(self.platform.records, executions, held, ended) == 0, "held, but nobody works on it"
            if time.monotonic() - started > seconds:
                raise AssertionError(f"not {what} after {seconds} s\n{self.log()}")
            time.sleep(0.02)
        return time.monotonic() - started

    def wait_for(self, execution_id: str, *statuses: str, seconds: float = 90) -> float:
        """Wait until an execution has one of some statuses."""
        return self.wait(
            lambda: self.row(execution_id).status in statuses, seconds, f"{statuses} of {execution_id}"
        )

    def wait_cleared(self, execution_id: str) -> None:
        """Wait until what an ended execution left is removed."""
        self.wait(lambda: self.row(execution_id).cleared_at is not None, 20, f"{execution_id} cleared")

    def log(self) -> str:
        """Give the last of what workers logged."""
        path = self.platform.deployment.data / "worker.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def stop(self) -> None:
        """Kill all workers."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()

    def results(self, execution_id: str) -> dict[str, bytes]:
        """Give the bytes of everything an execution keeps, by path."""
        with self.platform.records.read() as connection:
            found = list_files(connection, execution_id)
        read = self.platform.artefacts.read
        return {path: b"".join(read(one)) for path, one in found.items()}


@contextmanager
def installation(
    records: Records, folder: Path, source: Path, *, encrypts: bool = True, **settings: object
) -> Iterator[Installation]:
    """Give an installation with a source, a folder of files."""
    settings = {"lease_s": LEASE_S, "checkpoint_s": 0.1, "poll_s": 0.05, "cancel_s": 3.0, **settings}
    folder.mkdir(exist_ok=True)
    if encrypts:
        settings["key_file"] = folder / "keys.txt"
        if not (folder / "keys.txt").exists():
            (folder / "keys.txt").write_text(make_key())
    with running_platform(records, folder / "data", **settings) as platform:
        actor = make_person(platform)
        found = Installation(
            platform,
            actor,
            *_add_documents(platform, actor, source),
            {
                f"KINSYNTH_{name.upper()}": str(value)
                for name, value in {
                    "data": folder / "data",
                    "database": records.url.render_as_string(hide_password=False),
                    "log_level": "info",
                    **settings,
                }.items()
            },
        )
        try:
            yield found
        finally:
            found.stop()


def _add_documents(platform: Platform, actor: Actor, source: Path) -> tuple[str, str]:
    source_id, synthesis_id = make_id("src"), make_id("syn")
    times = {"created_at": now(), "updated_at": now()}
    owned = {"owner_id": actor.user_id, "name": "shops", "version": 1, **times}
    stored = {path.name: platform.artefacts.put_file(path, "original") for path in sorted(source.iterdir())}
    with platform.records.write() as connection:
        connection.execute(insert(sources).values(id=source_id, **owned))
        connection.execute(
            insert(source_versions).values(
                source_id=source_id, number=1, digest="0" * 64, created_at=now(), sealed_at=now()
            )
        )
        connection.execute(insert(syntheses).values(id=synthesis_id, source_id=source_id, **owned))
        attach(connection, source_id, 1, stored)
    return source_id, synthesis_id


def count(records: Records, table: Any, *conditions: Any) -> int:
    """Count rows."""
    with records.read() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def check_left(found: Installation, execution_id: str) -> None:
    """Make sure that an execution that succeeded was done once, and left nothing that is not a result."""
    records = found.platform.records
    assert found.row(execution_id).status == "succeeded", found.row(execution_id).error
    kinds = found.kinds(execution_id)
    names = ["loading", "preprocessing", "building", "training", "synthesis", "report", "storing"]
    assert [step for kind, step in kinds if kind == "step_finished"] == names, "each step was done once"
    assert [kind for kind, _ in kinds].count("execution_succeeded") == 1
    assert kinds[-1][0] == "execution_succeeded"
    mine = steps.c.execution_id == execution_id
    assert count(records, steps, mine, steps.c.outcome.is_not(None)) == 7
    assert count(records, steps, mine) == 7
    assert count(records, models, models.c.execution_id == execution_id) == 1
    assert count(records, events, events.c.execution_id == execution_id) == len(kinds)
    assert count(records, receipts, receipts.c.subject_id == execution_id) == 1
    assert not [path for path in found.results(execution_id) if path.startswith("work/")]
    check_no_leftovers(found)


def check_no_leftovers(found: Installation) -> None:
    """Make sure that no scratch folder is left, and no blob without a row."""
    platform = found.platform
    scratch = platform.scratch
    assert not [path for path in scratch.iterdir() if path.is_dir()] if scratch.exists() else True
    platform.artefacts.collect(rest_s=-1)
    with platform.records.read() as connection:
        blobs = {*connection.execute(select(artefacts.c.blob)).scalars()}
    assert {*platform.artefacts.store.names()} == blobs


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process."""
    process.send_signal(signal.SIGKILL)
    process.wait()
