"""Columns that rules compute: last factors, conditioned on but never decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.pipeline.certificate import Certificate
from kinsynth.pipeline.codecs import widen
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.exclusion import certain_rules, name_needed
from kinsynth.pipeline.model import Model
from kinsynth.pipeline.outline import Method
from kinsynth.pipeline.request import Request
from kinsynth.pipeline.run import generate, run

ROWS = 3_000
RULES = [
    {"kind": "function", "columns": ["region", "town"]},
    {"kind": "sum", "columns": ["gross", "net", "tax"]},
    {"kind": "line", "columns": ["cents", "gross"]},
    {"kind": "missing", "columns": ["note", "town"]},
]
REGION = {"Ahaus": "west", "Borken": "west", "Celle": "north", "Dahme": "east"}


def orders() -> pl.DataFrame:
    """Towns in regions, and sums that depend on the town; in Dahme there are no notes."""
    rng = np.random.default_rng(0)
    town = rng.choice(list(REGION), ROWS, p=[0.3, 0.3, 0.3, 0.1])
    net = rng.integers(10, 20, ROWS) + np.where(town == "Dahme", 50, 0)
    tax = rng.integers(0, 3, ROWS)
    return pl.DataFrame(
        {
            "region": [REGION[one] for one in town],
            "gross": net + tax,
            "cents": 100 * (net + tax),
            "town": town,
            "net": net,
            "tax": tax,
            "note": [None if one == "Dahme" else "ab"[rng.integers(2)] for one in town],
        }
    )


def document(**more: Any) -> kinsynth.Synthesis:
    said = {
        "tables": {"orders": {"rules": RULES}},
        "training": {"max_epochs": 40, "threads": 1, "model_size": "small"},
        "report": {"enabled": False},
    }
    return kinsynth.Synthesis.model_validate(said | more)


@pytest.fixture(scope="module")
def model() -> Model:
    return kinsynth.fit({"orders": orders()}, document())


def keeps_sums(rows: pl.DataFrame) -> bool:
    right = (pl.col("gross") == pl.col("net") + pl.col("tax")) & (pl.col("cents") == 100 * pl.col("gross"))
    return bool(rows.select(right.all()).item())


def keeps_regions(rows: pl.DataFrame) -> bool:
    return rows["region"].to_list() == [REGION[one] for one in rows["town"]]


def test_computed_columns_stand_last_and_are_not_read(model: Model) -> None:
    codec = model.codec.tables["orders"]
    names = [factor.columns[0] for factor in codec.factors]
    assert codec.computed == {"region", "gross", "cents"} == {*names[-3:]}
    assert [factor.columns[0] for factor in codec.read_factors] == ["town", "net", "tax", "note"]
    assert not widen(model.schema, model.codec)[1]
    rows = model.sample({"orders": 500})["orders"]
    assert keeps_sums(rows)
    assert keeps_regions(rows)


@pytest.mark.parametrize(("column", "value"), [("region", "east"), ("gross", 62), ("cents", 6_200)])
def test_a_value_of_a_computed_column_says_what_it_follows_from(
    model: Model, column: str, value: object
) -> None:
    rows = model.sample({"orders": 400}, given={"orders": {column: value}}, seed=1)["orders"]
    assert set(rows[column]) == {value}
    assert (rows["town"] == "Dahme").mean() > 0.9
    assert (rows["net"] >= 60).mean() > 0.9


def test_columns_follow_from_the_given_value_of_a_computed_one(model: Model) -> None:
    rows = model.sample({"orders": 50}, given={"orders": {"gross": 63}}, seed=1)["orders"]
    assert set(rows["cents"]) == {6_300}


def test_shares_of_a_computed_column_are_those_of_the_values_that_the_rule_gives(model: Model) -> None:
    number = 2_000
    rows = model.sample({"orders": number}, balance={"orders": {"region": {"east": 0.5}}}, seed=1)["orders"]
    assert keeps_regions(rows)
    assert abs((rows["region"] == "east").mean() - 0.5) < 5 * np.sqrt(0.25 / number) + 0.02


@pytest.mark.parametrize(
    "refused",
    [{"region": ["west"]}, {"gross": [15]}, {"cents": [1_500, 1_600]}],
    ids=lambda one: next(iter(one)),
)
def test_a_rule_gives_way_only_where_it_would_write_what_is_kept_out(
    model: Model, refused: dict[str, list[Any]]
) -> None:
    ((column, values),) = refused.items()
    asked: dict[str, Any] = {"never": {"orders": refused}, "no_missing": {"orders": ["note"]}}
    rows = model.sample({"orders": 1_000}, seed=1, **asked)["orders"]
    assert not {*rows[column]} & {*values}
    assert rows["note"].null_count() == 0
    net, tax, town = (rows[name] for name in ("net", "tax", "town"))
    total = (net + tax).rename("gross") if column != "gross" else rows["gross"]
    ruled = {
        "region": town.replace_strict(REGION),
        "gross": net + tax,
        "cents": 100 * total,
    }
    for name, expected in ruled.items():
        broken = rows[name] != expected
        assert not broken.any() or (name == column and set(expected.filter(broken)) <= {*values})


@pytest.mark.parametrize("method", ["draw", "best"])
def test_filled_rows_keep_the_rules_where_nothing_was_given(model: Model, method: Method) -> None:
    given = (
        orders()
        .head(200)
        .with_columns(
            pl.when(pl.int_range(pl.len()) % 2 == 0).then(None).otherwise(pl.col("net")).alias("net"),
            pl.when(pl.int_range(pl.len()) % 4 < 2).then(None).otherwise(pl.col("tax")).alias("tax"),
            pl.when(pl.int_range(pl.len()) % 8 < 4).then(None).otherwise(pl.col("town")).alias("town"),
            pl.lit(None, pl.String).alias("region"),
            pl.lit(None, pl.Int64).alias("gross"),
            pl.lit(None, pl.Int64).alias("cents"),
        )
    )
    for allow_missing in (False, True):
        filled = model.impute(given, seed=1, method=method, allow_missing=allow_missing)
        assert sum(filled.drop("note").null_count().row(0)) == 0
        assert allow_missing or not filled["note"].null_count()
        assert keeps_sums(filled)
        assert keeps_regions(filled)


def test_rules_are_certain_where_nothing_given_or_kept_out_touches_them(model: Model) -> None:
    def kinds(**asked: Any) -> set[str]:
        conditions = Conditions(**{name: {"orders": one} for name, one in asked.items()})
        return {rule.kind for rule in certain_rules(model.codec, conditions)["orders"]}

    everything = {"function", "sum", "line", "missing"}
    assert kinds() == everything
    assert kinds(fixed={"net": 12}) == everything - {"sum"}
    assert kinds(never={"gross": [15]}) == everything - {"sum", "line"}
    assert kinds(never={"town": ["Celle"], "net": [12]}) == everything
    assert kinds(no_missing=("region", "gross", "cents")) == everything
    assert kinds(no_missing=("note",)) == everything - {"missing"}
    rules = model.codec.tables["orders"].rules
    assert {*name_needed(rules, ("cents",))} == {"cents", "gross", "net", "tax"}


def test_rules_whose_columns_are_given_are_not_certified(tmp_path: Path) -> None:
    orders().write_csv(tmp_path / "orders.csv")
    run(document(source={"paths": ["orders.csv"]}), tmp_path / "run", base=tmp_path)
    pl.DataFrame({"gross": [5, 999], "net": [11, None]}).write_csv(tmp_path / "known.csv")
    known = Request(given=[("", tmp_path / "known.csv")])
    done = generate(tmp_path / "run", seed=3, output=tmp_path / "more", request=known)
    proof = Certificate.from_json(done.certificate.read_text())
    lines = {one.where for one in proof.guarantees if one.code == "rule.kept"}
    assert lines == {"orders: town decides region", "orders: town decides whether note is missing"}
    assert pl.read_csv(done.tables[0])["gross"].to_list() == [5, 999]
