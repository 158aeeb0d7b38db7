"""Promises of every store."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fake_s3 import running_s3
from kinsynth.errors import UserError
from kinsynth.storage import store as stores
from kinsynth.storage.object_store import PART
from kinsynth.storage.store import FolderStore, Store
from storage.object_toys import make_object_store

NAME = "original/ab/abcd"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "store")
        return
    with running_s3() as server:
        server.page = 3
        yield make_object_store(server.url)


def read_all(store: Store, name: str, size: int = 1 << 20) -> bytes:
    with store.open(name) as read:
        return b"".join(iter(lambda: read(size), b""))


@pytest.mark.parametrize("size", [0, 1, 1 << 20, PART, PART + 1])
def test_a_content_comes_back_in_pieces_of_the_size_asked_for(store: Store, size: int) -> None:
    content = os.urandom(size)
    store.write(NAME, (content[start : start + 700_001] for start in range(0, size, 700_001)))
    with store.open(NAME) as read:
        pieces = list(iter(lambda: read(5_000_011), b""))
        assert read(1) == b""
    assert b"".join(pieces) == content
    assert all(len(piece) == 5_000_011 for piece in pieces[:-1])


def test_what_is_not_there_is_missing(store: Store) -> None:
    assert not store.has(NAME)
    with pytest.raises(UserError) as caught, store.open(NAME):
        pass
    assert caught.value.code == "artefact.missing"
    store.remove(NAME)
    assert list(store.names()) == []


def test_a_second_content_replaces_the_first(store: Store) -> None:
    for content in (b"first", b"second, longer"):
        store.write(NAME, [content])
        assert read_all(store, NAME) == content
    assert list(store.names()) == [NAME]


def test_blobs_are_listed_and_removed_one_by_one(store: Store) -> None:
    names = [f"{label}/{number:02x}/{number:064x}" for label in ("a", "b") for number in range(5)]
    for name in names:
        store.write(name, [name.encode()])
    assert sorted(store.names()) == names
    store.remove(names[3])
    assert not store.has(names[3])
    assert store.has(names[4])
    assert sorted(store.names()) == names[:3] + names[4:]


class BrokenSource(Exception):
    """Something went wrong with what is written."""


@pytest.mark.parametrize("size", [0, 1, PART + (6 << 20)])
def test_a_source_that_breaks_leaves_what_was_there(store: Store, size: int) -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, size, 1 << 20):
            yield bytes(min(1 << 20, size - start))
        raise BrokenSource

    with pytest.raises(BrokenSource):
        store.write(NAME, chunks())
    assert not store.has(NAME)
    assert list(store.names()) == []
    store.write(NAME, [b"before"])
    with pytest.raises(BrokenSource):
        store.write(NAME, chunks())
    assert read_all(store, NAME) == b"before"


def test_writers_of_one_name_at_once_leave_one_whole_content(store: Store) -> None:
    contents = [bytes([number]) * 300_000 for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda content: store.write(NAME, [content]), contents))
    assert read_all(store, NAME) in contents


def test_a_check_leaves_nothing(store: Store) -> None:
    store.check()
    assert list(store.names()) == []


def test_only_old_half_written_content_is_removed(store: Store) -> None:
    if isinstance(store, FolderStore):
        (store.folder / "original" / "ab").mkdir(parents=True)
        (store.folder / "original" / "ab" / ".part.elsewhere.abcd.1").write_bytes(b"half")
    else:
        with pytest.raises(BrokenSource):
            store.write(NAME, _break_after(PART + (6 << 20)))
    store.write("original/ab/other", [b"whole"])
    assert store.remove_parts(older_than_s=3600, now=time.time()) == 0
    assert store.remove_parts(older_than_s=3600, now=time.time() + 3700) == 1
    assert store.remove_parts(older_than_s=3600, now=time.time() + 3700) == 0
    assert list(store.names()) == ["original/ab/other"]


def test_what_is_being_written_is_not_removed_however_old_it_looks(tmp_path: Path) -> None:
    store, removed = FolderStore(tmp_path / "store"), list[int]()

    def chunks() -> Iterator[bytes]:
        yield b"half"
        removed.append(store.remove_parts(older_than_s=0, now=time.time() + 1e6))
        yield b"whole"

    store.write(NAME, chunks())
    assert removed == [0]
    assert read_all(store, NAME) == b"halfwhole"


def test_the_lock_is_held_until_the_content_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, removed = FolderStore(tmp_path / "store"), list[int]()

    def look(_point: str) -> None:
        removed.append(store.remove_parts(older_than_s=0, now=time.time() + 1e6))

    monkeypatch.setattr(stores.crash, "point", look)
    store.write(NAME, [b"whole"])
    assert removed == [0, 0]
    assert read_all(store, NAME) == b"whole"


def test_a_part_that_is_removed_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, lock, removed = FolderStore(tmp_path / "store"), stores._lock, list[int]()

    def lock_late(descriptor: int, how: int) -> bool:
        if not removed:
            removed.append(-1)
            removed[0] = store.remove_parts(older_than_s=3600, now=time.time())
        return lock(descriptor, how)

    monkeypatch.setattr(stores, "_lock", lock_late)
    store.write(NAME, [b"whole"])
    assert removed == [1]
    assert read_all(store, NAME) == b"whole"


def test_where_a_folder_has_no_locks_the_age_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(stores.fcntl, "flock", refuse)
    store, removed = FolderStore(tmp_path / "store"), list[int]()

    def chunks() -> Iterator[bytes]:
        yield b"half"
        removed.append(store.remove_parts(older_than_s=3600, now=time.time()))
        removed.append(store.remove_parts(older_than_s=3600, now=time.time() + 3700))

    with pytest.raises(UserError):
        store.write(NAME, chunks())
    assert removed == [0, 1]


def _break_after(size: int) -> Iterator[bytes]:
    yield from (bytes(1 << 20) for _ in range(size >> 20))
    raise BrokenSource
