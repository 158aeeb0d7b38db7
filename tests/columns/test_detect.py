"""Types are chosen from every cell: the traps of inference, typed sources, and the judgement on real data."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from kinsynth.columns.declared import declare_column
from kinsynth.columns.detect import Detected, coordinate_pairs, detect, detect_table
from kinsynth.schema.literals import parse_text, unparsable_rows
from kinsynth.settings import treatment


def text(cells: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())])


def kind(cells: list[str | None], name: str = "x") -> tuple[str, str]:
    found = detect(text(cells), name)
    return found.type, found.storage


# Traps: what a reader that decides types by itself gets wrong


def test_a_word_after_many_numbers_is_found_and_named() -> None:
    found = detect(text([str(n) for n in range(5000)] + ["N/A"] + [str(n) for n in range(5000)]), "x")
    assert found.storage == "string"
    assert "1 of 5,001 distinct values do not read as integer" in found.reason
    assert found.alternatives == ("integer",)
    assert "N/A" not in found.reason


def test_decimals_that_start_late() -> None:
    assert kind([str(n) for n in range(9000)] + ["0.5"]) == ("numeric", "double")


@pytest.mark.slow
def test_a_word_in_row_900_000() -> None:
    cells = np.arange(1_000_000).astype(str).tolist()
    cells[900_000] = "unknown"
    assert detect(text(cells), "x").storage == "string"


@pytest.mark.parametrize(
    "cells",
    [
        ["00123", "04711"],
        ["+5", "+7"],
        ["1e5", "2e5"],
        ["1,000.5", "2,000.5"],
        ["1.000,5", "2.000,5"],
        ["1,000", "2,500"],
        ["$5", "$7"],
        ["5%", "7%"],
        [" 5", "7"],
        ["1_000", "7"],
        ["1.5", "1.50"],
        ["1,500", "2,2"],
        ["nan", "1.5"],
        ["inf", "1.5"],
        ["1", "0x1F"],
        ["9" * 39, "1"],
    ],
)
def test_what_would_lose_characters_stays_text(cells: list[str]) -> None:
    assert kind(cells)[1] == "string"


def test_words_that_look_missing_are_values() -> None:
    found = detect(text(["NA", "None", "null", "nan", "Smith"]), "surname")
    assert (found.type, found.nullable) == ("categorical", False)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2"], ("integer", "int64")),
        (["9223372036854775807", "-9223372036854775808"], ("integer", "int64")),
        (["9223372036854775808", "1"], ("integer", "decimal128(38, 0)")),
        (["20000.0", "3.0"], ("integer", "int64")),
        (["1.50", "-2.25"], ("numeric", "double")),
        (["1,50", "2,25"], ("numeric", "double")),
        (["1,255", "2,2"], ("numeric", "double")),
        (["0.12345678901234567890", "1.00000000000000000000"], ("numeric", "decimal128(38, 20)")),
        (["1e-05", "0.5"], ("numeric", "double")),
        (["yes", "no", None], ("boolean", "bool")),
        (["True", "False"], ("boolean", "bool")),
        (["t", "f"], ("boolean", "bool")),
        (["t", "t"], ("categorical", "string")),
        (["0", "1"], ("integer", "int64")),
        (["2020-01-31", "1999-12-01"], ("date", "date32[day]")),
        (["31/12/2020", "01/02/2020"], ("date", "date32[day]")),
        (["12/31/2020", "01/02/2020"], ("date", "date32[day]")),
        (["31.12.2020"], ("date", "date32[day]")),
        (["5 March 2020", "12 May 1999"], ("date", "date32[day]")),
        (["12:30:00", "23:59:59"], ("time", "time64[us]")),
        (["1:05 PM", "12:30 AM"], ("time", "time64[us]")),
        (["3:04", "13:04"], ("time", "time64[us]")),
        (["1/5/2020 3:04", "12/31/2020 13:04"], ("datetime", "timestamp[us]")),
        (["01/31/2020 03:04:05 PM"], ("datetime", "timestamp[us]")),
        (["2020-01", "1999-12"], ("date", "date32[day]")),
        (["2020-01", "1999-13"], ("categorical", "string")),
        (["12:30", "25:00"], ("categorical", "string")),
        (["2020-01-01 12:00:00"], ("datetime", "timestamp[us]")),
        (["2020-01-01T12:00:00.123Z"], ("datetime", "timestamp[us, tz=UTC]")),
        (["2020-02-30", "2020-01-01"], ("categorical", "string")),
        (["0000-00-00", "2020-01-01"], ("categorical", "string")),
        ([None, None], ("categorical", "string")),
        ([], ("categorical", "string")),
    ],
)
def test_types_of_text(cells: list[str | None], expected: tuple[str, str]) -> None:
    assert kind(cells) == expected


def test_day_and_month_are_told_apart_or_doubted() -> None:
    first = detect(text(["31/12/2020", "01/02/2020"]), "x")
    second = detect(text(["12/31/2020", "01/02/2020"]), "x")
    doubtful = detect(text(["01/02/2020", "03/04/2020"]), "x")
    assert first.text is not None
    assert second.text is not None
    assert (first.text.pattern, second.text.pattern) == ("%d/%m/%Y", "%m/%d/%Y")
    assert doubtful.confidence <= 0.5 < first.confidence
    assert "exchanged" in doubtful.reason


def test_eight_digits_are_dates_only_with_a_reason() -> None:
    assert kind(["20200131", "19991201"], "birth_date")[0] == "date"
    assert kind(["20200131", "19991201"], "account")[0] == "integer"


def test_postal_codes_and_phones_are_no_quantities() -> None:
    assert kind(["12345", "94043"], "zip_code") == ("categorical", "string")
    assert kind(["5551234567", "5559876543", "5550001111"], "phone") == ("identifier", "string")


def test_identifiers_by_shape() -> None:
    mails = [f"user{n}@example.org" for n in range(30)]
    uuids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(30)]
    codes = [f"AB-{n:05}" for n in range(30)]
    for cells in (mails, uuids, codes):
        assert kind(cells)[0] == "identifier"
    assert kind([str(n) for n in range(10)], "person_id")[0] == "identifier"
    assert kind([str(n) for n in range(10)], "paid")[0] == "integer"


def test_long_texts_are_text() -> None:
    cells = [f"This is sentence number {n} of a longer description of things" for n in range(40)]
    assert kind(cells, "note")[0] == "text"
    assert kind(cells[:2] * 200, "note")[0] == "categorical"


def test_coordinates_come_in_pairs() -> None:
    table = pa.table(
        {
            "home_lat": ["45.1", "-33.2"],
            "home_lon": ["9.5", "151.2"],
            "lat": ["45.1", "97.0"],
            "lon": ["1.5", "2.5"],
        }
    )
    found = detect_table(table)
    assert found["home_lat"].pair == "home_lon"
    assert found["home_lon"].pair == "home_lat"
    assert [found[name].type for name in table.column_names] == [
        "coordinates",
        "coordinates",
        "numeric",
        "numeric",
    ]
    assert coordinate_pairs(table, found) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, None]), "boolean"),
        (pa.array([1, 2], pa.uint64()), "integer"),
        (pa.array([1.0, 2.0]), "numeric"),
        (pa.array([Decimal(1), Decimal(2)], pa.decimal128(10, 2)), "numeric"),
        (pa.array([1, 2]).cast(pa.timestamp("ns", "UTC")), "datetime"),
        (pa.array([1, 2], pa.int32()).cast(pa.date32()), "date"),
        (pa.array([1, 2]).cast(pa.time64("us")), "time"),
        (pa.array([b"a", b"b"]), "categorical"),
    ],
)
def test_typed_sources_keep_their_storage(values: pa.Array, expected: str) -> None:
    found = detect(pa.chunked_array([values]), "x")
    assert (found.type, found.storage, found.text) == (expected, str(values.type), None)


# Declared types


def declared(cells: list[str | None], **said: object) -> Detected:
    values = text(cells)
    found = declare_column(values, detect(values, "x"), treatment.Column(**said), name="x")
    assert found is not None
    return found


def test_declared_types_read_what_their_format_says() -> None:
    cases = [
        (["0", "1", None], {"type": "boolean"}, [False, True, None]),
        (["$", "1.234,5"], {"type": "numeric", "decimal_mark": "comma"}, None),
        (["1.234,5", "7"], {"type": "numeric", "decimal_mark": "comma"}, [1234.5, 7.0]),
        (["1,000", "2,500"], {"type": "integer"}, [1000, 2500]),
        (["1,000", "2,500"], {"type": "numeric", "decimal_mark": "comma"}, [1.0, 2.5]),
        (["1.5", "2"], {"type": "integer"}, None),
        (["007", "+8"], {"type": "integer"}, [7, 8]),
        (["5", "7"], {"type": "categorical"}, ["5", "7"]),
        (["01/02/2020"], {"format": "%m/%d/%Y"}, None),
    ]
    for cells, said, expected in cases:
        column = declared(cells, **said).column("x")
        if expected is not None:
            assert parse_text(text(cells), column).to_pylist() == expected, (cells, said)
    month_first = declared(["01/02/2020"], format="%m/%d/%Y").column("x")
    assert parse_text(text(["01/02/2020"]), month_first).to_pylist()[0].month == 1
    assert len(unparsable_rows(text(["1.5", "2"]), declared(["1.5", "2"], type="integer").column("x"))) == 1
    assert len(unparsable_rows(text(["$", "1"]), declared(["$", "1"], type="integer").column("x"))) == 1


def test_a_typed_source_refuses_a_type_it_cannot_hold() -> None:
    values = pa.chunked_array([pa.array([1, 2])])
    found = detect(values, "x")
    assert declare_column(values, found, treatment.Column(type="date"), name="x") is None
    assert declare_column(values, found, treatment.Column(type="categorical"), name="x") is not None


# Real data


def test_types_of_real_data(data_root: Path) -> None:
    """Agreement with the types noted beside the data: at least 91 % word for word; at least 97 % where a few
    whole numbers, or yes and no, may be called categories, and addresses of people identifiers.
    """
    columns = [found for folder in sorted(data_root.glob("*/schema.json")) for found in compare(folder)]
    exact = sum(found.type == wanted for found, wanted, _ in columns)
    near = sum(
        found.type == wanted or is_near(found, wanted, distinct) for found, wanted, distinct in columns
    )
    assert len(columns) > 400
    assert exact / len(columns) >= 0.91
    assert near / len(columns) >= 0.97


def is_near(found: Detected, wanted: str, distinct: int) -> bool:
    few = wanted == "categorical" and found.type in ("integer", "boolean") and distinct <= 40
    return few or (wanted == "categorical" and found.type == "identifier" and "texts" in found.reason)


def compare(schema: Path) -> list[tuple[Detected, str, int]]:
    pairs = []
    for name, facts in json.loads(schema.read_text())["tables"].items():
        wanted = facts["columns"]
        options = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=True, null_values=[""]
        )
        parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
        table = pyarrow.csv.read_csv(
            schema.with_name(f"{name}.csv"), convert_options=options, parse_options=parse
        )
        found = detect_table(table)
        pairs += [
            (found[key], what, len(table[key].unique())) for key, what in wanted.items() if what != "id"
        ]
    return pairs


def test_the_order_of_rows_decides_nothing() -> None:
    whole = [str(number) for number in range(400)]
    for late in (["12,5", "0,25"], ["12.5", "0.25"]):
        first, last = (
            detect(pa.chunked_array([late + whole]), "amount"),
            detect(pa.chunked_array([whole + late]), "amount"),
        )
        assert (first.type, first.storage, first.text) == (last.type, last.storage, last.text)
        assert first.type == "numeric"
