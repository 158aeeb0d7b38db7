"""Results: a JSON document with every figure of every cell, and Markdown tables of medians and ranges."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparison import cells
from comparison.dataset import load_dataset
from comparison.peers import PEERS

Values = list[float]


@dataclass(frozen=True)
class Figure:
    """One column of a table: where it stands in a cell, how it is written and which way is better."""

    title: str
    read: Callable[[dict[str, Any]], float | None]
    digits: int = 3
    better: str = ""
    ranges: bool = True


def at(*path: str) -> Callable[[dict[str, Any]], float | None]:
    """Read a value by the names on the way to it; None where a name leads nowhere."""

    def read(cell: dict[str, Any]) -> float | None:
        found: Any = cell
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    return read


def of_declared(which: str) -> Callable[[dict[str, Any]], float | None]:
    """Read the utility on the declared target."""

    def read(cell: dict[str, Any]) -> float | None:
        utility = cell["scores"]["utility"]
        return at("targets", utility["declared"] or "", which)(utility)

    return read


def total(*names: str) -> Callable[[dict[str, Any]], float | None]:
    """Sum of figures of the cost."""
    return lambda cell: sum(cell["cost"][name] for name in names)


QUALITY = (
    Figure("XGB AUC", at("scores", "xgboost", "auc"), better="low"),
    Figure("LGBM AUC", at("scores", "lightgbm", "auc"), better="low"),
    Figure("accuracy 1", at("scores", "accuracy", "one"), better="high", ranges=False),
    Figure("accuracy 2", at("scores", "accuracy", "two"), better="high", ranges=False),
    Figure("accuracy 3", at("scores", "accuracy", "three"), better="high"),
    Figure("shape", at("scores", "shape"), better="high", ranges=False),
    Figure("trend", at("scores", "trend"), better="high", ranges=False),
    Figure("dependence", at("scores", "dependence"), better="high", ranges=False),
    Figure("utility", of_declared("synthetic"), better="high"),
    Figure("utility of real", of_declared("real"), ranges=False),
    Figure("mean gap", at("scores", "utility", "mean_gap"), better="low"),
    Figure("tails", at("scores", "tail_error"), better="low", ranges=False),
    Figure("spikes", at("scores", "spike_error"), better="low", ranges=False),
    Figure("off grid", at("scores", "lattice_violations"), digits=4, better="low", ranges=False),
    Figure("missing pattern", at("scores", "missing_pattern"), better="low", ranges=False),
    Figure("missing rule", at("scores", "missing_rule"), better="high", ranges=False),
)
GAP = next(place for place, figure in enumerate(QUALITY) if figure.title == "mean gap")
PRIVACY = (
    Figure("near copies", at("scores", "closeness", "near_copies", "synthetic", "rate"), digits=4),
    Figure(
        "of held-out", at("scores", "closeness", "near_copies", "holdout", "rate"), digits=4, ranges=False
    ),
    Figure("limit", at("scores", "closeness", "near_copies", "limit"), digits=4, ranges=False),
    Figure("copies", at("scores", "closeness", "near_copies", "copies"), digits=4, ranges=False),
    Figure("nearer to train", at("scores", "closeness", "nearer_to_train", "share")),
    Figure("± by chance", at("scores", "closeness", "nearer_to_train", "error"), ranges=False),
    Figure("XGB AUC, training rows", at("scores", "xgboost_train", "auc"), ranges=False),
)
COST = (
    Figure("fit s", at("cost", "fit_s"), digits=1, better="low"),
    Figure("sample s", at("cost", "sample_s"), digits=2, better="low"),
    Figure("CPU s", total("fit_cpu_s", "sample_cpu_s"), digits=1, better="low"),
    Figure("rows/s", at("cost", "rows_per_s"), digits=0, better="high", ranges=False),
    Figure("peak MB", at("cost", "peak_mb"), digits=0, better="low", ranges=False),
)


def describe_machine() -> dict[str, Any]:
    """What the figures were measured on, without names of the place."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def collect(planned: Sequence[cells.Cell]) -> list[dict[str, Any]]:
    """Read the cells that are finished, without the places they lie in; older scores do not count."""
    found = []
    for cell in planned:
        record = cells.read(cell.folder / "cell.json")
        if record is not None and is_current(record, cell):
            job = {key: value for key, value in record["job"].items() if key != "source"}
            found.append({"dataset": load_dataset(cell.source).name, **record, "job": job})
    return found


def is_current(record: dict[str, Any], cell: cells.Cell) -> bool:
    """Whether a record is of this job and, unless the peer failed, of these metrics."""
    return record["job"] == cell.job and ("cost" not in record or record.get("scoring") == cell.scoring)


