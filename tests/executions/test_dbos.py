"""DBOS as the engine: durable, idempotent, restored, without pickle. On both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from kinsynth.errors import TransientError
from kinsynth.executions.dbos import DbosEngine
from kinsynth.storage.records import Records


@pytest.fixture
def engine(records: Records) -> Iterator[DbosEngine]:
    made = DbosEngine(records, poll_s=0.05)
    made.prepare()
    yield made
    made.close()


class Serving:
    """An engine that serves in a thread, and what it delivered."""

    def __init__(self, engine: DbosEngine, *, worker_id: str = "wrk_a", capacity: int = 4) -> None:
        self.got: list[tuple[str, int]] = []
        self.stop = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        self.most = self._now = 0
        self._lock = threading.Lock()
        self._engine, self._options = engine, (worker_id, capacity)
        self.thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        worker_id, capacity = self._options
        self._engine.serve(worker_id, self._handle, capacity=capacity, stop=self.stop, drain_s=5)

    def _handle(self, execution_id: str, attempt: int) -> None:
        with self._lock:
            self.got.append((execution_id, attempt))
            self._now += 1
            self.most = max(self.most, self._now)
        self.hold.wait(10)
        with self._lock:
            self._now -= 1

    def __enter__(self) -> Serving:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hold.set()
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


def until(true: Callable[[], bool], within_s: float = 15) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "it did not come to this in time"
        time.sleep(0.02)
    return time.monotonic() - began


def workflows(records: Records) -> list[tuple[str, str, str]]:
    name = "workflow_status" if records.is_sqlite else "dbos.workflow_status"
    with records.read() as connection:
        rows = connection.execute(text(f"SELECT workflow_uuid, status, serialization FROM {name} ORDER BY 1"))
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_a_delivery_comes_once_and_soon(engine: DbosEngine) -> None:
    with Serving(engine) as serving:
        engine.submit("exe_first", 1)
        until(lambda: bool(serving.got))
        for _ in range(3):
            engine.submit("exe_second", 1)
            engine.submit("exe_first", 1)
        until(lambda: len(serving.got) == 2)
        engine.submit("exe_first", 2)
        assert until(lambda: len(serving.got) == 3) < 1
    assert serving.got == [("exe_first", 1), ("exe_second", 1), ("exe_first", 2)]


def test_what_was_put_in_while_nobody_served_is_delivered_later(engine: DbosEngine) -> None:
    for number in range(5):
        engine.submit(f"exe_{number}", 1)
    with Serving(engine) as serving:
        until(lambda: len(serving.got) == 5)


def test_what_was_begun_goes_before_what_was_not(engine: DbosEngine) -> None:
    wanted = [("exe_new", 1), ("exe_newer", 1), ("exe_lost", 2)]
    for one in wanted:
        engine.submit(*one)
    with Serving(engine, capacity=1) as serving:
        until(lambda: len(serving.got) == 3)
    assert serving.got == [wanted[2], wanted[0], wanted[1]]


def test_no_more_than_the_capacity_at_a_time(engine: DbosEngine) -> None:
    with Serving(engine, capacity=2) as serving:
        serving.hold.clear()
        for number in range(5):
            engine.submit(f"exe_{number}", 1)
        until(lambda: len(serving.got) == 2)
        time.sleep(0.5)
        assert len(serving.got) == 2
        serving.hold.set()
        until(lambda: len(serving.got) == 5)
    assert serving.most == 2


def test_what_has_no_delivery_gets_one_and_what_has_one_no_second(engine: DbosEngine) -> None:
    queued = [(f"exe_{number}", 1) for number in range(3)]
    engine.submit(*queued[0])
    assert engine.restore(queued, set()) == 2
    assert engine.restore(queued, set()) == 0
    with Serving(engine) as serving:
        until(lambda: len(serving.got) == 3)
    assert sorted(serving.got) == queued


def test_a_refused_delivery_comes_again(engine: DbosEngine, records: Records) -> None:
    with Serving(engine) as serving:
        engine.submit("exe_a", 1)
        until(lambda: [status for _, status, _ in workflows(records)] == ["SUCCESS"])
        assert engine.restore([("exe_a", 1)], {"wrk_a"}) == 1
        until(lambda: serving.got == [("exe_a", 1)] * 2)


def test_what_a_dead_worker_holds_comes_again_and_what_a_live_one_holds_does_not(
    engine: DbosEngine, records: Records
) -> None:
    with Serving(engine) as serving:
        serving.hold.clear()
        engine.submit("exe_a", 1)
        until(lambda: bool(serving.got))
        assert engine.restore([("exe_a", 1)], {"wrk_a"}) == 0
        assert engine.restore([("exe_a", 1)], {"wrk_b"}) == 1
        until(lambda: len(serving.got) == 2)


def test_nothing_ended_stays_and_nothing_is_pickled(engine: DbosEngine, records: Records) -> None:
    with Serving(engine) as serving:
        for number in range(3):
            engine.submit(f"exe_{number}", 1)
        until(lambda: {status for _, status, _ in workflows(records)} == {"SUCCESS"})
        assert {how for _, _, how in workflows(records)} == {"portable_json"}
        engine.restore([], {"wrk_a"})
        assert workflows(records) == []
        assert len(serving.got) == 3


def test_many_processes_make_the_tables_at_once(records_url: str) -> None:
    code = (
        "import sys; from kinsynth.executions.dbos import DbosEngine; "
        "from kinsynth.storage.records import Records; "
        "DbosEngine(Records(sys.argv[1])).prepare()"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, records_url]) for _ in range(4)]
    assert [one.wait(60) for one in started] == [0] * 4


def test_a_database_that_is_away_is_said_so() -> None:
    engine = DbosEngine(Records("postgresql://postgres@127.0.0.1:1/nowhere"))
    for ask in (engine.prepare, lambda: engine.submit("exe_a", 1), lambda: engine.restore([], set())):
        with pytest.raises(TransientError) as said:
            ask()
        assert said.value.code == "records.unavailable"


def test_it_loads_no_torch_and_says_nothing() -> None:
    code = (
        "import sys, logging; from kinsynth.executions.dbos import DbosEngine; "
        "from kinsynth.executions.worker import Worker; from kinsynth.storage.records import Records; "
        "DbosEngine(Records('sqlite://')); logging.getLogger('dbos').error('aloud'); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
