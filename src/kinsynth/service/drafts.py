"""Drafts: documents that somebody works on, looked at against a synthesis' source; nothing of them is kept.

A draft asks questions of originals that its author chooses, so that it takes the right to edit, as writing it
and checking that would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinsynth.service.actor import Actor
from kinsynth.service.analysis.versions import check_version, detect, find_version
from kinsynth.service.analysis.views import CheckView, DetectionView
from kinsynth.service.documents import Document, bind, settle
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.service.syntheses import names_of_source, read_row
from kinsynth.settings.document import dump, parse


def check_draft(
    platform: Platform,
    actor: Actor,
    synthesis_id: str,
    *,
    document: Mapping[str, Any],
    source_version: int | None = None,
) -> CheckView:
    """Check a draft against a version of the synthesis' source, None for the newest, and assess its cost."""
    source_id = _source_id(platform, actor, "drafts.check", synthesis_id)
    return check_version(platform, find_version(platform, source_id, source_version), settle(document))


def detect_draft(
    platform: Platform,
    actor: Actor,
    synthesis_id: str,
    *,
    document: Mapping[str, Any],
    source_version: int | None = None,
) -> DetectionView:
    """Say what the synthesis' source holds; what the draft declares goes before what is detected."""
    source_id = _source_id(platform, actor, "drafts.detect", synthesis_id)
    return detect(platform, find_version(platform, source_id, source_version), settle(document))


def write_draft(platform: Platform, actor: Actor, synthesis_id: str, document: Mapping[str, Any]) -> str:
    """Give a draft as YAML with comments."""
    with platform.records.read() as connection:
        require(connection, actor, "drafts.write", synthesis_id)
        names = names_of_source(connection, read_row(connection, synthesis_id).source_id)
    return dump(parse(bind(settle(document), names)))


def read_draft(platform: Platform, actor: Actor, synthesis_id: str, text: str) -> Document:
    """Give the document that somebody wrote as YAML; its paths are left out.

    Raises:
        SettingsError: The text is no document; ``findings`` names all that is wrong.
    """
    with platform.records.read() as connection:
        require(connection, actor, "drafts.read", synthesis_id)
    with platform.analysts.folder() as folder:
        return settle(platform.analysts.call("read_document", {"text": text}, folder))


def _source_id(platform: Platform, actor: Actor, operation: str, synthesis_id: str) -> str | None:
    with platform.records.read() as connection:
        require(connection, actor, operation, synthesis_id)
        source_id: str | None = read_row(connection, synthesis_id).source_id
        return source_id
