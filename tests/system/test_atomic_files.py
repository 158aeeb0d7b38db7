"""Writes that are whole or absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kinsynth.errors import UserError
from kinsynth.system import crash
from kinsynth.system.files import commit, read_json, write_atomically, write_json


@pytest.fixture
def trace(monkeypatch):
    """Record what is made durable, and the renames."""
    done = []
    sync, point = os.fsync, crash.point

    def synced(descriptor):
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def passed(name):
        done.append(name)
        point(name)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(crash, "point", passed)
    return done


def test_all_a_folder_holds_is_durable_before_it_gets_its_name(tmp_path, trace):
    folder = tmp_path / "new"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    files = [folder / "a.csv", inner / "b.csv"]
    for file in files:
        file.write_text("x")
    commit(folder, tmp_path / "final")
    before = trace[: trace.index("files.before_rename")]
    assert set(before) == {str(part) for part in (*files, inner, folder)}
    assert trace[-2:] == [str(tmp_path), "files.after_rename"]
    assert (tmp_path / "final" / "inner" / "b.csv").read_text() == "x"


def test_a_file_is_durable_before_it_gets_its_name(tmp_path, trace):
    write_atomically(tmp_path / "folder" / "a.txt", b"new")
    assert len(trace[: trace.index("files.before_rename")]) == 1
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["a.txt"]


def test_equal_documents_are_equal_bytes(tmp_path):
    write_json(tmp_path / "a", {"b": 1, "a": [1.5, "\u00e9"]})
    write_json(tmp_path / "b", {"a": [1.5, "\u00e9"], "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "c", float("nan"))


@pytest.mark.parametrize("content", [b'{"a": 1', b"\xff\xfe", b""])
def test_a_file_that_is_no_json_any_more_is_named(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_json(path)
    assert caught.value.code == "files.damaged"
    assert str(path) in str(caught.value)
