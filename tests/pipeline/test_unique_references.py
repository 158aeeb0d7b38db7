"""Unique keys of an owner and a lookup: pairs never repeat, by construction."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import kinsynth
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect

GENRES = 5
BRIDGE = {"primary_key": ["film_id", "genre_id"]}


def make_tables(films: int = 500) -> dict[str, pl.DataFrame]:
    """Films of one to five genres out of five."""
    rng = np.random.default_rng(0)
    count = rng.integers(1, GENRES + 1, films)
    chosen = [rng.choice(GENRES, one, replace=False, p=[0.5, 0.2, 0.1, 0.1, 0.1]) for one in count]
    film = np.repeat(np.arange(films), count)
    return {
        "genres": pl.DataFrame(
            {"genre_id": np.arange(GENRES), "genre": [f"g{one}" for one in range(GENRES)]}
        ),
        "films": pl.DataFrame({"film_id": np.arange(films) + 1, "length": rng.integers(60, 180, films)}),
        "film_genres": pl.DataFrame({"film_id": film + 1, "genre_id": np.concatenate(chosen)}),
    }


def document(**bridge: object) -> kinsynth.Synthesis:
    tables = {
        "genres": {"original": True, "primary_key": ["genre_id"]},
        "films": {"primary_key": ["film_id"]},
    }
    # Few epochs: the network has hardly learned that genres of a film differ.
    return kinsynth.Synthesis.model_validate(
        {"tables": {**tables, "film_genres": bridge or BRIDGE}, "training": {"max_epochs": 1}}
    )


def codec_of(tables: dict[str, pl.DataFrame], synthesis: kinsynth.Synthesis):
    database = inspect(tables_from_memory(tables), synthesis).database()
    return fit_codecs(database, synthesis).tables["film_genres"]


def test_no_row_is_lost_to_a_pair_that_repeats() -> None:
    said: list[str] = []
    model = kinsynth.fit(make_tables(), document())
    drawn = model.draw(seed=1, on_limit=said.append)
    pairs = pl.from_arrow(drawn.tables["film_genres"])
    assert isinstance(pairs, pl.DataFrame)
    assert said == []
    assert len(pairs.unique()) == len(pairs)
    assert pairs.group_by("film_id").len()["len"].max() == GENRES


def test_keys_of_an_owner_and_a_lookup_are_told_to_the_model() -> None:
    tables = make_tables()
    codec = codec_of(tables, document())
    (numbers,) = codec.apart
    assert [codec.factors[number].kind for number in numbers] == ["reference"]
    assert [sub.keys for sub in codec.sub_columns] == [(0,)]
    assert type(codec).from_json(codec.to_json()).apart == codec.apart


@pytest.mark.parametrize("missing", [False, True])
def test_a_declared_unique_key_counts_unless_its_reference_may_be_missing(missing: bool) -> None:
    tables = make_tables()
    if missing:
        empty = pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("genre_id"))
        tables["film_genres"] = tables["film_genres"].with_columns(genre_id=empty)
    synthesis = document(primary_key=[], unique=[["film_id", "genre_id"]])
    assert bool(codec_of(tables, synthesis).apart) == (not missing)


def test_a_key_with_a_number_beside_is_not_told_by_its_codes() -> None:
    tables = make_tables()
    rows = len(tables["film_genres"])
    tables["film_genres"] = tables["film_genres"].with_columns(year=np.arange(rows) % 60 + 1950)
    assert codec_of(tables, document(primary_key=["film_id", "genre_id", "year"])).apart == ()


def test_genres_of_few_films_keep_pairs_apart_though_they_share_a_code() -> None:
    tables = make_tables()
    rare = [(1, 5), (2, 5), (3, 6), (4, 6), (5, 6), (1, 6)]
    more = pl.DataFrame({"film_id": [film for film, _ in rare], "genre_id": [genre for _, genre in rare]})
    genres = pl.DataFrame({"genre_id": np.arange(7), "genre": [f"g{one}" for one in range(7)]})
    tables |= {"genres": genres, "film_genres": pl.concat([tables["film_genres"], more])}
    codec = codec_of(tables, document())
    (reference,) = (one for one in codec.factors if one.kind == "reference")
    assert reference.codec.pools[0].rows == (5, 6)
    assert codec.apart != ()
    drawn = kinsynth.fit(tables, document()).sample(seed=2)["film_genres"]
    assert len(drawn.unique(["film_id", "genre_id"])) == len(drawn)
