"""How many rows tables without an owner get, and what they are drawn with."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth import Synthesis, fit
from kinsynth.errors import SettingsError
from kinsynth.pipeline.growth import grow
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Column, Relation, Schema, Table


def pointing(**of: str) -> Schema:
    """Tables whose one key may be missing: each is a root of drawing."""
    names = {*of, *of.values()}
    columns = (Column("id", "identifier", "int64"), Column("of", "identifier", "int64", nullable=True))
    tables = {name: Table(name, columns, ("id",)) for name in sorted(names)}
    return Schema(tables, tuple(Relation(name, ("of",), to, ("id",)) for name, to in of.items()))


def test_tables_grow_with_what_their_rows_point_to() -> None:
    structure = find_structure(pointing(orders="customers", notes="orders"))
    found = {"customers": 10, "orders": 30, "notes": 60}
    assert grow(found, {"customers": 20}, structure) == {"customers": 20, "orders": 60, "notes": 120}
    assert grow(found, {"customers": 20, "orders": 30}, structure)["notes"] == 60
    assert grow(found, {}, structure) == found


def test_circles_of_tables_grow_with_the_one_that_is_named() -> None:
    structure = find_structure(pointing(staff="shops", shops="staff"))
    assert grow({"staff": 10, "shops": 5}, {"staff": 30}, structure) == {"staff": 30, "shops": 15}
    assert grow({"staff": 10, "shops": 0}, {"shops": 0}, structure)["shops"] == 0


def test_rows_that_point_to_others_are_drawn_with_them_not_filled_alone() -> None:
    generator = np.random.default_rng(0)
    customer = [None if row % 5 == 0 else int(generator.integers(0, 60)) for row in range(200)]
    tables = {
        "customers": pa.table({"id": np.arange(60), "age": generator.integers(20, 80, 60)}),
        "orders": pa.table({"id": np.arange(200), "customer_id": customer, "amount": np.arange(200) % 50}),
    }
    key = {"columns": ["customer_id"], "table": "customers", "owner": False}
    said = {"customers": {"primary_key": ["id"]}, "orders": {"primary_key": ["id"], "foreign_keys": [key]}}
    model = fit(
        tables,
        Synthesis(roots="many", tables=said, training={"max_epochs": 1}, evaluation={"holdout_share": 0}),
    )
    with pytest.raises(SettingsError) as caught:
        model.impute({"amount": [None, 3]}, table="orders")
    assert (caught.value.code, caught.value.where) == ("condition.further_keys", "orders")
    drawn = model.sample(given={"orders": pa.table({"amount": [3, 4] * 25})})
    assert drawn["orders"]["amount"].to_pylist() == [3, 4] * 25
    assert model.impute({"age": [None, 30]}, table="customers")["age"][1] == 30
