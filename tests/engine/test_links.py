"""Rows look at what they point to, at what that points to and is owned by, and at what owners point to."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.engine_toys import QUICK, encode, market, staff
from kinsynth.encoded import OWNER, ChildCount, Encoded, Link
from kinsynth.engine.batches import Batches, cut_units, split_units
from kinsynth.engine.checkpoint import load_model, save_model
from kinsynth.engine.context import Relatives
from kinsynth.engine.layout import MOST_REACHED, describe_table, read_layout, write_layout
from kinsynth.engine.prefix import Columns
from kinsynth.engine.sizing import measure_table, parameters, training_bytes
from kinsynth.engine.tabular import TabularNetwork
from kinsynth.engine.trainer import train


@pytest.fixture(scope="module")
def encoded():
    return market()


def paths_of(encoded, table):
    return [(reached.path, reached.name) for reached in describe_table(encoded, table).reached]


def held_out(encoded, table, model):
    """Give the loss of each column on rows that were not trained on, in nats."""
    split = split_units(encoded, table, model.plan, seed=1)
    batches = Batches(encoded, model.layout, model.plan, split.validation).fixed()
    with torch.inference_mode():
        return torch.cat([model.network(batch) for batch in batches], 1).mean(1).tolist()


def entropy(codes_R):
    share_K = np.bincount(codes_R) / len(codes_R)
    return float(-(share_K[share_K > 0] * np.log(share_K[share_K > 0])).sum())


def test_paths_lead_over_links_and_owners_and_never_over_owners_alone(encoded):
    assert paths_of(encoded, "lines") == [((0,), "products"), ((0, OWNER), "sellers")]
    assert paths_of(encoded, "parts") == [((OWNER, 0), "products"), ((OWNER, 0, OWNER), "sellers")]
    assert paths_of(encoded, "reviews") == [
        ((0,), "lines"),
        ((0, 0), "products"),
        ((0, OWNER), "orders"),
        ((0, 0, OWNER), "sellers"),
    ]
    assert paths_of(encoded, "lines (keys)") == []
    assert paths_of(staff(), "staff (late keys)") == [((0,), "staff")]


def walk(encoded, table, row, path):
    """Follow a path from one row, step by step."""
    for step in path:
        here = encoded.tables[table]
        table = here.parent if step == OWNER else here.links[step].target
        row = int((here.parent_R if step == OWNER else here.links[step].row_R)[row])
        if row < 0:
            return None
    return encoded.tables[table].codes_RC[row]


@pytest.mark.parametrize("table", ["lines", "parts", "reviews"])
def test_what_is_gathered_is_what_a_walk_along_each_path_finds(encoded, table):
    source, layout = encoded.tables[table], describe_table(encoded, table)
    batches = Batches(encoded, layout, QUICK, cut_units(source.parent_R, source.rows, window=QUICK.window))
    first = next(batches.fixed())
    seen = [(reached, first.seen, number) for number, reached in enumerate(layout.reached_by_row)]
    if layout.parent is not None:
        seen += [(reached, first.context.seen, n) for n, reached in enumerate(layout.reached_by_parent)]
    assert len(seen) == len(layout.reached) > 0
    for reached, known, number in seen:
        absent = 0
        for row in range(len(first.codes_BC)):
            place = row if reached.path[0] != OWNER else int(first.context.parent_B[row])
            wanted = walk(encoded, table, row, reached.path)
            absent += wanted is None
            assert bool(known.known_BN[place, number]) == (wanted is not None)
            codes = known.codes[number][place].tolist()
            assert codes == ([0] * len(reached.sub_columns) if wanted is None else wanted.tolist())
        assert 0 < absent < len(first.codes_BC) or reached.name not in ("products", "lines")


def test_rows_asked_for_alone_see_the_same_as_in_a_batch(encoded):
    layout, lines = describe_table(encoded, "lines"), encoded.tables["lines"]
    relatives = Relatives(layout, encoded.tables, set_limit=8, links=lines.links)
    some = np.array([7, 2, 31])
    every, few = relatives.seen(np.arange(lines.rows)), relatives.seen(some)
    assert torch.equal(few.known_BN, every.known_BN[some])
    assert all(torch.equal(a, b[some]) for a, b in zip(few.codes, every.codes, strict=True))
    assert Relatives(describe_table(encoded, "parts"), encoded.tables, set_limit=8).seen(some) is None
    with pytest.raises(ValueError, match="links"):
        Relatives(layout, encoded.tables, set_limit=8)


def test_what_an_absent_row_would_hold_changes_nothing(encoded):
    """A row without a target is told apart by its flag alone, not by code 0."""
    layout = describe_table(encoded, "lines")
    network = TabularNetwork(layout, QUICK, torch.Generator().manual_seed(1))
    relatives = Relatives(layout, encoded.tables, set_limit=8, links=encoded.tables["lines"].links)
    seen = relatives.seen(np.arange(64))
    other = replace(
        seen, codes=tuple(codes + ~seen.known_BN[:, n, None] for n, codes in enumerate(seen.codes))
    )
    assert not torch.equal(seen.codes[0], other.codes[0])
    assert torch.equal(network.see(seen), network.see(other))
    assert not torch.equal(
        network.see(seen), network.see(replace(seen, known_BN=torch.ones_like(seen.known_BN)))
    )


@pytest.mark.parametrize(
    ("table", "columns"), [("lines", (0, 1)), ("parts", (0,)), ("reviews", (0,)), ("staff (late keys)", (0,))]
)
def test_columns_that_follow_from_rows_pointed_to_are_learned(encoded, table, columns):
    encoded = staff() if "staff" in table else encoded
    model = train(encoded, table, QUICK, seed=1)
    loss = held_out(encoded, table, model)
    for column in columns:
        assert loss[column] < 0.15 * entropy(encoded.tables[table].codes_RC[:, column])


def test_a_table_of_keys_is_trained_as_any_other(encoded):
    table = encoded.tables["lines (keys)"]
    loss = held_out(encoded, "lines (keys)", train(encoded, "lines (keys)", QUICK, seed=1))
    assert loss[0] == pytest.approx(entropy(table.codes_RC[:, 0]), abs=0.1)


@pytest.mark.parametrize("table", ["lines", "parts", "reviews", "lines (keys)"])
def test_layout_and_weights_survive_a_file(encoded, table, tmp_path):
    layout = describe_table(encoded, table)
    again = read_layout(json.loads(json.dumps(write_layout(layout))))
    assert write_layout(again) == write_layout(layout)
    assert (again.links, again.keys_of) == (layout.links, layout.keys_of)
    assert [(r.name, r.path) for r in again.reached] == [(r.name, r.path) for r in layout.reached]
    assert [(p.key, p.scopes, p.apart, p.avoid) for p in again.pointers] == [
        (p.key, p.scopes, p.apart, p.avoid) for p in layout.pointers
    ]
    model = train(encoded, table, replace(QUICK, max_steps=4, validation_steps=2), seed=1)
    save_model(tmp_path / "model", model)
    loaded = load_model(tmp_path / "model")
    assert held_out(encoded, table, loaded) == held_out(encoded, table, model)


@pytest.mark.parametrize("table", ["lines", "reviews"])
def test_rows_are_drawn_with_the_chances_that_are_learned(encoded, table):
    model = train(encoded, table, replace(QUICK, max_steps=20, validation_steps=10), seed=1)
    split = split_units(encoded, table, QUICK, seed=1)
    batch = next(Batches(encoded, model.layout, QUICK, split.validation).fixed())
    with torch.inference_mode():
        wanted = model.network.chances(batch)
        prefix = Columns(model, 1.0).begin(len(batch.codes_BC), model.network.know(batch), batch.history)
        for column, chance_BK in enumerate(wanted):
            found_BK = torch.softmax(prefix.logits(column), 1)[:, : chance_BK.shape[1]]
            assert torch.allclose(found_BK, chance_BK, atol=1e-5)
            prefix.put(column, batch.codes_BC[:, column])


def test_a_killed_training_with_links_resumes_to_the_same_bytes(encoded, tmp_path):
    plan, path = replace(QUICK, max_steps=10, validation_steps=5, dropout=0.2), tmp_path / "state"

    def kill(progress):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train(encoded, "lines", plan, seed=4, checkpoint=path, on_step=kill)
    whole, again = (train(encoded, "lines", plan, seed=4, checkpoint=kept) for kept in (None, path))
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[name])


def chain(length, width=1):
    """Tables in a row, each with so many links to the one before and an owner of its own."""
    none, tables = np.zeros(4, dtype=np.int64), {}
    for number in range(length):
        own = ChildCount(f"t{number}", 0, np.array([0, 0]), np.array([4, 4]))
        links = tuple(Link(f"t{number - 1}", none) for _ in range(width if number else 0))
        tables[f"o{number}"] = encode([none], [2], counts=(own,))
        tables[f"t{number}"] = encode([none], [2], f"o{number}", none, links=links)
    return Encoded(tables)


def test_paths_have_three_steps_at_most():
    assert paths_of(chain(6), "t5") == [
        ((0,), "t4"),
        ((0, 0), "t3"),
        ((0, OWNER), "o4"),
        ((0, 0, 0), "t2"),
        ((0, 0, OWNER), "o3"),
    ]


def test_the_twelve_nearest_rows_are_looked_at():
    paths = [path for path, _ in paths_of(chain(4, width=3), "t3")]
    assert len(paths) == MOST_REACHED == 12
    assert [len(path) for path in paths] == [1] * 3 + [2] * 9


@pytest.mark.parametrize("table", ["lines", "parts", "reviews", "lines (keys)", "staff (late keys)"])
def test_parameters_are_counted_exactly_and_links_take_memory(encoded, table):
    encoded = staff() if "staff" in table else encoded
    shape = measure_table(encoded, table)
    network = TabularNetwork(describe_table(encoded, table), QUICK, torch.Generator().manual_seed(1))
    assert parameters(shape, QUICK) == sum(weights.numel() for weights in network.parameters())
    if shape.reached or shape.reached_above:
        alone = replace(shape, reached=(), reached_above=())
        assert training_bytes(shape, QUICK) > training_bytes(alone, QUICK)


def test_a_target_without_rows_is_no_row():
    nothing = np.zeros(0, dtype=np.int64)
    target = encode([nothing], [3])
    encoded = Encoded({"t": target, "x": encode([np.arange(4) % 2], [2], links=(Link("t", np.full(4, -1)),))})
    seen = Relatives(
        describe_table(encoded, "x"), encoded.tables, set_limit=8, links=encoded.tables["x"].links
    ).seen(np.arange(4))
    assert not seen.known_BN.any()
    assert train(encoded, "x", replace(QUICK, max_steps=4, validation_steps=2), seed=1).steps == 4
