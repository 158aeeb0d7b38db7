"""Operation: how a function becomes a route. Its id names its row of the policy; it declares its errors."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kinsynth.server.auth import read_credentials
from kinsynth.server.errors import Problem
from kinsynth.server.limits import LimitedRequest
from kinsynth.service.actor import STRANGER
from kinsynth.service.people.identity import admit
from kinsynth.service.permissions import POLICY, Rule
from kinsynth.service.platform import Platform

Codes = Mapping[int, Sequence[str]]
Function = TypeVar("Function", bound=Callable[..., Any])
EVERYWHERE: Codes = {
    422: ("request.invalid",),
    431: ("request.headers",),
    500: ("server.failure",),
    503: ("records.unavailable", "machine.disk_full", "machine.busy", "machine.memory"),
}
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


class Operation(APIRoute):
    """A route that finds out who asks, and whether they may, before it reads a body."""

    is_upload = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the function that serves a request."""
        handle = super().get_route_handler()
        operation = str(self.operation_id)
        rule = POLICY[operation]
        reads_body = self.body_field is not None

        async def serve(request: Request) -> Response:
            platform: Platform = request.app.state.platform
            credentials = read_credentials(request)
            object_id = str(request.path_params.get(f"{rule.kind}_id", ""))
            request.state.actor = STRANGER
            if rule.who != "anyone":
                request.state.actor = await run_in_threadpool(
                    admit, platform, credentials, operation, object_id
                )
            limited = LimitedRequest(request.scope, request.receive)
            limits = platform.deployment
            limited.most_bytes = limits.max_upload_bytes if self.is_upload else limits.max_body_bytes
            if reads_body and await limited.body():  # an empty one is the field's own matter
                await limited.json()
            return await handle(limited)

        return serve


class Upload(Operation):
    """A route whose function reads a large body itself, as a stream."""

    is_upload = True


def operation(
    router: APIRouter,
    method: str,
    path: str,
    operation_id: str,
    *,
    status: int = 200,
    errors: Codes | None = None,
    success: Mapping[str, Any] | None = None,
    is_upload: bool = False,
    **options: Any,
) -> Callable[[Function], Function]:
    """Make a function the handler of a route.

    Args:
        router: The router of its resource.
        method: HTTP method.
        path: Below ``/api/v1``. An object that the policy's rule is about stands in it as ``{KIND_id}``.
        operation_id: Its row in ``POLICY``.
        status: Status of success.
        errors: Codes it may answer with, by status, beyond those of its rule and of all requests.
        success: Content of the answer, by media type, where it is not JSON.
        is_upload: Whether it reads ``request.stream()`` itself, up to the largest upload.
        options: As FastAPI takes them.

    Raises:
        KeyError: The policy has no such row: no route without a rule.
        ValueError: The rule is about an object that the path does not name.
    """
    rule = POLICY[operation_id]
    if rule.kind is not None and f"{{{rule.kind}_id}}" not in path:
        raise ValueError(f"{operation_id}: {path} does not name {{{rule.kind}_id}}")
    codes = _all_codes(method, rule, errors or {})
    extra = {"x-codes": codes, **options.pop("openapi_extra", {})}
    if rule.who != "anyone":
        extra["security"] = [{"session": []}] if rule.in_person else [{"session": []}, {"token": []}]
    if is_upload:
        binary = {"schema": {"type": "string", "format": "binary"}}
        extra["requestBody"] = {"required": True, "content": {"application/octet-stream": binary}}

    responses: dict[int | str, dict[str, Any]] = {
        code: {"model": Problem, "description": ", ".join(names)} for code, names in codes.items()
    }
    if success is not None:
        responses[status] = {"content": dict(success)}

    def register(function: Function) -> Function:
        router.add_api_route(
            path,
            function,
            methods=[method],
            operation_id=operation_id,
            status_code=status,
            tags=[operation_id.partition(".")[0]],
            responses=responses,
            openapi_extra=extra,
            route_class_override=Upload if is_upload else Operation,
            **options,
        )
        return function

    return register


def _all_codes(method: str, rule: Rule, errors: Codes) -> dict[int, list[str]]:
    """Give every code an operation may answer with, by status."""
    found: dict[int, set[str]] = {}

    def add(status: int, *codes: str) -> None:
        found.setdefault(status, set()).update(codes)

    for source in (EVERYWHERE, errors):
        for status, codes in source.items():
            add(status, *codes)
    if method in _UNSAFE:
        add(403, "access.origin")
        add(408, "request.cut")
        add(413, "request.too_large")
    if rule.who != "anyone":
        add(401, "access.unauthenticated")
        if method in _UNSAFE:
            add(403, "access.csrf")
    if rule.who == "admin" or (rule.kind is not None and rule.level != "view"):
        add(403, "access.forbidden")
    if rule.in_person:
        add(403, "access.session_needed")
    if rule.kind is not None:
        add(404, "access.not_found")
    return {status: sorted(codes) for status, codes in sorted(found.items())}


def make_router() -> APIRouter:
    """Make the router of a resource."""
    return APIRouter(route_class=Operation)
