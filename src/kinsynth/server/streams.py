"""Streams: the events of an execution as they come, to anybody who may still see them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from kinsynth.errors import AccessError, TransientError
from kinsynth.service.executions import EventsView, read_events_view
from kinsynth.service.people.identity import Credentials, admit
from kinsynth.service.platform import Platform

OPERATION = "executions.stream"
LOOK_S, COMMENT_S, ADMIT_S = 0.5, 15.0, 30.0
_SELDOM_S, _PATIENCE = 2.0, 0.1  # where nothing happened for a while, nothing is missed by looking less often
_AT_ONCE = 500


async def follow_events(
    platform: Platform, credentials: Credentials, execution_id: str, after: int
) -> AsyncIterator[str]:
    """Give events as text of server-sent events.

    Args:
        platform: The platform.
        credentials: Of who asks; they are looked at again every 30 seconds.
        execution_id: The execution.
        after: Number of the last event known.

    Guarantees:
        Each event comes once, in order, with its number as ``id``; a comment every 15 seconds keeps the
        connection; after the last event of an execution that ended comes ``end``. Nothing more comes once
        it was deleted, or may not be seen any more.
    """
    admitted = said = heard = time.monotonic()
    while True:
        try:
            found = await _look(platform, execution_id, after)
        except AccessError:  # it was deleted
            return
        for one in found.items if found else ():
            after = one.number
            yield f"id: {one.number}\nevent: {one.body['kind']}\ndata: {json.dumps(one.body)}\n\n"
        if found and found.ended:
            yield f"event: end\ndata: {json.dumps({'status': found.status})}\n\n"
            return
        now = time.monotonic()
        if found and found.items:
            said = heard = now
        elif now - said >= COMMENT_S:
            said = now
            yield ": here\n\n"
        if now - admitted >= ADMIT_S:
            if not await _may(platform, credentials, execution_id):
                return
            admitted = now
        if not (found and len(found.items) == _AT_ONCE):
            await asyncio.sleep(max(LOOK_S, min(_SELDOM_S, (now - heard) * _PATIENCE)))


async def _look(platform: Platform, execution_id: str, after: int) -> EventsView | None:
    """Read the next events; None while the database is away.

    Raises:
        AccessError: There is no such execution any more.
    """

    def read() -> EventsView:
        with platform.records.read() as connection:
            return read_events_view(connection, execution_id, after, _AT_ONCE)

    try:
        return await run_in_threadpool(read)
    except TransientError:
        return None


async def _may(platform: Platform, credentials: Credentials, execution_id: str) -> bool:
    try:
        await run_in_threadpool(admit, platform, credentials, OPERATION, execution_id)
    except AccessError:
        return False
    except TransientError:
        return True  # asked again in a moment; nothing is read from a database that is away
    return True
