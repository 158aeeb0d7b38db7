"""Drafts: documents that somebody works on, looked at without being saved."""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Body, Document, Sealed
from kinsynth.server.codes import BUSY, DAMAGED, DOCUMENT, READING
from kinsynth.server.operation import make_router, operation
from kinsynth.service import drafts
from kinsynth.service.analysis.views import CheckView, DetectionView

router = make_router()
_DRAFT = "/syntheses/{synthesis_id}/draft"
_LOOKED_AT = {409: ("source.not_sealed",), 422: (*READING, *DOCUMENT), 500: DAMAGED, 503: BUSY}


class Draft(Body):
    """A document that somebody works on."""

    document: Document


class DraftAgainst(Draft):
    """A document that somebody works on, and what it is looked at against."""

    source_version: Sealed | None = Field(None, description="Null is the newest.")


class DraftText(Body):
    """A document as somebody wrote it."""

    text: str = Field(description="YAML, as kinsynth init writes it.")


@operation(router, "POST", _DRAFT + "/checks", "drafts.check", errors=_LOOKED_AT)
def check(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: DraftAgainst) -> CheckView:
    """Check a document against the synthesis' source without saving it: all findings, and the cost."""
    return drafts.check_draft(
        platform, actor, synthesis_id, document=body.document, source_version=body.source_version
    )


@operation(router, "POST", _DRAFT + "/detection", "drafts.detect", errors=_LOOKED_AT)
def detect(
    platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: DraftAgainst
) -> DetectionView:
    """Find tables, types, keys and relations of the synthesis' source under a document."""
    return drafts.detect_draft(
        platform, actor, synthesis_id, document=body.document, source_version=body.source_version
    )


@operation(
    router,
    "POST",
    _DRAFT + "/yaml",
    "drafts.write",
    errors={422: DOCUMENT},
    response_class=Response,
    success={"application/yaml": {"schema": {"type": "object"}}},
)
def write(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: Draft) -> Response:
    """Write a document as YAML with comments."""
    text = drafts.write_draft(platform, actor, synthesis_id, body.document)
    return Response(text, media_type="application/yaml")


@operation(
    router, "POST", _DRAFT + "/document", "drafts.read", errors={422: DOCUMENT, 500: DAMAGED, 503: BUSY}
)
def read(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: DraftText) -> Draft:
    """Read a document in YAML without saving it; its paths are left out."""
    return Draft(document=drafts.read_draft(platform, actor, synthesis_id, body.text))
