"""Declared tables: what is chosen, keys, relations and the treatment of columns."""

from __future__ import annotations

from typing import Literal

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.treatment import Column


class ForeignKey(Settings):
    """Columns of a table that name a row of another table, or of the same one."""

    columns: tuple[str, ...] = setting((), "Columns", "Columns of this table, one or more.", min_length=1)
    table: str = setting("", "Referenced table", "The table whose rows are named.", min_length=1)
    references: tuple[str, ...] = setting(
        (), "Referenced columns", "As many columns of the referenced table; empty means its primary key."
    )
    orphans: Literal["refuse", "null", "drop"] = setting(
        "refuse",
        "References without a row",
        "refuse stops; null makes them missing; drop leaves the rows out.",
        advanced=True,
    )
    owner: bool | None = setting(
        None,
        "Owner",
        "true: the rows belong to the referenced row and follow each other under it; false: they point at "
        "it; missing means as detected.",
        advanced=True,
    )


RuleKind = Literal[
    "copy",
    "part",
    "sum",
    "product",
    "line",
    "function",
    "missing",
    "combination",
    "order",
    "reference",
    "constant",
]


class Rule(Settings):
    """Something that holds in every row of a table."""

    kind: RuleKind = setting(
        "order",
        "Kind",
        "order: the first column is never above the second; copy, sum, product, line, part: the first is "
        "computed from the others; function: the first follows from the category of the second; missing: "
        "whether the first is missing follows from the second; combination: only pairs of the source occur; "
        "reference: the first follows from the rows of original tables that the others name; constant: it "
        "does so for some rows of the one that the second names.",
    )
    columns: tuple[str, ...] = setting(
        (), "Columns", "Columns of this table, in the order that the kind says.", min_length=2, max_length=4
    )
    enabled: bool = setting(True, "Enabled", "Whether every generated row keeps the rule.")


class Table(Settings):
    """One table of the source."""

    include: bool = setting(True, "Include", "Whether the table takes part at all.")
    original: bool = setting(
        False,
        "Original data",
        "Rows are copied unchanged. For lookup tables without personal data that other tables reference.",
    )
    primary_key: tuple[str, ...] | None = setting(
        None, "Primary key", "Columns that name a row; an empty list means none; missing means as detected."
    )
    foreign_keys: tuple[ForeignKey, ...] | None = setting(
        None,
        "Foreign keys",
        "Relations to other tables; an empty list means none; missing means as detected.",
    )
    order_by: str | None = setting(
        None,
        "Order of rows",
        "Column (date, time or number) by which the rows under one parent follow each other; "
        "an empty text means that their order carries no meaning; missing means as detected.",
        advanced=True,
    )
    rules: tuple[Rule, ...] | None = setting(
        None,
        "Rules",
        "What every row keeps; an empty list means none; missing means as detected.",
        advanced=True,
    )
    unique: tuple[tuple[str, ...], ...] = setting(
        (),
        "Unique keys",
        "Lists of columns in which no two rows are equal; rows with a missing value in them are apart. "
        "Certified on the written files.",
        advanced=True,
    )
    checks: tuple[str, ...] = setting(
        (),
        "Check constraints",
        "Conditions that no row breaks, in SQL: amount > 0, status in ('A', 'B'), end_date >= start_date. "
        "Certified on the written files.",
        advanced=True,
    )
    columns: dict[str, Column] = setting(
        dict, "Columns", "Settings by column; a column that is not named here is used as detected."
    )
