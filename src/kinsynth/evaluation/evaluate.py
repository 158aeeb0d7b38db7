"""Evaluate: compares a synthetic database with the original one, held-out rows being the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kinsynth.evaluation import relational, scores
from kinsynth.evaluation.bins import Binned, bin_variable, some_rows
from kinsynth.evaluation.detection import detect
from kinsynth.evaluation.disclosure import compare_neighbours
from kinsynth.evaluation.families import summarise
from kinsynth.evaluation.fidelity import Pair, compare_pair, dependence_kept, distance_interval, distances
from kinsynth.evaluation.links import (
    ancestry,
    climb,
    groups,
    key_columns,
    key_kinds,
    levels,
    link,
    linking_columns,
    subjects,
)
from kinsynth.evaluation.marginals import missing_shares, show
from kinsynth.evaluation.results import (
    ColumnComparison,
    CountComparison,
    Evaluation,
    KeyArrow,
    KeyKind,
    Matrix,
    Metric,
    Overview,
    PairComparison,
    RelationComparison,
    Shares,
    TableBox,
    TableEvaluation,
)
from kinsynth.evaluation.variables import IntArray, Variable, is_comparable, read_variable
from kinsynth.privacy.protection import Numbered, numbered
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.holders import Units, find_holders
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.split import some_roots
from kinsynth.schema.table import Relation, Schema
from kinsynth.settings.evaluation import Evaluation as EvaluationSettings
from kinsynth.settings.evaluation import Report
from kinsynth.settings.privacy import Protection

_DETECTION_BINS = 63
_PARENT_COLUMNS = 12
_FEWEST_PAIRED = 10
_PAIR_ROWS = 50_000
MOST_ROOTS = 200_000


@dataclass(frozen=True)
class _Comparison:
    """What every part of the evaluation needs.

    Attributes:
        databases: Original, synthetic and perhaps held-out rows.
        holders: By table what may stand for the persons behind each original row.
    """

    databases: tuple[Database, ...]
    holders: Mapping[str, Units]
    settings: EvaluationSettings
    report: Report
    protection: Protection
    seed: int


def evaluate(
    original: Database,
    synthetic: Database,
    *,
    holdout: Database | None = None,
    settings: EvaluationSettings | None = None,
    report: Report | None = None,
    protection: Protection | None = None,
    seed: int = 0,
) -> Evaluation:
    """Compare synthetic with original rows.

    Args:
        original: The rows the model learned from.
        synthetic: The generated rows.
        holdout: Original rows the model never saw.
        settings: How many rows are compared one by one.
        report: How many columns are compared in detail.
        protection: What may be shown of the original.
        seed: Chooses rows where not all are compared.

    Returns:
        Scores, comparisons and distributions, safe to show.

    Guarantees:
        Without held-out rows attacks are shown, but privacy has no score.
        Same arguments, same result. Of a part with more than 200,000 root rows so many are compared,
        chosen by chance, with all under them. Original-data tables, key columns, and what one part
        lacks have no part in it. Categories held by fewer than ``rare_minimum`` root rows are not
        named.
    """
    databases = tuple(
        some_roots(part, find_structure(part.schema), most=MOST_ROOTS, seed=seed)
        for part in (original, synthetic, holdout)
        if part is not None
    )
    comparison = _Comparison(
        databases=databases,
        holders=find_holders(databases[0], find_structure(databases[0].schema)),
        settings=settings or EvaluationSettings(),
        report=report or Report(),
        protection=protection or Protection(),
        seed=seed,
    )
    tables = {name: _read_table(comparison, name) for name in _synthesised(comparison.databases)}
    evaluated = [_evaluate_table(comparison, name, tables) for name in tables]
    kinds = key_kinds(find_structure(original.schema))
    relations = [
        _evaluate_relation(comparison, relation, kinds[relation], tables)
        for relation in dict.fromkeys(original.schema.relations)
        if relation in kinds and _has_both(comparison, relation)
    ]
    known_tables = [table for table in evaluated if table is not None]
    known_relations = [relation for relation in relations if relation is not None]
    privacy = scores.overall_privacy([table.privacy for table in known_tables])
    lacking: Literal["no_holdout", "too_few"] = "no_holdout" if holdout is None else "too_few"
    return Evaluation(
        accuracy=scores.overall_accuracy(
            [(table.accuracy, len(tables[table.name])) for table in known_tables],
            [relation.accuracy for relation in known_relations],
        ),
        privacy=privacy,
        privacy_missing=lacking if privacy is None else None,
        has_holdout=holdout is not None,
        tables=tuple(known_tables),
        relations=tuple(known_relations),
        overview=_draw_up(original, synthetic, kinds),
    )


def _draw_up(original: Database, synthetic: Database, kinds: Mapping[Relation, KeyKind]) -> Overview:
    """Give all tables with their rows, and the keys between them."""
    parts = (original, synthetic)
    boxes = []
    for name, table in original.schema.tables.items():
        sizes = [part.tables[name].num_rows if name in part.tables else 0 for part in parts]
        boxes.append(
            TableBox(name=name, rows=(_banded(sizes[0]), _banded(sizes[1])), original=table.original)
        )
    relations = dict.fromkeys(original.schema.relations)
    arrows = [
        KeyArrow(table=one.table, parent=one.references_table, kind=kinds.get(one, "copied"))
        for one in relations
    ]
    return Overview(tables=tuple(boxes), keys=tuple(arrows))


def _has_both(comparison: _Comparison, relation: Relation) -> bool:
    """Tell whether every part has both tables of a relation, with its columns."""
    sides = ((relation.table, relation.columns), (relation.references_table, relation.references_columns))
    return all(
        name in part.tables and {*columns} <= {*part.tables[name].column_names}
        for part in comparison.databases
        for name, columns in sides
    )


def _synthesised(databases: Sequence[Database]) -> list[str]:
    """Name the tables that are not copied and that every part has, in the schema's order."""
    return [
        name
        for name, table in databases[0].schema.tables.items()
        if not table.original and all(name in database.tables for database in databases)
    ]


