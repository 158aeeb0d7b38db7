"""Training on a GPU against training on the processor; skipped, and said so, where there is no GPU."""

from dataclasses import replace

import pytest
import torch

from engine.engine_toys import QUICK, family
from engine.linked_toys import company
from kinsynth.engine.checkpoint import load_model, save_model
from kinsynth.engine.device import has_cuda
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train

pytestmark = pytest.mark.skipif(not has_cuda(), reason="needs a GPU that torch can use")

ON_CPU = replace(QUICK, batch_size=128, max_steps=120, validation_steps=30)
ON_GPU = replace(ON_CPU, device="cuda")
SETS = {"family": family(400), "company": company()}
TABLES = [(name, table) for name, encoded in SETS.items() for table in encoded.tables]


class Killed(Exception):
    pass


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_gpu_learns_what_the_processor_learns(name, table):
    here, there = (train(SETS[name], table, plan, seed=4) for plan in (ON_CPU, ON_GPU))
    assert there.loss == pytest.approx(here.loss, rel=0.02, abs=0.02)


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_short_products_change_little(name, table):
    short = replace(ON_GPU, mixed_precision=True)
    here, there = (train(SETS[name], table, plan, seed=4) for plan in (ON_CPU, short))
    assert there.loss == pytest.approx(here.loss, rel=0.05, abs=0.05)


def test_a_killed_training_goes_on_where_it_was(tmp_path):
    whole = train(SETS["family"], "steps", ON_GPU, seed=4)

    def kill(progress):
        if progress.step == 60:
            raise Killed

    with pytest.raises(Killed):
        train(SETS["family"], "steps", ON_GPU, seed=4, checkpoint=tmp_path / "state", on_step=kill)
    resumed = train(SETS["family"], "steps", ON_GPU, seed=4, checkpoint=tmp_path / "state")
    assert resumed.steps == whole.steps
    assert resumed.loss == pytest.approx(whole.loss, rel=0.01, abs=0.01)


def test_a_model_of_a_gpu_is_drawn_from_anywhere(tmp_path):
    models = {name: train(SETS["family"], name, ON_GPU, seed=4) for name in SETS["family"].tables}
    for name, model in models.items():
        save_model(tmp_path / name, model)
    loaded = {name: load_model(tmp_path / name) for name in models}
    first, second = (
        concatenate(list(sample(made, {"root": 300}, seed=7))).tables["steps"].codes_RC
        for made in (models, loaded)
    )
    assert (first == second).all()


@pytest.fixture
def lend():
    """Let only some bytes of the GPU be used."""
    whole = torch.cuda.get_device_properties(0).total_memory

    def lend(size):
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(size / whole)

    yield lend
    lend(whole)


def test_a_batch_that_does_not_fit_is_halved(lend):
    people = family(2**18)
    wide = replace(ON_GPU, batch_size=2**17, max_steps=4, validation_steps=2, validation_rows=1000)
    torch.cuda.reset_peak_memory_stats()
    assert train(people, "root", wide, seed=1).plan.batch_size == wide.batch_size
    lend(torch.cuda.max_memory_reserved() // 2)
    model = train(people, "root", wide, seed=1)
    assert model.plan.batch_size < wide.batch_size
    assert model.plan.batch_size * model.plan.gradient_accumulation == wide.batch_size
