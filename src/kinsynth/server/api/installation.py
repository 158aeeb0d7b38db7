"""The installation itself: whether it answers, its figures, and what it can do."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from kinsynth.server.auth import OpenPlatform
from kinsynth.server.metrics import CONTENT_TYPE, Metrics
from kinsynth.server.openapi import make_document
from kinsynth.server.operation import make_router, operation
from kinsynth.service.figures import check_health

watched = make_router()
router = make_router()


class Health(BaseModel):
    """That the installation answers; nothing else is said to strangers."""

    model_config = ConfigDict(frozen=True)
    status: str = "ok"


@operation(watched, "GET", "/health", "health.read")
def read_health(platform: OpenPlatform) -> Health:
    """Tell whether the installation and its database answer."""
    check_health(platform)
    return Health()


@operation(
    watched,
    "GET",
    "/metrics",
    "metrics.read",
    response_class=Response,
    success={"text/plain": {"schema": {"type": "string"}}},
)
def read_metrics(request: Request) -> Response:
    """Give figures for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.render(), media_type=CONTENT_TYPE)


@operation(router, "GET", "/openapi.json", "openapi.read")
def read_openapi(request: Request) -> dict[str, Any]:
    """Give this document."""
    return make_document(request.app)
