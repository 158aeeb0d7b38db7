"""Accounts."""

from __future__ import annotations

from fastapi import Request, Response

from kinsynth.server.api.sessions import SignedIn, describe_session
from kinsynth.server.auth import CurrentActor, OpenPlatform, address_of, set_session
from kinsynth.server.bodies import Key
from kinsynth.server.codes import KEY
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PAGES, PASSWORDS, PageOf
from kinsynth.service.pages import Page
from kinsynth.service.people import users
from kinsynth.service.people.sign_in import PasswordChange, change_password
from kinsynth.service.people.users import NewPassword, NewUser, OwnChange, UserChange, UserView

router = make_router()
_MISSING = {404: ("access.not_found",)}


@operation(router, "GET", "/users/me", "users.me")
def read_me(platform: OpenPlatform, actor: CurrentActor) -> UserView:
    """Read one's own account."""
    return users.read_me(platform, actor)


@operation(router, "PATCH", "/users/me", "users.update_me")
def update_me(platform: OpenPlatform, actor: CurrentActor, body: OwnChange) -> UserView:
    """Change one's own account."""
    return users.update_me(platform, actor, body)


@operation(
    router,
    "PUT",
    "/users/me/password",
    "users.change_password",
    errors={
        403: ("sign_in.refused",),
        422: PASSWORDS,
        429: ("access.throttled",),
        503: ("passwords.busy",),
    },
)
def change_own_password(
    platform: OpenPlatform, actor: CurrentActor, request: Request, response: Response, body: PasswordChange
) -> SignedIn:
    """Change one's own password; all sessions end, and this one goes on with the new cookie."""
    session = change_password(platform, actor, body, address_of(request))
    set_session(response, session)
    return describe_session(actor.user_id, session)


@operation(router, "GET", "/users", "users.list", errors=PAGES)
def list_all(platform: OpenPlatform, actor: CurrentActor, page: PageOf) -> Page[UserView]:
    """List all accounts, the newest first."""
    return users.list_users(platform, actor, page)


@operation(
    router,
    "POST",
    "/users",
    "users.create",
    status=201,
    errors={409: (*KEY, "users.email_taken"), 422: PASSWORDS, 503: ("passwords.busy",)},
)
def create(platform: OpenPlatform, actor: CurrentActor, body: NewUser, key: Key = None) -> UserView:
    """Make an account; under a key that came before, the password is not compared."""
    return users.create_user(platform, actor, body, key=key)[0]


@operation(router, "GET", "/users/{user_id}", "users.read", errors=_MISSING)
def read(platform: OpenPlatform, actor: CurrentActor, user_id: str) -> UserView:
    """Read an account."""
    return users.read_user(platform, actor, user_id)


@operation(
    router,
    "PATCH",
    "/users/{user_id}",
    "users.update",
    errors=_MISSING | {409: ("users.email_taken", "users.last_admin")},
)
def update(platform: OpenPlatform, actor: CurrentActor, user_id: str, body: UserChange) -> UserView:
    """Change an account; what is left out stays."""
    return users.update_user(platform, actor, user_id, body)


@operation(
    router, "POST", "/users/{user_id}/block", "users.block", errors=_MISSING | {409: ("users.last_admin",)}
)
def block(platform: OpenPlatform, actor: CurrentActor, user_id: str) -> UserView:
    """Block an account: its sessions end, its tokens are refused."""
    return users.block_user(platform, actor, user_id)


@operation(router, "POST", "/users/{user_id}/activate", "users.activate", errors=_MISSING)
def activate(platform: OpenPlatform, actor: CurrentActor, user_id: str) -> UserView:
    """Let a blocked account in again."""
    return users.activate_user(platform, actor, user_id)


@operation(
    router,
    "PUT",
    "/users/{user_id}/password",
    "users.set_password",
    status=204,
    errors=_MISSING | {422: PASSWORDS, 503: ("passwords.busy",)},
)
def set_password(platform: OpenPlatform, actor: CurrentActor, user_id: str, body: NewPassword) -> None:
    """Set somebody's password; their sessions end."""
    users.set_password(platform, actor, user_id, body.password)
