"""Syntheses: made of what is detected, changed in versions, checked against new data, shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from installation import make_source
from kinsynth.errors import ConflictError, KinsynthError, SettingsError
from kinsynth.service import sources, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.executions import list_executions, read_execution
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.settings.document import parse, read_yaml
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import executions, shares, steps
from shop_database import write_shops


@pytest.fixture
def source_id(platform: Platform, ann: Actor, tmp_path: Path) -> str:
    """A sealed source with three tables."""
    write_shops(tmp_path / "shops")
    return make_source(platform, ann, tmp_path / "shops")


def share(platform: Platform, synthesis_id: str, actor: Actor, level: str) -> None:
    with platform.records.write() as connection:
        connection.execute(
            insert(shares).values(
                synthesis_id=synthesis_id, user_id=actor.user_id, level=level, created_at=now()
            )
        )


def code_of(call: object, *arguments: object, **more: object) -> str:
    with pytest.raises(KinsynthError) as caught:
        call(*arguments, **more)  # type: ignore[operator]
    return caught.value.code


def test_a_synthesis_is_made_of_what_is_detected(platform: Platform, ann: Actor, source_id: str) -> None:
    made, new = syntheses.create_synthesis(platform, ann, source_id, name="Shops", key="k")
    assert new
    assert made.document["name"] == "Shops"
    assert {name: table["primary_key"] for name, table in made.document["tables"].items()} == {
        "region": ["region_id"],
        "shop": ["shop_id"],
        "sale": ["sale_id"],
    }
    again, new = syntheses.create_synthesis(platform, ann, source_id, name="Shops", key="k")
    assert (again, new) == (made, False)
    checked = syntheses.check_synthesis(platform, ann, made.id)
    assert [one.code for one in checked.findings if one.severity == "error"] == ["data.too_few_rows"]
    document = {**made.document, "tables": {**made.document["tables"], "region": {"original": True}}}
    syntheses.update_synthesis(platform, ann, made.id, document=document, expected=1)
    checked = syntheses.check_synthesis(platform, ann, made.id)
    assert checked.rows == {"shop": 150}
    assert syntheses.assess_synthesis(platform, ann, made.id) == checked.assessment


def test_a_document_that_does_not_fit_new_data_is_a_finding(
    platform: Platform, ann: Actor, source_id: str
) -> None:
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops")
    document = {**made.document, "tables": {**made.document["tables"], "region": {"original": True}}}
    syntheses.update_synthesis(platform, ann, made.id, document=document, expected=1)
    version, _ = sources.open_version(platform, ann, source_id, copy=True)
    renamed = b"shop_id,region_id,extent\n" + b"".join(b"S%04d,1,small\n" % n for n in range(150))
    sources.put_file(platform, ann, source_id, version.number, name="shop.csv", chunks=[renamed])
    sources.seal_version(platform, ann, source_id, version.number)
    found = syntheses.check_synthesis(platform, ann, made.id)
    assert {one.where for one in found.findings if one.code == "data.unknown_column"} == {
        "tables.shop.columns.size",
        "tables.shop.columns.opened",
        "tables.shop.order_by",
    }
    assert found.assessment is None
    assert code_of(syntheses.assess_synthesis, platform, ann, made.id) == "synthesis.unfit"
    old = syntheses.check_synthesis(platform, ann, made.id, source_version=1)
    assert old.assessment is not None


def test_a_change_names_the_version_it_changes(platform: Platform, ann: Actor, source_id: str) -> None:
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document={})
    changed = syntheses.update_synthesis(
        platform, ann, made.id, document={"training": {"max_epochs": 3}}, expected=1
    )
    assert (changed.version, changed.document["training"]) == (2, {"max_epochs": 3})
    with pytest.raises(ConflictError, match=r"synthesis\.changed"):
        syntheses.update_synthesis(platform, ann, made.id, document={}, expected=1)
    with pytest.raises(SettingsError) as caught:
        syntheses.update_synthesis(platform, ann, made.id, document={"no": 1}, expected=2)
    assert [one.where for one in caught.value.findings] == ["no"]
    found = syntheses.list_synthesis_versions(platform, ann, made.id, Wanted())
    assert [one.number for one in found.items] == [2, 1]
    first = syntheses.read_synthesis_version(platform, ann, made.id, 1)
    assert "training" not in first.document
    assert code_of(syntheses.read_synthesis_version, platform, ann, made.id, 3) == "access.not_found"


def test_the_same_change_sent_again_is_no_conflict(
    platform: Platform, ann: Actor, bob: Actor, source_id: str
) -> None:
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document={})
    other, _ = sources.create_source(platform, ann, "other")
    share(platform, made.id, bob, "edit")
    change: dict[str, Any] = {"document": {"training": {"max_epochs": 3}}, "expected": 1}
    changed = syntheses.update_synthesis(platform, ann, made.id, **change)
    assert syntheses.update_synthesis(platform, ann, made.id, **change) == changed
    for who, another in ((bob, {}), (ann, {"document": {}}), (ann, {"source_id": other.id})):
        with pytest.raises(ConflictError, match=r"synthesis\.changed"):
            syntheses.update_synthesis(platform, who, made.id, **change | another)
    syntheses.update_synthesis(platform, ann, made.id, document={}, expected=2)
    with pytest.raises(ConflictError, match=r"synthesis\.changed"):
        syntheses.update_synthesis(platform, ann, made.id, **change)
    found = syntheses.list_synthesis_versions(platform, ann, made.id, Wanted(2))
    rest = syntheses.list_synthesis_versions(platform, ann, made.id, Wanted(2, found.next))
    assert [one.number for page in (found, rest) for one in page.items] == [3, 2, 1]
    assert rest.next is None


def test_a_document_goes_out_and_comes_back(platform: Platform, ann: Actor, source_id: str) -> None:
    document = {"name": "Läden", "training": {"max_epochs": 3}, "source": {"paths": ["/etc"]}}
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="x", document=document)
    text = syntheses.export_synthesis(platform, ann, made.id)
    assert parse(read_yaml(text, where="")).source.paths == ("region.csv", "sale.csv", "shop.csv")
    back, _ = syntheses.import_synthesis(platform, ann, source_id, text=text)
    assert back.name == "Läden"
    assert parse(back.document) == parse(made.document)
    assert code_of(syntheses.import_synthesis, platform, ann, source_id, text="a: [") == "settings.syntax"
    memory = {"source": {"kind": "memory"}}
    refused = code_of(syntheses.create_synthesis, platform, ann, source_id, name="x", document=memory)
    assert refused == "synthesis.source_kind"


def test_a_copy_has_no_shares(platform: Platform, ann: Actor, bob: Actor, source_id: str) -> None:
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document={})
    share(platform, made.id, bob, "edit")
    copy, _ = syntheses.clone_synthesis(platform, ann, made.id)
    assert (copy.name, copy.source_id, copy.document) == ("Shops (copy)", source_id, made.document)
    assert code_of(syntheses.read_synthesis, platform, bob, copy.id) == "access.not_found"


def test_levels_decide(platform: Platform, ann: Actor, bob: Actor, source_id: str) -> None:
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document={})
    assert code_of(syntheses.read_synthesis, platform, bob, made.id) == "access.not_found"
    share(platform, made.id, bob, "view")
    assert [(one.id, one.level) for one in syntheses.list_syntheses(platform, bob, Wanted()).items] == [
        (made.id, "view")
    ]
    assert syntheses.read_synthesis(platform, bob, made.id).level == "view"
    update = syntheses.update_synthesis
    assert code_of(update, platform, bob, made.id, document={}, expected=1) == "access.forbidden"
    assert code_of(syntheses.delete_synthesis, platform, bob, made.id) == "access.forbidden"
    assert code_of(sources.read_source, platform, bob, source_id) == "access.not_found"


def add_run(
    platform: Platform,
    made: syntheses.SynthesisDetail,
    at: float,
    *,
    scores: dict[str, Any] | None,
    status: str,
) -> str:
    """An execution, with the outcome of its report where it has one."""
    execution_id = make_id("exe")
    counters = ("lease_expires_at", "epoch", "attempt", "losses", "next_event", "reserved_rows", "used_rows")
    with platform.records.write() as connection:
        connection.execute(
            insert(executions).values(
                **dict.fromkeys((*counters, "reserved_seconds", "used_seconds", "charged_seconds"), 0),
                id=execution_id,
                synthesis_id=made.id,
                synthesis_version=1,
                name="Run",
                source_id=made.source_id,
                source_version=1,
                owner_id=made.owner_id,
                kind="run",
                document={},
                request={},
                status=status,
                created_at=at,
            )
        )
        if scores is not None:
            outcome = {"step": "report", "outputs": {}, "limits": [], "scores": scores}
            values = {"step": "report", "epoch": 0, "started_at": at, "finished_at": at, "outcome": outcome}
            connection.execute(insert(steps).values(execution_id=execution_id, **values))
    return execution_id


def test_a_list_shows_what_came_of_the_last_executions(
    platform: Platform, ann: Actor, bob: Actor, source_id: str
) -> None:
    """The newest execution with its status, and the newest scores, which may be of an earlier one."""
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document={})
    other, _ = syntheses.create_synthesis(platform, ann, source_id, name="Other", document={})
    assert (made.execution_id, made.scored_id, made.accuracy, made.privacy) == (None, None, None, None)
    add_run(platform, made, 1.0, scores={"accuracy": 5.0, "privacy": 9.5}, status="succeeded")
    scored = add_run(platform, made, 2.0, scores={"accuracy": 8.25, "privacy": None}, status="succeeded")
    add_run(platform, made, 3.0, scores={"accuracy": None, "privacy": None}, status="succeeded")
    newest = add_run(platform, made, 4.0, scores=None, status="failed")
    share(platform, made.id, bob, "view")
    by_id = {one.id: one for one in syntheses.list_syntheses(platform, ann, Wanted()).items}
    assert len(by_id) == 2
    assert by_id[other.id].execution_id is None
    found = by_id[made.id]
    assert (found.execution_id, found.execution_status) == (newest, "failed")
    assert (found.scored_id, found.accuracy, found.privacy) == (scored, 8.25, None)
    assert found.source_name == sources.read_source(platform, ann, source_id).name
    theirs = syntheses.list_syntheses(platform, bob, Wanted()).items[0]
    assert theirs == found.model_copy(update={"level": "view", "source_name": None})
    assert syntheses.read_synthesis(platform, bob, made.id).owner_name == found.owner_name
    listed = list_executions(platform, ann, Wanted(), synthesis_id=made.id).items
    assert [(one.accuracy, one.privacy) for one in listed] == [
        (None, None),
        (None, None),
        (8.25, None),
        (5.0, 9.5),
    ]
    assert read_execution(platform, bob, scored).accuracy == 8.25


def test_a_deleted_source_leaves_the_synthesis(platform: Platform, ann: Actor, source_id: str) -> None:
    made, _ = syntheses.create_synthesis(platform, ann, source_id, name="Shops", document={})
    sources.delete_source(platform, ann, source_id)
    assert syntheses.read_synthesis(platform, ann, made.id).source_id is None
    assert code_of(syntheses.check_synthesis, platform, ann, made.id) == "source.gone"
    syntheses.delete_synthesis(platform, ann, made.id)
    assert syntheses.list_syntheses(platform, ann, Wanted()).items == ()


def test_a_synthesis_of_a_source_without_files_is_exported(platform: Platform, ann: Actor) -> None:
    source, _ = sources.create_source(platform, ann, "s")
    made, _ = syntheses.create_synthesis(platform, ann, source.id, name="Early", document={"name": "Early"})
    text = syntheses.export_synthesis(platform, ann, made.id)
    exported = parse(read_yaml(text, where="document"))
    assert (exported.name, exported.source.paths) == ("Early", ())
