"""The log holds fields, in one line each, and no text that somebody else filled."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from kinsynth.system.logs import set_up_logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_a_line_is_a_document_with_a_time_first() -> None:
    out = io.StringIO()
    set_up_logs("json", "info", stream=out)
    structlog.get_logger("kinsynth.worker").info("claimed", execution="exe_a", text="two\nlines \x1b[31m")
    structlog.get_logger("kinsynth.worker").debug("not shown")
    (line,) = out.getvalue().splitlines()
    found = json.loads(line)
    assert list(found)[:4] == ["time", "level", "logger", "event"]
    assert found["time"].endswith("Z")
    assert (found["level"], found["logger"], found["execution"]) == ("info", "kinsynth.worker", "exe_a")
    assert "\x1b" not in line


def test_text_cannot_forge_a_line() -> None:
    out = io.StringIO()
    set_up_logs("text", "debug", stream=out)
    structlog.get_logger().warning("a\nb", name="x\n2026 info forged")
    assert len(out.getvalue().splitlines()) == 1


def test_libraries_are_logged_without_what_they_filled_in() -> None:
    out = io.StringIO()
    set_up_logs("json", "info", stream=out)
    secret = "hunter2"
    logging.getLogger("driver").warning("login of %s failed", secret)
    logging.getLogger("driver").warning(f"login of {secret} failed")  # noqa: G004
    logging.getLogger("driver").info("quiet")
    try:
        int(secret)
    except ValueError:
        logging.getLogger("driver").exception("failed with %s", secret)
    text = out.getvalue()
    assert secret not in text
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert first["message"] == "login of %s failed"
    assert second["message"].startswith("test_logs:")
    assert third["exception"] == "ValueError"
