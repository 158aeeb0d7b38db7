"""Degrees: how many rows point to a row, alone and two relations together, and the shape of hierarchies.

A ``Fact`` is what one row shows: a degree, a level, or a pair of degrees. Two databases differ in it by the
total variation of its distribution, half the sum of differences of shares, from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from relational.database import Database, Relation
from relational.integrity import circling

POOLED = 50  # counts beyond are one, as the outside judge has it
BINS = 20
JOINT_BINS = 8


@dataclass(frozen=True)
class Fact:
    """Values RD, D = 1 or 2 numbers a row, of the rows of one table.

    ``tables`` are those it was counted in; the first is that of its rows. ``whole`` facts (of a hierarchy)
    cannot be counted in a part of a table.
    """

    group: str
    name: str
    values: np.ndarray
    tables: tuple[str, ...]
    whole: bool = False


def total_variation(left: np.ndarray, right: np.ndarray) -> float:
    """Distance of two samples of whole numbers from 0; 1 if just one of them is empty."""
    if not len(left) or not len(right):
        return float(len(left) != len(right))
    size = int(max(left.max(), right.max())) + 1
    shares = [np.bincount(values, minlength=size) / len(values) for values in (left, right)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Upper edges of bins of about equal shares; a value that fills a bin has its own."""
    if not len(values):
        return np.empty(0)
    return np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))


def cut(real: np.ndarray, values: np.ndarray, bins: int) -> np.ndarray:
    """Bins R of values, by edges of the real ones."""
    return np.searchsorted(edges(real, bins), values, side="left")


def pooled(real: Fact, made: Fact) -> float:
    """Distance with counts beyond 50 as one."""
    return total_variation(*(np.minimum(fact.values[:, 0], POOLED) for fact in (real, made)))


def binned(real: Fact, made: Fact) -> float:
    """Distance over twentieths of the real counts, or eighths in two directions."""
    bins = BINS if real.values.shape[1] == 1 else JOINT_BINS
    codes = [np.zeros(len(fact.values), dtype=np.int64) for fact in (real, made)]
    for column in range(real.values.shape[1]):
        for place, fact in enumerate((real, made)):
            cells = cut(real.values[:, column], fact.values[:, column], bins)
            codes[place] = codes[place] * (bins + 1) + cells
    return total_variation(*codes)


def levels(pointed: np.ndarray) -> np.ndarray:
    """Steps R from each row up to one that points to none, which has 0; so have rows on a circle."""
    stop = len(pointed)
    up = np.append(np.where((pointed >= 0) & ~circling(pointed), pointed, stop), stop)
    found = (up != stop).astype(np.int64)
    for _ in range(stop.bit_length()):
        found += found[up]
        up = up[up]
    return found[:stop]


def owner(root: str, below: Sequence[str], relations: Sequence[Relation], table: str) -> Relation | None:
    """The relation whose counts are child counts: the first to the root's side, or the first of all."""
    own = [r for r in relations if r.table == table and not r.within]
    if not own or table == root:
        return None
    return next((r for r in own if r.target in below), own[0])


def count_facts(database: Database, owners: set[Relation]) -> list[Fact]:
    """Give child counts, in-degrees, joint degrees, fan-out and depth."""
    facts = []
    for relation in database.relations:
        degrees, sides = database.degrees(relation)[:, None], (relation.target, relation.table)
        if relation.within:
            facts.append(Fact("fan-out", relation.name, degrees, sides, whole=True))
            depth = levels(database.pointed(relation))[:, None]
            facts.append(Fact("depth", relation.name, depth, sides, whole=True))
        else:
            group = "child counts" if relation in owners else "in-degrees"
            facts.append(Fact(group, relation.name, degrees, sides))
    for left, right in combinations(database.relations, 2):
        if left.target == right.target and not (left.within or right.within):
            facts.append(meet(database, left, right))
        if left.table == right.table and not (left.within or right.within):
            facts.append(bridge(database, left, right))
    return facts


def meet(database: Database, left: Relation, right: Relation) -> Fact:
    """Two degrees of one row."""
    values = np.column_stack([database.degrees(left), database.degrees(right)])
    name = f"{left.target}: {short(left)} x {short(right)}"
    return Fact("joint degrees", name, values, (left.target, left.table, right.table))


def bridge(database: Database, left: Relation, right: Relation) -> Fact:
    """Degrees of the two rows that a row points to, over rows that point to both."""
    one, two = database.pointed(left), database.pointed(right)
    both = (one >= 0) & (two >= 0)
    values = np.column_stack([database.degrees(left)[one[both]], database.degrees(right)[two[both]]])
    name = f"{left.table}: {'+'.join(left.columns)} x {'+'.join(right.columns)}"
    return Fact("degrees across a row", name, values, (left.table, left.target, right.target))


def short(relation: Relation) -> str:
    return f"{relation.table}.{'+'.join(relation.columns)}"


def compare(real: Sequence[Fact], made: Sequence[Fact]) -> dict[tuple[str, str], float]:
    """Give the distance of each fact; counts also over twentieths, under a group of their own."""
    found: dict[tuple[str, str], float] = {}
    measures: dict[str, Callable[[Fact, Fact], float]] = {"": pooled, " in twentieths": binned}
    for before, after in zip(real, made, strict=True):
        if before.values.shape[1] == 2:
            found[before.group, before.name] = binned(before, after)
            continue
        for ending, measure in measures.items():
            found[before.group + ending, before.name] = measure(before, after)
    return found
