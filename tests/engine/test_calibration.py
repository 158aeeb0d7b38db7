"""Mean chances equal frequencies after calibration."""

import numpy as np
import pytest
import torch

from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine import calibration
from kinsynth.engine.batches import Batches, cut_units
from kinsynth.engine.calibration import calibrate, calibrate_drawn
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.drawing import TableSampler
from kinsynth.engine.layout import describe_table
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import TabularNetwork

PLAN = TablePlan(batch_size=64, window=64)


@pytest.fixture(params=["root", "child"])
def untrained(request):
    rng = np.random.default_rng(0)
    subs = (SubColumn(0, 3), SubColumn(1, 4))
    count = ChildCount("child", 0, np.arange(3), np.arange(3))
    root = EncodedTable(rng.integers(0, 3, (150, 2)).astype(np.int32), subs, counts=(count,))
    parent_R = np.sort(rng.integers(0, 150, 200))
    codes_RC = rng.choice(3, (200, 2), p=(0.7, 0.2, 0.1)).astype(np.int32)
    child = EncodedTable(codes_RC, subs, "root", parent_R, ordered=True)
    encoded = Encoded({"root": root, "child": child})
    table = encoded.tables[request.param]
    layout = describe_table(encoded, request.param)
    network = TabularNetwork(layout, PLAN, torch.Generator().manual_seed(1))
    for weight in network.heads.weights:
        torch.nn.init.normal_(weight, std=0.3, generator=torch.Generator().manual_seed(2))
    units = cut_units(table.parent_R, table.rows, window=64)
    return network, Batches(encoded, layout, PLAN, units).fixed, table.codes_RC


def gaps(network, batches, codes_RC):
    with torch.no_grad():
        chances = [network.chances(batch) for batch in batches()]
    means = [torch.cat([chance[c] for chance in chances]).mean(0).numpy() for c in range(2)]
    shares = [
        np.bincount(codes_RC[:, c], minlength=len(mean)) / len(codes_RC) for c, mean in enumerate(means)
    ]
    return [np.abs(mean - share).max() for mean, share in zip(means, shares, strict=True)]


def test_mean_chances_become_frequencies(untrained):
    network, batches, codes_RC = untrained
    before = gaps(network, batches, codes_RC)
    calibrate(network, batches, rows=len(codes_RC), shares={})
    after = gaps(network, batches, codes_RC)
    assert max(before) > 0.1
    # Half a row of smoothing in a table of 150 rows, and two rounds.
    assert max(after) < 0.01


def test_chances_are_those_of_the_loss(untrained):
    network, batches, _ = untrained
    batch = next(batches())
    with torch.no_grad():
        loss_CB = network(batch)
        chances = network.chances(batch)
    for c, chance_BK in enumerate(chances):
        own_B = chance_BK.gather(1, batch.codes_BC[:, c : c + 1]).squeeze(1)
        torch.testing.assert_close(-torch.log(own_B), loss_CB[c])


def test_a_code_that_was_never_seen_stays_unlikely(untrained):
    network, batches, codes_RC = untrained
    seen = set(np.unique(codes_RC[:, 1]).tolist())
    calibrate(network, batches, rows=len(codes_RC), shares={})
    with torch.no_grad():
        mean_K = torch.cat([network.chances(batch)[1] for batch in batches()]).mean(0)
    assert all(mean_K[code] < 0.02 for code in range(4) if code not in seen)


def test_no_rows_change_nothing(untrained):
    network, _, _ = untrained
    before = [bias.clone() for bias in network.heads.biases]
    calibrate(network, lambda: iter(()), rows=0, shares={})
    assert all(torch.equal(one, other) for one, other in zip(before, network.heads.biases, strict=True))
    assert calibration.ROUNDS > 0


