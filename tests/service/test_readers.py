"""Readers: the pages of a child that stays are those of one that does not, and nothing is open for longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

from finished_run import put, succeed
from installation import make_person, make_source
from kinsynth.errors import InternalError, KinsynthError
from kinsynth.service import executions, results, retention, sources, starts, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.analysis import readers as module
from kinsynth.service.analysis import versions
from kinsynth.service.analysis.readers import Pages, Reader
from kinsynth.service.analysis.views import RowsView, Window
from kinsynth.service.people import sharing
from kinsynth.service.platform import Platform
from kinsynth.service.starts import Order
from kinsynth.storage.tables import executions as execution_rows
from shop_database import write_shops

# What a reader does is the same whatever keeps the records; its permissions are tested on both elsewhere.
pytestmark = pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
Page = Callable[[Window], RowsView]


@pytest.fixture(autouse=True)
def quick_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers are looked at often."""
    monkeypatch.setattr(module, "_LOOK_S", 0.05)


@pytest.fixture
def source_id(platform: Platform, ann: Actor, tmp_path: Path) -> str:
    """A sealed source with three tables."""
    write_shops(tmp_path / "shops")
    return make_source(platform, ann, tmp_path / "shops")


@pytest.fixture
def synthesis_id(platform: Platform, ann: Actor, source_id: str) -> str:
    """A synthesis of it."""
    document = {"tables": {"region": {"original": True}}}
    return syntheses.create_synthesis(platform, ann, source_id, name="Shops", document=document)[0].id


@pytest.fixture
def execution_id(platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path) -> str:
    """An execution with results."""
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    succeed(platform, made.id, tmp_path)
    return made.id


@pytest.fixture(params=["source", pytest.param("result", marks=pytest.mark.soak)])
def page(request: pytest.FixtureRequest, platform: Platform, ann: Actor) -> Page:
    """Give pages of a source, and of a result."""
    if request.param == "source":
        source_id = request.getfixturevalue("source_id")
        return lambda window: versions.preview_version(platform, ann, source_id, 1, window)
    execution_id = request.getfixturevalue("execution_id")
    return lambda window: results.preview_result(platform, ann, execution_id, window)


def open_readers(platform: Platform) -> list[Reader]:
    return platform.analysts.readers._list()


def process_of(reader: Reader) -> psutil.Process:
    assert reader._talk is not None
    return psutil.Process(reader._talk._process.pid)


def folder_of(reader: Reader) -> Path:
    assert reader._folder is not None
    return reader._folder


