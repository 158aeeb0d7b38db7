"""Executions that are done again from one of their steps on take over what is there, and end the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from durability.installed_runs import Installation, check_no_leftovers, installation
from kinsynth.errors import KinsynthError
from kinsynth.executions.claims import claim
from kinsynth.executions.journal import add_event, read_events
from kinsynth.executions.outcomes import finish
from kinsynth.executions.work import Succeeded
from kinsynth.pipeline.timeline import STEPS
from kinsynth.service import models, sources, starts
from kinsynth.service.executions import read_timeline
from kinsynth.service.performing.attempt import Attempt
from kinsynth.service.retention import clear_ended
from kinsynth.service.usage import settle_usage
from kinsynth.storage.files import detach
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, steps
from kinsynth.storage.tables import models as model_rows
from shop_database import write_shops

pytestmark = pytest.mark.slow
RESULTS = ("tables/", "report.pdf", "evaluation.json", "certificate.json", "limits.json", "synthesis.yaml")


@pytest.fixture
def records_url(tmp_path: Path) -> str:
    """Whole trainings are done on one kind of database; the statements are tested on both."""
    return f"sqlite:///{tmp_path / 'records.sqlite'}"


@pytest.fixture(params=[0, pytest.param(1, marks=pytest.mark.soak)])
def found(request: pytest.FixtureRequest, records: Records, tmp_path: Path) -> Iterator[Installation]:
    """An installation that keeps raw data, or does not, with a run that ended."""
    write_shops(tmp_path / "source")
    with installation(records, tmp_path / "here", tmp_path / "source", keep_raw_days=request.param) as made:
        yield made


def perform(found: Installation, execution_id: str) -> None:
    """Do what a worker does with an execution, to its end and beyond."""
    records = found.platform.records
    with records.write() as connection:
        held = claim(connection, execution_id, "wrk_here", 600)
    assert held is not None
    assert Attempt(found.platform, held, lambda: "go").perform() == Succeeded()
    with records.write() as connection:
        finish(connection, held, "succeeded", on_final=settle_usage)
    clear_ended(found.platform)


def run(found: Installation) -> str:
    """Do a run; gives its id."""
    files = {"kind": "files", "paths": ["region.csv", "sale.csv", "shop.csv"]}
    execution_id = found.add_execution(document=found.quick() | {"source": files})
    with found.platform.records.write() as connection:
        add_event(connection, execution_id, {"kind": "execution_queued", "seconds": 30.0, "rows": 150})
    perform(found, execution_id)
    return execution_id


def again(found: Installation, execution_id: str, first_step: Any, **more: Any) -> str:
    made, new = starts.retry_execution(
        found.platform, found.actor, execution_id, first_step=first_step, **more
    )
    assert new
    assert made.ancestor_id == execution_id
    return made.id


def results(found: Installation, execution_id: str) -> dict[str, bytes]:
    kept = found.results(execution_id)
    return {path: content for path, content in kept.items() if path.startswith(RESULTS)}


def first_event(found: Installation, execution_id: str) -> dict[str, Any]:
    with found.platform.records.read() as connection:
        return read_events(connection, execution_id, limit=1)[0].body


def begun(found: Installation, execution_id: str) -> list[str]:
    """Give the steps that an execution did itself."""
    mine = (steps.c.execution_id == execution_id, steps.c.epoch > 0)
    with found.platform.records.read() as connection:
        asked = select(steps.c.step).where(*mine).order_by(steps.c.started_at)
        return list(connection.execute(asked).scalars())


def test_a_run_again_from_each_step_ends_the_same(found: Installation) -> None:
    first = run(found)
    kept = found.platform.deployment.keep_raw_days > 0
    expected = results(found, first)
    assert {"report.pdf", "evaluation.json", "tables/shop.csv"} <= expected.keys()
    for number, step in enumerate(STEPS):
        made = again(found, first, step)
        said = first_event(found, made)
        taken = {*STEPS[:number]} - (set() if kept else {"loading", "preprocessing", "synthesis"})
        assert set(said["takes_over"]) == taken
        assert (said["asked"], said["ancestor"]) == (step, first)
        assert said["begins_at"] == (step if kept else "loading")
        assert said["reason"] == ("asked" if kept or step == "loading" else "files")
        perform(found, made)
        assert results(found, made) == expected, step
        assert begun(found, made) == [one for one in STEPS if one not in taken]
        timeline = read_timeline(found.platform, found.actor, made)
        assert {one.state for one in timeline.steps} == {"finished"}
        with found.platform.records.read() as connection:
            mine = select(model_rows.c.id).where(model_rows.c.execution_id == made)
            assert len(connection.execute(mine).all()) == 1
    check_no_leftovers(found)


@pytest.mark.parametrize("found", [pytest.param(0, marks=pytest.mark.soak), 1], indirect=True)
def test_another_seed_trains_anew_and_gives_what_a_new_run_gives(found: Installation) -> None:
    first = run(found)
    platform, actor = found.platform, found.actor
    made = again(found, first, "training", seed=8)
    said = first_event(found, made)
    kept = platform.deployment.keep_raw_days > 0
    place = ("preprocessing", "seed") if kept else ("loading", "files")
    assert (said["begins_at"], said["reason"]) == place
    perform(found, made)
    assert "training" in begun(found, made)
    scratch = found.add_execution(document=found.quick(generation={"seed": 8}))
    perform(found, scratch)
    assert results(found, made) == results(found, scratch) != results(found, first)
    # From the drawing on, another seed draws from the model that is there.
    drawn = again(found, first, "synthesis", seed=9)
    row = found.row(drawn)
    assert (row.kind, row.request["seed"]) == ("generate", 9)
    perform(found, drawn)
    tables = results(found, drawn)
    assert tables["tables/shop.csv"] != results(found, first)["tables/shop.csv"]
    for step in ("loading", "synthesis", "storing"):
        repeated = again(found, drawn, step)
        takes_over = ["synthesis"] if step == "storing" and kept else []
        assert first_event(found, repeated)["takes_over"] == takes_over
        perform(found, repeated)
        assert results(found, repeated) == tables
    with pytest.raises(KinsynthError) as refused:
        starts.retry_execution(platform, actor, first, first_step="report", seed=9)
    assert refused.value.code == "execution.seed_unused"


def test_what_is_needed_and_gone_is_said(found: Installation) -> None:
    first = run(found)
    platform, actor = found.platform, found.actor
    kept = platform.deployment.keep_raw_days > 0
    tables = results(found, first)
    sources.delete_source(platform, actor, found.source_id)
    for step in ("loading", "training", "report"):
        if kept and step != "loading":
            made = again(found, first, step)
            perform(found, made)
            assert results(found, made) == tables
            continue
        with pytest.raises(KinsynthError) as refused:
            starts.retry_execution(platform, actor, first, first_step=step)  # type: ignore[arg-type]
        assert refused.value.code == "source.gone"
    drawn = again(found, first, "synthesis")
    assert found.row(drawn).kind == ("run" if kept else "generate")
    perform(found, drawn)
    assert results(found, drawn)["tables/shop.csv"] == tables["tables/shop.csv"]


@pytest.mark.parametrize("found", [0], indirect=True)
def test_a_training_whose_data_comes_out_otherwise_is_not_taken(found: Installation) -> None:
    """As when another version of the program reads it: the outcome of preprocessing is another one."""
    first = run(found)
    made = again(found, first, "synthesis")
    with found.platform.records.write() as connection:
        document = found.quick(generation={"seed": 8})
        connection.execute(update(executions).where(executions.c.id == made).values(document=document))
        raw = (steps.c.execution_id == made, steps.c.step.in_(["loading", "preprocessing"]))
        connection.execute(steps.delete().where(*raw))
        detach(connection, made, under="work")
    perform(found, made)
    assert begun(found, made) == list(STEPS)
    scratch = found.add_execution(document=document)
    perform(found, scratch)
    assert results(found, made) == results(found, scratch)
    with found.platform.records.read() as connection:
        mine = select(model_rows.c.id).where(model_rows.c.execution_id == made)
        assert len(connection.execute(mine).all()) == 1
    models.delete_model(found.platform, found.actor, models_of(found, made))
    check_no_leftovers(found)


def models_of(found: Installation, execution_id: str) -> str:
    with found.platform.records.read() as connection:
        mine = select(model_rows.c.id).where(model_rows.c.execution_id == execution_id)
        return str(connection.execute(mine).scalar_one())
