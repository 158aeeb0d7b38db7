"""Document: an evaluation arranged as a report, still plain data; measures nothing, draws nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kinsynth.errors import Finding
from kinsynth.evaluation.results import (
    ColumnComparison,
    CountComparison,
    Distribution,
    Evaluation,
    Metric,
    NeighbourComparison,
    Overview,
    PairComparison,
    RelationComparison,
    TableEvaluation,
)
from kinsynth.report import colours, wording

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
_WORST, _SHOWN_PAIRS = 3, 6
_KINDS = {
    "owner": "owner",
    "key": "further key",
    "late": "late key",
    "self": "self reference",
    "implied": "implied",
    "reference": "original table",
}
_RELATION_WORDS = {
    "owner": "Rows of {table} belong to a row of {parent} and follow each other under it.",
    "key": "Rows of {table} point at a row of {parent}; it is chosen before their other values.",
    "late": "Rows of {table} point at a row of {parent}; a circle of tables is broken here, and the row "
    "is chosen last.",
    "self": "Rows of {table} point at rows of the same table; none is its own ancestor.",
    "implied": "The row of {parent} follows from other keys of {table}.",
    "reference": "Rows of {table} choose a row of the original table {parent}.",
}
_COPIED_KEYS = (
    "The graph of keys is copied from the training rows: who is connected with whom, and how often, is real; "
    "only the values are synthetic. What the figures say of keys is no work of the model, and a person with "
    "an unusual number of rows or unusual connections can be recognised."
)
_COPIED_RELATION = "Copied: each row points where the training row at its place does."
_CHARTS = (
    (
        "to_original",
        "From synthetic to training rows",
        "distance to the nearest training row",
        "How far synthetic rows are from the training row most like them; blue left of grey is too close.",
    ),
    (
        "within",
        "Among rows of one kind",
        "distance to the nearest other row",
        "How alike the rows of one kind are; blue left of grey: synthetic rows repeat each other.",
    ),
    (
        "proximity",
        "From training to synthetic rows",
        "distance to synthetic ÷ distance to real",
        "Whether a synthetic row is nearer than any real one (left of 1); blue left of grey: rows were kept.",
    ),
)


@dataclass(frozen=True)
class Figure:
    """What a chart shows.

    Attributes:
        kind: ``distribution``, ``counts``, ``distances``, ``pairs``, ``gauge`` or ``overview``.
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


def compose(
    evaluation: Evaluation,
    *,
    name: str,
    facts: Mapping[str, str],
    limits: Sequence[Finding] = (),
    copied_keys: bool = False,
) -> Document:
    """Arrange an evaluation as a report.

    Args:
        evaluation: What was measured.
        name: Title of the report.
        facts: Lines of the title page, such as seed and duration.
        limits: What could not be modelled as asked, in the order of the timeline.
        copied_keys: Whether the graph of keys is that of the training rows.
    """
    document = Document({})
    document.content |= {
        "name": wording.breakable(name, 120),
        "colours": colours.PALETTE,
        "facts": [[wording.shortened(k, 40), wording.shortened(v, 90)] for k, v in facts.items()],
        "holdout": evaluation.has_holdout,
        "scores": [
            _score(document, "Data accuracy", evaluation.accuracy, _accuracy_words(evaluation.accuracy)),
            _score(document, "Privacy", evaluation.privacy, _privacy_words(evaluation)),
        ],
        "limits": [_limit(limit) for limit in limits],
        "overview": _overview(document, evaluation.overview),
        "copied_keys": _COPIED_KEYS if copied_keys and evaluation.relations else "",
        "highlights": _highlights(evaluation),
        "summary": [_summary(table) for table in evaluation.tables],
        "relation_summary": [_relation_summary(relation) for relation in evaluation.relations],
        "tables": [_table(document, table) for table in evaluation.tables],
        "relations": [_relation(document, one, copied_keys=copied_keys) for one in evaluation.relations],
    }
    return document


def _limit(limit: Finding) -> dict[str, str]:
    """Arrange a line about what could not be modelled as asked."""
    return {"where": wording.breakable(limit.where, 120), "words": limit.message, "code": limit.code}


def _score(document: Document, title: str, value: float | None, words: str) -> dict[str, Any]:
    """Arrange one of the two scores."""
    colour = colours.shade(value)
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


