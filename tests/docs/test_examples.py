"""The examples run, as they stand in the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def readme_example() -> str:
    """The Python example of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]


def test_the_readme_shows_the_quickstart() -> None:
    """The example of the README is examples/quickstart.py without its first lines, and short."""
    example = readme_example()
    assert (EXAMPLES / "quickstart.py").read_text(encoding="utf-8").endswith("\n\n" + example)
    assert len([line for line in example.splitlines() if line]) == 5


def test_the_sample_database_is_always_the_same(tmp_path: Path) -> None:
    """Two runs of the script give the same bytes, and every table has rows."""
    for name in ("one", "two"):
        done = run(str(EXAMPLES / "sample_database.py"), name, "120", folder=tmp_path)
        assert done.returncode == 0, done.stderr
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        assert path.read_bytes().count(b"\n") > 8


AFTERWARDS = """
more = kinsynth.load("hospital.model").sample(seed=8)
print(len(tables["patients"]), sorted(more))
"""


@pytest.mark.slow
def test_the_quickstart_runs(tmp_path: Path) -> None:
    """The five lines fit, sample and save; the model on the disk samples again."""
    made = run(str(EXAMPLES / "sample_database.py"), "demo/sample", "150", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    done = run("-c", readme_example() + AFTERWARDS, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(maxsplit=1) == [
        "500",
        "['admissions', 'departments', 'diagnoses', 'lab_results', 'patients']\n",
    ]
