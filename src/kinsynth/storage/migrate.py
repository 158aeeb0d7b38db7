"""Bring the tables of an installation to this version, one process at a time."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from kinsynth.errors import UserError
from kinsynth.storage.records import Records

_LOCK = 0x6B696E73  # "kins": an advisory lock of PostgreSQL


def migrate(records: Records) -> None:
    """Make or change the tables; nothing happens when they are of this version.

    Raises:
        UserError: ``records.newer``, a newer kinsynth has changed the tables.

    Guarantees:
        Of several processes at once one changes the tables, the others wait. A change that is cut short is
        undone whole.
    """
    with records.write() as connection:
        if not records.is_sqlite:  # SQLite's transaction holds the write lock already
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = _config(connection)
        current = MigrationContext.configure(connection).get_current_revision()
        script = ScriptDirectory.from_config(config)
        if current == script.get_current_head():
            return
        if current is not None and current not in {one.revision for one in script.walk_revisions()}:
            raise UserError(
                "records.newer",
                "The tables of this installation were made by a newer version of kinsynth.",
                where="KINSYNTH_DATABASE",
                remedy="Use that version, or restore a backup from before it.",
            )
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise UserError(
                "records.migration",
                "The tables of this installation cannot be brought to this version.",
                where="KINSYNTH_DATABASE",
                remedy="Restore a backup, or name another database.",
            ) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("kinsynth.storage") / "migrations"))
    config.attributes["connection"] = connection
    return config
