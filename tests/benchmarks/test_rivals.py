"""Every rival keeps what the engine's network keeps: chances that sum to 1, and no look ahead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from rivals.drawing import draw
from rivals.heads import FEWEST_PLACES, Begun, edges_of, line_heads
from rivals.latent import add_classes, fit_classes, loss_without_class
from rivals.orders import SometimesShuffled, in_given_order, see, share_of, shuffle
from rivals.training import TABLE, train_rival
from rivals.transformer import Transformer

from kinsynth.encoded import Encoded, EncodedTable, SubColumn
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.layout import TableLayout, describe_table
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import Batch, Dropout
from kinsynth.engine.trainer import train

PLAN = TablePlan(batch_size=128, max_steps=60, validation_steps=20, column_width=12, embedding_width=6)
PLACES = 20
MAKERS = {
    "transformer": Transformer,
    "shuffled": share_of(0.5),
    "logistic": line_heads("logistic"),
    "spline": line_heads("spline"),
}


def made(rows: int = 800) -> EncodedTable:
    """A category, a number that follows it (code 0 missing, code 1 never drawn), and a flag of both."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, rows)
    number = np.clip(kind * 6 + rng.integers(2, 9, rows), 2, PLACES + 1)
    number = np.where(rng.random(rows) < 0.1, 0, np.where(rng.random(rows) < 0.2, 7, number))
    flag = (number > 10).astype(int)
    mass = np.bincount(number, minlength=PLACES + 2)[2:]
    place = np.append([np.nan, np.nan], (mass.cumsum() - mass / 2) / mass.sum()).astype(np.float32)
    forbidden = np.arange(PLACES + 2) == 1
    subs = (SubColumn(0, 3), SubColumn(1, PLACES + 2, place, forbidden), SubColumn(2, 2))
    return EncodedTable(np.stack([kind, number, flag], 1).astype(np.int32), subs)


@pytest.fixture(scope="module")
def models() -> dict[str, TableModel]:
    return {name: train_rival(make, made(), PLAN, seed=1) for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
class TestEveryRival:
    def test_learns(self, name: str, models: dict[str, TableModel]) -> None:
        """Better than columns on their own by more than half of what the flag tells."""
        codes = made().codes_RC
        alone = sum(-(p[p > 0] * np.log(p[p > 0])).sum() for p in (np.bincount(c) / 800 for c in codes.T))
        assert models[name].loss < alone - 0.35

    def test_chances_sum_to_one(self, name: str, models: dict[str, TableModel]) -> None:
        """And the loss is that of the chances, also after calibration moved the biases."""
        network, codes_BC = models[name].network, torch.from_numpy(made().codes_RC[:50]).long()
        with torch.no_grad():
            chances, loss_CB = network.chances(Batch(codes_BC)), network(Batch(codes_BC))
        for c, chance_BK in enumerate(chances):
            torch.testing.assert_close(chance_BK.sum(1), torch.ones(50))
            expected = -chance_BK.gather(1, codes_BC[:, c : c + 1]).log()[:, 0]
            torch.testing.assert_close(loss_CB[c], expected, atol=1e-4, rtol=1e-4)

    def test_later_codes_change_nothing(self, name: str, models: dict[str, TableModel]) -> None:
        """The chances of a column are those of the columns before, and these do change it."""
        network, codes_BC = models[name].network, torch.from_numpy(made().codes_RC[:50]).long()
        sizes = [sub.cardinality for sub in made().sub_columns]
        with torch.no_grad():
            before = network.chances(Batch(codes_BC))
            for changed in range(3):
                other_BC = codes_BC.clone()
                other_BC[:, changed] = (other_BC[:, changed] + 1) % sizes[changed]
                after = network.chances(Batch(other_BC))
                for c in range(changed + 1):
                    torch.testing.assert_close(after[c], before[c])
                assert changed == 2 or not torch.allclose(after[2], before[2], atol=1e-3)

    def test_draws_from_its_chances(self, name: str, models: dict[str, TableModel]) -> None:
        """The sampler's logits are the network's chances, and forbidden codes never come out."""
        model: Any = models[name]
        if name == "shuffled":
            model = in_given_order(model)
            begun: Any = Begun(model.network, 50)
        else:
            begun = model.network.begin(50)
            drawn_RC = draw(model, 3000, seed=2)
            assert not (drawn_RC[:, 1] == 1).any()
            assert (drawn_RC[:, 2] == (drawn_RC[:, 1] > 10)).mean() > 0.9
        codes_BC = torch.from_numpy(made().codes_RC[:50]).long()
        with torch.no_grad():
            for c, chance_BK in enumerate(models[name].network.chances(Batch(codes_BC))):
                torch.testing.assert_close(torch.softmax(begun.logits(c), 1), chance_BK, atol=1e-5, rtol=1e-3)
                begun.put(c, codes_BC[:, c])


def test_a_shuffled_order_sees_what_comes_before() -> None:
    """Sub-columns of one column stay together, and a training step keeps to the order."""
    rank_C = shuffle([0, 1, 1, 2], torch.Generator().manual_seed(3))
    assert sorted(rank_C.tolist()) == [0, 1, 2, 3]
    assert rank_C[2] == rank_C[1] + 1
    network = SometimesShuffled(_layout(), PLAN, torch.Generator().manual_seed(0), share=1.0)
    rank_C = torch.tensor([2, 0, 1])
    codes_BC = torch.from_numpy(made().codes_RC[:20]).long()
    other_BC = codes_BC.clone()
    other_BC[:, 0] = (other_BC[:, 0] + 1) % 3
    off = Dropout(0.0, None)
    before, after = (network.seeing(codes, see(rank_C), off) for codes in (codes_BC, other_BC))
    assert torch.equal(before, after)
    given = torch.ones(3, 3).triu(1)
    assert not torch.equal(network.seeing(codes_BC, given, off), network.seeing(other_BC, given, off))


def test_stretches_of_codes_are_as_wide_as_their_share() -> None:
    table = made()
    number = table.codes_RC[:, 1]
    share = np.bincount(number[number >= 2], minlength=PLACES + 2) / (number >= 2).sum()
    width = np.diff(np.append(0, edges_of(table.sub_columns[1])))
    assert PLACES >= FEWEST_PLACES
    np.testing.assert_allclose(width, share, atol=1e-5)


def test_classes_tell_apart_what_the_rows_are_made_of() -> None:
    """Three kinds are found, and the class becomes a column that is summed out again."""
    table = made()
    chance_RZ = fit_classes(table, 3, np.random.default_rng(0))
    np.testing.assert_allclose(chance_RZ.sum(1), 1)
    wider = add_classes(table, 3, seed=0)
    joint = np.histogram2d(wider.codes_RC[:, 0], table.codes_RC[:, 0], bins=(3, 3))[0]
    assert joint.max(0).sum() / table.rows > 0.6
    assert [sub.column for sub in wider.sub_columns] == [0, 1, 2, 3]
    model = train(Encoded({TABLE: wider}), TABLE, replace(PLAN, max_steps=20), seed=0)
    with_class = torch.from_numpy(wider.codes_RC.astype(np.int64))
    with torch.no_grad():
        joint_loss = float(model.network(Batch(with_class)).sum(0).mean())
    assert loss_without_class(model, table.codes_RC.astype(np.int64)) < joint_loss


def _layout() -> TableLayout:
    return describe_table(Encoded({TABLE: made()}), TABLE)
