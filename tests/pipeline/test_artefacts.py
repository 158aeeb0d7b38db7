"""What is written to the disk is read back equal, and its file names tell nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from kinsynth.encoded import ChildCount, EncodedTable, Grouping, Link, Pointer, SubColumn
from kinsynth.pipeline.artefacts import load_database, load_encoded, save_database, save_encoded
from kinsynth.schema.database import Database
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.schema.table import Column, Relation, Schema, Table, TextFormat


def make_schema() -> Schema:
    text = TextFormat(pattern="%d.%m.%Y")
    parent = Table("a/b", (Column("id", "identifier", "int64", nullable=False),), primary_key=("id",))
    columns = (Column("parent", "identifier", "int64"), Column("day", "date", "date32[day]", text=text))
    child = Table("..", columns, order_by="day")
    relation = Relation("..", ("parent",), "a/b", ("id",), orphans="null")
    return Schema({"a/b": parent, "..": child}, (relation,))


def test_a_schema_survives_json() -> None:
    assert read_schema(write_schema(make_schema())) == make_schema()


def test_a_database_survives_the_disk_and_names_stay_off_it(tmp_path: Path) -> None:
    tables = {
        "a/b": pa.table({"id": pa.array([1, 2], pa.int64())}),
        "..": pa.table({"parent": pa.array([1, None], pa.int64()), "day": pa.array([0, 1], pa.date32())}),
    }
    database = Database(make_schema(), tables, "original")
    save_database(tmp_path / "db", database)
    again = load_database(tmp_path / "db")
    assert again.schema == database.schema
    assert all(again.tables[name].equals(tables[name]) for name in tables)
    names = {path.name for path in (tmp_path / "db").rglob("*")}
    assert names == {"000.arrow", "001.arrow", "names.json", "database.json"}


def test_encoded_tables_survive_the_disk(tmp_path: Path) -> None:
    position = np.array([np.nan, 0.0, 1.0], dtype=np.float32)
    forbidden = np.array([True, False, False])
    count = ChildCount("child", 1, np.array([0, 1]), np.array([0, 4]))
    sub_columns = (SubColumn(0, 3, position, forbidden), SubColumn(1, 2))
    parent = EncodedTable(np.array([[1, 0], [2, 1]], dtype=np.int32), sub_columns, counts=(count,))
    child = EncodedTable(
        np.zeros((2, 1), np.int32), (SubColumn(0, 1),), "parent", np.array([0, 1]), ordered=True
    )
    save_encoded(tmp_path, {"parent": parent.parts(), "child": child.parts()})
    again = load_encoded(tmp_path)
    assert list(again.tables) == ["parent", "child"]
    for name, table in {"parent": parent, "child": child}.items():
        other = again.tables[name]
        assert np.array_equal(other.codes_RC, table.codes_RC)
        assert (other.parent, other.ordered) == (table.parent, table.ordered)
        for sub, same in zip(table.sub_columns, other.sub_columns, strict=True):
            assert (sub.column, sub.cardinality) == (same.column, same.cardinality)
            assert (sub.position_K is None) == (same.position_K is None)
            assert (sub.forbidden_K is None) == (same.forbidden_K is None)
    assert np.array_equal(again.tables["parent"].sub_columns[0].position_K, position, equal_nan=True)
    assert np.array_equal(again.tables["parent"].sub_columns[0].forbidden_K, forbidden)
    assert np.array_equal(again.tables["parent"].counts[0].high_K, count.high_K)


def test_links_and_tables_of_keys_survive_the_disk(tmp_path: Path) -> None:
    one, places = np.zeros((3, 1), np.uint8), np.arange(2)
    counts = (ChildCount("key", 0, places, places), ChildCount("level", 0, places, places))
    tree = Grouping(
        np.array([0, -1, -1]), ((0,), (), ()), np.array([[1, 2], [-1, -1], [-1, -1]]), places[[0, 0, 1]]
    )
    pointer = Pointer("key", "a", tree, True, (((-1, 0), ()),), "level", ((), ((-1,), (0, 1))), ((0, -1),))
    a = EncodedTable(one, (SubColumn(0, 2),), counts=counts)
    links = (Link("a", np.array([2, -1, 0])), Link("a", np.array([1, 1, -1])))
    b = EncodedTable(one, (SubColumn(0, 2),), links=links)
    keys = EncodedTable(
        one, (SubColumn(0, 4),), links=(Link("b", np.arange(3)),), keys_of="b", pointers=(pointer,)
    )
    nothing = EncodedTable(one[:0], (SubColumn(0, 2),), links=(Link("a", np.arange(0)),))
    tables = {"a": a, "b": b, "b (keys)": keys, "nothing": nothing}
    save_encoded(tmp_path, {name: table.parts() for name, table in tables.items()})
    again = load_encoded(tmp_path).tables
    for name, table in tables.items():
        assert [link.target for link in again[name].links] == [link.target for link in table.links]
        for link, same in zip(table.links, again[name].links, strict=True):
            assert same.row_R.dtype == np.int64
            assert same.row_R.tolist() == link.row_R.tolist()
        assert again[name].keys_of == table.keys_of
        assert [p.to_json() for p in again[name].pointers] == [p.to_json() for p in table.pointers]
    assert again["b (keys)"].pointers[0].apart == pointer.apart
