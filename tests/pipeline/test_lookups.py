"""Large lookups: what goes with kinds of rows is learned, and the lookup itself stays as it is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.columns.reference import ReferenceCodec
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.encoding import encode
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.lookups import cut_groups, encode_told, group_lookups
from kinsynth.settings.privacy import Protection

PRODUCTS, KINDS = 3_000, 6
DOCUMENT = kinsynth.Synthesis.model_validate(
    {
        "tables": {"products": {"original": True}, "makers": {"original": True}},
        "training": {"max_epochs": 6},
    }
)


def make_tables(people: int = 1_500, sales: int = 9_000) -> dict[str, pl.DataFrame]:
    """Products whose rows stand in no order; the age of a customer says the kind of product."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, KINDS, PRODUCTS)
    buyer, age = np.sort(rng.integers(0, people, sales)), rng.integers(20, 80, people)
    wanted = (age[buyer] - 20) // 10
    rows = [np.flatnonzero(kind == one) for one in range(KINDS)]
    product = np.array([rng.choice(rows[one]) for one in wanted])
    return {
        "makers": pl.DataFrame({"maker_id": np.arange(40), "country": [f"land {i % 5}" for i in range(40)]}),
        "products": pl.DataFrame(
            {
                "product_id": rng.permutation(PRODUCTS) + 10_000,
                "kind": [f"kind {one}" for one in kind],
                "price": np.round(5 + 10 * kind + rng.random(PRODUCTS), 2),
                "maker_id": rng.integers(0, 40, PRODUCTS),
            }
        ),
        "customers": pl.DataFrame({"customer_id": np.arange(people) + 1, "age": age}),
        "sales": pl.DataFrame({"sale_id": np.arange(sales) + 1, "customer_id": buyer + 1, "row": product}),
    }


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    made = make_tables()
    named = made["products"]["product_id"].gather(made["sales"]["row"])
    return {**made, "sales": made["sales"].drop("row").with_columns(product_id=named)}


def reference(codec: DatabaseCodec) -> ReferenceCodec:
    (factor,) = (one for one in codec.tables["sales"].factors if one.kind == "reference")
    assert isinstance(factor.codec, ReferenceCodec)
    return factor.codec


def test_leaves_are_cut_into_runs_that_hold_every_row_once():
    rng = np.random.default_rng(1)
    leaf, degree = rng.integers(0, 7, 2_000), rng.integers(0, 90, 2_000)
    order, ends = cut_groups(leaf, degree)
    assert sorted(order.tolist()) == list(range(2_000))
    assert np.diff((0, *ends)).max() <= 44
    assert ends[-1] == 2_000
    for part in np.split(order, ends[:-1]):
        assert len(set(leaf[part].tolist())) == 1
        assert (np.diff(degree[part]) <= 0).all()


def purity(kinds: pl.Series, groups: list[np.ndarray]) -> float:
    """Give the share of products that are of the kind that most of their group are of."""
    kind = np.array(kinds.to_list())
    most = [max(np.unique(kind[rows], return_counts=True)[1]) for rows in groups]
    return float(sum(most) / sum(map(len, groups)))


def test_pools_hold_rows_of_one_kind_and_know_their_in_degrees(tables):
    database = inspect(tables_from_memory(tables), DOCUMENT).database()
    before = fit_codecs(database, DOCUMENT)
    after = group_lookups(database, before, protection=Protection())
    pools = [np.array(pool.rows) for pool in reference(after).pools]
    assert sorted(np.concatenate(pools).tolist()) == sorted(reference(before).pools[0].rows)
    assert purity(tables["products"]["kind"], pools) > 0.95
    degree = np.bincount(make_tables()["sales"]["row"].to_numpy(), minlength=PRODUCTS)
    for pool, rows in zip(reference(after).pools, pools, strict=True):
        assert pool.degrees.mass_K.sum() == len(rows)
        assert abs((pool.degrees.low_K @ pool.degrees.mass_K) / degree[rows].sum() - 1) < 0.1
    again = group_lookups(database, before, protection=Protection())
    assert again.to_json() == after.to_json()
    assert encode(database, after).tables["sales"].codes_RC.max() > 0


FILMS = 900
FILM_DOCUMENT = kinsynth.Synthesis.model_validate(
    {"tables": {"films": {"original": True}}, "training": {"max_epochs": 1}}
)


def make_films() -> dict[str, pl.DataFrame]:
    """Films of one kind: a film that many people rate has up to four tags, others have one."""
    rng = np.random.default_rng(2)
    ratings, tags = np.arange(FILMS) % 40, 1 + np.arange(FILMS) % 40 // 10
    film = np.repeat(np.arange(FILMS), ratings)
    return {
        "films": pl.DataFrame({"film_id": np.arange(FILMS) + 1, "format": ["wide"] * FILMS}),
        "people": pl.DataFrame({"person_id": np.arange(600) + 1, "age": rng.integers(20, 80, 600)}),
        "ratings": pl.DataFrame({"person_id": rng.integers(1, 601, len(film)), "film_id": film + 1}).unique(
            maintain_order=True
        ),
        "tags": pl.DataFrame({"film_id": np.repeat(np.arange(FILMS), tags) + 1}).with_columns(
            tag=pl.Series(rng.choice(["a", "b", "c"], int(tags.sum())))
        ),
    }


