"""Backup: the whole installation in one file, and back into an empty one, also of the other database.

A tar file: ``backup.json``, then the blobs as they are stored (encrypted ones stay so; keys are not in
it), then the rows of each table as JSON lines, and last ``manifest.json`` with the SHA-256 of every part.
Sessions, tickets and what else dies with its process is left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Table, func, insert, select, update

from kinsynth.errors import ConflictError, UserError
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.store import Store
from kinsynth.storage.tables import artefacts, executions, files, instance, metadata, quotas, users
from kinsynth.system.failures import explained
from kinsynth.system.files import commit

FORMAT = 1
OnShare = Callable[[float, str], None]
_LEFT_OUT = {
    "sessions",
    "tickets",
    "sign_ins",
    "throttles",
    "workers",
    "idempotency",
    "instance",
    "condemned",
}
_PART = re.compile(
    r"backup\.json|manifest\.json|records/[a-z_]+\.jsonl"
    r"|artefacts/[a-z]+/[0-9a-f]{2}/[0-9a-f]{64}\.[0-9a-f]{16}"
)
_CHUNK = 1 << 20
_AT_ONCE = 200
_ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Contents:
    """What a backup holds.

    Attributes:
        rows: Rows by table.
        files: Blobs.
        bytes: Size of the blobs as they are stored.
    """

    rows: Mapping[str, int]
    files: int
    bytes: int


def _silent(_share: float, _message: str) -> None:
    pass


# Writing


@explained()
def back_up(records: Records, store: Store, path: Path, *, on_share: OnShare = _silent) -> Contents:
    """Write the installation into a file, while it works.

    Args:
        records: Its database.
        store: Its blobs.
        path: The file, made whole or not at all.
        on_share: Told the share that is done, 0-1.

    Raises:
        UserError: ``backup.exists``, the file is there already, or half of it; ``artefact.missing``, a blob
            that a file names is gone.

    Guarantees:
        Only its owner may read the file: what the installation does not encrypt is plain in it.
        Rows are of one moment. Every blob that a row in the backup names is in it.
    """
    if path.exists():
        raise UserError(
            "backup.exists", "The file exists already.", where=path.name, remedy="Choose another name."
        )
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(
            "backup.exists",
            "A backup into this file is being written, or was cut short.",
            where=temporary.name,
            remedy="Wait for it, or remove the file.",
        ) from None
    try:
        with (
            os.fdopen(descriptor, "wb") as handle,
            tarfile.open(fileobj=handle, mode="w", format=tarfile.PAX_FORMAT) as tar,
            records.snapshot() as connection,
        ):
            contents = _write(connection, records, store, _Writer(tar, path.parent), on_share)
        commit(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return contents


def _write(
    connection: Connection, records: Records, store: Store, writer: _Writer, on_share: OnShare
) -> Contents:
    at = connection.execute(select(now())).scalar_one()
    writer.add_json("backup.json", {"format": FORMAT, "kinsynth": version("kinsynth"), "made_at": at})
    named = connection.execute(
        select(artefacts.c.digest, artefacts.c.label, artefacts.c.size, artefacts.c.blob)
        .where(select(files.c.path).where(_same_blob()).exists())
        .order_by(artefacts.c.label, artefacts.c.digest)
    ).all()
    total, done, gone = sum(one.size for one in named) or 1, 0, set()
    for digest, label, size, blob in named:
        if not _copy_blob(writer, store, blob):
            _refuse_missing(records, blob)
            gone.add((digest, label))
        done += size
        on_share(0.9 * done / total, f"{len(writer.sums):,} files")
    rows = {table.name: _dump(writer, connection, table, gone) for table in _kept_tables()}
    writer.add_json("manifest.json", writer.sums)
    on_share(1.0, "written")
    return Contents(rows, len(named) - len(gone), writer.blob_bytes)


def _same_blob() -> Any:
    return (files.c.digest == artefacts.c.digest) & (files.c.label == artefacts.c.label)


def _kept_tables() -> list[Table]:
    """Give the tables that are kept, those that others point at first."""
    return [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]


class _Writer:
    """Adds parts to a tar file and remembers their digests."""

    def __init__(self, tar: tarfile.TarFile, folder: Path) -> None:
        self._tar, self._folder = tar, folder
        self.sums: dict[str, str] = {}
        self.blob_bytes = 0

    def make_spool(self) -> IO[bytes]:
        """Give a file without a name for a part that is made; beside the backup, where there is room."""
        return tempfile.TemporaryFile(dir=self._folder)

    def add(self, name: str, content: IO[bytes]) -> None:
        """Add what a file holds from its start."""
        content.seek(0, io.SEEK_END)
        part = tarfile.TarInfo(name)
        part.size, part.mode = content.tell(), 0o600
        content.seek(0)
        self.sums[name] = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
        content.seek(0)
        self._tar.addfile(part, content)
        self.blob_bytes += part.size if name.startswith("artefacts/") else 0

    def add_json(self, name: str, document: Any) -> None:
        """Add a small document."""
        self.add(name, io.BytesIO(json.dumps(document, sort_keys=True).encode()))


def _copy_blob(writer: _Writer, store: Store, name: str) -> bool:
    """Copy a blob as it is stored; tell whether it was there."""
    with writer.make_spool() as spool:
        try:
            with store.open(name) as read:
                while chunk := read(_CHUNK):
                    spool.write(chunk)
        except UserError as error:
            if error.code != "artefact.missing":
                raise
            return False
        writer.add(f"artefacts/{name}", spool)
    return True


def _refuse_missing(records: Records, blob: str) -> None:
    """Stop at a blob that is gone although a file names it; one that was given up meanwhile is no loss."""
    with records.read() as connection:
        named = select(files.c.path).join(artefacts, _same_blob()).where(artefacts.c.blob == blob)
        if connection.execute(named.limit(1)).first():
            raise UserError(
                "artefact.missing",
                "A file that the records name is not in the artefact store.",
                where=blob,
                remedy="Bring it back from an older backup, or delete what it belongs to.",
            )


def _dump(writer: _Writer, connection: Connection, table: Table, gone: set[tuple[str, str]]) -> int:
    order = [executions.c.created_at] if table is executions else []
    rows, count = connection.execute(select(table).order_by(*order, *table.primary_key)).mappings(), 0
    with writer.make_spool() as spool:
        for row in rows:
            if (row.get("digest"), row.get("label")) in gone:
                continue
            spool.write(json.dumps(dict(row), separators=(",", ":")).encode() + b"\n")
            count += 1
        writer.add(f"records/{table.name}.jsonl", spool)
    return count


# Reading


def restore(records: Records, store: Store, path: Path, *, on_share: OnShare = _silent) -> Contents:
    """Bring a backup into an installation that holds nothing yet.

    Args:
        records: Its database, migrated.
        store: Where blobs go.
        path: The backup.
        on_share: Told the share that is done, 0-1.

    Raises:
        ConflictError: ``backup.not_empty``, the installation has people already.
        UserError: ``backup.damaged`` or ``backup.version``; nothing was changed.

    Guarantees:
        Rows come in one transaction. Executions that had not ended are failed (``execution.restored``): they
        may have gone on, or be going on, where the backup was made. Nobody is signed in.
    """
    with records.read() as connection:
        if connection.execute(select(func.count()).select_from(users)).scalar_one():
            raise ConflictError(
                "backup.not_empty",
                "The installation has people already; expected an empty one.",
                remedy="Name an empty data folder and database.",
            )
    try:
        with tarfile.open(path, mode="r:") as tar:
            _verify(tar)
            return _load(tar, records, store, on_share)
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise _damaged() from error


def _damaged() -> UserError:
    return UserError(
        "backup.damaged",
        "The file is no backup, or was cut or changed.",
        remedy="Take another copy of it.",
    )


def _verify(tar: tarfile.TarFile) -> None:
    """Compare every part with the manifest before anything is changed."""
    parts = tar.getmembers()
    names = [part.name for part in parts]
    if not parts or names[-1] != "manifest.json" or names[0] != "backup.json" or len({*names}) < len(names):
        raise _damaged()
    if not all(part.isreg() and _PART.fullmatch(part.name) for part in parts):
        raise _damaged()
    manifest = _read_json(tar, parts[-1])
    for part in parts[:-1]:
        with _open(tar, part) as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != manifest.get(part.name):  # type: ignore[arg-type]
                raise _damaged()
    if {*manifest} != {*names[:-1]}:
        raise _damaged()
    found = _read_json(tar, parts[0])["format"]
    if found != FORMAT:
        raise UserError(
            "backup.version",
            f"The backup is of format {found}; expected {FORMAT}.",
            remedy="Restore it with the version of kinsynth that made it.",
        )


def _open(tar: tarfile.TarFile, part: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(part)
    if content is None:
        raise _damaged()
    return content


def _read_json(tar: tarfile.TarFile, part: tarfile.TarInfo) -> Any:
    with _open(tar, part) as content:
        try:
            return json.load(content)
        except ValueError as error:
            raise _damaged() from error


def _load(tar: tarfile.TarFile, records: Records, store: Store, on_share: OnShare) -> Contents:
    blobs = [part for part in tar.getmembers() if part.name.startswith("artefacts/")]
    total, done = sum(part.size for part in blobs) or 1, 0
    for part in blobs:
        with _open(tar, part) as content:
            store.write(part.name.removeprefix("artefacts/"), iter(lambda: content.read(_CHUNK), b""))
        done += part.size
        on_share(0.9 * done / total, f"{len(blobs):,} files")
    with records.write() as connection:
        rows = {table.name: _insert(tar, connection, table) for table in _kept_tables()}
        _void(connection)
    on_share(1.0, "restored")
    return Contents(rows, len(blobs), sum(part.size for part in blobs))


def _insert(tar: tarfile.TarFile, connection: Connection, table: Table) -> int:
    count = 0
    with _open(tar, tar.getmember(f"records/{table.name}.jsonl")) as content:
        for some in _batches(content):
            connection.execute(insert(table), some)
            count += len(some)
    return count


def _batches(content: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for line in content:
        batch.append(json.loads(line))
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _void(connection: Connection) -> None:
    """End what had not ended, and name the installation anew: two copies never do one thing twice."""
    connection.execute(
        update(executions)
        .where(executions.c.status.not_in(_ENDED))
        .values(
            status="failed",
            error={
                "code": "execution.restored",
                "message": "The execution had not ended when the backup was made.",
                "where": "",
                "remedy": "Retry it.",
                "findings": [],
            },
            epoch=executions.c.epoch + 1,
            worker_id=None,
            lease_expires_at=0.0,
            finished_at=now(),
        )
    )
    connection.execute(update(quotas).values(reserved=0.0))
    connection.execute(insert(instance).values(key="id", value=make_id("ins")))
