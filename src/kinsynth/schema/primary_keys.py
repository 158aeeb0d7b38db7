"""Propose primary keys from the data, with the evidence: uniqueness, names, place and shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.chance import never_repeats
from kinsynth.schema.keys import key_frame
from kinsynth.schema.names import words
from kinsynth.schema.profile import MOMENTS, Profile, is_code, profile_columns

_ENOUGH_SCORE = 0.44
_ENOUGH_ROWS = 10
_MOST_KEY_COLUMNS = 3
_MOST_CANDIDATES = 8
_MOST_SPOILING = 0.01


@dataclass(frozen=True)
class KeyProposal:
    """A primary key that the data allows.

    Attributes:
        columns: The key.
        confidence: Between 0 and 1.
        reason: The evidence, in words.
    """

    columns: tuple[str, ...]
    confidence: float
    reason: str


def propose_primary_keys(tables: Mapping[str, pa.Table]) -> dict[str, KeyProposal]:
    """Propose a primary key for each table that seems to have one.

    Args:
        tables: Typed tables by name.

    Returns:
        Proposals by table; a table without a plausible key is absent. A single column goes before several,
        the smallest set of key-like columns before larger ones.
    """
    profiles = {name: profile_columns(name, table) for name, table in tables.items()}
    singles = {name: found for name, columns in profiles.items() if (found := _single_key(columns, profiles))}
    referenced = {(proposal.columns[0]) for proposal in singles.values()}
    proposals = {}
    for name, table in tables.items():
        link = _link_key(table, profiles[name])
        found = link or singles.get(name) or _composite_key(table, profiles[name], referenced)
        found = found or _dated_key(table, profiles[name], referenced)
        if found:
            proposals[name] = found
    return proposals


def nearly_keys(tables: Mapping[str, pa.Table]) -> dict[str, tuple[str, ...]]:
    """Find columns that would be keys if one row in a hundred, or one in all, did not repeat or lack a value.

    Args:
        tables: Typed tables by name that have no key.
    """
    profiles = {name: profile_columns(name, table) for name, table in tables.items()}
    found: dict[str, tuple[str, ...]] = {}
    for name, columns in profiles.items():
        near = [one for one in columns.values() if one.words.is_strong_identifier and _is_nearly_unique(one)]
        scored = [(_key_score(one, profiles)[0], -one.position, one.name) for one in near]
        if scored and max(scored)[0] >= _ENOUGH_SCORE:
            found[name] = (max(scored)[2],)
    return found


def _is_nearly_unique(column: Profile) -> bool:
    """Tell whether hardly a row repeats or lacks a value."""
    spoiling = column.rows - len(column.distinct)
    return 0 < spoiling <= max(1, _MOST_SPOILING * column.rows) and len(column.distinct) >= _ENOUGH_ROWS


def _single_key(
    columns: Mapping[str, Profile], profiles: Mapping[str, Mapping[str, Profile]]
) -> KeyProposal | None:
    """Choose the likeliest single column."""
    scored = [
        (*_key_score(column, profiles), column)
        for column in columns.values()
        if column.is_unique and column.rows > 0
    ]
    fitting = [entry for entry in scored if entry[0] >= _ENOUGH_SCORE]
    if not fitting:
        return None
    score, reasons, column = max(fitting, key=lambda entry: (entry[0], -entry[2].position))
    reason = f"{column.rows:,} rows, no value missing, none twice; {', '.join(reasons)}"
    return KeyProposal((column.name,), min(score, 0.99), reason)


def _key_score(
    column: Profile, profiles: Mapping[str, Mapping[str, Profile]]
) -> tuple[float, tuple[str, ...]]:
    """Score a unique column by name, place and shape."""
    name, table = column.words, words(column.table)
    same_name = any(column.name in other for key, other in profiles.items() if key != column.table)
    hinted = name.is_identifier or same_name or name.subject == table.parts
    shaped = (hinted or column.rows >= _ENOUGH_ROWS) and is_code(column)
    evidence = (
        (0.5, name.is_strong_identifier, "name of an identifier"),
        (0.3, name.is_identifier and not name.is_strong_identifier, "name of a code"),
        (0.3, bool(name.subject) and name.subject == table.parts, "name of the table"),
        (0.3, column.position == 0, "first column"),
        (0.2, same_name, "another table has a column of this name"),
        (0.15, shaped, "shape of a key"),
        (-0.5, not shaped and column.family == "text", ""),
        (-0.3, name.is_phone or "email" in name.parts or "mail" in name.parts, ""),
        (-0.3, name.is_label, ""),
        (-0.3, column.rows < 2 and not name.is_strong_identifier, ""),
    )
    score = sum(weight for weight, holds, _ in evidence if holds)
    return score, tuple(reason for weight, holds, reason in evidence if holds and weight > 0)


def _link_key(table: pa.Table, columns: Mapping[str, Profile]) -> KeyProposal | None:
    """Find the key of a table that links others: its name is made of the names of its key columns."""
    named = words(next(iter(columns.values())).table).parts if columns else ()
    parts = [
        column
        for column in columns.values()
        if column.words.is_strong_identifier
        and column.nulls == 0
        and set(column.words.subject[-1:]) & set(named)
    ]
    covered = {part for column in parts for part in column.words.subject}
    names = tuple(column.name for column in parts)
    if len(names) < 2 or not set(named) <= covered or not _is_unique(table, names):
        return None
    return KeyProposal(
        names, 0.85, f"{table.num_rows:,} rows, no combination twice; the table is named after both"
    )


def _composite_key(
    table: pa.Table, columns: Mapping[str, Profile], referenced: set[str]
) -> KeyProposal | None:
    """Find the smallest set of key-like columns that is unique."""
    full = [
        column
        for column in columns.values()
        if column.nulls == 0 and column.rows > 1 and column.family != "none"
    ]
    key_like = [column for column in full if column.words.is_strong_identifier or column.name in referenced]
    counters = [column for column in full if _is_counter(column) and column not in key_like]
    chosen = key_like[:_MOST_CANDIDATES]
    for size in range(2, _MOST_KEY_COLUMNS + 1):
        for parts in _key_sets(chosen, counters[:_MOST_CANDIDATES], size):
            names = tuple(column.name for column in parts)
            if _is_unique(table, names):
                reason = f"{table.num_rows:,} rows, no combination twice; {size} columns with names of keys"
                return KeyProposal(names, 0.8, reason)
    return None


def _dated_key(table: pa.Table, columns: Mapping[str, Profile], referenced: set[str]) -> KeyProposal | None:
    """Find the column that has one row a day, or a moment: one that would repeat if dates came by chance."""
    owners = [
        column.name
        for column in columns.values()
        if column.nulls == 0 and (column.words.is_strong_identifier or column.name in referenced)
    ]
    moments = profile_columns("", table, MOMENTS).values() if owners else ()
    for pair in product(owners, [one.name for one in moments if one.nulls == 0]):
        if never_repeats(_ranks(table, pair), 0):
            reason = f"{table.num_rows:,} rows, no combination twice, though random dates would meet"
            return KeyProposal(pair, 0.8, reason)
    return None


def _ranks(table: pa.Table, columns: Sequence[str]) -> list[NDArray[np.int64]]:
    """Number the values of columns, which have no missing one."""
    ranked = [cells.rank("dense").to_numpy() for cells in key_frame(table, columns)]
    return [rank_R.astype(np.int64) for rank_R in ranked]


def _is_counter(column: Profile) -> bool:
    """Tell whether a column counts rows within something: small whole numbers and a fitting name."""
    return column.family == "number" and column.words.is_sequence


def _key_sets(
    key_like: Sequence[Profile], counters: Sequence[Profile], size: int
) -> Iterator[tuple[Profile, ...]]:
    """Give sets of key-like columns, then those with one counter."""
    yield from combinations(key_like, size)
    for counter in counters:
        for parts in combinations(key_like, size - 1):
            yield (*parts, counter)


def _is_unique(table: pa.Table, columns: Sequence[str]) -> bool:
    """Tell whether no combination repeats."""
    return bool(key_frame(table, columns).n_unique() == table.num_rows)
