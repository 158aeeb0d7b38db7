"""What every settings class shares: frozen, closed to unknown fields, silent about its inputs in errors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kinsynth.settings.visibility import Rule

Unit = Literal[
    "batches",
    "bytes",
    "cells",
    "characters",
    "columns",
    "degrees",
    "digits",
    "epochs",
    "root rows",
    "rows",
    "seconds",
    "share",
    "steps",
    "subjects",
    "texts",
    "threads",
    "validations",
]


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
    unit: Unit | None = None,
    advanced: bool = False,
    visible_when: Rule | None = None,
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
        unit: What a quantity is counted in; ``share`` is a part of one, 0 to 1.
        advanced: Whether forms keep the field, or the part, among those that few need.
        visible_when: When forms show it; None for always.
        **bounds: Limits as pydantic's ``Field`` takes them (``ge``, ``gt``, ``le``, ``lt``).
    """
    facts = {
        "available": None if available else False,
        "available_values": None if available_values is None else list(available_values),
        "types": None if types is None else list(types),
        "unit": unit,
        "advanced": advanced or None,
        "visible_when": visible_when,
    }
    extra: dict[str, Any] = {name: fact for name, fact in facts.items() if fact is not None}
    source = {"default_factory": default} if callable(default) else {"default": default}
    return Field(title=title, description=description, json_schema_extra=extra or None, **source, **bounds)