def is_over(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(KinsynthError) as caught:
        call()
    return caught.value.code


def check_gone(platform: Platform, reader: Reader, process: psutil.Process, folder: Path) -> None:
    """The keeper has ended it: child, folder and all."""
    until = time.monotonic() + 10
    while open_readers(platform) or not is_over(process) or folder.exists():
        assert time.monotonic() < until, "it is still there"
        time.sleep(0.02)
    assert reader.ended


def windows() -> Iterator[Window]:
    yield from (Window("shop", 0, 1), Window("sale", 7, 60), Window("region"), Window("shop", 149, 60))
    yield from (Window("shop", 100_000), Window("sale", 0, 500))


@pytest.mark.parametrize("page", ["source", "result"], indirect=True)
def test_pages_are_those_of_a_child_of_their_own(
    platform: Platform, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = page(Window("shop"))
    (reader,) = open_readers(platform)
    process = process_of(reader)
    found = [page(window) for window in windows()]
    assert open_readers(platform) == [reader]
    assert process_of(reader) == process
    assert platform.analysts.readers.lost == 0
    monkeypatch.setattr(platform.analysts.readers, "ask", lambda *_: None)
    assert page(Window("shop")) == first
    assert [page(window) for window in windows()] == found
    assert any(one.rows for one in found)


def test_a_reader_that_is_killed_is_replaced_and_counted(platform: Platform, page: Page) -> None:
    first = page(Window("shop", 3, 4))
    (reader,) = open_readers(platform)
    folder = folder_of(reader)
    process_of(reader).kill()
    assert page(Window("shop", 3, 4)) == first
    assert platform.analysts.readers.lost == 1
    assert not folder.exists()
    assert page(Window("shop", 3, 4)) == first
    assert platform.analysts.readers.lost == 1
    assert open_readers(platform) != [reader]


def test_a_reader_that_is_late_is_killed(
    platform: Platform, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = page(Window("shop", 3, 4))
    (reader,) = open_readers(platform)
    process = process_of(reader)
    process.suspend()
    monkeypatch.setattr(module, "_PATIENCE_S", 0.3)
    assert page(Window("shop", 3, 4)) == first
    assert platform.analysts.readers.lost == 1
    assert is_over(process)


def test_a_file_damaged_in_its_folder_is_brought_again(platform: Platform, page: Page) -> None:
    first = page(Window("shop"))
    (reader,) = open_readers(platform)
    for path in folder_of(reader).rglob("*.arrow"):
        path.write_bytes(b"nonsense")
    assert page(Window("shop")) == first
    assert platform.analysts.readers.lost == 1


def test_a_file_damaged_for_good_is_told_as_by_a_child_of_its_own(
    platform: Platform, ann: Actor, execution_id: str, tmp_path: Path
) -> None:
    (tmp_path / "damaged").write_bytes(b"ARROW1\x00\x00" + bytes(100) + b"ARROW1")
    damaged = {f"synthetic/00{number}.arrow": tmp_path / "damaged" for number in range(3)}
    put(platform, execution_id, "protected", damaged)
    for number in (1, 2):
        with pytest.raises(InternalError):
            results.preview_result(platform, ann, execution_id, Window("shop"))
        assert platform.analysts.readers.lost == number
    assert open_readers(platform) == []


def test_who_lost_a_share_gets_no_further_page(
    platform: Platform, ann: Actor, bob: Actor, synthesis_id: str, execution_id: str
) -> None:
    share = sharing.NewShare(email=f"{bob.user_id}@example.org", level="view")
    sharing.set_share(platform, ann, synthesis_id, share)

    def look(actor: Actor) -> int:
        return results.preview_result(platform, actor, execution_id, Window("shop")).total

    assert (look(bob), look(ann)) == (150, 150)
    (his,) = [one for one in open_readers(platform) if one.pages.key[0] == bob.user_id]
    process, folder = process_of(his), folder_of(his)
    sharing.remove_share(platform, ann, synthesis_id, bob.user_id)
    assert code_of(lambda: look(bob)) == "access.not_found"
    until = time.monotonic() + 10
    while folder.exists() or not is_over(process):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert look(ann) == 150
    assert platform.analysts.readers.lost == 0


def test_a_deleted_source_is_open_to_no_reader(platform: Platform, ann: Actor, source_id: str) -> None:
    versions.preview_version(platform, ann, source_id, 1, Window("shop"))
    (reader,) = open_readers(platform)
    process, folder = process_of(reader), folder_of(reader)
    sources.delete_source(platform, ann, source_id)
    found = code_of(lambda: versions.preview_version(platform, ann, source_id, 1, Window("shop", 9)))
    assert found == "access.not_found"
    check_gone(platform, reader, process, folder)


@pytest.mark.parametrize("what", ["execution", "results"])
def test_deleted_results_are_open_to_no_reader(
    platform: Platform, ann: Actor, execution_id: str, what: str
) -> None:
    results.preview_result(platform, ann, execution_id, Window("shop"))
    (reader,) = open_readers(platform)
    process, folder = process_of(reader), folder_of(reader)
    if what == "execution":
        executions.delete_execution(platform, ann, execution_id)
    else:
        with platform.records.write() as connection:
            connection.execute(update(execution_rows).values(finished_at=1.0))
            retention._remove_results(connection, execution_id)
    found = code_of(lambda: results.preview_result(platform, ann, execution_id, Window("shop", 9)))
    assert found == {"execution": "access.not_found", "results": "execution.no_results"}[what]
    check_gone(platform, reader, process, folder)


@pytest.mark.parametrize("limit", ["IDLE_S", "LIFE_S"])
def test_a_reader_ends_after_its_time(
    platform: Platform, page: Page, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(Window("shop"))
    (reader,) = open_readers(platform)
    process, folder = process_of(reader), folder_of(reader)
    time.sleep(0.2)
    assert not reader.ended
    monkeypatch.setattr(module, limit, 0.1)
    check_gone(platform, reader, process, folder)
    assert platform.analysts.readers.lost == 0


def test_a_reader_ends_after_so_many_pages(
    platform: Platform, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PAGES", 2)
    page(Window("shop"))
    (reader,) = open_readers(platform)
    page(Window("shop", 50))
    assert (reader.ended, open_readers(platform)) == (True, [])
    assert page(Window("shop", 100)).offset == 100
    assert len(open_readers(platform)) == 1


def test_each_version_has_its_own_pages(platform: Platform, ann: Actor) -> None:
    source, _ = sources.create_source(platform, ann, "s")
    for number in (1, 2, 3):
        sources.open_version(platform, ann, source.id)
        text = b"id,x\n" + b"".join(b"%d,v%d\n" % (row, number) for row in range(40))
        sources.put_file(platform, ann, source.id, number, name="a.csv", chunks=[text])
        sources.seal_version(platform, ann, source.id, number)
    for offset in range(3):
        for number in (1, 2, 3):
            page = versions.preview_version(platform, ann, source.id, number, Window("a", offset, 1))
            assert page.rows == ((str(offset), f"v{number}"),)
    assert len(open_readers(platform)) == 3


def test_there_are_so_many_readers_and_the_one_used_least_recently_makes_room(
    platform: Platform, ann: Actor, execution_id: str, synthesis_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FOR_EACH_PROCESS", 2)
    most = 2 * platform.deployment.analysis_processes
    people = [make_person(platform) for _ in range(most + 2)]
    for person in people:
        share = sharing.NewShare(email=f"{person.user_id}@example.org", level="view")
        sharing.set_share(platform, ann, synthesis_id, share)

    def look(person: Actor) -> int:
        return results.preview_result(platform, person, execution_id, Window("shop")).total

    for person in people:
        assert look(person) == 150
        assert len(open_readers(platform)) <= most
    assert [one.pages.key[0] for one in open_readers(platform)] == [one.user_id for one in people[2:]]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, people * 4)) == {150}
    assert platform.analysts.readers.lost == 0
    assert len(open_readers(platform)) <= most


def test_where_all_readers_are_at_work_a_page_has_a_child_of_its_own(
    platform: Platform, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FOR_EACH_PROCESS", 0)
    assert page(Window("shop")).total == 150
    assert open_readers(platform) == []
    monkeypatch.setattr(module, "_FOR_EACH_PROCESS", 1)
    at_work = [Reader(Pages(("", str(n), ""), "", lambda _: {}, lambda: None)) for n in range(2)]
    for one in at_work:
        platform.analysts.readers._readers[one.pages.key] = one
        one.lock.acquire()
    assert page(Window("shop")).total == 150
    assert open_readers(platform) == at_work
    for one in at_work:
        one.lock.release()


def test_closing_ends_readers_also_one_that_is_at_work(platform: Platform, page: Page) -> None:
    page(Window("shop"))
    (reader,) = open_readers(platform)
    process, folder = process_of(reader), folder_of(reader)
    held = threading.Thread(target=reader.lock.acquire)
    held.start()
    held.join()
    platform.analysts.close()
    assert is_over(process)
    assert not folder.exists()
