"""Keys and relations are proposed where data and names say so, and not where numbers meet by accident."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from kinsynth.columns.detect import detect_table
from kinsynth.schema.foreign_keys import propose_foreign_keys
from kinsynth.schema.literals import parse_text
from kinsynth.schema.primary_keys import propose_primary_keys

Table = dict[str, list[object]]


def keys(**tables: Table) -> dict[str, tuple[str, ...]]:
    found = propose_primary_keys({name: pa.table(columns) for name, columns in tables.items()})
    return {name: proposal.columns for name, proposal in found.items()}


def relations(**tables: Table) -> set[str]:
    typed = {name: pa.table(columns) for name, columns in tables.items()}
    primary = {name: proposal.columns for name, proposal in propose_primary_keys(typed).items()}
    return {str(proposal.relation) for proposal in propose_foreign_keys(typed, primary)}


# Primary keys


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("orders", {"amount": [5.5, 6.5], "order_id": [2, 1]}, ("order_id",)),
        ("person", {"name": ["a", "b"], "PersonID": [4, 9]}, ("PersonID",)),
        ("country", {"code": ["IT", "AT"], "name": ["Italy", "Austria"]}, ("code",)),
        ("loans", {"loan_id": [1, 2], "account_id": [8, 9]}, ("loan_id",)),
        ("measures", {"temperature": [20.5, 21.5, 19.0], "humidity": [1, 2, 3]}, None),
        ("people", {"age": [33, 71, 18], "weight": [80, 91, 60]}, None),
        ("shops", {"rating": [1, 2, 3], "price": [5.5, 6.5, 7.5]}, None),
        ("people", {"name": [f"n{n}" for n in range(20)], "age": list(range(20))}, None),
        ("readings", {"nr": list(range(20)), "value": [1.5] * 20}, ("nr",)),
        ("posts", {"title": ["A long title", "Another one"], "views": [5, 9]}, None),
        ("visits", {"at": ["x", "x"], "visit_id": [1, 1]}, None),
        ("nullable", {"id": [1, None, 3]}, None),
        (
            "lines",
            {"order_id": [1, 1, 2], "line_number": [1, 2, 1], "price": [5, 5, 5]},
            ("order_id", "line_number"),
        ),
        ("film_actor", {"film_id": [1, 2, 3], "actor_id": [7, 7, 8]}, ("film_id", "actor_id")),
        ("ratings", {"user_id": [1, 1, 2], "item_id": [1, 2, 1], "stars": [1, 5, 3]}, ("user_id", "item_id")),
        ("empty", {"id": pa.array([], pa.int64())}, None),
    ],
)
def test_primary_keys(name: str, columns: Table, expected: tuple[str, ...] | None) -> None:
    assert keys(**{name: columns}).get(name) == expected


# Foreign keys

CUSTOMERS: Table = {"id": list(range(1, 11)), "age": [30, 40] * 5}


@pytest.mark.parametrize(
    ("stations", "days", "twice", "found"), [(20, 20, 0, True), (20, 20, 1, False), (8, 1, 0, False)]
)
def test_a_row_a_day_makes_a_key(stations: int, days: int, twice: int, found: bool) -> None:
    """Not where days never met: had they come by chance, none would have repeated either."""
    start = dt.date(2024, 1, 1)
    rows = [(s, start + dt.timedelta(d if days > 1 else s)) for s in range(stations) for d in range(days)]
    rows += rows[:twice]
    columns = {"station_id": [row[0] for row in rows], "day": [row[1] for row in rows]}
    assert keys(readings={**columns, "level": [1.5] * len(rows)}) == (
        {"readings": ("station_id", "day")} if found else {"readings": ("station_id",)} if days == 1 else {}
    )


def test_names_and_inclusion_make_a_relation() -> None:
    orders: Table = {
        "order_id": [1, 2, 3],
        "customer_id": [1, 1, 9],
        "quantity": [1, 2, 3],
        "priority": [1, 2, 3],
    }
    assert relations(customers=CUSTOMERS, orders=orders) == {"orders(customer_id) -> customers(id)"}


def test_small_whole_numbers_do_not_meet_by_accident() -> None:
    sizes: Table = {"size_id": [1, 2, 3], "label": ["S", "M", "L"]}
    items: Table = {"item_id": [10, 20, 30], "rating": [1, 2, 3], "count": [3, 3, 1], "year": [1, 2, 1]}
    assert relations(sizes=sizes, items=items) == set()


def test_two_keys_to_one_parent_and_codes_without_a_hint_in_the_name() -> None:
    airports: Table = {"iata": [f"X{chr(65 + n // 5)}{chr(65 + n % 5)}" for n in range(25)]}
    codes = airports["iata"]
    flights: Table = {
        "flight_id": [1, 2, 3, 4],
        "origin": codes[:4],
        "dest": codes[4:8],
        "carrier": ["A", "B", "A", "B"],
    }
    assert relations(airports=airports, flights=flights) == {
        "flights(origin) -> airports(iata)",
        "flights(dest) -> airports(iata)",
    }


def test_self_references_need_a_word_for_it() -> None:
    staff: Table = {"staff_id": [1, 2, 3, 4], "manager_id": [None, 1, 1, 2], "level": [1, 2, 2, 3]}
    assert relations(staff=staff) == {"staff(manager_id) -> staff(staff_id)"}


def test_nullable_and_orphan_references() -> None:
    orders: Table = {"order_id": list(range(20)), "customer_id": [None, 99, *range(1, 10), *range(1, 10)]}
    typed = {"customers": pa.table(CUSTOMERS), "orders": pa.table(orders)}
    (found,) = propose_foreign_keys(typed, {"customers": ("id",), "orders": ("order_id",)})
    assert (found.orphans, found.nulls, found.distinct) == (1, 1, 10)
    assert found.inclusion == pytest.approx(18 / 19)
    assert "99" not in found.reason.replace("99%", "")


def test_a_reference_with_floats_because_of_missing_values() -> None:
    orders: Table = {"order_id": [1, 2, 3], "customer_id": [1.0, None, 3.0]}
    assert relations(customers=CUSTOMERS, orders=orders) == {"orders(customer_id) -> customers(id)"}


def test_composite_relations_replace_what_they_imply() -> None:
    orders: Table = {"order_id": [1, 2]}
    lines: Table = {"order_id": [1, 1, 2], "line_number": [1, 2, 1]}
    parcels: Table = {"parcel_id": [1, 2], "order_id": [1, 2], "line_number": [2, 1]}
    assert relations(orders=orders, lines=lines, parcels=parcels) == {
        "lines(order_id) -> orders(order_id)",
        "parcels(order_id, line_number) -> lines(order_id, line_number)",
    }


def test_a_table_that_extends_another_references_it() -> None:
    people: Table = {"person_id": [1, 2, 3], "age": [30, 40, 50]}
    details: Table = {"person_id": [1, 2, 3], "shoe_size": [40, 41, 42]}
    assert relations(person_details=details, people=people) == {
        "person_details(person_id) -> people(person_id)"
    }


def test_prefixes_of_whole_tables_do_not_matter() -> None:
    customers: Table = {"c_custkey": [1, 2, 3], "c_acctbal": [5, 6, 7]}
    orders: Table = {"o_orderkey": [10, 20, 30], "o_custkey": [1, 1, 3], "o_priority": [1, 2, 3]}
    assert relations(customer=customers, orders=orders) == {"orders(o_custkey) -> customer(c_custkey)"}
    suppliers: Table = {"ps_partkey": [1, 1, 2], "ps_suppkey": [1, 2, 1], "ps_cost": [5, 5, 5]}
    lines: Table = {"l_partkey": [1, 1, 2, 2], "l_suppkey": [1, 2, 1, 1], "l_price": [4, 4, 4, 4]}
    assert relations(partsupp=suppliers, lineitem=lines) == {
        "lineitem(l_partkey, l_suppkey) -> partsupp(ps_partkey, ps_suppkey)"
    }


def test_a_place_in_a_list_is_no_reference() -> None:
    orders: Table = {"id": list(range(1, 101)), "total": [5] * 100}
    items: Table = {"item_id": list(range(50)), "order": [1, 2, 3, 4, 5] * 10}
    assert relations(orders=orders, items=items) == set()


def test_names_in_camel_case() -> None:
    artists: Table = {"ArtistId": [1, 2, 3], "Name": ["x", "y", "z"]}
    albums: Table = {"AlbumId": [1, 2, 3], "Title": ["a b", "b c", "c d"], "ArtistId": [1, 1, 3]}
    posts: Table = {"Id": [1, 2, 3], "OwnerArtistId": [1, 2, 3], "ParentId": [None, 1, 1], "Score": [1, 2, 3]}
    assert relations(Artist=artists, Album=albums, Posts=posts) == {
        "Album(ArtistId) -> Artist(ArtistId)",
        "Posts(OwnerArtistId) -> Artist(ArtistId)",
        "Posts(ParentId) -> Posts(Id)",
    }


# Real data


def typed_tables(schema: Path) -> tuple[dict[str, pa.Table], dict[str, object]]:
    facts = json.loads(schema.read_text())
    tables = {}
    for name, table in facts["tables"].items():
        options = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(table["columns"], pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
        raw = pyarrow.csv.read_csv(
            schema.with_name(f"{name}.csv"), convert_options=options, parse_options=parse
        )
        found = detect_table(raw)
        tables[name] = pa.table(
            {key: parse_text(raw[key], found[key].column(key)) for key in raw.column_names}
        )
    return tables, facts


def test_keys_of_real_data(data_root: Path) -> None:
    missed_keys, missed, false, expected, proposed = [], set(), set(), 0, 0
    seconds = 0.0
    for path in sorted(data_root.glob("*/schema.json")):
        tables, facts = typed_tables(path)
        start = time.process_time()
        primary = {name: proposal.columns for name, proposal in propose_primary_keys(tables).items()}
        found = {str(proposal.relation) for proposal in propose_foreign_keys(tables, primary)}
        seconds = max(seconds, time.process_time() - start)
        for name, table in facts["tables"].items():
            key = table["primary_key"]
            if isinstance(key, str) and primary.get(name) != (key,):
                missed_keys.append((path.parent.name, name))
            if not key and name in primary:
                false.add((path.parent.name, name))
        wanted = {
            f"{key['table']}({', '.join(key['columns'])}) -> {key['references_table']}"
            f"({', '.join(key['references_columns'])})"
            for key in facts["foreign_keys"]
        }
        missed |= {(path.parent.name, one) for one in wanted - found}
        false |= {(path.parent.name, one) for one in found - wanted}
        expected, proposed = expected + len(wanted), proposed + len(found) + len(primary)
    assert missed_keys == []
    assert len(missed) <= 0.1 * expected, missed
    assert len(false) <= 0.1 * proposed, false
    assert expected > 40
    assert seconds < 3
