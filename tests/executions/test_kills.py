"""Workers and API are killed and stopped at any moment: nothing is lost or done twice. On both databases."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from executions_at_hand import add_execution, read_row
from kinsynth.executions.dbos import DbosEngine
from kinsynth.executions.journal import read_events, read_outcomes
from kinsynth.executions.state import FINAL, HELD
from kinsynth.storage.clock import now
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, workers
from postgresql import Cluster

STEPS = ("loading", "training", "storing")  # of trivial_worker
PROGRAM = Path(__file__).with_name("trivial_worker.py")
LEASE_S = 2.0
RESUMED_S = 15.0  # an execution whose worker died is worked on again within this time
OWNERLESS_S = 30.0  # nothing is held without a live lease for longer

Begin = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def begin(records_url: str) -> Iterator[Begin]:
    with beginning(records_url) as start:
        yield start


@contextmanager
def beginning(records_url: str) -> Iterator[Begin]:
    """Give what starts processes, and end them all."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(
        role: str = "worker", *, step_s: float = 0.1, lease_s: float = LEASE_S
    ) -> subprocess.Popen[bytes]:
        places = os.pathsep.join([str(PROGRAM.parents[1]), *sys.path])
        wanted = {"PYTHONPATH": places, "TRIVIAL_LEASE_S": str(lease_s), "TRIVIAL_STEP_S": str(step_s)}
        begun.append(
            subprocess.Popen(
                [sys.executable, str(PROGRAM), records_url, role],
                env={**os.environ, **wanted},
                stdout=subprocess.DEVNULL,
            )
        )
        return begun[-1]

    try:
        yield start
    finally:
        for one in begun:
            one.kill()
            one.wait()


def until(true: Callable[[], bool], within_s: float) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "it did not come to this in time"
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.slow
def test_a_stopped_worker_that_wakes_changes_nothing_and_is_of_use_again(
    records: Records, begin: Begin
) -> None:
    execution_id = add_execution(records)
    first = begin("slow", step_s=3)
    until(lambda: read_row(records, execution_id).next_event > 1, 60)  # it says that it has begun
    stop_between_writes(records, first)
    second = begin(step_s=1.5)
    until(lambda: has_begun(records, [second]), 60)  # how long a process takes to start is the machine's
    waited_s = until(lambda: read_row(records, execution_id).epoch == 2, 30)
    assert waited_s < RESUMED_S
    first.send_signal(signal.SIGCONT)  # its step is done by now, and it wants to record that
    until(lambda: read_row(records, execution_id).status == "succeeded", 30)
    row = read_row(records, execution_id)
    assert (row.epoch, row.losses) == (2, 1)
    with records.read() as connection:
        assert read_outcomes(connection, execution_id) == {step: {"epoch": 2} for step in STEPS}
        kinds = [one.body["kind"] for one in read_events(connection, execution_id)]
    began = "execution_started"
    assert kinds == [began, "lease_lost", began, *["step_finished"] * 3, "execution_succeeded"]
    second.kill()
    after = add_execution(records)
    until(lambda: read_row(records, after).status == "succeeded", 30)


@pytest.mark.parametrize(
    "wanted", [pytest.param(4, marks=pytest.mark.slow), pytest.param(100, marks=pytest.mark.soak)]
)
def test_no_late_write_of_workers_that_were_stopped_is_accepted(
    records: Records, begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: int
) -> None:
    """Two of four workers stand still past their leases, at any moment, and go on with what others took."""
    refused = tmp_path / "refused"
    monkeypatch.setenv("TRIVIAL_REFUSED", str(refused))
    chance, running = random.Random(wanted), [begin("slow", step_s=0.5) for _ in range(4)]
    known: dict[tuple[str, int], list[str]] = {}
    for _ in range(wanted):
        if len(read_refused(refused) & known.keys()) >= wanted:
            break
        added = [add_execution(records) for _ in range(8)]
        until(lambda these=added: all(read_row(records, one).epoch for one in these), 60)
        time.sleep(chance.uniform(0, 1))
        stopped = chance.sample(running, 2)
        for process in stopped:
            stop_between_writes(records, process)
        held = [pair for process in stopped for pair in read_held(records, process)]
        until(lambda these=held: all(read_row(records, one).epoch > epoch for one, epoch in these), 60)
        known |= {(one, epoch): read_written(records, one, epoch) for one, epoch in held}
        for process in stopped:
            process.send_signal(signal.SIGCONT)
        until(lambda these=added: all(read_row(records, one).status == "succeeded" for one in these), 60)
    assert len(read_refused(refused) & known.keys()) >= wanted, "as many were attempted"
    for (execution_id, epoch), written in known.items():
        assert read_written(records, execution_id, epoch) == written, "nothing came after the take-over"
    for row in read_all(records):
        check_done_once(records, row.id, "succeeded")


def read_held(records: Records, process: subprocess.Popen[bytes]) -> list[tuple[str, int]]:
    """Give what a worker holds: executions and epochs."""
    mine = executions.c.worker_id == workers.c.id, executions.c.status.in_(HELD), workers.c.pid == process.pid
    with records.read() as connection:
        found = connection.execute(select(executions.c.id, executions.c.epoch).where(*mine))
        return [(execution_id, epoch) for execution_id, epoch in found]


def read_written(records: Records, execution_id: str, epoch: int) -> list[str]:
    """Give the steps that were finished under an epoch."""
    with records.read() as connection:
        outcomes = read_outcomes(connection, execution_id)
    return [step for step, outcome in outcomes.items() if outcome["epoch"] == epoch]


