"""Values of one person never leave, whichever table owns the rows and whichever holds the persons."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.evaluation.evaluate import evaluate
from kinsynth.pipeline.encoding import encode_parts, with_keys
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.rules import view_tables
from kinsynth.schema.facts import find_facts
from kinsynth.schema.graph import find_structure

CUSTOMERS, PRODUCTS, ROWS = 300, 60, 3_000
UNIQUE, FAR = "unheard-of tablet", 98_765.0


def make_tables(*, missing: bool = False) -> dict[str, pl.DataFrame]:
    """Reviews that go with their products; customer 7 alone has a device and the largest sums, in 60 rows."""
    rng = np.random.default_rng(0)
    price = np.round(rng.random(PRODUCTS) * 100, 2)
    customer, product = rng.integers(0, CUSTOMERS, ROWS), rng.integers(0, PRODUCTS, ROWS)
    customer[:60] = 7
    odd = customer == 7
    spent = np.where(odd, FAR + np.arange(ROWS), rng.integers(1, 500, ROWS))
    key = [None if missing and row % 50 == 0 else int(one) for row, one in enumerate(customer)]
    return {
        "customers": pl.DataFrame({"id": np.arange(CUSTOMERS), "kind": rng.choice([*"abc"], CUSTOMERS)}),
        "products": pl.DataFrame({"id": np.arange(PRODUCTS), "price": price}),
        "reviews": pl.DataFrame(
            {
                "id": np.arange(ROWS),
                "customer": key,
                "product": product,
                "paid": price[product],
                "device": np.where(odd, UNIQUE, rng.choice(["phone", "pc"], ROWS)),
                "spent": spent,
            }
        ),
    }


def document(*keys: str) -> kinsynth.Synthesis:
    foreign = [{"columns": [key], "table": f"{key}s", "references": ["id"]} for key in keys]
    return kinsynth.Synthesis.model_validate(
        {
            "roots": "many",
            "tables": {
                "customers": {"primary_key": ["id"]},
                "products": {"primary_key": ["id"]},
                "reviews": {"primary_key": ["id"], "foreign_keys": foreign},
            },
        }
    )


@pytest.mark.parametrize(("missing", "owner"), [(False, "products"), (True, "customers")])
def test_what_one_customer_holds_stays_whoever_owns_the_rows(missing, owner) -> None:
    keys = ("customer",) if missing else ("customer", "product")
    synthesis = document(*keys)
    database = inspect(tables_from_memory(make_tables(missing=missing)), synthesis).database()
    codec = fit_codecs(database, synthesis)
    assert codec.tables["reviews"].parent == owner
    told = json.dumps(codec.to_json())
    assert "phone" in told
    assert UNIQUE not in told
    spent = next(one.codec for one in codec.tables["reviews"].factors if one.columns == ("spent",))
    assert max(spent.line.high_L) < FAR
    assert view_tables(database, synthesis)["reviews"].bounds("spent")[1] < FAR


def test_what_one_customer_holds_is_not_shown_in_a_report() -> None:
    synthesis = document("customer", "product")
    database = inspect(tables_from_memory(make_tables()), synthesis).database()
    shown = evaluate(database, database).model_dump_json()
    assert "phone" in shown
    assert UNIQUE not in shown
    assert "98765" not in shown.replace(".", "")


def test_few_referenced_rows_are_no_persons() -> None:
    """Whatever few shops there are: what many customers hold stays known."""
    tables = make_tables()
    shops = np.arange(3)
    tables["shops"] = pl.DataFrame({"id": shops, "town": ["x", "y", "z"]})
    tables["reviews"] = tables["reviews"].with_columns(pl.Series("shop", np.arange(ROWS) % 3))
    synthesis = document("customer", "product", "shop")
    synthesis = synthesis.model_copy(
        update={"tables": {**synthesis.tables, "shops": synthesis.tables["products"]}}
    )
    database = inspect(tables_from_memory(tables), synthesis).database()
    told = json.dumps(fit_codecs(database, synthesis).to_json())
    assert "phone" in told
    assert UNIQUE not in told


def test_what_rows_tell_of_those_that_point_at_them_is_of_enough_persons() -> None:
    """Of 700 products 100 are bought by one customer for sums that nobody else pays."""
    rng = np.random.default_rng(1)
    customer, product = np.repeat(np.arange(400), 10), rng.integers(0, 700, 4_000)
    amount = np.round(rng.random(4_000) * 40 + product % 7 * 30, 2)
    sales = pl.DataFrame(
        {
            "customer": np.append(customer, np.ones(100, dtype=np.int64)),
            "product": np.append(product, np.arange(100)),
            "amount": np.append(amount, FAR + np.arange(100)),
        }
    ).with_row_index("id")
    keys = [
        {"columns": ["customer"], "table": "customers", "owner": True},
        {"columns": ["product"], "table": "products"},
    ]
    synthesis = kinsynth.Synthesis.model_validate(
        {
            "roots": "many",
            "tables": {
                "customers": {"primary_key": ["id"]},
                "products": {"primary_key": ["id"]},
                "sales": {"primary_key": ["id"], "order_by": "", "foreign_keys": keys},
            },
        }
    )
    source = {
        "customers": pl.DataFrame({"id": np.arange(400), "kind": rng.choice([*"abc"], 400)}),
        "products": pl.DataFrame({"id": np.arange(700), "kind": rng.choice([*"xyz"], 700)}),
        "sales": sales,
    }
    database = inspect(tables_from_memory(source), synthesis).database()
    codec = fit_codecs(database, synthesis)
    told = [one.codec for one in codec.tables["products"].factors if one.kind == "sketch"]
    assert {one.column for one in told} == {"amount"}
    assert max(float(one.edge_K.max()) for one in told) < 1_000


@pytest.mark.parametrize("buyers", [1, 60])
def test_at_each_group_of_rows_point_enough_persons(buyers) -> None:
    """Goods of one kind go with one word, and only some customers buy them."""
    rng = np.random.default_rng(2)
    customer, odd = rng.integers(0, CUSTOMERS, ROWS), rng.random(ROWS) < 0.2
    good = np.where(odd, rng.integers(0, 30, ROWS), rng.integers(30, 100, ROWS))
    sales = pl.DataFrame(
        {
            "id": np.arange(ROWS),
            "customer": np.where(odd, customer % buyers, customer),
            "good": good,
            "word": np.where(odd, "a", rng.choice([*"bc"], ROWS)),
        }
    )
    keys = [
        {"columns": ["customer"], "table": "customers", "owner": True},
        {"columns": ["good"], "table": "goods"},
    ]
    tables = {name: {"primary_key": ["id"]} for name in ("customers", "goods", "sales")}
    tables["sales"] |= {"foreign_keys": keys}
    synthesis = kinsynth.Synthesis.model_validate({"roots": "many", "tables": tables})
    source = {
        "customers": pl.DataFrame({"id": np.arange(CUSTOMERS), "kind": rng.choice([*"abc"], CUSTOMERS)}),
        "goods": pl.DataFrame({"id": np.arange(100), "kind": np.where(np.arange(100) < 30, "x", "y")}),
        "sales": sales,
    }
    database = inspect(tables_from_memory(source), synthesis).database()
    facts = find_facts(database, find_structure(database.schema))
    codec = with_keys(database, fit_codecs(database, synthesis), facts, minimum=5)
    (keys_codec,) = codec.keys.values()
    parts = encode_parts(database, codec)
    group_R, root_R = parts[keys_codec.name].whole().codes_RC[:, 0], database.tables["sales"]["customer"]
    persons = [len(np.unique(np.sort(root_R.to_numpy())[group_R == code])) for code in keys_codec.seen[0]]
    assert min(persons) >= 5
    assert (min(persons) <= 60) == (buyers == 60)


def test_how_often_one_person_points_at_some_rows_is_not_told() -> None:
    """One customer buys each of ten products a hundred times; others buy what they like."""
    rng = np.random.default_rng(3)
    sales = pl.DataFrame(
        {
            "id": np.arange(ROWS + 1_000),
            "customer": np.append(rng.integers(0, CUSTOMERS, ROWS), np.full(1_000, 7)),
            "product": np.append(rng.integers(0, PRODUCTS, ROWS), np.arange(1_000) % 10),
        }
    )
    tables = make_tables()
    source = {"customers": tables["customers"], "products": tables["products"], "reviews": sales}
    synthesis = document("customer", "product")
    database = inspect(tables_from_memory(source), synthesis).database()
    codec = fit_codecs(database, synthesis)
    told = [one.codec for one in codec.tables["products"].factors if one.kind == "count"]
    assert [int(one.high_K.max()) < 100 for one in told] == [True]
    assert told[0].high_K.max() > 50
