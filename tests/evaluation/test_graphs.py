"""Every foreign key of a database is compared, by what it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from evaluation_toys import make_database
from graph_toys import KINDS, RELATIONS, trade

from kinsynth.evaluation import Evaluation, evaluate
from kinsynth.evaluation.links import ancestry, key_columns, key_kinds
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Relation


@pytest.fixture(scope="module")
def real():
    """The original."""
    return trade(1)


@pytest.fixture(scope="module")
def found(real) -> Evaluation:
    """A fresh database of the same world, compared."""
    return evaluate(real, trade(2), holdout=trade(3, 300))


def by_name(evaluation: Evaluation):
    return {relation.name: relation for relation in evaluation.relations}


def test_every_key_is_compared_by_what_it_is_for(real, found):
    kinds = key_kinds(find_structure(real.schema))
    assert tuple(kinds[relation] for relation in RELATIONS) == KINDS
    assert {one.name: one.kind for one in found.relations} == {
        str(relation): kind for relation, kind in zip(RELATIONS, KINDS, strict=True)
    }


def test_fresh_rows_score_well_on_every_key(found):
    assert {name: one.accuracy for name, one in by_name(found).items() if one.accuracy < 8} == {}


def test_only_an_owner_has_families_and_held_out_counts(found):
    for one in found.relations:
        assert (one.families is not None) == (one.kind == "owner")
        assert one.counts is not None
        assert (one.counts.total_variation.reference is not None) == (one.kind == "owner")
        assert (one.depth is not None) == (one.kind == "self")


def test_missing_keys_are_shares_and_only_of_keys_that_may_be_missing(found):
    shares = {name: one.missing for name, one in by_name(found).items() if one.missing is not None}
    assert {name.partition("(")[2].partition(")")[0] for name in shares} == {"gift_for", "boss", "best"}
    assert shares["orders(gift_for) -> customers(id)"] == pytest.approx((0.8, 0.8, 0.8), abs=0.04)


def test_values_that_ignore_the_row_pointed_at_are_noticed(real, found):
    name = "orders(product) -> products(id)"
    blind = by_name(evaluate(real, trade(2, blind=True)))[name]
    assert by_name(found)[name].pairs.value > 0.9
    assert blind.pairs.value < 0.2


def test_the_depth_of_a_self_reference_is_compared(real, found):
    name = "staff(boss) -> staff(id)"
    flat = by_name(evaluate(real, trade(2, flat=True)))[name]
    assert by_name(found)[name].depth.similarity.value > 0.95
    assert flat.depth.total_variation.value > 0.5
    assert flat.counts.similarity.value < by_name(found)[name].counts.similarity.value


def test_rows_that_ignore_what_they_point_at_are_told_apart(real, found):
    blind = evaluate(real, trade(2, blind=True))
    rows = [
        next(metric.value for table in one.tables if table.name == "orders" for metric in table.metrics[-1:])
        for one in (found, blind)
    ]
    assert rows[0] < 0.6
    assert rows[1] > 0.7


def test_the_owner_is_the_one_the_schema_says(real):
    assert [one.columns for one in ancestry(real.schema, "orders")] == [("customer",)]
    assert ancestry(real.schema, "staff") == ()


def test_the_overview_has_every_table_and_key(real, found):
    assert [table.name for table in found.overview.tables] == list(real.schema.tables)
    assert [table.name for table in found.overview.tables if table.original] == ["towns"]
    assert len(found.overview.keys) == len(RELATIONS)


def test_a_year_beside_the_owners_key_is_a_value():
    place = pa.table({"id": pa.array(range(60)), "kind": pa.array(["a", "b"] * 30)})
    census = pa.table(
        {
            "place": pa.array(np.repeat(np.arange(60), 3)),
            "year": pa.array([1990, 2000, 2010] * 60),
            "people": pa.array(np.arange(180.0)),
        }
    )
    database = make_database(
        {
            "place": (place, {"id": "identifier", "kind": "categorical"}),
            "census": (census, {"place": "identifier", "year": "integer", "people": "numeric"}),
        },
        keys={"place": "id"},
        relations=(Relation("census", ("place",), "place", ("id",)),),
    )
    tables = dict(database.schema.tables)
    tables["census"] = replace(tables["census"], primary_key=("place", "year"))
    schema = replace(database.schema, tables=tables)
    assert key_columns(schema, "census") == {"place"}
    compared = evaluate(replace(database, schema=schema), replace(database, schema=schema))
    assert [column.name for column in compared.tables[1].columns] == ["year", "people"]


def test_held_out_rows_that_the_original_has_too_are_no_reference(real):
    held = trade(3, 300)
    tables = dict(held.tables)
    tables["products"] = pa.concat_tables([real.tables["products"], held.tables["products"].slice(0, 10)])
    found = evaluate(real, trade(2), holdout=replace(held, tables=tables))
    rows = {table.name: table.rows[2] for table in found.tables}
    assert rows["products"] == 10
    assert rows["customers"] == 300
    copied = evaluate(real, real, holdout=replace(held, tables=tables))
    assert {table.name: table.privacy for table in copied.tables}["products"] is None
