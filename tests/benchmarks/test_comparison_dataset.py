"""Data sets of the benchmark are read, split and written as the outside judge does."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from comparison.dataset import (
    halves,
    load_dataset,
    load_split,
    read_table,
    split_as_judge,
    split_in_half,
    write_table,
)
from made_tables import MIXED, draw


def frame(rows: int) -> pd.DataFrame:
    """Rows that can be told apart."""
    return pd.DataFrame({"x": np.arange(rows, dtype=float)})


def test_split_is_80_to_20_within_the_cap() -> None:
    """Training, held-out and fresh rows are disjoint and keep the order of the source."""
    split = split_as_judge(frame(1000), 500)
    assert split.fresh is not None
    parts = [part["x"].to_numpy() for part in (split.train, split.holdout, split.fresh)]
    assert [len(part) for part in parts] == [400, 100, 400]
    assert len(set(np.concatenate(parts))) == 900
    assert all((np.diff(part) > 0).all() for part in parts)


@pytest.mark.parametrize(("rows", "cap"), [(500, 0), (500, 500), (500, 1000), (550, 500)])
def test_no_fresh_rows_where_too_few_are_left(rows: int, cap: int) -> None:
    """Under a fifth of the training rows is no sample."""
    assert split_as_judge(frame(rows), cap).fresh is None


def test_half_split_has_distinct_rows_only() -> None:
    """A row that is in the table twice could be in both halves."""
    split = split_in_half(pd.concat([frame(100), frame(100)]))
    assert len(split.train) == len(split.holdout) == 50
    assert not set(split.train["x"]) & set(split.holdout["x"])


def test_halves_of_held_out_rows_change_with_the_seed() -> None:
    """Each seed gives another estimate of the ceiling."""
    first, rest = halves(frame(100), 1)
    assert sorted([*first["x"], *rest["x"]]) == list(range(100))
    assert not first.equals(halves(frame(100), 2)[0])


def test_written_rows_are_read_again(tmp_path: Path) -> None:
    """Whole numbers, dates, texts and missing cells survive."""
    made = draw(200, seed=1)
    write_table(tmp_path / "made.csv", made, MIXED)
    again = read_table(tmp_path / "made.csv", MIXED)
    pd.testing.assert_frame_equal(again, made, check_dtype=False)
    assert "18.0" not in (tmp_path / "made.csv").read_text()


def test_few_rows_can_be_learned(tmp_path: Path) -> None:
    """Held-out and fresh rows stay as they are."""
    folder = tmp_path
    write_table(folder / "made.csv", draw(1000, seed=1), MIXED)
    whole, few = (load_split(folder, MIXED, cap=500, learn=learn) for learn in (None, 50))
    assert (len(whole.train), len(few.train)) == (400, 50)
    assert set(few.train["id"]) < set(whole.train["id"])
    pd.testing.assert_frame_equal(few.holdout, whole.holdout)


def test_databases_are_refused(tmp_path: Path) -> None:
    """Several tables are for the judge."""
    (tmp_path / "schema.json").write_text(json.dumps({"name": "d", "tables": {"a": {}, "b": {}}}))
    with pytest.raises(ValueError, match=r"has 2 tables"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("name", ["online_shoppers", "cell_segmentation"])
def test_split_is_that_of_the_outside_judge(name: str, data_root: Path) -> None:
    """Figures may be laid side by side: same rows in the same parts."""
    bench = Path(os.environ.get("KINSYNTH_BENCH", data_root.parent / "bench"))
    if not (bench / "data.py").exists():
        pytest.skip(f"the outside judge was not found at {bench}; set KINSYNTH_BENCH")
    spec = importlib.util.spec_from_file_location("judge_data", bench / "data.py")
    assert spec is not None
    assert spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    dataset = load_dataset(data_root / name)
    ours = load_split(data_root / name, dataset, cap=1000)
    _, *theirs = judge.load_split(data_root / name, 1000)
    for mine, other in zip((ours.train, ours.holdout, ours.fresh), theirs, strict=True):
        pd.testing.assert_frame_equal(mine, other[dataset.table], check_dtype=False)
