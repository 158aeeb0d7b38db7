"""What a measured process costs is its own, whatever started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import comparison.worker

HELD = 300 << 20
PARENT = f"""
import subprocess, sys
held = bytearray(b"x") * {HELD}
print(subprocess.run([sys.executable, "-c", sys.argv[1]], capture_output=True, check=True, text=True).stdout)
"""


def test_peak_memory_leaves_out_what_the_parent_held() -> None:
    place = Path(comparison.worker.__file__).parents[1]
    child = f"import sys; sys.path.insert(0, {str(place)!r})"
    child += "\nfrom comparison.worker import peak_mb; print(peak_mb())"
    told = subprocess.run([sys.executable, "-c", PARENT, child], capture_output=True, check=True, text=True)
    assert int(told.stdout) < 100 < HELD >> 20
