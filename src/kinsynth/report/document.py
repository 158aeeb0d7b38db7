"""Document: an evaluation arranged as a report, still plain data; measures nothing, draws nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kinsynth.evaluation.results import (
    ColumnComparison,
    Distribution,
    Evaluation,
    Metric,
    NeighbourComparison,
    PairComparison,
    RelationComparison,
    TableEvaluation,
)
from kinsynth.report import wording

_METRICS = {
    "columns": ("Columns", "Distribution of each column, 100 % as near as another real sample"),
    "pairs": ("Pairs of columns", "Dependence between columns that was kept"),
    "detection": ("Telling rows apart", "How well a learner finds synthetic rows; 50 % is guessing"),
    "exact_copies": ("Exact copies", "Synthetic rows equal to a training row in every column"),
    "close_rows": ("Unusually close rows", "Synthetic rows closer to training than 19 of 20 fresh real rows"),
    "rows_at_risk": ("Training rows at risk", "Training rows with a synthetic row suspiciously near"),
    "membership": ("Membership guess", "Guessing who was in training by distance; 50 % is guessing"),
    "nearer_to_training": (
        "Nearer to training",
        "Synthetic rows nearer to training than held-out; 50 % ideal",
    ),
}
_AXES = (
    ("to_original", "Synthetic to training rows", "distance to the nearest training row"),
    ("within", "Within each kind", "distance to the nearest other row"),
    ("proximity", "Training rows at risk", "distance to synthetic ÷ distance to real"),
)


@dataclass(frozen=True)
class Figure:
    """What a chart shows.

    Attributes:
        kind: ``distribution``, ``counts``, ``distances``, ``pairs`` or ``gauge``.
        data: Arguments of the chart's function.
        alt: The chart in words.
    """

    kind: str
    data: tuple[Any, ...]
    alt: str


@dataclass
class Document:
    """A report.

    Attributes:
        content: Everything the template sets, JSON-able; figures are named.
        figures: Figure by name.
    """

    content: dict[str, Any]
    figures: dict[str, Figure] = field(default_factory=dict)

    def add(self, figure: Figure) -> dict[str, str]:
        """Name a figure."""
        name = f"figure-{len(self.figures) + 1:04d}"
        self.figures[name] = figure
        return {"name": f"{name}.svg", "alt": figure.alt}


def compose(evaluation: Evaluation, *, name: str, facts: Mapping[str, str]) -> Document:
    """Arrange an evaluation as a report.

    Args:
        evaluation: What was measured.
        name: Title of the report.
        facts: Lines of the title page, such as seed and duration.
    """
    document = Document({})
    document.content |= {
        "name": wording.breakable(name, 120),
        "facts": [[wording.shortened(k, 40), wording.shortened(v, 90)] for k, v in facts.items()],
        "holdout": evaluation.has_holdout,
        "scores": [
            _score(document, "Data accuracy", evaluation.accuracy, _accuracy_words(evaluation.accuracy)),
            _score(document, "Privacy", evaluation.privacy, _privacy_words(evaluation.privacy)),
        ],
        "highlights": _highlights(evaluation),
        "summary": [_summary(table) for table in evaluation.tables],
        "relation_summary": [_relation_summary(relation) for relation in evaluation.relations],
        "tables": [_table(document, table) for table in evaluation.tables],
        "relations": [_relation(document, relation) for relation in evaluation.relations],
    }
    return document


def _score(document: Document, title: str, value: float | None, words: str) -> dict[str, Any]:
    """Arrange one of the two scores."""
    colour = wording.shade(value)
    alt = f"{title}: {wording.score(value)} of 10"
    return {
        "title": title,
        "value": wording.score(value),
        "verdict": wording.verdict(value),
        "colour": colour,
        "words": words,
        "figure": document.add(Figure("gauge", (value, colour), alt)),
    }


def _accuracy_words(value: float | None) -> str:
    """Say what the accuracy means."""
    if value is None:
        return "No table could be compared."
    if value >= 9:
        return "Synthetic rows follow the original almost as closely as other real rows would."
    if value >= 7:
        return "Most structure of the original is there; some dependence between columns is weaker."
    return "Important structure of the original is missing. See the pages of each table."


def _privacy_words(value: float | None) -> str:
    """Say what the privacy score means."""
    if value is None:
        return "Too few rows or columns to try an attack."
    if value >= 9:
        return "No attack on the training rows did better than on rows the model never saw."
    if value >= 7:
        return "Attacks did slightly better on training rows than on rows the model never saw."
    return "Synthetic rows give training rows away. Do not publish them as they are."


def _highlights(evaluation: Evaluation) -> list[list[str]]:
    """Name what differs most: a column, a pair of columns, a relation."""
    columns = [
        (column.similarity.value, f"{table.name}.{column.name}")
        for table in evaluation.tables
        for column in table.columns
    ]
    pairs = [
        (table.pairs.similarity[i][j], f"{table.name}: {table.pairs.columns[j]} × {table.pairs.columns[i]}")
        for table in evaluation.tables
        if table.pairs is not None
        for i in range(len(table.pairs.columns))
        for j in range(i)
    ]
    relations = [(relation.child_counts.value, _arrowed(relation.name)) for relation in evaluation.relations]
    kinds = (("Column", columns), ("Pair of columns", pairs), ("Child counts", relations))
    worst = [(title, *min(found)) for title, found in kinds if found]
    return [[title, wording.breakable(name, 90), wording.percent(value)] for title, value, name in worst]


def _summary(table: TableEvaluation) -> dict[str, Any]:
    """Arrange the line of one table."""
    return {
        "name": wording.breakable(table.name, 60),
        "original": wording.rows(table.rows[0]),
        "synthetic": wording.rows(table.rows[1]),
        "holdout": wording.rows(table.rows[2]),
        "columns": str(len(table.columns)),
        **_rating("accuracy", table.accuracy),
        **_rating("privacy", table.privacy),
    }


def _arrowed(relation: str) -> str:
    """Write a relation's name for a reader."""
    return relation.replace("->", "→")


