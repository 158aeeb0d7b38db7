"""Analysis: what is in a sealed version: its tables, rows and types, and whether a document fits it.

A version is parsed once for each way of reading it; its tables are kept beside it as raw data.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from kinsynth.errors import Finding, SchemaError, UserError
from kinsynth.service.actor import Actor
from kinsynth.service.analysis import LISTING
from kinsynth.service.analysis.analysts import Call
from kinsynth.service.analysis.readers import Pages
from kinsynth.service.analysis.views import CheckView, DetectionView, FindingView, RowsView, Window
from kinsynth.service.documents import Document, reading_settings, settle
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.service.sources import analysis_owner, digest_files, gone, require_sealed
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.files import attach, detach, list_files, list_times
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import sources
from kinsynth.system.files import read_json, write_json

_MOST_WAYS, _MOST_ANSWERS = 2, 20  # of reading a version; about a version
_ATTEMPTS = 3


@dataclass(frozen=True)
class Version:
    """A sealed version, by its content.

    Attributes:
        source_id: The source.
        number: The version.
        digest: Digest of its files.
        files: The files by name.
    """

    source_id: str
    number: int
    digest: str
    files: Mapping[str, Stored]


def preview_version(
    platform: Platform, actor: Actor, source_id: str, number: int, window: Window
) -> RowsView:
    """Give some rows of a table of a sealed version.

    Raises:
        SourceError: The files cannot be read as they are; ``source.gone``.
        ConflictError: ``source.not_sealed``.
        UserError: ``table.not_found``, with the names of all tables.
    """

    def look() -> Version:
        return _open(platform, actor, "versions.preview", source_id, number)

    return preview_tables(platform, actor, look, {}, window)


def detect_version(
    platform: Platform, actor: Actor, source_id: str, number: int, document: Mapping[str, Any]
) -> DetectionView:
    """Say what a sealed version holds; what the document declares goes before what is detected."""
    version = _open(platform, actor, "versions.detect", source_id, number)
    return detect(platform, version, settle(document))


def find_version(platform: Platform, source_id: str | None, number: int | None = None) -> Version:
    """Look up a sealed version; None is the newest. Asks for no permission.

    Raises:
        SourceError: ``source.gone``.
    """
    with platform.records.read() as connection:
        if source_id is not None and number is None:
            number = connection.execute(
                select(sources.c.version).where(sources.c.id == source_id)
            ).scalar_one_or_none()
        if source_id is None or not number:
            raise gone()
        return _find_sealed(connection, source_id, number)


def _open(platform: Platform, actor: Actor, operation: str, source_id: str, number: int) -> Version:
    with platform.records.read() as connection:
        require(connection, actor, operation, source_id)
        return _find_sealed(connection, source_id, number)


def _find_sealed(connection: Connection, source_id: str, number: int) -> Version:
    row = require_sealed(connection, source_id, number)
    return Version(source_id, number, row.digest, list_files(connection, source_id, number))


def preview_tables(
    platform: Platform,
    actor: Actor,
    look: Callable[[], Version],
    document: Mapping[str, Any],
    window: Window,
) -> RowsView:
    """Give some rows of a table, read as the document says; ``look`` lets the actor in, or raises."""
    version = look()

    def read(key: str, stored: Mapping[str, Stored]) -> Any:
        def prepare(folder: Path) -> Mapping[str, Any]:
            listing = _fetch_listing(platform, key, stored, folder)
            found = {one["name"]: one["path"] for one in listing["tables"]}
            if window.table not in found:
                raise no_table(found)
            file = found[window.table]
            _fetch_kept(platform, stored[f"{key}/{file}"], folder / "tables" / file)
            return {"file": f"tables/{file}", "offset": window.offset, "limit": window.limit}

        content = digest_files({path: one.digest for path, one in stored.items() if _is_read(path)})
        object_id = f"{version.source_id}/{version.number}"
        pages = Pages((actor.user_id, object_id, content), "page_table", prepare, look)
        return platform.analysts.page(pages)

    return RowsView.model_validate(_with_tables(platform, version, document, read))


def detect(platform: Platform, version: Version, document: Document) -> DetectionView:
    """Say what a version holds under a document; the answer is kept."""
    return DetectionView.model_validate(_kept(platform, version, "detect", document))


def check_version(platform: Platform, version: Version, document: Document) -> CheckView:
    """Check a document against a version and assess its cost; the answer is kept."""
    return CheckView.model_validate(_kept(platform, version, "check_document", document))


def refusal(code: str, findings: tuple[FindingView, ...]) -> UserError:
    """Make the error of a document that does not fit: ``findings`` holds all that blocks."""
    blocking = [Finding(**one.model_dump()) for one in findings if one.severity == "error"]
    places = ", ".join(dict.fromkeys(one.where for one in blocking if one.where))
    return SchemaError(
        code,
        f"The synthesis does not fit its source: {len(blocking)} problems: {places}.",
        remedy="Each finding names its remedy.",
        findings=blocking,
    )


def no_table(known: Iterable[str]) -> UserError:
    """Give the error for a table that is not there."""
    names = ", ".join(sorted(known)[:20])
    return UserError(
        "table.not_found",
        f"There is no such table; these are {names}.",
        where="table",
        remedy="Name one of them.",
    )


# Children


class _ReplacedError(Exception):
    """What was kept of a version is not there any more."""


def _kept(platform: Platform, version: Version, function: str, document: Document) -> Any:
    """Ask a child about a version and a document, or give what it answered before."""
    said = [metadata.version("kinsynth"), document]
    name = f"{_digest(reading_settings(document))}/{function}-{_digest(said)}.json"

    def ask(key: str, stored: Mapping[str, Stored]) -> Any:
        if name not in stored:
            with platform.analysts.alone((version.source_id, version.number, name)) as call:
                stored = _list_kept(platform, version, key)  # somebody may have asked the same meanwhile
                if name not in stored:
                    return find_out(key, stored, call)
        with platform.analysts.folder() as folder:
            _fetch_kept(platform, stored[name], folder / "answer.json")
            return read_json(folder / "answer.json")

    def find_out(key: str, stored: Mapping[str, Stored], call: Call) -> Any:
        with platform.analysts.folder() as folder:
            _bring(platform, key, stored, folder)
            found = call(function, {"document": document}, folder)
            write_json(folder / "answer.json", found)
            _keep(platform, version, {name: folder / "answer.json"})
            return found

    return _with_tables(platform, version, document, ask)


def _with_tables(
    platform: Platform,
    version: Version,
    document: Mapping[str, Any],
    use: Callable[[str, Mapping[str, Stored]], Any],
) -> Any:
    """Use what is kept of a version; others may have put theirs in its place before it is fetched."""
    for _ in range(_ATTEMPTS):
        with suppress(_ReplacedError):
            return use(*_tables(platform, version, document))
    raise gone()


def fetch_tables(platform: Platform, version: Version, document: Mapping[str, Any], folder: Path) -> None:
    """Bring the tables of a version, read as the document says, into ``tables`` in a folder of a child."""
    _with_tables(platform, version, document, lambda key, stored: _bring(platform, key, stored, folder))


def _bring(platform: Platform, key: str, stored: Mapping[str, Stored], folder: Path) -> None:
    for path, one in stored.items():
        if _is_read(path):
            _fetch_kept(platform, one, folder / "tables" / path.removeprefix(f"{key}/"))


def _tables(
    platform: Platform, version: Version, document: Mapping[str, Any]
) -> tuple[str, dict[str, Stored]]:
    """Give what is kept of a version, read as the document says; it is parsed when nobody did before."""
    settings = reading_settings(document)
    key = _digest(settings)
    stored = _list_kept(platform, version, key)
    if f"{key}/{LISTING}" not in stored:
        with platform.analysts.alone((version.source_id, version.number, key)) as call:
            stored = _list_kept(platform, version, key)  # somebody may have read it meanwhile
            if f"{key}/{LISTING}" not in stored:
                stored = _parse(platform, version, key, settings, call)
    return key, stored


def _list_kept(platform: Platform, version: Version, key: str) -> dict[str, Stored]:
    with platform.records.read() as connection:
        return list_files(connection, analysis_owner(version.source_id), version.number, under=key)


def _parse(
    platform: Platform, version: Version, key: str, settings: Mapping[str, Any], call: Call
) -> dict[str, Stored]:
    limits = {
        "parse_memory_bytes": platform.deployment.analysis_memory_bytes,
        "parse_timeout_s": platform.deployment.analysis_timeout_s,
    }
    arguments = {"source": {**settings, **limits}, "names": list(version.files)}
    with platform.analysts.folder() as folder:
        for name, one in version.files.items():
            _fetch(platform, one, folder / "files" / name)
        call("parse_files", arguments, folder)
        made = {f"{key}/{path.name}": path for path in sorted((folder / "tables").iterdir())}
        return _keep(platform, version, made)


def _keep(platform: Platform, version: Version, made: Mapping[str, Path]) -> dict[str, Stored]:
    """Keep what a child made; of the ways of reading a version, and of answers, only the newest stay."""
    owner = analysis_owner(version.source_id)
    stored = {name: platform.artefacts.put_file(path, "original") for name, path in made.items()}
    with platform.records.write() as connection:
        hold(connection, sources.c.id, version.source_id)
        require_sealed(connection, version.source_id, version.number)  # it may have been deleted meanwhile
        attach(connection, owner, version.number, stored)
        times = list_times(connection, owner, version.number) | dict.fromkeys(stored, math.inf)
        for path in _outdated(times):
            detach(connection, owner, version.number, under=path)
    return stored


def _outdated(times: Mapping[str, float]) -> list[str]:
    """Give the folders and files that are too many of what is kept of a version, by their times.

    >>> _outdated({"a/000.arrow": 1.0, "b/000.arrow": 2.0, "c/000.arrow": 3.0, "a/check-1.json": 4.0})
    ['b']
    """
    newest = sorted(times, key=lambda path: times[path], reverse=True)
    ways = list(dict.fromkeys(path.partition("/")[0] for path in newest))
    answers = [path for path in newest if not _is_read(path)]
    return ways[_MOST_WAYS:] + answers[_MOST_ANSWERS:]


def _is_read(path: str) -> bool:
    """Tell files that parsing made from answers."""
    return path.endswith((".arrow", LISTING))


def _fetch_listing(platform: Platform, key: str, stored: Mapping[str, Stored], folder: Path) -> Any:
    path = folder / "tables" / LISTING
    _fetch_kept(platform, stored[f"{key}/{LISTING}"], path)
    return read_json(path)


def _fetch_kept(platform: Platform, stored: Stored, path: Path) -> None:
    """Bring a file that a child made, unless it is there.

    Raises:
        _ReplacedError: The store does not have it.
    """
    if path.exists():
        return
    try:
        platform.artefacts.fetch(stored, path)
    except UserError as error:
        raise (_ReplacedError() if error.code == "artefact.missing" else error) from error


def _fetch(platform: Platform, stored: Stored, path: Path) -> None:
    """Bring a file of the version.

    Raises:
        SourceError: ``source.gone``, the store does not have it.
    """
    try:
        platform.artefacts.fetch(stored, path)
    except UserError as error:
        raise (gone() if error.code == "artefact.missing" else error) from error


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:24]