def test_pools_tell_apart_rows_that_another_reference_names_often():
    films = make_films()
    database = inspect(tables_from_memory(films), FILM_DOCUMENT).database()
    codec = group_lookups(database, fit_codecs(database, FILM_DOCUMENT), protection=Protection())
    found = {
        name: factor.codec
        for name in ("ratings", "tags")
        for factor in codec.tables[name].factors
        if isinstance(factor.codec, ReferenceCodec)
    }
    (untold,) = found["ratings"].pools  # films of fewer than five persons stand in one, whatever their tags
    assert set(np.flatnonzero(np.arange(FILMS) % 40 < 5)) <= set(untold.rows)
    tags, rows = 1 + np.arange(FILMS) % 40 // 10, [np.array(pool.rows) for pool in found["tags"].pools]
    assert sorted(np.concatenate(rows).tolist()) == list(range(FILMS))
    within = sum(tags[some].var() * len(some) for some in rows) / FILMS
    assert within < 0.25 * tags.var(), "films by how often they are rated have nearly one number of tags"
    assert any(set(untold.rows) <= set(some.tolist()) for some in rows), "what is not told parts no rows"


def test_how_often_a_reference_names_rows_is_told_in_classes_of_about_as_many():
    films = make_films()
    database = inspect(tables_from_memory(films), FILM_DOCUMENT).database()
    codec = fit_codecs(database, FILM_DOCUMENT)
    (other,) = (one.codec for one in codec.tables["ratings"].factors if isinstance(one.codec, ReferenceCodec))
    code_N, sub = encode_told(np.arange(FILMS), other, column=1)
    assert (code_N[list(other.pools[0].rows)] == 0).all()
    told = np.flatnonzero(code_N > 0)
    assert len(told) == FILMS - len(other.pools[0].rows)
    ratings = np.bincount(films["ratings"]["film_id"].to_numpy() - 1, minlength=FILMS)
    assert np.corrcoef(code_N[told], ratings[told])[0, 1] > 0.95
    assert np.bincount(code_N[told])[1:].min() >= Protection().rare_minimum
    assert code_N.max() < sub.cardinality


def test_rows_of_a_large_lookup_that_many_reference_are_grouped_beside_the_pools():
    tables = make_tables(people=1_500, sales=60_000)
    named = tables["products"]["product_id"].gather(tables["sales"]["row"])
    tables["sales"] = tables["sales"].drop("row").with_columns(product_id=named)
    database = inspect(tables_from_memory(tables), DOCUMENT).database()
    codec = reference(group_lookups(database, fit_codecs(database, DOCUMENT), protection=Protection()))
    number = codec.kept.to_numpy()
    group = codec.encode((codec.kept,))[:, 0][number >= 0]
    kept = number[number >= 0]
    assert len(kept) > 1_000
    assert purity(tables["products"]["kind"], [kept[group == one] for one in np.unique(group)]) > 0.95
    assert codec.several.sum() == len(codec.pools)


def test_lookups_whose_rows_many_reference_are_left_as_they_are(tables):
    few = {**tables, "products": tables["products"].head(10)}
    rows = np.arange(900) % 10
    few["sales"] = (
        tables["sales"].head(900).with_columns(product_id=few["products"]["product_id"].gather(rows))
    )
    database = inspect(tables_from_memory(few), DOCUMENT).database()
    codec = fit_codecs(database, DOCUMENT)
    assert group_lookups(database, codec, protection=Protection()) is codec


def test_kinds_of_rare_products_go_with_their_customers(tables):
    model = kinsynth.fit(tables, DOCUMENT)
    drawn = model.sample(seed=3)
    for name in ("products", "makers"):
        assert drawn[name].equals(tables[name])

    def joint(made: dict[str, pl.DataFrame]) -> np.ndarray:
        rows = made["sales"].join(made["customers"], on="customer_id").join(made["products"], on="product_id")
        assert len(rows) == len(made["sales"])
        band = ((rows["age"].to_numpy() - 20) // 10).clip(0, 5)
        cell = band * KINDS + rows["kind"].str.slice(5).cast(pl.Int64).to_numpy()
        return np.bincount(cell, minlength=6 * KINDS) / len(rows)

    real, made = joint(tables), joint(drawn)
    # Were products drawn whoever buys, the distance would be 5/6.
    assert np.abs(real - made).sum() / 2 < 0.15
