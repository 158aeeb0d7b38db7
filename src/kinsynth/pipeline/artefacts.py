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
            sub_columns=tuple(_read_sub_column(sub) for sub in document["sub_columns"]),
            parent=document["parent"],
            parent_R=arrays.get("parent"),
            counts=tuple(_read_count(count) for count in document["counts"]),
            ordered=document["ordered"],
        )
    return Encoded(tables)


def _describe(name: str, table: EncodedTable) -> dict[str, Any]:
    return {
        "name": name,
        "parent": table.parent,
        "ordered": table.ordered,
        "sub_columns": [_write_sub_column(sub) for sub in table.sub_columns],
        "counts": [_write_count(count) for count in table.counts],
    }


def _write_sub_column(sub: SubColumn) -> dict[str, Any]:
    position = None
    if sub.position_K is not None:
        position = [None if np.isnan(place) else float(place) for place in sub.position_K]
    forbidden = None if sub.forbidden_K is None else [int(code) for code in np.flatnonzero(sub.forbidden_K)]
    return {
        "column": sub.column,
        "cardinality": sub.cardinality,
        "position": position,
        "forbidden": forbidden,
    }


def _read_sub_column(document: Mapping[str, Any]) -> SubColumn:
    position, forbidden = None, None
    if document["position"] is not None:
        places = [np.nan if place is None else place for place in document["position"]]
        position = np.array(places, dtype=np.float32)
    if document["forbidden"] is not None:
        forbidden = np.zeros(document["cardinality"], dtype=np.bool_)
        forbidden[document["forbidden"]] = True
    return SubColumn(document["column"], document["cardinality"], position, forbidden)


def _write_count(count: ChildCount) -> dict[str, Any]:
    return {
        "child": count.child,
        "sub_column": count.sub_column,
        "low": count.low_K.tolist(),
        "high": count.high_K.tolist(),
    }


def _read_count(document: Mapping[str, Any]) -> ChildCount:
    low, high = (np.array(document[name], dtype=np.int64) for name in ("low", "high"))
    return ChildCount(document["child"], document["sub_column"], low, high)
