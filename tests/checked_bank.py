"""A bank that the checks find nothing wrong with, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from kinsynth.connectors.base import Listing
from kinsynth.errors import Finding
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.inspect import inspect
from kinsynth.settings.document import parse
from kinsynth.settings.synthesis import Synthesis

ROOTS = 600
Tables = dict[str, dict[str, list[Any]]]


def make_tables() -> Tables:
    """A bank: customers live in towns (original), have accounts, and accounts have payments."""
    generator = np.random.default_rng(0)
    towns, accounts, payments = 30, 900, 1_500
    owner = [str(i % ROOTS) for i in range(accounts)]
    return {
        "town": {
            "id": [f"T{i:02}" for i in range(towns)],
            "kind": [["city", "village"][i % 2] for i in range(towns)],
        },
        "customer": {
            "id": [str(i) for i in range(ROOTS)],
            "town": [f"T{i:02}" for i in generator.integers(0, towns, ROOTS)],
            "age": [str(i) for i in generator.integers(18, 90, ROOTS)],
            "job": [["cook", "nurse", "pilot"][i] for i in generator.integers(0, 3, ROOTS)],
            "since": [f"20{i:02}-03-01" for i in generator.integers(0, 20, ROOTS)],
        },
        "account": {
            "id": [f"A{i:05}" for i in range(accounts)],
            "customer": owner,
            "limit": [f"{x:.2f}" for x in generator.normal(1_000, 200, accounts)],
        },
        "payment": {
            "account": [f"A{i:05}" for i in generator.integers(0, accounts, payments)],
            "amount": [f"{x:.2f}" for x in generator.lognormal(3, 1, payments)],
            "way": [["card", "cash"][i] for i in generator.integers(0, 2, payments)],
        },
    }


DOCUMENT: dict[str, Any] = {
    "tables": {
        "town": {"original": True, "primary_key": ["id"], "foreign_keys": [], "columns": {}},
        "customer": {
            "primary_key": ["id"],
            "foreign_keys": [{"columns": ["town"], "table": "town"}],
            "order_by": "",
            "columns": {
                "age": {"type": "integer"},
                "job": {"type": "categorical"},
                "since": {"type": "date"},
            },
        },
        "account": {
            "primary_key": ["id"],
            "foreign_keys": [{"columns": ["customer"], "table": "customer"}],
            "order_by": "",
            "columns": {"limit": {"type": "numeric"}},
        },
        "payment": {
            "primary_key": [],
            "foreign_keys": [{"columns": ["account"], "table": "account"}],
            "order_by": "",
            "columns": {"amount": {"type": "numeric"}, "way": {"type": "categorical"}},
        },
    }
}


def as_arrow(tables: Tables) -> dict[str, pa.Table]:
    return {
        name: pa.table({column: as_array(cells) for column, cells in columns.items()})
        for name, columns in tables.items()
    }


def as_array(cells: list[Any]) -> pa.Array:
    typed = any(cell is not None and not isinstance(cell, str) for cell in cells)
    return pa.array(cells) if typed else pa.array(cells, pa.string())


def find(
    tables: Tables, document: Mapping[str, Any] | Synthesis, listing: Listing | None = None
) -> list[Finding]:
    synthesis = document if isinstance(document, Synthesis) else parse(document)
    return list(check(inspect(as_arrow(tables), synthesis, listing=listing), synthesis))


Change = Callable[[Tables, dict[str, Any]], object]


def put(path: str, value: Any) -> Change:
    """Change one field of the document."""

    def change(_: Tables, document: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        node: Any = document
        for parent in parents:
            node = node[int(parent)] if isinstance(node, list) else node.setdefault(parent, {})
        if isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = value

    return change


def cells(table: str, column: str, values: Callable[[list[Any]], list[Any]]) -> Change:
    """Change the cells of one column."""

    def change(tables: Tables, _: dict[str, Any]) -> None:
        tables[table][column] = values(tables[table].get(column) or next(iter(tables[table].values())))

    return change


def rules(table: str, **columns: list[str]) -> Change:
    """Declare rules, by kind."""
    declared = [{"kind": kind, "columns": names} for kind, names in columns.items()]
    return put(f"tables.{table}.rules", declared)


RULES = "tables.customer.rules"


def keep(rows: int, *names: str) -> Change:
    """Keep the first rows of tables."""

    def change(tables: Tables, _: dict[str, Any]) -> None:
        for name in names:
            tables[name] = {column: values[:rows] for column, values in tables[name].items()}

    return change


def rename(old: str, new: str) -> Change:
    def change(tables: Tables, document: dict[str, Any]) -> None:
        tables[new] = tables.pop(old)
        document["tables"][new] = document["tables"].pop(old)

    return change


def both(*changes: Change) -> Change:
    def change(tables: Tables, document: dict[str, Any]) -> None:
        for one in changes:
            one(tables, document)

    return change


def everything_out(_: Tables, document: dict[str, Any]) -> None:
    for table in document["tables"].values():
        table["include"] = False


def without_columns(tables: Tables, document: dict[str, Any]) -> None:
    document["tables"]["payment"] = {
        "foreign_keys": [],
        "columns": {column: {"include": False} for column in tables["payment"]},
    }


def left_out_columns(tables: Tables, document: dict[str, Any]) -> None:
    document["tables"]["payment"] = {
        "foreign_keys": [],
        "columns": {column: {"treatment": "leave_out"} for column in tables["payment"]},
    }


def with_coordinates(pair: str) -> Change:
    def change(tables: Tables, document: dict[str, Any]) -> None:
        generator = np.random.default_rng(1)
        tables["customer"]["lat"] = [f"{x:.4f}" for x in generator.uniform(45, 48, ROOTS)]
        tables["customer"]["lon"] = [f"{x:.4f}" for x in generator.uniform(9, 17, ROOTS)]
        document["tables"]["customer"]["columns"]["lat"] = {"type": "coordinates", "pair": pair}
        document["tables"]["customer"]["columns"]["lon"] = {"type": "coordinates", "pair": "lat"}

    return change


def large_original(tables: Tables, document: dict[str, Any]) -> None:
    tables["town"] = {"id": [f"T{i:02}" for i in range(2_000)], "kind": ["city"] * 2_000}


def small_town(tables: Tables, document: dict[str, Any]) -> None:
    """Synthesise the towns, of which there are few."""
    tables["town"] = {name: cells[:12] for name, cells in tables["town"].items()}
    known = tables["town"]["id"]
    tables["customer"]["town"] = [known[row % 12] for row in range(len(tables["customer"]["town"]))]
    document["tables"]["town"].pop("original", None)
    for key in document["tables"]["customer"]["foreign_keys"]:
        key["owner"] = False
    document["roots"] = "many"


def keys(table: str, **targets: str) -> Change:
    """Declare foreign keys of one column each."""
    declared = [{"columns": [column], "table": target} for column, target in targets.items()]
    return put(f"tables.{table}.foreign_keys", declared)


def customer_of_account(tables: Tables, document: dict[str, Any]) -> None:
    """Let payments name the customer of their account too."""
    of_account = dict(zip(tables["account"]["id"], tables["account"]["customer"], strict=True))
    tables["payment"]["customer"] = [of_account[account] for account in tables["payment"]["account"]]
    keys("payment", account="account", customer="customer")(tables, document)


def circle(tables: Tables, document: dict[str, Any]) -> None:
    """Let customers have a main account."""
    tables["customer"]["main"] = [f"A{i:05}" for i in range(ROOTS)]
    keys("customer", town="town", main="account")(tables, document)


def circle_of_primary_keys(tables: Tables, document: dict[str, Any]) -> None:
    """Let both keys of a circle be parts of primary keys."""
    circle(tables, document)
    document["tables"]["customer"]["primary_key"] = ["id", "main"]
    document["tables"]["account"]["primary_key"] = ["id", "customer"]
    for name in ("customer", "account", "payment"):
        for key in document["tables"][name]["foreign_keys"]:
            key["references"] = ["id"]


def with_infinity(tables: Tables, document: dict[str, Any]) -> None:
    tables["account"]["limit"][3] = "inf"
    document["tables"]["account"]["columns"] = {}


def tenants(tables: Tables, document: dict[str, Any]) -> None:
    """Let payments be numbered within one of three tenants of which there is no table."""
    rows = len(tables["payment"]["way"])
    tables["payment"]["tenant"] = [f"N{row % 3}" for row in range(rows)]
    tables["payment"]["number"] = [str(row // 3) for row in range(rows)]
    document["tables"]["payment"]["primary_key"] = ["tenant", "number"]


def codes_of_accounts(tables: Tables, document: dict[str, Any]) -> None:
    """Tell the payments of an account apart by texts."""
    rows = len(tables["payment"]["way"])
    tables["payment"]["account"] = [f"A{row // 2:05}" for row in range(rows)]
    tables["payment"]["code"] = [f"a long code number {row // 2 + row % 2}" for row in range(rows)]
    document["tables"]["payment"]["primary_key"] = ["account", "code"]
