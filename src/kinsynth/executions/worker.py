"""The worker: claims what is delivered, has it performed, renews its claims, sweeps after dead workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection, select

from kinsynth.errors import InternalError, KinsynthError, TransientError
from kinsynth.executions import claims, outcomes, presence
from kinsynth.executions.claims import Claim, Hook, MayGoOn, no_hook
from kinsynth.executions.failure import describe_error
from kinsynth.executions.journal import LeaseLost
from kinsynth.executions.port import Delivery, Engine
from kinsynth.executions.state import Status
from kinsynth.executions.work import Broken, Failed, Outcome, Paused, Perform, Stopped, Succeeded, Work
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions
from kinsynth.system.trace import describe_calls

_log = structlog.get_logger()
_MOST: Final = 200  # queued executions that one sweep looks at, the oldest first
_JOIN_S: Final = 5.0  # for a beat or a sweep on its way; it hangs where the database does
_AGAIN_S: Final = 0.2  # between two tries to write an outcome while the records are away


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """How a worker works.

    Attributes:
        lease_s: A worker that is silent for this long has lost its executions; the same for all workers.
        beat_s: How often it renews its claims and hears what is wished; at most a third of the lease.
        capacity: Executions at a time; the same for all workers of an installation.
        sweep_s: How often it looks for ended leases and lost deliveries.
        drain_s: How long a graceful stop waits for the performers.
        version: Version of kinsynth, shown to administrators.
    """

    lease_s: float = 10.0
    beat_s: float = 1.0
    capacity: int = 1
    sweep_s: float = 1.0
    drain_s: float = 20.0
    version: str = ""


class Worker:
    """A process that performs executions.

    Args:
        records: The records.
        engine: What brings deliveries.
        perform: Works on a claimed execution; see :data:`~kinsynth.executions.work.Perform`.
        settings: How it works.
        on_final: What follows from an end or a pause, in its transaction.
        may_go_on: Asked in the transaction of each renewal whether the execution may use more compute time.

    Guarantees:
        What a performer leaves behind after its lease may have ended changes nothing. A queued execution is
        claimed by a live worker, and one whose worker died is queued again within ``lease_s`` and two sweeps.
    """

    def __init__(
        self,
        records: Records,
        engine: Engine,
        perform: Perform,
        *,
        settings: WorkerSettings | None = None,
        on_final: Hook = no_hook,
        may_go_on: MayGoOn | None = None,
    ) -> None:
        self.id = make_id("wrk")
        self._records, self._engine, self._perform, self._on_final = records, engine, perform, on_final
        self._may_go_on = may_go_on
        self._settings = settings or WorkerSettings()
        self._places = threading.BoundedSemaphore(self._settings.capacity)
        self._works: dict[Claim, Work] = {}
        self._draining = threading.Event()
        self._ended = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; then drain: performers are asked to stop, claims are given back.

        A process that ends after this must not wait for the threads of the engine, which may still hope for a
        database that is away: ``os._exit``.

        Raises:
            TransientError: ``records.unavailable`` at the start.
        """
        self._engine.prepare()
        with self._records.write() as connection:
            presence.enter(connection, self.id, self._settings.version)
        threads = [
            self._repeat("beat", min(self._settings.beat_s, self._settings.lease_s / 3), self._beat),
            self._repeat("sweep", self._settings.sweep_s, self._sweep),
            threading.Thread(target=self._drain_after, args=(stop,), name="drain", daemon=True),
        ]
        for thread in threads:
            thread.start()
        _log.info("worker_started", worker=self.id)
        try:
            self._engine.serve(
                self.id,
                self._handle,
                capacity=self._settings.capacity,
                stop=self._draining,
                drain_s=self._settings.drain_s,
            )
        finally:
            self._ended.set()
            for thread in threads[:2]:
                thread.join(_JOIN_S)
            self._try(self._leave)
        _log.info("worker_stopped", worker=self.id)

    def _drain_after(self, stop: threading.Event) -> None:
        stop.wait()
        self._draining.set()

    def _leave(self) -> None:
        with self._records.write() as connection:
            presence.leave(connection, self.id)

    def _handle(self, execution_id: str, attempt: int) -> None:
        """Look at a delivered execution; one that is not taken stays queued and is delivered again."""
        if self._draining.is_set() or not self._places.acquire(blocking=False):
            return
        try:
            work = self._claim(execution_id)
            if work is not None:
                _log.info("execution_claimed", execution=execution_id, attempt=attempt)
                self._work(work)
        except TransientError as error:
            _log.warning("records_away", execution=execution_id, code=error.code)
        finally:
            self._places.release()

    def _claim(self, execution_id: str) -> Work | None:
        asked_at = time.monotonic()
        with self._records.write() as connection:
            claim = claims.claim(connection, execution_id, self.id, self._settings.lease_s)
        return None if claim is None else Work(claim, self._settings.lease_s, asked_at, self._draining)

    def _work(self, work: Work) -> None:
        self._works[work.claim] = work
        try:
            self._settle(work, self._outcome(work))
        finally:
            del self._works[work.claim]

    def _outcome(self, work: Work) -> Outcome:
        try:
            return self._perform(work.claim, work.wish)
        except (TransientError, LeaseLost) as error:
            _log.warning("execution_broken", **_about(work.claim, error))
            return Broken()
        except KinsynthError as error:
            return Failed(describe_error(error))
        except Exception as error:  # noqa: BLE001 - a performer's fault must not end the worker
            _log.error("execution_crashed", **_about(work.claim, error), calls=list(describe_calls(error)))
            return Failed(describe_error(_unexpected(error)))

    def _settle(self, work: Work, outcome: Outcome) -> None:
        """Write an outcome; while the records are away as long as the lease lasts, after that it is lost."""
        while work.wish() != "lost":
            try:
                with self._records.write() as connection:
                    status = _write_outcome(connection, work, outcome, self._on_final)
            except LeaseLost:
                break
            except TransientError:
                time.sleep(_AGAIN_S)
            else:
                _log.info("execution_left", execution=work.claim.execution_id, status=status)
                return
        _log.warning("execution_lost", execution=work.claim.execution_id)

    def _beat(self) -> None:
        """Say that this worker is alive, and renew its claims: each in a transaction of its own.

        A renewal may lock the quota of the execution's owner; two at once in two workers could wait for each
        other.
        """
        with self._records.write() as connection:
            presence.beat(connection, self.id)
        for work in list(self._works.values()):
            if work.wish() != "lost":
                self._try(partial(self._renew, work))

    def _renew(self, work: Work) -> None:
        asked_at = time.monotonic()
        with self._records.write() as connection:
            wish = claims.renew(connection, work.claim, self._settings.lease_s, may_go_on=self._may_go_on)
        work.note(wish, asked_at)

    def _sweep(self) -> None:
        with self._records.write() as connection:
            claims.expire(connection, on_final=self._on_final)
        with self._records.read() as connection:
            live = presence.read_live(connection, self._settings.lease_s)
            queued = _read_queued(connection)
        self._engine.restore(queued, live | {self.id})

    def _repeat(self, name: str, every_s: float, do: Callable[[], None]) -> threading.Thread:
        def repeat() -> None:
            while not self._ended.wait(every_s):
                self._try(do)

        return threading.Thread(target=repeat, name=name, daemon=True)

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except TransientError as error:
            _log.warning("records_away", worker=self.id, code=error.code)
        except Exception as error:  # noqa: BLE001 - without this thread the worker loses all it holds
            _log.error(
                "worker_fault", worker=self.id, error=type(error).__name__, calls=list(describe_calls(error))
            )


