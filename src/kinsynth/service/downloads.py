"""Downloads: results in the format somebody wants, made in the background, fetched with one-time tickets."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from kinsynth.errors import ConflictError, KinsynthError, OutOfMemory, TransientError
from kinsynth.service.actor import Actor
from kinsynth.service.audit import record
from kinsynth.service.executions import ErrorView
from kinsynth.service.idempotency import forget
from kinsynth.service.pages import View
from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.service.permissions import find_level, not_found, require
from kinsynth.service.platform import Platform
from kinsynth.service.results import Content, find_synthetic, open_content
from kinsynth.settings.destination import FileFormat
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.clock import now
from kinsynth.storage.files import attach, list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import downloads, executions, tickets, users
from kinsynth.system.child import describe

TICKET_S = 600.0
_LEASE_S = 30.0
_LOOK_S = 2.0
_TIDY_S = 3_600.0
_log = logging.getLogger(__name__)


class DownloadView(View):
    """Results in one format."""

    id: str
    execution_id: str
    format: FileFormat
    status: Literal["preparing", "ready", "failed"]
    error: ErrorView | None
    file_name: str | None = Field(description="Null until it is ready.")
    size: int | None = Field(description="Bytes; null until it is ready.")
    sha256: str | None
    created_at: float


class TicketView(View):
    """The right to fetch a download once."""

    path: str = Field(description="Path to get it from; it works once.")
    file_name: str
    expires_at: float


def create_download(
    platform: Platform,
    actor: Actor,
    execution_id: str,
    format: FileFormat,  # noqa: A002 - the user's word
) -> tuple[DownloadView, bool]:
    """Ask for the results in a format; one that is there or on its way is given again.

    Raises:
        ConflictError: ``execution.no_results``.
    """
    with platform.records.write() as connection:
        require(connection, actor, "downloads.create", execution_id)
        find_synthetic(connection, execution_id)
        mine = (downloads.c.execution_id == execution_id) & (downloads.c.format == format)
        known = connection.execute(select(downloads).where(mine, downloads.c.status != "failed")).first()
        if known is not None:
            return _view(connection, known), False
        download_id = make_id("dow")
        connection.execute(
            insert(downloads).values(
                id=download_id,
                execution_id=execution_id,
                format=format,
                status="preparing",
                claimed_until=0.0,
                created_at=now(),
            )
        )
        said = {"execution": execution_id, "format": format}
        record(connection, actor, "downloads.create", download_id, details=said)
        return _view(connection, _read(connection, download_id)), True


def list_downloads(platform: Platform, actor: Actor, execution_id: str) -> tuple[DownloadView, ...]:
    """List the downloads of an execution, newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "downloads.list", execution_id)
        rows = connection.execute(
            select(downloads)
            .where(downloads.c.execution_id == execution_id)
            .order_by(downloads.c.created_at.desc(), downloads.c.id)
        ).all()
        return tuple(_view(connection, row) for row in rows)


def read_download(platform: Platform, actor: Actor, download_id: str) -> DownloadView:
    """Give a download."""
    with platform.records.read() as connection:
        require(connection, actor, "downloads.read", download_id)
        return _view(connection, _read(connection, download_id))


def issue_ticket(platform: Platform, actor: Actor, download_id: str) -> TicketView:
    """Give the right to fetch a download once, without signing in, within ten minutes.

    Raises:
        ConflictError: ``download.not_ready``.
    """
    secret = make_proof()
    with platform.records.write() as connection:
        require(connection, actor, "downloads.ticket", download_id)
        view = _view(connection, _read(connection, download_id))
        if view.status != "ready" or view.file_name is None:
            raise ConflictError(
                "download.not_ready",
                f"The download is {view.status}.",
                where="download",
                remedy="Wait until it is ready; ask for it again where it failed.",
            )
        connection.execute(
            insert(tickets).values(
                secret_hash=digest(secret),
                user_id=actor.user_id,
                owner_id=download_id,
                path=view.file_name,
                file_name=view.file_name,
                expires_at=now() + TICKET_S,
            )
        )
        expires_at = connection.execute(select(now() + TICKET_S)).scalar_one()
        record(connection, actor, "downloads.ticket", download_id)
    return TicketView(path=f"/api/v1/tickets/{secret}", file_name=view.file_name, expires_at=expires_at)


def redeem_ticket(platform: Platform, secret: str) -> Content:
    """Open what a ticket is for; the ticket is worth nothing afterwards.

    Raises:
        AccessError: ``access.not_found``: there is none, it was used, it is over, or who had it may not see
            the download any more.
    """
    with platform.records.write() as connection:
        row = connection.execute(
            update(tickets)
            .where(
                tickets.c.secret_hash == digest(secret[:200]),
                tickets.c.used_at.is_(None),
                tickets.c.expires_at > now(),
            )
            .values(used_at=now())
            .returning(tickets.c.user_id, tickets.c.owner_id, tickets.c.path, tickets.c.file_name)
        ).one_or_none()
        stored = None if row is None else _still_theirs(connection, row)
        if row is not None and stored is not None:
            theirs = Actor(row.user_id, None, "session")
            said = {"sha256": stored.digest, "bytes": stored.size}
            record(connection, theirs, "tickets.redeem", row.owner_id, details=said)
    if row is None or stored is None:
        raise not_found("ticket")
    return open_content(platform, stored, row.file_name)


