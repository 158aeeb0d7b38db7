"""Cells are made once, say so when they fail, and are made again when their job changes."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from comparison import cells, environments
from comparison.dataset import write_table
from made_tables import MIXED, draw

SCHEMA = {
    "name": "made",
    "tables": {"made": {"columns": MIXED.kinds, "primary_key": "id"}},
    "target": {"table": "made", "column": "happy"},
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data set on disk."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    write_table(folder / "made.csv", draw(500, 1), MIXED)
    return folder


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every environment be the one of the tests."""
    monkeypatch.setattr(environments, "interpreter", lambda name: Path(sys.executable))
    monkeypatch.setattr(environments, "verify", lambda name: None)


def cell(source: Path, **changes: Any) -> cells.Cell:
    """Shuffled columns of the data set."""
    whole = cells.Cell(
        source=source,
        peer="independent",
        seed=1,
        cap=400,
        split="judge",
        limit_s=60,
        cores=(),
        classifier_rows=500,
        options=(),
        folder=source.parent / "cell",
    )
    return dataclasses.replace(whole, **changes)


@pytest.mark.usefixtures("here")
def test_a_cell_is_drawn_with_its_cost(source: Path) -> None:
    """As many rows as there are training rows, and what they cost."""
    record = cells.draw(cell(source))
    assert "failed" not in record
    assert record["cost"]["synthetic_rows"] == record["cost"]["train_rows"] == 320
    assert record["cost"]["peak_mb"] > 20
    assert (source.parent / "cell" / "synthetic.csv").exists()


@pytest.mark.usefixtures("here")
def test_a_finished_cell_is_not_made_again_until_its_job_changes(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another cap draws anew, another bound of the classifiers scores anew, the same job does nothing."""
    calls: list[str] = []

    def run(environment: str, module: str, document: Path, limit_s: float) -> None:
        calls.append(module.rsplit(".", 1)[1])
        name = {"worker": "cost.json", "scoring": "scores.json"}[calls[-1]]
        document.with_name(name).write_text("{}")

    monkeypatch.setattr(cells, "run", run)
    words = [cells.make(cell(source)) for _ in range(2)]
    assert words == ["drawn, scored", "finished before"]
    assert cells.make(cell(source, classifier_rows=100)) == "scored"
    assert cells.make(cell(source, cap=300)) == "drawn, scored"
    assert calls == ["worker", "scoring", "scoring", "worker", "scoring"]


@pytest.mark.usefixtures("here")
def test_a_peer_that_takes_too_long_is_a_failure_that_stays(source: Path) -> None:
    """It is said why, and it is not tried again."""
    slow = cell(source, limit_s=0.05)
    assert cells.make(slow) == "failed: timeout after 0 s"
    assert cells.make(slow) == "failed: timeout after 0 s"
    assert cells.read(slow.folder / "cell.json")["failed"] == "timeout after 0 s"


@pytest.mark.usefixtures("here")
def test_a_peer_that_fails_says_why(source: Path) -> None:
    """The last line of the child is its error."""
    word = cells.make(cell(source, options=(("yardstick", "unheard of"),)))
    assert word == "failed: exit code 1: KeyError: 'unheard of'"


def test_a_missing_environment_is_tried_again(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that makes it."""
    monkeypatch.setenv("KINSYNTH_BENCH_ENVIRONMENTS", str(source.parent / "none"))
    word = cells.make(cell(source))
    assert word == "failed: environment metrics lacks everything: run scripts/benchmark environments metrics"
    assert cells.read(source.parent / "cell" / "cell.json")["unprepared"]
    monkeypatch.setattr(environments, "interpreter", lambda name: Path(sys.executable))
    monkeypatch.setattr(environments, "verify", lambda name: None)
    monkeypatch.setattr(cells, "score", lambda cell, record: record)
    assert cells.make(cell(source)).startswith("drawn")


@pytest.mark.usefixtures("here")
@pytest.mark.slow
def test_a_cell_is_scored_by_every_metric(source: Path) -> None:
    """From the files alone; without xgboost the cell says that scoring failed."""
    word = cells.make(cell(source, peer="copy", options=(("yardstick", "copy"),)))
    if importlib.util.find_spec("xgboost") is None:
        assert word == "failed: scoring: exit code 1: ModuleNotFoundError: No module named 'xgboost'"
        pytest.skip("xgboost is in the environment of the metrics only")
    assert word == "drawn, scored"
    scores = cells.read(source.parent / "cell" / "cell.json")["scores"]
    assert scores["closeness"]["near_copies"]["copies"] == 1
    assert scores["utility"]["mean_gap"] == 0


def test_the_job_of_our_engine_changes_with_its_source(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a rerun after a change draws ours anew and leaves the peers."""
    before = {peer: cell(source, peer=peer).job["code"] for peer in ("kinsynth", "cart")}
    monkeypatch.setattr(cells, "digest", lambda folder: "changed")
    after = {peer: cell(source, peer=peer).job["code"] for peer in ("kinsynth", "cart")}
    assert before["kinsynth"] != after["kinsynth"]
    assert before["cart"] == after["cart"]
