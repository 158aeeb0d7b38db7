"""Sessions of browsers."""

from __future__ import annotations

from fastapi import Request, Response

from kinsynth.server.auth import (
    COOKIE,
    CurrentActor,
    OpenPlatform,
    address_of,
    forget_session,
    set_session,
)
from kinsynth.server.operation import make_router, operation
from kinsynth.service.pages import View
from kinsynth.service.people.sessions import NewSession, SessionView, derive_csrf
from kinsynth.service.people.sign_in import (
    SignIn,
    list_own_sessions,
    sign_in,
    sign_out,
    sign_out_everywhere,
)

router = make_router()


class SessionState(View):
    """Who is signed in, and what requests that change something repeat in ``X-CSRF-Token``."""

    user_id: str
    csrf: str


class SignedIn(SessionState):
    """A session just begun."""

    expires_in_s: float


def describe_session(user_id: str, session: NewSession) -> SignedIn:
    """Say what a page needs of a new session."""
    return SignedIn(user_id=user_id, csrf=session.csrf, expires_in_s=session.expires_in_s)


@operation(
    router,
    "POST",
    "/sessions",
    "sessions.create",
    status=201,
    errors={403: ("sign_in.refused",), 429: ("access.throttled",), 503: ("passwords.busy",)},
)
def create(platform: OpenPlatform, request: Request, response: Response, body: SignIn) -> SignedIn:
    """Sign in with e-mail address and password; the answer sets the session's cookie."""
    user_id, session = sign_in(platform, body, address_of(request))
    set_session(response, session)
    return describe_session(user_id, session)


@operation(router, "GET", "/sessions/current", "sessions.read")
def read(request: Request, actor: CurrentActor) -> SessionState:
    """Say who is signed in."""
    return SessionState(user_id=actor.user_id, csrf=derive_csrf(request.cookies[COOKIE]))


@operation(router, "DELETE", "/sessions/current", "sessions.end", status=204)
def end(platform: OpenPlatform, actor: CurrentActor, response: Response) -> None:
    """Sign out."""
    sign_out(platform, actor)
    forget_session(response)


@operation(router, "GET", "/sessions", "sessions.list")
def list_all(platform: OpenPlatform, actor: CurrentActor) -> list[SessionView]:
    """List one's own sessions."""
    return list_own_sessions(platform, actor)


@operation(router, "DELETE", "/sessions", "sessions.end_all", status=204)
def end_all(platform: OpenPlatform, actor: CurrentActor, response: Response) -> None:
    """Sign out everywhere."""
    sign_out_everywhere(platform, actor)
    forget_session(response)
