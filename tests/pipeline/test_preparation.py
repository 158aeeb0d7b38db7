"""What one drawing keeps to, told from fitted codecs alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.errors import SettingsError
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.model import Model
from kinsynth.pipeline.preparation import prepare
from kinsynth.pipeline.rules import fit_rules
from kinsynth.settings.document import parse

ROWS = 2_000


def test_what_a_column_is_counted_from_is_not_missing_where_the_column_must_not_be() -> None:
    document = kinsynth.Synthesis()
    database = inspect({"stays": stays()}, document).database()
    rules = {name: found for name, (found, _) in fit_rules(database, None, document).items()}
    codec = fit_codecs(database, document, rules=rules)
    assert {factor.columns: factor.anchor for factor in codec.tables["stays"].factors}[("end",)] == "begin"
    asked = Conditions(no_missing={"stays": ["end"]})
    ready = prepare(asked, codec, database.schema, originals={}, rows={"stays": 0})
    for factor in ready.codec.tables["stays"].factors:
        forbidden_K = factor.codec.sub_columns[0].forbidden_K
        assert forbidden_K is not None
        assert forbidden_K[0], f"{factor.columns} may be drawn missing"


@pytest.fixture(scope="module")
def model() -> Model:
    training = {"max_epochs": 2, "threads": 1, "model_size": "small"}
    return kinsynth.fit({"stays": stays()}, parse({"training": training}))


def test_a_value_is_there_though_what_it_is_counted_from_is_known_to_be_missing(model: Model) -> None:
    given = pa.table({"begin": pa.array([None, 100, None] * 50, pa.int64())})
    asked = Conditions(
        given={"stays": given}, empty_is_missing={"stays": ["begin"]}, no_missing={"stays": ["end"]}
    )
    drawn = model.draw(conditions=asked).tables["stays"]
    assert drawn["begin"].to_pylist() == given["begin"].to_pylist()
    end = drawn["end"].to_numpy()
    assert drawn["end"].null_count == 0
    assert (end > np.where(given["begin"].is_null(), 0, 100)).all()
    assert (end <= 4_030).all()


def test_without_that_wish_it_is_missing_with_it(model: Model) -> None:
    given = pa.table({"begin": pa.array([None] * 50, pa.int64())})
    asked = Conditions(given={"stays": given}, empty_is_missing={"stays": ["begin"]})
    assert model.draw(conditions=asked).tables["stays"]["end"].null_count == 50


def test_missing_has_a_share_in_a_column_that_is_counted_from_another(model: Model) -> None:
    shares = Conditions(balance={"stays": {"end": {None: 0.75}}})
    rows = 4_000
    missing = model.draw({"stays": rows}, conditions=shares).tables["stays"]["end"].null_count / rows
    assert abs(missing - 0.75) < 4 * (0.75 * 0.25 / rows) ** 0.5


def test_a_cell_that_is_given_as_missing_may_not_be_unwanted(model: Model) -> None:
    given = pa.table({"end": pa.array([None] * 5, pa.int64())})
    asked = Conditions(
        given={"stays": given}, empty_is_missing={"stays": ["end"]}, no_missing={"stays": ["end"]}
    )
    with pytest.raises(SettingsError) as caught:
        model.draw(conditions=asked)
    assert (caught.value.code, caught.value.where) == ("condition.missing_given", "stays.end")


def stays() -> pa.Table:
    chance = np.random.default_rng(0)
    begin = chance.integers(0, 4_000, ROWS)
    gone = chance.random(ROWS) < 0.2
    columns = {
        "begin": pa.array(begin, mask=gone),
        "end": pa.array(begin + chance.integers(1, 30, ROWS), mask=gone | (chance.random(ROWS) < 0.3)),
    }
    return pa.table(columns)
