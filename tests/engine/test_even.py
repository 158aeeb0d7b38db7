"""Codes that are spread evenly: counts follow the chances, and rows are independent otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.evenly import RUN
from kinsynth.engine.prefix import Columns
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train

CODES, SOURCE, ROWS = 40, 3_000, 2_100
FEW = np.isin(np.arange(CODES), [3, 17])
ALL_EVEN, FEW_NOT = np.ones(CODES, dtype=np.bool_), ~FEW
ENDS = 3.0  # a code's interval ends in two parts of [0, 1), which windows fill evenly: 1.5 rows each


def accounts(even_K: np.ndarray | None) -> Encoded:
    """Rows that name one of 40 places, and a colour that goes with the first twenty."""
    rng = np.random.default_rng(0)
    place = rng.choice(CODES, SOURCE, p=rng.dirichlet(np.full(CODES, 2.0)))
    colour = np.where(rng.random(SOURCE) < 0.9, place < 20, place >= 20)
    codes = np.stack([place, colour], 1).astype(np.int32)
    return Encoded({"account": EncodedTable(codes, (SubColumn(0, CODES, even_K=even_K), SubColumn(1, 2)))})


@pytest.fixture(scope="module")
def model():
    return train(accounts(FEW_NOT), "account", QUICK, seed=1)


@pytest.fixture(scope="module")
def drawn(model) -> dict[bool, list[np.ndarray]]:
    return {
        even: [draw(spread(model, FEW_NOT if even else None), seed) for seed in range(12)]
        for even in (True, False)
    }


def spread(model, even_K):
    first, *others = model.layout.sub_columns
    return replace(model, layout=replace(model.layout, sub_columns=(replace(first, even_K=even_K), *others)))


def draw(model, seed, rows=ROWS, **more) -> np.ndarray:
    return (
        concatenate(sample({"account": model}, {"account": rows}, seed=seed, **more))
        .tables["account"]
        .codes_RC
    )


def chances(model) -> np.ndarray:
    """Chance of each place; it is drawn first, so it is that of every row."""
    logits_BK = Columns(model, 1.0).begin(1).logits(0)[:, :CODES]
    return torch.softmax(logits_BK.detach().double(), 1).numpy()[0]


def counts(draws: list[np.ndarray]) -> np.ndarray:
    return np.array([np.bincount(codes[:, 0], minlength=CODES) for codes in draws])


def last_run(share):
    """Standard deviation of how many of a share are among the rows of the last, unfinished run."""
    rows = ROWS % RUN
    return np.sqrt(rows * (1 - rows / RUN) * share * (1 - share))


def test_counts_over_all_blocks_are_the_chances_but_for_rounding(model, drawn):
    off, share_K = counts(drawn[True]) - ROWS * chances(model), chances(model)
    assert (np.abs(off) < ENDS + 4 * last_run(share_K))[:, ~FEW].all()
    together = share_K[FEW].sum()
    assert np.abs(off[:, FEW].sum(1)).max() < ENDS + 4 * last_run(together), "together they are even"
    # Each of the two by itself: binomial, given their sum.
    one, both = counts(drawn[True])[:, 3], counts(drawn[True])[:, FEW].sum(1)
    share = chances(model)[3] / chances(model)[FEW].sum()
    deviation = (one - both * share) / np.sqrt(both * share * (1 - share))
    assert 0.2 < np.square(deviation).mean() < 2.5, "chi-squared of 12, 0.2 % on either side"


def test_two_even_columns_go_together_as_the_chances_say(model):
    place, colour = model.layout.sub_columns
    sub_columns = (replace(place, even_K=ALL_EVEN), replace(colour, even_K=np.ones(2, dtype=np.bool_)))
    layout, plan = replace(model.layout, sub_columns=sub_columns), replace(model.plan, block_size=ROWS)
    both = replace(model, layout=layout, plan=plan)
    prefix = Columns(both, 1.0).begin(CODES)
    prefix.logits(0)
    prefix.put(0, torch.arange(CODES))
    chance_K = torch.softmax(prefix.logits(1)[:, :2].detach().double(), 1).numpy()[:, 1]
    codes_RC = draw(both, 5)
    rows_K = np.bincount(codes_RC[:, 0], minlength=CODES)
    coloured_K = np.bincount(codes_RC[:, 0], codes_RC[:, 1], CODES)
    # The sum over the rows of a place is rounded; rows in any order would be off by several.
    assert np.abs(coloured_K - rows_K * chance_K).max() < 1 + 1e-3


def test_independent_draws_are_not_so_even(model, drawn):
    variance = np.square(counts(drawn[False]) - ROWS * chances(model)) / (ROWS * chances(model))
    assert 0.7 < variance.mean() < 1.3


def test_chances_are_the_shares_of_all_rows(model):
    """Also of those that only measure the loss: a tenth of the rows would move a share by this much."""
    codes_RC = accounts(None).tables["account"].codes_RC
    count_K = np.bincount(codes_RC[:, 0], minlength=CODES)
    off_K = np.abs(SOURCE * chances(model) - count_K)
    assert off_K[~FEW].max() < 0.5
    assert np.sqrt(0.1 * count_K.mean()) > 2


def test_what_goes_with_a_code_stays(drawn):
    colours = []
    for draws in (drawn[True], drawn[False]):
        codes = np.concatenate(draws)
        colours.append(codes[codes[:, 0] < 20, 1].mean())
    assert abs(colours[0] - colours[1]) < 5 * np.sqrt(0.5 / (12 * ROWS))


def test_rows_that_follow_each_other_are_no_nearer_to_each_other(model, drawn):
    same = [(codes[1:, 0] == codes[:-1, 0]).mean() for codes in drawn[True]]
    # Two rows of a run never stand in the same part, so less often in the same code; any two are as likely.
    share_K = chances(model)
    code_K = np.append(share_K[~FEW], share_K[FEW].sum())
    again_K = np.append(np.ones((~FEW).sum()), np.square(share_K[FEW] / share_K[FEW].sum()).sum())
    ends_K, parts = np.append(0, code_K.cumsum()), np.arange(RUN + 1) / RUN
    within_KL = np.diff(np.clip(parts, ends_K[:-1, None], ends_K[1:, None]), axis=1)
    of_run = RUN / (RUN - 1) * (np.square(code_K) - np.square(within_KL).sum(1)) @ again_K
    expected = ((RUN - 1) * of_run + np.square(code_K) @ again_K) / RUN
    assert expected > 0.3 * np.square(share_K).sum()
    assert abs(np.mean(same) - expected) < 5 * np.sqrt(expected / (12 * ROWS))


def test_the_first_rows_are_the_same_in_every_request(model):
    assert (draw(model, 7, rows=600)[:90] == draw(model, 7, rows=90)).all()
    assert (draw(model, 7, rows=600)[300:] == draw(model, 7, rows=300, first_root=300)).all()


def test_no_rows_are_no_rows(model):
    none = np.zeros(0, dtype=np.int64)
    assert TableSampler(model, 1, 1.0, None).draw_roots(none, none).shape == (0, 2)


def test_blocks_of_another_size_are_as_even(model):
    small = replace(model, plan=replace(model.plan, block_size=16))
    assert (draw(small, 3)[:, 0] == draw(model, 3)[:, 0]).all()


def test_a_sub_column_keeps_what_is_even():
    kept = SubColumn.from_json(SubColumn(0, CODES, even_K=FEW_NOT).to_json())
    assert kept.even_K is not None
    assert (kept.even_K == FEW_NOT).all()
    assert SubColumn.from_json(SubColumn(0, CODES).to_json()).even_K is None


@pytest.fixture(scope="module")
def lists():
    """Owners of five kinds, five rows each; a row names one of 40 places, often of its owner's kind."""
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 5, 600)
    parent_R = np.repeat(np.arange(600), 5)
    place = np.where(rng.random(3_000) < 0.7, kind[parent_R] * 8 + rng.integers(0, 8, 3_000), 0)
    place = np.where(place == 0, rng.integers(0, CODES, 3_000), place)
    count = ChildCount("row", 1, np.array([5]), np.array([5]))
    owner = EncodedTable(
        np.stack([kind, np.zeros(600)], 1).astype(np.int32),
        (SubColumn(0, 5), SubColumn(1, 1)),
        counts=(count,),
    )
    row = EncodedTable(
        place[:, None].astype(np.int32), (SubColumn(0, CODES, even_K=ALL_EVEN),), "owner", parent_R
    )
    encoded = Encoded({"owner": owner, "row": row})
    return {name: train(encoded, name, QUICK, seed=1) for name in encoded.tables}


def test_rows_with_chances_of_their_own_are_spread_within_blocks(lists):
    """Given their kinds, counts of a place vary by what is left of five kinds and by rounding."""
    variances = {}
    for even_K in (ALL_EVEN, None):
        layout = lists["row"].layout
        models = lists | {
            "row": replace(
                lists["row"],
                layout=replace(layout, sub_columns=(replace(layout.sub_columns[0], even_K=even_K),)),
            )
        }
        drawn = [concatenate(sample(models, {"owner": 400}, seed=seed)) for seed in range(24)]
        places = np.array([np.bincount(one.tables["row"].codes_RC[:, 0], minlength=CODES) for one in drawn])
        kinds = np.array([np.bincount(one.tables["owner"].codes_RC[:, 0], minlength=5) for one in drawn])
        design = np.column_stack([kinds, np.ones(24)])
        rest = places - design @ np.linalg.lstsq(design, places, rcond=None)[0]
        variances[even_K is None] = (rest**2).sum(0).mean() / (24 - 5) / places.mean()
    assert 0.7 < variances[True] < 1.3, "Poisson"
    assert variances[False] < 0.6 * variances[True]
