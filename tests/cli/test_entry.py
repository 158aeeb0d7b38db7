"""The entry point: Ctrl-C while the program is still being imported."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from kinsynth import cli
from kinsynth.cli import program

INTERRUPT_AN_IMPORT = """
import os, signal, sys
from kinsynth.cli import main

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
main(["check", "nowhere.yaml"])
"""


@pytest.mark.parametrize(
    "name", ["kinsynth.cli.program", "rich", "typer", "kinsynth.cli.commands", "kinsynth.pipeline.review"]
)
def test_ctrl_c_during_the_imports_is_silent(name: str) -> None:
    """Wherever it comes, the end is 130 and nothing is said."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT_AN_IMPORT, name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_signals_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program started to ignore Ctrl-C, as in the background of a script, goes on to ignore it."""
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    found = []
    monkeypatch.setattr(program, "run", lambda _: found.append(signal.getsignal(signal.SIGINT)))
    try:
        cli.main([])
    finally:
        signal.signal(signal.SIGINT, usual)
    assert found == [signal.SIG_IGN]
