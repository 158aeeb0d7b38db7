"""Small databases, real ones from files, and the three ways to make a bad synthetic one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from kinsynth.evaluation.links import subjects
from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Relation, Schema, Table

STORAGE = {
    "id": ("identifier", "string"),
    "categorical": ("categorical", "string"),
    "integer": ("integer", "double"),
    "numeric": ("numeric", "double"),
    "coordinates": ("coordinates", "double"),
    "date": ("date", "date32[day]"),
    "datetime": ("datetime", "timestamp[us]"),
    "time": ("time", "time64[us]"),
    "boolean": ("boolean", "bool"),
    "text": ("text", "string"),
}


def arrow_type(storage: str) -> pa.DataType:
    """Give the Arrow type of its spelling."""
    kinds = (
        pa.float64(),
        pa.string(),
        pa.int64(),
        pa.date32(),
        pa.timestamp("us"),
        pa.time64("us"),
        pa.bool_(),
    )
    return next(kind for kind in kinds if str(kind) == storage)


def make_database(
    tables: dict[str, tuple[pa.Table, dict[str, str]]],
    *,
    keys: dict[str, str] | None = None,
    relations: tuple[Relation, ...] = (),
    original: tuple[str, ...] = (),
) -> Database:
    """Make a database of Arrow tables and the column types by name."""
    declared = {
        name: Table(
            name,
            tuple(
                Column(c, types[c], str(table.schema.field(c).type), bool(table[c].null_count))
                for c in table.column_names
            ),
            primary_key=(keys[name],) if keys and keys.get(name) else (),
            original=name in original,
        )
        for name, (table, types) in tables.items()
    }
    return Database(
        Schema(declared, relations), {name: table for name, (table, _) in tables.items()}, "original"
    )


def read_database(
    folder: Path, *, leave_out: tuple[str, ...] = (), original: tuple[str, ...] = ()
) -> Database:
    """Read one of the real data sets by its schema.json."""
    schema = json.loads((folder / "schema.json").read_text())
    tables, keys = {}, {}
    for name, declared in schema["tables"].items():
        if name in leave_out:
            continue
        columns = {c: STORAGE[t] for c, t in declared["columns"].items()}
        table = pc_csv.read_csv(
            folder / f"{name}.csv",
            convert_options=pc_csv.ConvertOptions(
                column_types={c: arrow_type(storage) for c, (_, storage) in columns.items()},
                null_values=[""],
                strings_can_be_null=True,
            ),
        ).select(list(columns))
        tables[name] = (table, {c: kind for c, (kind, _) in columns.items()})
        keys[name] = declared["primary_key"]
    relations = tuple(
        Relation(k["table"], tuple(k["columns"]), k["references_table"], tuple(k["references_columns"]))
        for k in schema["foreign_keys"]
        if k["table"] in tables and k["references_table"] in tables
    )
    return make_database(tables, keys=keys, relations=relations, original=original)


def take(database: Database, rows: dict[str, np.ndarray]) -> Database:
    """Keep some rows of some tables."""
    tables = {
        name: table.take(pa.array(rows[name])) if name in rows else table
        for name, table in database.tables.items()
    }
    return Database(database.schema, tables, database.origin)


def split(database: Database, share: float, *, seed: int = 0) -> tuple[Database, Database]:
    """Split by root rows: the larger part first; original-data tables stay whole in both."""
    chosen: list[dict[str, np.ndarray]] = [{}, {}]
    for name, table in database.schema.tables.items():
        if table.original:
            continue
        owner = subjects(database, name)
        apart = np.random.default_rng(seed).random(int(owner.max(initial=0)) + 1) < share
        chosen[0][name], chosen[1][name] = np.flatnonzero(~apart[owner]), np.flatnonzero(apart[owner])
    return take(database, chosen[0]), take(database, chosen[1])


def shuffled(database: Database, *, seed: int = 0) -> Database:
    """Shuffle every column on its own: right columns, no dependence."""
    rng = np.random.default_rng(seed)
    tables = {
        name: pa.table(
            {c: table[c].take(pa.array(rng.permutation(table.num_rows))) for c in table.column_names},
            schema=table.schema,
        )
        for name, table in database.tables.items()
    }
    return Database(database.schema, tables, "synthetic")


def sample_rows(database: Database, rows: int, *, seed: int = 0) -> Database:
    """Keep some rows of a database of one table."""
    ((name, table),) = database.tables.items()
    order = np.random.default_rng(seed).permutation(table.num_rows)[:rows]
    return take(database, {name: order})


def partly(first: Database, second: Database, share: float) -> Database:
    """Mix two databases of one table: a share of the first, the remainder from the second."""
    ((name, one),) = first.tables.items()
    other = second.tables[name]
    rows = round(share * other.num_rows)
    mixed = pa.concat_tables([one.slice(0, rows), other.slice(rows)])
    return Database(first.schema, {name: mixed}, "synthetic")


def people(rows: int, *, seed: int) -> Database:
    """Make one table of dependent columns of many types, some values missing."""
    rng = np.random.default_rng(seed)
    age = rng.gamma(9, 5, rows).round()
    city = rng.choice(["Wien", "Linz", "Graz", "Bern"], rows, p=[0.5, 0.2, 0.2, 0.1])
    income = np.exp(8 + 0.02 * age + 0.4 * (city == "Wien") + 0.2 * rng.normal(size=rows)).round(2)
    owner = (income + 2000 * rng.normal(size=rows)) > 7500
    born = (12000 - 365 * age + rng.integers(0, 365, rows)).astype("int32")
    job = np.where(owner, rng.choice(["law", "sales"], rows), rng.choice(["farm", "sales", "art"], rows))
    table = pa.table(
        {
            "age": pa.array(age, pa.float64()),
            "city": pa.array(city, pa.string()),
            "income": pa.array(income, pa.float64(), mask=rng.random(rows) < 0.1),
            "owner": pa.array(owner, pa.bool_()),
            "born": pa.array(born, pa.date32()),
            "job": pa.array(job, pa.string(), mask=rng.random(rows) < 0.05),
        }
    )
    types = {
        "age": "integer",
        "city": "categorical",
        "income": "numeric",
        "owner": "boolean",
        "born": "date",
        "job": "categorical",
    }
    return make_database({"people": (table, types)})


def shop(customers: int, *, seed: int, mean: float = 3.0) -> Database:
    """Make customers with orders that depend on them."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["private", "company"], customers, p=[0.7, 0.3])
    orders = rng.poisson(np.where(kind == "company", 2 * mean, mean))
    owner = np.repeat(np.arange(customers), orders)
    amount = np.exp(3 + 1.5 * (kind[owner] == "company") + rng.normal(size=len(owner)))
    first = seed * 1_000_000  # rows of different parts are different rows
    left = pa.table({"id": pa.array(first + np.arange(customers)), "kind": pa.array(kind, pa.string())})
    right = pa.table({"customer_id": pa.array(first + owner), "amount": pa.array(amount.round(2))})
    return make_database(
        {
            "customers": (left, {"id": "identifier", "kind": "categorical"}),
            "orders": (right, {"customer_id": "identifier", "amount": "numeric"}),
        },
        keys={"customers": "id"},
        relations=(Relation("orders", ("customer_id",), "customers", ("id",)),),
    )
