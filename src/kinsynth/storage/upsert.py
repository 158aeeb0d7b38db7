"""Insert rows, or change those that are there: one statement on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, change: Sequence[str]
) -> None:
    """Insert rows; where the key is there already, change some of its columns.

    Args:
        connection: In a writing transaction.
        table: The table.
        rows: Values by column; no key twice.
        change: Columns that a row that is there takes from the new one.
    """
    if not rows:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(list(rows))
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in change}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
