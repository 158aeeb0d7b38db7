"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("kinsynth", deadline=None)  # how long an example takes says more about the machine
settings.load_profile("kinsynth")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with real data sets; tests that need it are skipped, and say so, where it is missing."""
    root = Path(os.environ.get("KINSYNTH_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"real data sets not found at {root}; set KINSYNTH_DATA")
    return root
