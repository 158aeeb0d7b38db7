"""Results of one data set: a JSON document with every figure of every run, and Markdown tables of medians."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.rendering import describe_machine

from relational.figures import Figure, medians, read_figures
from relational.meanings import FAILURES, meaning

SHORTENED = ("constants", "trends by path")  # only the widest of these are shown
SHOWN = 12
COSTS = {
    "fit_s": "fit, s",
    "gen_s": "draw, s",
    "wall_s": "both, s",
    "cpu_s": "CPU, s",
    "peak_rss_mb": "peak memory, MB",
}
NEGLIGIBLE = 0.0005  # what is written as 0.000


def write_results(stem: Path, document: dict[str, Any]) -> None:
    """Write STEM.json and STEM.md."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(render(document) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What was measured on, and when."""
    return describe_machine() | {"date": time.strftime("%Y-%m-%d")}


def render(document: Mapping[str, Any]) -> str:
    """Give the whole page."""
    runs: Mapping[str, list[dict[str, Any]]] = document["runs"]
    good = {name: [run for run in found if "figures" in run] for name, found in runs.items()}
    made = {
        name: medians([read_figures(run["figures"]) for run in found])
        for name, found in good.items()
        if found
    }
    lines = [f"# Relations: {document['dataset']}", "", describe(document), ""]
    kept, failed = ["## Kept", "", *summary(made), ""], ["## Failures of keys", "", *failures(made), ""]
    lines += [*(kept if made else ()), "## Cost", "", *costs(runs), "", *(failed if made else ())]
    for group in groups(made):
        if group not in FAILURES:
            lines += [f"## {group[0].upper()}{group[1:]}", "", *meaning(group), *detail(group, made), ""]
    return "\n".join(lines).rstrip()


def describe(document: Mapping[str, Any]) -> str:
    """Say what was compared."""
    rows = ", ".join(f"{table} {count:,}" for table, count in document["train_rows"].items())
    facts = [f"Training rows: {rows}.", f"Original tables: {', '.join(document['originals']) or 'none'}."]
    if document.get("excluded"):
        facts.append(f"Columns left out for all: {', '.join(document['excluded'])}.")
    facts += [describe_orphans(one) for one in document.get("orphans", [])]
    seeds = ", ".join(run["seed"] for found in document["runs"].values() for run in found if run["seed"])
    facts += [f"Seeds of kinsynth: {seeds}, medians."] if seeds else []
    if document.get("settings"):
        facts.append(f"Settings of kinsynth: {', '.join(document['settings'])}.")
    facts.append(f"Cap: {document['cap'] or 'none'}.")
    facts.append(f"{document['machine']['date']}, {document['machine']['cores']} cores.")
    reading = (
        "*Real* is what two real halves differ by (for near copies the rate of held-out rows, for AUC and "
        "sdmetrics fresh real rows); **bold** figures do not keep their limit. Counts of fewer than 20 rows "
        "have none: chance decides. ~ stands before shares that pass it no farther than two standard errors "
        "of the difference of two such samples."
    )
    return " ".join(facts) + "\n\n" + reading


def describe_orphans(found: Mapping[str, Any]) -> str:
    """Say what kinsynth was told to do about references of the source that name no row."""
    done = "made missing" if found["policy"] == "null" else "rows left out"
    return (
        f"{found['relation']}: {found['orphans']:,} of {found['rows']:,} training rows name no row "
        f"(for kinsynth {done})."
    )


def groups(made: Mapping[str, Sequence[Figure]]) -> list[str]:
    """All groups in the order in which they appear."""
    return list(dict.fromkeys(figure.group for figures in made.values() for figure in figures))


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def head(cells: Sequence[str]) -> list[str]:
    return [row(cells), "|" + "---|" * len(cells)]


def number(value: float | None) -> str:
    """Counts as they are, all else with three decimals."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def whole(value: float | None) -> str:
    """Seconds and megabytes need no more."""
    return "" if value is None else f"{value:,.0f}"


def summary(made: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    """How many figures of each group keep their limit, by producer."""
    yield from head(["figures kept of those with a limit", *made])
    for group in groups(made):
        cells = []
        for figures in made.values():
            limited = [figure for figure in figures if figure.group == group and figure.kept is not None]
            kept, by_chance = sum(f.kept is True for f in limited), sum(f.by_chance for f in limited)
            text = f"{kept} of {len(limited)}" if limited else ""
            text += f", ~{by_chance}" if by_chance else ""
            cells.append(text if kept == len(limited) else f"**{text}**")
        if any(cells):
            yield row([group, *cells])


def costs(runs: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Seconds and memory of each run."""
    yield from head(["producer", "seed", *COSTS.values(), "failed"])
    for name, found in runs.items():
        for run in found:
            cost = run.get("cost", {})
            yield row(
                [name, str(run["seed"]), *(whole(cost.get(key)) for key in COSTS), run.get("failed", "")]
            )


def detail(group: str, made: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    """Every figure of a group beside real data and its limit."""
    counted = [f for figures in made.values() for f in figures if f.group == group]
    if not any(f.higher or f.limit is not None or max(f.value, f.real or 0) >= NEGLIGIBLE for f in counted):
        yield f"No difference ({len({figure.name for figure in counted})} counted)."
        return
    table = by_name(group, made)
    if group in SHORTENED and len(table) > SHOWN:
        yield f"The {SHOWN} farthest from real data of {len(table)}; the JSON file has all."
        yield ""
        table = dict(sorted(table.items(), key=lambda item: -distance(item[1]))[:SHOWN])
    yield from head(["", "real", "limit", *made])
    for name, found in table.items():
        first = next(iter(found.values()))
        cells = [written(found.get(producer)) for producer in made]
        yield row([name, number(first.real), number(first.limit), *cells])


def by_name(group: str, made: Mapping[str, Sequence[Figure]]) -> dict[str, dict[str, Figure]]:
    """Give the figures of a group by name and producer."""
    table: dict[str, dict[str, Figure]] = {}
    for producer, figures in made.items():
        for figure in figures:
            if figure.group == group:
                table.setdefault(figure.name, {})[producer] = figure
    return table


def failures(made: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    """Rows that break what keys must keep, where there are any, and what was counted."""
    tables = {group: by_name(group, made) for group in groups(made) if group in FAILURES}
    broken = [
        row([group, name, *(written(found.get(producer)) for producer in made)])
        for group, table in tables.items()
        for name, found in table.items()
        if any(figure.value for figure in found.values())
    ]
    if broken:
        yield from head(["rows that fail", "where", *made])
        yield from broken
    else:
        yield "None."
    yield ""
    yield "Counted were:"
    yield ""
    for group, table in tables.items():
        yield f"- {group} ({len(table)}): {FAILURES[group]}"


def distance(found: Mapping[str, Figure]) -> float:
    """How far the first producer's figure is from the real one, in the bad direction."""
    figure = next(iter(found.values()))
    below = (figure.real or 0.0) - figure.value
    return below if figure.higher else -below


def written(figure: Figure | None) -> str:
    if figure is None:
        return ""
    text = "~" * figure.by_chance + number(figure.value)
    return f"**{text}**" if figure.kept is False else text
