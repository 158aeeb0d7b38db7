"""Databases and encoded tables as files. Files are numbered: no name of a table reaches the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.encoded import (
    ChildCount,
    Encoded,
    EncodedParts,
    EncodedTable,
    Ending,
    Link,
    Pointer,
    Stay,
    SubColumn,
    Together,
)
from kinsynth.schema.database import Database
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.schema.split import kept_batches
from kinsynth.system.files import commit, read_json, write_json
from kinsynth.system.mapping import let_go, map_file


def save_table(path: Path, table: pa.Table, kept_R: NDArray[np.bool_] | None = None) -> None:
    """Write one Arrow table, or those rows of it that are marked, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        for batch in kept_batches(table, kept_R):
            writer.write_batch(batch)
    commit(temporary, path)


def save_parts(path: Path, parts: Iterable[pa.Table]) -> None:
    """Write one Arrow table of its parts, one at least, whole or not at all."""
    rest = iter(parts)
    first = next(rest)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, first.schema) as writer:
        for part in chain([first], rest):
            writer.write_table(part)
    commit(temporary, path)


def load_table(path: Path) -> pa.Table:
    """Read one Arrow table; its memory is the file."""
    return pa.ipc.open_file(pa.py_buffer(map_file(path))).read_all()


def save_tables(
    folder: Path, tables: Mapping[str, pa.Table], kept: Mapping[str, NDArray[np.bool_]] | None = None
) -> None:
    """Write tables, of those in ``kept`` the marked rows only, and, last, the list of their names."""
    for number, (name, table) in enumerate(tables.items()):
        save_table(table_path(folder, number), table, (kept or {}).get(name))
    write_json(folder / "names.json", list(tables))


def table_path(folder: Path, number: int) -> Path:
    """Give the file of the n-th table."""
    return folder / f"{number:03}.arrow"


def load_tables(folder: Path) -> dict[str, pa.Table]:
    """Read the tables that ``save_tables`` wrote."""
    names = read_json(folder / "names.json")
    return {name: load_table(table_path(folder, number)) for number, name in enumerate(names)}


def save_database(
    folder: Path, database: Database, kept: Mapping[str, NDArray[np.bool_]] | None = None
) -> None:
    """Write a database, of the tables in ``kept`` the marked rows only.

    ``database.json`` comes last and makes it valid.
    """
    save_tables(folder, database.tables, kept)
    describe_database(folder, database)


def describe_database(folder: Path, database: Database) -> None:
    """Write what belongs to the tables that the folder holds already; it makes the folder a database."""
    write_json(folder / "names.json", list(database.tables))
    write_json(folder / "database.json", {"schema": write_schema(database.schema), "origin": database.origin})


def load_database(folder: Path) -> Database:
    """Read the database that ``save_database`` wrote."""
    document = read_json(folder / "database.json")
    schema = read_schema(document["schema"])
    return Database(schema=schema, tables=load_tables(folder), origin=document["origin"])


def save_encoded(folder: Path, tables: Mapping[str, EncodedParts]) -> None:
    """Turn tables into codes and write them chunk by chunk, with a JSON description of all beside them.

    Codes lie row by row, without a header, in the smallest integer type that holds them.
    """
    documents = []
    for number, (name, parts) in enumerate(tables.items()):
        _write_arrays(folder / f"{number:03}.codes", parts.chunks())
        if parts.parent_R is not None:
            _write_arrays(folder / f"{number:03}.parents", [parts.parent_R])
        for place, link in enumerate(parts.links):
            _write_arrays(folder / f"{number:03}.link{place}", [link.row_R])
        documents.append(_describe(name, parts))
    write_json(folder / "encoded.json", documents, indent=None)


def load_encoded(folder: Path) -> Encoded:
    """Read the encoded tables that ``save_encoded`` wrote; the codes' memory is the file."""
    tables: dict[str, EncodedTable] = {}
    for number, document in enumerate(read_json(folder / "encoded.json")):
        subs = tuple(SubColumn.from_json(sub) for sub in document["sub_columns"])
        rows, parents = document["rows"], folder / f"{number:03}.parents"
        links = [
            Link(target, map_array(folder / f"{number:03}.link{place}", np.int64, rows))
            for place, target in enumerate(document["links"])
        ]
        tables[document["name"]] = EncodedTable(
            codes_RC=map_array(folder / f"{number:03}.codes", np.dtype(document["type"]), rows, len(subs)),
            sub_columns=subs,
            parent=document["parent"],
            parent_R=None if document["parent"] is None else map_array(parents, np.int64, rows),
            counts=tuple(ChildCount.from_json(count) for count in document["counts"]),
            ordered=document["ordered"],
            alone=document["alone"],
            links=tuple(links),
            keys_of=document["keys_of"],
            pointers=tuple(Pointer.from_json(pointer) for pointer in document["pointers"]),
            stays=tuple(Stay.from_json(stay) for stay in document["stays"]),
            unlike=tuple(
                (Ending.from_json(one), Ending.from_json(other)) for one, other in document["unlike"]
            ),
            together=tuple(Together.from_json(pair) for pair in document["together"]),
        )
        let_go()
    return Encoded(tables)


def _write_arrays(path: Path, arrays: Iterable[NDArray[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        for array in arrays:
            file.write(np.ascontiguousarray(array).data)
    commit(temporary, path)


def map_array(path: Path, kind: Any, *shape: int) -> NDArray[Any]:
    """Read an array without a header; its memory is the file."""
    if 0 in shape:
        return np.zeros(shape, kind)
    return np.frombuffer(map_file(path), kind).reshape(shape)


def _describe(name: str, parts: EncodedParts) -> dict[str, Any]:
    table = parts.head
    return {
        "name": name,
        "rows": parts.rows,
        "alone": parts.alone,
        "type": table.codes_RC.dtype.name,
        "parent": table.parent,
        "ordered": table.ordered,
        "sub_columns": [sub.to_json() for sub in table.sub_columns],
        "counts": [count.to_json() for count in table.counts],
        "links": [link.target for link in parts.links],
        "keys_of": table.keys_of,
        "unlike": [[ending.to_json() for ending in pair] for pair in parts.head.unlike],
        "together": [pair.to_json() for pair in parts.head.together],
        "pointers": [pointer.to_json() for pointer in table.pointers],
        "stays": [stay.to_json() for stay in table.stays],
    }
