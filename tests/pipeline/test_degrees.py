"""How many rows of root tables point at each row of a lookup: as in the source, but for rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.engine.evenly import RUN
from kinsynth.settings.privacy import Protection

DISTRICTS, RARE = 30, 6
ROWS = {"accounts": 2_100, "clients": 1_540}
RARE_MINIMUM = Protection().rare_minimum


def make_tables() -> dict[str, pl.DataFrame]:
    """Two tables of persons with a district each, a few of them rare; accounts of some have more orders."""
    rng = np.random.default_rng(0)
    share = np.append(rng.dirichlet(np.full(DISTRICTS - RARE, 8.0)), np.full(RARE, 0.0))
    rare = np.repeat(np.arange(DISTRICTS - RARE, DISTRICTS), [1, 2, 3, 4, 4, 2])
    found = {}
    for name, rows in ROWS.items():
        district = np.concatenate([rng.choice(DISTRICTS, rows - len(rare), p=share), rare])
        found[name] = pl.DataFrame(
            {"id": np.arange(rows), "district": district, "kind": np.where(district % 3 == 0, "a", "b")}
        )
    orders = rng.poisson(found["accounts"]["district"].to_numpy() % 4)
    owner = np.repeat(np.arange(ROWS["accounts"]), orders)
    return {
        "districts": pl.DataFrame({"id": np.arange(DISTRICTS), "region": np.arange(DISTRICTS) % 5}),
        **found,
        "orders": pl.DataFrame({"account": owner, "amount": rng.integers(1, 9, len(owner))}),
    }


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return make_tables()


@pytest.fixture(scope="module")
def drawn(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    synthesis = kinsynth.Synthesis.model_validate(
        {
            "roots": "many",
            "training": {"max_epochs": 3},
            "evaluation": {"holdout_share": 0},
            "tables": {
                "districts": {"original": True, "primary_key": ["id"]},
                "accounts": {"primary_key": ["id"], "foreign_keys": [key("district", "districts")]},
                "clients": {"primary_key": ["id"], "foreign_keys": [key("district", "districts")]},
                "orders": {"foreign_keys": [key("account", "accounts")]},
            },
        }
    )
    return kinsynth.fit(tables, synthesis).sample(seed=1)


def key(column: str, table: str) -> dict[str, object]:
    return {"columns": [column], "table": table, "references": ["id"]}


def degrees(table: pl.DataFrame) -> np.ndarray:
    return np.bincount(table["district"].to_numpy(), minlength=DISTRICTS)


@pytest.mark.parametrize("name", list(ROWS))
def test_in_degrees_are_those_of_the_source(tables, drawn, name):
    rows, source, made = ROWS[name], degrees(tables[name]), degrees(drawn[name])
    assert made.sum() == rows
    last = rows % RUN
    # Rounding at two ends; the unfinished run holds a random part of its rows; calibration half a row.
    bound = 3.5 + 4 * np.sqrt(last * (1 - last / RUN) * source / rows)
    common = source >= RARE_MINIMUM
    assert common.sum() == DISTRICTS - RARE
    assert (np.abs(made - source) <= bound)[common].all()
    # Were each row drawn by itself, this were 1 on average, and below 0.3 once in ten thousand times.
    assert (np.square(made - source) / source)[common].mean() < 0.3


def test_rare_rows_together_are_as_many_though_each_is_left_to_chance(tables, drawn):
    for name, rows in ROWS.items():
        rare = degrees(tables[name]) < RARE_MINIMUM
        source, made = degrees(tables[name])[rare].sum(), degrees(drawn[name])[rare].sum()
        last = rows % RUN
        # Their own share is learned, not met: from nine tenths of the persons.
        assert abs(made - source) <= 5 + 4 * np.sqrt((last / 4 + 0.2 * rows) * source / rows)


def test_what_goes_with_a_district_is_learned_as_well(tables, drawn):
    """Also numbers of child rows, which are drawn after the district."""
    kinds = drawn["clients"].filter(pl.col("district") % 3 == 0)["kind"].to_list()
    assert kinds.count("a") > 0.8 * len(kinds)
    for table in (tables, drawn):
        joined = table["orders"].join(table["accounts"], left_on="account", right_on="id")
        counted = joined.group_by(pl.col("district") % 4).len().sort("district")["len"].to_list()
        assert counted == sorted(counted)


@pytest.fixture(scope="module")
def small() -> kinsynth.Model:
    """A shop: customers of two regions, their orders, each of one product, often one of the region."""
    return kinsynth.fit(make_shop(), kinsynth.Synthesis.model_validate(SHOP))


SHOP = {
    "training": {"max_epochs": 20},
    "evaluation": {"holdout_share": 0},
    "tables": {
        "products": {"original": True, "primary_key": ["id"]},
        "customers": {"primary_key": ["id"]},
        "orders": {"foreign_keys": [key("customer", "customers"), key("product", "products")]},
    },
}


def make_shop() -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(3)
    north = rng.random(160) < 0.6
    customer = np.repeat(np.arange(160), 1 + rng.poisson(4, 160))
    often = rng.dirichlet(np.full(20, 6.0))
    own = rng.choice(20, len(customer), p=often) * 2 + ~north[customer]
    product = np.where(rng.random(len(customer)) < 0.8, own, rng.integers(0, 40, len(customer)))
    return {
        "products": pl.DataFrame({"id": np.arange(40), "name": [f"p{one}" for one in range(40)]}),
        "customers": pl.DataFrame({"id": np.arange(160), "region": np.where(north, "n", "s")}),
        "orders": pl.DataFrame({"customer": customer, "product": product}),
    }


def products(orders: pl.DataFrame) -> np.ndarray:
    return np.bincount(orders["product"].to_numpy(), minlength=40)


def test_in_a_small_drawing_child_rows_reference_original_rows_as_often_as_in_the_source(small):
    orders = make_shop()["orders"]
    for seed in (1, 2, 3):
        drawn = small.sample(seed=seed)["orders"]
        assert abs(len(drawn) / len(orders) - 1) < 0.05, "as many orders, but for rounding"
        off = products(drawn) - products(orders) * len(drawn) / len(orders)
        # Rounding is 0.29; each row by itself some 4.5, and spread evenly about 1.5.
        assert np.sqrt(np.square(off).mean()) < 1.0


def test_what_is_asked_of_a_drawing_goes_before_the_source(small):
    customers = pl.DataFrame({"region": ["s"] * 160})
    drawn = small.sample(seed=1, given={"customers": customers})["orders"]
    of_source = products(make_shop()["orders"])[1::2].sum() / len(make_shop()["orders"])
    assert of_source < 0.5, "products of the south"
    assert products(drawn)[1::2].sum() / len(drawn) > of_source + 0.2


def test_a_small_drawing_is_the_same_for_batches_of_any_size_and_after_loading(small, tmp_path):
    whole = small.sample(seed=5)
    small.save(tmp_path / "model")
    again = replace(kinsynth.load(tmp_path / "model"), batch_roots=7).sample(seed=5)
    assert all(table.equals(again[name]) for name, table in whole.items())
