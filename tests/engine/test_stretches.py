"""Long sequences without an order are drawn in stretches beside each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine import drawing
from kinsynth.engine.context import Relatives
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.sampled import number_rows
from kinsynth.engine.stretches import cut_stretches
from kinsynth.engine.trainer import train


@pytest.mark.parametrize("most", [None, 1, 7, 50])
def test_every_row_stands_in_one_stretch_and_the_longest_come_first(most):
    count_P = np.random.default_rng(0).integers(0, 60, 200)
    begins, others = cut_stretches(count_P, most=most)
    rows = []
    for some in (begins, others):
        assert (np.diff(some.length_S) <= 0).all()
        first_S = (np.cumsum(count_P) - count_P)[some.parent_S]
        assert (some.first_S == first_S + some.offset_S).all()
        assert (some.count_S == count_P[some.parent_S]).all()
        rows += [
            np.arange(a, a + n, dtype=np.int64) for a, n in zip(some.first_S, some.length_S, strict=True)
        ]
    assert (np.sort(np.concatenate(rows)) == np.arange(count_P.sum())).all()
    assert most is None or max(begins.length_S.max(), others.length_S.max(initial=0)) <= most
    assert (begins.offset_S == 0).all()
    assert (others.offset_S > 0).all()
    last_S = begins.last_rows(others)
    assert (last_S == (np.cumsum(count_P) - count_P)[others.parent_S] + (most or 0) - 1).all()


def test_no_parent_at_all_has_no_stretch():
    for some in cut_stretches(np.zeros(0, dtype=np.int64), most=5):
        assert not len(some.first_S)


LONG = 3_000


def hubs(roots: int = 60, seed: int = 0) -> Encoded:
    """Roots of three colours, every third with 3,000 children, the others with 2.

    All children of a root have one mark, which the root does not tell; seven in ten have its colour.
    """
    rng = np.random.default_rng(seed)
    colour, size = rng.integers(0, 3, roots), (np.arange(roots) % 3 == 0).astype(np.int64)
    parent_R = np.repeat(np.arange(roots), np.where(size, LONG, 2))
    mark = rng.integers(0, 4, roots)
    other = rng.random(len(parent_R)) > 0.7
    child = [np.where(other, rng.integers(0, 3, len(parent_R)), colour[parent_R]), mark[parent_R]]
    count = ChildCount("child", 1, np.array([2, LONG]), np.array([2, LONG]))
    root = EncodedTable(
        np.stack([colour, size], 1).astype(np.int32), (SubColumn(0, 3), SubColumn(1, 2)), counts=(count,)
    )
    subs = (SubColumn(0, 3), SubColumn(1, 4))
    codes_RC = np.stack(child, 1).astype(np.int32)
    return Encoded({"root": root, "child": EncodedTable(codes_RC, subs, "root", parent_R)})


@pytest.fixture(scope="module")
def hub_models():
    encoded = hubs()
    return {name: train(encoded, name, replace(QUICK, max_steps=120), seed=1) for name in encoded.tables}


@torch.inference_mode()
def children(models, name, count_P):
    """Children of roots of colour 0, 1, 2, 0 and so on, and how many rows each step had."""
    sampler = TableSampler(models[name], 3, 1.0, None)
    root = models["root"].layout
    codes_PC = np.zeros((len(count_P), len(root.sub_columns)), dtype=np.int32)
    codes_PC[:, 0] = np.arange(len(count_P)) % 3
    codes_PC[:, 1] = np.minimum(count_P > LONG // 2, root.sub_columns[1].cardinality - 1)
    tables = {"root": EncodedTable(codes_PC, root.sub_columns)}
    for sibling in sampler.layout.siblings:
        none = np.zeros((0, len(sibling.sub_columns)), dtype=np.int32)
        tables[sibling.name] = EncodedTable(none, sibling.sub_columns, "root", np.zeros(0, dtype=np.int64))
    relatives = Relatives(sampler.layout, tables, set_limit=4)
    row_ids = number_rows(np.repeat(np.arange(len(count_P)), count_P), table=name)
    steps, draw = [], sampler._draw
    sampler._draw = lambda begun, row_R: steps.append(len(row_R)) or draw(begun, row_R)
    return sampler.draw_children(count_P, row_ids, relatives), steps


def test_one_parent_of_many_rows_takes_few_steps_and_its_rows_are_as_learned(hub_models):
    """A hub of 100,000 rows beside others: all of its rows have one mark."""
    count_P = np.array([2, 100_000, 0, LONG])
    codes_RC, steps = children(hub_models, "child", count_P)
    assert len(steps) == 2 * drawing.STRETCH
    hub_RC = codes_RC[2:100_002]
    begin_RC, rest_RC = hub_RC[: drawing.STRETCH], hub_RC[drawing.STRETCH :]
    for part_RC in (begin_RC, rest_RC):
        assert np.bincount(part_RC[:, 1]).max() / len(part_RC) > 0.9, "all have the mark of the one before"
    assert np.bincount(begin_RC[:, 1]).argmax() == np.bincount(rest_RC[:, 1]).argmax()
    begin_K, rest_K = (np.bincount(part[:, 0], minlength=3) / len(part) for part in (begin_RC, rest_RC))
    assert np.abs(begin_K - rest_K).sum() / 2 < 0.1, "later stretches are drawn as the first one"


def test_sequences_within_one_stretch_do_not_depend_on_its_length(family_models, monkeypatch):
    count_P = np.random.default_rng(1).integers(0, 40, 100)
    whole, _ = children(family_models, "notes", count_P)
    monkeypatch.setattr(drawing, "STRETCH", 40)
    assert (children(family_models, "notes", count_P)[0] == whole).all()
    monkeypatch.setattr(drawing, "STRETCH", 8)
    cut, steps = children(family_models, "notes", count_P)
    assert len(steps) == 16
    first_P = np.cumsum(count_P) - count_P
    begins_R = np.arange(len(whole)) - np.repeat(first_P, count_P) < 8
    assert (cut[begins_R] == whole[begins_R]).all()


def test_ordered_sequences_are_never_cut(family_models, monkeypatch):
    monkeypatch.setattr(drawing, "STRETCH", 3)
    _, steps = children(family_models, "steps", np.array([8, 5]))
    assert steps == [2] * 5 + [1] * 3
