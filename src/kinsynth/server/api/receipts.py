"""Receipts of what was removed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service.pages import Page
from kinsynth.service.receipts import ReceiptView, list_receipts

router = make_router()
SubjectQuery = Annotated[str | None, Query(max_length=40, description="Only those of this object.")]


@operation(router, "GET", "/receipts", "receipts.list", errors=PAGES)
def list_all(
    platform: OpenPlatform, actor: CurrentActor, page: PageOf, subject_id: SubjectQuery = None
) -> Page[ReceiptView]:
    """List what was removed, the newest first; ids, numbers and times only."""
    return list_receipts(platform, actor, page, subject_id=subject_id)
