"""Shares of a synthesis."""

from __future__ import annotations

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.operation import make_router, operation
from kinsynth.service.people import sharing
from kinsynth.service.people.sharing import NewShare, ShareView

router = make_router()
_PATH = "/syntheses/{synthesis_id}/shares"


@operation(router, "GET", _PATH, "shares.list")
def list_all(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str) -> tuple[ShareView, ...]:
    """List the shares: all for the owner, for others their own."""
    return sharing.list_shares(platform, actor, synthesis_id)


@operation(router, "POST", _PATH, "shares.set", errors={422: ("shares.unknown_user", "shares.owner")})
def set_level(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, body: NewShare) -> ShareView:
    """Share with somebody, or change what they may do."""
    return sharing.set_share(platform, actor, synthesis_id, body)


@operation(router, "DELETE", f"{_PATH}/{{user_id}}", "shares.remove", status=204)
def remove(platform: OpenPlatform, actor: CurrentActor, synthesis_id: str, user_id: str) -> None:
    """End a share."""
    sharing.remove_share(platform, actor, synthesis_id, user_id)
