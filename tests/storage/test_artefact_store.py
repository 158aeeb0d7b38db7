"""Files in the store: by content, whole or absent, never removed while somebody names them."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from kinsynth.errors import InternalError, KinsynthError, TransientError, UserError
from kinsynth.storage.artefacts import LABELS, Artefacts, Label
from kinsynth.storage.cipher import CHUNK
from kinsynth.storage.files import Detached, attach, detach, list_files, move
from kinsynth.storage.records import Records
from kinsynth.storage.store import FolderStore
from kinsynth.storage.tables import artefacts as rows
from kinsynth.storage.tables import files
from storage.storage_toys import make_artefacts, make_keys


@pytest.fixture
def artefacts(records: Records, tmp_path: Path) -> Artefacts:
    return make_artefacts(records, tmp_path)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def attach_all(records: Records, artefacts: Artefacts, owner: str, label: Label, **content: bytes) -> None:
    folder = artefacts.store.folder.parent  # type: ignore[attr-defined]
    stored = {name: artefacts.put_file(write(folder / name, said), label) for name, said in content.items()}
    with records.write() as connection:
        attach(connection, owner, 0, stored)


def blobs(artefacts: Artefacts) -> set[str]:
    return {*artefacts.store.names()}


def row_count(records: Records) -> int:
    with records.read() as connection:
        return connection.execute(select(func.count()).select_from(rows)).scalar_one()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("size", [0, 1, CHUNK + 1])
def test_a_file_comes_back(
    records: Records, artefacts: Artefacts, tmp_path: Path, label: Label, size: int
) -> None:
    content = os.urandom(size)
    stored = artefacts.put_file(write(tmp_path / "it", content), label)
    assert (stored.digest, stored.size) == (hashlib.sha256(content).hexdigest(), size)
    assert b"".join(artefacts.read(stored)) == content
    artefacts.fetch(stored, tmp_path / "deep" / "back")
    assert (tmp_path / "deep" / "back").read_bytes() == content
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["back"]


@pytest.mark.parametrize("label", LABELS)
def test_raw_data_and_models_are_encrypted_and_results_are_not(
    artefacts: Artefacts, tmp_path: Path, label: Label
) -> None:
    stored = artefacts.put_file(write(tmp_path / "it", b"a cell of the source"), label)
    kept = (artefacts.store.folder / stored.blob).read_bytes()  # type: ignore[attr-defined]
    assert (b"a cell" in kept) == (label == "protected")
    assert (stored.key_id is None) == (label == "protected")


def test_only_the_owner_may_look_into_the_store(artefacts: Artefacts, tmp_path: Path) -> None:
    artefacts.put_file(write(tmp_path / "it", b"x"), "original")
    for path in [tmp_path / "artefacts", *(tmp_path / "artefacts").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_blob_that_was_changed_cut_or_removed_is_never_given_as_whole(
    artefacts: Artefacts, tmp_path: Path
) -> None:
    for label in LABELS:
        stored = artefacts.put_file(write(tmp_path / "it", os.urandom(2000)), label)
        blob = tmp_path / "artefacts" / stored.blob
        whole = blob.read_bytes()
        turned = whole[:500] + bytes([whole[500] ^ 1]) + whole[501:]
        for damaged in (whole[:-1], whole[:100], b"", turned, whole + b"x"):
            blob.write_bytes(damaged)
            with pytest.raises(InternalError) as caught:
                artefacts.fetch(stored, tmp_path / "back")
            assert caught.value.code in {"artefact.damaged", "keys.tampered"}
            assert not (tmp_path / "back").exists()
        blob.unlink()
        with pytest.raises(UserError) as gone:
            artefacts.fetch(stored, tmp_path / "back")
        assert gone.value.code == "artefact.missing"


def test_a_content_that_is_not_of_the_digest_gets_no_name(artefacts: Artefacts, tmp_path: Path) -> None:
    for size in (0, 5, CHUNK, CHUNK + 1):
        path = write(tmp_path / "it", b"x" * size)
        with pytest.raises(InternalError) as caught:
            artefacts.put_file(path, "original", digest="0" * 64)
        assert caught.value.code == "artefact.changed"
    assert blobs(artefacts) == set()
    assert not [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]


def test_files_are_named_replaced_moved_and_given_up(records: Records, artefacts: Artefacts) -> None:
    attach_all(records, artefacts, "exe_1", "original", a=b"1", b=b"2", A=b"3")
    with records.write() as connection:
        found = list_files(connection, "exe_1")
        assert {path: one.size for path, one in found.items()} == {"A": 1, "a": 1, "b": 1}
        attach(connection, "exe_1", 0, {"work/x": found["a"], "work/y/z": found["b"], "workers": found["A"]})
        assert [*list_files(connection, "exe_1", under="work")] == ["work/x", "work/y/z"]
        move(connection, "exe_1", "work/y", "y")
        assert [*list_files(connection, "exe_1", under="y")] == ["y/z"]
        assert detach(connection, "exe_1", under="work") == Detached(1, 1)
        assert sorted(list_files(connection, "exe_1")) == ["A", "a", "b", "workers", "y/z"]
        assert list_files(connection, "exe_2") == {}
        assert detach(connection, "exe_1") == Detached(5, 5)
    assert artefacts.collect_released() == 3
    assert blobs(artefacts) == set()


def test_a_blob_is_removed_only_when_the_last_file_is_gone(records: Records, artefacts: Artefacts) -> None:
    for owner in ("exe_1", "exe_2"):
        attach_all(records, artefacts, owner, "original", a=b"shared")
    with records.write() as connection:
        detach(connection, "exe_1")
    assert artefacts.collect_released() == 0
    assert artefacts.collect(rest_s=0) == 0
    with records.write() as connection:
        detach(connection, "exe_2")
    assert artefacts.collect_released() == 1
    assert (blobs(artefacts), row_count(records)) == (set(), 0)


def test_a_replaced_file_is_collected_soon(records: Records, artefacts: Artefacts) -> None:
    for content in (b"first", b"second", b"second"):
        attach_all(records, artefacts, "exe_1", "original", checkpoint=content)
    assert artefacts.collect_released() == 1
    assert len(blobs(artefacts)) == 1
    with records.read() as connection:
        (stored,) = list_files(connection, "exe_1").values()
    assert b"".join(artefacts.read(stored)) == b"second"


def test_what_was_just_put_rests(records: Records, artefacts: Artefacts, tmp_path: Path) -> None:
    artefacts.put_file(write(tmp_path / "it", b"x"), "original")
    assert artefacts.collect() + artefacts.collect_released() == 0
    with records.write() as connection:
        connection.execute(update(rows).values(created_at=rows.c.created_at - 3601))
    artefacts.put_file(write(tmp_path / "it", b"x"), "original")
    assert artefacts.collect() == 0, "put again, it rests again"
    with records.write() as connection:
        connection.execute(update(rows).values(created_at=rows.c.created_at - 3601))
    assert artefacts.collect() == 1


def test_a_file_that_was_collected_before_it_was_named_is_refused(
    records: Records, artefacts: Artefacts, tmp_path: Path
) -> None:
    stored = artefacts.put_file(write(tmp_path / "it", b"x"), "original")
    assert artefacts.collect(rest_s=-1) == 1
    with pytest.raises(TransientError) as caught, records.write() as connection:
        attach(connection, "exe_1", 0, {"it": stored})
    assert caught.value.code == "artefact.collected"
    with records.read() as connection:
        assert connection.execute(select(func.count()).select_from(files)).scalar_one() == 0


def test_a_collection_that_fails_midway_leaves_no_file_without_its_blob(
    records: Records, artefacts: Artefacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has put a content that its owner then gives up; its blob goes, and nobody says so."""
    attach_all(records, artefacts, "exe_1", "original", a=b"shared", b=b"another")
    stored = artefacts.put_file(tmp_path / "a", "original")
    with records.write() as connection:
        detach(connection, "exe_1")
    remove = FolderStore.remove

    def remove_and_fail(store: FolderStore, name: str) -> None:
        for one in blobs(artefacts):
            remove(store, one)
        raise TransientError("artefacts.unavailable", "The store is away.")

    monkeypatch.setattr(FolderStore, "remove", remove_and_fail)
    with pytest.raises(TransientError):
        artefacts.collect_released()
    monkeypatch.undo()
    with pytest.raises(TransientError) as caught, records.write() as connection:
        attach(connection, "exe_2", 0, {"it": stored})
    assert caught.value.code == "artefact.collected"
    stored = artefacts.put_file(tmp_path / "a", "original")
    with records.write() as connection:
        attach(connection, "exe_2", 0, {"it": stored})
    assert artefacts.collect_released() == 2, "said now"
    assert b"".join(artefacts.read(stored)) == b"shared"


