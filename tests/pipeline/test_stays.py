"""Columns that stay the same over the rows of a parent: found, said, drawn, and in the written cells."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.encoded import ALWAYS, ANY, AS_BEFORE
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.decoding import Drawn, decode
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.stays import are_constant, find_stays, repeats
from kinsynth.privacy.protection import OwnRoots

PARENTS = 1_200
DOCUMENT = {
    "tables": {
        "person": {"primary_key": ["id"]},
        "visit": {
            "foreign_keys": [{"columns": ["person_id"], "table": "person", "references": ["id"]}],
            "order_by": "day",
        },
    },
    "training": {"max_epochs": 12, "threads": 1, "model_size": "small"},
    "evaluation": {"holdout_share": 0},
}


def visits(seed: int = 0) -> dict[str, pa.Table]:
    """Persons with up to eight visits.

    The weight is one number in 60 of 100 persons, the doctor one name, or missing, in 30; the clinic always
    is one; the day is one in 20 of 100; the mood comes by chance.
    """
    rng = np.random.default_rng(seed)
    count_P = rng.integers(0, 9, PARENTS)
    parent_R = np.repeat(np.arange(PARENTS), count_P)
    rows = len(parent_R)

    def stay(share: float, own: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.where((rng.random(PARENTS) < share)[parent_R], own[parent_R], other)

    doctor = stay(0.3, rng.integers(0, 7, PARENTS), rng.integers(0, 7, rows))
    weight = stay(0.6, rng.normal(70, 12, PARENTS), rng.normal(70, 12, rows))
    day = stay(0.2, rng.integers(0, 300, PARENTS), rng.integers(0, 300, rows))
    return {
        "person": pa.table({"id": np.arange(PARENTS), "sex": rng.choice(["f", "m"], PARENTS)}),
        "visit": pa.table(
            {
                "person_id": parent_R,
                "day": pa.array(np.datetime64("2021-01-01") + day.astype("timedelta64[D]")),
                "weight": np.round(weight, 2),
                "doctor": pa.array([None if one == 0 else f"dr {one}" for one in doctor]),
                "clinic": pa.array([f"c{one}" for one in rng.integers(0, 9, PARENTS)[parent_R]]),
                "mood": pa.array([f"m{one}" for one in rng.integers(0, 3, rows)]),
            }
        ),
    }


@pytest.fixture(scope="module")
def fitted() -> tuple[object, DatabaseCodec]:
    synthesis = kinsynth.Synthesis.model_validate(DOCUMENT)
    database = inspect(visits(), synthesis).database()
    return database, fit_codecs(database, synthesis)


def alike(table: pa.Table, column: str) -> dict[int, bool]:
    """Tell of each person with several visits whether all say the same, one by one."""
    seen: dict[int, list[object]] = {}
    for owner, value in zip(table["person_id"].to_pylist(), table[column].to_pylist(), strict=True):
        seen.setdefault(owner, []).append(value)
    return {owner: len(set(values)) == 1 for owner, values in seen.items() if len(values) > 1}


VALUES = {
    "words": ["a", "b", None],
    "numbers": [1.5, 2.0, None],
    "days": [date(2020, 1, 1), date(2020, 1, 2), None],
    "flags": [True, False, None],
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("seed", range(5))
def test_constants_are_those_found_one_by_one(kind, seed):
    rng = np.random.default_rng(seed)
    parents = int(rng.integers(0, 40))
    parent_R = np.repeat(np.arange(parents), rng.integers(0, 4, parents))
    columns = [[VALUES[kind][place] for place in rng.integers(0, 3, len(parent_R))] for _ in range(2)]
    expected = []
    for parent in range(parents):
        rows = [
            pair for pair, owner in zip(zip(*columns, strict=True), parent_R, strict=True) if owner == parent
        ]
        expected.append(np.nan if len(rows) < 2 else float(len(set(rows)) == 1))
    found = are_constant(tuple(pa.array(column) for column in columns), parent_R, parents)
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


def test_one_value_and_none_repeat_nothing():
    assert repeats(pa.array([1])).tolist() == repeats(pa.array([], pa.int64())).tolist() == []
    assert repeats(pa.array([None, None, 1], pa.int64())).tolist() == [True, False]


def test_parents_say_what_stays_for_some_and_not_what_comes_by_chance(fitted):
    _, codec = fitted
    said = {one.codec.column for one in codec.tables["person"].factors if one.stays}
    assert said == {"weight", "doctor", "day"}
    assert codec.tables["visit"].constant == ("clinic",)
    order = [one.columns[0] for one in codec.tables["visit"].read_factors]
    assert order == ["day", "clinic", "weight", "doctor", "mood"]
    assert DatabaseCodec.from_json(codec.to_json()).stays("visit") == codec.stays("visit")
    assert codec.stays("person") == {}


def test_codes_say_who_has_one_value_and_no_code_is_held_by_few(fitted):
    database, codec = fitted
    encoded = encode(database, codec)
    owner = encoded.tables["person"]
    assert encoded.tables["visit"].stays == tuple(codec.stays("visit").values())
    for column, stay in codec.stays("visit").items():
        if stay.said == ALWAYS:
            continue
        for person, same in alike(database.tables["visit"], column).items():
            assert owner.codes_RC[person, stay.said] == (stay.same if same else stay.other)
        assert np.bincount(owner.codes_RC[:, stay.said]).min() >= 5


def test_the_gap_of_days_that_stay_is_none(fitted):
    database, codec = fitted
    stay, encoded = codec.stays("visit")["day"], encode(database, codec)
    visit, said_P = encoded.tables["visit"], encoded.tables["person"].codes_RC[:, stay.said]
    assert ANY not in stay.again
    later_R = np.append(False, visit.parent_R[1:] == visit.parent_R[:-1])
    for place, again in zip(stay.sub_columns, stay.again, strict=True):
        before_R = np.append(-1, visit.codes_RC[:-1, place]) if again == AS_BEFORE else again
        repeats_R = visit.codes_RC[:, place] == before_R
        assert repeats_R[later_R & (said_P[visit.parent_R] == stay.same)].all()


def test_cells_stay_where_codes_do_though_codes_are_ranges(fitted):
    database, codec = fitted
    encoded = encode(database, codec)
    drawn = {
        name: Drawn(table, np.arange(table.rows, dtype=np.int64)) for name, table in encoded.tables.items()
    }
    found = decode(drawn, codec, database.schema, seed=3, before={})
    values = found.tables["visit"].append_column("person_id", pa.array(encoded.tables["visit"].parent_R))
    for column in ("weight", "doctor", "day", "clinic"):
        source = alike(database.tables["visit"], column)
        again = alike(values, column)
        assert all(again[person] for person, same in source.items() if same), column
    weights = alike(values, "weight")
    assert np.mean(list(weights.values())) < 0.7


def test_few_parents_say_nothing_and_few_roots_are_no_exception():
    rng = np.random.default_rng(0)

    def found(parents: int, breaking: int) -> tuple[list[str], tuple[str, ...]]:
        parent_R = np.repeat(np.arange(parents), 4)
        value_R = rng.integers(0, 5, parents)[parent_R]
        value_R[: 4 * breaking : 4] += 1
        table = pa.table({"value": value_R})
        stays = find_stays(
            table, {"value": ("value",)}, parent_R, OwnRoots(np.ones(parents, dtype=np.int64)), minimum=5
        )
        return [one.column for one in stays.said], stays.always

    assert found(90, 20) == ([], ())
    assert found(90, 1) == ([], ())
    assert found(90, 0) == ([], ("value",))
    assert found(4, 0) == ([], ())
    assert found(2_000, 0) == ([], ("value",))
    assert found(2_000, 4) == ([], ("value",))
    assert found(2_000, 5) == (["value"], ())
    assert found(2_000, 400) == (["value"], ())
    assert found(500, 4) == ([], ())


def test_few_parents_say_little():
    rng = np.random.default_rng(1)
    parent_R = np.repeat(np.arange(320), 3)
    own_R = rng.random((320, 5))[parent_R] < 0.5
    values = np.where(own_R, rng.integers(0, 9, (320, 5))[parent_R], rng.integers(0, 9, (960, 5)))
    table = pa.table({name: values[:, place] for place, name in enumerate("abcde")})
    groups = {name: (name,) for name in "abcde"}
    stays = find_stays(table, groups, parent_R, OwnRoots(np.ones(320, dtype=np.int64)), minimum=5)
    assert len(stays.said) == 2


@pytest.mark.slow
def test_as_many_parents_as_in_the_source_have_one_value():
    tables = visits()
    model = kinsynth.fit(tables, kinsynth.Synthesis.model_validate(DOCUMENT))
    made = pa.table(model.sample(seed=1)["visit"])
    for column in ("weight", "doctor", "day", "clinic", "mood"):
        source, drawn = ([*alike(table, column).values()] for table in (tables["visit"], made))
        error = np.sqrt(np.mean(source) * (1 - np.mean(source)) * (1 / len(source) + 1 / len(drawn)))
        assert abs(np.mean(source) - np.mean(drawn)) < 3.5 * error + 1e-9, column
