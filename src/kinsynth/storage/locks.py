"""Locks on rows until a transaction ends. SQLite's writing transactions follow each other and need none."""

from __future__ import annotations

from sqlalchemy import Column, Connection, select


def hold(connection: Connection, key: Column[str], value: str) -> bool:
    """Let nobody else hold, keep or delete a row; the statements that follow see what others have committed.

    Args:
        connection: In a writing transaction.
        key: Primary key of the row's table.
        value: Its value.

    Returns:
        Whether the row is there.
    """
    return connection.execute(select(key).where(key == value).with_for_update()).first() is not None


def keep(connection: Connection, key: Column[str], value: str) -> bool:
    """Keep a row from being held or deleted by others; arguments and answer as of ``hold``."""
    shared = select(key).where(key == value).with_for_update(read=True, key_share=True)
    return connection.execute(shared).first() is not None
