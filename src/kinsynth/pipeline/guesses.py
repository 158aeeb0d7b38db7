"""Guesses: detected keys that would stop a run take no part; keys that may have been missed are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from kinsynth.errors import Finding
from kinsynth.schema.foreign_keys import ForeignKeyProposal, propose_foreign_keys
from kinsynth.schema.graph import find_structure
from kinsynth.schema.paths import write_path
from kinsynth.schema.primary_keys import nearly_keys
from kinsynth.schema.table import Relation, Schema
from kinsynth.schema.unlinked import Unlinked, find_unlinked
from kinsynth.settings.fields import join_path
from kinsynth.settings.synthesis import Synthesis


def leave_out_circular(schema: Schema, sure: Mapping[Relation, float]) -> tuple[Schema, tuple[Finding, ...]]:
    """Take detected relations out of circles that cannot be broken, the least sure first.

    Args:
        schema: With all relations, declared and detected.
        sure: How sure each detected relation is, 0 to 1.

    Returns:
        The schema without them, and a notice of each. A circle of declared relations stays.
    """
    findings = []
    while doubtful := [one for circle in find_structure(schema).unbreakable for one in circle if one in sure]:
        out = min(doubtful, key=lambda one: sure[one])
        schema = replace(schema, relations=tuple(one for one in schema.relations if one != out))
        findings.append(_circular(out))
    return schema, tuple(findings)


def _circular(relation: Relation) -> Finding:
    return Finding(
        "foreign_keys.guess_left_out",
        "notice",
        join_path(("tables", relation.table, "foreign_keys")),
        f"The data suggest {write_path((relation,))}, which closes a circle that cannot be broken; it takes "
        "no part.",
        "Nothing is to be done unless it is a foreign key: declare it then, and leave out another of the "
        "circle.",
        "foreign_keys",
    )


def find_spoiled(
    tables: Mapping[str, pa.Table], keys: Mapping[str, tuple[str, ...]], synthesis: Synthesis
) -> Iterator[Finding]:
    """Tell relations that would be detected if a few rows of the referenced table were not in the way.

    Args:
        tables: Typed tables by name.
        keys: Their primary keys; empty for none.
        synthesis: What it declares is no guess.
    """
    said = synthesis.tables
    unsaid = {name for name in tables if name not in said or said[name].primary_key is None}
    open_tables = {name: tables[name] for name in tables if not keys.get(name) and name in unsaid}
    if not open_tables or not (near := nearly_keys(open_tables)):
        return
    whole = {name: keys.get(name) or near.get(name, ()) for name in tables}
    for proposal in propose_foreign_keys(tables, whole):
        relation = proposal.relation
        asked = relation.table not in said or said[relation.table].foreign_keys is None
        if asked and relation.references_columns == near.get(relation.references_table):
            yield _spoiled(proposal, tables[relation.references_table])


def _spoiled(proposal: ForeignKeyProposal, target: pa.Table) -> Finding:
    relation = proposal.relation
    cells = target.column(relation.references_columns[0])
    spoiling = target.num_rows - len(cells.drop_null().unique())
    return Finding(
        "foreign_keys.guess_spoiled",
        "notice",
        join_path(("tables", relation.table, "foreign_keys")),
        f"{relation.table}.{relation.columns[0]} would reference {relation.references_table}, but "
        f"{spoiling:,} of {target.num_rows:,} rows there repeat or lack {relation.references_columns[0]}.",
        "Repair the source if that is not expected.",
        "foreign_keys",
    )


def tell_unlinked(tables: Mapping[str, pa.Table], schema: Schema, synthesis: Synthesis) -> Iterator[Finding]:
    """Tell columns with names of identifiers that no relation uses, though their values are keys of a table.

    Args:
        tables: Typed tables by name.
        schema: Their keys and relations.
        synthesis: Tables whose foreign keys it declares, and columns whose type it declares, are no guess.
    """
    keys = {name: table.primary_key for name, table in schema.tables.items()}
    for one in find_unlinked(tables, keys, schema.relations):
        said = synthesis.tables.get(one.table)
        column = said.columns.get(one.column) if said else None
        if said and (said.foreign_keys is not None or (column and column.type)):
            continue
        yield _unlinked(one)


def _unlinked(found: Unlinked) -> Finding:
    first, others = found.targets[0], len(found.targets) - 1
    more = (
        f", as those of {others} other tables do"
        if others > 1
        else ", as those of another do"
        if others
        else ""
    )
    return Finding(
        "foreign_keys.unlinked",
        "notice",
        join_path(("tables", found.table, "foreign_keys")),
        f"{found.table}.{found.column} is named like a key and references nothing; the keys of {first} "
        f"hold its values{more}.",
        "Declare the foreign key if it is one; else declare the column's type.",
        "foreign_keys",
    )
