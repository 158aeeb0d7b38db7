"""Sessions: what a browser holds after sign-in. They end with the password, the account, or by hand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kinsynth.service.pages import View
from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import sessions, users

TOUCH_S = 60.0  # how exactly the last use is known


class SessionView(View):
    """A session as its owner sees it."""

    id: str
    address: str
    created_at: float
    seen_at: float
    expires_at: float
    current: bool


@dataclass(frozen=True)
class NewSession:
    """A session just begun.

    Attributes:
        secret: What the browser's cookie holds.
        csrf: What its requests repeat in a header.
        expires_in_s: Seconds to its end.
    """

    secret: str
    csrf: str
    expires_in_s: float


def derive_csrf(secret: str) -> str:
    """Give the value that goes with a session's secret: a page that has only the cookie asks for it."""
    return digest(f"csrf:{secret}")


def begin_session(connection: Connection, deployment: Deployment, user_id: str, address: str) -> NewSession:
    """Begin a session; always with a new secret, so that one planted before is worth nothing."""
    secret = make_proof()
    lasts_s = deployment.session_hours * 3600
    over = (sessions.c.expires_at <= now()) | (sessions.c.seen_at <= now() - deployment.idle_minutes * 60)
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id, over))
    connection.execute(
        insert(sessions).values(
            id=make_id("ses"),
            user_id=user_id,
            secret_hash=digest(secret),
            csrf_hash=digest(derive_csrf(secret)),
            address=address[:60],
            created_at=now(),
            seen_at=now(),
            expires_at=now() + lasts_s,
        )
    )
    return NewSession(secret, derive_csrf(secret), lasts_s)


def find_session(
    connection: Connection, deployment: Deployment, secret: str
) -> Row[tuple[object, ...]] | None:
    """Find the living session of a secret, with ``role`` and ``email`` of its active user."""
    idle_s = deployment.idle_minutes * 60
    asked = (
        select(sessions, users.c.role, (now() - sessions.c.seen_at > TOUCH_S).label("stale"))
        .join(users, users.c.id == sessions.c.user_id)
        .where(
            sessions.c.secret_hash == digest(secret),
            sessions.c.expires_at > now(),
            sessions.c.seen_at > now() - idle_s,
            users.c.status == "active",
        )
    )
    return connection.execute(asked).one_or_none()


def touch_session(connection: Connection, session_id: str) -> None:
    """Note that a session was used."""
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=now()))


def list_sessions(connection: Connection, user_id: str, current_id: str) -> list[SessionView]:
    """List somebody's sessions, the newest first."""
    rows = connection.execute(
        select(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.expires_at > now())
        .order_by(sessions.c.created_at.desc(), sessions.c.id)
    )
    return [
        SessionView(
            id=row.id,
            address=row.address,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
            current=row.id == current_id,
        )
        for row in rows
    ]


def end_session(connection: Connection, session_id: str) -> None:
    """End one session."""
    connection.execute(delete(sessions).where(sessions.c.id == session_id))


def end_sessions(connection: Connection, user_id: str) -> int:
    """End all sessions of somebody, and tell how many."""
    theirs = sessions.c.user_id == user_id
    count = connection.execute(select(func.count()).select_from(sessions).where(theirs)).scalar_one()
    connection.execute(delete(sessions).where(theirs))
    return count