def write(target: Path, planned: Sequence[cells.Cell]) -> None:
    """Write both documents."""
    document = {
        "written": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "cells": collect(planned),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_name(target.name + ".json").write_text(as_lines(document), encoding="utf-8")
    target.with_name(target.name + ".md").write_text(render(document), encoding="utf-8")


def as_lines(document: dict[str, Any]) -> str:
    """Give the document as JSON with a line for each cell."""
    head = json.dumps({key: value for key, value in document.items() if key != "cells"})
    lines = ",\n".join(json.dumps(cell) for cell in document["cells"])
    return f'{head[:-1]}, "cells": [\n{lines}\n]}}\n'


def render(document: dict[str, Any]) -> str:
    """Give the Markdown page of a document."""
    found = document["cells"]
    names = list(dict.fromkeys(cell["dataset"] for cell in found))
    parts = [head(document), *(section(name, [c for c in found if c["dataset"] == name]) for name in names)]
    return "\n\n".join(parts) + "\n"


def head(document: dict[str, Any]) -> str:
    """Say what the figures are and where they come from."""
    place, found = document["machine"], document["cells"]
    machine = (
        f"{place['processor']}, {place['cores']} cores, {place['memory_gib']} GiB, Python {place['python']}"
    )
    return f"""# Comparison on single tables, {document["written"]}

{machine}; {conditions(found)}; settings of kinsynth: {own_settings(found)}.
Versions over all environments: {versions(found)}.

Figures are medians over seeds, with the range in brackets; all compare with held-out rows.
**Bold**: the best of the peers. `fresh` is real rows (the ceiling), `copy` the training rows,
`independent` shuffled columns (the floor): these are no rivals.
The columns are explained in the [README](../README.md)."""


def conditions(found: list[dict[str, Any]]) -> str:
    """Name the caps under which cells were made."""
    return "; ".join(sorted({condition(cell["job"]) for cell in found}))


def condition(job: dict[str, Any]) -> str:
    """Name the caps of one cell."""
    cores = ",".join(map(str, job["cores"])) or "all"
    learn = f", {job['learn']} rows learned" if "learn" in job else ""
    return f"cap {job['cap']} rows, split {job['split']}, limit {job['limit_s']:.0f} s, cores {cores}{learn}"


def own_settings(found: list[dict[str, Any]]) -> str:
    """Name the settings of our engine that are not defaults."""
    options = [c["job"]["options"] for c in found if c["job"]["peer"] == cells.OURS]
    return ", ".join(sorted({f"{k}={v}" for o in options for k, v in o.items()})) or "defaults"


def versions(found: list[dict[str, Any]]) -> str:
    """List the packages of all environments, every version that was in one."""
    listed = [c.get(part, {}).get("versions", {}) for c in found for part in ("cost", "scores")]
    pairs = {(name, version) for packages in listed for name, version in packages.items() if version}
    return ", ".join(f"{name} {version}" for name, version in sorted(pairs) if name != "python")


def section(name: str, found: list[dict[str, Any]]) -> str:
    """Give the tables of one data set."""
    peers = [peer for peer in PEERS if any(cell["job"]["peer"] == peer for cell in found)]
    groups = {p: [c for c in found if c["job"]["peer"] == p and "scores" in c] for p in peers}
    parts = [heading(name, groups)]
    parts += [verdict(groups)] if groups.get(cells.OURS) else []
    parts += [table(groups, QUALITY), table(groups, PRIVACY), table(groups, COST)]
    parts += [failures(found)] if any("failed" in cell for cell in found) else []
    return "\n\n".join(parts)


def heading(name: str, groups: dict[str, list[dict[str, Any]]]) -> str:
    """Name the data set and its sizes, and say so where fresh rows are few."""
    made = [group[0]["cost"] for group in groups.values() if group]
    if not made:
        return f"## {name}"
    title = f"## {name} ({made[0]['train_rows']:,} training, {made[0]['holdout_rows']:,} held-out rows)"
    if not groups.get("fresh") or made[0]["fresh_rows"]:
        return title
    count = groups["fresh"][0]["cost"]["synthetic_rows"]
    return f"""{title}

The cap left no fresh rows: `fresh` is one half of the held-out rows ({count:,}), judged against the other.
Only its two-sample AUC may be laid beside the others; for the rest, `copy` is the ceiling."""


def values(group: list[dict[str, Any]], figure: Figure) -> Values:
    """The figure of each seed that has one."""
    found = [figure.read(cell) for cell in group]
    return [value for value in found if value is not None]


def median(group: list[dict[str, Any]], figure: Figure) -> float | None:
    """The median over seeds."""
    found = values(group, figure)
    return statistics.median(found) if found else None


def table(groups: dict[str, list[dict[str, Any]]], figures: Sequence[Figure]) -> str:
    """Give one table, a row a peer; columns without any value are left out."""
    shown = [f for f in figures if any(values(group, f) for group in groups.values())]
    best = {f.title: best_peer(groups, f) for f in shown}
    lines = ["| peer | seeds | " + " | ".join(f.title for f in shown) + " |", "|---" * (len(shown) + 2) + "|"]
    for peer, group in groups.items():
        if not group:
            lines.append(f"| {peer} | failed | " + " | ".join("-" for _ in shown) + " |")
            continue
        written = [(text(group, f), best[f.title] == peer) for f in shown]
        entries = [f"**{entry}**" if marked else entry for entry, marked in written]
        lines.append(f"| {peer} | {len(group)} | " + " | ".join(entries) + " |")
    return "\n".join(lines)


def text(group: list[dict[str, Any]], figure: Figure) -> str:
    """Write median and range."""
    found = values(group, figure)
    if not found:
        return "-"
    form = f"{{:,.{figure.digits}f}}"
    middle = form.format(statistics.median(found))
    low, high = form.format(min(found)), form.format(max(found))
    return f"{middle} ({low} to {high})" if figure.ranges and low != high else middle


def best_peer(
    groups: dict[str, list[dict[str, Any]]], figure: Figure, roles: Sequence[str] = ("engine", "baseline")
) -> str | None:
    """The rival that is best in a figure; ours and the yardsticks are left out."""
    rivals = {p: median(g, figure) for p, g in groups.items() if p != cells.OURS and PEERS[p].role in roles}
    known = {peer: value for peer, value in rivals.items() if value is not None}
    if not known or not figure.better:
        return None
    return min(known, key=lambda peer: known[peer] * (1 if figure.better == "low" else -1))


def verdict(groups: dict[str, list[dict[str, Any]]]) -> str:
    """Say how ours stands beside the best published engine."""
    lines = [*excesses(groups), *gap(groups), *speed(groups)]
    near = [c["scores"]["closeness"]["near_copies"]["within"] for c in groups[cells.OURS]]
    share = [c["scores"]["closeness"]["nearer_to_train"]["within"] for c in groups[cells.OURS]]
    lines.append(
        f"- Seeds with near copies within the limit: {sum(near)} of {len(near)}; "
        f"with the share nearer to train as by chance: {sum(share)} of {len(share)}."
    )
    return "\n".join(lines)


def excesses(groups: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Two-sample AUC over that of fresh real rows, which counts at least 0.5."""
    lines = []
    for learner, figure in zip(("xgboost", "lightgbm"), QUALITY[:2], strict=True):
        real, mine = median(groups.get("fresh", []), figure), median(groups[cells.OURS], figure)
        if real is None or mine is None:
            continue
        ceiling, rival = max(0.5, real), best_peer(groups, figure, ("engine",))
        errors = values(groups[cells.OURS], Figure("", at("scores", learner, "error")))
        line = f"- Excess of {figure.title} over fresh real rows ({real:.3f}): {mine - ceiling:+.3f}"
        line += f" (standard error {statistics.median(errors):.3f})"
        theirs = median(groups[rival], figure) if rival else None
        lines.append(
            line + (f"; best engine {rival} {theirs - ceiling:+.3f}." if theirs is not None else ".")
        )
    return lines


def gap(groups: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What is lost in utility, on the declared target and over several."""
    lines = []
    for name, read in (("declared target", of_declared("gap")), ("mean over targets", QUALITY[GAP].read)):
        figure = Figure("", read, better="low")
        mine, rival = median(groups[cells.OURS], figure), best_peer(groups, figure, ("engine",))
        if mine is not None and rival:
            theirs = median(groups[rival], figure)
            lines.append(f"- Utility gap to real, {name}: {mine:+.4f}; best engine {rival} {theirs:+.4f}.")
    return lines


def speed(groups: dict[str, list[dict[str, Any]]]) -> list[str]:
    """How often our seconds go into those of mostly-engine, the fastest of the good ones."""
    lines = []
    for name, read in (
        ("Seconds", total("fit_s", "sample_s")),
        ("CPU seconds", total("fit_cpu_s", "sample_cpu_s")),
    ):
        mine, theirs = (median(groups.get(p, []), Figure("", read)) for p in (cells.OURS, "mostly-engine"))
        if mine and theirs:
            times = f"{theirs / mine:.1f} times ours"
            lines.append(f"- {name} of fit and sample: {mine:.1f}; mostly-engine {theirs:.1f}, {times}.")
    return lines


def failures(found: list[dict[str, Any]]) -> str:
    """Name the cells that failed, with the reason."""
    failed = [cell for cell in found if "failed" in cell]
    return "\n".join(f"- {c['job']['peer']}, seed {c['job']['seed']}: failed: {c['failed']}" for c in failed)
