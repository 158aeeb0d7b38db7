"""Stored models."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Renamed
from kinsynth.server.codes import BUSY, DAMAGED
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import models
from kinsynth.service.models import ModelDetail, ModelView
from kinsynth.service.pages import Page

router = make_router()


@operation(router, "GET", "/models", "models.list", errors=PAGES)
def list_all(
    platform: OpenPlatform,
    actor: CurrentActor,
    page: PageOf,
    synthesis_id: Annotated[str | None, Query(max_length=40, description="Only those of this one.")] = None,
) -> Page[ModelView]:
    """List the models of all syntheses one sees, the newest first."""
    return models.list_models(platform, actor, page, synthesis_id=synthesis_id)


@operation(
    router,
    "GET",
    "/models/{model_id}",
    "models.read",
    errors={422: ("model.not_found",), 500: DAMAGED, 503: BUSY},
)
def read(platform: OpenPlatform, actor: CurrentActor, model_id: str) -> ModelDetail:
    """Read a model with the tables and columns that can be asked for."""
    return models.read_model(platform, actor, model_id)


@operation(router, "PATCH", "/models/{model_id}", "models.rename")
def rename(platform: OpenPlatform, actor: CurrentActor, model_id: str, body: Renamed) -> ModelView:
    """Rename a model."""
    return models.rename_model(platform, actor, model_id, body.name)


@operation(
    router, "DELETE", "/models/{model_id}", "models.delete", status=204, errors={409: ("model.in_use",)}
)
def delete(platform: OpenPlatform, actor: CurrentActor, model_id: str) -> None:
    """Delete a model; what was drawn from it stays."""
    models.delete_model(platform, actor, model_id)


@operation(router, "GET", "/models/{model_id}/document", "models.document")
def read_document(platform: OpenPlatform, actor: CurrentActor, model_id: str) -> dict[str, Any]:
    """Read the document a model was trained with."""
    return models.read_model_document(platform, actor, model_id)
