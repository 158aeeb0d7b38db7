"""The library's door: frames in, a model, frames of the same library out; findings and scores."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import kinsynth
from shop_database import SHOPS, shop_document, write_shops


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "source"
    write_shops(folder)
    return folder


def frames(source: Path, flavour: str) -> dict[str, Any]:
    tables = {path.stem: pl.read_csv(path, try_parse_dates=True) for path in sorted(source.glob("*.csv"))}
    if flavour == "pandas":
        return {name: table.to_pandas() for name, table in tables.items()}
    return tables if flavour == "polars" else {name: table.to_arrow() for name, table in tables.items()}


def document(source: Path) -> kinsynth.Synthesis:
    return kinsynth.Synthesis.model_validate(shop_document(source))


@pytest.mark.parametrize(
    ("flavour", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]
)
def test_frames_come_back_as_the_library_they_came_from(source: Path, flavour: str, kind: type) -> None:
    model = kinsynth.fit(frames(source, flavour), document(source))
    tables = model.sample(rows={"shop": 40}, seed=3)
    assert set(tables) == {"region", "shop", "sale"}
    assert all(isinstance(table, kind) for table in tables.values())
    assert len(tables["shop"]) == 40


def test_a_path_needs_no_document(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("shop.csv", "sale.csv"):
        shutil.copy(source / name, folder / name)
    model = kinsynth.fit(folder, kinsynth.Synthesis(training=document(source).training))
    assert len(model.sample()["shop"]) == SHOPS
    model.save(tmp_path / "model")
    again = kinsynth.load(tmp_path / "model")
    assert again.sample(seed=1)["sale"].equals(model.sample(seed=1)["sale"])


def test_scores_compare_two_databases(source: Path) -> None:
    model = kinsynth.fit(source, document(source))
    original = frames(source, "polars")
    found = kinsynth.evaluate(original, model.sample(), model.schema)
    copied = kinsynth.evaluate(original, original, model.schema)
    assert 0 <= found.accuracy <= 10
    assert copied.accuracy >= found.accuracy - 0.5


def test_validate_gives_all_findings(source: Path) -> None:
    wrong = kinsynth.Synthesis.model_validate({"tables": {"nothing": {}, "shop": {"original": True}}})
    codes = {finding.code for finding in kinsynth.validate(wrong, source)}
    assert "data.unknown_table" in codes
    assert len(codes) >= 2
    assert not [
        f for f in kinsynth.validate(document(source), frames(source, "pandas")) if f.severity == "error"
    ]


def test_every_public_name_can_be_had_and_no_other() -> None:
    assert all(getattr(kinsynth, name) is not None for name in kinsynth.__all__)
    assert set(kinsynth.__all__) <= set(dir(kinsynth))
    with pytest.raises(AttributeError):
        _ = kinsynth.nothing
