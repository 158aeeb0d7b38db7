"""What one drawing keeps to, told from fitted codecs alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import kinsynth
from kinsynth.pipeline.codecs import fit_codecs
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.preparation import prepare
from kinsynth.pipeline.rules import fit_rules

ROWS = 2_000


def test_what_a_column_is_counted_from_is_not_missing_where_the_column_must_not_be() -> None:
    chance = np.random.default_rng(0)
    begin = chance.integers(0, 4_000, ROWS)
    gone = chance.random(ROWS) < 0.2
    columns = {
        "begin": pa.array(begin, mask=gone),
        "end": pa.array(begin + chance.integers(1, 30, ROWS), mask=gone | (chance.random(ROWS) < 0.3)),
    }
    document = kinsynth.Synthesis()
    database = inspect({"stays": pa.table(columns)}, document).database()
    rules = {name: found for name, (found, _) in fit_rules(database, None, document).items()}
    codec = fit_codecs(database, document, rules=rules)
    assert {factor.columns: factor.anchor for factor in codec.tables["stays"].factors}[("end",)] == "begin"
    asked = Conditions(no_missing={"stays": ["end"]})
    ready = prepare(asked, codec, database.schema, originals={}, rows={"stays": 0})
    for factor in ready.codec.tables["stays"].factors:
        forbidden_K = factor.codec.sub_columns[0].forbidden_K
        assert forbidden_K is not None
        assert forbidden_K[0], f"{factor.columns} may be drawn missing"
