"""Every field of the synthesis document with its words and bounds, for command line, docs and checks."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kinsynth.errors import SettingsError
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.visibility import Rule

Place = tuple[str, ...]

_BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length")
_OR_NULL = ", or null"
_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    SecretStr: "secret text",
}
_PLACES = {
    "tables": "<table>",
    "columns": "<column>",
    "foreign_keys": "<number>",
    "rules": "<number>",
    "rows": "<table>",
}


@dataclass(frozen=True)
class Field:
    """One field a user may write.

    Attributes:
        path: Place in the document, with ``<table>``, ``<column>`` and ``<number>`` where the user's own
            names stand: ``tables.<table>.columns.<column>.missing``.
        type: What the field takes, in words.
        annotation: The Python type, for parsing.
        default: Value when the user says nothing.
        title: A few words.
        description: One or two sentences, with the unit of a quantity.
        bounds: Limits by pydantic's names: ``ge``, ``gt``, ``le``, ``lt``, ``min_length``, ``max_length``.
        available: Whether the feature is built; otherwise only the default is accepted.
        available_values: The values whose feature is built, or None for all.
        types: The column types the field applies to, or None for all.
        unit: What a quantity is counted in, or None for pure numbers and everything else.
        advanced: Whether forms keep it among the fields that few need; so is all of an advanced part.
        visible_when: When forms show it, or None for always; its part must be shown, too.
    """

    path: str
    type: str
    annotation: Any
    default: Any
    title: str
    description: str
    bounds: Mapping[str, Any]
    available: bool
    available_values: tuple[Any, ...] | None
    types: tuple[str, ...] | None
    unit: str | None
    advanced: bool
    visible_when: Rule | None

    @property
    def name(self) -> str:
        """Last word of the path."""
        return self.path.rpartition(".")[2]

    @property
    def expected(self) -> str:
        """What is accepted, with its bounds, in words."""
        optional = self.type.endswith(_OR_NULL)
        words = (self.type.removesuffix(_OR_NULL), *describe_bounds(self.bounds))
        return ", ".join(words) + (_OR_NULL if optional else "")


@dataclass(frozen=True)
class Group:
    """A part of the document that holds fields."""

    path: str
    title: str
    description: str
    advanced: bool
    visible_when: Rule | None


@cache
def fields() -> tuple[Field, ...]:
    """Give every field of the document, in the document's order."""
    return tuple(part for part in _walk(Synthesis, "") if isinstance(part, Field))


@cache
def groups() -> tuple[Group, ...]:
    """Give every part of the document that holds fields, in the document's order."""
    return tuple(part for part in _walk(Synthesis, "") if isinstance(part, Group))


@cache
def fields_of(model: type[BaseModel]) -> tuple[Field, ...]:
    """Give the fields written directly in one class, with paths relative to it."""
    return tuple(make_field(name, info) for name, info in model.model_fields.items())


def unavailable(document: BaseModel) -> tuple[str, ...]:
    """Give the paths of set fields whose feature is not built yet, in a document or a part of one."""
    return tuple(
        join_path(place)
        for place, field, value in walk_values(document)
        if value != field.default and not _is_built(field, value)
    )


def explain_unavailable(field: Field) -> tuple[str, str]:
    """Give the message and the remedy for a field whose feature is not built yet."""
    built = field.available_values
    remedy = f"Write one of {', '.join(map(str, built))}." if built and len(built) > 1 else "Remove the line."
    return f"{field.title} is not available yet.", remedy


def walk_values(document: BaseModel, place: Place = ()) -> Iterator[tuple[Place, Field, Any]]:
    """Give each field of a document with its place and value, sub-documents included."""
    for field in fields_of(type(document)):
        value = getattr(document, field.name)
        here = (*place, field.name)
        children = dict(_children(value))
        if children:
            for name, child in children.items():
                yield from walk_values(child, (*here, *name))
        elif sub_model(field.annotation) is None:
            yield here, field, value


def _children(value: Any) -> Iterator[tuple[tuple[str, ...], BaseModel]]:
    if isinstance(value, BaseModel):
        yield (), value
    elif isinstance(value, Mapping):
        yield from (((name,), child) for name, child in value.items() if isinstance(child, BaseModel))
    elif isinstance(value, tuple):
        yield from (((str(i),), child) for i, child in enumerate(value) if isinstance(child, BaseModel))


def _is_built(field: Field, value: Any) -> bool:
    return field.available and (field.available_values is None or value in field.available_values)


def find(place: Place) -> Field:
    """Give the field at a place of the document.

    Raises:
        SettingsError: ``settings.unknown_field`` with the nearest name when no field is there.
    """
    model: type[BaseModel] = Synthesis
    rest = list(place)
    while rest:
        name = rest.pop(0)
        info = model.model_fields.get(name)
        if info is None:
            raise unknown_field(place, place[: len(place) - len(rest) - 1], tuple(model.model_fields))
        inner = sub_model(info.annotation)
        if not rest:
            return make_field(name, info)
        if inner is None:
            return _find_entry(place, rest, make_field(name, info))
        if _holds_several(info):
            del rest[0]
        model = inner
    raise unknown_field(place, place, tuple(model.model_fields))


