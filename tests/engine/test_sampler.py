import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK, family, missing_together
from kinsynth.encoded import Encoded, EncodedTable, SubColumn
from kinsynth.engine.batches import Batches, cut_units
from kinsynth.engine.layout import describe_table
from kinsynth.engine.prefix import draw_codes
from kinsynth.engine.sampled import concatenate, number_rows
from kinsynth.engine.sampler import sample
from kinsynth.engine.tabular import TabularNetwork, add_echo
from kinsynth.engine.trainer import train
from kinsynth.errors import InternalError
from kinsynth.system.randomness import uniforms


def rows_of(encoded, name):
    return [tuple(row) for row in encoded.tables[name].codes_RC.tolist()]


def test_conditional_missingness_is_learned():
    model = train(missing_together(), "people", QUICK, seed=3)
    codes = concatenate(sample({"people": model}, {"people": 4000}, seed=3)).tables["people"].codes_RC
    absent = codes[:, 1] == 5
    assert absent[codes[:, 0] == 2].mean() > 0.99
    assert absent[codes[:, 0] != 2].mean() < 0.01


def test_parents_siblings_counts_and_sequences_are_learned(family_models):
    drawn = concatenate(sample(family_models, {"root": 1000}, seed=5)).tables
    root, notes, steps, leaves = (drawn[name] for name in ("root", "notes", "steps", "leaves"))
    index = np.arange(steps.rows) - np.searchsorted(steps.parent_R, steps.parent_R)
    assert (steps.codes_RC[:, 0] == root.codes_RC[steps.parent_R, 0] * 4 + index).mean() > 0.99
    assert (notes.codes_RC[:, 0] == root.codes_RC[notes.parent_R, 0]).mean() > 0.99
    has_note = root.codes_RC[steps.parent_R[leaves.parent_R], 2]
    assert (leaves.codes_RC[:, 0] == has_note).mean() > 0.99


def test_counts_stay_in_the_range_of_their_code(family_models):
    drawn = concatenate(sample(family_models, {"root": 600}, seed=6)).tables
    counts = np.bincount(drawn["steps"].parent_R, minlength=600)
    code = drawn["root"].codes_RC[:, 1]
    assert (counts[code == 0] == 1).all()
    assert (counts[code == 1] == 2).all()
    assert set(counts[code == 2].tolist()) == {5, 6, 7, 8}


def test_what_is_drawn_as_a_whole_can_be_gone_through_again(family_models):
    drawn = sample(family_models, {"root": 300}, seed=5, whole=True)
    first, again = concatenate(drawn), concatenate(drawn)
    for name, table in first.tables.items():
        assert (table.codes_RC == again.tables[name].codes_RC).all()
    root, notes = first.tables["root"], first.tables["notes"]
    assert (notes.codes_RC[:, 0] == root.codes_RC[notes.parent_R, 0]).mean() > 0.99


def test_a_root_is_the_same_in_every_request(family_models):
    wide = concatenate(sample(family_models, {"root": 600}, seed=7))
    narrow = concatenate(sample(family_models, {"root": 40}, seed=7, first_root=300))
    for name, table in narrow.tables.items():
        inside = (wide.root_rows(name) >= 300) & (wide.root_rows(name) < 340)
        assert (table.codes_RC == wide.tables[name].codes_RC[inside]).all()
    assert narrow.tables["steps"].rows > 40


def test_row_ids_are_unique_and_independent_of_the_request(family_models):
    wide = list(sample(family_models, {"root": 300}, seed=7))
    narrow = list(sample(family_models, {"root": 10}, seed=7, first_root=256))
    ids = np.concatenate([block.tables["leaves"].row_ids for block in wide])
    assert len(np.unique(ids)) == len(ids)
    assert np.isin(narrow[0].tables["leaves"].row_ids, ids).all()


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_never_change_a_row(family_models, threads):
    before = torch.get_num_threads()
    alone = concatenate(sample(family_models, {"root": 1500}, seed=7, threads=1))
    together = concatenate(sample(family_models, {"root": 1500}, seed=7, threads=threads))
    for name, table in alone.tables.items():
        assert (table.codes_RC == together.tables[name].codes_RC).all()
    assert torch.get_num_threads() == before


def test_a_caller_that_stops_leaves_no_thread_behind(family_models):
    before = threading.active_count()
    blocks = sample(family_models, {"root": 20_000}, seed=7, threads=2)
    next(blocks)
    blocks.close()
    assert threading.active_count() == before


def test_seeds_differ(family_models):
    first = concatenate(sample(family_models, {"root": 300}, seed=1))
    assert rows_of(first, "root") != rows_of(
        concatenate(sample(family_models, {"root": 300}, seed=2)), "root"
    )
    assert rows_of(first, "steps") == rows_of(
        concatenate(sample(family_models, {"root": 300}, seed=1)), "steps"
    )