def test_a_blob_that_cannot_be_removed_does_not_keep_others(
    records: Records, artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach_all(
        records, artefacts, "exe_1", "original", **{f"f{number}": b"%d" % number for number in range(45)}
    )
    with records.write() as connection:
        detach(connection, "exe_1")
    stuck, remove = min(blobs(artefacts)), FolderStore.remove

    def refuse_one(store: FolderStore, name: str) -> None:
        if name == stuck:
            raise TransientError("artefacts.unavailable", "It cannot be removed.")
        remove(store, name)

    monkeypatch.setattr(FolderStore, "remove", refuse_one)
    for _ in range(2):
        with pytest.raises(TransientError):
            artefacts.collect_released()
        assert blobs(artefacts) == {stuck}
    monkeypatch.undo()
    assert artefacts.collect_released() == 1


def test_a_new_key_encrypts_what_is_put_again(records: Records, artefacts: Artefacts, tmp_path: Path) -> None:
    path = write(tmp_path / "it", b"x")
    plain = make_artefacts(records, tmp_path, encrypted=False)
    first, second = plain.put_file(path, "original"), artefacts.put_file(path, "original")
    assert (first.key_id, second.key_id is None) == (None, False)
    with records.write() as connection:
        attach(connection, "exe_1", 0, {"it": second})
    rotated = Artefacts(records, artefacts.store, make_keys(tmp_path))
    assert b"".join(rotated.read(second)) == b"x"
    third = rotated.put_file(path, "original")
    assert third.key_id not in {None, second.key_id}
    with pytest.raises(UserError):
        b"".join(artefacts.read(second))


def test_blobs_that_no_row_knows_are_condemned_and_then_collected(
    records: Records, artefacts: Artefacts, tmp_path: Path
) -> None:
    attach_all(records, artefacts, "exe_1", "original", a=b"named")
    lost = artefacts.put_file(write(tmp_path / "it", b"lost"), "original")
    with records.write() as connection:
        connection.execute(rows.delete().where(rows.c.digest == lost.digest))
    assert (artefacts.condemn_strangers(), artefacts.condemn_strangers()) == (1, 0)
    again = artefacts.put_file(write(tmp_path / "it", b"lost"), "original")
    with records.write() as connection:
        attach(connection, "exe_2", 0, {"it": again})
    assert artefacts.collect(rest_s=-1) == 1
    assert len(blobs(artefacts)) == 2
    assert b"".join(artefacts.read(again)) == b"lost"


def test_putting_and_collecting_the_same_content_at_once_never_leaves_a_file_without_its_blob(
    records: Records, artefacts: Artefacts, tmp_path: Path
) -> None:
    """One thread gives a content up again and again, others take it: whoever succeeded can read it."""
    paths = [write(tmp_path / f"{number}", b"content %d" % (number % 2)) for number in range(4)]

    def take(number: int) -> int:
        owner, refused = f"exe_{number}", 0
        for _ in range(12):
            try:
                stored = artefacts.put_file(paths[number], "original")
                with records.write() as connection:
                    attach(connection, owner, 0, {"it": stored})
            except TransientError as error:
                if error.code != "artefact.collected":
                    raise
                refused += 1
                continue
            assert b"".join(artefacts.read(stored)) == paths[number].read_bytes()
            with records.write() as connection:
                detach(connection, owner)
        return refused

    def collect(_: int) -> int:
        removed = artefacts.collect_released()
        while not all(taker.done() for taker in takers):
            removed += artefacts.collect_released()
        return removed + artefacts.collect_released()

    with ThreadPoolExecutor(6) as pool:
        takers = [pool.submit(take, number) for number in range(4)]
        collectors = [pool.submit(collect, number) for number in range(2)]
        refusals = [taker.result() for taker in takers]
        assert sum(collector.result() for collector in collectors) > 0
    assert sum(refusals) < 48, "some got through"


def _put(url: str, folder: str, path: str, point: str) -> None:
    os.environ["KINSYNTH_CRASH_AT"] = point
    records = Records(url)
    artefacts = Artefacts(records, FolderStore(Path(folder) / "artefacts"), make_keys_of(Path(folder)))
    stored = artefacts.put_file(Path(path), "original")
    with records.write() as connection:
        attach(connection, "exe_1", 0, {"it": stored})
        if point == "before_commit":
            os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)


