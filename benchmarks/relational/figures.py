"""Every figure of a synthetic database beside that of real data, its limit, and whether it keeps it.

The aims: child counts within a total variation of 0.05 and other degrees within 0.08, or what two real halves
differ by; trends over keys no more than 0.015 below the halves'; shares of constants within 0.005, or the
halves'; no failure of a key; near copies as rare as among held-out rows (``closeness``). Degrees, shapes and
constants of fewer than 20 rows have no limit: what chance does to them is larger than any. Beside a share
stands what chance explains: two standard errors of the difference of two samples as large as the source.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from relational import copies, dependence, halves, integrity, trends
from relational.database import Database, Relation
from relational.degrees import owner
from relational.facts import BINNED, Fact, compare

STEPS = (1, 2, 3)
HALVINGS = 30  # the distance of two halves is as chancy as what it limits: one pair says little
TREND_HALVINGS = 3  # trends are means of many pairs of columns, and slow
AIMS = {
    "child counts": 0.05,
    "in-degrees": 0.08,
    "joint degrees": 0.08,
    "degrees across a row": 0.08,
    "fan-out": 0.08,
    "depth": 0.08,
    "constants": 0.005,
}
TRENDS_BELOW = 0.015
FEWEST = 20
Values = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Figure:
    """One figure: ``real`` is that of real data, ``limit`` what it must not pass (None: it is only shown).

    ``chance`` is how far a share may lie from the source's where chance explains it.
    """

    group: str
    name: str
    value: float
    real: float | None = None
    limit: float | None = None
    higher: bool = False
    chance: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether it keeps its limit."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.higher else self.value <= self.limit

    @property
    def by_chance(self) -> bool:
        """Whether it passes its limit no farther than chance explains."""
        return self.kept is False and self.chance is not None and self.value <= self.chance

    def written(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "kept": self.kept}


@dataclass(frozen=True)
class Yardstick:
    """The training rows, the held-out rows, all rows, and what halves of the training rows differ by."""

    train: Database
    holdout: Database
    whole: Database
    owners: frozenset[Relation]
    facts: list[Fact]
    apart: Values
    seconds: float


def owners_of(judge: Any, database: Database) -> frozenset[Relation]:
    """Relations whose degrees are child counts; the judge says which table is the root."""
    root = judge.default_root(database.schema)
    below, originals = judge.descendants(database.schema, root), database.originals
    found = (
        owner(root, below, database.relations, table)
        for table in database.schema["tables"]
        if table not in originals
    )
    return frozenset(relation for relation in found if relation and relation.target not in originals)


def prepare(
    judge: Any,
    train: Database,
    holdout: Database,
    whole: Database | None = None,
    halvings: int = HALVINGS,
) -> Yardstick:
    """Measure real data against itself, mean over several halvings; trends over the first ones only."""
    start = time.perf_counter()
    owners = owners_of(judge, train)
    facts: list[Values] = []
    values: list[Values] = []
    for seed in range(halvings):
        parts = halves.halve(judge, train, seed)
        facts.append(compare(*halves.facts_of_halves(train, parts, set(owners), seed)))
        if seed < TREND_HALVINGS:
            values.append(compare_values(*parts))
    apart = mean(facts) | mean(values)
    every = halves.every_fact(train, set(owners))
    return Yardstick(train, holdout, whole or train, owners, every, apart, time.perf_counter() - start)


def mean(found: Sequence[Values]) -> Values:
    """Give the mean of each value that every halving has."""
    shared = set.intersection(*(set(values) for values in found))
    return {key: fmean(values[key] for values in found) for key in found[0] if key in shared}


def compare_values(real: Database, made: Database) -> Values:
    """Trends and missing keys of one database against another."""
    return {**compare_trends(real, made), **compare_missing(real, made)}


def compare_trends(real: Database, made: Database) -> Values:
    """Score and agreement of dependence for each number of steps, score for each path."""
    found: Values = {}
    for steps in STEPS:
        scored, name = trends.score(real, made, steps), f"{steps} {'step' if steps == 1 else 'steps'}"
        every = [score for pairs in scored.values() for score in pairs.values()]
        if every:
            found["trends over keys", name] = fmean(every)
        if (agreed := dependence.agreement(real, made, steps)) is not None:
            found["dependence over keys", name] = agreed
        for path, pairs in scored.items():
            found["trends by path", path] = fmean(pairs.values())
    return found


def compare_missing(real: Database, made: Database) -> Values:
    """Difference of the shares of keys that lead to no row: missing ones, and orphans of the source."""
    return {
        ("missing keys, share", relation.name): abs(
            float((real.pointed(relation) < 0).mean()) - float((made.pointed(relation) < 0).mean())
        )
        for relation in real.relations
        if real.rows(relation.table) and made.rows(relation.table)
    }


def limit_of(group: str, apart: float | None) -> tuple[float | None, bool]:
    """The limit of a figure and whether higher is better."""
    if group == "trends over keys":
        return (None if apart is None else apart - TRENDS_BELOW), True
    aim = AIMS.get(group.removesuffix(BINNED))
    if aim is None or group.endswith(BINNED):
        return None, group.startswith(("trends", "dependence"))
    return max(aim, apart or 0.0), False


def chance_of(fact: Fact) -> float | None:
    """Two standard errors of the difference of two samples of a yes or no; None for other facts."""
    if fact.group != "constants" or not fact.size:
        return None
    share = float(fact.values.mean())
    return 2 * (2 * share * (1 - share) / fact.size) ** 0.5


def measure(yardstick: Yardstick, made: Database) -> tuple[list[Figure], dict[str, float]]:
    """Give all figures of a synthetic database, and the seconds of each part."""
    train, clock = yardstick.train, Clock()
    figures = [
        Figure(*count, real=None, limit=0) for count in integrity.count_failures(train, made, yardstick.whole)
    ]
    clock.note("integrity")
    values: Values = dict(compare(yardstick.facts, halves.every_fact(made, set(yardstick.owners))))
    clock.note("degrees and constants")
    values |= compare_values(train, made)
    clock.note("trends")
    chances = {(fact.group, fact.name): chance_of(fact) for fact in yardstick.facts}
    few = {(fact.group, fact.name) for fact in yardstick.facts if fact.size < FEWEST}
    for (group, name), value in values.items():
        apart = yardstick.apart.get((group, name))
        limit, higher = limit_of(group, apart)
        limit = None if (group, name) in few else limit
        figures.append(Figure(group, name, value, apart, limit, higher, chances.get((group, name))))
    figures += measure_copies(yardstick, made)
    clock.note("copies")
    return figures, clock.seconds


def measure_copies(yardstick: Yardstick, made: Database) -> Iterable[Figure]:
    """Near copies of each table that has held-out rows."""
    for table in yardstick.train.schema["tables"]:
        found = copies.measure(yardstick.train, yardstick.holdout, made, table)
        if found:
            rate, held = found["synthetic"]["rate"], found["holdout"]["rate"]
            yield Figure("near copies", table, rate, held, found["limit"])


class Clock:
    """Seconds since the last note, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def note(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 2)
        self._last = now


def medians(runs: list[list[Figure]]) -> list[Figure]:
    """Median of each figure over seeds, in the order of the first run."""
    by_name: dict[tuple[str, str], list[Figure]] = {}
    for run in runs:
        for figure in run:
            by_name.setdefault((figure.group, figure.name), []).append(figure)
    return [
        Figure(
            group,
            name,
            median(figure.value for figure in found),
            middle(figure.real for figure in found),
            middle(figure.limit for figure in found),
            found[0].higher,
            found[0].chance,
        )
        for (group, name), found in by_name.items()
    ]


def middle(values: Iterable[float | None]) -> float | None:
    """Median of what is there."""
    present = [value for value in values if value is not None]
    return median(present) if present else None


def read_figures(written: Iterable[Mapping[str, Any]]) -> list[Figure]:
    """Read figures back from JSON."""
    return [Figure(**{key: value for key, value in item.items() if key != "kept"}) for item in written]