def _rating(name: str, value: float | None) -> dict[str, Any]:
    """Arrange a score with its colour and its length as a bar."""
    return {
        name: wording.score(value),
        f"{name}_colour": wording.shade(value),
        f"{name}_share": 0.0 if value is None else round(value / 10, 3),
    }


def _relation_summary(relation: RelationComparison) -> dict[str, Any]:
    """Arrange the line of one relation."""
    return {
        "name": wording.breakable(_arrowed(relation.name), 90),
        "distance": percent_pair(relation.total_variation),
        **_rating("accuracy", relation.accuracy),
    }


def percent_pair(metric: Metric) -> str:
    """Write a value and, if known, that of held-out rows."""
    reference = "" if metric.reference is None else f"  (held-out {wording.percent(metric.reference)})"
    return f"{wording.percent(metric.value)}{reference}"


def _table(document: Document, table: TableEvaluation) -> dict[str, Any]:
    """Arrange the section of one table."""
    return {
        **_summary(table),
        "metrics": _metrics(table.metrics),
        "cards": [_card(document, column) for column in table.columns],
        "pairs": None if table.pairs is None else _pairs(document, table.pairs),
        "neighbours": None if table.neighbours is None else _neighbours(document, table.neighbours),
    }


def _metrics(metrics: Sequence[Metric]) -> list[dict[str, str]]:
    """Arrange metrics as lines of a table."""
    return [
        {
            "title": _METRICS[metric.name][0],
            "words": _METRICS[metric.name][1],
            "value": wording.percent(metric.value),
            "interval": ""
            if metric.interval is None
            else f"{wording.percent(metric.interval[0])} – {wording.percent(metric.interval[1])}",
            "reference": wording.percent(metric.reference),
            "colour": wording.POOR if _is_alarming(metric) else wording.INK,
        }
        for metric in metrics
    ]


def _is_alarming(metric: Metric) -> bool:
    """Tell whether an attack surely did better than on held-out rows."""
    if metric.interval is None or metric.reference is None:
        return False
    return metric.direction != "higher" and metric.interval[0] > metric.reference


def _card(document: Document, column: ColumnComparison) -> dict[str, Any]:
    """Arrange one column."""
    similarity = column.similarity.value
    alt = f"{column.name}: original and synthetic distribution, similarity {wording.percent(similarity)}"
    shown = column.distribution
    return {
        "name": wording.breakable(column.name, 50),
        "type": column.type,
        "similarity": wording.percent(similarity),
        "colour": wording.shade(10 - 40 * (1 - similarity)),
        "missing": f"missing {wording.percent(column.missing[0])} → {wording.percent(column.missing[1])}"
        if max(column.missing[:2]) > 0
        else "",
        "empty": "All values are missing" if column.missing[0] == 1 else "Too few values to be shown",
        "figure": None if shown is None else document.add(Figure("distribution", (shown,), alt)),
    }


def _pairs(document: Document, pairs: PairComparison) -> dict[str, Any]:
    """Arrange the heatmaps of one table."""
    data = (pairs.columns, pairs.association_original, pairs.association_synthetic)
    alt = f"Association of {len(pairs.columns)} columns in original and synthetic rows, and the difference"
    worst = sorted(
        (
            pairs.similarity[i][j],
            wording.shortened(pairs.columns[j], 40),
            wording.shortened(pairs.columns[i], 40),
        )
        for i in range(len(pairs.columns))
        for j in range(i)
    )[:5]
    return {
        "figure": document.add(Figure("pairs", data, alt)),
        "worst": [[first, second, wording.percent(value)] for value, first, second in worst],
    }


def _neighbours(document: Document, neighbours: NeighbourComparison) -> dict[str, Any]:
    """Arrange the attacks on one table."""
    charts = []
    for attribute, title, axis in _AXES:
        shown: Distribution | None = getattr(neighbours, attribute)
        if shown is not None:
            figure = document.add(Figure("distances", (shown, axis), f"{title}: {axis}"))
            charts.append({"title": title, "figure": figure})
    return {
        "columns": neighbours.columns,
        "metrics": _metrics(neighbours.metrics),
        "charts": charts,
        "risk": wording.percent(neighbours.risk),
    }


def _relation(document: Document, relation: RelationComparison) -> dict[str, Any]:
    """Arrange one relation."""
    alt = f"{relation.name}: number of children of each parent, original and synthetic"
    interval = relation.total_variation.interval
    return {
        "name": wording.breakable(_arrowed(relation.name), 90),
        **_rating("accuracy", relation.accuracy),
        "distance": percent_pair(relation.total_variation),
        "interval": "" if interval is None else " – ".join(map(wording.percent, interval)),
        "counts": percent_pair(relation.child_counts),
        "pairs": "–" if relation.pairs is None else percent_pair(relation.pairs),
        "families": "–" if relation.families is None else percent_pair(relation.families),
        "figure": document.add(Figure("counts", (relation.children,), alt)),
    }
