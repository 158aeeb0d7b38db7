"""A small sample database and a way to call the program as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CALL = [sys.executable, "-c", "from kinsynth.cli import main; main()"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        code: Exit code.
        out: What stood on the output.
        err: What stood on the error output.
    """

    code: int
    out: str
    err: str


Call = Callable[..., Ended]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample database of a few patients and its document."""
    folder = tmp_path_factory.mktemp("hospital")
    script = ROOT / "examples" / "sample_database.py"
    subprocess.run(
        [sys.executable, str(script), str(folder / "sample"), "150"], check=True, capture_output=True
    )
    document = (ROOT / "examples" / "sample.yaml").read_text(encoding="utf-8")
    (folder / "sample.yaml").write_text(document, encoding="utf-8")
    return folder


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Call ``kinsynth`` in a temporary folder."""

    def run(*words: str | Path) -> Ended:
        done = subprocess.run(
            [*CALL, *map(str, words)],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start ``kinsynth`` in a temporary folder without waiting for its end."""

    def run(*words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*CALL, *map(str, words)],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run
