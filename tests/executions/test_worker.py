"""The worker: outcomes are written, wishes told, claims renewed, the dead swept after. On both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator

import pytest
from sqlalchemy import update

from executions_at_hand import add_execution, read_row
from kinsynth.errors import SourceError, TransientError
from kinsynth.executions.claims import Claim, Wish
from kinsynth.executions.journal import read_events
from kinsynth.executions.port import Delivery
from kinsynth.executions.requests import cancel
from kinsynth.executions.work import Broken, Failed, Outcome, Paused, Perform, Stopped, Succeeded, Work
from kinsynth.executions.worker import Worker, WorkerSettings
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, workers

ERROR = {"code": "source.gone", "message": "", "where": "", "remedy": "", "findings": []}
FAST = WorkerSettings(lease_s=1.0, capacity=2, sweep_s=0.1, drain_s=5)


class Hand:
    """An engine that delivers by hand: each restored delivery in a thread, at once."""

    def __init__(self) -> None:
        self.given: list[Delivery] = []
        self._handle: Callable[[str, int], None] | None = None
        self._threads: list[threading.Thread] = []

    def prepare(self) -> None: ...

    def close(self) -> None: ...

    def submit(self, execution_id: str, attempt: int) -> None:
        if self._handle is not None:
            self.given.append((execution_id, attempt))
            self._threads.append(threading.Thread(target=self._handle, args=(execution_id, attempt)))
            self._threads[-1].start()

    def restore(self, queued: Iterable[Delivery], live: Collection[str]) -> int:
        assert live
        missing = [one for one in queued if one not in self.given]
        for one in missing:
            self.submit(*one)
        return len(missing)

    def serve(
        self,
        worker_id: str,
        handle: Callable[[str, int], None],
        *,
        capacity: int,
        stop: threading.Event,
        drain_s: float,
    ) -> None:
        self._handle = handle
        stop.wait()
        for thread in self._threads:
            thread.join(drain_s)


Start = Callable[..., tuple[Worker, threading.Event]]


@pytest.fixture
def start(records: Records) -> Iterator[Start]:
    running: list[tuple[threading.Event, threading.Thread]] = []

    def begin(perform: Perform, **options: object) -> tuple[Worker, threading.Event]:
        worker, stop = Worker(records, Hand(), perform, settings=FAST, **options), threading.Event()  # type: ignore[arg-type]
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        running.append((stop, thread))
        return worker, stop

    yield begin
    for stop, _ in running:
        stop.set()
    for _, thread in running:
        thread.join(20)
        assert not thread.is_alive()


def until(records: Records, execution_id: str, status: str, within_s: float = 15) -> None:
    began = time.monotonic()
    while read_row(records, execution_id).status != status:
        assert time.monotonic() - began < within_s, read_row(records, execution_id).status
        time.sleep(0.02)


def kinds(records: Records, execution_id: str) -> list[str]:
    with records.read() as connection:
        return [one.body["kind"] for one in read_events(connection, execution_id)]


def wait_for_a_wish(_claim: Claim, wish: Callable[[], Wish]) -> Outcome:
    while wish() == "go":
        time.sleep(0.01)
    return Stopped()


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Succeeded(), "succeeded", None),
        (Failed(ERROR), "failed", "source.gone"),
        (Paused(ERROR), "paused", "source.gone"),
    ],
)
def test_outcomes(records: Records, start: Start, outcome: Outcome, status: str, code: str | None) -> None:
    execution_id, ended = add_execution(records), list[tuple[str, str]]()
    start(lambda _claim, _wish: outcome, on_final=lambda _c, which, what: ended.append((which, what)))
    until(records, execution_id, status)
    row = read_row(records, execution_id)
    assert (row.error or {}).get("code") == code
    assert (row.worker_id, row.lease_expires_at, row.losses, row.attempt) == (None, 0, 0, 1)
    assert ended == [(execution_id, status)]


def test_an_error_of_ours_fails_it_and_a_strange_one_is_told_without_its_text(
    records: Records, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    def perform(claim: Claim, _wish: Callable[[], Wish]) -> Outcome:
        if claim.execution_id == ours:
            raise SourceError("source.gone", "The source is gone.", where="orders", remedy="Upload it again.")
        raise ZeroDivisionError("a cell of the source")

    ours, strange = add_execution(records), add_execution(records)
    start(perform)
    until(records, ours, "failed")
    until(records, strange, "failed")
    assert read_row(records, ours).error == {**ERROR, "message": "The source is gone.", "where": "orders"} | {
        "remedy": "Upload it again."
    }
    assert read_row(records, strange).error["code"] == "internal.unexpected"
    assert "a cell of the source" not in str(read_row(records, strange).error) + "".join(capsys.readouterr())


def test_what_breaks_is_tried_again_five_times(records: Records, start: Start) -> None:
    tries = list[int]()

    def perform(claim: Claim, _wish: Callable[[], Wish]) -> Outcome:
        tries.append(claim.epoch)
        if len(tries) % 2:
            raise TransientError("records.unavailable", "Away.", remedy="")
        return Broken()

    execution_id = add_execution(records)
    start(perform)
    until(records, execution_id, "failed")
    assert tries == [1, 2, 3, 4, 5, 6]
    assert read_row(records, execution_id).error["code"] == "execution.lost_too_often"


def test_cancel_reaches_the_performer(records: Records, start: Start) -> None:
    execution_id = add_execution(records)
    start(wait_for_a_wish)
    until(records, execution_id, "running")
    with records.write() as connection:
        assert cancel(connection, execution_id) == "cancelling"
    until(records, execution_id, "cancelled", within_s=3)
    assert kinds(records, execution_id) == ["cancel_requested", "execution_cancelled"]


def test_the_quota_pauses(records: Records, start: Start) -> None:
    execution_id = add_execution(records)
    start(wait_for_a_wish, may_go_on=lambda _connection, _which: False)
    until(records, execution_id, "paused")
    assert read_row(records, execution_id).used_seconds > 0


def test_a_graceful_stop_gives_back_what_another_takes_up(records: Records, start: Start) -> None:
    execution_id = add_execution(records)
    worker, stop = start(wait_for_a_wish)
    until(records, execution_id, "running")
    stop.set()
    until(records, execution_id, "queued")
    with records.read() as connection:
        row = connection.execute(workers.select().where(workers.c.id == worker.id)).one()
        assert row.stopped_at is None or row.stopped_at >= row.started_at
    start(lambda _claim, _wish: Succeeded())
    until(records, execution_id, "succeeded")
    row = read_row(records, execution_id)
    assert (row.losses, row.attempt, row.epoch) == (0, 2, 2)


def test_a_long_work_keeps_its_claim(records: Records, start: Start) -> None:
    execution_id, done = add_execution(records), threading.Event()

    def perform(_claim: Claim, wish: Callable[[], Wish]) -> Outcome:
        while not done.wait(0.01):
            assert wish() == "go"
        return Succeeded()

    start(perform)
    start(perform)
    until(records, execution_id, "running")
    time.sleep(2.5 * FAST.lease_s)
    done.set()
    until(records, execution_id, "succeeded")
    row = read_row(records, execution_id)
    assert (row.epoch, row.losses) == (1, 0)
    assert row.used_seconds == pytest.approx(2.5 * FAST.lease_s, abs=1)


def test_whoever_lost_it_is_told_and_changes_nothing(records: Records, start: Start) -> None:
    execution_id, said = add_execution(records), list[Wish]()

    def perform(_claim: Claim, wish: Callable[[], Wish]) -> Outcome:
        while wish() == "go":
            time.sleep(0.01)
        said.append(wish())
        return Succeeded()

    start(perform)
    until(records, execution_id, "running")
    with records.write() as connection:
        change = update(executions).where(executions.c.id == execution_id)
        connection.execute(change.values(epoch=7, worker_id="wrk_other", lease_expires_at=1e12))
    began = time.monotonic()
    while not said:
        assert time.monotonic() - began < 5
        time.sleep(0.01)
    time.sleep(0.3)
    row = read_row(records, execution_id)
    assert (said, row.status, row.epoch, row.worker_id) == (["lost"], "running", 7, "wrk_other")


def test_no_more_than_the_capacity_is_performed(records: Records, start: Start) -> None:
    now = most = 0
    lock = threading.Lock()

    def perform(_claim: Claim, _wish: Callable[[], Wish]) -> Outcome:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.3)
        with lock:
            now -= 1
        return Succeeded()

    ids = [add_execution(records) for _ in range(2 * FAST.capacity)]
    start(perform)
    for execution_id in ids[: FAST.capacity]:
        until(records, execution_id, "succeeded")
    assert most == FAST.capacity


def test_a_lease_that_may_have_ended_is_lost_without_asking_anybody() -> None:
    draining = threading.Event()
    work = Work(Claim("exe_a", 1, "wrk_a"), 0.2, time.monotonic(), draining)
    assert work.wish() == "go"
    draining.set()
    assert work.wish() == "drain"
    work.note("cancel", time.monotonic())
    assert work.wish() == "cancel"
    time.sleep(0.25)
    assert work.wish() == "lost"
    work.note("go", time.monotonic())
    assert work.wish() == "lost"
