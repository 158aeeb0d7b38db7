"""What each foreign key is for: owners, further keys, implied ones, and what cannot be generated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from kinsynth.errors import Finding
from kinsynth.pipeline.checks.facts import Facts, Step, list_names, table_path
from kinsynth.pipeline.checks.foreign_keys import where_is
from kinsynth.schema.facts import drawn_keys
from kinsynth.schema.keys import missing_keys
from kinsynth.schema.paths import trace, write_path
from kinsynth.schema.table import Relation

_STEP = Step("foreign_keys")


def find_ownership(facts: Facts) -> Iterator[Finding]:
    """Give the findings about the roles of foreign keys, and the rule about one root table."""
    yield from _find_owners(facts)
    for name in facts.synthesised:
        yield from _find_further(facts, name)
        yield from _find_no_sequence(facts, name)
        yield from _find_implied(facts, name)
        yield from _find_late(facts, name)
        yield from _find_shared(facts, name)
        yield from _find_partly_missing(facts, name)
    for circle in facts.structure.unbreakable:
        if not any(_bare_columns(facts, one) for one in circle):
            yield _unbreakable(facts, circle)
    yield from _find_roots(facts)


# Owners


def _find_owners(facts: Facts) -> Iterator[Finding]:
    """Find keys that the document calls the owner's and that cannot be it."""
    for relation in facts.schema.relations:
        if relation.role != "owner" or facts.structure.parent_relation.get(relation.table) == relation:
            continue
        where = f"{where_is(facts, relation)}.owner"
        yield _STEP.error(
            "foreign_keys.owner", where, _why_no_owner(facts, relation), f"Write {where}: false."
        )


def _why_no_owner(facts: Facts, relation: Relation) -> str:
    """Say why rows cannot belong to the rows that a key references."""
    target = relation.references_table
    if facts.schema.tables[relation.table].original or facts.schema.tables[target].original:
        return f"{relation.table} and {target} are not both synthesised: no row owns another."
    if relation.table == target:
        return f"Rows of {target} cannot belong to rows of {target}."
    if relation in facts.structure.late[relation.table]:
        return f"A circle of tables is broken at this key; {relation.table} is made before {target}."
    return f"{relation.table} has another owner already."


def _find_further(facts: Facts, name: str) -> Iterator[Finding]:
    """Tell the owner apart from the rows pointed at."""
    owner, further = facts.structure.parent_relation[name], facts.structure.keys[name]
    if not further:
        return
    keys = ", ".join(map(_write, further))
    belong = f"Rows belong to {_write(owner)} and point at" if owner else "Rows have no owner and point at"
    yield _STEP.notice(
        "foreign_keys.further",
        table_path(name, "foreign_keys"),
        f"{belong} {keys}.",
        "Write owner: true in another foreign key to choose another owner.",
    )


def _find_no_sequence(facts: Facts, name: str) -> Iterator[Finding]:
    """Find keys that may be missing and make no sequences: they are no owner's."""
    if facts.structure.parent_relation[name] is not None:
        return
    said = facts.settings(name).foreign_keys or ()
    declined = {(one.columns, one.table) for one in said if one.owner is False}
    for relation in facts.structure.keys[name]:
        unasked = (relation.columns, relation.references_table) in declined
        if not unasked and facts.schema.may_be_missing(relation):
            yield _STEP.notice(
                "foreign_keys.no_sequence",
                where_is(facts, relation),
                f"The key is missing in most rows of {name}, or few of those that have it have a sibling: no "
                f"row of {relation.references_table} owns them. They point at it, but are drawn one by one, "
                "not as a sequence under it.",
                "Write owner: true in the foreign key to draw them as one.",
            )


def _write(relation: Relation) -> str:
    """Write a key by its columns and where it leads."""
    return f"{relation.references_table} by {list_names(relation.columns)}"


# What follows from others, and what is drawn late


def _find_implied(facts: Facts, name: str) -> Iterator[Finding]:
    for relation in facts.structure.implied[name]:
        yield _STEP.notice(
            "foreign_keys.implied",
            where_is(facts, relation),
            f"In every row the key follows from {write_path(facts.key_facts[relation].implied)}; "
            "so it will in every synthetic row.",
            "Nothing is to be done.",
        )


def _find_late(facts: Facts, name: str) -> Iterator[Finding]:
    if facts.synthesis.generation.keys == "copied":
        return  # nothing of the keys is drawn, late or not at all
    unbreakable = {one for circle in facts.structure.unbreakable for one in circle}
    for relation in facts.structure.late[name]:
        if relation.references_table != name and relation not in unbreakable:
            yield _STEP.notice(
                "foreign_keys.circle_broken",
                where_is(facts, relation),
                f"A circle of tables is broken at {write_path((relation,))}: the key is drawn when all "
                "other values are there.",
                "Nothing is to be done.",
            )
        rows = facts.key_facts[relation].circular
        if rows:
            yield _STEP.notice(
                "foreign_keys.circular_rows",
                where_is(facts, relation),
                f"{rows:,} of {facts.rows(name):,} rows of {name} are their own ancestors; "
                "no synthetic row is.",
                "Repair the source if that is not expected.",
            )


def _unbreakable(facts: Facts, circle: tuple[Relation, ...]) -> Finding:
    return _STEP.error(
        "foreign_keys.circle",
        where_is(facts, circle[-1]),
        f"The circle {write_path(circle)} cannot be broken: no key of it may be missing, and each is part of "
        "what names the row.",
        f"Leave out one of the foreign keys, or write {table_path(circle[-1].table, 'primary_key')}: [].",
    )


