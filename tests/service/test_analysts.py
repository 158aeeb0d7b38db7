"""Analysts: so many at a time, the rest wait or are sent away; nothing is left behind."""

from __future__ import annotations

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


def test_more_than_may_wait_are_sent_away_at_once(analysts: Analysts) -> None:
    with analysts.folder() as folder, module._held(analysts._slots, 0.0):
        refused: list[float] = []

        def ask() -> None:
            begun = time.monotonic()
            with pytest.raises(TransientError):
                analysts.call("read_document", {"text": ""}, folder)
            refused.append(time.monotonic() - begun)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(seconds < 0.1 for seconds in refused) >= 20 - 9 - 2
        assert len(refused) == 20


def test_who_does_the_work_is_not_sent_away_for_those_who_wait_for_it(analysts: Analysts) -> None:
    refused: list[str] = []

    def wait() -> None:
        try:
            with analysts.alone("work"):
                pass
        except TransientError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=wait) for _ in range(20)]
    with analysts.alone("work") as call, analysts.folder() as folder:
        for thread in threads:
            thread.start()
        while len(refused) < 20 - 8:  # all places are taken now
            time.sleep(0.01)
        assert call("read_document", {"text": "name: a"}, folder)["name"] == "a"
    for thread in threads:
        thread.join()


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
