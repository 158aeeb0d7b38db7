"""Sources: files of a person, in versions; a sealed version never changes."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from kinsynth.connectors.content import ENDINGS, START_BYTES, check_start, is_compressed_name
from kinsynth.errors import ConflictError, SourceError, UserError
from kinsynth.service.actor import Actor
from kinsynth.service.audit import record
from kinsynth.service.idempotency import create, make_once
from kinsynth.service.names import rename
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import not_found, require
from kinsynth.service.platform import Platform
from kinsynth.service.receipts import REPLACED, write_receipt
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.clock import now
from kinsynth.storage.files import attach, detach, list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import executions, source_versions, sources, steps, syntheses
from kinsynth.system.failures import explained

MOST_FILES = 2_000
_NAME_BYTES = 200
_NOT_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f]")
UNFINISHED = ("queued", "running", "paused", "cancelling")


class FileView(View):
    """A file of a version."""

    name: str
    size: int = Field(description="Bytes.")
    sha256: str


class VersionView(View):
    """A version of a source."""

    source_id: str
    number: int
    sealed: bool
    digest: str | None = Field(description="SHA-256 over names and contents; null until it is sealed.")
    files: tuple[FileView, ...]
    created_at: float
    sealed_at: float | None


class SourceView(View):
    """A source."""

    id: str
    name: str
    version: int = Field(description="The newest sealed version; 0 before the first.")
    created_at: float
    updated_at: float


def create_source(
    platform: Platform, actor: Actor, name: str, *, key: str | None = None
) -> tuple[SourceView, bool]:
    """Make a source without files; tells also whether it was made now, or by the same request before."""
    once = make_once(actor.user_id, key, "sources.create", name)

    def make(connection: Connection) -> str:
        require(connection, actor, "sources.create")
        source_id = make_id("src")
        values = {"id": source_id, "owner_id": actor.user_id, "name": name, "version": 0}
        connection.execute(insert(sources).values(**values, created_at=now(), updated_at=now()))
        record(connection, actor, "sources.create", source_id)
        return source_id

    source_id, made = create(platform.records, once, make)
    return read_source(platform, actor, source_id), made


def list_sources(platform: Platform, actor: Actor, wanted: Wanted, *, name: str = "") -> Page[SourceView]:
    """List the sources of a person, newest first; with a name, those of exactly this name."""
    with platform.records.read() as connection:
        require(connection, actor, "sources.list")
        query = select(sources).where(sources.c.owner_id == actor.user_id)
        if name:
            query = query.where(sources.c.name == name)
        rows, cursor = read_page(connection, query, sources.c.created_at, sources.c.id, wanted)
    return Page(items=tuple(SourceView.model_validate(row) for row in rows), next=cursor)


def read_source(platform: Platform, actor: Actor, source_id: str) -> SourceView:
    """Give a source."""
    with platform.records.read() as connection:
        require(connection, actor, "sources.read", source_id)
        return SourceView.model_validate(_read(connection, source_id))


def rename_source(platform: Platform, actor: Actor, source_id: str, name: str) -> SourceView:
    """Give a source another name."""
    with platform.records.write() as connection:
        rename(connection, actor, "sources.rename", sources, source_id, name=name)
        return SourceView.model_validate(_read(connection, source_id))


def delete_source(platform: Platform, actor: Actor, source_id: str) -> None:
    """Delete a source with all its files; syntheses and executions made from it stay.

    Raises:
        ConflictError: ``source.in_use``, a run has still to read it; a drawing reads no source.
    """
    with platform.records.write() as connection:
        require(connection, actor, "sources.delete", source_id)
        remove_source(connection, source_id)
        record(connection, actor, "sources.delete", source_id)


def remove_source(connection: Connection, source_id: str) -> None:
    """Remove the rows of a source, with a receipt; its blobs are collected."""
    hold(connection, sources.c.id, source_id)
    mine = executions.c.source_id == source_id
    is_read = exists().where(
        steps.c.execution_id == executions.c.id, steps.c.step == "loading", steps.c.outcome.is_not(None)
    )
    at_work = mine & executions.c.status.in_(UNFINISHED) & (executions.c.kind == "run") & ~is_read
    if connection.execute(select(func.count()).select_from(executions).where(at_work)).scalar_one():
        raise ConflictError(
            "source.in_use",
            "An execution has still to read this source.",
            where="source",
            remedy="Wait for it, or cancel it.",
        )
    connection.execute(update(executions).where(mine).values(source_id=None))
    connection.execute(update(syntheses).where(syntheses.c.source_id == source_id).values(source_id=None))
    removed = [detach(connection, owner) for owner in (source_id, analysis_owner(source_id))]
    write_receipt(connection, "source", source_id, removed)
    connection.execute(delete(source_versions).where(source_versions.c.source_id == source_id))
    connection.execute(delete(sources).where(sources.c.id == source_id))


def analysis_owner(source_id: str) -> str:
    """Name the owner of what was found in a source: its parsed tables."""
    return f"{source_id}/analysis"


# Versions


def open_version(
    platform: Platform, actor: Actor, source_id: str, *, copy: bool = False, key: str | None = None
) -> tuple[VersionView, bool]:
    """Open a new version, with the files of the newest sealed one where they are wanted.

    Raises:
        ConflictError: ``source.version_open``, one is open already.
    """
    once = make_once(actor.user_id, key, "versions.create", [source_id, copy])

    def make(connection: Connection) -> str:
        require(connection, actor, "versions.create", source_id)
        if not hold(connection, sources.c.id, source_id):
            raise not_found("source")
        opened = _open(connection, source_id, copy)
        record(connection, actor, "versions.create", source_id, details={"version": opened})
        return str(opened)

    number, made = create(platform.records, once, make)
    return read_version(platform, actor, source_id, int(number)), made


def _open(connection: Connection, source_id: str, copy: bool) -> int:
    mine = source_versions.c.source_id == source_id
    found = connection.execute(
        select(source_versions.c.number, source_versions.c.sealed_at)
        .where(mine)
        .order_by(source_versions.c.number.desc())
    ).first()
    if found is not None and found.sealed_at is None:
        raise ConflictError(
            "source.version_open",
            f"Version {found.number} is open.",
            where="version",
            remedy=f"Put the files into version {found.number}, and seal it.",
        )
    number = 1 if found is None else found.number + 1
    connection.execute(insert(source_versions).values(source_id=source_id, number=number, created_at=now()))
    if copy and found is not None:
        attach(connection, source_id, number, list_files(connection, source_id, found.number))
    return number


def list_versions(platform: Platform, actor: Actor, source_id: str, wanted: Wanted) -> Page[VersionView]:
    """List the versions of a source, the newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "versions.list", source_id)
        query = select(source_versions).where(source_versions.c.source_id == source_id)
        at, key = source_versions.c.number, source_versions.c.source_id
        rows, following = read_page(connection, query, at, key, wanted)
        return Page(items=tuple(_version_view(connection, row) for row in rows), next=following)


