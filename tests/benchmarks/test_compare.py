"""The command: which cells it plans, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import compare
import pytest
from comparison import environments

SCHEMA = {"tables": {"t": {"columns": {"x": "numeric"}, "primary_key": None}}}


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment of the metrics be there."""
    monkeypatch.setattr(environments, "verify", lambda name: None)


def plan(folder: Path, monkeypatch: pytest.MonkeyPatch, *further: str) -> list[compare.cells.Cell]:
    """Plan two data sets."""
    for name in ("a", "b"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "schema.json").write_text(json.dumps({"name": name, **SCHEMA}))
    words = ["compare", str(folder / "a"), str(folder / "b"), "--work", str(folder / "work"), *further]
    monkeypatch.setattr(sys, "argv", words)
    return compare.plan(compare.parse())


def test_peers_alternate_and_seeds_are_outermost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run cut short has every peer on every set."""
    cells = plan(tmp_path, monkeypatch, "--peers", "kinsynth,copy", "--seeds", "1,2")
    assert [(c.seed, c.source.name, c.peer) for c in cells][:5] == [
        (1, "a", "kinsynth"),
        (1, "a", "copy"),
        (1, "b", "kinsynth"),
        (1, "b", "copy"),
        (2, "a", "kinsynth"),
    ]
    assert len({cell.folder for cell in cells}) == 8


def test_settings_are_those_of_kinsynth_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers keep their defaults."""
    cells = plan(tmp_path, monkeypatch, "--peers", "kinsynth,arf", "--set", "training.max_epochs=3")
    assert {(c.peer, c.options) for c in cells} == {
        ("kinsynth", (("training.max_epochs", "3"),)),
        ("arf", ()),
    }


def test_few_rows_and_other_splits_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that one run does not undo another's cells."""
    plans = [
        plan(tmp_path, monkeypatch, *further) for further in ((), ("--learn", "50"), ("--split", "half"))
    ]
    assert len({cells[0].folder for cells in plans}) == 3
    assert "learn" not in plans[0][0].job
    assert plans[1][0].job["learn"] == 50


@pytest.mark.parametrize(
    ("further", "word"),
    [
        (("--peers", "unheard"), "unknown peers: unheard"),
        (("--set", "seed"), "--set takes KEY=VALUE, not seed"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    further: tuple[str, ...],
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything runs."""
    with pytest.raises(SystemExit):
        plan(tmp_path, monkeypatch, *further)
    assert word in capsys.readouterr().err
