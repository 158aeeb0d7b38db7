"""Made-up texts on the way from tables to a model and back: rules, conditions and certificates hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.pipeline.codecs import TableCodec
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.domains import certain_domains
from kinsynth.pipeline.exclusion import certain_rules
from kinsynth.pipeline.model import Model

ROWS = 1_600
SYLLABLES = ("ber", "gau", "hof", "kir", "lin", "mos", "neu", "ried", "sal", "wei")


def people() -> pl.DataFrame:
    """Make names that few persons bear, a code that is checked, and towns in regions, some of them small."""
    rng = np.random.default_rng(0)

    def word(number: int) -> str:
        return "".join(SYLLABLES[(number // 10**place) % 10] for place in range(3)).capitalize()

    town = np.where(rng.random(ROWS) < 0.15, rng.integers(20, 120, ROWS), rng.integers(0, 20, ROWS))
    name = np.where(rng.random(ROWS) < 0.2, 0, rng.integers(1, 1_000, ROWS))
    return pl.DataFrame(
        {
            "age": rng.integers(20, 60, ROWS),
            "town": [word(7 * int(one)) for one in town],
            "region": [f"region {one % 4}" for one in town],
            "name": [word(int(one)) for one in name],
            "code": [word(int(one)) for one in rng.permutation(name)],
        }
    )


def document(**columns: Any) -> kinsynth.Synthesis:
    table = {"columns": columns, "checks": ["code like '%'"]}
    return kinsynth.Synthesis.model_validate(
        {
            "tables": {"people": table},
            "training": {"max_epochs": 3, "threads": 1, "model_size": "small"},
            "report": {"enabled": False},
        }
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return kinsynth.fit({"people": people()}, document())


def replacements(table: TableCodec) -> dict[str, str]:
    return {
        factor.columns[0]: factor.codec.other for factor in table.factors if hasattr(factor.codec, "other")
    }


def rare(column: str) -> set[str]:
    counts = people()[column].value_counts()
    return set(counts.filter(pl.col("count") < 5)[column])


def test_columns_of_rules_and_checks_keep_their_values(model: Model) -> None:
    table = model.codec.tables["people"]
    assert {(rule.kind, rule.columns) for rule in table.rules} >= {("function", ("region", "town"))}
    assert len(rare("town")) >= 50
    found = replacements(table)
    assert (found["name"], found["town"], found["code"]) == ("invent", "resample", "resample")
    certain = certain_domains(model.codec, Conditions())["people"]
    assert {"town", "code"} <= {*certain}
    assert "name" not in certain


def test_rules_hold_and_names_are_new(model: Model) -> None:
    drawn = model.sample({"people": 3_000}, seed=1)["people"]
    table, arrow = model.codec.tables["people"], drawn.to_arrow()
    for rule in certain_rules(model.codec, Conditions())["people"]:
        columns = {name: arrow[name].combine_chunks().cast("string") for name in rule.columns}
        assert rule.kind != "function" or not rule.broken(columns).any()
    assert not set(drawn["town"]) & rare("town")
    names = drawn["name"].to_list()
    kept = next(factor.codec for factor in table.factors if factor.columns == ("name",)).texts
    share = np.mean([name not in kept for name in names])
    before = np.mean([name in rare("name") for name in people()["name"]])
    assert abs(share - before) < 0.05 + 4 * np.sqrt(0.25 / len(names))
    assert np.mean([name in {*people()["name"]} for name in names if name not in kept]) < 0.9
    assert len(set(names)) > 500


def test_bytes_depend_on_no_batch(model: Model) -> None:
    first, second = (
        Model(**{**vars(model), "batch_roots": size}).sample({"people": 700}, seed=3)["people"]
        for size in (64, 8_192)
    )
    assert first.equals(second)
    assert model.sample({"people": 300}, seed=3)["people"].equals(first[:300])


def test_conditions_hold_beside_made_up_names(model: Model) -> None:
    free = model.sample({"people": 2_000}, seed=4)["people"]["name"]
    common = free.value_counts(sort=True)["name"].head(30).to_list()
    kept = common[0]
    drawn = model.sample(
        {"people": 2_000}, seed=4, never={"people": {"name": common}}, no_missing={"people": ["name"]}
    )["people"]["name"]
    assert not set(drawn) & set(common)
    assert drawn.null_count() == 0
    balanced = model.sample({"people": 2_000}, seed=4, balance={"people": {"name": {kept: 0.5}}})["people"]
    assert abs((balanced["name"] == kept).mean() - 0.5) < 4 * np.sqrt(0.25 / 2_000)
    given = model.sample(seed=4, given={"people": pl.DataFrame({"name": ["Unheard of", None] * 50})})[
        "people"
    ]
    assert given["name"].to_list()[::2] == ["Unheard of"] * 50
    assert given["name"].null_count() == 0


def test_a_column_that_is_to_be_made_up_takes_part_in_no_rule() -> None:
    made = kinsynth.fit(
        {"people": people()},
        document(town={"rare_replacement": "invent"}, name={"rare_replacement": "resample"}),
    )
    table = made.codec.tables["people"]
    assert not [rule for rule in table.rules if "town" in rule.columns]
    found = replacements(table)
    assert (found["town"], found["name"]) == ("invent", "resample")
