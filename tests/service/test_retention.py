"""What an ended execution leaves is removed, once, and written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from durability.installed_runs import Installation, check_no_leftovers, installation
from kinsynth.errors import TransientError
from kinsynth.service import retention
from kinsynth.service.platform import Platform
from kinsynth.service.receipts import DELETED
from kinsynth.service.removal import remove_execution
from kinsynth.service.retention import RAW, RESULTS, clear_ended, expire_results
from kinsynth.storage.clock import now
from kinsynth.storage.files import attach, list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.tables import downloads, executions, models, receipts
from shop_database import write_shops

LEFT = ("work/original/0.arrow", "work/codecs.json", "model/codecs.json", "synthetic/0.arrow", "report.pdf")
_DAY_S = 86_400


@pytest.fixture
def found(records: Records, tmp_path: Path) -> Iterator[Installation]:
    write_shops(tmp_path / "source")
    with installation(records, tmp_path / "here", tmp_path / "source") as installed:
        yield installed


def end(found: Installation, status: str, *, days_ago: float = 0.0, trained: bool = True) -> str:
    """Make an execution that has ended and left files."""
    execution_id = found.add_execution(status=status)
    folder = found.platform.deployment.data
    stored = {}
    for path in LEFT:
        (folder / "it").write_text(path + execution_id)
        label: Any = "original" if path.startswith("work") else "protected"
        stored[path] = found.platform.artefacts.put_file(folder / "it", label)
    with found.platform.records.write() as connection:
        attach(connection, execution_id, 0, stored)
        ended = {"finished_at": now() - days_ago * _DAY_S}
        connection.execute(update(executions).where(executions.c.id == execution_id).values(ended))
        if trained:
            row = {"id": make_id("mod"), "execution_id": execution_id, "synthesis_id": found.synthesis_id}
            connection.execute(insert(models).values(**row, name="m", created_at=now()))
    return execution_id


def receipts_of(found: Installation, execution_id: str) -> list[tuple[str, int, int]]:
    with found.platform.records.read() as connection:
        rows = connection.execute(
            select(receipts.c.reason, receipts.c.files, receipts.c.bytes)
            .where(receipts.c.subject_id == execution_id)
            .order_by(receipts.c.at)
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("status", "trained", "kept"),
    [
        ("succeeded", True, {"model/codecs.json", "synthetic/0.arrow", "report.pdf"}),
        ("failed", True, {"model/codecs.json"}),
        ("failed", False, set()),
        ("cancelled", False, set()),
        ("running", True, {*LEFT}),
        ("paused", True, {*LEFT}),
        ("queued", False, {*LEFT}),
    ],
)
def test_what_stays_depends_on_how_it_ended(
    found: Installation, status: str, trained: bool, kept: set[str]
) -> None:
    execution_id = end(found, status, trained=trained)
    before = len([*found.platform.artefacts.store.names()])
    cleared = clear_ended(found.platform)
    assert {*found.results(execution_id)} == kept
    assert (found.row(execution_id).cleared_at is not None) == bool(cleared) == (len(kept) < len(LEFT))
    assert len([*found.platform.artefacts.store.names()]) == before - (len(LEFT) - len(kept))
    size = sum(len(path) + len(execution_id) for path in {*LEFT} - kept)
    assert receipts_of(found, execution_id) == ([(RAW, len(LEFT) - len(kept), size)] if cleared else [])
    assert clear_ended(found.platform) == 0
    check_no_leftovers(found)


def test_raw_data_is_kept_as_long_as_the_installation_says(records: Records, tmp_path: Path) -> None:
    write_shops(tmp_path / "source")
    with installation(records, tmp_path / "here", tmp_path / "source", keep_raw_days=2) as found:
        young, old = end(found, "succeeded", days_ago=1.9), end(found, "succeeded", days_ago=2.1)
        assert clear_ended(found.platform) == 1
        assert {*found.results(young)} == {*LEFT}
        assert "work/codecs.json" not in found.results(old)


def test_a_store_that_is_away_is_asked_again_and_one_receipt_is_written(
    found: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = end(found, "succeeded")
    store = found.platform.artefacts.store

    def away(_name: str) -> None:
        raise TransientError("artefacts.unavailable", "away")

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "remove", lambda _self, name: away(name))
        with pytest.raises(TransientError):
            clear_ended(found.platform)
    assert found.row(execution_id).cleared_at is None, "its blobs are still there"
    assert clear_ended(found.platform) == 1
    assert found.row(execution_id).cleared_at is not None
    assert [files for _, files, _ in receipts_of(found, execution_id)] == [2]
    check_no_leftovers(found)


def test_content_that_another_execution_has_stays(found: Installation) -> None:
    ended, running = end(found, "succeeded"), found.add_execution(status="running")
    path = found.platform.deployment.data / "it"
    path.write_text("work/codecs.json" + ended)
    stored = found.platform.artefacts.put_file(path, "original")
    with found.platform.records.write() as connection:
        attach(connection, running, 0, {"work/codecs.json": stored})
    clear_ended(found.platform)
    assert found.results(running) == {"work/codecs.json": f"work/codecs.json{ended}".encode()}


def test_a_download_made_just_before_the_cancelling_ended_goes_with_the_results(found: Installation) -> None:
    cancelled, succeeded = end(found, "cancelled"), end(found, "succeeded")
    made = [add_download(found.platform, one) for one in (cancelled, succeeded)]
    clear_ended(found.platform)
    with found.platform.records.read() as connection:
        assert connection.execute(select(downloads.c.id)).scalars().all() == [made[1]]
        assert not list_files(connection, made[0])


def test_results_expire_and_models_stay(records: Records, tmp_path: Path) -> None:
    write_shops(tmp_path / "source")
    with installation(records, tmp_path / "here", tmp_path / "source", keep_results_days=30) as found:
        young, old = end(found, "succeeded", days_ago=29), end(found, "succeeded", days_ago=31)
        clear_ended(found.platform)
        made = [add_download(found.platform, one) for one in (young, old)]
        assert (expire_results(found.platform), expire_results(found.platform)) == (1, 0)
        assert {*found.results(old)} == {"model/codecs.json"}
        assert "report.pdf" in found.results(young)
        assert [(reason, files) for reason, files, _ in receipts_of(found, old)] == [(RAW, 2), (RESULTS, 3)]
        with found.platform.records.read() as connection:
            assert [bool(list_files(connection, one)) for one in made] == [True, False]
            assert connection.execute(select(downloads.c.id)).scalars().all() == [made[0]]


def add_download(platform: Platform, execution_id: str) -> str:
    """Leave a download that was made; gives its id."""
    made = make_id("dow")
    path = platform.deployment.data / made
    path.write_text(made)
    stored = platform.artefacts.put_file(path, "protected")
    with platform.records.write() as connection:
        connection.execute(
            insert(downloads).values(
                id=made,
                execution_id=execution_id,
                format="csv",
                status="ready",
                claimed_until=0.0,
                created_at=now(),
            )
        )
        attach(connection, made, 0, {"shop.csv": stored})
    return made


def test_an_execution_that_is_deleted_while_it_is_cleared_hurts_nobody(
    found: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = end(found, "cancelled"), end(found, "failed")
    let_go = retention._detach

    def delete_and_detach(platform: Platform, execution_id: str) -> None:
        if execution_id == first:
            with platform.records.write() as connection:
                remove_execution(connection, execution_id)
        let_go(platform, execution_id)

    monkeypatch.setattr(retention, "_detach", delete_and_detach)
    clear_ended(found.platform)
    assert [reason for reason, _, _ in receipts_of(found, first)] == [DELETED]
    assert [reason for reason, _, _ in receipts_of(found, second)] == [RAW]
