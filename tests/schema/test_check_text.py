"""Conditions are read strictly: what is read means what SQL means, the rest is refused with its place."""

from __future__ import annotations

import pytest

from kinsynth.errors import SchemaError
from kinsynth.schema.check import Check
from kinsynth.schema.check_text import read_check
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.schema.table import Column, Relation, Schema, Table


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        ("amount > 0", [Check("amount", ">", constants=("0",))]),
        ("0 < amount", [Check("amount", ">", constants=("0",))]),
        ("-1.5e3 = amount", [Check("amount", "=", constants=("-1.5e3",))]),
        ("status IN ('A', 'it''s')", [Check("status", "in", constants=("A", "it's"), quoted=True)]),
        ("status not in (1, 2)", [Check("status", "in", constants=("1", "2"), negated=True)]),
        ("end_date >= start_date", [Check("end_date", ">=", other="start_date")]),
        ('"my col" <> [other one]', [Check("my col", "!=", other="other one")]),
        ("`x` == 5", [Check("x", "=", constants=("5",))]),
        ("name like 'A%'", [Check("name", "like", constants=("A%",), quoted=True)]),
        ("name ~ '^A'", [Check("name", "matches", constants=("^A",), quoted=True)]),
        ("a is not null", [Check("a", "null", negated=True)]),
        ("a is null", [Check("a", "null")]),
        ("ok = TRUE", [Check("ok", "=", constants=("TRUE",))]),
        (
            "((a between 1 and 2)) and b < a",
            [
                Check("a", ">=", constants=("1",)),
                Check("a", "<=", constants=("2",)),
                Check("b", "<", other="a"),
            ],
        ),
    ],
)
def test_conditions_are_read(text: str, checks: list[Check]) -> None:
    assert list(read_check(text)) == checks


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a >",
        "a or b > 1",
        "a > 1 or b > 1",
        "lower(a) = 'x'",
        "a in ()",
        "a in (1, 'b')",
        "a = null",
        "a not between 1 and 2",
        "a > 1)",
        "(a > 1",
        "a::int > 1",
        "a like b",
        "'a' in (1)",
        "1 < 2",
        "a > 12abc",
        "a > 1; drop table t",
        "a > 'x",
        "not a > 1",
        "a + 1 > 2",
        "a > 1 b > 2",
        "and",
        "a is 1",
    ],
)
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_check(text)
    assert caught.value.code == "checks.syntax"
    assert "'" not in caught.value.message


def test_a_description_tells_no_constant() -> None:
    text = "a in ('secret') and b > 77 and c like 'secret' and d is not null and e <= f"
    shown = [str(check) for check in read_check(text)]
    assert shown == ["a in (1 values)", "b > ?", "c like ?", "d is not null", "e <= f"]


@pytest.mark.parametrize(
    "parts",
    [
        {"operator": "in"},
        {"operator": ">"},
        {"operator": "null", "constants": ("1",)},
        {"operator": "like", "other": "b"},
        {"operator": ">", "other": "b", "constants": ("1",)},
    ],
)
def test_parts_fit_the_operator(parts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"constants|column"):
        Check("a", **parts)  # type: ignore[arg-type]


def test_a_schema_with_constraints_goes_through_json() -> None:
    columns = (Column("id", "identifier", "int64"), Column("boss", "identifier", "int64"))
    table = Table(
        "t",
        columns,
        ("id",),
        unique_keys=(("boss",), ("id", "boss")),
        checks=read_check("id <> boss and id in (1)"),
    )
    schema = Schema({"t": table}, (Relation("t", ("boss",), "t", ("id",), acyclic=True),))
    assert read_schema(write_schema(schema)) == schema


def test_constraints_name_columns_that_are_there() -> None:
    column = Column("id", "identifier", "int64")
    for parts in ({"unique_keys": (("x",),)}, {"unique_keys": ((),)}, {"checks": read_check("id < x")}):
        with pytest.raises(ValueError, match="column"):
            Table("t", (column,), **parts)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="acyclic"):
        Relation("t", ("a",), "u", ("a",), acyclic=True)
