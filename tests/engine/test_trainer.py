from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save

from engine.engine_toys import QUICK, family, missing_together
from engine.test_stopwatch import FakeClock, forbidden
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine import calibration, trainer
from kinsynth.engine.batches import Batches, cut_units, split_units
from kinsynth.engine.checkpoint import load_model, load_state, save_model
from kinsynth.engine.layout import describe_table
from kinsynth.engine.optimizer import AdamW
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.tabular import Dropout, TabularNetwork
from kinsynth.engine.trainer import compute_gradients, train
from kinsynth.errors import OutOfMemory, UserError

SHORT = replace(QUICK, batch_size=128, max_steps=20, validation_steps=5, dropout=0.2)


class Killed(Exception):
    pass


def weights(model):
    return save(dict(model.network.state_dict()))


@pytest.fixture(scope="module")
def small():
    return family(200)


def test_the_same_seed_gives_the_same_bytes(small):
    first, second = (train(small, "steps", SHORT, seed=4) for _ in range(2))
    assert weights(first) == weights(second)
    assert weights(first) != weights(train(small, "steps", SHORT, seed=5))


@pytest.mark.parametrize("table", ["root", "steps"])
def test_a_killed_training_resumes_to_the_same_bytes_from_every_checkpoint(small, table, tmp_path):
    whole = train(small, table, SHORT, seed=4)
    for killed_at in (5, 10, 15, 20):
        path = tmp_path / f"{killed_at}.safetensors"

        def kill(progress, killed_at=killed_at):
            if progress.step == killed_at:
                raise Killed

        with pytest.raises(Killed):
            train(small, table, SHORT, seed=4, checkpoint=path, on_step=kill)
        assert weights(train(small, table, SHORT, seed=4, checkpoint=path)) == weights(whole)


def test_accumulated_batches_are_one_step(small):
    plan = replace(SHORT, batch_size=64, gradient_accumulation=2)
    seen = []
    train(small, "steps", plan, seed=1, on_step=seen.append)
    assert [progress.step for progress in seen] == [5, 10, 15, 20]
    assert seen[-1].fraction == 1
    assert seen[-1].finished


def test_training_stops_when_validation_no_longer_improves():
    plan = replace(QUICK, max_steps=400, validation_steps=10, early_stop_delta=0.2, patience=2)
    assert train(missing_together(500), "people", plan, seed=1).steps < 400


def test_validation_never_shares_a_root_with_training(small):
    for name in small.tables:
        split = split_units(small, name, SHORT, seed=3)
        root_R = small.root_rows(name)
        held, learned = root_R[split.validation.row_numbers()], root_R[split.train.row_numbers()]
        assert not np.isin(held, learned).any()
        assert len(held) + len(learned) == small.tables[name].rows
        assert len(held)


def test_a_table_with_no_row_or_one_row_is_trained(small):
    for rows in (0, 1):
        table = replace(small.tables["root"], codes_RC=small.tables["root"].codes_RC[:rows])
        assert train(Encoded({"root": replace(table, counts=())}), "root", SHORT, seed=1).steps <= 20


def test_link_tables_without_columns_are_trained_and_drawn():
    links = ChildCount("links", 0, np.arange(4), np.arange(4))
    tags = ChildCount("tags", 1, np.arange(3), np.arange(3))
    count_R = np.random.default_rng(0).integers(0, [4, 3], (300, 2))
    parents = [np.repeat(np.arange(300), count_R[:, column]) for column in (0, 1)]
    tables = {
        "root": EncodedTable(
            count_R.astype(np.int32), (SubColumn(0, 4), SubColumn(1, 3)), counts=(links, tags)
        ),
        "links": EncodedTable(np.zeros((len(parents[0]), 0), np.int32), (), "root", parents[0]),
        "tags": EncodedTable(
            np.zeros((len(parents[1]), 1), np.int32), (SubColumn(0, 1),), "root", parents[1]
        ),
    }
    encoded = Encoded(tables)
    models = {name: train(encoded, name, SHORT, seed=1) for name in tables}
    drawn = concatenate(sample(models, {"root": 200}, seed=1)).tables
    assert drawn["links"].rows == drawn["root"].codes_RC[:, 0].sum()
    assert drawn["tags"].rows == drawn["root"].codes_RC[:, 1].sum()


