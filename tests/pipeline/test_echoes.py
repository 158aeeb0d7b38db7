"""Copies of columns in other tables: found, said, drawn, in the cells that come out."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.decoding import Drawn, decode
from kinsynth.pipeline.echoes import bits_saved, describe_echoes, find_echoes
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.privacy.protection import Holders
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.facts import find_facts
from kinsynth.schema.graph import find_structure

CUSTOMERS, DEPOTS = 300, 60
COPIED = {
    "name": "ship_name",
    "town": "ship_town",
    "rate": "rate_then",
    "since": "since_then",
    "points": "points_then",
    "active": "active_then",
}


def document(**parts: Any) -> dict[str, Any]:
    """Give the document of a quick fit."""

    def key(column: str, table: str, *, owner: bool) -> dict[str, Any]:
        return {"columns": [column], "table": table, "references": [column], "owner": owner}

    keys = [key("customer_id", "customer", owner=True), key("depot_id", "depot", owner=False)]
    return {
        "name": "orders",
        "roots": "many",
        "tables": {
            "customer": {"primary_key": ["customer_id"], "columns": {"name": {"type": "categorical"}}},
            "depot": {"primary_key": ["depot_id"], "columns": {"place": {"type": "categorical"}}},
            "order": {"primary_key": ["order_id"], "foreign_keys": keys, "order_by": "day"},
            "line": {
                "primary_key": ["line_id"],
                "foreign_keys": [key("order_id", "order", owner=True)],
            },
        },
        "training": {"max_epochs": 3, "threads": 1, "model_size": "small", "training_steps": 3},
        "evaluation": {"holdout_share": 0},
        **parts,
    }


def make_orders(seed: int = 0, own: float = 0.15) -> dict[str, pl.DataFrame]:
    """Make orders that repeat their customer's columns, but for a share, and the place of their depot.

    Their lines repeat the town of the customer; the colour has the customer's colours, by chance.
    """
    chance = random.Random(seed)

    def word(number: int) -> str:
        return "".join(chance.choice(["mar", "lo", "tin", "ka", "bre", "sen"]) for _ in range(number))

    customers, depots, orders, lines = ([] for _ in range(4))
    for n in range(CUSTOMERS):
        since = f"20{chance.randint(10, 22)}-0{chance.randint(1, 9)}-{chance.randint(10, 28)}"
        town = None if chance.random() < 0.1 else chance.choice([f"{one} town" for one in range(40)])
        rate, points = round(chance.lognormvariate(3, 1), 2), chance.randint(0, 9_000)
        cells = (f"{word(4)} {word(3)}", town, rate, since, points, chance.random() < 0.5)
        customers.append((n, *cells, chance.choice(["red", "green", "blue"])))
    for n in range(DEPOTS):
        depots.append((n, word(5)))
    for n in range(CUSTOMERS):
        for _ in range(chance.randint(0, 5)):
            others = [customers[chance.randrange(CUSTOMERS)][place] for place in range(1, 7)]
            cells = [
                other if chance.random() < own else mine
                for mine, other in zip(customers[n][1:7], others, strict=True)
            ]
            depot = chance.randrange(DEPOTS)
            place = word(5) if chance.random() < own else depots[depot][1]
            day = len(orders) + chance.randint(0, 1)
            orders.append(
                (len(orders), n, depot, *cells, place, day, chance.choice(["red", "green", "blue"]))
            )
            for _ in range(chance.randint(0, 2)):
                town = None if chance.random() < own else customers[n][2]
                lines.append((len(lines), len(orders) - 1, town, chance.randint(1, 9)))
    frames = {
        "customer": (["customer_id", *COPIED, "colour"], customers),
        "depot": (["depot_id", "place"], depots),
        "order": (
            ["order_id", "customer_id", "depot_id", *COPIED.values(), "from_place", "day", "colour"],
            orders,
        ),
        "line": (["line_id", "order_id", "line_town", "pieces"], lines),
    }
    made = {
        name: pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
        for name, (columns, rows) in frames.items()
    }
    made["customer"] = made["customer"].with_columns(pl.col("since").str.to_date())
    made["order"] = made["order"].with_columns(pl.col("since_then").str.to_date())
    return made


def repeated(tables: Mapping[str, pl.DataFrame]) -> dict[str, list[bool]]:
    """Tell of each column which rows repeat the cell, by joins alone."""
    order = tables["order"].join(tables["customer"], on="customer_id").join(tables["depot"], on="depot_id")
    line = tables["line"].join(order, on="order_id")
    pairs = {
        **{copy: (order[copy], order[column]) for column, copy in COPIED.items()},
        "from_place": (order["from_place"], order["place"]),
        "line_town": (line["line_town"], line["town"]),
    }
    return {name: one.eq_missing(other).to_list() for name, (one, other) in pairs.items()}


def read(given: Mapping[str, Any], **parts: Any) -> Database:
    return inspect(given, kinsynth.Synthesis.model_validate(document(**parts))).database()


def find(database: Database, **parts: Any) -> dict[str, dict[str, str]]:
    facts = find_facts(database, find_structure(database.schema))
    synthesis = kinsynth.Synthesis.model_validate(document(**parts))
    found = find_echoes(database, synthesis, facts)
    return {name: {one.column: one.anchor.name for one in echoes} for name, echoes in found.items()}


FOUND = {
    "customer": {},
    "depot": {},
    "order": {
        **{copy: f"{copy} as customer_id -> customer.{column}" for column, copy in COPIED.items()},
        "from_place": "from_place as depot_id -> depot.place",
    },
    "line": {"line_town": "line_town as order_id -> customer_id -> customer.town"},
}


def as_arrow(tables: Mapping[str, pl.DataFrame]) -> dict[str, pa.Table]:
    """Give tables with plain strings, as readers do."""
    plain = {name: table.to_arrow() for name, table in tables.items()}
    return {
        name: table.cast(
            pa.schema(
                [
                    pa.field(one.name, pa.string() if pa.types.is_large_string(one.type) else one.type)
                    for one in table.schema
                ]
            )
        )
        for name, table in plain.items()
    }


@pytest.mark.parametrize("seed", range(4))
def test_copies_are_found_along_owners_and_keys_and_nothing_else(seed: int) -> None:
    assert find(read(as_arrow(make_orders(seed)))) == FOUND


def test_what_is_a_likeness_or_chance_is_no_copy() -> None:
    tables = make_orders(own=0.95)
    assert find(read(as_arrow(tables))) == {name: {} for name in FOUND}
    same = tables["customer"].with_columns(town=pl.lit("one"), active=pl.lit(value=True))
    order = tables["order"].with_columns(ship_town=pl.lit("one"), active_then=pl.lit(value=True))
    found = find(read(as_arrow({**tables, "customer": same, "order": order})))
    assert "ship_town" not in found["order"]
    assert "active_then" not in found["order"]


def test_one_customer_with_many_orders_is_one_voice() -> None:
    rng, roots = np.random.default_rng(0), np.repeat(np.arange(12), 200)
    there = pa.array(rng.integers(0, 1_000, len(roots)))
    few = pa.array(np.where(roots < 2, there.to_numpy(), rng.integers(0, 1_000, len(roots))))
    assert bits_saved(few, there, roots) == 0
    half = pa.array(np.where(roots % 12 < 6, there.to_numpy(), -there.to_numpy()))
    assert bits_saved(half, there, roots) > 0
    assert bits_saved(half, there, Holders((roots, np.minimum(roots, 1)))) == 0


def test_changed_columns_and_parts_of_keys_repeat_nothing() -> None:
    tables = document()["tables"]
    tables["order"]["columns"] = {"rate_then": {"decimals": 0}, "ship_town": {"never": ["1 town"]}}
    tables["order"]["unique"] = [["order_id", "points_then"]]
    found = find(read(as_arrow(make_orders()), tables=tables), tables=tables)
    assert {*FOUND["order"]} - {*found["order"]} == {"rate_then", "ship_town", "points_then"}


def fit_coded(rows: Mapping[str, pl.DataFrame], **parts: Any) -> tuple[Database, DatabaseCodec]:
    database = read(as_arrow(rows), **parts)
    synthesis = kinsynth.Synthesis.model_validate(document(**parts))
    echoes = find_echoes(database, synthesis, find_facts(database, find_structure(database.schema)))
    return database, fit_codecs(database, synthesis, echoes=echoes)


@pytest.mark.parametrize("own", [0.0, 0.05, 0.3])
def test_decoded_rows_repeat_what_is_drawn_where_the_source_does(own: float) -> None:
    """Names that only one customer has are replaced, and orders have the replaced ones."""
    tables = make_orders(3, own)
    database, codec = fit_coded(tables)
    rows = arrange(database, find_structure(database.schema))
    tables = {name: table[rows[name].row_R] for name, table in tables.items()}
    codec = DatabaseCodec.from_json(json.loads(json.dumps(codec.to_json())))
    key = next(str(one) for one in find_structure(database.schema).keys["order"])
    pointed = {"order": {key: tables["order"]["depot_id"].to_numpy()}}
    drawn = {
        name: Drawn(table, np.arange(table.rows), pointed.get(name, {}))
        for name, table in encode(database, codec).tables.items()
    }
    found = decode(drawn, codec, database.schema, seed=1, before={})
    keys = {name: [one for one in table.columns if one.endswith("_id")] for name, table in tables.items()}
    made = {
        name: pl.concat([tables[name].select(keys[name]), pl.from_arrow(table)], how="horizontal")
        for name, table in found.tables.items()
    }
    assert made["customer"]["name"].is_in(tables["customer"]["name"].to_list()).mean() < 0.02
    before, after = repeated(tables), repeated(made)
    for name, here in before.items():
        assert all(now for then, now in zip(here, after[name], strict=True) if then), name
        # Values of their own may be equal by chance, where few are possible.
        assert own == 0 or np.mean(after[name]) < np.mean(here) + 0.6 * own, name
    assert own > 0.1 or len([*describe_echoes(codec)]) == len(before)


def test_cells_of_original_rows_are_repeated_where_the_drawn_key_leads() -> None:
    """A drawn row names another depot than that of the source: it has the place of this one."""
    tables, said = make_orders(5), document()["tables"]
    said["depot"] = {**said["depot"], "original": True}
    del said["order"]["foreign_keys"][1]["owner"]
    database, codec = fit_coded(tables, tables=said)
    codec = DatabaseCodec.from_json(json.loads(json.dumps(codec.to_json())))
    (anchor,) = (one for one in codec.tables["order"].anchors if one.column == "place")
    assert (anchor.name, anchor.shared) == ("from_place as depot_id -> depot.place", False)
    encoded = encode(database, codec)
    factors = {
        one.columns: span
        for one, span in zip(codec.tables["order"].factors, codec.tables["order"].spans, strict=True)
        if one.columns
    }
    codes_RC = encoded.tables["order"].codes_RC.copy()
    codes_RC[:, factors["depot_id",]] = codes_RC[::-1, factors["depot_id",]]
    orders = replace(encoded.tables["order"], codes_RC=codes_RC)
    drawn = {
        name: Drawn(table, np.arange(table.rows))
        for name, table in {**encoded.tables, "order": orders}.items()
    }
    originals = {"depot": database.tables["depot"]}
    found = decode(drawn, codec, database.schema, seed=1, before={}, originals=originals)
    key = next(one for one in find_structure(database.schema).reference_relations["order"])
    places = tables["depot"]["place"].gather(found.pointed[key])
    rows = arrange(database, find_structure(database.schema))["order"].row_R
    then = pl.Series(repeated(tables)["from_place"]).gather(rows)
    now = pl.Series(found.tables["order"]["from_place"].to_pylist()) == places
    assert now.filter(then).all()
    assert not now.filter(~then).all()


@pytest.fixture(scope="module")
def model() -> kinsynth.Model:
    return kinsynth.fit(make_orders(), kinsynth.Synthesis.model_validate(document()))


def test_as_many_rows_repeat_as_in_the_source_whatever_is_drawn(model: kinsynth.Model) -> None:
    source, made = repeated(make_orders()), repeated(model.sample(seed=2))
    for name, here in source.items():
        share, drawn = np.mean(here), np.mean(made[name])
        # Rows of one customer hang together, and three epochs learn shares by and by.
        error = np.sqrt(share * (1 - share) * (1 / len(here) + 1 / len(made[name])))
        assert abs(share - drawn) < 4 * error + 0.05, name


def test_batches_of_any_size_give_the_same(model: kinsynth.Model) -> None:
    whole, parts = model.sample(seed=4), replace(model, batch_roots=7).sample(seed=4)
    assert all(parts[name].equals(table) for name, table in whole.items())


def test_cells_that_are_given_are_repeated_below(model: kinsynth.Model) -> None:
    given = pl.DataFrame({"name": [f"given {n}" for n in range(40)], "rate": [float(n) for n in range(40)]})
    made = model.sample(given={"customer": given}, seed=5)
    assert made["customer"]["name"].to_list() == given["name"].to_list()
    order = made["order"].join(made["customer"], on="customer_id")
    for copy, column in (("ship_name", "name"), ("rate_then", "rate")):
        assert (order[copy] == order[column]).mean() > 0.6


def test_what_is_kept_out_is_not_repeated(model: kinsynth.Model) -> None:
    never = {"order": {"ship_town": ["1 town", "2 town", "3 town"]}}
    made = model.sample(never=never, no_missing={"order": ["ship_town"]}, seed=6)
    assert {"1 town", "2 town", "3 town"} & {*made["customer"]["town"]}
    assert not {"1 town", "2 town", "3 town", None} & {*made["order"]["ship_town"]}


def test_rows_of_one_customer_that_repeat_its_cells_agree() -> None:
    made = kinsynth.fit(make_orders(own=0.0), kinsynth.Synthesis.model_validate(document())).sample(seed=3)
    assert all(all(here) for here in repeated(made).values())
