"""Signing in with a password: the same text and the same time whether the account exists or not."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from sqlalchemy import select, update

from kinsynth.errors import AccessError
from kinsynth.service import audit
from kinsynth.service.actor import STRANGER, Actor
from kinsynth.service.fields import ChosenPassword, Password
from kinsynth.service.pages import View
from kinsynth.service.people.passwords import (
    check_password,
    hash_password,
    is_outdated,
    verify_password,
)
from kinsynth.service.people.sessions import (
    NewSession,
    SessionView,
    begin_session,
    end_session,
    end_sessions,
    list_sessions,
)
from kinsynth.service.people.throttle import (
    THROTTLED,
    Attempt,
    Refusal,
    begin_attempt,
    succeed,
    throttled,
)
from kinsynth.service.people.users import find_user, store_password
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.storage.tables import users


class SignIn(View):
    """What somebody signs in with."""

    email: Annotated[str, Field(max_length=1000)]
    password: Password


class PasswordChange(View):
    """One's own password, changed by who knows it."""

    current: Password
    new: ChosenPassword


def sign_in(platform: Platform, wanted: SignIn, address: str) -> tuple[str, NewSession]:
    """Begin a session for somebody who knows their password.

    Args:
        platform: The installation.
        wanted: E-mail address and password.
        address: Where the request came from.

    Returns:
        Id of the user, and the session.

    Raises:
        AccessError: ``sign_in.refused``: no such account, a wrong password, or a blocked account.
        ThrottledError: ``access.throttled``.
        TransientError: ``passwords.busy``, ``records.unavailable``.

    Guarantees:
        Of one account at most 20 guesses in any hour reach the hash, whatever number of addresses they come
        from, over restarts too. A hash of other parameters than today's is made anew. Of attempts that are
        throttled for one reason, one an hour is in the audit log.
    """
    email = wanted.email.strip().lower()
    attempt = _begin(platform, STRANGER, "sessions.create", email, address)
    with platform.records.read() as connection:
        row = connection.execute(
            select(users.c.id, users.c.password_hash).where(users.c.email == email)
        ).one_or_none()
    stored = None if row is None else row.password_hash
    is_right = verify_password(stored, wanted.password)
    renewed = hash_password(wanted.password) if stored and is_right and is_outdated(stored) else stored
    user_id = "" if row is None else row.id
    with platform.records.write() as connection:
        unchanged = select(users.c.id).where(
            users.c.id == user_id,
            users.c.status == "active",
            users.c.password_hash == stored,
        )
        if is_right and connection.execute(unchanged).one_or_none() is not None:
            succeed(connection, attempt)
            if renewed != stored:
                connection.execute(update(users).where(users.c.id == user_id).values(password_hash=renewed))
            session = begin_session(connection, platform.deployment, user_id, address)
            audit.record(connection, Actor(user_id, None, "session"), "sessions.create", user_id)
            return user_id, session
        audit.record(connection, STRANGER, "sessions.create", user_id or None, outcome="refused")
    raise AccessError(
        "sign_in.refused",
        "E-mail address and password do not belong together, or the account is blocked.",
        remedy="Try again, or ask an administrator for a new password.",
    )


def _begin(platform: Platform, actor: Actor, operation: str, email: str, address: str) -> Attempt:
    """Count the guess before it is looked at, in a transaction of its own; of refusals the first is told."""
    with platform.records.write() as connection:
        attempt = begin_attempt(connection, email, address)
        if isinstance(attempt, Refusal) and attempt.is_first:
            asked = select(users.c.id).where(users.c.email == email)
            user_id = connection.execute(asked).scalar_one_or_none()
            audit.record(connection, actor, operation, user_id, outcome="refused", details=THROTTLED)
    if isinstance(attempt, Refusal):
        raise throttled(attempt.wait_s)
    return attempt


def change_password(platform: Platform, actor: Actor, change: PasswordChange, address: str) -> NewSession:
    """Change one's own password: all sessions end, and this one goes on under a new secret.

    Raises:
        AccessError: As ``permissions.require``, and ``sign_in.refused``: the current one is wrong.
        ThrottledError: ``access.throttled``: guesses here count like those at sign-in.
        SettingsError: As ``passwords.check_password``.
    """
    with platform.records.read() as connection:
        require(connection, actor, "users.change_password")
        user = find_user(connection, actor.user_id)
        stored = connection.execute(
            select(users.c.password_hash).where(users.c.id == actor.user_id)
        ).scalar_one()
    check_password(change.new, email=user.email, name=user.name)
    attempt = _begin(platform, actor, "users.change_password", user.email, address)
    if not verify_password(stored, change.current):
        raise AccessError(
            "sign_in.refused", "The current password is another one.", where="current", remedy="Try again."
        )
    password_hash = hash_password(change.new)
    with platform.records.write() as connection:
        require(connection, actor, "users.change_password")
        succeed(connection, attempt)
        store_password(connection, actor.user_id, password_hash)
        session = begin_session(connection, platform.deployment, actor.user_id, address)
        audit.record(connection, actor, "users.change_password", actor.user_id)
    return session


def list_own_sessions(platform: Platform, actor: Actor) -> list[SessionView]:
    """List one's own sessions, the newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "sessions.list")
        return list_sessions(connection, actor.user_id, actor.credential_id)


def sign_out(platform: Platform, actor: Actor) -> None:
    """End the session a request came with."""
    with platform.records.write() as connection:
        require(connection, actor, "sessions.end")
        end_session(connection, actor.credential_id)
        audit.record(connection, actor, "sessions.end", actor.user_id)


def sign_out_everywhere(platform: Platform, actor: Actor) -> None:
    """End all of one's own sessions."""
    with platform.records.write() as connection:
        require(connection, actor, "sessions.end_all")
        ended = end_sessions(connection, actor.user_id)
        audit.record(connection, actor, "sessions.end_all", actor.user_id, details={"sessions_ended": ended})