def make_keys_of(folder: Path) -> object:
    from kinsynth.settings.deployment import Deployment
    from kinsynth.storage.keys import load_keys

    return load_keys(Deployment(data=folder, key_file=folder / "keys.txt"))


@pytest.mark.parametrize(
    "point",
    [
        "artefacts.announced",
        "store.before_rename",
        "store.after_rename",
        "artefacts.written",
        "before_commit",
    ],
)
def test_a_kill_while_a_file_is_put_leaves_no_file_without_a_blob_and_only_garbage(
    records_url: str, records: Records, artefacts: Artefacts, tmp_path: Path, point: str
) -> None:
    path = write(tmp_path / "it", os.urandom(1000))
    process = multiprocessing.get_context("spawn").Process(
        target=_put, args=(records_url, str(tmp_path), str(path), point)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with records.read() as connection:
        assert list_files(connection, "exe_1") == {}
    assert artefacts.collect() == 0
    store = artefacts.store
    assert isinstance(store, FolderStore)
    parts = len(list(store.folder.rglob(".part.*")))
    assert store.remove_parts(older_than_s=60, now=path.stat().st_mtime) == parts, "its writer is gone"
    artefacts.collect(rest_s=-1)
    assert row_count(records) == 0
    assert not [one for one in store.folder.rglob("*") if one.is_file()]
    attach_all(records, artefacts, "exe_1", "original", it=b"again")
    with records.read() as connection:
        assert [*list_files(connection, "exe_1")] == ["it"]


def test_a_full_disk_leaves_nothing_half_written(
    artefacts: Artefacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kinsynth.storage.store.os.fsync", full)
    with pytest.raises(KinsynthError) as caught:
        artefacts.put_file(write(tmp_path / "it", b"x"), "original")
    assert caught.value.code == "machine.disk_full"
    assert not [one for one in (tmp_path / "artefacts").rglob("*") if one.is_file()]
