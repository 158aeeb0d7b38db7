"""Every code of the checks is reached by the smallest cause, and by nothing else in a good document."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.connectors.base import Dialect, Listing, Skipped, SourceTable
from kinsynth.errors import Finding, SchemaError, SettingsError
from kinsynth.pipeline import checks
from kinsynth.pipeline.checks import check, raise_errors
from kinsynth.pipeline.inspect import inspect
from kinsynth.settings.document import override, parse
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


def test_a_good_document_has_no_finding() -> None:
    assert find(make_tables(), DOCUMENT) == []


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


KEY = "tables.account.foreign_keys.0"
OWNER = f"{KEY}.owner"
TOWN_BY_KIND = both(
    put("tables.town.primary_key", ["id", "kind"]),
    put("tables.customer.foreign_keys", []),
    put(
        "tables.payment.foreign_keys",
        [{"columns": ["account"], "table": "account"}, {"columns": ["town", "kind"], "table": "town"}],
    ),
)
CASES: dict[str, list[tuple[Change, str]]] = {
    "data.no_tables": [(everything_out, "tables")],
    "data.no_columns": [
        (without_columns, "tables.payment.columns"),
        (left_out_columns, "tables.payment.columns"),
    ],
    "data.unknown_table": [(put("tables.accounts", {}), "tables.accounts")],
    "data.unknown_column": [
        (put("tables.account.columns.limits", {}), "tables.account.columns.limits"),
        (put("tables.account.order_by", "date"), "tables.account.order_by"),
    ],
    "data.table_name": [(rename("payment", "pay/ment"), "tables.pay/ment")],
    "data.empty_table": [(keep(0, "payment"), "tables.payment")],
    "data.too_few_rows": [(keep(15, "customer", "account"), "tables")],
    "data.hardly_any_rows": [(small_town, "tables.town")],
    "data.few_rows": [(keep(100, "customer", "account"), "tables.customer")],
    "primary_keys.unknown_column": [
        (put("tables.payment.primary_key", ["number"]), "tables.payment.primary_key"),
        (put("tables.account.columns.id", {"include": False}), "tables.account.primary_key"),
    ],
    "primary_keys.missing": [(put("tables.customer.primary_key", []), "tables.customer.primary_key")],
    "primary_keys.nulls": [
        (cells("customer", "id", lambda ids: [None, *ids[1:]]), "tables.customer.primary_key")
    ],
    "primary_keys.duplicates": [
        (cells("customer", "id", lambda ids: [ids[1], *ids[1:]]), "tables.customer.primary_key")
    ],
    "primary_keys.parts_made_anew": [
        (tenants, "tables.payment.primary_key"),
        (codes_of_accounts, "tables.payment.primary_key"),
    ],
    "foreign_keys.unknown_table": [(put(f"{KEY}.table", "customers"), KEY)],
    "foreign_keys.left_out": [
        (put("tables.customer.include", False), KEY),
        (put("tables.account.columns.customer", {"include": False}), KEY),
    ],
    "foreign_keys.unknown_column": [
        (put(f"{KEY}.columns", ["owner"]), KEY),
        (put(f"{KEY}.references", ["number"]), KEY),
    ],
    "foreign_keys.columns_differ": [(put(f"{KEY}.columns", ["customer", "limit"]), KEY)],
    "foreign_keys.null_in_key": [
        (
            both(put(f"{KEY}.orphans", "null"), put("tables.account.primary_key", ["customer"])),
            KEY,
        )
    ],
    "foreign_keys.types_differ": [
        (
            cells("account", "customer", lambda ids: [date(2000, 1, 1)] * len(ids)),
            KEY,
        )
    ],
    "foreign_keys.not_unique": [
        (put("tables.customer.foreign_keys.0.references", ["kind"]), "tables.customer.foreign_keys.0")
    ],
    "foreign_keys.orphans": [(cells("account", "customer", lambda ids: ["9999", *ids[1:]]), KEY)],
    "foreign_keys.orphans_resolved": [
        (
            both(cells("account", "customer", lambda ids: ["9999", *ids[1:]]), put(f"{KEY}.orphans", "drop")),
            KEY,
        )
    ],
    "foreign_keys.duplicate": [
        (
            put("tables.account.foreign_keys", [{"columns": ["customer"], "table": "customer"}] * 2),
            "tables.account.foreign_keys",
        )
    ],
    "foreign_keys.further": [
        (
            both(
                cells("payment", "payer", lambda ids: [str(i % ROOTS) for i in range(len(ids))]),
                keys("payment", account="account", payer="customer"),
            ),
            "tables.payment.foreign_keys",
        )
    ],
    "foreign_keys.no_sequence": [
        (
            cells("account", "customer", lambda ids: [ids[0], *([None] * (len(ids) - 1))]),
            "tables.account.foreign_keys.0",
        )
    ],
    "foreign_keys.implied": [(customer_of_account, "tables.payment.foreign_keys.1")],
    "foreign_keys.circular_rows": [
        (
            both(
                cells("account", "replaces", lambda ids: [ids[1], ids[0], *([None] * (len(ids) - 2))]),
                keys("account", customer="customer", replaces="account"),
            ),
            "tables.account.foreign_keys.1",
        )
    ],
    "foreign_keys.circle_broken": [(circle, "tables.customer.foreign_keys.1")],
    "foreign_keys.circle": [(circle_of_primary_keys, "tables.account.foreign_keys.0")],
    "foreign_keys.owner": [
        (both(put(f"{KEY}.owner", True), put("tables.customer.original", True)), OWNER),
        (
            both(
                cells("account", "replaces", lambda ids: [ids[0], *ids[:-1]]),
                keys("account", replaces="account"),
                put(f"{KEY}.owner", True),
            ),
            OWNER,
        ),
        (
            both(
                cells("account", "payer", lambda ids: [str(i % ROOTS) for i in range(len(ids))]),
                keys("account", payer="customer", customer="customer"),
                put("tables.account.foreign_keys.1.owner", True),
                put(f"{KEY}.owner", True),
            ),
            "tables.account.foreign_keys.1.owner",
        ),
    ],
    "foreign_keys.partly_missing": [
        (
            both(
                cells("payment", "town", lambda ids: [None, *(f"T{i % 30:02}" for i in range(1, len(ids)))]),
                cells("payment", "kind", lambda ids: ["city", None, *["city"] * (len(ids) - 2)]),
                cells("town", "kind", lambda ids: ["city"] * len(ids)),
                TOWN_BY_KIND,
            ),
            "tables.payment.foreign_keys.1",
        )
    ],
    "foreign_keys.partly_missing_not_available": [
        (
            both(
                cells("payment", "town", lambda ids: [None, *(f"T{i % 30:02}" for i in range(1, len(ids)))]),
                cells("payment", "kind", lambda ids: [["city", "village"][i % 2] for i in range(len(ids))]),
                TOWN_BY_KIND,
            ),
            "tables.payment.foreign_keys.1",
        )
    ],
    "roots.many": [(put("tables.payment.foreign_keys", []), "roots")],
    "treatment.all_original": [
        (
            both(*(put(f"tables.{name}.original", True) for name in ("customer", "account", "payment"))),
            "tables",
        )
    ],
    "treatment.original_without_inbound": [(put("tables.customer.foreign_keys", []), "tables.town.original")],
    "treatment.original_references_synthetic": [
        (put("tables.payment.original", True), "tables.payment.original")
    ],
    "treatment.original_sensitive": [
        (put("tables.town.columns.kind", {"sensitive": True}), "tables.town.original")
    ],
    "treatment.original_not_small": [(large_original, "tables.town.original")],
    "treatment.order_type": [(put("tables.payment.order_by", "way"), "tables.payment.order_by")],
    "treatment.order_option": [
        (
            both(
                put("tables.payment.order_by", "amount"),
                put("tables.payment.columns.amount.outlier_quantile", 0.1),
            ),
            "tables.payment.columns.amount.outlier_quantile",
        )
    ],
    "treatment.infinite": [(with_infinity, "tables.account.columns.limit")],
    "treatment.text_left_out": [
        (put("tables.customer.columns.job.type", "text"), "tables.customer.columns.job")
    ],
    "treatment.key_left_out": [
        (put("tables.account.columns.id", {"treatment": "leave_out"}), "tables.account.columns.id.treatment")
    ],
    "treatment.option_unused": [
        (put("tables.customer.columns.age.rare_share", 0.1), "tables.customer.columns.age.rare_share")
    ],
    "treatment.value_unreadable": [
        (put("tables.customer.columns.age.minimum", "young"), "tables.customer.columns.age.minimum"),
        (
            put("tables.customer.columns.age.special_values", ["old"]),
            "tables.customer.columns.age.special_values",
        ),
        (put("tables.customer.columns.since.never", ["1.1.2000"]), "tables.customer.columns.since.never"),
    ],
    "treatment.bounds_empty": [
        (
            both(
                put("tables.customer.columns.age.minimum", "60"),
                put("tables.customer.columns.age.maximum", "50"),
            ),
            "tables.customer.columns.age.minimum",
        ),
        (
            both(
                put("tables.customer.columns.age.non_negative", True),
                put("tables.customer.columns.age.maximum", "-1"),
            ),
            "tables.customer.columns.age.minimum",
        ),
    ],
    "treatment.bounds_without_values": [
        (put("tables.customer.columns.since.minimum", "2050-01-01"), "tables.customer.columns.since.minimum")
    ],
    "treatment.never_all": [
        (put("tables.payment.columns.way.never", ["card", "cash"]), "tables.payment.columns.way.never")
    ],
    "treatment.impute_without_values": [
        (
            both(
                cells("payment", "way", lambda ways: [None] * len(ways)),
                put("tables.payment.columns.way.missing", "impute"),
            ),
            "tables.payment.columns.way.missing",
        )
    ],
    "foreign_keys.shared_column_not_available": [
        (
            put(
                "tables.account.foreign_keys",
                [{"columns": ["customer"], "table": "customer"}, {"columns": ["customer"], "table": "town"}],
            ),
            "tables.account.foreign_keys",
        )
    ],
    "generation.key_room": [
        (
            both(
                cells("customer", "id", lambda ids: [Decimal(key) for key in ids]),
                put("generation.rows.customer", 2_000),
            ),
            "tables.customer.primary_key",
        )
    ],
    "treatment.pair_missing": [(with_coordinates("longitude"), "tables.customer.columns.lat.pair")],
    "treatment.bounding_box": [
        (
            both(with_coordinates("lon"), put("tables.customer.columns.lat.bounding_box", [48, 9, 45, 17])),
            "tables.customer.columns.lat.bounding_box",
        )
    ],
    "treatment.rare_label": [
        (
            both(
                cells("customer", "job", lambda jobs: [i % 3 for i in range(len(jobs))]),
                put("tables.customer.columns.job.rare_replacement", "label"),
            ),
            "tables.customer.columns.job.rare_label",
        )
    ],
    "treatment.rare_invention": [
        (
            both(
                cells("customer", "job", lambda jobs: [i % 3 for i in range(len(jobs))]),
                put("tables.customer.columns.job.rare_replacement", "invent"),
            ),
            "tables.customer.columns.job.rare_replacement",
        )
    ],
    "treatment.mostly_rare": [
        (
            cells("customer", "job", lambda jobs: [f"job {i // 2}" for i in range(len(jobs))]),
            "tables.customer.columns.job",
        )
    ],
    "rules.unknown_column": [(rules("customer", order=["age", "agee"]), f"{RULES}.0.columns")],
    "rules.column": [
        (rules("customer", function=["age", "id"]), f"{RULES}.0.columns"),
        (
            both(
                rules("customer", function=["age", "job"]), put("tables.customer.columns.job.never", ["cook"])
            ),
            f"{RULES}.0.columns",
        ),
    ],
    "rules.kind": [
        (rules("customer", order=["age", "job"]), f"{RULES}.0"),
        (rules("customer", sum=["age", "since"]), f"{RULES}.0"),
    ],
    "rules.broken": [
        (rules("customer", function=["age", "job"]), f"{RULES}.0"),
        (rules("customer", missing=["age", "job"]), f"{RULES}.0"),
        (rules("customer", copy=["age", "job"]), f"{RULES}.0"),
        (
            both(
                cells("customer", "seen", lambda _: [f"20{i % 20:02}-03-02" for i in range(ROOTS)]),
                rules("customer", order=["since", "seen"]),
            ),
            f"{RULES}.0",
        ),
    ],
    "rules.conflict": [
        (
            both(
                cells("customer", "level", lambda _: [str(i % 7) for i in range(ROOTS)]),
                cells("customer", "again", lambda _: [str(i % 7) for i in range(ROOTS)]),
                rules("customer", copy=["again", "level"], line=["again", "level"]),
            ),
            f"{RULES}.1",
        )
    ],
    "settings.not_available": [
        (put("differential_privacy.enabled", True), "differential_privacy.enabled"),
        (put("destination.kind", "postgresql"), "destination.kind"),
        (put("tables.customer.columns.job.treatment", "mask"), "tables.customer.columns.job.treatment"),
    ],
    "settings.unused": [
        (put("training.learning_rate", 0.5), "training.learning_rate"),
        (put("training.batch_size", 7), "training.batch_size"),
        (put("training.gradient_accumulation", 7), "training.gradient_accumulation"),
    ],
    "settings.batch_too_large": [
        (
            both(put("training.batch_size", 10_000), put("training.auto_batching", False)),
            "training.batch_size",
        )
    ],
    "settings.rows_unknown_table": [(put("generation.rows.customers", 5), "generation.rows.customers")],
    "settings.rows_not_root": [(put("generation.rows.account", 5), "generation.rows.account")],
    "foreign_keys.copied": [(put("generation.keys", "copied"), "generation.keys")],
    "primary_keys.drawn_value": [
        (
            both(put("generation.keys", "copied"), put("tables.account.primary_key", ["customer", "limit"])),
            "tables.account.primary_key",
        )
    ],
    "settings.rows_copied": [
        (
            both(put("generation.keys", "copied"), put("generation.rows.customer", 5)),
            "generation.rows.customer",
        )
    ],
    "settings.rows_too_few": [(put("generation.rows.customer", 0), "generation.rows.customer")],
    "settings.training_too_small": [
        (
            both(
                keep(20, "customer", "account"),
                put("evaluation.holdout_share", 0.5),
                put("training.validation_fraction", 0.5),
            ),
            "evaluation.holdout_share",
        )
    ],
    "settings.holdout_too_small": [
        (put("evaluation.holdout_share", 0.01), "evaluation.holdout_share"),
        (put("evaluation.holdout_share", 0.0), "evaluation.holdout_share"),
    ],
    "settings.protection_too_strong": [(put("protection.rare_minimum", 400), "protection.rare_minimum")],
    "constraints.unknown_column": [
        (put("tables.customer.unique", [["ages"]]), "tables.customer.unique.0"),
        (put("tables.customer.checks", ["age > 0 and ages < 9"]), "tables.customer.checks.0"),
    ],
    "constraints.left_out": [
        (
            both(
                put("tables.customer.unique", [["id", "job"]]),
                put("tables.customer.columns.job.treatment", "leave_out"),
            ),
            "tables.customer.unique.0",
        ),
        (
            both(
                put("tables.customer.checks", ["job <> 'king'"]),
                put("tables.customer.columns.job.treatment", "leave_out"),
            ),
            "tables.customer.checks.0",
        ),
    ],
    "unique_keys.empty": [(put("tables.customer.unique", [["id"], []]), "tables.customer.unique.1")],
    "unique_keys.duplicates": [(put("tables.customer.unique", [["age", "job"]]), "tables.customer.unique.0")],
    "unique_keys.not_by_construction": [
        (
            both(
                cells("account", "limit", lambda old: [f"{1_000 + i / 100:.2f}" for i in range(len(old))]),
                put("tables.account.unique", [["limit"]]),
            ),
            "tables.account.unique.0",
        )
    ],
    "checks.syntax": [(put("tables.customer.checks", ["age > 0", "age >"]), "tables.customer.checks.1")],
    "checks.type": [
        (put("tables.customer.checks", ["age > 'old'"]), "tables.customer.checks.0"),
        (put("tables.customer.checks", ["job > 5"]), "tables.customer.checks.0"),
    ],
    "checks.broken": [
        (put("tables.customer.checks", ["age > 21"]), "tables.customer.checks.0"),
        (put("tables.customer.checks", ["job in ('cook', 'nurse')"]), "tables.customer.checks.0"),
    ],
    "checks.not_by_construction": [
        (put("tables.customer.checks", ["age <> 100"]), "tables.customer.checks.0"),
        (put("tables.customer.checks", ["id > -1"]), "tables.customer.checks.0"),
    ],
    "settings.workbook_too_small": [
        (
            both(put("destination.format", "xlsx"), put("generation.rows.customer", 2_000_000)),
            "destination.format",
        )
    ],
}


@pytest.mark.parametrize("code", CASES)
def test_the_cause_of_each_code_is_found(code: str) -> None:
    for change, where in CASES[code]:
        tables, document = make_tables(), copy.deepcopy(DOCUMENT)
        change(tables, document)
        found = find(tables, document)
        assert (code, where) in [(finding.code, finding.where) for finding in found], found
        for finding in found:
            assert finding.message.endswith(".")
            assert finding.remedy
            assert "  " not in str(finding)


def test_conditions_that_are_kept_by_themselves_need_no_word() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    document["tables"]["customer"] |= {
        "checks": [
            "age between 18 and 100 and age is not null",
            "job in ('cook', 'nurse', 'pilot') and job <> 'king'",
            "since >= '2000-03-01'",
        ],
        "unique": [["id"], ["id", "job"]],
    }
    document["tables"]["town"] |= {"checks": ["kind like '%i%'"], "unique": [["id"]]}
    assert find(tables, document) == []


@pytest.mark.parametrize(
    ("unique", "told"),
    [
        (["account", "payer"], False),
        (["account", "payer", "amount"], False),
        (["payer", "seller"], False),
        (["account", "code"], False),
        (["account", "rank"], True),
        (["seller", "number"], True),
    ],
)
def test_unique_keys_that_foreign_keys_keep_need_no_word(unique: list[str], told: bool) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    rows, payment = len(tables["payment"]["way"]), tables["payment"]
    payment["account"] = [f"A{row // 5:05}" for row in range(rows)]
    payment["payer"] = [str(row % 5 + row // 5) for row in range(rows)]
    payment["seller"] = [str(row % 50) for row in range(rows)]
    payment["code"] = ["abcde"[row % 5] for row in range(rows)]
    payment["rank"] = [str(row % 5) for row in range(rows)]
    payment["number"] = [str(row // 50) for row in range(rows)]
    document["tables"]["payment"] |= {
        "unique": [unique],
        "foreign_keys": [
            {"columns": ["account"], "table": "account", "owner": True},
            {"columns": ["payer"], "table": "customer"},
            {"columns": ["seller"], "table": "customer"},
        ],
    }
    found = [one for one in find(tables, document) if one.code.startswith("unique_keys")]
    assert [one.code for one in found] == ["unique_keys.not_by_construction"] * told
    for one in found:
        assert one.remedy.startswith(f"Write tables.payment.columns.{unique[1]}.type: identifier")


@pytest.mark.parametrize("said", ["payer <> seller", "seller <> payer", "twin <> id"])
def test_conditions_that_foreign_keys_keep_need_no_word(said: str) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    rows, name = len(tables["payment"]["way"]), "customer" if "id" in said else "payment"
    tables["payment"]["payer"] = [str(row % 200) for row in range(rows)]
    tables["payment"]["seller"] = [str(200 + row % 200) for row in range(rows)]
    document["tables"]["payment"]["foreign_keys"] += [
        {"columns": [one], "table": "customer"} for one in ("payer", "seller")
    ]
    tables["customer"]["twin"] = [None, *map(str, range(ROOTS - 1))]
    document["tables"]["customer"]["foreign_keys"].append({"columns": ["twin"], "table": "customer"})
    document["tables"][name]["checks"] = [said]
    assert not [one for one in find(tables, document) if one.code.startswith("checks")]


def test_that_no_row_is_its_own_partner_is_not_kept_where_each_has_one() -> None:
    """Where circles are cut a row has no other to point at but itself."""
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["customer"]["twin"] = [str(row ^ 1) for row in range(ROOTS)]
    document["tables"]["customer"]["foreign_keys"].append({"columns": ["twin"], "table": "customer"})
    document["tables"]["customer"]["checks"] = ["twin <> id"]
    assert "checks.not_by_construction" in {one.code for one in find(tables, document)}


def test_one_to_one_keys_that_may_be_missing_are_kept_unique() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    circle(tables, document)
    tables["customer"]["main"][::3] = [None] * len(tables["customer"]["main"][::3])
    document["tables"]["customer"]["unique"] = [["main"]]
    assert "unique_keys.not_by_construction" not in {one.code for one in find(tables, document)}


def test_rows_that_break_a_condition_are_numbered_and_nothing_of_them_is_told() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["customer"]["age"][4] = "131"
    document["tables"]["customer"]["checks"] = ["age < 130"]
    (finding,) = (one for one in find(tables, document) if one.code == "checks.broken")
    assert finding.message == "1 of 600 rows of the source break age < ?: row 5."


def test_every_code_of_the_checks_has_a_case() -> None:
    folder = Path(checks.__file__).parent
    written = {
        node.args[0].value
        for file in folder.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and re.fullmatch(r"[a-z_]+\.[a-z_]+", node.args[0].value)
    }
    listed = {"data.file_skipped", "data.cells_noted", "data.header_like_data"}
    assert written - listed == set(CASES)


def test_tables_with_too_few_rows_are_told_at_once_with_one_suggestion() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    small_town(tables, document)
    keep(15, "customer", "account")(tables, document)
    document["tables"]["payment"]["foreign_keys"][0]["orphans"] = "drop"
    tables["shop"] = {"id": [str(n) for n in range(9)], "size": [str(n % 3) for n in range(9)]}
    document["tables"]["shop"] = {"primary_key": ["id"], "foreign_keys": []}
    found = [one for one in find(tables, document) if one.code == "data.too_few_rows"]
    assert [one.where for one in found] == ["tables"]
    assert "12 (town), 15 (customer), 15 (account), 9 (shop)" in found[0].message
    marks = ("town", "shop")
    assert all(f"tables.{name}.original: true" in found[0].remedy for name in marks)
    assert "customer" not in found[0].remedy


def test_a_small_table_that_references_others_is_not_to_be_copied() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["club"] = {"customer": ["1", "2", None], "size": ["4", "5", "6"]}
    document["tables"]["club"] = {
        "primary_key": [],
        "foreign_keys": [{"columns": ["customer"], "table": "customer"}],
    }
    (finding,) = [one for one in find(tables, document) if one.code == "data.hardly_any_rows"]
    assert finding.remedy.endswith("tables.club.include: false.")


def test_an_empty_table_beside_others_is_to_be_left_out() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["club"], document["tables"]["club"] = {"id": []}, {"primary_key": [], "foreign_keys": []}
    found = [one for one in find(tables, {**document, "roots": "many"}) if "club" in one.where]
    assert [(one.code, one.remedy) for one in found] == [
        ("data.empty_table", "Leave it out: tables.club.include: false.")
    ]


def test_files_that_were_left_aside_are_named(tmp_path: Path) -> None:
    read = SourceTable("customer", "customer.xlsx", "", "xlsx", ROOTS, tmp_path, notes={"error_cells": 3})
    listing = Listing((read,), (Skipped("notes.doc", "not a table"),))
    found = find(make_tables(), DOCUMENT, listing)
    assert [(f.code, f.severity) for f in found] == [
        ("data.file_skipped", "notice"),
        ("data.cells_noted", "notice"),
    ]
    assert "3 error cells" in found[1].message


@pytest.mark.parametrize(
    ("names", "count"),
    [(("37", "nurse", "2004-03-01"), 2), (("age 1", "job", "2004"), 0), (("inf", "12", "since"), 0)],
)
def test_a_header_of_cells_is_counted_and_not_shown(
    tmp_path: Path, names: tuple[str, ...], count: int
) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    columns = document["tables"]["customer"]["columns"]
    for old, new in zip(("age", "job", "since"), names, strict=True):
        tables["customer"][new] = tables["customer"].pop(old)
        columns[new] = columns.pop(old)
    text = SourceTable(
        "customer", "customer.csv", "", "csv", ROOTS, tmp_path, Dialect("utf-8", "comma", "LF")
    )
    found = find(tables, document, Listing((text,), ()))
    assert [(one.code, one.severity, one.where) for one in found] == [
        ("data.header_like_data", "warning", "tables.customer")
    ] * bool(count)
    for one in found:
        assert f"{count} of 5 columns" in one.message
        assert not any(name in str(one) for name in names)
    typed = replace(text, format="parquet", dialect=None)
    assert find(tables, document, Listing((typed,), ())) == []


def test_all_findings_come_at_once_in_the_order_of_the_steps() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    for code in ("settings.unused", "treatment.never_all", "primary_keys.duplicates", "data.unknown_table"):
        CASES[code][0][0](tables, document)
    codes = [finding.code for finding in find(tables, document)]
    assert codes.index("data.unknown_table") < codes.index("primary_keys.duplicates")
    assert codes.index("primary_keys.duplicates") < codes.index("treatment.never_all")
    assert codes.index("treatment.never_all") < codes.index("settings.unused")


def test_findings_hold_no_cell_of_the_source() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    secret = "zebra-crossing"
    tables["account"]["customer"][0] = secret
    tables["customer"]["id"][1] = tables["customer"]["id"][2] = secret
    tables["customer"]["age"][5] = secret
    tables["customer"]["job"] = [f"{secret} {i}" for i in range(ROOTS)]
    found = find(tables, document)
    assert {"treatment.unparsable", "primary_keys.duplicates", "treatment.mostly_rare"} <= {
        f.code for f in found
    }
    assert not [finding for finding in found if secret in str(finding)]


def test_counts_and_rows_are_said() -> None:
    tables = make_tables()
    tables["account"]["customer"][3] = "77777"
    (finding,) = find(tables, DOCUMENT)
    assert "1 of 900 rows of account reference no row of customer: row 4." in finding.message


def test_roots_may_be_many_when_the_document_says_so() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["tables"]["payment"]["foreign_keys"] = []
    assert "roots.many" not in [f.code for f in find(make_tables(), {**document, "roots": "many"})]


def test_an_original_table_is_no_root_and_the_root_may_reference_it_with_nulls() -> None:
    tables = make_tables()
    tables["customer"]["town"][:50] = [None] * 50
    assert find(tables, DOCUMENT) == []


def test_composite_keys_of_a_parent_part_and_a_made_part_are_allowed() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["payment"]["number"] = [str(i) for i in range(len(tables["payment"]["way"]))]
    document["tables"]["payment"]["primary_key"] = ["account", "number"]
    assert find(tables, document) == []


def test_a_key_with_a_drawn_part_beside_a_made_part_is_allowed() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["tables"]["customer"]["primary_key"] = ["id", "town"]
    document["tables"]["account"]["foreign_keys"][0]["references"] = ["id"]
    assert find(make_tables(), document) == []


def test_new_values_of_a_part_of_a_key_are_told_unless_asked_for() -> None:
    for change, part, counts in (
        (tenants, "tenant", "3 tenant, 500 number"),
        (codes_of_accounts, "code", "751 code"),
    ):
        tables, document = make_tables(), copy.deepcopy(DOCUMENT)
        change(tables, document)
        (finding,) = find(tables, document)
        assert f"the source has {counts} in 1,500 rows" in finding.message
        assert ("foreign key" in finding.remedy) == (part == "tenant")
        columns = document["tables"]["payment"]["columns"]
        columns |= {one: {"type": "identifier"} for one in (part, "number") if one in tables["payment"]}
        assert find(tables, document) == []


def test_a_column_left_out_is_not_checked_further() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["tables"]["payment"]["columns"]["way"] = {"never": ["card", "cash"], "treatment": "leave_out"}
    assert find(make_tables(), document) == []


def test_errors_are_raised_together_with_their_kind() -> None:
    wrong = override(parse(DOCUMENT), {"generation.rows.x": "5", "destination.kind": "oracle"})
    with pytest.raises(SettingsError) as settings:
        raise_errors(find(make_tables(), wrong))
    assert {finding.code for finding in settings.value.findings} == {
        "settings.rows_unknown_table",
        "settings.not_available",
    }
    with pytest.raises(SchemaError):
        raise_errors(find(make_tables(), override(wrong, {"tables.customer.primary_key": "[]"})))


def test_a_circle_that_cannot_be_broken_is_drawn() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    circle_of_primary_keys(tables, document)
    (finding,) = [one for one in find(tables, document) if one.severity == "error"]
    assert "customer.main -> account, account.customer -> customer" in finding.message


def test_a_key_that_shares_what_names_the_row_is_told_once() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    account = tables["account"]
    account["company"] = [f"C{row // 9:03}" for row in range(len(account["id"]))]
    account["boss"] = [None if row % 9 == 0 else account["id"][row - 1] for row in range(len(account["id"]))]
    document["tables"]["account"]["primary_key"] = ["company", "id"]
    document["tables"]["account"]["foreign_keys"] = [{"columns": ["company", "boss"], "table": "account"}]
    document["tables"]["payment"]["foreign_keys"] = []
    errors = [one for one in find(tables, {**document, "roots": "many"}) if one.severity == "error"]
    assert [one.code for one in errors] == ["foreign_keys.partly_missing_not_available"]
    assert "Declare a foreign key by [company]" in errors[0].remedy


def test_a_default_of_its_own_rows_is_told_once_with_its_cause() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    account, rows = tables["account"], range(len(tables["account"]["id"]))
    account["number"] = [str(row // ROOTS + 1) for row in rows]
    tables["customer"]["main"] = ["1" if row % 3 else None for row in range(ROOTS)]
    document["tables"]["account"]["primary_key"] = ["customer", "number"]
    document["tables"]["payment"]["foreign_keys"] = []
    own = {"columns": ["id", "main"], "table": "account", "references": ["customer", "number"]}
    document["tables"]["customer"]["foreign_keys"].append(own)
    errors = [one for one in find(tables, {**document, "roots": "many"}) if one.severity == "error"]
    assert [one.code for one in errors] == ["foreign_keys.partly_missing_not_available"]
    assert "name the row itself" in errors[0].message
    assert "Declare" not in errors[0].remedy


def test_a_second_parent_stops_nothing_and_the_document_names_the_owner() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    CASES["foreign_keys.further"][0][0](tables, document)
    (finding,) = find(tables, document)
    assert "belong to account by [account] and point at customer by [payer]" in finding.message
    put("tables.payment.foreign_keys.1.owner", True)(tables, document)
    (finding,) = find(tables, document)
    assert "belong to customer by [payer] and point at account by [account]" in finding.message


def test_rows_without_a_parent_are_no_root_of_their_own() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    tables["account"]["customer"][0] = None
    assert find(tables, document) == []


SHARED = [
    {"columns": ["town"], "table": "town", "references": ["id"]},
    {"columns": ["town", "job"], "table": "office"},
    {"columns": ["town", "since"], "table": "desk"},
]


@pytest.mark.parametrize(
    ("numbers", "known", "codes"),
    [
        ((0, 1), True, {"foreign_keys.implied"}),
        ((0, 1), False, {"foreign_keys.shared_column_not_available", "foreign_keys.further"}),
        ((1, 2), True, {"foreign_keys.further"}),
        ((1, 2), False, {"foreign_keys.shared_column_not_available", "foreign_keys.further"}),
    ],
)
def test_keys_that_share_a_column_need_a_table_that_settles_it(
    numbers: tuple[int, int], known: bool, codes: set[str]
) -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    places, number = [f"T{i:02}" for i in range(30) for _ in range(30)], [f"N{i:02}" for i in range(30)] * 30
    for name in ("office", "desk"):
        tables[name] = {"town": places, "number": number}
        to_town = [{"columns": ["town"], "table": "town"}] if known else []
        document["tables"][name] = {"primary_key": ["town", "number"], "foreign_keys": to_town}
    customer = tables["customer"]
    customer["job"], customer["since"] = number[:ROOTS], number[1 : ROOTS + 1]
    document["tables"]["customer"]["columns"] = {}
    document["tables"]["town"]["original"] = False
    document["tables"]["customer"]["foreign_keys"] = [SHARED[place] for place in numbers]
    document["roots"] = "many"
    assert {one.code for one in find(tables, document) if one.severity != "warning"} == codes


def test_an_original_table_in_the_way_of_shared_columns_is_named() -> None:
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    places, number = [f"T{i:02}" for i in range(30) for _ in range(30)], [f"N{i:02}" for i in range(30)] * 30
    for name in ("office", "desk"):
        tables[name] = {"town": places, "number": number}
        key = {"primary_key": ["town", "number"], "foreign_keys": [{"columns": ["town"], "table": "town"}]}
        document["tables"][name] = key
    customer = tables["customer"]
    customer["town"], customer["job"], customer["since"] = (
        places[:ROOTS],
        number[:ROOTS],
        number[1 : ROOTS + 1],
    )
    document["tables"]["customer"] |= {"columns": {}, "foreign_keys": SHARED[1:]}
    found = find(tables, {**document, "roots": "many"})
    (finding,) = [one for one in found if one.code == "foreign_keys.shared_column_not_available"]
    assert "agree but [town], which is original data" in finding.message
    assert finding.remedy.startswith("Write tables.town.original: false")


def test_warnings_stop_nothing() -> None:
    raise_errors(find(make_tables(), override(parse(DOCUMENT), {"training.batch_size": "7"})))
