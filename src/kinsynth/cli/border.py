"""The border to the shell: every ending becomes an exit code and, if something went wrong, a clear line."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.text import Text

from kinsynth.cli.findings import show_findings
from kinsynth.errors import KinsynthError
from kinsynth.system.failures import explain

GOOD, OURS, INTERRUPTED = 0, 70, 130


class Border:
    """Turns whatever leaves the block into an exit.

    An error raised on purpose is shown in full. Any other is one line with its class, what is kept, and the
    file that holds the calls that led there: frames only, since messages and variables might hold cells of
    the source.

    Args:
        console: Where errors are shown.
        trace_folder: Where the calls of an unexpected error are written; None for the temporary folder.
    """

    def __init__(self, console: Console, *, trace_folder: Path | None = None) -> None:
        self._console = console
        self.trace_folder = trace_folder

    def __enter__(self) -> Border:
        """Begin the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the block with an exit code."""
        ours = error if isinstance(error, KinsynthError) else explain(error)
        if ours is not None:
            show_error(self._console, ours)
            raise SystemExit(ours.exit_code) from None
        if isinstance(error, BrokenPipeError):
            _close_output()
            raise SystemExit(GOOD) from None
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(INTERRUPTED) from None
        if isinstance(error, Exception):
            path = write_trace(error, self.trace_folder)
            self._say(
                f"Something went wrong inside kinsynth: {type(error).__name__}. {self._way_on()}Please "
                f"report it with the calls, which hold no value of your data: {path}"
            )
            raise SystemExit(OURS) from None

    def _way_on(self) -> str:
        """Say what is kept, and how to go on."""
        folder = self.trace_folder
        if folder is None or not (folder / "events.jsonl").is_file():
            return "Your data is as it was. "
        command = f"kinsynth resume {shlex.quote(str(folder))}"
        return f"Your data is as it was, and finished steps are kept: {command} tries the rest again. "

    def _say(self, line: str) -> None:
        self._console.print(Text(line, style="red"), soft_wrap=True)


def show_error(console: Console, error: KinsynthError) -> None:
    """Show an error raised on purpose: its findings when it has some, else its own line."""
    if error.findings:
        show_findings(console, error.findings)
    else:
        console.print(
            Text(str(error), style="yellow" if error.exit_code == INTERRUPTED else "red"), soft_wrap=True
        )


def write_trace(error: BaseException, folder: Path | None) -> Path:
    """Write the calls that led to an error, without its message and without any value.

    Args:
        error: What was raised.
        folder: Where the file is written; None, or a folder that does not take it, for the temporary folder.
    """
    content = "\n".join(_describe_chain(error)) + "\n"
    if folder is not None and folder.is_dir():
        path = folder / "trace.txt"
        with contextlib.suppress(OSError):
            path.write_text(content, encoding="utf-8")
            return path
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="kinsynth-trace-", suffix=".txt", delete=False
    ) as handle:
        handle.write(content)
        return Path(handle.name)


def _describe_chain(error: BaseException) -> Iterator[str]:
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield f"{type(current).__module__}.{type(current).__qualname__}"
        for frame, line in traceback.walk_tb(current.__traceback__):
            yield f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
        current = current.__cause__ or current.__context__


def _close_output() -> None:
    """Point the output to nowhere, so that the interpreter's last flush does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
