"""A declared document says outright what was detected."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinsynth.connectors.files import read
from kinsynth.pipeline.declaration import declare
from kinsynth.pipeline.inspect import inspect
from kinsynth.schema.table import Column, Relation, Schema, Table, TextFormat
from kinsynth.settings.document import dump, parse, read_yaml
from kinsynth.settings.source import Source
from kinsynth.settings.synthesis import Synthesis

SCHEMA = Schema(
    {
        "lines": Table(
            "lines",
            (
                Column("order", "integer", "int64"),
                Column("number", "integer", "int64"),
                Column("day", "date", "date32[day]", text=TextFormat(pattern="%d.%m.%Y")),
            ),
            primary_key=("order", "number"),
            order_by="number",
        ),
        "orders": Table("orders", (Column("id", "identifier", "int64"),), primary_key=("id",)),
    },
    (Relation("lines", ("order",), "orders", ("id",), orphans="drop"),),
)


def test_everything_found_is_said() -> None:
    """Types, formats, keys, relations and the order of rows stand in the document."""
    lines = declare(SCHEMA, Synthesis()).tables["lines"]
    assert lines.primary_key == ("order", "number")
    assert lines.order_by == "number"
    assert lines.foreign_keys is not None
    relation = lines.foreign_keys[0]
    assert (relation.columns, relation.table, relation.references) == (("order",), "orders", ("id",))
    assert relation.orphans == "drop"
    assert {name: (column.type, column.format) for name, column in lines.columns.items()} == {
        "day": ("date", "%d.%m.%Y"),
    }


def test_what_was_not_found_is_said_too() -> None:
    """A table without keys and order says so, so that it is not detected differently later."""
    orders = declare(SCHEMA, Synthesis()).tables["orders"]
    assert orders.foreign_keys == ()
    assert orders.order_by == ""


def test_what_was_said_stays() -> None:
    """The user's word wins; excluded tables and columns are not lost."""
    said = parse(
        {
            "tables": {
                "lines": {
                    "primary_key": [],
                    "columns": {"day": {"type": "categorical"}, "gone": {"include": False}},
                },
                "old": {"include": False},
            }
        }
    )
    declared = declare(SCHEMA, said).tables
    assert declared["lines"].primary_key == ()
    assert declared["lines"].columns["day"].type == "categorical"
    assert declared["lines"].columns["gone"].include is False
    assert declared["old"].include is False


def test_personal_columns_are_marked_unless_somebody_said_otherwise() -> None:
    """Those of keys, too, which have nothing else of their own."""
    personal = {"lines": {"day", "number"}, "orders": {"id"}}
    columns = declare(SCHEMA, Synthesis(), None, personal).tables
    assert {name: column.sensitive for name, column in columns["lines"].columns.items()} == {
        "number": True,
        "day": True,
    }
    assert columns["orders"].columns["id"].sensitive
    assert columns["orders"].columns["id"].type is None
    said = parse({"tables": {"lines": {"columns": {"day": {"sensitive": False}}}}})
    again = declare(SCHEMA, declare(SCHEMA, said, None, personal), None, personal)
    assert declare(SCHEMA, parse(read_yaml(dump(again), where="it")), None, personal) == again
    assert not again.tables["lines"].columns["day"].sensitive
    assert again.tables["lines"].columns["number"].sensitive


def test_declaring_twice_is_declaring_once() -> None:
    """Also by way of the file."""
    once = declare(SCHEMA, Synthesis())
    assert declare(SCHEMA, once) == once
    assert parse(read_yaml(dump(once), where="a.yaml")) == once


def test_columns_of_keys_have_no_type_of_their_own() -> None:
    """Their storage follows from both sides of the relation; a declared type would fix one side."""
    tables = declare(SCHEMA, Synthesis()).tables
    assert "order" not in tables["lines"].columns
    assert "id" not in tables["orders"].columns


@pytest.mark.parametrize("name", ["northwind", "cdnow"])
def test_a_declared_document_means_the_same(name: str, data_root: Path, tmp_path: Path) -> None:
    """Reading a real source under its declared document gives the schema that was detected."""
    synthesis = Synthesis(source=Source(paths=(str(data_root / name),)))
    listing = read(synthesis.source, tmp_path, base=tmp_path)
    tables = {table.name: table.table() for table in listing.tables}
    detected = inspect(tables, synthesis)
    declared = inspect(tables, declare(detected.schema, synthesis))
    assert declared.schema == detected.schema
    assert declared.findings == ()
