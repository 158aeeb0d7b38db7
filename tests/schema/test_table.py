"""Schemas and databases refuse what does not fit together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest
from schema_toys import schema, whole

from kinsynth.schema.database import Database
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.schema.table import Column, Relation, Schema, Table

SHOP = Schema({"shop": Table("shop", (whole("id"), Column("name", "categorical", "string")))})
ROWS = pa.table({"id": pa.array([1], pa.int64()), "name": ["a"]})


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Column("a", "number", "int64"),
        lambda: Relation("a", (), "b", ()),
        lambda: Relation("a", ("x",), "b", ("x",), role="parent"),
        lambda: Relation("a", ("x", "y"), "b", ("x",)),
        lambda: Table("a", (whole("x"), whole("x"))),
        lambda: Table("a", (whole("x"),), primary_key=("y",)),
        lambda: Table("a", (whole("x"),), order_by="y"),
        lambda: Schema({"b": Table("a", ())}),
        lambda: Schema(SHOP.tables, (Relation("shop", ("id",), "other", ("id",)),)),
        lambda: Schema(SHOP.tables, (Relation("shop", ("owner",), "shop", ("id",)),)),
        lambda: Schema(SHOP.tables, (Relation("shop", ("id",), "shop", ("owner",)),)),
    ],
)
def test_every_relation_and_key_names_what_is_there(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wrong()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, "expected"),
        ({"shop": ROWS, "other": ROWS}, "expected"),
        ({"shop": ROWS.select(["id"])}, "columns differ"),
        ({"shop": ROWS.select(["name", "id"])}, "columns differ"),
        ({"shop": ROWS.set_column(0, "id", pa.array([1], pa.int32()))}, "stored as int32, expected int64"),
    ],
)
def test_a_database_has_exactly_the_tables_columns_and_types(
    tables: dict[str, pa.Table], message: str
) -> None:
    assert Database(SHOP, {"shop": ROWS}, "original").tables["shop"] is ROWS
    with pytest.raises(ValueError, match=message):
        Database(SHOP, tables, "original")


def test_a_schema_comes_back_from_plain_data() -> None:
    assert read_schema(write_schema(schema())) == schema()
    decided = replace(schema(), relations=tuple(replace(one, role="key") for one in schema().relations))
    assert read_schema(write_schema(decided)) == decided
    assert decided != schema()


def test_relations_of_odd_names_are_told_apart() -> None:
    columns = [("x", "y"), ("x, y",), ("x) -> p(x",), ('"x, y"',), ('x", "y',)]
    written = {str(Relation("t", names, "p", names)) for names in columns}
    written |= {str(Relation("t(x) -> p(x", ("y",), "p", ("y",))), str(Relation("t", ("x",), "p", ("x",)))}
    assert len(written) == len(columns) + 2
    assert "t(x, y) -> p(x, y)" in written
