"""Databases and encoded tables as files. Files are numbered: no name of a table reaches the disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from safetensors.numpy import load_file, save

from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.schema.database import Database
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.system.files import commit, read_json, write_atomically, write_json


def save_table(path: Path, table: pa.Table) -> None:
    """Write one Arrow table, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    commit(temporary, path)


def load_table(path: Path) -> pa.Table:
    """Read one Arrow table; its memory is the file."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def save_tables(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write tables and, last, the list of their names."""
    for number, table in enumerate(tables.values()):
        save_table(folder / f"{number:03}.arrow", table)
    write_json(folder / "names.json", list(tables))


def load_tables(folder: Path) -> dict[str, pa.Table]:
    """Read the tables that ``save_tables`` wrote."""
    names = read_json(folder / "names.json")
    return {name: load_table(folder / f"{number:03}.arrow") for number, name in enumerate(names)}


def save_database(folder: Path, database: Database) -> None:
    """Write a database; ``database.json`` comes last and makes it valid."""
    save_tables(folder, database.tables)
    write_json(folder / "database.json", {"schema": write_schema(database.schema), "origin": database.origin})


def load_database(folder: Path) -> Database:
    """Read the database that ``save_database`` wrote."""
    document = read_json(folder / "database.json")
    schema = read_schema(document["schema"])
    return Database(schema=schema, tables=load_tables(folder), origin=document["origin"])


def save_encoded(folder: Path, encoded: Encoded) -> None:
    """Write encoded tables as safetensors with a JSON description beside them."""
    for number, table in enumerate(encoded.tables.values()):
        arrays = {"codes": np.ascontiguousarray(table.codes_RC)}
        if table.parent_R is not None:
            arrays["parent"] = np.ascontiguousarray(table.parent_R)
        write_atomically(folder / f"{number:03}.safetensors", save(arrays))
    write_json(folder / "encoded.json", [_describe(name, table) for name, table in encoded.tables.items()])


def load_encoded(folder: Path) -> Encoded:
    """Read the encoded tables that ``save_encoded`` wrote."""
    tables: dict[str, EncodedTable] = {}
    for number, document in enumerate(read_json(folder / "encoded.json")):
        arrays = load_file(folder / f"{number:03}.safetensors")
        tables[document["name"]] = EncodedTable(
            codes_RC=arrays["codes"],
            sub_columns=tuple(SubColumn.from_json(sub) for sub in document["sub_columns"]),
            parent=document["parent"],
            parent_R=arrays.get("parent"),
            counts=tuple(ChildCount.from_json(count) for count in document["counts"]),
            ordered=document["ordered"],
        )
    return Encoded(tables)


def _describe(name: str, table: EncodedTable) -> dict[str, Any]:
    return {
        "name": name,
        "parent": table.parent,
        "ordered": table.ordered,
        "sub_columns": [sub.to_json() for sub in table.sub_columns],
        "counts": [count.to_json() for count in table.counts],
    }
