"""What is refused of conditions that disagree, and what a user is told of those that are kept in part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.errors import Finding, KinsynthError
from kinsynth.pipeline.conditions import Conditions, make_conditions
from kinsynth.pipeline.model import Model
from kinsynth.pipeline.request import Request

ROWS = 300
SECRET = "Q7Zebra"


@pytest.fixture(scope="module")
def model() -> Model:
    """Two root tables and two levels below one of them; the price with tax follows a rule."""
    rng = np.random.default_rng(1)
    price = rng.integers(1, 500, ROWS)
    who = np.repeat(np.arange(ROWS), 2)
    tables = {
        "person": pl.DataFrame(
            {
                "person_id": np.arange(1, ROWS + 1),
                "job": rng.choice(["cook", "smith"], ROWS),
                "price": price,
                "taxed": price * 2,
            }
        ),
        "shop": pl.DataFrame({"shop_id": [f"S{n}" for n in range(60)], "size": ["big", "small"] * 30}),
        "visit": pl.DataFrame(
            {"visit_id": np.arange(1, len(who) + 1), "person_id": who + 1, "mood": ["good", "bad"] * ROWS}
        ),
        "item": pl.DataFrame(
            {
                "item_id": np.arange(1, len(who) + 1),
                "visit_id": np.arange(1, len(who) + 1),
                "kind": rng.choice(["a", "b"], len(who)),
            }
        ),
    }
    document = kinsynth.Synthesis.model_validate(
        {"roots": "many", "training": {"max_epochs": 1, "threads": 1, "model_size": "small"}}
    )
    return kinsynth.fit(tables, document)


def notices(model: Model, conditions: Conditions, rows: int = 10) -> tuple[Finding, ...]:
    return model.prepared({"person": rows}, conditions)[1].findings


def test_two_files_of_one_table_are_refused(model: Model, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "person.csv").write_text("job\ncook\n", encoding="utf-8")
    request = Request(given=[("", Path("one/person.csv")), ("", Path("two/person.csv"))])
    with pytest.raises(KinsynthError) as caught:
        request.conditions(model.schema, base=tmp_path)
    assert (caught.value.code, caught.value.where) == ("condition.given_twice", "person")
    assert "one/person.csv" in caught.value.message
    assert "two/person.csv" in caught.value.message


def test_a_value_has_one_share(model: Model, tmp_path: Path) -> None:
    request = Request(shares=[("person.job", "cook", 0.2), ("person.job", "cook", 0.3)])
    with pytest.raises(KinsynthError) as caught:
        request.conditions(model.schema, base=tmp_path)
    assert (caught.value.code, caught.value.where) == ("condition.shares", "person.job")


def test_a_column_that_is_known_to_be_missing_has_no_other_value(model: Model) -> None:
    import pyarrow as pa

    both = Conditions(
        given={"person": pa.table({"job": pa.nulls(3, pa.string())})},
        fixed={"person": {"job": "cook"}},
        empty_is_missing={"person": ["job"]},
    )
    with pytest.raises(KinsynthError, match=r"person\.job.*condition\.contradiction"):
        model.prepared({}, both)
    unknown = Conditions(given=both.given, fixed=both.fixed)
    assert set(model.draw(conditions=unknown).tables["person"]["job"].to_pylist()) == {"cook"}


@pytest.mark.parametrize(("cells", "refused"), [(["cook", "smith"], True), (["cook", None], False)])
def test_shares_need_rows_that_are_drawn(model: Model, cells: list[str | None], refused: bool) -> None:
    asked = make_conditions(
        model.schema,
        given={"person": {"job": cells}},
        balance={"person": {"job": {"cook": 0.5}}},
    )
    if refused:
        with pytest.raises(KinsynthError, match=r"All 2 cells .*condition\.contradiction"):
            model.prepared({}, asked)
    else:
        assert model.prepared({}, asked)[0]["person"] == 2


def test_a_category_that_the_model_does_not_know_is_said(model: Model) -> None:
    fixed = make_conditions(model.schema, given={"person": {"job": SECRET}})
    (found,) = notices(model, fixed)
    assert (found.code, found.severity, found.where) == ("condition.unknown_category", "notice", "person.job")
    assert "10 of 10" in found.message
    assert SECRET not in str(found)
    assert set(model.draw({"person": 10}, conditions=fixed).tables["person"]["job"].to_pylist()) == {SECRET}
    assert not notices(model, make_conditions(model.schema, given={"person": {"job": "cook"}}))
    given = make_conditions(model.schema, given={"person": {"job": ["cook", SECRET, None]}})
    assert "1 of 3" in model.prepared({}, given)[1].findings[0].message


def test_a_rule_that_gives_way_is_said(model: Model) -> None:
    (computed,) = model.codec.tables["person"].computed
    other = "price" if computed == "taxed" else "taxed"
    asked: list[dict[str, Any]] = [
        {"never": {"person": {computed: [100]}}},
        {"given": {"person": {computed: 100}}},
    ]
    for options in asked:
        (found,) = notices(model, make_conditions(model.schema, **options))
        assert (found.code, found.where) == ("condition.rule_gives_way", f"person.{computed}")
    assert not notices(model, make_conditions(model.schema, never={"person": {other: [100]}}))


def test_what_references_decide_gives_way_too() -> None:
    rng = np.random.default_rng(2)
    tables = {
        "port": pl.DataFrame({"port_id": [f"P{n}" for n in range(6)], "depth": range(6)}),
        "call": pl.DataFrame({"call_id": range(ROWS), "port": [f"P{n}" for n in rng.integers(0, 6, ROWS)]}),
    }
    fees = pl.Series([31, 7, 19, 31, 11, 7])
    tables["call"] = tables["call"].with_columns(
        fee=fees.gather(tables["call"]["port"].str.slice(1).cast(pl.UInt32))
    )
    document = kinsynth.Synthesis.model_validate(
        {
            "tables": {
                "port": {"original": True},
                "call": {"foreign_keys": [{"columns": ["port"], "table": "port"}]},
            },
            "training": {"max_epochs": 1, "threads": 1, "model_size": "small"},
        }
    )
    model = kinsynth.fit(tables, document)
    assert [rule.columns for rule in model.codec.tables["call"].rules] == [("fee", "port")]
    asked: dict[str, dict[str, Any]] = {
        "condition.rule_gives_way": {"never": {"call": {"fee": [7]}}},
        "condition.share_gives_way": {"balance": {"call": {"fee": {7: 0.9}}}},
    }
    for code, options in asked.items():
        found = model.prepared({"call": 10}, make_conditions(model.schema, **options))[1].findings
        assert [(one.code, one.where) for one in found] == [(code, "call.fee")]
    kept = make_conditions(model.schema, balance={"call": {"port": {"P1": 0.9}}})
    assert not model.prepared({"call": 10}, kept)[1].findings


def test_a_dict_of_columns_is_filled_and_a_text_is_no_column(model: Model) -> None:
    filled = model.impute({"job": ["cook", None], "price": [None, 7]}, table="person")
    assert filled["job"][0] == "cook"
    assert filled["price"][1] == 7
    assert filled.null_count().sum_horizontal()[0] == 0
    with pytest.raises(KinsynthError) as caught:
        model.impute({"job": SECRET}, table="person")
    assert (caught.value.code, caught.value.where) == ("source.column_type", "person.job")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("keys", [True, False])
def test_all_that_hangs_on_given_roots_is_drawn(model: Model, keys: bool) -> None:
    person = pl.DataFrame({"person_id": [901, 905, 903], "job": ["cook", None, "smith"]})
    shop = pl.DataFrame({"size": ["big", None]})
    given = {"person": person if keys else person.drop("person_id"), "shop": shop}
    drawn = model.sample(given=given, seed=4)
    assert drawn["person"].height == 3
    assert drawn["person"]["job"].to_list()[::2] == ["cook", "smith"]
    assert drawn["shop"].height == 2
    assert drawn["shop"]["size"][0] == "big"
    if keys:
        assert drawn["person"]["person_id"].to_list() == [901, 905, 903]
    assert drawn["visit"].height
    assert drawn["item"].height
    assert set(drawn["visit"]["person_id"]) <= set(drawn["person"]["person_id"])
    assert set(drawn["item"]["visit_id"]) <= set(drawn["visit"]["visit_id"])


def test_rows_of_each_root_table_go_with_given_rows_of_another(model: Model) -> None:
    given = {"person": pl.DataFrame({"job": ["cook"] * 4})}
    drawn = model.sample({"shop": 7}, given=given)
    assert (drawn["person"].height, drawn["shop"].height) == (4, 7)


def test_given_child_rows_are_refused(model: Model) -> None:
    rows = pl.DataFrame({"visit_id": [1], "person_id": [1]})
    with pytest.raises(KinsynthError) as caught:
        model.sample(given={"visit": rows})
    assert (caught.value.code, caught.value.where) == ("condition.child_table", "visit")
    assert "person" in caught.value.remedy
