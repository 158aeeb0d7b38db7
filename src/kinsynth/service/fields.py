"""Fields that several requests share: texts that any database stores and any screen shows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from kinsynth.storage.ids import PATTERN

# Control characters, line separators, and marks that turn the direction of writing; joiners stay.
_ODD = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_NAME_OF_MAIL = r"[^@\s\x22<>(),;:\x5c\x5b\x5d" + _ODD + "]"
_EMAIL = f"^{_NAME_OF_MAIL}{{1,64}}@{_NAME_OF_MAIL}{{1,255}}$"

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=rf"^[^{_ODD}]*[^\s{_ODD}][^{_ODD}]*$"
    ),
]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=rf"^[^{_ODD}]*$")]
Note = Annotated[str, StringConstraints(max_length=4000, pattern=rf"^([^{_ODD}]|[\n\t])*$")]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=320, pattern=_EMAIL)
]
Password = Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})]
ChosenPassword = Annotated[  # refused by passwords.check_password, whose words say more
    str, Field(max_length=1000, json_schema_extra={"format": "password", "minLength": 12, "maxLength": 200})
]


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an object's id."""
    return PATTERN.fullmatch(text) is not None
