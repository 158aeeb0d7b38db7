"""What every settings class shares: frozen, closed to unknown fields, silent about its inputs in errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A part of the synthesis document."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=False,
        validate_default=True,
        allow_inf_nan=False,
        ser_json_inf_nan="strings",
    )


def setting(
    default: Any,
    title: str,
    description: str,
    *,
    available: bool = True,
    available_values: tuple[Any, ...] | None = None,
    types: tuple[str, ...] | None = None,
    **bounds: Any,
) -> Any:
    """Define one field of the document: the single place of its default, words and bounds.

    Args:
        default: Value when the user says nothing. A callable makes a new value each time.
        title: A few words, for forms and tables.
        description: One or two sentences, with the unit of a quantity.
        available: False for a field whose feature is not built yet: any other value than the
            default is refused by the check ``settings.not_available``.
        available_values: The values whose feature is built, when not all are.
        types: Column types the field applies to; None for all.
        **bounds: Limits as pydantic's ``Field`` takes them (``ge``, ``gt``, ``le``, ``lt``).
    """
    extra: dict[str, Any] = {}
    if not available:
        extra["available"] = False
    if available_values is not None:
        extra["available_values"] = list(available_values)
    if types is not None:
        extra["types"] = list(types)
    source = {"default_factory": default} if callable(default) else {"default": default}
    return Field(title=title, description=description, json_schema_extra=extra or None, **source, **bounds)
