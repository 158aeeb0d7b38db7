"""Copied graph: which training row hangs under and points at which, without a key and without a value.

Integers only. Root rows stand in an order by chance, so that a place does not tell whose it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.engine.given_graph import GivenGraph
from kinsynth.pipeline.plan import derive_seed
from kinsynth.schema.arrange import arrange, pointed_rows
from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.keys import row_numbers
from kinsynth.system.files import commit, damaged, read_json, write_json
from kinsynth.system.randomness import uniforms

Rows = NDArray[np.int64]
Pointed = Mapping[str, Mapping[str, Rows]]
ABOUT = (
    "The real graph of keys of the training rows, as row numbers: who is connected with whom, and how often. "
    "No key value and no other value."
)


@dataclass(frozen=True)
class CopiedGraph:
    """The real graph of keys of the training rows.

    Attributes:
        given: What hangs under and points at what among synthesised tables, rows numbered as they are drawn.
        references: For each table and each of its references, by its name, the row of the original table,
            -1 for none, shape (R,).
        minimum: Roots that must share a reference for what goes with it to be told.
    """

    given: GivenGraph
    references: Pointed
    minimum: int


def copy_graph(database: Database, *, seed: int, minimum: int) -> CopiedGraph:
    """Copy the graph of a database, its roots in an order by chance.

    Args:
        database: The rows the model may see.
        seed: Source of the order.
        minimum: Roots that must share a reference for what goes with it to be told.
    """
    structure = find_structure(database.schema)
    graph = read_graph(database, structure, minimum=minimum)
    return reorder(graph, structure, chance_order(graph, structure, seed=seed))


def read_graph(database: Database, structure: Structure, *, minimum: int) -> CopiedGraph:
    """Give the graph of a database, rows as the model sees them; rows that go round in a circle included."""
    arranged = arrange(database, structure)
    given = GivenGraph(
        roots={name: database.tables[name].num_rows for name in structure.roots},
        parent_R={name: rows.parent_R for name, rows in arranged.items() if rows.parent_R is not None},
        pointed={
            name: {str(one): pointed_rows(database, arranged, one) for one in structure.further(name)}
            for name in structure.order
        },
    )
    references = {
        name: {
            str(one): row_numbers(database.tables[name], one, database.tables[one.references_table])[
                arranged[name].row_R
            ]
            for one in structure.reference_relations[name]
        }
        for name in structure.order
    }
    return CopiedGraph(given, references, minimum)


def chance_order(graph: CopiedGraph, structure: Structure, *, seed: int) -> dict[str, Rows]:
    """Put roots in an order by chance, and what hangs under them with them; give the row at each place.

    The order hangs on the graph itself beside the seed: who does not know the graph cannot undo it.
    """
    digest = hashlib.sha256()
    for _, row_R in _arrays(graph):
        digest.update(np.ascontiguousarray(row_R).data)
    key = derive_seed(seed, f"graph {digest.hexdigest()}")
    found: dict[str, Rows] = {}
    for name in structure.order:
        owner, rows = structure.parent_relation[name], graph.given.rows(name)
        sorted_R: NDArray[Any] = uniforms(key, f"{name}/place", np.arange(rows, dtype=np.int64))[:, 0]
        if owner is not None:  # rows without owner stay behind all others
            place_P, parent_R = (
                np.argsort(found[owner.references_table], kind="stable"),
                graph.given.parent_R[name],
            )
            owned_R = parent_R < len(place_P)
            sorted_R[owned_R] = place_P[parent_R[owned_R]]
            sorted_R[~owned_R] += len(place_P)
        found[name] = np.argsort(sorted_R, kind="stable").astype(np.int64)
    return found


def reorder(graph: CopiedGraph, structure: Structure, row_R: Mapping[str, Rows]) -> CopiedGraph:
    """Give the same graph with its rows in another order: the row that now stands at each place, by table.

    The rows of one parent must stand together, in the order of the parents.
    """
    place_R = {name: np.append(np.argsort(rows, kind="stable"), -1) for name, rows in row_R.items()}
    owner, given = structure.parent_relation, graph.given
    parent_R = {
        name: _moved(parent_R[row_R[name]], place_R[relation.references_table][:-1])
        for name, parent_R in given.parent_R.items()
        if (relation := owner[name]) is not None
    }
    pointed = {
        name: {
            str(one): place_R[one.references_table][given.pointed[name][str(one)][row_R[name]]]
            for one in structure.further(name)
        }
        for name in structure.order
    }
    references = {
        name: {key: number_R[row_R[name]] for key, number_R in keys.items()}
        for name, keys in graph.references.items()
    }
    return CopiedGraph(GivenGraph(given.roots, parent_R, pointed), references, graph.minimum)


def _moved(parent_R: Rows, place_P: Rows) -> Rows:
    """Give the place of each row's parent; rows without owner are numbered behind the parents in turn."""
    moved_R = np.arange(len(parent_R), dtype=np.int64) + len(place_P)
    owned_R = parent_R < len(place_P)
    moved_R[owned_R] = place_P[parent_R[owned_R]]
    moved_R[~owned_R] -= int(owned_R.sum())
    return moved_R


def _arrays(graph: CopiedGraph) -> Iterator[tuple[str, Rows]]:
    """Give all arrays, each with the name of its file."""
    given = graph.given
    for number, name in enumerate(graph.references):
        if name in given.parent_R:
            yield f"{number:03}.parents.npy", given.parent_R[name]
        for kind, keys in (("key", given.pointed[name]), ("reference", graph.references[name])):
            for place, row_R in enumerate(keys.values()):
                yield f"{number:03}.{kind}{place}.npy", row_R


def save_graph(folder: Path, graph: CopiedGraph) -> None:
    """Write a graph: a description, and one file of numbers for each key. The description comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, row_R in _arrays(graph):
        temporary = folder / f"{name}.tmp"
        with temporary.open("wb") as file:
            np.save(file, row_R, allow_pickle=False)
        commit(temporary, folder / name)
    tables = [
        {
            "name": name,
            "rows": graph.given.rows(name),
            "root": name in graph.given.roots,
            "keys": list(graph.given.pointed[name]),
            "references": list(graph.references[name]),
        }
        for name in graph.references
    ]
    write_json(folder / "graph.json", {"about": ABOUT, "minimum": graph.minimum, "tables": tables})


def load_graph(folder: Path) -> CopiedGraph:
    """Read the graph that ``save_graph`` wrote; its memory is the files."""
    document = read_json(folder / "graph.json")
    tables: dict[str, dict[str, Any]] = {table["name"]: table for table in document["tables"]}

    numbers = {name: number for number, name in enumerate(tables)}

    def read(name: str, kind: str) -> Rows:
        return _load_rows(folder / f"{numbers[name]:03}.{kind}.npy", tables[name]["rows"])

    def read_keys(kind: str) -> dict[str, dict[str, Rows]]:
        return {
            name: {key: read(name, f"{kind}{place}") for place, key in enumerate(table[f"{kind}s"])}
            for name, table in tables.items()
        }

    given = GivenGraph(
        roots={name: table["rows"] for name, table in tables.items() if table["root"]},
        parent_R={name: read(name, "parents") for name, table in tables.items() if not table["root"]},
        pointed=read_keys("key"),
    )
    return CopiedGraph(given, read_keys("reference"), document["minimum"])


def _load_rows(path: Path, rows: int) -> Rows:
    try:
        row_R = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise damaged(path) from error
    if row_R.shape != (rows,) or row_R.dtype != np.int64:
        raise damaged(path)
    return row_R