def slow_logits(network, batch, column):
    """Logits of one column by the whole network, as in training."""
    captured = {}
    losses = network.heads.losses

    def capture(hidden_CBH, codes_BC, echo_CBJ, history):
        weight, bias = network.heads.column(column)
        logits = hidden_CBH[column] @ weight + bias
        if echo_CBJ is not None:
            previous = history.previous_BC[:, column : column + 1]
            logits = add_echo(logits.unsqueeze(0), echo_CBJ[column][None], previous, history.known_B)[0]
        captured["logits"] = logits
        return losses(hidden_CBH, codes_BC, echo_CBJ, history)

    network.heads.losses = capture
    with torch.no_grad():
        network(batch)
    del network.heads.losses
    return captured["logits"]


@pytest.mark.parametrize("name", ["root", "steps", "leaves"])
def test_every_drawn_code_is_the_one_the_whole_network_would_draw(family_models, name):
    block = next(sample(family_models, {"root": 256}, seed=11))
    encoded = concatenate([block])
    model, table = family_models[name], block.tables[name]
    units = cut_units(table.encoded.parent_R, table.encoded.rows, window=10_000)
    batch = Batches(encoded, model.layout, model.plan, units).batch(units)
    numbers = torch.from_numpy(
        uniforms(11, f"{name}/codes", table.row_ids, draws=model.network.columns)
    ).float()
    for column in range(model.network.columns):
        codes = draw_codes(slow_logits(model.network, batch, column), numbers[:, column])
        # A number within rounding of a border between two codes may fall on either side.
        assert (codes.numpy() == table.encoded.codes_RC[:, column]).mean() > 0.999


def test_forbidden_codes_are_never_drawn():
    forbidden = np.array([False, True, False, False])
    codes = np.random.default_rng(0).integers(0, 4, (2000, 1)).astype(np.int32)
    encoded = Encoded({"t": EncodedTable(codes, (SubColumn(0, 4, forbidden_K=forbidden),))})
    model = train(encoded, "t", replace(QUICK, max_steps=20, validation_steps=10), seed=1)
    drawn = concatenate(sample({"t": model}, {"t": 3000}, seed=1)).tables["t"].codes_RC[:, 0]
    shares = np.bincount(drawn, minlength=4) / 3000
    assert shares[1] == 0
    # Five standard deviations of a share of a third, and as much again for the learned chances.
    assert np.abs(shares[[0, 2, 3]] - 1 / 3).max() < 10 * np.sqrt(2 / 9 / 3000)


def test_extreme_numbers_draw_a_possible_code():
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf], [5.0, 0.0, -torch.inf]])
    assert draw_codes(logits, torch.zeros(2)).tolist() == [1, 0]
    assert draw_codes(logits, torch.ones(2)).tolist() == [1, 1]


def test_low_temperature_draws_the_likeliest_code():
    codes = (np.random.default_rng(0).random((2000, 1)) < 0.3).astype(np.int32)
    encoded = Encoded({"t": EncodedTable(codes, (SubColumn(0, 2),))})
    model = train(encoded, "t", replace(QUICK, max_steps=10, validation_steps=10), seed=1)
    cold = concatenate(sample({"t": model}, {"t": 500}, seed=1, temperature=0.05)).tables["t"].codes_RC
    assert (cold == 0).all()


def test_too_many_rows_under_a_root_are_refused():
    with pytest.raises(InternalError, match=r"engine\.rows_per_root"):
        number_rows(np.zeros((1 << 24) + 1, dtype=np.int64), table="t")


@pytest.mark.parametrize("name", ["notes", "steps", "leaves"])
def test_children_and_later_rows_do_not_see_what_is_not_shown(name):
    """Other codes of the last column of root and steps change no chance but those of their own row."""
    full = family(200)
    hidden = {
        one: replace(
            full.tables[one],
            sub_columns=(
                *full.tables[one].sub_columns[:-1],
                replace(full.tables[one].sub_columns[-1], shown=False),
            ),
        )
        for one in ("root", "steps")
    }
    chance = np.random.default_rng(0)
    changed = {
        one: replace(table, codes_RC=table.codes_RC.copy()) for one, table in (full.tables | hidden).items()
    }
    for one in hidden:
        changed[one].codes_RC[:, -1] = chance.integers(0, 2, changed[one].rows)
    layout = describe_table(Encoded(full.tables | hidden), name)
    network = TabularNetwork(layout, QUICK, torch.Generator().manual_seed(1))
    with torch.no_grad():
        network.echo.normal_()
        network.repeated.normal_()
    losses = []
    for tables in (full.tables | hidden, changed):
        units = cut_units(tables[name].parent_R, tables[name].rows, window=64)
        with torch.no_grad():
            losses.append(network(Batches(Encoded(tables), layout, QUICK, units).batch(units)))
    seen = layout.shown
    assert seen == len(layout.sub_columns) - (name in hidden)
    assert torch.equal(losses[0][:seen], losses[1][:seen])


def test_what_is_not_shown_stands_last():
    with pytest.raises(ValueError, match="stand last"):
        EncodedTable(np.zeros((1, 2), np.int32), (SubColumn(0, 2, shown=False), SubColumn(1, 2)))
