"""Conditional draws against the exact conditional of a small model, enumerated."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK
from kinsynth.encoded import Encoded, EncodedTable, SubColumn
from kinsynth.engine.evidence import UNKNOWN, Condition, Shares
from kinsynth.engine.particles import AT_ONCE
from kinsynth.engine.prefix import Columns
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample, sample_several
from kinsynth.engine.trainer import train

SIZES = (4, 3, 5, 2)
ROWS = 8_000


@pytest.fixture(scope="module")
def model():
    """Four dependent columns; code 2 of the second is learned but never drawn."""
    rng = np.random.default_rng(0)
    a = rng.choice(4, 4000, p=[0.5, 0.3, 0.15, 0.05])
    b = (a + (rng.random(4000) < 0.4)) % 3
    c = (a + b + rng.integers(0, 3, 4000)) % 5
    d = ((a == 3) | (c == 4) & (rng.random(4000) < 0.7)).astype(int)
    codes = np.stack([a, b, c, d], 1).astype(np.int32)
    subs = (
        SubColumn(0, 4),
        SubColumn(1, 3, forbidden_K=np.array([False, False, True])),
        SubColumn(2, 5),
        SubColumn(3, 2),
    )
    return train(Encoded({"t": EncodedTable(codes, subs)}), "t", QUICK, seed=2)


@pytest.fixture(scope="module")
def joint(model):
    """The chance of every row that may be drawn, by its codes."""
    every = torch.tensor(list(itertools.product(*map(range, SIZES))))
    with torch.inference_mode():
        columns = Columns(model, 1.0)
        prefix, total = columns.begin(len(every)), torch.zeros(len(every))
        for c in range(len(SIZES)):
            chance = torch.log_softmax(prefix.logits(c) + columns.barred[c], 1)
            total += chance.gather(1, every[:, c : c + 1]).squeeze(1)
            prefix.put(c, every[:, c])
    return total.exp().double().numpy().reshape(SIZES)


def drawn_codes(model, condition, rows=ROWS, **options):
    blocks = sample({"t": model}, {"t": rows}, seed=4, conditions={"t": condition}, **options)
    return concatenate(blocks).tables["t"].codes_RC


def several_draws(model, **options):
    condition = known(400, d=1, c=4)
    blocks = sample_several(model, rows=400, seed=4, condition=condition, draws=512, **options)
    return np.concatenate(list(blocks))


def known(rows=ROWS, **codes):
    known_RC = np.full((rows, len(SIZES)), -1, dtype=np.int32)
    for column, code in codes.items():
        known_RC[:, "abcd".index(column)] = code
    return Condition(known_RC)


def conditional(joint, **codes):
    place = tuple(codes.get(name, slice(None)) for name in "abcd")
    part = joint[place]
    return part / part.sum()


def assert_drawn_from(drawn_RC, chance, seen):
    """Chi-squared within five standard deviations; cells of fewer than five rows are joined.

    Args:
        drawn_RC: Drawn codes of the columns that are not known.
        chance: Their exact chances.
        seen: By how much more than chance the statistic may differ: the share that particles leave over.
    """
    counts = np.zeros(chance.shape)
    np.add.at(counts, tuple(drawn_RC.T), 1)
    expected = chance * len(drawn_RC)
    assert counts[expected == 0].sum() == 0
    rare = expected < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    wanted = np.append(expected[~rare], expected[rare].sum())
    observed, wanted = observed[wanted > 0], wanted[wanted > 0]
    freedom = len(wanted) - 1
    statistic = ((observed - wanted) ** 2 / wanted).sum()
    assert statistic < freedom + 5 * np.sqrt(2 * freedom) + seen * len(drawn_RC)


@pytest.mark.parametrize(
    "codes",
    [{"a": 1}, {"a": 2, "b": 0}, {"d": 1}, {"d": 0}, {"c": 4}, {"b": 1, "d": 1}, {"a": 3, "d": 1}],
    ids=str,
)
def test_rows_given_some_codes_follow_the_exact_conditional(model, joint, codes):
    drawn = drawn_codes(model, known(**codes))
    free = [place for place, name in enumerate("abcd") if name not in codes]
    for name, code in codes.items():
        assert (drawn[:, "abcd".index(name)] == code).all()
    assert_drawn_from(drawn[:, free], conditional(joint, **codes), 0.0)


def test_unlikely_codes_are_met_by_particles(model, joint):
    """A chance of about one in a thousand: too unlikely to be met by candidates."""
    place = np.unravel_index(np.where(joint > 2e-4, joint, 1).sum(axis=0).argmin(), SIZES[1:])
    codes = dict(zip("bcd", map(int, place), strict=True))
    drawn = drawn_codes(model, known(**codes))
    # Resampling of 64 particles leaves a bias of a few per cent of a share.
    assert_drawn_from(drawn[:, :1], conditional(joint, **codes), 0.002)


def test_several_draws_of_a_row_are_a_sample_of_what_it_may_be(model, joint):
    several = several_draws(model, threads=1)
    assert (several == several_draws(model, threads=3)).all()
    assert several.shape == (400, 512, 4)
    assert (several[:, :, 3] == 1).all()
    shares = np.bincount(several[:, :, 0].ravel(), minlength=4) / several[:, :, 0].size
    exact = conditional(joint, c=4, d=1).sum(axis=1)
    # Draws of one row share particles: five standard deviations of 400 rows, and the bias of resampling.
    assert np.abs(shares - exact).max() < 5 * np.sqrt(0.25 / 400) / 2 + 0.02


def test_rows_of_which_nothing_is_known_are_those_drawn_freely(model):
    half = known(100)
    drawn, free = drawn_codes(model, half, 300), drawn_codes(model, None, 300)
    assert (drawn == free).all()


def test_each_row_has_its_own_evidence(model):
    known_RC = np.full((600, 4), -1, dtype=np.int32)
    known_RC[::2, 3], known_RC[1::3, 0] = 1, 2
    drawn = drawn_codes(model, Condition(known_RC), 600)
    assert (drawn[::2, 3] == 1).all()
    assert (drawn[1::3, 0] == 2).all()
    again = drawn_codes(model, Condition(known_RC[:400]), 400)
    assert (again == drawn[:400]).all()


def test_shares_are_met_and_the_rest_is_as_learned(model, joint):
    shares = Shares(3, np.eye(2, dtype=bool), np.array([0.3, 0.7]))
    drawn = drawn_codes(model, Condition(shares=shares))
    held = drawn[:, 3] == 1
    assert abs(held.mean() - 0.7) < 5 * np.sqrt(0.21 / ROWS)
    for code in (0, 1):
        assert_drawn_from(drawn[drawn[:, 3] == code][:, :3], conditional(joint, d=code), 0.0)


def test_a_known_code_that_is_never_drawn_still_tells(model):
    """Code 2 of the second column is barred; it is learned to come with the last two codes of the first."""
    drawn = drawn_codes(model, known(b=2))
    assert (drawn[:, 1] == 2).all()
    free = drawn_codes(model, None)
    assert not (free[:, 1] == 2).any()
    likely = np.bincount(drawn[:, 0], minlength=4) / ROWS
    assert likely[1] + likely[2] > 0.9


def test_shares_hold_for_child_rows(family_models):
    shares = Shares(1, np.eye(2, dtype=bool), np.array([0.9, 0.1]))
    blocks = sample(family_models, {"root": 600}, seed=5, conditions={"notes": Condition(shares=shares)})
    drawn = concatenate(blocks).tables
    notes = drawn["notes"].codes_RC
    assert abs((notes[:, 1] == 0).mean() - 0.9) < 5 * np.sqrt(0.09 / len(notes))
    # What was learned of the other column still holds.
    assert (notes[:, 0] == drawn["root"].codes_RC[drawn["notes"].parent_R, 0]).mean() > 0.98


def test_a_table_without_columns_has_rows():
    """Nothing but keys: nothing is known, nothing is drawn, and every row is there."""
    empty = EncodedTable(np.zeros((40, 0), np.int32), ())
    model = train(Encoded({"t": empty}), "t", QUICK, seed=2)
    assert drawn_codes(model, None, 30).shape == (30, 0)
    assert drawn_codes(model, Condition(np.zeros((30, 0), np.int32)), 30).shape == (30, 0)
    blocks = sample_several(model, rows=30, seed=4, condition=Condition(), draws=8)
    assert np.concatenate(list(blocks)).shape == (30, 8, 0)


def test_the_particles_held_at_once_do_not_grow_with_the_rows_given(model, monkeypatch):
    """Rows with unlikely codes need the most particles; however many there are, so many are drawn at once."""
    begun, begin = [], Columns.begin

    def counted(self, rows, *others, **told):
        begun.append(rows)
        return begin(self, rows, *others, **told)

    monkeypatch.setattr(Columns, "begin", counted)
    known_RC = np.full((3_000, 4), UNKNOWN, dtype=np.int32)
    known_RC[:, 2:] = (3, 1)
    drawn = concatenate(sample({"t": model}, {"t": 3_000}, seed=1, conditions={"t": Condition(known_RC)}))
    assert (drawn.tables["t"].codes_RC[:, 2:] == (3, 1)).all()
    assert len(begun) > 3_000 * 4 / AT_ONCE
    assert max(begun) <= AT_ONCE
