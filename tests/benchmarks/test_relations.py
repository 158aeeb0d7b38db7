"""The command from files to files, with the judge's own split."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import judge
import pytest
import relations
from made_databases import SCHEMA, draw_database

needs_judge = pytest.mark.skipif(
    not (judge.BENCH / "data.py").exists(), reason="the outside judge is not there (KINSYNTH_BENCH)"
)


def write_dataset(folder: Path) -> Path:
    """Write a made database as a data set."""
    database = draw_database(400, 1)
    folder.mkdir()
    for name, table in database.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    tables = {
        name: {**table, "rows": database.rows(name)}
        for name, table in SCHEMA["tables"].items()  # the judge wants to know
    }
    (folder / "schema.json").write_text(json.dumps({**SCHEMA, "tables": tables}))
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["relations", *map(str, arguments)])
    relations.main()


@needs_judge
def test_yardsticks_and_files_of_others_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy keeps its pairs, shuffled keys do not; a folder that lacks a table is a failure that says so."""
    dataset, work = write_dataset(tmp_path / "made"), tmp_path / "work"
    common = (dataset, "--work", work, "--cap", 0, "--judge", "none", "--results", tmp_path / "results")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "customer.csv").write_text("customer,region,age,sex\n")
    run(monkeypatch, *common, "--producers", "copy,shuffle,fresh", "--made", f"broken={broken}")
    document = json.loads((tmp_path / "results" / "relations-made.json").read_text())
    assert set(document["runs"]) == {"copy", "shuffle", "broken"}
    assert "tables without a file: bought" in document["runs"]["broken"][0]["failed"]
    kept = {
        name: {figure["group"]: figure["kept"] for figure in document["runs"][name][0]["figures"]}
        for name in ("copy", "shuffle")
    }
    assert kept["copy"]["repeated pairs"] is True
    assert kept["shuffle"]["repeated pairs"] is False
    assert document["train_rows"]["customer"] == 320
    page = (tmp_path / "results" / "relations-made.md").read_text()
    assert page.startswith("# Relations: made\n")
    assert "tables without a file: bought" in page
    # what was made is kept: the same command measures the folder of the copy as it is
    copied = work / "made-0" / "copy" / "bought.csv"
    copied.write_text("".join(copied.read_text().splitlines(keepends=True)[:-3]))
    run(monkeypatch, *common, "--producers", "copy")
    again = json.loads((tmp_path / "results" / "relations-made.json").read_text())
    counts = [f for f in again["runs"]["copy"][0]["figures"] if f["group"] == "child counts"]
    assert any(figure["value"] > 0 for figure in counts)


@needs_judge
def test_an_unknown_original_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = write_dataset(tmp_path / "made")
    with pytest.raises(SystemExit, match="no table of made: nobody"):
        run(monkeypatch, dataset, "--work", tmp_path / "work", "--originals", "nobody")


@needs_judge
def test_columns_are_left_out_for_producers_and_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made of another source is made anew; a column of a key cannot be left out."""
    dataset, work = write_dataset(tmp_path / "made"), tmp_path / "work"
    common = (dataset, "--work", work, "--cap", 0, "--judge", "none", "--results", tmp_path / "results")
    run(monkeypatch, *common, "--producers", "copy")
    made = work / "made-0" / "copy" / "bought.csv"
    assert made.read_text().splitlines()[0] == "customer,product,paid,sex"
    run(monkeypatch, *common, "--producers", "copy", "--exclude", "bought.sex")
    assert made.read_text().splitlines()[0] == "customer,product,paid"
    document = json.loads((tmp_path / "results" / "relations-made.json").read_text())
    assert document["excluded"] == ["bought.sex"]
    names = {figure["name"] for figure in document["runs"]["copy"][0]["figures"]}
    assert "bought.customer -> customer: paid" in names
    assert "bought.customer -> customer: sex" not in names
    with pytest.raises(SystemExit, match=r"a column of a key: bought\.product"):
        run(monkeypatch, *common, "--exclude", "bought.product")
    with pytest.raises(SystemExit, match=r"no column of the data set: bought\.colour"):
        run(monkeypatch, *common, "--exclude", "bought.colour")


@needs_judge
def test_a_peer_that_ended_without_tables_is_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, peer = write_dataset(tmp_path / "made"), tmp_path / "peer"
    peer.mkdir()
    printed = "Traceback: what it printed\npeer.errors.InputError: six tables are too many\nBuy more.\n"
    (peer / "run.json").write_text(json.dumps({"error": "rc 1", "tail": printed}))
    common = (dataset, "--work", tmp_path / "work", "--cap", 0, "--results", tmp_path / "results")
    run(monkeypatch, *common, "--judge", "none", "--producers", "copy", "--made", f"sdv-hma={peer}")
    page = (tmp_path / "results" / "relations-made.md").read_text()
    assert "| ended without tables: rc 1: peer.errors.InputError: six tables are too many |" in page
    assert "what it printed" not in page
