import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from engine.engine_toys import family
from kinsynth.encoded import Encoded
from kinsynth.engine.layout import describe_table
from kinsynth.engine.sizing import (
    ModelSize,
    TablePlan,
    TableShape,
    choose_code_decay,
    choose_dropout,
    measure_table,
    parameters,
    plan_table,
    sampling_seconds,
    steps_per_epoch,
    training_bytes,
    training_seconds,
)
from kinsynth.engine.tabular import TabularNetwork
from kinsynth.settings.training import Training

GIB = 1 << 30
ADULT = TableShape(
    rows=10_000, roots=10_000, cardinalities=(74, 9, 64, 16, 16, 16, 7, 15, 6, 5, 2, 119, 96, 94, 42, 2)
)


@pytest.mark.parametrize("shown", [True, False])
def test_parameters_are_counted_exactly(shown):
    tables = {
        name: replace(
            table, sub_columns=(*table.sub_columns[:-1], replace(table.sub_columns[-1], shown=shown))
        )
        for name, table in family(50).tables.items()
    }
    encoded = Encoded(tables)
    for name in encoded.tables:
        for size in ("small", "medium", "large"):
            shape = measure_table(encoded, name)
            plan = plan_table(shape, Training(model_size=size), free_memory_bytes=GIB)
            network = TabularNetwork(describe_table(encoded, name), plan, torch.Generator())
            assert parameters(shape, plan) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("columns", [1, 16, 200])
def test_larger_models_have_more_parameters_and_cost_more(columns):
    shape = replace(ADULT, cardinalities=(20,) * columns)
    plans = [
        plan_table(shape, Training(model_size=size), free_memory_bytes=GIB)
        for size in ("small", "medium", "large")
    ]
    for measure in (parameters, training_bytes, training_seconds):
        costs = [measure(shape, plan) for plan in plans]
        assert costs == sorted(set(costs))
    costs = [sampling_seconds(shape, plan, rows=100_000) for plan in plans]
    assert costs == sorted(set(costs))


def test_the_users_choices_are_taken():
    training = Training(
        auto_batching=False,
        batch_size=100,
        gradient_accumulation=3,
        adaptive_learning_rate=False,
        learning_rate=0.02,
        max_epochs=7,
        training_steps=11,
        validation_fraction=0.2,
        early_stop_delta=0.01,
        patience=5,
    )
    plan = plan_table(ADULT, training, free_memory_bytes=GIB)
    assert (plan.batch_size, plan.gradient_accumulation, plan.learning_rate) == (100, 3, 0.02)
    assert (plan.max_epochs, plan.validation_steps) == (7, 11)
    assert (plan.validation_fraction, plan.early_stop_delta) == (0.2, 0.01)
    assert not plan.adaptive_learning_rate
    assert plan.patience == 5
    assert plan.max_steps == 7 * round(8000 / 300)
    other = plan_table(ADULT, Training(generation_batch_size=77), free_memory_bytes=GIB)
    assert other.block_size == plan_table(ADULT, Training(), free_memory_bytes=GIB).block_size
    assert plan.window <= plan.batch_size


def test_the_batch_grows_with_rows_and_shrinks_with_memory():
    batches = [
        plan_table(replace(ADULT, rows=rows), Training(), free_memory_bytes=8 * GIB).batch_size
        for rows in (0, 1, 500, 10_000, 10_000_000)
    ]
    assert batches == sorted(batches)
    assert batches[-1] == 2048
    tight = plan_table(replace(ADULT, rows=10_000_000), Training(), free_memory_bytes=32 << 20)
    assert tight.batch_size < 2048


def test_device_is_kept_and_threads_follow_the_work():
    large = replace(ADULT, rows=200_000, cardinalities=(200,) * 40)
    plan = plan_table(large, Training(), free_memory_bytes=8 * GIB, threads=3, device="cuda")
    assert (plan.threads, plan.device) == (3, "cuda")
    assert plan_table(ADULT, Training(), free_memory_bytes=GIB, threads=3).threads == 1


def test_few_rows_are_learned_with_more_care():
    plans = [
        plan_table(replace(ADULT, rows=rows, roots=rows), Training(), free_memory_bytes=GIB)
        for rows in (50, 300, 2_000, 10_000, 10_000_000)
    ]
    for found in ([plan.dropout for plan in plans], [plan.weight_decay for plan in plans]):
        assert found == sorted(found, reverse=True)
        assert found[0] > found[3]


def test_dropout_is_strong_for_fifty_rows_and_weak_for_five_hundred():
    found = [choose_dropout(roots) for roots in (20, 50, 100, 500, 750, 999, 1_000, 5_000)]
    assert found[0] == found[1] == 0.6
    assert found == sorted(found, reverse=True)
    assert 0.3 < found[2] < 0.45
    assert 0.14 < found[3] < 0.16
    assert 0.05 < found[4] < 0.07
    assert found[5] < 0.001  # it fades, so that one root more or less changes hardly anything
    assert found[6] == found[7] == 0


