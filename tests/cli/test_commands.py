"""The commands, called as a user calls them, on a small hospital."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinsynth.settings.document import load
from kinsynth.settings.tables import Rule

Call = Callable[..., Any]
TABLES = ("departments", "patients", "admissions", "diagnoses", "lab_results")
QUICK = ("--training.max_epochs", "1", "--training.threads=1", "--evaluation.max_rows", "100")
SECRET = "Q7Zebra"


def test_version(call: Call) -> None:
    """The version is one line."""
    ended = call("--version")
    assert (ended.code, ended.out.split()[0]) == (0, "kinsynth")


@pytest.mark.parametrize("words", [["explode"], ["run"], ["check", "a.yaml", "--nothing"]])
def test_wrong_words_are_the_users(call: Call, words: list[str]) -> None:
    """An unknown command or option, or a missing one, ends with 2."""
    assert call(*words).code == 2


def test_inspect_shows_tables_types_and_keys(call: Call, hospital: Path) -> None:
    """Every table and column is there, and the relations between tables."""
    ended = call("inspect", hospital / "sample")
    assert ended.code == 0, ended.err
    assert all(table in ended.out for table in TABLES)
    assert "admissions(patient_id) -> patients(patient_id)" in ended.out
    assert "datetime" in ended.out
    assert "test decides unit" in ended.out


def test_init_writes_a_document_that_checks(call: Call, hospital: Path, tmp_path: Path) -> None:
    """The document is complete, its paths start at its own folder, and it is not written over."""
    (tmp_path / "documents").mkdir()
    ended = call(
        "init", hospital / "sample", "-o", "documents/a.yaml", "--tables.departments.original", "yes"
    )
    assert ended.code == 0, ended.err
    document = load(tmp_path / "documents" / "a.yaml")
    assert set(document.tables) == set(TABLES)
    assert document.tables["departments"].original
    assert document.tables["patients"].columns["birth_date"].type == "date"
    assert Rule(kind="function", columns=("unit", "test")) in (document.tables["lab_results"].rules or ())
    assert call("check", "documents/a.yaml").code == 0
    again = call("init", hospital / "sample", "-o", "documents/a.yaml")
    assert (again.code, "[command.file_exists]" in again.err) == (2, True)


def test_init_makes_relative_paths_relative_to_the_document(
    call: Call, hospital: Path, tmp_path: Path
) -> None:
    """A source given relative to the working folder is found from the document's."""
    (tmp_path / "data").symlink_to(hospital / "sample")
    (tmp_path / "documents").mkdir()
    assert call("init", "data", "-o", "documents/a.yaml").code == 0
    assert load(tmp_path / "documents" / "a.yaml").source.paths == ("../data",)


def test_check_is_good(call: Call, hospital: Path) -> None:
    """The sample document has no errors, and its cost is assessed."""
    ended = call("check", hospital / "sample.yaml")
    assert ended.code == 0, ended.out + ended.err
    assert "Complexity:" in ended.out


def test_check_shows_all_findings_at_once(call: Call, hospital: Path) -> None:
    """Several mistakes are several findings with their codes, and the end is 2."""
    ended = call(
        "check",
        hospital / "sample.yaml",
        "--tables.departments.original=false",
        "--tables.patients.columns.colour.type=categorical",
    )
    assert ended.code == 2
    assert "[data.unknown_column]" in ended.out
    assert ended.out.count(" [") >= 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--training.max_epoch", "5"], "settings."),
        (["--training.max_epochs", "many"], "settings."),
        (["--training.max_epochs"], "command.value_missing"),
    ],
)
def test_wrong_settings_are_refused(call: Call, hospital: Path, words: list[str], code: str) -> None:
    """A field that does not exist, a value that does not fit, a value that is missing."""
    ended = call("check", hospital / "sample.yaml", *words)
    assert ended.code == 2
    assert f"[{code}" in ended.err
    assert "training.max_epoch" in ended.err


def test_a_missing_document_is_the_users(call: Call) -> None:
    """No trace, only the name and what to do."""
    ended = call("check", "nowhere.yaml")
    assert ended.code == 2
    assert "nowhere.yaml" in ended.err


