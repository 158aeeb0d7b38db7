"""Mapped files: their content is there, their pages go and come back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kinsynth.system.mapping import let_go, map_file

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
