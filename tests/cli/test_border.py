"""Every ending becomes the right exit code, and no value of the source comes out."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from rich.console import Console

from kinsynth.cli.border import Border, write_trace
from kinsynth.errors import (
    Finding,
    InternalError,
    Interrupted,
    KinsynthError,
    OutOfMemory,
    SettingsError,
    SourceError,
)

SECRET = "Maria Rossi"


def leave(error: BaseException, folder: Path | None = None) -> tuple[object, str]:
    """Exit code and words for an error that leaves the block."""
    words = io.StringIO()
    with pytest.raises(SystemExit) as ended, Border(Console(file=words, width=100), trace_folder=folder):
        raise error
    return ended.value.code, words.getvalue()


@pytest.mark.parametrize(
    ("kind", "code"),
    [(SettingsError, 2), (SourceError, 2), (OutOfMemory, 75), (Interrupted, 130), (InternalError, 70)],
)
def test_errors_raised_on_purpose(kind: type[KinsynthError], code: int) -> None:
    """Each kind has its exit code; where, message, remedy and code are shown."""
    error = kind("area.cause", "Three rows are wrong.", where="a.b[0]", remedy="Repair them.")
    assert leave(error) == (code, "a.b[0]: Three rows are wrong. Repair them. [area.cause]\n")


def test_findings_are_all_shown() -> None:
    """An error with findings shows each of them under its step."""
    findings = [
        Finding("roots.many", "error", "tables", "Two root tables.", "Write roots: many.", "foreign_keys"),
        Finding("data.too_few_rows", "warning", "a", "Nine rows.", "Add rows.", "data"),
    ]
    code, words = leave(SettingsError("settings.invalid", "Several.", findings=findings))
    assert code == 2
    assert [
        word in words for word in ("Foreign keys", "[roots.many]", "Choose data", "1 error, 1 warning")
    ] == [True] * 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "nowhere.csv"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "x.csv"), 2),
        (OSError(errno.ENOSPC, "No space left on device", "x.csv"), 75),
        (OSError(errno.ENOSPC, "No space left on device"), 75),
        (MemoryError(), 75),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_the_world_does(error: BaseException, code: int) -> None:
    """A missing file is the user's to repair, missing memory may pass, Ctrl-C is no fault."""
    found, words = leave(error)
    assert found == code
    assert "Traceback" not in words
    assert getattr(error, "filename", None) is None or error.filename in words


def test_an_unexpected_error_is_one_line_without_its_message(tmp_path: Path) -> None:
    """The message might hold a cell: neither the terminal nor the file shows it."""
    code, words = leave(RuntimeError(f"cannot convert {SECRET}"), tmp_path)
    assert code == 70
    assert words.count("\n") == 1
    assert "RuntimeError" in words
    trace = (tmp_path / "trace.txt").read_text(encoding="utf-8")
    assert SECRET not in words + trace
    assert "test_border.py" in trace


def test_an_unexpected_error_says_what_is_kept_and_how_to_go_on(tmp_path: Path) -> None:
    """Only an execution that has begun can be taken up again."""
    assert "resume" not in leave(RuntimeError("x"))[1]
    assert "resume" not in leave(RuntimeError("x"), tmp_path)[1]
    folder = tmp_path / "my run"
    folder.mkdir()
    (folder / "events.jsonl").touch()
    words = leave(RuntimeError("x"), folder)[1]
    assert f"finished steps are kept: kinsynth resume '{folder}'" in words
    assert words.endswith(f"{folder / 'trace.txt'}\n")


def test_the_trace_shows_causes_and_no_values(tmp_path: Path) -> None:
    """Each cause is there with its frames; messages and variables are not."""

    def convert(cell: str) -> float:
        return float(cell)

    try:
        try:
            convert(SECRET)
        except ValueError as cause:
            raise RuntimeError("wrapped") from cause
    except RuntimeError as error:
        content = write_trace(error, tmp_path).read_text(encoding="utf-8")
    assert "builtins.RuntimeError" in content
    assert "builtins.ValueError" in content
    assert "convert" in content
    assert SECRET not in content


def test_the_trace_finds_a_place_when_the_folder_is_missing(tmp_path: Path) -> None:
    """Without a folder it goes to the temporary one."""
    path = write_trace(RuntimeError("x"), tmp_path / "nowhere")
    try:
        assert path.read_text(encoding="utf-8").startswith("builtins.RuntimeError")
    finally:
        path.unlink()


def test_a_good_end_passes() -> None:
    """Nothing happens without an error."""
    with Border(Console(file=io.StringIO())):
        pass
