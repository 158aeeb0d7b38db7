"""Sketches: a parent's row tells a few summaries of its child rows, so that aggregates come out right.

Which ones is decided by what they explain: of the differences between parents that are more than chance and
that the number of child rows leaves open, the best summary is taken, then the best for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Rows
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.ends import protected_ends
from kinsynth.columns.sketch import Behind, Numbers, SketchCodec, build_sketch
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.summaries import IN_ORDER, OF_CATEGORIES, OF_NUMBERS, summarise
from kinsynth.privacy.protection import Holders, OwnRoots, Roots, all_units
from kinsynth.schema.holders import parts
from kinsynth.settings.privacy import Protection

MOST_SKETCHES = 4
FEWEST_PARENTS = 2_000  # of fewer, sketches of few rows are fingerprints, and children are worse
MANY_ROWS = 32  # of one parent: their summary is hardly chance, and so long a sequence strays without one
FEWEST_OF_MANY = 500  # parents with so many rows each
FEWEST_TARGETS = 500  # rows that others point at; their own columns say less of these than a parent's do
CELLS = 16
MOST_ROWS = 1 << 20  # so many child rows tell enough about which summaries explain most
LEAST_GAIN = 0.05
SURE = 4.0  # standard deviations of the ratio of two variances
CATEGORIES = 8


@dataclass(frozen=True)
class Children:
    """The rows of one child table, in arranged order.

    Attributes:
        table: Their values.
        codecs: How the columns that can be summed up become codes.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        parents: Number of parents.
        ordered: Whether their order carries meaning.
        units: Holder of each row by each unit of protection, each of shape (R,).
    """

    table: pa.Table
    codecs: Mapping[str, Any]
    parent_R: Rows
    parents: int
    ordered: bool
    units: tuple[Rows, ...] = ()

    def summarise(self, column: str, statistic: str) -> Numbers:
        """Give one summary of each parent's rows; NaN where there are none, shape (P,)."""
        return summarise(statistic, self.measure(column), self.parent_R, self.parents)

    def measure(self, column: str) -> Numbers:
        """Give the number of each row, NaN where it is missing, or the code of its category, shape (R,).

        Numbers lie within what the codec may give: rows that fewer persons hold move no summary further.
        """
        values, codec = as_array(self.table[column]), self.codecs[column]
        if isinstance(codec, CategoricalCodec):
            sizes = [sub.cardinality for sub in codec.sub_columns]
            code_R = np.ravel_multi_index(tuple(codec.encode((values,)).T), sizes)
            return np.asarray(code_R, dtype=np.float64)
        ends, number_R = protected_ends(codec), to_numbers(values)
        return number_R * np.nan if ends is None else np.clip(number_R, *to_numbers(ends))

    def statistics(self, column: str) -> tuple[str, ...]:
        """Give the ways in which a column can be summed up."""
        found: tuple[str, ...] = ()
        if isinstance(self.codecs[column], CategoricalCodec):
            found = OF_CATEGORIES
        elif _holds_numbers(self.table.schema.field(column).type):
            found = OF_NUMBERS
        return tuple(one for one in found if self.ordered or one not in IN_ORDER)

    def every(self, step: int) -> Children:
        """Keep every ``step``-th parent, from the first, and its rows."""
        kept_R = np.flatnonzero(self.parent_R % step == 0)
        table = self.table.take(pa.array(kept_R))
        parents = -(-self.parents // step)
        units = tuple(unit_R[kept_R] for unit_R in self.units)
        return Children(table, self.codecs, self.parent_R[kept_R] // step, parents, self.ordered, units)

    def behind(self, root_P: Roots) -> Behind:
        """Give who stands behind summaries: those of the parents, and those of the rows where they differ."""
        own_P = np.arange(self.parents, dtype=np.int64)
        parents = (own_P,) if isinstance(root_P, OwnRoots) else all_units(root_P)
        above = [unit_P[self.parent_R] for unit_P in parents]
        loose = [unit_R for unit_R in self.units if not any(parts(above_R, unit_R) for above_R in above)]
        if not loose:
            return Behind(own_P, root_P)
        return Behind(self.parent_R, Holders((*above, *loose)))


def _holds_numbers(kind: pa.DataType) -> bool:
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(numbers or pa.types.is_temporal(kind))


def to_numbers(values: pa.Array) -> Numbers:
    """Give numbers as they are and moments as ticks; NaN where they are missing or not finite."""
    kind = values.type
    if pa.types.is_temporal(kind):
        values = values.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    numbers: Numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def fewest_parents(count_P: Rows) -> int:
    """Give how many parents must have child rows: fewer where they have many rows each.

    Args:
        count_P: Number of child rows of each parent, shape (P,).
    """
    many = count_P.sum() >= MANY_ROWS * max(int((count_P > 0).sum()), 1)
    return FEWEST_OF_MANY if many else FEWEST_PARENTS


def choose_sketches(
    children: Children,
    count_P: Rows,
    root_P: Roots,
    protection: Protection,
    *,
    fewest: int = FEWEST_PARENTS,
) -> list[SketchCodec]:
    """Choose the summaries of one child table that its parents tell.

    Behind each code of a summary stand enough roots of parents, and enough holders of their rows.

    Args:
        children: The rows of the child table.
        count_P: Number of child rows of each parent, shape (P,).
        root_P: Number of each parent's root, shape (P,), or own roots.
        protection: How many roots a cell needs.
        fewest: Parents with child rows that there must be.

    Returns:
        Up to ``MOST_SKETCHES``; none where parents differ by chance alone, or where fewer than
        ``fewest`` have child rows.
    """
    if np.count_nonzero(count_P) < fewest:
        return []
    step = -(-len(children.parent_R) // MOST_ROWS)
    if step > 1:
        children, count_P, root_P = children.every(step), count_P[::step], root_P[::step]
    minimum, behind = max(protection.rare_minimum, protection.extreme_minimum), children.behind(root_P)
    found: list[tuple[SketchCodec, Rows]] = []
    targets: list[Numbers] = []
    for column in children.codecs:
        if not (statistics := children.statistics(column)):
            continue
        measure_R = children.measure(column)
        targets.append(_targets(measure_R, children, category="distinct" in statistics))
        for statistic in statistics:
            value_P = summarise(statistic, measure_R, children.parent_R, children.parents)
            codec = build_sketch(
                value_P,
                root_P,
                behind=behind,
                column=column,
                statistic=statistic,
                ordered=statistic != "most_frequent",
                cells=CELLS,
                minimum=minimum,
            )
            if codec is not None:
                found.append((codec, codec.encode((as_values(value_P),))[:, 0].astype(np.int64)))
    chosen = _choose([code_P for _, code_P in found], targets, count_P)
    return [found[place][0] for place in chosen]


def as_values(value_P: Numbers) -> pa.Array:
    """Give summaries as a column; NaN becomes missing."""
    return pa.array(value_P, from_pandas=True)


def _choose(codes: list[Rows], targets: list[Numbers], count_P: Rows) -> list[int]:
    """Take the candidate that explains most of what is left, again and again."""
    some_P = count_P > 0
    rest_PT = np.concatenate(targets, axis=1)[some_P] if targets else np.zeros((int(some_P.sum()), 0))
    rest_PT = rest_PT - _means(np.minimum(count_P[some_P], 32), rest_PT)[0]
    whole, chosen = float((rest_PT**2).sum()), list[int]()
    while len(chosen) < MOST_SKETCHES and len(chosen) < len(codes):
        found = [_means(code_P[some_P], rest_PT) for code_P in codes]
        gains = [0.0 if place in chosen else gain for place, (_, gain) in enumerate(found)]
        best = int(np.argmax(gains))
        if gains[best] <= LEAST_GAIN * max(whole, len(rest_PT)):
            break
        chosen.append(best)
        rest_PT = rest_PT - found[best][0]
    return chosen


def _means(code_P: Rows, rest_PT: Numbers) -> tuple[Numbers, float]:
    """Give the mean of each code, and the squares it explains beyond what as many random groups would."""
    code_P = np.unique(code_P, return_inverse=True)[1]
    rows_K = np.bincount(code_P)
    mean_KT = np.zeros((len(rows_K), rest_PT.shape[1]))
    np.add.at(mean_KT, code_P, rest_PT)
    mean_KT /= rows_K[:, None]
    explained, whole = float((mean_KT**2 * rows_K[:, None]).sum()), float((rest_PT**2).sum())
    chance = (whole - explained) * (len(rows_K) - 1) / max(len(code_P) - len(rows_K), 1)
    return mean_KT[code_P], explained - chance


def _targets(measure_R: Numbers, children: Children, *, category: bool) -> Numbers:
    """Give what is to be explained of one column: its parents' means and spreads, by the share beyond chance.

    All columns weigh the same; a missing summary counts as the mean. Shape (P, T).
    """
    score_RT = _shares(measure_R) if category else _ranks(measure_R)[:, None]
    mean_PT = np.stack(
        [summarise("mean", score_R, children.parent_R, children.parents) for score_R in score_RT.T], axis=1
    )
    weight = _beyond_chance(score_RT, mean_PT, children.parent_R)
    last = "distinct" if category else "deviation"
    spread_P = summarise(last, measure_R if category else score_RT[:, 0], children.parent_R, children.parents)
    parts = [_standard(mean_PT), _standard(spread_P[:, None])]
    return np.asarray(np.sqrt(weight / 2) * np.concatenate(parts, axis=1), dtype=np.float64)


def _standard(value_PT: Numbers) -> Numbers:
    """Centre columns and give them together the squares of one standardised column; NaN becomes 0."""
    known_PT = ~np.isnan(value_PT)
    mean_T = np.nansum(value_PT, axis=0) / np.maximum(known_PT.sum(axis=0), 1)
    centred = np.where(known_PT, value_PT - mean_T, 0.0)
    size = np.sqrt((centred**2).sum() / max(len(centred), 1))
    return centred / size if size > 0 else centred


def _shares(code_R: Numbers) -> Numbers:
    """Give for each of the most frequent categories whether a row holds it, shape (R, T)."""
    code_D, rows_D = np.unique(code_R[~np.isnan(code_R)], return_counts=True)
    frequent = code_D[np.argsort(-rows_D, kind="stable")[:CATEGORIES]]
    share_RT: Numbers = (code_R[:, None] == frequent).astype(np.float64)
    share_RT[np.isnan(code_R)] = np.nan
    return share_RT if len(frequent) else np.full((len(code_R), 1), np.nan)


def _ranks(value_R: Numbers) -> Numbers:
    """Give the share of smaller values, half of equal ones included."""
    known_R = ~np.isnan(value_R)
    place_R, rows_D = np.unique(value_R[known_R], return_inverse=True, return_counts=True)[1:]
    rank_R = np.full(len(value_R), np.nan)
    rank_R[known_R] = ((np.cumsum(rows_D) - rows_D / 2) / max(int(known_R.sum()), 1))[place_R]
    return rank_R


def _beyond_chance(score_RT: Numbers, mean_PT: Numbers, parent_R: Rows) -> float:
    """Give the share of the variance between parents' means beyond chance; 0 where chance may explain it.

    Sources:
        Fisher, "Statistical Methods for Research Workers", 1925: analysis of variance.
    """
    known_R = ~np.isnan(score_RT[:, 0])
    score_RT, parent_R = score_RT[known_R], parent_R[known_R]
    parents = len(np.unique(parent_R))
    freedom = len(score_RT) - parents
    if parents < 2 or freedom < 1:  # a single row is drawn as a whole: a summary adds nothing
        return 0.0
    within = ((score_RT - mean_PT[parent_R]) ** 2).sum() / freedom
    between = ((mean_PT[parent_R] - score_RT.mean(axis=0)) ** 2).sum() / (parents - 1)
    likely = within * (1 + SURE * np.sqrt(2 / (parents - 1) + 2 / freedom))
    return float(1 - within / between) if between > likely else 0.0