def read_version(platform: Platform, actor: Actor, source_id: str, number: int) -> VersionView:
    """Give a version with its files."""
    with platform.records.read() as connection:
        require(connection, actor, "versions.read", source_id)
        return _version_view(connection, read_version_row(connection, source_id, number))


def put_file(
    platform: Platform, actor: Actor, source_id: str, number: int, *, name: str, chunks: Iterable[bytes]
) -> FileView:
    """Take a file into an open version, in place of one of the same name.

    Args:
        platform: The platform.
        actor: Who.
        source_id: The source.
        number: An open version of it.
        name: A label; never a path.
        chunks: The content, as it comes.

    Raises:
        SourceError: ``source.file_name``, ``source.unknown_kind``, ``source.wrong_type``,
            ``source.compressed``, ``source.encrypted``, ``source.empty`` or ``source.too_large``.
        ConflictError: ``source.sealed``, the version is sealed.

    Guarantees:
        An upload that is cut leaves nothing. Memory is that of a chunk.
    """
    label = check_name(name)
    with platform.records.read() as connection:
        require(connection, actor, "versions.upload", source_id)
        _require_open(connection, source_id, number)
    with _spooled(platform, label, chunks) as (path, digest):
        stored = platform.artefacts.put_file(path, "original", digest=digest)
    with platform.records.write() as connection:
        require(connection, actor, "versions.upload", source_id)
        hold(connection, sources.c.id, source_id)
        _require_open(connection, source_id, number)
        known = list_files(connection, source_id, number)
        if label not in known and len(known) >= MOST_FILES:
            raise SourceError(
                "source.too_many_files",
                f"A source has at most {MOST_FILES:,} files.",
                where=label,
                remedy="Put several tables into one file, or make several sources.",
            )
        if label in known and known[label].digest != stored.digest:
            replaced = detach(connection, source_id, number, under=label)
            said = {"version": number}
            write_receipt(connection, "source", source_id, [replaced], reason=REPLACED, details=said)
        attach(connection, source_id, number, {label: stored})
    return _file_view(label, stored)


