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
from kinsynth.settings.visibility import FACTS

QUANTITY = re.compile(r"\b(a whole number|a number|numbers)\b")
PURE = {  # numbers that are counted in nothing
    "destination.port",
    "differential_privacy.delta",
    "differential_privacy.epsilon",
    "differential_privacy.max_norm",
    "differential_privacy.noise_multiplier",
    "generation.seed",
    "generation.temperature",
    "text_model.learning_rate",
    "training.learning_rate",
}
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
    counted = QUANTITY.search(field.type) is not None
    assert (field.unit is not None) == (counted and field.path not in PURE)
    if field.unit == "share":
        assert field.bounds.keys() & {"ge", "gt"}
        assert field.bounds.get("le", field.bounds.get("lt", 2)) <= 1


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


SHOWN = [(part.path, part.visible_when) for part in (*fields(), *groups()) if part.visible_when is not None]


def simple_rules(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [inner for one in rule["all"] for inner in simple_rules(one)] if "all" in rule else [rule]


@pytest.mark.parametrize(("path", "rule"), SHOWN, ids=[path for path, _ in SHOWN])
def test_what_a_rule_names_exists_and_takes_its_values(path: str, rule: dict[str, Any]) -> None:
    """A rule names another field, in the same table and column where it names one, or a fact."""
    by_path = {field.path: field for field in fields()}
    for one in simple_rules(rule):
        values = one.get("one_of", [one.get("equals")])
        assert one.keys() in ({"field", "equals"}, {"field", "one_of"}, {"fact", "equals"})
        if "fact" in one:
            assert one["fact"] in FACTS
            continue
        named = one["field"]
        assert named != path
        assert named.count("<") == 0 or named.rpartition(".")[0] == path.rpartition(".")[0]
        for value in values:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            changed = override(start(), {place(by_path[named]): text})
            assert value_at(changed, place(by_path[named])) == value


def test_the_rules_of_the_founding_page_hold() -> None:
    """Learning rate without adaptive, batches without auto-batching, privacy with one table."""
    rules = dict(SHOWN)
    constant = {"field": "training.adaptive_learning_rate", "equals": False}
    batched = {"field": "training.auto_batching", "equals": False}
    private = {"field": "differential_privacy.enabled", "equals": True}
    assert rules["training.learning_rate"] == constant
    assert rules["training.batch_size"] == rules["training.generation_batch_size"] == batched
    assert rules["training.gradient_accumulation"] == {"all": [batched, private | {"equals": False}]}
    assert rules["differential_privacy.max_physical_batch_size"] == {"all": [private, batched]}
    assert rules["differential_privacy.epsilon"] == private
    assert rules["differential_privacy"] == {"fact": "modelled_tables", "equals": 1}
    assert rules["text_model"] == {"fact": "has_text", "equals": True}
    assert "text_model.max_epochs" not in rules
    assert rules["text_model.learning_rate"] == {
        "field": "text_model.adaptive_learning_rate",
        "equals": False,
    }
    assert rules["text_model.batch_size"] == {"field": "text_model.auto_batching", "equals": False}
    assert "differential_privacy.enabled" not in rules


def test_the_schema_says_of_each_field_what_the_list_says() -> None:
    """Forms are made from the schema; its parts and their fields carry the same facts."""
    schema = Synthesis.model_json_schema()
    for part in (*fields(), *groups()):
        found = find_in_schema(schema, part.path)
        assert (found["title"], found["description"]) == (part.title, part.description)
        assert found.get("visible_when") == part.visible_when
        assert found.get("advanced", False) == part.advanced
        if isinstance(part, Field):
            assert found.get("unit") == part.unit
            assert found.get("available", True) == part.available
            assert tuple(found.get("available_values", ())) == (part.available_values or ())
            assert tuple(found.get("types", ())) == (part.types or ())
            assert "default" in found or part.default in ({}, ())


def find_in_schema(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """Walk a schema as forms do; what stands beside a reference goes before what it leads to."""
    here: dict[str, Any] = schema
    for name in path.split("."):
        inner = next((one for one in (here, *here.get("anyOf", ())) if one.keys() & {"items", *WAYS}), here)
        if name in NAMES:
            inner = inner["items"] if name == "<number>" else inner["additionalProperties"]
            here = inner
            continue
        if "$ref" in inner:
            inner = schema["$defs"][inner["$ref"].rpartition("/")[2]]
        here = inner["properties"][name]
    beyond = schema["$defs"][here["$ref"].rpartition("/")[2]] if "$ref" in here else {}
    return beyond | here


WAYS = {"$ref", "properties", "additionalProperties"}
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
