"""The places of the results are plain lines."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from kinsynth.cli.execution import show_execution
from kinsynth.pipeline.run import Execution


def test_paths_are_whole_and_end_their_lines() -> None:
    """A narrow output breaks no path, and puts no spaces behind one."""
    folder = Path("a folder with a name that is longer than the line")
    tables = (folder / "a.csv", folder / "another.csv")
    words = io.StringIO()
    show_execution(
        Console(file=words, width=30),
        Execution(
            folder, tables, folder / "report.pdf", folder / "events.jsonl", folder / "certificate.json"
        ),
    )
    assert words.getvalue().splitlines() == [
        f"Tables       {tables[0]}",
        f"             {tables[1]}",
        f"Report       {folder / 'report.pdf'}",
        f"Timeline     {folder / 'events.jsonl'}",
        f"Certificate  {folder / 'certificate.json'}",
    ]
