"""The audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import audit
from kinsynth.service.audit import Asked, AuditEntry, AuditState, Outcome
from kinsynth.service.pages import Page

router = make_router()
_Action = Annotated[
    str | None, Query(max_length=60, description="An operation, or a kind of them: ``tokens``.")
]
_Id = Annotated[str | None, Query(max_length=40, description="Only those of this id.")]
_Outcome = Annotated[Outcome | None, Query(description="Only those done, or those refused.")]


async def _read_asked(
    actor_id: _Id = None, action: _Action = None, object_id: _Id = None, outcome: _Outcome = None
) -> Asked:
    return Asked(actor_id, action, object_id, outcome)


AskedOf = Annotated[Asked, Depends(_read_asked)]


@operation(router, "GET", "/audit", "audit.list", errors=PAGES)
def list_all(platform: OpenPlatform, actor: CurrentActor, page: PageOf, asked: AskedOf) -> Page[AuditEntry]:
    """List entries, the newest first."""
    return audit.list_entries(platform, actor, page, asked)


@operation(router, "GET", "/audit/state", "audit.verify", errors={500: ("audit.broken",)})
def verify(platform: OpenPlatform, actor: CurrentActor) -> AuditState:
    """Compute all digests again, and give the last one."""
    return audit.verify(platform, actor)
