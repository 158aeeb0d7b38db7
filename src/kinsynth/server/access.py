"""Around every request: its id, its line in the log, its figures, and an answer when all else failed.

The line names the operation, ids of objects and of who asked; never the address, which may hold what people
wrote or a ticket's secret, nor anything of a body.
"""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kinsynth.server.errors import answer, explain_failure
from kinsynth.server.metrics import Metrics
from kinsynth.service.fields import is_id
from kinsynth.system.trace import describe_calls

REQUEST_ID = "X-Request-Id"
_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")
_log = structlog.get_logger("kinsynth.access")


class Access:
    """Gives each request an id, and tells afterwards what became of it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what nobody expected becomes an answer without its text."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = _choose_id(Headers(scope=scope))
        status, started = 0, time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = scope["request_id"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:  # noqa: BLE001 - the last resort
            _log.error("failure", request=scope["request_id"], calls=list(describe_calls(error)))
            if status == 0:
                await answer(explain_failure(error), scope["request_id"])(scope, receive, note)
        finally:
            self._tell(scope, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, status: int, took_s: float) -> None:
        operation = getattr(scope.get("route"), "operation_id", None) or "none"
        self._metrics.count(operation, status, took_s)
        actor = scope.get("state", {}).get("actor")
        ids = [one for one in scope.get("path_params", {}).values() if is_id(str(one))]
        _log.info(
            "request",
            request=scope["request_id"],
            method=scope["method"] if scope["method"].isalpha() else "?",
            operation=operation,
            status=status,
            ms=round(took_s * 1000, 1),
            actor=actor.user_id if actor else "",
            objects=ids,
        )


def _choose_id(headers: Headers) -> str:
    """Keep the id a proxy gave, if it is one."""
    given = headers.get(REQUEST_ID, "")
    return given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