@pytest.mark.slow
def test_two_threads_give_the_same_bytes_twice(small):
    plan = replace(SHORT, threads=2, batch_size=1024, max_steps=4)
    assert weights(train(small, "steps", plan, seed=4)) == weights(train(small, "steps", plan, seed=4))


def test_a_saved_model_is_the_same_model(small, tmp_path):
    model = train(small, "steps", SHORT, seed=4)
    save_model(tmp_path / "a", model)
    loaded = load_model(tmp_path / "a")
    assert weights(loaded) == weights(model)
    assert (loaded.plan, loaded.loss, loaded.steps) == (model.plan, model.loss, model.steps)
    save_model(tmp_path / "b", loaded)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_training_state_is_not_a_model(small, tmp_path):
    path = tmp_path / "state"
    train(small, "root", replace(SHORT, max_steps=10), seed=1, checkpoint=path)
    with pytest.raises(UserError, match=r"engine\.checkpoint_format"):
        load_model(path)


@pytest.mark.parametrize("kept", [0, 7, 0.5])
def test_a_damaged_file_is_an_error_with_a_code(small, tmp_path, kept):
    path = tmp_path / "model.safetensors"
    save_model(path, train(small, "root", SHORT, seed=1))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(UserError, match="damaged") as error:
        load_model(path)
    assert error.value.code == "engine.checkpoint_format"


# Batches and gradients