def read_refused(path: Path) -> set[tuple[str, int]]:
    """Give executions and epochs of the late writes that were refused."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {(execution_id, int(epoch)) for execution_id, epoch in map(str.split, lines)}


@pytest.mark.slow
def test_a_graceful_stop_gives_back_at_once(records: Records, begin: Begin) -> None:
    execution_id = add_execution(records)
    first = begin(step_s=30)
    until(lambda: read_row(records, execution_id).status == "running", 20)
    first.send_signal(signal.SIGTERM)
    assert until(lambda: read_row(records, execution_id).status == "queued", 5) < 2
    assert first.wait(10) == 0
    assert read_row(records, execution_id).losses == 0


@pytest.mark.slow
@pytest.mark.parametrize(("away_s", "lease_s", "losses"), [(2, 60, 0), (6, 2, 1)])
def test_a_database_that_goes_away_and_comes_back(
    postgresql: Cluster, away_s: float, lease_s: float, losses: int
) -> None:
    url = postgresql.make_database()
    records = Records(url)
    migrate(records)
    execution_id = add_execution(records)
    with beginning(url) as begin:
        begin(step_s=5, lease_s=lease_s)
        until(lambda: read_row(records, execution_id).status == "running", 20)
        postgresql.stop("immediate")
        time.sleep(away_s)
        postgresql.start()
        until(lambda: read_row(records, execution_id).status == "succeeded", 60)
    assert read_row(records, execution_id).losses == losses
    check_done_once(records, execution_id, "succeeded")
    records.close()


@pytest.mark.parametrize(
    "kills", [pytest.param(4, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.soak)]
)
def test_kills_at_random(records: Records, begin: Begin, kills: int) -> None:
    DbosEngine(records).prepare()
    chance = random.Random(kills)
    running = {"first": begin(), "second": begin(), "asking": begin("api")}
    until(lambda: bool(read_statuses(records)["succeeded"]), 60)
    slowest_s = 0.0
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 3))
        for name in chance.choice([["first"], ["second"], ["asking"], ["first", "second"], list(running)]):
            running[name].kill()
            running[name].wait()
            running[name] = begin("api" if name == "asking" else "worker")
        workers_now = [running["first"], running["second"]]
        # One is there before the next kill, however busy the machine: nobody resumes where nobody is.
        slowest_s = max(slowest_s, until(lambda now=workers_now: has_begun(records, now), 60))
        assert read_ownerless(records, OWNERLESS_S + slowest_s) == []
    running["asking"].kill()
    running["asking"].wait()
    until(lambda: set(read_statuses(records)) <= FINAL, 60)
    for row in read_all(records):
        check_done_once(records, row.id, row.status)
        assert max(read_gaps(records, row.id), default=0) < RESUMED_S - LEASE_S - 1 + 2 * slowest_s


def check_done_once(records: Records, execution_id: str, status: str) -> None:
    with records.read() as connection:
        found, outcomes = read_events(connection, execution_id), read_outcomes(connection, execution_id)
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    kinds = Counter(one.body["kind"] for one in found)
    assert kinds[f"execution_{status}"] == 1
    steps = Counter(one.body["step"] for one in found if one.body["kind"] == "step_finished")
    assert steps == Counter(list(outcomes))
    if status == "failed":  # chance may hit one execution six times
        assert kinds["lease_lost"] == 6
    else:
        assert (status, list(outcomes)) == ("succeeded", list(STEPS))


def read_gaps(records: Records, execution_id: str) -> list[float]:
    """Give the seconds from each loss to the next start."""
    with records.read() as connection:
        found = read_events(connection, execution_id)
    lost = [one for one in found if one.body["kind"] == "lease_lost"]
    begun = [one for one in found if one.body["kind"] == "execution_started"]
    later = [[two.at - one.at for two in begun if two.number > one.number] for one in lost]
    return [min(one) for one in later if one]


def read_all(records: Records) -> list:  # type: ignore[type-arg]
    with records.read() as connection:
        return list(connection.execute(select(executions)))


def read_statuses(records: Records) -> Counter[str]:
    return Counter(row.status for row in read_all(records))


def has_begun(records: Records, processes: list[subprocess.Popen[bytes]]) -> bool:
    """Tell whether one of some workers is at work."""
    with records.read() as connection:
        return bool(set(connection.execute(select(workers.c.pid)).scalars()) & {one.pid for one in processes})


def stop_between_writes(records: Records, process: subprocess.Popen[bytes]) -> None:
    """Stop a process; on SQLite not while it holds the one lock there is, for then all would stop with it."""
    while True:
        process.send_signal(signal.SIGSTOP)
        until(lambda: stands_still(process), 10)
        if not records.is_sqlite or can_write(records.url.database):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)


def stands_still(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether all threads of a process have stopped: a signal takes its time."""
    threads = Path(f"/proc/{process.pid}/task").glob("*/stat")
    try:
        return {one.read_text().rpartition(") ")[2][0] for one in threads} == {"T"}
    except FileNotFoundError:  # a thread ended at this moment
        return False


def can_write(path: str | None) -> bool:
    with closing(sqlite3.connect(str(path), timeout=0.5, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    return True


def read_ownerless(records: Records, for_s: float) -> list[str]:
    with records.read() as connection:
        ended = executions.c.lease_expires_at < now() - for_s
        return list(
            connection.execute(select(executions.c.id).where(executions.c.status.in_(HELD), ended)).scalars()
        )
