"""Orphan references: refused, made missing, or dropped with what hangs on them."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from schema_toys import TO_CUSTOMER, TO_ORDER, TO_PRODUCT, database

from kinsynth.errors import SchemaError
from kinsynth.schema.database import Database
from kinsynth.schema.keys import orphans
from kinsynth.schema.orphans import apply_orphan_policies, emptied_columns, resolve_orphans
from kinsynth.schema.table import Relation, Schema


def broken(*relations: Relation) -> Database:
    """Customer 3 is gone; its order and the order's two lines remain. Product 9 is gone too."""
    data = database()
    tables = {
        **data.tables,
        "customers": data.tables["customers"].slice(1),
        "products": data.tables["products"].slice(0, 1),
    }
    return Database(Schema(data.schema.tables, relations), tables, "original")


def policies(customer: str, order: str, product: str) -> tuple[Relation, ...]:
    return (
        replace(TO_CUSTOMER, orphans=customer),
        replace(TO_ORDER, orphans=order),
        replace(TO_PRODUCT, orphans=product),
    )


def test_orphans_are_refused_by_default() -> None:
    with pytest.raises(SchemaError) as error:
        apply_orphan_policies(broken(*policies("refuse", "refuse", "null")))
    assert error.value.code == "foreign_keys.orphans"
    assert "1 of 4" in error.value.message


@pytest.mark.parametrize("order", ["drop", "refuse"])
def test_dropped_rows_take_their_descendants_along(order: str) -> None:
    found, changes = apply_orphan_policies(broken(*policies("drop", order, "null")))
    assert found.tables["orders"]["customer"].to_pylist() == [1, 1, 2]
    assert found.tables["lines"].to_pydict()["product"] == [8, None, None]
    assert found.schema.tables["lines"].column("product").nullable
    for relation in found.schema.relations:
        assert not orphans(
            found.tables[relation.table], relation, found.tables[relation.references_table]
        ).any()
    assert any("1 references dropped" in line for line in changes)


def test_nothing_to_do_changes_nothing() -> None:
    data = database()
    found, changes = apply_orphan_policies(data)
    assert found == data
    assert changes == ()


def test_original_tables_are_never_changed() -> None:
    data = database()
    outward = Relation("products", ("price",), "customers", ("id",), orphans="drop")
    with pytest.raises(SchemaError, match="Repair the source"):
        apply_orphan_policies(Database(Schema(data.schema.tables, (outward,)), data.tables, "original"))


def test_missing_references_are_no_orphans() -> None:
    data = database()
    lines = data.tables["lines"].set_column(2, "product", pa.array([None] * 5, pa.int64()))
    found, _ = apply_orphan_policies(Database(data.schema, {**data.tables, "lines": lines}, "original"))
    assert found.tables["lines"]["product"].null_count == 5


def test_looking_at_a_database_without_orphans_refuses_nothing() -> None:
    data = database()
    lost = data.tables["orders"].set_column(0, "customer", pa.array([1, 1, 2, 99]))
    broken = Database(data.schema, {**data.tables, "orders": lost}, "original")
    found = resolve_orphans(broken)
    assert found.schema == data.schema
    assert found.tables["orders"]["customer"].to_pylist() == [1, 1, 2]
    assert found.tables["lines"]["customer"].to_pylist() == [1, 1, 2]
    assert resolve_orphans(data).tables == data.tables


def test_a_missing_key_leaves_the_columns_of_other_keys_alone() -> None:
    data = database()
    lines = data.tables["lines"].set_column(1, "number", pa.array([1, 9, 1, 1, 1]))
    to_customer = Relation("lines", ("customer",), "customers", ("id",))
    relations = (TO_CUSTOMER, replace(TO_ORDER, orphans="null"), TO_PRODUCT, to_customer)
    source = Database(Schema(data.schema.tables, relations), {**data.tables, "lines": lines}, "original")
    found, _ = apply_orphan_policies(source)
    assert found.tables["lines"]["number"].to_pylist() == [1, None, 1, 1, 1]
    assert found.tables["lines"]["customer"] == lines["customer"]
    shape = found.schema.tables["lines"]
    assert [shape.column(name).nullable for name in ("customer", "number")] == [False, True]


@pytest.mark.parametrize(
    ("primary", "other", "emptied"),
    [
        ((), (), ("customer", "number")),
        (("number",), (), ("customer",)),
        ((), ("customer",), ("number",)),
        (("number",), ("customer",), ("customer",)),
        (("customer", "number"), (), ("customer", "number")),
    ],
)
def test_columns_that_no_other_key_has_are_emptied(
    primary: tuple[str, ...], other: tuple[str, ...], emptied: tuple[str, ...]
) -> None:
    shape = database().schema
    lines = replace(shape.tables["lines"], primary_key=primary)
    more = tuple(Relation("lines", (name,), "customers", ("id",)) for name in other)
    changed = Schema({**shape.tables, "lines": lines}, (*shape.relations, *more))
    assert emptied_columns(changed, TO_ORDER) == emptied
