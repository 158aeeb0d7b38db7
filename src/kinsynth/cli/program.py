"""The program ``kinsynth``: splits the command line and runs a command inside the border."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console

from kinsynth.cli.arguments import split_arguments
from kinsynth.cli.border import Border
from kinsynth.cli.commands import Invocation, app


def run(words: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code.

    Args:
        words: The words after the program's name; None for those of this process.
    """
    with Border(Console(stderr=True)) as border:
        arguments = split_arguments(sys.argv[1:] if words is None else words)
        invocation = Invocation(settings=arguments.settings, border=border)
        app(args=list(arguments.command), prog_name="kinsynth", obj=invocation)
