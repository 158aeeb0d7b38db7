"""Everything of one root row stays together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from schema_toys import database

from kinsynth.schema import split
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.split import root_rows, some_roots, split_roots
from kinsynth.schema.table import Column, Relation, Schema, Table


def forest(customers: int) -> Database:
    key, link = Column("id", "identifier", "int64"), Column("customer", "identifier", "int64")
    tables = {
        "customers": Table("customers", (key,), ("id",)),
        "orders": Table("orders", (key, link), ("id",)),
    }
    schema = Schema(tables, (Relation("orders", ("customer",), "customers", ("id",)),))
    owners = np.repeat(np.arange(customers), 3)[::-1].astype(object)
    if customers:
        owners[:2] = None, 10**6
    data = {
        "customers": pa.table({"id": pa.array(np.arange(customers))}),
        "orders": pa.table(
            {"id": pa.array(np.arange(3 * customers)), "customer": pa.array(owners.tolist(), pa.int64())}
        ),
    }
    return Database(schema, data, "original")


def test_root_rows_of_a_deep_tree() -> None:
    found = root_rows(database(), find_structure(database().schema))
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "customers": [0, 1, 2],
        "orders": [2, 2, 1, 0],
        "lines": [2, 2, 1, 0, 0],
    }


def test_rows_without_an_owner_are_subjects_of_their_own() -> None:
    data = forest(4)
    found = root_rows(data, find_structure(data.schema))["orders"]
    assert found[:3].tolist() == [4, 5, 3]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_parts_are_whole_disjoint_and_of_the_wanted_size(share: float) -> None:
    data = forest(100)
    structure = find_structure(data.schema)
    train, holdout = split_roots(data, structure, share=share, seed=5)
    ids = [set(part.tables["customers"]["id"].to_pylist()) for part in (train, holdout)]
    assert not ids[0] & ids[1]
    assert len(ids[0] | ids[1]) == 100
    orders = [part.tables["orders"] for part in (train, holdout)]
    assert sum(part.num_rows for part in orders) == 300
    for part, own in zip(orders, ids, strict=True):
        assert set(part["customer"].drop_null().to_pylist()) - {10**6} <= own
    subjects = len(ids[1]) + sum(owner in (None, 10**6) for owner in orders[1]["customer"].to_pylist())
    assert subjects == round(share * 102)


def test_the_seed_decides_and_original_tables_stay_whole() -> None:
    data = forest(50)
    structure = find_structure(data.schema)
    first, again, other = (split_roots(data, structure, share=0.2, seed=seed)[1] for seed in (1, 1, 2))
    assert first.tables["customers"].equals(again.tables["customers"])
    assert not first.tables["customers"].equals(other.tables["customers"])
    toy = database()
    for part in split_roots(toy, find_structure(toy.schema), share=0.4, seed=0):
        assert part.tables["products"].equals(toy.tables["products"])


def test_two_subjects_leave_one_on_each_side() -> None:
    data = Database(
        forest(2).schema,
        {name: table.slice(0, 2 if name == "customers" else 0) for name, table in forest(2).tables.items()},
        "original",
    )
    train, holdout = split_roots(data, find_structure(data.schema), share=0.01, seed=0)
    assert (train.tables["customers"].num_rows, holdout.tables["customers"].num_rows) == (1, 1)


def test_empty_tables() -> None:
    data = forest(0)
    train, holdout = split_roots(data, find_structure(data.schema), share=0.1, seed=0)
    assert train.tables["orders"].num_rows == holdout.tables["orders"].num_rows == 0


def test_some_roots_are_those_held_out_and_the_others_are_never_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = forest(100)
    copied: list[int] = []
    structure = find_structure(data.schema)
    expected = split_roots(data, structure, share=0.1, seed=3)[1]

    def keep(table: pa.Table, kept_R: NDArray[np.bool_]) -> pa.Table:
        copied.append(int(kept_R.sum()))
        return table.filter(pa.array(kept_R))

    monkeypatch.setattr(split, "_kept", keep)
    found = some_roots(data, structure, most=10, seed=3)
    assert found.tables == expected.tables
    assert copied == [table.num_rows for table in expected.tables.values()]
    assert some_roots(data, structure, most=100, seed=3) is data
