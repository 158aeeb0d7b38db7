from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import save

from engine.engine_toys import QUICK, family, missing_together
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine.batches import split_units
from kinsynth.engine.checkpoint import load_model, save_model
from kinsynth.engine.sampler import concatenate, sample
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.trainer import Fall, learning_rate, train
from kinsynth.errors import UserError

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


def test_the_rate_warms_up_stays_and_falls():
    plan = TablePlan(learning_rate=1e-2)
    assert learning_rate(plan, 0, None) < 1e-3
    assert learning_rate(plan, 500, None) == 1e-2
    fall = Fall(start=500, steps=100)
    assert learning_rate(plan, 550, fall) == pytest.approx(5e-3)
    assert learning_rate(plan, 600, fall) == 0
    assert learning_rate(replace(plan, adaptive_learning_rate=False), 0, None) == 1e-2


@pytest.mark.parametrize("kept", [0, 7, 0.5])
def test_a_damaged_file_is_an_error_with_a_code(small, tmp_path, kept):
    path = tmp_path / "model.safetensors"
    save_model(path, train(small, "root", SHORT, seed=1))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(UserError, match="damaged") as error:
        load_model(path)
    assert error.value.code == "engine.checkpoint_format"