def test_a_document_without_paths_is_the_users(call: Call, tmp_path: Path) -> None:
    """Nothing was skipped: nothing was asked for."""
    (tmp_path / "a.yaml").write_text("version: 1\nname: a\n", encoding="utf-8")
    ended = call("check", "a.yaml")
    assert (ended.code, "source.paths: No path is given." in ended.err) == (2, True)


def test_a_file_is_no_output_folder(call: Call, hospital: Path, tmp_path: Path) -> None:
    """A file in the place of the folder to make is said to be one, and left alone."""
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    for words in (["run", hospital / "sample.yaml"], ["generate", tmp_path]):
        ended = call(*words, "--output", "taken")
        assert (ended.code, "'taken' is a file" in ended.err) == (2, True)
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_settings_are_not_taken_by_resume(call: Call, tmp_path: Path) -> None:
    """What was fixed when the execution started cannot be changed."""
    ended = call("resume", tmp_path, "--training.max_epochs", "5")
    assert (ended.code, "[command.setting_not_taken]" in ended.err) == (2, True)


def test_no_cell_comes_out(call: Call, tmp_path: Path) -> None:
    """Damaged and inconsistent data are described by names and counts."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "a.csv").write_text(f"id,name\n1,{SECRET}\n1,{SECRET},{SECRET}\n", encoding="utf-8")
    for words in (["inspect", "bad"], ["init", "bad", "-o", "x.yaml"]):
        ended = call(*words)
        assert ended.code == 2
        assert SECRET not in ended.out + ended.err


@pytest.mark.slow
def test_run_resume_generate(call: Call, hospital: Path, tmp_path: Path) -> None:
    """A run makes tables, report and certificate; a finished one stays as it is; its model draws more."""
    ended = call(
        "run", hospital / "sample.yaml", "--output", "out", "--rows", "patients=120", "--seed", "3", *QUICK
    )
    assert ended.code == 0, ended.err
    for name in (
        *(f"tables/{table}.csv" for table in TABLES),
        "report.pdf",
        "events.jsonl",
        "certificate.json",
    ):
        assert (tmp_path / "out" / name).is_file()
        assert name in ended.out
    assert all(line == line.rstrip() for line in ended.out.splitlines())
    assert (tmp_path / "out" / "tables" / "patients.csv").read_bytes().count(b"\n") == 121
    assert not (tmp_path / "out" / "work").exists()
    assert call("run", hospital / "sample.yaml", "--output", "out").code == 2
    assert call("resume", "out").code == 0
    more = call("generate", "out", "--rows", "patients=30", "--seed", "4", "--output", "more")
    assert more.code == 0, more.err
    assert (tmp_path / "more" / "tables" / "patients.csv").read_bytes().count(b"\n") == 31
    assert call("generate", "out", "--rows", "diagnoses=30", "--output", "else").code == 2


@pytest.mark.slow
def test_ctrl_c_stops_and_resume_gives_the_same(
    call: Call, start: Call, hospital: Path, tmp_path: Path
) -> None:
    """Stopped in training: 130, the command that goes on, no trace; then the bytes of an unbroken run."""
    document = hospital / "sample.yaml"
    words = [*QUICK, "--training.max_epochs", "8"]
    with start("run", document, "--output", "out", *words) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip() == "Training":
                os.kill(process.pid, signal.SIGINT)
                break
        _, rest = process.communicate(timeout=120)
    assert process.returncode == 130, rest
    assert "kinsynth resume out" in rest
    assert "Traceback" not in rest
    assert call("resume", "out").code == 0
    assert call("run", document, "--output", "whole", *words).code == 0
    for table in TABLES:
        broken, whole = (tmp_path / name / "tables" / f"{table}.csv" for name in ("out", "whole"))
        assert broken.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("run",),
        ("generate", "x", "--output", "y", "--seed", "abc"),
        ("generate", "x", "--output", "y", "--bogus"),
        ("generate", "x", "--output", "y", "--temperature"),
    ],
)
def test_words_that_do_not_fit_have_a_code(call: Call, words: tuple[str, ...]) -> None:
    ended = call(*words)
    assert ended.code == 2
    assert "[command.usage]" in ended.err
    assert "--help" in ended.err