def gradients(encoded, table, plan, step):
    """The gradients of one step of a fresh network without dropout, and the number of its rows."""
    layout, source = describe_table(encoded, table), encoded.tables[table]
    batches = Batches(encoded, layout, plan, cut_units(source.parent_R, source.rows, window=plan.window))
    parts = plan.gradient_accumulation
    taken = list(batches.some(3, 0, step * parts, parts))
    network = TabularNetwork(layout, plan, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            parameter.add_(
                0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
            )
    loss = compute_gradients(network, taken, plan, Dropout(0.0, None))
    return (
        float(loss),
        [p.grad for p in network.parameters() if p.grad is not None],
        [len(batch.codes_BC) for batch in taken],
    )


@pytest.mark.parametrize("table", ["root", "notes", "steps", "leaves"])
def test_accumulated_gradients_are_those_of_one_large_batch(small, table):
    large = replace(QUICK, batch_size=120, window=16)
    parts = replace(large, batch_size=30, gradient_accumulation=4)
    steps = -(-small.tables[table].rows // large.batch_size)
    assert steps > 1
    for step in range(steps):
        loss, expected, rows = gradients(small, table, large, step)
        found_loss, found, found_rows = gradients(small, table, parts, step)
        assert sum(found_rows) == sum(rows)
        assert found_loss == pytest.approx(loss, abs=1e-5)
        for one, other in zip(expected, found, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert len(set(found_rows)) > 1, "the last step has batches of several sizes"


def test_bfloat16_changes_gradients_little(small):
    plan = replace(QUICK, batch_size=64)
    for table in small.tables:
        loss, expected, _ = gradients(small, table, plan, 0)
        mixed_loss, found, _ = gradients(small, table, replace(plan, mixed_precision=True), 0)
        assert mixed_loss == pytest.approx(loss, rel=0.02)
        assert mixed_loss != loss
        one, other = (torch.cat([g.flatten() for g in grads]) for grads in (expected, found))
        assert other.dtype is torch.float32
        assert float(torch.cosine_similarity(one, other, dim=0)) > 0.99


def test_a_model_is_trained_in_bfloat16(small):
    plan = replace(SHORT, mixed_precision=True, max_steps=60, validation_steps=20)
    assert train(small, "steps", plan, seed=1).loss == pytest.approx(
        train(small, "steps", replace(plan, mixed_precision=False), seed=1).loss, rel=0.05
    )


def refuse_above(monkeypatch, rows):
    """Let a step fail as on a full GPU when a batch holds more rows."""
    seen = []

    def compute(network, batches, plan, noise):
        seen.append(plan.batch_size)
        if plan.batch_size > rows:
            raise torch.OutOfMemoryError
        return compute_gradients(network, batches, plan, noise)

    monkeypatch.setattr(trainer, "compute_gradients", compute)
    return seen


@pytest.mark.parametrize("table", ["root", "steps"])
def test_a_full_gpu_gets_smaller_batches_and_the_same_training(small, table, monkeypatch):
    plan = replace(SHORT, window=32, dropout=0.0)
    whole = train(small, table, plan, seed=2)
    seen = refuse_above(monkeypatch, rows=32)
    parted = train(small, table, plan, seed=2)
    assert seen[:3] == [128, 64, 32]
    assert (parted.plan.batch_size, parted.plan.gradient_accumulation) == (32, 4)
    assert parted.steps == whole.steps
    assert parted.loss == pytest.approx(whole.loss, rel=1e-3)


@pytest.mark.parametrize("table", ["root", "steps"])
def test_a_resumed_training_keeps_the_batches_that_fitted(small, table, monkeypatch, tmp_path):
    """The GPU was full at the seventh step only; a resumed training goes on with the smaller batches."""

    def full_at(call):
        calls = iter(range(10_000))

        def compute(network, batches, plan, noise):
            if next(calls) == call:
                raise torch.OutOfMemoryError
            return compute_gradients(network, batches, plan, noise)

        monkeypatch.setattr(trainer, "compute_gradients", compute)

    def kill(progress):
        if progress.step == 10:
            raise Killed

    plan, path = replace(SHORT, window=32), tmp_path / "state"
    full_at(6)
    whole = train(small, table, plan, seed=2)
    full_at(6)
    with pytest.raises(Killed):
        train(small, table, plan, seed=2, checkpoint=path, on_step=kill)
    full_at(-1)
    resumed = train(small, table, plan, seed=2, checkpoint=path)
    assert resumed.plan == whole.plan
    assert resumed.plan.batch_size == SHORT.batch_size // 2
    assert weights(resumed) == weights(whole)


def test_a_gpu_too_small_for_a_row_is_an_error_with_a_code(small, monkeypatch):
    refuse_above(monkeypatch, rows=0)
    with pytest.raises(OutOfMemory) as error:
        train(small, "root", SHORT, seed=2)
    assert error.value.code == "engine.gpu_memory"
    assert error.value.where == "root"


# Learning rate


def rates_of(monkeypatch, plan, **options):
    """The rates of all steps of a training."""
    seen = []
    step = AdamW.step

    def watched(optimizer, rate):
        seen.append(rate)
        step(optimizer, rate)

    monkeypatch.setattr(AdamW, "step", watched)
    train(missing_together(500), "people", plan, seed=1, **options)
    return seen


def test_a_constant_rate_is_constant(monkeypatch):
    plan = replace(QUICK, adaptive_learning_rate=False, learning_rate=0.013, patience=99)
    assert rates_of(monkeypatch, plan) == [0.013] * 200


def test_an_adaptive_rate_is_found_and_lowered_to_zero(monkeypatch):
    plan = replace(QUICK, max_steps=400, max_epochs=1000, validation_steps=10)
    rates = rates_of(monkeypatch, plan)
    trial, training = rates[:24], rates[24:]
    assert trial == sorted(trial)
    highest = training.index(max(training))
    assert 1e-3 <= max(training) <= 2e-2
    assert training[: highest + 1] == sorted(training[: highest + 1])
    assert training[highest:] == sorted(training[highest:], reverse=True)
    assert training[-1] < 0.2 * max(training)


def test_the_found_rate_is_part_of_the_state(small, tmp_path):
    plan = replace(SHORT, max_steps=300, max_epochs=1000, validation_steps=60)

    def kill(progress):
        raise Killed

    with pytest.raises(Killed):
        train(small, "root", plan, seed=4, checkpoint=tmp_path / "state", on_step=kill)
    rate = load_state(tmp_path / "state").rate
    assert rate is not None
    assert rate != plan.learning_rate
    resumed = train(small, "root", plan, seed=4, checkpoint=tmp_path / "state")
    assert weights(resumed) == weights(train(small, "root", plan, seed=4))


# Time limit

ENDLESS = replace(SHORT, max_steps=100_000, max_epochs=100_000, patience=100_000, validation_steps=10)


def test_without_a_limit_no_clock_is_read(small):
    train(small, "root", SHORT, seed=1, clock=forbidden)


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("limit", [0.0, 1.0, 40.0])
def test_training_ends_in_time_with_the_best_state(small, adaptive, limit, monkeypatch):
    monkeypatch.setattr(calibration, "ROUNDS", 0)
    clock = FakeClock(0.1)
    plan = replace(ENDLESS, adaptive_learning_rate=adaptive)
    seen = []
    begin = clock.now
    model = train(small, "root", plan, seed=1, limit=limit, clock=clock, on_step=seen.append)
    assert clock.now - begin <= limit + 1, "but for the few readings of one step and one validation"
    assert model.seconds == pytest.approx(clock.now - begin, abs=0.2)
    assert model.loss == min(progress.validation_loss for progress in seen)
    assert seen[-1].finished
    if limit == 40.0:
        assert model.seconds > 0.8 * limit


def test_a_resumed_training_ends_at_the_step_that_was_decided(small, tmp_path):
    path = tmp_path / "state"

    def kill_in_fall(progress):
        if load_state(path).fall is not None:
            raise Killed

    with pytest.raises(Killed):
        train(
            small,
            "root",
            ENDLESS,
            seed=1,
            limit=30,
            clock=FakeClock(0.1),
            checkpoint=path,
            on_step=kill_in_fall,
        )
    state = load_state(path)
    assert state.limit == 30
    assert 0 < state.seconds < 30
    start, steps = state.fall
    fast = FakeClock(0.0)
    resumed = train(small, "root", ENDLESS, seed=1, limit=1e6, clock=fast, checkpoint=path)
    assert resumed.steps == start + steps
    assert resumed.seconds == pytest.approx(state.seconds), "the limit and the seconds are those of the state"


def test_a_resumed_training_gets_only_the_time_that_is_left(small, tmp_path):
    path = tmp_path / "state"

    def kill(progress):
        if progress.step == 100:
            raise Killed

    with pytest.raises(Killed):
        train(small, "root", ENDLESS, seed=1, limit=30, clock=FakeClock(0.1), checkpoint=path, on_step=kill)
    before, clock = load_state(path).seconds, FakeClock(0.1)
    begin = clock.now
    model = train(small, "root", ENDLESS, seed=1, limit=30, clock=clock, checkpoint=path)
    assert clock.now - begin <= 30 - before + 1
    assert model.seconds == pytest.approx(before + clock.now - begin, abs=0.3)


# Early stop


def test_a_larger_delta_stops_earlier():
    encoded = missing_together(1500)
    plan = replace(QUICK, max_steps=3000, max_epochs=3000, validation_steps=10, patience=2, average_decay=0.9)
    steps = [
        train(encoded, "people", replace(plan, early_stop_delta=delta), seed=1).steps
        for delta in (0.0, 0.001, 0.01, 0.2)
    ]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] < steps[0] < 3000


def test_more_patience_trains_longer():
    plan = replace(QUICK, max_steps=600, max_epochs=3000, validation_steps=10, early_stop_delta=0.2)
    steps = [
        train(missing_together(500), "people", replace(plan, patience=n), seed=1).steps for n in (1, 3, 8)
    ]
    assert steps == sorted(set(steps))


def test_the_best_state_is_given_back(small, monkeypatch):
    monkeypatch.setattr(calibration, "ROUNDS", 0)
    plan = replace(SHORT, max_steps=200, adaptive_learning_rate=False, learning_rate=0.05, patience=99)
    seen = []
    model = train(small, "root", plan, seed=1, on_step=seen.append)
    losses = [progress.validation_loss for progress in seen]
    assert model.loss == min(losses) < losses[-1]
    split = split_units(small, "root", plan, seed=1)
    batches = Batches(small, model.layout, plan, split.validation).fixed()
    with torch.no_grad():
        found = torch.cat([model.network(batch).sum(0) for batch in batches])
    assert float(found.mean()) == pytest.approx(model.loss, rel=1e-5), "in nats per row"


@pytest.mark.parametrize("most", [1, 2, 20, 50])
@pytest.mark.parametrize("adaptive", [True, False])
def test_no_training_takes_more_steps_than_allowed(small, adaptive, most):
    plan = replace(SHORT, max_steps=most, max_epochs=1000, patience=99, adaptive_learning_rate=adaptive)
    assert 0 < train(small, "root", plan, seed=1).steps <= most


def test_one_epoch_is_one_epoch(small):
    plan = replace(SHORT, max_steps=10_000, max_epochs=1, patience=99)
    seen = []
    train(small, "root", plan, seed=1, on_step=seen.append)
    assert seen[-1].epoch <= 1
