"""The log: a line for each fact, fields by name; no text of an exception, no filled text of a library."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import structlog

Format = Literal["json", "text"]
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_FIRST = ("time", "level", "logger", "event")


def set_up_logs(form: Format, level: str, *, stream: TextIO | None = None) -> None:
    """Send what this process logs to standard error.

    Args:
        form: ``json``, a document a line; ``text``, for reading.
        level: The least that is logged: ``debug``, ``info``, ``warning`` or ``error``.
        stream: Where to, instead of standard error.

    Guarantees:
        A line is one line, whatever is in its fields. Of libraries only warnings and errors are logged, as
        the unfilled text of their message and the class of an exception: what they fill in may be a value.
    """
    out = stream or sys.stderr
    structlog.configure(
        processors=[_name, _stamp, _Writer(form)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *names: _Logger(names[0] if names else "kinsynth", out),
        cache_logger_on_first_use=False,
    )
    handler = _Libraries()
    handler.setLevel(max(_LEVELS[level], logging.WARNING))
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.WARNING
    logging.captureWarnings(True)


class _Logger:
    """Writes finished lines."""

    def __init__(self, name: str, out: TextIO) -> None:
        self.name, self._out = name, out

    def msg(self, line: str) -> None:
        """Write one line."""
        self._out.write(line + "\n")
        self._out.flush()

    debug = info = warning = error = msg


def _name(logger: _Logger, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fields.setdefault("logger", logger.name)
    fields["level"] = method
    return fields


def _stamp(_logger: _Logger, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fields["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return fields


class _Writer:
    """Makes the line."""

    def __init__(self, form: Format) -> None:
        self._form = form

    def __call__(self, _logger: _Logger, _method: str, fields: Mapping[str, Any]) -> str:
        ordered = {name: fields[name] for name in _FIRST} | {
            name: value for name, value in fields.items() if name not in _FIRST
        }
        if self._form == "json":
            return json.dumps(ordered, default=str)
        rest = (
            f"{name}={json.dumps(value, default=str)}" for name, value in [*ordered.items()][len(_FIRST) :]
        )
        return " ".join((ordered["time"], ordered["level"], json.dumps(ordered["event"])[1:-1], *rest))


class _Libraries(logging.Handler):
    """Brings warnings and errors of libraries into the log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one message of a library."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        # A message without arguments may have been filled before: only its place is told.
        message = str(record.msg) if record.args else f"{record.module}:{record.lineno}"
        structlog.get_logger(record.name).log(
            record.levelno, "library", message=message, **({"exception": kind} if kind else {})
        )
