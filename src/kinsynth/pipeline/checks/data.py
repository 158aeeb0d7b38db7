"""Choose data: what the document names exists, and there is enough of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from kinsynth.connectors.base import SourceTable
from kinsynth.errors import Finding
from kinsynth.pipeline.checks.facts import Facts, Step, column_path, suggest, table_path
from kinsynth.pipeline.roles import kept_columns
from kinsynth.schema.literals import unparsable_rows
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Column

# With five rows for each kept value, fewer rows than this leave less than four values of any column.
FEWEST_ROWS = 20
FEW_ROWS = 500
_STEP = Step("data")
_MEASURES = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_temporal)
_BAD_NAME = re.compile(r"[/\\\x00-\x1f]|^\.{1,2}$|^$")


def find_data(facts: Facts) -> Iterator[Finding]:
    """Give the findings of the step."""
    yield from _find_files(facts)
    yield from _find_unknown_names(facts)
    if not facts.schema.tables:
        yield _STEP.error(
            "data.no_tables",
            "tables",
            "No table takes part.",
            "Include at least one: tables.<table>.include: true.",
        )
    for name in facts.schema.tables:
        yield from _find_table(facts, name)
    yield from _find_too_few_rows(facts)
    for root in facts.structure.roots:
        yield from _find_few_rows(facts, root)


def _find_files(facts: Facts) -> Iterator[Finding]:
    if facts.listing is None:
        return
    for skipped in facts.listing.skipped:
        yield _STEP.notice(
            "data.file_skipped",
            "source.paths",
            f"{skipped.file} was left aside: {skipped.reason.rstrip('.')}.",
            "Nothing is to be done unless it holds a table.",
        )
    for table in facts.listing.tables:
        for name, count in table.notes.items():
            yield _STEP.notice(
                "data.cells_noted",
                table_path(table.name),
                f"{table.file} has {count:,} {name.replace('_', ' ')}.",
                "Look at the file if that is not expected.",
            )
        yield from _find_header(facts, table)


def _find_header(facts: Facts, table: SourceTable) -> Iterator[Finding]:
    """Warn of a text file whose first row seems to be data; its names are cells then, and not said."""
    if table.dialect is None or table.name not in facts.schema.tables:
        return
    columns = facts.schema.tables[table.name].columns
    if count := sum(map(_is_named_like_data, columns)):
        yield _STEP.warning(
            "data.header_like_data",
            table_path(table.name),
            f"The names of {count} of {len(columns)} columns read as numbers or dates, as their cells do: "
            "the file may have no header line.",
            "Add a header line to the file, unless its first line is one.",
        )


def _is_named_like_data(column: Column) -> bool:
    """Tell whether a column of numbers or dates has one for a name."""
    storage = storage_type(column.storage)
    measured = any(is_kind(storage) for is_kind in _MEASURES)
    if not measured or not any(sign.isdigit() for sign in column.name):
        return False
    return len(unparsable_rows(pa.chunked_array([[column.name]]), column)) == 0


def _find_unknown_names(facts: Facts) -> Iterator[Finding]:
    for name, table in facts.synthesis.tables.items():
        if name not in facts.source:
            message = "The source has no such table."
            yield _STEP.error("data.unknown_table", table_path(name), message, suggest(name, facts.source))
            continue
        known = facts.source[name]
        for column in table.columns:
            if column not in known:
                yield _unknown_column(column_path(name, column), column, known)
        if table.order_by and table.order_by not in known:
            yield _unknown_column(table_path(name, "order_by"), table.order_by, known)


def _unknown_column(where: str, column: str, known: Sequence[str]) -> Finding:
    message = "The table has no such column."
    return _STEP.error("data.unknown_column", where, message, suggest(column, known))


def _find_table(facts: Facts, name: str) -> Iterator[Finding]:
    if _BAD_NAME.search(name):
        yield _STEP.error(
            "data.table_name",
            table_path(name),
            "The table's name cannot be the name of a file.",
            "Rename the file or the sheet; / and \\ and control characters cannot stand in it.",
        )
    if not kept_columns(facts.schema, name, facts.synthesis):
        yield _STEP.error(
            "data.no_columns",
            table_path(name, "columns"),
            "No column of the table takes part.",
            f"Include a column, or leave the table out: {table_path(name, 'include')}: false.",
        )
    if not facts.rows(name) and (name not in facts.structure.roots or _is_bearable(facts, name)):
        yield _STEP.warning(
            "data.empty_table",
            table_path(name),
            "The table has no rows; the synthetic one will have none either.",
            f"Leave it out: {table_path(name, 'include')}: false.",
        )


def _is_small(facts: Facts, root: str) -> bool:
    return facts.rows(root) < FEWEST_ROWS


def _is_bearable(facts: Facts, root: str) -> bool:
    """Tell whether a small table stands alone beside larger ones."""
    return not facts.structure.children(root) and not all(
        _is_small(facts, one) for one in facts.structure.roots
    )


def _originals(facts: Facts, tables: Sequence[str]) -> str:
    """Write how tables that reference no synthesised one are marked as original; empty for none."""
    able = [
        name
        for name in tables
        if all(facts.schema.tables[one.references_table].original for one in facts.schema.outgoing(name))
    ]
    return ", ".join(f"{table_path(name, 'original')}: true" for name in able)


def _find_too_few_rows(facts: Facts) -> Iterator[Finding]:
    """Find the root tables that are too small, all at once: those beside them can be marked with them."""
    small = [root for root in facts.structure.roots if _is_small(facts, root)]
    stopping = [root for root in small if not _is_bearable(facts, root)]
    if not stopping:
        return
    counts = ", ".join(f"{facts.rows(root)} ({root})" for root in stopping)
    marks = _originals(facts, [*stopping, *(root for root in small if root not in stopping)])
    yield _STEP.error(
        "data.too_few_rows",
        table_path(stopping[0]) if len(stopping) == 1 else "tables",
        f"The root table has {facts.rows(stopping[0])} rows; at least {FEWEST_ROWS} are needed."
        if len(stopping) == 1
        else f"{len(stopping)} root tables have fewer than {FEWEST_ROWS} rows: {counts}.",
        "Add rows to the source"
        + (f", or mark lookup tables without personal data as original: {marks}." if marks else "."),
    )


def _find_few_rows(facts: Facts, root: str) -> Iterator[Finding]:
    rows = facts.rows(root)
    if 0 < rows < FEWEST_ROWS and _is_bearable(facts, root):
        marks = _originals(facts, [root])
        yield _STEP.warning(
            "data.hardly_any_rows",
            table_path(root),
            f"The table has {rows} rows: value protection leaves next to nothing of them.",
            f"If it is a lookup table without personal data, mark it: {marks}."
            if marks
            else f"Leave it out if it is of no use: {table_path(root, 'include')}: false.",
        )
    elif FEWEST_ROWS <= rows < FEW_ROWS:
        yield _STEP.warning(
            "data.few_rows",
            table_path(root),
            f"The root table has {rows} rows; below {FEW_ROWS} little can be learned and scores are rough.",
            "Add rows to the source if there are more.",
        )
