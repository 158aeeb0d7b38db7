"""Decide by the rows what each foreign key is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.chance import is_no_accident
from kinsynth.schema.circles import is_inside, reachable
from kinsynth.schema.database import Database
from kinsynth.schema.facts import LONGEST_IMPLIED, drawn_keys, find_implied
from kinsynth.schema.graph import Relations, Structure, find_structure
from kinsynth.schema.numbering import numbers_rows
from kinsynth.schema.paths import RowNumbers, Walker, paths
from kinsynth.schema.table import Relation, Schema
from kinsynth.system.randomness import uniforms

_MOST_ROWS = 50_000
_FEWEST_PARENTS = 20
_FREQUENT = 10
_ALIKE, _NOISE = 1.5, 0.02
_NEARLY_ALL = 0.9
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_temporal)


def choose_roles(database: Database) -> Schema:
    """Give every foreign key of the synthesised tables a role, those that have one aside.

    A key that follows from others in every row, by no accident, is implied. The owner is chosen among the
    keys that are never missing: the one under which the rows' other columns are tied together most
    strongly. One whose rows a column numbers (line 1, 2, 3 of an order) comes first. A key to whose row
    another leads in nearly all rows (the customer of a payment, mostly that of its rental) gives way to that.
    Fewer than 20 referenced rows of a larger table own nothing, and those of a smaller one come last. What
    does not differ by much is left to the rule of ``find_structure``. Where no such key can be the owner's,
    one that may be missing is chosen in the same way: most rows must have it, and most of these a sibling
    under it, for else there is no sequence to learn. All other keys to synthesised tables are further ones.

    Args:
        database: Typed originals without orphans.

    Returns:
        The schema with roles. A role ``owner`` stays; ``key`` stays, or becomes ``implied``. References to
        original tables are implied, or stay without a role.
    """
    walker = Walker(database)
    schema = _with_broken(_with_implied(database, walker), walker)
    structure = find_structure(schema)
    roles = {
        relation: "owner" if relation == _chosen(database, schema, structure, walker, name) else "key"
        for name in structure.order
        for relation in drawn_keys(structure, name)
        if relation not in structure.reference_relations[name]
    }
    return _with_roles(schema, {one: role for one, role in roles.items() if not one.role})


def _with_roles(schema: Schema, roles: Mapping[Relation, str]) -> Schema:
    """Set the roles of some relations."""
    relations = tuple(replace(one, role=roles[one]) if one in roles else one for one in schema.relations)
    return replace(schema, relations=relations)


def _with_implied(database: Database, walker: Walker) -> Schema:
    """Find the keys that follow from others; a key on such a way is itself no implied one.

    Tables that are pointed at come first: whether the keys on a way are implied is known by then. A key under
    whose rows the primary key counts (project 1, 2, 3 of a tenant) is none either, so that it can own them.
    """
    schema, used = database.schema, set[str]()
    order = find_structure(schema).order
    made = [one for one in schema.relations if one.table in order and one.role in ("", "key")]
    for relation in sorted(made, key=lambda one: order.index(one.table)):
        structure = find_structure(schema)
        if str(relation) in used:
            continue
        if relation in structure.late[relation.table]:
            continue
        key = schema.tables[relation.table].primary_key
        if set(relation.columns) < set(key) and _numbered(database, schema, walker, [relation]):
            continue
        if path := find_implied(schema, structure, walker, relation, free=False):
            used |= set(map(str, path))
            schema = _with_roles(schema, {relation: "implied"})
    return schema


def _with_broken(schema: Schema, walker: Walker) -> Schema:
    """Break circles at keys that repeat least: a shop has one manager, and many work there."""
    structure = find_structure(schema)
    drawn = [one for table in structure.order for one in drawn_keys(structure, table)]
    inside = [one for one in drawn if one.table != one.references_table and is_inside(one, drawn)]
    ahead = {one.table: reachable(one.table, drawn) for one in inside}
    share = {one: _distinct_share(walker.rows(one)) for one in inside}
    rarest = {}
    for one in inside:
        circle = [
            share[other]
            for other in inside
            if other.table in ahead[one.table] and one.table in ahead[other.table]
        ]
        if not one.role and share[one] == max(circle) > min(circle):
            rarest[one] = "key"
    late = find_structure(_with_roles(schema, rarest)).late
    return _with_roles(
        schema, {one: role for one, role in rarest.items() if replace(one, role=role) in late[one.table]}
    )


def _distinct_share(row_R: RowNumbers) -> float:
    """Give how many different rows are pointed at for each row that points."""
    known_R = row_R[row_R >= 0]
    return len(np.unique(known_R)) / len(known_R) if len(known_R) else 0.0


def _chosen(
    database: Database, schema: Schema, structure: Structure, walker: Walker, table: str
) -> Relation | None:
    """Choose the owner of a table."""
    usual = structure.parent_relation[table]
    if usual is not None and usual.role == "owner":
        return usual
    known = [
        one
        for one in drawn_keys(structure, table)
        if (one == usual or one in structure.keys[table]) and one.role != "key"
    ]
    known = [one for one in known if not _is_hub(database, one, walker.rows(one))]
    always = [one for one in known if not schema.may_be_missing(one)]
    mostly = [one for one in known if schema.may_be_missing(one) and _has_sequences(walker.rows(one))]
    choice = _Choice(database, schema, structure, walker)
    return choice.best(always, usual) or choice.best(mostly, None)


def _has_sequences(row_R: RowNumbers) -> bool:
    """Tell whether most rows have the key, and most of these a sibling that names the same row."""
    known_R = row_R[row_R >= 0]
    return 2 * len(known_R) > len(row_R) and 2 * len(_with_sibling(row_R)) > len(known_R)


@dataclass(frozen=True)
class _Choice:
    """What owners are chosen by."""

    database: Database
    schema: Schema
    structure: Structure
    walker: Walker

    def best(self, candidates: Sequence[Relation], usual: Relation | None) -> Relation | None:
        """Choose the best of some keys of a table; ``usual`` where it is about as good."""
        walker = self.walker
        if len(candidates) > 1:
            candidates = (
                _numbered(self.database, self.schema, walker, candidates)
                or [one for one in candidates if not _is_led_to(self.structure, walker, one, candidates)]
                or candidates
            )
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        wide = [one for one in candidates if _named(walker.rows(one)) >= _FEWEST_PARENTS]
        scores = {one: _tie(self.database, self.schema, one, walker.rows(one)) for one in wide or candidates}
        best = max(scores.values())
        close = [one for one, score in scores.items() if _ALIKE * (score + _NOISE) >= best]
        return usual if usual in close else close[0]


def _numbered(
    database: Database, schema: Schema, walker: Walker, candidates: Sequence[Relation]
) -> list[Relation]:
    """Give the keys of whose rows a column numbers those that name them, of 20 with several at least."""
    found = []
    for one in candidates:
        row_R, rows = walker.rows(one), database.tables[one.table]
        known_R = row_R >= 0
        linked = {column for other in schema.outgoing(one.table) for column in other.columns}
        several = int((np.bincount(row_R[known_R], minlength=1) > 1).sum())
        names = [one.name for one in rows.schema if pa.types.is_integer(one.type) and one.name not in linked]
        columns = (rows[name].filter(pa.array(known_R)) for name in names)  # one in memory at a time
        if several >= _FEWEST_PARENTS and any(numbers_rows(values, row_R[known_R]) for values in columns):
            found.append(one)
    return found


def _is_led_to(
    structure: Structure, walker: Walker, relation: Relation, candidates: Sequence[Relation]
) -> bool:
    """Tell whether another candidate leads to the key's row, in nearly all rows and by no accident."""

    def steps(table: str) -> Relations:
        known = drawn_keys(structure, table) if table in structure.order else ()
        return tuple(one for one in known if one not in structure.late[table])

    start_R = np.flatnonzero(walker.rows(relation) >= 0)
    row_R = walker.rows(relation)[start_R]
    for other in candidates:
        for path in paths(other.references_table, steps, longest=LONGEST_IMPLIED - 1):
            if other == relation or not path or path[-1].references_table != relation.references_table:
                continue
            before_R = walker.ends((other, *path[:-1]), start_R)
            same_R = walker.ends(path[-1:], before_R) == row_R
            if same_R.sum() >= _NEARLY_ALL * max(len(same_R), 1) and is_no_accident(
                before_R, before_R, row_R, same_R
            ):
                return True
    return False


