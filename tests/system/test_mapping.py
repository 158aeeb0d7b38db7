"""Mapped files: their content is there, their pages go and come back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kinsynth.system.mapping import allocate_in, let_go, map_file

SIZE = 64 << 20


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no RssFile")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_touched_pages_are_let_go_and_come_back_the_same(tmp_path):
    content = np.random.default_rng(0).integers(0, 256, SIZE, dtype=np.uint8)
    (tmp_path / "large").write_bytes(content.data)
    mapped = np.frombuffer(map_file(tmp_path / "large"), np.uint8)
    before = resident_mb()
    total = int(mapped.sum(dtype=np.int64))
    touched = resident_mb()
    assert touched - before > SIZE / 2**20 / 2
    let_go()
    assert resident_mb() - before < SIZE / 2**20 / 4
    assert total == int(content.sum(dtype=np.int64)) == int(mapped.sum(dtype=np.int64))


def test_a_map_outlives_its_name(tmp_path):
    (tmp_path / "small").write_bytes(b"content")
    mapped = map_file(tmp_path / "small")
    (tmp_path / "small").unlink()
    let_go()
    assert mapped[:] == b"content"


def test_arrays_in_files_begin_with_zeros_and_keep_what_is_written(tmp_path):
    allocate = allocate_in(tmp_path / "arrays")
    array, empty = allocate((5, 3), np.dtype(np.uint16)), allocate((0, 3), np.dtype(np.int64))
    assert array.shape == (5, 3)
    assert array.dtype == np.uint16
    assert not array.any()
    assert empty.shape == (0, 3)
    array[2] = [7, 8, 65_535]
    let_go()
    assert array.tolist()[1:3] == [[0, 0, 0], [7, 8, 65_535]]
    assert not list((tmp_path / "arrays").iterdir()), "no file has a name"
