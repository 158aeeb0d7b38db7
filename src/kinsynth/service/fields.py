"""Fields that several requests share: texts that any database stores and any screen shows."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from kinsynth.storage.ids import PATTERN

# Control characters, line separators, and marks that turn the direction of writing; joiners stay.
_ODD = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_NAME_OF_MAIL = r"[^@\s\x22<>(),;:\x5c\x5b\x5d" + _ODD + "]"
_EMAIL = f"^ *{_NAME_OF_MAIL}{{1,64}}@{_NAME_OF_MAIL}{{1,255}} *$"
_stripped = AfterValidator(str.strip)  # last: bounds are those of the document, which knows no stripping

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=rf"^[^{_ODD}]*[^\s{_ODD}][^{_ODD}]*$"),
    _stripped,
]
Short = Annotated[str, StringConstraints(max_length=200, pattern=rf"^[^{_ODD}]*$"), _stripped]
Note = Annotated[str, StringConstraints(max_length=4000, pattern=rf"^([^{_ODD}]|[\n\t])*$")]
Email = Annotated[
    str, StringConstraints(max_length=320, pattern=_EMAIL), _stripped, AfterValidator(str.lower)
]
Password = Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})]
ChosenPassword = Annotated[  # refused by passwords.check_password, whose words say more
    str, Field(max_length=1000, json_schema_extra={"format": "password", "minLength": 12, "maxLength": 200})
]


def require_number(value: object) -> object:
    """Refuse a text or a boolean where pydantic takes it for an integer; 1.0 is one, as in JSON Schema."""
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


no_text = BeforeValidator(require_number)  # the last of an annotation: bounds before it stay in the document


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an object's id."""
    return PATTERN.fullmatch(text) is not None