def _is_hub(database: Database, relation: Relation, row_R: RowNumbers) -> bool:
    """Tell whether fewer than 20 rows are referenced, of a larger table or by a table that small.

    As owners they would be the few whose every value is protected, and a few rows say nothing of those they
    hang under. A small table under which many rows hang is left to the check: whether it may be copied is the
    user's word.
    """
    rows = [
        table.num_rows for name, table in database.tables.items() if not database.schema.tables[name].original
    ]
    parents, small = database.tables[relation.references_table].num_rows, len(row_R) < _FEWEST_PARENTS
    few = len(row_R) > 0 and _named(row_R) < _FEWEST_PARENTS
    return few and (parents >= _FEWEST_PARENTS or (small and max(rows) >= _FEWEST_PARENTS))


def _tie(database: Database, schema: Schema, relation: Relation, row_R: RowNumbers) -> float:
    """Tell how strongly rows of one parent are alike, or unlike, in their other columns, 0 to 1.

    The mean over columns of the size of the intraclass correlation (adjusted R squared of grouping by
    parent), among rows with a sibling, times the share of these rows. On at most 50,000 rows.
    """
    sibling_R = _with_sibling(row_R)
    if not len(sibling_R):
        return 0.0
    share = len(sibling_R) / len(row_R)
    chosen_R = _some(row_R, sibling_R)
    linked = schema.foreign_columns(relation.table)
    rows = database.tables[relation.table].take(pa.array(chosen_R))
    ties = [
        abs(_correlation(features, row_R[chosen_R]))
        for name in rows.column_names
        if name not in linked
        and name not in schema.tables[relation.table].primary_key
        and (features := _features(rows.column(name))) is not None
    ]
    return share * float(np.mean(ties)) if ties else 0.0