def _privacy_words(evaluation: Evaluation) -> str:
    """Say what the privacy score means."""
    value = evaluation.privacy
    if value is None:
        return _unmeasured_words(evaluation)
    if value < 7:
        return "Synthetic rows give training rows away. Do not publish them as they are."
    if value < 9:
        return "Attacks did slightly better on training rows than on rows the model never saw."
    if any(table.neighbours and table.neighbours.risk for table in evaluation.tables):
        return "Attacks did hardly better on training rows than on rows the model never saw."
    return "No attack on the training rows did better than on rows the model never saw."


def _unmeasured_words(evaluation: Evaluation) -> str:
    """Say why there is no privacy score; copies found without one are told all the same."""
    if evaluation.privacy_missing != "no_holdout":
        return "Too few rows or columns to try an attack: the score needs 30 held-out subjects."
    if any(table.neighbours and table.neighbours.risk for table in evaluation.tables):
        return "No rows were held out, yet training rows are given away: see “Nearest rows”. Do not publish."
    return "No rows were held out to compare with: the score needs 30 held-out subjects."


def _highlights(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Name what differs most: columns, pairs of columns, relations."""
    columns = [
        (column.similarity.value, table.name, column.name)
        for table in evaluation.tables
        for column in table.columns
    ]
    pairs = [
        (value, table.name, f"{first} × {second}")
        for table in evaluation.tables
        if table.pairs is not None
        for value, first, second in _ranked(table.pairs)
    ]
    relations = [
        (relation.counts.similarity.value, relation.parent, f"number of {_by_key(relation)}")
        for relation in evaluation.relations
        if relation.counts is not None
    ]
    kinds = (("Columns", columns), ("Pairs of columns", pairs), ("Rows that point at a row", relations))
    return [
        {"title": title, "lines": [_similarity_line(*line) for line in sorted(found)[:_WORST]]}
        for title, found in kinds
        if found
    ]


def _ranked(pairs: PairComparison) -> list[tuple[float, str, str]]:
    """Give every pair of columns once, the one that differs most first."""
    return sorted(
        (pairs.similarity[i][j], pairs.columns[j], pairs.columns[i])
        for i in range(len(pairs.columns))
        for j in range(i)
    )


def _similarity_line(value: float, *names: str) -> dict[str, Any]:
    """Arrange names and how similar what they name is."""
    return {
        "names": [wording.shortened(name, 80) for name in names],
        "similarity": wording.percent(value),
        "colour": colours.similarity_shade(value),
    }


def _summary(table: TableEvaluation) -> dict[str, Any]:
    """Arrange the line of one table."""
    return {
        "name": wording.shortened(table.name, 80),
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
        f"{name}_colour": colours.shade(value),
        f"{name}_share": 0.0 if value is None else round(value / 10, 3),
    }


def _by_key(relation: RelationComparison) -> str:
    """Name the rows of a relation and the key by which they point."""
    return f"{relation.table} by {', '.join(relation.columns)}"


def _relation_summary(relation: RelationComparison) -> dict[str, Any]:
    """Arrange the line of one relation."""
    distance = None if relation.counts is None else relation.counts.total_variation
    return {
        "name": wording.shortened(_arrowed(relation.name), 160),
        "kind": _KINDS[relation.kind],
        "distance": wording.percent(None if distance is None else distance.value),
        "reference": wording.percent(None if distance is None else distance.reference),
        **_rating("accuracy", relation.accuracy),
    }


def _table(document: Document, table: TableEvaluation) -> dict[str, Any]:
    """Arrange the section of one table."""
    return {
        **_summary(table),
        "heading": wording.breakable(table.name, 120),
        "metrics": _metrics(table.metrics),
        "cards": [_card(document, column) for column in table.columns],
        "pairs": None if table.pairs is None else _pairs(document, table.pairs),
        "neighbours": None if table.neighbours is None else _neighbours(document, table.neighbours),
    }


def _metrics(metrics: Sequence[Metric], *, risk: float = 0.0) -> list[dict[str, str]]:
    """Arrange metrics as lines of a table; ``risk`` is the share of rows that attacks give away."""
    return [
        {
            "title": _METRICS[metric.name][0],
            "words": _METRICS[metric.name][1],
            "value": wording.percent(metric.value),
            "interval": ""
            if metric.interval is None
            else f"{wording.percent(metric.interval[0])} – {wording.percent(metric.interval[1])}",
            "reference": wording.percent(metric.reference),
            "colour": _attack_shade(metric, risk),
        }
        for metric in metrics
    ]


def _attack_shade(metric: Metric, risk: float) -> str:
    """Give the colour of an attack: did it better than on held-out rows, and does that count as risk?"""
    if metric.interval is None or metric.reference is None or metric.direction == "higher":
        return colours.INK
    if metric.interval[0] <= metric.reference:
        return colours.INK
    return colours.POOR if risk > 0 else colours.FAIR


def _card(document: Document, column: ColumnComparison) -> dict[str, Any]:
    """Arrange one column."""
    similarity = column.similarity.value
    alt = f"{column.name}: original and synthetic distribution, similarity {wording.percent(similarity)}"
    shown = column.distribution
    return {
        "name": wording.shortened(column.name, 80),
        "type": column.type,
        "similarity": wording.percent(similarity),
        "colour": colours.similarity_shade(similarity),
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
    return {
        "figure": document.add(Figure("pairs", data, alt)),
        "worst": [_similarity_line(*line) for line in _ranked(pairs)[:_SHOWN_PAIRS]],
    }


def _neighbours(document: Document, neighbours: NeighbourComparison) -> dict[str, Any]:
    """Arrange the attacks on one table."""
    charts = []
    for attribute, title, axis, words in _CHARTS:
        shown: Distribution | None = getattr(neighbours, attribute)
        if shown is not None:
            figure = document.add(Figure("distances", (shown, axis), f"{title}: {axis}"))
            charts.append({"title": title, "words": words, "figure": figure})
    return {
        "columns": neighbours.columns,
        "metrics": _metrics(neighbours.metrics, risk=neighbours.risk),
        "charts": charts,
        "risk": wording.percent(neighbours.risk),
    }


def _relation(
    document: Document, relation: RelationComparison, *, copied_keys: bool = False
) -> dict[str, Any]:
    """Arrange one relation."""
    counts, depth = relation.counts, relation.depth
    measured = (
        ("Number of rows: total variation", None if counts is None else counts.total_variation),
        ("Number of rows: similarity", None if counts is None else counts.similarity),
        ("Rows above: total variation", None if depth is None else depth.total_variation),
        ("Dependence of the two rows kept", relation.pairs),
        ("Telling families apart", relation.families),
    )
    title = f"How many rows of {relation.table} a row of {relation.parent} has"
    charts = (
        (title, f"rows of {relation.table}", counts),
        (f"How many rows stand above a row of {relation.table}", "rows above", depth),
    )
    interval = None if counts is None else counts.total_variation.interval
    return {
        **_relation_summary(relation),
        "words": _COPIED_RELATION
        if copied_keys
        else _RELATION_WORDS[relation.kind].format(table=relation.table, parent=relation.parent),
        "levels": [
            [title, wording.percent(metric.value), wording.percent(metric.reference)]
            for title, metric in measured
            if metric is not None
        ],
        "interval": "" if interval is None else " – ".join(map(wording.percent, interval)),
        "notes": [*_missing_note(relation), *_mean_note(relation)],
        "charts": [
            _counts(document, title, axis, shown) for title, axis, shown in charts if shown is not None
        ],
    }


def _missing_note(relation: RelationComparison) -> list[str]:
    """Say how often a key is missing."""
    if relation.missing is None:
        return []
    shares = " → ".join(wording.percent(share) for share in relation.missing[:2])
    return [f"Missing in {shares} of the rows (original → synthetic)."]


def _mean_note(relation: RelationComparison) -> list[str]:
    """Give the mean number of rows; parts are compared at one mean where rows do not belong to a row."""
    if relation.counts is None:
        return [f"Too few rows of {relation.parent} to compare how many point at each."]
    means = " → ".join(f"{mean:,g}" for mean in relation.counts.means[:2])
    compared = (
        "" if relation.kind == "owner" else " Compared at the smaller mean; held-out rows are no yardstick."
    )
    return [f"Mean {means} (original → synthetic).{compared}"]


def _counts(document: Document, title: str, axis: str, counts: CountComparison) -> dict[str, Any]:
    """Arrange the chart of a number that every row has."""
    figure = document.add(Figure("counts", (counts.shown, axis), f"{title}, original and synthetic"))
    return {"title": wording.shortened(title, 90), "figure": figure}


def _overview(document: Document, overview: Overview | None) -> dict[str, Any] | None:
    """Arrange the picture of all tables; None for a single table."""
    if overview is None or not overview.keys:
        return None
    alt = f"{len(overview.tables)} tables and {len(overview.keys)} foreign keys between them"
    return {
        "figure": document.add(Figure("overview", (overview,), alt)),
        "kinds": sorted({key.kind for key in overview.keys}),
    }
