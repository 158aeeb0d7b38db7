"""Executions: started once, refused early, followed, retried; their results are given out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from finished_run import succeed
from installation import make_person, make_source
from kinsynth.errors import KinsynthError, SchemaError
from kinsynth.service import downloads, executions, models, quotas, results, sources, starts, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.views import Window
from kinsynth.service.pages import Wanted
from kinsynth.service.people.sharing import NewShare, remove_share, set_share
from kinsynth.service.platform import Platform
from kinsynth.service.receipts import list_receipts
from kinsynth.service.starts import Order
from kinsynth.storage.clock import now
from kinsynth.storage.tables import audit, files, shares, steps, tickets, users
from shop_database import write_shops

DOCUMENT: dict[str, Any] = {"tables": {"region": {"original": True}}, "generation": {"seed": 7}}


@pytest.fixture
def source_id(platform: Platform, ann: Actor, tmp_path: Path) -> str:
    """A sealed source with three tables."""
    write_shops(tmp_path / "shops")
    return make_source(platform, ann, tmp_path / "shops")


@pytest.fixture
def synthesis_id(platform: Platform, ann: Actor, source_id: str) -> str:
    """A synthesis that fits its source."""
    return syntheses.create_synthesis(platform, ann, source_id, name="Shops", document=DOCUMENT)[0].id


def code_of(call: object, *arguments: object, **more: object) -> str:
    with pytest.raises(KinsynthError) as caught:
        call(*arguments, **more)  # type: ignore[operator]
    return caught.value.code


def test_a_run_is_started_once(platform: Platform, ann: Actor, synthesis_id: str) -> None:
    order = Order("first", {"shop": 40}, 3, "key")
    made, new = starts.start_run(platform, ann, synthesis_id, order)
    again, renewed = starts.start_run(platform, ann, synthesis_id, order)
    assert (made, new, renewed) == (again, True, False)
    assert (made.status, made.kind, made.rows, made.source_version) == ("queued", "run", 40, 1)
    assert made.document["generation"] == {"seed": 3, "rows": {"shop": 40}}
    assert made.document["source"]["paths"] == ["region.csv", "sale.csv", "shop.csv"]
    assert platform.engine.deliveries == [(made.id, 1)]  # type: ignore[attr-defined]
    events = executions.list_events(platform, ann, made.id)
    assert [one.body["kind"] for one in events.items] == ["execution_queued"]
    assert not events.ended
    assert code_of(starts.start_run, platform, ann, synthesis_id, Order("other", key="key")) == (
        "idempotency.reused"
    )
    assert starts.start_run(platform, ann, synthesis_id, Order())[0].name == "Shops 1"


def test_executions_without_a_name_are_numbered(platform: Platform, ann: Actor, synthesis_id: str) -> None:
    def start(name: str = "") -> str:
        return starts.start_run(platform, ann, synthesis_id, Order(name))[0].name

    assert [start(), start("Shops x 9"), start("Shops 7"), start("shops 20"), start()] == [
        "Shops 1",
        "Shops x 9",
        "Shops 7",
        "shops 20",
        "Shops 8",
    ]


def test_what_cannot_run_is_refused_before_it_starts(
    platform: Platform, ann: Actor, source_id: str, synthesis_id: str
) -> None:
    wrong, _ = syntheses.create_synthesis(
        platform, ann, source_id, name="x", document={"tables": {"no": {}, "region": {"original": True}}}
    )
    with pytest.raises(SchemaError) as caught:
        starts.start_run(platform, ann, wrong.id, Order())
    assert caught.value.code == "execution.configuration"
    assert [one.code for one in caught.value.findings] == ["data.unknown_table"]
    small, _ = syntheses.create_synthesis(platform, ann, source_id, name="x", document={})
    assert code_of(starts.start_run, platform, ann, small.id, Order()) == "execution.too_little_data"
    with platform.records.write() as connection:
        quotas.grant(connection, ann.user_id, "rows", limit=100, period="month")
    assert code_of(starts.start_run, platform, ann, synthesis_id, Order()) == "quota.rows"
    assert executions.list_executions(platform, ann, Wanted()).items == ()
    sources.delete_source(platform, ann, source_id)
    assert code_of(starts.start_run, platform, ann, synthesis_id, Order()) == "source.gone"


def test_a_source_at_work_is_not_deleted(
    platform: Platform, ann: Actor, source_id: str, synthesis_id: str
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    assert code_of(sources.delete_source, platform, ann, source_id) == "source.in_use"
    assert code_of(syntheses.delete_synthesis, platform, ann, synthesis_id) == "synthesis.in_use"
    assert code_of(executions.delete_execution, platform, ann, made.id) == "execution.not_finished"
    assert executions.cancel_execution(platform, ann, made.id).status == "cancelled"
    assert [one.used for one in _quotas(platform, ann)] == [0.0, 0.0]
    assert [one.reserved for one in _quotas(platform, ann)] == [0.0, 0.0]
    executions.delete_execution(platform, ann, made.id)
    sources.delete_source(platform, ann, source_id)


def test_only_what_has_still_to_read_a_source_holds_it(
    platform: Platform, ann: Actor, source_id: str, synthesis_id: str, tmp_path: Path
) -> None:
    trained, _ = starts.start_run(platform, ann, synthesis_id, Order())
    model_id = succeed(platform, trained.id, tmp_path)
    drawn, _ = starts.start_drawing(platform, ann, synthesis_id, model_id, Order())
    read, _ = starts.start_run(platform, ann, synthesis_id, Order())
    waits, _ = starts.start_run(platform, ann, synthesis_id, Order())
    with platform.records.write() as connection:
        loaded = {"execution_id": read.id, "step": "loading", "epoch": 1, "outcome": {}}
        connection.execute(insert(steps).values(**loaded, started_at=now(), finished_at=now()))
        begun = {"execution_id": waits.id, "step": "loading", "epoch": 1, "started_at": now()}
        connection.execute(insert(steps).values(begun))
    assert code_of(sources.delete_source, platform, ann, source_id) == "source.in_use"
    executions.cancel_execution(platform, ann, waits.id)
    sources.delete_source(platform, ann, source_id)
    for one in (drawn, read):
        found = executions.read_execution(platform, ann, one.id)
        assert (found.status, found.source_id) == ("queued", None)


def _quotas(platform: Platform, actor: Actor) -> tuple[quotas.QuotaView, ...]:
    with platform.records.read() as connection:
        return quotas.read_quotas(connection, actor.user_id)


def test_who_may_run_starts_with_their_own_quota(
    platform: Platform, ann: Actor, bob: Actor, synthesis_id: str
) -> None:
    assert code_of(starts.start_run, platform, bob, synthesis_id, Order()) == "access.not_found"
    with platform.records.write() as connection:
        connection.execute(
            insert(shares).values(
                synthesis_id=synthesis_id, user_id=bob.user_id, level="run", created_at=now()
            )
        )
    made, _ = starts.start_run(platform, bob, synthesis_id, Order())
    assert made.owner_id == bob.user_id
    assert [one.reserved > 0 for one in _quotas(platform, bob)] == [True, True]
    assert [one.reserved for one in _quotas(platform, ann)] == [0.0, 0.0]
    assert [one.id for one in executions.list_executions(platform, ann, Wanted()).items] == [made.id]
    queued = executions.list_executions(platform, ann, Wanted(), status="queued")
    assert len(queued.items) == 1
    assert executions.list_executions(platform, ann, Wanted(), status="failed").items == ()


def test_more_is_drawn_from_a_model_and_a_run_is_repeated(
    platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order("first"))
    assert code_of(starts.retry_execution, platform, ann, made.id) == "execution.not_finished"
    model_id = succeed(platform, made.id, tmp_path)
    assert executions.read_execution(platform, ann, made.id).trained_model_id == model_id
    drawn, _ = starts.start_drawing(platform, ann, synthesis_id, model_id, Order("", {"shop": 9}, 5))
    assert (drawn.kind, drawn.rows, drawn.ancestor_id) == ("generate", 9, made.id)
    refused = code_of(starts.start_drawing, platform, ann, synthesis_id, model_id, Order(rows={"sale": 9}))
    assert refused == "settings.rows_not_root"
    assert code_of(models.delete_model, platform, ann, model_id) == "model.in_use"
    again, _ = starts.retry_execution(platform, ann, made.id)
    assert (again.kind, again.name, again.ancestor_id) == ("run", "Shops 2", made.id)
    assert again.document == made.document
    redrawn, _ = starts.retry_execution(platform, ann, made.id, first_step="synthesis", seed=5)
    assert (redrawn.kind, redrawn.model_id, redrawn.rows) == ("generate", model_id, 150)
    said = executions.list_events(platform, ann, redrawn.id).items[0].body
    assert (said["ancestor"], said["begins_at"], said["reason"]) == (made.id, "synthesis", "asked")
    assert said["seconds"] > 0
    assert said["rows"] == 150
    late = {"first_step": "report", "seed": 5}
    assert code_of(starts.retry_execution, platform, ann, made.id, **late) == "execution.seed_unused"
    for one in (drawn, again, redrawn):
        executions.cancel_execution(platform, ann, one.id)
    assert models.read_model_document(platform, ann, model_id) == made.document
    models.delete_model(platform, ann, model_id)
    assert models.list_models(platform, ann, Wanted()).items == ()
    retry = starts.retry_execution
    assert code_of(retry, platform, ann, redrawn.id) == "execution.no_model"
    trained, _ = retry(platform, ann, made.id, first_step="synthesis", seed=5)
    said = executions.list_events(platform, ann, trained.id).items[0].body
    assert (trained.kind, said["begins_at"], said["reason"]) == ("run", "loading", "files")
    assert trained.document["generation"]["seed"] == 5


def test_results_are_given_out(
    platform: Platform, ann: Actor, bob: Actor, synthesis_id: str, tmp_path: Path
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    preview = results.preview_result
    assert code_of(preview, platform, ann, made.id, Window("shop")) == "execution.no_results"
    succeed(platform, made.id, tmp_path)
    page = preview(platform, ann, made.id, Window("shop", 1, 2))
    assert (page.total, page.rows[0][0], len(page.rows)) == (150, "S0001", 2)
    assert code_of(preview, platform, ann, made.id, Window("no")) == "table.not_found"
    shown = [one.path for one in results.list_result_files(platform, ann, made.id)]
    assert shown == ["certificate.json", "report.pdf", "tables/shop.csv"]
    content = results.open_result(platform, ann, made.id, "report.pdf")
    assert (b"".join(content.chunks), content.media_type) == (b"%PDF-1.7", "application/pdf")
    for hidden in ("model/model.json", "synthetic/names.json", "../x", "", "tables"):
        assert code_of(results.open_result, platform, ann, made.id, hidden) == "access.not_found"
    assert code_of(results.open_result, platform, bob, made.id, "report.pdf") == "access.not_found"
    timeline = executions.read_timeline(platform, ann, made.id)
    training = next(one for one in timeline.steps if one.step == "training")
    assert (len(timeline.steps), training.state, training.share) == (7, "stopped", 0.5)
    assert training.measures[0].values == {"loss": 1.5}
    assert executions.list_events(platform, ann, made.id, after=2).ended


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_download_is_made_once_and_fetched_with_a_ticket(
    platform: Platform,
    ann: Actor,
    synthesis_id: str,
    tmp_path: Path,
    format: Any,  # noqa: A002 - the user's word
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    create = downloads.create_download
    assert code_of(create, platform, ann, made.id, format) == "execution.no_results"
    succeed(platform, made.id, tmp_path)
    asked, new = create(platform, ann, made.id, format)
    assert (asked.status, new) == ("preparing", True)
    assert create(platform, ann, made.id, format) == (asked, False)
    assert code_of(downloads.issue_ticket, platform, ann, asked.id) == "download.not_ready"
    assert downloads.prepare_next(platform)
    assert not downloads.prepare_next(platform)
    ready = downloads.read_download(platform, ann, asked.id)
    assert (ready.status, ready.file_name) == ("ready", "csv.zip" if format == "csv" else "database.xlsx")
    ticket = downloads.issue_ticket(platform, ann, asked.id)
    secret = ticket.path.rpartition("/")[2]
    content = b"".join(downloads.redeem_ticket(platform, secret).chunks)
    assert len(content) == ready.size
    if format == "csv":
        archive = zipfile.ZipFile(io.BytesIO(content))
        assert sorted(archive.namelist()) == ["region.csv", "sale.csv", "shop.csv"]
        assert archive.read("shop.csv") == (tmp_path / "shops" / "shop.csv").read_bytes()
    assert code_of(downloads.redeem_ticket, platform, secret) == "access.not_found"
    other = downloads.issue_ticket(platform, ann, asked.id)
    downloads.forget_used(platform)
    assert len(_tickets(platform)) == 1
    secret = other.path.rpartition("/")[2]
    assert secret not in str(_tickets(platform))


def _tickets(platform: Platform) -> list[Any]:
    with platform.records.read() as connection:
        return list(connection.execute(tickets.select()))


def test_a_ticket_of_somebody_blocked_opens_nothing(
    platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    succeed(platform, made.id, tmp_path)
    asked, _ = downloads.create_download(platform, ann, made.id, "tsv")
    downloads.prepare_next(platform)
    ticket = downloads.issue_ticket(platform, ann, asked.id)
    with platform.records.write() as connection:
        connection.execute(update(users).where(users.c.id == ann.user_id).values(status="blocked"))
    secret = ticket.path.rpartition("/")[2]
    assert code_of(downloads.redeem_ticket, platform, secret) == "access.not_found"


def test_a_deleted_execution_takes_all_along(
    platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    succeed(platform, made.id, tmp_path)
    downloads.create_download(platform, ann, made.id, "csv")
    downloads.prepare_next(platform)
    executions.delete_execution(platform, ann, made.id)
    assert code_of(executions.read_execution, platform, ann, made.id) == "access.not_found"
    syntheses.delete_synthesis(platform, ann, synthesis_id)
    with platform.records.read() as connection:
        told = connection.execute(select(audit.c.action, audit.c.object_id).order_by(audit.c.number)).all()
    assert told[-2:] == [("executions.delete", made.id), ("syntheses.delete", synthesis_id)]


def test_what_a_person_deletes_leaves_receipts(
    platform: Platform, ann: Actor, source_id: str, synthesis_id: str, tmp_path: Path
) -> None:
    made = [starts.start_run(platform, ann, synthesis_id, Order())[0].id for _ in range(2)]
    model_ids = [succeed(platform, one, tmp_path) for one in made]
    downloads.create_download(platform, ann, made[0], "csv")
    downloads.prepare_next(platform)
    sizes = _sizes(platform)
    executions.delete_execution(platform, ann, made[0])
    models.delete_model(platform, ann, model_ids[1])
    syntheses.delete_synthesis(platform, ann, synthesis_id)
    sources.delete_source(platform, ann, source_id)
    assert _sizes(platform) == []
    admin = make_person(platform, "admin")
    assert code_of(list_receipts, platform, ann, Wanted()) == "access.forbidden"
    first = list_receipts(platform, admin, Wanted(3))
    found = [*first.items, *list_receipts(platform, admin, Wanted(3, first.next)).items][::-1]
    assert [(one.subject_id, one.reason, one.details) for one in found] == [
        (made[0], "deleted", {"kind": "execution"}),
        (model_ids[1], "deleted", {"kind": "model", "execution": made[1]}),
        (made[1], "deleted", {"kind": "execution"}),
        (source_id, "deleted", {"kind": "source"}),
    ]
    assert (sum(one.files for one in found), sum(one.bytes for one in found)) == (len(sizes), sum(sizes))
    assert "shop" not in str(found)


def _sizes(platform: Platform) -> list[int]:
    with platform.records.read() as connection:
        return list(connection.execute(select(files.c.size)).scalars())


@pytest.mark.parametrize("ends", ["removed", "lowered"])
def test_the_source_of_an_editor_leaves_with_the_right_to_edit(
    platform: Platform,
    ann: Actor,
    bob: Actor,
    synthesis_id: str,
    tmp_path: Path,
    ends: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bob gave his source to the synthesis while he could see what became of it."""
    level = _sharing(platform, ann, synthesis_id, bob)
    level("edit")
    theirs = make_source(platform, bob, tmp_path / "shops")
    change = {"document": DOCUMENT, "expected": 1, "source_id": theirs}
    syntheses.update_synthesis(platform, bob, synthesis_id, **change)
    assert code_of(sources.read_source, platform, ann, theirs) == "access.not_found"
    ended, _ = starts.start_run(platform, ann, synthesis_id, Order())
    model_id = succeed(platform, ended.id, tmp_path)
    waits, _ = starts.start_run(platform, ann, synthesis_id, Order())
    copy, _ = syntheses.clone_synthesis(platform, ann, synthesis_id)
    assert copy.source_id is None, "it was given to this synthesis, not to copies that Bob does not see"
    level("run" if ends == "lowered" else None)
    assert syntheses.read_synthesis(platform, ann, synthesis_id).source_id is None
    assert code_of(syntheses.check_synthesis, platform, ann, synthesis_id) == "source.gone"
    assert code_of(starts.start_run, platform, ann, synthesis_id, Order()) == "source.gone"
    assert code_of(starts.retry_execution, platform, ann, ended.id) == "source.gone"
    assert "shop.csv" not in syntheses.export_synthesis(platform, ann, synthesis_id)
    drawn, _ = starts.start_drawing(platform, ann, synthesis_id, model_id, Order())
    assert (drawn.status, drawn.source_id) == ("queued", None)
    assert executions.read_execution(platform, ann, waits.id).source_id == theirs, "it was started in time"
    succeed(platform, waits.id, tmp_path)
    with monkeypatch.context() as patched:
        patched.delattr(starts, "check_version")  # so that looking into it fails the test
        assert code_of(starts.retry_execution, platform, ann, waits.id) == "source.gone"
        again, _ = starts.retry_execution(platform, ann, waits.id, first_step="synthesis")
    assert (again.kind, again.source_id) == ("generate", None)
    level("edit")
    assert syntheses.read_synthesis(platform, ann, synthesis_id).source_id is None, "he gives it again or not"
    syntheses.update_synthesis(platform, bob, synthesis_id, **change | {"expected": 2})
    starts.start_run(platform, ann, synthesis_id, Order())


