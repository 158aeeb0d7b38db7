"""The audit log shows every change made to it afterwards."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete, insert, select, update

from kinsynth.errors import AccessError, InternalError
from kinsynth.service.actor import SYSTEM
from kinsynth.service.audit import Asked, list_entries, record, verify
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.storage.tables import audit
from people import add_person


def fill(platform: Platform, count: int = 5) -> None:
    for number in range(count):
        with platform.records.write() as connection:
            record(connection, SYSTEM, "test.do", f"obj{number}", details={"n": number, "x": 0.1, "é": None})


def broken_at(platform: Platform) -> str:
    with pytest.raises(InternalError) as caught:
        verify(platform, SYSTEM)
    assert caught.value.code == "audit.broken"
    return caught.value.where


def unguarded(platform: Platform, *statements: object) -> None:
    """What somebody does who may do anything with the database."""
    with platform.records.write() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def test_an_untouched_log_is_whole(platform: Platform) -> None:
    assert verify(platform, SYSTEM).entries == 0
    fill(platform)
    first = verify(platform, SYSTEM)
    assert first.entries == 5
    fill(platform, 1)
    assert verify(platform, SYSTEM).head != first.head


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", 1.0),
        ("actor_id", "usr_x"),
        ("action", "other"),
        ("object_id", None),
        ("outcome", "refused"),
        ("details", {"n": 3}),
        ("previous", "0" * 64),
        ("digest", "f" * 64),
    ],
)
def test_a_changed_entry_is_found(platform: Platform, unlocked: None, column: str, value: object) -> None:
    fill(platform)
    unguarded(platform, update(audit).where(audit.c.number == 3).values({column: value}))
    assert broken_at(platform) == "3"


def test_a_missing_entry_is_found(platform: Platform, unlocked: None) -> None:
    fill(platform)
    unguarded(platform, delete(audit).where(audit.c.number == 2))
    assert broken_at(platform) == "2"


def test_an_entry_put_in_is_found(platform: Platform) -> None:
    fill(platform)
    with platform.records.read() as connection:
        last = dict(connection.execute(select(audit).where(audit.c.number == 5)).one()._mapping)
    unguarded(platform, insert(audit).values(**last | {"number": 6, "digest": "a" * 64}))
    assert broken_at(platform) == "6"


def test_a_log_without_its_end_has_another_head(platform: Platform, unlocked: None) -> None:
    fill(platform)
    before = verify(platform, SYSTEM)
    unguarded(platform, delete(audit).where(audit.c.number == 5))
    assert verify(platform, SYSTEM).head != before.head


@pytest.mark.parametrize(
    "statement", [update(audit).values(action="x"), delete(audit)], ids=["update", "delete"]
)
def test_the_database_itself_refuses_changes(platform: Platform, statement: object) -> None:
    fill(platform)
    with pytest.raises(Exception, match="append-only"):
        unguarded(platform, statement)
    assert verify(platform, SYSTEM).entries == 5


def test_many_at_once_make_one_chain(platform: Platform) -> None:
    threads = [threading.Thread(target=fill, args=(platform, 10)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(platform, SYSTEM).entries == 60


def test_what_cannot_be_recorded_does_not_happen(platform: Platform) -> None:
    """An entry that fails takes the whole transaction with it."""
    ana = add_person(platform, "ana")
    with platform.records.write() as connection:
        record(connection, ana.actor, "test.do")

    def fail() -> None:
        with platform.records.write() as connection:
            connection.execute(insert(audit).values(number=1))

    with pytest.raises(Exception, match=r"(?i)unique|null"):
        fail()


def test_pages_go_from_the_newest_to_the_oldest(platform: Platform) -> None:
    fill(platform, 7)
    first = list_entries(platform, SYSTEM, Wanted(3))
    second = list_entries(platform, SYSTEM, Wanted(3, first.next))
    third = list_entries(platform, SYSTEM, Wanted(3, second.next))
    assert [one.number for page in (first, second, third) for one in page.items] == [7, 6, 5, 4, 3, 2, 1]
    assert third.next is None


def test_only_administrators_read_it(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    for ask in (lambda: list_entries(platform, ana.actor, Wanted()), lambda: verify(platform, ana.actor)):
        with pytest.raises(AccessError) as caught:
            ask()
        assert caught.value.code == "access.forbidden"


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (Asked(), [5, 4, 3, 2, 1]),
        (Asked(object_id="obj1"), [2]),
        (Asked(action="test.do"), [4, 3, 2, 1]),
        (Asked(action="test"), [5, 4, 3, 2, 1]),
        (Asked(action="tes"), []),
        (Asked(action="te_t"), []),
        (Asked(outcome="refused"), [5]),
        (Asked(actor_id="usr_x"), []),
        (Asked(action="test", object_id="obj3", outcome="done"), [4]),
    ],
)
def test_entries_are_chosen(platform: Platform, asked: Asked, numbers: list[int]) -> None:
    fill(platform, 4)
    with platform.records.write() as connection:
        record(connection, SYSTEM, "test.undo", "obj9", outcome="refused")
    found = list_entries(platform, SYSTEM, Wanted(), asked)
    assert [entry.number for entry in found.items] == numbers
