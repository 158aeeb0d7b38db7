"""Words that several resources share: errors of their kind, and the query of a page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from kinsynth.service.pages import MOST, USUAL, Wanted

PASSWORDS = ("passwords.short", "passwords.long", "passwords.common")
PAGES = {422: ("request.cursor",)}


async def _read_page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most objects in the answer.")] = USUAL,
    cursor: Annotated[str | None, Query(max_length=400, description="``next`` of the page before.")] = None,
) -> Wanted:
    return Wanted(limit, cursor)


PageOf = Annotated[Wanted, Depends(_read_page)]
