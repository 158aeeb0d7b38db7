"""Every code of the checks is reached by the smallest cause, and by nothing else in a good document."""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest

from check_cases import CASES
from checked_bank import (
    DOCUMENT,
    ROOTS,
    find,
    keep,
    make_tables,
    small_town,
)
from kinsynth.connectors.base import Dialect, Listing, Skipped, SourceTable
from kinsynth.errors import SchemaError, SettingsError
from kinsynth.pipeline import checks
from kinsynth.pipeline.checks import raise_errors
from kinsynth.settings.document import override, parse


def test_a_good_document_has_no_finding() -> None:
    assert find(make_tables(), DOCUMENT) == []


@pytest.mark.parametrize("code", CASES)
def test_the_cause_of_each_code_is_found(code: str) -> None:
    for change, where in CASES[code]:
        tables, document = make_tables(), copy.deepcopy(DOCUMENT)
        change(tables, document)
        found = find(tables, document)
        assert (code, where) in [(finding.code, finding.where) for finding in found], found
        for finding in found:
            assert finding.message.endswith(".")
            assert finding.remedy
            assert "  " not in str(finding)


def test_conditions_that_are_kept_by_themselves_need_no_word() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    document["tables"]["customer"] |= {
        "checks": [
            "age between 18 and 100 and age is not null",
            "job in ('cook', 'nurse', 'pilot') and job <> 'king'",
            "since >= '2000-03-01'",
        ],
        "unique": [["id"], ["id", "job"]],
    }
    document["tables"]["town"] |= {"checks": ["kind like '%i%'"], "unique": [["id"]]}
    assert find(tables, document) == []


def test_rows_that_break_a_condition_are_numbered_and_nothing_of_them_is_told() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["customer"]["age"][4] = "131"
    document["tables"]["customer"]["checks"] = ["age < 130"]
    (finding,) = (one for one in find(tables, document) if one.code == "checks.broken")
    assert finding.message == "1 of 600 rows of the source break age < ?: row 5."


def test_every_code_of_the_checks_has_a_case() -> None:
    folder = Path(checks.__file__).parent
    written = {
        node.args[0].value
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and re.fullmatch(r"[a-z_]+\.[a-z_]+", node.args[0].value)
    }
    listed = {"data.file_skipped", "data.cells_noted", "data.header_like_data"}
    assert written - listed == set(CASES)


def test_tables_with_too_few_rows_are_told_at_once_with_one_suggestion() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    small_town(tables, document)
    keep(15, "customer", "account")(tables, document)
    document["tables"]["payment"]["foreign_keys"][0]["orphans"] = "drop"
    tables["shop"] = {"id": [str(n) for n in range(9)], "size": [str(n % 3) for n in range(9)]}
    document["tables"]["shop"] = {"primary_key": ["id"], "foreign_keys": []}
    found = [one for one in find(tables, document) if one.code == "data.too_few_rows"]
    assert [one.where for one in found] == ["tables"]
    assert "12 (town), 15 (customer), 15 (account), 9 (shop)" in found[0].message
    marks = ("town", "shop")
    assert all(f"tables.{name}.original: true" in found[0].remedy for name in marks)
    assert "customer" not in found[0].remedy


def test_a_small_table_that_references_others_is_not_to_be_copied() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["club"] = {"customer": ["1", "2", None], "size": ["4", "5", "6"]}
    document["tables"]["club"] = {
        "primary_key": [],
        "foreign_keys": [{"columns": ["customer"], "table": "customer"}],
    }
    (finding,) = [one for one in find(tables, document) if one.code == "data.hardly_any_rows"]
    assert finding.remedy.endswith("tables.club.include: false.")


def test_an_empty_table_beside_others_is_to_be_left_out() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["club"], document["tables"]["club"] = {"id": []}, {"primary_key": [], "foreign_keys": []}
    found = [one for one in find(tables, {**document, "roots": "many"}) if "club" in one.where]
    assert [(one.code, one.remedy) for one in found] == [
        ("data.empty_table", "Leave it out: tables.club.include: false.")
    ]


