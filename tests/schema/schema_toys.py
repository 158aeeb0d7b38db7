"""A small database of customers, orders, lines and a lookup of products, in several shapes."""

from __future__ import annotations

import pyarrow as pa

from kinsynth.schema.database import Database
from kinsynth.schema.table import Column, Relation, Schema, Table

TO_CUSTOMER = Relation("orders", ("customer",), "customers", ("id",))
TO_ORDER = Relation("lines", ("customer", "number"), "orders", ("customer", "number"))
TO_PRODUCT = Relation("lines", ("product",), "products", ("code",))


def whole(name: str, *, nullable: bool = False) -> Column:
    return Column(name, "identifier", "int64", nullable=nullable)


def schema(*extra: Relation, original: tuple[str, ...] = ("products",)) -> Schema:
    tables = {
        "lines": Table(
            "lines", (whole("customer"), whole("number"), whole("product", nullable=True), whole("quantity"))
        ),
        "orders": Table(
            "orders", (whole("customer"), whole("number"), whole("amount")), ("customer", "number")
        ),
        "products": Table(
            "products", (whole("code"), whole("price")), ("code",), original="products" in original
        ),
        "customers": Table("customers", (whole("id"), whole("age")), ("id",)),
    }
    return Schema(tables, (TO_CUSTOMER, TO_ORDER, TO_PRODUCT, *extra))


def database() -> Database:
    tables = {
        "lines": pa.table(
            {
                "customer": [1, 1, 2, 3, 3],
                "number": [1, 2, 1, 1, 1],
                "product": [8, None, 9, 9, 8],
                "quantity": [1, 2, 3, 4, 5],
            }
        ),
        "orders": pa.table({"customer": [1, 1, 2, 3], "number": [1, 2, 1, 1], "amount": [10, 20, 30, 40]}),
        "products": pa.table({"code": [8, 9], "price": [5, 6]}),
        "customers": pa.table({"id": [3, 2, 1], "age": [33, 22, 11]}),
    }
    return Database(schema(), tables, "original")