def remove_file(platform: Platform, actor: Actor, source_id: str, number: int, name: str) -> None:
    """Take a file out of an open version."""
    label = unicodedata.normalize("NFC", name)
    with platform.records.write() as connection:
        require(connection, actor, "versions.remove_file", source_id)
        hold(connection, sources.c.id, source_id)
        _require_open(connection, source_id, number)
        if label not in list_files(connection, source_id, number):
            raise not_found("file")
        removed = detach(connection, source_id, number, under=label)
        write_receipt(connection, "source", source_id, [removed], details={"version": number})
        record(connection, actor, "versions.remove_file", source_id, details={"version": number})


def seal_version(platform: Platform, actor: Actor, source_id: str, number: int) -> VersionView:
    """Fix a version for ever; sealing a sealed one changes nothing.

    Raises:
        SourceError: ``source.no_files``.
    """
    with platform.records.write() as connection:
        require(connection, actor, "versions.seal", source_id)
        hold(connection, sources.c.id, source_id)
        row = read_version_row(connection, source_id, number)
        if row.sealed_at is None:
            files = list_files(connection, source_id, number)
            if not files:
                raise SourceError(
                    "source.no_files",
                    "The version has no files.",
                    where="version",
                    remedy="Upload one file at least.",
                )
            mine = (source_versions.c.source_id == source_id) & (source_versions.c.number == number)
            digest = digest_files({name: one.digest for name, one in files.items()})
            connection.execute(update(source_versions).where(mine).values(digest=digest, sealed_at=now()))
            connection.execute(
                update(sources).where(sources.c.id == source_id).values(version=number, updated_at=now())
            )
            # The one entry for all its uploads: thousands of files must not queue for the log.
            said = {"version": number, "files": len(files), "bytes": sum(one.size for one in files.values())}
            record(connection, actor, "versions.seal", source_id, details=said)
        return _version_view(connection, read_version_row(connection, source_id, number))


