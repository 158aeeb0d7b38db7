"""A small database goes all the way: steps, results, certificate, more data, stops, and what is refused."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kinsynth.errors import Interrupted, KinsynthError, SettingsError, TransientError, UserError
from kinsynth.pipeline import run as run_module
from kinsynth.pipeline import steps
from kinsynth.pipeline.certificate import Certificate
from kinsynth.pipeline.model import load_model
from kinsynth.pipeline.run import Execution, generate, resume, run
from kinsynth.pipeline.timeline import STEPS, Event, read_events, timeline
from kinsynth.pipeline.workspace import Workspace
from kinsynth.settings.document import parse
from shop_database import SHOPS, shop_document, write_shops


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "source"
    write_shops(folder)
    return folder


def perform(
    source: Path, folder: Path, *, on_event: Callable[[Event], None] | None = None, **parts: Any
) -> Execution:
    return run(parse(shop_document(source, **parts)), folder, base=Path(), on_event=on_event)


@pytest.fixture(scope="module")
def finished(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Execution:
    return perform(source, tmp_path_factory.mktemp("finished") / "run")


def read(execution: Execution, name: str) -> pl.DataFrame:
    return pl.read_csv(execution.folder / "tables" / f"{name}.csv", infer_schema=False)


def test_the_seven_steps_are_done_in_order(finished: Execution) -> None:
    events = read_events(finished.timeline)
    assert [view.state for view in timeline(events)] == ["finished"] * 7
    assert [event.step for event in events if event.kind == "step_started"] == list(STEPS)
    assert events[-1].kind == "execution_finished"


def test_keys_are_new_unique_and_linked(finished: Execution) -> None:
    shops, sales, regions = (read(finished, name) for name in ("shop", "sale", "region"))
    assert shops.height == SHOPS
    assert shops["shop_id"].n_unique() == SHOPS
    assert shops["shop_id"].str.contains(r"^S\d{4}$").all()
    assert set(sales["shop_id"]) <= set(shops["shop_id"])
    assert set(shops["region_id"]) <= set(regions["region_id"])
    assert sales["sale_id"].n_unique() == sales.height


def test_formats_ranges_and_order_are_those_of_the_source(finished: Execution) -> None:
    sales = read(finished, "sale")
    assert sales["day"].str.contains(r"^2021-03-\d\d$").all()
    assert sales["amount"].drop_nulls().str.contains(r"^\d+\.\d\d$").all()
    days = sales.group_by("shop_id", maintain_order=True).agg(pl.col("day"))["day"].to_list()
    assert all(group == sorted(group) for group in days)
    assert all(len(group) <= 3 for group in days)


def test_original_tables_are_byte_equal(finished: Execution, source: Path) -> None:
    assert (finished.folder / "tables" / "region.csv").read_bytes() == (source / "region.csv").read_bytes()


def test_the_certificate_has_no_failure_and_names_every_table(finished: Execution) -> None:
    certificate = Certificate.from_json(finished.certificate.read_text())
    assert certificate.failed == ()
    assert {g.where.partition(".")[0].partition("(")[0] for g in certificate.guarantees} >= {
        "shop",
        "sale",
        "region",
    }


def test_no_source_row_stays_in_the_folder(finished: Execution, source: Path) -> None:
    amounts = pl.read_csv(source / "sale.csv", infer_schema=False)["amount"].drop_nulls().unique().to_list()
    rest = [
        path for path in finished.folder.rglob("*") if path.is_file() and path.suffix not in {".pdf", ".csv"}
    ]
    texts = {path: path.read_bytes() for path in rest}
    assert len(texts) >= 10
    leaked = [
        path.name for path, text in texts.items() for amount in amounts if f'"{amount}"'.encode() in text
    ]
    assert leaked == []
    assert not (finished.folder / "work").exists()


def test_a_finished_run_is_left_as_it_is(finished: Execution) -> None:
    before = {path: path.read_bytes() for path in (finished.folder / "tables").iterdir()}
    again = resume(finished.folder)
    assert {path: path.read_bytes() for path in again.tables} == before


def test_more_data_comes_from_the_stored_model(finished: Execution, tmp_path: Path) -> None:
    more = generate(finished.folder, rows={"shop": 400}, output=tmp_path / "more")
    assert read(more, "shop").height == 400
    assert Certificate.from_json(more.certificate.read_text()).failed == ()
    same = generate(finished.folder, rows={"shop": SHOPS}, output=tmp_path / "same")
    assert read(same, "shop").equals(read(finished, "shop")), "as many as before are those of before"
    other = generate(finished.folder, rows={"shop": 400}, seed=8, output=tmp_path / "other")
    assert not read(other, "shop").drop("shop_id").equals(read(more, "shop").drop("shop_id"))


def test_no_rows_are_tables_without_rows(finished: Execution, tmp_path: Path) -> None:
    none = generate(finished.folder, rows={"shop": 0}, output=tmp_path / "none")
    assert Certificate.from_json(none.certificate.read_text()).failed == ()
    assert all(read(none, name).height == 0 for name in ("shop", "sale"))
    assert read(none, "shop").columns == read(finished, "shop").columns


def test_the_generation_batch_never_changes_a_value(finished: Execution) -> None:
    model = load_model(finished.folder / "model")
    whole = model.draw({"shop": 3_000})
    assert model.networks["shop"].plan.block_size * 2 < 3_000, "several blocks"
    for roots in (1, 70, 10**6):
        parts = replace(model, batch_roots=roots).draw({"shop": 3_000})
        assert all(parts.tables[name].equals(whole.tables[name]) for name in whole.tables)


def test_a_saved_model_draws_the_same(finished: Execution, tmp_path: Path) -> None:
    model = load_model(finished.folder / "model")
    model.save(tmp_path / "model")
    first, second = model.draw(), load_model(tmp_path / "model").draw()
    assert all(first.tables[name].equals(second.tables[name]) for name in first.tables)


@pytest.mark.parametrize("rows", [{"sale": 5}, {"nothing": 5}, {"shop": -1}])
def test_rows_of_other_than_root_tables_are_refused(
    finished: Execution, tmp_path: Path, rows: dict[str, int]
) -> None:
    with pytest.raises(SettingsError):
        generate(finished.folder, rows=rows, output=tmp_path / "more")
    assert not (tmp_path / "more").exists()


@pytest.mark.parametrize("format_", ["tsv", "parquet", "xlsx", "ods"])
def test_every_format_is_written_and_certified(source: Path, tmp_path: Path, format_: str) -> None:
    execution = perform(source, tmp_path / "run", destination={"format": format_}, report={"enabled": False})
    assert Certificate.from_json(execution.certificate.read_text()).failed == ()
    assert {path.suffix for path in execution.tables} == {f".{format_}"}
    assert execution.report is None


def test_a_folder_with_content_is_not_touched(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError) as caught:
        perform(source, tmp_path)
    assert caught.value.code == "execution.folder_not_empty"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_wrong_document_gives_all_findings_at_once(source: Path, tmp_path: Path) -> None:
    tables = {"region": {"original": True}, "nothing": {}, "shop": {"columns": {"nowhere": {}}}}
    with pytest.raises(KinsynthError) as caught:
        perform(source, tmp_path / "run", tables=tables)
    assert {finding.code for finding in caught.value.findings} >= {
        "data.unknown_table",
        "data.unknown_column",
    }
    assert list((tmp_path / "run").iterdir()) == [], "the corrected run can use the same folder"


def test_a_stop_is_clean_and_resume_goes_on_to_the_same_bytes(
    source: Path, tmp_path: Path, finished: Execution
) -> None:
    seen: list[str] = []

    def remember(event: Event) -> None:
        seen.append(f"{event.kind}:{getattr(event, 'step', '')}")

    folder = tmp_path / "run"
    with pytest.raises(Interrupted):
        run(
            parse(shop_document(source)),
            folder,
            base=Path(),
            on_event=remember,
            stop_requested=lambda: "step_started:training" in seen,
        )
    assert read_events(folder / "events.jsonl")[-1].kind == "execution_failed"
    execution = resume(folder)
    for name in ("shop", "sale"):
        assert (folder / "tables" / f"{name}.csv").read_bytes() == (
            finished.folder / "tables" / f"{name}.csv"
        ).read_bytes()
    assert execution.certificate.read_bytes() == finished.certificate.read_bytes()


def test_impute_and_never_are_honoured(source: Path, tmp_path: Path) -> None:
    columns = {"amount": {"missing": "impute"}, "kind": {"never": ["b"]}}
    tables = {"region": {"original": True}, "sale": {"columns": columns}}
    execution = perform(source, tmp_path / "run", tables=tables, report={"enabled": False})
    sales = read(execution, "sale")
    assert sales["amount"].null_count() == 0
    assert set(sales["kind"]) == {"a"}


def test_excluded_and_left_out_columns_do_not_come_back(source: Path, tmp_path: Path) -> None:
    columns = {"amount": {"include": False}, "kind": {"treatment": "leave_out"}}
    tables = {"region": {"original": True}, "sale": {"columns": columns}}
    execution = perform(source, tmp_path / "run", tables=tables, report={"enabled": False})
    assert read(execution, "sale").columns == ["sale_id", "shop_id", "day"]


def test_the_folder_holds_what_the_documentation_says(finished: Execution) -> None:
    found = {path.name for path in finished.folder.iterdir()}
    assert found == {
        ".lock",
        "certificate.json",
        "evaluation.json",
        "events.jsonl",
        "execution.json",
        "limits.json",
        "model",
        "plan.json",
        "report.pdf",
        "steps",
        "synthesis.yaml",
        "tables",
    }
    assert json.loads((finished.folder / "plan.json").read_text())["machine"]["cores"] == 1


def test_a_full_disk_loses_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(steps, "save_encoded", full)
        with pytest.raises(TransientError) as caught:
            perform(source, folder)
    assert caught.value.code == "machine.disk_full"
    last = read_events(folder / "events.jsonl")[-1]
    assert (last.kind, last.code) == ("execution_failed", "machine.disk_full")
    assert Certificate.from_json(resume(folder).certificate.read_text()).failed == ()


def test_an_output_that_cannot_be_a_folder_is_the_users_to_repair(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        perform(source, tmp_path / "file" / "run")
    assert caught.value.code == "machine.path"


def test_a_second_process_is_refused_and_harms_nothing(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with Workspace(folder).lock(), pytest.raises(UserError) as caught:
        perform(source, folder)
    assert caught.value.code == "execution.locked"
    refused: list[str] = []

    def begin_again(event: Event) -> None:
        if event.kind == "step_started" and event.step == "loading":
            with pytest.raises(UserError) as second:
                perform(source, folder)
            refused.append(second.value.code)

    assert (
        Certificate.from_json(perform(source, folder, on_event=begin_again).certificate.read_text()).failed
        == ()
    )
    assert refused == ["execution.folder_not_empty"]


def test_a_lock_taken_between_beginning_and_start_empties_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise UserError("execution.locked", "Another process works in this folder.")

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "resume", locked)
        with pytest.raises(UserError):
            perform(source, tmp_path / "run")
    assert (tmp_path / "run" / "execution.json").is_file()
