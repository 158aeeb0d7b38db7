"""Known cells, shares, values kept out, and imputation, from one trained model of a small database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.errors import KinsynthError, SettingsError
from kinsynth.pipeline.conditions import only_root
from kinsynth.pipeline.imputation import median_places, mode_places
from kinsynth.pipeline.model import Model
from kinsynth.pipeline.request import Request
from kinsynth.schema.table import Column, Relation, Schema, Table

PEOPLE = 3_000
ROWS = 400
SECRET = "Q7Zebra"


def people() -> dict[str, pl.DataFrame]:
    """Cities (a lookup), people with a job that pays, and their visits in order."""
    rng = np.random.default_rng(0)
    job = rng.choice(["cook", "smith", "judge"], PEOPLE, p=[0.5, 0.4, 0.1])
    pay = np.where(job == "judge", 90, np.where(job == "smith", 50, 30)) + rng.integers(0, 10, PEOPLE)
    city = np.where(job == "judge", 3, rng.integers(1, 3, PEOPLE))
    bonus = [
        None if one == "cook" else int(value)
        for one, value in zip(job, rng.integers(0, 4, PEOPLE), strict=True)
    ]
    visits = rng.integers(0, 4, PEOPLE)
    who = np.repeat(np.arange(PEOPLE), visits)
    turn = np.arange(len(who)) - np.searchsorted(who, who)
    return {
        "city": pl.DataFrame({"city_id": [1, 2, 3, 4], "name": ["A", "B", "C", "D"]}),
        "person": pl.DataFrame(
            {
                "person_id": [f"P{n:05}" for n in range(PEOPLE)],
                "city_id": city,
                "born": [
                    dt.date(1960, 1, 1) + dt.timedelta(int(day)) for day in rng.integers(0, 9000, PEOPLE)
                ],
                "pay": pay,
                "bonus": bonus,
                "glad": rng.random(PEOPLE) < np.where(job == "cook", 0.8, 0.2),
                "job": job,
            }
        ),
        "visit": pl.DataFrame(
            {
                "visit_id": np.arange(len(who)),
                "person_id": [f"P{n:05}" for n in who],
                "day": [dt.date(2021, 1, 1) + dt.timedelta(int(7 * n)) for n in turn],
                "mood": np.where(job[who] == "cook", "good", rng.choice(["good", "bad"], len(who))),
                "note": [None if rng.random() < 0.3 else "ab"[int(rng.random() < 0.5)] for _ in who],
            }
        ),
    }


@pytest.fixture(scope="module")
def model() -> Model:
    document = kinsynth.Synthesis.model_validate(
        {
            "tables": {"city": {"original": True}, "person": {"columns": {"bonus": {"type": "integer"}}}},
            "training": {"max_epochs": 40, "threads": 1, "model_size": "small"},
        }
    )
    return kinsynth.fit(people(), document)


def known_rows(rows: int = ROWS) -> pl.DataFrame:
    """Rows as in the source, a third of the cells of each column empty."""
    table = people()["person"].head(rows).drop("person_id")
    holes = np.random.default_rng(3).random((rows, table.width)) < 1 / 3
    return table.with_columns(
        pl.when(pl.Series(holes[:, n])).then(None).otherwise(pl.col(name)).alias(name)
        for n, name in enumerate(table.columns)
    )


def keeps(result: pl.DataFrame, given: pl.DataFrame) -> bool:
    """Tell whether every given cell came back."""
    return all(
        result[name].filter(given[name].is_not_null()).equals(given[name].drop_nulls())
        for name in given.columns
    )


def test_given_cells_come_back_and_the_others_are_drawn(model: Model) -> None:
    given = known_rows()
    drawn = model.sample(given={"person": given}, seed=1)
    person = drawn["person"]
    assert person.height == ROWS
    assert keeps(person, given)
    assert person["person_id"].n_unique() == ROWS
    assert set(drawn["visit"]["person_id"]) <= set(person["person_id"])
    assert person["job"].null_count() == person["city_id"].null_count() == 0
    filled = given["job"].is_null() & given["pay"].is_not_null()
    pays = {"cook": 30, "smith": 50, "judge": 90}
    right = [abs(pay - pays[job] - 4.5) < 5 for pay, job in person.filter(filled)[["pay", "job"]].iter_rows()]
    assert np.mean(right) > 0.9


def test_batches_of_any_size_give_the_same_rows(model: Model) -> None:
    options: dict[str, Any] = {
        "given": {"person": known_rows()},
        "seed": 2,
        "never": {"visit": {"note": ["a"]}},
    }
    whole = model.sample(**options)
    for batch_roots in (1, 300):
        again = replace(model, batch_roots=batch_roots).sample(**options)
        assert all(table.equals(again[name]) for name, table in whole.items())


def test_one_value_for_all_rows(model: Model) -> None:
    drawn = model.sample({"person": ROWS}, seed=3, given={"person": {"job": "judge", "glad": True}})["person"]
    assert set(drawn["job"]) == {"judge"}
    assert drawn["glad"].all()
    assert (drawn["pay"] >= 80).mean() > 0.9
    assert (drawn["city_id"] == 3).mean() > 0.9


def test_keys_of_given_rows_are_those_of_their_children(model: Model) -> None:
    given = known_rows(60).with_columns(person_id=pl.Series([f"mine {n}" for n in range(60)]))
    drawn = model.sample(given=given, seed=3)
    assert drawn["person"]["person_id"].to_list() == given["person_id"].to_list()
    assert drawn["visit"].height
    assert set(drawn["visit"]["person_id"]) <= set(given["person_id"])


def test_values_that_the_codecs_do_not_hold_come_back_too(model: Model) -> None:
    given = pl.DataFrame(
        {"job": ["astronaut", "cook"], "pay": [10_000_000, -5], "born": [dt.date(1700, 1, 1)] * 2}
    )
    assert keeps(model.sample(given=given)["person"], given)


def test_what_goes_with_a_few_rare_values_is_not_told() -> None:
    """Only persons with rare jobs are glad: of four, a rare job given says nothing; of nine it does."""
    from kinsynth.pipeline.conditions import Conditions
    from kinsynth.pipeline.preparation import prepare

    for rare, told in ((4, False), (9, True)):
        jobs = ["cook"] * 500 + [f"job {n}" for n in range(rare)]
        table = pl.DataFrame({"job": jobs, "glad": [job != "cook" for job in jobs]})
        document = kinsynth.Synthesis.model_validate(
            {"evaluation": {"holdout_share": 0}, "training": {"max_epochs": 1, "threads": 1}}
        )
        small = kinsynth.fit({"person": table}, document)
        asked = Conditions(fixed={"person": {"job": "astronaut"}})
        ready = prepare(asked, small.codec, small.schema, originals={}, rows={"person": 3})
        known = ready.conditions["person"].known_RC
        assert known is not None
        assert ((known[:, 0] >= 0) == told).all()
        assert set(small.sample({"person": 3}, given={"person": {"job": "astronaut"}})["person"]["job"]) == {
            "astronaut"
        }


def test_shares_of_a_root_table_and_of_a_child_table(model: Model) -> None:
    rows = 3_000
    balance = {"person": {"job": {"judge": 0.4}}, "visit": {"mood": {"bad": 0.7, "good": 0.3}}}
    drawn = model.sample({"person": rows}, seed=4, balance=balance)
    person, visit = drawn["person"], drawn["visit"]
    judge = person["job"] == "judge"
    assert abs(judge.mean() - 0.4) < 5 * np.sqrt(0.24 / rows)
    assert (person.filter(judge)["pay"] >= 80).mean() > 0.9
    free = model.sample({"person": rows}, seed=4)["person"]
    others, freely = person.filter(~judge)["job"], free.filter(free["job"] != "judge")["job"]
    assert abs((others == "cook").mean() - (freely == "cook").mean()) < 5 * np.sqrt(0.25 / len(others)) * 1.5
    assert abs((visit["mood"] == "bad").mean() - 0.7) < 5 * np.sqrt(0.21 / visit.height)


def test_missing_has_a_share_too(model: Model) -> None:
    drawn = model.sample({"person": 2_000}, seed=4, balance={"person": {"bonus": {None: 0.2}}})["person"]
    empty = drawn["bonus"].is_null()
    assert abs(empty.mean() - 0.2) < 5 * np.sqrt(0.16 / 2_000)
    assert (drawn.filter(empty)["job"] == "cook").mean() > 0.9


def test_values_and_missing_values_are_kept_out_of_every_row(model: Model) -> None:
    drawn = model.sample(
        {"person": 2_000},
        seed=5,
        never={"person": {"job": ["cook"], "pay": [55, "56"], "city_id": [1]}, "visit": {"mood": ["bad"]}},
        no_missing={"person": ["bonus"], "visit": ["note"]},
    )
    person, visit = drawn["person"], drawn["visit"]
    assert not set(person["job"]) & {"cook"}
    assert not set(person["pay"]) & {55, 56}
    assert not set(person["city_id"]) & {1}
    assert set(visit["mood"]) == {"good"}
    assert person["bonus"].null_count() == visit["note"].null_count() == 0


def test_temperature_of_one_drawing(model: Model) -> None:
    cold, hot = (model.sample({"person": 500}, seed=6, temperature=t)["person"] for t in (0.05, 2.0))
    assert (cold["job"] == "judge").mean() < 0.01
    assert (hot["job"] == "judge").mean() > 0.1
    assert model.sample({"person": 50}, seed=6, temperature=1.0)["person"].equals(
        model.sample({"person": 50}, seed=6)["person"]
    )


def test_holes_are_filled_by_draws_that_differ_by_seed(model: Model) -> None:
    given = known_rows()
    first, second = (model.impute(given, seed=seed) for seed in (1, 2))
    for filled in (first, second):
        assert keeps(filled, given)
        assert filled.height == ROWS
        assert all(filled[name].null_count() == 0 for name in given.columns)
    assert not first.equals(second.with_columns(first["person_id"]))
    assert first.equals(model.impute(given, seed=1))


def test_the_best_value_beats_mode_and_median(model: Model) -> None:
    given, truth = known_rows(), people()["person"].head(ROWS)
    best = model.impute(given, table="person", method="best", seed=1)
    assert keeps(best, given)
    hole = given["job"].is_null()
    assert (best["job"] == truth["job"]).filter(hole).mean() > (truth["job"] == "cook").filter(
        hole
    ).mean() + 0.2
    hole = given["pay"].is_null()
    wrong = (best["pay"] - truth["pay"]).abs().filter(hole).mean()
    assert wrong < 0.6 * (truth["pay"] - truth["pay"].median()).abs().filter(hole).mean()


def test_an_empty_cell_may_be_known_to_be_missing(model: Model) -> None:
    given = pl.DataFrame({"bonus": pl.Series([None] * 300, dtype=pl.Int64), "job": [None] * 300})
    filled = model.impute(given, empty_is_missing=["bonus"])
    assert filled["bonus"].null_count() == 300
    assert (filled["job"] == "cook").mean() > 0.95
    assert model.impute(given)["bonus"].null_count() == 0
    allowed = model.impute(given, allow_missing=True)["bonus"].null_count()
    assert 0.3 * 300 < allowed < 0.7 * 300


def test_a_table_without_rows_stays_without(model: Model) -> None:
    nothing = known_rows().clear()
    assert model.impute(nothing).height == model.impute(nothing, method="best").height == 0
    assert model.sample(given=nothing)["person"].height == 0


REFUSED: dict[str, dict[str, Any]] = {
    "condition.child_table": {"given": {"visit": {"mood": "bad"}}},
    "condition.unknown_table": {"never": {"nobody": {"job": ["cook"]}}},
    "condition.unknown_column": {"given": {"person": {"height": 3}}},
    "condition.key_column": {"never": {"person": {"person_id": ["P00001"]}}},
    "condition.unknown_reference": {"given": {"person": {"city_id": 77}}},
    "condition.value": {"given": {"person": pl.DataFrame({"pay": [1.5], "job": [SECRET]})}},
    "data.unparsable": {"given": {"person": pl.DataFrame({"pay": [SECRET]})}},
    "condition.contradiction": {
        "given": {"person": {"job": "cook"}},
        "balance": {"person": {"job": {"cook": 0.5}}},
    },
    "condition.share_value": {"balance": {"person": {"job": {SECRET: 0.5}}}},
    "condition.shares": {"balance": {"person": {"job": {"cook": 0.8, "judge": 0.7}}}},
    "condition.never_missing": {
        "given": {"person": pl.DataFrame({"job": ["cook", None]})},
        "empty_is_missing": {"person": ["job"]},
    },
    "condition.key": {"given": {"person": pl.DataFrame({"person_id": ["a", "a"]})}},
    "condition.rows": {"given": {"person": pl.DataFrame({"job": ["cook"]})}, "rows": {"person": 4}},
    "condition.temperature": {"temperature": 0.0},
    "treatment.nothing_left": {"never": {"person": {"job": ["cook", "smith", "judge"]}}},
}


@pytest.mark.parametrize(("code", "options"), REFUSED.items(), ids=REFUSED)
def test_what_does_not_fit_is_refused_without_telling_a_cell(
    model: Model, code: str, options: dict[str, Any]
) -> None:
    with pytest.raises(KinsynthError) as caught:
        model.sample(**options)
    assert caught.value.code == code
    assert caught.value.remedy
    assert SECRET not in str(caught.value)


def test_a_column_is_fixed_once_and_not_given_too(model: Model, tmp_path: Path) -> None:
    known = tmp_path / "person.csv"
    known.write_text("job\ncook\n\n")
    for request in (
        Request(fixed=[("person.job", "cook"), ("person.job", "judge")]),
        Request(given=[("", known)], fixed=[("person.job", "judge")]),
    ):
        with pytest.raises(SettingsError) as caught:
            model.draw(conditions=request.conditions(model.schema, base=tmp_path))
        assert caught.value.code == "condition.contradiction"


def test_only_root_tables_and_known_methods_are_filled(model: Model) -> None:
    for code, options in (
        ("condition.child_table", {"table": "visit"}),
        ("condition.method", {"method": "mean"}),
    ):
        with pytest.raises(KinsynthError) as caught:
            model.impute(known_rows(5), **options)
        assert caught.value.code == code


def test_a_table_that_references_itself_is_the_only_root_table() -> None:
    relation = Relation("posts", ("answers",), "posts", ("id",))
    schema = Schema({"posts": table("posts")}, (relation,))
    assert only_root(schema) == "posts"
    with pytest.raises(SettingsError) as refused:
        only_root(Schema({"posts": table("posts"), "people": table("people")}, (relation,)))
    assert "posts, people" in refused.value.message


def table(name: str) -> Table:
    columns = tuple(Column(one, "integer", "int64") for one in ("id", "answers"))
    return Table(name, columns, primary_key=("id",))


def test_the_median_and_the_mode_are_those_of_each_row() -> None:
    import pyarrow as pa

    values = pa.array([5, 1, 3, None, None, 2, None, 4, 4, 9])
    assert values.take(pa.array(median_places(values, 2))).to_pylist() == [3, 4]
    words = pa.array(["a", "b", "b", None, None, None, "c", "c", "c", "a"])
    assert words.take(pa.array(mode_places(words, 2))).to_pylist() == ["b", "c"]