def test_the_source_of_the_owner_stays_whoever_leaves(
    platform: Platform, ann: Actor, bob: Actor, source_id: str, synthesis_id: str
) -> None:
    level = _sharing(platform, ann, synthesis_id, bob)
    level("edit")
    made, _ = starts.start_run(platform, bob, synthesis_id, Order())
    level(None)
    assert syntheses.read_synthesis(platform, ann, synthesis_id).source_id == source_id
    executions.cancel_execution(platform, ann, made.id)
    again, _ = starts.retry_execution(platform, ann, made.id)
    assert again.source_id == source_id
    assert code_of(executions.read_execution, platform, bob, made.id) == "access.not_found"


def _sharing(platform: Platform, owner: Actor, synthesis_id: str, other: Actor) -> Any:
    """Give what sets the level of somebody's share; None ends it."""
    with platform.records.read() as connection:
        email = connection.execute(select(users.c.email).where(users.c.id == other.user_id)).scalar_one()

    def set_level(level: Any) -> None:
        if level is None:
            remove_share(platform, owner, synthesis_id, other.user_id)
        else:
            set_share(platform, owner, synthesis_id, NewShare(email=email, level=level))

    return set_level


def test_a_source_that_goes_while_a_retry_is_checked_is_said_to_be_gone(
    platform: Platform, ann: Actor, source_id: str, synthesis_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    executions.cancel_execution(platform, ann, made.id)
    check = starts.check_version

    def check_and_lose(*arguments: Any) -> Any:
        checked = check(*arguments)
        sources.delete_source(platform, ann, source_id)
        return checked

    monkeypatch.setattr(starts, "check_version", check_and_lose)
    assert code_of(starts.retry_execution, platform, ann, made.id) == "source.gone"
    assert [one.reserved for one in _quotas(platform, ann)] == [0.0, 0.0], "nothing stays reserved"
