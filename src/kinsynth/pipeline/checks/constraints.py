"""Unique keys and check constraints: readable, about columns that are there, kept by the source itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass, replace

import numpy as np

from kinsynth.certificate.condition import broken_rows, find_misfit
from kinsynth.certificate.numbering import number_keys
from kinsynth.errors import Finding, SchemaError
from kinsynth.pipeline.checks.facts import (
    Facts,
    Step,
    column_path,
    list_names,
    show_rows,
    suggest,
    table_path,
)
from kinsynth.pipeline.constraints import keeps_alone, rules_of
from kinsynth.pipeline.roles import kept_columns
from kinsynth.pipeline.rules import settle_declared, view_tables
from kinsynth.rules.base import Rule
from kinsynth.rules.view import View
from kinsynth.schema.check import Check
from kinsynth.schema.check_text import read_check
from kinsynth.schema.database import Database
from kinsynth.schema.facts import drawn_keys, says_apart
from kinsynth.schema.key_parts import linked_columns
from kinsynth.schema.table import Relation
from kinsynth.settings.treatment import CATEGORIES

_UNIQUE = Step("primary_keys")
_CHECK = Step("treatment")
_STRICT = ("<", ">")


def find_constraints(facts: Facts) -> Iterator[Finding]:
    """Give the findings about declared unique keys and check constraints."""
    for name in facts.schema.tables:
        for number, key in enumerate(facts.settings(name).unique):
            yield from _find_unique(facts, name, table_path(name, "unique", str(number)), key)
    checked = [name for name in facts.schema.tables if facts.settings(name).checks]
    compared = any(check.other for name in checked for check in facts.schema.tables[name].checks)
    database = Database(facts.schema, facts.tables, "original")
    views = view_tables(database, facts.synthesis) if compared else {}
    for name in checked:
        kept = frozenset(column.name for column in kept_columns(facts.schema, name, facts.synthesis))
        for number, text in enumerate(facts.settings(name).checks):
            where = table_path(name, "checks", str(number))
            yield from _find_check(_Site(facts, name, where, kept, views.get(name)), text)


def _find_unknown(facts: Facts, name: str, where: str, columns: Collection[str]) -> Iterator[Finding]:
    known = facts.schema.tables[name].column_names
    for column in columns:
        if column not in known:
            state = "is left out" if column in facts.source.get(name, ()) else "does not exist"
            yield _CHECK.error(
                "constraints.unknown_column", where, f"The column {column} {state}.", suggest(column, known)
            )


def _find_left_out(where: str, columns: Collection[str], kept: Collection[str]) -> Iterator[Finding]:
    if lost := sorted({*columns} - {*kept}):
        yield _CHECK.notice(
            "constraints.left_out",
            where,
            f"It is not certified: the result has no {list_names(lost)}.",
            "Nothing is to be done unless you want the column.",
        )


def _find_unique(facts: Facts, name: str, where: str, key: tuple[str, ...]) -> Iterator[Finding]:
    if not key:
        yield _UNIQUE.error("unique_keys.empty", where, "It names no column.", "Name one or more.")
        return
    unknown = [*_find_unknown(facts, name, where, key)]
    if unknown:
        yield from unknown
        return
    numbers_R = number_keys([facts.tables[name].column(column) for column in key])
    rows = np.flatnonzero(~_is_first(numbers_R) & (numbers_R >= 0)) + 1
    if len(rows):
        yield _UNIQUE.error(
            "unique_keys.duplicates",
            where,
            f"{len(rows):,} of {len(numbers_R):,} rows repeat an earlier {list_names(key)}: "
            f"{show_rows(rows.tolist())}.",
            "Repair the source, or remove the key.",
        )
    kept = [column.name for column in kept_columns(facts.schema, name, facts.synthesis)]
    yield from _find_left_out(where, key, kept)
    if {*key} <= {*kept} and not _is_kept_unique(facts, name, key):
        values = [one for one in key if one not in linked_columns(facts.schema, name)]
        yield _UNIQUE.warning(
            "unique_keys.not_by_construction",
            where,
            f"The model draws {list_names(key)}; nothing keeps drawn rows from repeating there, and those "
            "that do are left out.",
            f"Write {column_path(name, values[0], 'type')}: identifier for a new value in each row, or "
            "remove the key."
            if values
            else "Nothing is to be done where they are few; else remove the key.",
        )


def _is_first(numbers_R: np.ndarray) -> np.ndarray:
    """Mark the first row of every number."""
    first_R = np.zeros(len(numbers_R), np.bool_)
    first_R[np.unique(numbers_R, return_index=True)[1]] = True
    return first_R


def _is_kept_unique(facts: Facts, name: str, key: tuple[str, ...]) -> bool:
    """Tell whether a key holds the primary key, a column of new identifiers, or keys that are drawn apart."""
    table = facts.schema.tables[name]
    if table.original or (table.primary_key and {*table.primary_key} <= {*key}):
        return True
    free = [table.column(one) for one in {*key} - _columns(facts.schema.outgoing(name))]
    if any(one.type == "identifier" and not one.numbered for one in free):
        return True
    return _is_drawn_apart(facts, name, {*key}) or _is_told_apart(facts, name, {*key})


def _is_drawn_apart(facts: Facts, name: str, key: Set[str]) -> bool:
    """Tell whether a key holds foreign keys that never lead two rows to the same targets."""
    structure, earlier = facts.structure, list[Relation]()
    for one in drawn_keys(structure, name):
        found = facts.key_facts[one].apart if {*one.columns} <= key else ()
        if any({*others} <= {*earlier} and _columns(others) <= key for others in found):
            return True
        if one == structure.parent_relation[name] or one in structure.keys[name]:
            earlier.append(one)
    return False


def _columns(relations: Iterable[Relation]) -> set[str]:
    return {column for one in relations for column in one.columns}


def _is_told_apart(facts: Facts, name: str, key: Set[str]) -> bool:
    """Tell whether a key is the owner's beside categories: rows of one owner never agree on these."""
    table, owner = facts.schema.tables[name], facts.structure.parent_relation[name]
    if owner is None or not {*owner.columns} < key:
        return False
    references = _columns(one for one in facts.structure.reference_relations[name] if {*one.columns} <= key)
    rest = key - {*owner.columns}
    return all(
        not table.column(one).nullable and (one in references or table.column(one).type in CATEGORIES)
        for one in rest
    )


