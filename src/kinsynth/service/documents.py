"""Documents on the platform: their data come from a source of the platform, never from paths of a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kinsynth.errors import SettingsError
from kinsynth.settings.document import parse
from kinsynth.settings.source import Source
from kinsynth.settings.synthesis import Synthesis

Document = dict[str, Any]


def settle(document: Mapping[str, Any]) -> Document:
    """Check a document's fields and take its paths away.

    Raises:
        SettingsError: Fields are unknown or wrong; ``synthesis.source_kind``, its data come from elsewhere.
    """
    synthesis = parse(document)
    if synthesis.source.kind != "files":
        raise SettingsError(
            "synthesis.source_kind",
            f"source.kind is {synthesis.source.kind}; on the platform data are files of a source.",
            where="source.kind",
            remedy="Write source.kind: files, or leave it out.",
        )
    return write(with_paths(synthesis, ()))


def with_paths(synthesis: Synthesis, names: Iterable[str]) -> Synthesis:
    """Let a document read files by these names."""
    source = synthesis.source.model_copy(update={"paths": tuple(names)})
    return synthesis.model_copy(update={"source": source})


def bind(document: Mapping[str, Any], names: Iterable[str]) -> Document:
    """Give the document of an execution: with the names of the source's files as its paths."""
    return write(with_paths(parse(document), names))


def write(synthesis: Synthesis) -> Document:
    """Give the plain data of a document: what it says, not what it leaves to defaults."""
    return synthesis.model_dump(mode="json", exclude_unset=True)


def reading_settings(document: Mapping[str, Any]) -> Document:
    """Give the part of a document that decides how files are parsed."""
    settings = Source.model_validate(document.get("source", {})).model_dump(mode="json")
    return {name: value for name, value in settings.items() if name not in _NOT_READING}


_NOT_READING = {"kind", "paths", "parse_memory_bytes", "parse_timeout_s"}