def test_files_that_were_left_aside_are_named(tmp_path: Path) -> None:
    read = SourceTable("customer", "customer.xlsx", "", "xlsx", ROOTS, tmp_path, notes={"error_cells": 3})
    listing = Listing((read,), (Skipped("notes.doc", "not a table"),))
    found = find(make_tables(), DOCUMENT, listing)
    assert [(f.code, f.severity) for f in found] == [
        ("data.file_skipped", "notice"),
        ("data.cells_noted", "notice"),
    ]
    assert "3 error cells" in found[1].message


@pytest.mark.parametrize(
    ("names", "count"),
    [(("37", "nurse", "2004-03-01"), 2), (("age 1", "job", "2004"), 0), (("inf", "12", "since"), 0)],
)
def test_a_header_of_cells_is_counted_and_not_shown(
    tmp_path: Path, names: tuple[str, ...], count: int
) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    columns = document["tables"]["customer"]["columns"]
    for old, new in zip(("age", "job", "since"), names, strict=True):
        tables["customer"][new] = tables["customer"].pop(old)
        columns[new] = columns.pop(old)
    text = SourceTable(
        "customer", "customer.csv", "", "csv", ROOTS, tmp_path, Dialect("utf-8", "comma", "LF")
    )
    found = find(tables, document, Listing((text,), ()))
    assert [(one.code, one.severity, one.where) for one in found] == [
        ("data.header_like_data", "warning", "tables.customer")
    ] * bool(count)
    for one in found:
        assert f"{count} of 5 columns" in one.message
        assert not any(name in str(one) for name in names)
    typed = replace(text, format="parquet", dialect=None)
    assert find(tables, document, Listing((typed,), ())) == []


def test_all_findings_come_at_once_in_the_order_of_the_steps() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    for code in ("settings.unused", "treatment.never_all", "primary_keys.duplicates", "data.unknown_table"):
        CASES[code][0][0](tables, document)
    codes = [finding.code for finding in find(tables, document)]
    assert codes.index("data.unknown_table") < codes.index("primary_keys.duplicates")
    assert codes.index("primary_keys.duplicates") < codes.index("treatment.never_all")
    assert codes.index("treatment.never_all") < codes.index("settings.unused")


def test_findings_hold_no_cell_of_the_source() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    secret = "zebra-crossing"
    tables["account"]["customer"][0] = secret
    tables["customer"]["id"][1] = tables["customer"]["id"][2] = secret
    tables["customer"]["age"][5] = secret
    tables["customer"]["job"] = [f"{secret} {i}" for i in range(ROOTS)]
    found = find(tables, document)
    assert {"treatment.unparsable", "primary_keys.duplicates", "treatment.mostly_rare"} <= {
        f.code for f in found
    }
    assert not [finding for finding in found if secret in str(finding)]


def test_counts_and_rows_are_said() -> None:
    tables = make_tables()
    tables["account"]["customer"][3] = "77777"
    (finding,) = find(tables, DOCUMENT)
    assert "1 of 900 rows of account reference no row of customer: row 4." in finding.message


def test_a_column_left_out_is_not_checked_further() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["tables"]["payment"]["columns"]["way"] = {"never": ["card", "cash"], "treatment": "leave_out"}
    assert find(make_tables(), document) == []


def test_errors_are_raised_together_with_their_kind() -> None:
    wrong = override(parse(DOCUMENT), {"generation.rows.x": "5", "destination.kind": "oracle"})
    with pytest.raises(SettingsError) as settings:
        raise_errors(find(make_tables(), wrong))
    assert {finding.code for finding in settings.value.findings} == {
        "settings.rows_unknown_table",
        "settings.not_available",
    }
    with pytest.raises(SchemaError):
        raise_errors(find(make_tables(), override(wrong, {"tables.customer.primary_key": "[]"})))


def test_warnings_stop_nothing() -> None:
    raise_errors(find(make_tables(), override(parse(DOCUMENT), {"training.batch_size": "7"})))
