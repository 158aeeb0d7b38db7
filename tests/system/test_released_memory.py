"""Freed memory leaves the process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kinsynth.system.memory import release


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of Linux keeps freed memory")
def test_memory_between_kept_pieces_is_given_back() -> None:
    pieces = [bytearray(100_000) for _ in range(2_000)]
    kept = pieces[::50]
    del pieces
    before = resident_bytes()
    release()
    assert len(kept) == 40
    assert before - resident_bytes() > 100_000_000
