"""The synthesis document as text: load, override single fields, dump with comments.

Every plain word of the text stays text until the field's own type reads it, so ``no``, ``007`` and
``2020-01-01`` mean what was written; only ``null``, ``~`` and nothing are empty.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from kinsynth.errors import Finding, SettingsError, UserError
from kinsynth.settings.base import Settings
from kinsynth.settings.fields import Field, Place, fields_of, find, join_path, split_path, sub_model
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.treatment import Column

VERSIONS = ("1",)
MAX_BYTES = 8 * 1024 * 1024
MAX_NODES = 1_000_000
MAX_DEPTH = 32

_BAD_KEY = "A name stands twice, or is no text"
_NULLS = ("~", "null")
_EMPTY = ("", *_NULLS)
_WIDTH = 100


def load(path: Path, overrides: Mapping[str, str] | None = None) -> Synthesis:
    """Read a document from a YAML file.

    Args:
        path: The file, UTF-8.
        overrides: Texts by path of a field, put in place of what the file says.

    Raises:
        SettingsError: The file cannot be read or is no YAML, or fields are wrong; all at once.
    """
    return override(parse(read_yaml(_read_text(path), where=path.name)), overrides or {})


def parse(mapping: Mapping[str, Any]) -> Synthesis:
    """Make a document of plain data.

    Raises:
        SettingsError: Fields are unknown or wrong; ``findings`` names all of them, values of none.
    """
    if str(mapping.get("version", VERSIONS[-1])) not in VERSIONS:
        raise SettingsError(
            "settings.version",
            f"The document's version is not known; expected {' or '.join(VERSIONS)}.",
            where="version",
            remedy="Use the version of kinsynth that wrote the document, or a newer one.",
        )
    try:
        return Synthesis.model_validate({**mapping, "version": 1})
    except ValidationError as error:
        raise combine(tuple(_explain(detail) for detail in error.errors())) from None


def override(document: Synthesis, overrides: Mapping[str, str]) -> Synthesis:
    """Put single fields in place of what a document says.

    Args:
        document: The document.
        overrides: Texts by path, as ``{"tables.players.columns.weight.type": "numeric"}``. Lists are
            written ``a,b`` or ``[a, b]``, an empty field ``null``.

    Raises:
        SettingsError: A path names no field, or a text does not fit it.

    >>> override(Synthesis(), {"training.max_epochs": "5"}).training.max_epochs
    5
    """
    if not overrides:
        return document
    mapping: Any = document.model_dump(exclude_unset=True)
    for path, text in overrides.items():
        place = split_path(path)
        mapping = _put(mapping, place, _read_value(find(place), text, where=path))
    return parse(mapping)


def combine(findings: Sequence[Finding], kind: type[UserError] = SettingsError) -> UserError:
    """Make one error of the findings that block."""
    first = findings[0]
    if len(findings) == 1:
        return kind(first.code, first.message, where=first.where, remedy=first.remedy, findings=findings)
    places = ", ".join(dict.fromkeys(finding.where for finding in findings if finding.where))
    return kind(
        first.code,
        f"{len(findings)} problems: {places}.",
        remedy="Each is named with its remedy.",
        findings=findings,
    )


# Reading


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Makes text of every scalar and refuses a key that stands twice."""

    def construct_scalar(self, node: yaml.ScalarNode) -> str | None:
        """Give the text; None for an empty plain scalar."""
        return None if not node.style and node.value in _EMPTY else str(node.value)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: ARG002
        """Give the mapping; keys are text."""
        keys = [key.value if isinstance(key, yaml.ScalarNode) else None for key, _ in node.value]
        count = Counter(keys)
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if key is None or count[key] > 1:
                raise yaml.constructor.ConstructorError(None, None, _BAD_KEY, key_node.start_mark)
        return {
            key: self.construct_object(value, deep=True)
            for key, (_, value) in zip(keys, node.value, strict=True)
        }


def read_yaml(text: str, *, where: str) -> dict[str, Any]:
    """Read YAML into plain data without trusting it.

    Raises:
        SettingsError: No YAML mapping, a key twice, or larger or deeper than any document is.
    """
    value = _read_node(text, where)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(
            "settings.syntax", "A document is a mapping of names to values.", where=where, remedy=_SYNTAX
        )
    return value


def _read_node(text: str, where: str) -> Any:
    try:
        _check_depth(text, where)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if _count_nodes(node, {}) > MAX_NODES:
                raise _too_large(where)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        cause = _BAD_KEY if getattr(error, "problem", "") == _BAD_KEY else "Not YAML"
        raise SettingsError("settings.syntax", f"{cause}{line}.", where=where, remedy=_SYNTAX) from None


_SYNTAX = "kinsynth init SOURCE -o FILE writes a complete document to start from."


