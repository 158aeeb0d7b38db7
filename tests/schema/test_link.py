"""Row numbers become key values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from schema_toys import TO_PRODUCT, database, schema

from kinsynth.schema.keys import check_primary_key, orphans
from kinsynth.schema.link import link

ORIGINALS = {"products": database().tables["products"]}


def linked(**changes: object):
    arguments = {
        "parent_row": {"orders": np.array([0, 0, 1]), "lines": np.array([2, 0, 1, 1])},
        "reference_row": {TO_PRODUCT: np.array([1, 0, -1, 1])},
        "new_keys": {("customers", "id"): pa.array([100, 200]), ("orders", "number"): pa.array([1, 2, 1])},
        "originals": ORIGINALS,
    }
    tables = {
        "customers": pa.table({"age": [50, 60]}),
        "orders": pa.table({"amount": [1, 2, 3]}),
        "lines": pa.table({"quantity": [7, 7, 7, 7]}),
    }
    return link(schema(), tables, **{**arguments, **changes})


def test_keys_come_from_owners_lookups_and_new_values() -> None:
    found = linked()
    assert found.origin == "synthetic"
    assert found.tables["orders"].to_pydict() == {
        "customer": [100, 100, 200],
        "number": [1, 2, 1],
        "amount": [1, 2, 3],
    }
    assert found.tables["lines"].to_pydict() == {
        "customer": [200, 100, 100, 100],
        "number": [1, 1, 2, 2],
        "product": [9, 8, None, 9],
        "quantity": [7, 7, 7, 7],
    }
    assert found.tables["products"].equals(ORIGINALS["products"])


def test_linked_databases_have_whole_keys() -> None:
    found = linked()
    for table in found.schema.tables.values():
        assert not table.primary_key or check_primary_key(found.tables[table.name], table.primary_key).is_key
    for relation in found.schema.relations:
        assert not orphans(
            found.tables[relation.table], relation, found.tables[relation.references_table]
        ).any()


def test_a_table_of_keys_only() -> None:
    found = link(
        schema(),
        {
            "customers": pa.table({"age": [5]}),
            "orders": pa.table({"amount": [1]}),
            "lines": pa.table({"quantity": pa.array([], pa.int64())}),
        },
        parent_row={"orders": np.array([0]), "lines": np.array([], dtype=np.int64)},
        reference_row={TO_PRODUCT: np.array([], dtype=np.int64)},
        new_keys={("customers", "id"): pa.array([1]), ("orders", "number"): pa.array([1])},
        originals=ORIGINALS,
    )
    assert found.tables["lines"].num_rows == 0


def test_missing_or_short_values_are_a_wrong_call() -> None:
    with pytest.raises(ValueError, match=r"customers\.id: no values"):
        linked(new_keys={})
    with pytest.raises(ValueError, match=r"lines\.product: 1 values"):
        linked(reference_row={TO_PRODUCT: np.array([1])})
