"""Drawn batches become a database: the same one in memory and in files, whatever the batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.pipeline import assembly
from kinsynth.pipeline.model import Model
from kinsynth.settings.document import parse

CUSTOMERS, PRODUCTS = 400, 30


def shop() -> dict[str, pd.DataFrame]:
    """Orders of customers that point at products and at orders; entries told apart by a year."""
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(CUSTOMERS), rng.integers(0, 5, CUSTOMERS))
    before = np.where(np.diff(owner, prepend=-1) == 0, np.arange(len(owner)) - 1, -1)
    entry = np.repeat(np.arange(CUSTOMERS), 2)
    return {
        "customers": pd.DataFrame({"id": np.arange(CUSTOMERS) + 1, "age": rng.integers(20, 80, CUSTOMERS)}),
        "products": pd.DataFrame(
            {"code": [f"P{n:04}" for n in range(PRODUCTS)], "price": rng.integers(1, 50, PRODUCTS)}
        ),
        "orders": pd.DataFrame(
            {
                "id": np.arange(len(owner)) + 1,
                "customer": owner + 1,
                "product": [f"P{n:04}" for n in rng.integers(0, PRODUCTS, len(owner))],
                "follows": pd.array([None if n < 0 else n + 1 for n in before], dtype="Int64"),
                "amount": rng.integers(1, 9, len(owner)),
            }
        ),
        "entries": pd.DataFrame(
            {"customer": entry + 1, "year": np.tile([2001, 2002], CUSTOMERS) + rng.integers(0, 9) + entry % 7}
        ),
    }


DOCUMENT = {
    "roots": "many",
    "tables": {
        "customers": {"primary_key": ["id"], "foreign_keys": []},
        "products": {"primary_key": ["code"], "foreign_keys": []},
        "orders": {
            "primary_key": ["id"],
            "foreign_keys": [
                {"columns": ["customer"], "table": "customers", "references": ["id"], "owner": True},
                {"columns": ["product"], "table": "products", "references": ["code"]},
                {"columns": ["follows"], "table": "orders", "references": ["id"]},
            ],
        },
        "entries": {
            "primary_key": ["customer", "year"],
            "foreign_keys": [{"columns": ["customer"], "table": "customers", "references": ["id"]}],
            "columns": {"year": {"type": "categorical"}},
        },
    },
    "training": {"max_epochs": 2},
}


@pytest.fixture(scope="module")
def model() -> Model:
    return kinsynth.fit(shop(), parse(DOCUMENT))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_files_hold_what_memory_holds_whatever_the_batches(model: Model, tmp_path: Path) -> None:
    rows = {"customers": 3_000, "products": 200}
    whole = model.draw(rows)
    assert whole.tables["entries"].num_rows == 6_000, "no year of an owner repeats: none is left out"
    filed = model.draw(rows, folder=tmp_path / "whole")
    assert {name: table.num_rows for name, table in filed.tables.items()} == {
        name: table.num_rows for name, table in whole.tables.items()
    }
    assert all(filed.tables[name].equals(whole.tables[name]) for name in whole.tables)
    found = files_of(tmp_path / "whole")
    assert sorted(found) == [f"{number:03}.arrow" for number in range(4)], "nothing else is left there"
    for roots in (1, 700):
        replace(model, batch_roots=roots).draw(rows, folder=tmp_path / str(roots))
        assert files_of(tmp_path / str(roots)) == found


def test_a_drawing_that_was_cut_off_is_done_again_in_the_same_folder(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.draw({"customers": 50}, folder=tmp_path / "whole")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(assembly, "load_table", fail)
        with pytest.raises(KeyboardInterrupt):
            model.draw({"customers": 900}, folder=tmp_path / "again")
    assert (tmp_path / "again" / "pieces").exists()
    model.draw({"customers": 50}, folder=tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "whole")


def test_keys_name_rows(model: Model) -> None:
    tables = model.draw({"customers": 500}).tables
    orders = tables["orders"].to_pandas()
    assert set(orders["customer"]) <= set(tables["customers"]["id"].to_pylist())
    assert set(orders["product"]) <= set(tables["products"]["code"].to_pylist())
    assert set(orders["follows"].dropna()) <= set(orders["id"])
    assert orders["follows"].notna().any()
    entries = tables["entries"].to_pandas()
    assert not entries.duplicated(["customer", "year"]).any()
    assert isinstance(tables["orders"], pa.Table)
