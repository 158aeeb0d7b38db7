"""Failures of keys are counted where they were put, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_databases import SCHEMA, change, draw_database
from relational.database import NULL, ORPHAN, Database, join_key, locate
from relational.integrity import circling, count_failures

SOURCE = draw_database(300, 1)


def failures(made: Database) -> dict[tuple[str, str], int]:
    """Counts that are not 0."""
    return {(group, name): count for group, name, count in count_failures(SOURCE, made) if count}


def test_a_copy_has_no_failure() -> None:
    assert failures(draw_database(300, 1)) == {}


def test_every_kind_of_relation_is_counted() -> None:
    counted = {(group, name) for group, name, _ in count_failures(SOURCE, SOURCE)}
    assert ("repeated primary keys", "bought") in counted
    assert ("repeated pairs", "bought: customer, product") in counted
    assert ("one-to-one broken", "card.customer -> customer") in counted
    assert ("rows on circles", "staff.boss -> staff") in counted
    assert ("missing keys", "staff.boss -> staff") not in counted  # the source has rows without
    assert ("one-to-one broken", "bought.customer -> customer") not in counted


@pytest.mark.parametrize(
    ("table", "column", "place", "value", "expected"),
    [
        ("customer", "customer", 5, "c6", {("repeated primary keys", "customer")}),
        ("customer", "customer", 5, None, {("missing primary keys", "customer")}),
        ("customer", "region", 5, "nowhere", {("orphans", "customer.region -> region")}),
        ("customer", "region", 5, None, {("missing keys", "customer.region -> region")}),
        ("staff", "boss", 1, "s1", {("rows on circles", "staff.boss -> staff")}),
    ],
)
def test_a_broken_cell_is_found(
    table: str, column: str, place: int, value: str | None, expected: set[tuple[str, str]]
) -> None:
    values = SOURCE.tables[table][column].copy()
    values[place] = value
    found = failures(change(SOURCE, table, column, values))
    assert expected <= set(found)
    assert all(found[key] == 1 for key in expected)


def test_a_repeated_pair_and_a_second_card_are_counted() -> None:
    bought = SOURCE.tables["bought"]
    twice = Database(
        SCHEMA, {**SOURCE.tables, "bought": pd.concat([bought, bought.head(4)], ignore_index=True)}
    )
    assert failures(twice) == {
        ("repeated primary keys", "bought"): 4,
        ("repeated pairs", "bought: customer, product"): 4,
    }
    card = SOURCE.tables["card"].copy()
    card.loc[1, "customer"] = card.loc[0, "customer"]
    found = failures(Database(SCHEMA, {**SOURCE.tables, "card": card}))
    assert found["one-to-one broken", "card.customer -> customer"] == 1


def test_changed_rows_of_original_tables_are_counted() -> None:
    schema = {**SCHEMA, "originals": ["product"]}
    region = SOURCE.tables["region"].assign(climate=[None, "mild", "hot"] * 2)
    source = Database({**schema, "originals": ["product", "region"]}, {**SOURCE.tables, "region": region})
    read_again = region.astype({"climate": "str"})  # missing cells of another kind are missing cells
    again = Database(source.schema, {**source.tables, "region": read_again})
    assert {item for item in count_failures(source, again) if item[2]} == set()
    source = Database(schema, SOURCE.tables)
    made = change(
        source,
        "product",
        "price",
        SOURCE.tables["product"]["price"].replace({SOURCE.tables["product"]["price"][3]: 1.0}),
    )
    assert ("changed original rows", "product", 1) in set(count_failures(source, made))
    assert ("changed original rows", "product", 0) in set(count_failures(source, source))


def test_circles_are_the_rows_that_come_back() -> None:
    """Two circles, of one row and of three; rows that lead into them are on none."""
    pointed = np.array([NULL, 0, 1, 3, 3, 6, 7, 5, 5, ORPHAN])
    assert np.flatnonzero(circling(pointed)).tolist() == [3, 5, 6, 7]


def test_keys_are_located_by_all_their_parts() -> None:
    parent = pd.DataFrame({"a": ["1", "1", "2"], "b": ["x", "y", "x"]})
    child = pd.DataFrame({"a": ["2", "1", "2", None, "1"], "b": ["x", "y", "y", "x", "x"]})
    places = locate(join_key(child, ["a", "b"]), join_key(parent, ["a", "b"]))
    assert places.tolist() == [2, 1, ORPHAN, NULL, 0]


def test_a_missing_file_is_refused() -> None:
    tables = {name: table for name, table in SOURCE.tables.items() if name != "card"}
    with pytest.raises(ValueError, match="tables without a file: card"):
        Database(SCHEMA, tables)
