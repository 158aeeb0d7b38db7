"""Contents: files that leave as a stream, and uploads that come as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter, from_thread, to_thread
from fastapi import Request
from starlette.responses import StreamingResponse

from kinsynth.service.results import Content

UPLOADS = 24
Received = TypeVar("Received")
BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def send_content(content: Content, *, shown: bool = False) -> StreamingResponse:
    """Send a file; what is wrong with its first part is told as an error, later the connection breaks.

    Args:
        content: The file.
        shown: Whether a browser shows it where it can, rather than saves it.
    """
    chunks = iter(content.chunks)
    first = next(chunks, b"")
    use = "inline" if shown else "attachment"
    headers = {
        "Content-Length": str(content.size),
        "Content-Disposition": f"{use}; filename*=UTF-8''{quote(content.name, safe='')}",
        "ETag": f'"{content.digest}"',
    }
    return StreamingResponse(chain([first], chunks), headers=headers, media_type=content.media_type)


async def receive(work: Callable[[Iterator[bytes]], Received], request: Request) -> Received:
    """Give a body to a function that takes it piece by piece, in a thread.

    Uploads have threads of their own: slow ones must not take those that serve everybody else.
    """
    return await to_thread.run_sync(work, read_chunks(request), limiter=_uploads())


@cache
def _uploads() -> CapacityLimiter:
    return CapacityLimiter(UPLOADS)


def read_chunks(request: Request) -> Iterator[bytes]:
    """Give a body piece by piece to a function that runs in a thread."""
    stream = request.stream()

    async def following() -> bytes | None:
        return await anext(stream, None)

    while (chunk := from_thread.run(following)) is not None:
        yield chunk
