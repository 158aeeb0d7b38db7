"""Tables: medians and ranges, the best peer in bold, failures named, no place of the machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comparison import cells, rendering


def scored(peer: str, seed: int, auc: float, **cost: float) -> dict[str, Any]:
    """A finished cell with the figures that the tables read."""
    test = {"auc": auc, "error": 0.01}
    return {
        "dataset": "made",
        "job": {
            "peer": peer,
            "seed": seed,
            "cap": 500,
            "split": "judge",
            "limit_s": 60,
            "cores": [0],
            "options": {},
        },
        "cost": {
            "train_rows": 400,
            "holdout_rows": 100,
            "fresh_rows": 400,
            "synthetic_rows": 400,
            "fit_s": 2.0,
            "sample_s": 1.0,
            "fit_cpu_s": 2.0,
            "sample_cpu_s": 1.0,
            "rows_per_s": 400.0,
            "peak_mb": 100,
            "versions": {"python": "3.11", "torch": "1"},
            **cost,
        },
        "scores": {
            "versions": {"numpy": "2"},
            "xgboost": test,
            "lightgbm": test,
            "xgboost_train": test,
            "accuracy": {"one": 0.9, "two": 0.8, "three": 0.7},
            "utility": {
                "declared": "t",
                "mean_gap": auc - 0.5,
                "targets": {"t": {"real": 0.9, "synthetic": 0.8, "gap": 0.1}},
            },
            "closeness": {
                "near_copies": {
                    "synthetic": {"rate": 0.0},
                    "holdout": {"rate": 0.0},
                    "limit": 0.0,
                    "within": True,
                    "copies": 0.0,
                },
                "nearer_to_train": {"share": 0.5, "error": 0.01, "within": seed != 3},
            },
        },
    }


def document(*found: dict[str, Any]) -> dict[str, Any]:
    """Results with these cells."""
    return {"written": "2026-01-01", "machine": rendering.describe_machine(), "cells": list(found)}


CELLS = [
    *(scored("kinsynth", seed, auc) for seed, auc in ((1, 0.55), (2, 0.53), (3, 0.6))),
    scored("mostly-engine", 1, 0.7, fit_s=20.0, fit_cpu_s=29.0),
    scored("arf", 1, 0.8),
    scored("cart", 1, 0.6),
    scored("fresh", 1, 0.51),
    scored("copy", 1, 0.4),
]


def test_a_row_holds_median_and_range_and_the_best_peer_is_bold() -> None:
    """Neither ours nor a yardstick is the best peer."""
    page = rendering.render(document(*CELLS))
    assert "| kinsynth | 3 | 0.550 (0.530 to 0.600) |" in page
    assert "| cart | 1 | **0.600** |" in page
    assert "| mostly-engine | 1 | 0.700 |" in page
    assert "| copy | 1 | 0.400 |" in page


def test_excess_is_over_fresh_rows_beside_the_best_engine() -> None:
    """A baseline that hands out real values is not the best engine."""
    page = rendering.render(document(*CELLS))
    assert "- Excess of XGB AUC over fresh real rows (0.510): +0.040 (standard error 0.010); " in page
    assert "best engine mostly-engine +0.190." in page
    assert "- Seconds of fit and sample: 3.0; mostly-engine 21.0, 7.0 times ours." in page
    assert "- CPU seconds of fit and sample: 3.0; mostly-engine 30.0, 10.0 times ours." in page
    assert "with the share nearer to train as by chance: 2 of 3." in page


def test_a_ceiling_below_one_half_counts_as_one_half() -> None:
    """Chance must not make an excess."""
    page = rendering.render(document(scored("kinsynth", 1, 0.55), scored("fresh", 1, 0.45)))
    assert "(0.450): +0.050" in page


def test_a_failed_peer_is_a_row_that_says_so() -> None:
    """With the reason below."""
    failed = {"dataset": "made", "job": CELLS[0]["job"] | {"peer": "arf"}, "failed": "timeout after 60 s"}
    page = rendering.render(document(CELLS[0], failed))
    assert "| arf | failed | - |" in page
    assert "- arf, seed 1: failed: timeout after 60 s" in page


def test_few_fresh_rows_are_said() -> None:
    """Half of the held-out rows cannot be laid beside the others."""
    half = scored("fresh", 1, 0.5, synthetic_rows=50, fresh_rows=0)
    page = rendering.render(document(scored("kinsynth", 1, 0.55, fresh_rows=0), half))
    assert "`fresh` is one half of the held-out rows (50)" in page


@pytest.mark.parametrize("failed", [True, False])
def test_results_name_no_place(failed: bool, tmp_path: Path) -> None:
    """Neither the folder of the data nor that of the cells; another job's record is not taken."""
    source = tmp_path / "data"
    source.mkdir()
    table = {"columns": {"t": "boolean"}, "primary_key": None}
    (source / "schema.json").write_text(json.dumps({"name": "made", "tables": {"made": table}}))
    cell = cells.Cell(source, "copy", 1, 500, "judge", 60, (), 500, (), tmp_path / "cell")
    other = cells.Cell(source, "copy", 2, 500, "judge", 60, (), 500, (), tmp_path / "other")
    for made in (cell, other):
        made.folder.mkdir()
    done = {**scored("copy", 1, 0.5), "job": cell.job, "scoring": cell.scoring}
    record = {"job": cell.job, "failed": "no"} if failed else done
    cells.write(cell.folder / "cell.json", record)
    cells.write(other.folder / "cell.json", record)
    rendering.write(tmp_path / "results" / "page", [cell, other])
    texts = [(tmp_path / "results" / f"page.{ending}").read_text() for ending in ("json", "md")]
    assert len(json.loads(texts[0])["cells"]) == 1
    assert not any(str(tmp_path) in text for text in texts)


def test_scores_of_other_metrics_are_not_mixed_in(tmp_path: Path) -> None:
    """A change of a metric must reach all rows of a table before they are shown together."""
    (tmp_path / "schema.json").write_text(json.dumps({"name": "made", "tables": {"t": {"columns": {}}}}))
    cell = cells.Cell(tmp_path, "copy", 1, 500, "judge", 60, (), 500, (), tmp_path)
    stale = {"job": cell.job, "cost": {}, "scores": {}, "scoring": {**cell.scoring, "code": "older"}}
    cells.write(tmp_path / "cell.json", stale)
    assert rendering.collect([cell]) == []
    cells.write(tmp_path / "cell.json", stale | {"scoring": cell.scoring})
    assert len(rendering.collect([cell])) == 1
