"""The journal: contiguous numbers, one outcome a step, nothing from late writers. On both databases."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import event, update

from executions_at_hand import add_execution
from kinsynth.executions.claims import claim
from kinsynth.executions.journal import (
    LeaseLost,
    add_event,
    adopt_steps,
    confirm,
    finish_step,
    read_events,
    read_outcomes,
    start_step,
    withdraw_step,
)
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions


class Undone(Exception):
    """A transaction that is given up."""


def undo(wanted: bool) -> None:
    if wanted:
        raise Undone


@pytest.fixture
def held(records: Records) -> str:
    execution_id = add_execution(records)
    with records.write() as connection:
        assert claim(connection, execution_id, "wrk_a", 60) is not None
    return execution_id


def test_numbers_have_no_gaps_whoever_writes(records: Records, held: str) -> None:
    def write(name: str) -> None:
        for number in range(10):
            with suppress(Undone), records.write() as connection:
                add_event(connection, held, {"kind": name, "number": number}, epoch=1)
                undo(number % 3 == 0)

    threads = [threading.Thread(target=write, args=(f"writer_{name}",)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with records.read() as connection:
        found = read_events(connection, held)
    assert [one.number for one in found] == list(range(1, 25))
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_events_are_read_by_pages(records: Records, held: str) -> None:
    with records.write() as connection:
        for number in range(7):
            assert add_event(connection, held, {"kind": "progress", "at": 5.0, "share": number}) == number + 1
    with records.read() as connection:
        page = read_events(connection, held, after=2, limit=3)
    assert [(one.number, one.body["share"], one.body["at"]) for one in page] == [
        (3, 2, 5.0),
        (4, 3, 5.0),
        (5, 4, 5.0),
    ]
    assert page[0].at > 1e9


def test_a_step_has_one_outcome(records: Records, held: str) -> None:
    with records.write() as connection:
        start_step(connection, held, "loading", epoch=1)
    with records.write() as connection:
        finish_step(connection, held, "loading", {"outputs": {"a": "1"}}, epoch=1)
    with records.read() as connection:
        assert read_outcomes(connection, held) == {"loading": {"outputs": {"a": "1"}}}
    for again in (
        lambda c: finish_step(c, held, "loading", {}, epoch=1),
        lambda c: start_step(c, held, "loading", epoch=1),
        lambda c: finish_step(c, held, "training", {}, epoch=1),
    ):
        with pytest.raises(ValueError, match="step"), records.write() as connection:
            again(connection)
    with records.read() as connection:
        assert read_outcomes(connection, held) == {"loading": {"outputs": {"a": "1"}}}


def test_a_step_of_a_lost_worker_begins_again_under_the_new_epoch(records: Records, held: str) -> None:
    with records.write() as connection:
        start_step(connection, held, "training", epoch=1)
        connection.execute(update(executions).where(executions.c.id == held).values(status="queued"))
        assert claim(connection, held, "wrk_b", 60) is not None
        start_step(connection, held, "training", epoch=2)
        finish_step(connection, held, "training", {}, epoch=2)


def test_late_writers_write_nothing(records: Records, held: str) -> None:
    with records.write() as connection:
        start_step(connection, held, "training", epoch=1)
    for status, epoch in (("queued", 1), ("running", 2), ("succeeded", 1)):
        with records.write() as connection:
            change = update(executions).where(executions.c.id == held)
            connection.execute(change.values(status=status, epoch=epoch))
        for write in (
            lambda c: add_event(c, held, {"kind": "late"}, epoch=1),
            lambda c: start_step(c, held, "synthesis", epoch=1),
            lambda c: finish_step(c, held, "training", {}, epoch=1),
            lambda c: confirm(c, held, epoch=1),
        ):
            with pytest.raises(LeaseLost), records.write() as connection:
                write(connection)
    with records.read() as connection:
        assert read_events(connection, held) == []
        assert read_outcomes(connection, held) == {}


def test_many_events_are_adopted_within_the_database_and_numbered_on(records: Records, held: str) -> None:
    with records.write() as connection:
        start_step(connection, held, "loading", epoch=1)
        for number in range(300):
            add_event(connection, held, {"kind": "step_message", "step": "loading", "text": f"{number} ä"})
            add_event(connection, held, {"kind": "lease_lost", "losses": 0})
        finish_step(connection, held, "loading", {}, epoch=1)
    new, asked = add_execution(records), list[str]()

    def listen(*said: Any) -> None:
        asked.append(said[2])

    event.listen(records.engine, "before_cursor_execute", listen)
    with records.write() as connection:
        add_event(connection, new, {"kind": "execution_queued"})
        before = len(asked)
        adopt_steps(connection, held, new, {"loading"})
        assert len(asked) - before < 10
        assert not [one for one in asked if one.startswith("SELECT") and "body" in one], "none is read"
        add_event(connection, new, {"kind": "execution_resumed"})
        found = read_events(connection, new, limit=1000)
    assert [one.number for one in found] == [*range(1, 303)]
    texts = [one.body["text"] for one in found if one.body["kind"] == "step_message"]
    assert texts == [f"{number} ä" for number in range(300)]


def test_finished_steps_are_adopted_and_withdrawn_only_by_who_did_not_do_them(
    records: Records, held: str
) -> None:
    with records.write() as connection:
        for step in ("loading", "building"):
            start_step(connection, held, step, epoch=1)
            for kind in ("step_started", "step_progressed", "step_finished"):
                add_event(connection, held, {"kind": kind, "step": step, "at": 5.0}, epoch=1)
        finish_step(connection, held, "loading", {"outputs": {"a": "1"}}, epoch=1)
    new = add_execution(records)
    with records.write() as connection:
        adopt_steps(connection, held, new, {"loading", "building"})
        taken = claim(connection, new, "wrk_b", 60)
        assert taken is not None
        assert read_outcomes(connection, new) == {"loading": {"outputs": {"a": "1"}}}, "finished ones"
        bodies = [one.body for one in read_events(connection, new)]
        assert [(one["kind"], one["at"]) for one in bodies] == [("step_started", 5.0), ("step_finished", 5.0)]
        with pytest.raises(ValueError, match="done already"):
            start_step(connection, new, "loading", epoch=taken.epoch)
        withdraw_step(connection, new, "loading", epoch=taken.epoch)
        start_step(connection, new, "loading", epoch=taken.epoch)
        finish_step(connection, new, "loading", {}, epoch=taken.epoch)
        with pytest.raises(ValueError, match="not adopted"):
            withdraw_step(connection, new, "loading", epoch=taken.epoch)
    with pytest.raises(LeaseLost), records.write() as connection:
        withdraw_step(connection, new, "loading", epoch=9)
