"""Collection of what nobody names: cut short anywhere, late or slow, it never takes what somebody named."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from fake_s3 import FakeS3, running_s3
from kinsynth.errors import TransientError
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.artefacts import Artefacts, Stored
from kinsynth.storage.files import attach, detach, list_files
from kinsynth.storage.keys import load_keys
from kinsynth.storage.records import Records
from kinsynth.storage.store import FolderStore, Store
from kinsynth.storage.tables import artefacts as rows
from kinsynth.storage.tables import condemned, files
from storage.object_toys import make_object_store

CONTENT = b"a content that comes and goes"


@dataclass(frozen=True)
class Stage:
    """A store that other processes can open, and a file to put.

    Attributes:
        records: The database.
        artefacts: The store.
        url: Address of the database.
        place: A folder, or the address of an S3 server.
        path: The file.
    """

    records: Records
    artefacts: Artefacts
    url: str
    place: str
    path: Path

    def put(self) -> Stored:
        """Put the content."""
        return self.artefacts.put_file(self.path, "original")

    def name(self, owner: str, stored: Stored) -> None:
        """Name a content that was put."""
        with self.records.write() as connection:
            attach(connection, owner, 0, {"it": stored})

    def give_up(self, owner: str) -> None:
        """Give up what an owner names."""
        with self.records.write() as connection:
            detach(connection, owner)

    def kill(self, do: Callable[[Artefacts, Path], object], point: str) -> None:
        """Let another process do something, and die at a point."""
        spawn = multiprocessing.get_context("spawn").Process
        process = spawn(target=_run, args=(self.url, self.place, self.path, do, point))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL

    def assert_whole(self) -> None:
        """Make sure that whatever a file names can be read, and that all else goes."""
        self.artefacts.collect(rest_s=-1)
        with self.records.read() as connection:
            owners = connection.execute(select(files.c.owner_id)).scalars().all()
            named = [stored for owner in owners for stored in list_files(connection, owner).values()]
            counts = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (rows, condemned)
            ]
        assert [b"".join(self.artefacts.read(stored)) for stored in named] == [CONTENT] * len(named)
        assert sorted(self.artefacts.store.names()) == sorted({stored.blob for stored in named})
        assert counts == [len({stored.blob for stored in named}), 0]


def open_store(place: str) -> Store:
    return make_object_store(place) if place.startswith("http") else FolderStore(Path(place))


def _run(url: str, place: str, path: Path, do: Callable[[Artefacts, Path], object], point: str) -> None:
    os.environ["KINSYNTH_CRASH_AT"] = point
    do(Artefacts(Records(url), open_store(place), load_keys(Deployment(data=path.parent))), path)


def collect(artefacts: Artefacts, _path: Path) -> object:
    return artefacts.collect_released()


def put(artefacts: Artefacts, path: Path) -> object:
    return artefacts.put_file(path, "original")


@pytest.fixture
def server() -> Iterator[FakeS3]:
    with running_s3() as found:
        yield found


@pytest.fixture(params=["folder", "bucket"])
def stage(request: pytest.FixtureRequest, records: Records, records_url: str, tmp_path: Path) -> Stage:
    """A folder or a bucket, with the records of either kind."""
    place = str(tmp_path / "blobs")
    if request.param == "bucket":
        place = request.getfixturevalue("server").url
    path = tmp_path / "it"
    path.write_bytes(CONTENT)
    artefacts = Artefacts(records, open_store(place), load_keys(Deployment(data=tmp_path)))
    return Stage(records, artefacts, records_url, place, path)


POINTS = ["artefacts.condemned", "artefacts.removed"]


@pytest.mark.parametrize("point", POINTS)
def test_what_a_killed_collection_left_is_removed_by_the_next(stage: Stage, point: str) -> None:
    stage.name("exe_1", stage.put())
    stage.give_up("exe_1")
    stage.kill(collect, point)
    assert stage.artefacts.collect_released() == 1
    assert stage.artefacts.collect_released() == 0
    stage.assert_whole()


@pytest.mark.parametrize("point", POINTS)
def test_who_put_before_a_killed_collection_cannot_name_what_went(stage: Stage, point: str) -> None:
    """Also where a third one announced the same content meanwhile, and died."""
    stage.name("exe_1", stage.put())
    early = stage.put()
    stage.give_up("exe_1")
    stage.kill(collect, point)
    stage.kill(put, "artefacts.announced")
    with pytest.raises(TransientError) as caught:
        stage.name("exe_2", early)
    assert caught.value.code == "artefact.collected"
    stage.name("exe_2", stage.put())
    stage.assert_whole()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("dies_at", ["artefacts.announced", "artefacts.written"])
def test_what_is_put_after_a_killed_collection_is_kept(stage: Stage, point: str, dies_at: str) -> None:
    stage.name("exe_1", stage.put())
    stage.give_up("exe_1")
    stage.kill(collect, point)
    stage.kill(put, dies_at)
    stage.name("exe_2", stage.put())
    stage.assert_whole()


def test_a_removal_that_comes_late_takes_nothing_that_was_put_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is slow: nobody waits for it, and another collection is through before."""
    stage.name("exe_1", stage.put())
    stage.give_up("exe_1")
    remove, reached, go = type(stage.artefacts.store).remove, threading.Event(), threading.Event()

    def remove_late(store: Store, name: str) -> None:
        if threading.current_thread() is late:
            reached.set()
            assert go.wait(60)
        remove(store, name)

    monkeypatch.setattr(type(stage.artefacts.store), "remove", remove_late)
    late = threading.Thread(target=stage.artefacts.collect_released)
    late.start()
    try:
        assert reached.wait(60)
        began = time.monotonic()
        stage.name("exe_2", stage.put())
        assert stage.artefacts.collect_released() == 1
        stage.name("exe_3", stage.put())
        assert time.monotonic() - began < 10, "less than a database is waited for"
    finally:
        go.set()
        late.join(60)
    stage.assert_whole()


