"""Sign-in by an OpenID Connect provider. A browser goes there and comes back; pages never see a code."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from kinsynth.errors import AccessError
from kinsynth.server.auth import OpenPlatform, address_of, public_address, set_session
from kinsynth.server.operation import make_router, operation
from kinsynth.service.pages import View
from kinsynth.service.people import single_sign_on
from kinsynth.service.people.setup import needs_setup
from kinsynth.service.people.single_sign_on import Provider
from kinsynth.service.permissions import not_found

router = make_router()
_COOKIE = "__Host-kinsynth-sign-in"
_BACK = "/api/v1/sign-in/openid/callback"
_MISSING = {404: ("access.not_found",), 503: ("sign_in.provider",)}


class Methods(View):
    """How people can sign in here."""

    password: bool = True
    openid: bool
    setup: bool = Field(
        description="Whether nobody has an account yet: the token of the console makes the first."
    )


async def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise not_found("sign-in")
    return provider


OpenProvider = Annotated[Provider, Depends(_provider)]


@operation(router, "GET", "/sign-in", "sign_in.methods")
def methods(platform: OpenPlatform, request: Request) -> Methods:
    """Say how people can sign in here."""
    return Methods(openid=request.app.state.provider is not None, setup=needs_setup(platform))


@operation(
    router,
    "GET",
    "/sign-in/openid",
    "sign_in.begin",
    status=303,
    errors=_MISSING | {429: ("access.throttled",)},
    response_class=Response,
)
def begin(platform: OpenPlatform, provider: OpenProvider, request: Request) -> Response:
    """Send the browser to the provider."""
    departure = single_sign_on.begin(platform, provider, _come_back_to(request), address=address_of(request))
    response = RedirectResponse(departure.url, 303)
    response.set_cookie(
        _COOKIE, departure.state, max_age=600, path="/", secure=True, httponly=True, samesite="lax"
    )
    return response


@operation(
    router,
    "GET",
    "/sign-in/openid/callback",
    "sign_in.finish",
    status=303,
    errors=_MISSING
    | {403: ("sign_in.failed", "sign_in.refused", "sign_in.unknown_user"), 409: ("users.email_taken",)},
    response_class=Response,
)
def finish(
    platform: OpenPlatform,
    provider: OpenProvider,
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Begin a session for whom the provider named, and go on to the start page."""
    kept = request.cookies.get(_COOKIE, "")
    if not code or not state or not kept:
        raise AccessError("sign_in.failed", "The provider did not sign anybody in.", remedy="Begin it again.")
    session = single_sign_on.finish(
        platform,
        provider,
        _come_back_to(request),
        code=code,
        state=state,
        kept=kept,
        address=address_of(request),
    )
    response = RedirectResponse("/", 303)
    response.delete_cookie(_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    set_session(response, session)
    return response


def _come_back_to(request: Request) -> str:
    return public_address(request) + _BACK
