"""Sketches in a database: chosen where parents differ, drawn, never read, never taken as known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.columns.sketch import SketchCodec
from kinsynth.encoded import EncodedTable
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.decoding import Drawn, decode
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect

PARENTS = 2_600
DOCUMENT = {
    "tables": {
        "parent": {"primary_key": ["id"]},
        "child": {
            "foreign_keys": [{"columns": ["parent_id"], "table": "parent", "references": ["id"]}],
            "order_by": "day",
        },
    },
    "training": {"max_epochs": 12, "threads": 1, "model_size": "small"},
    "evaluation": {"holdout_share": 0},
}


def family(*, level=0.0, constant=0.0, seed=0):
    """Make parents and children: ``level`` and ``constant`` say how much they share."""
    rng = np.random.default_rng(seed)
    count_P = rng.integers(0, 8, PARENTS)
    parent_R = np.repeat(np.arange(PARENTS), count_P)
    rows = len(parent_R)
    own = level * rng.normal(size=PARENTS)[parent_R] + np.sqrt(1 - level**2) * rng.normal(size=rows)
    word_R = np.where(
        rng.random(PARENTS)[parent_R] < constant,
        rng.integers(0, 6, PARENTS)[parent_R],
        rng.integers(0, 6, rows),
    )
    days = np.datetime64("2021-01-01") + rng.integers(0, 300, rows).astype("timedelta64[D]")
    return {
        "parent": pa.table({"id": np.arange(PARENTS), "size": rng.integers(0, 3, PARENTS)}),
        "child": pa.table(
            {
                "parent_id": parent_R,
                "day": pa.array(days),
                "amount": np.round(own * 100, 1),
                "word": pa.array([f"w{word}" for word in word_R]),
            }
        ),
    }


def fitted(tables) -> tuple[object, DatabaseCodec]:
    synthesis = kinsynth.Synthesis.model_validate(DOCUMENT)
    database = inspect(tables, synthesis).database()
    return database, fit_codecs(database, synthesis)


def sketches(codec: DatabaseCodec, table: str = "parent") -> list[SketchCodec]:
    return [
        one.codec
        for one in codec.tables[table].factors
        if isinstance(one.codec, SketchCodec) and not one.stays
    ]


def test_parents_that_differ_by_chance_alone_tell_nothing():
    assert not {one.column for one in sketches(fitted(family())[1])} & {"amount", "word"}


def test_parents_tell_what_their_children_share():
    found = {one.column for one in sketches(fitted(family(level=0.8, constant=0.7))[1])}
    assert found >= {"amount", "word"}


def test_sketches_stand_behind_what_is_read_and_no_child_row_has_a_code_of_its_own():
    database, codec = fitted(family(level=0.8, constant=0.7))
    table = codec.tables["parent"]
    kinds = [one.kind for one in table.factors]
    assert kinds == sorted(kinds, key=lambda kind: kind == "sketch")
    encoded = encode(database, codec)
    has_none_P = np.bincount(encoded.tables["child"].parent_R, minlength=PARENTS) == 0
    assert has_none_P.sum() >= 5
    for factor, span in zip(table.factors, table.spans, strict=True):
        if factor.kind == "sketch" and not factor.stays:
            code_P = encoded.tables["parent"].codes_RC[:, span.start]
            assert (code_P[has_none_P] == 0).all()
            assert (code_P[~has_none_P] > 0).all()


def test_what_stays_is_said_before_other_sketches():
    _, codec = fitted(family(level=0.9, constant=0.5))
    told = [factor.stays for factor in codec.tables["parent"].factors if factor.kind == "sketch"]
    assert told == sorted(told, reverse=True)
    assert len(set(told)) == 2


def test_the_codes_are_those_of_the_children():
    database, codec = fitted(family(level=0.8, constant=0.7))
    again = DatabaseCodec.from_json(codec.to_json())
    one, other = encode(database, codec), encode(database, again)
    assert np.array_equal(one.tables["parent"].codes_RC, other.tables["parent"].codes_RC)


def test_sketches_are_not_read():
    database, codec = fitted(family(level=0.8, constant=0.7))
    encoded, table = encode(database, codec), codec.tables["parent"]
    other = encoded.tables["parent"].codes_RC.copy()
    for factor, span in zip(table.factors, table.spans, strict=True):
        if factor.kind == "sketch":
            other[:, span] = other[::-1, span]
    assert not np.array_equal(other, encoded.tables["parent"].codes_RC)

    def values(parent: EncodedTable) -> pa.Table:
        ids = {name: np.arange(one.rows) for name, one in encoded.tables.items()}
        drawn = {
            "parent": Drawn(parent, ids["parent"]),
            "child": Drawn(encoded.tables["child"], ids["child"]),
        }
        return decode(drawn, codec, database.schema, seed=1, before={}).tables

    changed = replace(encoded.tables["parent"], codes_RC=other)
    assert values(encoded.tables["parent"]) == values(changed)


def test_of_very_many_rows_some_parents_decide(monkeypatch):
    tables = family(level=0.8, constant=0.7)
    whole = sketches(fitted(tables)[1])
    monkeypatch.setattr("kinsynth.pipeline.sketches.MOST_ROWS", tables["child"].num_rows // 2)
    fewer = sketches(fitted(tables)[1])
    assert {one.column for one in fewer} == {one.column for one in whole}
    assert max(one.mass_K.sum() for one in fewer) <= PARENTS / 2


def test_few_parents_tell_nothing():
    tables = family(level=0.8, constant=0.7)
    few = {
        "parent": tables["parent"].slice(0, 2_000),
        "child": tables["child"].filter(pa.compute.less(tables["child"]["parent_id"], 2_000)),
    }
    assert not sketches(fitted(few)[1])


@pytest.mark.parametrize(("parents", "rows", "tell"), [(600, 40, True), (600, 20, False), (450, 40, False)])
def test_fewer_parents_tell_where_they_have_many_rows_each(parents, rows, tell):
    rng = np.random.default_rng(7)
    parent_R = np.repeat(np.arange(parents), rows)
    days = np.datetime64("2021-01-01") + rng.integers(0, 300, len(parent_R)).astype("timedelta64[D]")
    amount_R = rng.normal(size=parents)[parent_R] + rng.normal(size=len(parent_R))
    child = {"parent_id": parent_R, "day": pa.array(days), "amount": np.round(amount_R * 100, 1)}
    tables = {"parent": pa.table({"id": np.arange(parents)}), "child": pa.table(child)}
    assert bool(sketches(fitted(tables)[1])) == tell


@pytest.mark.slow
def test_parents_that_are_given_get_children_that_agree():
    tables = family(level=0.9)
    model = kinsynth.fit(tables, kinsynth.Synthesis.model_validate(DOCUMENT))
    given = {"parent": tables["parent"]}
    made = model.sample(given=given, seed=1)

    def share(table: pa.Table) -> float:
        frame = table.to_pandas()
        means = frame.groupby("parent_id")["amount"].transform("mean")
        return float(means.var() / frame["amount"].var())

    source, drawn = share(tables["child"]), share(pa.table(made["child"]))
    # The share of the variance between parents: 0.85 in the source, 0.25 if rows were independent.
    assert abs(source - drawn) < 0.15