def _check_depth(text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _too_large(where)


def _count_nodes(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the values a node stands for, references written out; a node inside itself counts as endless."""
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1
        children = node.value if isinstance(node, yaml.CollectionNode) else ()
        inner = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_count_nodes(part, known) for part in inner)
    return known[id(node)]


def _too_large(where: str) -> SettingsError:
    return SettingsError(
        "settings.too_large",
        f"A document has at most {MAX_BYTES:,} bytes, {MAX_NODES:,} values and {MAX_DEPTH} levels.",
        where=where,
        remedy="Leave out what has its default, and write references out only where needed.",
    )


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(path.name)
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise SettingsError(
            "settings.unreadable",
            f"The document {reason}.",
            where=path.name,
            remedy="Check the path and the permission; kinsynth init SOURCE -o FILE writes a new document.",
        ) from None


def _read_value(field: Field, text: str, where: str) -> Any:
    if text.strip() in _NULLS and type(None) in get_args(field.annotation):
        return None
    kinds = {get_origin(part) for part in (field.annotation, *get_args(field.annotation))}
    if get_origin(field.annotation) is dict or text.strip().startswith("["):
        return _read_node(text, where) if {tuple, dict} & kinds else text
    if tuple in kinds:
        return [part.strip() for part in text.split(",")] if text else []
    return text


def _put(node: Any, place: Sequence[str], value: Any) -> Any:
    if not place:
        return value
    head, rest = place[0], place[1:]
    if isinstance(node, (list, tuple)):
        return [_put(item, rest, value) if str(i) == head else item for i, item in enumerate(node)]
    mapping = node or {}
    return {**mapping, head: _put(mapping.get(head), rest, value)}


def _explain(detail: ErrorDetails) -> Finding:
    place = tuple(str(part) for part in detail["loc"] if part != "[key]")
    try:
        expected = find(_inside(place)).expected
    except SettingsError as error:
        return Finding(error.code, "error", error.where, error.message, error.remedy)
    return Finding(
        "settings.value",
        "error",
        join_path(place),
        f"The value does not fit: expected {expected}.",
        f"Write {expected}, or leave the field out for its default.",
    )


def _inside(place: Place) -> Place:
    """Give the place of the field itself: an entry of a list of plain values is part of its list."""
    parent = place[:-1]
    if place and place[-1].isdigit() and parent:
        try:
            annotation = find(parent).annotation
        except SettingsError:
            return place
        if sub_model(annotation) is None and get_origin(annotation) is not dict:
            return parent
    return place


# Writing


def dump(document: Synthesis, comments: bool = True) -> str:
    """Write a complete document: every field with its value, in the document's order.

    Args:
        document: The document.
        comments: Whether each field is explained where it first stands.

    Guarantees:
        ``parse(read_yaml(dump(document)))`` equals the document, but for secrets, which are never written.
    """
    seen: set[str] | None = set() if comments else None
    head = ["# What to synthesise and how. A field that is left out has its default."] if comments else []
    return "\n".join([*head, *_write(document, 0, "", seen)]) + "\n"


def _write(model: BaseModel, indent: int, pattern: str, seen: set[str] | None) -> Iterator[str]:
    for field in fields_of(type(model)):
        value = getattr(model, field.name)
        if not _is_written(model, field, value):
            continue
        path = f"{pattern}.{field.name}"
        yield from _comment(field, path, indent, seen)
        yield from _write_field(field.name, value, indent, path, seen)


def _is_written(model: BaseModel, field: Field, value: Any) -> bool:
    """Leave out the options of other column types, where they have their default."""
    kind = model.type if isinstance(model, Column) else None
    return not (kind and field.types and kind not in field.types and value == field.default)


def _write_field(name: str, value: Any, indent: int, path: str, seen: set[str] | None) -> Iterator[str]:
    space = "  " * indent
    if isinstance(value, Settings):
        yield f"{space}{name}:"
        yield from _write(value, indent + 1, path, seen)
    elif isinstance(value, Mapping) and value:
        yield f"{space}{name}:"
        for key, inner in value.items():
            yield from _write_field(_scalar(key), inner, indent + 1, f"{path}.*", seen)
    elif isinstance(value, tuple) and value and isinstance(value[0], Settings):
        yield f"{space}{name}:"
        for inner in value:
            yield from _write_item(list(_write(inner, indent + 2, f"{path}.*", seen)), indent + 1)
    else:
        yield f"{space}{name}: {_scalar(value)}"


def _write_item(lines: list[str], indent: int) -> Iterator[str]:
    first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from lines[:first]
    yield f"{'  ' * indent}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def _comment(field: Field, path: str, indent: int, seen: set[str] | None) -> Iterator[str]:
    if seen is None or path in seen:
        return
    seen.add(path)
    if indent == 0:
        yield ""
    limits = "" if field.type == "a group of fields" else f" ({field.expected})"
    later = "" if field.available else " Not available yet."
    text = f"{field.title}: {field.description}{later}{limits}"
    prefix = "  " * indent + "# "
    yield from textwrap.wrap(text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix)


def _scalar(value: Any) -> str:
    """Write one value in YAML."""
    if value is None or isinstance(value, SecretStr):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{}"
    return _text(value)


def _text(value: str) -> str:
    plain = value.replace("_", "a")
    if plain.isalnum() and plain.isascii() and plain[0].isalpha() and value.lower() not in _WORDS:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9).rstrip("\n")


_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
