"""Inspection: what the data say, what the document says instead, and what goes when a column goes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from kinsynth.errors import SchemaError
from kinsynth.pipeline.declaration import declare
from kinsynth.pipeline.inspect import Inspection, as_database, inspect
from kinsynth.schema.literals import format_text
from kinsynth.schema.table import Relation
from kinsynth.settings.synthesis import Synthesis

CUSTOMERS = pa.table(
    {
        "customer_id": [f"{n:03}" for n in range(1, 31)],
        "joined": ["01/02/2020", "31/12/2019", None] * 10,
        "level": ["1", "2", "3"] * 10,
        "home_lat": ["45.10", "45.20", "45.30"] * 10,
        "home_lon": ["9.10", "9.20", "9.30"] * 10,
    }
)
ORDERS = pa.table(
    {
        "order_id": [str(n) for n in range(60)],
        "customer_id": [f"{n % 30 + 1:03}" for n in range(60)],
        "day": [f"2020-01-{n // 30 + 1:02}" for n in range(60)],
        "amount": ["1,50", "2,25", None] * 20,
    }
)
SOURCE = {"customers": CUSTOMERS, "orders": ORDERS}


def inspected(tables: dict[str, pa.Table] | None = None, **document: object) -> Inspection:
    return inspect(tables or SOURCE, Synthesis.model_validate({"tables": document}))


def test_everything_is_found() -> None:
    found = inspected()
    customers, orders = found.schema.tables["customers"], found.schema.tables["orders"]
    assert (customers.primary_key, orders.primary_key) == (("customer_id",), ("order_id",))
    assert found.schema.relations == (
        Relation("orders", ("customer_id",), "customers", ("customer_id",), role="owner"),
    )
    assert orders.order_by == "day"
    assert customers.column("home_lat").pair == "home_lon"
    assert [column.type for column in orders.columns] == ["identifier", "identifier", "date", "numeric"]
    assert [column.nullable for column in orders.columns] == [False, False, False, True]
    assert found.source["customers"] == tuple(CUSTOMERS.column_names)
    assert found.findings == ()
    assert found.detected["orders"]["order_id"].type == "identifier"
    assert found.database().origin == "original"


def test_text_comes_back_unchanged() -> None:
    found = inspected()
    for name, table in SOURCE.items():
        for column in found.schema.tables[name].columns:
            assert format_text(found.tables[name][column.name], column).equals(table[column.name])


def test_the_document_goes_before_the_data() -> None:
    found = inspected(
        customers={
            "primary_key": ["customer_id"],
            "original": True,
            "columns": {
                "level": {"type": "categorical"},
                "joined": {"format": "%d/%m/%Y"},
                "home_lat": {"type": "numeric"},
            },
        },
        orders={
            "primary_key": [],
            "order_by": "",
            "foreign_keys": [{"columns": ["customer_id"], "table": "customers", "orphans": "drop"}],
        },
    )
    customers, orders = found.schema.tables["customers"], found.schema.tables["orders"]
    assert customers.original
    assert customers.column("level").storage == "string"
    assert (customers.column("home_lat").type, customers.column("home_lat").pair) == ("numeric", None)
    assert (customers.column("home_lon").type, customers.column("home_lon").pair) == ("numeric", None)
    assert (orders.primary_key, orders.order_by) == ((), None)
    (relation,) = found.schema.relations
    assert (relation.orphans, relation.references_columns) == ("drop", ("customer_id",))


def test_excluded_columns_take_keys_and_relations_along() -> None:
    found = inspected(
        customers={"columns": {"customer_id": {"include": False}}, "primary_key": ["customer_id"]}
    )
    assert found.schema.tables["customers"].primary_key == ()
    assert found.schema.relations == ()
    assert "customer_id" not in found.tables["customers"].column_names
    gone = inspected(
        customers={"include": False},
        orders={"foreign_keys": [{"columns": ["customer_id"], "table": "customers"}]},
    )
    assert set(gone.schema.tables) == {"orders"}
    assert gone.schema.relations == ()
    assert set(gone.source) == {"customers", "orders"}


def test_unknown_names_are_passed_over() -> None:
    found = inspected(
        clients={"primary_key": ["x"]},
        orders={
            "primary_key": ["nope"],
            "order_by": "nope",
            "foreign_keys": [
                {"columns": ["nope"], "table": "customers"},
                {"columns": ["customer_id"], "table": "nowhere"},
                {"columns": ["customer_id"], "table": "customers", "references": ["customer_id", "level"]},
            ],
            "columns": {"nope": {"type": "integer"}},
        },
    )
    assert found.schema.relations == ()
    assert found.schema.tables["orders"].primary_key == ()
    assert found.schema.tables["orders"].order_by is None


def test_cells_that_do_not_fit_a_declared_type_are_findings() -> None:
    tables = {"people": pa.table({"age": ["30", "forty", "41"], "sex": ["f", "m", "f"]})}
    found = inspected(tables, people={"columns": {"age": {"type": "integer"}, "sex": {"type": "date"}}})
    assert [(one.code, one.where) for one in found.findings] == [
        ("treatment.unparsable", "tables.people.columns.age.type"),
        ("treatment.unparsable", "tables.people.columns.sex.type"),
    ]
    assert "1 of 3 values" in found.findings[0].message
    assert "forty" not in str(found.findings)
    assert found.tables["people"]["age"].to_pylist() == ["30", "forty", "41"]
    typed = inspected({"people": pa.table({"age": [1, 2]})}, people={"columns": {"age": {"type": "time"}}})
    assert [one.code for one in typed.findings] == ["treatment.type_storage"]


def test_both_sides_of_a_relation_can_be_compared() -> None:
    parents = pa.table({"id": ["1", "2", "X"], "size": ["5", "6", "7"]})
    children = pa.table(
        {
            "child_id": ["1", "2", "3"],
            "parent_id": ["1", "2", "1"],
            "other_parent_id": pa.nulls(3, pa.string()),
        }
    )
    keys = [
        {"columns": [name], "table": "parents", "references": ["id"]} for name in children.column_names[1:]
    ]
    found = inspected({"parents": parents, "children": children}, children={"foreign_keys": keys})
    columns = found.schema.tables["children"]
    assert (
        columns.column("parent_id").storage == found.schema.tables["parents"].column("id").storage == "string"
    )
    assert columns.column("other_parent_id").storage == "string"
    assert found.tables["children"]["parent_id"].to_pylist() == ["1", "2", "1"]


PARTS = {
    "day": [f"2020-01-{n % 3 + 1:02}" for n in range(90)],
    "year": [str(1990 + 2 * (n % 3) + n // 30) for n in range(90)],
    "share": [f"{n % 3}.5" for n in range(90)],
    "line": [str(n % 3 + 1) for n in range(90)],
    "open": ["yes", "no"] * 45,
    "kind": ["a", "b", "c"] * 30,
    "running": [str(n + 1) for n in range(90)],
}


@pytest.mark.parametrize(
    ("part", "kind", "order"),
    [
        ("day", "date", "day"),
        ("year", "integer", "year"),
        ("share", "numeric", "share"),
        ("line", "integer", None),
        ("open", "boolean", None),
        ("kind", "categorical", None),
        ("running", "identifier", None),
    ],
)
def test_values_beside_a_foreign_key_keep_their_type_and_may_be_the_order(
    part: str, kind: str, order: str | None
) -> None:
    each = 2 if part == "open" else 3
    entries = pa.table({"customer_id": [f"{n // each % 30 + 1:03}" for n in range(90)], part: PARTS[part]})
    entries = entries.slice(0, 30 * each)
    document = {
        "entries": {
            "primary_key": ["customer_id", part],
            "foreign_keys": [{"columns": ["customer_id"], "table": "customers"}],
        }
    }
    found = inspected({"customers": CUSTOMERS, "entries": entries}, **document).schema.tables["entries"]
    assert [column.type for column in found.columns] == ["identifier", kind]
    assert found.order_by == order
    assert found.column(part).numbered == (part == "line")


def test_values_that_name_rows_are_identifiers_where_no_owner_stands_beside() -> None:
    entries = pa.table({"tenant": [str(n // 3) for n in range(90)], "year": PARTS["year"]})
    found = inspected({"entries": entries}, entries={"primary_key": ["tenant", "year"], "foreign_keys": []})
    assert {column.type for column in found.schema.tables["entries"].columns} == {"identifier"}


def test_keys_hold_the_values_that_they_name() -> None:
    visits = pa.table({"customer_id": CUSTOMERS["customer_id"], "hours": ["1.0", "2.5", "2.0"] * 10})
    notes = pa.table({"customer_id": ["001", "003"], "hours": ["1", "2"]})
    key = ["customer_id", "hours"]
    found = inspected(
        {"customers": CUSTOMERS, "visits": visits, "notes": notes},
        visits={"primary_key": key, "foreign_keys": [{"columns": key[:1], "table": "customers"}]},
        notes={"primary_key": [], "foreign_keys": [{"columns": key, "table": "visits"}]},
    )
    assert [found.schema.tables[name].column("hours").storage for name in ("visits", "notes")] == [
        "double"
    ] * 2


def test_typed_tables_keep_their_storage() -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int32()),
            "seen": pa.array([1, 2]).cast(pa.timestamp("ms")),
            "tag": pa.array(["a", "b"]),
        }
    )
    found = inspected({"things": table})
    assert [column.storage for column in found.schema.tables["things"].columns] == [
        "int32",
        "timestamp[ms]",
        "string",
    ]


def test_declared_coordinates_name_each_other() -> None:
    places = pa.table(
        {"a": ["45.1", "45.2"], "b": ["9.1", "9.2"], "tag": pa.array(["x", "y"]).dictionary_encode()}
    )
    columns = {"a": {"type": "coordinates", "pair": "b"}, "b": {"type": "coordinates"}}
    found = inspected({"places": places}, places={"columns": columns}).schema.tables["places"]
    assert (found.column("a").pair, found.column("b").pair) == ("b", "a")
    assert found.column("tag").storage == "string"


def test_tables_without_rows_or_columns() -> None:
    found = inspected(
        {"empty": pa.table({"a": pa.array([], pa.string())})}, empty={"columns": {"a": {"include": False}}}
    )
    assert found.schema.tables["empty"].columns == ()
    assert inspected({"none": pa.table({"a": pa.array([], pa.string())})}).tables["none"].num_rows == 0


def test_tables_become_a_database_of_a_known_schema() -> None:
    schema = inspected().schema
    assert as_database(SOURCE, schema, origin="original").tables == inspected().tables
    typed = inspected().tables
    assert as_database(typed, schema, origin="synthetic").origin == "synthetic"
    for tables, code in (
        ({"orders": ORDERS}, "data.missing_table"),
        ({**SOURCE, "orders": ORDERS.drop_columns(["day"])}, "data.missing_column"),
        ({**SOURCE, "orders": ORDERS.set_column(2, "day", pa.array([True] * 60))}, "data.unparsable"),
    ):
        with pytest.raises(SchemaError) as error:
            as_database(tables, schema, origin="original")
        assert error.value.code == code


def test_declaring_what_was_found_changes_nothing(data_root: Path) -> None:
    zoned = pa.table({"id": ["1", "2"], "at": ["2020-01-01T10:00:00+01:00"] * 2, "on": ["2020-01-01"] * 2})
    sources = {
        name: {p.stem: read(p) for p in sorted((data_root / name).glob("*.csv"))}
        for name in ("berka", "sakila")
    }
    for tables in (SOURCE, {"zoned": zoned}, *sources.values()):
        found = inspect(tables, Synthesis())
        again = inspect(tables, declare(found.schema, Synthesis()))
        assert again.schema == found.schema
        assert again.tables == found.tables
        assert again.findings == ()


def test_real_databases_come_back_unchanged(data_root: Path) -> None:
    for name in ("berka", "sakila", "nycflights"):
        tables = {path.stem: read(path) for path in sorted((data_root / name).glob("*.csv"))}
        found = inspect(tables, Synthesis())
        for table, cells in tables.items():
            for column in found.schema.tables[table].columns:
                assert format_text(found.tables[table][column.name], column).equals(cells[column.name])


def read(path: Path) -> pa.Table:
    header = path.read_text(encoding="utf-8").split("\n", maxsplit=1)[0].strip().split(",")
    options = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    return pyarrow.csv.read_csv(path, convert_options=options, parse_options=parse)
