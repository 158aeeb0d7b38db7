"""The maker of downloads goes on, whatever happens to one of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from finished_run import succeed
from installation import make_source
from kinsynth.errors import OutOfMemory
from kinsynth.service import downloads, starts, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.downloads import Preparer
from kinsynth.service.platform import Platform
from kinsynth.service.starts import Order
from shop_database import write_shops


@pytest.fixture
def execution_id(platform: Platform, ann: Actor, tmp_path: Path) -> str:
    """An execution with results."""
    write_shops(tmp_path / "shops")
    source_id = make_source(platform, ann, tmp_path / "shops")
    document = {"tables": {"region": {"original": True}}}
    synthesis, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document=document)
    made, _ = starts.start_run(platform, ann, synthesis.id, Order())
    succeed(platform, made.id, tmp_path)
    return made.id


def test_a_download_too_large_for_its_process_fails_and_holds_nobody_up(
    platform: Platform, ann: Actor, execution_id: str
) -> None:
    usual = platform.analysts.call

    def call(function: str, arguments: Mapping[str, Any], folder: Path) -> Any:
        if arguments["format"] == "ods":
            raise OutOfMemory("source.parser_memory", "Too large.")
        return usual(function, arguments, folder)

    platform.analysts.call = call  # type: ignore[method-assign]
    large, _ = downloads.create_download(platform, ann, execution_id, "ods")
    other, _ = downloads.create_download(platform, ann, execution_id, "csv")
    assert [downloads.prepare_next(platform) for _ in range(3)] == [True, True, False]
    found = downloads.read_download(platform, ann, large.id)
    assert (found.status, found.error and found.error.code) == ("failed", "source.parser_memory")
    assert downloads.read_download(platform, ann, other.id).status == "ready"
    assert downloads.create_download(platform, ann, execution_id, "ods")[1]


def test_a_failure_that_nobody_expected_does_not_end_the_maker(
    platform: Platform, ann: Actor, execution_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, failed = downloads.prepare_next, []

    def prepare(one: Platform) -> bool:
        if not failed:
            failed.append(True)
            raise ZeroDivisionError
        return usual(one)

    monkeypatch.setattr(downloads, "prepare_next", prepare)
    asked, _ = downloads.create_download(platform, ann, execution_id, "csv")
    preparer = Preparer(platform)
    preparer.start()
    try:
        until = time.monotonic() + 60
        while downloads.read_download(platform, ann, asked.id).status == "preparing":
            assert time.monotonic() < until
            preparer.wake()
            time.sleep(0.1)
    finally:
        preparer.close()
    assert downloads.read_download(platform, ann, asked.id).status == "ready"
