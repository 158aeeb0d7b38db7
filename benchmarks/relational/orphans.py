"""References of the source that name no row: what kinsynth is told to do about them.

Some sources have them, and a split by root entity may make more, where a second table points at what went
with the roots. kinsynth refuses such a source unless its document says what is to become of them. Here it
says ``null``, the reference becomes missing, or ``drop``, the row goes, where the column is part of a primary
key and cannot be missing. An orphan of the source is no demand on the output: it counts as a missing key
there. An orphan in the output is a failure whatever the source had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relational.database import ORPHAN, Database, Relation, primary_key


def count_orphans(database: Database) -> dict[Relation, int]:
    """Give the number of orphans of each relation that has any."""
    counts = {relation: int((database.pointed(relation) == ORPHAN).sum()) for relation in database.relations}
    return {relation: count for relation, count in counts.items() if count}


def policy(schema: Mapping[str, Any], relation: Relation) -> str:
    """What the document says of a relation with orphans."""
    return "drop" if set(relation.columns) & set(primary_key(schema, relation.table)) else "null"


def with_policies(database: Database) -> dict[str, Any]:
    """Give schema.json with ``orphans`` in each foreign key that has some."""
    found = count_orphans(database)
    keys = [
        {**key, "orphans": policy(database.schema, relation)} if relation in found else key
        for key, relation in zip(database.schema["foreign_keys"], database.relations, strict=True)
    ]
    return {**database.schema, "foreign_keys": keys}


def describe_orphans(database: Database) -> list[dict[str, Any]]:
    """Give name, orphans, rows and policy of each relation that has orphans, for the results."""
    return [
        {
            "relation": relation.name,
            "orphans": count,
            "rows": database.rows(relation.table),
            "policy": policy(database.schema, relation),
        }
        for relation, count in count_orphans(database).items()
    ]
