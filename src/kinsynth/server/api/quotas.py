"""Quotas of people."""

from __future__ import annotations

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.operation import make_router, operation
from kinsynth.service.people import allowances
from kinsynth.service.people.allowances import QuotaChange
from kinsynth.service.quotas import QuotaView, Resource

router = make_router()
_MISSING = {404: ("access.not_found",)}


@operation(router, "GET", "/users/me/quotas", "quotas.me")
def read_mine(platform: OpenPlatform, actor: CurrentActor) -> tuple[QuotaView, ...]:
    """Read what oneself may use."""
    return allowances.read_mine(platform, actor)


@operation(router, "GET", "/users/{user_id}/quotas", "quotas.read", errors=_MISSING)
def read(platform: OpenPlatform, actor: CurrentActor, user_id: str) -> tuple[QuotaView, ...]:
    """Read what somebody may use."""
    return allowances.read_theirs(platform, actor, user_id)


@operation(
    router,
    "PUT",
    "/users/{user_id}/quotas/{resource}",
    "quotas.update",
    errors=_MISSING | {409: ("quota.limit",)},
)
def update(
    platform: OpenPlatform, actor: CurrentActor, user_id: str, resource: Resource, body: QuotaChange
) -> tuple[QuotaView, ...]:
    """Set what somebody may use."""
    return allowances.change(platform, actor, user_id, resource, body)
