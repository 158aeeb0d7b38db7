"""Rows whose owner's key is missing: drawn with their own attributes, beside the sequences of owners."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from guest_database import GUESTS, make_guests
from kinsynth import Synthesis, fit, validate
from kinsynth.certificate.certify import Statement, prove
from kinsynth.pipeline.model import Model, load_model
from kinsynth.pipeline.run import run
from kinsynth.schema.database import Database
from kinsynth.schema.ownership import choose_roles
from kinsynth.settings.document import parse

QUICK = {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3}
WHOLE = {"holdout_share": 0}
DEAL = Synthesis(training=QUICK, evaluation=WHOLE)


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return make_guests(200)


@pytest.fixture(scope="module")
def model(tables: dict[str, pa.Table]) -> Model:
    return fit(tables, DEAL)


def owner_of(model: Model, table: str) -> str:
    return next(
        one.references_table for one in model.schema.relations if (one.table, one.role) == (table, "owner")
    )


def test_a_key_that_is_missing_in_some_rows_is_the_owners(model: Model) -> None:
    assert (owner_of(model, "orders"), owner_of(model, "lines")) == ("customers", "orders")
    assert model.schema.tables["orders"].order_by == "placed"
    assert set(model.rows) == {"customers"}


@pytest.mark.parametrize("rows", [0, 1, 77, 400])
def test_the_share_of_rows_without_owner_follows_the_roots(
    model: Model, tables: dict[str, pa.Table], rows: int
) -> None:
    drawn = model.draw({"customers": rows}, seed=rows)
    orders = drawn.tables["orders"]
    learned = tables["orders"]["customer_id"].null_count / tables["customers"].num_rows
    assert drawn.tables["customers"].num_rows == rows
    assert abs(orders["customer_id"].null_count - rows * learned) <= 0.5
    ids = {*drawn.tables["customers"]["id"].to_pylist(), None}
    assert {*orders["customer_id"].to_pylist()} <= ids
    assert {*drawn.tables["lines"]["order_id"].to_pylist()} <= {*orders["id"].to_pylist()}
    assert len(set(orders["id"].to_pylist())) == orders.num_rows
    assert all(one.passed for one in prove(Statement(drawn.schema, {}, {}), drawn.tables))


def test_batches_of_any_size_give_the_same_rows(model: Model) -> None:
    whole = model.draw(seed=5)
    parts = Model(**{**model.__dict__, "batch_roots": 1}).draw(seed=5)
    assert all(parts.tables[name].equals(table) for name, table in whole.tables.items())


def test_given_roots_and_shares_of_the_rows_below(model: Model, tables: dict[str, pa.Table]) -> None:
    given = pa.table({"segment": ["firm"] * 150})
    asked = {"orders": {"device": {"till": 0.9}}}
    drawn = model.sample(given={"customers": given}, balance=asked, seed=2)
    assert drawn["customers"]["segment"].to_pylist() == ["firm"] * 150
    learned = tables["orders"]["customer_id"].null_count / tables["customers"].num_rows
    assert abs(drawn["orders"]["customer_id"].null_count - 150 * learned) <= 0.5
    till = np.array(drawn["orders"]["device"].to_pylist()) == "till"
    assert abs(till.mean() - 0.9) < 5 * np.sqrt(0.09 / len(till))


def test_the_real_graph_is_copied_with_its_rows_without_owner(tables: dict[str, pa.Table]) -> None:
    copied = Synthesis(training=QUICK, evaluation=WHOLE, generation={"keys": "copied"})
    drawn = fit(tables, copied).sample(seed=1)
    for table, key in (("orders", "customer_id"), ("lines", "order_id")):
        ours, theirs = (pl.from_arrow(one[table])[key] for one in (drawn, tables))
        assert ours.null_count() == theirs.null_count()
        counts = [sorted(one.drop_nulls().value_counts()["count"].to_list()) for one in (ours, theirs)]
        assert counts[0] == counts[1]
    lines = [
        pl.from_arrow(one["lines"]).join(pl.from_arrow(one["orders"]), left_on="order_id", right_on="id")
        for one in (drawn, tables)
    ]
    assert lines[0]["customer_id"].null_count() == lines[1]["customer_id"].null_count()


def test_the_owner_can_be_declared_or_declined(tables: dict[str, pa.Table]) -> None:
    def said(owner: bool) -> Synthesis:
        key = {"columns": ["customer_id"], "table": "customers", "owner": owner}
        return Synthesis(tables={"orders": {"foreign_keys": [key]}}, roots="many")

    for owner in (True, False):
        findings = validate(said(owner), tables)
        assert not [one for one in findings if one.severity == "error"]
        assert not [one for one in findings if one.code == "foreign_keys.no_sequence"]


@pytest.mark.usefixtures("parse_here")
def test_a_run_stores_and_certifies_them(tables: dict[str, pa.Table], tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    for name, table in tables.items():
        pl.from_arrow(table).write_csv(tmp_path / "source" / f"{name}.csv")
    document = {"name": "guests", "source": {"paths": [str(tmp_path / "source")]}, "training": QUICK}
    done = run(parse(document), tmp_path / "run", base=Path())
    evaluation: dict[str, Any] = json.loads((done.folder / "evaluation.json").read_text(encoding="utf-8"))
    relation = next(one for one in evaluation["relations"] if one["table"] == "orders")
    assert relation["kind"] == "owner"
    assert abs(relation["missing"][0] - GUESTS) < 0.05
    kept = load_model(done.folder / "model")
    drawn, networks = kept.draw(seed=1).tables, kept.networks
    alone = networks["orders"].layout.alone
    assert alone is not None
    assert networks["lines"].layout.alone is None
    assert drawn["orders"]["customer_id"].null_count == alone.up_to(drawn["customers"].num_rows) > 0


@pytest.mark.slow
def test_rows_with_and_without_owner_come_out_right() -> None:
    """Guests have another channel, no device and no spread of dates; customers keep theirs, in order."""
    tables = make_guests(1500)
    drawn = fit(tables, Synthesis(evaluation=WHOLE)).sample(seed=3)
    real, made = (pl.from_arrow(one["orders"]) for one in (tables, drawn))
    assert abs(made["customer_id"].null_count() / len(made) - GUESTS) < 0.01
    for column in ("channel", "device"):
        for guest in (True, False):
            shares = [
                one.filter(pl.col("customer_id").is_null() == guest)[column].value_counts(normalize=True)
                for one in (real, made)
            ]
            both = shares[0].join(shares[1], on=column, how="full", coalesce=True).fill_null(0)
            assert (both["proportion"] - both["proportion_right"]).abs().sum() / 2 < 0.05, (column, guest)
    counts = [
        one.drop_nulls("customer_id").group_by("customer_id").len()["len"].value_counts(normalize=True)
        for one in (real, made)
    ]
    both = counts[0].join(counts[1], on="len", how="full", coalesce=True).fill_null(0)
    assert (both["proportion"] - both["proportion_right"]).abs().sum() / 2 < 0.06
    constant = [
        one.drop_nulls("customer_id")
        .group_by("customer_id")
        .agg(pl.len(), same=pl.col("device").n_unique() == 1)
        .filter(pl.col("len") > 1)["same"]
        .mean()
        for one in (real, made)
    ]
    assert abs(constant[0] - constant[1]) < 0.05
    under = made.join(pl.from_arrow(drawn["customers"]), left_on="customer_id", right_on="id")
    assert (under["placed"] >= under["since"]).all()
    first = under.group_by("customer_id").agg((pl.col("placed") - pl.col("since")).min().dt.total_days())[
        "placed"
    ]
    assert abs(first.median() - 29) < 8
    amounts = (
        made.group_by(pl.col("customer_id").is_null()).agg(pl.col("amount").median()).sort("customer_id")
    )
    assert abs(amounts["amount"][1] - 20) < 3
    guests = made.filter(pl.col("customer_id").is_null())["placed"]
    assert (guests >= dt.date(2022, 6, 1)).mean() > 0.9


def test_roles_are_settled(tables: dict[str, pa.Table], model: Model) -> None:
    database = Database(model.schema, {name: tables[name] for name in model.schema.tables}, "original")
    assert choose_roles(database) == model.schema