def _named(row_R: RowNumbers) -> int:
    """Count the rows that are named."""
    return len(np.unique(row_R[row_R >= 0]))


def _with_sibling(row_R: RowNumbers) -> RowNumbers:
    """Give the rows beside which another one names the same row."""
    count = np.bincount(row_R[row_R >= 0], minlength=1)
    return np.flatnonzero((row_R >= 0) & (count[row_R] > 1))


def _some(row_R: RowNumbers, sibling_R: RowNumbers) -> RowNumbers:
    """Choose at most 50,000 of the rows with siblings: those of some parents, by chance."""
    if len(sibling_R) <= _MOST_ROWS:
        return sibling_R
    parents = np.arange(int(row_R.max()) + 1, dtype=np.int64)
    turn = np.argsort(uniforms(0, "ownership", parents)[:, 0], kind="stable")
    place = np.empty_like(turn)
    place[turn] = parents
    order = np.argsort(place[row_R[sibling_R]], kind="stable")
    return np.sort(sibling_R[order[:_MOST_ROWS]])


def _features(values: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Give a column as numbers: ranks, or whether it has each frequent value; None for neither."""
    series = pl.Series("x", values)
    if any(is_kind(values.type) for is_kind in _NUMBERS):
        ranks = series.to_physical().rank("average").cast(pl.Float64)
        known_R: NDArray[np.float64] = ranks.fill_null(-len(ranks)).to_numpy()
        return np.nan_to_num(known_R)[:, None].astype(np.float64)
    if series.dtype not in (pl.String, pl.Boolean, pl.Categorical):
        return None
    counts = series.cast(pl.String).fill_null("").value_counts(sort=True)
    frequent = counts.filter(pl.col("count") >= max(2, len(series) // 100)).head(_FREQUENT)
    if not len(frequent):
        return None
    texts = series.cast(pl.String).fill_null("")
    return np.stack([(texts == text).to_numpy() for text in frequent["x"]], axis=1).astype(np.float64)


def _correlation(features_RF: NDArray[np.float64], row_R: RowNumbers) -> float:
    """Give the adjusted share of the features' variance between the groups; 0 where nothing varies."""
    group_R = np.unique(row_R, return_inverse=True)[1]
    count_G = np.bincount(group_R)
    rows, groups = len(group_R), len(count_G)
    centred_RF = features_RF - features_RF.mean(axis=0)
    total = float((centred_RF**2).sum())
    if total == 0 or rows == groups:
        return 0.0
    sums_GF = np.stack([np.bincount(group_R, weights=column) for column in centred_RF.T], axis=1)
    between = float((sums_GF**2 / count_G[:, None]).sum())
    return max(-1.0, 1 - (1 - between / total) * (rows - 1) / (rows - groups))
