"""Follows an execution while it runs and shows what it made."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from kinsynth.cli.interruption import Interruption
from kinsynth.cli.progress import show_progress
from kinsynth.errors import Interrupted
from kinsynth.pipeline.timeline import STEPS, Listener, StepName

if TYPE_CHECKING:
    from kinsynth.pipeline.run import Execution

GENERATION: tuple[StepName, ...] = ("synthesis", "storing")


@contextmanager
def follow(
    console: Console, folder: Path, *, steps: tuple[StepName, ...] = STEPS
) -> Iterator[tuple[Listener, Callable[[], bool]]]:
    """Show the events of an execution and listen to Ctrl-C.

    Args:
        console: Where progress is shown.
        folder: The execution's folder, named in the command that takes it up again.
        steps: The steps that will run.

    Returns:
        A listener for events, and the question whether the user asked to stop.

    Raises:
        Interrupted: The user stopped it; the way to take it up again has been shown.
    """
    try:
        with (
            Interruption() as interruption,
            show_progress(console, interruption.requested, steps) as listener,
        ):
            yield listener, interruption.requested
    except Interrupted as stop:
        command = f"kinsynth resume {shlex.quote(str(folder))}"
        raise Interrupted(stop.code, "Stopped.", remedy=f"Take it up again with: {command}") from stop


def show_execution(console: Console, execution: Execution) -> None:
    """Show where the results of an execution are."""
    places = {
        "Tables": execution.tables,
        "Report": execution.report,
        "Timeline": execution.timeline,
        "Certificate": execution.certificate,
    }
    for title, place in places.items():
        if place is not None:
            show_paths(console, title, place if isinstance(place, tuple) else (place,))


def show_paths(console: Console, title: str, paths: tuple[Path, ...]) -> None:
    """Show one path a line, whole and with nothing behind it, so that other programs can read it."""
    for number, path in enumerate(paths):
        heading = "" if number else title
        console.print(Text.assemble((f"{heading:<13}", "bold"), str(path)), soft_wrap=True)
