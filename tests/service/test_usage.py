"""Compute time of executions: held in slices, counted once, never above the limit; pauses end alone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from executions_at_hand import add_person, add_surroundings, insert_execution
from kinsynth.executions.claims import expire
from kinsynth.executions.requests import cancel
from kinsynth.service.quotas import QuotaView, grant, read_quotas, reserve, try_reserve
from kinsynth.service.usage import continue_paused, has_paused, keep_reserved, settle_usage
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions

MARGIN_S = 10.0


HELD = {"status": "running", "epoch": 1, "worker_id": "wrk_a", "reserved_seconds": 60.0, "reserved_rows": 5}
PAUSED = {"status": "paused", "reserved_seconds": 0.0, "reserved_rows": 0}


@pytest.fixture
def limited(records: Records) -> Records:
    """A person with 130 s and 100 rows, of which an execution holds 60 s and 5 rows."""
    with records.write() as connection:
        add_surroundings(connection)
        grant(connection, "usr_a", "seconds", limit=130, period="day")
        grant(connection, "usr_a", "rows", limit=100, period="day")
        reserve(connection, "usr_a", seconds=60, rows=5)
        insert_execution(connection, id="exe_a", **HELD)
    return records


def seconds(connection: Connection) -> QuotaView:
    return read_quotas(connection, "usr_a")[0]


def use(connection: Connection, amount: float) -> None:
    connection.execute(update(executions).where(executions.c.id == "exe_a").values(used_seconds=amount))


def test_more_is_held_in_slices_until_nothing_is_left(limited: Records) -> None:
    with limited.write() as connection:
        assert keep_reserved(connection, "exe_a", margin_s=MARGIN_S)
        assert seconds(connection).reserved == 60
        use(connection, 31)
        assert keep_reserved(connection, "exe_a", margin_s=MARGIN_S)
        assert seconds(connection).reserved == 120
        use(connection, 95)
        assert keep_reserved(connection, "exe_a", margin_s=MARGIN_S)
        assert (seconds(connection).reserved, seconds(connection).left) == (130, 0)
        use(connection, 119)
        assert keep_reserved(connection, "exe_a", margin_s=MARGIN_S)
        use(connection, 121)
        assert not keep_reserved(connection, "exe_a", margin_s=MARGIN_S)


def test_no_more_is_counted_than_was_held(limited: Records) -> None:
    with limited.write() as connection:
        use(connection, 75)
        settle_usage(connection, "exe_a", "failed")
        assert (seconds(connection).used, seconds(connection).reserved) == (60, 0)


@pytest.mark.parametrize(("status", "rows"), [("succeeded", 5), ("failed", 0), ("cancelled", 0)])
def test_rows_count_when_they_were_delivered(limited: Records, status: str, rows: int) -> None:
    with limited.write() as connection:
        settle_usage(connection, "exe_a", status)
        view = read_quotas(connection, "usr_a")[1]
        used = connection.execute(select(executions.c.used_rows)).scalar_one()
    assert (view.used, view.reserved, used) == (rows, 0, rows)


def test_a_pause_keeps_its_rows_and_ends_when_there_is_time_again(limited: Records) -> None:
    with limited.write() as connection:
        use(connection, 50)
        settle_usage(connection, "exe_a", "paused")
        connection.execute(update(executions).values(status="paused"))
        grant(connection, "usr_a", "seconds", limit=60, period="day")
        assert (seconds(connection).used, seconds(connection).reserved) == (50, 0)
        assert read_quotas(connection, "usr_a")[1].reserved == 5
        assert has_paused(connection)
        assert continue_paused(connection, margin_s=MARGIN_S) == []
        grant(connection, "usr_a", "seconds", limit=90, period="day")
        assert continue_paused(connection, margin_s=MARGIN_S) == [("exe_a", 2)]
        assert continue_paused(connection, margin_s=MARGIN_S) == []
        assert not has_paused(connection)
        assert (seconds(connection).used, seconds(connection).reserved) == (50, 40)
        use(connection, 70)
        settle_usage(connection, "exe_a", "succeeded")
        assert (seconds(connection).used, seconds(connection).reserved) == (70, 0)


def test_several_that_paused_share_what_is_there(limited: Records) -> None:
    with limited.write() as connection:
        for number in range(3):
            insert_execution(connection, id=f"exe_{number}", created_at=2.0 + number, **PAUSED)
        assert [name for name, _ in continue_paused(connection, margin_s=MARGIN_S)] == ["exe_0"]
        assert seconds(connection).reserved == 120


def test_a_start_and_an_end_of_one_person_wait_for_each_other_in_one_order(limited: Records) -> None:
    def finish() -> None:
        with limited.write() as connection:
            settle_usage(connection, "exe_a", "succeeded")

    with ThreadPoolExecutor(1) as pool:
        with limited.write() as connection:  # as ``reserve`` does, with somebody between its two halves
            assert try_reserve(connection, "usr_a", "rows", 1)
            finished = pool.submit(finish)
            time.sleep(0.3)
            assert try_reserve(connection, "usr_a", "seconds", 1)
        finished.result()


def test_a_paused_execution_is_cancelled_while_others_look_whether_it_may_go_on(limited: Records) -> None:
    def look() -> list[tuple[str, int]]:
        with limited.write() as connection:
            return continue_paused(connection, margin_s=MARGIN_S)

    with limited.write() as connection:
        insert_execution(connection, id="exe_p", **PAUSED)
    with ThreadPoolExecutor(1) as pool:
        with limited.write() as connection:
            looking: Any = None

            def settle(connection: Connection, execution_id: str, status: str) -> None:
                nonlocal looking
                looking = pool.submit(look)
                time.sleep(0.3)
                settle_usage(connection, execution_id, status)

            assert cancel(connection, "exe_p", on_final=settle) == "cancelled"
        assert looking.result() == []


@pytest.mark.parametrize("other", ["expire", "continue_paused"])
def test_claims_of_several_owners_end_at_once_without_waiting_for_each_other_in_a_circle(
    limited: Records, other: str
) -> None:
    """One ends claims of two people; between the two somebody else takes both quotas in his own order."""
    with limited.write() as connection:
        add_person(connection, "usr_b")
        for resource in ("seconds", "rows"):
            grant(connection, "usr_b", resource, limit=1000, period="day")  # type: ignore[arg-type]
        ending = {"status": "cancelling", "worker_id": "wrk_a", "lease_expires_at": 1.0}
        later = ending | {"lease_expires_at": 1e11} if other == "expire" else PAUSED
        for number, owner in enumerate(("usr_b", "usr_a")):
            insert_execution(connection, id=f"exe_now_{number}", owner_id=owner, **ending)
            insert_execution(connection, id=f"exe_later_{1 - number}", owner_id=owner, **later)
        connection.execute(update(executions).where(executions.c.id == "exe_a").values(lease_expires_at=1e11))
    order = list[str]()

    def end_others() -> None:
        with limited.write() as connection:
            if other == "continue_paused":
                order.extend(name for name, _ in continue_paused(connection, margin_s=MARGIN_S))
            else:
                late = executions.c.id.startswith("exe_later")
                connection.execute(update(executions).where(late).values(lease_expires_at=1.0))
                expire(connection, on_final=settle)

    def settle(connection: Connection, execution_id: str, status: str) -> None:
        settle_usage(connection, execution_id, status)
        order.append(execution_id)

    with ThreadPoolExecutor(1) as pool:
        found: list[Any] = []

        def settle_slowly(connection: Connection, execution_id: str, status: str) -> None:
            settle(connection, execution_id, status)
            if not found:
                found.append(pool.submit(end_others))
                time.sleep(0.5)

        with limited.write() as connection:
            expire(connection, on_final=settle_slowly)
        found[0].result()
    assert order == ["exe_now_1", "exe_now_0", "exe_later_0", "exe_later_1"], "by owner"
