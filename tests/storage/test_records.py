"""Transactions, the clock and the migrations, on both databases."""

from __future__ import annotations

import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, update

from kinsynth.errors import SettingsError, TransientError
from kinsynth.storage import records as module
from kinsynth.storage.clock import now
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.tables import instance, metadata
from postgresql import Cluster


def test_the_migrations_make_the_tables_of_the_code(records: Records) -> None:
    with records.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_several_processes_may_migrate_at_once(records_url: str) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        records = Records(records_url)
        try:
            migrate(records)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)
        finally:
            records.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_clock_is_in_seconds_and_runs_inside_a_transaction(records: Records) -> None:
    with records.write() as connection:
        first = connection.execute(select(now())).scalar_one()
        time.sleep(0.02)
        second = connection.execute(select(now())).scalar_one()
    assert abs(first - time.time()) < 2
    assert 0.01 < second - first < 2


def test_counting_up_from_many_threads_loses_nothing(records: Records) -> None:
    with records.write() as connection:
        connection.execute(insert(instance).values(key="count", value="0"))

    def work() -> None:
        for _ in range(20):
            with records.write() as connection:
                row = select(instance.c.value).where(instance.c.key == "count").with_for_update()
                value = int(connection.execute(row).scalar_one())
                connection.execute(
                    update(instance).where(instance.c.key == "count").values(value=str(value + 1))
                )

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with records.read() as connection:
        assert connection.execute(select(instance.c.value)).scalar_one() == "160"


def test_an_error_undoes_the_whole_transaction(records: Records) -> None:
    def fail() -> None:
        with records.write() as connection:
            connection.execute(insert(instance).values(key="a", value="1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with records.read() as connection:
        assert connection.execute(select(instance.c.key)).all() == []


@pytest.mark.parametrize("url", ["", "mysql://a:secret@b/c", "postgresql://x:secret@host:port/name", "file"])
def test_other_addresses_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Records(url)
    assert caught.value.code == "records.url"
    assert "secret" not in str(caught.value)


def test_who_stands_still_in_a_transaction_does_not_hold_its_rows_for_long(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STILL_S", 0.3)
    records = Records(postgresql.make_database())
    migrate(records)
    with records.write() as connection:
        connection.execute(insert(instance).values(key="count", value="0"))

    def stand_still() -> None:
        with records.write() as still:
            still.execute(update(instance).values(value="1"))
            began = time.monotonic()
            with records.write() as other:
                other.execute(update(instance).values(value="2"))
            assert time.monotonic() - began < 10
            still.execute(update(instance).values(value="3"))

    with pytest.raises(TransientError) as caught:
        stand_still()
    assert caught.value.code == "records.unavailable"
    with records.snapshot() as connection:  # a backup may take long
        assert connection.execute(select(instance.c.value)).scalar_one() == "2"
        time.sleep(1)
        assert connection.execute(select(instance.c.value)).scalar_one() == "2"
    records.close()


def test_the_patience_is_part_of_the_address_and_others_options_stay() -> None:
    given = Records("postgresql://a@b/c?options=-c%20lock_timeout%3D9")
    assert given.url.query["options"] == "-c lock_timeout=9 -c idle_in_transaction_session_timeout=15000"
    assert Records(given.url.render_as_string(hide_password=False)).url == given.url
