"""Inspection: what a source holds, by what its cells say and what the document declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pyarrow as pa

from kinsynth.columns.declared import declare_column
from kinsynth.columns.detect import Detected, detect_table, is_text
from kinsynth.connectors.base import Listing
from kinsynth.errors import Finding, SchemaError
from kinsynth.pipeline.constraints import read_checks, read_unique_keys
from kinsynth.pipeline.guesses import find_spoiled, leave_out_circular, tell_unlinked
from kinsynth.schema.database import Database
from kinsynth.schema.facts import Facts, find_facts
from kinsynth.schema.foreign_keys import ForeignKeyProposal, propose_foreign_keys
from kinsynth.schema.graph import find_structure
from kinsynth.schema.key_parts import made_keys, value_parts
from kinsynth.schema.keys import comparable, row_numbers
from kinsynth.schema.literals import parse_text, unparsable_rows
from kinsynth.schema.numbering import mark_numbered
from kinsynth.schema.order import OrderProposal, propose_order
from kinsynth.schema.orphans import apply_orphan_policies, resolve_orphans
from kinsynth.schema.ownership import choose_roles
from kinsynth.schema.primary_keys import KeyProposal, propose_primary_keys
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Column, Relation, Schema, Table, TextFormat
from kinsynth.settings import tables as settings
from kinsynth.settings import treatment
from kinsynth.settings.fields import join_path
from kinsynth.settings.synthesis import Synthesis

__all__ = ["Inspection", "apply_orphan_policies", "as_database", "inspect"]

_SHOWN_ROWS = 5
Tables = Mapping[str, pa.Table]
Types = Mapping[str, Mapping[str, Detected]]
Keys = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Inspection:
    """What a source holds.

    Attributes:
        schema: The tables and columns that take part, with keys, relations and orders: as declared, else as
            detected. Columns that are only left out by their treatment, and texts, are still here.
        tables: These tables, typed.
        detected: What the cells of each column said, before the document's word.
        key_proposals: Primary keys that the data suggest, by table.
        relation_proposals: Relations that the data suggest, whether the schema has them or not.
        order_proposals: Orders of rows that the data suggest, by table.
        key_facts: What the rows say about each foreign key of a synthesised table, orphans resolved.
        findings: What stands in the way of the document's word: cells that do not read as a declared type;
            and detected keys that take no part, or would but for a few rows.
        source: Names of all columns by table, as in the source.
        listing: How the files were read; None for tables handed over in Python.
    """

    schema: Schema
    tables: Tables
    detected: Types
    key_proposals: Mapping[str, KeyProposal]
    relation_proposals: tuple[ForeignKeyProposal, ...]
    order_proposals: Mapping[str, OrderProposal]
    findings: tuple[Finding, ...]
    source: Mapping[str, tuple[str, ...]]
    listing: Listing | None = None
    key_facts: Facts = field(default_factory=dict)

    def personal(self) -> dict[str, frozenset[str]]:
        """Give the columns that seem to be about a person, by table."""
        return {
            table: frozenset(name for name, found in columns.items() if found.personal)
            for table, columns in self.detected.items()
        }

    def database(self) -> Database:
        """Give the originals as a database."""
        return Database(self.schema, self.tables, "original")


def inspect(tables: Tables, synthesis: Synthesis, *, listing: Listing | None = None) -> Inspection:
    """Find types, keys, relations and orders of a source.

    Args:
        tables: Tables as read: strings, or the types of a source that is typed itself.
        synthesis: The document; what it declares goes before what is detected.
        listing: How the files were read.

    Returns:
        What was found. Tables and columns that the document excludes are gone, and with them the keys and
        relations that use them. Names that the source does not have are passed over: checks report them.

    Guarantees:
        Text of columns whose type is detected comes back unchanged by ``format_text``. The tables given are
        not changed.
    """
    chosen = _chosen(tables, synthesis)
    detected = {name: detect_table(table) for name, table in chosen.items()}
    types, findings = _types(chosen, detected, synthesis)
    typed = _typed(chosen, types)
    proposed_keys = propose_primary_keys(typed)
    keys = _primary_keys(typed, proposed_keys, synthesis)
    proposed_relations = propose_foreign_keys(typed, keys)
    relations = _relations(typed, keys, proposed_relations, synthesis)
    sure = {one.relation: one.confidence for one in proposed_relations if _is_guess(one.relation, synthesis)}
    linked, left_out = leave_out_circular(_schema(typed, types, keys, relations, synthesis), sure)
    missed = (*find_spoiled(typed, keys, synthesis), *tell_unlinked(typed, linked, synthesis))
    findings = (*findings, *left_out, *missed)
    relations, first, types = linked.relations, types, _with_keys(chosen, types, linked, synthesis)
    typed = _retyped(chosen, typed, first, types)
    resolved = resolve_orphans(Database(_schema(typed, types, keys, relations, synthesis), typed, "original"))
    schema = mark_numbered(Database(choose_roles(resolved), resolved.tables, "original"))
    orders = _order_proposals(schema, typed)
    return Inspection(
        schema=_ordered(schema, orders, synthesis),
        tables=typed,
        detected=detected,
        key_proposals=proposed_keys,
        relation_proposals=proposed_relations,
        order_proposals=orders,
        findings=findings,
        source={name: tuple(table.column_names) for name, table in tables.items()},
        listing=listing,
        key_facts=find_facts(Database(schema, resolved.tables, "original"), find_structure(schema)),
    )


def as_database(tables: Tables, schema: Schema, *, origin: Literal["original", "synthetic"]) -> Database:
    """Give tables as a database of a known schema: columns chosen, text read as the schema says.

    Raises:
        SchemaError: ``data.missing_table``, ``data.missing_column`` or ``data.unparsable``.
    """
    fitted = {}
    for name, table in schema.tables.items():
        if name not in tables:
            raise SchemaError(
                "data.missing_table",
                "The table is not there.",
                where=name,
                remedy="Give a table of this name.",
            )
        fitted[name] = pa.table(
            {column.name: _fitted(tables[name], name, column) for column in table.columns}
        )
    return Database(schema, fitted, origin)


def _fitted(table: pa.Table, name: str, column: Column) -> pa.ChunkedArray:
    """Give a column in its storage type."""
    where = f"{name}.{column.name}"
    if column.name not in table.column_names:
        raise SchemaError(
            "data.missing_column",
            "The column is not there.",
            where=where,
            remedy="Give a column of this name.",
        )
    values = table.column(column.name)
    if is_text(values.type) or pa.types.is_null(values.type):
        return parse_text(values.cast(pa.string()), column)
    try:
        return values.cast(storage_type(column.storage))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as cause:
        message = f"Values of type {values.type} do not fit {column.storage}."
        remedy = "Give values of the type of the original."
        raise SchemaError("data.unparsable", message, where=where, remedy=remedy) from cause


# What takes part


def _settings(synthesis: Synthesis, table: str) -> settings.Table:
    """Give what the document says about a table."""
    return synthesis.tables.get(table) or settings.Table()


def _column_settings(synthesis: Synthesis, table: str, column: str) -> treatment.Column:
    """Give what the document says about a column."""
    return _settings(synthesis, table).columns.get(column) or treatment.Column()


def _chosen(tables: Tables, synthesis: Synthesis) -> dict[str, pa.Table]:
    """Leave out excluded tables and columns."""
    return {
        name: _plain(
            table.select(
                [column for column in table.column_names if _column_settings(synthesis, name, column).include]
            )
        )
        for name, table in tables.items()
        if _settings(synthesis, name).include
    }


def _plain(table: pa.Table) -> pa.Table:
    """Replace dictionaries by their values."""
    for place, one in enumerate(table.schema):
        if pa.types.is_dictionary(one.type):
            values = table.column(place).cast(one.type.value_type)
            table = table.set_column(place, one.name, values)
    return table


# Types


def _types(
    tables: Tables, detected: Types, synthesis: Synthesis
) -> tuple[dict[str, dict[str, Detected]], tuple[Finding, ...]]:
    """Give each column its declared type where all cells fit, else the detected one and a finding."""
    types: dict[str, dict[str, Detected]] = {}
    findings = []
    for name, columns in detected.items():
        types[name] = {}
        for column, found in columns.items():
            values = tables[name].column(column)
            said = _column_settings(synthesis, name, column)
            declared = declare_column(values, found, said, name=column)
            problem = _problem(values, declared, said, name=name, column=column)
            types[name][column] = found if problem or declared is None else declared
            findings += [problem] if problem else []
        types[name] = _paired(types[name])
    return types, tuple(findings)


def _paired(columns: dict[str, Detected]) -> dict[str, Detected]:
    """Let both coordinates of a place name each other; one whose other is no coordinate is a number."""
    places = {
        name: found.pair for name, found in columns.items() if found.type == "coordinates" and found.pair
    }
    result = dict(columns)
    for name, other in places.items():
        if other in columns and columns[other].type == "coordinates":
            if columns[other].pair is None:
                result[other] = replace(result[other], pair=name)
        elif columns[name].reason != "declared":
            result[name] = replace(
                result[name], type="numeric", pair=None, reason=f"{other} is no coordinate"
            )
    return result


def _problem(
    values: pa.ChunkedArray, declared: Detected | None, said: treatment.Column, *, name: str, column: str
) -> Finding | None:
    """Say why a column cannot have its declared type."""
    where = join_path(("tables", name, "columns", column, "type"))
    if declared is None:
        message = f"The source stores {values.type}, which cannot be {said.type}."
        return Finding("treatment.type_storage", "error", where, message, "Remove the line.", "treatment")
    if declared.reason != "declared" or not is_text(values.type):
        return None
    rows = unparsable_rows(values, declared.column(column))
    if not len(rows):
        return None
    present = len(values) - values.null_count
    shown = ", ".join(str(row + 1) for row in rows[:_SHOWN_ROWS])
    return Finding(
        "treatment.unparsable",
        "error",
        where,
        f"{len(rows):,} of {present:,} values ({len(rows) / present:.1%}) do not read as {declared.type}: "
        f"rows {shown}{' ...' if len(rows) > _SHOWN_ROWS else ''}.",
        "Declare another type, a format or a decimal mark, or name the missing value tokens in "
        "source.null_values.",
        "treatment",
    )


def _typed(tables: Tables, types: Types) -> dict[str, pa.Table]:
    """Read the cells as their types."""
    return {
        name: pa.table(
            {column: _read(table.column(column), column, found) for column, found in types[name].items()}
        )
        for name, table in tables.items()
    }


def _retyped(tables: Tables, typed: Tables, before: Types, after: Types) -> dict[str, pa.Table]:
    """Read those columns again whose storage changed."""
    changed = {
        name: {
            column: found
            for column, found in columns.items()
            if found.storage != before[name][column].storage
        }
        for name, columns in after.items()
    }
    result = dict(typed)
    for name, columns in changed.items():
        for column, found in columns.items():
            place = result[name].column_names.index(column)
            values = _read(tables[name].column(column), column, found)
            result[name] = result[name].set_column(place, column, values)
    return result


def _read(values: pa.ChunkedArray, name: str, found: Detected) -> pa.ChunkedArray:
    """Read one column."""
    if not is_text(values.type):
        return values if str(values.type) == found.storage else values.cast(storage_type(found.storage))
    return parse_text(values.cast(pa.string()), found.column(name))


# Keys and relations


def _primary_keys(
    tables: Tables, proposals: Mapping[str, KeyProposal], synthesis: Synthesis
) -> dict[str, tuple[str, ...]]:
    """Give the declared keys, else the proposed ones; a key with a column that is not there is none."""
    keys = {}
    for name, table in tables.items():
        said = _settings(synthesis, name).primary_key
        if said is None:
            keys[name] = proposals[name].columns if name in proposals else ()
        else:
            keys[name] = said if set(said) <= set(table.column_names) else ()
    return keys


def _relations(
    tables: Tables, keys: Keys, proposals: Sequence[ForeignKeyProposal], synthesis: Synthesis
) -> tuple[Relation, ...]:
    """Give the declared relations, else the proposed ones; what names a column that is not there is none."""
    relations: list[Relation] = []
    for name in tables:
        said = _settings(synthesis, name).foreign_keys
        if said is None:
            relations += [one.relation for one in proposals if one.relation.table == name]
        else:
            relations += [one for key in said if (one := _relation(name, key, tables, keys))]
    return tuple(relations)


def _is_guess(relation: Relation, synthesis: Synthesis) -> bool:
    """Tell whether a relation is used because the data suggest it."""
    return _settings(synthesis, relation.table).foreign_keys is None


def _relation(name: str, key: settings.ForeignKey, tables: Tables, keys: Keys) -> Relation | None:
    """Give a declared relation; None when its columns or its target are not there."""
    target = key.references or keys.get(key.table, ())
    if key.table not in tables or len(target) != len(key.columns):
        return None
    there = set(key.columns) <= set(tables[name].column_names)
    if not there or not set(target) <= set(tables[key.table].column_names):
        return None
    role = {True: "owner", False: "key", None: ""}[key.owner]
    return Relation(name, key.columns, key.table, target, key.orphans, role)


def _with_keys(
    tables: Tables, types: Types, schema: Schema, synthesis: Synthesis
) -> dict[str, dict[str, Detected]]:
    """Call key columns identifiers, but for values, and give both sides of a relation comparable types."""
    changed = {name: dict(columns) for name, columns in types.items()}
    reasons = {
        (name, column): "part of the primary key"
        for name, table in schema.tables.items()
        for column in {*table.primary_key} - value_parts(schema, name, tables[name])
    }
    for relation in schema.relations:
        reasons |= {
            (relation.table, column): f"references {relation.references_table}" for column in relation.columns
        }
    for (name, column), reason in reasons.items():
        if _column_settings(synthesis, name, column).type is None:
            found = changed[name][column]
            changed[name][column] = replace(
                found, type="identifier", pair=None, confidence=1.0, reason=reason
            )
    for relation in schema.relations:
        for pair in zip(relation.columns, relation.references_columns, strict=True):
            _align(tables, changed, relation, *pair)
    return {name: _paired(columns) for name, columns in changed.items()}


def _align(
    tables: Tables, types: dict[str, dict[str, Detected]], relation: Relation, column: str, reference: str
) -> None:
    """Make the two sides of a relation comparable where the source is text; names of values hold them."""
    left, right = types[relation.table][column], types[relation.references_table][reference]
    values = tables[relation.table].column(column)
    if not is_text(values.type) or left.storage == right.storage:
        return
    if comparable(storage_type(left.storage), storage_type(right.storage)):
        if right.type != "identifier" and not len(unparsable_rows(values, right.column(column))):
            types[relation.table][column] = replace(left, storage=right.storage, text=right.text)
        return
    if values.null_count == len(values):
        types[relation.table][column] = replace(left, storage=right.storage, text=right.text)
    elif is_text(tables[relation.references_table].column(reference).type):
        for name, side, found in (
            (relation.table, column, left),
            (relation.references_table, reference, right),
        ):
            kind = found.type if found.type in ("categorical", "text") else "identifier"
            types[name][side] = replace(found, type=kind, storage="string", text=TextFormat())


# The schema


def _schema(
    tables: Tables, types: Types, keys: Keys, relations: tuple[Relation, ...], synthesis: Synthesis
) -> Schema:
    """Put the parts together."""
    return Schema(
        {
            name: Table(
                name,
                tuple(
                    replace(found.column(column), nullable=table.column(column).null_count > 0)
                    for column, found in types[name].items()
                ),
                primary_key=keys[name],
                original=_settings(synthesis, name).original,
                unique_keys=read_unique_keys(_settings(synthesis, name), table.column_names),
                checks=read_checks(_settings(synthesis, name), table.column_names),
            )
            for name, table in tables.items()
        },
        relations,
    )


def _order_proposals(schema: Schema, tables: Tables) -> dict[str, OrderProposal]:
    """Propose an order for the tables that have an owner."""
    proposals = {}
    for name, relation in find_structure(schema).parent_relation.items():
        if relation is None:
            continue
        table = schema.tables[name]
        linked = schema.foreign_columns(name)
        no_values = linked.union(made_keys(schema, name))
        columns = [one for one in table.columns if one.name not in no_values]
        rest = {*table.primary_key} - {*relation.columns}
        parents = row_numbers(tables[name], relation, tables[relation.references_table])
        telling = next(iter(rest)) if len(rest) == 1 else None
        keys = [one for one in table.columns if one.name in linked - {*relation.columns}]
        if found := propose_order(tables[name], columns, parent_row=parents, telling=telling, keys=keys):
            proposals[name] = found
    return proposals


def _ordered(schema: Schema, proposals: Mapping[str, OrderProposal], synthesis: Synthesis) -> Schema:
    """Give tables their declared order, else the proposed one; an empty name means none."""
    tables = {}
    for name, table in schema.tables.items():
        said = _settings(synthesis, name).order_by
        if said is None and name in proposals:
            said = proposals[name].column
        known = said if said in table.column_names else None
        tables[name] = replace(table, order_by=known or None)
    return replace(schema, tables=tables)
