"""Splits a command line into what a command takes and what sets fields of the synthesis document."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinsynth.errors import UserError

if TYPE_CHECKING:
    from kinsynth.pipeline.request import Request

TOP_LEVEL = ("name", "roots")


@dataclass(frozen=True)
class Arguments:
    """A command line, split.

    Attributes:
        command: What the command itself takes, in order.
        settings: Path in the document to the text of its value: ``{"training.max_epochs": "5"}``.
    """

    command: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)


def split_arguments(words: Sequence[str]) -> Arguments:
    """Split the words after ``kinsynth``.

    An option whose name has a dot sets a field, as do ``--name`` and ``--roots``. Its value follows
    after a space or an equals sign. Everything after ``--`` belongs to the command.

    Raises:
        UserError: A field has no value.

    >>> split_arguments(["run", "a.yaml", "--training.max_epochs", "5", "--roots=many"])
    Arguments(command=('run', 'a.yaml'), settings={'training.max_epochs': '5', 'roots': 'many'})
    """
    command: list[str] = []
    settings: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word == "--":
            command += [word, *rest]
            break
        if is_setting(word):
            path, equals, value = word[2:].partition("=")
            settings[path] = value if equals else _next_value(path, rest)
        else:
            command.append(word)
    return Arguments(tuple(command), settings)


def is_setting(word: str) -> bool:
    """Tell whether a word names a field of the document."""
    path = word[2:].partition("=")[0]
    return word.startswith("--") and ("." in path or path in TOP_LEVEL)


def _next_value(path: str, rest: Iterable[str]) -> str:
    value = next(iter(rest), None)
    if value is None or value.startswith("--"):
        raise UserError(
            "command.value_missing",
            "The option has no value.",
            where=f"--{path}",
            remedy=f"Write --{path} VALUE or --{path}=VALUE.",
        )
    return value


def read_rows(counts: Sequence[str]) -> dict[str, int]:
    """Read ``TABLE=N`` pairs.

    Raises:
        UserError: One is not a table name, an equals sign and a whole number.

    >>> read_rows(["players=100", "teams=1_000"])
    {'players': 100, 'teams': 1000}
    """
    rows = {}
    for count in counts:
        table, equals, number = count.rpartition("=")
        digits = number.replace("_", "").replace(",", "")
        if not equals or not table or not (digits.isascii() and digits.isdigit()):
            raise UserError(
                "command.rows",
                "A table name, an equals sign and a whole number are expected.",
                where=f"--rows {count}",
                remedy="Write for example --rows customers=1000; repeat it for further root tables.",
            )
        rows[table] = int(digits)
    return rows


def read_given(words: Sequence[str]) -> list[tuple[str, Path]]:
    """Read ``FILE`` or ``TABLE=FILE``; a file whose name has an equals sign goes before a table.

    >>> read_given(["known.csv", "people=new/known.csv"])
    [('', PosixPath('known.csv')), ('people', PosixPath('new/known.csv'))]
    """
    pairs = []
    for word in words:
        table, equals, file = word.partition("=")
        named = equals and table and file and not Path(word).exists()
        pairs.append((table, Path(file)) if named else ("", Path(word)))
    return pairs


def read_pairs(words: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Read ``COLUMN=VALUE`` pairs; the first equals sign divides.

    Raises:
        UserError: There is no equals sign, or no column.

    >>> read_pairs(["income=>50K"], "--fix")
    [('income', '>50K')]
    """
    pairs = []
    for word in words:
        column, equals, value = word.partition("=")
        if not equals or not column:
            raise _no_pair(option, "COLUMN=VALUE")
        pairs.append((column, value))
    return pairs


def read_shares(words: Sequence[str], option: str) -> list[tuple[str, str, float]]:
    """Read ``COLUMN=VALUE:SHARE``; the first equals sign and the last colon divide.

    Raises:
        UserError: One is not of this form.

    >>> read_shares(["income=>50K:0.5", "hour=12:30:0.1"], "--balance")
    [('income', '>50K', 0.5), ('hour', '12:30', 0.1)]
    """
    shares = []
    for column, rest in read_pairs(words, option):
        value, colon, share = rest.rpartition(":")
        try:
            shares.append((column, value, float(share) if colon else math.nan))
        except ValueError:
            raise _no_pair(option, "COLUMN=VALUE:SHARE") from None
        if not math.isfinite(shares[-1][2]):
            raise _no_pair(option, "COLUMN=VALUE:SHARE")
    return shares


_OPTIONS = {"fixed": "fix", "shares": "balance"}  # by field, where the words are others


def make_request(**said: Any) -> Request:
    """Make what a drawing is asked of what the options said, by field.

    Raises:
        UserError: ``command.usage``, a name or value is empty, too long or no number, or there are too many.
    """
    from pydantic import ValidationError

    from kinsynth.pipeline.request import Request

    try:
        return Request.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = str(first["loc"][0])
        raise UserError(
            "command.usage",
            f"{first['msg']}.",
            where="--" + _OPTIONS.get(field, field).replace("_", "-"),
            remedy="Correct the option.",
        ) from None


def _no_pair(option: str, form: str) -> UserError:
    return UserError(
        "command.pair",
        f"{form} is expected.",
        where=option,
        remedy="Put it in quotes where the shell would read a sign of it.",
    )
