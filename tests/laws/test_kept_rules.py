"""The promise of every kind of rule: what holds in all rows of the source holds in all drawn rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.columns.domain import Range
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.domains import certain_domains
from kinsynth.pipeline.model import Model
from kinsynth.settings.document import parse

ROWS = 600
FIXED = 6  # the depot with one gate
TRAINING = {"max_epochs": 2, "threads": 1, "model_size": "small"}


def make_tables() -> dict[str, pa.Table]:
    """Give customers with orders; rules of every kind hold in one of the two, with missing values between."""
    chance = np.random.default_rng(3)
    children = np.repeat(np.arange(ROWS), chance.integers(0, 4, ROWS))
    depots = [f"depot {number}" for number in range(8)]
    return {
        "depot": pa.table({"depot_id": depots, "size": np.arange(8) * 5}),
        "customer": pa.table({"customer_id": np.arange(ROWS), **ruled_columns(ROWS, chance)}),
        "order": pa.table(
            {
                "order_id": np.arange(len(children)) + 10_000,
                "customer_id": children,
                **ruled_columns(len(children), chance),
            }
        ),
    }


def ruled_columns(rows: int, chance: np.random.Generator) -> dict[str, pa.Array]:
    first = 15_000 + chance.integers(0, 1_500, rows)
    second = first + chance.integers(1, 200, rows)
    third = second + chance.integers(0, 200, rows)
    days = [pa.array(one.astype(np.int32)).cast(pa.date32()) for one in (first, second, third)]
    net, tax = np.round(chance.gamma(2, 30, rows), 2), np.round(chance.gamma(2, 5, rows), 2)
    seen = chance.random(rows) < 0.8
    quantity, price = chance.integers(1, 9, rows), np.round(chance.gamma(2, 10, rows), 2)
    city = np.array([f"city {number}" for number in chance.integers(0, 12, rows)])
    model = chance.integers(0, 6, rows)
    status = chance.choice(["open", "shipped"], rows, p=[0.4, 0.6])
    near, far = chance.integers(0, 4, rows), chance.integers(4, 8, rows)
    gate = np.where(far == FIXED, 900, chance.integers(0, 300, rows))
    return {
        "near": pa.array([f"depot {one}" for one in near]),
        "far": pa.array([f"depot {one}" for one in far]),
        "miles": pa.array(np.random.default_rng(8).permutation(16)[near * 4 + far - 4] * 3 + 20),
        "gate": pa.array(gate),
        "requested": days[0],
        "shipped": pa.array(days[1].to_pylist(), pa.date32(), mask=status == "open"),
        "arrived": pa.array(days[2].to_pylist(), pa.date32(), mask=status == "open"),
        "requested_year": pa.array(
            (first.astype("datetime64[D]").astype("datetime64[Y]").astype(int)) + 1970
        ),
        "net": pa.array(net, mask=~seen),
        "tax": pa.array(tax),
        "gross": pa.array(np.round(net + tax, 2), mask=~seen),
        "quantity": pa.array(quantity),
        "price": pa.array(price),
        "amount": pa.array(np.round(quantity * price, 2)),
        "city": pa.array(city),
        "country": pa.array([f"country {int(name[5:]) % 4}" for name in city]),
        "town": pa.array(city),
        "status": pa.array(status),
        "model": pa.array([f"model {one}" for one in model]),
        "colour": pa.array([f"colour {one}" for one in (model + chance.choice([0, 1, 3], rows)) % 6]),
        "score": pa.array(chance.integers(0, 50, rows)),
        "points": pa.array(np.zeros(rows)),
    }


@pytest.fixture(scope="module")
def model() -> Model:
    tables = make_tables()
    for name in ("customer", "order"):
        table = tables[name]
        points = pa.array([10 * score + 3 for score in table["score"].to_pylist()])
        tables[name] = table.set_column(table.column_names.index("points"), "points", points)
    keys = [{"columns": [name], "table": "depot"} for name in ("near", "far")]
    owner = {"columns": ["customer_id"], "table": "customer"}
    declared = {
        "depot": {"original": True, "primary_key": ["depot_id"]},
        "customer": {"primary_key": ["customer_id"], "foreign_keys": keys},
        "order": {"primary_key": ["order_id"], "foreign_keys": [owner, *keys], "order_by": "requested"},
    }
    return kinsynth.fit(tables, parse({"tables": declared, "training": TRAINING, "generation": {"seed": 5}}))


@pytest.fixture(scope="module")
def drawn(model: Model) -> Mapping[str, pa.Table]:
    return model.draw({"customer": 3_000}).tables


KINDS = {
    "copy",
    "part",
    "sum",
    "product",
    "line",
    "function",
    "missing",
    "combination",
    "order",
    "reference",
    "constant",
}


@pytest.mark.parametrize("name", ["customer", "order"])
def test_every_kind_is_found_and_kept_in_every_row(
    model: Model, drawn: Mapping[str, pa.Table], name: str
) -> None:
    rules = model.codec.tables[name].rules
    assert {rule.kind for rule in rules} == KINDS
    columns = {column: as_array(drawn[name][column]) for column in drawn[name].column_names}
    assert {(rule.kind, int(rule.broken(columns).sum())) for rule in rules} == {(kind, 0) for kind in KINDS}


@pytest.mark.parametrize("name", ["customer", "order"])
def test_all_but_computed_columns_keep_to_their_domain(
    model: Model, drawn: Mapping[str, pa.Table], name: str
) -> None:
    stated = certain_domains(model.codec, Conditions())[name]
    keys = {"customer_id", "order_id", "near", "far"}
    assert {*drawn[name].column_names} - {*stated} == (
        keys & {*drawn[name].column_names}
    ) | model.codec.tables[name].computed
    for column, several in stated.items():
        values = as_array(drawn[name][column])
        assert not any(one.outside(values).any() for one in several), column
        assert not any(one.off_step(values).any() for one in several if isinstance(one, Range)), column


@pytest.mark.parametrize("name", ["customer", "order"])
def test_other_rows_see_all_but_what_is_computed(model: Model, name: str) -> None:
    table, layout = model.codec.tables[name], model.networks[name].layout
    seen = {factor.columns for factor in table.read_factors}
    assert {table.factors[sub.column].columns for sub in layout.sub_columns if sub.shown} == seen
    assert {table.factors[sub.column].columns for sub in layout.sub_columns if not sub.shown} == {
        (column,) for column in table.computed
    }


def test_rows_keep_their_order_beside_the_rules(model: Model, drawn: Mapping[str, pa.Table]) -> None:
    assert model.schema.tables["order"].order_by == "requested"
    frame = pl.DataFrame(drawn["order"])
    assert frame.select((pl.col("requested").diff().over("customer_id") >= 0).all()).item()
    assert model.codec.tables["order"].rules[0].writes != ("requested",)


@pytest.mark.parametrize("name", ["customer", "order"])
def test_the_rules_hold_by_the_eyes_of_a_reader(drawn: Mapping[str, pa.Table], name: str) -> None:
    """Say each rule again, in another library and without the rule's own code."""
    frame = pl.DataFrame(drawn[name])
    col = pl.col
    assert (
        frame.select(
            sum=((col("net") + col("tax")).round(2) == col("gross")).all(),
            sum_missing=(col("net").is_null() == col("gross").is_null()).all(),
            product=((col("quantity") * col("price") - col("amount")).abs() < 1e-9).all(),
            order=(col("requested") < col("shipped")).all() & (col("shipped") <= col("arrived")).all(),
            part=(col("requested").dt.year() == col("requested_year")).all(),
            copy=(col("city") == col("town")).all(),
            line=(10 * col("score") + 3 == col("points")).all(),
            missing=((col("status") == "open") == col("shipped").is_null()).all(),
            together=(col("shipped").is_null() == col("arrived").is_null()).all(),
            combination=(
                (col("colour").str.tail(1).cast(pl.Int64) - col("model").str.tail(1).cast(pl.Int64))
                .mod(6)
                .is_in([0, 1, 3])
            ).all(),
            function=(col("country").n_unique().over("city") == 1).all(),
            reference=(col("miles").n_unique().over("near", "far") == 1).all(),
            constant=((col("far") != f"depot {FIXED}") | (col("gate") == 900)).all(),
            not_constant=(col("gate").n_unique().over("far") > 1).any(),
        ).row(0)
        == (True,) * 14
    )


def test_a_saved_model_draws_the_same(model: Model, drawn: Mapping[str, pa.Table], tmp_path: object) -> None:
    path = tmp_path / "model"  # type: ignore[operator]
    model.save(path)
    again = kinsynth.load(path).draw({"customer": 3_000}).tables
    assert all(again[name].equals(table) for name, table in drawn.items())


def test_values_do_not_depend_on_the_size_of_batches(model: Model, drawn: Mapping[str, pa.Table]) -> None:
    from dataclasses import replace

    small = replace(model, batch_roots=100).draw({"customer": 3_000}).tables
    assert all(small[name].equals(table) for name, table in drawn.items())
