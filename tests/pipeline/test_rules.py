"""Rules of tables with more rows than are searched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.pipeline import rules
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.rules import PlainColumns, fit_rules
from kinsynth.rules import view as views


def test_columns_of_a_large_table_are_made_when_asked_for_and_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(rules, "as_array", lambda values: made.append(values.type) or values.combine_chunks())
    columns = PlainColumns(pa.table({"a": [1], "b": ["x"], "c": [0.5]}), ("a", "b"))
    assert (list(columns), len(columns), "b" in columns, "c" in columns) == (["a", "b"], 2, True, False)
    assert made == []
    assert columns["b"].to_pylist() == ["x"]
    assert columns["b"].to_pylist() == ["x"]
    assert made == [pa.string(), pa.string()]
    with pytest.raises(KeyError):
        columns["c"]


def test_the_rules_are_the_same_however_the_columns_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    net, tax = chance.integers(10, 500, 1_000), chance.integers(0, 50, 1_000)
    document = kinsynth.Synthesis()
    table = pa.table({"net": net, "tax": tax, "gross": net + tax, "paid": net + tax + tax})
    database = inspect({"sales": table}, document).database()
    expected = fit_rules(database, None, document)
    for module in (rules, views):
        monkeypatch.setattr(module, "MOST_SEARCHED", 600)
    assert fit_rules(database, None, document) == expected
    assert {rule.kind for rule in expected["sales"][0]} >= {"sum"}
