"""Rows of one parent differ in what a key says, and what is left is drawn as learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, Ending, SubColumn, Together
from kinsynth.engine.apart import Earlier, OnlyTogether, find_keys, find_several
from kinsynth.engine.checkpoint import load_model, save_model
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train

CODES = 6
LIKELY = np.array([0.4, 0.2, 0.15, 0.1, 0.1, 0.05])


def bridge(parents: int = 400, *, keys: tuple[int, ...]) -> Encoded:
    """Parents of 1, 3 or 7 rows that hold one of six codes each, drawn as if a row could repeat."""
    rng = np.random.default_rng(0)
    count_code = rng.integers(0, 3, parents)
    sizes = np.array([1, 3, 7])
    parent_R = np.repeat(np.arange(parents), sizes[count_code])
    codes = rng.choice(CODES, len(parent_R), p=LIKELY)
    subs = (SubColumn(0, 3, keys=keys), SubColumn(0, 2, keys=keys))
    child = EncodedTable(np.stack([codes // 2, codes % 2], 1).astype(np.int32), subs, "film", parent_R)
    film = EncodedTable(
        count_code[:, None].astype(np.int32),
        (SubColumn(0, 3),),
        counts=(ChildCount("genre", 0, sizes, sizes),),
    )
    return Encoded({"film": film, "genre": child})


@pytest.fixture(scope="module")
def drawn() -> dict[str, EncodedTable]:
    encoded = bridge(keys=(0,))
    models = {name: train(encoded, name, QUICK, seed=1) for name in encoded.tables}
    return dict(concatenate(sample(models, {"film": 600}, seed=2)).tables)


def test_rows_may_agree_on_a_code_that_stands_for_several_values():
    subs = (SubColumn(0, 3, keys=(0,), several_K=np.array([False, True, False])), SubColumn(1, 2, keys=(0,)))
    earlier = Earlier(np.array([[[1, 0], [2, 0]]] * 2, np.int32), find_keys(subs), find_several(subs))
    barred_BK = earlier.bar(1, torch.zeros(2, 2), torch.tensor([[1], [2]]))
    assert (barred_BK < 0).tolist() == [[False, False], [True, False]]


def test_no_two_rows_of_a_parent_agree_while_anything_else_is_left(drawn):
    child = drawn["genre"]
    pair = child.codes_RC[:, 0] * 2 + child.codes_RC[:, 1]
    distinct = [np.unique(pair[child.parent_R == film]).size for film in np.unique(child.parent_R)]
    rows = np.bincount(child.parent_R)
    rows = rows[rows > 0]
    short = rows < CODES
    assert {1, 3, 7} == set(rows.tolist())
    # Of two tokens the first is drawn freely: a group of two codes may be asked for a third time.
    repeats = (rows - np.array(distinct))[short]
    assert repeats.max() <= 1
    assert repeats.sum() < 0.1 * rows[short].sum()


def test_first_rows_are_drawn_as_learned(drawn):
    child = drawn["genre"]
    first = np.searchsorted(child.parent_R, np.unique(child.parent_R))
    pair = child.codes_RC[first, 0] * 2 + child.codes_RC[first, 1]
    share = np.bincount(pair, minlength=CODES) / len(first)
    assert np.abs(share - LIKELY).max() < 5 * np.sqrt(0.25 / len(first)) + 0.05


def test_keys_are_found_in_the_order_they_are_drawn():
    subs = (SubColumn(0, 2, keys=(1,)), SubColumn(1, 2), SubColumn(2, 2, keys=(0, 1)))
    assert find_keys(subs) == ((2,), (0, 2))
    assert find_keys((SubColumn(0, 2),)) == ()
    assert SubColumn.from_json(subs[2].to_json()).keys == (0, 1)


def test_only_what_agrees_on_all_of_a_key_is_barred():
    earlier = Earlier(np.array([[[0, 1], [1, 2]], [[1, 0], [1, 1]]], dtype=np.int32), ((0, 1),))
    codes_BC = torch.tensor([[0, 0], [1, 0]])
    assert (earlier.bar(0, torch.zeros(2, 3), codes_BC) == 0).all()
    barred = earlier.bar(1, torch.zeros(2, 3), codes_BC) < 0
    assert barred.tolist() == [[False, True, False], [True, True, False]]
    assert earlier.take(np.array([1])).codes_BSC.tolist() == [[[1, 0], [1, 1]]]


def journeys(rows: int = 3_000) -> Encoded:
    """Rows that name two of eight towns, never the same: one by its number, the other by group and member.

    The towns of the second one stand in another order, in groups of three, three, one and one.
    """
    rng = np.random.default_rng(0)
    start, goal = rng.integers(0, 8, (2, rows))
    start, goal = start[start != goal], goal[start != goal]
    town_GM = np.array([[5, 1, 7], [0, 2, 6], [4, 4, 4], [3, 3, 3]])
    group, member = (
        found[np.argsort(town_GM.ravel(), kind="stable")] for found in np.divmod(np.arange(12), 3)
    )
    first = np.searchsorted(np.sort(town_GM.ravel()), np.arange(8))
    codes = np.stack([start, group[first][goal], member[first][goal]], 1).astype(np.int32)
    return Encoded(
        {
            "journey": EncodedTable(
                codes,
                (SubColumn(0, 8), SubColumn(1, 4), SubColumn(1, 3)),
                unlike=(
                    (Ending((), (0,), tuple(range(8))), Ending((), (1, 2), tuple(town_GM.ravel().tolist()))),
                ),
            )
        }
    )


def test_two_endings_that_are_unlike_are_never_the_same(tmp_path):
    encoded = journeys()
    (pair,) = encoded.tables["journey"].unlike
    drawn = []
    for unlike in ((pair,), ()):
        made = Encoded({"journey": replace(encoded.tables["journey"], unlike=unlike)})
        save_model(tmp_path / "model", train(made, "journey", QUICK, seed=1))
        table = concatenate(sample({"journey": load_model(tmp_path / "model")}, {"journey": 2_000}, seed=2))
        codes_RC = table.tables["journey"].codes_RC.astype(np.int64)
        drawn.append((codes_RC[:, 0], np.array(pair[1].labels)[codes_RC[:, 1] * 3 + codes_RC[:, 2]]))
    (start, goal), (other_start, other_goal) = drawn
    assert not (start == goal).any()
    assert (other_start == other_goal).any()
    assert (start == other_start).all()
    # A draw that is not barred stays as it is, but where a town alone in its group is barred.
    assert (goal == other_goal).mean() > 0.7
    assert np.bincount(goal, minlength=8).min() > 2_000 / 8 / 2


def pairs(rows: int = 3_000, *, together: tuple[Together, ...]) -> Encoded:
    """Rows of two codes that go together only where their sum is even, and a third one."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 6, rows)
    second = (first % 2 + 2 * rng.integers(0, 3, rows)) % 6
    codes = np.stack([first, second, (first + second) // 2], 1).astype(np.int32)
    return Encoded({"row": EncodedTable(codes, tuple(SubColumn(c, 6) for c in range(3)), together=together)})


def test_only_what_goes_together_is_drawn_together(tmp_path):
    even = Together(0, 1, tuple(tuple(range(code % 2, 6, 2)) for code in range(6)))
    some = replace(even, codes=(*even.codes[:4], (), ()))
    drawn = []
    for together in ((even,), (some,), ()):
        save_model(
            tmp_path / "model", train(pairs(together=together), "row", replace(QUICK, max_epochs=1), seed=1)
        )
        table = concatenate(sample({"row": load_model(tmp_path / "model")}, {"row": 2_000}, seed=2))
        drawn.append(table.tables["row"].codes_RC)
    odd = [(codes_RC[:, 0] + codes_RC[:, 1]) % 2 == 1 for codes_RC in drawn]
    assert not odd[0].any()
    assert odd[2].any()
    assert odd[1][drawn[1][:, 0] >= 4].any(), "where nothing is said anything goes"
    assert not odd[1][drawn[1][:, 0] < 4].any()
    assert all((codes_RC[:, 0] == drawn[2][:, 0]).all() for codes_RC in drawn), "what is drawn before stays"


def test_what_goes_together_is_said_for_every_code_of_what_is_drawn_before():
    with pytest.raises(ValueError, match="before"):
        pairs(10, together=(Together(1, 0, ((),) * 6),))
    with pytest.raises(ValueError, match="each code"):
        pairs(10, together=(Together(0, 1, ((),) * 5),))
    one = Together(0, 1, ((), (3, 4)))
    assert Together.from_json(one.to_json()) == one


def test_where_nothing_goes_together_the_learned_chances_stay() -> None:
    bound = OnlyTogether(Together(0, 1, ((), (2,), (0, 1))), [3, 3])
    logits_BK = torch.tensor([[0.0, 1.0, 2.0, -torch.inf]]).repeat(3, 1)
    codes_BC = torch.tensor([[0, 0], [1, 0], [2, 0]])
    assert bound.bar(0, logits_BK, codes_BC).equal(logits_BK)
    barred_BK = bound.bar(1, logits_BK, codes_BC)
    assert barred_BK[0].equal(logits_BK[0])
    assert barred_BK.softmax(1)[1:, :3].gt(0).tolist() == [[False, False, True], [True, True, False]]
    barred_BK[1, 2] = -torch.inf  # the only one that goes with it is kept out
    left_K = barred_BK[1].softmax(0)
    assert left_K[:2].tolist() == pytest.approx(logits_BK[1, :2].softmax(0).tolist(), abs=1e-3)
    assert left_K[2:].tolist() == [0.0, 0.0]