# Columns that several keys have


def _find_shared(facts: Facts, name: str) -> Iterator[Finding]:
    """Find columns of several keys to which nothing gives the same value."""
    keys = [*drawn_keys(facts.structure, name), *facts.structure.implied[name]]
    counts = Counter(column for one in keys for column in one.columns)
    counts -= Counter({column: counts[column] for one in keys for column in _bare_columns(facts, one)})
    loose = [column for column, count in counts.items() if count > 1 and not _is_settled(facts, keys, column)]
    if loose:
        where, between = table_path(name, "foreign_keys"), _shared_originals(facts, keys, loose)
        yield _STEP.error(
            "foreign_keys.shared_column_not_available",
            where,
            f"The columns {list_names(loose)} stand in several foreign keys, and nothing says that the rows "
            + (
                f"these name agree but {list_names(between)}, which is original data; "
                if between
                else "these name agree; "
            )
            + "that is not available yet.",
            f"Write {table_path(between[0], 'original')}: false, or leave out one of these entries of "
            f"{where}."
            if between
            else f"Leave out one of these entries of {where}, or let all tables they lead to reference the "
            f"one that lists {list_names(loose)}.",
        )


def _shared_originals(facts: Facts, keys: list[Relation], columns: list[str]) -> list[str]:
    """Name the original tables to which all keys with a column lead by references that carry its value."""
    found: dict[str, None] = {}
    for column in columns:
        reached = [
            {
                further.references_table
                for further in facts.schema.outgoing(one.references_table)
                if column in trace((one, further)) and facts.schema.tables[further.references_table].original
            }
            for one in keys
            if column in one.columns
        ]
        found |= dict.fromkeys(sorted(set[str].intersection(*reached)))
    return list(found)


def _is_settled(facts: Facts, keys: list[Relation], column: str) -> bool:
    """Tell whether all keys with a column are tied to each other by paths that carry its value."""
    sharing = [one for one in keys if column in one.columns]
    reached, frontier = {sharing[0]}, [sharing[0]]
    for one in frontier:
        tied = [
            other
            for other in sharing
            if other not in reached
            and (_is_tied(facts, one, other, column) or _is_tied(facts, other, one, column))
        ]
        reached |= set(tied)
        frontier += tied
    return len(reached) == len(sharing)


def _is_tied(facts: Facts, one: Relation, other: Relation, column: str) -> bool:
    """Tell whether a key follows from another with the column's value, or must agree with it on the value."""
    found = facts.key_facts[one]
    pairs = dict(zip(one.columns, one.references_columns, strict=True))
    if found.implied:
        return found.implied[0] == other and trace(found.implied).get(column) == pairs[column]
    carried = (
        (trace(left).get(column), trace((one, *right)).get(column))
        for left, right in found.scopes
        if left and left[0] == other
    )
    return any(mine is not None and mine == theirs for mine, theirs in carried)


def _find_partly_missing(facts: Facts, name: str) -> Iterator[Finding]:
    """Find keys that may be missing while one of their columns may not."""
    primary = facts.schema.tables[name].primary_key
    keys = [*drawn_keys(facts.structure, name), *facts.structure.implied[name]]
    for one in keys:
        if bare := _bare_columns(facts, one):
            own = {*primary} <= {*bare}
            yield _STEP.error(
                "foreign_keys.partly_missing_not_available",
                where_is(facts, one),
                f"The key may be missing, its columns {list_names(bare)} may not, and "
                + ("they name the row itself" if own else "no other key gives their values")
                + "; that is not available yet.",
                "Leave this one out."
                if own
                else f"Declare a foreign key by {list_names(bare)} too, to a table with one row for each of "
                "their values, or leave this one out.",
            )
        elif rows := _partly_missing_rows(facts, one, keys):
            yield _STEP.notice(
                "foreign_keys.partly_missing",
                where_is(facts, one),
                f"In {rows:,} of {facts.rows(name):,} rows only some columns of the key are filled; in the "
                "result all are, or none that no other key fills.",
                "Nothing is to be done unless what is filled there says something.",
            )


def _bare_columns(facts: Facts, relation: Relation) -> tuple[str, ...]:
    """Name the columns of a key that may not be missing while it may, and that no other key gives."""
    table = facts.schema.tables[relation.table]
    if table.original or not facts.schema.may_be_missing(relation):
        return ()
    always = {
        column
        for one in facts.schema.outgoing(relation.table)
        if not facts.schema.may_be_missing(one)
        for column in one.columns
    }
    return tuple(one for one in relation.columns if not table.column(one).nullable and one not in always)


def _partly_missing_rows(facts: Facts, relation: Relation, keys: Sequence[Relation]) -> int:
    """Count rows in which some columns of a key are missing, and others are filled by no other key."""
    table = facts.tables[relation.table]
    others = {column for one in keys if one != relation for column in one.columns}
    own = [column for column in relation.columns if column not in others]
    if len(relation.columns) < 2 or not own:
        return 0
    filled_R = ~np.logical_and.reduce([missing_keys(table, [column]) for column in own])
    return int((filled_R & missing_keys(table, relation.columns)).sum())


def _find_roots(facts: Facts) -> Iterator[Finding]:
    subjects = facts.structure.subjects
    if len(subjects) > 1 and facts.synthesis.roots == "one":
        yield _STEP.error(
            "roots.many",
            "roots",
            f"{len(subjects)} root tables are independent of each other: {list_names(subjects)}.",
            "Connect them with foreign keys, mark lookup tables as original, leave tables out, "
            "or write roots: many to learn each tree by itself.",
        )
