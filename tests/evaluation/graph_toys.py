"""Databases whose tables reference several others: every kind of foreign key in one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from evaluation_toys import make_database

from kinsynth.schema.database import Database
from kinsynth.schema.table import Relation

RELATIONS = (
    Relation("orders", ("customer",), "customers", ("id",)),
    Relation("orders", ("product",), "products", ("id",)),
    Relation("orders", ("gift_for",), "customers", ("id",)),
    Relation("orders", ("buyer",), "customers", ("id",), role="implied"),
    Relation("customers", ("town",), "towns", ("code",)),
    Relation("staff", ("boss",), "staff", ("id",)),
    Relation("staff", ("best",), "orders", ("id",)),
    Relation("orders", ("clerk",), "staff", ("id",)),
)
KINDS = ("owner", "key", "key", "implied", "reference", "self", "late", "key")


def trade(seed: int, customers: int = 600, *, blind: bool = False, flat: bool = False) -> Database:
    """Make orders of customers for products and through clerks, given away now and then.

    Args:
        seed: Any integer.
        customers: Rows of customers; the other tables grow with them.
        blind: Whether an order's amount has nothing to do with its product.
        flat: Whether all staff stand directly under the first.
    """
    rng = np.random.default_rng(seed)
    products, staff = customers // 3, customers // 4
    count = rng.poisson(4, customers)
    owner = np.repeat(np.arange(customers), count)
    popular = np.random.default_rng(0).gamma(1.5, 1, products)
    product = rng.choice(products, len(owner), p=popular / popular.sum())
    price = np.array([1.0, 10.0, 100.0])[np.arange(products) % 3]
    amount = np.exp(rng.normal(size=len(owner))) * (
        rng.permutation(price[product]) if blind else price[product]
    )
    boss = np.zeros(staff) if flat else np.maximum((np.arange(staff) - 1) // 3, 0)
    tables = {
        "towns": pa.table({"code": pa.array(np.arange(40)), "size": pa.array(np.arange(40) % 3 * 1.0)}),
        "customers": pa.table(
            {"id": pa.array(np.arange(customers)), "town": pa.array(rng.integers(0, 40, customers))}
        ),
        "products": pa.table({"id": pa.array(np.arange(products)), "price": pa.array(price)}),
        "staff": pa.table(
            {
                "id": pa.array(np.arange(staff)),
                "boss": pa.array(boss.astype(np.int64), mask=np.arange(staff) == 0),
                "best": pa.array(rng.integers(0, len(owner), staff), mask=rng.random(staff) < 0.3),
                "grade": pa.array(np.where(np.arange(staff) % 2, "a", "b")),
            }
        ),
        "orders": pa.table(
            {
                "id": pa.array(np.arange(len(owner))),
                "customer": pa.array(owner),
                "product": pa.array(product),
                "gift_for": pa.array(
                    rng.integers(0, customers, len(owner)), mask=rng.random(len(owner)) < 0.8
                ),
                "buyer": pa.array(owner),
                "clerk": pa.array(rng.integers(0, staff, len(owner))),
                "amount": pa.array(amount),
            }
        ),
    }
    values = {"price": "numeric", "amount": "numeric", "grade": "categorical", "size": "numeric"}
    first = seed * 1_000_000  # rows of different parts are different rows
    links = {
        name for relation in RELATIONS for name in relation.columns if relation.references_table != "towns"
    }
    for name in ("customers", "products", "staff", "orders"):
        for column in links & {*tables[name].column_names} | {"id"}:
            place = tables[name].column_names.index(column)
            tables[name] = tables[name].set_column(place, column, pc.add(tables[name][column], first))
    return make_database(
        {
            name: (table, {column: values.get(column, "identifier") for column in table.column_names})
            for name, table in tables.items()
        },
        keys={"towns": "code", "customers": "id", "products": "id", "staff": "id", "orders": "id"},
        relations=RELATIONS,
        original=("towns",),
    )
