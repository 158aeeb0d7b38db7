"""Domains of a model: columns in order share theirs, given and computed columns have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.columns.domain import Categories, Range
from kinsynth.columns.scale import NumberScale
from kinsynth.pipeline.certificate import certify
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.domains import Domains, certain_domains, order_ranges
from kinsynth.pipeline.model import Model
from kinsynth.pipeline.run import run
from kinsynth.rules.order import Order, put_in_order
from kinsynth.schema.table import Column, Schema, Table
from kinsynth.settings.document import parse

ROWS = 400
SCHEMA = Schema(
    {"t": Table("t", (Column("price", "numeric", "double"), Column("colour", "categorical", "string")))}
)
KEPT_TO = {
    "t": {"price": (Range("decimal", 100, 900, 5, digits=2),), "colour": (Categories("string", ("red",)),)}
}


def failures(price: list[float | None], colour: list[str | None]) -> dict[str, tuple[str, int]]:
    table = pa.table({"price": pa.array(price, pa.float64()), "colour": pa.array(colour, pa.string())})
    proof = certify(SCHEMA, {"t": table}, originals={}, expected_rows={}, domains=KEPT_TO)
    assert {"column.range", "column.precision", "column.categories"} <= {one.code for one in proof.guarantees}
    return {one.code: (one.where, one.violations) for one in proof.failed}


def test_the_certificate_counts_what_leaves_the_domain() -> None:
    assert failures([1.0, 1.05, None], ["red", None, "red"]) == {}
    assert failures([0.95, 9.05, 1.0], ["red"] * 3) == {"column.range": ("t.price", 2)}
    assert failures([1.01, 1.005, 1.0], ["red"] * 3) == {"column.precision": ("t.price", 2)}
    assert failures([1.0] * 3, ["red", "blue", None]) == {"column.categories": ("t.colour", 1)}


def test_a_column_that_is_not_written_fails() -> None:
    proof = certify(SCHEMA, {}, originals={}, expected_rows={}, domains=KEPT_TO)
    codes = {one.code for one in proof.failed}
    assert {"column.range", "column.precision", "column.categories"} <= codes


@pytest.fixture(scope="module")
def model() -> Model:
    chance = np.random.default_rng(5)
    low = chance.integers(10, 300, ROWS) * 5
    table = {
        "low": low,
        "high": low + chance.integers(1, 200, ROWS) * 5,
        "net": np.round(chance.gamma(2, 30, ROWS), 2),
        "tax": np.round(chance.gamma(2, 5, ROWS), 2),
        "colour": chance.choice(["red", "green", "blue"], ROWS),
    }
    table["gross"] = np.round(table["net"] + table["tax"], 2)
    training = {"max_epochs": 1, "threads": 1, "model_size": "small"}
    return kinsynth.fit({"t": pa.table(table)}, parse({"training": training}))


def stated(model: Model, **asked: Any) -> Domains:
    return certain_domains(model.codec, Conditions(**asked))["t"]


def test_computed_columns_have_no_domain(model: Model) -> None:
    assert model.codec.tables["t"].computed == {"gross"}
    assert {*stated(model)} == {"low", "high", "net", "tax", "colour"}


def test_columns_in_order_share_their_steps(model: Model) -> None:
    low, high = (stated(model)[name][0] for name in ("low", "high"))
    assert isinstance(low, Range)
    assert isinstance(high, Range)
    assert (low.step, high.step, (low.first - high.first) % 5) == (5, 5, 0)


@pytest.mark.parametrize("asked", [{"fixed": {"t": {"low": 70}}}, {"never": {"t": {"low": [70]}}}])
def test_given_columns_and_those_tied_to_them_have_none(model: Model, asked: dict[str, Any]) -> None:
    assert {*stated(model, **asked)} == {"net", "tax", "colour"}


def test_given_rows_take_their_columns_out(model: Model) -> None:
    given = {"t": pa.table({"colour": ["red", "violet"]})}
    assert {*stated(model, given=given)} == {"low", "high", "net", "tax"}


@pytest.mark.parametrize("strict", [False, True])
def test_columns_that_are_put_in_order_stay_in_the_shared_range(strict: bool) -> None:
    """Any drawn values within the columns' own ranges, for a chain of three and a fixed first one."""
    chance, measure = np.random.default_rng(2), NumberScale("int64", 0)
    own = {"a": (0, 60), "b": (10, 50), "c": (20, 55)}
    pairs = [("a", "b"), ("b", "c")]
    for fixed in (False, True):
        rules = [
            Order(pair, strict, measure, 5, (own[pair[0]], own[pair[1]]), fixed and pair[0] == "a", False)
            for pair in pairs
        ]
        found = {name: (Range("decimal", *ends, 5, ends[0]),) for name, ends in own.items()}
        ranges = order_ranges(rules, found)
        assert ranges is not None
        columns = {
            name: pa.array(chance.integers(low // 5, high // 5 + 1, 4_000) * 5)
            for name, (low, high) in own.items()
        }
        kept = columns | put_in_order(rules, columns)
        for name, values in kept.items():
            assert not ranges[name].outside(values).any(), name
            assert not ranges[name].off_step(values).any(), name
            assert ranges[name].step == 5


def test_the_run_certifies_every_column(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    lines = ["when,size,kind"]
    lines += [
        f"2020-{1 + one % 12:02}-{1 + one % 28:02},{chance.integers(1, 90) / 4},{'ab'[one % 2]}"
        for one in range(300)
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    document = {
        "source": {"paths": [str(tmp_path / "t.csv")]},
        "training": {"max_epochs": 1, "threads": 1, "model_size": "small"},
        "report": {"enabled": False},
    }
    done = run(parse(document), tmp_path / "out", base=tmp_path)
    lines_found = json.loads(done.certificate.read_text())["guarantees"]
    found = {(one["code"], one["where"].split(".")[-1]) for one in lines_found if one["passed"]}
    assert {
        ("column.range", "when"),
        ("column.precision", "when"),
        ("column.range", "size"),
        ("column.precision", "size"),
        ("column.categories", "kind"),
    } <= found
