"""Files: which contents a source, an execution or a download has, by path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from kinsynth.storage import clock
from kinsynth.storage.artefacts import RELEASED, Label, Stored, collected
from kinsynth.storage.tables import artefacts, files

_AT_ONCE = 200


@dataclass(frozen=True)
class Detached:
    """What an owner lost.

    Attributes:
        files: How many files.
        bytes: Their size.
    """

    files: int
    bytes: int


def attach(connection: Connection, owner_id: str, version: int, stored: Mapping[str, Stored]) -> None:
    """Give an owner files, in place of those of the same paths.

    Args:
        connection: In a writing transaction.
        owner_id: Source, execution or download.
        version: Version of a source; 0 elsewhere.
        stored: What ``Artefacts.put_file`` gave, by path.

    Raises:
        TransientError: ``artefact.collected``, the blob was removed meanwhile: more than an hour went by
            since it was put, or another owner gave up the same content. Put it again.
    """
    ordered = sorted(stored.items())
    for start in range(0, len(ordered), _AT_ONCE):
        part = dict(ordered[start : start + _AT_ONCE])
        _take(connection, _of(owner_id, version) & files.c.path.in_(part), kept=part.values())
        try:
            connection.execute(insert(files).values([_row(owner_id, version, *one) for one in part.items()]))
        except IntegrityError as error:
            raise collected() from error
    named = {(one.digest, one.label, one.blob, one.key_id) for one in stored.values()}
    for _, _, blob, key_id in sorted(named, key=str):
        there = update(artefacts).where(artefacts.c.blob == blob).values(key_id=key_id)
        if not connection.execute(there).rowcount:
            raise collected()


def _row(owner_id: str, version: int, path: str, one: Stored) -> dict[str, Any]:
    return {
        "owner_id": owner_id,
        "version": version,
        "path": path,
        "digest": one.digest,
        "label": one.label,
        "size": one.size,
        "created_at": clock.now(),
    }


def list_files(
    connection: Connection, owner_id: str, version: int = 0, *, under: str = ""
) -> dict[str, Stored]:
    """Give the files of an owner by path, sorted.

    Args:
        connection: In any transaction.
        owner_id: Source, execution or download.
        version: Version of a source; 0 elsewhere.
        under: Only the file of this path, or those below this folder; empty for all.
    """
    found = connection.execute(
        select(
            files.c.path, files.c.digest, files.c.label, files.c.size, artefacts.c.key_id, artefacts.c.blob
        )
        .join(artefacts, and_(artefacts.c.digest == files.c.digest, artefacts.c.label == files.c.label))
        .where(_of(owner_id, version), _under(under))
        .order_by(files.c.path)
    )
    return {path: Stored(*said) for path, *said in found}


def list_times(connection: Connection, owner_id: str, version: int = 0) -> dict[str, float]:
    """Give when each file of an owner was attached, by path; arguments as of ``list_files``."""
    found = connection.execute(select(files.c.path, files.c.created_at).where(_of(owner_id, version)))
    return {row.path: row.created_at for row in found}


def detach(connection: Connection, owner_id: str, version: int | None = None, *, under: str = "") -> Detached:
    """Take files from an owner; blobs that no other file names are removed by the next collection.

    Args:
        connection: In a writing transaction.
        owner_id: Source, execution or download.
        version: Version of a source; None for all versions.
        under: Only the file of this path, or those below this folder; empty for all.
    """
    return _take(connection, _of(owner_id, version) & _under(under))


def _take(connection: Connection, which: ColumnElement[bool], kept: Iterable[Stored] = ()) -> Detached:
    taken = connection.execute(
        delete(files).where(which).returning(files.c.digest, files.c.label, files.c.size)
    ).all()
    keep = {(one.digest, one.label) for one in kept}
    _release(connection, {(digest, label) for digest, label, _ in taken} - keep)
    return Detached(len(taken), sum(size for _, _, size in taken))


def move(connection: Connection, owner_id: str, under: str, to: str) -> None:
    """Give the files of an owner below a folder the same names below another one."""
    renamed = to + func.substr(files.c.path, len(under) + 1)
    connection.execute(update(files).where(_of(owner_id, 0), _under(under)).values(path=renamed))


def _release(connection: Connection, blobs: Set[tuple[str, Label]]) -> None:
    """End the rest of blobs: the next collection removes them if no file names them."""
    ordered = sorted(blobs)
    for start in range(0, len(ordered), _AT_ONCE):
        mine = tuple_(artefacts.c.digest, artefacts.c.label).in_(ordered[start : start + _AT_ONCE])
        in_order = select(artefacts.c.digest).where(mine).order_by(artefacts.c.digest, artefacts.c.label)
        connection.execute(in_order.with_for_update()).all()  # an update alone locks rows as they come
        connection.execute(update(artefacts).where(mine).values(created_at=RELEASED))


def _of(owner_id: str, version: int | None) -> ColumnElement[bool]:
    mine = files.c.owner_id == owner_id
    return mine if version is None else mine & (files.c.version == version)


def _under(folder: str) -> ColumnElement[bool]:
    """Say which paths are meant; compared by characters, whatever the database's order of texts is."""
    if not folder:
        return true()
    return or_(files.c.path == folder, func.substr(files.c.path, 1, len(folder) + 1) == f"{folder}/")