def test_weights_fade_at_the_same_pace_per_epoch_whatever_the_batch():
    for batch in (100, 400):
        training = Training(auto_batching=False, batch_size=batch)
        plan = plan_table(ADULT, training, free_memory_bytes=GIB)
        assert plan.weight_decay * steps_per_epoch(ADULT, plan) == pytest.approx(25)


def test_few_roots_are_learned_with_more_care():
    plans = [
        plan_table(replace(ADULT, rows=roots, roots=roots), Training(), free_memory_bytes=GIB)
        for roots in (10_000, 2_000, 600)
    ]
    paces = [
        plan.weight_decay * steps_per_epoch(replace(ADULT, rows=roots, roots=roots), plan)
        for plan, roots in zip(plans, (10_000, 2_000, 600), strict=True)
    ]
    assert paces[0] < paces[1] < paces[2]
    assert plans[0].dropout == plans[1].dropout == 0 < plans[2].dropout


def test_short_numbers_are_for_large_steps_on_a_gpu_only():
    large = replace(ADULT, rows=1_000_000, cardinalities=(200,) * 60)
    plans = {
        (shape.rows, device): plan_table(shape, Training(), free_memory_bytes=64 * GIB, device=device)
        for shape in (ADULT, large)
        for device in ("cpu", "cuda")
    }
    assert [key for key, plan in plans.items() if plan.mixed_precision] == [(1_000_000, "cuda")]


def test_a_plan_is_plain_json():
    plan = plan_table(ADULT, Training(), free_memory_bytes=GIB)
    assert TablePlan(**json.loads(json.dumps(asdict(plan)))) == plan


def test_shapes_are_read_from_the_tables():
    encoded = family(100)
    shape = measure_table(encoded, "leaves")
    assert shape.roots == 100
    assert shape.cardinalities == (2,)
    assert shape.ancestors == ((16, 2), (3, 3, 2))
    assert shape.siblings == ((3, 2),)
    lengths = np.bincount(encoded.tables["steps"].parent_R)
    steps = measure_table(encoded, "steps")
    assert (steps.longest_sequence, steps.mean_sequence) == (lengths.max(), pytest.approx(lengths.mean()))


def test_the_largest_number_of_epochs_is_of_whole_epochs():
    training = Training(auto_batching=False, batch_size=512, max_epochs=3)
    shape = replace(ADULT, rows=700, roots=700)
    plan = plan_table(shape, training, free_memory_bytes=GIB)
    assert plan.max_steps == 3 * 2, "630 rows are one batch and a part of one"


def test_seconds_of_an_epoch_grow_about_linearly_with_the_columns():
    kinds = (148, 16, 6, 149, 8, 68, 40, 163, 3, 37)
    columns = np.array([10, 30, 100, 300])
    seconds = []
    for number in columns:
        shape = TableShape(rows=20_000, roots=20_000, cardinalities=kinds * (number // 10))
        plan = plan_table(shape, Training(), free_memory_bytes=8 << 30)
        seconds.append(training_seconds(shape, plan, epochs=1))
    assert np.polyfit(np.log(columns), np.log(seconds), 1)[0] <= 1.3


def test_seconds_of_an_epoch_grow_linearly_with_the_rows():
    seconds = []
    for rows in (200_000, 2_000_000):
        shape = replace(ADULT, rows=rows, roots=rows)
        plan = plan_table(shape, Training(), free_memory_bytes=8 << 30)
        seconds.append(training_seconds(shape, plan, epochs=1))
    assert 9 < seconds[1] / seconds[0] < 11


def test_a_huge_table_ends_after_some_million_rows_unless_full_convergence_is_asked_for():
    huge = replace(ADULT, rows=10_000_000, roots=10_000_000)
    automatic = plan_table(huge, Training(), free_memory_bytes=64 * GIB)
    assert automatic.max_steps * automatic.batch_size == 1 << 22
    for training in (Training(early_stop_delta=0), Training(auto_batching=False, batch_size=2048)):
        plan = plan_table(huge, training, free_memory_bytes=64 * GIB)
        assert plan.max_steps >= 100 * 10_000_000 * 0.9 / plan.batch_size
    small = plan_table(ADULT, Training(), free_memory_bytes=GIB)
    assert small.max_steps >= 100 * steps_per_epoch(ADULT, small)


@pytest.mark.parametrize(
    ("roots", "size", "decay"),
    [
        (500, "medium", 0.0),
        (1_000, "large", 0.5),
        (1_600, "medium", 0.38),
        (1_600, "small", 0.0),
        (5_000, "medium", 0.0),
    ],
)
def test_codes_decay_for_some_thousand_roots_only(roots: int, size: ModelSize, decay: float) -> None:
    shape = TableShape(rows=roots, roots=roots, cardinalities=(4, 4))
    assert choose_code_decay(shape, size) == pytest.approx(decay, abs=0.01)
