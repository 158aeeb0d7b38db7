"""Claims: one winner, renewed, expired, counted; late writers are refused. On both databases."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Connection, update

from executions_at_hand import add_execution, read_row
from kinsynth.executions.claims import RETRIES, Claim, claim, expire, lose, release, renew
from kinsynth.executions.journal import LeaseLost, read_events
from kinsynth.executions.outcomes import finish, pause
from kinsynth.executions.requests import cancel
from kinsynth.executions.state import Status
from kinsynth.storage.clock import now
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions

ERROR = {"code": "data.too_few_rows", "message": "", "where": "", "remedy": "", "findings": []}


def take(records: Records, execution_id: str, worker_id: str = "wrk_a", lease_s: float = 60) -> Claim:
    with records.write() as connection:
        held = claim(connection, execution_id, worker_id, lease_s)
    assert held is not None
    return held


def run_out(records: Records, execution_id: str) -> None:
    with records.write() as connection:
        connection.execute(
            update(executions).where(executions.c.id == execution_id).values(lease_expires_at=1)
        )


def kinds(records: Records, execution_id: str) -> list[str]:
    with records.read() as connection:
        return [one.body["kind"] for one in read_events(connection, execution_id)]


def test_of_many_workers_one_gets_it(records: Records) -> None:
    for _ in range(5):
        execution_id, won = add_execution(records), list[Claim]()
        start = threading.Barrier(8)

        def race(number: int, execution_id: str, start: threading.Barrier, won: list[Claim]) -> None:
            start.wait()
            with records.write() as connection:
                held = claim(connection, execution_id, f"wrk_{number}", 60)
            if held is not None:
                won.append(held)

        threads = [
            threading.Thread(target=race, args=(number, execution_id, start, won)) for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        row = read_row(records, execution_id)
        assert [(one.worker_id, one.epoch) for one in won] == [(row.worker_id, row.epoch)]
        assert (row.status, row.epoch) == ("running", 1)


def test_a_claim_is_dated_by_the_database_and_renewed(records: Records) -> None:
    execution_id = add_execution(records)
    held = take(records, execution_id, lease_s=2)
    first = read_row(records, execution_id)
    assert first.started_at == pytest.approx(time.time(), abs=5)
    assert first.lease_expires_at == pytest.approx(first.started_at + 2, abs=1)
    with records.write() as connection:
        assert renew(connection, held, 100) == "go"
    assert read_row(records, execution_id).lease_expires_at > first.lease_expires_at + 90


def test_a_live_lease_is_not_expired(records: Records) -> None:
    execution_id = add_execution(records)
    take(records, execution_id)
    with records.write() as connection:
        assert expire(connection) == []
    assert read_row(records, execution_id).status == "running"


def test_an_ended_lease_goes_back_to_the_queue_and_is_counted_once(records: Records) -> None:
    execution_id = add_execution(records)
    held = take(records, execution_id)
    run_out(records, execution_id)
    start, found = threading.Barrier(6), list[tuple[str, int]]()

    def sweep() -> None:
        start.wait()
        with records.write() as connection:
            found.extend(expire(connection))

    threads = [threading.Thread(target=sweep) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = read_row(records, execution_id)
    assert found == [(execution_id, 2)]
    assert (row.status, row.losses, row.attempt, row.worker_id) == ("queued", 1, 2, None)
    assert kinds(records, execution_id) == ["lease_lost"]
    with records.write() as connection:
        assert renew(connection, held, 60) == "lost"


def late_writes(held: Claim) -> dict[str, object]:
    return {
        "succeeded": lambda c: finish(c, held, "succeeded"),
        "failed": lambda c: finish(c, held, "failed", error=ERROR),
        "paused": lambda c: pause(c, held, ERROR),
        "released": lambda c: release(c, held),
        "lost": lambda c: lose(c, held),
    }


@pytest.mark.parametrize("write", list(late_writes(Claim("", 0, ""))))
@pytest.mark.parametrize("taken_again", [False, True])
def test_late_writers_are_refused(records: Records, write: str, taken_again: bool) -> None:
    execution_id = add_execution(records)
    late = take(records, execution_id, "wrk_late")
    run_out(records, execution_id)
    with records.write() as connection:
        expire(connection)
    if taken_again:
        take(records, execution_id, "wrk_next")
    before = read_row(records, execution_id)
    with pytest.raises(LeaseLost), records.write() as connection:
        late_writes(late)[write](connection)  # type: ignore[operator]
    assert read_row(records, execution_id) == before


def test_the_sixth_loss_is_the_end(records: Records) -> None:
    execution_id, ended = add_execution(records), list[tuple[str, Status]]()

    def note(_connection: Connection, which: str, status: Status) -> None:
        ended.append((which, status))

    for number in range(1, RETRIES + 2):
        take(records, execution_id)
        run_out(records, execution_id)
        with records.write() as connection:
            again = expire(connection, on_final=note)
        assert again == ([(execution_id, number + 1)] if number <= RETRIES else [])
    row = read_row(records, execution_id)
    assert (row.status, row.losses, row.error["code"]) == ("failed", 6, "execution.lost_too_often")
    assert row.finished_at is not None
    assert ended == [(execution_id, "failed")]
    assert kinds(records, execution_id) == ["lease_lost"] * 6 + ["execution_failed"]


def test_a_graceful_stop_counts_no_loss(records: Records) -> None:
    execution_id = add_execution(records)
    for number in range(RETRIES + 3):
        held = take(records, execution_id)
        with records.write() as connection:
            assert release(connection, held) == "queued"
        row = read_row(records, execution_id)
        assert (row.status, row.losses, row.attempt) == ("queued", 0, number + 2)


@pytest.mark.parametrize("leave", [release, lose, lambda c, held: finish(c, held, "succeeded")])
def test_what_is_being_cancelled_ends_cancelled(records: Records, leave: object) -> None:
    execution_id = add_execution(records)
    held = take(records, execution_id)
    with records.write() as connection:
        assert cancel(connection, execution_id) == "cancelling"
    with records.write() as connection:
        assert renew(connection, held, 60) == "cancel"
    with records.write() as connection:
        assert leave(connection, held) == "cancelled"  # type: ignore[operator]
    row = read_row(records, execution_id)
    assert (row.status, row.error) == ("cancelled", None)
    assert kinds(records, execution_id) == ["cancel_requested", "execution_cancelled"]


def test_a_lost_worker_that_was_to_cancel_leaves_it_cancelled(records: Records) -> None:
    execution_id = add_execution(records)
    take(records, execution_id)
    with records.write() as connection:
        cancel(connection, execution_id)
    run_out(records, execution_id)
    with records.write() as connection:
        assert expire(connection) == []
    assert read_row(records, execution_id).status == "cancelled"


def test_compute_time_is_counted_to_the_end_of_the_lease(records: Records) -> None:
    execution_id = add_execution(records)
    for used, (renewed_ago, lease_left, leave) in enumerate(
        [
            (30.0, 60.0, lambda c, held: renew(c, held, 60) and lose(c, held)),
            (30.0, 60.0, release),
            (30.0, 60.0, lambda c, held: pause(c, held, ERROR)),
            (50.0, -20.0, lambda c, _held: expire(c)),  # not the time in which it was lost
            (30.0, 60.0, lambda c, held: finish(c, held, "succeeded")),
        ]
    ):
        with records.write() as connection:
            connection.execute(update(executions).values(status="queued"))
        held = take(records, execution_id)
        with records.write() as connection:
            times = {"renewed_at": now() - renewed_ago, "lease_expires_at": now() + lease_left}
            connection.execute(update(executions).values(times))
        with records.write() as connection:
            leave(connection, held)
        assert read_row(records, execution_id).used_seconds == pytest.approx((used + 1) * 30, abs=2)


def test_what_may_not_go_on_is_asked_to_pause(records: Records) -> None:
    execution_id, asked = add_execution(records), list[str]()

    def may_not(_connection: Connection, which: str) -> bool:
        asked.append(which)
        return False

    held = take(records, execution_id)
    with records.write() as connection:
        assert renew(connection, held, 60, may_go_on=may_not) == "pause"
        assert pause(connection, held, None) == "paused"
        assert renew(connection, held, 60, may_go_on=may_not) == "lost"
    assert asked == [execution_id]


def test_what_has_ended_is_never_taken_again(records: Records) -> None:
    for status in ("paused", "cancelling", "succeeded", "failed", "cancelled", "running"):
        execution_id = add_execution(records, status=status, lease_expires_at=time.time() + 60)
        with records.write() as connection:
            assert claim(connection, execution_id, "wrk_a", 60) is None


def test_what_follows_from_an_end_is_undone_with_it(records: Records) -> None:
    execution_id = add_execution(records)
    held = take(records, execution_id)

    def refuse(_connection: Connection, _which: str, _status: Status) -> None:
        raise RuntimeError("the settling failed")

    with pytest.raises(RuntimeError), records.write() as connection:
        finish(connection, held, "succeeded", on_final=refuse)
    assert read_row(records, execution_id).status == "running"
    assert kinds(records, execution_id) == []
