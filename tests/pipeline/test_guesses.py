"""Detected keys stop no run, and a few rows do not make one vanish without a word."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.inspect import Inspection, inspect
from kinsynth.settings.synthesis import Synthesis


def inspected(tables: dict[str, list[dict[str, Any]]], **document: Any) -> Inspection:
    frames = {name: pl.DataFrame(rows) for name, rows in tables.items()}
    return inspect(
        tables_from_memory(frames), Synthesis.model_validate({"roots": "many", "tables": document})
    )


TENANTS = {
    "cust": [{"tenant": t, "id": i + 1} for t in range(30) for i in range(4)],
    "ords": [{"tenant": t, "id": i + 1, "cust": i % 4 + 1} for t in range(30) for i in range(6)],
}
KEYS = {name: {"primary_key": ["tenant", "id"]} for name in TENANTS}
TO_CUST = {"columns": ["tenant", "cust"], "table": "cust", "references": ["tenant", "id"]}


def test_a_detected_key_never_closes_a_circle_that_cannot_be_broken() -> None:
    found = inspected(TENANTS, cust=KEYS["cust"], ords={**KEYS["ords"], "foreign_keys": [TO_CUST]})
    assert [one.columns for one in found.schema.relations] == [("tenant", "cust")]
    assert [(one.code, one.where) for one in found.findings] == [
        ("foreign_keys.guess_left_out", "tables.cust.foreign_keys")
    ]
    assert ("tenant", "id") in [one.relation.columns for one in found.relation_proposals]


def test_declared_circles_are_left_to_the_check() -> None:
    to_ords = {"columns": ["tenant", "id"], "table": "ords"}
    document = {
        "cust": {**KEYS["cust"], "foreign_keys": [to_ords]},
        "ords": {**KEYS["ords"], "foreign_keys": [TO_CUST]},
    }
    found = inspected(TENANTS, **document)
    assert len(found.schema.relations) == 2
    assert found.findings == ()
    synthesis = Synthesis.model_validate({"roots": "many", "tables": document})
    assert "foreign_keys.circle" in {one.code for one in check(found, synthesis)}


def orders(*more: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    people = [{"customer_id": n + 1, "age": n % 7} for n in range(40)]
    return {
        "customers": [*people, *more],
        "orders": [{"order_id": n, "customer_id": n % 40 + 1} for n in range(90)],
    }


@pytest.mark.parametrize(
    ("more", "document", "told"),
    [
        ((), {}, False),
        (({"customer_id": 3, "age": 1},), {}, True),
        (({"customer_id": None, "age": 1},), {}, True),
        (tuple({"customer_id": n, "age": 1} for n in range(1, 9)), {}, False),
        (({"customer_id": 3, "age": 1},), {"orders": {"foreign_keys": []}}, False),
        (({"customer_id": 3, "age": 1},), {"customers": {"primary_key": []}}, False),
    ],
)
def test_a_key_that_a_row_spoils_is_told(
    more: tuple[dict[str, Any], ...], document: dict[str, Any], told: bool
) -> None:
    found = inspected(orders(*more), **document).findings
    assert [one.code for one in found] == ["foreign_keys.guess_spoiled"] * told
    for one in found:
        assert one.message.startswith("orders.customer_id would reference customers, but 1 of 41 rows")


def test_a_column_without_a_value_is_no_detected_key() -> None:
    tables = orders()
    for one in tables["orders"]:
        one["origin_customer_id"] = None
    found = inspected(tables)
    assert [one.columns for one in found.schema.relations] == [("customer_id",)]
    assert [one.relation.columns for one in found.relation_proposals] == [("customer_id",)]


def posts(authors: int = 40) -> dict[str, list[dict[str, Any]]]:
    return {
        "users": [{"id": n + 1, "age": n % 7} for n in range(40)],
        "posts": [{"id": n + 500, "writer_id": n % authors + 1, "shop_id": 9 * n} for n in range(90)],
    }


@pytest.mark.parametrize(
    ("authors", "document", "told"),
    [
        (40, {}, ["posts.writer_id"]),
        (5, {}, []),  # so few numbers occur in any table
        (60, {}, []),  # users has no such keys
        (40, {"posts": {"foreign_keys": []}}, []),
        (40, {"posts": {"columns": {"writer_id": {"type": "categorical"}}}}, []),
        (40, {"posts": {"foreign_keys": [{"columns": ["writer_id"], "table": "users"}]}}, []),
    ],
)
def test_a_column_named_like_a_key_that_references_nothing_is_told(
    authors: int, document: dict[str, Any], told: list[str]
) -> None:
    found = inspected(posts(authors), **document).findings
    assert [one.code for one in found] == ["foreign_keys.unlinked"] * len(told)
    assert [one.message.split(" is named")[0] for one in found] == told
    assert all("the keys of users hold its values." in one.message for one in found)