@dataclass(frozen=True)
class _Site:
    """Where a condition is declared: the table, the place in the document, the result's columns, the rows."""

    facts: Facts
    name: str
    where: str
    kept: frozenset[str]
    view: View | None


def _find_check(site: _Site, text: str) -> Iterator[Finding]:
    try:
        checks = read_check(text)
    except SchemaError as error:
        yield _CHECK.error("checks.syntax", site.where, error.message, error.remedy)
        return
    for check in checks:
        yield from _find_condition(site, check)


def _find_condition(site: _Site, check: Check) -> Iterator[Finding]:
    unknown = [*_find_unknown(site.facts, site.name, site.where, check.columns)]
    if unknown:
        yield from unknown
        return
    rows = site.facts.tables[site.name]
    if misfit := find_misfit(check, rows.schema):
        remedy = "Compare values of one kind; write dates as 2024-12-31, in quotes."
        yield _CHECK.error("checks.type", site.where, f"It cannot be applied: {misfit}.", remedy)
        return
    broken = np.flatnonzero(broken_rows(check, rows)) + 1
    if len(broken):
        yield _CHECK.error(
            "checks.broken",
            site.where,
            f"{len(broken):,} of {rows.num_rows:,} rows of the source break {check}: "
            f"{show_rows(broken.tolist())}.",
            "Repair the source, or remove the condition.",
        )
        return
    yield from _find_left_out(site.where, check.columns, site.kept)
    if {*check.columns} <= site.kept and not _is_kept(site, check):
        yield _CHECK.warning(
            "checks.not_by_construction",
            site.where,
            f"Nothing keeps drawn rows from breaking {check}.",
            "A broken row fails the certificate, and the run with it. Remove the condition if that happens.",
        )


def _is_kept(site: _Site, check: Check) -> bool:
    """Tell whether drawn rows cannot break a condition that the source keeps."""
    schema = site.facts.schema
    table = schema.tables[site.name]
    if table.original:
        return True
    keys = {*table.primary_key, *schema.foreign_columns(site.name)}
    keys |= {column for one in schema.incoming(site.name) for column in one.references_columns}
    if check.other is None or check.other == check.column:
        said = site.facts.column_settings(site.name, check.column)
        return said.rare_replacement not in ("label", "invent") and keeps_alone(check, table, keys)
    if _keys_keep(site, check):
        return True
    if site.view is None:
        return False
    fitted = settle_declared(rules_of([check]), site.view)[0]
    return any(_suffices(rule, check) for rule in fitted)


def _keys_keep(site: _Site, check: Check) -> bool:
    """Tell whether a condition says what keys keep: two never name one row, or one never the row itself."""
    for one, found in site.facts.key_facts.items():
        itself = replace(one, columns=one.references_columns)
        if one.table != site.name or found.implied:
            continue
        if any(says_apart(check, one, other) for other in found.avoid):
            return True
        if one.references_table == site.name and says_apart(check, one, itself):
            # Where every row must point at one, that at which a circle is cut points at itself.
            return found.itself == 0 and found.nullable
    return False


def _suffices(rule: Rule, check: Check) -> bool:
    return check.operator not in _STRICT or bool(getattr(rule, "strict", False))
