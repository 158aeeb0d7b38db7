"""Together: what of a row goes together, where learned chances alone would leave a little to what never does.

No flight goes from every airport to every other one. A pair of two references that fewer persons have than
may be told is not drawn either, where such pairs are so few that what was never seen is next to nothing.

No rows hang under an owner, or point at a row, that is later than the last day that they may have, where they
never are before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.datetime import DatetimeCodec
from kinsynth.columns.line import FIRST, Line
from kinsynth.columns.numeric import OrderedCodec
from kinsynth.columns.scale import DayScale
from kinsynth.encoded import Together
from kinsynth.pipeline.across import outermost_day
from kinsynth.pipeline.codecs import DatabaseCodec, TableCodec
from kinsynth.pipeline.other_rows import referenced_rows
from kinsynth.privacy.protection import Numbered, OwnRoots, Roots, count_roots, number_of_roots, numbered
from kinsynth.rules.evidence import is_real
from kinsynth.rules.order import Order
from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.holders import find_holders

MOST_RARE = 0.005  # share of rows in rare pairs: by Good and Turing, pairs not seen at all have no more
MOST_CELLS = 100_000


def keep_together(database: Database, codec: DatabaseCodec, *, minimum: int) -> DatabaseCodec:
    """Find for each table the pairs of sub-columns of which only some codes go together.

    Args:
        database: The rows the model may see.
        codec: How its tables become codes.
        minimum: Roots that a pair of codes needs.
    """
    structure = find_structure(database.schema)
    holders, tables = find_holders(database, structure), dict[str, TableCodec]()
    for name, one in codec.tables.items():
        references = _of_references(one, database, structure, numbered(holders[name]), minimum=minimum)
        counts = _of_counts(one, codec.tables.values(), structure)
        tables[name] = replace(one, together=(*references, *counts))
    return replace(codec, tables=tables)


def describe_together(codec: DatabaseCodec) -> Iterator[str]:
    """Say which references go together only as in the source, and which dates what hangs there bounds."""
    for name, table in codec.tables.items():
        factor_at = {span.start: one for one, span in zip(table.factors, table.spans, strict=True)}
        for pair in table.together:
            first, second = factor_at[pair.first], ", ".join(factor_at[pair.second].columns)
            if first.kind == "reference":
                yield f"{name}: {second} only goes with {', '.join(first.columns)} as in the source"
            else:
                yield f"{name}: rows with {first.child} have no {second} beyond its last or first day"


def _of_references(
    codec: TableCodec, database: Database, structure: Structure, root_R: Numbered | None, *, minimum: int
) -> Iterator[Together]:
    """Give the pairs of references of which only some codes go together."""
    told = {
        factor.columns: (span.start, factor.codec)
        for factor, span in zip(codec.factors, codec.spans, strict=True)
        if factor.kind == "reference" and span.stop == span.start + 1
    }
    if len(told) < 2:
        return
    table = database.tables[codec.name]
    roots: Roots = OwnRoots(np.ones(table.num_rows, np.int64)) if root_R is None else root_R
    codes: dict[int, tuple[Rows, int]] = {}
    for relation in structure.reference_relations[codec.name]:
        if relation.columns in told:
            place, part = told[relation.columns]
            assert isinstance(part, CategoricalCodec), "a reference is a category"
            code_R = part.encode((referenced_rows(table, relation, database),))[:, 0]
            codes[place] = code_R.astype(np.int64), part.sub_columns[0].cardinality
    for first, second in combinations(sorted(codes), 2):
        (first_R, firsts), (second_R, seconds) = codes[first], codes[second]
        if firsts * seconds <= MOST_CELLS:
            pair_R, sizes = first_R * seconds + second_R, (firsts, seconds)
            kept = keep_pairs(pair_R, sizes, roots, minimum=minimum, tests=len(codes) ** 2)
            if kept is not None:
                yield Together(first, second, tuple(tuple(np.flatnonzero(row).tolist()) for row in kept))


def _of_counts(codec: TableCodec, tables: Iterable[TableCodec], structure: Structure) -> Iterator[Together]:
    """Let no rows hang under a row, or point at it, that would have to lie beyond their last day."""
    spans = {one.columns[:1] or one.child: span for one, span in zip(codec.factors, codec.spans, strict=True)}
    lines = {one.columns[0]: _days(one.codec) for one in codec.factors if one.kind == "column"}
    for other in tables:
        owner = structure.parent_relation[other.name]
        anchors = {one.name: one for one in other.anchors if len(one.path) == 1 and one.table == codec.name}
        for rule in (one for one in other.rules if isinstance(one, Order)):
            anchor = anchors.get(rule.columns[1 if rule.capped else 0])
            line = lines.get(anchor.column) if anchor else None
            if anchor is None or line is None:
                continue
            about = other.name if owner is not None and anchor.path == (str(owner),) else anchor.path[0]
            count = next((one for one in codec.counts if one.child == about), None)
            date = spans[anchor.column,].start
            if count is not None and count.sub_column < date:
                states = _states_within(*line, rule)
                codes = tuple(states if low > 0 else () for low in count.low_K.tolist())
                yield Together(count.sub_column, date, codes)


def _days(codec: object) -> tuple[Line, DayScale] | None:
    """Give the line of the days of a date or moment."""
    day = codec.day if isinstance(codec, DatetimeCodec) else codec
    if isinstance(day, OrderedCodec) and isinstance(day.scale, DayScale):
        return day.line, day.scale
    return None


def _states_within(line: Line, scale: DayScale, rule: Order) -> tuple[int, ...]:
    """Give the codes of states that reach to the right side of the outermost day, and of no state."""
    tick = int(scale.from_days(np.array([outermost_day(rule)]))[0])
    within_L = line.high_L >= tick if rule.capped else line.low_L <= tick
    states = np.unique(line.state_L[within_L]) + FIRST
    return (*range(FIRST), *states.tolist())


def keep_pairs(
    pair_R: Rows, sizes: tuple[int, int], roots: Roots, *, minimum: int, tests: int
) -> NDArray[np.bool_] | None:
    """Mark the pairs of codes that enough roots have; None where the others may be missing by chance.

    Args:
        pair_R: Pair of each row: the first code times the number of second ones, and the second one.
        sizes: How many first and second codes there are.
        roots: Root of each row.
        minimum: Roots that a pair needs.
        tests: How many pairs of references are looked at.
    """
    rows_FS = np.bincount(pair_R, minlength=sizes[0] * sizes[1]).reshape(sizes)
    roots_FS = count_roots(pair_R, roots, codes=rows_FS.size).reshape(sizes)
    kept_FS: NDArray[np.bool_] = roots_FS >= minimum
    common_FS = kept_FS.any(1, keepdims=True) & kept_FS.any(0)
    rare = rows_FS[~kept_FS].sum() / max(len(pair_R), 1)
    if kept_FS[common_FS].all() or rare > MOST_RARE:
        return None
    share_FS = np.outer(rows_FS.sum(1), rows_FS.sum(0)) / float(len(pair_R)) ** 2
    left = float(share_FS[common_FS & ~kept_FS].sum())
    if not is_real(_chance(left, rare, int(common_FS.sum()), number_of_roots(roots)), tests):
        return None
    return kept_FS | ~common_FS


def _chance(left: float, rare: float, cells: int, roots: int) -> float:
    """Bound the log-chance that independent codes leave some cells, whichever, to so few rows.

    Of ``roots`` draws a share ``rare`` falls where ``left`` was to be expected (Hoeffding, "Probability
    inequalities for sums of bounded random variables", 1963); the cells may be chosen in 2 ** ``cells`` ways.
    """
    if rare >= left:
        return 0.0
    apart = (1 - rare) * math.log((1 - rare) / max(1 - left, 1e-300))
    apart += rare * math.log(rare / left) if rare else 0.0
    return cells * math.log(2) - roots * apart
