"""Errors as answers: one JSON form, one table from codes to statuses, and no text of foreign exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

from kinsynth.errors import (
    AccessError,
    ConflictError,
    Finding,
    InternalError,
    Interrupted,
    KinsynthError,
    Severity,
    TransientError,
    UserError,
)
from kinsynth.server.openapi import find_methods, make_document
from kinsynth.service.people.throttle import ThrottledError
from kinsynth.system.failures import explain

STATUSES: Mapping[str, int] = {
    "access.unauthenticated": 401,
    "access.not_found": 404,
    "request.no_such_path": 404,
    "artefacts.settings": 500,  # of the installation: nothing the one who asks can repair
    "request.method": 405,
    "request.cut": 408,
    "source.parser_memory": 422,  # the same request would need the same memory again
    "request.too_large": 413,
    "request.headers": 431,
}
_LONGEST = 200


class ProblemFinding(BaseModel):
    """One of several causes."""

    model_config = ConfigDict(frozen=True)
    code: str
    severity: Severity
    where: str
    message: str
    remedy: str
    step: str
    count: int | None


class Problem(BaseModel):
    """Why a request was not served."""

    model_config = ConfigDict(frozen=True)
    code: str
    where: str
    message: str
    remedy: str
    retryable: bool
    findings: list[ProblemFinding]
    request: str


def status_of(error: KinsynthError) -> int:
    """Give the HTTP status of an error."""
    if error.code in STATUSES:
        return STATUSES[error.code]
    if isinstance(error, ThrottledError):
        return 429
    if isinstance(error, ConflictError) or error.code.startswith("quota."):
        return 409
    if isinstance(error, AccessError):
        return 403
    if isinstance(error, UserError):
        return 422
    return 503 if isinstance(error, (TransientError, Interrupted)) else 500


def answer(error: KinsynthError, request_id: str) -> JSONResponse:
    """Make the answer to a request that could not be served."""
    status = status_of(error)
    problem = Problem(
        code=error.code,
        where=error.where,
        message=error.message,
        remedy=error.remedy,
        retryable=status in {429, 503},
        findings=[_describe(finding) for finding in error.findings],
        request=request_id,
    )
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == 503:
        headers["Retry-After"] = "2"
    return JSONResponse(problem.model_dump(), status, headers)


def _describe(finding: Finding) -> ProblemFinding:
    return ProblemFinding(**{name: getattr(finding, name) for name in ProblemFinding.model_fields})


async def answer_ours(request: Request, error: Exception) -> JSONResponse:
    """Answer an error raised on purpose."""
    assert isinstance(error, KinsynthError)
    return answer(error, request.scope["request_id"])


async def answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that is not of its operation's form; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    return answer(invalid(error.errors()), request.scope["request_id"])


async def answer_routing(request: Request, error: Exception) -> JSONResponse:
    """Answer a path or a method that does not exist."""
    assert isinstance(error, HTTPException)
    response = answer(_explain_routing(error), request.scope["request_id"])
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(find_methods(make_document(request.app), request.url.path))
    return response


def _explain_routing(error: HTTPException) -> KinsynthError:
    if error.status_code == 405:
        return UserError(
            "request.method", "This is not done with this method.", remedy="See the header Allow."
        )
    if error.status_code == 404:
        return UserError(
            "request.no_such_path", "There is nothing at this path.", remedy="See /api/v1/openapi.json."
        )
    return UserError("request.invalid", "The request could not be read.", remedy="Send it again, whole.")


def invalid(details: Sequence[Mapping[str, Any]]) -> UserError:
    """Make one error of all that is wrong with a request: places and rules, never values."""
    findings = tuple(
        Finding(
            code="request.invalid",
            severity="error",
            where=_place(detail["loc"]),
            message=f"{detail['msg']}.",
            remedy="Correct the request.",
        )
        for detail in details
    )
    return UserError(
        "request.invalid",
        f"The request is not as the operation takes it: {len(findings)} findings.",
        where=findings[0].where if findings else "",
        remedy="Compare it with /api/v1/openapi.json.",
        findings=findings,
    )


def _place(parts: Iterable[Any]) -> str:
    text = ".".join(str(part) for part in parts)
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST]


def explain_failure(error: Exception) -> KinsynthError:
    """Give our error for one that nobody expected: its text is nobody's business, its id is in the log."""
    ours = explain(error)
    if isinstance(ours, TransientError):
        return TransientError(ours.code, ours.message, remedy=ours.remedy)  # without the path of a file
    return InternalError(
        "server.failure",
        "Something went wrong inside kinsynth.",
        remedy="Tell an administrator the id of this request; the log has the calls that led to it.",
    )