def _write_outcome(connection: Connection, work: Work, outcome: Outcome, on_final: Hook) -> Status:
    held, wish = work.claim, work.wish()
    match outcome:
        case Succeeded():
            return outcomes.finish(connection, held, "succeeded", on_final=on_final)
        case Failed(error):
            return outcomes.finish(connection, held, "failed", error=error, on_final=on_final)
        case Paused(error):
            return outcomes.pause(connection, held, error, on_final=on_final)
        case Stopped() if wish == "pause":
            return outcomes.pause(connection, held, None, on_final=on_final)
        case Stopped():
            return claims.release(connection, held, on_final=on_final)
        case Broken():
            return claims.lose(connection, held, on_final=on_final)


def _read_queued(connection: Connection) -> list[Delivery]:
    rows = connection.execute(
        select(executions.c.id, executions.c.attempt)
        .where(executions.c.status == "queued")
        .order_by(executions.c.created_at)
        .limit(_MOST)
    )
    return [(execution_id, attempt) for execution_id, attempt in rows]


def _about(held: Claim, error: Exception) -> dict[str, str]:
    code = error.code if isinstance(error, KinsynthError) else type(error).__name__
    return {"execution": held.execution_id, "code": code}


def _unexpected(error: Exception) -> InternalError:
    return InternalError(
        "internal.unexpected",
        f"Something in kinsynth failed that should not ({type(error).__name__}).",
        remedy="Please report it with the worker's log.",
    )