def test_a_collection_goes_on_where_another_one_was_quicker(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        stage.path.write_bytes(b"%d" % number)
        stage.put()
    remove, quicker = type(stage.artefacts.store).remove, list[int]()

    def remove_after_another(store: Store, name: str) -> None:
        if not quicker:
            with stage.records.write() as connection:
                theirs = select(condemned.c.blob).order_by(condemned.c.blob).limit(20)
                done = connection.execute(delete(condemned).where(condemned.c.blob.in_(theirs)))
                quicker.append(done.rowcount)
        remove(store, name)

    monkeypatch.setattr(type(stage.artefacts.store), "remove", remove_after_another)
    assert stage.artefacts.collect(rest_s=-1) == 5
    assert quicker == [20]
    assert list(stage.artefacts.store.names()) == []


def test_what_takes_longer_than_the_rest_to_be_written_is_not_collected(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinsynth.storage.artefacts._TOUCHED_EVERY_S", -1.0)
    found: list[int] = []

    def check() -> None:
        found.append(stage.artefacts.collect())
        with stage.records.write() as connection:
            connection.execute(update(rows).values(created_at=rows.c.created_at - 3601))

    stage.name("exe_1", stage.artefacts.put_file(stage.path, "original", check=check))
    assert found
    assert not any(found)
    stage.assert_whole()


def test_a_writer_that_stood_still_for_an_hour_is_told_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinsynth.storage.artefacts._TOUCHED_EVERY_S", -1.0)

    def stand_still() -> None:
        stage.artefacts.collect(rest_s=-1)

    with pytest.raises(TransientError) as caught:
        stage.artefacts.put_file(stage.path, "original", check=stand_still)
    assert caught.value.code == "artefact.collected"
    stage.assert_whole()


def test_what_is_given_up_while_another_one_writes_it_leaves_nothing(stage: Stage) -> None:
    """Two put the same content; the quicker one names it and gives it up before the slower one is done."""
    checks = 0

    def give_up() -> None:
        nonlocal checks
        checks += 1
        if checks == 1:
            stage.name("exe_1", stage.put())
            stage.give_up("exe_1")
            stage.artefacts.collect_released()

    with pytest.raises(TransientError) as caught:
        stage.artefacts.put_file(stage.path, "original", check=give_up)
    assert caught.value.code == "artefact.collected"
    stage.name("exe_2", stage.put())
    stage.assert_whole()
