"""One attempt at an execution: what is recorded, and how it ends."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from durability.installed_runs import Installation, check_no_leftovers, installation
from kinsynth.errors import InternalError, KinsynthError, SourceError, TransientError, UserError
from kinsynth.executions.claims import Claim, claim
from kinsynth.executions.journal import LeaseLost, read_events, read_outcomes
from kinsynth.executions.requests import cancel
from kinsynth.executions.work import Broken, Failed, Outcome, Paused, Stopped, Succeeded
from kinsynth.service.performing import attempt as attempts
from kinsynth.service.performing import record, training_child
from kinsynth.service.performing.attempt import Attempt
from kinsynth.service.performing.jobs import read_job
from kinsynth.storage.files import detach, list_files
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, models
from kinsynth.system import child
from service.scripted_child import Said, Script, ScriptedChild, play_all
from shop_database import write_shops

ALL = ["loading", "preprocessing", "building", "training", "synthesis", "report", "storing"]


@dataclass
class Stage:
    """An execution that is claimed, and children that play scripts."""

    found: Installation
    claim: Claim
    children: list[ScriptedChild] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)

    def perform(self, script: Script, *, status: int = 0, wish: Callable[[], str] = lambda: "go") -> Outcome:
        def start(request: Any) -> ScriptedChild:
            self.children.append(ScriptedChild(script, status, request))
            return self.children[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(attempts, "TrainingChild", start)
            return Attempt(self.found.platform, self.claim, wish).perform()  # type: ignore[arg-type]

    @property
    def id(self) -> str:
        return self.claim.execution_id

    def files(self) -> dict[str, str]:
        """Give label and path of its files."""
        with self.found.platform.records.read() as connection:
            return {path: one.label for path, one in list_files(connection, self.id).items()}

    def outcomes(self) -> list[str]:
        with self.found.platform.records.read() as connection:
            return [*read_outcomes(connection, self.id)]

    def change(self, change: Callable[[Connection], Any]) -> None:
        with self.found.platform.records.write() as connection:
            change(connection)


@pytest.fixture
def stage(records: Records, tmp_path: Path) -> Iterator[Stage]:
    write_shops(tmp_path / "source")
    with installation(records, tmp_path / "here", tmp_path / "source", cancel_s=0.3) as found:
        stage = Stage(found, claim_new(found))
        yield stage
        assert not [*found.platform.scratch.glob("exe*")], "scratch is empty whatever happened"
        assert all(child.is_ended for child in stage.children), "no child is left"


def claim_new(found: Installation, **values: Any) -> Claim:
    execution_id = found.add_execution(**values)
    with found.platform.records.write() as connection:
        held = claim(connection, execution_id, "wrk_here", 60)
    assert held is not None
    return held


def wishing(*wishes: str) -> Callable[[], str]:
    """Wish one thing after another; the last one for ever."""
    said = iter(wishes)
    return lambda: next(said, wishes[-1])


def test_every_step_is_recorded_with_its_files_and_its_event(stage: Stage) -> None:
    assert stage.perform(play_all) == Succeeded()
    assert stage.files() == {
        "model/tables/000.safetensors": "derived",
        "plan.json": "protected",
        "report.pdf": "protected",
        **{f"steps/{step}.json": "protected" for step in ALL},
        "synthesis.yaml": "protected",
        "synthetic/000.arrow": "protected",
        "tables/shop.csv": "protected",
        "work/encoded/000.codes": "original",
        "work/original/000.arrow": "original",
    }
    assert stage.outcomes() == ALL
    with stage.found.platform.records.read() as connection:
        outcomes = read_outcomes(connection, stage.id)
    assert outcomes["report"]["scores"] == {"accuracy": 8.5, "privacy": None}
    assert all("scores" not in outcome for step, outcome in outcomes.items() if step != "report")
    kinds = [kind for kind, _ in stage.found.kinds(stage.id)]
    assert kinds == ["step_started", "step_message", "step_finished"] * 7
    with stage.found.platform.records.read() as connection:
        model = connection.execute(select(models)).one()
    assert (model.execution_id, model.name) == (stage.id, "First")
    stage.found.platform.artefacts.collect_released()
    check_no_leftovers(stage.found)


def test_the_child_is_told_where_its_files_are_and_nothing_else(stage: Stage) -> None:
    stage.perform(play_all)
    request = stage.children[0].request
    assert request["synthesis"]["source"] == {
        "kind": "files",
        "paths": ["region.csv", "sale.csv", "shop.csv"],
    }
    assert request["model"] is None
    assert {*request} == {"folder", "synthesis", "base", "model", "rows", "seed", "conditions", "fill"}


def test_rows_and_seed_of_the_request_stand_above_the_document(stage: Stage) -> None:
    stage.claim = claim_new(stage.found, request={"rows": {"shop": 5}, "seed": 11})
    stage.perform(play_all)
    assert stage.children[0].request["synthesis"]["generation"] == {"rows": {"shop": 5}, "seed": 11}


def test_one_that_was_recorded_to_its_end_is_not_performed_again(stage: Stage) -> None:
    stage.perform(play_all)
    assert stage.perform(play_all) == Succeeded()
    assert len(stage.children) == 1


def test_the_next_attempt_finds_what_the_last_one_kept(stage: Stage) -> None:
    def begin(child: ScriptedChild) -> Iterator[Said]:
        yield child.begin("loading")
        child.write("work/original/000.arrow", "rows")
        yield child.finish("loading", "work/original/000.arrow")
        yield child.begin("training")
        child.write("work/checkpoints/000.safetensors", "state")
        yield {"outcome": "stopped"}

    def go_on(child: ScriptedChild) -> Iterator[Said]:
        assert (child.folder / "work/original/000.arrow").read_text() == "rows"
        assert (child.folder / "work/checkpoints/000.safetensors").read_text() == "state"
        assert (child.folder / "steps/loading.json").is_file()
        assert not [*(child.folder.parent / "source").glob("*")], "the source is not needed any more"
        yield child.begin("training")
        child.write("model/net")
        yield child.finish("training", "model/net")
        yield {"outcome": "stopped"}

    assert stage.perform(begin) == Stopped()
    assert stage.perform(go_on) == Stopped()
    assert "work/checkpoints/000.safetensors" not in stage.files(), "a finished training needs none"


def test_the_state_of_a_training_is_kept_now_and_then_and_only_what_is_new(stage: Stage) -> None:
    def train(child: ScriptedChild) -> Iterator[Said]:
        yield child.begin("training")
        for number in range(3):
            child.write("work/checkpoints/000.safetensors", f"state {number}")
            if number == 1:
                child.write("model/tables/000.safetensors", "done")
            until = time.monotonic() + 30
            while not is_kept(f"state {number}") and time.monotonic() < until:
                yield {}
        yield None

    def is_kept(state: str) -> bool:
        path = "work/checkpoints/000.safetensors"
        return path in stage.files() and stage.found.results(stage.id)[path] == state.encode()

    with pytest.raises(InternalError):
        stage.perform(train, status=1)
    assert stage.files() == {
        "model/tables/000.safetensors": "derived",
        "work/checkpoints/000.safetensors": "original",
    }
    kept = stage.found.results(stage.id)
    assert kept["work/checkpoints/000.safetensors"] == b"state 2"
    assert stage.found.platform.artefacts.collect_released() == 2, "older states are garbage at once"


@contextmanager
def failing_write(records: Records, turn: int, *, after: bool) -> Iterator[list[int]]:
    """Let the n-th writing transaction of this process fail, before or after it is committed."""
    write, passed = records.write, [0]

    @contextmanager
    def fail() -> Iterator[Connection]:
        passed[0] += 1
        fails = passed[0] == turn
        if fails and not after:
            raise TransientError("records.unavailable", "away")
        with write() as connection:
            yield connection
        if fails:
            raise TransientError("records.unavailable", "away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "write", fail)
        yield passed


@pytest.mark.parametrize("after", [False, True])
def test_a_database_that_is_away_for_a_moment_changes_nothing(stage: Stage, after: bool) -> None:
    """Whichever transaction fails, also when it was committed and only the answer was lost."""
    turn, passed = 1, [1]
    while passed[0] >= turn:
        stage.claim = claim_new(stage.found)
        with failing_write(stage.found.platform.records, turn, after=after) as passed:
            assert stage.perform(play_all) == Succeeded()
        assert stage.outcomes() == ALL
        told = [(kind, step) for step in ALL for kind in ("step_started", "step_message", "step_finished")]
        assert stage.found.kinds(stage.id) == told
        with stage.found.platform.records.read() as connection:
            mine = select(models.c.id).where(models.c.execution_id == stage.id)
            assert len(connection.execute(mine).all()) == 1
        turn += 4 if turn > 3 else 1
    assert turn > 30


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("cancelled", [False, True])
def test_events_are_written_once_whichever_answer_is_lost(stage: Stage, after: bool, cancelled: bool) -> None:
    """Progress, too; and where somebody cancels meanwhile, whose event has the number of ours, or follows."""
    platform = stage.found.platform
    with platform.records.read() as connection:
        job = read_job(connection, stage.id)
    told = record.Record(platform.records, stage.claim, job, platform.scratch)
    batches = [
        [{"kind": "step_started", "step": "training", "at": 1.0}],
        [{"kind": "step_progressed", "step": "training", "share": 0.5, "at": 2.0}],
        [{"kind": "step_progressed", "step": "training", "share": 0.5, "at": 2.5}],
        [{"kind": "step_message", "step": "training", "text": "ä", "at": 3.0}] * 2,
    ]
    for number, events in enumerate(batches):
        with failing_write(platform.records, 1, after=after), pytest.raises(TransientError):
            told.tell(events)
        if cancelled and number == 1:
            stage.change(lambda connection: cancel(connection, stage.id))
        told.tell(events)
    with platform.records.read() as connection:
        found = [event.body for event in read_events(connection, stage.id)]
    if cancelled:
        assert found.pop(2 if after else 1)["kind"] == "cancel_requested"
    assert found == [*batches[0], *batches[1], *batches[3]]


def test_a_database_that_stays_away_is_a_loss_and_not_a_failure(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_AWAY_S", 0.3)

    @contextmanager
    def away() -> Iterator[Connection]:
        raise TransientError("records.unavailable", "away")
        yield

    monkeypatch.setattr(stage.found.platform.records, "write", away)
    with pytest.raises(TransientError):
        stage.perform(play_all)


def test_while_the_database_is_away_a_lost_lease_ends_the_work(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def away() -> Iterator[Connection]:
        raise TransientError("records.unavailable", "away")
        yield

    monkeypatch.setattr(stage.found.platform.records, "write", away)
    assert stage.perform(play_all, wish=wishing(*["go"] * 12, "lost")) == Stopped()


def test_what_was_collected_before_it_was_named_is_put_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach, refusals = record.files.attach, []

    def refuse_once(connection: Connection, *rest: Any) -> None:
        if len(refusals) < 2:
            refusals.append(1)
            raise TransientError("artefact.collected", "gone")
        attach(connection, *rest)

    monkeypatch.setattr(record.files, "attach", refuse_once)
    assert stage.perform(play_all) == Succeeded()
    assert stage.outcomes() == ALL


def test_a_state_whose_record_failed_is_recorded_by_the_next_try(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach, refusals = record.files.attach, []

    def refuse_once(connection: Connection, *rest: Any) -> None:
        refusals.append(1)
        if len(refusals) == 1:
            raise TransientError("records.unavailable", "away")
        attach(connection, *rest)

    monkeypatch.setattr(record.files, "attach", refuse_once)
    assert stage.perform(obedient, wish=wishing(*["go"] * 9, "drain")) == Stopped()
    assert len(refusals) == 2
    assert stage.found.results(stage.id)["work/checkpoints/000.safetensors"] == b"last"


def endless(child: ScriptedChild) -> Iterator[Said]:
    """Train for ever, whatever is asked."""
    yield child.begin("training")
    while True:
        yield {}


def obedient(child: ScriptedChild) -> Iterator[Said]:
    """Train until asked to stop."""
    yield child.begin("training")
    while not child.is_asked_to_stop:
        yield {}
    child.write("work/checkpoints/000.safetensors", "last")
    yield {"outcome": "stopped"}


@pytest.mark.parametrize("wish", ["cancel", "lost"])
@pytest.mark.parametrize("script", [endless, obedient, play_all])
def test_a_cancelled_or_lost_one_ends_at_once_and_keeps_nothing(
    stage: Stage, wish: str, script: Script
) -> None:
    for number in (0, 1, 4, 9):
        stage.claim = claim_new(stage.found)
        started = time.monotonic()
        assert stage.perform(script, wish=wishing(*["go"] * number, wish)) == Stopped()
        assert time.monotonic() - started < 2
        assert not [child for child in stage.children if child.is_asked_to_stop]
        assert "storing" not in stage.outcomes()


def test_a_worker_that_stops_asks_the_child_and_keeps_its_last_state(stage: Stage) -> None:
    assert stage.perform(obedient, wish=wishing(*["go"] * 9, "drain")) == Stopped()
    assert stage.found.results(stage.id)["work/checkpoints/000.safetensors"] == b"last"


def test_a_child_that_does_not_stop_is_ended(stage: Stage) -> None:
    started = time.monotonic()
    assert stage.perform(endless, wish=wishing(*["go"] * 9, "drain")) == Stopped()
    assert stage.children[0].is_asked_to_stop
    assert time.monotonic() - started < 3


def test_a_worker_that_stops_before_the_child_is_started_starts_none(stage: Stage) -> None:
    assert stage.perform(play_all, wish=lambda: "drain") == Stopped()
    assert stage.children == []


@pytest.mark.parametrize("script", [obedient, endless])
def test_one_without_compute_time_pauses_and_says_why(stage: Stage, script: Script) -> None:
    outcome = stage.perform(script, wish=wishing(*["go"] * 9, "pause"))
    assert isinstance(outcome, Paused)
    assert outcome.error["code"] == "quota.seconds"


def test_writes_of_an_attempt_that_was_taken_over_are_refused(stage: Stage) -> None:
    def overtaken(child: ScriptedChild) -> Iterator[Said]:
        yield child.begin("loading")
        child.write("work/original/000.arrow")
        stage.change(lambda connection: connection.execute(update(executions).values(epoch=9)))
        yield child.finish("loading", "work/original/000.arrow")
        yield {"outcome": "succeeded"}

    with pytest.raises(LeaseLost):
        stage.perform(overtaken)
    assert (stage.files(), stage.outcomes()) == ({}, [])
    assert stage.found.kinds(stage.id) == [("step_started", "loading")]
    stage.found.platform.artefacts.collect(rest_s=-1)
    check_no_leftovers(stage.found)


def silent(child: ScriptedChild) -> Iterator[Said]:
    """End without a word."""
    yield child.begin("loading")


def test_a_child_that_is_killed_is_tried_again_twice(stage: Stage) -> None:
    for losses in (0, 1):
        stage.change(lambda connection, n=losses: connection.execute(update(executions).values(losses=n)))
        assert stage.perform(silent, status=-9) == Broken()
    stage.change(lambda connection: connection.execute(update(executions).values(losses=2)))
    outcome = stage.perform(silent, status=-9)
    assert isinstance(outcome, Failed)
    assert outcome.error["code"] == "execution.child_killed"


def test_a_child_that_dies_otherwise_is_our_fault(stage: Stage) -> None:
    with pytest.raises(InternalError) as died:
        stage.perform(silent, status=-11)
    assert (died.value.code, "-11" in died.value.message) == ("execution.child_died", True)

    def fault(_child: ScriptedChild) -> Iterator[Said]:
        yield {"outcome": "fault", "type": "KeyError", "at": "steps.py:7"}

    with pytest.raises(InternalError) as fell:
        stage.perform(fault, status=1)
    assert (fell.value.code, fell.value.message) == ("internal.child", "KeyError at steps.py:7.")


def test_an_error_of_the_child_comes_through_without_the_scratch_folder(stage: Stage) -> None:
    def refuse(child: ScriptedChild) -> Iterator[Said]:
        said = {"code": "machine.path", "class": "UserError", "remedy": "r", "findings": []}
        place = f"{child.folder.parent}/source/shop.csv"
        yield {"outcome": "error", "error": {**said, "message": f"no {place}.", "where": place}}

    with pytest.raises(UserError) as refused:
        stage.perform(refuse)
    assert (refused.value.where, refused.value.message) == ("source/shop.csv", "no source/shop.csv.")


def test_a_source_or_model_that_is_gone_is_said_so(stage: Stage) -> None:
    stage.change(lambda connection: detach(connection, stage.found.source_id))
    with pytest.raises(SourceError) as no_source:
        stage.perform(play_all)
    assert no_source.value.code == "source.gone"
    stage.claim = claim_new(stage.found, source_id=None)
    with pytest.raises(SourceError) as no_row:
        stage.perform(play_all)
    assert (no_row.value.code, no_row.value.where) == ("source.gone", "")
    stage.claim = claim_new(stage.found, kind="generate", model_id="mod_none")
    with pytest.raises(UserError) as no_model:
        stage.perform(play_all)
    assert no_model.value.code == "model.gone"
    assert stage.children == []


def test_a_drawing_is_given_the_stored_model(stage: Stage) -> None:
    stage.perform(play_all)
    with stage.found.platform.records.read() as connection:
        model_id = connection.execute(select(models.c.id)).scalar_one()

    def draw(child: ScriptedChild) -> Iterator[Said]:
        stored = Path(child.request["model"])
        assert (stored / "tables" / "000.safetensors").read_text() == "what training makes"
        child.write("synthesis.yaml")
        for step in ("synthesis", "storing"):
            yield child.begin(step)
            child.write(f"{step}.txt")
            yield child.finish(step, f"{step}.txt")
        yield {"outcome": "succeeded"}

    request = {"rows": {"shop": 3}, "seed": 5}
    stage.claim = claim_new(stage.found, kind="generate", model_id=model_id, request=request)
    assert stage.perform(draw) == Succeeded()
    said = stage.children[-1].request
    assert (said["rows"], said["seed"]) == ({"shop": 3}, 5)
    assert stage.outcomes() == ["synthesis", "storing"]


def test_a_blob_that_is_gone_fails_the_attempt_in_words(stage: Stage) -> None:
    stage.change(lambda connection: None)
    store = stage.found.platform.artefacts.store
    for name in [*store.names()]:
        store.remove(name)
    with pytest.raises(KinsynthError) as caught:
        stage.perform(play_all)
    assert caught.value.code == "artefact.missing"


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
def test_the_real_child_refuses_draws_and_dies_as_it_should(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    go: Callable[[], Any] = lambda: "go"  # noqa: E731
    platform = stage.found.platform
    broken = stage.found.row(stage.id).document | {"tables": {"nowhere": {"original": True}}}
    stage.claim = claim_new(stage.found, document=broken)
    with pytest.raises(UserError) as refused:
        Attempt(platform, stage.claim, go).perform()
    assert str(platform.scratch) not in str(refused.value)
    assert refused.value.findings
    assert Attempt(platform, (first := claim_new(stage.found)), go).perform() == Succeeded()
    with platform.records.read() as connection:
        model_id = connection.execute(select(models.c.id)).scalar_one()
    results = []
    for seed in (1, 1, 2):
        request = {"rows": {"shop": 40}, "seed": seed}
        stage.claim = claim_new(stage.found, kind="generate", model_id=model_id, request=request)
        assert Attempt(platform, stage.claim, go).perform() == Succeeded()
        results.append(stage.found.results(stage.id)["tables/shop.csv"])
    assert results[0] == results[1] != results[2]
    assert results[0].count(b"\n") == 41
    assert first.epoch == 1
    stage.claim = claim_new(stage.found, kind="generate", model_id=model_id, request=request)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KINSYNTH_CRASH_AT", "child.answered")
        assert Attempt(platform, stage.claim, go).perform() == Broken()
    assert stage.outcomes() == ["synthesis"]
    assert Attempt(platform, stage.claim, go).perform() == Succeeded(), "a drawing goes on, too"
    assert stage.found.results(stage.id)["tables/shop.csv"] == results[2]
    monkeypatch.setenv("KINSYNTH_CRASH_AT", "child.begun")
    stage.claim = claim_new(stage.found)
    assert Attempt(platform, stage.claim, go).perform() == Broken()


def test_of_progress_only_news_is_recorded(stage: Stage) -> None:
    def train(child: ScriptedChild) -> Iterator[Said]:
        yield child.begin("training")
        for number in range(1000):
            at = 1e9 + number / 2
            progress = {"kind": "step_progressed", "step": "training", "share": number / 1e6, "at": at}
            yield {"event": progress}
        yield {"outcome": "stopped"}

    stage.perform(train)
    shown = [kind for kind, _ in stage.found.kinds(stage.id)].count("step_progressed")
    assert shown == 1 + 499 // 10


@pytest.mark.parametrize("kind", [training_child.TrainingChild, child.LimitedChild])
def test_no_child_knows_a_password_of_the_installation(
    kind: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Mapping[str, str]] = []

    def refuse(*_: object, env: Mapping[str, str], **__: object) -> None:
        given.append(env)
        raise BlockingIOError

    monkeypatch.setenv("KINSYNTH_DATABASE", "postgresql://somebody:secret@host/name")
    monkeypatch.setenv("KINSYNTH_CRASH_AT", "nowhere")
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(BlockingIOError):
        kind({})
    assert {name for name in given[0] if name.startswith("KINSYNTH_")} == {"KINSYNTH_CRASH_AT"}
    assert "PATH" in given[0]
