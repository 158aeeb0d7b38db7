"""Analysis: what is in a sealed version: its tables, rows and types, and whether a document fits it.

A version is parsed once for each way of reading it; its tables are kept beside it as raw data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import select

from kinsynth.errors import Finding, SchemaError, UserError
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.views import CheckView, DetectionView, FindingView, RowsView, Window
from kinsynth.service.documents import Document, reading_settings, settle
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.service.sources import analysis_owner, gone, require_sealed
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.files import attach, detach, list_files
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import sources
from kinsynth.system.files import read_json, write_json

LISTING = "listing.json"


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
    version = _open(platform, actor, "versions.preview", source_id, number)
    return preview_tables(platform, version, {}, window)


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
        row = require_sealed(connection, source_id, number)
        return Version(source_id, number, row.digest, list_files(connection, source_id, number))


def _open(platform: Platform, actor: Actor, operation: str, source_id: str, number: int) -> Version:
    with platform.records.read() as connection:
        require(connection, actor, operation, source_id)
        row = require_sealed(connection, source_id, number)
        return Version(source_id, number, row.digest, list_files(connection, source_id, number))


def preview_tables(
    platform: Platform, version: Version, document: Mapping[str, Any], window: Window
) -> RowsView:
    """Give some rows of a table, read as the document says."""
    with platform.analysts.folder() as folder:
        key, stored = _tables(platform, version, document, folder)
        found = {one["name"]: one["path"] for one in _fetch_listing(platform, key, stored, folder)["tables"]}
        if window.table not in found:
            raise no_table(found)
        file = found[window.table]
        _fetch(platform, stored[f"{key}/{file}"], folder / "tables" / file)
        arguments = {"file": f"tables/{file}", "offset": window.offset, "limit": window.limit}
        answer = platform.analysts.call("page_table", arguments, folder)
    return RowsView.model_validate(answer)


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


def _kept(platform: Platform, version: Version, function: str, document: Document) -> Any:
    """Ask a child about a version and a document, or give what it answered before."""
    said = [metadata.version("kinsynth"), document]
    name = f"{_digest(reading_settings(document))}/{function}-{_digest(said)}.json"
    owner = analysis_owner(version.source_id)
    with platform.records.read() as connection:
        known = list_files(connection, owner, version.number, under=name)
    with platform.analysts.folder() as folder:
        if name in known:
            _fetch(platform, known[name], folder / "answer.json")
            return read_json(folder / "answer.json")
        fetch_tables(platform, version, document, folder)
        answer = platform.analysts.call(function, {"document": document}, folder)
        write_json(folder / "answer.json", answer)
        _keep(platform, version, {name: folder / "answer.json"})
    return answer


def fetch_tables(platform: Platform, version: Version, document: Mapping[str, Any], folder: Path) -> None:
    """Bring the tables of a version, read as the document says, into ``tables`` in a folder of a child."""
    key, stored = _tables(platform, version, document, folder)
    for path, one in stored.items():
        if path.endswith((".arrow", LISTING)):
            _fetch(platform, one, folder / "tables" / path.removeprefix(f"{key}/"))


def _tables(
    platform: Platform, version: Version, document: Mapping[str, Any], folder: Path
) -> tuple[str, dict[str, Stored]]:
    """Give the kept tables of a version, parsed when nobody did before."""
    settings = reading_settings(document)
    key, owner = _digest(settings), analysis_owner(version.source_id)
    with platform.records.read() as connection:
        stored = list_files(connection, owner, version.number, under=key)
    if f"{key}/{LISTING}" in stored:
        return key, stored
    for name, one in version.files.items():
        _fetch(platform, one, folder / "files" / name)
    limits = {
        "parse_memory_bytes": platform.deployment.analysis_memory_bytes,
        "parse_timeout_s": platform.deployment.analysis_timeout_s,
    }
    arguments = {"source": settings | limits, "names": list(version.files)}
    platform.analysts.call("parse_files", arguments, folder)
    made = {f"{key}/{path.name}": path for path in sorted((folder / "tables").iterdir())}
    return key, _keep(platform, version, made, instead_of_other=key)


def _keep(
    platform: Platform, version: Version, made: Mapping[str, Path], *, instead_of_other: str = ""
) -> dict[str, Stored]:
    """Keep what a child made; of the ways of reading a version only the newest stays."""
    owner = analysis_owner(version.source_id)
    stored = {name: platform.artefacts.put_file(path, "original") for name, path in made.items()}
    with platform.records.write() as connection:
        hold(connection, sources.c.id, version.source_id)
        require_sealed(connection, version.source_id, version.number)  # it may have been deleted meanwhile
        if instead_of_other:
            others = list_files(connection, owner, version.number)
            for key in {path.partition("/")[0] for path in others} - {instead_of_other}:
                detach(connection, owner, version.number, under=key)
        attach(connection, owner, version.number, stored)
    return stored


def _fetch_listing(platform: Platform, key: str, stored: Mapping[str, Stored], folder: Path) -> Any:
    path = folder / "tables" / LISTING
    _fetch(platform, stored[f"{key}/{LISTING}"], path)
    return read_json(path)


def _fetch(platform: Platform, stored: Stored, path: Path) -> None:
    """Bring a file.

    Raises:
        SourceError: ``source.gone``, the store does not have it.
    """
    try:
        platform.artefacts.fetch(stored.digest, stored.label, path)
    except UserError as error:
        raise (gone() if error.code == "artefact.missing" else error) from error


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:24]
