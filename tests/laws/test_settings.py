"""Promises every field of the document keeps."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import kinsynth
from kinsynth.errors import SettingsError
from kinsynth.settings import Synthesis
from kinsynth.settings.document import dump, override, parse, read_yaml
from kinsynth.settings.fields import Field, fields, find, groups, join_path, split_path, unavailable
from kinsynth.settings.treatment import COLUMN_TYPES

QUANTITY = re.compile(r"\b(a whole number|a number)\b")
UNIT = re.compile(
    r"bytes|\(s\)|seconds|epochs?|passes|rows?|columns?|characters|digits|steps?|batch|share|rate|number|version|"
    r"norm|subjects|standard deviation|at most|degrees|port|seed|temperature|cells?|threads?|texts?|delta|"
    r"below|improvement|variety",
    re.IGNORECASE,
)
NAMES = {"<table>": "t", "<column>": "c", "<number>": "0"}
by_path = pytest.mark.parametrize("field", fields(), ids=lambda field: field.path)


def place(field: Field) -> str:
    return join_path([NAMES.get(part, part) for part in field.path.split(".")])


def another_value(field: Field) -> str:
    """Give a text that is valid for the field and differs from its default."""
    kind = field.type
    if kind.startswith("true or false"):
        return "false" if field.default else "true"
    if kind.startswith("one of"):
        words = [word for word in kind.removeprefix("one of ").split(", ") if word != "or null"]
        return next((word for word in words if word != str(field.default)), words[0])
    if kind.startswith("a whole number for each name"):
        return "{t: 7}"
    if kind.startswith(("a whole number", "a number")):
        return number_inside(field)
    if kind.startswith("a list of a list"):
        return "[[a, b]]"
    if kind.startswith("a list of 4"):
        return "[1, 2, 3, 4]"
    if kind.startswith("a list of mappings"):
        return "[{columns: [a, b]}]" if field.name == "rules" else "[{columns: [a], table: b}]"
    if kind.startswith("a list"):
        return "[a, b]"
    return "some text"


def number_inside(field: Field) -> str:
    low = field.bounds.get("ge", field.bounds.get("gt", 0))
    high = field.bounds.get("le", field.bounds.get("lt", low + 10))
    if field.type.startswith("a whole number"):
        return str(low + 1 if low + 1 != field.default else low + 2)
    middle = (low + high) / 2
    return str(middle if middle != field.default else (low + middle) / 2)


def start() -> Synthesis:
    key = {"columns": ["a"], "table": "u"}
    rule = {"columns": ["c", "d"]}
    return parse({"tables": {"t": {"foreign_keys": [key], "rules": [rule], "columns": {"c": {}}}}})


def value_at(document: Any, path: str) -> Any:
    for part in split_path(path):
        if isinstance(document, dict):
            document = document[part]
        elif isinstance(document, tuple):
            document = document[int(part)]
        else:
            document = getattr(document, part)
    return document


@by_path
def test_every_field_is_explained(field: Field) -> None:
    assert field.title
    assert field.description.endswith(".")
    assert field.type


@by_path
def test_every_quantity_has_a_unit(field: Field) -> None:
    if QUANTITY.search(field.type):
        assert UNIT.search(f"{field.title} {field.description} {field.name}"), field.path


@by_path
def test_every_field_can_be_overridden_and_written(field: Field) -> None:
    path = place(field)
    changed = override(start(), {path: another_value(field)})
    if field.path != "version":
        assert value_at(changed, path) != field.default
    if "secret" not in field.type:
        assert parse(read_yaml(dump(changed), where="document")) == changed


@by_path
def test_every_field_is_in_the_complete_document(field: Field) -> None:
    assert re.search(rf"^\s*(- )?{field.name}:", dump(start()), re.MULTILINE)
    assert field.title in dump(start())


@by_path
def test_every_field_is_found_by_its_place(field: Field) -> None:
    found = find(split_path(place(field)))
    assert (found.name, found.annotation, found.title) == (field.name, field.annotation, field.title)


@by_path
def test_a_field_without_its_feature_is_named(field: Field) -> None:
    path = place(field)
    if field.available and field.available_values is None:
        return
    built = field.available_values or ()
    choices = field.type.removeprefix("one of ").split(", ") if field.type.startswith("one of") else ()
    missing = next((choice for choice in choices if choice not in built), another_value(field))
    assert unavailable(override(start(), {path: missing})) == (path,)
    for value in built:
        assert unavailable(override(start(), {path: str(value)})) == ()


@by_path
def test_every_bound_is_kept(field: Field) -> None:
    beyond = {
        "ge": lambda limit: limit - 1,
        "gt": lambda limit: limit,
        "le": lambda limit: limit + 1,
        "lt": lambda limit: limit,
    }
    for name, limit in field.bounds.items():
        if name in beyond:
            with pytest.raises(SettingsError):
                override(start(), {place(field): str(beyond[name](limit))})


def test_the_default_document_uses_built_features_only() -> None:
    assert unavailable(Synthesis()) == ()


def test_paths_are_unique_and_types_exist() -> None:
    paths = [field.path for field in fields()]
    assert len(set(paths)) == len(paths)
    assert {kind for field in fields() for kind in field.types or ()} <= set(COLUMN_TYPES)
    assert all(group.title and group.description for group in groups())


CONTROL_PLANE = ("storage", "executions", "service", "server")  # knows documents as wholes


def test_every_field_with_a_choice_is_read_by_the_package() -> None:
    read: set[str] = set()
    for file in Path(kinsynth.__file__).parent.rglob("*.py"):
        if not {*file.parts} & {"settings", *CONTROL_PLANE}:
            tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            read |= {node.attr for node in tree if isinstance(node, ast.Attribute)}
    choices = [
        field
        for field in fields()
        if field.available and (field.available_values is None or len(field.available_values) > 1)
    ]
    assert {field.path for field in choices if field.name not in read} == {"version"}
