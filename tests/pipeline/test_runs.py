"""Runs of made-up texts: as often as rare texts stay in the source, and only under one owner."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.decoding import Drawn, decode
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.runs import first_rows, share_of_runs
from kinsynth.privacy.protection import Holders

OWNERS, PIECES = 80, ["mar", "lo", "tin", "ka", "bre", "sen", "vi", "dal"]
DOCUMENT = {
    "tables": {
        "owner": {"primary_key": ["id"]},
        "row": {
            "foreign_keys": [{"columns": ["owner_id"], "table": "owner", "references": ["id"]}],
            "columns": {"name": {"type": "categorical"}},
        },
    }
}


def rows(stays: float, seed: int = 0) -> dict[str, pa.Table]:
    """Make rows of owners with names that one owner has; a row has that of the row before so often."""
    rng = np.random.default_rng(seed)
    owner_R = np.repeat(np.arange(OWNERS), rng.integers(1, 9, OWNERS))
    names: list[str] = []
    for row, owner in enumerate(owner_R):
        again = row > 0 and owner_R[row - 1] == owner and rng.random() < stays
        names.append(names[-1] if again else "".join(rng.choice(PIECES, 4)))
    return {
        "owner": pa.table({"id": np.arange(OWNERS), "size": rng.integers(0, 50, OWNERS)}),
        "row": pa.table({"owner_id": owner_R, "name": pa.array(names)}),
    }


def again(owner_R: np.ndarray, names: list[str]) -> list[bool]:
    """Tell of rows with a row of the same owner before them which have its name."""
    return [names[row] == names[row - 1] for row in range(1, len(names)) if owner_R[row] == owner_R[row - 1]]


@pytest.mark.parametrize("stays", [0.0, 0.4, 0.9, 1.0])
def test_made_up_texts_stay_as_often_as_rare_ones(stays: float) -> None:
    synthesis = kinsynth.Synthesis.model_validate(DOCUMENT)
    source = rows(stays)
    database = inspect(source, synthesis).database()
    codec = DatabaseCodec.from_json(json.loads(json.dumps(fit_codecs(database, synthesis).to_json())))
    encoded = encode(database, codec)
    owner_R = encoded.tables["row"].parent_R
    assert owner_R is not None
    found = decode(
        {name: Drawn(table, np.arange(table.rows)) for name, table in encoded.tables.items()},
        codec,
        database.schema,
        seed=4,
        before={},
    )
    names = found.tables["row"]["name"].to_pylist()
    before, after = (np.array(again(owner_R, one)) for one in (source["row"]["name"].to_pylist(), names))
    error = np.sqrt(before.mean() * (1 - before.mean()) / len(before))
    assert abs(before.mean() - after.mean()) <= 4 * error + 0.01
    assert ("name" in codec.tables["row"].runs) == (stays > 0)


@pytest.mark.parametrize("seed", range(4))
def test_the_share_is_that_counted_row_by_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent_R = np.sort(rng.integers(0, 20, 90))
    codes_RC, values = rng.integers(0, 3, (90, 1)).astype(np.uint8), pa.array(rng.integers(0, 2, 90))
    pairs = [
        values[row] == values[row - 1]
        for row in range(1, 90)
        if parent_R[row] == parent_R[row - 1] and codes_RC[row, 0] == codes_RC[row - 1, 0] == 1
    ]
    assert share_of_runs(codes_RC, values, parent_R, parent_R, minimum=1) == pytest.approx(np.mean(pairs))
    few = Holders((parent_R, parent_R // 100))
    assert share_of_runs(codes_RC, values, parent_R, few, minimum=2) == 0
    again_R = first_rows(codes_RC, parent_R, 1.0, np.zeros(90)) < np.arange(90)
    assert again_R.sum() == len(pairs)


def test_no_rows_have_no_runs() -> None:
    none, numbers = np.zeros((0, 1), np.int32), np.zeros(0, np.int64)
    assert share_of_runs(none, pa.array([], pa.string()), numbers, numbers, minimum=1) == 0
    assert first_rows(none, numbers, 0.5, np.zeros(0)).tolist() == []


def test_who_makes_a_run_up_is_the_first_of_it() -> None:
    codes_RC, parent_R = np.ones((6, 1), np.int32), np.array([0, 0, 0, 1, 1, 1])
    turn_R = np.array([0.0, 0.0, 0.9, 0.0, 0.0, 0.0])
    assert first_rows(codes_RC, parent_R, 0.5, turn_R).tolist() == [0, 0, 2, 3, 3, 3]