def _read_table(comparison: _Comparison, name: str) -> list[Variable]:
    """Read the comparable columns of a table that every part has, keys left out."""
    schema = comparison.databases[0].schema
    keys, linking = key_columns(schema, name), linking_columns(schema, name)
    return [
        read_variable(
            replace(column, type="categorical") if column.name in linking else column,
            [database.tables[name][column.name] for database in comparison.databases],
        )
        for column in schema.tables[name].columns
        if column.name not in keys
        and (is_comparable(column) or column.name in linking)
        and all(column.name in database.tables[name].column_names for database in comparison.databases)
    ]


def _evaluate_table(
    comparison: _Comparison, name: str, tables: dict[str, list[Variable]]
) -> TableEvaluation | None:
    """Evaluate one table; None where a part has no rows or no column can be compared."""
    variables = tables[name]
    rows = [np.arange(database.tables[name].num_rows) for database in comparison.databases]
    rows[2:] = [_fresh_rows(comparison, name)] if len(rows) > 2 else []
    sizes = [len(part) for part in rows]
    if not variables or min(sizes[:2]) == 0:
        return None
    usable = comparison if min(sizes) else _without_holdout(comparison)
    rows = rows[: len(usable.databases)]
    variables = [_at(variable, rows) for variable in variables]
    binned = [bin_variable(variable) for variable in variables]
    owners = [subjects(database, name)[part] for database, part in zip(usable.databases, rows, strict=True)]
    grouped = groups(owners[0])
    holder_R = numbered(usable.holders[name])
    columns = [
        _compare_column(usable, variable, cells, rows[0] if holder_R is None else holder_R, grouped)
        for variable, cells in zip(variables, binned, strict=True)
    ]
    shown = columns[: comparison.report.univariate_columns]
    wide = [_at(one, rows) for one in _wide(usable, name, tables)[: comparison.report.knn_columns]]
    pairs_metric, pairs = _compare_pairs(usable, binned, grouped)
    rows_metric = _compare_rows(usable, wide, owners)
    neighbours = compare_neighbours(wide, owners, max_rows=comparison.settings.max_rows, seed=comparison.seed)
    columns_metric = _mean_metric("columns", [column.similarity for column in columns])
    metrics = [metric for metric in (columns_metric, pairs_metric, rows_metric) if metric is not None]
    return TableEvaluation(
        name=name,
        rows=(_banded(sizes[0]), _banded(sizes[1]), _banded(sizes[2]) if len(sizes) > 2 else 0),
        accuracy=scores.table_accuracy(
            columns_metric.value,
            None if pairs_metric is None else pairs_metric.value,
            None if rows_metric is None else scores.realism(rows_metric.value),
        ),
        privacy=None if neighbours is None or len(owners) < 3 else scores.table_privacy(neighbours.risk),
        metrics=tuple(metrics),
        columns=tuple(shown),
        pairs=pairs,
        neighbours=neighbours,
    )


