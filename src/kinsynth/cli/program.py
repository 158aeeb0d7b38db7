"""The program ``kinsynth``: splits the command line and runs a command inside the border."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from typer.exceptions import TyperException

from kinsynth.cli import commands, installation, remote_commands
from kinsynth.cli.arguments import split_arguments
from kinsynth.cli.border import Border
from kinsynth.cli.commands import Invocation
from kinsynth.errors import UserError

COMMANDS = (commands, installation, remote_commands)  # each adds its commands to the app
app = commands.app


def run(words: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code.

    Args:
        words: The words after the program's name; None for those of this process.
    """
    with Border(Console(stderr=True)) as border:
        arguments = split_arguments(sys.argv[1:] if words is None else words)
        invocation = Invocation(settings=arguments.settings, border=border)
        if not arguments.command:
            app(args=[], prog_name="kinsynth", obj=invocation)  # shows the help
        try:
            code = app(
                args=list(arguments.command), prog_name="kinsynth", obj=invocation, standalone_mode=False
            )
        except TyperException as error:
            raise _usage_error(error) from None
        raise SystemExit(code or 0)


def _usage_error(error: TyperException) -> UserError:
    """Give words that do not fit a command a code, as every other error has."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "kinsynth"
    message = " ".join(error.format_message().split()).rstrip(".")
    return UserError(
        "command.usage", f"{message}.", where=command, remedy=f"{command} --help shows what is expected."
    )
