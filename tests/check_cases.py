"""The smallest cause of each code of the checks, and where it is found."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from checked_bank import (
    ROOTS,
    RULES,
    Change,
    both,
    cells,
    circle,
    circle_of_primary_keys,
    codes_of_accounts,
    customer_of_account,
    everything_out,
    keep,
    keys,
    large_original,
    left_out_columns,
    put,
    rename,
    rules,
    small_town,
    tenants,
    with_coordinates,
    with_infinity,
    without_columns,
)

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
