"""A declared document says outright what was detected."""

from __future__ import annotations

from kinsynth.pipeline.declaration import declare
from kinsynth.schema.table import Column, Relation, Schema, Table, TextFormat
from kinsynth.settings.document import dump, parse, read_yaml
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
        "order": ("integer", None),
        "number": ("integer", None),
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


def test_declaring_twice_is_declaring_once() -> None:
    """Also by way of the file."""
    once = declare(SCHEMA, Synthesis())
    assert declare(SCHEMA, once) == once
    assert parse(read_yaml(dump(once), where="a.yaml")) == once
