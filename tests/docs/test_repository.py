"""What must not stand in the repository does not, and what must is in order."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MADE = {".git", ".venv", "__pycache__", "dist", "build", "demo", "out", ".hypothesis", "results"}
MADE |= {"node_modules", "static"}
SCRIPTS = [*sorted(path for path in (ROOT / "scripts").iterdir() if not path.suffix), ROOT / ".ci" / "run"]

# Written in pieces, so that this file does not hold what it looks for.
HOSTS = ("pypi" + r"\.org", "python" + "hosted", "download" + r"\.pytorch", "conda" + r"\.anaconda")
FOLDERS = r"(?<![\w.~*-])/(?:" + "work|root|tmp|home" + r")/\w"
WORDS = r"(?i)\b(?:sub" + "-?agents?|anth" + "ropic|clau" + "de|chat" + r"gpt)\b"


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the repository with its content."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not any(part in MADE or part.endswith("_cache") for part in parts):
            content = path.read_bytes()
            if b"\x00" not in content[:4096] and not path.name.startswith(".coverage"):
                yield path.relative_to(ROOT).as_posix(), content.decode("utf-8", errors="replace")


@pytest.mark.parametrize(
    "pattern",
    [*HOSTS, FOLDERS, WORDS],
    ids=[*(f"host {number}" for number in range(len(HOSTS))), "folder", "word"],
)
def test_nothing_of_one_machine(pattern: str) -> None:
    """No host of a package registry, no folder of one machine, no word about how it was made."""
    assert [name for name, text in texts() if re.search(pattern, text)] == []


def test_lock_is_exact() -> None:
    """Every package is pinned to one version; torch without hash and without a build suffix."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", pin)] == []
    assert "torch==2.13.0" in pins


def test_lock_holds_every_dependency() -> None:
    """What pyproject.toml names is in the lock."""
    named = set(re.findall(r'^ *"([A-Za-z][\w.-]*)(?:[=<>][^"]*)?",?$', dependencies(), re.MULTILINE))
    named |= set(re.findall(r'"([A-Za-z][\w.-]*)"', dependencies().split("dev = [")[1]))
    pinned = {
        re.sub(r"[-_.]+", "-", line.split("==")[0]).lower()
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert {re.sub(r"[-_.]+", "-", one).lower() for one in named} - pinned == set()


def dependencies() -> str:
    """The lines of pyproject.toml that name dependencies."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return text.split("dependencies = [", 1)[1].split("[project.scripts]")[0]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_in_order(script: Path) -> None:
    """Each script may be run, stops at the first error and says in its head what it does."""
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "\nset -euo pipefail\n" in text
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_sample_document_names_the_sample_database() -> None:
    """The tables of the example's document are those its script makes."""
    document = yaml.safe_load((ROOT / "examples" / "sample.yaml").read_text(encoding="utf-8"))
    script = (ROOT / "examples" / "sample_database.py").read_text(encoding="utf-8")
    assert all(f'"{table}": (' in script for table in document["tables"])
