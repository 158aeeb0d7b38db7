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
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.split import some_roots, split_roots
from kinsynth.schema.table import Column, Relation, Schema, Table

LOST = {10**6, 10**7}


def forest(customers: int) -> Database:
    key, link = (Column(name, "identifier", "int64", nullable=False) for name in ("id", "customer"))
    tables = {
        "customers": Table("customers", (key,), ("id",)),
        "orders": Table("orders", (key, link), ("id",)),
    }
    schema = Schema(tables, (Relation("orders", ("customer",), "customers", ("id",)),))
    owners = np.repeat(np.arange(customers), 3)[::-1].copy()
    if customers:
        owners[:2] = 10**6, 10**7
    data = {
        "customers": pa.table({"id": pa.array(np.arange(customers))}),
        "orders": pa.table(
            {"id": pa.array(np.arange(3 * customers)), "customer": pa.array(owners, pa.int64())}
        ),
    }
    return Database(schema, data, "original")


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
        assert set(part["customer"].to_pylist()) - LOST <= own
    subjects = len(ids[1]) + sum(owner in LOST for owner in orders[1]["customer"].to_pylist())
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


def mixed(seed: int) -> Database:
    """Owners, further keys, references of a table to itself and a circle, by chance."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(0, 40)) for name in ("city", "person", "order", "item", "line")}
    wanted = {
        ("person", "city"): ("city", True),
        ("person", "boss"): ("person", True),
        ("city", "mayor"): ("person", True),
        ("order", "person"): ("person", False),
        ("line", "order"): ("order", False),
        ("line", "item"): ("item", False),
        ("item", "likeness"): ("item", True),
    }
    columns: dict[str, dict[str, pa.Array]] = {
        name: {"id": pa.array(range(size), pa.int64())} for name, size in sizes.items()
    }
    relations = []
    for (table, column), (target, nullable) in wanted.items():
        if not sizes[target] and not nullable:
            columns[table] = {name: cells.slice(0, 0) for name, cells in columns[table].items()}
        rows = len(columns[table]["id"])
        cells = rng.integers(0, max(sizes[target], 1), rows)
        lost = rng.random(rows) < 0.4 if nullable and sizes[target] else np.full(rows, nullable)
        columns[table][column] = pa.array(cells, pa.int64(), mask=lost)
        sizes[table] = rows
        relations.append(Relation(table, (column,), target, ("id",)))
    tables = {
        name: Table(
            name,
            tuple(
                Column(column, "identifier", "int64", nullable=wanted.get((name, column), ("", False))[1])
                for column in cells
            ),
            ("id",),
        )
        for name, cells in columns.items()
    }
    return Database(
        Schema(tables, tuple(relations)),
        {name: pa.table(cells) for name, cells in columns.items()},
        "original",
    )


@pytest.mark.parametrize("seed", range(40))
def test_no_key_of_a_part_names_a_row_of_the_other_alone(seed: int) -> None:
    data = mixed(seed)
    structure = find_structure(data.schema)
    parts = split_roots(data, structure, share=0.3, seed=seed)
    for part in parts:
        for relation in data.schema.relations:
            table = part.tables[relation.table]
            row_R = row_numbers(table, relation, part.tables[relation.references_table])
            assert ((row_R < 0) == table.column(relation.columns[0]).is_null().to_numpy()).all()
    for name, table in data.tables.items():
        ids = [set(part.tables[name]["id"].to_pylist()) for part in parts]
        assert ids[0] | ids[1] == set(table["id"].to_pylist())
        pointed = any(one.references_table == structure.root_of(name) for one in data.schema.relations)
        assert pointed or name in ("line", "item") or not ids[0] & ids[1]


def test_rows_that_one_part_points_to_alone_are_in_that_part_alone() -> None:
    key, account, client = (
        Column(name, "identifier", "int64", nullable=False) for name in ("id", "account", "client")
    )
    tables = {
        "account": Table("account", (key,), ("id",)),
        "client": Table("client", (key,), ("id",)),
        "disp": Table("disp", (key, account, client), ("id",)),
    }
    schema = Schema(
        tables,
        (
            Relation("disp", ("account",), "account", ("id",)),
            Relation("disp", ("client",), "client", ("id",)),
        ),
    )
    number = pa.array(range(100))
    rows = {
        "account": pa.table({"id": number}),
        "client": pa.table({"id": number}),
        "disp": pa.table(
            {"id": number, "account": number, "client": number.take(pa.array(range(100))[::-1])}
        ),
    }
    data = Database(schema, rows, "original")
    training, holdout = split_roots(data, find_structure(schema), share=0.2, seed=1)
    assert [part.tables["client"].num_rows for part in (training, holdout)] == [80, 20]
    assert holdout.tables["account"].num_rows == holdout.tables["disp"].num_rows == 20
