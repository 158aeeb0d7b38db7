"""Identity: from what a request carries to who is asking."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy import Connection

from kinsynth.errors import AccessError
from kinsynth.service.actor import STRANGER, Actor
from kinsynth.service.people.proofs import digest
from kinsynth.service.people.sessions import find_session, touch_session
from kinsynth.service.people.tokens import find_token, touch_token
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform


@dataclass(frozen=True)
class Credentials:
    """What a request says about who sends it.

    Attributes:
        token: An API token; where there is one nothing else counts.
        session: The secret of a session.
        csrf: The value that goes with the session; None for a request that only reads and needs none.
    """

    token: str = ""
    session: str = ""
    csrf: str | None = None


def admit(platform: Platform, credentials: Credentials, operation: str, object_id: str = "") -> Actor:
    """Find out who asks and whether they may, before anything else of a request is looked at.

    The use case asks ``require`` again in its own transaction: between the two a share may have ended.

    Raises:
        AccessError: As ``require``, and ``access.csrf``.
        TransientError: ``records.unavailable``.
    """
    with platform.records.read() as connection:
        actor, stale = _identify(connection, platform, credentials)
        require(connection, actor, operation, object_id)
    if stale:
        with platform.records.write() as connection:
            touch = touch_session if actor.via == "session" else touch_token
            touch(connection, actor.credential_id)
    return actor


def _identify(connection: Connection, platform: Platform, credentials: Credentials) -> tuple[Actor, bool]:
    """Give who asks, and whether their credential's last use is to be noted."""
    if credentials.token:
        row = find_token(connection, credentials.token)
        return (
            (STRANGER, False) if row is None else (Actor(row.user_id, row.role, "token", row.id), row.stale)
        )
    if not credentials.session:
        return STRANGER, False
    row = find_session(connection, platform.deployment, credentials.session)
    if row is None:
        return STRANGER, False
    if credentials.csrf is not None and not hmac.compare_digest(digest(credentials.csrf), row.csrf_hash):
        raise AccessError(
            "access.csrf",
            "A change sent with a session's cookie needs the session's X-CSRF-Token header.",
            remedy="Send the value of the sign-in's answer, or use an API token.",
        )
    return Actor(row.user_id, row.role, "session", row.id), bool(row.stale)
