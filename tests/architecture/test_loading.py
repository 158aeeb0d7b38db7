"""What is quick stays quick: torch and the table libraries are loaded only where they work."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "polars", "pyarrow", "matplotlib", "scipy", "faiss", "typst", "pandas")
LOADED = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def loaded(code: str) -> set[str]:
    """Names of the packages in memory after some code ran in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


CALL = """
from kinsynth.cli import main
try:
    main({words!r})
except SystemExit as end:
    assert not end.code, end.code
"""


def call(*words: str) -> str:
    """Code that runs a command as the script does."""
    return CALL.format(words=list(words))


@pytest.mark.parametrize(
    "code",
    ["import kinsynth", "import kinsynth.settings.synthesis", call("--help"), call("run", "--help")],
    ids=["import", "settings", "help", "run help"],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    """Importing the package and asking for help loads no heavy library."""
    assert loaded(code) & set(HEAVY) == set()


def test_inspection_and_checks_load_no_torch() -> None:
    """What answers before a run needs tables, no network, no charts."""
    assert loaded("import kinsynth.pipeline.review") & {"torch", "matplotlib", "faiss", "typst"} == set()


@pytest.mark.parametrize(
    "module", ["kinsynth.server.serve", "kinsynth.service.performing.worker", "kinsynth.client"]
)
def test_the_doors_of_the_platform_load_no_data_library(module: str) -> None:
    """API and worker read no file themselves: their children do."""
    assert loaded(f"import {module}") & {"torch", "pyarrow", "polars", "pandas", "numpy"} == set()


def test_analysis_children_load_no_torch() -> None:
    """What looks into files needs tables, no network."""
    assert (
        loaded("import kinsynth.service.analysis.tasks") & {"torch", "matplotlib", "faiss", "typst"} == set()
    )


def test_help_is_quick() -> None:
    """Help appears before one notices; the best of three, since machines are shared."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        loaded(call("--help"))
        times.append(time.perf_counter() - started)
    assert min(times) < 1.5
