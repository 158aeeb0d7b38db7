"""Failures of keys are counted where they were put, and nowhere else."""

from __future__ import annotations

import judge
import numpy as np
import pandas as pd
import pytest
from made_databases import SCHEMA, change, draw_database
from relational.database import NULL, ORPHAN, Database, join_key, locate
from relational.figures import compare_missing
from relational.integrity import circling, count_failures
from relational.orphans import describe_orphans, with_policies

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


def test_what_is_unique_in_a_part_of_the_source_only_is_no_demand() -> None:
    """The second card of a customer stands among the held-out rows: a made one is then no failure."""
    card = SOURCE.tables["card"].copy()
    card.loc[1, "customer"] = card.loc[0, "customer"]
    twice = Database(SCHEMA, {**SOURCE.tables, "card": card})
    demanded = {(group, name) for group, name, _ in count_failures(SOURCE, twice)}
    spared = {(group, name) for group, name, _ in count_failures(SOURCE, twice, whole=twice)}
    assert demanded - spared == {("one-to-one broken", "card.customer -> customer")}


def test_orphans_of_the_source_are_no_demand_and_those_of_the_output_are_failures() -> None:
    region = SOURCE.tables["customer"]["region"].copy()
    region[[3, 4]] = "nowhere"
    orphaned = change(SOURCE, "customer", "region", region)
    name = "customer.region -> region"
    counted = {(group, where): count for group, where, count in count_failures(orphaned, orphaned)}
    assert ("missing keys", name) not in counted
    assert counted["orphans", name] == 2
    settled = change(SOURCE, "customer", "region", region.replace("nowhere", None))
    assert not any(count for _, _, count in count_failures(orphaned, settled))
    assert compare_missing(orphaned, settled)["missing keys, share", name] == 0
    assert compare_missing(SOURCE, settled)["missing keys, share", name] == pytest.approx(2 / 300)


def test_the_document_says_what_becomes_of_orphans() -> None:
    """A reference is made missing; a row goes where the reference is part of its primary key."""
    bought, region = SOURCE.tables["bought"], SOURCE.tables["customer"]["region"].copy()
    region[5] = "nowhere"
    product = bought["product"].copy()
    product[[0, 1]] = "nothing"
    orphaned = change(change(SOURCE, "customer", "region", region), "bought", "product", product)
    assert describe_orphans(SOURCE) == []
    assert describe_orphans(orphaned) == [
        {"relation": "customer.region -> region", "orphans": 1, "rows": 300, "policy": "null"},
        {"relation": "bought.product -> product", "orphans": 2, "rows": len(bought), "policy": "drop"},
    ]
    said = [key.get("orphans") for key in with_policies(orphaned)["foreign_keys"]]
    assert said == ["null", None, None, "drop", None]
    assert with_policies(SOURCE) == SCHEMA
    settings = judge.describe(with_policies(orphaned))["customer"]["foreign_keys"]
    assert settings == [
        {"columns": ["region"], "table": "region", "references": ["region"], "orphans": "null"}
    ]
