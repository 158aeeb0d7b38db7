"""News of syntheses: the newest execution, and the scores of the newest run that succeeded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from finished_run import succeed
from installation import make_source
from kinsynth.service import executions, starts, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.news import NewestView, ScoresView
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.service.starts import Order
from kinsynth.storage.clock import now
from kinsynth.storage.tables import steps
from shop_database import write_shops

DOCUMENT: dict[str, Any] = {"tables": {"region": {"original": True}}}


@pytest.fixture
def synthesis_id(platform: Platform, ann: Actor, tmp_path: Path) -> str:
    """A synthesis that fits its source."""
    write_shops(tmp_path / "shops")
    source_id = make_source(platform, ann, tmp_path / "shops")
    return syntheses.create_synthesis(platform, ann, source_id, name="Shops", document=DOCUMENT)[0].id


def finish(platform: Platform, execution_id: str, folder: Path, outcome: dict[str, Any]) -> None:
    """Let an execution succeed whose report left this."""
    succeed(platform, execution_id, folder)
    said = {"execution_id": execution_id, "step": "report", "epoch": 1, "outcome": outcome}
    with platform.records.write() as connection:
        connection.execute(insert(steps).values(**said, started_at=now(), finished_at=now()))


def news(platform: Platform, ann: Actor, synthesis_id: str) -> tuple[NewestView | None, ScoresView | None]:
    """Give what a listing says, which is what the synthesis itself says."""
    (listed,) = syntheses.list_syntheses(platform, ann, Wanted()).items
    found = syntheses.read_synthesis(platform, ann, synthesis_id)
    assert (listed.newest, listed.scores) == (found.newest, found.scores)
    return found.newest, found.scores


def test_scores_stay_while_the_next_execution_is_on_its_way(
    platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path
) -> None:
    assert news(platform, ann, synthesis_id) == (None, None)
    first, _ = starts.start_run(platform, ann, synthesis_id, Order("first"))
    newest, scores = news(platform, ann, synthesis_id)
    assert newest is not None
    assert (newest.id, newest.name, newest.status, scores) == (first.id, "first", "queued", None)
    finish(platform, first.id, tmp_path, {"outputs": {}, "scores": {"accuracy": 9.1, "privacy": None}})
    kept = ScoresView(execution_id=first.id, accuracy=9.1, privacy=None)
    newest, scores = news(platform, ann, synthesis_id)
    assert newest is not None
    assert (newest.status, scores) == ("succeeded", kept)
    second, _ = starts.start_run(platform, ann, synthesis_id, Order("second"))
    executions.cancel_execution(platform, ann, second.id)
    newest, scores = news(platform, ann, synthesis_id)
    assert newest is not None
    assert (newest.id, newest.status, scores) == (second.id, "cancelled", kept)


def test_a_report_of_an_older_version_has_no_scores(
    platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path
) -> None:
    made, _ = starts.start_run(platform, ann, synthesis_id, Order())
    finish(platform, made.id, tmp_path, {"outputs": {}})
    newest, scores = news(platform, ann, synthesis_id)
    assert newest is not None
    assert (newest.status, scores) == ("succeeded", None)
