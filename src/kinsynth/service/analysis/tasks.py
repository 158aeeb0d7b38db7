"""What analysis children do: every function here runs in a limited child, in a folder of its own.

Paths are relative to that folder. Arguments and answers are plain JSON. Loads no torch.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from kinsynth.columns.detect import is_text
from kinsynth.connectors.base import Dialect, Listing, Skipped, SourceTable
from kinsynth.connectors.destination import write
from kinsynth.connectors.files import read
from kinsynth.errors import SettingsError
from kinsynth.pipeline.artefacts import load_database, load_table, table_path
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.complexity import assess_inspection
from kinsynth.pipeline.description import describe
from kinsynth.pipeline.growth import expect_rows
from kinsynth.pipeline.inspect import Inspection, inspect
from kinsynth.pipeline.outline import check_drawing as check_asked
from kinsynth.pipeline.outline import load_outline
from kinsynth.pipeline.request import find_conditions, gather_rows, name_table, save_given, write_conditions
from kinsynth.schema.document import read_schema
from kinsynth.schema.graph import find_structure
from kinsynth.schema.literals import format_text
from kinsynth.schema.table import Column
from kinsynth.service.analysis import LISTING
from kinsynth.settings.conditions import Asked, Fill
from kinsynth.settings.destination import Destination
from kinsynth.settings.document import dump, parse
from kinsynth.settings.source import Source
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system.failures import explained
from kinsynth.system.files import read_json, write_json

CELL_LETTERS = 1_000
PAGE_CELLS, PAGE_LETTERS = 100_000, 2_000_000
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@explained()
def parse_files(source: dict[str, Any], names: list[str]) -> None:
    """Read the files in ``files`` and leave their tables in ``tables``, with the list of them."""
    settings = Source(**{**source, "kind": "files", "paths": names})
    _save_listing(Path("tables"), read(settings, Path("tables"), base=Path("files")))


@explained()
def detect(document: dict[str, Any]) -> dict[str, Any]:
    """Say what the tables hold, and write a document that says it outright."""
    synthesis, inspection = _inspect(document)
    return describe(inspection, synthesis)


@explained()
def check_document(document: dict[str, Any]) -> dict[str, Any]:
    """Check a document against the tables, count root rows, and assess the cost when nothing blocks."""
    synthesis, inspection = _inspect(document)
    findings = check(inspection, synthesis)
    blocked = any(finding.severity == "error" for finding in findings)
    return {
        "findings": [asdict(finding) for finding in findings],
        "assessment": None if blocked else asdict(assess_inspection(inspection, synthesis)),
        "rows": count_roots(inspection, synthesis),
    }


def count_roots(inspection: Inspection, synthesis: Synthesis) -> dict[str, int]:
    """Give the rows that will be drawn of each root table."""
    asked, roots = synthesis.generation, find_structure(inspection.schema).roots
    found = {name: inspection.tables[name].num_rows for name in roots}
    wanted = {name: number for name, number in asked.rows.items() if name in found}
    return expect_rows(found, wanted, inspection.schema, copied=asked.keys == "copied")


@explained()
def check_drawing(
    rows: dict[str, int], asked: dict[str, Any], named: dict[str, str] | None, fill: dict[str, Any] | None
) -> dict[str, Any]:
    """Check what is asked of the model in ``model``, and leave the rows of the tables in ``given``.

    Args:
        rows: Rows of root tables.
        asked: Conditions in a user's words.
        named: Tables of files whose names do not say them; None where no rows are given.
        fill: How the given rows are filled; None draws a database.

    Raises:
        SettingsError: ``condition.given_file``; errors as of ``find_conditions`` and ``check_asked``.
    """
    outline = load_outline(Path("model"))
    listed = _load_listing(Path("tables")).tables if named is not None else ()
    if unknown := (named or {}).keys() - {one.file for one in listed}:
        raise SettingsError(
            "condition.given_file",
            f"The source has no table in {', '.join(sorted(unknown))}.",
            where="given.tables",
            remedy="Name files of the source's version, with their endings.",
        )
    given = gather_rows(
        ((named or {}).get(one.file) or name_table(one.name, outline.schema), one.table(), one.file)
        for one in listed
    )
    schema = outline.alone(*given).schema if fill and len(given) == 1 else outline.schema
    conditions = find_conditions(Asked.model_validate(asked), schema, given)
    check_asked(outline, rows, conditions, Fill.model_validate(fill) if fill else None)
    save_given(Path("given"), conditions)
    return {
        "rows": {**rows, **{name: table.num_rows for name, table in given.items()}},
        "conditions": write_conditions(conditions),
    }


@explained()
def page_table(file: str, offset: int, limit: int) -> dict[str, Any]:
    """Give some rows of a table of the source."""
    return _page(load_table(Path(file)), offset, limit, {})


@explained()
def page_result(table: str, offset: int, limit: int) -> dict[str, Any]:
    """Give some rows of a table of the synthetic database in ``synthetic``, as its files have them."""
    folder = Path("synthetic")
    schema = read_schema(read_json(folder / "database.json")["schema"])
    columns = {column.name: column for column in schema.tables[table].columns}
    number = read_json(folder / "names.json").index(table)
    return _page(load_table(table_path(folder, number)), offset, limit, columns)


@explained()
def convert(format: str, settings: dict[str, Any]) -> str:  # noqa: A002 - the user's word
    """Write the synthetic database in ``synthetic`` as one file in ``out`` and give its name."""
    database = load_database(Path("synthetic"))
    destination = Destination(**{**settings, "kind": "files", "format": format})
    files = sorted({one.file for one in write(database, destination, Path("made"))})
    out = Path("out")
    out.mkdir()
    if len(files) == 1:
        files[0].rename(out / files[0].name)
        return files[0].name
    target = out / f"{format}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            _add(archive, file)
    return target.name


@explained()
def read_document(text: str) -> dict[str, Any]:
    """Read a document that somebody wrote as YAML."""
    from kinsynth.settings.document import read_yaml

    return parse(read_yaml(text, where="document")).model_dump(mode="json", exclude_unset=True)


@explained()
def write_document(document: dict[str, Any]) -> str:
    """Write a document as YAML with comments."""
    return dump(parse(document))


# Tables


def _inspect(document: Mapping[str, Any]) -> tuple[Synthesis, Inspection]:
    synthesis, listing = parse(document), _load_listing(Path("tables"))
    return synthesis, inspect(
        {table.name: table.table() for table in listing.tables}, synthesis, listing=listing
    )


def _save_listing(folder: Path, listing: Listing) -> None:
    tables = [{**asdict(table), "path": table.path.name} for table in listing.tables]
    write_json(folder / LISTING, {"tables": tables, "skipped": [asdict(one) for one in listing.skipped]})


def _load_listing(folder: Path) -> Listing:
    document = read_json(folder / LISTING)
    return Listing(
        tuple(
            SourceTable(
                **{
                    **facts,
                    "path": folder / facts["path"],
                    "dialect": Dialect(**facts["dialect"]) if facts["dialect"] else None,
                }
            )
            for facts in document["tables"]
        ),
        tuple(Skipped(**one) for one in document["skipped"]),
    )


def _page(table: pa.Table, offset: int, limit: int, columns: Mapping[str, Column]) -> dict[str, Any]:
    """Give rows as texts; fewer where they are wide or long in all, and very long texts are cut."""
    most = max(1, min(limit, PAGE_CELLS // max(1, table.num_columns)))
    part = table.slice(offset, most)
    texts = [_texts(part.column(name), columns.get(name)) for name in part.column_names]
    return {
        "columns": part.column_names,
        "rows": _fitting([list(cells) for cells in zip(*texts, strict=True)]) if texts else [],
        "offset": offset,
        "total": table.num_rows,
    }


def _texts(values: pa.ChunkedArray, column: Column | None) -> list[str | None]:
    written = values if column is None or is_text(values.type) else format_text(values, column)
    return [None if cell is None else _cut(str(cell)) for cell in written.to_pylist()]


def _fitting(rows: list[list[str | None]]) -> list[list[str | None]]:
    """Give the first rows that a page has room for, at least one."""
    letters = 0
    for number, row in enumerate(rows):
        letters += sum(len(cell) for cell in row if cell)
        if letters > PAGE_LETTERS and number:
            return rows[:number]
    return rows


def _cut(text: str) -> str:
    return text if len(text) <= CELL_LETTERS else text[:CELL_LETTERS] + "…"


def _add(archive: zipfile.ZipFile, file: Path) -> None:
    """Add a file as of a fixed day: the same files are the same archive."""
    member = zipfile.ZipInfo(file.name, _ZIP_TIME)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    with file.open("rb") as source, archive.open(member, "w", force_zip64=True) as sink:
        while part := source.read(1 << 20):
            sink.write(part)