def digest_files(digests: Mapping[str, str]) -> str:
    """Give the digest of a version: of its files' names and digests, in the order of names.

    >>> digest_files({"a.csv": "00"})[:8]
    '68db929a'
    """
    text = json.dumps(sorted(digests.items()), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_version_row(connection: Connection, source_id: str, number: int) -> Row[Any]:
    """Give the row of a version.

    Raises:
        AccessError: ``access.not_found``.
    """
    if not 0 < number < 2**31:
        raise not_found("version")
    row = connection.execute(
        select(source_versions).where(
            source_versions.c.source_id == source_id, source_versions.c.number == number
        )
    ).one_or_none()
    if row is None:
        raise not_found("version")
    return row


def check_name(name: str) -> str:
    """Give the label of a file, or refuse its name.

    Raises:
        SourceError: ``source.file_name`` or ``source.unknown_kind``.

    >>> check_name("orders.csv")
    'orders.csv'
    """
    label = unicodedata.normalize("NFC", name)
    bad = _NOT_IN_NAMES.search(label) or label.startswith(".") or label != label.strip() or not label
    if bad or not _is_short(label):
        raise SourceError(
            "source.file_name",
            f"The name is empty, longer than {_NAME_BYTES} bytes, begins with a point or a space, or has a "
            "slash or a control character.",
            where="file name",
            remedy="Rename the file.",
        )
    if is_compressed_name(Path(label)):
        raise SourceError(
            "source.compressed", "The file is compressed.", where=label, remedy="Unpack it first."
        )
    if Path(label).suffix.lower() not in ENDINGS:
        raise SourceError(
            "source.unknown_kind",
            "The file's ending is of no kind that is read.",
            where=label,
            remedy="Upload files that end with " + ", ".join(sorted(ENDINGS)) + ".",
        )
    return label


def _is_short(label: str) -> bool:
    try:
        return len(label.encode()) <= _NAME_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


@contextmanager
def _spooled(platform: Platform, label: str, chunks: Iterable[bytes]) -> Iterator[tuple[Path, str]]:
    """Write an upload to a temporary file and give it with its digest."""
    with platform.analysts.folder() as folder:
        path, running, size, start = folder / "upload", hashlib.sha256(), 0, b""
        with explained(), path.open("wb") as handle:
            for chunk in chunks:
                size += len(chunk)
                if size > platform.deployment.max_upload_bytes:
                    raise _too_large(label, platform.deployment.max_upload_bytes)
                start += chunk[: START_BYTES - len(start)]
                running.update(chunk)
                handle.write(chunk)
        check_start(label, start)
        yield path, running.hexdigest()


def _too_large(label: str, limit: int) -> SourceError:
    return SourceError(
        "source.too_large",
        f"The file has more than {limit:,} bytes.",
        where=label,
        remedy="Split it; KINSYNTH_MAX_UPLOAD_BYTES sets the limit.",
    )


def _require_open(connection: Connection, source_id: str, number: int) -> None:
    if read_version_row(connection, source_id, number).sealed_at is not None:
        raise ConflictError(
            "source.sealed",
            "The version is sealed and does not change any more.",
            where="version",
            remedy="Open a new version.",
        )


def require_sealed(connection: Connection, source_id: str, number: int) -> Row[Any]:
    """Give the row of a version that is sealed.

    Raises:
        ConflictError: ``source.not_sealed``.
    """
    row = read_version_row(connection, source_id, number)
    if row.sealed_at is None:
        raise ConflictError(
            "source.not_sealed",
            "The version is open: its files may still change.",
            where="version",
            remedy="Seal it first.",
        )
    return row


def gone(where: str = "source") -> UserError:
    """Give the error for a source whose files are not there any more."""
    return SourceError(
        "source.gone",
        "The source was deleted, has no sealed version, or its owner may no longer edit the synthesis.",
        where=where,
        remedy="Name another source, or upload the files again and seal the version.",
    )


def _read(connection: Connection, source_id: str) -> Row[Any]:
    return connection.execute(select(sources).where(sources.c.id == source_id)).one()


def _version_view(connection: Connection, row: Row[Any]) -> VersionView:
    files = list_files(connection, row.source_id, row.number)
    return VersionView(
        source_id=row.source_id,
        number=row.number,
        sealed=row.sealed_at is not None,
        digest=row.digest,
        files=tuple(_file_view(name, one) for name, one in files.items()),
        created_at=row.created_at,
        sealed_at=row.sealed_at,
    )


def _file_view(name: str, stored: Stored) -> FileView:
    return FileView(name=name, size=stored.size, sha256=stored.digest)
