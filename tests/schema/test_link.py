"""Row numbers become key values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from schema_toys import TO_CUSTOMER, TO_ORDER, TO_PRODUCT, database, schema

from kinsynth.schema.database import Database
from kinsynth.schema.keys import check_primary_key, orphans
from kinsynth.schema.link import Linking
from kinsynth.schema.table import Column, Relation, Schema, Table

ORIGINALS = {"products": database().tables["products"]}


def pointed(customer: list[int], order: list[int], product: list[int]) -> dict[Relation, np.ndarray]:
    rows = {TO_CUSTOMER: customer, TO_ORDER: order, TO_PRODUCT: product}
    return {relation: np.array(numbers, dtype=np.int64) for relation, numbers in rows.items()}


def link(schema, tables, *, new_keys, pointed, originals, implied=None, part_rows=2) -> Database:
    """Link whole tables, two rows at a time."""
    rows = {name: table.num_rows for name, table in tables.items()}
    rows |= {relation.table: len(row_R) for relation, row_R in pointed.items()}
    rows |= {name: len(values) for (name, _), values in new_keys.items()}
    made = {
        key: lambda row_R, values=values: values.take(pa.array(row_R)) for key, values in new_keys.items()
    }
    linking = Linking(schema, tables, rows, pointed, made, originals, implied or {})
    parts = {name: linking.parts(name, part_rows=part_rows) for name in tables}
    linked = {name: pa.concat_tables(several) for name, several in parts.items()}
    return Database(schema, {**originals, **linked}, "synthetic")


def linked(**changes: object):
    arguments = {
        "pointed": pointed([0, 0, 1], [2, 0, 1, 1], [1, 0, -1, 1]),
        "new_keys": {("customers", "id"): pa.array([100, 200]), ("orders", "number"): pa.array([1, 2, 1])},
        "originals": ORIGINALS,
    }
    tables = {
        "customers": pa.table({"age": [50, 60]}),
        "orders": pa.table({"amount": [1, 2, 3]}),
        "lines": pa.table({"quantity": [7, 7, 7, 7]}),
    }
    return link(schema(), tables, **{**arguments, **changes})


def test_keys_come_from_owners_lookups_and_new_values() -> None:
    found = linked()
    assert found.origin == "synthetic"
    assert found.tables["orders"].to_pydict() == {
        "customer": [100, 100, 200],
        "number": [1, 2, 1],
        "amount": [1, 2, 3],
    }
    assert found.tables["lines"].to_pydict() == {
        "customer": [200, 100, 100, 100],
        "number": [1, 1, 2, 2],
        "product": [9, 8, None, 9],
        "quantity": [7, 7, 7, 7],
    }
    assert found.tables["products"].equals(ORIGINALS["products"])


def test_linked_databases_have_whole_keys() -> None:
    found = linked()
    for table in found.schema.tables.values():
        assert not table.primary_key or check_primary_key(found.tables[table.name], table.primary_key).is_key
    for relation in found.schema.relations:
        assert not orphans(
            found.tables[relation.table], relation, found.tables[relation.references_table]
        ).any()


def test_a_table_of_keys_only() -> None:
    found = link(
        schema(),
        {
            "customers": pa.table({"age": [5]}),
            "orders": pa.table({"amount": [1]}),
            "lines": pa.table({"quantity": pa.array([], pa.int64())}),
        },
        pointed=pointed([0], [], []),
        new_keys={("customers", "id"): pa.array([1]), ("orders", "number"): pa.array([1])},
        originals=ORIGINALS,
    )
    assert found.tables["lines"].num_rows == 0


def test_missing_or_short_values_are_a_wrong_call() -> None:
    with pytest.raises(ValueError, match=r"customers\.id: no values"):
        linked(new_keys={})
    with pytest.raises(ValueError, match=r"lines\(.*\) -> .*: 4 rows, expected 1"):
        linked(pointed=pointed([0, 0, 1], [2, 0, 1, 1], [1]))


def test_a_column_of_two_keys_has_the_value_of_the_first_that_points_at_a_row() -> None:
    found = two_keys(owner=[0, 0, -1], other=[-1, 1, 1])
    assert found.tables["lines"].to_pydict() == {"customer": [7, 7, 8], "product": [None, 2, 2]}


def two_keys(*, owner: list[int], other: list[int]) -> Database:
    def column(name: str) -> Column:
        return Column(name, "identifier", "int64")

    tables = {
        "lines": Table("lines", (column("customer"), column("product"))),
        "offers": Table("offers", (column("customer"), column("code")), ("customer", "code")),
        "customers": Table("customers", (column("id"),), ("id",)),
    }
    relations = {
        Relation("lines", ("customer",), "customers", ("id",)): owner,
        Relation("lines", ("customer", "product"), "offers", ("customer", "code")): other,
        Relation("offers", ("customer",), "customers", ("id",)): [0, 1],
    }
    return link(
        Schema(tables, tuple(relations)),
        {name: pa.table({}) for name in tables},
        pointed={relation: np.array(numbers) for relation, numbers in relations.items()},
        new_keys={("customers", "id"): pa.array([7, 8]), ("offers", "code"): pa.array([1, 2])},
        originals={},
    )


def test_a_circle_of_keys_and_a_self_reference() -> None:
    def column(name: str) -> Column:
        return Column(name, "identifier", "int64")

    staff, store = (Table(name, (column("id"), column("other")), ("id",)) for name in ("staff", "store"))
    employs, leads = (
        Relation("staff", ("other",), "store", ("id",)),
        Relation("store", ("other",), "staff", ("id",)),
    )
    found = link(
        Schema({"staff": staff, "store": store}, (employs, leads)),
        {"staff": pa.table({}), "store": pa.table({})},
        pointed={employs: np.array([1, 0, 0]), leads: np.array([2, -1])},
        new_keys={("staff", "id"): pa.array([10, 11, 12]), ("store", "id"): pa.array([1, 2])},
        originals={},
    )
    assert found.tables["staff"]["other"].to_pylist() == [2, 1, 1]
    assert found.tables["store"]["other"].to_pylist() == [12, None]
    below = Relation("staff", ("other",), "staff", ("id",))
    found = link(
        Schema({"staff": staff}, (below,)),
        {"staff": pa.table({})},
        pointed={below: np.array([-1, 0, 1])},
        new_keys={("staff", "id"): pa.array([10, 11, 12])},
        originals={},
    )
    assert found.tables["staff"]["other"].to_pylist() == [None, 10, 11]


def test_keys_that_come_from_each_other_are_a_wrong_call() -> None:
    one, other = (Table(name, (Column("id", "identifier", "int64"),), ("id",)) for name in ("one", "other"))
    there, back = Relation("one", ("id",), "other", ("id",)), Relation("other", ("id",), "one", ("id",))
    with pytest.raises(ValueError, match="circle"):
        link(
            Schema({"one": one, "other": other}, (there, back)),
            {"one": pa.table({}), "other": pa.table({})},
            pointed={there: np.array([0]), back: np.array([0])},
            new_keys={},
            originals={},
        )


def test_an_implied_key_may_lead_over_keys_of_original_tables() -> None:
    columns = {"city": ("id", "country"), "country": ("id",), "person": ("city", "country")}
    shape = Schema(
        {
            name: Table(
                name, tuple(Column(one, "identifier", "int64") for one in names), original=name != "person"
            )
            for name, names in columns.items()
        },
        (
            to_city := Relation("person", ("city",), "city", ("id",)),
            to_country := Relation("person", ("country",), "country", ("id",), role="implied"),
            above := Relation("city", ("country",), "country", ("id",)),
        ),
    )
    originals = {
        "country": pa.table({"id": [7, 8]}),
        "city": pa.table({"id": [10, 20, 30], "country": [8, None, 7]}),
    }
    found = link(
        shape,
        {"person": pa.table({})},
        new_keys={},
        pointed={to_city: np.array([0, 2, 1, -1, 0])},
        implied={to_country: (to_city, above)},
        originals=originals,
    )
    assert found.tables["person"].to_pydict() == {
        "city": [10, 30, 20, None, 10],
        "country": [8, 7, None, None, 8],
    }
