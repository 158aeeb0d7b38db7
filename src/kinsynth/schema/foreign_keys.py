"""Propose foreign keys from the data, with the evidence: inclusion and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from kinsynth.schema.keys import key_frame, missing_keys, row_numbers
from kinsynth.schema.names import unprefixed, words
from kinsynth.schema.profile import Profile, is_code, profile_columns
from kinsynth.schema.table import Relation

_COMPOSITE_INCLUSION = 0.98


@dataclass(frozen=True)
class ForeignKeyProposal:
    """A relation that data and names suggest.

    Attributes:
        relation: The foreign key with its referenced table.
        inclusion: Share of the keys that are not missing and name a row.
        distinct: Distinct keys of the referencing table.
        orphans: Rows whose key names no row.
        nulls: Rows whose key is missing.
        name_match: How well the names fit, between 0 and 1.
        confidence: Between 0 and 1.
        reason: The evidence, in words.
    """

    relation: Relation
    inclusion: float
    distinct: int
    orphans: int
    nulls: int
    name_match: float
    confidence: float
    reason: str


def propose_foreign_keys(
    tables: Mapping[str, pa.Table], primary_keys: Mapping[str, Sequence[str]]
) -> tuple[ForeignKeyProposal, ...]:
    """Propose relations to tables that have a primary key.

    Args:
        tables: Typed tables by name.
        primary_keys: Key columns by table; tables without a key may be absent.

    Returns:
        Proposals in the order of tables and columns: at most one for each column, except where a key of
        several columns contains it. A relation that follows from two others is left out.
    """
    profiles = {name: profile_columns(name, table) for name, table in tables.items()}
    singles = [
        proposal
        for name, columns in profiles.items()
        for column in columns.values()
        if (proposal := _best_parent(column, profiles, primary_keys, tuple(primary_keys.get(name, ()))))
    ]
    composites = [
        proposal
        for child in tables
        for parent, key in primary_keys.items()
        if len(key) > 1 and (proposal := _composite_parent(tables, child, parent, tuple(key)))
    ]
    composites = _one_direction(composites)
    implied = _implied(composites, singles)
    kept = [proposal for proposal in singles if proposal.relation not in implied]
    order = {name: place for place, name in enumerate(tables)}
    return tuple(sorted([*kept, *composites], key=lambda proposal: order[proposal.relation.table]))


def _best_parent(
    column: Profile,
    profiles: Mapping[str, Mapping[str, Profile]],
    primary_keys: Mapping[str, Sequence[str]],
    own_key: tuple[str, ...],
) -> ForeignKeyProposal | None:
    """Choose the table that a column most likely references."""
    proposals = []
    for parent, key in primary_keys.items():
        if (
            len(key) != 1
            or (parent == column.table and key[0] == column.name)
            or key[0] not in profiles[parent]
        ):
            continue
        target = profiles[parent][key[0]]
        name = _name_match(column, target)
        if own_key == (column.name,) and not _extends(column, target):
            continue
        if found := _judge(column, target, name):
            closeness = words(parent).parts == column.words.subject
            proposals.append((found.confidence, closeness, target.rows, found))
    return max(proposals, key=lambda entry: entry[:3])[3] if proposals else None


def _extends(column: Profile, target: Profile) -> bool:
    """Tell whether a table whose own key is the column extends the target's table row by row."""
    subject = column.words.subject
    return (
        words(target.table).parts == subject != words(column.table).parts
        and column.words.parts[-1:] != subject
    )


def _name_match(column: Profile, target: Profile) -> float:
    """Tell how well a column's name fits a key of another table, between 0 and 1."""
    child, key, table = column.words, target.words, words(target.table).parts
    subject = child.subject
    if column.table == target.table and not child.is_self_reference:
        return 0.0
    named = bool(subject and table)
    telling = child.is_identifier or column.family == "text"
    evidence = (
        (1.0, telling and bool(key.subject) and child.parts == key.parts),
        (0.95, child.is_identifier and named and subject in (table, key.subject)),
        (0.9, telling and bool(key.subject) and child.parts[-len(key.parts) :] == key.parts),
        (0.9, telling and named and subject in (table, key.subject)),
        (0.9, child.is_identifier and named and subject[-len(table) :] == table),
        (0.75, bool(key.subject) and child.parts == key.parts),
        (0.75, column.table == target.table),
        (0.7, telling and named and subject[-1] == table[-1]),
        (0.5, named and subject[-1] == table[-1]),
        (0.5, _shares_stem(subject, table)),
    )
    return next((score for score, holds in evidence if holds), 0.0)


