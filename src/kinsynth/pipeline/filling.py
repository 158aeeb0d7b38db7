"""Filling: a file with empty cells in, a file without them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kinsynth.connectors.destination import write
from kinsynth.errors import UserError
from kinsynth.pipeline.conditions import find_column
from kinsynth.pipeline.imputation import count_filled
from kinsynth.pipeline.library import load
from kinsynth.pipeline.request import read_rows
from kinsynth.schema.database import Database
from kinsynth.schema.table import Schema
from kinsynth.settings.destination import Destination
from kinsynth.system.failures import explained
from kinsynth.system.files import commit

FORMATS: dict[str, Any] = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}


@dataclass(frozen=True)
class Filled:
    """What was filled.

    Attributes:
        rows: Rows of the table.
        cells: Cells that were empty in the file, or not there, and no longer are.
    """

    rows: int
    cells: int


@explained()
def fill_file(
    folder: Path,
    file: Path,
    output: Path,
    *,
    table: str | None = None,
    method: Any = "draw",
    seed: int | None = None,
    empty_is_missing: Sequence[str] = (),
    allow_missing: bool = False,
    temperature: float | None = None,
) -> Filled:
    """Fill the empty cells of a file.

    Args:
        folder: Folder of a finished execution, or of a stored model.
        file: Rows of one root table.
        output: File to make, written whole or not at all.
        table: Name of the table; else the file's name, else the only root table.
        method: As in ``Model.impute``.
        seed: As in ``Model.impute``.
        empty_is_missing: Columns, with or without the table's name.
        allow_missing: As in ``Model.impute``.
        temperature: As in ``Model.impute``.

    Raises:
        KinsynthError: The file does not fit the model, or the output exists.
    """
    check_output(output)
    model = load(folder)
    name, rows = read_rows(file, model.schema, base=Path.cwd(), table=table or "")
    columns = [
        one if one in rows.column_names else find_column(model.schema, one)[1] for one in empty_is_missing
    ]
    filled = model.fill(
        rows,
        name,
        method=method,
        seed=seed,
        empty_is_missing=columns,
        allow_missing=allow_missing,
        temperature=temperature,
    )
    database = Database(Schema({name: model.schema.tables[name]}), {name: filled}, "synthetic")
    with TemporaryDirectory(dir=output.absolute().parent) as staging:
        written = write(database, Destination(format=FORMATS[output.suffix.lower()]), Path(staging))
        commit(written[0].file, output.absolute())
    return Filled(filled.num_rows, count_filled(rows, filled))


def check_output(output: Path) -> None:
    """Refuse a file that cannot be made.

    Raises:
        UserError: ``command.output_format`` or ``command.file_exists``.
    """
    if output.suffix.lower() not in FORMATS:
        raise UserError(
            "command.output_format",
            f"The name must end with {', '.join(FORMATS)}.",
            where=str(output),
            remedy="Choose another name.",
        )
    if output.exists():
        raise UserError(
            "command.file_exists",
            "The file exists already.",
            where=str(output),
            remedy="Choose another name.",
        )
