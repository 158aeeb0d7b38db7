"""The audit log."""

from __future__ import annotations

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import audit
from kinsynth.service.audit import AuditEntry, AuditState
from kinsynth.service.pages import Page

router = make_router()


@operation(router, "GET", "/audit", "audit.list", errors=PAGES)
def list_all(platform: OpenPlatform, actor: CurrentActor, page: PageOf) -> Page[AuditEntry]:
    """List entries, the newest first."""
    return audit.list_entries(platform, actor, page)


@operation(router, "GET", "/audit/state", "audit.verify", errors={500: ("audit.broken",)})
def verify(platform: OpenPlatform, actor: CurrentActor) -> AuditState:
    """Compute all digests again, and give the last one."""
    return audit.verify(platform, actor)
