"""The page of the platform shows the changes of status that the package allows, and no other."""

from __future__ import annotations

from pathlib import Path

from kinsynth.executions.state import ALLOWED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "platform.md"


def shown_pairs() -> list[tuple[str, str]]:
    text = PAGE.read_text(encoding="utf-8").partition("## States of an execution")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    return [
        (before.strip(), after.strip())
        for row in rows
        for before in row[0].split(",")
        for after in row[1].split(",")
    ]


def test_the_states_are_shown_as_they_are() -> None:
    allowed = [(before, after) for before, to in ALLOWED.items() for after in to]
    assert sorted(shown_pairs()) == sorted(allowed)
