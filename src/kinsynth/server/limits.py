"""Limits of a request: bytes while they are read, headers, and the depth and the letters of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from anyio import fail_after
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from kinsynth.errors import UserError
from kinsynth.server.errors import answer

MOST_HEADERS = 64
MOST_HEADER_BYTES = 32_768
MOST_TARGET_BYTES = 8_192
DEEPEST = 40
PATIENCE_S = 60.0  # with a sender who is silent: a connection may be gone without a word
_SMALL = 65_536
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{\]}]', re.DOTALL)  # texts are passed over whole
_ODD_LETTERS = re.compile(r"\\u(0000|[dD][89a-fA-F])")


class HeaderLimit:
    """Refuses requests with too many or too large headers, or with a NUL in their address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        refused = _look_at_head(scope) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await answer(refused, scope["request_id"])(scope, receive, send)


def _look_at_head(scope: Scope) -> UserError | None:
    headers = Headers(scope=scope).raw
    size = sum(len(name) + len(value) for name, value in headers)
    target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if len(headers) > MOST_HEADERS or size > MOST_HEADER_BYTES or target > MOST_TARGET_BYTES:
        return UserError(
            "request.headers",
            f"At most {MOST_HEADERS} headers, {MOST_HEADER_BYTES} bytes of them and {MOST_TARGET_BYTES} "
            "bytes of address are read.",
            remedy="Send less.",
        )
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return UserError(
            "request.invalid", "The address holds a NUL character.", remedy="Leave it out.", where="path"
        )
    return None


class LimitedRequest(Request):
    """A request whose body is refused while it is read, and whose JSON means one thing only."""

    most_bytes: int

    async def stream(self) -> AsyncIterator[bytes]:  # type: ignore[override]
        """Give the body piece by piece.

        Raises:
            UserError: ``request.too_large``; ``request.cut``, the sender left or was silent for a minute.
        """
        declared = self.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self.most_bytes:
            raise self._too_large()
        received, body = 0, super().stream()
        while (chunk := await _read_on(body)) is not None:
            received += len(chunk)
            if received > self.most_bytes:
                raise self._too_large()
            yield chunk

    async def json(self) -> Any:
        """Read the body as JSON; a large one beside the event loop."""
        if not hasattr(self, "_json"):
            body = await self.body()
            self._json = read_json(body) if len(body) < _SMALL else await run_in_threadpool(read_json, body)
        return self._json

    def _too_large(self) -> UserError:
        return UserError(
            "request.too_large",
            f"At most {self.most_bytes} bytes are taken here.",
            remedy="Send less at a time.",
        )


async def _read_on(body: AsyncIterator[bytes]) -> bytes | None:
    try:
        with fail_after(PATIENCE_S):
            return await anext(body, None)
    except (ClientDisconnect, TimeoutError):
        raise UserError(
            "request.cut", "The request ended before all of it had come.", remedy="Send it again, whole."
        ) from None


def read_json(body: bytes) -> Any:
    """Read JSON as two readers would agree on it.

    Raises:
        RequestValidationError: It is not JSON in UTF-8, is nested deeper than 40, repeats a name, holds NaN,
            a NUL character or half a surrogate pair, which no database stores.
    """
    try:
        text = body.decode()
        _check_depth(text)
        found = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_take_pairs)
        if _ODD_LETTERS.search(text):
            _check_letters(found)
    except (ValueError, RecursionError) as error:
        words = str(error) if isinstance(error, _Refused) else "JSON in UTF-8 is expected"
        raise RequestValidationError([{"loc": ("body",), "msg": words, "type": "json_invalid"}]) from None
    return found


class _Refused(ValueError):
    """JSON that could be read in several ways, or not stored."""


def _check_depth(text: str) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        sign = found[0][0]
        if sign != '"':
            depth += 1 if sign in "[{" else -1
            if depth > DEEPEST:
                raise _Refused(f"JSON is nested deeper than {DEEPEST}")


def _refuse_constant(_name: str) -> None:
    raise _Refused("NaN and infinite numbers are not JSON")


def _take_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("A name stands twice in one object")
    return found


def _check_letters(found: Any) -> None:
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and ("\0" in one or not _is_unicode(one)):
            raise _Refused("A NUL character, or half of a surrogate pair, is not allowed")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