def _find_entry(place: Place, rest: list[str], field: Field) -> Field:
    if get_origin(field.annotation) is not dict or len(rest) > 1:
        raise unknown_field(place, place[: len(place) - len(rest)], ())
    entry = get_args(field.annotation)[1]
    return replace(field, annotation=entry, type=describe_type(entry), default=None)


def unknown_field(place: Place, group: Place, names: tuple[str, ...]) -> SettingsError:
    """Make the error about a path without a field, with the nearest name there is."""
    wrong = place[len(group)] if len(place) > len(group) else ""
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.5)
    if near:
        remedy = f"Did you mean {join_path((*group, near[0]))}?"
    elif names:
        remedy = f"Fields there: {', '.join(names)}."
    else:
        remedy = f"{join_path(group)} is one value and has no fields."
    return SettingsError("settings.unknown_field", "No such field.", where=join_path(place), remedy=remedy)


def split_path(path: str) -> tuple[str, ...]:
    """Split a path at its dots; a name with a dot stands in double quotes, a quote in it is doubled.

    >>> split_path('tables."a.b".include')
    ('tables', 'a.b', 'include')
    """
    pieces = re.findall(r'((?:"(?:[^"]|"")*"|[^."])*)(?:\.|$)', path)
    words = pieces[:-1] if path and not path.endswith(".") else pieces
    return tuple(_unquote(word) for word in words)


def join_path(parts: Sequence[str]) -> str:
    """Write a path; the inverse of ``split_path``.

    >>> join_path(("tables", "a.b", "include"))
    'tables."a.b".include'
    """
    return ".".join(_quote(part) for part in parts)


def _quote(part: str) -> str:
    return part if part and not set('."') & set(part) else '"' + part.replace('"', '""') + '"'


def _unquote(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') and word.endswith('"') else word


def describe_type(annotation: Any) -> str:
    """Say in words what a type accepts."""
    if annotation in _WORDS:
        return _WORDS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return f"one of {', '.join(str(value) for value in arguments)}"
    if origin in (Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return f"{describe_type(inner)}{_OR_NULL}"
    if origin is tuple:
        return _describe_tuple(arguments)
    if origin is dict:
        return f"{describe_type(arguments[1])} for each name"
    return "a group of fields"


def _describe_tuple(arguments: tuple[Any, ...]) -> str:
    if arguments[-1] is Ellipsis:
        return "a list of mappings" if sub_model(arguments[0]) else f"a list of {describe_type(arguments[0])}"
    return f"a list of {len(arguments)} numbers"


def describe_bounds(bounds: Mapping[str, Any]) -> tuple[str, ...]:
    """Say bounds in words."""
    words = {
        "ge": "at least {}",
        "gt": "above {}",
        "le": "at most {}",
        "lt": "below {}",
        "min_length": "at least {} long",
        "max_length": "at most {} long",
    }
    return tuple(words[name].format(f"{value:,}") for name, value in bounds.items())


def sub_model(annotation: Any) -> type[BaseModel] | None:
    """Give the settings class inside an annotation, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (sub_model(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)


def make_field(path: str, info: FieldInfo) -> Field:
    """Describe one pydantic field."""
    extra = _extra(info)
    return Field(
        path=path,
        type=describe_type(info.annotation),
        annotation=info.annotation,
        default=info.get_default(call_default_factory=True, validated_data={}),
        title=info.title or "",
        description=info.description or "",
        bounds=_bounds(info),
        available=bool(extra.get("available", True)),
        available_values=_as_tuple(extra.get("available_values")),
        types=_as_tuple(extra.get("types")),
        unit=extra.get("unit"),
        advanced=bool(extra.get("advanced")),
        visible_when=extra.get("visible_when"),
    )


def _make_group(path: str, info: FieldInfo) -> Group:
    extra = _extra(info)
    words = (info.title or "", info.description or "")
    return Group(path, *words, bool(extra.get("advanced")), extra.get("visible_when"))


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _bounds(info: FieldInfo) -> dict[str, Any]:
    pairs = ((name, getattr(item, name, None)) for item in info.metadata for name in _BOUNDS)
    return {name: value for name, value in pairs if value not in (None, PydanticUndefined)}


def _as_tuple(value: Any) -> tuple[Any, ...] | None:
    return None if value is None else tuple(value)


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Field | Group]:
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        inner = sub_model(info.annotation)
        if inner is None:
            yield make_field(path, info)
            continue
        if get_origin(info.annotation) in (Union, types.UnionType):
            yield make_field(path, info)
        yield _make_group(path, info)
        yield from _walk(inner, f"{path}.{_PLACES[name]}." if _holds_several(info) else f"{path}.")


def _holds_several(info: FieldInfo) -> bool:
    return not isinstance(info.annotation, type)
