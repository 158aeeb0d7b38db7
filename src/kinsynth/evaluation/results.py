"""Results of an evaluation: numbers ready to be shown, none of them the value of a single row.

Everything here may leave the house: shares instead of counts, categories and axis ends that passed value
protection, row counts rounded to two digits.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Direction = Literal["higher", "lower", "reference"]
Scale = Literal["number", "date", "time", "datetime"]
KeyKind = Literal["owner", "key", "late", "self", "implied", "reference"]
Shares = tuple[float, ...]
Matrix = tuple[tuple[float, ...], ...]


class Result(BaseModel):
    """A part of an evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Metric(Result):
    """One measured number.

    Attributes:
        name: Stable name; explained in ``docs/scores.md``.
        value: What was measured on the synthetic rows.
        interval: Its 95 % interval, where one can be given.
        reference: The same number for held-out original rows: what perfect data reach.
        direction: Whether higher or lower is better, or the reference itself is best.
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None
    reference: float | None = None
    direction: Direction = "higher"


class Distribution(Result):
    """Shares of the same cells in original, synthetic and held-out rows; each adds up to 1.

    Attributes:
        labels: Name of each cell, or
        edges: ends of each cell, one more than cells; numbers, days or microseconds since 1970.
        scale: What the edges are.
    """

    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    scale: Scale = "number"
    original: Shares
    synthetic: Shares
    holdout: Shares | None = None


class ColumnComparison(Result):
    """One column, original against synthetic.

    Attributes:
        missing: Share of missing values in original, synthetic and (if any) held-out rows.
        distribution: The values that are not missing; None where protection leaves nothing to show.
    """

    name: str
    type: str
    similarity: Metric
    missing: Shares
    distribution: Distribution | None


class PairComparison(Result):
    """Every pair of some columns; matrices are square and symmetric.

    Attributes:
        columns: Their names.
        similarity: 1 where the two columns go together as in the original.
        association_original: Cramér's V in the original rows: 0 independent, 1 determined.
        association_synthetic: The same in the synthetic rows.
    """

    columns: tuple[str, ...]
    similarity: Matrix
    association_original: Matrix
    association_synthetic: Matrix


class CountComparison(Result):
    """A number that every row of a table has: how many rows point at it, or how deep it stands.

    Attributes:
        shown: Share of rows by number, in cells of enough subjects.
        total_variation: Distance of the two distributions.
        similarity: 1 as near as another real sample.
        means: Mean in original, synthetic and (if any) held-out rows.
    """

    shown: Distribution
    total_variation: Metric
    similarity: Metric
    means: Shares


class RelationComparison(Result):
    """One foreign key: how many rows point at a row, and how rows go with those they point at.

    Attributes:
        kind: What the key is for.
        table: The table whose columns the key is.
        columns: These columns.
        parent: The table that is referenced, for an owner as well as for others.
        counts: How many rows point at each referenced row, those at which none points included; None where
            the original has too few referenced rows. Only of an owner's key held-out rows are a reference:
            by other keys they point at rows which rows of the original point at too.
        missing: Share of rows that point at none, of original, synthetic and (if any) held-out rows; None
            for a key that is never missing.
        depth: For a table that references itself how many rows stand above each row.
        pairs: Dependence kept between columns of a row and of the row it points at; None without such
            columns, for implied keys and for original tables.
        families: How well owners with all their rows can be told from real ones; 0.5 is guessing.
    """

    name: str
    kind: KeyKind
    table: str
    columns: tuple[str, ...]
    parent: str
    counts: CountComparison | None
    missing: Shares | None
    depth: CountComparison | None
    pairs: Metric | None
    families: Metric | None
    accuracy: float


class NeighbourComparison(Result):
    """Distances to nearest rows.

    Attributes:
        columns: Number of columns compared, those of the parents included.
        to_original: Distance of rows to the nearest training row: synthetic against held-out rows.
        within: Distance of rows to the nearest other row of their own kind.
        proximity: Distance of a real row to the nearest synthetic row, divided by that to the nearest
            other training row: training rows against held-out ones.
        metrics: The attacks, each with the value for held-out rows.
    """

    columns: int
    to_original: Distribution
    within: Distribution
    proximity: Distribution | None
    metrics: tuple[Metric, ...]
    risk: float


class TableEvaluation(Result):
    """One table.

    Attributes:
        rows: Rows of original, synthetic and held-out part, rounded to two digits.
        accuracy: 0-10.
        privacy: 0-10; None without held-out rows, or where too few rows or columns can be compared.
        metrics: Level by level: columns, pairs, rows.
    """

    name: str
    rows: tuple[int, int, int]
    accuracy: float
    privacy: float | None
    metrics: tuple[Metric, ...]
    columns: tuple[ColumnComparison, ...]
    pairs: PairComparison | None
    neighbours: NeighbourComparison | None


class TableBox(Result):
    """One table in the picture of all.

    Attributes:
        rows: Rows of original and synthetic part, rounded to two digits.
        original: Whether its rows are copied.
    """

    name: str
    rows: tuple[int, int]
    original: bool


class KeyArrow(Result):
    """One foreign key in the picture of all tables.

    Attributes:
        kind: What the key is for; ``copied`` between original tables.
    """

    table: str
    parent: str
    kind: KeyKind | Literal["copied"]


class Overview(Result):
    """All tables and the foreign keys between them."""

    tables: tuple[TableBox, ...]
    keys: tuple[KeyArrow, ...]


class Evaluation(Result):
    """Synthetic against original rows, with held-out rows as the reference.

    Attributes:
        accuracy: 0-10; None where nothing can be compared.
        privacy: 0-10; that of the weakest measured table; None where it is measured for none.
        privacy_missing: Why there is no privacy score: no rows were held out, or too few subjects or
            columns can be compared; None where there is one.
        has_holdout: Whether held-out rows were given.
        overview: All tables of the original and their keys; None where that is not known.
    """

    accuracy: float | None
    privacy: float | None
    privacy_missing: Literal["no_holdout", "too_few"] | None = None
    has_holdout: bool
    tables: tuple[TableEvaluation, ...]
    relations: tuple[RelationComparison, ...]
    overview: Overview | None = None
