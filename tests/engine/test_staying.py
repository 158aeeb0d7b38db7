"""What a parent says stays the same does, what must not does not, and a condition comes before both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK
from kinsynth.encoded import ALWAYS, ANY, AS_BEFORE, ChildCount, Encoded, EncodedTable, Stay, SubColumn
from kinsynth.engine import drawing
from kinsynth.engine.checkpoint import TableModel, load_model, save_model
from kinsynth.engine.context import History
from kinsynth.engine.evidence import Condition, Shares
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.staying import FREE, Staying, Told
from kinsynth.engine.trainer import train

ROOTS = 1_500
SIZES = np.array([1, 2, 3, 9])
NOTHING, VARIES, STAYS = range(3)
MARK, PLACE = Stay((0,), (AS_BEFORE,), 1, STAYS, VARIES), Stay((1, 2), (AS_BEFORE, AS_BEFORE), ALWAYS)


def households(seed: int = 0) -> Encoded:
    """Roots that say whether their rows have one mark, as 60 of 100 do; the place always stays."""
    rng = np.random.default_rng(seed)
    size = rng.integers(0, len(SIZES), ROOTS)
    parent_R = np.repeat(np.arange(ROOTS), SIZES[size])
    stays_P = rng.random(ROOTS) < 0.6
    mark = np.where(stays_P[parent_R], rng.integers(0, 4, ROOTS)[parent_R], rng.integers(0, 4, len(parent_R)))
    place = rng.integers(0, 6, ROOTS)[parent_R]
    alike_P = np.ones(ROOTS, dtype=bool)
    np.logical_and.at(alike_P, parent_R, mark == mark[np.searchsorted(parent_R, parent_R)])
    says = np.where(SIZES[size] < 2, NOTHING, np.where(alike_P, STAYS, VARIES))
    root = EncodedTable(
        np.stack([size, says], 1).astype(np.int32),
        (SubColumn(0, len(SIZES)), SubColumn(1, 3, even_K=np.ones(3, dtype=np.bool_))),
        counts=(ChildCount("child", 0, SIZES, SIZES),),
    )
    codes = np.stack([mark, place // 2, place % 2], 1).astype(np.int32)
    subs = (SubColumn(0, 4), SubColumn(1, 3), SubColumn(1, 2))
    return Encoded({"root": root, "child": EncodedTable(codes, subs, "root", parent_R, stays=(MARK, PLACE))})


@pytest.fixture(scope="module")
def models() -> dict[str, TableModel]:
    encoded = households()
    return {name: train(encoded, name, QUICK, seed=1) for name in encoded.tables}


def alike(table: EncodedTable, columns: list[int], parents: int) -> np.ndarray:
    """Tell of each parent whether all its rows agree, one by one."""
    return np.array(
        [len(np.unique(table.codes_RC[table.parent_R == p][:, columns], axis=0)) <= 1 for p in range(parents)]
    )


def check(drawn: Encoded, parents: int) -> None:
    root, child = drawn.tables["root"].codes_RC, drawn.tables["child"]
    marks, several = alike(child, [0], parents), SIZES[root[:, 0]] > 1
    assert marks[several & (root[:, 1] == STAYS)].all()
    assert not marks[several & (root[:, 1] == VARIES)].any()
    assert alike(child, [1, 2], parents).all()


def test_every_row_keeps_what_its_parent_says(models):
    drawn = concatenate(sample(models, {"root": 700}, seed=3))
    check(drawn, 700)
    source, root = households().tables["root"].codes_RC, drawn.tables["root"].codes_RC
    shares = [(codes[SIZES[codes[:, 0]] > 1, 1] == STAYS).mean() for codes in (source, root)]
    assert abs(shares[0] - shares[1]) < 4 * np.sqrt(0.25 / 500)


def test_stretches_beside_each_other_keep_it_as_well(models, monkeypatch):
    monkeypatch.setattr(drawing, "STRETCH", 4)
    check(concatenate(sample(models, {"root": 700}, seed=3)), 700)


def test_the_values_that_stay_have_their_shares(models):
    drawn = concatenate(sample(models, {"root": ROOTS}, seed=4)).tables["child"]
    source = households().tables["child"]
    for column, codes in ((0, 4), (1, 3)):
        shares = []
        for table in (source, drawn):
            first = np.unique(table.parent_R, return_index=True)[1]
            shares.append(np.bincount(table.codes_RC[first, column], minlength=codes) / len(first))
        assert np.abs(shares[0] - shares[1]).max() < 5 * np.sqrt(2 * 0.25 / ROOTS)


def test_any_number_of_roots_gives_the_same_rows(models):
    many, few = (concatenate(sample(models, {"root": roots}, seed=5)) for roots in (700, 300))
    child = many.tables["child"]
    assert np.array_equal(child.codes_RC[child.parent_R < 300], few.tables["child"].codes_RC)


def test_a_condition_comes_before_what_the_parent_says(models):
    allowed = np.zeros((2, 4), dtype=bool)
    allowed[0, :1], allowed[1, 1:] = True, True
    half = Condition(shares=Shares(0, allowed, np.array([0.5, 0.5])))
    drawn = concatenate(sample(models, {"root": 400}, seed=6, conditions={"child": half}))
    child = drawn.tables["child"]
    share = (child.codes_RC[:, 0] == 0).mean()
    assert abs(share - 0.5) < 5 * np.sqrt(0.25 / child.rows)
    assert alike(child, [1, 2], 400).all()


def test_what_stays_is_kept_in_a_checkpoint(models, tmp_path):
    save_model(tmp_path / "model", models["child"])
    assert load_model(tmp_path / "model").layout.stays == models["child"].layout.stays == (MARK, PLACE)


def test_bending_lowers_all_but_what_is_wanted_and_what_is_barred():
    told = Told(torch.tensor([[2, FREE], [FREE, FREE]]), torch.tensor([[FREE, FREE], [1, FREE]]))
    logits = torch.tensor([[0.5, 1.0, -3.0], [0.0, 2.0, 1.0]])
    bent = torch.softmax(told.bend(0, logits), 1)
    assert torch.equal(bent[0], torch.tensor([0.0, 0.0, 1.0]))
    assert bent[1, 1] == 0
    assert bent[1, 2] / bent[1, 0] == pytest.approx(np.e)
    assert told.bend(1, logits) is logits


def test_a_last_row_is_drawn_again_until_it_parts_from_the_others():
    stays = (Stay((0,), (AS_BEFORE,), 0, 1, 0), Stay((1,), (AS_BEFORE,), 1, 1, 0))
    staying = Staying(stays, 2, np.zeros((3, 2), dtype=np.int32))
    before = torch.zeros(3, 2, dtype=torch.int64)
    one = torch.ones(3, dtype=torch.int64)
    history = History(before, one > 0, one, torch.tensor([0, 0, 1]), one)
    drawn, turns = np.array([[0, 5], [7, 7], [0, 0]], dtype=np.int32), []

    def redraw(row, told, turn):
        turns.append((row.tolist(), told.barred_BC.tolist(), turn))
        return np.array([[4, 0]] if turn == 0 else [[4, 9]], dtype=np.int32)

    staying.settle(drawn, staying.told(history), history, redraw)
    # The first row repeats the one before in one column, then in the other; the last one is no last row.
    assert turns == [([0], [[0, FREE]], 0), ([0], [[0, 0]], 1)]
    assert drawn.tolist() == [[4, 9], [7, 7], [0, 0]]


def test_codes_that_are_not_told_are_free():
    stay = Stay((0, 1), (3, ANY), ALWAYS)
    staying = Staying((stay,), 3, np.zeros((2, 1), dtype=np.int32))
    one = torch.ones(2, dtype=torch.int64)
    history = History(one[:, None].repeat(1, 3), torch.tensor([True, False]), one, one, one)
    told = staying.told(history)
    assert told is not None
    assert told.wanted_BC.tolist() == [[3, FREE, FREE], [FREE, FREE, FREE]]
    assert Staying((), 3, np.zeros((2, 0), dtype=np.int32)).told(history) is None


@pytest.mark.parametrize(
    "stay", [Stay((3,), (AS_BEFORE,)), Stay((0,), (AS_BEFORE,), 2, STAYS, VARIES)], ids=["column", "said"]
)
def test_what_does_not_exist_cannot_stay(stay):
    tables = households().tables
    with pytest.raises(ValueError, match="sub-column"):
        Encoded({"root": tables["root"], "child": replace(tables["child"], stays=(stay,))})
    assert Stay.from_json(stay.to_json()) == stay
    with pytest.raises(ValueError, match="parent"):
        replace(tables["root"], stays=(MARK,))
