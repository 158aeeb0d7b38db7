"""How many rows each root table gets."""

from __future__ import annotations

from kinsynth.pipeline.model import grow
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Column, Relation, Schema, Table


def pointing(**of: str) -> Schema:
    """Tables whose one key may be missing: each is a root of drawing."""
    names = {*of, *of.values()}
    columns = (Column("id", "identifier", "int64"), Column("of", "identifier", "int64", nullable=True))
    tables = {name: Table(name, columns, ("id",)) for name in sorted(names)}
    return Schema(tables, tuple(Relation(name, ("of",), to, ("id",)) for name, to in of.items()))


def test_tables_grow_with_what_their_rows_point_to() -> None:
    structure = find_structure(pointing(orders="customers", notes="orders"))
    found = {"customers": 10, "orders": 30, "notes": 60}
    assert grow(found, {"customers": 20}, structure) == {"customers": 20, "orders": 60, "notes": 120}
    assert grow(found, {"customers": 20, "orders": 30}, structure)["notes"] == 60
    assert grow(found, {}, structure) == found


def test_circles_of_tables_grow_with_the_one_that_is_named() -> None:
    structure = find_structure(pointing(staff="shops", shops="staff"))
    assert grow({"staff": 10, "shops": 5}, {"staff": 30}, structure) == {"staff": 30, "shops": 15}
    assert grow({"staff": 10, "shops": 0}, {"shops": 0}, structure)["shops"] == 0
