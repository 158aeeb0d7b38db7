"""From a request's headers to credentials, and what keeps other pages from using a browser's session.

A request that changes something and comes without a token must come from our own pages: its ``Origin`` is
ours and, with a session, it repeats the session's value in ``X-CSRF-Token``, which other pages cannot read.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from kinsynth.errors import AccessError
from kinsynth.service.actor import Actor
from kinsynth.service.people.identity import Credentials
from kinsynth.service.people.sessions import NewSession
from kinsynth.service.platform import Platform
from kinsynth.settings.deployment import Deployment

COOKIE = "__Host-kinsynth"  # browsers take the prefix only with Secure, Path=/ and no Domain
CSRF = "X-CSRF-Token"
_SAFE = {"GET", "HEAD", "OPTIONS"}


def read_credentials(request: Request) -> Credentials:
    """Read what a request says about who sends it.

    Raises:
        AccessError: ``access.origin``, it was made by another site's page.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return Credentials(token=value.strip() if scheme.lower() == "bearer" else "")
    if request.method in _SAFE:
        return Credentials(session=request.cookies.get(COOKIE, ""))
    _check_origin(request)
    return Credentials(session=request.cookies.get(COOKIE, ""), csrf=request.headers.get(CSRF, ""))


def _check_origin(request: Request) -> None:
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    is_own = origin.lower() == public_address(request) if origin else site in {None, "same-origin", "none"}
    if not is_own:
        raise AccessError(
            "access.origin",
            "The request was made by a page of another site.",
            remedy="Use the installation's own address; behind a proxy, set KINSYNTH_PUBLIC_URL.",
        )


def public_address(request: Request) -> str:
    """Give scheme and host people reach the installation at: as set, else as this request has it."""
    deployment: Deployment = request.app.state.platform.deployment
    public = urlsplit(deployment.public_url)
    if public.netloc:
        return f"{public.scheme}://{public.netloc}".lower()
    return f"{request.url.scheme}://{request.headers.get('host', '')}".lower()


def set_session(response: Response, session: NewSession) -> None:
    """Give a browser its session."""
    response.set_cookie(
        COOKIE,
        session.secret,
        max_age=int(session.expires_in_s),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def forget_session(response: Response) -> None:
    """Take a browser's session away."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def address_of(request: Request) -> str:
    """Give the address a request came from; uvicorn has put in what a trusted proxy said."""
    return request.client.host if request.client else ""


async def _platform(connection: HTTPConnection) -> Platform:
    platform: Platform = connection.app.state.platform
    return platform


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


OpenPlatform = Annotated[Platform, Depends(_platform)]
CurrentActor = Annotated[Actor, Depends(_actor)]