def test_some_of_many_rows_correct_what_is_wrong_and_nothing_else(monkeypatch):
    rows, codes, looked_at = 100_000, 50, 5_000
    codes_RC = np.random.default_rng(0).integers(0, codes, (rows, 1)).astype(np.int32)
    encoded = Encoded({"t": EncodedTable(codes_RC, (SubColumn(0, codes),))})
    layout = describe_table(encoded, "t")
    network = TabularNetwork(layout, PLAN, torch.Generator().manual_seed(1))
    network.heads.start_at(codes_RC)
    wrong_K = torch.zeros(codes)
    wrong_K[7] = 1.5
    network.heads.add_to_bias(0, wrong_K)
    batches = Batches(encoded, layout, PLAN, cut_units(None, rows, window=64))
    monkeypatch.setattr(calibration, "ROWS", looked_at)
    calibrate(network, lambda: batches.some(0, 0, 0, batches.per_epoch), rows=rows, shares={})
    with torch.no_grad():
        mean_K = network.chances(next(batches.fixed()))[0].mean(0).numpy()
    share_K = np.bincount(codes_RC[:, 0]) / rows
    assert abs(mean_K[7] / share_K[7] - 1) < 3 / np.sqrt(looked_at / codes), "three standard errors"
    # Frequencies of the rows that are looked at alone would be off by as much as this, times 0.8.
    noise = 0.5 * codes * np.sqrt((1 / codes) / looked_at)
    assert 0.5 * np.abs(mean_K - share_K).sum() < 0.4 * noise


def test_known_shares_count_instead_of_those_that_are_looked_at(untrained):
    network, batches, codes_RC = untrained
    share_K = torch.tensor([0.2, 0.5, torch.nan])
    calibrate(network, batches, rows=len(codes_RC), shares={0: share_K})
    calibrate(network, batches, rows=len(codes_RC), shares={0: share_K})
    with torch.no_grad():
        mean_K = torch.cat([network.chances(batch)[0] for batch in batches()]).mean(0)
    # Half a row of smoothing.
    assert torch.allclose(mean_K[:2] / mean_K[0], share_K[:2] / share_K[0], atol=0.05)


def drawn_shares(model, rows, codes):
    row_R = np.arange(rows) + 10**6  # others than those of calibration
    drawn_RC = TableSampler(model, 7, 1.0, None).draw_roots(row_R, row_R)
    return np.stack([np.bincount(drawn_RC[:, c], minlength=codes) / rows for c in range(drawn_RC.shape[1])])


def test_drawn_rows_come_to_hold_codes_as_often_as_training_rows():
    subs = tuple(SubColumn(c, 4) for c in range(3))
    encoded = Encoded({"root": EncodedTable(np.zeros((1, 3), dtype=np.uint8), subs)})
    network = TabularNetwork(describe_table(encoded, "root"), PLAN, torch.Generator().manual_seed(1))
    for weight in network.heads.weights:
        torch.nn.init.normal_(weight, std=0.3, generator=torch.Generator().manual_seed(2))
    model = TableModel(describe_table(encoded, "root"), PLAN, network.eval(), 0.0, 1)
    share_CK = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.02, 0.08, 0.3, 0.6]])
    rows = 1 << 17
    before = np.abs(drawn_shares(model, rows, 4) - share_CK).max()
    calibrate_drawn(model, [torch.from_numpy(share_K) for share_K in share_CK], rows=1 << 16, seed=1)
    after_CK = np.abs(drawn_shares(model, rows, 4) - share_CK)
    assert before > 0.1
    # Five standard errors of the rows drawn here and there, and what two rounds leave of columns before.
    error_CK = np.sqrt(share_CK * (1 - share_CK) * (1 / rows + 1 / (1 << 16)))
    assert (after_CK < 5 * error_CK + 0.003).all()


def test_a_share_that_is_met_moves_nothing():
    change_K = calibration._change(
        torch.tensor([100.0, 50.0]), torch.tensor([109.0, 50.0]), torch.tensor([90.0, 1])
    )
    assert change_K.tolist() == [0.0, 0.0]
