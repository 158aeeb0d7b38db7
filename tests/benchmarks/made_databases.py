"""A made-up database with every kind of relation, small enough to know the right figures of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from relational.database import Database

SCHEMA: dict[str, Any] = {
    "name": "made",
    "tables": {
        "region": {"primary_key": "region", "columns": {"region": "id", "climate": "categorical"}},
        "customer": {
            "primary_key": "customer",
            "columns": {"customer": "id", "region": "id", "age": "integer", "sex": "categorical"},
        },
        "card": {"primary_key": "customer", "columns": {"customer": "id", "limit": "numeric"}},
        "product": {"primary_key": "product", "columns": {"product": "id", "price": "numeric"}},
        "bought": {
            "primary_key": ["customer", "product"],
            "columns": {"customer": "id", "product": "id", "paid": "numeric", "sex": "categorical"},
        },
        "staff": {"primary_key": "staff", "columns": {"staff": "id", "boss": "id", "grade": "integer"}},
    },
    "foreign_keys": [
        {"table": t, "columns": [c], "references_table": r, "references_columns": [k]}
        for t, c, r, k in (
            ("customer", "region", "region", "region"),
            ("card", "customer", "customer", "customer"),
            ("bought", "customer", "customer", "customer"),
            ("bought", "product", "product", "product"),
            ("staff", "boss", "staff", "staff"),
        )
    ],
    "split": {"root": "customer"},
}
KEYS = {(key["table"], key["columns"][0]): key for key in SCHEMA["foreign_keys"]}


class Judge:
    """What the benchmark asks of the outside judge, for the made database."""

    SEED = 2026

    def default_root(self, schema: dict[str, Any]) -> str:
        return str(schema["split"]["root"])

    def descendants(self, schema: dict[str, Any], root: str) -> list[str]:
        return [root, "card", "bought"]

    def subset(
        self, tables: dict[str, pd.DataFrame], schema: dict[str, Any], root: str, keep: np.ndarray
    ) -> dict[str, pd.DataFrame]:
        customers = tables[root].loc[keep]
        found = {**tables, root: customers}
        for name in ("card", "bought"):
            found[name] = tables[name][tables[name]["customer"].isin(customers["customer"])]
        return {name: table.reset_index(drop=True) for name, table in found.items()}


def texts(values: np.ndarray, mark: str) -> pd.Series[Any]:
    """Keys as texts; missing where negative."""
    return pd.Series([None if value < 0 else f"{mark}{value}" for value in values], dtype=object)


def draw_database(customers: int, seed: int) -> Database:
    """Ages follow the climate, payments the age and the price; sex is constant within a customer."""
    generator = np.random.default_rng(seed)
    climate = np.array(["cold", "mild", "hot"])
    region = generator.integers(0, 6, customers)
    age = (30 + 10 * (region % 3) + generator.integers(0, 8, customers)).astype(float)
    sex = generator.choice(["f", "m"], customers)
    products = 40
    price = np.round(generator.gamma(3.0, 10.0, products), 2)
    counts = generator.poisson(3, customers)
    owner = np.repeat(np.arange(customers), counts)
    liked = np.concatenate([generator.permutation(products)[:count] for count in counts])
    paid = np.round(price[liked] + age[owner], 2)
    members = max(20, customers // 10)
    boss = np.where(np.arange(members) < 3, -1, generator.integers(0, np.maximum(1, np.arange(members) // 2)))
    holders = generator.permutation(customers)[: customers // 2]
    tables = {
        "region": pd.DataFrame({"region": texts(np.arange(6), "r"), "climate": climate[np.arange(6) % 3]}),
        "customer": pd.DataFrame(
            {
                "customer": texts(np.arange(customers), "c"),
                "region": texts(region, "r"),
                "age": age,
                "sex": sex,
            }
        ),
        "card": pd.DataFrame({"customer": texts(holders, "c"), "limit": 100 * age[holders]}),
        "product": pd.DataFrame({"product": texts(np.arange(products), "p"), "price": price}),
        "bought": pd.DataFrame(
            {
                "customer": texts(owner, "c"),
                "product": texts(liked, "p"),
                "paid": paid,
                "sex": sex[owner],
            }
        ),
        "staff": pd.DataFrame(
            {
                "staff": texts(np.arange(members), "s"),
                "boss": texts(boss, "s"),
                "grade": generator.integers(1, 5, members).astype(float),
            }
        ),
    }
    return Database(SCHEMA, tables)


def change(database: Database, table: str, column: str, values: Any) -> Database:
    """The same database with another column."""
    return Database(
        database.schema, {**database.tables, table: database.tables[table].assign(**{column: values})}
    )


def shuffled(database: Database, table: str, column: str, seed: int = 0) -> Database:
    """The same database with a column shuffled."""
    values = database.tables[table][column].to_numpy()
    return change(database, table, column, values[np.random.default_rng(seed).permutation(len(values))])
