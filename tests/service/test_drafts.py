"""Drafts: looked at as if they were saved, by who could save them; nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation import make_source
from kinsynth.errors import KinsynthError, SettingsError
from kinsynth.service import drafts, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.service.syntheses import SynthesisDetail
from kinsynth.settings.document import parse, read_yaml
from objects import share
from shop_database import write_shops

ORIGINAL = {"region": {"original": True}}


@pytest.fixture
def made(platform: Platform, ann: Actor, tmp_path: Path) -> SynthesisDetail:
    """A synthesis of three tables, as detected."""
    write_shops(tmp_path / "shops")
    source_id = make_source(platform, ann, tmp_path / "shops")
    return syntheses.create_synthesis(platform, ann, source_id, name="Shops")[0]


def test_a_draft_is_checked_as_if_it_were_saved(
    platform: Platform, ann: Actor, made: SynthesisDetail
) -> None:
    tables = {**made.document["tables"], **ORIGINAL}
    checked = drafts.check_draft(platform, ann, made.id, document={**made.document, "tables": tables})
    assert (checked.rows, checked.assessment is not None) == ({"shop": 150}, True)
    saved = syntheses.check_synthesis(platform, ann, made.id)
    assert [one.code for one in saved.findings if one.severity == "error"] == ["data.too_few_rows"]
    assert [
        one.number for one in syntheses.list_synthesis_versions(platform, ann, made.id, Wanted()).items
    ] == [1]


def test_what_a_draft_declares_goes_before_what_is_detected(
    platform: Platform, ann: Actor, made: SynthesisDetail
) -> None:
    document = {"tables": {**ORIGINAL, "sale": {"primary_key": []}}}
    found = {one.name: one for one in drafts.detect_draft(platform, ann, made.id, document=document).tables}
    assert (found["sale"].primary_key, found["sale"].proposed_key) == ((), ("sale_id",))
    assert found["region"].original


def test_a_draft_survives_the_way_through_yaml(platform: Platform, ann: Actor, made: SynthesisDetail) -> None:
    text = drafts.write_draft(platform, ann, made.id, {"name": "no", "tables": ORIGINAL})
    assert read_yaml(text, where="it")["source"]["paths"] == ["region.csv", "sale.csv", "shop.csv"]
    document = drafts.read_draft(platform, ann, made.id, text)
    written = parse(document)
    assert (written.name, written.tables["region"].original, written.source.paths) == ("no", True, ())


def test_what_is_wrong_in_a_text_is_named(platform: Platform, ann: Actor, made: SynthesisDetail) -> None:
    with pytest.raises(SettingsError) as caught:
        drafts.read_draft(platform, ann, made.id, "training: {max_epochs: 0}\nroot: one\n")
    assert {one.where for one in caught.value.findings} == {"training.max_epochs", "root"}


def test_a_draft_is_looked_at_by_who_may_edit(
    platform: Platform, ann: Actor, bob: Actor, made: SynthesisDetail
) -> None:
    share(platform, made.id, bob.user_id, "run")
    syntheses.check_synthesis(platform, bob, made.id)
    with pytest.raises(KinsynthError) as caught:
        drafts.check_draft(platform, bob, made.id, document={})
    assert caught.value.code == "access.forbidden"
