"""Destinations: named settings of a person, whose password is written and never shown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text

from kinsynth.errors import AccessError, ConflictError, SettingsError
from kinsynth.service import destinations as service
from kinsynth.service.actor import STRANGER, Actor
from kinsynth.service.destinations import (
    DestinationChange,
    NewDestination,
    WrittenDestination,
    create_destination,
    delete_destination,
    list_destinations,
    open_destination,
    read_destination,
    update_destination,
)
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.settings.destination import Destination
from kinsynth.storage.tables import audit, idempotency, secrets

PASSWORD = "only for the database"


def new(name: str = "nightly", **settings: Any) -> NewDestination:
    return NewDestination(name=name, settings=WrittenDestination(**settings))


def change(**settings: Any) -> DestinationChange:
    return DestinationChange(settings=WrittenDestination(**settings))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """All kinds of destinations are built."""
    monkeypatch.setattr(service, "unavailable", lambda _settings: ())


def secret_count(platform: Platform) -> int:
    with platform.records.read() as connection:
        return connection.execute(select(func.count()).select_from(secrets)).scalar_one()


def opened(platform: Platform, destination_id: str) -> Destination:
    with platform.records.read() as connection:
        return open_destination(connection, platform, destination_id)


def test_a_destination_is_made_read_changed_and_deleted(platform: Platform, ann: Actor) -> None:
    made, is_new = create_destination(platform, ann, new(format="xlsx"))
    assert is_new
    assert (made.name, made.settings, made.has_password) == ("nightly", {"format": "xlsx"}, False)
    assert read_destination(platform, ann, made.id) == made
    renamed = update_destination(platform, ann, made.id, DestinationChange(name="weekly"))
    assert (renamed.name, renamed.settings) == ("weekly", {"format": "xlsx"})
    other = update_destination(platform, ann, made.id, change(format="parquet"))
    assert (other.name, other.settings) == ("weekly", {"format": "parquet"})
    assert other.updated_at >= made.updated_at
    assert opened(platform, made.id) == Destination(format="parquet")
    delete_destination(platform, ann, made.id)
    with pytest.raises(AccessError):
        read_destination(platform, ann, made.id)
    with platform.records.read() as connection:
        assert connection.execute(select(audit.c.action).order_by(audit.c.number)).scalars().all() == [
            "destinations.create",
            "destinations.update",
            "destinations.update",
            "destinations.delete",
        ]


def test_they_are_listed_by_pages_and_by_name(platform: Platform, ann: Actor, bob: Actor) -> None:
    ids = [create_destination(platform, ann, new(f"number {number}"))[0].id for number in range(5)]
    create_destination(platform, bob, new("number 2"))
    page = list_destinations(platform, ann, Wanted(3))
    rest = list_destinations(platform, ann, Wanted(3, page.next))
    assert {one.id for one in page.items + rest.items} == set(ids)
    assert (len(page.items), rest.next) == (3, None)
    assert [one.id for one in list_destinations(platform, ann, Wanted(), name="number 2").items] == [ids[2]]


@pytest.mark.parametrize("who", ["bob", "stranger", "admin"])
def test_it_is_its_owners_alone(platform: Platform, ann: Actor, bob: Actor, who: str) -> None:
    made, _ = create_destination(platform, ann, new())
    actor = {"bob": bob, "stranger": STRANGER, "admin": Actor(bob.user_id, "admin", "session")}[who]
    for use in (
        lambda: read_destination(platform, actor, made.id),
        lambda: update_destination(platform, actor, made.id, DestinationChange(name="x")),
        lambda: delete_destination(platform, actor, made.id),
    ):
        with pytest.raises(AccessError) as caught:
            use()
        assert caught.value.code == ("access.unauthenticated" if who == "stranger" else "access.not_found")
    assert read_destination(platform, ann, made.id) == made


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "postgresql"},
        {"existing": "append"},
        {"host": "example.org"},
        {"password": PASSWORD},
        {"kind": "s3", "bucket": "b", "password": PASSWORD},
    ],
    ids=",".join,
)
def test_what_is_not_built_is_refused(platform: Platform, ann: Actor, wrong: dict[str, str]) -> None:
    made, _ = create_destination(platform, ann, new(format="xlsx"))
    for use in (
        lambda: create_destination(platform, ann, new(**wrong), key="k"),
        lambda: update_destination(platform, ann, made.id, change(**wrong)),
    ):
        with pytest.raises(SettingsError) as caught:
            use()
        assert caught.value.code == "settings.not_available"
        assert [one.where for one in caught.value.findings] == [
            f"settings.{name}" for name in Destination.model_fields if name in wrong
        ]
        assert PASSWORD not in str(caught.value) + repr(caught.value.findings)
    assert read_destination(platform, ann, made.id) == made
    assert secret_count(platform) == 0


DATABASE = {"kind": "postgresql", "host": "example.org", "user": "writer"}


@pytest.mark.usefixtures("later")
def test_a_password_is_written_used_and_never_shown(platform: Platform, ann: Actor) -> None:
    wanted = new(**DATABASE, password=PASSWORD)
    made, _ = create_destination(platform, ann, wanted, key="k")
    assert (made.settings, made.has_password) == (DATABASE, True)
    assert PASSWORD not in repr(wanted) + repr(made) + made.model_dump_json()
    used = opened(platform, made.id)
    assert used.password == SecretStr(PASSWORD)
    assert PASSWORD not in repr(used)
    with platform.records.read() as connection:
        for table in connection.execute(text(_TABLES[connection.dialect.name])).scalars().all():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                assert PASSWORD not in repr(row)


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


@pytest.mark.usefixtures("later")
def test_a_password_stays_is_replaced_and_is_removed(platform: Platform, ann: Actor) -> None:
    made, _ = create_destination(platform, ann, new(**DATABASE, password=PASSWORD))
    kept = update_destination(platform, ann, made.id, change(**DATABASE, schema_name="s"))
    assert kept.has_password
    assert opened(platform, made.id).password == SecretStr(PASSWORD)
    update_destination(platform, ann, made.id, change(**DATABASE, password="another"))
    assert opened(platform, made.id).password == SecretStr("another")
    assert secret_count(platform) == 1
    without = update_destination(platform, ann, made.id, change(**DATABASE, password=None))
    assert not without.has_password
    assert opened(platform, made.id).password is None
    assert secret_count(platform) == 0
    update_destination(platform, ann, made.id, change(**DATABASE, password="third"))
    delete_destination(platform, ann, made.id)
    assert secret_count(platform) == 0


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "elsewhere", [{"host": "evil.example.org"}, {"user": "other"}, {"port": 1}, {"kind": "mysql"}], ids=str
)
def test_a_stored_password_is_not_sent_elsewhere(
    platform: Platform, ann: Actor, elsewhere: dict[str, Any]
) -> None:
    made, _ = create_destination(platform, ann, new(**DATABASE, password=PASSWORD))
    with pytest.raises(SettingsError) as caught:
        update_destination(platform, ann, made.id, change(**{**DATABASE, **elsewhere}))
    assert caught.value.code == "destinations.password_needed"
    assert read_destination(platform, ann, made.id) == made
    moved = update_destination(
        platform, ann, made.id, change(**{**DATABASE, **elsewhere}, password="its own")
    )
    assert moved.has_password


@pytest.mark.usefixtures("later")
def test_the_same_request_makes_one_and_its_digest_tells_no_password(platform: Platform, ann: Actor) -> None:
    first, is_new = create_destination(platform, ann, new(**DATABASE, password="1234"), key="k")
    second, is_new_again = create_destination(platform, ann, new(**DATABASE, password="1235"), key="k")
    assert (first, is_new, is_new_again) == (second, True, False)
    assert opened(platform, first.id).password == SecretStr("1234")
    with platform.records.read() as connection:
        assert connection.execute(select(func.count()).select_from(idempotency)).scalar_one() == 1
    with pytest.raises(ConflictError):
        create_destination(platform, ann, new("other", **DATABASE), key="k")


def test_there_is_a_limit(platform: Platform, ann: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    for _ in range(2):
        create_destination(platform, ann, new())
    with pytest.raises(ConflictError) as caught:
        create_destination(platform, ann, new())
    assert caught.value.code == "destinations.too_many"