def _shares_stem(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Tell whether a word begins a word of the other name."""
    pairs = [(one, other) for one in left for other in right]
    return any(
        min(len(one), len(other)) >= 4 and (one.startswith(other) or other.startswith(one))
        for one, other in pairs
    )


def _judge(column: Profile, target: Profile, name: float) -> ForeignKeyProposal | None:
    """Weigh name and inclusion against each other."""
    if column.family == "none" or not target.rows or (name == 0 and not _is_telling(column, target)):
        return None
    mixed = column.dtype != target.dtype
    if mixed and name < 0.9:
        return None
    found = _as(pl.String, column.distinct, mixed).is_in(_as(pl.String, target.distinct, mixed).implode())
    share = float(found.to_numpy().mean())
    lost = column.distinct.filter(~found)
    orphans = int(column.values.is_in(lost.implode()).sum()) if len(lost) else 0
    inclusion = 1 - orphans / max(column.rows - column.nulls, 1)
    coverage = len(column.distinct) * share / target.rows
    if not _is_enough(name, min(share, inclusion), coverage):
        return None
    confidence = min(0.99, (0.55 + 0.44 * name) * inclusion)
    return _proposal(column, target, name, (inclusion, orphans, confidence))


def _as(kind: type[pl.DataType], values: pl.Series, wanted: bool) -> pl.Series:
    """Give values in another type where that is wanted."""
    return values.cast(kind) if wanted else values


def _is_enough(name: float, inclusion: float, coverage: float) -> bool:
    """Tell whether the inclusion is enough for how well the names fit."""
    if name >= 0.9:
        return inclusion >= 0.5
    if name >= 0.7:
        return inclusion >= 0.9
    if name >= 0.5:
        return inclusion == 1 and coverage >= 0.5
    return inclusion >= 0.9


def _is_telling(column: Profile, target: Profile) -> bool:
    """Tell whether inclusion alone is evidence: codes, or numbers that are too sparse to meet by accident."""
    if column.dtype != target.dtype:
        return False
    if column.family == "text":
        lengths = column.distinct.str.len_chars().to_numpy()
        return bool(len(lengths) >= 3 and lengths.min() >= 3) and is_code(target)
    return target.spread >= 1000 * target.rows and len(column.distinct) >= 20


def _proposal(
    column: Profile, target: Profile, name: float, facts: tuple[float, int, float]
) -> ForeignKeyProposal:
    """Put the evidence in words."""
    inclusion, orphans, confidence = facts
    relation = Relation(column.table, (column.name,), target.table, (target.name,))
    fit = "names agree" if name >= 0.9 else "names are alike" if name else "no hint in the names"
    share = f"{inclusion:.1%} of {column.rows - column.nulls:,} keys occur in {target.table}"
    without = f", {orphans:,} do not" if orphans else ""
    reason = f"{share}{without}; {len(column.distinct):,} distinct; {fit}"
    return ForeignKeyProposal(
        relation, inclusion, len(column.distinct), orphans, column.nulls, name, confidence, reason
    )


def _composite_parent(
    tables: Mapping[str, pa.Table], child: str, parent: str, key: tuple[str, ...]
) -> ForeignKeyProposal | None:
    """Propose a reference to a key of several columns by columns of the same names."""
    columns = _same_names(tables, child, parent, key) if child != parent else None
    if columns is None:
        return None
    relation = Relation(child, columns, parent, key)
    absent = missing_keys(tables[child], columns)
    present = tables[child].num_rows - int(absent.sum())
    if not present:
        return None
    lost = int(((row_numbers(tables[child], relation, tables[parent]) < 0) & ~absent).sum())
    inclusion = 1 - lost / present
    if inclusion < _COMPOSITE_INCLUSION:
        return None
    distinct = key_frame(tables[child], columns).n_unique()
    reason = f"{inclusion:.1%} of {present:,} keys of {len(key)} columns occur in {parent}; names agree"
    return ForeignKeyProposal(
        relation, inclusion, distinct, lost, int(absent.sum()), 1.0, 0.9 * inclusion, reason
    )


def _same_names(
    tables: Mapping[str, pa.Table], child: str, parent: str, key: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Give the columns of a table that are named as the key's, but for a prefix of the whole table."""
    names = {words(label).parts: name for name, label in unprefixed(tables[child].column_names).items()}
    labels = unprefixed(tables[parent].column_names)
    found = [
        column if column in tables[child].column_names else names.get(words(labels[column]).parts)
        for column in key
    ]
    return tuple(name for name in found if name) if all(found) else None


def _one_direction(composites: Sequence[ForeignKeyProposal]) -> list[ForeignKeyProposal]:
    """Keep one of two tables that reference each other by the same columns."""
    kept: list[ForeignKeyProposal] = []
    for proposal in composites:
        relation = proposal.relation
        mirrored = (relation.references_table, relation.references_columns, relation.table)
        if not any(
            (one.relation.table, one.relation.columns, one.relation.references_table) == mirrored
            for one in kept
        ):
            kept.append(proposal)
    return kept


def _implied(
    composites: Sequence[ForeignKeyProposal], singles: Sequence[ForeignKeyProposal]
) -> set[Relation]:
    """Give single relations of a child that its composite parent already has."""
    known = {proposal.relation for proposal in singles}
    implied = set()
    for proposal in composites:
        relation = proposal.relation
        for column, reference in zip(relation.columns, relation.references_columns, strict=True):
            for single in known:
                if (single.table, single.columns) == (relation.references_table, (reference,)):
                    implied.add(
                        Relation(
                            relation.table, (column,), single.references_table, single.references_columns
                        )
                    )
    return implied
