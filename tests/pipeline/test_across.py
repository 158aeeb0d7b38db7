"""Moments keep their order with those of other rows, however a database is drawn."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from bank_database import CUSTOMERS, LETTER, bank_document, broken_orders, make_bank
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.across import Across, describe_across, find_across
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.model import Model, load_model
from kinsynth.pipeline.rules import fit_rules
from kinsynth.pipeline.run import Execution, generate, run
from kinsynth.schema.database import Database
from kinsynth.schema.facts import find_facts
from kinsynth.schema.graph import find_structure
from kinsynth.settings.document import parse

pytestmark = pytest.mark.usefixtures("parse_here")


def find(tables: dict[str, pl.DataFrame]) -> dict[str, Across]:
    return find_in(inspect(tables_from_memory(tables), parse(bank_document())).database())


def find_in(database: Database) -> dict[str, Across]:
    document = parse(bank_document())
    rules = {name: found for name, (found, _) in fit_rules(database, None, document).items()}
    facts = find_facts(database, find_structure(database.schema))
    return find_across(database, None, document, facts, rules)


@pytest.fixture(scope="module")
def bank() -> dict[str, pl.DataFrame]:
    tables = make_bank()
    assert set(broken_orders(tables).values()) == {0}
    return tables


@pytest.fixture(scope="module")
def finished(bank: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Execution:
    source = tmp_path_factory.mktemp("bank") / "source"
    source.mkdir()
    for name, table in bank.items():
        table.write_csv(source / f"{name}.csv")
    document = bank_document(source={"paths": [str(source)]}, report={"enabled": False})
    return run(parse(document), source.parent / "run", base=Path())


@pytest.fixture(scope="module")
def model(finished: Execution) -> Model:
    return load_model(finished.folder / "model")


def read(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_csv(path, try_parse_dates=True) for path in (folder / "tables").glob("*.csv")}


def test_orders_are_found_up_the_owners_and_along_keys(bank: dict[str, pl.DataFrame]) -> None:
    found = {name: {one.columns for one in across.orders} for name, across in find(bank).items()}
    assert ("customer_id -> customer.signed", "opened") in found["account"]
    assert ("account_id -> account.opened", "day") in found["transfer"]
    assert ("day", "account_id -> account.closed") in found["transfer"]
    assert ("account_id -> customer_id -> customer.signed", "day") in found["transfer"]
    assert {("account_id -> account.opened", "issued"), ("clerk_id -> clerk.hired", "issued")} <= found[
        "card"
    ]
    assert ("card_id -> card.issued", "written") in found["note"]
    assert found["customer"] == found["clerk"] == set()


def test_one_row_that_breaks_an_order_refutes_it(bank: dict[str, pl.DataFrame]) -> None:
    first = pl.col("account_id") == bank["account"]["account_id"][0]
    early = pl.when(first).then(pl.lit(dt.date(2014, 1, 1))).otherwise(pl.col("opened"))
    found = find({**bank, "account": bank["account"].with_columns(opened=early)})
    assert not any("opened" in one.columns for one in found["account"].orders)


def test_moments_that_have_nothing_to_do_with_each_other_have_no_order(bank: dict[str, pl.DataFrame]) -> None:
    chance = np.random.default_rng(0)
    shuffled = bank["account"]["opened"].gather(chance.permutation(bank["account"].height))
    found = find({**bank, "account": bank["account"].with_columns(opened=shuffled)})
    assert not any("opened" in one.columns for one in found["account"].orders)
    far = find({**bank, "customer": bank["customer"].with_columns(pl.col("signed").dt.offset_by("-30y"))})
    assert far["account"].orders == (), "what could not be otherwise says nothing"


def test_the_moment_that_tells_most_is_counted_from(model: Model) -> None:
    def anchor(table: str, column: str) -> str:
        return next(one.anchor for one in model.codec.tables[table].factors if column in one.columns)

    assert anchor("account", "opened") == "customer_id -> customer.signed"
    assert anchor("transfer", "day") == "account_id -> account.opened"
    assert anchor("note", "written") == "card_id -> card.issued"
    assert anchor("card", "letter") == "account_id -> account.opened"
    assert anchor("customer", "signed") == ""
    said = list(describe_across(model.codec))
    assert "note: written is drawn as the time since card_id -> card.issued" in said
    assert "card: issued is never before clerk_id -> clerk.hired" in said


def test_no_order_is_broken_in_the_files_and_the_certificate_says_so(finished: Execution) -> None:
    assert set(broken_orders(read(finished.folder)).values()) == {0}
    proof = json.loads(finished.certificate.read_text())["guarantees"]
    kept = [one for one in proof if one["code"] == "rule.kept"]
    named = {one["where"] for one in kept}
    assert "account: customer_id -> customer.signed <= opened" in named
    assert "transfer: day <= account_id -> account.closed" in named
    assert "note: card_id -> card.issued <= written" in named
    assert all(one["violations"] == 0 for one in kept)
    ranges = {one["where"] for one in proof if one["code"] == "column.range"}
    assert {"account.opened", "card.issued", "card.letter", "note.written", "transfer.day"} <= ranges


def test_nor_when_more_is_generated(finished: Execution, tmp_path: Path) -> None:
    more = generate(
        folder=finished.folder, output=tmp_path / "more", rows={"customer": 3 * CUSTOMERS}, seed=5
    )
    tables = read(more.folder)
    assert tables["customer"].height == 3 * CUSTOMERS
    assert set(broken_orders(tables).values()) == {0}


@pytest.mark.parametrize("batch_roots", [1, 37])
def test_nor_in_batches_of_any_size_which_give_the_same(model: Model, batch_roots: int) -> None:
    whole, parts = model.sample(seed=9), replace(model, batch_roots=batch_roots).sample(seed=9)
    assert set(broken_orders(whole).values()) == {0}
    assert all(parts[name].equals(table) for name, table in whole.items())


def test_nor_below_given_rows_later_than_all_of_the_source(model: Model) -> None:
    late = pl.DataFrame({"signed": [dt.date(2031, 1, 1), dt.date(2015, 3, 1)] * 20})
    drawn = model.sample(given={"customer": late}, seed=4)
    assert drawn["customer"]["signed"].to_list() == late["signed"].to_list()
    assert drawn["account"].height > 10
    assert set(broken_orders(drawn).values()) == {0}


def test_a_date_before_or_after_another_one_keeps_its_distance(model: Model) -> None:
    drawn = model.sample(seed=8)
    card = drawn["card"].join(drawn["account"], on="account_id")
    apart = (card["letter"] - card["opened"]).dt.total_days()
    # The few cards of dates at the ends of the source are moved inwards, to what enough customers reach.
    inside = card["letter"].is_between(card["letter"].min(), card["letter"].max(), closed="none")
    assert inside.sum() > 0.9 * card.height
    assert apart.filter(inside).is_between(-LETTER, LETTER).all()
    assert apart.n_unique() > LETTER
    assert not any("letter" in rule.columns for rule in model.codec.tables["card"].rules)


def test_a_root_row_knows_its_own_date_before_it_is_known_what_it_points_to(
    bank: dict[str, pl.DataFrame],
) -> None:
    document = bank_document()
    document["tables"]["note"]["foreign_keys"][0]["owner"] = False
    database = inspect(tables_from_memory(bank), parse(document)).database()
    assert find_structure(database.schema).parent_relation["note"] is None
    note = fit_codecs(database, parse(document), across=find_in(database)).tables["note"]
    assert next(one.kind for one in note.factors if "written" in one.columns) == "column"
    assert ("card_id -> card.issued", "written") in {rule.columns for rule in note.rules}


def test_what_is_read_comes_back_from_json(model: Model) -> None:
    again = DatabaseCodec.from_json(json.loads(json.dumps(model.codec.to_json())))
    assert again.anchors == model.codec.anchors
    assert any(again.anchors.values())


def test_nothing_extreme_of_another_row_is_told(model: Model, bank: dict[str, pl.DataFrame]) -> None:
    """Bounds that a model keeps are those of enough persons, also where one clerk has most cards."""
    early = bank["clerk"]["hired"].sort().head(4).to_list()
    days = {(day - dt.date(1970, 1, 1)).days for day in early}
    ticks = {
        tick for rule in model.codec.tables["card"].rules for pair in _bounds(rule.to_json()) for tick in pair
    }
    assert ticks
    assert not ticks & days


def _bounds(document: dict[str, Any]) -> list[list[int]]:
    return document.get("bounds", [])


def test_arrow_types_stay(model: Model) -> None:
    drawn = model.draw(seed=2)
    assert drawn.tables["card"].schema.field("used").type == pa.timestamp("us")
    assert drawn.tables["card"].schema.field("issued").type == pa.date32()
