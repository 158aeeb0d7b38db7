"""Scratch folders are private, and gone when their work or their worker is."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import stat
from pathlib import Path

import pytest

from kinsynth.service.scratch import open_scratch, sweep


def test_a_scratch_folder_is_private_and_goes(tmp_path: Path) -> None:
    root = tmp_path / "scratch"
    with open_scratch(root, "exe_1-1") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("a cell of the source")
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(root.stat().st_mode) == 0o700
        assert sweep(root) == 0, "it is in use"
        assert folder.exists()
    assert not folder.exists()


def test_it_goes_also_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), open_scratch(tmp_path, "exe_1-1") as folder:
        raise RuntimeError
    assert not folder.exists()


def _hold(root: str, name: str) -> None:
    with open_scratch(Path(root), name) as folder:
        (folder / "file").write_text("x")
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_folders_of_killed_workers_are_swept(tmp_path: Path) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=_hold, args=(str(tmp_path), f"exe_{number}-1"))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    (tmp_path / "exe_9-1").mkdir()  # one that was killed before it held its folder
    with open_scratch(tmp_path, "exe_3-1") as mine:
        assert sweep(tmp_path) == 3
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [mine]


def test_a_folder_that_cannot_be_removed_yet_is_swept_and_hides_no_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is dying may still write into it."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    def work(folder: Path) -> None:
        (folder / "file").write_text("a cell of the source")
        monkeypatch.setattr(os, "rmdir", refuse)
        raise KeyError

    with pytest.raises(KeyError), open_scratch(tmp_path, "exe_1-1") as folder:
        work(folder)
    monkeypatch.undo()
    assert folder.exists()
    assert sweep(tmp_path) == 1
    assert not folder.exists()
