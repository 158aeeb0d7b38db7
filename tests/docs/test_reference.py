"""The generated reference is fresh and complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from kinsynth.cli.program import app
from kinsynth.settings.deployment import Deployment
from kinsynth.settings.fields import fields

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def test_pages_are_fresh() -> None:
    """The pages are what the code gives now."""
    script = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_field_is_documented() -> None:
    """Each field of the document but its version has a line with its words."""
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    missing = [
        field.path for field in fields() if field.path != "version" and f"| `{field.path}` |" not in page
    ]
    assert missing == []


def test_every_field_is_in_the_help() -> None:
    """``kinsynth run --help`` lists each field as an option, whatever the width of the terminal."""
    script = [sys.executable, "-c", "from kinsynth.cli import main; main(['run', '--help'])"]
    done = subprocess.run(script, capture_output=True, text=True, check=True, env={"COLUMNS": "240"})
    missing = [
        field.path for field in fields() if field.path != "version" and f"--{field.path} " not in done.stdout
    ]
    assert missing == []


def test_every_command_is_documented() -> None:
    """Each command has a part with each of its options."""
    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    for command, parts in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        section = page.split(f"## kinsynth {command}\n")[1].split("\n## ")[0]
        assert all(
            f"`{name}" in section for part in parts.params for name in part.opts if name.startswith("--")
        )


def test_every_setting_of_an_installation_is_documented() -> None:
    """Each environment variable has a line, a title and a sentence."""
    page = (REFERENCE / "deployment.md").read_text(encoding="utf-8")
    for name, field in Deployment.model_fields.items():
        assert f"| `KINSYNTH_{name.upper()}` | **{field.title}.** " in page
        assert field.title
        assert (field.description or "").endswith(".")
