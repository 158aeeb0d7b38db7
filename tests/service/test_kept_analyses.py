"""What is kept of a version's analysis is bounded, and may be replaced while it is being fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kinsynth.errors import SourceError, TransientError
from kinsynth.service import sources
from kinsynth.service.actor import Actor
from kinsynth.service.analysis import versions
from kinsynth.service.analysis.analysts import Analysts
from kinsynth.service.analysis.views import Window
from kinsynth.service.documents import reading_settings
from kinsynth.service.platform import Platform
from kinsynth.service.sources import analysis_owner
from kinsynth.storage.files import list_files

NULLS: list[dict[str, Any]] = [{"source": {"null_values": [word]}} for word in ("v1", "v2", "v3")]


@pytest.fixture
def source_id(platform: Platform, ann: Actor) -> str:
    """A source of one small table."""
    source, _ = sources.create_source(platform, ann, "s")
    sources.open_version(platform, ann, source.id)
    text = b"id,x\n" + b"".join(b"%d,v%d\n" % (row, row) for row in range(40))
    sources.put_file(platform, ann, source.id, 1, name="a.csv", chunks=[text])
    sources.seal_version(platform, ann, source.id, 1)
    return source.id


def kept(platform: Platform, source_id: str) -> list[str]:
    with platform.records.read() as connection:
        return list(list_files(connection, analysis_owner(source_id), 1))


def look(platform: Platform, actor: Actor, source_id: str, document: dict[str, Any]) -> str | None:
    """Give the second cell of the second row."""

    def find() -> versions.Version:
        return versions.find_version(platform, source_id)

    return versions.preview_tables(platform, actor, find, document, Window("a", 1, 1)).rows[0][1]


def way(document: dict[str, Any]) -> str:
    return versions._digest(reading_settings(document))


def test_the_two_newest_ways_of_reading_are_kept(platform: Platform, ann: Actor, source_id: str) -> None:
    for document in NULLS:
        assert look(platform, ann, source_id, document) == (None if document is NULLS[0] else "v1")
    assert {path.partition("/")[0] for path in kept(platform, source_id)} == {way(one) for one in NULLS[1:]}


def test_the_newest_answers_are_kept(
    platform: Platform, ann: Actor, source_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_MOST_ANSWERS", 2)
    found: list[list[str]] = []
    for seed in range(4):
        document = {"generation": {"seed": seed}}
        versions.detect_version(platform, ann, source_id, 1, document)
        found.append([path for path in kept(platform, source_id) if "/detect-" in path])
    assert [len(paths) for paths in found] == [1, 2, 2, 2]
    assert set(found[2]) & set(found[3])
    assert set(found[1]).isdisjoint(found[3])


def replaced_once(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    source_id: str,
    ending: str,
    meanwhile: Callable[[], Any],
) -> list[str]:
    """Let something happen before a kept file is fetched, the first time, and its blob be collected."""
    usual, happened = versions._fetch_kept, []

    def fetch(found: Platform, stored: Any, path: Any) -> None:
        if not happened and path.name.endswith(ending):
            happened.append(ending)
            meanwhile()
            platform.artefacts.collect_released()
        usual(found, stored, path)

    monkeypatch.setattr(versions, "_fetch_kept", fetch)
    return happened


def test_tables_replaced_while_they_are_fetched_are_made_again(
    platform: Platform, ann: Actor, source_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(platform, ann, source_id, NULLS[0])
    platform.analysts.readers.close()

    def others() -> None:
        for document in NULLS[1:]:
            look(platform, ann, source_id, document)
        assert way(NULLS[0]) not in {path.partition("/")[0] for path in kept(platform, source_id)}

    happened = replaced_once(platform, monkeypatch, source_id, ".arrow", others)
    found = versions.check_version(platform, versions.find_version(platform, source_id), NULLS[0])
    assert (happened, found.rows) == ([".arrow"], {"a": 40})
    assert look(platform, ann, source_id, NULLS[0]) is None


def test_an_answer_dropped_while_it_is_fetched_is_asked_for_again(
    platform: Platform, ann: Actor, source_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_MOST_ANSWERS", 1)
    first = versions.detect_version(platform, ann, source_id, 1, {})

    def another() -> None:
        versions.detect_version(platform, ann, source_id, 1, {"generation": {"seed": 7}})

    happened = replaced_once(platform, monkeypatch, source_id, "answer.json", another)
    assert versions.detect_version(platform, ann, source_id, 1, {}) == first
    assert happened == ["answer.json"]


def test_tables_that_the_store_lost_are_a_source_that_is_gone(
    platform: Platform, ann: Actor, source_id: str
) -> None:
    look(platform, ann, source_id, {})
    platform.analysts.readers.close()
    for name in list(platform.artefacts.store.names()):
        platform.artefacts.store.remove(name)
    with pytest.raises(SourceError, match=r"source\.gone"):
        look(platform, ann, source_id, {})


def test_what_many_ask_at_once_is_found_out_once(
    platform: Platform, ann: Actor, source_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    call = Analysts._call

    def counted(analysts: Analysts, function: str, arguments: Mapping[str, Any], folder: Path) -> Any:
        asked.append(function)
        return call(analysts, function, arguments, folder)

    monkeypatch.setattr(Analysts, "_call", counted)
    with ThreadPoolExecutor(12) as pool:
        version = versions.find_version(platform, source_id)
        found = list(pool.map(lambda _: versions.check_version(platform, version, {}), range(12)))
    assert found == [found[0]] * 12
    assert sorted(asked) == ["check_document", "parse_files"]
    assert platform.analysts._places == {}


def test_a_failure_is_nobody_elses_answer(
    platform: Platform, ann: Actor, source_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each who waited tries for himself."""
    asked: list[str] = []

    def fail(_: Analysts, function: str, arguments: Mapping[str, Any], folder: Path) -> Any:
        asked.append(function)
        raise SourceError("source.damaged", "The file is damaged.", remedy="Bring another one.")

    def check(_: int) -> str:
        with pytest.raises(SourceError) as caught:
            versions.check_version(platform, version, {})
        return caught.value.code

    monkeypatch.setattr(Analysts, "_call", fail)
    version = versions.find_version(platform, source_id)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(check, range(4))) == {"source.damaged"}
    assert asked == ["parse_files"] * 4


def test_who_waits_too_long_for_the_same_work_is_told_so(platform: Platform) -> None:
    hasty = Analysts(platform.deployment.model_copy(update={"analysis_wait_s": 0.05}))
    try:
        with hasty.alone("work"), ThreadPoolExecutor(1) as pool:

            def wait() -> None:
                with hasty.alone("work"):
                    pass

            with pytest.raises(TransientError) as caught:
                pool.submit(wait).result()
            assert caught.value.code == "analysis.busy"
    finally:
        hasty.close()
