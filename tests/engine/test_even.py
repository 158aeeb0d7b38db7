"""Codes that are spread evenly: counts follow the chances, and rows are independent otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_toys import QUICK
from kinsynth.encoded import Encoded, EncodedTable, SubColumn
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train

CODES, ROWS = 40, 2_048


def accounts(*, even: bool) -> Encoded:
    """Rows that name one of 40 places, and a colour that goes with the first twenty."""
    rng = np.random.default_rng(0)
    place = rng.choice(CODES, 3_000, p=rng.dirichlet(np.full(CODES, 2.0)))
    colour = np.where(rng.random(3_000) < 0.9, place < 20, place >= 20)
    codes = np.stack([place, colour], 1).astype(np.int32)
    return Encoded({"account": EncodedTable(codes, (SubColumn(0, CODES, even=even), SubColumn(1, 2)))})


@pytest.fixture(scope="module")
def drawn() -> dict[bool, list[np.ndarray]]:
    model = train(accounts(even=True), "account", QUICK, seed=1)
    subs = tuple(replace(sub, even=False) for sub in model.layout.sub_columns)
    plain = replace(model, layout=replace(model.layout, sub_columns=subs))
    return {
        even: [
            concatenate(sample({"account": one}, {"account": ROWS}, seed=seed)).tables["account"].codes_RC
            for seed in range(12)
        ]
        for even, one in ((True, model), (False, plain))
    }


def spread_of_counts(draws: list[np.ndarray]) -> float:
    counts = np.array([np.bincount(codes[:, 0], minlength=CODES) for codes in draws])
    return float((counts.var(axis=0, ddof=1) / np.maximum(counts.mean(axis=0), 1)).mean())


def test_counts_follow_the_chances(drawn):
    # Independent draws: the variance of a count is about its mean; here two blocks add 1/4 each.
    assert 0.7 < spread_of_counts(drawn[False]) < 1.3
    assert spread_of_counts(drawn[True]) < 0.15


def test_what_goes_with_a_code_and_the_mean_share_stay(drawn):
    shares, colours = [], []
    for draws in (drawn[True], drawn[False]):
        codes = np.concatenate(draws)
        shares.append(np.bincount(codes[:, 0], minlength=CODES) / len(codes))
        colours.append(codes[codes[:, 0] < 20, 1].mean())
    limit = 5 * np.sqrt(0.5 / (12 * ROWS))
    assert np.abs(shares[0] - shares[1]).max() < limit
    assert abs(colours[0] - colours[1]) < 2 * limit


def test_rows_that_follow_each_other_are_no_further_from_or_nearer_to_each_other(drawn):
    same = [(codes[1:, 0] == codes[:-1, 0]).mean() for codes in drawn[True]]
    shares = np.bincount(np.concatenate(drawn[True])[:, 0], minlength=CODES) / (12 * ROWS)
    expected = np.square(shares).sum()
    assert abs(np.mean(same) - expected) < 5 * np.sqrt(expected / (12 * ROWS))


def test_the_first_rows_are_the_same_in_every_request():
    model = train(accounts(even=True), "account", replace(QUICK, max_steps=20), seed=2)
    wide, narrow = (
        concatenate(sample({"account": model}, {"account": rows}, seed=7)).tables["account"].codes_RC
        for rows in (600, 90)
    )
    assert (wide[:90] == narrow).all()
    assert SubColumn.from_json(SubColumn(0, 3, even=True).to_json()).even