def _at(variable: Variable, rows: Sequence[IntArray]) -> Variable:
    """Take a variable at existing rows of each part."""
    parts = tuple(part[taken] for part, taken in zip(variable.parts, rows, strict=False))
    return Variable(variable.column, parts, variable.labels)


def _fresh_rows(comparison: _Comparison, name: str) -> IntArray:
    """Number the held-out rows whose subject is not among the original's.

    What rows of both parts point at is in both: it is nothing that the model never saw.
    """
    original, _, holdout = comparison.databases
    path = ancestry(original.schema, name)
    root = path[-1].references_table if path else name
    key = original.schema.tables[root].primary_key
    owner_R = subjects(holdout, name)
    if not key or root not in holdout.tables:
        return np.arange(len(owner_R))
    twin = Relation(root, key, root, key)
    shared_S = row_numbers(holdout.tables[root], twin, original.tables[root]) >= 0
    known_R = owner_R < len(shared_S)
    return np.flatnonzero(~known_R | ~np.append(shared_S, False)[np.where(known_R, owner_R, -1)])


def _without_holdout(comparison: _Comparison) -> _Comparison:
    """Leave the held-out rows out."""
    return replace(comparison, databases=comparison.databases[:2])


def _banded(rows: int) -> int:
    """Round a number of rows to two digits."""
    return int(float(f"{rows:.2g}"))


def _compare_column(
    comparison: _Comparison,
    variable: Variable,
    cells: Binned,
    holders: Numbered | None,
    grouped_R: IntArray | None,
) -> ColumnComparison:
    """Compare one column."""
    found = distances(cells.parts, cells.cardinality, grouped_R)
    rows_each = 1.0 if grouped_R is None else len(grouped_R) / (int(grouped_R.max()) + 1)
    sizes = (len(cells.parts[0]) / rows_each, len(cells.parts[1]) / rows_each)
    near, far = distance_interval(cells.shares(0), cells.shares(1), sizes=sizes, seed=comparison.seed)
    value = round(found[0].similarity, 4)
    return ColumnComparison(
        name=variable.column.name,
        type=variable.column.type,
        similarity=Metric(
            name="column_similarity",
            value=value,
            interval=(round(min(1 - far, value), 4), round(max(1 - near, value), 4)),
            reference=round(found[1].similarity, 4) if len(found) > 1 else None,
        ),
        missing=missing_shares(variable),
        distribution=show(
            variable, np.arange(len(cells.parts[0])) if holders is None else holders, comparison.protection
        ),
    )


def _mean_metric(name: str, metrics: Sequence[Metric]) -> Metric:
    """Average the same metric of many columns."""
    references = [metric.reference for metric in metrics if metric.reference is not None]
    return Metric(
        name=name,
        value=round(float(np.mean([metric.value for metric in metrics])), 4),
        reference=round(float(np.mean(references)), 4) if references else None,
    )


def _compare_pairs(
    comparison: _Comparison, binned: Sequence[Binned], grouped_R: IntArray | None
) -> tuple[Metric | None, PairComparison | None]:
    """Compare the pairs of a table's columns; None for a table of one column."""
    shown = comparison.report.bivariate_columns
    binned = binned[: max(shown, _FEWEST_PAIRED)]
    rows = some_rows(binned, _PAIR_ROWS, seed=comparison.seed)
    binned = [column.taken(rows) for column in binned]
    grouped_R = None if grouped_R is None else grouped_R[rows[0]]
    pairs = {
        (i, j): compare_pair(binned[i], binned[j], grouped_R) for i in range(len(binned)) for j in range(i)
    }
    if not pairs:
        return None, None
    kept = [dependence_kept([*pairs.values()], part) for part in range(len(comparison.databases) - 1)]
    metric = Metric(name="pairs", value=kept[0], reference=kept[1] if len(kept) > 1 else None)
    return metric, _show_pairs(pairs, [column.name for column in binned[:shown]]) if shown >= 2 else None


