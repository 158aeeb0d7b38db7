"""Data treatment: original tables, and options of columns that fit their type and their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.columns.detect import is_infinite, is_text
from kinsynth.columns.registry import column_type
from kinsynth.errors import Finding, SettingsError
from kinsynth.pipeline.checks.data import FEWEST_ROWS
from kinsynth.pipeline.checks.facts import Facts, Step, column_path, list_names, table_path
from kinsynth.schema.literals import parse_text, unparsable_rows
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Column, TextFormat
from kinsynth.settings.fields import fields_of
from kinsynth.settings.treatment import CATEGORIES, NUMBERS, ORDERED
from kinsynth.settings.treatment import Column as ColumnSettings

LARGE_ORIGINAL_ROWS = 1_000
LARGE_ORIGINAL_SHARE = 0.2
_SHOWN_ROWS = 10
_STEP = Step("treatment")


def find_treatment(facts: Facts) -> Iterator[Finding]:
    """Give the findings of the step."""
    if facts.schema.tables and not facts.synthesised:
        yield _STEP.error(
            "treatment.all_original",
            "tables",
            "Every table is original data; nothing is left to synthesise.",
            f"Write {table_path(facts.originals[0], 'original')}: false.",
        )
    for name in facts.originals:
        yield from _find_original(facts, name)
    for name in facts.synthesised:
        yield from _find_order(facts, name)
        for column in facts.schema.tables[name].columns:
            yield from _find_column(facts, name, column)


# Original tables


def _find_original(facts: Facts, name: str) -> Iterator[Finding]:
    where = table_path(name, "original")
    incoming = [relation for relation in facts.schema.incoming(name) if relation.table != name]
    if not incoming:
        yield _STEP.error(
            "treatment.original_without_inbound",
            where,
            "No table references this original table.",
            f"Declare the foreign key that does, or write {table_path(name, 'include')}: false.",
        )
    for relation in facts.schema.outgoing(name):
        if relation.references_table in facts.synthesised:
            yield _STEP.error(
                "treatment.original_references_synthetic",
                where,
                f"The original table references {relation.references_table}, whose keys are made anew.",
                f"Write {where}: false, or mark {relation.references_table} as original too.",
            )
    sensitive = [column for column, chosen in facts.settings(name).columns.items() if chosen.sensitive]
    if sensitive:
        yield _STEP.warning(
            "treatment.original_sensitive",
            where,
            f"Rows are copied unchanged with the sensitive columns {list_names(sensitive)}.",
            f"Write {where}: false, or leave the columns out.",
        )
    largest = max((facts.rows(relation.table) for relation in incoming), default=0)
    rows = facts.rows(name)
    if rows > LARGE_ORIGINAL_ROWS and rows > LARGE_ORIGINAL_SHARE * largest:
        yield _STEP.warning(
            "treatment.original_not_small",
            where,
            f"The original table has {rows:,} rows for {largest:,} that reference it, "
            "many for a lookup table.",
            f"Write {where}: false unless it is a lookup table without personal data.",
        )


def _find_order(facts: Facts, name: str) -> Iterator[Finding]:
    table, wanted = facts.schema.tables[name], facts.settings(name).order_by
    if wanted and wanted in table.column_names and table.column(wanted).type not in ORDERED:
        yield _STEP.error(
            "treatment.order_type",
            table_path(name, "order_by"),
            f"{wanted} is {table.column(wanted).type}; rows follow each other by a number, date or time.",
            f'Name another column, or write {table_path(name, "order_by")}: "" for no order.',
        )
    if table.order_by is not None and facts.structure.parent_relation[name] is not None:
        yield from _find_order_options(facts, name, table.column(table.order_by))


def _find_order_options(facts: Facts, table: str, column: Column) -> Iterator[Finding]:
    """Refuse options that have no effect on a column that is drawn as start and steps."""
    chosen = facts.column_settings(table, column.name)
    refused = ["outlier_quantile", "outliers"]
    if column.type == "datetime" and chosen.granularity in {"month", "year"}:
        refused.append("granularity")
    for field in fields_of(ColumnSettings):
        if field.name in refused and getattr(chosen, field.name) != field.default:
            yield _STEP.error(
                "treatment.order_option",
                column_path(table, column.name, field.name),
                "The option is not available for the column by which rows follow each other.",
                f'Remove the line, or write {table_path(table, "order_by")}: "" for no order.',
            )


# Columns


def _find_column(facts: Facts, table: str, column: Column) -> Iterator[Finding]:
    chosen = facts.column_settings(table, column.name)
    values = facts.tables[table].column(column.name)
    yield from _find_options(table, column, chosen)
    yield from _find_infinite(table, column, values)
    if _is_key(facts, table, column.name):
        if chosen.treatment == "leave_out":
            yield _key_left_out(table, column.name)
        return
    if chosen.treatment == "leave_out":
        return
    if column.type == "text":
        yield _STEP.notice(
            "treatment.text_left_out",
            column_path(table, column.name),
            "The column holds free text and is left out: the text model is not available yet.",
            "Write type: categorical for the column to draw its frequent values instead.",
        )
        return
    yield from _find_bounds(table, column, chosen, values)
    yield from _find_forbidden(table, column, chosen, values)
    yield from _find_coordinates(facts, table, column, chosen)
    if column.type == "identifier":
        yield from _find_identifiers(facts, table, column, values)
    if column.type in CATEGORIES:
        yield from _find_label(table, column, chosen)
    if column.type == "categorical" and facts.rows(table) >= FEWEST_ROWS:
        yield from _find_rare(facts, table, column, values)


def _find_infinite(table: str, column: Column, values: pa.ChunkedArray) -> Iterator[Finding]:
    """Warn of numbers that are read as texts because some cells say that they are infinite."""
    if not is_text(values.type):
        return
    infinite = pc.fill_null(is_infinite(values), False)
    others = values.filter(pc.invert(infinite)).drop_null()
    rows = np.flatnonzero(infinite.to_numpy())
    number = Column(column.name, "numeric", "double", text=TextFormat())
    if not len(rows) or not len(others) or len(unparsable_rows(others, number)):
        return
    shown = ", ".join(f"{row + 1:,}" for row in rows[:_SHOWN_ROWS])
    yield _STEP.warning(
        "treatment.infinite",
        column_path(table, column.name),
        f"All values are numbers but {len(rows):,} of {len(values) - values.null_count:,}, which are "
        f"infinite: rows {shown}{' ...' if len(rows) > _SHOWN_ROWS else ''}. The column is read as texts.",
        "Repair the rows, or name their word in source.null_values: the cells are then missing.",
    )


def _is_key(facts: Facts, table: str, column: str) -> bool:
    outgoing = facts.schema.foreign_columns(table)
    incoming = {name for relation in facts.schema.incoming(table) for name in relation.references_columns}
    return column in outgoing | incoming | set(facts.schema.tables[table].primary_key)


def _key_left_out(table: str, column: str) -> Finding:
    return _STEP.error(
        "treatment.key_left_out",
        column_path(table, column, "treatment"),
        "The column is part of a key and cannot be left out of the result alone.",
        f"Write {column_path(table, column, 'include')}: false, which removes the key and its relations too.",
    )


def _find_options(table: str, column: Column, chosen: ColumnSettings) -> Iterator[Finding]:
    for field in fields_of(ColumnSettings):
        unused = field.types is not None and column.type not in field.types
        if unused and getattr(chosen, field.name) != field.default:
            yield _STEP.error(
                "treatment.option_unused",
                column_path(table, column.name, field.name),
                f"The option is for {', '.join(field.types or ())}; the column is {column.type}.",
                "Remove the line, or declare one of these types.",
            )


def _read(texts: Sequence[str], column: Column) -> pa.ChunkedArray | None:
    """Read values of the document as the source writes them; None when one does not fit."""
    cells = pa.chunked_array([pa.array(texts, pa.string())])
    return None if len(unparsable_rows(cells, column)) else parse_text(cells, column)


def _unreadable(table: str, column: Column, field: str) -> Finding:
    return _STEP.error(
        "treatment.value_unreadable",
        column_path(table, column.name, field),
        f"A value does not read as {column.type} in the way the source writes it.",
        "Write it as it stands in the source.",
    )


def _find_bounds(
    table: str, column: Column, chosen: ColumnSettings, values: pa.ChunkedArray
) -> Iterator[Finding]:
    limits = {}
    for field in ("minimum", "maximum") if column.type in ORDERED else ():
        text = getattr(chosen, field)
        if text is None:
            continue
        read = _read([text], column)
        if read is None:
            yield _unreadable(table, column, field)
        else:
            limits[field] = read[0]
    if chosen.non_negative and column.type in NUMBERS and "minimum" not in limits:
        limits["minimum"] = pa.scalar(0, values.type)
    where = column_path(table, column.name, "minimum")
    if len(limits) == 2 and pc.greater(limits["minimum"], limits["maximum"]).as_py():
        message = "The lower bound lies above the upper bound."
        yield _STEP.error("treatment.bounds_empty", where, message, "Exchange minimum and maximum.")
    elif limits and values.null_count < len(values) and not _any_inside(values, limits):
        yield _STEP.error(
            "treatment.bounds_without_values",
            where,
            "No value of the column lies within the bounds.",
            "Widen minimum and maximum.",
        )


def _any_inside(values: pa.ChunkedArray, limits: dict[str, pa.Scalar]) -> bool:
    inside = pc.is_valid(values)
    if "minimum" in limits:
        inside = pc.and_(inside, pc.greater_equal(values, limits["minimum"]))
    if "maximum" in limits:
        inside = pc.and_(inside, pc.less_equal(values, limits["maximum"]))
    return bool(pc.any(inside).as_py())


def _find_forbidden(
    table: str, column: Column, chosen: ColumnSettings, values: pa.ChunkedArray
) -> Iterator[Finding]:
    readable = {}
    for field in ("never", "special_values"):
        texts = getattr(chosen, field)
        read = _read(texts, column) if texts else None
        if texts and read is None:
            yield _unreadable(table, column, field)
        readable[field] = read
    present = values.drop_null()
    if readable["never"] is not None and len(present):
        left = pc.invert(pc.is_in(present, value_set=readable["never"].combine_chunks()))
        if not pc.any(left).as_py():
            yield _STEP.error(
                "treatment.never_all",
                column_path(table, column.name, "never"),
                "Every value of the column is one never to generate.",
                f"Shorten the list, or write {column_path(table, column.name, 'include')}: false.",
            )
    if not len(present) and len(values) and chosen.missing == "impute":
        yield _STEP.error(
            "treatment.impute_without_values",
            column_path(table, column.name, "missing"),
            "The column has no value to fill missing ones with.",
            "Write missing: reproduce, or leave the column out.",
        )


def _find_coordinates(facts: Facts, table: str, column: Column, chosen: ColumnSettings) -> Iterator[Finding]:
    if column.type != "coordinates":
        return
    if not _is_place(facts, table, column) or not _is_place(facts, table, column, other=True):
        yield _STEP.error(
            "treatment.pair_missing",
            column_path(table, column.name, "pair"),
            "Coordinates come in pairs; the other column is not known, not a coordinate, left out, or a key, "
            "or one of them orders the rows.",
            f"Write {column_path(table, column.name, 'pair')}: <column>, or type: numeric.",
        )
    box = chosen.bounding_box
    if box is not None and not (-90 <= box[0] < box[2] <= 90 and -180 <= box[1] < box[3] <= 180):
        yield _STEP.error(
            "treatment.bounding_box",
            column_path(table, column.name, "bounding_box"),
            "The box is empty or outside the earth; expected south < north and west < east, in degrees.",
            "Write bounding_box: [south, west, north, east].",
        )


def _is_place(facts: Facts, table: str, column: Column, *, other: bool = False) -> bool:
    """Tell whether a coordinate, or the one it names as its other, is drawn as one of a pair."""
    shape = facts.schema.tables[table]
    name = column.pair if other else column.name
    if name is None or name not in shape.column_names or _is_key(facts, table, name):
        return False
    chosen = facts.column_settings(table, name)
    drawn = shape.column(name).type == "coordinates" and chosen.treatment == "synthesize"
    ordering = name == shape.order_by and facts.structure.parent_relation[table] is not None
    return drawn and not ordering


def _find_identifiers(facts: Facts, table: str, column: Column, values: pa.ChunkedArray) -> Iterator[Finding]:
    """Find identifiers that no new values can be made for: the codec is the judge."""
    kind = column_type("identifier")
    part = kind.fit((values,), np.arange(len(values), dtype=np.int64))
    try:
        kind.build(
            part, facts.column_settings(table, column.name), facts.synthesis.protection, text=column.text
        )
    except SettingsError as error:
        yield _STEP.error(
            error.code, column_path(table, column.name, error.where), error.message, error.remedy
        )


def _find_label(table: str, column: Column, chosen: ColumnSettings) -> Iterator[Finding]:
    if chosen.rare_replacement == "label" and _read([chosen.rare_label], column) is None:
        yield _STEP.error(
            "treatment.rare_label",
            column_path(table, column.name, "rare_label"),
            f"The label cannot stand in a column stored as {column.storage}.",
            "Choose a label that can, or another rare_replacement.",
        )
    if chosen.rare_replacement == "invent" and not is_text(storage_type(column.storage)):
        yield _STEP.error(
            "treatment.rare_invention",
            column_path(table, column.name, "rare_replacement"),
            f"Texts cannot be made up in a column stored as {column.storage}.",
            "Choose another rare_replacement.",
        )


def _find_rare(facts: Facts, table: str, column: Column, values: pa.ChunkedArray) -> Iterator[Finding]:
    """Find categories that protection takes away nearly all of: rows of a value bound its root rows."""
    chosen = facts.column_settings(table, column.name)
    minimum = chosen.rare_minimum or facts.synthesis.protection.rare_minimum
    counts = np.asarray(pc.value_counts(values.drop_null()).field("counts"))
    if not len(counts):
        return
    lost = int(counts[counts < minimum].sum())
    if lost > counts.sum() / 2:
        yield _STEP.warning(
            "treatment.mostly_rare",
            column_path(table, column.name),
            f"{lost:,} of {counts.sum():,} values are held by fewer than {minimum} rows and are protected: "
            "texts that are made up, or frequent values, stand in their place.",
            f"Write {column_path(table, column.name, 'type')}: identifier for new values in the same format, "
            "or lower rare_minimum.",
        )
