"""Destinations."""

from __future__ import annotations

from kinsynth.server.auth import CurrentActor, OpenPlatform
from kinsynth.server.bodies import Key, NameQuery
from kinsynth.server.codes import KEY
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import destinations
from kinsynth.service.destinations import DestinationChange, DestinationView, NewDestination
from kinsynth.service.pages import Page

router = make_router()


@operation(
    router,
    "POST",
    "/destinations",
    "destinations.create",
    status=201,
    errors={409: ("destinations.too_many", *KEY), 422: ("settings.not_available",)},
)
def create(
    platform: OpenPlatform, actor: CurrentActor, body: NewDestination, key: Key = None
) -> DestinationView:
    """Make a destination; its password is stored encrypted and never shown."""
    return destinations.create_destination(platform, actor, body, key=key)[0]


@operation(router, "GET", "/destinations", "destinations.list", errors=PAGES)
def list_all(
    platform: OpenPlatform, actor: CurrentActor, page: PageOf, name: NameQuery = ""
) -> Page[DestinationView]:
    """List one's own destinations, the newest first."""
    return destinations.list_destinations(platform, actor, page, name=name)


@operation(router, "GET", "/destinations/{destination_id}", "destinations.read")
def read(platform: OpenPlatform, actor: CurrentActor, destination_id: str) -> DestinationView:
    """Read a destination without its password."""
    return destinations.read_destination(platform, actor, destination_id)


@operation(
    router,
    "PATCH",
    "/destinations/{destination_id}",
    "destinations.update",
    errors={422: ("destinations.password_needed", "settings.not_available")},
)
def update(
    platform: OpenPlatform, actor: CurrentActor, destination_id: str, body: DestinationChange
) -> DestinationView:
    """Rename a destination, or give it other settings."""
    return destinations.update_destination(platform, actor, destination_id, body)


@operation(router, "DELETE", "/destinations/{destination_id}", "destinations.delete", status=204)
def delete(platform: OpenPlatform, actor: CurrentActor, destination_id: str) -> None:
    """Delete a destination and its password."""
    destinations.delete_destination(platform, actor, destination_id)
