"""Who may stand behind a row: the ends of all chains of its keys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from schema_toys import database as tree

from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.holders import find_holders
from kinsynth.schema.table import Column, Relation, Schema, Table

PERSONS, GOODS, ROWS = 30, 40, 400


def shop(person_R, *, goods: int = GOODS, nullable: bool = False) -> Database:
    """Sales own returns; persons and goods are named by sales, persons name one who sent them."""
    rng = np.random.default_rng(0)
    number = Column("id", "identifier", "int64")
    key = [Column(name, "identifier", "int64", nullable=nullable) for name in ("person", "good")]
    columns = {
        "persons": (number, Column("sent_by", "identifier", "int64", nullable=True)),
        "goods": (number,),
        "sales": (number, *key),
        "returns": (number, Column("sale", "identifier", "int64", nullable=False)),
    }
    relations = (
        Relation("persons", ("sent_by",), "persons", ("id",)),
        Relation("sales", ("good",), "goods", ("id",)),
        Relation("sales", ("person",), "persons", ("id",)),
        Relation("returns", ("sale",), "sales", ("id",)),
    )
    tables = {
        "persons": pa.table({"id": np.arange(PERSONS), "sent_by": [None, *[0] * (PERSONS - 1)]}),
        "goods": pa.table({"id": np.arange(goods)}),
        "sales": pa.table({"id": np.arange(ROWS), "person": person_R, "good": rng.integers(0, goods, ROWS)}),
        "returns": pa.table({"id": np.arange(ROWS), "sale": np.arange(ROWS)[::-1]}),
    }
    schema = Schema({name: Table(name, some, ("id",)) for name, some in columns.items()}, relations)
    return Database(schema, tables, "original")


def holders_of(data: Database):
    return find_holders(data, find_structure(data.schema))


def test_rows_are_held_by_the_ends_of_all_chains() -> None:
    person_R = np.arange(ROWS) % PERSONS
    data = shop(person_R)
    found = holders_of(data)
    good_R = data.tables["sales"]["good"].to_numpy()
    assert found["persons"] == ()
    assert found["goods"] == ()
    assert [one.tolist() for one in found["sales"]] == [good_R.tolist(), person_R.tolist()]
    assert [one.tolist() for one in found["returns"]] == [good_R[::-1].tolist(), person_R[::-1].tolist()]


def test_a_key_by_which_few_rows_are_named_leads_to_no_persons() -> None:
    data = shop(np.arange(ROWS) % PERSONS, goods=19)
    by = [len(np.unique(one)) for one in holders_of(data)["returns"]]
    assert by == [19, PERSONS]  # the owners' root counts however small it is
    data = shop(np.arange(ROWS) % 19)
    assert [len(np.unique(one)) for one in holders_of(data)["sales"]] == [GOODS]


def test_a_row_without_a_key_stands_for_itself() -> None:
    person_R = pa.array([None if row < 10 else row % PERSONS for row in range(ROWS)], pa.int64())
    data = shop(person_R, nullable=True)
    goods, persons = holders_of(data)["sales"]
    assert len(np.unique(goods)) == GOODS
    assert len(np.unique(persons)) == PERSONS + 10
    assert len(np.unique(persons[:10])) == 10


def test_a_tree_has_its_root_rows_only() -> None:
    data = tree()
    found = holders_of(data)
    assert found["customers"] == ()
    assert [one.tolist() for one in found["lines"]] == [[2, 2, 1, 0, 0]]
