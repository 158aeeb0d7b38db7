"""Which root row each row belongs to."""

from __future__ import annotations

from schema_toys import database
from test_split import forest

from kinsynth.schema.graph import find_structure
from kinsynth.schema.subjects import root_rows


def test_root_rows_of_a_deep_tree() -> None:
    found = root_rows(database(), find_structure(database().schema))
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "customers": [0, 1, 2],
        "orders": [2, 2, 1, 0],
        "lines": [2, 2, 1, 0, 0],
    }


def test_rows_without_an_owner_are_subjects_of_their_own() -> None:
    data = forest(4)
    found = root_rows(data, find_structure(data.schema))["orders"]
    assert found[:3].tolist() == [4, 5, 3]
