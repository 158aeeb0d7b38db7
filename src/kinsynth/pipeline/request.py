"""Request: conditions as words of a command and files of known rows, and kept in an execution's folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from kinsynth.connectors.files import read
from kinsynth.errors import SettingsError, UserError
from kinsynth.pipeline.artefacts import load_tables, save_tables
from kinsynth.pipeline.conditions import Conditions, contradiction, find_column, only_root
from kinsynth.schema.table import Schema
from kinsynth.settings.conditions import Asked
from kinsynth.settings.source import Source


class Request(Asked):
    """What a command asks for, in its words.

    Attributes:
        given: Root table and file with known rows of it; where no table is said, the file's name says it.
    """

    given: tuple[tuple[str, Path], ...] = ()

    def conditions(self, schema: Schema, *, base: Path) -> Conditions:
        """Read the files and find the columns.

        Args:
            schema: Schema of the model.
            base: Folder that relative paths start at.

        Raises:
            KinsynthError: A file cannot be read, or two hold rows of one table; as ``find_conditions``.
        """
        return find_conditions(self, schema, read_files(self.given, schema, base=base))


def find_conditions(asked: Asked, schema: Schema, given: Mapping[str, pa.Table]) -> Conditions:
    """Find the columns that a user names.

    Raises:
        SettingsError: A column is not there, is fixed twice or has two shares of one value.
    """
    fixed: dict[str, dict[str, Any]] = defaultdict(dict)
    balance: dict[str, dict[str, dict[Any, float]]] = defaultdict(lambda: defaultdict(dict))
    never: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for name, value in asked.fixed:
        table, column = find_column(schema, name)
        if column in fixed[table]:
            raise contradiction(f"{table}.{column}")
        fixed[table][column] = value or None
    for name, value, share in asked.shares:
        table, column = find_column(schema, name)
        if (value or None) in balance[table][column]:
            raise _two_shares(f"{table}.{column}")
        balance[table][column][value or None] = share
    for name, value in asked.never:
        table, column = find_column(schema, name)
        never[table][column].append(value)
    return Conditions(
        given=given,
        fixed=fixed,
        empty_is_missing=_by_table(schema, asked.empty_is_missing),
        balance=balance,
        never=never,
        no_missing=_by_table(schema, asked.no_missing),
        temperature=asked.temperature,
    )


def read_files(files: Sequence[tuple[str, Path]], schema: Schema, *, base: Path) -> dict[str, pa.Table]:
    """Read files with rows of root tables, one for each table.

    Raises:
        KinsynthError: A file cannot be read; ``condition.given_twice``, two hold rows of one table.
    """
    return gather_rows((*read_rows(path, schema, base=base, table=table), str(path)) for table, path in files)


def gather_rows(tables: Iterable[tuple[str, pa.Table, str]]) -> dict[str, pa.Table]:
    """Take tables with their names and where they were read, one of each name.

    Raises:
        UserError: ``condition.given_twice``.
    """
    found: dict[str, pa.Table] = {}
    read_from: dict[str, str] = {}
    for name, rows, origin in tables:
        if name in found:
            raise UserError(
                "condition.given_twice",
                f"{read_from[name]} and {origin} both give rows of this table; expected one file.",
                where=name,
                remedy="Put the rows into one file, or say the table of each: TABLE=FILE.",
            )
        found[name], read_from[name] = rows, origin
    return found


def name_table(found: str, schema: Schema) -> str:
    """Give the table that a file's name says: the one of this name, else the only root table."""
    return found if found in schema.tables else only_root(schema)


def read_rows(path: Path, schema: Schema, *, base: Path, table: str = "") -> tuple[str, pa.Table]:
    """Read a file with rows of one table: the one said, else that of its name, else the only root table.

    Raises:
        KinsynthError: The file cannot be read, or holds several tables.
    """
    with TemporaryDirectory() as folder:
        listing = read(Source(paths=(str(path),)), Path(folder), base=base)
        if len(listing.tables) != 1:
            raise UserError(
                "condition.several_tables",
                f"The file holds {len(listing.tables)} tables; expected one.",
                where=path.name,
                remedy="Give a file for each table.",
            )
        rows = listing.tables[0].table()
        # The file is removed when the folder is: its cells are copied out of it.
        copied = pa.Table.from_batches(
            [
                pa.record_batch([pa.concat_arrays([one]) for one in batch.columns], batch.schema)
                for batch in rows.to_batches()
            ],
            rows.schema,
        )
    return table or name_table(listing.tables[0].name, schema), copied


def _two_shares(where: str) -> SettingsError:
    return SettingsError(
        "condition.shares",
        "Two shares are asked for one value.",
        where=where,
        remedy="Name each value once.",
    )


def _by_table(schema: Schema, names: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        table, column = find_column(schema, name)
        found[table].append(column)
    return found


def write_conditions(conditions: Conditions) -> dict[str, Any]:
    """Give conditions as JSON, without the given rows; values must be texts, numbers or missing."""
    shares = [
        [table, column, value, share]
        for table, columns in conditions.balance.items()
        for column, wanted in columns.items()
        for value, share in wanted.items()
    ]
    return {
        "given": bool(conditions.given),
        "fixed": {table: dict(values) for table, values in conditions.fixed.items()},
        "empty_is_missing": {table: list(names) for table, names in conditions.empty_is_missing.items()},
        "balance": shares,
        "never": {
            table: {column: list(values) for column, values in columns.items()}
            for table, columns in conditions.never.items()
        },
        "no_missing": {table: list(names) for table, names in conditions.no_missing.items()},
        "temperature": conditions.temperature,
    }


def read_conditions(document: dict[str, Any], given: Path) -> Conditions:
    """Read what ``write_conditions`` gave, and the given rows from a folder."""
    balance: dict[str, dict[str, dict[Any, float]]] = defaultdict(lambda: defaultdict(dict))
    for table, column, value, share in document["balance"]:
        balance[table][column][value] = share
    fields = {
        name: document[name] for name in ("fixed", "empty_is_missing", "never", "no_missing", "temperature")
    }
    return Conditions(given=load_tables(given) if document["given"] else {}, balance=balance, **fields)


def save_given(folder: Path, conditions: Conditions) -> None:
    """Keep the given rows in a folder, from which ``read_conditions`` takes them."""
    if conditions.given:
        save_tables(folder, conditions.given)
