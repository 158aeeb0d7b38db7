"""Writing of a synthetic database into a folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from kinsynth.connectors.base import Written
from kinsynth.connectors.file_names import file_names, sheet_names
from kinsynth.connectors.texts.writer import write_text_file
from kinsynth.connectors.workbooks.writer import check_size, write_ods, write_xlsx
from kinsynth.errors import UserError
from kinsynth.schema.database import Database
from kinsynth.settings.destination import Destination
from kinsynth.system.files import commit, digest

WORKBOOK = "database"
_WORKBOOKS = {"xlsx", "ods"}
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def write(database: Database, destination: Destination, folder: Path) -> tuple[Written, ...]:
    """Write every table of a synthetic database.

    Args:
        database: The tables.
        destination: The settings.
        folder: Where files go; made when missing.

    Returns:
        What was written, in the order of the tables.

    Raises:
        UserError: A file exists already (``destination.exists``), or the format cannot hold the table
            (``destination.too_large``, ``destination.character``).
        ValueError: The database is an original.

    Guarantees:
        Files get their names only when all of them are complete. The same database gives the same bytes.
    """
    if database.origin != "synthetic":
        raise ValueError("an original database is never written")
    folder.mkdir(parents=True, exist_ok=True)
    if destination.format in _WORKBOOKS:
        return _write_workbook(database, destination, folder)
    return _write_files(database, destination, folder)


def _write_files(database: Database, destination: Destination, folder: Path) -> tuple[Written, ...]:
    """Write one file for each table."""
    names = file_names(database.tables)
    paths = {table: folder / f"{name}.{destination.format}" for table, name in names.items()}

    def fill(table: str, path: Path) -> None:
        rows = database.tables[table]
        if destination.format == "parquet":
            pq.write_table(rows, path, compression="zstd")
        else:
            write_text_file(
                path,
                rows,
                database.schema.tables[table],
                delimiter=_DELIMITERS[destination.format],
                neutralise=destination.neutralise_formulas,
            )

    _write_whole({path: partial(fill, table) for table, path in paths.items()})
    return tuple(
        Written(table, path, "", destination.format, database.tables[table].num_rows, digest(path))
        for table, path in paths.items()
    )


def _write_workbook(database: Database, destination: Destination, folder: Path) -> tuple[Written, ...]:
    """Write one workbook with a sheet for each table."""
    for name, rows in database.tables.items():
        check_size(name, rows)
    path = folder / f"{WORKBOOK}.{destination.format}"
    sheets = sheet_names(database.tables)

    def fill(part: Path) -> None:
        if destination.format == "xlsx":
            write_xlsx(
                part, database.schema, database.tables, sheets, neutralise=destination.neutralise_formulas
            )
        else:
            write_ods(part, database.schema, database.tables, sheets)

    _write_whole({path: fill})
    sha256 = digest(path)
    return tuple(
        Written(table, path, sheets[table], destination.format, rows.num_rows, sha256)
        for table, rows in database.tables.items()
    )


def _write_whole(fills: Mapping[Path, Callable[[Path], None]]) -> None:
    """Write files under temporary names; rename them when all are complete."""
    parts = {path: path.with_name(f".{path.name}.part") for path in fills}
    for path in fills:
        if path.exists():
            raise UserError(
                "destination.exists",
                "The file exists already.",
                where=path.name,
                remedy="Choose another folder.",
            )
    try:
        for path, fill in fills.items():
            fill(parts[path])
        for path, part in parts.items():
            commit(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