def _show_pairs(pairs: Mapping[tuple[int, int], Pair], names: Sequence[str]) -> PairComparison:
    """Arrange pairs in matrices."""
    found = {place: pair for place, pair in pairs.items() if place[0] < len(names)}
    return PairComparison(
        columns=tuple(names),
        similarity=_matrix({place: p.distances[0].similarity for place, p in found.items()}, len(names)),
        association_original=_matrix({place: p.associations[0] for place, p in found.items()}, len(names)),
        association_synthetic=_matrix({place: p.associations[1] for place, p in found.items()}, len(names)),
    )


def _matrix(values: Mapping[tuple[int, int], float], width: int) -> Matrix:
    """Fill a symmetric matrix with ones on its diagonal, to three decimals."""
    matrix_CC = np.eye(width)
    for (row, column), value in values.items():
        matrix_CC[row, column] = matrix_CC[column, row] = value
    return tuple(tuple(float(value) for value in row) for row in np.round(matrix_CC, 3))


def _wide(comparison: _Comparison, name: str, tables: dict[str, list[Variable]]) -> list[Variable]:
    """Give the columns of a table and, taken at its rows, those of its owners and of rows it points at."""
    databases = comparison.databases
    structure = find_structure(databases[0].schema)
    wide = [Variable(v.column, v.parts[: len(databases)], v.labels) for v in tables[name]]
    above = [climb(database, name) for database in databases]
    for relation in ancestry(databases[0].schema, name):
        parent = relation.references_table
        wide += _taken(tables[parent], [part[parent] for part in above], parent)
    for relation in structure.further(name):
        if relation.references_table in tables and _has_both(comparison, relation):
            rows = [link(database, relation) for database in databases]
            wide += _taken(tables[relation.references_table], rows, str(relation))
    return wide


def _taken(variables: Sequence[Variable], rows: Sequence[IntArray], where: str) -> list[Variable]:
    """Take columns of another table at the rows that rows lead to."""
    return [variable.taken(rows, f"{where}.{variable.column.name}") for variable in variables]


def _compare_rows(
    comparison: _Comparison, wide: Sequence[Variable], owners: Sequence[IntArray], name: str = "detection"
) -> Metric | None:
    """Measure how well whole rows can be told from training rows; None for too few rows."""
    binned = [bin_variable(variable, bins=_DETECTION_BINS, pooled=True) for variable in wide]
    values = [_detect_part(comparison, binned, owners, part=part) for part in range(1, len(owners))]
    if values[0] is None:
        return None
    return Metric(
        name=name,
        value=values[0],
        reference=values[1] if len(values) > 1 else None,
        direction="lower",
    )


def _detect_part(
    comparison: _Comparison, binned: Sequence[Binned], owners: Sequence[IntArray], *, part: int
) -> float | None:
    """Measure how well rows of one part can be told from as many original rows."""
    rows = min(len(owners[0]), len(owners[part]), comparison.settings.max_rows)
    if rows < 100 or not binned:
        return None
    rng = np.random.default_rng(comparison.seed)
    chosen = [np.sort(rng.permutation(len(owners[p]))[:rows]) for p in (0, part)]
    codes = np.concatenate(
        [np.stack([b.parts[p][c] for b in binned], axis=1) for p, c in zip((0, part), chosen, strict=True)]
    )
    groups = np.concatenate([owners[0][chosen[0]], int(owners[0].max()) + 1 + owners[part][chosen[1]]])
    return round(detect(codes, np.repeat([False, True], rows), groups, seed=comparison.seed), 4)


