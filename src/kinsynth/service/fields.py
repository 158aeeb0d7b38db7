"""Fields that several requests share: texts that any database stores and any screen shows."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from kinsynth.storage.ids import PATTERN

_EMAIL = re.compile(r"[^@\s\"<>(),;:\\\[\]]{1,64}@[^@\s\"<>(),;:\\\[\]]{1,255}")


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an object's id."""
    return PATTERN.fullmatch(text) is not None


def _printable(text: str) -> str:
    """Refuse control characters, and marks that turn the direction of writing."""
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in text):
        raise ValueError("Control characters are not allowed")
    return text


def _lines(text: str) -> str:
    _printable(text.translate({10: None, 9: None}))
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("An address such as name@example.org is expected")
    return _printable(text).lower()


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_printable)]
Note = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_lines)]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320), AfterValidator(_email)
]
Password = Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})]
