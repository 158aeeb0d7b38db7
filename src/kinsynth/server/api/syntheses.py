"""Syntheses: documents, checks, copies."""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Body, Document, Key, NameQuery, Number, Renamed, Sealed
from kinsynth.server.codes import BUSY, DAMAGED, DOCUMENT, KEY, READING
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import syntheses
from kinsynth.service.analysis.views import AssessmentView, CheckView
from kinsynth.service.fields import Name, Short
from kinsynth.service.pages import Page
from kinsynth.service.syntheses import (
    SynthesisDetail,
    SynthesisVersion,
    SynthesisVersionDetail,
    SynthesisView,
)

router = make_router()
_ONE = "/syntheses/{synthesis_id}"
_MADE = {404: ("access.not_found",), 409: KEY, 422: (*READING, *DOCUMENT), 500: DAMAGED, 503: BUSY}
_CHECKED = {409: ("source.not_sealed",), 422: READING, 500: DAMAGED, 503: BUSY}


class NewSynthesis(Body):
    """A synthesis to make."""

    source_id: str
    name: Name
    document: Document | None = Field(None, description="Null takes what is detected.")


class ImportedSynthesis(Body):
    """A synthesis whose document is YAML."""

    source_id: str
    text: str = Field(description="The document, as kinsynth init writes it.")
    name: Short = Field("", description="Empty for the name in the document.")


class ChangedSynthesis(Body):
    """A new version of a document."""

    document: Document
    version: Sealed = Field(description="The version that was changed.")
    source_id: str | None = Field(None, description="Another source of one's own; null keeps it.")


class Copied(Body):
    """A copy."""

    name: Short = Field("", description="Empty for a name made of the old one.")


class Checked(Body):
    """What a document is checked against."""

    source_version: Sealed | None = Field(None, description="Null is the newest.")


@operation(router, "POST", "/syntheses", "syntheses.create", status=201, errors=_MADE)
def create(
    platform: OpenPlatform, actor: CurrentActor, body: NewSynthesis, key: Key = None
) -> SynthesisDetail:
    """Make a synthesis of a source: of a given document, or of what is detected."""
    return syntheses.create_synthesis(
        platform, actor, body.source_id, name=body.name, document=body.document, key=key
    )[0]


@operation(router, "POST", "/syntheses/import", "syntheses.import", status=201, errors=_MADE)
def import_yaml(
    platform: OpenPlatform, actor: CurrentActor, body: ImportedSynthesis, key: Key = None
) -> SynthesisDetail:
    """Make a synthesis of a document in YAML; its paths are replaced by the source."""
    return syntheses.import_synthesis(
        platform, actor, body.source_id, text=body.text, name=body.name, key=key
    )[0]


@operation(router, "GET", "/syntheses", "syntheses.list", errors=PAGES)
def list_all(
    platform: OpenPlatform, actor: CurrentActor, page: PageOf, name: NameQuery = ""
) -> Page[SynthesisView]:
    """List what one owns or has a share of, the newest first."""
    return syntheses.list_syntheses(platform, actor, page, name=name)


@operation(router, "GET", _ONE, "syntheses.read")
def read(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str) -> SynthesisDetail:
    """Read a synthesis with its document."""
    return syntheses.read_synthesis(platform, actor, synthesis_id)


@operation(router, "PUT", _ONE, "syntheses.update", errors={409: ("synthesis.changed",), 422: DOCUMENT})
def update(
    platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: ChangedSynthesis
) -> SynthesisDetail:
    """Write a new version of the document."""
    return syntheses.update_synthesis(
        platform,
        actor,
        synthesis_id,
        document=body.document,
        expected=body.version,
        source_id=body.source_id,
    )


@operation(router, "PATCH", _ONE, "syntheses.rename")
def rename(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: Renamed) -> SynthesisDetail:
    """Rename a synthesis."""
    return syntheses.rename_synthesis(platform, actor, synthesis_id, body.name)


@operation(router, "DELETE", _ONE, "syntheses.delete", status=204, errors={409: ("synthesis.in_use",)})
def delete(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str) -> None:
    """Delete a synthesis with its executions, models and results."""
    syntheses.delete_synthesis(platform, actor, synthesis_id)


@operation(router, "POST", _ONE + "/clone", "syntheses.clone", status=201, errors={409: KEY})
def clone(
    platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: Copied, key: Key = None
) -> SynthesisDetail:
    """Copy a synthesis: its newest document and its source."""
    return syntheses.clone_synthesis(platform, actor, synthesis_id, name=body.name, key=key)[0]


@operation(
    router,
    "GET",
    _ONE + "/export",
    "syntheses.export",
    response_class=Response,
    success={"application/yaml": {"schema": {"type": "object"}}},
)
def export(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str) -> Response:
    """Read the document as YAML with comments."""
    text = syntheses.export_synthesis(platform, actor, synthesis_id)
    return Response(text, media_type="application/yaml")


@operation(router, "GET", _ONE + "/versions", "syntheses.versions", errors=PAGES)
def list_versions(
    platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, page: PageOf
) -> Page[SynthesisVersion]:
    """List the versions of a document, the newest first."""
    return syntheses.list_synthesis_versions(platform, actor, synthesis_id, page)


@operation(router, "GET", _ONE + "/versions/{number}", "syntheses.version")
def read_version(
    platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, number: Number
) -> SynthesisVersionDetail:
    """Read one version of a document."""
    return syntheses.read_synthesis_version(platform, actor, synthesis_id, number)


@operation(router, "POST", _ONE + "/checks", "syntheses.check", errors=_CHECKED)
def check(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: Checked) -> CheckView:
    """Check the newest document against its source: all findings at once, and the cost where none blocks."""
    return syntheses.check_synthesis(platform, actor, synthesis_id, source_version=body.source_version)


@operation(
    router,
    "POST",
    _ONE + "/assessment",
    "syntheses.assess",
    errors={**_CHECKED, 422: (*READING, "synthesis.unfit")},
)
def assess(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: Checked) -> AssessmentView:
    """Say what a run will cost in time and memory, and what would lower it."""
    return syntheses.assess_synthesis(platform, actor, synthesis_id, source_version=body.source_version)
