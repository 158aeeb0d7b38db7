"""Each guarantee holds on a good result and fails on the result that breaks it, and on no other."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.pipeline.certificate import Certificate, certify
from kinsynth.schema.table import Column, Relation, Schema, Table

SCHEMA = Schema(
    tables={
        "city": Table("city", (Column("id", "identifier", "int64", nullable=False),), ("id",), original=True),
        "person": Table(
            "person",
            (
                Column("a", "identifier", "int64", nullable=False),
                Column("b", "identifier", "string", nullable=False),
                Column("city", "categorical", "int64"),
            ),
            ("a", "b"),
        ),
        "visit": Table(
            "visit",
            (
                Column("pa", "identifier", "int64"),
                Column("pb", "identifier", "string"),
                Column("price", "numeric", "double", nullable=False),
            ),
        ),
    },
    relations=(
        Relation("person", ("city",), "city", ("id",)),
        Relation("visit", ("pa", "pb"), "person", ("a", "b")),
    ),
)
CITY = pa.table({"id": [1, 2, 3]})


def make_tables() -> dict[str, pa.Table]:
    return {
        "city": CITY,
        "person": pa.table({"a": [1, 1, 2], "b": ["x", "y", "x"], "city": [1, None, 3]}),
        "visit": pa.table({"pa": [1, 2, None], "pb": ["y", "x", "x"], "price": [1.0, 2.0, 3.5]}),
    }


def make_certificate(tables: dict[str, pa.Table], **rows: int) -> Certificate:
    return certify(SCHEMA, tables, originals={"city": CITY}, expected_rows={"person": 3, **rows})


def replace(tables: dict[str, pa.Table], table: str, column: str, values: pa.Array) -> None:
    number = tables[table].column_names.index(column)
    tables[table] = tables[table].set_column(number, column, values)


def test_a_good_result_passes_every_guarantee() -> None:
    certificate = make_certificate(make_tables())
    assert certificate.failed == ()
    codes = [(guarantee.code, guarantee.where) for guarantee in certificate.guarantees]
    assert ("foreign_key.resolved", "visit(pa, pb) -> person(a, b)") in codes
    assert ("primary_key.unique", "person(a, b)") in codes
    assert ("original.equal", "city") in codes
    assert len(set(codes)) == len(codes)


BREAKS: dict[str, tuple[Callable[[dict[str, pa.Table]], object], dict[str, int]]] = {
    "primary_key.unique": (
        lambda t: replace(t, "person", "b", pa.array(["x", "x", "x"])),
        {"person(a, b)": 1},
    ),
    "primary_key.not_null": (
        lambda t: replace(t, "person", "b", pa.array(["x", "y", None])),
        {"person(a, b)": 1},
    ),
    "foreign_key.resolved": (
        lambda t: replace(t, "visit", "pb", pa.array(["z", "y", "x"])),
        {"visit(pa, pb) -> person(a, b)": 2},
    ),
    "column.type": (lambda t: replace(t, "visit", "price", pa.array([1, 2, 3])), {"visit.price": 1}),
    "column.not_null": (
        lambda t: replace(t, "visit", "price", pa.array([1.0, None, None])),
        {"visit.price": 2},
    ),
    "original.equal": (lambda t: t.update(city=pa.table({"id": [1, 3, 2]})), {"city": 2}),
    "table.rows": (lambda t: t.update(person=t["person"].slice(0, 2)), {"person": 1}),
    "table.present": (lambda t: t.update(visit=t["visit"].select(["pa", "pb"])), {"visit": 1}),
}


@pytest.mark.parametrize("code", BREAKS)
def test_a_broken_guarantee_fails_with_its_count(code: str) -> None:
    tables = make_tables()
    change, expected = BREAKS[code]
    change(tables)
    failed = {g.where: g.violations for g in make_certificate(tables).failed if g.code == code}
    assert failed == expected


def test_a_missing_table_fails_in_all_that_is_declared_of_it() -> None:
    tables = make_tables()
    del tables["person"]
    failed = make_certificate(tables).failed
    assert {g.where for g in failed} == {
        g.where for g in make_certificate(make_tables()).guarantees if "person" in g.where
    }


def test_an_original_table_without_its_source_fails() -> None:
    assert [g.code for g in certify(SCHEMA, make_tables(), originals={}, expected_rows={}).failed] == [
        "original.equal"
    ]


def test_a_lost_and_a_changed_row_of_an_original_table_are_both_counted() -> None:
    tables = make_tables()
    tables["city"] = pa.table({"id": [1, 7]})
    counts = [g.violations for g in make_certificate(tables).failed if g.code == "original.equal"]
    assert counts == [2]


def test_json_is_the_same_for_any_order_and_reads_back() -> None:
    tables = make_tables()
    certificate = make_certificate(tables)
    other = make_certificate(dict(reversed(tables.items())))
    assert certificate.to_json() == other.to_json()
    assert Certificate.from_json(certificate.to_json()) == certificate


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    rows = 1_000_000
    generator = np.random.default_rng(0)
    tables = {
        "city": CITY,
        "person": pa.table(
            {
                "a": np.arange(rows),
                "b": pa.array(np.arange(rows) % 1000).cast(pa.string()),
                "city": generator.integers(1, 4, rows),
            }
        ),
    }
    picked = generator.integers(0, rows, rows)
    tables["visit"] = pa.table(
        {
            "pa": picked,
            "pb": pa.array(picked % 1000).cast(pa.string()),
            "price": generator.random(rows),
        }
    )
    started = time.process_time()
    certificate = make_certificate(tables, person=rows)
    assert certificate.failed == ()
    assert time.process_time() - started < 20