def _evaluate_relation(
    comparison: _Comparison, relation: Relation, kind: KeyKind, tables: dict[str, list[Variable]]
) -> RelationComparison | None:
    """Evaluate one foreign key; None where a part has no referenced rows, or nothing can be measured."""
    databases = comparison.databases
    sizes = [database.tables[relation.references_table].num_rows for database in databases]
    if min(sizes[:2]) == 0:
        return None
    parts = len(databases) if min(sizes) else 2
    rows = [link(database, relation) for database in databases[:parts]]
    counts = _compare_counts(comparison, relation, kind, rows, sizes)
    depth = _compare_depth(comparison, relation, rows) if kind == "self" else None
    pairs = None if kind in ("implied", "reference") else _compare_linked(comparison, relation, tables, rows)
    families = _compare_families(comparison, relation, tables, rows) if kind == "owner" else None
    accuracy = scores.relation_accuracy(
        [
            None if counts is None else counts.similarity.value,
            None if depth is None else depth.similarity.value,
            None if pairs is None else pairs.value,
            None if families is None else scores.realism(families.value),
        ]
    )
    if accuracy is None:
        return None
    return RelationComparison(
        name=str(relation),
        kind=kind,
        table=relation.table,
        columns=relation.columns,
        parent=relation.references_table,
        counts=counts,
        missing=_missing_keys(databases[0].schema, relation, rows),
        depth=depth,
        pairs=pairs,
        families=families,
        accuracy=accuracy,
    )


def _missing_keys(schema: Schema, relation: Relation, rows: Sequence[IntArray]) -> Shares | None:
    """Give the share of rows that point at none in each part; None for a key that is never missing."""
    if not schema.may_be_missing(relation):
        return None
    return tuple(round(float((row_R < 0).mean()), 4) if len(row_R) else 0.0 for row_R in rows)


def _compare_counts(
    comparison: _Comparison, relation: Relation, kind: KeyKind, rows: Sequence[IntArray], sizes: Sequence[int]
) -> CountComparison | None:
    """Compare how many rows point at each row."""
    counts = [relational.child_counts(row, size) for row, size in zip(rows, sizes, strict=False)]
    owner_R = subjects(comparison.databases[0], relation.references_table)
    compare = relational.compare_counts if kind == "owner" else relational.compare_in_degrees
    return compare(counts, owner_R, minimum=comparison.protection.rare_minimum, seed=comparison.seed)


def _compare_depth(
    comparison: _Comparison, relation: Relation, rows: Sequence[IntArray]
) -> CountComparison | None:
    """Compare how many rows stand above each row."""
    owner_R = subjects(comparison.databases[0], relation.table)
    minimum = comparison.protection.rare_minimum
    return relational.compare_counts(
        [levels(row_R) for row_R in rows], owner_R, minimum=minimum, seed=comparison.seed
    )


def _compare_families(
    comparison: _Comparison, relation: Relation, tables: dict[str, list[Variable]], rows: Sequence[IntArray]
) -> Metric | None:
    """Measure how well parents with all their children can be told from real ones."""
    parts, parent = len(rows), relation.references_table
    children = [
        Variable(v.column, v.parts[:parts], v.labels) for v in tables[relation.table][:_PARENT_COLUMNS]
    ]
    order_by = comparison.databases[0].schema.tables[relation.table].order_by
    order = next((child for child in children if child.column.name == order_by and child.ordered), None)
    sizes = [database.tables[parent].num_rows for database in comparison.databases[:parts]]
    own = [Variable(v.column, v.parts[:parts], v.labels) for v in tables[parent]]
    owners = [subjects(database, parent) for database in comparison.databases[:parts]]
    return _compare_rows(
        comparison, [*own, *summarise(children, rows, sizes, order=order)], owners, "families"
    )


def _compare_linked(
    comparison: _Comparison, relation: Relation, tables: dict[str, list[Variable]], rows: Sequence[IntArray]
) -> Metric | None:
    """Compare pairs of a row's column and one of the row it points at."""
    parts = len(rows)
    own = [Variable(v.column, v.parts[:parts], v.labels) for v in tables[relation.table][:_PARENT_COLUMNS]]
    parents = [v.taken(rows, v.column.name) for v in tables[relation.references_table][:_PARENT_COLUMNS]]
    if not own or not parents or min(len(row) for row in rows) == 0:
        return None
    left, right = [[bin_variable(variable) for variable in side] for side in (parents, own)]
    chosen = some_rows(left, _PAIR_ROWS, seed=comparison.seed)
    row_R = rows[0][chosen[0]]
    family_R = np.where(row_R < 0, -1 - np.arange(len(row_R)), row_R)  # a row that points at none has none
    return relational.compare_pairs(
        [column.taken(chosen) for column in left],
        [column.taken(chosen) for column in right],
        np.unique(family_R, return_inverse=True)[1],
    )
