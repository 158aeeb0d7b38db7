"""What the outside judge says: two-sample views and trends between tables, in the terms of ``figures``.

Each view is the AUC at which boosted trees tell synthetic from held-out rows: rows alone, with their parents'
columns, parents with aggregates of their children; the excess is over the larger of 0.5 and fresh real rows.
The aim is 0.10 on baseball and 0.08 on berka, elsewhere a quarter of the best peer's excess; it holds for the
mean over tables. Trends between tables are those of sdmetrics; on berka at most 0.05 below real rows.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from relational.figures import Figure

VIEWS = {
    "single": "told apart: rows",
    "with_parents": "told apart: with parents",
    "agg_children": "told apart: with children",
}
MEAN = "mean over tables"
EXCESS = {"baseball": 0.10, "berka": 0.08}
OF_BEST_PEER = 0.25
TRENDS_BELOW = {"berka": 0.05}


def score(bench: Path, dataset: Path, out: Path, *, metrics: str, core: str) -> None:
    """Have the judge score a folder; it writes score.json there."""
    command = [
        sys.executable,
        str(bench / "score.py"),
        str(dataset),
        str(out),
        "--only",
        metrics,
        "--core",
        core,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))


def views(scores: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """AUC by view and table, and the mean of each view."""
    found: dict[tuple[str, str], float] = {}
    for view, group in VIEWS.items():
        tables = {
            table: kinds[view]["vs_holdout"]
            for table, kinds in scores.get("c2st", {}).items()
            if isinstance(kinds, dict) and kinds.get(view, {}).get("vs_holdout") is not None
        }
        found |= {(group, table): auc for table, auc in tables.items()}
        if tables:
            found[group, MEAN] = fmean(tables.values())
    report = scores.get("sdm", {}).get("multi_quality", {})
    for name in ("Intertable Trends", "Cardinality"):
        if not math.isnan(report.get(name, math.nan)):  # sdmetrics says NaN where no pair can be scored
            found["sdmetrics", name] = report[name]
    return found


def judge(
    name: str, scores: Mapping[str, Any], fresh: Mapping[str, Any] | None, peers: list[Mapping[str, Any]]
) -> list[Figure]:
    """Give the judge's figures with those of fresh real rows and their limits."""
    real = views(fresh) if fresh else {}
    best = [views(peer) for peer in peers]
    figures = []
    for (group, table), value in views(scores).items():
        there = real.get((group, table))
        if group == "sdmetrics":
            below = TRENDS_BELOW.get(name) if table == "Intertable Trends" else None
            limit = None if below is None or there is None else there - below
            figures.append(Figure(group, table, value, there, limit, higher=True))
            continue
        limit = None
        if table == MEAN and there is not None:
            floor = max(0.5, there)
            rivals = [found[group, table] - floor for found in best if (group, table) in found]
            aim = EXCESS.get(name, OF_BEST_PEER * max(0.0, min(rivals)) if rivals else None)
            limit = None if aim is None else floor + aim
        figures.append(Figure(group, table, value, there, limit))
    return figures
