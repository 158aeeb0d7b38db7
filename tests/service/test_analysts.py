"""Analysts: so many at a time, the rest wait or are sent away; nothing is left behind."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kinsynth.errors import SourceError, TransientError
from kinsynth.service.analysis import analysts as module
from kinsynth.service.analysis.analysts import Analysts
from kinsynth.settings.deployment import read_deployment


@pytest.fixture
def analysts(tmp_path: Path) -> Iterator[Analysts]:
    """A pool with one child that is waited for briefly."""
    found = Analysts(read_deployment(data=tmp_path, analysis_processes=1, analysis_wait_s=0.2))
    yield found
    found.close()


def test_a_child_is_ready_before_it_is_needed(analysts: Analysts) -> None:
    before = {*psutil.Process().children()}  # of other tests
    analysts.warm_up()
    deadline = time.monotonic() + 30
    while not (children := {*psutil.Process().children()} - before):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with analysts.folder() as folder:
        assert analysts.call("read_document", {"text": "name: a"}, folder)["name"] == "a"
    analysts.close()
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_who_waits_too_long_is_told(analysts: Analysts) -> None:
    busy = pytest.raises(TransientError, match=r"analysis\.busy")
    with analysts.folder() as folder, module._held(analysts._slots, 0.0), busy:
        analysts.call("read_document", {"text": ""}, folder)


def test_more_than_may_wait_are_sent_away_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING", 2)
    analysts = Analysts(read_deployment(data=tmp_path, analysis_processes=1, analysis_wait_s=600))
    told: queue.SimpleQueue[str] = queue.SimpleQueue()

    def ask() -> None:
        try:
            with analysts.folder() as folder:
                told.put(analysts.call("read_document", {"text": "name: a"}, folder)["name"])
        except TransientError as error:
            told.put(error.code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    with module._held(analysts._slots, 0.0):
        for thread in threads:
            thread.start()
        assert [told.get(timeout=60) for _ in range(17)] == ["analysis.busy"] * 17
    for thread in threads:
        thread.join()
    assert [told.get_nowait() for _ in range(3)] == ["a"] * 3, "those who waited had their turn"
    analysts.close()


def test_who_does_the_work_is_not_sent_away_for_those_who_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAITING", 8)
    analysts = Analysts(read_deployment(data=tmp_path, analysis_processes=1, analysis_wait_s=600))
    refused: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wait() -> None:
        try:
            with analysts.alone("work"):
                pass
        except TransientError as error:
            refused.put(error.code)

    threads = [threading.Thread(target=wait) for _ in range(20)]
    with analysts.alone("work") as call, analysts.folder() as folder:
        for thread in threads:
            thread.start()
        taken = {refused.get(timeout=60) for _ in range(12)}  # as many as find no place
        assert taken == {"analysis.busy"}
        assert call("read_document", {"text": "name: a"}, folder)["name"] == "a"
    for thread in threads:
        thread.join()
    assert refused.empty(), "those who waited found it done"
    analysts.close()


def test_a_hostile_file_ends_its_child_only(analysts: Analysts) -> None:
    with analysts.folder() as folder:
        (folder / "files").mkdir()
        (folder / "files" / "a.parquet").write_bytes(b"PAR1" + bytes(200) + b"PAR1")
        with pytest.raises(SourceError):
            analysts.call("parse_files", {"source": {}, "names": ["a.parquet"]}, folder)
        assert analysts.call("read_document", {"text": "name: b"}, folder)["name"] == "b"


def test_folders_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    deployment = read_deployment(data=tmp_path)
    mine, upload = Analysts(deployment), "with analysts.folder() as folder: os.kill(os.getpid(), 9)"
    program = (
        "import os; from kinsynth.service.analysis.analysts import Analysts; "
        "from kinsynth.settings.deployment import read_deployment; from pathlib import Path; "
        f"analysts = Analysts(read_deployment(data=Path({str(tmp_path)!r})))\n{upload}"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -9
    root = tmp_path / "scratch" / "analysis"
    assert any(path.is_dir() for path in root.iterdir()), "it was killed at work"
    with mine.folder() as folder:
        Analysts(deployment).close()
        assert folder.is_dir()
    assert not any(path.is_dir() for path in root.iterdir())
    mine.close()
