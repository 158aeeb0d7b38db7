"""Set primary keys: complete, unique, there where they are referenced, and of a kind the engine can make."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kinsynth.columns.identifier import build_key
from kinsynth.columns.registry import column_type
from kinsynth.errors import Finding
from kinsynth.pipeline.checks.facts import (
    Facts,
    Step,
    column_path,
    list_names,
    show_rows,
    suggest,
    table_path,
)
from kinsynth.pipeline.roles import find_roles
from kinsynth.schema.key_parts import count_values, linked_columns
from kinsynth.schema.keys import check_primary_key

_STEP = Step("primary_keys")


def find_primary_keys(facts: Facts) -> Iterator[Finding]:
    """Give the findings of the step."""
    yield from _find_declared(facts)
    for name in facts.schema.tables:
        yield from _find_values(facts, name)
    for name in facts.synthesised:
        yield from _find_made_parts(facts, name)
        yield from _find_room(facts, name)


def _find_declared(facts: Facts) -> Iterator[Finding]:
    for name, table in facts.synthesis.tables.items():
        if name not in facts.schema.tables:
            continue
        columns = facts.schema.tables[name].column_names
        for column in table.primary_key or ():
            if column not in columns:
                left_out = column in facts.source.get(name, ())
                yield _STEP.error(
                    "primary_keys.unknown_column",
                    table_path(name, "primary_key"),
                    f"The key's column {column} {'is left out' if left_out else 'does not exist'}.",
                    f"Write {table_path(name, 'primary_key')}: [] for no key, or name other columns. "
                    + suggest(column, columns),
                )
    yield from _find_missing(facts)


def _find_missing(facts: Facts) -> Iterator[Finding]:
    referenced = {
        key.table
        for name in facts.schema.tables
        for key in facts.settings(name).foreign_keys or ()
        if not key.references
    }
    for name in sorted(referenced & set(facts.schema.tables)):
        if not facts.schema.tables[name].primary_key:
            yield _STEP.error(
                "primary_keys.missing",
                table_path(name, "primary_key"),
                "Other tables reference this one, which has no primary key.",
                f"Write {table_path(name, 'primary_key')}: [<column>], "
                "or name the columns in the foreign key's references.",
            )


def _find_values(facts: Facts, name: str) -> Iterator[Finding]:
    key = facts.schema.tables[name].primary_key
    if not key:
        return
    where = table_path(name, "primary_key")
    other = f"Repair the source, choose other columns, or write {where}: [] for no key."
    found = check_primary_key(facts.tables[name], key)
    if found.nulls:
        message = f"{found.nulls:,} of {found.rows:,} rows have no value in {list_names(key)}: "
        yield _STEP.error("primary_keys.nulls", where, f"{message}{show_rows(found.null_rows)}.", other)
    if found.duplicates:
        message = f"{found.duplicates:,} of {found.rows:,} rows repeat an earlier {list_names(key)}: "
        yield _STEP.error(
            "primary_keys.duplicates", where, f"{message}{show_rows(found.duplicate_rows)}.", other
        )


def _find_made_parts(facts: Facts, name: str) -> Iterator[Finding]:
    """Find parts of a key that rows share in the source, while every synthetic row gets a new value."""
    table = facts.schema.tables[name]
    parts = [
        one
        for one in find_roles(facts.schema, facts.structure, name).keys
        if len(table.primary_key) > 1
        and one in table.primary_key
        and not table.column(one).numbered
        and facts.column_settings(name, one).type != "identifier"
        and count_values(facts.tables[name], one) < facts.rows(name)
    ]
    if not parts:
        return
    counts = ", ".join(f"{count_values(facts.tables[name], one):,} {one}" for one in parts)
    made = column_path(name, parts[0], "type")
    told = linked_columns(facts.schema, name) & {*table.primary_key}
    yield _STEP.warning(
        "primary_keys.parts_made_anew",
        table_path(name, "primary_key"),
        f"Every synthetic row gets a new value in each part of the key that is no foreign key; "
        f"the source has {counts} in {facts.rows(name):,} rows.",
        f"Write what the values are, such as {made}: categorical, to draw them, or {made}: identifier if new "
        "ones are right."
        if told
        else f"Add a table with one row for each value of {list_names(parts[:1])} and declare the foreign "
        f"key to it, or write {made}: identifier if new values are right.",
    )


def _find_room(facts: Facts, name: str) -> Iterator[Finding]:
    """Find keys whose type has no room for as many new values as rows will be generated."""
    root = facts.structure.root_of(name)
    growth = facts.synthesis.generation.rows.get(root, facts.rows(root)) / max(facts.rows(root), 1)
    wanted = round(facts.rows(name) * growth)
    kind = column_type("identifier")
    for column in find_roles(facts.schema, facts.structure, name).keys:
        part = kind.fit((facts.tables[name].column(column),), np.arange(facts.rows(name), dtype=np.int64))
        room = build_key(part, facts.synthesis.protection).room
        if room is not None and room < wanted:
            yield _STEP.error(
                "generation.key_room",
                table_path(name, "primary_key"),
                f"New values of {column}: its type has room for {room:,}, and about {wanted:,} are needed.",
                "Ask for fewer rows, or store the key in a wider type.",
            )
