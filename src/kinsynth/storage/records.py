"""Records: the database of an installation, SQLite or PostgreSQL, and its transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool

from kinsynth.errors import SettingsError, TransientError
from kinsynth.system import crash

_BUSY_MS = 20_000
# How long PostgreSQL waits for a process that stands still, or cannot be reached, in a transaction: it holds
# rows, and nobody else could take over what it worked on.
_STILL_S = 15.0
_STILL = "idle_in_transaction_session_timeout"
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Records:
    """The database of an installation.

    Args:
        url: ``sqlite:////path/to/file`` or ``postgresql://user:password@host/database``.

    Raises:
        SettingsError: ``records.url``, the address is not of one of the two.

    Guarantees:
        A transaction that was committed is on the disk. Two writing transactions never both succeed where
        one would have changed what the other read for its ``WHERE``: on SQLite they run one after the other.
        On PostgreSQL a transaction in which nothing is asked for 15 seconds is undone and its rows are free.
    """

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self.engine = _make_engine(self.url)

    @property
    def is_sqlite(self) -> bool:
        """Tell which of the two it is."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end of the block, or undone.

        Raises:
            TransientError: ``records.unavailable``, the database is away or was too busy; nothing was
                written, or the answer to the commit was lost.
        """
        with translated(), self.engine.begin() as connection:
            yield connection
            crash.point("records.before_commit")
        crash.point("records.committed")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state and writes nothing."""
        with translated(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(kinsynth_begin="DEFERRED")
            with connection.begin():
                yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection that sees the state of one moment, however many statements read it."""
        with translated(), self.engine.connect() as connection:
            if self.is_sqlite:  # there every transaction sees one moment
                connection.execution_options(kinsynth_begin="DEFERRED")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                if not self.is_sqlite:  # it holds no rows, and may read on after a long while
                    connection.execute(text(f"SET LOCAL {_STILL} = 0"))
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn a database that is away into an error of ours, without the statement and its values.

    Raises:
        TransientError: ``records.unavailable``.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise TransientError(
            "records.unavailable",
            f"The database of the installation did not answer ({type(error.orig).__name__}).",
            remedy="Try again; where it stays away, look at the database server and its disk.",
        ) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise TransientError(
                "records.unavailable",
                "The connection to the database of the installation was lost.",
                remedy="Try again; where it stays away, look at the database server.",
            ) from error
        raise


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except Exception as error:  # noqa: BLE001 - whatever is wrong, its text may hold the password
        raise _bad_url() from error.with_traceback(None)
    name = parsed.drivername.partition("+")[0]
    if name not in _DRIVERS:
        raise _bad_url()
    found = parsed.set(drivername=_DRIVERS[name])
    return found if name == "sqlite" else _with_patience(found)


def _with_patience(url: URL) -> URL:
    """Add the time to wait for who stands still, in the address: so DBOS's connections have it, too."""
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    if _STILL in options:
        return url
    return url.update_query_dict({"options": f"{options} -c {_STILL}={1000 * _STILL_S:.0f}".strip()})


def _bad_url() -> SettingsError:
    return SettingsError(
        "records.url",
        "The address of the database is not understood; expected sqlite:///FILE or postgresql://...",
        where="KINSYNTH_DATABASE",
        remedy="Correct the setting.",
    )


def _make_engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=40,
            hide_parameters=True,
            connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        pool_size=8,
        max_overflow=40,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "kinsynth"},
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start: a transaction that read first could not get it later."""
    mode = connection.get_execution_options().get("kinsynth_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")


def check_connection(records: Records) -> None:
    """Ask the database for an answer.

    Raises:
        TransientError: ``records.unavailable``.
    """
    with records.read() as connection:
        connection.execute(text("SELECT 1"))