def _still_theirs(connection: Connection, row: Row[Any]) -> Stored | None:
    person = connection.execute(select(users.c.role, users.c.status).where(users.c.id == row.user_id)).one()
    actor = Actor(row.user_id, person.role, "session")
    if person.status != "active" or find_level(connection, actor, "download", row.owner_id) is None:
        return None
    return list_files(connection, row.owner_id).get(row.path)


def _read(connection: Connection, download_id: str) -> Row[Any]:
    return connection.execute(select(downloads).where(downloads.c.id == download_id)).one()


def _view(connection: Connection, row: Row[Any]) -> DownloadView:
    found = next(iter(list_files(connection, row.id).items()), None)
    path, stored = found if found is not None else (None, None)
    return DownloadView(
        id=row.id,
        execution_id=row.execution_id,
        format=row.format,
        status=row.status,
        error=row.error,
        file_name=path,
        size=stored.size if stored else None,
        sha256=stored.digest if stored else None,
        created_at=row.created_at,
    )


# Making them


class Preparer:
    """A thread that makes the downloads that were asked for, of any process of the installation.

    Args:
        platform: The platform.

    Guarantees:
        A download whose maker dies is made by another one, 30 seconds later at most.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="downloads", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    def close(self) -> None:
        """End after the download on its way."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        tidied = -_TIDY_S
        while not self._stop.is_set():
            try:
                if prepare_next(self._platform):
                    continue
                if time.monotonic() - tidied >= _TIDY_S:
                    forget_used(self._platform)
                    tidied = time.monotonic()
            except TransientError as error:  # the database or the store is away: somebody tries again
                _log.warning("downloads wait: %s", error.code)
            except Exception as error:  # noqa: BLE001 - the thread must live; the text could hold a value
                _log.error("downloads wait: %s", type(error).__name__)
            self._wake.wait(_LOOK_S)
            self._wake.clear()


def forget_used(platform: Platform) -> None:
    """Forget tickets that are worth nothing any more, and old keys of requests."""
    with platform.records.write() as connection:
        connection.execute(
            delete(tickets).where(or_(tickets.c.expires_at < now(), tickets.c.used_at.is_not(None)))
        )
        forget(connection)


def prepare_next(platform: Platform) -> bool:
    """Make one download that waits; tell whether there was one.

    Raises:
        TransientError: The database or the store is away, or all children are at work: it waits on.
    """
    with platform.records.write() as connection:
        claimed = _claim(connection)
    if claimed is None:
        return False
    with _renewed(platform, claimed.id):
        try:
            made = _make(platform, claimed)
        except KinsynthError as error:
            if isinstance(error, TransientError) and not isinstance(error, OutOfMemory):
                _leave(platform, claimed.id, {"claimed_until": now()})
                raise
            _leave(platform, claimed.id, {"status": "failed", "error": _said(error)})
            return True
    with platform.records.write() as connection:
        if _finish(connection, claimed.id, {"status": "ready"}):
            attach(connection, claimed.id, 0, made)
    return True


def _claim(connection: Connection) -> Any:
    """Take one that waits; None when there is none."""
    waiting = (downloads.c.status == "preparing") & (downloads.c.claimed_until < now())
    row = connection.execute(
        select(downloads.c.id)
        .where(waiting)
        .order_by(downloads.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    connection.execute(
        update(downloads).where(downloads.c.id == row.id).values(claimed_until=now() + _LEASE_S)
    )
    claimed: Any = connection.execute(
        select(
            downloads.c.id,
            downloads.c.execution_id,
            downloads.c.format,
            executions.c.name,
            executions.c.document,
        )
        .join(executions, executions.c.id == downloads.c.execution_id)
        .where(downloads.c.id == row.id)
    ).one()
    return claimed


def _make(platform: Platform, claimed: Row[Any]) -> dict[str, Stored]:
    """Convert in a limited child, and keep the file."""
    with platform.records.read() as connection:
        stored = find_synthetic(connection, claimed.execution_id)
    with platform.analysts.folder() as folder:
        for path, one in stored.items():
            platform.artefacts.fetch(one, folder / path)
        settings = claimed.document.get("destination", {})
        neutralise = bool(settings.get("neutralise_formulas", False))
        name = platform.analysts.call(
            "convert", {"format": claimed.format, "settings": {"neutralise_formulas": neutralise}}, folder
        )
        made = folder / "out" / Path(name).name
        return {made.name: platform.artefacts.put_file(made, "protected")}


@contextmanager
def _renewed(platform: Platform, download_id: str) -> Iterator[None]:
    """Keep a claim while the block runs."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_LEASE_S / 3):
            try:
                _leave(platform, download_id, {"claimed_until": now() + _LEASE_S})
            except TransientError as error:  # the next one may succeed; else somebody makes it again
                _log.warning("a download could not be renewed: %s", error.code)

    thread = threading.Thread(target=renew, name="download lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _leave(platform: Platform, download_id: str, values: dict[str, Any]) -> None:
    with platform.records.write() as connection:
        _finish(connection, download_id, values)


def _finish(connection: Connection, download_id: str, values: dict[str, Any]) -> bool:
    mine = (downloads.c.id == download_id) & (downloads.c.status == "preparing")
    return bool(connection.execute(update(downloads).where(mine).values(**values)).rowcount)


def _said(error: KinsynthError) -> dict[str, Any]:
    said = describe(error)
    del said["class"]
    return said
